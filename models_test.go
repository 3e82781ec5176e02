package cfposture_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
)

func TestModelsHaveExportedFieldsOnly(t *testing.T) {
	types := []any{
		cfposture.Rule{}, cfposture.Match{}, cfposture.Integration{}, cfposture.IntegrationUpdate{}, cfposture.Difference{},
		cfposture.CertificateLocations{}, cfposture.UnknownInput{}, cfposture.UnknownConfig{},
	}
	for _, ruleType := range cfposture.RuleTypes() {
		types = append(types, reflect.ValueOf(cfposture.NewInput(ruleType)).Elem().Interface())
	}
	for _, integrationType := range cfposture.IntegrationTypes() {
		types = append(types, reflect.ValueOf(cfposture.NewConfig(integrationType)).Elem().Interface())
	}
	for _, model := range types {
		for i := range reflect.TypeOf(model).NumField() {
			field := reflect.TypeOf(model).Field(i)
			assert.True(t, field.IsExported() && !field.Anonymous, "%T.%s", model, field.Name)
		}
	}
}

func TestVariantsExportFewMethods(t *testing.T) {
	methods := func(variant any) (names []string) {
		for i := range reflect.TypeOf(variant).NumMethod() {
			names = append(names, reflect.TypeOf(variant).Method(i).Name)
		}
		return names
	}
	for _, ruleType := range append(cfposture.RuleTypes(), "quantum") {
		assert.Equal(t, []string{"MarshalJSON", "RuleType", "String", "UnmarshalJSON"}, methods(cfposture.NewInput(ruleType)))
	}
	for _, integrationType := range append(cfposture.IntegrationTypes(), "quantum") {
		want := []string{"Format", "IntegrationType", "LogValue", "MarshalJSON", "UnmarshalJSON"}
		assert.Equal(t, want, methods(cfposture.NewConfig(integrationType)))
	}
}

