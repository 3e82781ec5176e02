package cfposture_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
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
		&cfposture.FirewallInput{OperatingSystem: cfposture.PlatformWindows, Enabled: new(false)},
		&cfposture.OSVersionInput{OperatingSystem: cfposture.PlatformLinux, Operator: cfposture.OperatorGreaterOrEqual, Version: "6.8.0", OSDistroName: "ubuntu", OSDistroRevision: "24.04", OSVersionExtra: "(Ubuntu)"},
		&cfposture.DomainJoinedInput{OperatingSystem: cfposture.PlatformWindows, Domain: "example.com"},
		&cfposture.ClientCertificateInput{CertificateID: "cert", CN: "device.example.com"},
		&cfposture.ClientCertificateV2Input{
			OperatingSystem: cfposture.PlatformLinux, CertificateID: "cert", CheckPrivateKey: new(false), CN: "${serial_number}.${hostname}",
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
		&cfposture.CustomS2SInput{ConnectionID: connectionID, Operator: cfposture.OperatorGreaterOrEqual, Score: new(0.0)},
	}
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

// readInput reads an input as one of a response.
func readInput(t *testing.T, ruleType cfposture.RuleType, text string) cfposture.DeviceInput {
	t.Helper()
	var rule cfposture.Rule
	require.NoError(t, json.Unmarshal(fmt.Appendf(nil, `{"type":%q,"input":%s}`, ruleType, text), &rule))
	return rule.Input
}

func TestInputThatDoesNotFitIsUnknown(t *testing.T) {
	for name, test := range map[string]struct {
		ruleType     cfposture.RuleType
		text, reason string
	}{
		"unknown type":       {"quantum", `{"path":"/x"}`, `type "quantum" is not a type of rule`},
		"no type":            {"", `{"path":"/x"}`, `type "" is not a type of rule`},
		"number for text":    {"file", `{"path":5}`, "input.path is a number where a string is expected"},
		"no object":          {"file", `[1, 2]`, "input is an array where an object is expected"},
		"null in an array":   {"disk_encryption", `{"checkDisks":["C",null]}`, "input.checkDisks[1] is null where a string is expected"},
		"bool as string":     {"file", `{"exists":"true"}`, "input.exists is a string where true or false is expected"},
		"member twice":       {"file", `{"path":"/x","path":"/y"}`, "input.path appears twice"},
		"unknown name twice": {"file", `{"x":1,"x":2}`, "input.x appears twice"},
		"too large a number": {"antivirus", `{"update_window_days":1e999}`, "input.update_window_days is a number that doesn't fit a float64"},
		"in an object":       {"client_certificate_v2", `{"locations":{"paths":[1]}}`, "input.locations.paths[0] is a number where a string is expected"},
		"name with a line":   {"file", `{"x\n":1,"x\n":2}`, "input.x  appears twice"},
	} {
		t.Run(name, func(t *testing.T) {
			want := &cfposture.UnknownInput{Type: test.ruleType, Raw: json.RawMessage(test.text), Reason: test.reason}
			assert.Equal(t, want, readInput(t, test.ruleType, test.text))
		})
	}
	extra := map[string]json.RawMessage{"checkdisks": json.RawMessage(`[]`)}
	assert.Equal(t, &cfposture.DiskEncryptionInput{Extra: extra}, readInput(t, "disk_encryption", `{"checkdisks":[]}`), "case counts")
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

func TestBooleansAndNumbersAreSentUnlessNil(t *testing.T) {
	for text, input := range map[string]cfposture.DeviceInput{
		`{"enabled":false}`:                     &cfposture.FirewallInput{Enabled: new(false)},
		`{"check_private_key":false}`:           &cfposture.ClientCertificateV2Input{CheckPrivateKey: new(false)},
		`{"score":0}`:                           &cfposture.CustomS2SInput{Score: new(0.0)},
		`{}`:                                    &cfposture.FirewallInput{},
		`{"active_threats":0,"infected":false}`: &cfposture.SentinelOneS2SInput{ActiveThreats: new(0.0), Infected: new(false)},
		`{"checkDisks":[]}`:                     &cfposture.DiskEncryptionInput{CheckDisks: []string{}},
	} {
		encoded, err := json.Marshal(input)
		require.NoError(t, err)
		assert.JSONEq(t, text, string(encoded))
	}
}

func TestConnectionIDIsReadAndSetWhereThereIsOne(t *testing.T) {
	with := 0
	for _, ruleType := range apifacts.RuleTypes {
		input := cfposture.NewInput(cfposture.RuleType(ruleType.Name))
		has := slices.ContainsFunc(ruleType.Members, func(m apifacts.Member) bool { return m.Name == "connection_id" })
		assert.Empty(t, cfposture.ConnectionID(input))
		assert.Equal(t, has, cfposture.SetConnectionID(input, "new"), ruleType.Name)
		if has {
			assert.Equal(t, "new", cfposture.ConnectionID(input), ruleType.Name)
			with++
		} else {
			assert.Equal(t, cfposture.NewInput(input.RuleType()), input, "unchanged")
		}
	}
	assert.NotZero(t, with)
	for _, none := range []cfposture.DeviceInput{nil, (*cfposture.KolideInput)(nil), &cfposture.UnknownInput{Raw: json.RawMessage(`{"connection_id":"c"}`)}} {
		assert.Empty(t, cfposture.ConnectionID(none))
		assert.False(t, cfposture.SetConnectionID(none, "new"))
	}
}
