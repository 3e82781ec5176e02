// Package examples_test runs the programs in this module's folders as a person would.
package examples_test

import (
	"context"
	"flag"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

var update = flag.Bool("update", false, "write what the programs print into README.md instead of comparing with it")

// programs is the folder that the programs are built into.
var programs string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	folder, err := os.MkdirTemp("", "examples")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder) //nolint:errcheck // it is temporary anyway
	programs = folder
	names := []string{"build", "-o", folder + string(filepath.Separator), "./quickstart", "./integrations", "./rule-types", "./reconcile"}
	if out, err := exec.CommandContext(context.Background(), "go", names...).CombinedOutput(); err != nil {
		panic(string(out))
	}
	return m.Run()
}

// run runs a program with these environment variables, and returns what it printed and its exit code.
func run(t *testing.T, vars []string, name string, args ...string) (output string, code int) {
	t.Helper()
	program, err := exec.LookPath(filepath.Join(programs, name)) // with .exe where it needs that
	require.NoError(t, err)
	command := exec.CommandContext(t.Context(), program, args...)
	command.Env = append([]string{
		"CLOUDFLARE_API_TOKEN=", "CLOUDFLARE_API_KEY=", "CLOUDFLARE_EMAIL=", "CLOUDFLARE_ACCOUNT_ID=", "CLOUDFLARE_BASE_URL=",
	}, vars...)
	out, err := command.CombinedOutput()
	if exit := new(exec.ExitError); err != nil {
		require.ErrorAs(t, err, &exit)
	}
	return string(out), command.ProcessState.ExitCode()
}

// onAccount returns variables that name a server's account.
func onAccount(server *posturetest.Server) []string {
	return []string{
		"CLOUDFLARE_API_TOKEN=" + posturetest.APIToken, "CLOUDFLARE_ACCOUNT_ID=" + posturetest.AccountID, "CLOUDFLARE_BASE_URL=" + server.URL,
		"POSTURE_CLIENT_SECRET=hidden-1", "POSTURE_CLIENT_KEY=hidden-2", "POSTURE_ACCESS_CLIENT_SECRET=hidden-3",
	}
}

var uuid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}`)

func TestProgramsPrintWhatThePageShowsAndUseNoAccountUnasked(t *testing.T) {
	server := posturetest.New(t)
	for _, name := range []string{"quickstart", "integrations", "rule-types", "reconcile"} {
		t.Run(name, func(t *testing.T) {
			output, code := run(t, onAccount(server), name)
			assert.Zero(t, code)
			output = uuid.ReplaceAllString(output, "3f835bfc-1231-4557-855c-86a4446c3d60")
			shown(t, "go run ./examples/"+name, output)
		})
	}
	assert.Empty(t, server.Requests())
}

// shown compares what a command prints with what README.md shows for it.
func shown(t *testing.T, command, output string) {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(readme), "$ "+command+"\n")
	require.True(t, found, "README.md doesn't show %s", command)
	shown, after, _ := strings.Cut(rest, "```\n")
	if *update {
		require.NoError(t, os.WriteFile("README.md", []byte(before+"$ "+command+"\n"+output+"```\n"+after), 0o600))
		return
	}
	assert.Equal(t, output, shown, "README.md shows another output; -update writes it")
}

func TestProgramsCanBeCopied(t *testing.T) {
	files, err := filepath.Glob("*/*.go")
	require.NoError(t, err)
	for _, path := range files {
		if strings.HasPrefix(path, "posturectl") || strings.HasPrefix(path, "fleet") || strings.HasPrefix(path, "telemetry") {
			continue // modules of their own
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Less(t, strings.Count(string(text), "\n"), 150, path)
		file, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ImportsOnly)
		require.NoError(t, err)
		for _, imported := range file.Imports {
			assert.NotContains(t, imported.Path.Value, "/internal/", path)
		}
	}
	assert.GreaterOrEqual(t, len(files), 6)
}

