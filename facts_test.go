package cfposture_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
)

// The tests here compare the model with what is known of the API, so that neither can go its own way.

func TestRuleTypesAreTheDocumentsInTheirOrder(t *testing.T) {
	var documented []cfposture.RuleType
	for _, ruleType := range apifacts.RuleTypes {
		documented = append(documented, cfposture.RuleType(ruleType.Name))
	}
	assert.Equal(t, documented, cfposture.RuleTypes())
}

func TestIntegrationTypesAreTheDocumentsInTheirOrder(t *testing.T) {
	var documented []cfposture.IntegrationType
	for _, integrationType := range apifacts.IntegrationTypes {
		documented = append(documented, cfposture.IntegrationType(integrationType.Name))
	}
	assert.Equal(t, documented, cfposture.IntegrationTypes())
}

func TestEveryModelHasTheDocumentedMembers(t *testing.T) {
	check := func(name string, model any, members []apifacts.Member) {
		t.Run(name, func(t *testing.T) { assertMembers(t, reflect.TypeOf(model).Elem(), members) })
	}
	check("rule", new(cfposture.Rule), apifacts.RuleMembers)
	check("integration", new(cfposture.Integration), apifacts.IntegrationMembers)
	for _, ruleType := range apifacts.RuleTypes {
		check("input of "+ruleType.Name, cfposture.NewInput(cfposture.RuleType(ruleType.Name)), ruleType.Members)
	}
	for _, integrationType := range apifacts.IntegrationTypes {
		config := cfposture.NewConfig(cfposture.IntegrationType(integrationType.Name))
		check("config of "+integrationType.Name, config, integrationType.Members)
	}
}

// assertMembers compares a struct's json tags and types with documented members, those of nested objects included.
func assertMembers(t *testing.T, model reflect.Type, members []apifacts.Member) {
	t.Helper()
	fields := map[string]reflect.StructField{}
	for i := range model.NumField() {
		name, option, _ := strings.Cut(model.Field(i).Tag.Get("json"), ",")
		if option == "embed" {
			assert.Equal(t, "Extra", model.Field(i).Name)
		} else if name != "" {
			fields[name] = model.Field(i)
		}
	}
	documented := map[string]apifacts.Member{}
	for _, member := range members {
		documented[member.Name] = member
	}
	require.ElementsMatch(t, slices.Collect(maps.Keys(documented)), slices.Collect(maps.Keys(fields)))
	for name, member := range documented {
		assertField(t, fields[name], member)
	}
}

func assertField(t *testing.T, field reflect.StructField, member apifacts.Member) {
	t.Helper()
	isPointer := field.Type.Kind() == reflect.Pointer
	_, option, _ := strings.Cut(field.Tag.Get("json"), ",")
	switch member.Kind {
	case apifacts.String:
		assert.Equal(t, reflect.String, field.Type.Kind(), member.Name)
		assert.Equal(t, member.Secret, field.Type == reflect.TypeFor[cfposture.Secret](), "%s is a Secret", member.Name)
	case apifacts.Bool, apifacts.Number:
		kind := map[apifacts.Kind]reflect.Kind{apifacts.Bool: reflect.Bool, apifacts.Number: reflect.Float64}[member.Kind]
		plain := field.Type
		if isPointer {
			plain = plain.Elem()
		}
		assert.Equal(t, kind, plain.Kind(), member.Name)
		assert.True(t, isPointer, "%s is a pointer", member.Name)
		assert.Equal(t, "omitzero", option, "%s is left out if nil", member.Name)
	case apifacts.Strings:
		assert.Equal(t, reflect.Slice, field.Type.Kind(), member.Name)
		assert.Equal(t, reflect.String, field.Type.Elem().Kind(), member.Name)
	case apifacts.Object:
		if member.Members != nil { // input, config and what no document describes have none
			assertMembers(t, field.Type.Elem(), member.Members)
		}
	case apifacts.Objects:
		assertMembers(t, field.Type.Elem(), member.Members)
	case apifacts.Any:
		assert.Equal(t, reflect.TypeFor[json.RawMessage](), field.Type, member.Name)
	}
}

