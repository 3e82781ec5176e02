package cfposture_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
)

// unknown are members no document names, of every kind that is easily damaged.
const unknown = `"zz_big":12345678901234567890,"zz_digits":1.10,"zz_exponent":1E+2,"zz_null":null,"zz_empty":"",` +
	`"zz_list":[],"zz_object":{},"zz_nested":{"a":[1.50,{"b":null,"c":"\u00e9<>&]}\"\\"}],"operator":">="},"zz_\"quoted\"":true`

// withUnknown adds the unknown members to every object of a rule or an integration that the model has a type for.
func withUnknown(text string) string {
	for _, object := range []string{`{"description"`, `"input":{`, `"config":{`, `"match":[{`, `"locations":{`} {
		text = strings.Replace(text, object, strings.Replace(object, "{", "{"+unknown+",", 1), 1)
	}
	return strings.Replace(strings.ReplaceAll(text, ",}", "}"), `{"config"`, "{"+unknown+`,"config"`, 1)
}

// sampleRules are rules of all types, plain and with unknown members on every level.
func sampleRules(t *testing.T) map[string]string {
	t.Helper()
	samples := map[string]string{}
	for _, ruleType := range apifacts.RuleTypes {
		samples[ruleType.Name] = string(ruleType.Sample())
		samples[ruleType.Name+" with unknown members"] = withUnknown(string(ruleType.Sample()))
	}
	require.Contains(t, samples["client_certificate_v2 with unknown members"], `"locations":{`+unknown)
	require.Contains(t, samples["file with unknown members"], `"input":{`+unknown)
	require.Contains(t, samples["file with unknown members"], `"match":[{`+unknown)
	require.Contains(t, samples["file with unknown members"], `{`+unknown+`,"description"`)
	return samples
}

func TestRulesSurviveDecodingAndEncoding(t *testing.T) {
	samples := sampleRules(t)
	for name, odd := range map[string]string{
		"unknown type":             `{"id":"x","input":{"a" : [1.10]},"name":"n","type":"quantum"}`,
		"no type":                  `{"id":"x","input":{"path":"/x"},"name":"n"}`,
		"input of another kind":    `{"id":"x","input":{"path":5,"exists":true},"name":"n","type":"file"}`,
		"input is no object":       `{"id":"x","input":[{"path":"/x"}],"name":"n","type":"file"}`,
		"input is a string":        `{"id":"x","input":"/x","name":"n","type":"gateway"}`,
		"a known number":           `{"id":"x","input":{"score":85.5,"connection_id":"c","operator":">"},"name":"n","type":"custom_s2s"}`,
		"big known number":         `{"id":"x","input":{"total_score":12345678901234567890},"name":"n","type":"tanium_s2s"}`,
		"a known whole number":     `{"id":"x","input":{"update_window_days":10},"name":"n","type":"antivirus"}`,
		"empty arrays and objects": `{"id":"x","input":{"locations":{"paths":[]},"check_private_key":true,"subject_alternative_names":[]},"match":[],"name":"n","type":"client_certificate_v2"}`,
		"nulls":                    `{"description":null,"expiration":null,"id":"x","input":{"checkDisks":null,"requireAll":null},"match":null,"name":null,"type":"disk_encryption"}`,
		"empty match":              `{"id":"x","match":[{}],"name":"n","type":"warp"}`,
		"odd interval":             `{"expiration":"1h0m","id":"x","name":"n","schedule":"300s","type":"warp"}`,
		"escapes in names":         `{"\u0069d":"x","name":"n","type":"fi\u006ce","input":{"p\u0061th":"\/x\ud83d\ude00"}}`,
		"white space":              " { \"id\" :\t\"x\" , \"match\" : [ { \"platform\" : \"mac\" } , { } ] ,\r\n\"name\":\"n\", \"type\" : \"warp\" } ",
	} {
		samples[name] = odd
	}
	for name, sample := range samples {
		t.Run(name, func(t *testing.T) {
			assertSurvives(t, sample, new(cfposture.Rule))
		})
	}
}

