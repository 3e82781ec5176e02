package apply

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/examples/posturectl/internal/document"
	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
)

// A test has what an account holds and a document: integrations and rules as JSON without the brackets.
type test struct {
	account, document [2]string
	unknown           string // the document's list of what export didn't know, as JSON
	vars              map[string]string
	options           Options
}

// plan plans without an API.
func (c test) plan(t *testing.T) (*Plan, error) {
	t.Helper()
	var integrations []*cfposture.Integration
	var rules []*cfposture.Rule
	require.NoError(t, json.Unmarshal([]byte("["+c.account[0]+"]"), &integrations))
	require.NoError(t, json.Unmarshal([]byte("["+c.account[1]+"]"), &rules))
	unknown := c.unknown
	if unknown == "" {
		unknown = "{}"
	}
	d, err := document.Parse([]byte(
		`{"version": 1, "unknown": ` + unknown + `, "integrations": [` + c.document[0] + `], "rules": [` + c.document[1] + `]}`))
	require.NoError(t, err)
	c.options.Getenv = func(name string) string { return c.vars[name] }
	return newPlan(d, accountState(integrations, rules), c.options)
}

// text returns what is printed.
func (c test) text(t *testing.T) (string, error) {
	t.Helper()
	p, err := c.plan(t)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	require.NoError(t, p.Print(&b, func(_ terminal.Color, text string) string { return text }))
	return b.String(), nil
}

const nothingToDo = "Plan: nothing to do; "

