package audit_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/examples/posturectl/internal/audit"
)

// covered are rules that leave no platform without its basic checks.
const covered = `{"id":"c1","type":"disk_encryption","input":{"requireAll":true}},{"id":"c2","type":"firewall"},{"id":"c3","type":"os_version"},`

func rulesOf(t *testing.T, text string) []*cfposture.Rule {
	t.Helper()
	var rules []*cfposture.Rule
	require.NoError(t, json.Unmarshal([]byte("["+strings.TrimSuffix(text, ",")+"]"), &rules))
	return rules
}

func TestFindings(t *testing.T) {
	tests := map[string]struct {
		rules string
		want  []string
	}{
		"nothing": {covered + `{"id":"1","type":"warp","schedule":"5m","expiration":"10m"}`, nil},
		"platforms without the basic checks": {
			`{"id":"1","type":"warp","match":[{"platform":"windows"},{"platform":"linux"},{"platform":"ios"}]}`,
			[]string{
				"uncovered: windows has no disk-encryption check", "uncovered: windows has no firewall check",
				"uncovered: windows has no OS-version check", "uncovered: linux has no disk-encryption check",
				"uncovered: linux has no OS-version check", "uncovered: ios has no OS-version check",
			},
		},
		"a rule of no platform covers all": {covered + `{"id":"1","type":"warp","match":[{"platform":"mac"}]}`, nil},
		"a firewall rule that demands off is no coverage": {
			`{"id":"1","type":"firewall","input":{"enabled":false},"match":[{"platform":"windows"}]},` +
				`{"id":"2","type":"os_version"},{"id":"3","type":"disk_encryption","input":{"checkDisks":["C"]}}`,
			[]string{"uncovered: windows has no firewall check", "no-demand: the check demands that the firewall is off (1)"},
		},
		"disk encryption that demands nothing is no coverage": {
			`{"id":"1","type":"disk_encryption","input":{"checkDisks":[],"requireAll":false},"match":[{"platform":"linux"}]},{"id":"2","type":"os_version"}`,
			[]string{
				"uncovered: linux has no disk-encryption check",
				"no-demand: the check demands no disk to be encrypted: set requireAll or name checkDisks (1)",
			},
		},
		"a rule that is switched off is no coverage": {
			`{"id":"1","type":"os_version","enabled":false,"match":[{"platform":"ios"}]}`,
			[]string{"uncovered: ios has no OS-version check", "off: the API has switched the rule off (1)"},
		},
		"a rule that is switched on": {`{"id":"1","type":"os_version","enabled":true,"match":[{"platform":"ios"}]}`, nil},
		"a missing integration": {
			covered + `{"id":"1","type":"kolide","input":{"connection_id":"i2","auth_state":["Good"]}}`,
			[]string{"integration: there is no integration i2 (1)"},
		},
		"a missing integration in an input of a later type": {
			covered + `{"id":"1","type":"later","input":{"connection_id":"i2"}}`,
			[]string{"integration: there is no integration i2 (1)"},
		},
		"an integration that is there": {covered + `{"id":"1","type":"kolide","input":{"connection_id":"i1","auth_state":["Good"]}}`, nil},
		"an expiration below the schedule": {
			covered + `{"id":"1","type":"warp","schedule":"1h","expiration":"59m"}`,
			[]string{"timing: expiration is 59m, less than twice the schedule of 1h (1)"},
		},
		"an expiration below the default schedule": {
			covered + `{"id":"1","type":"warp","expiration":"4m"}`,
			[]string{"timing: expiration is 4m, less than twice the schedule of 5m (1)"},
		},
		"an expiration equal to the schedule": {
			covered + `{"id":"1","type":"warp","schedule":"1h","expiration":"60m"}`,
			[]string{"timing: expiration is 60m, less than twice the schedule of 1h (1)"},
		},
		"intervals that are none": {
			covered + `{"id":"1","type":"warp","schedule":"often","expiration":"soon"}`,
			[]string{`timing: the schedule "often" is no interval (1)`, `timing: the expiration "soon" is no interval (1)`},
		},
		"a schedule below the least": {
			covered + `{"id":"1","type":"warp","schedule":"30s"}`, []string{
				"timing: the schedule 30s is below the least, 1m (1)", "range: schedule is 30s; the documents know hours and minutes only (1)",
			},
		},
		"a deprecated Kolide rule": {
			covered + `{"id":"1","type":"kolide","input":{"connection_id":"i1","countOperator":"<","issue_count":"3"}}`,
			[]string{
				"deprecated: input.countOperator is deprecated: use auth_state (1)",
				"deprecated: input.issue_count is deprecated: use auth_state (1)",
			},
		},
		"a platform that can't match": {
			covered + `{"id":"1","type":"antivirus","match":[{"platform":"windows"},{"platform":"mac"}]}`,
			[]string{"platform: match[1].platform is mac; antivirus is checked on windows only (1)"},
		},
		"a platform that nobody knows": {covered + `{"id":"1","type":"antivirus","match":[{"platform":"beos"}]}`, nil},
		"an operating_system that isn't matched": {
			covered + `{"id":"1","type":"file","input":{"path":"/a","operating_system":"linux"},"match":[{"platform":"mac"}]}`,
			[]string{"platform: operating_system is linux, and the rule matches mac (1)"},
		},
		"values outside of their ranges": {
			covered + `{"id":"1","type":"crowdstrike_s2s","input":{"connection_id":"i1","overall":"0","os":"101","sensor_config":"x"}},` +
				`{"id":"2","type":"tanium_s2s","input":{"connection_id":"i1","total_score":1001}},` +
				`{"id":"3","name":"V","type":"os_version","input":{"operator":">=","version":"15"}},` +
				`{"id":"4","type":"file","input":{"path":"/a","thumbprint":"abc","sha256":"abc"}}`,
			[]string{
				"range: input.os is 101, outside the documented 1 to 100 (1)",
				"range: input.overall is 0, outside the documented 1 to 100 (1)",
				"range: input.total_score is 1001, outside the documented 1 to 1000 (2)",
				`range: input.version is "15", not a version of three numbers such as 10.0.19045 (3)`,
				`range: input.sha256 is "abc", not a SHA-256 of 64 hexadecimal digits (4)`,
				`range: input.thumbprint is "abc", not a SHA-1 of 40 hexadecimal digits (4)`,
			},
		},
		"the same name and type": {
			covered + `{"id":"1","name":"A","type":"file","input":{"path":"/a"}},{"id":"2","name":"A","type":"file","input":{"path":"/b"}}`,
			[]string{"same-name: the same name and type: only IDs tell them apart (1, 2)"},
		},
		"the same name and another type": {
			covered + `{"id":"1","name":"A","type":"file","input":{"path":"/a"}},{"id":"2","name":"A","type":"application","input":{"path":"/a"}}`,
			nil,
		},
		"the same check": {
			covered + `{"id":"1","name":"A","type":"file","input":{"path":"/a","x":1},"match":[{"platform":"mac"},{"platform":"windows"}]},` +
				`{"id":"2","name":"B","type":"file","input":{"x":1,"path":"/a"},"match":[{"platform":"windows"},{"platform":"mac"}],"schedule":"1h"}`,
			[]string{"same-check: the same type, platforms and input (1, 2)"},
		},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			var got []string
			for _, f := range audit.Run(rulesOf(t, test.rules), []*cfposture.Integration{{ID: "i1"}}).Findings {
				var ids []string
				for _, rule := range f.Rules {
					ids = append(ids, rule.ID)
				}
				text := string(f.Kind) + ": " + f.Text
				if ids != nil {
					text += " (" + strings.Join(ids, ", ") + ")"
				}
				got = append(got, text)
			}
			assert.Equal(t, test.want, got)
		})
	}
}