// Only the API sets read-only members, so that Create and Update leave them out.
func TestReadOnlyMembersAreNotSent(t *testing.T) {
	var ruleBody, integrationBody []byte
	rule := ruleOf(t, `{"id":"x","name":"n","type":"warp","enabled":true}`)
	_, err := newServer(t).Client(captureBody(&ruleBody)).Posture.Create(t.Context(), rule)
	require.NoError(t, err)
	integration := integrationOf(t, `{"id":"x","name":"n","type":"kolide","interval":"5m","identifier":"i","schema":{},"test_results":{},
		"config":{"client_id":"i","client_secret":"s"}}`)
	_, err = newServer(t).Client(captureBody(&integrationBody)).Integrations.Create(t.Context(), integration)
	require.NoError(t, err)
	for _, sent := range []struct {
		body    []byte
		members []apifacts.Member
	}{{ruleBody, apifacts.RuleMembers}, {integrationBody, apifacts.IntegrationMembers}} {
		readOnly := 0
		for _, member := range sent.members {
			if member.ReadOnly {
				readOnly++
				assert.NotContains(t, decodeJSON(t, sent.body), member.Name)
			}
		}
		assert.Greater(t, readOnly, 1)
	}
}

func TestInputsAreRequiredWhereTheFactsSaySo(t *testing.T) {
	for _, ruleType := range apifacts.RuleTypes {
		rule := &cfposture.Rule{Type: cfposture.RuleType(ruleType.Name)}
		if ruleType.InputOptional {
			require.NoError(t, rule.Validate(), ruleType.Name)
		} else {
			assertProblems(t, rule.Validate(), "input: is required")
		}
	}
}

func TestEnumerationsHaveTheDocumentedValues(t *testing.T) {
	documented := func(typeName, member string) []string {
		ruleType, ok := apifacts.FindRuleType(typeName)
		require.True(t, ok)
		return memberNamed(t, ruleType.Members, member).Enum
	}
	assert.Equal(t, apifacts.Platforms, texts(cfposture.PlatformWindows, cfposture.PlatformMac, cfposture.PlatformLinux,
		cfposture.PlatformAndroid, cfposture.PlatformIOS, cfposture.PlatformChromeOS))
	assert.Equal(t, apifacts.Operators, texts(cfposture.OperatorLess, cfposture.OperatorLessOrEqual,
		cfposture.OperatorGreater, cfposture.OperatorGreaterOrEqual, cfposture.OperatorEqual))
	intune, _ := apifacts.FindRuleType("intune")
	assert.ElementsMatch(t, texts(cfposture.ComplianceStatusCompliant, cfposture.ComplianceStatusNonCompliant,
		cfposture.ComplianceStatusUnknown, cfposture.ComplianceStatusNotApplicable,
		cfposture.ComplianceStatusInGracePeriod, cfposture.ComplianceStatusError,
		cfposture.ComplianceStatusConflict, cfposture.ComplianceStatusConfigManager), memberNamed(t, intune.Members, "compliance_status").Allowed())
	assert.ElementsMatch(t, documented("tanium_s2s", "risk_level"), texts(cfposture.RiskLevelLow,
		cfposture.RiskLevelMedium, cfposture.RiskLevelHigh, cfposture.RiskLevelCritical))
	assert.ElementsMatch(t, documented("crowdstrike_s2s", "state"), texts(cfposture.CrowdStrikeStateOnline,
		cfposture.CrowdStrikeStateOffline, cfposture.CrowdStrikeStateUnknown))
	assert.ElementsMatch(t, documented("kolide", "auth_state"), texts(cfposture.KolideAuthStateGood,
		cfposture.KolideAuthStateNotified, cfposture.KolideAuthStateWillBlock, cfposture.KolideAuthStateBlocked))
	assert.ElementsMatch(t, documented("sentinelone_s2s", "network_status"), texts(cfposture.NetworkStatusConnected,
		cfposture.NetworkStatusDisconnected, cfposture.NetworkStatusDisconnecting, cfposture.NetworkStatusConnecting))
	assert.ElementsMatch(t, documented("sentinelone_s2s", "operational_state"), texts(cfposture.OperationalStateNA,
		cfposture.OperationalStatePartiallyDisabled, cfposture.OperationalStateAutoFullyDisabled,
		cfposture.OperationalStateFullyDisabled, cfposture.OperationalStateAutoPartiallyDisabled,
		cfposture.OperationalStateDisabledError, cfposture.OperationalStateDBCorruption))
	assert.ElementsMatch(t, documented("client_certificate_v2", "extended_key_usage"),
		texts(cfposture.ExtendedKeyUsageClientAuth, cfposture.ExtendedKeyUsageEmailProtection))
	v2, _ := apifacts.FindRuleType("client_certificate_v2")
	locations := memberNamed(t, v2.Members, "locations")
	assert.ElementsMatch(t, memberNamed(t, locations.Members, "trust_stores").Enum,
		texts(cfposture.TrustStoreSystem, cfposture.TrustStoreUser))
}

