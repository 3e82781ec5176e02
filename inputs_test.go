package cfposture_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
	"github.com/cfposture/cfposture/posturetest"
)

// everyInput has one input of each of the 23 types as a user would write it, with as many members as the type has.
func everyInput(connectionID string) []cfposture.DeviceInput {
	return []cfposture.DeviceInput{
		&cfposture.FileInput{OperatingSystem: cfposture.PlatformLinux, Path: "/bin/cat", Exists: new(false), SHA256: "b5bb9d", Thumbprint: "0aabab"},
		&cfposture.ApplicationInput{OperatingSystem: cfposture.PlatformMac, Path: "/Applications/A.app", SHA256: "b5bb9d", Thumbprint: "0aabab"},
		&cfposture.TaniumInput{ConnectionID: connectionID, EIDLastSeen: "1h", Operator: cfposture.OperatorLess, RiskLevel: cfposture.RiskLevelLow, ScoreOperator: cfposture.OperatorEqual, TotalScore: new(0.0)},
		&cfposture.GatewayInput{Extra: map[string]json.RawMessage{"flavor": json.RawMessage(`"g"`)}},
		&cfposture.WARPInput{Extra: map[string]json.RawMessage{"flavor": json.RawMessage(`"w"`)}},
		&cfposture.DiskEncryptionInput{CheckDisks: []string{}, RequireAll: new(false)},
		&cfposture.SerialNumberInput{ID: "list"},
		&cfposture.SentinelOneInput{OperatingSystem: cfposture.PlatformWindows, Path: `C:\s1.exe`, SHA256: "b5bb9d", Thumbprint: "0aabab"},
		&cfposture.CarbonBlackInput{OperatingSystem: cfposture.PlatformWindows, Path: `C:\cb.exe`, SHA256: "b5bb9d", Thumbprint: "0aabab"},
		&cfposture.FirewallInput{OperatingSystem: cfposture.PlatformWindows},
		&cfposture.OSVersionInput{OperatingSystem: cfposture.PlatformLinux, Operator: cfposture.OperatorGreaterOrEqual, Version: "6.8.0", OSDistroName: "ubuntu", OSDistroRevision: "24.04", OSVersionExtra: "(Ubuntu)"},
		&cfposture.DomainJoinedInput{OperatingSystem: cfposture.PlatformWindows, Domain: "example.com"},
		&cfposture.ClientCertificateInput{CertificateID: "cert", CN: "device.example.com"},
		&cfposture.ClientCertificateV2Input{
			OperatingSystem: cfposture.PlatformLinux, CertificateID: "cert", CheckPrivateKey: false, CN: "${serial_number}.${hostname}",
			ExtendedKeyUsage:        []cfposture.ExtendedKeyUsage{cfposture.ExtendedKeyUsageClientAuth},
			Locations:               &cfposture.CertificateLocations{Paths: []string{"/etc/ssl"}, TrustStores: []cfposture.TrustStore{cfposture.TrustStoreUser}},
			SubjectAlternativeNames: []string{"a", "b"},
		},
		&cfposture.AntivirusInput{UpdateWindowDays: new(7.0)},
		&cfposture.UniqueClientIDInput{OperatingSystem: cfposture.PlatformIOS, ID: "list"},
		&cfposture.KolideInput{ConnectionID: connectionID, AuthState: []cfposture.KolideAuthState{cfposture.KolideAuthStateWillBlock}, CountOperator: cfposture.OperatorLess, IssueCount: "3"},
		&cfposture.TaniumS2SInput{ConnectionID: connectionID, EIDLastSeen: "1h", Operator: cfposture.OperatorLess, RiskLevel: cfposture.RiskLevelLow, ScoreOperator: cfposture.OperatorEqual, TotalScore: new(85.5)},
		&cfposture.CrowdStrikeS2SInput{ConnectionID: connectionID, LastSeen: "2d", Operator: cfposture.OperatorGreater, OS: "50", Overall: "60", SensorConfig: "70", State: cfposture.CrowdStrikeStateOnline, Version: "7.1", VersionOperator: cfposture.OperatorGreaterOrEqual},
		&cfposture.IntuneInput{ConnectionID: connectionID, ComplianceStatus: cfposture.ComplianceStatusInGracePeriod},
		&cfposture.WorkspaceOneInput{ConnectionID: connectionID, ComplianceStatus: cfposture.ComplianceStatusCompliant},
		&cfposture.SentinelOneS2SInput{ConnectionID: connectionID, ActiveThreats: new(0.0), Operator: cfposture.OperatorEqual, Infected: new(false), IsActive: new(true), NetworkStatus: cfposture.NetworkStatusConnected, OperationalState: cfposture.OperationalStateNA},
		&cfposture.CustomS2SInput{ConnectionID: connectionID, Operator: cfposture.OperatorGreaterOrEqual, Score: 0},
	}
}

