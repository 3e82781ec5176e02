package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/cli"
	"github.com/cfposture/cfposture/internal/cli/clitest"
	"github.com/cfposture/cfposture/posturetest"
)

// quick is run without waits worth mentioning.
func quick(ctx context.Context, env *cli.Env, args []string) error {
	return runWith(ctx, env, append([]string{"-rate", "1000000"}, args...), timing{time.Microsecond, time.Minute},
		cfposture.WithMaxRetryWait(time.Millisecond))
}

var secrets = map[string]string{"CROWDSTRIKE_SECRET": "s3cret-1", "KOLIDE_SECRET": "s3cret-2", "SCORE_SECRET": "s3cret-3"}

func varsOf(server *posturetest.Server) map[string]string {
	vars := clitest.Vars(server)
	for name, value := range secrets {
		vars[name] = value
	}
	return vars
}

// text returns a document as JSON.
func text(t *testing.T, document *cli.Document) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, document.Write(&b))
	return b.String()
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

// withoutComputed returns the document without what only the API sets.
func withoutComputed(t *testing.T, document *cli.Document) string {
	t.Helper()
	for _, list := range [][]json.RawMessage{document.Integrations, document.Rules} {
		for i, raw := range list {
			members, err := decode(raw)
			require.NoError(t, err)
			for _, name := range []string{"enabled", "identifier", "schema", "test_results"} {
				delete(members, name)
			}
			list[i] = json.RawMessage(compact(members))
		}
	}
	return text(t, document)
}

// comparable forms of what a server holds: without IDs, integrations by name, sorted.
func held(t *testing.T, server *posturetest.Server) []string {
	t.Helper()
	names := map[any]any{}
	var all []string
	for _, raw := range append(server.Integrations(), server.Rules()...) {
		members, err := decode(raw)
		require.NoError(t, err)
		names[members["id"]] = members["name"]
		for _, computed := range []string{"id", "enabled", "identifier", "schema", "test_results"} {
			delete(members, computed)
		}
		if members["expiration"] == nil {
			delete(members, "expiration")
		}
		if input, ok := members["input"].(object); ok && input[connectionID] != nil {
			input[connectionID] = names[input[connectionID]]
		}
		all = append(all, compact(members))
	}
	slices.Sort(all)
	return all
}

func apply(t *testing.T, server *posturetest.Server, document string, args ...string) clitest.Result {
	t.Helper()
	return clitest.Run(t.Context(), quick, clitest.Call{Args: args, Stdin: document, Vars: varsOf(server)})
}

func TestCalls(t *testing.T) { clitest.CheckCalls(t, run, "apply") }

func TestPlanAsTheReadmeShowsIt(t *testing.T) {
	got := clitest.Run(t.Context(), run, clitest.Call{
		Args: []string{"-dry-run", "testdata/team.json"}, Vars: map[string]string{"INTUNE_SECRET": "x"},
	})
	assert.Equal(t, changesPending, got.Code)
	clitest.Shown(t, "readme.txt", "INTUNE_SECRET=… go run ./examples/apply -dry-run examples/apply/testdata/team.json", got)
}

func TestExportAppliedToAnotherAccountGivesTheSameExport(t *testing.T) {
	first, second := clitest.SampleServer(t), clitest.NewServer(t)
	export := withSecrets(text(t, &cli.Document{Version: 1, Integrations: first.Integrations(), Rules: first.Rules()}))
	got := apply(t, second, export, "-yes")
	require.Equal(t, cli.OK, got.Code, got.Stderr)
	assert.Equal(t, held(t, first), held(t, second))
	assert.NotContains(t, got.Both, "s3cret")

	seen := len(second.Requests())
	again := apply(t, second, export, "-yes")
	assert.Equal(t, cli.OK, again.Code)
	assert.Equal(t, "Plan: nothing to do; 15 unchanged.\n", again.Stdout)
	for _, request := range second.Requests()[seen:] {
		assert.Equal(t, http.MethodGet, request.Method, "a second run changes nothing")
	}
	assert.Equal(t, cli.OK, apply(t, second, export, "-dry-run", "-prune").Code)

	back := withoutComputed(t, &cli.Document{Version: 1, Integrations: second.Integrations(), Rules: second.Rules()})
	assert.Equal(t, "Plan: nothing to do; 15 unchanged.\n", apply(t, first, back, "-yes", "-prune").Stdout, "and back")
}

