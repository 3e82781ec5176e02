package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
	"github.com/cfposture/cfposture/posturetest"
)

func TestHelpIsAResultAndHasExamples(t *testing.T) {
	for _, command := range []string{"", "export", "apply", "audit", "serve", "types"} {
		t.Run(command, func(t *testing.T) {
			got := call{args: append(strings.Fields(command), "-h")}.run(t)
			assert.Equal(t, exitOK, got.code)
			assert.Empty(t, got.stderr)
			assert.Contains(t, got.stdout, "Examples:\n  posturectl "+command)
			for line := range strings.Lines(got.stdout) {
				if !strings.HasPrefix(strings.TrimSpace(line), "-") { // cobra doesn't wrap flags
					assert.LessOrEqual(t, terminal.Width(strings.TrimSpace(line)), 80, line)
				}
			}
		})
	}
}

func TestWrongCallsExitWith2(t *testing.T) {
	tests := map[string]struct {
		args   []string
		stderr string
	}{
		"unknown command":   {[]string{"exprt"}, "posturectl: unknown command \"exprt\": did you mean export? (-h shows more)\n"},
		"unlike any":        {[]string{"quantum"}, "posturectl: unknown command \"quantum\" (-h shows more)\n"},
		"unknown flag":      {[]string{"export", "--no-such-flag"}, "posturectl: unknown flag: --no-such-flag (-h shows more)\n"},
		"unknown shorthand": {[]string{"export", "-x"}, "posturectl: unknown shorthand flag: 'x' in -x (-h shows more)\n"},
		"extra argument":    {[]string{"export", "a"}, "posturectl: unexpected argument \"a\" (-h shows more)\n"},
		"hostile argument":  {[]string{"types", "a\x1b[2J\nb"}, "unknown type \"a\\x1b[2J\\nb\""},
		"hostile flag":      {[]string{"types", "--a\x1b[2J"}, "posturectl: unknown flag: --a\uFFFD[2J (-h shows more)\n"},
		"no value":          {[]string{"export", "-o"}, "posturectl: flag needs an argument: 'o' in -o (-h shows more)\n"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			got := call{args: test.args}.run(t)
			assert.Equal(t, exitUsage, got.code)
			assert.Empty(t, got.stdout)
			assert.Contains(t, got.stderr, test.stderr)
		})
	}
}

func TestLongFlagsMayHaveOneDash(t *testing.T) {
	got := call{args: []string{"export", "-sample"}}.run(t)
	assert.Equal(t, exitOK, got.code)
	got = call{args: []string{"export", "--sample", "--", "-sample"}}.run(t)
	assert.Equal(t, exitUsage, got.code, "what follows -- is no flag")
}

func TestCompletionAndVersion(t *testing.T) {
	assert.Contains(t, call{args: []string{"completion", "bash"}}.run(t).stdout, "bash completion")
	assert.Contains(t, call{args: []string{"__complete", "types", "kol"}}.run(t).stdout, "kolide\n")
	got := call{args: []string{"version"}}.run(t)
	assert.Regexp(t, `^posturectl .+\ncfposture .+\ngo\S+ \w+/\w+\n$`, got.stdout)
}