func newServer(t *testing.T) *posturetest.Server {
	t.Helper()
	return posturetest.New(t, posturetest.WithBehavior(posturetest.Behavior{
		DeleteMissingRule: http.StatusNotFound,
		ConfigMembers:     []string{"*"},
	}))
}

// withoutComputed returns the rule without what only the API sets.
func withoutComputed(t *testing.T, rule *cfposture.Rule) *cfposture.Rule {
	t.Helper()
	text, err := json.Marshal(rule)
	require.NoError(t, err)
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(text, &members))
	delete(members, "enabled")
	text, err = json.Marshal(members)
	require.NoError(t, err)
	left := new(cfposture.Rule)
	require.NoError(t, json.Unmarshal(text, left))
	return left
}

// addIntegration gives the server an integration for rules to name.
func addIntegration(t *testing.T, client *cfposture.Client) string {
	t.Helper()
	integration, err := client.Integrations.Create(t.Context(), &cfposture.Integration{
		Name: "Kolide", Interval: "10m", Config: &cfposture.KolideConfig{ClientID: "client", ClientSecret: "hidden"},
	})
	require.NoError(t, err)
	return integration.ID
}

func TestEveryInputComesBackAsItWasSent(t *testing.T) {
	client := newServer(t).Client()
	inputs := everyInput(addIntegration(t, client))
	require.Len(t, inputs, len(cfposture.RuleTypes()))
	for i, input := range inputs {
		t.Run(string(input.RuleType()), func(t *testing.T) {
			require.Equal(t, cfposture.RuleTypes()[i], input.RuleType())
			created, err := client.Posture.Create(t.Context(), &cfposture.Rule{Name: "rule", Input: input})
			require.NoError(t, err)
			assert.Equal(t, input.RuleType(), created.Type)
			assert.Equal(t, input, created.Input)

			read, err := client.Posture.Get(t.Context(), created.ID)
			require.NoError(t, err)
			assert.Equal(t, created, read)
		})
	}
}

func TestTypeDecidesTheVariantOfEveryShape(t *testing.T) {
	require.Len(t, apifacts.Shapes, 27)
	for i, shape := range apifacts.Shapes {
		ruleType := cfposture.RuleType(shape.Type)
		for order, text := range map[string]string{
			"type after input":  `{"id":"x","input":%[2]s,"type":"%[1]s"}`,
			"type before input": `{"type":"%[1]s","id":"x","input":%[2]s}`,
		} {
			t.Run(fmt.Sprintf("%d %s %s", i, shape.Type, order), func(t *testing.T) {
				var rule cfposture.Rule
				require.NoError(t, json.Unmarshal(fmt.Appendf(nil, text, shape.Type, shape.Input), &rule))
				assert.IsType(t, cfposture.NewInput(ruleType), rule.Input)
				assert.Equal(t, ruleType, rule.Input.RuleType())
			})
		}
	}
}

func TestNewInputMakesEachVariantAndUnknownForTheRest(t *testing.T) {
	for _, ruleType := range cfposture.RuleTypes() {
		input := cfposture.NewInput(ruleType)
		assert.Equal(t, ruleType, input.RuleType())
		assert.NotSame(t, input, cfposture.NewInput(ruleType))
	}
	assert.Equal(t, &cfposture.UnknownInput{Type: "quantum"}, cfposture.NewInput("quantum"))
}