func TestHTMLLinksFindingsRulesAndIntegrations(t *testing.T) {
	rules := rulesOf(t, covered+`{"id":"r","name":"Is kolide","type":"kolide","input":{"connection_id":"i1","issue_count":"3"}},`+
		`{"id":"s","name":"Lost","type":"kolide","input":{"connection_id":"gone","auth_state":["Good"]}}`)
	integrations := []*cfposture.Integration{{ID: "i1", Name: "Kolide", Type: "kolide", Interval: "1h"}}
	var b strings.Builder
	made := time.Date(2026, 11, 24, 18, 0, 0, 0, time.UTC)
	require.NoError(t, audit.WriteHTML(&b, audit.Run(rules, integrations), rules, integrations, made))
	for _, want := range []string{
		"Made on 2026-11-24 18:00 UTC.",
		`<li>input.issue_count is deprecated: use auth_state: <a href="#rule-4"><bdi>Is kolide</bdi></a></li>`,
		`<tr id="rule-4"><td><bdi>Is kolide</bdi><br><code>r</code></td>`,
		`<a href="#integration-1"><bdi>Kolide</bdi></a>`,
		`<tr id="integration-1"><td><bdi>Kolide</bdi><br><code>i1</code></td>`,
		`<td data-label="used by"><a href="#rule-4"><bdi>Is kolide</bdi></a></td>`,
		`<code>gone</code> (missing)`,
		`<a class="tag" href="#deprecated">deprecated</a>`,
	} {
		assert.Contains(t, b.String(), want)
	}
}

func TestHTMLEscapesWhatComesFromOutside(t *testing.T) {
	rules := rulesOf(t, `{"id":"\"><script>1","name":"</bdi><script>alert(1)</script>\u202e","type":"file<b>","schedule":"<i>",`+
		`"match":[{"platform":"<img src=x>"}],"input":{"connection_id":"<script>2"}}`)
	integrations := []*cfposture.Integration{{ID: "<script>3", Name: "javascript:alert(1)", Type: "<script>4"}}
	var b strings.Builder
	require.NoError(t, audit.WriteHTML(&b, audit.Run(rules, integrations), rules, integrations, time.Now()))
	for _, never := range []string{"<script", "<img", "file<b>", `"<i>`, "\u202e", `href="javascript`} {
		assert.NotContains(t, b.String(), never)
	}
}

func TestCoverageIsEmptyWithoutRules(t *testing.T) {
	r := audit.Run(nil, nil)
	assert.Empty(t, r.Findings)
	assert.Empty(t, r.Platforms())
	var b strings.Builder
	require.NoError(t, audit.WriteHTML(&b, r, nil, nil, time.Now()))
	assert.Contains(t, b.String(), "Nothing is amiss.")
}
