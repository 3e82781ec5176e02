package cli_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/internal/cli"
	"github.com/cfposture/cfposture/internal/cli/clitest"
	"github.com/cfposture/cfposture/posturetest"
)

func TestRunTurnsErrorsIntoExitCodes(t *testing.T) {
	tests := map[string]struct {
		err    error
		code   int
		stderr string
	}{
		"none":            {nil, cli.OK, ""},
		"failure":         {errors.New("no luck"), cli.Failed, "no luck\n"},
		"wrong call":      {cli.Usagef("no %s", "FILE"), cli.Usage, "no FILE (-h tells more)\n"},
		"code of its own": {&cli.ExitError{Code: 3}, 3, ""},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			program := func(context.Context, *cli.Env, []string) error { return test.err }
			got := clitest.Run(t.Context(), program, clitest.Call{})
			assert.Equal(t, test.code, got.Code)
			assert.Equal(t, test.stderr, got.Stderr)
			assert.Empty(t, got.Stdout)
		})
	}
}

func listing(ctx context.Context, env *cli.Env, args []string) error {
	flags := cli.NewFlags("listing", "", "Lists.")
	flagged := cli.NewAccountFlag(flags)
	if err := flags.Parse(env, args, 0); err != nil {
		return err
	}
	account, err := flagged.Open(env)
	if err != nil {
		return err
	}
	defer account.Close()
	rules, err := account.Posture.List(ctx)
	if err != nil {
		return err
	}
	if account.Sample != nil {
		env.Sayf("%d rules of the sample", len(rules))
	}
	return nil
}

func TestAccountComesFromTheFlagAndTheEnvironment(t *testing.T) {
	server := clitest.NewServer(t)
	token, account, baseURL := posturetest.APIToken, posturetest.AccountID, server.URL
	tests := map[string]struct {
		args   []string
		vars   map[string]string
		code   int
		stderr string
	}{
		"nothing: the sample": {
			nil, nil, cli.OK, "Sample account, in memory: CLOUDFLARE_API_TOKEN is not set\n12 rules of the sample\n",
		},
		"a token and an account": {
			nil, map[string]string{"CLOUDFLARE_API_TOKEN": token, "CLOUDFLARE_ACCOUNT_ID": account, "CLOUDFLARE_BASE_URL": baseURL},
			cli.OK, "Account " + account + " at " + baseURL + "\n",
		},
		"the flag wins": {
			[]string{"-account", account},
			map[string]string{"CLOUDFLARE_API_TOKEN": token, "CLOUDFLARE_ACCOUNT_ID": "other", "CLOUDFLARE_BASE_URL": baseURL},
			cli.OK, "Account " + account + " at " + baseURL + "\n",
		},
		"an API key": {
			[]string{"-account", account},
			map[string]string{"CLOUDFLARE_EMAIL": posturetest.APIEmail, "CLOUDFLARE_API_KEY": posturetest.APIKey, "CLOUDFLARE_BASE_URL": baseURL},
			cli.OK, "Account " + account + " at " + baseURL + "\n",
		},
		"an account without credentials": {
			[]string{"-account", account}, nil, cli.Usage, "no credentials for the account: set CLOUDFLARE_API_TOKEN (-h tells more)\n",
		},
		"a base URL alone": {
			nil, map[string]string{"CLOUDFLARE_BASE_URL": baseURL}, cli.Usage,
			"no credentials for the account: set CLOUDFLARE_API_TOKEN (-h tells more)\n",
		},
		"credentials without an account": {
			nil, map[string]string{"CLOUDFLARE_API_TOKEN": token}, cli.Usage,
			"no account: give -account, or set CLOUDFLARE_ACCOUNT_ID (-h tells more)\n",
		},
		"a base URL that can't be": {
			nil, map[string]string{"CLOUDFLARE_API_TOKEN": token, "CLOUDFLARE_ACCOUNT_ID": account, "CLOUDFLARE_BASE_URL": "http://example.com"},
			cli.Usage, "cfposture: base URL is not https: use WithPlainHTTP to allow http to a host that is not a loopback host\n",
		},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			got := clitest.Run(t.Context(), listing, clitest.Call{Args: test.args, Vars: test.vars})
			assert.Equal(t, test.code, got.Code)
			assert.Equal(t, test.stderr, got.Stderr)
		})
	}
}

