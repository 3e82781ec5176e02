package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/cli"
)

// planText plans without an API: from what an account holds and a document, as JSON without the brackets, to what is
// printed.
func planText(t *testing.T, account, document [2]string, vars map[string]string, o options) (string, error) {
	t.Helper()
	var integrations []*cfposture.Integration
	var rules []*cfposture.Rule
	require.NoError(t, json.Unmarshal([]byte("["+account[0]+"]"), &integrations))
	require.NoError(t, json.Unmarshal([]byte("["+account[1]+"]"), &rules))
	have, err := accountState(integrations, rules)
	require.NoError(t, err)
	wanted, err := cli.ReadDocument(strings.NewReader(
		`{"version": 1, "integrations": [` + document[0] + `], "rules": [` + document[1] + `]}`))
	require.NoError(t, err)
	want, err := documentState(wanted, func(name string) string { return vars[name] })
	if err != nil {
		return "", err
	}
	p, err := newPlan(want, have, o)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	require.NoError(t, p.print(&b, func(_ cli.Color, text string) string { return text }))
	return b.String(), nil
}

const nothingToDo = "Plan: nothing to do; "

func TestPlanOfRules(t *testing.T) {
	tests := map[string]struct {
		account, document string
		options           options
		want              string
	}{
		"nothing and nothing": {"", "", options{}, nothingToDo + "0 unchanged.\n"},
		"a new one": {
			"", `{"id":"elsewhere","name":"A","type":"file","input":{"path":"/a"},"match":[{"platform":"mac"}]}`, options{},
			"+ create rule \"A\" (file)\n    input.path  \"/a\"\n    match       [{\"platform\":\"mac\"}]\n    schedule    \"5m\"\n" +
				"Plan: 1 to create; 0 unchanged.\n",
		},
		"the same by ID": {
			`{"id":"1","name":"A","type":"warp","schedule":"5m"}`, `{"id":"1","name":"A","type":"warp"}`, options{}, nothingToDo + "1 unchanged.\n",
		},
		"the same by name and type": {
			`{"id":"1","name":"A","type":"warp","schedule":"5m"}`, `{"id":"2","name":"A","type":"warp"}`, options{}, nothingToDo + "1 unchanged.\n",
		},
		"another name by ID": {
			`{"id":"1","name":"A","type":"warp","schedule":"5m"}`, `{"id":"1","name":"B","type":"warp"}`, options{},
			"~ update rule \"B\" (warp)\n    name  \"A\" -> \"B\"\nPlan: 1 to update; 0 unchanged.\n",
		},
		"the ID goes before the name": {
			`{"id":"1","name":"A","type":"warp"},{"id":"2","name":"B","type":"warp"}`,
			`{"id":"2","name":"A","type":"warp"},{"id":"1","name":"B","type":"warp"}`, options{},
			"~ update rule \"A\" (warp)\n    name  \"B\" -> \"A\"\n~ update rule \"B\" (warp)\n    name  \"A\" -> \"B\"\n" +
				"Plan: 2 to update; 0 unchanged.\n",
		},
		"a member changed, one came, one went": {
			`{"id":"1","name":"A","type":"file","description":"old","expiration":"1h","input":{"path":"/a"}}`,
			`{"name":"A","type":"file","description":"new","input":{"path":"/a","exists":true}}`, options{},
			"~ update rule \"A\" (file)\n    description   \"old\" -> \"new\"\n    expiration    \"1h\" -> nothing\n" +
				"    input.exists  nothing -> true\nPlan: 1 to update; 0 unchanged.\n",
		},
		"values too long for a line stand below each other": {
			`{"id":"1","name":"A","type":"file","input":{"path":"/a","sha256":"` + strings.Repeat("a", 64) + `"}}`,
			`{"name":"A","type":"file","input":{"path":"/a","sha256":"` + strings.Repeat("b", 64) + `"}}`, options{},
			"~ update rule \"A\" (file)\n    input.sha256\n      - \"" + strings.Repeat("a", 64) + "\"\n      + \"" + strings.Repeat("b", 64) + "\"\n" +
				"Plan: 1 to update; 0 unchanged.\n",
		},
		"one that the document doesn't have": {
			`{"id":"1","name":"A","type":"warp"}`, "", options{},
			"  keep   rule \"A\" (warp): not in the document\n" + nothingToDo + "0 unchanged, 1 not in the document.\n",
		},
		"one that the document doesn't have, pruned": {
			`{"id":"1","name":"A","type":"warp"}`, "", options{prune: true},
			"- delete rule \"A\" (warp),\n    1\nPlan: 1 to delete; 0 unchanged.\n",
		},
		"another type": {
			`{"id":"1","name":"A","type":"file","input":{"path":"/a"}}`,
			`{"id":"1","name":"A","type":"application","input":{"path":"/a"}}`, options{},
			"+ create rule \"A\" (application), because the type of\n    1 is not file any more\n    input.path  \"/a\"\n    schedule    \"5m\"\n" +
				"- delete rule \"A\" (file),\n    1, because another takes its place\nPlan: 1 to create, 1 to delete; 0 unchanged.\n",
		},
		"another type, of which the new one was created before an interruption": {
			`{"id":"1","name":"A","type":"file","input":{"path":"/a"}},{"id":"2","name":"A","type":"application","input":{"path":"/a"}}`,
			`{"id":"1","name":"A","type":"application","input":{"path":"/a"}}`, options{},
			"- delete rule \"A\" (file),\n    1, because another takes its place\nPlan: 1 to delete; 1 unchanged.\n",
		},
		"another type, but the old one is in the document by its name": {
			`{"id":"1","name":"A","type":"file","input":{"path":"/a"}}`,
			`{"id":"1","name":"B","type":"application","input":{"path":"/a"}},{"name":"A","type":"file","input":{"path":"/a"}}`, options{},
			"+ create rule \"B\" (application)\n    input.path  \"/a\"\n    schedule    \"5m\"\nPlan: 1 to create; 1 unchanged.\n",
		},
		"a type of the same name is another rule": {
			`{"id":"1","name":"A","type":"file","input":{"path":"/a"}}`, `{"name":"A","type":"warp"}`, options{},
			"+ create rule \"A\" (warp)\n    schedule  \"5m\"\n  keep   rule \"A\" (file): not in the document\n" +
				"Plan: 1 to create; 0 unchanged, 1 not in the document.\n",
		},
		"a type that is not known yet": {
			`{"id":"1","name":"A","type":"quantum","input":{"qubits":1,"state":"up"}}`,
			`{"name":"A","type":"quantum","input":{"qubits":2}}`, options{},
			"~ update rule \"A\" (quantum)\n    input.qubits  1 -> 2\n    input.state   \"up\" -> nothing\nPlan: 1 to update; 0 unchanged.\n",
		},
		"a member that the API may leave out": {
			`{"id":"1","name":"A","type":"crowdstrike_s2s","input":{"connection_id":"gone"}}`,
			`{"id":"1","name":"A","type":"crowdstrike_s2s","input":{"connection_id":"gone","version":"7.1","versionOperator":">="}}`, options{},
			"~ update rule \"A\" (crowdstrike_s2s)\n    input.version          nothing -> \"7.1\"\n" +
				"      (the API may leave it out of its answers, so this may have been done before)\n" +
				"    input.versionOperator  nothing -> \">=\"\nPlan: 1 to update; 0 unchanged.\n",
		},
		"names that would break the line": {
			"", `{"name":"A\n\u001b[2J\u202e","type":"warp"}`, options{},
			"+ create rule \"A\\n\\x1b[2J\\u202e\" (warp)\n    schedule  \"5m\"\nPlan: 1 to create; 0 unchanged.\n",
		},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			got, err := planText(t, [2]string{"", test.account}, [2]string{"", test.document}, nil, test.options)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestWhatMeansTheSameIsNoDifference(t *testing.T) {
	tests := map[string]struct{ account, document string }{
		"the default schedule":             {`"schedule":"5m"`, ``},
		"intervals written in another way": {`"schedule":"1h","expiration":"24h"`, `"schedule":"60m","expiration":"1d"`},
		"null":                             {``, `"description":null`},
		"an empty text":                    {`"description":""`, ``},
		"an empty list":                    {`"input":{"path":"/a","checkDisks":[]}`, `"input":{"path":"/a"}`},
		"an empty match":                   {`"match":[]`, ``},
		"the order of platforms":           {`"match":[{"platform":"mac"},{"platform":"linux"}]`, `"match":[{"platform":"linux"},{"platform":"mac"}]`},
		"operating_system from the API":    {`"input":{"operating_system":"mac","path":"/a"}`, `"input":{"path":"/a"}`},
		"enabled from the API":             {`"input":{"enabled":false,"path":"/a"}`, `"input":{"path":"/a"}`},
		"enabled that the API drops":       {`"input":{"path":"/a"}`, `"input":{"enabled":false,"path":"/a"}`},
		"an input that the API adds":       {`"input":{"enabled":false}`, ``},
		"members of the dashboard's":       {`"input":{"path":"/a","running":true,"flavor":"x"},"made_by":"ui"`, `"input":{"path":"/a"}`},
		"digits":                           {`"input":{"path":"/a","x":[1.50,{"y":100}]}`, `"input":{"path":"/a","x":[1.5,{"y":1e2}]}`},
		"the order of members":             {`"input":{"path":"/a","x":{"a":1,"b":2}}`, `"input":{"x":{"b":2,"a":1},"path":"/a"}`},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			ruleOf := func(members string) string {
				return strings.TrimSuffix(`{"name":"A","type":"file",`+members, ",") + "}"
			}
			account := strings.Replace(ruleOf(test.account), "{", `{"id":"1",`, 1)
			got, err := planText(t, [2]string{"", account}, [2]string{"", ruleOf(test.document)}, nil, options{})
			require.NoError(t, err)
			assert.Equal(t, nothingToDo+"1 unchanged.\n", got)
		})
	}
}

