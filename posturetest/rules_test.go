package posturetest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/internal/apifacts"
	"github.com/cfposture/cfposture/posturetest"
)

const uuidV4 = `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`

func TestEveryRuleTypeIsCreatedReadReplacedAndDeleted(t *testing.T) {
	for _, ruleType := range apifacts.RuleTypes {
		t.Run(ruleType.Name, func(t *testing.T) {
			a := newAPI(t)
			a.server.AddIntegration([]byte(`{"id":"` + apifacts.ConnectionID + `"}`))

			created := a.succeed(http.MethodPost, rulesPath, string(ruleType.Sample()))
			id := idOf(t, created)
			assert.Regexp(t, uuidV4, id)
			assert.NotEqual(t, ruleType.SampleID(), id, "the API chooses the ID")
			want := strings.Replace(string(ruleType.Sample()), ruleType.SampleID(), id, 1)
			assert.Equal(t, want, created, "member for member in alphabetical order")

			item := rulesPath + "/" + id
			assert.Equal(t, created, a.succeed(http.MethodGet, item, ""))
			assert.Equal(t, "["+created+"]", a.succeed(http.MethodGet, rulesPath, ""))

			replaced := a.succeed(http.MethodPut, item, ruleBody(ruleType.Name, ruleType.Minimal))
			assert.Equal(t, replaced, a.succeed(http.MethodGet, item, ""))
			assert.NotContains(t, replaced, "description")

			assert.Equal(t, `{"id":"`+id+`"}`, a.succeed(http.MethodDelete, item, ""))
			a.refused(http.StatusNotFound, a.call(http.MethodGet, item, ""))
			assert.Empty(t, a.server.Rules())
		})
	}
}

func ruleBody(ruleType, input string) string {
	if input == "" {
		return fmt.Sprintf(`{"name":"n","type":%q}`, ruleType)
	}
	return fmt.Sprintf(`{"name":"n","type":%q,"input":%s}`, ruleType, input)
}

func TestPutResetsWhatItLeavesOutAndKeepsTheID(t *testing.T) {
	a := newAPI(t)
	id := a.create(rulesPath, `{"type":"file","name":"n","description":"d","expiration":"1h","schedule":"1h","extra":1,
		"match":[{"platform":"mac"}],"input":{"path":"/a","sha256":"b"}}`)

	got := a.succeed(http.MethodPut, rulesPath+"/"+id, `{"id":"another","type":"file","name":"m","input":{"path":"/b"}}`)
	assert.Equal(t, `{"enabled":true,"expiration":null,"id":"`+id+`","input":{"path":"/b"},"name":"m","schedule":"5m","type":"file"}`, got)
}

func TestUnknownMembersAndDigitsAreKept(t *testing.T) {
	a := newAPI(t)
	id := a.create(rulesPath, `{"z":12345678901234567890,"type":"client_certificate_v2","name":"<&>\u2028",
		"match":[{"platform":"mac","since":1.10}],
		"input":{"zz":{"b":1e400,"a":null},"running":true,"flavor":null,"certificate_id":"c","check_private_key":true,
			"locations":{"paths":[],"depth":1.0}},
		"a":[1.10,{"y":1,"x":2}]}`)

	want := `{"a":[1.10,{"y":1,"x":2}],"enabled":true,"expiration":null,"id":"` + id + `","input":{"certificate_id":"c","check_private_key":true,"flavor":null,` +
		`"locations":{"paths":[],"depth":1.0},"running":true,"zz":{"b":1e400,"a":null}},` +
		`"match":[{"platform":"mac","since":1.10}],"name":"<&>\u2028","schedule":"5m","type":"client_certificate_v2",` +
		`"z":12345678901234567890}`
	assert.Equal(t, want, a.succeed(http.MethodGet, rulesPath+"/"+id, ""))
	assert.Equal(t, []json.RawMessage{json.RawMessage(want)}, a.server.Rules())
}

