package cfposture_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
)

func TestParseRuleTakesEverySample(t *testing.T) {
	for _, ruleType := range apifacts.RuleTypes {
		want := ruleOf(t, string(ruleType.Sample()))
		rule, err := cfposture.ParseRule(ruleType.Sample())
		require.NoError(t, err, ruleType.Name)
		assert.Equal(t, want, rule)
		if ruleType.Input != "" {
			input, err := cfposture.ParseInput(want.Type, []byte(ruleType.Input))
			require.NoError(t, err, ruleType.Name)
			assert.Equal(t, want.Input, input)
		}
	}
	for _, integrationType := range apifacts.IntegrationTypes {
		want := integrationOf(t, string(integrationType.SampleRequest()))
		integration, err := cfposture.ParseIntegration(integrationType.SampleRequest())
		require.NoError(t, err, integrationType.Name)
		assert.Equal(t, want, integration)
		config, err := cfposture.ParseConfig(want.Type, []byte(integrationType.Config))
		require.NoError(t, err, integrationType.Name)
		assert.Equal(t, want.Config, config)
	}
}

//nolint:misspell // that is what it is about
func TestParseRuleNamesEverythingThatIsWrong(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"misspelled": {`{"name":"n","type":"warp","schedul":"5m"}`, `invalid rule "n" (warp): schedul is no member of a rule: did you mean schedule?`},
		"misspelled in the input": {`{"type":"file","input":{"path":"/x","operating_sytem":"mac"}}`,
			`invalid rule (file): input.operating_sytem is no member of file: did you mean operating_system?`},
		"other case": {`{"name":"Disk encrypted","type":"disk_encryption","input":{"require_all":true}}`,
			`invalid rule "Disk encrypted" (disk_encryption): input.require_all is no member of disk_encryption: did you mean requireAll?`},
		"misspelled in a match": {`{"type":"warp","match":[{"platform":"mac"},{"platfrom":"mac"}]}`, `invalid rule (warp): match[1].platfrom is no member of match: did you mean platform?`},
		"misspelled in an object": {`{"type":"client_certificate_v2","input":{"certificate_id":"c","check_private_key":true,"locations":{"path":["/x"]}}}`,
			`invalid rule (client_certificate_v2): input.locations.path is no member of locations: did you mean paths?`},
		"no name":          {`{"type":"warp","":1,"schedule":"1s"}`, `invalid rule (warp): "" is no member of a rule; schedule "1s" is below the minimum of 1m`},
		"without an input": {`{"type":"file","path":"/x"}`, `invalid rule (file): path is no member of a rule: did you mean input.path?; input is required`},
		"on another level": {`{"type":"file","path":"/x","input":{"path":"/y"}}`, `invalid rule (file): path is no member of a rule: did you mean input.path?`},
		"nothing near":     {`{"type":"warp","frequency":"5m"}`, `invalid rule (warp): frequency is no member of a rule`},
		"number for text": {`{"type":"os_version","input":{"operator":">=","version":15.0}}`,
			`invalid rule (os_version): input.version is a number where a string is expected: put it in quotes`},
		"text for a boolean": {`{"type":"firewall","input":{"enabled":"true"}}`, `invalid rule (firewall): input.enabled is a string where true or false is expected: leave out the quotes`},
		"text for a list":    {`{"type":"warp","match":"mac"}`, `invalid rule (warp): match is a string where an array is expected`},
		"text for an object": {`{"type":"file","input":"/x"}`, `invalid rule (file): input is a string where an object is expected`},
		"missing":            {`{"type":"firewall","input":{}}`, `invalid rule (firewall): input.enabled is required`},
		"missing input":      {`{"type":"file","input":null}`, `invalid rule (file): input is required`},
		"unknown type":       {`{"name":"n","type":"disk_encription","input":{"x":1}}`, `invalid rule "n" (disk_encription): type "disk_encription" is not a type of rule: did you mean disk_encryption?`},
		"unlike any type":    {`{"type":"quantum"}`, `invalid rule (quantum): type "quantum" is not a type of rule`},
		"no type":            {`{"input":{"path":"/x"}}`, `invalid rule: type is required`},
		"type of a kind":     {`{"type":5,"input":{"path":"/x"}}`, `invalid rule: type is a number where a string is expected: put it in quotes`},
		"twice":              {`{"type":"warp","name":"a","name":"b"}`, `invalid rule "a" (warp): name appears twice`},
		"too large a number": {`{"type":"antivirus","input":{"update_window_days":12345678901234567890}}`, `invalid rule (antivirus): input.update_window_days is a number that doesn't fit a float64`},
		"several on several levels": {`{"name":7,"type":"custom_s2s","schedule":"10s","scheduel":"5m","match":[{"platform":1},{"os":2}],"input":{"operator":"=>","score":"70","conection_id":"c"}}`,
			`invalid rule (custom_s2s): name is a number where a string is expected: put it in quotes; match[0].platform is a number where a string is expected: put it in quotes; ` +
				`input.score is a string where a number is expected: leave out the quotes; input.conection_id is no member of custom_s2s: did you mean connection_id?; ` +
				`match[1].os is no member of match; scheduel is no member of a rule: did you mean schedule?; ` +
				`schedule "10s" is below the minimum of 1m; input.connection_id is required; input.operator "=>" is none of <, <=, >, >=, ==`},
		"no JSON":         {"{\n  \"name\": \"n\",\n  oops\n}", `invalid rule: the document is not valid JSON: line 3, column 3: `},
		"half of it":      {`{"name":`, `invalid rule: the document is not valid JSON: line 1, column 9: unexpected EOF`},
		"nothing":         {``, `invalid rule: the document is not valid JSON: line 1, column 1: unexpected EOF`},
		"two documents":   {`{"type":"warp"} {}`, `invalid rule: the document is not valid JSON: line 1, column `},
		"no UTF-8":        {"{\"type\":\"warp\",\"name\":\"\xff\"}", `invalid rule: the document is not valid JSON: line 1, column 24: `},
		"YAML":            {"name: n\ntype: warp\n", `invalid rule: the document is not valid JSON: line 1, column `},
		"null":            {`null`, `invalid rule: the document is null where an object is expected`},
		"a list":          {`[{"type":"warp"}]`, `invalid rule: the document is an array where an object is expected`},
		"a secret's name": {`{"type":"warp","\u0000\n":1}`, `invalid rule (warp):    is no member of a rule`},
	} {
		t.Run(name, func(t *testing.T) {
			rule, err := cfposture.ParseRule([]byte(test.text))
			require.Error(t, err)
			assert.Nil(t, rule)
			var invalid *cfposture.ValidationError
			require.ErrorAs(t, err, &invalid)
			assert.NotEmpty(t, invalid.Problems)
			if strings.HasSuffix(test.want, " ") {
				assert.Contains(t, err.Error(), "cfposture: "+test.want)
			} else {
				assert.Equal(t, "cfposture: "+test.want, err.Error())
			}
		})
	}
}

