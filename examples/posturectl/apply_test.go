package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/examples/posturectl/internal/document"
	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
	"github.com/cfposture/cfposture/internal/apifacts"
	"github.com/cfposture/cfposture/posturetest"
)

var secrets = map[string]string{"CROWDSTRIKE_SECRET": "s3cret-1", "KOLIDE_SECRET": "s3cret-2", "SCORE_SECRET": "s3cret-3", "INTUNE_SECRET": "s3cret-4"}

func withSecretVars(vars map[string]string) map[string]string {
	for name, value := range secrets {
		vars[name] = value
	}
	return vars
}

// quickly makes waits short.
func quickly(t *testing.T) {
	t.Helper()
	before := waits
	t.Cleanup(func() { waits = before })
	waits.look, waits.retry = 2*time.Second, time.Millisecond
}

// applied runs apply on a document, on the API at the base URL.
func applied(t *testing.T, server *posturetest.Server, baseURL, text string, args ...string) result {
	t.Helper()
	vars := withSecretVars(varsOf(server))
	if baseURL != "" {
		vars["CLOUDFLARE_BASE_URL"] = baseURL
	}
	return call{args: append([]string{"apply", "--rate", "1000"}, args...), stdin: text, vars: vars}.run(t)
}

// withSecrets returns an export with references to secrets, as a person would add them.
func withSecrets(export string) string {
	for id, reference := range map[string]string{
		`"client_id": "3a5f0c9e"`:               `"client_secret": {"$env": "CROWDSTRIKE_SECRET"}`,
		`"client_id": "k-2041"`:                 `"client_secret": {"$env": "KOLIDE_SECRET"}`,
		`"access_client_id": "88bf3b6d.access"`: `"access_client_secret": {"$env": "SCORE_SECRET"}`,
	} {
		export = strings.Replace(export, id, reference+", "+id, 1)
	}
	return export
}

// held returns what a server holds: without IDs, integrations by name, sorted.
func held(t *testing.T, server *posturetest.Server) []string {
	t.Helper()
	names := map[any]any{}
	var all []string
	for _, raw := range append(server.Integrations(), server.Rules()...) {
		var members map[string]any
		require.NoError(t, json.Unmarshal(raw, &members))
		names[members["id"]] = members["name"]
		for _, own := range []string{"id", "enabled", "identifier", "schema", "test_results"} {
			delete(members, own)
		}
		if input, ok := members["input"].(map[string]any); ok && input["connection_id"] != nil {
			input["connection_id"] = names[input["connection_id"]]
		}
		text, err := json.Marshal(members)
		require.NoError(t, err)
		all = append(all, string(text))
	}
	slices.Sort(all)
	return all
}

func exportOf(t *testing.T, server *posturetest.Server) string {
	t.Helper()
	got := call{args: []string{"export"}, vars: varsOf(server)}.run(t)
	require.Equal(t, exitOK, got.code, got.stderr)
	return got.stdout
}

func TestApplyAsTheTourShowsIt(t *testing.T) {
	got := call{args: []string{"apply", "--sample", "--dry-run", "testdata/team.yaml"}, vars: secrets}.run(t)
	shown(t, "INTUNE_SECRET=… posturectl apply --sample --dry-run examples/posturectl/testdata/team.yaml", got.both, got.code)
}

func TestApplyTakesYAMLAndJSONForTheSame(t *testing.T) {
	fromJSON := call{args: []string{"apply", "--sample", "--dry-run", "testdata/team.json"}, vars: secrets}.run(t)
	fromYAML := call{args: []string{"apply", "--sample", "--dry-run", "testdata/team.yaml"}, vars: secrets}.run(t)
	assert.Equal(t, fromJSON, fromYAML)
}

func TestExportAppliedToAnotherAccountGivesTheSameExport(t *testing.T) {
	first, second := sampleServer(t), newServer(t)
	export := withSecrets(exportOf(t, first))
	got := applied(t, second, "", export, "--yes")
	require.Equal(t, exitOK, got.code, got.stderr)
	assert.Equal(t, namesOf(exportOf(t, first)), namesOf(exportOf(t, second)), "in the same order, too")
	assert.NotContains(t, got.both, "s3cret")

	seen := len(second.Requests())
	again := applied(t, second, "", export, "--yes")
	assert.Equal(t, exitOK, again.code)
	assert.Equal(t, "Plan: nothing to do; 15 unchanged.\n", again.stdout)
	for _, request := range second.Requests()[seen:] {
		assert.Equal(t, http.MethodGet, request.Method, "a second run changes nothing")
	}
	assert.Equal(t, exitOK, applied(t, second, "", export, "--dry-run", "--prune").code)
	back := applied(t, first, "", exportOf(t, second), "--yes", "--prune")
	assert.Equal(t, "Plan: nothing to do; 15 unchanged.\n", back.stdout, "and back")
}