func TestWhatTheLiveAPITakesIsTaken(t *testing.T) {
	cases := map[string]string{
		"no name":                    `{"type":"gateway"}`,
		"empty name":                 `{"type":"gateway","name":""}`,
		"null name":                  `{"type":"gateway","name":null}`,
		"no input":                   `{"type":"warp"}`,
		"null input":                 `{"type":"tanium","input":null}`,
		"null members":               `{"type":"file","match":null,"schedule":null,"input":{"path":"/a","exists":null}}`,
		"empty texts":                `{"type":"file","schedule":"","expiration":"","input":{"path":"/a","operating_system":""}}`,
		"input of a gateway rule":    `{"type":"gateway","input":{"enabled":false}}`,
		"members of another type":    `{"type":"warp","input":{"checkDisks":[],"operating_system":7}}`,
		"least schedule":             `{"type":"gateway","schedule":"1m"}`,
		"long schedule":              `{"type":"gateway","schedule":"24h","expiration":"90s"}`,
		"score of a gateway rule":    `{"type":"gateway","input":{"score":101}}`,
		"total_score with decimals":  `{"type":"tanium","input":{"total_score":85.5}}`,
		"tanium without anything":    `{"type":"tanium","input":{}}`,
		"certificate for all usages": `{"type":"client_certificate_v2","input":{"certificate_id":"c","check_private_key":false,"extended_key_usage":[]}}`,
	}
	for _, platform := range apifacts.Platforms {
		cases["os_version on "+platform] = `{"type":"os_version","input":{"operator":"<","version":"1","operating_system":"` + platform + `"}}`
		cases["match "+platform] = `{"type":"warp","match":[{"platform":"` + platform + `"},{}]}`
	}
	for name, body := range cases {
		t.Run(name, func(t *testing.T) {
			rule := newAPI(t).succeed(http.MethodPost, rulesPath, body)
			assert.Contains(t, rule, `"name":""`)
			assert.NotContains(t, strings.Replace(rule, `"expiration":null`, "", 1), "null")
		})
	}
}

func TestDocumentedInputsWithoutOperatingSystemAreTaken(t *testing.T) {
	for _, ruleType := range apifacts.RuleTypes {
		for _, m := range ruleType.Members {
			if m.Name == "operating_system" && !m.Demanded() {
				assert.NotContains(t, ruleType.Minimal, "operating_system")
				newAPI(t).succeed(http.MethodPost, rulesPath, ruleBody(ruleType.Name, ruleType.Minimal))
			}
		}
	}
}