func TestLiveProgramsSaySoAndLeaveNothingBehind(t *testing.T) {
	for name, says := range map[string]string{
		"quickstart":   "one rule will be created, changed and deleted",
		"rule-types":   "a rule of each type will be created and deleted",
		"integrations": "an integration and a rule will be created, and deleted again",
		"reconcile":    "nothing will be changed",
	} {
		t.Run(name, func(t *testing.T) {
			server := posturetest.New(t)
			server.PutRule(&cfposture.Rule{Name: "hostile \x1b[2J\n\u202e", Input: &cfposture.WARPInput{}})
			args := []string{"-live"}
			if name == "integrations" {
				args = append(args, "-type", "kolide", "-config", `{"client_id": "me"}`)
			}
			output, code := run(t, onAccount(server), name, args...)
			assert.Zero(t, code, output)
			assert.True(t, strings.HasPrefix(output, `Working on the account "`+posturetest.AccountID+`": `+says+".\n"), output)
			assert.Len(t, server.Rules(), 1)
			assert.Empty(t, server.Integrations())
			for _, never := range []string{"\x1b", "\u202e", "hidden-", posturetest.APIToken} {
				assert.NotContains(t, output, never)
			}
		})
	}
}

func TestLiveProgramsNeedAnAccount(t *testing.T) {
	for _, name := range []string{"quickstart", "rule-types", "integrations", "reconcile"} {
		output, code := run(t, nil, name, "-live")
		assert.Equal(t, 1, code)
		assert.True(t, strings.HasPrefix(output, name+": cfposture: "), output)
		_, code = run(t, nil, name, "-no-such-flag")
		assert.Equal(t, 2, code)
	}
}

func TestQuickstartLeavesNoRuleBehindWhenSomethingFails(t *testing.T) {
	server := posturetest.New(t)
	server.Inject(posturetest.Fault{Operation: "posture.update", Status: 403})
	output, code := run(t, onAccount(server), "quickstart", "-live")
	assert.Equal(t, 1, code)
	assert.Contains(t, output, "quickstart: cfposture: PUT accounts/")
	assert.Empty(t, server.Rules())
}

func TestRuleTypesHasEveryTypeInOrder(t *testing.T) {
	output, _ := run(t, nil, "rule-types")
	var types []cfposture.RuleType
	for _, found := range regexp.MustCompile(`(?m)^rule "[^"]+" \((\w+)\)`).FindAllStringSubmatch(output, -1) {
		types = append(types, cfposture.RuleType(found[1]))
	}
	assert.Equal(t, cfposture.RuleTypes(), types)
}

func TestRuleTypesLeavesOutWhatTheAccountHasNoIntegrationFor(t *testing.T) {
	output, code := run(t, onAccount(posturetest.New(t)), "rule-types", "-live")
	assert.Zero(t, code)
	assert.Equal(t, 7, strings.Count(output, "left out, because the account has no integration for it: "))
}

func TestIntegrationsConnectsEveryService(t *testing.T) {
	for _, kind := range cfposture.IntegrationTypes() {
		t.Run(string(kind), func(t *testing.T) {
			server := posturetest.New(t)
			const members = `{"api_url":"https://a.example","auth_url":"https://b.example","client_id":"c","customer_id":"d","access_client_id":"e"}`
			output, code := run(t, onAccount(server), "integrations", "-live", "-keep", "-type", string(kind), "-config", members)
			assert.Zero(t, code, output)
			assert.Len(t, server.Integrations(), 1)
			assert.Len(t, server.Rules(), map[bool]int{true: 0, false: 1}[kind == cfposture.IntegrationTypeUptycs])
			assert.NotContains(t, output, "hidden-")
		})
	}
	output, code := run(t, nil, "integrations", "-type", "quantum")
	assert.Equal(t, 1, code)
	assert.Contains(t, output, `integrations: unknown type "quantum": it may be one of [workspace_one`)
}

func TestReconcileChangesAnAccountOnlyWhenToldTo(t *testing.T) {
	server := posturetest.New(t)
	looked, code := run(t, onAccount(server), "reconcile", "-live")
	assert.Zero(t, code)
	assert.Equal(t, 2, strings.Count(looked, "create rule "))
	assert.Empty(t, server.Rules())

	server.Inject(posturetest.Fault{Operation: "posture.create", Status: 504, Lost: true})
	_, code = run(t, onAccount(server), "reconcile", "-live", "-apply")
	assert.Zero(t, code)
	assert.Len(t, server.Rules(), 2)
	again, _ := run(t, onAccount(server), "reconcile", "-live")
	assert.NotContains(t, again, "create")
	assert.NotContains(t, again, "update")
}
