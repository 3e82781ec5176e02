package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/cli"
	"github.com/cfposture/cfposture/internal/cli/clitest"
)

func TestSampleAccount(t *testing.T) {
	got := clitest.Run(t.Context(), run, clitest.Call{})
	assert.Equal(t, cli.OK, got.Code)
	clitest.Shown(t, "readme.txt", "go run ./examples/audit", got)
}

func TestJSONOfTheSampleAccount(t *testing.T) {
	got := clitest.Run(t.Context(), run, clitest.Call{Args: []string{"-json"}})
	assert.Equal(t, cli.OK, got.Code)
	assert.True(t, json.Valid([]byte(got.Stdout)))
	clitest.Golden(t, "audit.json", got.Stdout)
}

func TestCalls(t *testing.T) { clitest.CheckCalls(t, run, "audit") }

func TestFindings(t *testing.T) {
	const covered = `{"id":"c1","type":"disk_encryption"},{"id":"c2","type":"firewall"},{"id":"c3","type":"os_version"},`
	tests := map[string]struct {
		rules string
		want  []string
	}{
		"nothing": {
			covered + `{"id":"1","type":"warp","schedule":"5m","expiration":"5m"}`, nil,
		},
		"platforms without the basic checks": {
			`{"id":"1","type":"warp","match":[{"platform":"windows"},{"platform":"linux"},{"platform":"ios"}]}`,
			[]string{
				"uncovered: windows has no disk-encryption rule", "uncovered: windows has no firewall rule",
				"uncovered: windows has no OS-version rule", "uncovered: linux has no disk-encryption rule",
				"uncovered: linux has no OS-version rule", "uncovered: ios has no OS-version rule",
			},
		},
		"a rule of no platform covers all": {
			covered + `{"id":"1","type":"warp","match":[{"platform":"mac"}]}`, nil,
		},
		"a missing integration": {
			covered + `{"id":"1","type":"kolide","input":{"connection_id":"i2","auth_state":["Good"]}}`,
			[]string{"integration: there is no integration i2 (1)"},
		},
		"a missing integration in an input of a later type": {
			covered + `{"id":"1","type":"later","input":{"connection_id":"i2"}}`,
			[]string{"integration: there is no integration i2 (1)"},
		},
		"an integration that is there": {
			covered + `{"id":"1","type":"kolide","input":{"connection_id":"i1","auth_state":["Good"]}}`, nil,
		},
		"an expiration below the schedule": {
			covered + `{"id":"1","type":"warp","schedule":"1h","expiration":"59m"}`,
			[]string{"timing: results lapse after 59m, and the next come after 1h (1)"},
		},
		"an expiration below the default schedule": {
			covered + `{"id":"1","type":"warp","expiration":"4m"}`,
			[]string{"timing: results lapse after 4m, and the next come after 5m (1)"},
		},
		"intervals that are none": {
			covered + `{"id":"1","type":"warp","schedule":"often","expiration":"soon"}`,
			[]string{`timing: the schedule "often" is no interval (1)`, `timing: the expiration "soon" is no interval (1)`},
		},
		"a schedule below the least": {
			covered + `{"id":"1","type":"warp","schedule":"30s"}`,
			[]string{"timing: the schedule 30s is below the least, 1m (1)"},
		},
		"the same name and type": {
			covered + `{"id":"1","name":"A","type":"file","input":{"path":"/a"}},{"id":"2","name":"A","type":"file","input":{"path":"/b"}}`,
			[]string{"same name: names that apply can't tell apart (1, 2)"},
		},
		"the same name and another type": {
			covered + `{"id":"1","name":"A","type":"file","input":{"path":"/a"}},{"id":"2","name":"A","type":"application","input":{"path":"/a"}}`,
			nil,
		},
		"the same check": {
			covered + `{"id":"1","name":"A","type":"file","input":{"path":"/a","x":1},"match":[{"platform":"mac"},{"platform":"windows"}]},` +
				`{"id":"2","name":"B","type":"file","input":{"x":1,"path":"/a"},"match":[{"platform":"windows"},{"platform":"mac"}],"schedule":"1h"}`,
			[]string{"same check: the same type, platforms and input (1, 2)"},
		},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			var rules []*cfposture.Rule
			require.NoError(t, json.Unmarshal([]byte("["+test.rules+"]"), &rules))
			var got []string
			for _, f := range audit(rules, []*cfposture.Integration{{ID: "i1"}}).Findings {
				var ids []string
				for _, rule := range f.Rules {
					ids = append(ids, rule.ID)
				}
				text := f.Kind + ": " + f.Text
				if ids != nil {
					text += " (" + strings.Join(ids, ", ") + ")"
				}
				got = append(got, text)
			}
			assert.Equal(t, test.want, got)
		})
	}
}

func TestTerminalOf80ColumnsShowsOddNames(t *testing.T) {
	server := clitest.NewServer(t)
	for id, name := range map[string]string{
		"1": strings.Repeat("n", 200), "2": strings.Repeat("規則", 100), "3": "חוק " + strings.Repeat("כלל", 60), "4": "a\x1b[2J\nb",
	} {
		server.AddRule([]byte(`{"id":"` + strings.Repeat(id, 36) + `","name":` + quoted(t, name) + `,"type":"disk_encryption","expiration":"1m"}`))
	}
	vars := clitest.Vars(server)
	vars["NO_COLOR"] = "1"
	got := clitest.Run(t.Context(), run, clitest.Call{Vars: vars, Terminal: true})
	require.Equal(t, cli.OK, got.Code, got.Stderr)
	for line := range strings.Lines(got.Stdout) {
		line = strings.TrimSuffix(line, "\n")
		assert.LessOrEqual(t, cli.Width(line), 80, line)
		assert.NotContains(t, line, "\x1b", "NO_COLOR is set, and names hold no sequences")
	}

	vars["NO_COLOR"] = ""
	colored := clitest.Run(t.Context(), run, clitest.Call{Vars: vars, Terminal: true})
	assert.Contains(t, colored.Stdout, "\x1b[33m5 findings\x1b[0m\n")
	piped := clitest.Run(t.Context(), run, clitest.Call{Vars: vars})
	assert.Contains(t, piped.Stdout, strings.Repeat("n", 200), "a pipe gets names as they are")
	assert.NotContains(t, piped.Stdout, "\x1b[33m")
}

func quoted(t *testing.T, text string) string {
	t.Helper()
	b, err := json.Marshal(text)
	require.NoError(t, err)
	return string(b)
}

func TestFailureOfTheAPIIsOne(t *testing.T) {
	server := clitest.SampleServer(t)
	server.FailNext(1, 403)
	got := clitest.Run(t.Context(), run, clitest.Call{Vars: clitest.Vars(server)})
	assert.Equal(t, cli.Failed, got.Code)
	assert.Contains(t, got.Stderr, "403 Forbidden")
}