func TestRulesThatBreakTheDocumentsAreRefusedAtTheMember(t *testing.T) {
	long := strings.Repeat("x", 37)
	cases := map[string]struct {
		body     string
		pointers []string
	}{
		"empty body":              {``, []string{"/"}},
		"not JSON":                {`{"type":`, []string{"/"}},
		"more than JSON":          {`{"type":"warp"} {}`, []string{"/"}},
		"an array":                {`[{"type":"warp"}]`, []string{"/"}},
		"null":                    {`null`, []string{"/"}},
		"no type":                 {`{}`, []string{"/type"}},
		"empty type":              {`{"type":""}`, []string{"/type"}},
		"unknown type":            {`{"type":"floppy","input":{"path":1}}`, []string{"/type"}},
		"type of a wrong type":    {`{"type":1}`, []string{"/type"}},
		"name of a wrong type":    {`{"type":"warp","name":1}`, []string{"/name"}},
		"input of a wrong type":   {`{"type":"file","input":"/bin/cat"}`, []string{"/input"}},
		"match of a wrong type":   {`{"type":"warp","match":{"platform":"mac"}}`, []string{"/match"}},
		"match of no objects":     {`{"type":"warp","match":["mac",null]}`, []string{"/match/0", "/match/1"}},
		"unknown platform":        {`{"type":"warp","match":[{"platform":"mac"},{"platform":"beos"}]}`, []string{"/match/1/platform"}},
		"ID too long":             {`{"type":"warp","id":"` + long + `"}`, []string{"/id"}},
		"schedule too short":      {`{"type":"warp","schedule":"59s"}`, []string{"/schedule"}},
		"schedule unreadable":     {`{"type":"warp","schedule":"daily"}`, []string{"/schedule"}},
		"schedule negative":       {`{"type":"warp","schedule":"-5m"}`, []string{"/schedule"}},
		"expiration negative":     {`{"type":"warp","expiration":"-5m"}`, []string{"/expiration"}},
		"expiration unreadable":   {`{"type":"warp","expiration":"1 hour"}`, []string{"/expiration"}},
		"input missing":           {`{"type":"disk_encryption"}`, []string{"/input"}},
		"input null":              {`{"type":"unique_client_id","input":null}`, []string{"/input"}},
		"required member missing": {`{"type":"file","input":{}}`, []string{"/input/path"}},
		"required member empty":   {`{"type":"file","input":{"path":""}}`, []string{"/input/path"}},
		"required member null":    {`{"type":"firewall","input":{"enabled":null}}`, []string{"/input/enabled"}},
		"boolean as text":         {`{"type":"file","input":{"path":"/a","exists":"true"}}`, []string{"/input/exists"}},
		"text as number":          {`{"type":"kolide","input":{"issue_count":3}}`, []string{"/input/connection_id", "/input/issue_count"}},
		"number as text":          {`{"type":"antivirus","input":{"update_window_days":"7"}}`, []string{"/input/update_window_days"}},
		"unknown platform of it":  {`{"type":"firewall","input":{"enabled":true,"operating_system":"linux"}}`, []string{"/input/operating_system"}},
		"unknown operator":        {`{"type":"os_version","input":{"operator":"=","version":"1"}}`, []string{"/input/operator"}},
		"array as text":           {`{"type":"disk_encryption","input":{"checkDisks":"C"}}`, []string{"/input/checkDisks"}},
		"array of numbers":        {`{"type":"disk_encryption","input":{"checkDisks":["C",1,null]}}`, []string{"/input/checkDisks/1", "/input/checkDisks/2"}},
		"list ID too long":        {`{"type":"serial_number","input":{"id":"` + long + `"}}`, []string{"/input/id"}},
		"score too low":           {`{"type":"custom_s2s","input":{"connection_id":"c","operator":"<","score":-0.1}}`, []string{"/input/connection_id", "/input/score"}},
		"score too high":          {`{"type":"custom_s2s","input":{"connection_id":"c","operator":"<","score":100.1}}`, []string{"/input/connection_id", "/input/score"}},
		"deep member":             {`{"type":"client_certificate_v2","input":{"certificate_id":"c","check_private_key":true,"locations":{"trust_stores":["user","root"]}}}`, []string{"/input/locations/trust_stores/1"}},
		"no such integration":     {`{"type":"intune","input":{"connection_id":"c","compliance_status":"compliant"}}`, []string{"/input/connection_id"}},
		"element twice":           {`{"type":"kolide","input":{"connection_id":"c","auth_state":["Good","Blocked","Good"]}}`, []string{"/input/connection_id", "/input/auth_state/2"}},
		"everything at once":      {`{"name":1,"type":"firewall","schedule":"1s","input":{"operating_system":"ios"}}`, []string{"/name", "/schedule", "/input/enabled", "/input/operating_system"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			a.refused(http.StatusBadRequest, a.call(http.MethodPost, rulesPath, c.body), c.pointers...)
			assert.Empty(t, a.server.Rules())

			const before = `{"id":"r","name":"kept"}`
			id := a.server.AddRule([]byte(before))
			a.refused(http.StatusBadRequest, a.call(http.MethodPut, rulesPath+"/"+id, c.body), c.pointers...)
			assert.Equal(t, []json.RawMessage{json.RawMessage(before)}, a.server.Rules())
		})
	}
}

