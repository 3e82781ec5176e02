package apifacts_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cfposture/cfposture/internal/apifacts"
)

func TestLintSamplesAreWise(t *testing.T) {
	for _, r := range apifacts.RuleTypes {
		remarks := slices.DeleteFunc(apifacts.Lint(r.Sample()), func(remark apifacts.Remark) bool {
			// A sample has every member, and the one of custom_s2s a score that the live API accepts.
			return remark.Kind == apifacts.RemarkDeprecated || remark.Member == "input.score"
		})
		assert.Empty(t, remarks, r.Name)
	}
}

func TestLint(t *testing.T) {
	cases := map[string]struct{ rule, kind, member, text string }{
		"total_score below": {`{"type":"tanium_s2s","input":{"total_score":0}}`,
			"range", "input.total_score", "is 0, outside the documented 1 to 1000"},
		"total_score above": {`{"type":"tanium","input":{"total_score":1000.5}}`,
			"range", "input.total_score", "is 1000.5, outside the documented 1 to 1000"},
		"CrowdStrike score": {`{"type":"crowdstrike_s2s","input":{"overall":"101"}}`,
			"range", "input.overall", "is 101, outside the documented 1 to 100"},
		"custom score with decimals": {`{"type":"custom_s2s","input":{"score":70.5}}`,
			"form", "input.score", "is 70.5, not an integer"},
		"short version": {`{"type":"os_version","input":{"version":"14.5"}}`,
			"form", "input.version", `is "14.5", not a version of three numbers such as 10.0.19045`},
		"thumbprint": {`{"type":"file","input":{"thumbprint":"ab:cd"}}`,
			"form", "input.thumbprint", `is "ab:cd", not a SHA-1 of 40 hexadecimal digits`},
		"seconds": {`{"type":"warp","schedule":"90s"}`,
			"form", "schedule", "is 90s; the documents know hours and minutes only"},
		"platform without the check": {`{"type":"domain_joined","match":[{"platform":"windows"},{"platform":"mac"}]}`,
			"platform", "match[1].platform", "is mac; domain_joined is checked on windows only"},
		"expiration that equals the schedule": {`{"type":"warp","schedule":"24h","expiration":"24h"}`,
			"expiration", "expiration", "is 24h, less than twice the schedule of 24h"},
		"expiration under twice the default": {`{"type":"warp","expiration":"9m"}`,
			"expiration", "expiration", "is 9m, less than twice the schedule of 5m"},
		"deprecated member": {`{"type":"kolide","input":{"issue_count":"3"}}`,
			"deprecated", "input.issue_count", "is deprecated: use auth_state"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			want := apifacts.Remark{Kind: apifacts.RemarkKind(c.kind), Member: c.member, Text: c.text}
			assert.Equal(t, []apifacts.Remark{want}, apifacts.Lint([]byte(c.rule)))
		})
	}
}

func TestLintHasNothingToSayAbout(t *testing.T) {
	for name, rule := range map[string]string{
		"no JSON":                  `{`,
		"no object":                `[1]`,
		"unknown type":             `{"type":"floppy","match":[{"platform":"ios"}],"input":{"total_score":0}}`,
		"input of another kind":    `{"type":"tanium","input":[{"total_score":0}]}`,
		"member of another kind":   `{"type":"os_version","input":{"version":15}}`,
		"score that is no number":  `{"type":"crowdstrike_s2s","input":{"overall":"high"}}`,
		"empty and null members":   `{"type":"kolide","input":{"issue_count":"","countOperator":null}}`,
		"unknown platform":         `{"type":"firewall","match":[{"platform":"beos"},{}]}`,
		"platform of a free type":  `{"type":"warp","match":[{"platform":"ios"}]}`,
		"expiration of twice":      `{"type":"warp","schedule":"30m","expiration":"1h"}`,
		"expiration that is unset": `{"type":"warp","schedule":"30m","expiration":null}`,
		"expiration nobody reads":  `{"type":"warp","schedule":"30m","expiration":"soon"}`,
	} {
		assert.Empty(t, apifacts.Lint([]byte(rule)), name)
	}
}