func TestDocumentIsCarriedOut(t *testing.T) {
	for golden, args := range map[string][]string{"applied.json": {"-yes"}, "pruned.json": {"-yes", "-prune"}} {
		t.Run(golden, func(t *testing.T) {
			server := clitest.SampleServer(t)
			vars := varsOf(server)
			vars["INTUNE_SECRET"] = "s3cret-4"
			call := clitest.Call{Args: append(args, "testdata/team.json"), Vars: vars}
			got := clitest.Run(t.Context(), quick, call)
			require.Equal(t, cli.OK, got.Code, got.Stderr)
			assert.Contains(t, got.Stderr, "Done: ")
			again := clitest.Run(t.Context(), quick, call)
			assert.Contains(t, again.Stdout, "Plan: nothing to do; 6 unchanged")
			clitest.Golden(t, golden, strings.Join(held(t, server), "\n")+"\n")
		})
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	server := clitest.SampleServer(t)
	got := apply(t, server, `{"version": 1, "integrations": [], "rules": []}`, "-dry-run", "-prune")
	assert.Equal(t, changesPending, got.Code)
	assert.Contains(t, got.Stdout, "Plan: 15 to delete; 0 unchanged.\n")
	assert.Len(t, server.Rules(), 12)
}

func TestNothingIsDoneUnasked(t *testing.T) {
	const warp = `{"version": 1, "rules": [{"name": "New", "type": "warp"}]}`
	tests := map[string]struct {
		call   clitest.Call
		code   int
		stderr string
		rules  int
	}{
		"no document": {
			clitest.Call{Terminal: true}, cli.Usage, "no document: give a FILE, or pipe one in", 12,
		},
		"a document on standard input": {
			clitest.Call{Stdin: warp}, cli.Usage, "nobody to ask on standard input", 12,
		},
		"a document on standard input, by name": {
			clitest.Call{Args: []string{"-"}, Stdin: warp}, cli.Usage, "nobody to ask on standard input", 12,
		},
		"no terminal": {
			clitest.Call{Args: []string{"testdata/warp.json"}, Stdin: "y\n"}, cli.Usage, "nobody to ask on standard input", 12,
		},
		"agreed": {
			clitest.Call{Args: []string{"testdata/warp.json"}, Stdin: "y\n", Terminal: true}, cli.OK, "Done: 1 of 1.", 13,
		},
		"refused": {
			clitest.Call{Args: []string{"testdata/warp.json"}, Stdin: "\n", Terminal: true}, cli.Failed, "nothing was changed", 12,
		},
		"no answer": {
			clitest.Call{Args: []string{"testdata/warp.json"}, Terminal: true}, cli.Usage, "nobody answered", 12,
		},
		"a document that isn't there": {
			clitest.Call{Args: []string{"-yes", "testdata/none.json"}}, cli.Failed, "none.json", 12,
		},
		"numbers that can't be": {
			clitest.Call{Args: []string{"-parallel", "0"}, Stdin: warp}, cli.Usage, "-parallel and -rate must be above 0", 12,
		},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			server := clitest.SampleServer(t)
			test.call.Vars = varsOf(server)
			got := clitest.Run(t.Context(), quick, test.call)
			assert.Equal(t, test.code, got.Code)
			assert.Contains(t, got.Stderr, test.stderr)
			assert.Len(t, server.Rules(), test.rules)
		})
	}
}

func TestProgressIsForTerminals(t *testing.T) {
	server := clitest.SampleServer(t)
	vars := varsOf(server)
	vars["NO_COLOR"] = "1"
	long := strings.Repeat("規", 200)
	path := t.TempDir() + "/document.json"
	writeFile(t, path, `{"version": 1, "rules": [{"name": "`+long+`", "type": "warp"}]}`)
	got := clitest.Run(t.Context(), quick, clitest.Call{Args: []string{"-yes", path}, Vars: vars, Terminal: true})
	require.Equal(t, cli.OK, got.Code, got.Stderr)
	assert.Contains(t, got.Stderr, "\r[1/1] create rule ")
	for _, line := range strings.FieldsFunc(got.Stderr, func(r rune) bool { return r == '\r' || r == '\n' }) {
		assert.Less(t, cli.Width(line), 81, "a line must not wrap, or it can't be written over")
	}
	assert.NotContains(t, got.Both, "\x1b")

	piped := apply(t, server, `{"version": 1, "rules": [{"name": "B", "type": "warp"}]}`, "-yes")
	assert.NotContains(t, piped.Stderr, "\r")
}

func TestFailureSaysWhatWasDoneAndWhatWasNot(t *testing.T) {
	server := clitest.NewServer(t)
	document := text(t, manyRules(30))
	refused := handle(t, server, func(r *http.Request, n int64) bool { return r.Method == http.MethodPost && n == 8 })
	vars := varsOf(server)
	vars["CLOUDFLARE_BASE_URL"] = refused
	got := clitest.Run(t.Context(), quick, clitest.Call{Args: []string{"-yes", "-parallel", "1"}, Stdin: document, Vars: vars})
	assert.Equal(t, cli.Failed, got.Code)
	for _, want := range []string{
		"Done: 5\n  create integration \"Kolide\" (kolide)\n  create rule \"Rule 0000\" (file)\n",
		"Failed: 1\n  create rule \"Rule 0004\" (file): POST accounts/", "403 Forbidden",
		"Not begun: 25\n  create rule \"Rule 0005\" (kolide)\n", "  … and 5 more\n",
		"stopped after 5 of 31 steps, because one failed: running it again completes it, once the cause is gone\n",
	} {
		assert.Contains(t, got.Stderr, want)
	}
	assert.Equal(t, cli.OK, apply(t, server, document, "-yes").Code)
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
func manyRules(n int) *cli.Document {
	document := &cli.Document{Version: 1, Integrations: []json.RawMessage{json.RawMessage(
		`{"name": "Kolide", "type": "kolide", "interval": "1h", "config": {"client_id": "c", "client_secret": {"$env": "KOLIDE_SECRET"}}}`)}}
	for i := range n {
		rule := `{"name": "Rule %04d", "type": "file", "match": [{"platform": "mac"}], "input": {"path": "/%[1]d"}}`
		if i%5 == 0 && i > 0 {
			rule = `{"name": "Rule %04d", "type": "kolide", "input": {"connection_id": "Kolide", "auth_state": ["Good"], "n": %[1]d}}`
		}
		document.Rules = append(document.Rules, json.RawMessage(fmt.Sprintf(rule, i)))
	}
	return document
}

// assertComplete checks that each rule is there, and once.
func assertComplete(t *testing.T, server *posturetest.Server, n int) {
	t.Helper()
	assert.Len(t, server.Integrations(), 1)
	var got, want []string
	for _, raw := range server.Rules() {
		members, err := decode(raw)
		require.NoError(t, err)
		got = append(got, members["name"].(string))
	}
	for i := range n {
		want = append(want, fmt.Sprintf("Rule %04d", i))
	}
	slices.Sort(got)
	assert.Equal(t, want, got)
}