func TestPlanOfRules(t *testing.T) {
	tests := map[string]struct {
		account, document string
		options           Options
		want              string
	}{
		"nothing and nothing": {"", "", Options{}, nothingToDo + "0 unchanged.\n"},
		"a new one": {
			"", `{"id":"elsewhere","name":"A","type":"file","input":{"path":"/a"},"match":[{"platform":"mac"}]}`, Options{},
			"+ create rule \"A\" (file)\n    input.path  \"/a\"\n    match       [{\"platform\":\"mac\"}]\nPlan: 1 to create; 0 unchanged.\n",
		},
		"the same by ID": {
			`{"id":"1","name":"A","type":"warp","schedule":"5m"}`, `{"id":"1","name":"A","type":"warp"}`, Options{}, nothingToDo + "1 unchanged.\n",
		},
		"the same by name and type": {
			`{"id":"1","name":"A","type":"warp","schedule":"5m"}`, `{"id":"2","name":"A","type":"warp"}`, Options{}, nothingToDo + "1 unchanged.\n",
		},
		"another name by ID": {
			`{"id":"1","name":"A","type":"warp","schedule":"5m"}`, `{"id":"1","name":"B","type":"warp"}`, Options{},
			"~ update rule \"B\" (warp)\n    name  \"A\" -> \"B\"\nPlan: 1 to update; 0 unchanged.\n",
		},
		"the ID goes before the name": {
			`{"id":"1","name":"A","type":"warp"},{"id":"2","name":"B","type":"warp"}`,
			`{"id":"2","name":"A","type":"warp"},{"id":"1","name":"B","type":"warp"}`, Options{},
			"~ update rule \"A\" (warp)\n    name  \"B\" -> \"A\"\n~ update rule \"B\" (warp)\n    name  \"A\" -> \"B\"\n" +
				"Plan: 2 to update; 0 unchanged.\n",
		},
		"a member changed, one came, one is left out": {
			`{"id":"1","name":"A","type":"file","description":"old","expiration":"1h","input":{"path":"/a"}}`,
			`{"name":"A","type":"file","description":"new","input":{"path":"/a","exists":true}}`, Options{},
			"~ update rule \"A\" (file)\n    description   \"old\" -> \"new\"\n    input.exists  nothing -> true\nPlan: 1 to update; 0 unchanged.\n",
		},
		"values too long for a line stand below each other": {
			`{"id":"1","name":"A","type":"file","input":{"path":"/a","sha256":"` + strings.Repeat("a", 64) + `"}}`,
			`{"name":"A","type":"file","input":{"path":"/a","sha256":"` + strings.Repeat("b", 64) + `"}}`, Options{},
			"~ update rule \"A\" (file)\n    input.sha256\n      - \"" + strings.Repeat("a", 64) + "\"\n      + \"" + strings.Repeat("b", 64) + "\"\n" +
				"Plan: 1 to update; 0 unchanged.\n",
		},
		"one that the document doesn't have": {
			`{"id":"1","name":"A","type":"warp"}`, "", Options{},
			"  keep   rule \"A\" (warp): not in the document\n" + nothingToDo + "0 unchanged, 1 not in the document.\n",
		},
		"one that the document doesn't have, pruned": {
			`{"id":"1","name":"A","type":"warp"}`, "", Options{Prune: true},
			"- delete rule \"A\" (warp),\n    1\nPlan: 1 to delete; 0 unchanged.\n",
		},
		"what may be a list's own rule, pruned": {
			`{"id":"1","name":"Serials","type":"serial_number","input":{"id":"1"}}`, "", Options{Prune: true},
			"- delete rule \"Serials\" (serial_number),\n    1\n" +
				"    warning: it may be a Gateway list's own rule: without it, policies that use the list may fail\n" +
				"Plan: 1 to delete; 0 unchanged.\n",
		},
		"another type": {
			`{"id":"1","name":"A","type":"file","input":{"path":"/a"}}`,
			`{"id":"1","name":"A","type":"application","input":{"path":"/a"}}`, Options{},
			"+ create rule \"A\" (application), because the type of\n    1 is not file any more\n    input.path  \"/a\"\n" +
				"- delete rule \"A\" (file),\n    1, because another takes its place\nPlan: 1 to create, 1 to delete; 0 unchanged.\n",
		},
		"another type, of which the new one was created before an interruption": {
			`{"id":"1","name":"A","type":"file","input":{"path":"/a"}},{"id":"2","name":"A","type":"application","input":{"path":"/a"}}`,
			`{"id":"1","name":"A","type":"application","input":{"path":"/a"}}`, Options{},
			"- delete rule \"A\" (file),\n    1, because another takes its place\nPlan: 1 to delete; 1 unchanged.\n",
		},
		"another type, but the old one is in the document by its name": {
			`{"id":"1","name":"A","type":"file","input":{"path":"/a"}}`,
			`{"id":"1","name":"B","type":"application","input":{"path":"/a"}},{"name":"A","type":"file","input":{"path":"/a"}}`, Options{},
			"+ create rule \"B\" (application)\n    input.path  \"/a\"\nPlan: 1 to create; 1 unchanged.\n",
		},
		"a type of the same name is another rule": {
			`{"id":"1","name":"A","type":"file","input":{"path":"/a"}}`, `{"name":"A","type":"warp"}`, Options{},
			"+ create rule \"A\" (warp)\n  keep   rule \"A\" (file): not in the document\nPlan: 1 to create; 0 unchanged, 1 not in the document.\n",
		},
		"twins are paired in order": {
			`{"id":"1","name":"A","type":"file","input":{"path":"/a"}},{"id":"2","name":"A","type":"file","input":{"path":"/b"}}`,
			`{"name":"A","type":"file","input":{"path":"/a"}},{"name":"A","type":"file","input":{"path":"/c"}},` +
				`{"name":"A","type":"file","input":{"path":"/d"}}`, Options{},
			"~ update rule \"A\" (file)\n    input.path  \"/b\" -> \"/c\"\n+ create rule \"A\" (file)\n    input.path  \"/d\"\n" +
				"Plan: 1 to create, 1 to update; 1 unchanged.\n",
		},
		"a twin too many is pruned": {
			`{"id":"1","name":"A","type":"warp"},{"id":"2","name":"A","type":"warp"}`, `{"name":"A","type":"warp"}`, Options{Prune: true},
			"- delete rule \"A\" (warp),\n    2\nPlan: 1 to delete; 1 unchanged.\n",
		},
		"a type that is not known yet": {
			`{"id":"1","name":"A","type":"quantum","input":{"qubits":1,"state":"up"}}`,
			`{"name":"A","type":"quantum","input":{"qubits":2}}`, Options{AllowUnknown: true},
			"~ update rule \"A\" (quantum)\n    input.qubits  1 -> 2\nPlan: 1 to update; 0 unchanged.\n",
		},
		"a member that the API may leave out": {
			`{"id":"1","name":"A","type":"os_version","input":{"operator":">="}}`,
			`{"id":"1","name":"A","type":"os_version","input":{"operator":">=","version":"7.1.0"}}`, Options{}, nothingToDo + "1 unchanged.\n",
		},
		"names that would break the line": {
			"", `{"name":"A\n\u001b[2J\u202e","type":"warp"}`, Options{},
			"+ create rule \"A\\n\\x1b[2J\\u202e\" (warp)\nPlan: 1 to create; 0 unchanged.\n",
		},
	}
	for title, c := range tests {
		t.Run(title, func(t *testing.T) {
			got, err := test{account: [2]string{"", c.account}, document: [2]string{"", c.document}, options: c.options}.text(t)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestWhatMeansTheSameIsNoDifference(t *testing.T) {
	tests := map[string]struct{ account, document string }{
		"the default schedule":             {`"schedule":"5m"`, ``},
		"intervals written in another way": {`"schedule":"1h","expiration":"24h"`, `"schedule":"60m","expiration":"24h0m"`},
		"null":                             {``, `"description":null`},
		"an empty text":                    {`"description":""`, ``},
		"an empty match":                   {`"match":[]`, ``},
		"the order of platforms":           {`"match":[{"platform":"mac"},{"platform":"linux"}]`, `"match":[{"platform":"linux"},{"platform":"mac"}]`},
		"operating_system from the API":    {`"input":{"operating_system":"mac","path":"/a"}`, `"input":{"path":"/a"}`},
		"enabled from the API":             {`"enabled":true,"input":{"enabled":false,"path":"/a"}`, `"input":{"path":"/a"}`},
		"enabled in the document":          {`"enabled":true`, `"enabled":false`},
		"members of the dashboard's":       {`"input":{"path":"/a","running":true,"flavor":"x"},"made_by":"ui"`, `"input":{"path":"/a"}`},
		"digits":                           {`"input":{"path":"/a","x":[1.50,{"y":100}]}`, `"input":{"path":"/a","x":[1.5,{"y":1e2}]}`},
		"the order of members":             {`"input":{"path":"/a","x":{"a":1,"b":2}}`, `"input":{"x":{"b":2,"a":1},"path":"/a"}`},
	}
	for title, c := range tests {
		t.Run(title, func(t *testing.T) {
			ruleOf := func(members string) string {
				if !strings.Contains(members, `"input"`) {
					members = strings.TrimPrefix(members+`,"input":{"path":"/a"}`, ",")
				}
				return `{"name":"A","type":"file",` + members + "}"
			}
			got, err := test{
				account:  [2]string{"", strings.Replace(ruleOf(c.account), "{", `{"id":"1",`, 1)},
				document: [2]string{"", ruleOf(c.document)}, options: Options{AllowUnknown: true},
			}.text(t)
			require.NoError(t, err)
			assert.Equal(t, nothingToDo+"1 unchanged.\n", got)
		})
	}
}

const (
	kolide      = `{"id":"i1","name":"K","type":"kolide","interval":"1h","config":{"client_id":"c"}}`
	kolideRule  = `{"name":"R","type":"kolide","input":{"connection_id":"%s","auth_state":["Good"]}}`
	secretLeaks = "s3cret"
	withSecret  = `{"name":"K","type":"kolide","interval":"1h","config":{"client_id":"c","client_secret":{"$env":"SECRET"}}}`
)

func kolideRuleOf(connection string) string { return strings.Replace(kolideRule, "%s", connection, 1) }

func TestPlanOfIntegrations(t *testing.T) {
	longName := strings.Repeat("a long name ", 5)
	tests := map[string]struct {
		account, document [2]string
		options           Options
		want              string
	}{
		"unchanged, and without its secret":      {[2]string{kolide}, [2]string{kolide}, Options{}, nothingToDo + "1 unchanged.\n"},
		"unchanged, as far as can be known":      {[2]string{kolide}, [2]string{withSecret}, Options{}, nothingToDo + "1 unchanged.\n"},
		"unchanged, and its variable is not set": {[2]string{kolide}, [2]string{strings.Replace(withSecret, "SECRET", "UNSET", 1)}, Options{}, nothingToDo + "1 unchanged.\n"},
		"unchanged, but its secret is to be sent": {
			[2]string{kolide}, [2]string{withSecret}, Options{SendSecrets: true},
			"~ update integration \"K\" (kolide)\n    config.client_secret  unknown -> [redacted], from $SECRET\nPlan: 1 to update; 0 unchanged.\n",
		},
		"an interval needs no secret": {
			[2]string{kolide}, [2]string{strings.Replace(kolide, "1h", "2h", 1)}, Options{},
			"~ update integration \"K\" (kolide)\n    interval  \"1h\" -> \"2h\"\nPlan: 1 to update; 0 unchanged.\n",
		},
		"a config changes, and the old value stays hidden as well": {
			[2]string{kolide}, [2]string{strings.Replace(withSecret, `"client_id":"c"`, `"client_id":{"$env":"ID"}`, 1)}, Options{Env: []string{"ID"}},
			"~ update integration \"K\" (kolide)\n    config.client_id      [redacted] -> [redacted], from $ID\n" +
				"    config.client_secret  unknown -> [redacted], from $SECRET\nPlan: 1 to update; 0 unchanged.\n",
		},
		"a new one": {
			[2]string{}, [2]string{withSecret}, Options{},
			"+ create integration \"K\" (kolide)\n    config.client_id      \"c\"\n    config.client_secret  [redacted], from $SECRET\n" +
				"    interval              \"1h\"\nPlan: 1 to create; 0 unchanged.\n",
		},
		"a secret in the document itself": {
			[2]string{}, [2]string{strings.Replace(withSecret, `{"$env":"SECRET"}`, `"s3cret"`, 1)}, Options{},
			"+ create integration \"K\" (kolide)\n    config.client_id      \"c\"\n    config.client_secret  [redacted]\n" +
				"    interval              \"1h\"\nPlan: 1 to create; 0 unchanged.\n",
		},
		"members that the API may leave out": {
			[2]string{`{"id":"i1","name":"C","type":"crowdstrike_s2s","interval":"1h","config":{"api_url":"https://a","client_id":"c"}}`},
			[2]string{`{"name":"C","type":"crowdstrike_s2s","interval":"1h","config":{"api_url":"https://a","client_id":"c","customer_id":"x"}}`},
			Options{}, nothingToDo + "1 unchanged.\n",
		},
		"a rule that names it by its ID elsewhere": {
			[2]string{kolide, `{"id":"1",` + kolideRuleOf("i1")[1:]},
			[2]string{strings.Replace(kolide, "i1", "i9", 1), kolideRuleOf("i9")}, Options{}, nothingToDo + "2 unchanged.\n",
		},
		"a rule that names it by its name": {
			[2]string{kolide, `{"id":"1",` + kolideRuleOf("i1")[1:]}, [2]string{kolide, kolideRuleOf("K")}, Options{}, nothingToDo + "2 unchanged.\n",
		},
		"a name longer than an ID can be": {
			[2]string{strings.Replace(kolide, `"K"`, `"`+longName+`"`, 1), `{"id":"1",` + kolideRuleOf("i1")[1:]},
			[2]string{"", kolideRuleOf(longName)}, Options{},
			"  keep   integration \"" + longName + "\" (kolide): not in the document\n" + nothingToDo + "1 unchanged, 1 not in the document.\n",
		},
		"a rule that names one that the document doesn't have": {
			[2]string{kolide}, [2]string{"", kolideRuleOf("K")}, Options{Prune: true},
			"+ create rule \"R\" (kolide)\n    input.auth_state     [\"Good\"]\n    input.connection_id  \"i1\"\n" +
				"  keep   integration \"K\" (kolide): not in the document\nPlan: 1 to create; 0 unchanged, 1 not in the document.\n",
		},
		"a rule that names a new one": {
			[2]string{}, [2]string{withSecret, kolideRuleOf("K")}, Options{},
			"+ create integration \"K\" (kolide)\n    config.client_id      \"c\"\n    config.client_secret  [redacted], from $SECRET\n" +
				"    interval              \"1h\"\n+ create rule \"R\" (kolide)\n    input.auth_state     [\"Good\"]\n" +
				"    input.connection_id  the ID of the new integration \"K\" (kolide)\nPlan: 2 to create; 0 unchanged.\n",
		},
		"another type, and its rule moves along": {
			[2]string{strings.Replace(kolide, `"kolide"`, `"later"`, 1), `{"id":"1",` + kolideRuleOf("i1")[1:]},
			[2]string{`{"id":"i1",` + withSecret[1:], kolideRuleOf("i1")}, Options{},
			"+ create integration \"K\" (kolide), because the type of\n    i1 is not later any more\n" +
				"    config.client_id      \"c\"\n    config.client_secret  [redacted], from $SECRET\n    interval              \"1h\"\n" +
				"~ update rule \"R\" (kolide)\n    input.connection_id  \"i1\" -> the ID of the new integration \"K\" (kolide)\n" +
				"- delete integration \"K\" (later),\n    i1, because another takes its place\nPlan: 1 to create, 1 to update, 1 to delete; 0 unchanged.\n",
		},
		"rules go before what they name": {
			[2]string{kolide, `{"id":"1",` + kolideRuleOf("i1")[1:]}, [2]string{}, Options{Prune: true},
			"- delete rule \"R\" (kolide),\n    1\n- delete integration \"K\" (kolide),\n    i1\nPlan: 2 to delete; 0 unchanged.\n",
		},
		"a rule whose integration is missing, left as it is": {
			[2]string{"", `{"id":"1",` + kolideRuleOf("gone")[1:]}, [2]string{"", kolideRuleOf("gone")}, Options{}, nothingToDo + "1 unchanged.\n",
		},
	}
	for title, c := range tests {
		t.Run(title, func(t *testing.T) {
			got, err := test{
				account: c.account, document: c.document, options: c.options, vars: map[string]string{"SECRET": secretLeaks, "ID": "c2"},
			}.text(t)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
			assert.NotContains(t, got, secretLeaks)
		})
	}
}

func TestWhatCanNotBeAppliedIsSaidAtOnce(t *testing.T) {
	tests := map[string]struct {
		account, document [2]string
		options           Options
		want              []string
	}{
		"IDs that are not unique": {
			[2]string{}, [2]string{"", `{"id":"1","name":"A","type":"warp"},{"id":"1","name":"B","type":"warp"}`}, Options{},
			[]string{`the document has the ID 1 twice: rule "A" (warp) and rule "B" (warp)`},
		},
		"a new integration without its secret": {
			[2]string{}, [2]string{kolide}, Options{},
			[]string{`the integration "K" (kolide): config.client_secret is needed, and exports hold no secrets: write {"$env": "NAME"} for it`},
		},
		"a new integration whose variable is not set": {
			[2]string{}, [2]string{strings.Replace(withSecret, "SECRET", "UNSET", 1)}, Options{},
			[]string{`the integration "K" (kolide): config.client_secret is needed, and $UNSET is not set`},
		},
		"a config that changes without its secret": {
			[2]string{kolide}, [2]string{strings.Replace(kolide, `"c"`, `"d"`, 1)}, Options{},
			[]string{`the integration "K" (kolide): config.client_secret is needed, and exports hold no secrets: write {"$env": "NAME"} for it`},
		},
		"a variable that is no secret's, and not allowed": {
			[2]string{kolide}, [2]string{strings.Replace(kolide, `"c"`, `{"$env":"HOME"}`, 1)}, Options{},
			[]string{`integrations[0]: the integration "K": config.client_id takes $HOME, and only secrets may do that: give --env HOME if it is meant`},
		},
		"a variable that is allowed, and not set": {
			[2]string{kolide}, [2]string{strings.Replace(kolide, `"c"`, `{"$env":"UNSET"}`, 1)}, Options{Env: []string{"UNSET"}},
			[]string{`integrations[0]: the integration "K": config.client_id takes $UNSET, which is not set`},
		},
		"the API's own credentials": {
			[2]string{}, [2]string{strings.Replace(withSecret, "SECRET", "CLOUDFLARE_API_TOKEN", 1)}, Options{Env: []string{"CLOUDFLARE_API_TOKEN"}},
			[]string{`config.client_secret takes $CLOUDFLARE_API_TOKEN, which may not leave this machine`},
		},
		"a reference that is none": {
			[2]string{}, [2]string{strings.Replace(withSecret, `{"$env":"SECRET"}`, `{"$env":"SECRET","x":1}`, 1)}, Options{},
			[]string{`config.client_secret is no reference to a variable: write {"$env": "NAME"}`},
		},
		"an integration that is nowhere": {
			[2]string{}, [2]string{"", kolideRuleOf("Other")}, Options{},
			[]string{`the rule "R" (kolide) names the integration "Other", which neither the document nor the account has`},
		},
		"an integration's name that is not unique": {
			[2]string{kolide + "," + strings.Replace(kolide, "i1", "i2", 1)}, [2]string{"", kolideRuleOf("K")}, Options{},
			[]string{`the rule "R" (kolide) names the integration "K", and there are several of that name`},
		},
		"an integration that another rule still uses": {
			[2]string{strings.Replace(kolide, `"kolide"`, `"later"`, 1), `{"id":"1",` + kolideRuleOf("i1")[1:]},
			[2]string{strings.Replace(kolide, `"c"`, `"c","client_secret":"x"`, 1)}, Options{},
			[]string{`the integration "K" (later) can't be deleted: the rule "R" (kolide) uses it, which the document doesn't have`},
		},
		"everything that is wrong": {
			[2]string{}, [2]string{"", `{"name":"A","type":"file"},{"name":"B","type":"os_version","input":{}},{"name":"C","type":"file","input":{}}`}, Options{},
			[]string{
				`the rule "B" (os_version): input.operator is needed, and responses of the API may lack it: write it into the document; input.version`,
				`the rule "C" (file): input.path is needed, and responses of the API may lack it: write it into the document`,
			},
		},
		"typing errors": {
			[2]string{}, [2]string{"", `{"name":"A","type":"warp","schedul":"5m"},{"name":"B","type":"disk_encryption","input":{"require_all":true}},` +
				`{"name":"C","type":"wrap"},{"name":"D","type":"os_version","input":{"operator":">=","version":15.1}}`}, Options{},
			[]string{"did you mean schedule?", "did you mean requireAll?", "did you mean warp?", "put it in quotes"},
		},
		"what is no rule": {
			[2]string{}, [2]string{`5`, `"x",{"name":"A"}`}, Options{AllowUnknown: true}, []string{"integrations[0]: ", "rules[0]: ", `rules[1]: `},
		},
	}
	for title, c := range tests {
		t.Run(title, func(t *testing.T) {
			_, err := test{account: c.account, document: c.document, options: c.options}.plan(t)
			require.Error(t, err)
			assert.Contains(t, err.Error(), "the document can't be applied\n")
			for _, want := range c.want {
				assert.Contains(t, err.Error(), want)
			}
		})
	}
}

func TestWhatExportDidNotKnowPasses(t *testing.T) {
	const rules = `{"id":"1","name":"A","type":"file","made_by":"ui","input":{"path":"/a","flavor":"x"},"match":[{"platform":"mac","later":1}]},` +
		`{"id":"2","name":"B","type":"quantum","input":{"qubits":1}},{"id":"3","name":"C","type":"file","input":{"path":5}}`
	_, err := test{document: [2]string{"", rules}}.plan(t)
	require.ErrorContains(t, err, "rules[0]: ")
	require.ErrorContains(t, err, "rules[1]: ")
	require.ErrorContains(t, err, "rules[2]: ")

	listed := test{
		document: [2]string{"", rules},
		unknown:  `{"members":["made_by","input.flavor","match.later"],"items":["2","3"]}`,
	}
	p, err := listed.plan(t)
	require.NoError(t, err)
	assert.Equal(t, 3, p.Len())
	listed.account = listed.document
	p, err = listed.plan(t)
	require.NoError(t, err)
	assert.Zero(t, p.Len())
}

func TestIntegrationsOfOneNameAreToldApartByTheRulesType(t *testing.T) {
	account := kolide + `,{"id":"i2","name":"K","type":"intune","interval":"1h","config":{}}`
	got, err := test{account: [2]string{account}, document: [2]string{"", kolideRuleOf("K")}}.text(t)
	require.NoError(t, err)
	assert.Contains(t, got, `input.connection_id  "i1"`)
}

func TestUpdateKeepsWhatTheDashboardAdded(t *testing.T) {
	p, err := test{
		account: [2]string{"", `{"id":"1","name":"A","type":"application","made_by":"ui",` +
			`"input":{"path":"/a","running":true,"operating_system":"mac","sha256":"x"}}`},
		document: [2]string{"", `{"name":"A","type":"application","input":{"path":"/b"}}`},
	}.plan(t)
	require.NoError(t, err)
	require.Equal(t, 1, p.Len())
	sent, err := json.Marshal(p.steps[0].merged.rule)
	require.NoError(t, err)
	assert.JSONEq(t, `{"id":"1","name":"A","type":"application","made_by":"ui",`+
		`"input":{"path":"/b","running":true,"operating_system":"mac","sha256":"x"}}`, string(sent))
}

func TestConfigIsSentAsAWholeAndOnlyIfItChanges(t *testing.T) {
	p, err := test{
		account:  [2]string{kolide},
		document: [2]string{strings.Replace(withSecret, `"1h"`, `"2h"`, 1)}, vars: map[string]string{"SECRET": "s"},
	}.plan(t)
	require.NoError(t, err)
	assert.Nil(t, p.steps[0].integrationUpdate().Config)
	p, err = test{
		account:  [2]string{kolide},
		document: [2]string{strings.Replace(withSecret, `"c"`, `"d"`, 1)}, vars: map[string]string{"SECRET": "s"},
	}.plan(t)
	require.NoError(t, err)
	change := p.steps[0].integrationUpdate()
	assert.Equal(t, &cfposture.KolideConfig{ClientID: "d", ClientSecret: "s"}, change.Config)
	assert.Nil(t, change.Name)
}

// A list that is missing may have been forgotten; and integrations that are deleted take their secrets along.
func TestPruneLeavesAloneWhatTheDocumentHasNoListOf(t *testing.T) {
	const account = `{"id":"1","name":"A","type":"warp"}`
	have := accountState(
		[]*cfposture.Integration{{ID: "i1", Name: "K", Type: "kolide", Interval: "5m"}},
		[]*cfposture.Rule{{ID: "1", Name: "A", Type: "warp"}})
	for text, want := range map[string][]string{
		`{"version":1}`: nil,
		`{"version":1,"rules":[` + account + `]}`:        nil,
		`{"version":1,"rules":[]}`:                       {`delete rule "A" (warp)`},
		`{"version":1,"integrations":[]}`:                {`delete integration "K" (kolide)`},
		`{"version":1,"integrations":[],"rules":[]}`:     {`delete rule "A" (warp)`, `delete integration "K" (kolide)`},
		`{"version":1,"integrations":null,"rules":null}`: nil,
	} {
		d, err := document.Parse([]byte(text))
		require.NoError(t, err)
		p, err := newPlan(d, have, Options{Prune: true, Getenv: func(string) string { return "" }})
		require.NoError(t, err)
		var steps []string
		for _, s := range p.steps {
			steps = append(steps, s.String())
		}
		assert.Equal(t, want, steps, text)
	}
}