func TestIntegrationsSurviveDecodingAndEncoding(t *testing.T) {
	samples := map[string]string{
		"unknown type":           `{"config":{"a" : [1.10]},"id":"x","interval":"1h","name":"n","type":"quantum"}`,
		"config of another kind": `{"config":{"api_url":["x"]},"id":"x","interval":"1h","name":"n","type":"uptycs"}`,
		"config is a string":     `{"config":"x","id":"x","interval":"1h","name":"n","type":"uptycs"}`,
		"no config":              `{"config":null,"id":"x","interval":"1h","name":"n","type":"kolide"}`,
		"fewer members":          `{"config":{"client_id":"c"},"id":"x","interval":"1h","name":"n","type":"workspace_one"}`,
	}
	for _, integrationType := range apifacts.IntegrationTypes {
		samples[integrationType.Name] = string(integrationType.SampleAnswer())
		samples[integrationType.Name+" request"] = string(integrationType.SampleRequest())
		samples[integrationType.Name+" with unknown members"] = withUnknown(string(integrationType.SampleAnswer()))
	}
	require.Contains(t, samples["kolide with unknown members"], `"config":{`+unknown)
	for name, sample := range samples {
		t.Run(name, func(t *testing.T) {
			assertSurvives(t, sample, new(cfposture.Integration))
		})
	}
}

func TestAnyValueInPlaceOfAnotherIsKept(t *testing.T) {
	for _, ruleType := range apifacts.RuleTypes {
		withEachReplaced(t, ruleType.Sample(), assertModelIsKept[cfposture.Rule])
	}
	for _, integrationType := range apifacts.IntegrationTypes {
		withEachReplaced(t, integrationType.SampleAnswer(), assertModelIsKept[cfposture.Integration])
	}
}

// withEachReplaced calls check with the sample once for each of its values, on every level, and each value that may
// stand there instead.
func withEachReplaced(t *testing.T, sample []byte, check func(*testing.T, []byte)) {
	t.Helper()
	others := []any{nil, true, 1, -0.5, "", "x", []any{}, []any{nil}, []any{""}, []any{1}, []any{[]any{}}, []any{map[string]any{}},
		[]any{map[string]any{"platform": nil}}, map[string]any{}, map[string]any{"x": nil}, map[string]any{"paths": nil}}
	root := decodeJSON(t, sample)
	var replace func(value any, set func(any))
	replace = func(value any, set func(any)) {
		for _, other := range others {
			set(other)
			text, err := json.Marshal(root)
			require.NoError(t, err)
			check(t, text)
		}
		set(value)
		switch value := value.(type) {
		case map[string]any:
			for name := range value {
				replace(value[name], func(other any) { value[name] = other })
			}
		case []any:
			for i := range value {
				replace(value[i], func(other any) { value[i] = other })
			}
		}
	}
	replace(root, func(other any) { root = other })
}

// assertSurvives decodes the sample into model and encodes it, alone and within other types.
func assertSurvives[T any](t *testing.T, sample string, model *T) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(sample), model))
	encoded, err := json.Marshal(model)
	require.NoError(t, err)
	assertNothingLost(t, []byte(sample), encoded, "behind a pointer")
	encoded, err = json.Marshal(*model)
	require.NoError(t, err)
	assertNothingLost(t, []byte(sample), encoded, "as a value")

	type holder struct {
		Value   T
		Pointer *T
		List    []T
		Map     map[string]T
	}
	var held holder
	nested := fmt.Sprintf(`{"Value":%[1]s,"Pointer":%[1]s,"List":[%[1]s],"Map":{"k":%[1]s}}`, sample)
	require.NoError(t, json.Unmarshal([]byte(nested), &held))
	encoded, err = json.Marshal(held)
	require.NoError(t, err)
	assertNothingLost(t, []byte(nested), encoded, "in a struct")

	again := new(T)
	require.NoError(t, json.Unmarshal(encoded, &held))
	require.NoError(t, json.Unmarshal([]byte(sample), again))
	assert.Equal(t, model, again)
}