func TestWhatDiffersIsADifference(t *testing.T) {
	tests := map[string]struct{ account, document, want string }{
		"a schedule back to the default": {`"schedule":"1h"`, ``, `schedule  "1h" -> "5m"`},
		"a member of the dashboard's that the document has otherwise": {
			`"input":{"path":"/a","running":true}`, `"input":{"path":"/a","running":false}`, "input.running  true -> false",
		},
		"the order of a list": {
			`"input":{"path":"/a","x":[1,2]}`, `"input":{"path":"/a","x":[2,1]}`, "input.x  [1,2] -> [2,1]",
		},
		"numbers that a float64 can't tell apart": {
			`"input":{"path":"/a","x":9007199254740993}`, `"input":{"path":"/a","x":9007199254740992}`, "9007199254740993 -> 9007199254740992",
		},
		"a text and a number": {`"input":{"path":"/a","x":1}`, `"input":{"path":"/a","x":"1"}`, `1 -> "1"`},
		"operating_system":    {`"input":{"path":"/a","operating_system":"mac"}`, `"input":{"path":"/a","operating_system":"linux"}`, `"mac" -> "linux"`},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			document := strings.TrimSuffix(`{"name":"A","type":"file","input":{"path":"/a"},`+test.document, ",") + "}"
			if strings.Contains(test.document, `"input"`) {
				document = `{"name":"A","type":"file",` + test.document + "}"
			}
			account := `{"id":"1","name":"A","type":"file",` + test.account + "}"
			if !strings.Contains(test.account, `"input"`) {
				account = `{"id":"1","name":"A","type":"file","input":{"path":"/a"},` + test.account + "}"
			}
			got, err := planText(t, [2]string{"", account}, [2]string{"", document}, nil, options{})
			require.NoError(t, err)
			assert.Contains(t, got, test.want)
		})
	}
}