func TestRuleReadEqualsTheSameRuleBuilt(t *testing.T) {
	for _, input := range everyInput("connection") {
		built := &cfposture.Rule{
			ID: "x", Name: "n", Type: input.RuleType(), Schedule: "5m", Enabled: new(true), Input: input,
			Match: []cfposture.Match{{Platform: "mac"}}, Extra: map[string]json.RawMessage{"zz": json.RawMessage(`{"a":1.10}`)},
		}
		text, err := json.Marshal(built)
		require.NoError(t, err)
		assert.True(t, reflect.DeepEqual(built, ruleOf(t, string(text))), "%s", text)
	}
	for _, config := range everyConfig() {
		built := &cfposture.Integration{
			ID: "x", Name: "n", Type: config.IntegrationType(), Interval: "5m", Config: config,
			Identifier: "i", Schema: json.RawMessage(`{}`), TestResults: json.RawMessage(`{"a":[1.10]}`),
		}
		text, err := json.Marshal(built)
		require.NoError(t, err)
		assert.True(t, reflect.DeepEqual(built, integrationOf(t, string(text))), "%s", text)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	for name, sample := range sampleRules(t) {
		rule := ruleOf(t, sample)
		clone := rule.Clone()
		require.Equal(t, rule, clone, name)
		spoil(reflect.ValueOf(clone))
		assert.Equal(t, ruleOf(t, sample), rule, name)
	}
	for _, text := range []string{`{"type":"quantum","input":{"a":1}}`, `{"type":"file","match":[],"input":{"path":5}}`, `{}`} {
		rule := ruleOf(t, text)
		clone := rule.Clone()
		require.Equal(t, rule, clone)
		spoil(reflect.ValueOf(clone))
		assert.Equal(t, ruleOf(t, text), rule)
	}
	for i, input := range everyInput("c") {
		clone := (&cfposture.Rule{Input: input}).Clone().Input
		require.Equal(t, input, clone)
		spoil(reflect.ValueOf(clone))
		assert.Equal(t, everyInput("c")[i], input)
	}
	for _, integrationType := range apifacts.IntegrationTypes {
		sample := withUnknown(string(integrationType.SampleRequest()))
		sample = strings.Replace(sample, "{", `{"schema":{},"test_results":[1],`, 1)
		integration := integrationOf(t, sample)
		clone := integration.Clone()
		require.Equal(t, integration, clone)
		spoil(reflect.ValueOf(clone))
		assert.Equal(t, integrationOf(t, sample), integration)
	}
	assert.Nil(t, (*cfposture.Rule)(nil).Clone())
	assert.Nil(t, (*cfposture.Integration)(nil).Clone())
	assert.Equal(t, (*cfposture.FileInput)(nil), (&cfposture.Rule{Input: (*cfposture.FileInput)(nil)}).Clone().Input)
	assert.Equal(t, (*cfposture.UnknownConfig)(nil), (&cfposture.Integration{Config: (*cfposture.UnknownConfig)(nil)}).Clone().Config)
}

// spoil changes everything that can be reached from a value.
func spoil(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			spoil(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			spoil(v.Field(i))
		}
	case reflect.Slice:
		for i := range v.Len() {
			spoil(v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			spoil(v.MapIndex(key))
		}
		v.Clear()
	case reflect.String:
		v.SetString("spoilt")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.Float64:
		v.SetFloat(-1)
	case reflect.Uint8:
		v.SetUint('x')
	default:
		panic(v.Kind())
	}
}

func TestRulesPrintInOneLine(t *testing.T) {
	rule := ruleOf(t, `{"id":"f174","name":"Disk\nencrypted","type":"disk_encryption","schedule":"5m","match":[{"platform":"windows"},{"platform":"mac","x":1}],"input":{"requireAll":true,"z":"<>"}}`)
	const want = `rule "Disk\nencrypted" (disk_encryption) f174 on [windows {"platform":"mac","x":1}] every 5m {"requireAll":true,"z":"<>"}`
	for _, text := range []string{rule.String(), fmt.Sprint(rule), fmt.Sprintf("%v", *rule), fmt.Sprintf("%+v", rule)} {
		assert.Equal(t, want, text)
	}
	assert.Equal(t, "["+want+" "+want+"]", fmt.Sprint([]*cfposture.Rule{rule, rule}))
	assert.Equal(t, "["+want+"]", fmt.Sprint([]cfposture.Rule{*rule}))
	assert.Equal(t, "{Items:["+want+"] Info:{Page:0 PerPage:0 Count:0 TotalCount:0 TotalPages:0}}", fmt.Sprintf("%+v", cfposture.Page[cfposture.Rule]{Items: []*cfposture.Rule{rule}}))

	for text, rule := range map[string]*cfposture.Rule{
		`rule`:                           {},
		`rule "a b" (warp)`:              {Name: "a b", Type: "warp"},
		`rule (warp) {}`:                 {Input: new(cfposture.WARPInput)},
		`rule (a b)`:                     {Type: "a\u202eb"},
		`rule (file)`:                    {Type: "file", Input: (*cfposture.FileInput)(nil)},
		`rule (quantum) {"a"}`:           {Input: &cfposture.UnknownInput{Type: "quantum", Raw: json.RawMessage(`{"a"}`)}},
		`rule (warp) (disabled)`:         {Type: "warp", Enabled: new(false)},
		`rule (file) {"path":"\u001b["}`: {Input: &cfposture.FileInput{Path: "\x1b["}},
	} {
		assert.Equal(t, text, fmt.Sprint(rule))
	}
	assert.Equal(t, "<nil>", fmt.Sprint((*cfposture.Rule)(nil)))
}

func TestInputsPrintAsJSON(t *testing.T) {
	for _, input := range everyInput("c") {
		text, err := input.(json.Marshaler).MarshalJSON()
		require.NoError(t, err)
		value := reflect.ValueOf(input).Elem().Interface()
		for _, printed := range []string{fmt.Sprint(input), fmt.Sprintf("%+v", value), fmt.Sprintf("%s", value)} {
			assert.Equal(t, string(text), printed)
		}
		assert.Equal(t, fmt.Sprintf("[%s %s]", text, text), fmt.Sprint([]cfposture.DeviceInput{input, input}))
	}
	assert.Equal(t, "{invalid: path is not valid UTF-8}", fmt.Sprint(&cfposture.FileInput{Path: "\xff"}))
	assert.JSONEq(t, `{"paths":["/x"]}`, fmt.Sprint(cfposture.CertificateLocations{Paths: []string{"/x"}}))
	assert.Equal(t, "[windows mac]", fmt.Sprint([]cfposture.Match{{Platform: "windows"}, {Platform: "mac"}}))
	assert.Equal(t, "<nil>", fmt.Sprint((*cfposture.FileInput)(nil)))
}

func TestIntegrationsPrintWithoutSecrets(t *testing.T) {
	integration := cfposture.Integration{
		ID: "bc7c", Name: "K", Interval: "1h", Schema: json.RawMessage(`{}`),
		Config: &cfposture.KolideConfig{ClientID: "i", ClientSecret: "hidden", Extra: map[string]json.RawMessage{"pin": json.RawMessage(`"hidden"`)}},
	}
	const want = `integration "K" (kolide) bc7c every 1h {client_id:i client_secret:[redacted] pin:[redacted]}`
	assert.Equal(t, want, fmt.Sprint(integration))
	assert.Equal(t, "["+want+"]", fmt.Sprintf("%+v", []*cfposture.Integration{&integration}))
	assert.Equal(t, "integration", cfposture.Integration{}.String())
}

// logged returns what slog's text handler and its JSON handler write of an attribute.
func logged(key string, value any) (text, object string) {
	var b, o bytes.Buffer
	options := &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key != key {
			return slog.Attr{}
		}
		return a
	}}
	slog.New(slog.NewTextHandler(&b, options)).Info("", key, value)
	slog.New(slog.NewJSONHandler(&o, options)).Info("", key, value)
	return strings.TrimSpace(b.String()), o.String()
}