func TestInputsAndConfigsSurviveAlone(t *testing.T) {
	for _, ruleType := range apifacts.RuleTypes {
		sample := "{" + unknown + "}" // all that a type without members may have
		if ruleType.Input != "" {
			sample = strings.Replace(ruleType.Input, "{", "{"+unknown+",", 1)
		}
		assertVariantSurvives(t, sample, cfposture.NewInput(cfposture.RuleType(ruleType.Name)))
	}
	for _, integrationType := range apifacts.IntegrationTypes {
		sample := strings.Replace(integrationType.Config, "{", "{"+unknown+",", 1)
		assertVariantSurvives(t, sample, cfposture.NewConfig(cfposture.IntegrationType(integrationType.Name)))
	}
	assertVariantSurvives(t, `{"a":[1.10]}`, new(cfposture.UnknownInput))
	assertVariantSurvives(t, `{"a":[1.10]}`, new(cfposture.UnknownConfig))
	assertVariantSurvives(t, `{"platform":"mac",`+unknown+`}`, new(cfposture.Match))
	assertVariantSurvives(t, `{"paths":["/x"],`+unknown+`}`, new(cfposture.CertificateLocations))
}

// assertVariantSurvives tries the pointer and, as a field of another struct would be, the value.
func assertVariantSurvives(t *testing.T, sample string, variant any) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(sample), variant), "%T", variant)
	for _, value := range []any{variant, reflect.ValueOf(variant).Elem().Interface()} {
		encoded, err := json.Marshal(value)
		require.NoError(t, err, "%T", value)
		assertNothingLost(t, []byte(sample), encoded, "%T", value)
	}
}

func TestGetChangeUpdateSendsEverythingElseAsItCame(t *testing.T) {
	for name, sample := range sampleRules(t) {
		t.Run(name, func(t *testing.T) {
			server := newServer(t)
			server.AddIntegration([]byte(`{"id":"` + apifacts.ConnectionID + `","name":"x","type":"kolide"}`))
			id := server.AddRule([]byte(sample))
			client := server.Client()

			rule, err := client.Posture.Get(t.Context(), id)
			require.NoError(t, err)
			rule.Name = "changed"
			_, err = client.Posture.Update(t.Context(), rule)
			require.NoError(t, err)

			requests := server.Requests()
			sent := requests[len(requests)-1].Body
			assert.NotContains(t, decodeJSON(t, sent), "id", "only the API sets it")
			assert.NotContains(t, decodeJSON(t, sent), "enabled", "only the API sets it")
			want := strings.Replace(sample, `"name":"Sample of `+string(rule.Type)+`"`, `"name":"changed"`, 1)
			require.Contains(t, want, `"changed"`)
			assertNothingLost(t, without(t, without(t, []byte(want), "id"), "enabled"), sent)
			assertNothingLost(t, []byte(want), server.Rules()[0])
		})
	}
}

func TestKnownNumberMayComeBackInOtherDigits(t *testing.T) {
	var input cfposture.CustomS2SInput
	require.NoError(t, json.Unmarshal([]byte(`{"connection_id":"c","operator":">","score":85.50}`), &input))
	encoded, err := input.MarshalJSON()
	require.NoError(t, err)
	assert.Contains(t, string(encoded), `"score":85.5}`)
}

func TestNumberBeyondAFloat64IsKeptAsItIs(t *testing.T) {
	for _, number := range []string{"12345678901234567890", "1e400", "0.1000000000000000055511151231257827"} {
		text := `{"id":"x","name":"n","type":"antivirus","input":{"update_window_days":` + number + `}}`
		var rule cfposture.Rule
		require.NoError(t, json.Unmarshal([]byte(text), &rule))
		assert.Equal(t, "input.update_window_days is a number that doesn't fit a float64", rule.Input.(*cfposture.UnknownInput).Reason)
		encoded, err := json.Marshal(rule)
		require.NoError(t, err)
		assertNothingLost(t, []byte(text), encoded)
	}
}

func TestUnmarshalReplacesWhatWasThere(t *testing.T) {
	old := map[string]json.RawMessage{"old": json.RawMessage("1")}
	testUnmarshalReplaces(t, cfposture.Rule{ID: "old", Extra: old}, `{"name":"new"}`, cfposture.Rule{Name: "new"})
	testUnmarshalReplaces(t, cfposture.FileInput{Path: "/old", Extra: old}, `{"sha256":"new"}`, cfposture.FileInput{SHA256: "new"})
	testUnmarshalReplaces(t, cfposture.Match{Platform: "old", Extra: old}, `{"new":2}`,
		cfposture.Match{Extra: map[string]json.RawMessage{"new": json.RawMessage("2")}})
}