// namesOf returns the lines of an export that have no ID.
func namesOf(export string) []string {
	var lines []string
	for line := range strings.Lines(export) {
		if !strings.Contains(line, `id": "`) {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestDocumentIsCarriedOut(t *testing.T) {
	for file, args := range map[string][]string{"applied.json": {"--yes"}, "pruned.json": {"--yes", "--prune"}} {
		t.Run(file, func(t *testing.T) {
			server := sampleServer(t)
			vars := withSecretVars(varsOf(server))
			carryOut := call{args: append([]string{"apply", "testdata/team.json"}, args...), vars: vars}
			got := carryOut.run(t)
			require.Equal(t, exitOK, got.code, got.stderr)
			assert.Contains(t, got.stderr, "Done: ")
			assert.Contains(t, carryOut.run(t).stdout, "Plan: nothing to do; 6 unchanged")
			golden(t, file, strings.Join(held(t, server), "\n")+"\n")
		})
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	server := sampleServer(t)
	got := applied(t, server, "", `{"version": 1, "integrations": [], "rules": []}`, "--dry-run", "--prune")
	assert.Equal(t, exitPending, got.code)
	assert.Contains(t, got.stdout, "Plan: 15 to delete; 0 unchanged.\n")
	assert.Len(t, server.Rules(), 12)
}

func TestNothingIsAppliedUnasked(t *testing.T) {
	const warp = `{"version": 1, "rules": [{"name": "New", "type": "warp"}]}`
	tests := map[string]struct {
		call   call
		code   int
		stderr string
		rules  int
	}{
		"no document":                           {call{terminal: true}, exitUsage, "no document: give a FILE, or pipe one in", 12},
		"a document on standard input":          {call{stdin: warp}, exitUsage, "nobody to ask on standard input", 12},
		"a document on standard input, by name": {call{args: []string{"-"}, stdin: warp}, exitUsage, "nobody to ask on standard input", 12},
		"no terminal":                           {call{args: []string{"testdata/warp.json"}, stdin: "y\n"}, exitUsage, "nobody to ask on standard input", 12},
		"agreed":                                {call{args: []string{"testdata/warp.json"}, stdin: "y\n", terminal: true}, exitOK, "Done: 1 of 1.", 13},
		"refused":                               {call{args: []string{"testdata/warp.json"}, stdin: "\n", terminal: true}, exitFailed, "nothing was changed", 12},
		"no answer":                             {call{args: []string{"testdata/warp.json"}, terminal: true}, exitUsage, "nobody answered", 12},
		"a document that isn't there, unasked":  {call{args: []string{"testdata/none.json"}}, exitFailed, "posturectl: open testdata/none.json", 12},
		"a document without an end":             {call{args: []string{"--yes", "/dev/zero"}}, exitFailed, "posturectl: ", 12},
		"a folder":                              {call{args: []string{"--yes", "testdata"}}, exitFailed, "posturectl: testdata is not a regular file or a pipe", 12},
		"a document that isn't there":           {call{args: []string{"--yes", "testdata/none.json"}}, exitFailed, "posturectl: open testdata/none.json", 12},
		"no calls at once":                      {call{args: []string{"--parallel", "0"}, stdin: warp}, exitUsage, "--parallel must be above 0", 12},
		"no rate":                               {call{args: []string{"--rate", "0", "--yes"}, stdin: warp}, exitUsage, "--rate above 0 and at most 1000", 12},
		"no limit":                              {call{args: []string{"--rate", "inf", "--yes"}, stdin: warp}, exitUsage, "--rate above 0 and at most 1000", 12},
		"no number":                             {call{args: []string{"--rate", "nan", "--yes"}, stdin: warp}, exitUsage, "--rate above 0 and at most 1000", 12},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			server := sampleServer(t)
			test.call.vars, test.call.args = varsOf(server), append([]string{"apply"}, test.call.args...)
			got := test.call.run(t)
			assert.Equal(t, test.code, got.code)
			assert.Contains(t, got.stderr, test.stderr)
			assert.Len(t, server.Rules(), test.rules)
		})
	}
}

func TestWrongDocumentHasALineForEachProblem(t *testing.T) {
	got := applied(t, newServer(t), "", `{"version": 1, "rules": [{"name": "A\n", "type": "wrap"}, {"name": "B", "type": "warp", "schedul": "5m"}]}`, "--yes")
	assert.Equal(t, exitFailed, got.code)
	lines := strings.Split(strings.TrimSpace(got.stderr), "\n")
	require.Len(t, lines, 4, got.stderr)
	assert.Equal(t, "posturectl: the document can't be applied", lines[1])
	assert.Contains(t, lines[2], "posturectl: rules[0]: ")
	assert.Contains(t, lines[3], "did you mean schedule?")
}

func TestLongPlanSaysHowLongItTakes(t *testing.T) {
	got := call{args: []string{"apply", "--dry-run"}, stdin: manyRules(t, 200), vars: withSecretVars(varsOf(newServer(t)))}.run(t)
	assert.Contains(t, got.stderr, "This takes about 37s, at 3.5 calls a second\n")
	got = call{args: []string{"apply", "--dry-run"}, stdin: manyRules(t, 20), vars: withSecretVars(varsOf(newServer(t)))}.run(t)
	assert.NotContains(t, got.stderr, "This takes")
}

func TestProgressOfApplyKeepsToTheLine(t *testing.T) {
	server := sampleServer(t)
	vars := varsOf(server)
	vars["NO_COLOR"] = "1"
	path := t.TempDir() + "/document.json"
	require.NoError(t, os.WriteFile(path, []byte(`{"version": 1, "rules": [{"name": "`+strings.Repeat("規", 200)+`", "type": "warp"}]}`), 0o600))
	got := call{args: []string{"apply", "--yes", path}, vars: vars, terminal: true}.run(t)
	require.Equal(t, exitOK, got.code, got.stderr)
	assert.Contains(t, got.stderr, "Applying")
	for _, line := range strings.FieldsFunc(got.stderr, func(r rune) bool { return r == '\r' || r == '\n' }) {
		assert.Less(t, terminal.Width(line), 81, "a line must not wrap, or it can't be written over")
	}
	piped := applied(t, server, "", `{"version": 1, "rules": [{"name": "B", "type": "warp"}]}`, "--yes")
	assert.NotContains(t, piped.stderr, "\r")
}

func TestFailureSaysWhatWasDoneAndWhatWasNot(t *testing.T) {
	server, text := newServer(t), manyRules(t, 30)
	posts := 0
	refusing := handle(t, server, func(r *http.Request, _ int64) bool {
		if r.Method == http.MethodPost {
			posts++
		}
		return r.Method == http.MethodPost && posts == 6
	})
	got := applied(t, server, refusing, text, "--yes", "--parallel", "1")
	assert.Equal(t, exitFailed, got.code)
	for _, want := range []string{
		"Done: 5\n  create integration \"Kolide\" (kolide)\n  create rule \"Rule 0000\" (file)\n",
		"Failed: 1\n  create rule \"Rule 0004\" (file): POST accounts/", "403 Forbidden",
		"Not begun: 25\n  create rule \"Rule 0005\" (kolide)\n", "  … and 5 more\n",
		"posturectl: stopped after 5 of 31 steps, because of a failure: running it again completes it, once the cause is gone\n",
	} {
		assert.Contains(t, got.stderr, want)
	}
	assert.Equal(t, exitOK, applied(t, server, "", text, "--yes").code)
	assertComplete(t, server, 30)
}

// handle serves the server's API, but refuses the requests for which refuse is true; n counts all requests from 1.
func handle(t *testing.T, server *posturetest.Server, refuse func(r *http.Request, n int64) bool) (baseURL string) {
	t.Helper()
	var n atomic.Int64
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refuse(r, n.Add(1)) {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		server.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(api.Close)
	return api.URL + "/client/v4"
}

// manyRules returns a document of n rules and an integration that some of them name.
func manyRules(t *testing.T, n int) string {
	t.Helper()
	d := &document.Document{Version: 1, Unknown: &document.Unknown{Members: []string{"input.n"}}}
	d.Integrations = []json.RawMessage{json.RawMessage(
		`{"name": "Kolide", "type": "kolide", "interval": "1h", "config": {"client_id": "c", "client_secret": {"$env": "KOLIDE_SECRET"}}}`)}
	for i := range n {
		rule := `{"name": "Rule %04d", "type": "file", "match": [{"platform": "mac"}], "input": {"path": "/%[1]d"}}`
		if i%5 == 0 && i > 0 {
			rule = `{"name": "Rule %04d", "type": "kolide", "input": {"connection_id": "Kolide", "auth_state": ["Good"], "n": %[1]d}}`
		}
		d.Rules = append(d.Rules, json.RawMessage(fmt.Sprintf(rule, i)))
	}
	text, err := d.Marshal()
	require.NoError(t, err)
	return string(text)
}

// assertComplete checks that each rule is there, and once.
func assertComplete(t *testing.T, server *posturetest.Server, n int) {
	t.Helper()
	assert.Len(t, server.Integrations(), 1)
	var got, want []string
	for _, raw := range server.Rules() {
		var rule struct{ Name string }
		require.NoError(t, json.Unmarshal(raw, &rule))
		got = append(got, rule.Name)
	}
	for i := range n {
		want = append(want, fmt.Sprintf("Rule %04d", i))
	}
	slices.Sort(got)
	assert.Equal(t, want, got)
}

func TestApplyComesToRestWhateverResponsesLeaveOut(t *testing.T) {
	d := &document.Document{Version: 1}
	for _, i := range apifacts.IntegrationTypes {
		d.Integrations = append(d.Integrations, withID(t, i.SampleRequest(), i.SampleID()))
	}
	for _, r := range apifacts.RuleTypes {
		d.Rules = append(d.Rules, r.Sample())
	}
	text, err := d.Marshal()
	require.NoError(t, err)
	for title, behavior := range map[string]posturetest.Behavior{
		"as recorded":         {},
		"much is left out":    {OmittedMembers: slices.DeleteFunc(posturetest.OmittedMembers(), func(m string) bool { return m == "operator" })},
		"configs are whole":   {ConfigMembers: []string{"*"}},
		"lists have all info": {ResultInfo: true, NoTotalPages: true},
		"strict":              {RefuseReadOnly: true, WholeConfigs: true},
	} {
		t.Run(title, func(t *testing.T) {
			server := posturetest.New(t, posturetest.WithBehavior(behavior))
			got := applied(t, server, "", string(text), "--yes")
			require.Equal(t, exitOK, got.code, got.stderr)
			drift := applied(t, server, "", string(text), "--dry-run", "--prune")
			assert.Equal(t, exitOK, drift.code)
			assert.Equal(t, "Plan: nothing to do; 31 unchanged.\n", drift.stdout)
			exported := applied(t, server, "", exportOf(t, server), "--dry-run", "--prune")
			assert.Equal(t, "Plan: nothing to do; 31 unchanged.\n", exported.stdout, exported.stderr)
		})
	}
}

// withID returns an item with an ID, as an export has it.
func withID(t *testing.T, item []byte, id string) json.RawMessage {
	t.Helper()
	var members map[string]any
	require.NoError(t, json.Unmarshal(item, &members))
	members["id"] = id
	text, err := json.Marshal(members)
	require.NoError(t, err)
	return text
}

func TestErrorsOfADocumentAreLimited(t *testing.T) {
	rules := strings.Repeat(`{"name": "A", "type": "wrap"}, `, 50_000)
	got := applied(t, newServer(t), "", `{"version": 1, "rules": [`+strings.TrimSuffix(rules, ", ")+`]}`, "--yes")
	assert.Equal(t, exitFailed, got.code)
	lines := strings.Split(strings.TrimSpace(got.stderr), "\n")
	require.Len(t, lines, 23, "where it works, what is amiss, 20 problems, and how many more")
	assert.Contains(t, lines[21], "posturectl: rules[19]: ")
	assert.Equal(t, "posturectl: and 49980 more", lines[22])
}

func TestApplyReadsAPipeByItsPath(t *testing.T) {
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	defer reader.Close() //nolint:errcheck // it was only read
	path := fmt.Sprintf("/dev/fd/%d", reader.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skip("pipes have no path there")
	}
	_, err = writer.WriteString(oneRule)
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	got := call{args: []string{"apply", "--sample", "--dry-run", path}}.run(t)
	assert.Equal(t, exitPending, got.code, got.stderr)
}
