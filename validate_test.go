package cfposture_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
)

// assertProblems checks what Validate says against "field: part of the reason" lines.
func assertProblems(t *testing.T, err error, want ...string) {
	t.Helper()
	if len(want) == 0 {
		require.NoError(t, err)
		return
	}
	var invalid *cfposture.ValidationError
	require.ErrorAs(t, err, &invalid)
	require.Len(t, invalid.Problems, len(want), "%v", err)
	for i, problem := range invalid.Problems {
		field, reason, _ := strings.Cut(want[i], ": ")
		assert.Equal(t, field, problem.Field)
		assert.Contains(t, problem.Reason, reason)
	}
}

func TestValidateNamesWhatTheAPIWouldRefuse(t *testing.T) {
	long := strings.Repeat("é", 37)
	connection := "bc7cbfbb-600a-42e4-8a23-45b5e85f8002"
	extra := func(name, value string) map[string]json.RawMessage {
		return map[string]json.RawMessage{name: json.RawMessage(value)}
	}
	odd := extra("odd", "{")
	tests := map[string]struct {
		rule cfposture.Rule
		want []string
	}{
		"no type":             {cfposture.Rule{}, []string{"type: is required"}},
		"schedule below 1m":   {cfposture.Rule{Type: "warp", Schedule: "59s"}, []string{"schedule: below the minimum of 1m"}},
		"schedule of 0":       {cfposture.Rule{Type: "warp", Schedule: "0m"}, []string{"schedule: below the minimum"}},
		"schedule unreadable": {cfposture.Rule{Type: "warp", Schedule: "often"}, []string{`schedule: "often" is not an interval`}},
		"schedule negative":   {cfposture.Rule{Type: "warp", Schedule: "-5m"}, []string{`schedule: is "-5m", which is negative`}},
		"expiration":          {cfposture.Rule{Type: "warp", Expiration: "5"}, []string{`expiration: "5" is not an interval`}},
		"long ID":             {cfposture.Rule{ID: long, Type: "warp"}, []string{"id: has 37 characters, more than 36"}},
		"type against input":  {cfposture.Rule{Type: "file", Input: &cfposture.WARPInput{}}, []string{`type: is "file" but the input is one for "warp"`}},
		"type against unknown input": {cfposture.Rule{Type: "file", Input: &cfposture.UnknownInput{Type: "quantum"}},
			[]string{`type: is "file" but the input is one for "quantum"`}},
		"nil pointer as input": {cfposture.Rule{Type: "file", Input: (*cfposture.FileInput)(nil)}, []string{"input: is a nil *cfposture.FileInput"}},
		"unknown nil pointer":  {cfposture.Rule{Input: (*cfposture.UnknownInput)(nil)}, []string{"input: is a nil *cfposture.UnknownInput"}},
		"unknown input's bytes": {cfposture.Rule{Input: &cfposture.UnknownInput{Type: "quantum", Raw: json.RawMessage("{")}},
			[]string{"input: is not valid JSON"}},

		"extra of the rule":      {cfposture.Rule{Type: "warp", Extra: extra("name", `"x"`)}, []string{"name: is in Extra but has a field"}},
		"extra of the input":     {cfposture.Rule{Input: &cfposture.FileInput{Path: "/x", Extra: extra("sha256", `"x"`)}}, []string{"input.sha256: is in Extra"}},
		"extra of a match":       {cfposture.Rule{Type: "warp", Match: []cfposture.Match{{}, {Extra: extra("platform", `"x"`)}}}, []string{"match[1].platform: is in Extra"}},
		"extra of the locations": {cfposture.Rule{Input: &cfposture.ClientCertificateV2Input{CertificateID: "c", CheckPrivateKey: new(true), Locations: &cfposture.CertificateLocations{Extra: extra("paths", `[]`)}}}, []string{"input.locations.paths: is in Extra"}},
		"extra is no JSON":       {cfposture.Rule{Type: "warp", Extra: extra("x", `{`)}, []string{"x: of Extra is not valid JSON"}},

		"no input":              {cfposture.Rule{Type: "unique_client_id"}, []string{"input: is required"}},
		"firewall":              {cfposture.Rule{Input: &cfposture.FirewallInput{}}, []string{"input.enabled: is required"}},
		"file":                  {cfposture.Rule{Input: &cfposture.FileInput{}}, []string{"input.path: is required"}},
		"application":           {cfposture.Rule{Input: &cfposture.ApplicationInput{}}, []string{"input.path: is required"}},
		"sentinelone":           {cfposture.Rule{Input: &cfposture.SentinelOneInput{}}, []string{"input.path: is required"}},
		"carbonblack":           {cfposture.Rule{Input: &cfposture.CarbonBlackInput{}}, []string{"input.path: is required"}},
		"serial_number":         {cfposture.Rule{Input: &cfposture.SerialNumberInput{}}, []string{"input.id: is required"}},
		"serial_number long":    {cfposture.Rule{Input: &cfposture.SerialNumberInput{ID: long}}, []string{"input.id: more than 36"}},
		"os_version":            {cfposture.Rule{Input: &cfposture.OSVersionInput{}}, []string{"input.operator: is required", "input.version: is required"}},
		"os_version operator":   {cfposture.Rule{Input: &cfposture.OSVersionInput{Operator: "=", Version: "1"}}, []string{`input.operator: "=" is none of <, <=, >, >=, ==`}},
		"client_certificate":    {cfposture.Rule{Input: &cfposture.ClientCertificateInput{}}, []string{"input.certificate_id: is required", "input.cn: is required"}},
		"client_certificate cn": {cfposture.Rule{Input: &cfposture.ClientCertificateInput{CertificateID: long, CN: "${user}"}}, []string{"input.certificate_id: more than 36", "input.cn: has the unknown variable ${user}"}},
		"client_certificate_v2": {cfposture.Rule{Input: &cfposture.ClientCertificateV2Input{CN: "${hostname}.${hostnames}.${}"}},
			[]string{"input.certificate_id: is required", "input.check_private_key: is required", "input.cn: has the unknown variable ${hostnames}", "input.cn: has the unknown variable ${}"}},
		"antivirus":        {cfposture.Rule{Input: &cfposture.AntivirusInput{UpdateWindowDays: new(math.Inf(1))}}, []string{"input.update_window_days: is +Inf"}},
		"unique_client_id": {cfposture.Rule{Input: &cfposture.UniqueClientIDInput{}}, []string{"input.id: is required"}},
		"kolide": {cfposture.Rule{Input: &cfposture.KolideInput{CountOperator: "!="}},
			[]string{"input.connection_id: is required", `input.countOperator: "!=" is none of`, "input.auth_state: would check nothing"}},
		"kolide twice": {cfposture.Rule{Input: &cfposture.KolideInput{ConnectionID: connection, AuthState: []cfposture.KolideAuthState{"Good", "Blocked", "Good"}}},
			[]string{`input.auth_state[2]: is "Good" a second time`}},
		"kolide counts without operator": {cfposture.Rule{Input: &cfposture.KolideInput{ConnectionID: connection, IssueCount: "3"}}, []string{"input.auth_state: would check nothing"}},
		"tanium": {cfposture.Rule{Input: &cfposture.TaniumInput{ConnectionID: long, Operator: "x", ScoreOperator: "y", TotalScore: new(math.NaN())}},
			[]string{"input.connection_id: more than 36", "input.operator: none of", "input.scoreOperator: none of", "input.total_score: is NaN"}},
		"tanium_s2s": {cfposture.Rule{Input: &cfposture.TaniumS2SInput{Operator: "x", ScoreOperator: "y", TotalScore: new(math.NaN())}},
			[]string{"input.connection_id: is required", "input.operator: none of", "input.scoreOperator: none of", "input.total_score: is NaN"}},
		"crowdstrike_s2s": {cfposture.Rule{Input: &cfposture.CrowdStrikeS2SInput{Operator: "x", VersionOperator: "y"}},
			[]string{"input.connection_id: is required", "input.operator: none of", "input.versionOperator: none of"}},
		"intune":        {cfposture.Rule{Input: &cfposture.IntuneInput{}}, []string{"input.connection_id: is required", "input.compliance_status: is required"}},
		"workspace_one": {cfposture.Rule{Input: &cfposture.WorkspaceOneInput{}}, []string{"input.connection_id: is required", "input.compliance_status: is required"}},
		"sentinelone_s2s": {cfposture.Rule{Input: &cfposture.SentinelOneS2SInput{Operator: "x", ActiveThreats: new(math.Inf(-1))}},
			[]string{"input.connection_id: is required", "input.active_threats: is -Inf", "input.operator: none of"}},
		"custom_s2s":           {cfposture.Rule{Input: &cfposture.CustomS2SInput{}}, []string{"input.connection_id: is required", "input.operator: is required", "input.score: is required"}},
		"custom_s2s below 0":   {cfposture.Rule{Input: &cfposture.CustomS2SInput{ConnectionID: connection, Operator: ">", Score: new(-0.1)}}, []string{"input.score: is -0.1, not between 0 and 100"}},
		"custom_s2s above 100": {cfposture.Rule{Input: &cfposture.CustomS2SInput{ConnectionID: connection, Operator: ">", Score: new(100.5)}}, []string{"input.score: is 100.5, not between 0 and 100"}},
		"custom_s2s NaN":       {cfposture.Rule{Input: &cfposture.CustomS2SInput{ConnectionID: connection, Operator: ">", Score: new(math.NaN())}}, []string{"input.score: is NaN"}},

		"bad extra at every level": {
			cfposture.Rule{
				Extra: odd, Match: []cfposture.Match{{Extra: odd}, {}, {Extra: odd}},
				Input: &cfposture.ClientCertificateV2Input{CertificateID: connection, CheckPrivateKey: new(true), Extra: odd, Locations: &cfposture.CertificateLocations{Extra: odd}},
			},
			[]string{"odd: of Extra", "match[0].odd: of Extra", "match[2].odd: of Extra", "input.locations.odd: of Extra", "input.odd: of Extra"},
		},
		"everything at once": {
			cfposture.Rule{ID: long, Type: "warp", Schedule: "1s", Expiration: "x", Input: &cfposture.CustomS2SInput{Score: new(101.0), Operator: "?"}},
			[]string{"id: more than", "type: but the input", "schedule: below", "expiration: not an interval", "input.connection_id: is required", "input.operator: none of", "input.score: not between"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { assertProblems(t, test.rule.Validate(), test.want...) })
	}
}

func TestValidateAcceptsWhatTheAPITakes(t *testing.T) {
	rules := map[string]cfposture.Rule{
		"empty name":                {Type: cfposture.RuleTypeWARP},
		"gateway without input":     {Type: cfposture.RuleTypeGateway},
		"tanium without input":      {Type: cfposture.RuleTypeTanium},
		"client IDs of any system":  {Input: &cfposture.UniqueClientIDInput{ID: "list"}},
		"unknown platform":          {Type: "warp", Match: []cfposture.Match{{Platform: "visionos"}, {}}},
		"unknown type":              {Type: "quantum"},
		"unknown type with input":   {Input: &cfposture.UnknownInput{Type: "quantum", Raw: json.RawMessage(`{"x":1}`)}},
		"input that does not fit":   {Type: "file", Input: &cfposture.UnknownInput{Type: "file", Raw: json.RawMessage(`{"path":5}`)}},
		"unknown input, no type":    {Type: "file", Input: &cfposture.UnknownInput{}},
		"no operating_system":       {Input: &cfposture.FileInput{Path: "/x"}},
		"firewall bare":             {Input: &cfposture.FirewallInput{Enabled: new(false)}},
		"domain_joined bare":        {Input: &cfposture.DomainJoinedInput{}},
		"application bare":          {Input: &cfposture.ApplicationInput{Path: "/x"}},
		"certificate bare":          {Input: &cfposture.ClientCertificateV2Input{CertificateID: "c", CheckPrivateKey: new(false)}},
		"cn with both variables":    {Input: &cfposture.ClientCertificateV2Input{CertificateID: "c", CheckPrivateKey: new(false), CN: "${serial_number}-${hostname}.$x.{y}"}},
		"unknown compliance":        {Input: &cfposture.WorkspaceOneInput{ConnectionID: "c", ComplianceStatus: "error"}},
		"unknown states":            {Input: &cfposture.SentinelOneS2SInput{ConnectionID: "c", NetworkStatus: "orbiting", OperationalState: "asleep"}},
		"unknown risk":              {Input: &cfposture.TaniumS2SInput{ConnectionID: "c", RiskLevel: "extreme"}},
		"empty tanium":              {Input: &cfposture.TaniumInput{}},
		"kolide states":             {Input: &cfposture.KolideInput{ConnectionID: "c", AuthState: []cfposture.KolideAuthState{"Odd"}}},
		"kolide counts":             {Input: &cfposture.KolideInput{ConnectionID: "c", CountOperator: "<", IssueCount: "3"}},
		"kolide's unknown check":    {Input: &cfposture.KolideInput{ConnectionID: "c", Extra: map[string]json.RawMessage{"new": json.RawMessage("1")}}},
		"schedule of a minute":      {Type: "warp", Schedule: "1m", Expiration: "24h"},
		"schedule in days":          {Type: "warp", Schedule: "1d", Expiration: "0s"},
		"scores at the ends":        {Input: &cfposture.CustomS2SInput{ConnectionID: "c", Operator: "==", Score: new(100.0)}},
		"negative total score":      {Input: &cfposture.TaniumS2SInput{ConnectionID: "c", TotalScore: new(-1.5)}},
		"ID of the greatest length": {ID: strings.Repeat("é", 36), Type: "warp"},
	}
	for _, platform := range apifacts.Platforms {
		rules["os_version on "+platform] = cfposture.Rule{Input: &cfposture.OSVersionInput{
			OperatingSystem: cfposture.Platform(platform), Operator: "==", Version: "1",
		}}
	}
	for _, input := range everyInput("c") {
		rules["full "+string(input.RuleType())] = cfposture.Rule{Input: input}
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) { require.NoError(t, rule.Validate()) })
	}
}