func TestUnmarshalOfACopyLeavesTheOriginal(t *testing.T) {
	original := cfposture.UnknownInput{Raw: json.RawMessage(`{"a":1}`)}
	copied := original
	require.NoError(t, json.Unmarshal([]byte(`{"b":2}`), &copied))
	assert.Equal(t, `{"a":1}`, string(original.Raw))
	assert.Equal(t, `{"b":2}`, string(copied.Raw))
}

func testUnmarshalReplaces[T any](t *testing.T, value T, text string, want T) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &value))
	assert.Equal(t, want, value)
	require.NoError(t, json.Unmarshal([]byte(`null`), &value))
	assert.Equal(t, want, value, "null changes nothing")
	require.Error(t, json.Unmarshal([]byte(`{"name":"broken","path":"broken","platform":"broken","x":1,"x":2}`), &value))
	assert.Equal(t, want, value, "an error changes nothing")
}

func TestUnmarshalNamesTheMemberThatDoesNotFit(t *testing.T) {
	for text, want := range map[string]string{
		`{"id":"x","name":5}`:                   `cfposture: rule x: name is a number where a string is expected`,
		`{"id":"x","match":{}}`:                 `cfposture: rule x: match is an object where an array is expected`,
		`{"id":"x","match":[{},null]}`:          `cfposture: rule x: match[1] is null where an object is expected`,
		`{"id":"x","match":[{"platform":[1]}]}`: `cfposture: rule x: match[0].platform is an array where a string is expected`,
		`{"id":"x","id":"y"}`:                   `cfposture: rule x: id appears twice`,
		`{"id":["x"]}`:                          `cfposture: rule: id is an array where a string is expected`,
		`[]`:                                    `cfposture: rule: it is an array where an object is expected`,
		`{"id":"x","match":[{"x":1,"x":2}]}`:    `cfposture: rule x: match[0].x appears twice`,
		`{"type":true,"input":{}}`:              `cfposture: rule: type is true or false where a string is expected`,
	} {
		var rule cfposture.Rule
		require.EqualError(t, json.Unmarshal([]byte(text), &rule), want, text)
		assert.Equal(t, cfposture.Rule{}, rule, text)
	}
	var input cfposture.FileInput
	require.EqualError(t, json.Unmarshal([]byte(`{"path":5}`), &input),
		`cfposture: cfposture.FileInput: path is a number where a string is expected`)
	require.EqualError(t, new(cfposture.Rule).UnmarshalJSON([]byte(`{`)), "cfposture: not valid JSON")
}

// Two variants of a rule that are made by copying and appending must not share what was appended.
func TestCopiesOfARuleCanBeAppendedTo(t *testing.T) {
	for n := range 10 {
		match := strings.TrimSuffix(strings.Repeat(`{"platform":"mac"},`, n), ",")
		disks := strings.TrimSuffix(strings.Repeat(`"C:",`, n), ",")
		var rule cfposture.Rule
		require.NoError(t, json.Unmarshal(fmt.Appendf(nil, `{"type":"disk_encryption","match":[%s],"input":{"checkDisks":[%s]}}`, match, disks), &rule))
		input := *rule.Input.(*cfposture.DiskEncryptionInput)
		first, second := rule, rule
		first.Match, second.Match = append(first.Match, cfposture.Match{Platform: "a"}), append(second.Match, cfposture.Match{Platform: "b"})
		assert.Equal(t, cfposture.Platform("a"), first.Match[n].Platform, n)
		one, other := input, input
		one.CheckDisks, other.CheckDisks = append(one.CheckDisks, "D:"), append(other.CheckDisks, "E:")
		assert.Equal(t, "D:", one.CheckDisks[n], n)
	}
}