func TestParseRuleTakesWhatIsAllowed(t *testing.T) {
	const text = `{"type":"file","later":1,"match":[{"platform":"mac","later":2}],"input":{"path":"/x","flavor":"f"}}`
	for _, allow := range [][]string{{"*"}, {"later", "match.later", "input.flavor"}, {"later", "match[0].later", "input.flavor"}} {
		rule, err := cfposture.ParseRule([]byte(text), allow...)
		require.NoError(t, err, allow)
		assert.Equal(t, []string{"input.flavor", "later", "match[0].later"}, rule.UnknownMembers())
		again, err := cfposture.ParseRule([]byte(text), rule.UnknownMembers()...)
		require.NoError(t, err)
		assert.Equal(t, rule, again)
	}
	for allowed, want := range map[string]string{
		"later":        "input.flavor is no member of file; match[0].later is no member of match",
		"match.later":  "input.flavor is no member of file; later is no member of a rule",
		"input.flavor": "later is no member of a rule; match[0].later is no member of match",
		"flavor":       "input.flavor is no member of file; later is no member of a rule; match[0].later is no member of match",
	} {
		_, err := cfposture.ParseRule([]byte(text), allowed)
		require.EqualError(t, err, "cfposture: invalid rule (file): "+want)
	}

	rule, err := cfposture.ParseRule([]byte(`{"type":"quantum","input":{"a":1}}`), "*")
	require.NoError(t, err)
	assert.Equal(t, &cfposture.UnknownInput{Type: "quantum", Raw: json.RawMessage(`{"a":1}`), Reason: `type "quantum" is not a type of rule`}, rule.Input)
	_, err = cfposture.ParseRule([]byte(`{"type":"file","input":{"path":5,"x":1}}`), "*", "input.path")
	require.EqualError(t, err, "cfposture: invalid rule (file): input.path is a number where a string is expected: put it in quotes")
}

func TestParseInputAndConfigNameWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		`{"require_all":true}`: "require_all is no member of disk_encryption: did you mean requireAll?",
		`{"requireAll":"yes"}`: "requireAll is a string where true or false is expected: leave out the quotes",
		`"all"`:                "the document is a string where an object is expected",
		`{`:                    "the document is not valid JSON: line 1, column 2: unexpected EOF",
	} {
		input, err := cfposture.ParseInput(cfposture.RuleTypeDiskEncryption, []byte(text))
		require.EqualError(t, err, "cfposture: invalid input (disk_encryption): "+want)
		assert.Nil(t, input)
	}
	for _, allowed := range []string{"flavor", "input.flavor", "*"} {
		input, err := cfposture.ParseInput(cfposture.RuleTypeFile, []byte(` {"path":"/x","flavor":1} `), allowed)
		require.NoError(t, err)
		assert.Equal(t, "/x", input.(*cfposture.FileInput).Path)
	}
	_, err := cfposture.ParseInput("fle", []byte(`{}`))
	require.EqualError(t, err, `cfposture: invalid input (fle): type "fle" is not a type of rule: did you mean file?`)
	input, err := cfposture.ParseInput("quantum", []byte(`{"a":1}`), "*")
	require.NoError(t, err)
	assert.JSONEq(t, `{"a":1}`, string(input.(*cfposture.UnknownInput).Raw))

	config, err := cfposture.ParseConfig(cfposture.IntegrationTypeKolide, []byte(`{"client_id":"i","client_secrt":"hidden"}`))
	require.EqualError(t, err, "cfposture: invalid config (kolide): client_secrt is no member of kolide: did you mean client_secret?; client_secret is required")
	assert.Nil(t, config)
	config, err = cfposture.ParseConfig(cfposture.IntegrationTypeKolide, []byte(`{"client_id":"i","client_secret":"s","region":"eu"}`), "config.region")
	require.NoError(t, err)
	assert.Equal(t, cfposture.Secret("s"), config.(*cfposture.KolideConfig).ClientSecret)
	_, err = cfposture.ParseConfig("kolid", []byte(`{}`))
	require.EqualError(t, err, `cfposture: invalid config (kolid): type "kolid" is not a type of integration: did you mean kolide?`)
}

func TestParseIntegrationNamesEverythingThatIsWrong(t *testing.T) {
	_, err := cfposture.ParseIntegration([]byte(`{"name":"K","type":"kolide","interval":10,"api_url":"u","client_id":"i","config":{"client_id":5,"clientSecret":"hidden"}}`))
	require.EqualError(t, err, `cfposture: invalid integration "K" (kolide): interval is a number where a string is expected: put it in quotes; `+
		`config.client_id is a number where a string is expected: put it in quotes; api_url is no member of an integration; client_id is no member of an integration: did you mean config.client_id?; `+
		`config.clientSecret is no member of kolide: did you mean client_secret?; config.client_secret is required`)
	assert.NotContains(t, err.Error(), "hidden")
	integration, err := cfposture.ParseIntegration([]byte(`{"type":"kolide","interval":"10m","x":1,"config":{"client_id":"i","client_secret":"s","y":2}}`), "x", "config.y")
	require.NoError(t, err)
	assert.Equal(t, []string{"config.y", "x"}, integration.UnknownMembers())
}

func TestUnknownMembersOfWhatHasNone(t *testing.T) {
	assert.Empty(t, new(cfposture.Rule).UnknownMembers())
	assert.Empty(t, (&cfposture.Rule{Input: (*cfposture.FileInput)(nil)}).UnknownMembers())
	assert.Empty(t, ruleOf(t, `{"type":"quantum","input":{"a":1}}`).UnknownMembers(), "Raw has them")
	assert.Empty(t, new(cfposture.Integration).UnknownMembers())
}

// What ParseRule takes, json.Unmarshal takes as well, and what it refuses is refused for a reason.
func FuzzParseRule(f *testing.F) {
	for _, ruleType := range apifacts.RuleTypes {
		f.Add(ruleType.Sample())
		f.Add([]byte(withUnknown(string(ruleType.Sample()))))
	}
	f.Add([]byte(`{"name":7,"type":"file","match":[{"os":2}],"input":{"path":1,"path":2}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, allow := range [][]string{nil, {"*"}} {
			strict, err := cfposture.ParseRule(data, allow...)
			if err != nil {
				var invalid *cfposture.ValidationError
				require.True(t, errors.As(err, &invalid) && len(invalid.Problems) > 0, "%v", err)
				continue
			}
			assert.Equal(t, ruleOf(t, string(data)), strict)
			require.NoError(t, strict.Validate())
			assert.Empty(t, strict.Diff(strict.Clone()))
			if allow == nil {
				assert.Empty(t, strict.UnknownMembers())
			}
		}
	})
}
