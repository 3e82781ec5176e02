package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/examples/posturectl/internal/document"
	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
)

func TestExportOfTheSampleAccount(t *testing.T) {
	got := call{args: []string{"export", "--sample"}}.run(t)
	assert.Equal(t, exitOK, got.code)
	golden(t, "export.json", got.stdout)
	head := strings.Join(strings.SplitAfter(got.stdout, "\n")[:20], "")
	shown(t, "posturectl export --sample | head -20", got.stderr+head, exitOK)
}

func TestExportGivesTheSameBytesWhateverOrderTheAPIListsIn(t *testing.T) {
	sample := document.Sample()
	first, second := sampleServer(t), newServer(t)
	slices.Reverse(sample.Rules)
	slices.Reverse(sample.Integrations)
	sample.AddTo(second)
	second.SetPageSize(5)
	want := call{args: []string{"export"}, vars: varsOf(first)}.run(t)
	again := call{args: []string{"export"}, vars: varsOf(first)}.run(t)
	other := call{args: []string{"export"}, vars: varsOf(second)}.run(t)
	assert.Equal(t, want.stdout, again.stdout)
	assert.Equal(t, want.stdout, other.stdout)
}

func TestExportLosesNothing(t *testing.T) {
	rules := []string{
		`{"id":"1","name":"1 digits","type":"custom_s2s","input":{"connection_id":"x","operator":">=","score":70.50,"next":1e2}}`,
		`{"id":"2","name":"2 later type","type":"quantum","input":{"qubits":12345678901234567890},"added":{"b":[{"d":1,"c":2}],"a":true}}`,
		`{"id":"3","name":"3 odd input","type":"file","input":{"path":5}}`,
		`{"id":"4","name":"4 escapes <&> \u2028 \\u003c","type":"warp"}`,
	}
	server := newServer(t)
	for _, rule := range rules {
		server.AddRule([]byte(rule))
	}
	got := call{args: []string{"export"}, vars: varsOf(server)}.run(t)
	require.Equal(t, exitOK, got.code, got.stderr)
	exported, err := document.Parse([]byte(got.stdout))
	require.NoError(t, err)
	assert.Empty(t, exported.Integrations)
	require.Len(t, exported.Rules, len(rules))
	for i, rule := range rules {
		assert.JSONEq(t, rule, string(exported.Rules[i]))
	}
	for _, text := range []string{"1e2", "12345678901234567890", `"operator": ">="`} {
		assert.Contains(t, got.stdout, text)
	}
	assert.Less(t, strings.Index(got.stdout, `"c": 2`), strings.Index(got.stdout, `"d": 1`), "members are sorted on every level")
	assert.Equal(t, []string{"added", "input.next"}, exported.Unknown.Members)
	assert.Equal(t, []string{"2", "3"}, exported.Unknown.Items)
}

func TestExportSaysWhatItLeavesOut(t *testing.T) {
	server := newServer(t)
	server.AddIntegration([]byte(`{"id":"i1","name":"K","type":"kolide","interval":"1h","config":{"client_id":"c"},` +
		`"identifier":"","schema":{"x":1},"test_results":{}}`))
	server.AddRule([]byte(`{"id":"1","name":"A","type":"warp","enabled":true,"input":{"enabled":false}}`))
	server.AddRule([]byte(`{"id":"2","name":"B","type":"firewall","enabled":true,"input":{"enabled":false}}`))
	got := call{args: []string{"export"}, vars: varsOf(server)}.run(t)
	require.Equal(t, exitOK, got.code, got.stderr)
	assert.Contains(t, got.stderr, "Exported 1 integration and 2 rules\n"+
		`Left out, because only the API sets them: enabled of rules "A", "B", `)
	assert.Contains(t, got.stderr, `input.enabled of rule "A", schema of integration "K", test_results of integration "K"`+"\n")
	assert.Contains(t, got.stderr, "Left out, because the API doesn't return them: client_secret of integration \"K\"\n")
	for _, name := range []string{"schema", "test_results", "identifier"} {
		assert.NotContains(t, got.stdout, name)
	}
	assert.Equal(t, 1, strings.Count(got.stdout, `"enabled": false`), "the firewall's own stays")
	assert.NotContains(t, got.stdout, `"unknown"`)
}

func TestExportWritesNothingUnlessEverythingWasRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "export.json")
	t.Run("rules that can't be read", func(t *testing.T) {
		server := sampleServer(t)
		server.AddRule([]byte(`{"id":"bad-1","name":5}`))
		server.AddRule([]byte(`{"id":"bad-2","name":6}`))
		got := call{args: []string{"export", "-o", path}, vars: varsOf(server)}.run(t)
		assert.Equal(t, exitFailed, got.code)
		assert.Contains(t, got.stderr, "bad-1")
		assert.NoFileExists(t, path)
	})
	t.Run("a failing API", func(t *testing.T) {
		server := sampleServer(t)
		server.FailNext(1, http.StatusForbidden)
		got := call{args: []string{"export"}, vars: varsOf(server)}.run(t)
		assert.Equal(t, exitFailed, got.code)
		assert.Empty(t, got.stdout)
		assert.True(t, strings.HasPrefix(strings.SplitAfter(got.stderr, "\n")[1], "posturectl: GET accounts/"), got.stderr)
		assert.Contains(t, got.stderr, "403 Forbidden")
	})
}

func TestExportWritesItsFileWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "export.json")
	got := call{args: []string{"export", "--sample", "-o", path}}.run(t)
	require.Equal(t, exitOK, got.code, got.stderr)
	assert.Empty(t, got.stdout)
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	golden(t, "export.json", string(written))

	got = call{args: []string{"export", "--sample", "-o", filepath.Join(path, "no-folder")}}.run(t)
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, "posturectl: ")
}

func TestExportFailsWhereItsOutputCanNotBeWritten(t *testing.T) {
	code := run(t.Context(), &terminal.Terminal{
		In: strings.NewReader(""), Out: broken{}, Err: new(strings.Builder),
		Getenv: func(string) string { return "" }, IsTerminal: func(any) bool { return false },
	}, []string{"export", "--sample"})
	assert.Equal(t, exitFailed, code)
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestExportIsJSONThatEndsWithALine(t *testing.T) {
	got := call{args: []string{"export", "--sample"}}.run(t)
	assert.True(t, json.Valid([]byte(got.stdout)))
	assert.True(t, strings.HasSuffix(got.stdout, "}\n"))
}

func TestExportNamesThreeOfThoseThatLoseAMember(t *testing.T) {
	server := newServer(t)
	for _, name := range []string{`D\n`, "B", "A", "C", "E"} {
		server.AddRule([]byte(`{"name":"` + name + `","type":"warp","enabled":true}`))
	}
	got := call{args: []string{"export"}, vars: varsOf(server)}.run(t)
	require.Equal(t, exitOK, got.code, got.stderr)
	assert.Contains(t, got.stderr, `: enabled of rules "A", "B", "C" and 2 more`+"\n")
}

func TestExportFollowsALinkAndNamesTheGivenFile(t *testing.T) {
	folder := t.TempDir()
	link := filepath.Join(folder, "link")
	if err := os.Symlink("real", link); err != nil {
		t.Skip("there are no links")
	}
	got := call{args: []string{"export", "--sample", "-o", link}}.run(t)
	require.Equal(t, exitOK, got.code, got.stderr)
	assert.FileExists(t, filepath.Join(folder, "real"))

	path := filepath.Join(folder, "none", "file")
	got = call{args: []string{"export", "--sample", "-o", path}}.run(t)
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, "posturectl: write "+path+": ")
}