func TestHelpIsAResultAndWrongCallsAreNot(t *testing.T) {
	clitest.CheckCalls(t, listing, "listing")
}

func TestFlagBehindAnArgumentIsSaidToBe(t *testing.T) {
	flags := cli.NewFlags("apply", "[FILE]", "Applies.")
	flags.Bool("yes", false, "")
	err := flags.Parse(&cli.Env{}, []string{"FILE", "-yes"}, 1)
	assert.EqualError(t, err, `the flag -yes has to come before "FILE" (-h tells more)`)
}

func TestDocumentIsReadWholeOrNotAtAll(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"whole":            {`{"version": 1, "rules": [{"name": "R"}]}`, ""},
		"empty":            {"", "the document is empty, or not whole"},
		"cut":              {`{"version": 1, "rules": [`, "the document is empty, or not whole"},
		"followed":         {`{"version": 1} {}`, "the document is followed by something else"},
		"misspelt":         {`{"version": 1, "rule": []}`, `the document can't be read: json: unknown field "rule"`},
		"of another shape": {`[]`, "the document can't be read: "},
		"of the future":    {`{"version": 2}`, "the document's version is 2; this program knows 1"},
		"of no version":    {`{}`, "the document's version is 0; this program knows 1"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			_, err := cli.ReadDocument(strings.NewReader(test.text))
			if test.want == "" {
				require.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, test.want)
		})
	}
}

func TestDocumentIsWrittenReadably(t *testing.T) {
	var b strings.Builder
	document := &cli.Document{Version: 1, Rules: cli.Sample().Rules[3:4]}
	require.NoError(t, document.Write(&b))
	assert.Contains(t, b.String(), `"operator": ">="`)
	again, err := cli.ReadDocument(strings.NewReader(b.String()))
	require.NoError(t, err)
	assert.JSONEq(t, string(document.Rules[0]), string(again.Rules[0]))
}

func TestConfirmTakesYesForYesAndAllElseForNo(t *testing.T) {
	tests := map[string]struct {
		answer string
		want   bool
		err    error
	}{
		"y":          {"y\n", true, nil},
		"Yes":        {" Yes \n", true, nil},
		"n":          {"n\n", false, nil},
		"return":     {"\n", false, nil},
		"other":      {"maybe\n", false, nil},
		"no newline": {"yes", true, nil},
		"no answer":  {"", false, cli.ErrNoAnswer},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			var stderr strings.Builder
			env := &cli.Env{Stdin: strings.NewReader(test.answer), Stderr: &stderr}
			got, err := env.Confirm(t.Context(), "Really?")
			require.ErrorIs(t, err, test.err)
			assert.Equal(t, test.want, got)
			assert.Equal(t, "Really? [y/N] ", stderr.String())
		})
	}
}

func TestColorsAreForTerminalsThatWantThem(t *testing.T) {
	tests := map[string]struct {
		terminal bool
		vars     map[string]string
		want     string
	}{
		"terminal":               {true, nil, "\x1b[31mx\x1b[0m"},
		"terminal with NO_COLOR": {true, map[string]string{"NO_COLOR": "1"}, "x"},
		"pipe":                   {false, nil, "x"},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			env := &cli.Env{
				Getenv:     func(name string) string { return test.vars[name] },
				IsTerminal: func(any) bool { return test.terminal },
			}
			assert.Equal(t, test.want, env.Painter(os.Stdout)(cli.Red, "x"))
		})
	}
}

func TestColumnsAreTheTerminals(t *testing.T) {
	tests := map[string]struct {
		terminal bool
		columns  string
		want     int
	}{
		"pipe":                    {false, "120", 0},
		"terminal":                {true, "", 80},
		"terminal of known width": {true, "120", 120},
		"nonsense":                {true, "wide", 80},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			env := &cli.Env{
				Getenv:     func(string) string { return test.columns },
				IsTerminal: func(any) bool { return test.terminal },
			}
			assert.Equal(t, test.want, env.Columns(os.Stdout))
		})
	}
}

func TestConfirmEndsWithTheContext(t *testing.T) {
	never, _ := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	env := &cli.Env{Stdin: never, Stderr: io.Discard}
	agreed, err := env.Confirm(ctx, "Really?")
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, agreed)
}