func TestAccountComesFromFlagsAndEnvironment(t *testing.T) {
	server := newServer(t)
	token, account, baseURL := posturetest.APIToken, posturetest.AccountID, server.URL
	tests := map[string]struct {
		args   []string
		vars   map[string]string
		code   int
		stderr string
	}{
		"nothing": {
			nil, nil, exitUsage,
			"posturectl: no credentials: set CLOUDFLARE_API_TOKEN, or give --sample to try the program without an account (-h shows more)\n",
		},
		"the sample": {[]string{"--sample"}, nil, exitOK, "Sample account, in memory\n"},
		"a token and an account": {
			nil, map[string]string{"CLOUDFLARE_API_TOKEN": token, "CLOUDFLARE_ACCOUNT_ID": account, "CLOUDFLARE_BASE_URL": baseURL},
			exitOK, "Account " + account + " at " + baseURL + "\n",
		},
		"the flag wins": {
			[]string{"--account", account},
			map[string]string{"CLOUDFLARE_API_TOKEN": token, "CLOUDFLARE_ACCOUNT_ID": "other", "CLOUDFLARE_BASE_URL": baseURL},
			exitOK, "Account " + account + " at " + baseURL + "\n",
		},
		"an API key": {
			[]string{"--account", account},
			map[string]string{
				"CLOUDFLARE_EMAIL": posturetest.APIEmail, "CLOUDFLARE_API_KEY": posturetest.APIKey, "CLOUDFLARE_BASE_URL": baseURL,
			},
			exitOK, "Account " + account + " at " + baseURL + "\n",
		},
		"an account without credentials": {
			[]string{"--account", account}, nil, exitUsage, "posturectl: no credentials: set CLOUDFLARE_API_TOKEN",
		},
		"credentials without an account": {
			nil, map[string]string{"CLOUDFLARE_API_TOKEN": token}, exitUsage,
			"posturectl: no account: set CLOUDFLARE_ACCOUNT_ID or give --account (-h shows more)\n",
		},
		"a base URL that can't be": {
			nil, map[string]string{"CLOUDFLARE_API_TOKEN": token, "CLOUDFLARE_ACCOUNT_ID": account, "CLOUDFLARE_BASE_URL": "http://example.com"},
			exitUsage, "posturectl: base URL is not https",
		},
		"a hostile account": {
			[]string{"--account", "a\nb"},
			map[string]string{"CLOUDFLARE_API_TOKEN": token, "CLOUDFLARE_BASE_URL": baseURL}, exitFailed, "Account a\uFFFDb at ",
		},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			got := call{args: append([]string{"export"}, test.args...), vars: test.vars}.run(t)
			assert.Equal(t, test.code, got.code)
			assert.Contains(t, got.stderr, test.stderr)
		})
	}
}

func TestTypesAreExplained(t *testing.T) {
	all := call{args: []string{"types"}}.run(t)
	assert.Equal(t, exitOK, all.code)
	assert.Contains(t, all.stdout, "custom_s2s")
	shown(t, "posturectl types os_version", call{args: []string{"types", "os_version"}}.run(t).both, exitOK)

	both := call{args: []string{"types", "kolide"}}.run(t)
	assert.Contains(t, both.stdout, "RULE INPUT")
	assert.Contains(t, both.stdout, "client_secret:\n      $env: CLIENT_SECRET\n", "an example has no secret in it")
	assert.Contains(t, call{args: []string{"types", "warp"}}.run(t).stdout, "type: warp\n")

	got := call{args: []string{"types", "quantum"}}.run(t)
	assert.Equal(t, exitUsage, got.code)
	assert.Contains(t, got.stderr, "posturectl: unknown type \"quantum\"")
	got = call{args: []string{"types", "os_verson"}}.run(t)
	assert.Equal(t, "posturectl: unknown type \"os_verson\": did you mean os_version? (-h shows more)\n", got.stderr)
}

func TestWithoutACommandItPrintsHelp(t *testing.T) {
	got := call{}.run(t)
	assert.Equal(t, exitOK, got.code)
	assert.Equal(t, call{args: []string{"-h"}}.run(t), got)
	assert.Contains(t, got.stdout, "Without\na command it prints this help and exits with 0.")
}

func TestHelpNamesValuesInCapitals(t *testing.T) {
	flag := regexp.MustCompile(`(?m)^ +(?:-\w, |    )--[a-z-]+ (\S+)   `)
	for _, command := range []string{"export", "apply", "audit", "serve"} {
		help := call{args: []string{command, "-h"}}.run(t).stdout
		for _, match := range flag.FindAllStringSubmatch(help, -1) {
			assert.Equal(t, strings.ToUpper(match[1]), match[1], command)
		}
	}
	assert.Contains(t, call{args: []string{"apply", "-h"}}.run(t).stdout, "variables that non-secret members may refer to")
}