const (
	kolide      = `{"id":"i1","name":"K","type":"kolide","interval":"1h","config":{"client_id":"c"}}`
	kolideRule  = `{"name":"R","type":"kolide","input":{"connection_id":"%s","auth_state":["Good"]}}`
	secretLeaks = "s3cret"
)

func kolideRuleOf(connection string) string { return strings.Replace(kolideRule, "%s", connection, 1) }

func TestPlanOfIntegrations(t *testing.T) {
	vars := map[string]string{"SECRET": secretLeaks, "ID": "c2"}
	withSecret := `{"name":"K","type":"kolide","interval":"1h","config":{"client_id":"c","client_secret":{"$env":"SECRET"}}}`
	tests := map[string]struct {
		account, document [2]string
		options           options
		want              string
	}{
		"unchanged, and without its secret": {
			[2]string{kolide}, [2]string{kolide}, options{}, nothingToDo + "1 unchanged.\n",
		},
		"unchanged, as far as can be known": {
			[2]string{kolide}, [2]string{withSecret}, options{}, nothingToDo + "1 unchanged.\n",
		},
		"unchanged, with a variable that is not set": {
			[2]string{kolide}, [2]string{strings.Replace(withSecret, "SECRET", "UNSET", 1)}, options{}, nothingToDo + "1 unchanged.\n",
		},
		"secrets to be sent all the same": {
			[2]string{kolide}, [2]string{withSecret}, options{sendSecrets: true},
			"~ update integration \"K\" (kolide)\n    config.client_secret  nothing -> [redacted], from $SECRET\nPlan: 1 to update; 0 unchanged.\n",
		},
		"an interval needs no secret": {
			[2]string{kolide}, [2]string{strings.Replace(kolide, "1h", "2h", 1)}, options{},
			"~ update integration \"K\" (kolide)\n    interval  \"1h\" -> \"2h\"\nPlan: 1 to update; 0 unchanged.\n",
		},
		"a config changes": {
			[2]string{kolide}, [2]string{strings.Replace(withSecret, `"client_id":"c"`, `"client_id":{"$env":"ID"}`, 1)}, options{},
			"~ update integration \"K\" (kolide)\n    config.client_id  \"c\" -> [redacted], from $ID\nPlan: 1 to update; 0 unchanged.\n",
		},
		"a new one": {
			[2]string{}, [2]string{withSecret}, options{},
			"+ create integration \"K\" (kolide)\n    config.client_id      \"c\"\n    config.client_secret  [redacted], from $SECRET\n" +
				"    interval              \"1h\"\nPlan: 1 to create; 0 unchanged.\n",
		},
		"a secret in the document itself": {
			[2]string{}, [2]string{strings.Replace(withSecret, `{"$env":"SECRET"}`, `"s3cret"`, 1)}, options{},
			"+ create integration \"K\" (kolide)\n    config.client_id      \"c\"\n    config.client_secret  [redacted]\n" +
				"    interval              \"1h\"\nPlan: 1 to create; 0 unchanged.\n",
		},
		"a rule that names it by its ID elsewhere": {
			[2]string{kolide, `{"id":"1",` + kolideRuleOf("i1")[1:]},
			[2]string{strings.Replace(kolide, "i1", "i9", 1), kolideRuleOf("i9")}, options{}, nothingToDo + "2 unchanged.\n",
		},
		"a rule that names it by its name": {
			[2]string{kolide, `{"id":"1",` + kolideRuleOf("i1")[1:]}, [2]string{kolide, kolideRuleOf("K")}, options{}, nothingToDo + "2 unchanged.\n",
		},
		"a rule that names one that the document doesn't have": {
			[2]string{kolide}, [2]string{"", kolideRuleOf("K")}, options{prune: true},
			"+ create rule \"R\" (kolide)\n    input.auth_state     [\"Good\"]\n    input.connection_id  \"i1\"\n    schedule             \"5m\"\n" +
				"  keep   integration \"K\" (kolide): not in the document\nPlan: 1 to create; 0 unchanged, 1 not in the document.\n",
		},
		"a rule that names a new one": {
			[2]string{}, [2]string{withSecret, kolideRuleOf("K")}, options{},
			"+ create integration \"K\" (kolide)\n    config.client_id      \"c\"\n    config.client_secret  [redacted], from $SECRET\n" +
				"    interval              \"1h\"\n+ create rule \"R\" (kolide)\n    input.auth_state     [\"Good\"]\n" +
				"    input.connection_id  the ID of the new integration \"K\" (kolide)\n    schedule             \"5m\"\n" +
				"Plan: 2 to create; 0 unchanged.\n",
		},
		"another type, and its rule moves along": {
			[2]string{strings.Replace(kolide, `"kolide"`, `"later"`, 1), `{"id":"1",` + kolideRuleOf("i1")[1:]},
			[2]string{`{"id":"i1",` + withSecret[1:], kolideRuleOf("i1")}, options{},
			"+ create integration \"K\" (kolide), because the type of\n    i1 is not later any more\n" +
				"    config.client_id      \"c\"\n    config.client_secret  [redacted], from $SECRET\n    interval              \"1h\"\n" +
				"~ update rule \"R\" (kolide)\n    input.connection_id  \"i1\" -> the ID of the new integration \"K\" (kolide)\n" +
				"- delete integration \"K\" (later),\n    i1, because another takes its place\nPlan: 1 to create, 1 to update, 1 to delete; 0 unchanged.\n",
		},
		"rules go before what they name": {
			[2]string{kolide, `{"id":"1",` + kolideRuleOf("i1")[1:]}, [2]string{}, options{prune: true},
			"- delete rule \"R\" (kolide),\n    1\n- delete integration \"K\" (kolide),\n    i1\nPlan: 2 to delete; 0 unchanged.\n",
		},
		"a rule whose integration is missing, left as it is": {
			[2]string{"", `{"id":"1",` + kolideRuleOf("gone")[1:]}, [2]string{"", kolideRuleOf("gone")}, options{}, nothingToDo + "1 unchanged.\n",
		},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			got, err := planText(t, test.account, test.document, vars, test.options)
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
			assert.NotContains(t, got, secretLeaks)
		})
	}
}