func TestRequiredMembersOfEveryInputAreRequired(t *testing.T) {
	for _, ruleType := range apifacts.RuleTypes {
		for _, m := range ruleType.Members {
			if !m.Demanded() {
				continue
			}
			t.Run(ruleType.Name+" without "+m.Name, func(t *testing.T) {
				a := newAPI(t)
				a.server.AddIntegration([]byte(`{"id":"` + apifacts.ConnectionID + `"}`))
				got := a.call(http.MethodPost, rulesPath, ruleBody(ruleType.Name, without(t, ruleType.Input, m.Name)))
				a.refused(http.StatusBadRequest, got, "/input/"+m.Name)
			})
		}
	}
}

func TestScoreTakesItsBounds(t *testing.T) {
	a := newAPI(t)
	a.server.AddIntegration([]byte(`{"id":"c"}`))
	for _, score := range []string{"0", "0.0", "99.99", "100", "1e2"} {
		rule := a.succeed(http.MethodPost, rulesPath, `{"type":"custom_s2s","input":{"connection_id":"c","operator":"<","score":`+score+`}}`)
		assert.Contains(t, rule, `"score":`+score+`}`)
	}
}

func without(t *testing.T, raw string, names ...string) string {
	t.Helper()
	var o map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(raw), &o))
	maps.DeleteFunc(o, func(member string, _ json.RawMessage) bool { return slices.Contains(names, member) })
	left, err := json.Marshal(o)
	require.NoError(t, err)
	return string(left)
}

func TestTypeOfARuleCannotBeChanged(t *testing.T) {
	a := newAPI(t)
	id := a.create(rulesPath, `{"type":"warp"}`)
	a.refused(http.StatusBadRequest, a.call(http.MethodPut, rulesPath+"/"+id, `{"type":"gateway"}`), "/type")
	assert.Contains(t, string(a.server.Rules()[0]), `"type":"warp"`)
}

func TestUnknownRulesAreNotFound(t *testing.T) {
	a := newAPI(t)
	a.server.SetBehavior(posturetest.Behavior{DeleteMissingRule: http.StatusNotFound})
	known := a.create(rulesPath, `{"type":"warp"}`)
	for _, id := range []string{"f174e90a-fafe-4643-bbbc-4a0ed4fc8415", known + "/", known + "/" + known, known + "%2F", "%2e%2e", "..", "a%2Fb", "%20", "integration%2F", strings.Repeat("x", 400)} {
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete} {
			a.refused(http.StatusNotFound, a.call(method, rulesPath+"/"+id, `{"type":"warp"}`))
		}
	}
	assert.Len(t, a.server.Rules(), 1)
}

func TestAddRuleTakesAnythingThatIsJSON(t *testing.T) {
	a := newAPI(t)
	const strange = `{"type": "floppy", "id": "x", "input": "7"}`
	assert.Equal(t, "x", a.server.AddRule([]byte(strange)))
	number := a.server.AddRule([]byte(`42`))
	given := a.server.AddRule([]byte(`{"type":"warp","a":1.0}`))
	assert.Regexp(t, uuidV4, number)
	assert.Regexp(t, uuidV4, given)

	assertBytes(t, strange, a.succeed(http.MethodGet, rulesPath+"/x", ""))
	assert.Equal(t, `42`, a.succeed(http.MethodGet, rulesPath+"/"+number, ""))
	assert.Equal(t, `{"a":1.0,"id":"`+given+`","type":"warp"}`, a.succeed(http.MethodGet, rulesPath+"/"+given, ""))
	a.succeed(http.MethodPut, rulesPath+"/"+number, `{"type":"warp"}`)

	a.server.AddRule([]byte(`{"id":"x","second":true}`))
	assert.Len(t, a.server.Rules(), 3)
	assert.JSONEq(t, `{"id":"x","second":true}`, string(a.server.Rules()[0]), "the same ID, the same place")
	assert.Panics(t, func() { a.server.AddRule([]byte(`{`)) })
}