func texts[T ~string](values ...T) []string {
	var texts []string
	for _, value := range values {
		texts = append(texts, string(value))
	}
	return texts
}

func memberNamed(t *testing.T, members []apifacts.Member, name string) apifacts.Member {
	t.Helper()
	i := slices.IndexFunc(members, func(m apifacts.Member) bool { return m.Name == name })
	require.GreaterOrEqual(t, i, 0, "no member %s", name)
	return members[i]
}

// decodeJSON reads any JSON with its numbers as they are written.
func decodeJSON(t *testing.T, text []byte) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(text)))
	decoder.UseNumber()
	var value any
	require.NoError(t, decoder.Decode(&value), "%s", text)
	return value
}

// withoutEmpty drops members that are null or "", which may be left out, on every level.
func withoutEmpty(value any) any {
	switch value := value.(type) {
	case map[string]any:
		kept := map[string]any{}
		for name, member := range value {
			if member != nil && member != "" {
				kept[name] = withoutEmpty(member)
			}
		}
		return kept
	case []any:
		for i := range value {
			value[i] = withoutEmpty(value[i])
		}
	}
	return value
}

// assertNothingLost checks that every member of want that has a value is in got, equal, and digit for digit.
func assertNothingLost(t *testing.T, want, got []byte, msgAndArgs ...any) {
	t.Helper()
	assert.Equal(t, withoutEmpty(decodeJSON(t, want)), withoutEmpty(decodeJSON(t, got)), msgAndArgs...)
}

// assertAllKept checks the same, but lets got have members that want hasn't: required ones are always sent.
func assertAllKept(t *testing.T, want, got []byte) {
	t.Helper()
	kept := isWithin(withoutEmpty(decodeJSON(t, want)), withoutEmpty(decodeJSON(t, got)))
	assert.True(t, kept, "%s does not hold all of %s", got, want)
}

func isWithin(want, got any) bool {
	switch want := want.(type) {
	case map[string]any:
		got, ok := got.(map[string]any)
		for name := range want {
			ok = ok && isWithin(want[name], got[name])
		}
		return ok
	case []any:
		got, ok := got.([]any)
		ok = ok && len(want) == len(got)
		for i := range want {
			ok = ok && isWithin(want[i], got[i])
		}
		return ok
	case json.Number: // one that has a field may be written in other digits
		number, isNumber := got.(json.Number)
		wanted, wantErr := want.Float64()
		there, haveErr := number.Float64()
		return isNumber && (want == number || wantErr == nil && haveErr == nil && wanted == there)
	default:
		return want == got
	}
}

func TestCodesAreThoseOfTheFacts(t *testing.T) {
	assert.Equal(t, apifacts.CodeInvalidCredentials, cfposture.CodeIntegrationCredentials)
	failed := &cfposture.Error{StatusCode: 400, Errors: []cfposture.Message{{Code: cfposture.CodeRuleNotFound}}}
	require.ErrorIs(t, failed, cfposture.ErrNotFound)
	require.NotErrorIs(t, failed, cfposture.ErrConflict)
}