func TestMarshalRefusesWhatItCannotWrite(t *testing.T) {
	raw := func(name, text string) map[string]json.RawMessage {
		return map[string]json.RawMessage{name: json.RawMessage(text)}
	}
	for name, test := range map[string]struct {
		model json.Marshaler
		want  string
	}{
		"extra is no JSON":     {cfposture.Rule{Extra: raw("x", "{")}, `cfposture: rule: x of Extra is not valid JSON`},
		"extra is empty":       {cfposture.Rule{Extra: raw("x", "")}, `cfposture: rule: x of Extra is not valid JSON`},
		"extra and field":      {cfposture.Rule{Extra: raw("name", `"y"`)}, `cfposture: rule: name is both a field and in Extra`},
		"in a match":           {cfposture.Rule{Match: []cfposture.Match{{}, {Extra: raw("x", "{")}}}, `cfposture: rule: match[1].x of Extra is not valid JSON`},
		"raw input is no JSON": {cfposture.Rule{Input: &cfposture.UnknownInput{Raw: json.RawMessage("{")}}, `cfposture: rule: input is not valid JSON`},
		"in an input":          {cfposture.Rule{Input: &cfposture.FileInput{Extra: raw("x", "{")}}, `cfposture: rule (file): input.x of Extra is not valid JSON`},
		"no UTF-8":             {cfposture.Rule{Name: "\xff"}, `cfposture: rule "\xff": name is not valid UTF-8`},
		"no UTF-8 in a list":   {cfposture.DiskEncryptionInput{CheckDisks: []string{"C", "\xff"}}, `cfposture: cfposture.DiskEncryptionInput: checkDisks[1] is not valid UTF-8`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := test.model.MarshalJSON()
			require.EqualError(t, err, test.want)
		})
	}
}

// The type says what the input is, wherever it stands and whatever looks like it.
func TestInputIsThatOfTheTypeInAnyOrder(t *testing.T) {
	for _, ruleType := range apifacts.RuleTypes {
		var members struct{ Input json.RawMessage }
		require.NoError(t, json.Unmarshal(ruleType.Sample(), &members))
		want := ruleOf(t, string(ruleType.Sample())).Input
		field := fmt.Sprintf(`"type":%q`, ruleType.Name)
		input := `"input":` + string(members.Input)
		if members.Input == nil {
			input = `"input":null`
		}
		var indented bytes.Buffer
		require.NoError(t, json.Indent(&indented, ruleType.Sample(), "", "  "))
		for name, text := range map[string]string{
			"type first":           "{" + field + "," + input + "}",
			"type last":            "{" + input + "," + field + "}",
			"indented":             indented.String(),
			"escaped":              "{" + input + `,"t\u0079pe":"\u00` + fmt.Sprintf("%x", ruleType.Name[0]) + ruleType.Name[1:] + `"}`,
			"another type between": "{" + input + `,"more":{"type":"warp"},"os_type":"file",` + field + "}",
			"another type after":   "{" + input + "," + field + `,"more":{"type":"warp"}}`,
			"much between":         "{" + input + `,"name":"` + strings.Repeat("n", 10_000) + `",` + field + "}",
			"much before":          `{"name":"` + strings.Repeat("n", 10_000) + `",` + input + "," + field + "}",
			"a type that is cut":   "{" + input + `,"name":"\"type\":\"warp",` + field + "}",
		} {
			rule := ruleOf(t, text)
			assert.Equal(t, want, rule.Input, "%s: %s", ruleType.Name, name)
			assert.Equal(t, ruleType.Name, string(rule.Type))
		}
		rule := ruleOf(t, "{"+input+`,"more":{"type":"file"}}`)
		assert.Empty(t, rule.Type)
		if members.Input != nil {
			assert.IsType(t, &cfposture.UnknownInput{}, rule.Input, "no type but one of another object")
		}
	}
}

func TestConfigIsThatOfTheTypeInAnyOrder(t *testing.T) {
	for _, integrationType := range apifacts.IntegrationTypes {
		var members struct{ Config json.RawMessage }
		require.NoError(t, json.Unmarshal(integrationType.SampleRequest(), &members))
		want := integrationOf(t, string(integrationType.SampleRequest())).Config
		field, config := fmt.Sprintf(`"type":%q`, integrationType.Name), `"config":`+string(members.Config)
		for _, text := range []string{
			"{" + field + "," + config + "}", "{" + config + "," + field + "}",
			"{" + config + `,"more":{"type":"uptycs"},"sub_type":"kolide",` + field + "}",
		} {
			assert.Equal(t, want, integrationOf(t, text).Config, text)
		}
	}
}