func TestRulesReturnsCopies(t *testing.T) {
	a := newAPI(t)
	raw := []byte(`{"id":"x"}`)
	a.server.AddRule(raw)
	raw[2] = '!'
	a.server.Rules()[0][2] = '!'
	assertBytes(t, `{"id":"x"}`, a.server.Rules()[0])
}

func TestListsComeInPagesWhenAsked(t *testing.T) {
	cases := map[string]struct {
		rules, pageSize  int
		query            string
		first, count     int
		page, per, pages int
		unpaged          bool
	}{
		"nothing stored":                 {rules: 0, query: "", unpaged: true},
		"everything":                     {rules: 45, query: "", first: 0, count: 45, unpaged: true},
		"few":                            {rules: 3, query: "?unrelated=1", first: 0, count: 3, unpaged: true},
		"a page of the usual size":       {rules: 45, query: "?page=3", first: 40, count: 5, page: 3, per: 20, pages: 3},
		"a page of the size asked for":   {rules: 45, query: "?page=2&per_page=10", first: 10, count: 10, page: 2, per: 10, pages: 5},
		"the first of the size":          {rules: 45, query: "?per_page=10", first: 0, count: 10, page: 1, per: 10, pages: 5},
		"past the end":                   {rules: 45, query: "?page=9", page: 9, per: 20, pages: 3},
		"far past the end":               {rules: 45, query: "?page=2147483647&per_page=2147483647", page: 2147483647, per: 2147483647, pages: 1},
		"the server's size":              {rules: 5, pageSize: 2, query: "", first: 0, count: 2, page: 1, per: 2, pages: 3},
		"the server's size, last page":   {rules: 5, pageSize: 2, query: "?page=3", first: 4, count: 1, page: 3, per: 2, pages: 3},
		"asked for in spite of its size": {rules: 5, pageSize: 2, query: "?per_page=4", first: 0, count: 4, page: 1, per: 4, pages: 2},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			for i := range c.rules {
				a.server.AddRule(fmt.Appendf(nil, `{"id":"%d"}`, i))
			}
			a.server.SetPageSize(c.pageSize)

			got := a.call(http.MethodGet, rulesPath+c.query, "")
			var items []struct{ ID string }
			require.NoError(t, json.Unmarshal(got.Result, &items))
			require.Len(t, items, c.count)
			for i, item := range items {
				assert.Equal(t, strconv.Itoa(c.first+i), item.ID)
			}
			if c.unpaged {
				assert.Nil(t, got.ResultInfo)
				return
			}
			assert.Equal(t, map[string]int{
				"page": c.page, "per_page": c.per, "count": c.count, "total_count": c.rules, "total_pages": c.pages,
			}, got.ResultInfo)
		})
	}
}

func TestPagesThatAreNoNumbersAreRefused(t *testing.T) {
	a := newAPI(t)
	for _, query := range []string{"page=0", "page=-1", "page=x", "page=", "per_page=0", "per_page=99999999999"} {
		a.refused(http.StatusBadRequest, a.call(http.MethodGet, rulesPath+"?"+query, ""))
	}
}

func TestRuleKeepsItsPlaceInTheList(t *testing.T) {
	a := newAPI(t)
	var ids []string
	for range 4 {
		ids = append(ids, a.create(rulesPath, `{"type":"warp"}`))
	}
	a.succeed(http.MethodPut, rulesPath+"/"+ids[0], `{"type":"warp","name":"changed"}`)
	a.succeed(http.MethodDelete, rulesPath+"/"+ids[2], "")

	var got []string
	for _, rule := range a.server.Rules() {
		got = append(got, idOf(t, string(rule)))
	}
	assert.Equal(t, slices.Delete(ids, 2, 3), got)
}
