package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
)

func TestAuditOfTheSampleAccount(t *testing.T) {
	got := call{args: []string{"audit", "--sample"}}.run(t)
	shown(t, "posturectl audit --sample", got.both, got.code)
}

func TestAuditAsJSON(t *testing.T) {
	got := call{args: []string{"audit", "--sample", "-o", "json"}}.run(t)
	assert.Equal(t, exitOK, got.code)
	assert.True(t, json.Valid([]byte(got.stdout)))
	golden(t, "audit.json", got.stdout)
}

func TestAuditAsHTML(t *testing.T) {
	got := call{args: []string{"audit", "--sample", "-o", "html"}}.run(t)
	assert.Equal(t, exitOK, got.code)
	assert.True(t, strings.HasPrefix(got.stdout, "<!DOCTYPE html>\n"))
	for _, outside := range []string{"://", "src=", "url(", "<script"} {
		assert.NotContains(t, got.stdout, outside)
	}
}

func TestAuditFailsOnWhatItIsToldTo(t *testing.T) {
	tests := map[string]struct {
		failOn string
		code   int
	}{
		"a kind that is found":      {"timing", exitPending},
		"one of several":            {"range,same-check", exitPending},
		"a kind that isn't found":   {"range", exitOK},
		"everything":                {"all", exitPending},
		"a kind that doesn't exist": {"timing,luck", exitUsage},
		"nothing":                   {"", exitUsage},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			got := call{args: []string{"audit", "--sample", "--fail-on", test.failOn}}.run(t)
			assert.Equal(t, test.code, got.code)
		})
	}
	got := call{args: []string{"audit", "--sample", "--fail-on", "luck"}}.run(t)
	assert.Contains(t, got.stderr, `posturectl: --fail-on has an unknown kind "luck": it may be all or uncovered, integration, timing,`)
	assert.Equal(t, exitUsage, call{args: []string{"audit", "--sample", "-o", "pdf"}}.run(t).code)
}

func TestAuditOnATerminalOf80Columns(t *testing.T) {
	server := newServer(t)
	for id, name := range map[string]string{
		"1": strings.Repeat("n", 200), "2": strings.Repeat("規則", 100), "3": "חוק " + strings.Repeat("כלל", 60), "4": "a\x1b[2J\nb",
	} {
		quoted, err := json.Marshal(name)
		require.NoError(t, err)
		server.AddRule([]byte(`{"id":"` + strings.Repeat(id, 36) + `","name":` + string(quoted) +
			`,"type":"file","expiration":"1m","input":{"path":"/a","sha256":"` + strings.Repeat("x", 200) + `"}}`))
	}
	vars := varsOf(server)
	vars["NO_COLOR"] = "1"
	got := call{args: []string{"audit"}, vars: vars, terminal: true}.run(t)
	require.Equal(t, exitOK, got.code, got.stderr)
	for line := range strings.Lines(got.stdout) {
		line = strings.TrimSuffix(line, "\n")
		assert.LessOrEqual(t, terminal.Width(line), 80, line)
		assert.NotContains(t, line, "\x1b", "NO_COLOR is set, and names hold no sequences")
	}

	vars["NO_COLOR"] = ""
	colored := call{args: []string{"audit"}, vars: vars, terminal: true}.run(t)
	assert.Contains(t, colored.stdout, "\x1b[33m9 findings\x1b[0m\n")
	vars["TERM"] = "dumb"
	assert.NotContains(t, call{args: []string{"audit"}, vars: vars, terminal: true}.run(t).stdout, "\x1b")
	piped := call{args: []string{"audit"}, vars: vars}.run(t)
	assert.Contains(t, piped.stdout, strings.Repeat("n", 200), "a pipe gets names as they are")
	assert.NotContains(t, piped.stdout, "\x1b[33m")
}

func TestAuditFailsWithTheAPI(t *testing.T) {
	server := sampleServer(t)
	server.FailNext(1, 403)
	got := call{args: []string{"audit"}, vars: varsOf(server)}.run(t)
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, "403 Forbidden")
}

func TestAuditAsJSONHasNothingThatATerminalObeys(t *testing.T) {
	server := newServer(t)
	server.AddRule([]byte("{\"id\":\"1\",\"name\":\"a\u009b2J\u202eb\",\"type\":\"warp\",\"schedule\":\"1h\",\"expiration\":\"5m\"}"))
	got := call{args: []string{"audit", "-o", "json"}, vars: varsOf(server)}.run(t)
	require.Equal(t, exitOK, got.code, got.stderr)
	assert.Contains(t, got.stdout, `a\u009b2J\u202eb`)
}