func TestModelsInLogs(t *testing.T) {
	rule := ruleOf(t, `{"id":"f174","name":"Disk","type":"disk_encryption","schedule":"5m","enabled":true,"match":[{"platform":"mac"}],"input":{"requireAll":true}}`)
	const members = `"id":"f174","name":"Disk","type":"disk_encryption","schedule":"5m","match":[{"platform":"mac"}],"input":{"requireAll":true},"enabled":true`
	integration := &cfposture.Integration{ID: "bc7c", Name: "K", Interval: "1h", Config: &cfposture.KolideConfig{ClientID: "i", ClientSecret: "hidden"}}
	update := cfposture.IntegrationUpdate{Name: new("n"), Interval: new(cfposture.Interval("1h")), Config: integration.Config}
	for _, test := range []struct {
		value        any
		text, object string
	}{
		{rule, `v.id=f174 v.name=Disk v.type=disk_encryption v.schedule=5m v.match=[mac] v.input="{\"requireAll\":true}" v.enabled=true`, `{"v":{` + members + `}}`},
		{*rule, `v.id=f174 v.name=Disk v.type=disk_encryption v.schedule=5m v.match=[mac] v.input="{\"requireAll\":true}" v.enabled=true`, `{"v":{` + members + `}}`},
		{[]*cfposture.Rule{rule}, `v="[rule \"Disk\" (disk_encryption) f174 on [mac] every 5m {\"requireAll\":true}]"`, `{"v":[{` + members + `}]}`},
		{rule.Input, `v="{\"requireAll\":true}"`, `{"v":{"requireAll":true}}`},
		{rule.Match, `v=[mac]`, `{"v":[{"platform":"mac"}]}`},
		{integration, `v.id=bc7c v.name=K v.type=kolide v.interval=1h v.config.client_id=i v.config.client_secret=[redacted]`,
			`{"v":{"id":"bc7c","name":"K","type":"kolide","interval":"1h","config":{"client_id":"i","client_secret":"[redacted]"}}}`},
		{[]*cfposture.Integration{integration}, `v="[integration \"K\" (kolide) bc7c every 1h {client_id:i client_secret:[redacted]}]"`, ""},
		{update, `v.name=n v.interval=1h v.config.client_id=i v.config.client_secret=[redacted]`,
			`{"v":{"name":"n","interval":"1h","config":{"client_id":"i","client_secret":"[redacted]"}}}`},
	} {
		text, object := logged("v", test.value)
		assert.Equal(t, test.text, text)
		if test.object != "" { // what stands deeper goes through encoding/json
			assert.JSONEq(t, test.object, object)
		}
	}
}

func TestSecretsAreFoundByName(t *testing.T) {
	for _, integrationType := range apifacts.IntegrationTypes {
		config := cfposture.NewConfig(cfposture.IntegrationType(integrationType.Name))
		secrets := cfposture.Secrets(config)
		var names []string
		for _, member := range integrationType.Members {
			if member.Secret {
				names = append(names, member.Name)
				*secrets[member.Name] = cfposture.Secret("new " + member.Name)
			}
		}
		assert.Len(t, secrets, len(names), integrationType.Name)
		text, err := json.Marshal(config)
		require.NoError(t, err)
		for _, name := range names {
			assert.Contains(t, string(text), `"`+name+`":"new `+name+`"`)
		}
	}
	for _, none := range []cfposture.IntegrationConfig{nil, (*cfposture.KolideConfig)(nil), &cfposture.UnknownConfig{Raw: json.RawMessage(`{"client_secret":"x"}`)}} {
		assert.Empty(t, cfposture.Secrets(none))
	}
}