func TestValidateAcceptsEverySample(t *testing.T) {
	for name, sample := range sampleRules(t) {
		var rule cfposture.Rule
		require.NoError(t, json.Unmarshal([]byte(sample), &rule))
		require.NoError(t, rule.Validate(), name)
	}
}

func TestValidationErrorIsOneLine(t *testing.T) {
	err := (&cfposture.Rule{Type: "wa\nrp", Schedule: "1\x1b", Input: &cfposture.FileInput{}}).Validate()
	require.EqualError(t, err, `cfposture: invalid rule (wa rp): type is "wa\nrp" but the input is one for "file"; schedule "1\x1b" is not an interval such as 5m or 1h; input.path is required`)
	require.EqualError(t, (*cfposture.Rule)(nil).Validate(), "cfposture: invalid rule: it is nil")
	require.EqualError(t, (*cfposture.Integration)(nil).Validate(), "cfposture: invalid integration: it is nil")
}

func TestNothingInvalidIsSentUnlessAskedFor(t *testing.T) {
	server := newServer(t)
	client := server.Client()
	rule := &cfposture.Rule{ID: "x", Type: "file", Input: &cfposture.FileInput{}}

	_, err := client.Posture.Create(t.Context(), rule)
	assertProblems(t, err, "input.path: is required")
	_, err = client.Posture.Update(t.Context(), rule)
	assertProblems(t, err, "input.path: is required")
	_, err = client.Posture.Create(t.Context(), nil)
	require.EqualError(t, err, "cfposture: invalid rule: it is nil")
	_, err = client.Posture.Update(t.Context(), nil)
	require.EqualError(t, err, "cfposture: invalid rule: it is nil")
	assert.Empty(t, server.Requests())

	_, err = client.Posture.Create(t.Context(), rule, cfposture.WithoutValidation())
	var refused *cfposture.Error
	require.ErrorAs(t, err, &refused)
	assert.Equal(t, "/input/path", refused.Errors[0].Source.Pointer)
	assert.Len(t, server.Requests(), 1)
}