func TestWhatCanNotBeAppliedIsSaidAtOnce(t *testing.T) {
	twoNames := `{"id":"1","name":"A","type":"warp"},{"id":"2","name":"A","type":"warp"}`
	tests := map[string]struct {
		account, document [2]string
		options           options
		want              []string
	}{
		"names that are not unique in the account": {
			[2]string{"", twoNames}, [2]string{"", `{"name":"A","type":"warp"}`}, options{},
			[]string{`the account has the rule "A" (warp) 2 times, so its name doesn't tell which is meant: 1, 2`},
		},
		"names that are not unique in the document": {
			[2]string{}, [2]string{"", twoNames}, options{},
			[]string{`the document has the rule "A" (warp) 2 times, and the account none with their IDs`},
		},
		"IDs that are not unique": {
			[2]string{}, [2]string{"", `{"id":"1","name":"A","type":"warp"},{"id":"1","name":"B","type":"warp"}`}, options{},
			[]string{`the document has the ID 1 twice: rule "A" (warp) and rule "B" (warp)`},
		},
		"a new integration without its secret": {
			[2]string{}, [2]string{kolide}, options{},
			[]string{`the integration "K" (kolide): config.client_secret is needed, and exports hold no secrets: write {"$env": "NAME"} for it`},
		},
		"a new integration whose variable is not set": {
			[2]string{}, [2]string{strings.Replace(kolide, `"c"`, `"c","client_secret":{"$env":"UNSET"}`, 1)}, options{},
			[]string{`the integration "K" (kolide): config.client_secret is needed, and $UNSET is not set`},
		},
		"a config that changes without its secret": {
			[2]string{kolide}, [2]string{strings.Replace(kolide, `"c"`, `"d"`, 1)}, options{},
			[]string{`the integration "K" (kolide): config.client_secret is needed, and exports hold no secrets: write {"$env": "NAME"} for it`},
		},
		"a variable of no secret that is not set": {
			[2]string{kolide}, [2]string{strings.Replace(kolide, `"c"`, `{"$env":"UNSET"}`, 1)}, options{},
			[]string{`integrations[0]: the integration "K" takes config.client_id from $UNSET, which is not set`},
		},
		"an integration that is nowhere": {
			[2]string{}, [2]string{"", kolideRuleOf("Other")}, options{},
			[]string{`the rule "R" (kolide) names the integration "Other", which neither the document nor the account has`},
		},
		"an integration's name that is not unique": {
			[2]string{kolide + "," + strings.Replace(kolide, "i1", "i2", 1)}, [2]string{"", kolideRuleOf("K")}, options{},
			[]string{`the rule "R" (kolide) names the integration "K", and there are several of that name`},
		},
		"an integration that another rule still uses": {
			[2]string{strings.Replace(kolide, `"kolide"`, `"later"`, 1), `{"id":"1",` + kolideRuleOf("i1")[1:]},
			[2]string{strings.Replace(kolide, `"c"`, `"c","client_secret":"x"`, 1)}, options{},
			[]string{`the integration "K" (later) can't be deleted: the rule "R" (kolide) uses it, which the document doesn't have`},
		},
		"everything that is wrong": {
			[2]string{}, [2]string{"", `{"name":"A","type":"file"},{"name":"B","type":"os_version","input":{}},{"name":"C","type":"file","input":{}}`}, options{},
			[]string{`the rule "B" (os_version): input.operator is required; input.version is required`, `the rule "C" (file): input.path is required`},
		},
		"what is no rule": {
			[2]string{}, [2]string{`5`, `"x",{"name":"A"}`}, options{},
			[]string{"integrations[0]: ", "rules[0]: ", `rules[1]: the rule "A" has no type`},
		},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			_, err := planText(t, test.account, test.document, nil, test.options)
			require.Error(t, err)
			assert.Contains(t, err.Error(), "The document can't be applied:\n  - ")
			for _, want := range test.want {
				assert.Contains(t, err.Error(), want)
			}
		})
	}
}