func TestParseInput(t *testing.T) {
	tests := map[string]struct {
		ruleType cfposture.RuleType
		text     string
		want     cfposture.DeviceInput
	}{
		"known":              {"file", ` {"path":"/x"} `, &cfposture.FileInput{Path: "/x"}},
		"unknown type":       {"quantum", `{"path":"/x"}`, &cfposture.UnknownInput{Type: "quantum", Raw: json.RawMessage(`{"path":"/x"}`)}},
		"member of a kind":   {"file", `{"path":5}`, &cfposture.UnknownInput{Type: "file", Raw: json.RawMessage(`{"path":5}`)}},
		"no object":          {"file", `[1, 2]`, &cfposture.UnknownInput{Type: "file", Raw: json.RawMessage(`[1, 2]`)}},
		"null":               {"file", `null`, &cfposture.UnknownInput{Type: "file", Raw: json.RawMessage(`null`)}},
		"null in an array":   {"disk_encryption", `{"checkDisks":[null]}`, &cfposture.UnknownInput{Type: "disk_encryption", Raw: json.RawMessage(`{"checkDisks":[null]}`)}},
		"bool as string":     {"file", `{"exists":"true"}`, &cfposture.UnknownInput{Type: "file", Raw: json.RawMessage(`{"exists":"true"}`)}},
		"member twice":       {"file", `{"path":"/x","path":"/y"}`, &cfposture.UnknownInput{Type: "file", Raw: json.RawMessage(`{"path":"/x","path":"/y"}`)}},
		"unknown name twice": {"file", `{"x":1,"x":2}`, &cfposture.UnknownInput{Type: "file", Raw: json.RawMessage(`{"x":1,"x":2}`)}},
		"too large a number": {"antivirus", `{"update_window_days":1e999}`, &cfposture.UnknownInput{Type: "antivirus", Raw: json.RawMessage(`{"update_window_days":1e999}`)}},
		"other case":         {"disk_encryption", `{"checkdisks":[]}`, &cfposture.DiskEncryptionInput{Extra: map[string]json.RawMessage{"checkdisks": json.RawMessage(`[]`)}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			input, err := cfposture.ParseInput(test.ruleType, []byte(test.text))
			require.NoError(t, err)
			assert.Equal(t, test.want, input)
		})
	}
}

func TestParseInputRefusesWhatIsNoJSON(t *testing.T) {
	for _, text := range []string{"", "{", `{"path":}`, `{} {}`, "\xff", `{"path":"\xff"}`} {
		input, err := cfposture.ParseInput(cfposture.RuleTypeFile, []byte(text))
		require.Error(t, err, "%q", text)
		assert.Nil(t, input, "%q", text)
		assert.Equal(t, "cfposture: the file input is not valid JSON", err.Error())
	}
}

func TestGatewayAndWARPSendNoInputUnlessExtraHasSomething(t *testing.T) {
	extra := map[string]json.RawMessage{"x": json.RawMessage("1")}
	for text, input := range map[string]cfposture.DeviceInput{
		`{"name":"","type":"gateway"}`:                 &cfposture.GatewayInput{},
		`{"name":"","type":"warp"}`:                    &cfposture.WARPInput{},
		`{"name":"","type":"gateway","input":{"x":1}}`: &cfposture.GatewayInput{Extra: extra},
		`{"name":"","type":"warp","input":{"x":1}}`:    &cfposture.WARPInput{Extra: extra},
	} {
		encoded, err := json.Marshal(cfposture.Rule{Input: input})
		require.NoError(t, err)
		assert.JSONEq(t, text, string(encoded))
	}
}

func TestReadingARuleWithoutInputGivesNil(t *testing.T) {
	for _, text := range []string{`{"type":"warp"}`, `{"type":"gateway","input":null}`, `{"type":"file"}`} {
		var rule cfposture.Rule
		require.NoError(t, json.Unmarshal([]byte(text), &rule))
		assert.Nil(t, rule.Input, text)
	}
	var rule cfposture.Rule
	require.NoError(t, json.Unmarshal([]byte(`{"input":{},"type":"warp"}`), &rule))
	assert.Equal(t, &cfposture.WARPInput{}, rule.Input)
}

func TestRequiredBooleansAndNumbersAreAlwaysSent(t *testing.T) {
	for text, input := range map[string]cfposture.DeviceInput{
		`{"enabled":false}`:                     &cfposture.FirewallInput{},
		`{"check_private_key":false}`:           &cfposture.ClientCertificateV2Input{},
		`{"score":0}`:                           &cfposture.CustomS2SInput{},
		`{}`:                                    &cfposture.SentinelOneS2SInput{},
		`{"active_threats":0,"infected":false}`: &cfposture.SentinelOneS2SInput{ActiveThreats: new(0.0), Infected: new(false)},
		`{"checkDisks":[]}`:                     &cfposture.DiskEncryptionInput{CheckDisks: []string{}},
	} {
		encoded, err := json.Marshal(input)
		require.NoError(t, err)
		assert.JSONEq(t, text, string(encoded))
	}
}