func TestIntegrationValidateNamesWhatTheAPIWouldRefuse(t *testing.T) {
	tests := map[string]struct {
		integration cfposture.Integration
		want        []string
	}{
		"empty":           {cfposture.Integration{}, []string{"type: is required", "interval: is required", "config: is required"}},
		"interval":        {cfposture.Integration{Interval: "x", Config: &cfposture.KolideConfig{ClientID: "i", ClientSecret: "s"}}, []string{`interval: "x" is not an interval`}},
		"contradiction":   {cfposture.Integration{Type: "intune", Interval: "5m", Config: &cfposture.KolideConfig{ClientID: "i", ClientSecret: "s"}}, []string{`type: is "intune" but the config is one for "kolide"`}},
		"nil pointer":     {cfposture.Integration{Type: "kolide", Interval: "5m", Config: (*cfposture.KolideConfig)(nil)}, []string{"config: is required"}},
		"workspace_one":   {cfposture.Integration{Interval: "5m", Config: &cfposture.WorkspaceOneConfig{}}, []string{"config.api_url: is required", "config.auth_url: is required", "config.client_id: is required", "config.client_secret: is required"}},
		"crowdstrike_s2s": {cfposture.Integration{Interval: "5m", Config: &cfposture.CrowdStrikeS2SConfig{}}, []string{"config.api_url: is required", "config.client_id: is required", "config.client_secret: is required", "config.customer_id: is required"}},
		"uptycs":          {cfposture.Integration{Interval: "5m", Config: &cfposture.UptycsConfig{}}, []string{"config.api_url: is required", "config.client_key: is required", "config.client_secret: is required", "config.customer_id: is required"}},
		"intune":          {cfposture.Integration{Interval: "5m", Config: &cfposture.IntuneConfig{}}, []string{"config.client_id: is required", "config.client_secret: is required", "config.customer_id: is required"}},
		"kolide":          {cfposture.Integration{Interval: "5m", Config: &cfposture.KolideConfig{}}, []string{"config.client_id: is required", "config.client_secret: is required"}},
		"tanium_s2s":      {cfposture.Integration{Interval: "5m", Config: &cfposture.TaniumS2SConfig{}}, []string{"config.api_url: is required", "config.client_secret: is required"}},
		"sentinelone_s2s": {cfposture.Integration{Interval: "5m", Config: &cfposture.SentinelOneS2SConfig{}}, []string{"config.api_url: is required", "config.client_secret: is required"}},
		"custom_s2s":      {cfposture.Integration{Interval: "5m", Config: &cfposture.CustomS2SConfig{}}, []string{"config.access_client_id: is required", "config.access_client_secret: is required", "config.api_url: is required"}},
		"unknown config":  {cfposture.Integration{Interval: "5m", Config: &cfposture.UnknownConfig{Type: "quantum", Raw: json.RawMessage("{")}}, []string{"config: is not valid JSON"}},
		"extra": {cfposture.Integration{Interval: "5m", Config: &cfposture.KolideConfig{ClientID: "i", ClientSecret: "s", Extra: map[string]json.RawMessage{"client_id": nil}}, Extra: map[string]json.RawMessage{"name": nil}},
			[]string{"name: is in Extra", "config.client_id: is in Extra"}},
		"fine, without a name": {cfposture.Integration{Interval: "12h", Config: &cfposture.KolideConfig{ClientID: "i", ClientSecret: "s"}}, nil},
		"fine, unknown type":   {cfposture.Integration{Interval: "5m", Config: &cfposture.UnknownConfig{Type: "quantum", Raw: json.RawMessage("{}")}}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { assertProblems(t, test.integration.Validate(), test.want...) })
	}
}