func TestIntegrationsOfOneNameAreToldApartByTheRulesType(t *testing.T) {
	account := kolide + `,{"id":"i2","name":"K","type":"intune","interval":"1h","config":{}}`
	got, err := planText(t, [2]string{account}, [2]string{"", kolideRuleOf("K")}, nil, options{})
	require.NoError(t, err)
	assert.Contains(t, got, `input.connection_id  "i1"`)
}

func TestUpdateSendsWhatTheDashboardAdded(t *testing.T) {
	have := &item{
		kind: rule, typ: "application",
		members: object{"made_by": "ui", "input": object{"path": "/a", "running": true, "operating_system": "mac", "sha256": "x"}},
		unknown: []string{"made_by"}, unknownInner: []string{"running"},
	}
	want := &item{kind: rule, typ: "application", members: object{"input": object{"path": "/b"}}}
	assert.Equal(t, object{"made_by": "ui", "input": object{"path": "/b", "running": true, "operating_system": "mac"}}, withKept(want, have))
	assert.Equal(t, object{"input": object{"path": "/b"}}, want.members, "the document is left as it is")
}

// A list that is missing may have been forgotten; and integrations that are deleted take their secrets along.
func TestPruneLeavesAloneWhatTheDocumentHasNoListOf(t *testing.T) {
	const account = `{"id":"1","name":"A","type":"warp"}`
	have, err := accountState(
		[]*cfposture.Integration{{ID: "i1", Name: "K", Type: "kolide", Interval: "5m"}},
		[]*cfposture.Rule{{ID: "1", Name: "A", Type: "warp"}})
	require.NoError(t, err)
	for document, want := range map[string][]string{
		`{"version":1}`: nil,
		`{"version":1,"rules":[` + account + `]}`:        nil,
		`{"version":1,"rules":[]}`:                       {`delete rule "A" (warp)`},
		`{"version":1,"integrations":[]}`:                {`delete integration "K" (kolide)`},
		`{"version":1,"integrations":[],"rules":[]}`:     {`delete rule "A" (warp)`, `delete integration "K" (kolide)`},
		`{"version":1,"integrations":null,"rules":null}`: nil,
	} {
		wanted, err := cli.ReadDocument(strings.NewReader(document))
		require.NoError(t, err)
		state, err := documentState(wanted, func(string) string { return "" })
		require.NoError(t, err)
		p, err := newPlan(state, have, options{prune: true})
		require.NoError(t, err)
		var steps []string
		for _, s := range p.steps {
			steps = append(steps, s.String())
		}
		assert.Equal(t, want, steps, document)
	}
}