func TestIntegrationUpdateValidate(t *testing.T) {
	tests := map[string]struct {
		change cfposture.IntegrationUpdate
		want   []string
	}{
		"empty":          {cfposture.IntegrationUpdate{}, []string{": the change is empty"}},
		"interval":       {cfposture.IntegrationUpdate{Interval: new(cfposture.Interval("x"))}, []string{`interval: "x" is not an interval`}},
		"empty interval": {cfposture.IntegrationUpdate{Interval: new(cfposture.Interval(""))}, []string{"interval: is required"}},
		"no secrets": {cfposture.IntegrationUpdate{Config: &cfposture.KolideConfig{ClientID: "i"}},
			[]string{"config.client_secret: is required: responses leave secrets out"}},
		"nil pointer": {cfposture.IntegrationUpdate{Config: (*cfposture.KolideConfig)(nil)}, []string{"config: is a nil *cfposture.KolideConfig"}},
		"empty name":  {cfposture.IntegrationUpdate{Name: new("")}, nil},
		"all":         {cfposture.IntegrationUpdate{Name: new("n"), Interval: new(cfposture.Interval("1h")), Config: &cfposture.KolideConfig{ClientID: "i", ClientSecret: "s"}}, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { assertProblems(t, test.change.Validate(), test.want...) })
	}
}
