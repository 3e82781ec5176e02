package posturetest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cfposture/cfposture/internal/apifacts"
	"github.com/cfposture/cfposture/posturetest"
)

// The tests here are the facts known of the live API, one by one, each with the other side of Behavior if it is open.

const missing = "f174e90a-fafe-4643-bbbc-4a0ed4fc8415" // the ID of nothing

func behaving(t *testing.T, b posturetest.Behavior) *api {
	t.Helper()
	return newAPI(t, posturetest.WithBehavior(b))
}

func TestFactExpirationIsNullIfUnset(t *testing.T) {
	a := newAPI(t)
	for _, body := range []string{`{"type":"warp"}`, `{"type":"warp","expiration":""}`, `{"type":"warp","expiration":null}`} {
		assert.Contains(t, a.succeed(http.MethodPost, rulesPath, body), `"expiration":null`, body)
	}
	assert.Contains(t, a.succeed(http.MethodPost, rulesPath, `{"type":"warp","expiration":"1h"}`), `"expiration":"1h"`)
}

func TestFactCheckDisksIsAnEmptyArrayIfUnset(t *testing.T) {
	a := newAPI(t)
	for _, input := range []string{`{"requireAll":true}`, `{"checkDisks":null,"requireAll":true}`} {
		rule := a.succeed(http.MethodPost, rulesPath, `{"type":"disk_encryption","input":`+input+`}`)
		assert.Contains(t, rule, `"input":{"checkDisks":[],"requireAll":true}`)
	}
	assert.Contains(t, a.succeed(http.MethodPost, rulesPath, `{"type":"disk_encryption","input":{"checkDisks":["C"]}}`), `{"checkDisks":["C"]}`)
}

func TestFactEnabledIsComputed(t *testing.T) {
	cases := map[string]struct{ ruleType, input, want string }{
		"any rule":                     {"warp", "", "true"},
		"a firewall rule for off":      {"firewall", `{"enabled":false}`, "true"},
		"a Kolide rule":                {"kolide", `{"connection_id":"c","auth_state":["Good"]}`, "true"},
		"a Kolide rule by issue_count": {"kolide", `{"connection_id":"c","countOperator":"<","issue_count":"3"}`, "false"},
		"an empty issue_count":         {"kolide", `{"connection_id":"c","auth_state":["Good"],"issue_count":""}`, "true"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			a.server.AddIntegration([]byte(`{"id":"c"}`))
			body := ruleBody(c.ruleType, c.input)
			for _, sent := range []string{"", `"enabled":false,`, `"enabled":true,`, `"enabled":"odd",`} {
				rule := a.succeed(http.MethodPost, rulesPath, strings.Replace(body, "{", "{"+sent, 1))
				assert.Contains(t, rule, `{"enabled":`+c.want+`,`, "whatever was sent: %s", sent)
				rule = a.succeed(http.MethodPut, rulesPath+"/"+idOf(t, rule), strings.Replace(body, "{", "{"+sent, 1))
				assert.Contains(t, rule, `{"enabled":`+c.want+`,`, "whatever was sent: %s", sent)
			}
		})
	}
}

func TestFactReadOnlyMembersAreIgnoredOrRefused(t *testing.T) {
	integration := strings.Replace(kolide, `{`, `{"identifier":"i","schema":1,"test_results":[],`, 1)

	a := newAPI(t)
	assert.Contains(t, a.succeed(http.MethodPost, integrationsPath, integration), `"identifier":"",`)

	a = behaving(t, posturetest.Behavior{RefuseReadOnly: true})
	a.refused(http.StatusBadRequest, a.call(http.MethodPost, rulesPath, `{"type":"warp","enabled":true}`), "/enabled")
	a.refused(http.StatusBadRequest, a.call(http.MethodPost, integrationsPath, integration), "/identifier", "/schema", "/test_results")
	id := a.create(rulesPath, `{"type":"warp"}`)
	a.succeed(http.MethodPut, rulesPath+"/"+id, `{"id":"`+id+`","type":"warp"}`)
}

func TestFactDeleteOfAMissingRuleIs200(t *testing.T) {
	a := newAPI(t)
	assert.JSONEq(t, `{"id":"`+missing+`"}`, a.succeed(http.MethodDelete, rulesPath+"/"+missing, ""))

	a = behaving(t, posturetest.Behavior{DeleteMissingRule: http.StatusNotFound})
	a.refused(http.StatusNotFound, a.call(http.MethodDelete, rulesPath+"/"+missing, ""))
}

func TestFactDeleteOfAMissingIntegrationIsOpen(t *testing.T) {
	a := newAPI(t)
	a.refused(http.StatusNotFound, a.call(http.MethodDelete, integrationsPath+"/"+missing, ""))

	a = behaving(t, posturetest.Behavior{DeleteMissingIntegration: http.StatusOK})
	assert.Equal(t, "null", a.succeed(http.MethodDelete, integrationsPath+"/"+missing, ""))
}

func TestFactMissingRuleHasCode6024AndAnOpenStatus(t *testing.T) {
	for configured, want := range map[int]int{0: 404, 400: 400, 404: 404} {
		a := behaving(t, posturetest.Behavior{NotFoundStatus: configured})
		for _, method := range []string{http.MethodGet, http.MethodPut} {
			got := a.call(method, rulesPath+"/"+missing, `{"type":"warp"}`)
			a.refused(want, got)
			assert.Equal(t, 6024, got.Errors[0].Code)
		}
	}
}

func TestFactConfigsInResponsesHaveThreeMembers(t *testing.T) {
	for _, integrationType := range apifacts.IntegrationTypes {
		a := newAPI(t)
		got := a.succeed(http.MethodPost, integrationsPath, string(integrationType.SampleRequest()))
		want := without(t, integrationType.Config, "access_client_id", "access_client_secret", "client_key", "client_secret", "customer_id")
		assert.Contains(t, got, `{"config":`+want+`,`, integrationType.Name)

		a = behaving(t, posturetest.Behavior{ConfigMembers: []string{"customer_id", "access_client_id"}})
		got = a.succeed(http.MethodPost, integrationsPath, string(integrationType.SampleRequest()))
		assert.Contains(t, got, `{"config":`+integrationType.Answer+`,`, integrationType.Name)
	}
}

func TestFactIntegrationsHaveEmptyMembersThatOnlyTheAPISets(t *testing.T) {
	got := newAPI(t).succeed(http.MethodPost, integrationsPath, kolide)
	assert.Contains(t, got, `"identifier":"",`)
	assert.Contains(t, got, `"schema":{},"test_results":{},`)
}

func TestFactResponsesMayLeaveMembersOut(t *testing.T) {
	const body = `{"type":"os_version","input":{"operator":"<","version":"1.2.3"}}`
	a := newAPI(t)
	assert.Contains(t, a.succeed(http.MethodPost, rulesPath, body), `"version":"1.2.3"`)

	a = behaving(t, posturetest.Behavior{OmittedMembers: posturetest.OmittedMembers()})
	rule := a.succeed(http.MethodPost, rulesPath, body)
	assert.Contains(t, rule, `"input":{}`, "operator is one of SentinelOne's members")
	assert.Contains(t, a.succeed(http.MethodGet, rulesPath, ""), `"input":{}`)
	assert.Contains(t, a.succeed(http.MethodPost, rulesPath, `{"type":"warp"}`), `"type":"warp"`)

	a.server.SetBehavior(posturetest.Behavior{})
	assert.Contains(t, a.succeed(http.MethodGet, rulesPath+"/"+idOf(t, rule), ""), `"version":"1.2.3"`, "it is stored all the same")
}

func TestFactListsHaveNoResultInfoUnlessPagesAreAskedFor(t *testing.T) {
	a := newAPI(t)
	a.create(rulesPath, `{"type":"warp"}`)
	for _, path := range []string{rulesPath, integrationsPath} {
		assert.NotContains(t, a.call(http.MethodGet, path, "").body, "result_info")
		assert.Contains(t, a.call(http.MethodGet, path+"?page=1", "").body, `"result_info":{`)
		assert.Contains(t, a.call(http.MethodGet, path+"?per_page=5", "").body, `"result_info":{`)
	}
	a.server.SetPageSize(1)
	assert.Contains(t, a.call(http.MethodGet, rulesPath, "").body, `"total_pages":1}`)

	a = behaving(t, posturetest.Behavior{ResultInfo: true, NoTotalPages: true})
	assert.Contains(t, a.call(http.MethodGet, rulesPath, "").body, `"result_info":{"count":0,"page":1,"per_page":20,"total_count":0}`)
}

func TestFactQueriesOfListsMayBeIgnored(t *testing.T) {
	a := behaving(t, posturetest.Behavior{IgnoreQuery: true})
	a.create(rulesPath, `{"name":"first","type":"warp"}`)
	a.create(rulesPath, `{"name":"second","type":"warp"}`)
	for _, query := range []string{"?page=2&per_page=1", "?page=odd"} {
		got := a.succeed(http.MethodGet, rulesPath+query, "")
		assert.Contains(t, got, `"first"`)
		assert.Contains(t, got, `"second"`)
	}
	a.server.SetPageSize(1)
	got := a.call(http.MethodGet, rulesPath+"?page=2", "")
	assert.Contains(t, got.body, `"first"`, "always the first page")
	assert.Equal(t, 2, got.ResultInfo["total_pages"])
}

func TestFactListOfIntegrationsIsTextPlain(t *testing.T) {
	a := newAPI(t)
	list := func(accept string) string {
		r := a.request(http.MethodGet, integrationsPath, "")
		if accept != "" {
			r.Header.Set("Accept", accept)
		}
		return a.send(r).header.Get("Content-Type")
	}
	assert.Equal(t, "text/plain", list(""))
	assert.Equal(t, "text/plain", list("*/*"))
	assert.Equal(t, "application/json", list("application/json"), "what official clients need")
	assert.Equal(t, "application/json", a.call(http.MethodGet, rulesPath, "").header.Get("Content-Type"))
	assert.Equal(t, "application/json", a.call(http.MethodPost, integrationsPath, kolide).header.Get("Content-Type"))

	for _, configured := range []string{"text/plain", "application/json"} {
		a.server.SetBehavior(posturetest.Behavior{IntegrationsContentType: configured})
		assert.Equal(t, configured, list(""))
		assert.Equal(t, configured, list("application/json"))
	}
}

func TestFactPatchTakesAPartOfAConfig(t *testing.T) {
	for _, integrationType := range apifacts.IntegrationTypes {
		for _, member := range integrationType.Members {
			t.Run(integrationType.Name+"/"+member.Name, func(t *testing.T) {
				a := newAPI(t)
				item := integrationsPath + "/" + a.create(integrationsPath, string(integrationType.SampleRequest()))
				a.succeed(http.MethodPatch, item, `{"config":{"`+member.Name+`":"new"}}`)
				want := without(t, integrationType.Config, member.Name)
				want = strings.Replace(want, "{", `{"`+member.Name+`":"new",`, 1)
				assert.JSONEq(t, strings.Replace(want, ",}", "}", 1), storedConfig(t, a), "the rest stays, secrets too")

				a.succeed(http.MethodPatch, item, `{"config":`+integrationType.Config+`}`)
				assert.JSONEq(t, integrationType.Config, storedConfig(t, a), "a whole one works as well")
				a.refused(http.StatusBadRequest, a.call(http.MethodPatch, item, `{"config":{"`+member.Name+`":7}}`), "/config/"+member.Name)
			})
		}
	}
}

func TestFactPatchMayNeedAWholeConfig(t *testing.T) {
	a := behaving(t, posturetest.Behavior{WholeConfigs: true})
	item := integrationsPath + "/" + a.create(integrationsPath, kolide)
	a.refused(http.StatusBadRequest, a.call(http.MethodPatch, item, `{"config":{"client_secret":"new"}}`), "/config/client_id")
	a.succeed(http.MethodPatch, item, `{"config":{"client_id":"d","client_secret":"new"}}`)
	assert.JSONEq(t, `{"client_id":"d","client_secret":"new"}`, storedConfig(t, a))
	a.succeed(http.MethodPatch, item, `{"name":"other"}`)
	assert.JSONEq(t, `{"client_id":"d","client_secret":"new"}`, storedConfig(t, a))
}

// storedConfig returns the config of the one integration, secrets included.
func storedConfig(t *testing.T, a *api) string {
	t.Helper()
	integrations := a.server.ListIntegrations()
	if !assert.Len(t, integrations, 1) {
		return ""
	}
	return string(encode(t, integrations[0].Config))
}

func TestFactRulesNeedAnInput(t *testing.T) {
	for _, ruleType := range apifacts.RuleTypes {
		a := newAPI(t)
		body := `{"name":"n","type":"` + ruleType.Name + `"}`
		if ruleType.InputOptional {
			a.succeed(http.MethodPost, rulesPath, body)
		} else {
			a.refused(http.StatusBadRequest, a.call(http.MethodPost, rulesPath, body), "/input")
		}
		a.server.SetBehavior(posturetest.Behavior{OptionalInput: true})
		a.succeed(http.MethodPost, rulesPath, body)
	}
}

func TestFactUniqueClientIDNeedsNoOperatingSystem(t *testing.T) {
	a := newAPI(t)
	a.succeed(http.MethodPost, rulesPath, `{"type":"unique_client_id","input":{"id":"list"}}`)
	a.refused(http.StatusBadRequest, a.call(http.MethodPost, rulesPath, `{"type":"unique_client_id","input":{"operating_system":"ios"}}`), "/input/id")
}

func TestFactIntuneKnowsTwoMoreStatuses(t *testing.T) {
	a := newAPI(t)
	a.server.AddIntegration([]byte(`{"id":"c"}`))
	for _, status := range []string{"conflict", "configmanager", "ingraceperiod"} {
		a.succeed(http.MethodPost, rulesPath, ruleBody("intune", `{"connection_id":"c","compliance_status":"`+status+`"}`))
	}
}

func TestFactAuthStatesDoNotRepeat(t *testing.T) {
	a := newAPI(t)
	a.server.AddIntegration([]byte(`{"id":"c"}`))
	a.refused(http.StatusBadRequest, a.call(http.MethodPost, rulesPath,
		ruleBody("kolide", `{"connection_id":"c","auth_state":["Good","Notified","Good"]}`)), "/input/auth_state/2")
}

func TestFactExpirationNotAboveTheScheduleIsOpen(t *testing.T) {
	cases := map[string]struct{ kept, dropped string }{ // by body: the expiration under each policy
		`{"type":"warp","schedule":"24h","expiration":"24h"}`: {`"24h"`, "null"},
		`{"type":"warp","expiration":"4m"}`:                   {`"4m"`, "null"},
		`{"type":"warp","schedule":"24h","expiration":"25h"}`: {`"25h"`, `"25h"`},
	}
	for body, c := range cases {
		a := newAPI(t)
		assert.Contains(t, a.succeed(http.MethodPost, rulesPath, body), `"expiration":`+c.kept, body)
		a.server.SetBehavior(posturetest.Behavior{Expiration: posturetest.DropExpiration})
		assert.Contains(t, a.succeed(http.MethodPost, rulesPath, body), `"expiration":`+c.dropped, body)
		a.server.SetBehavior(posturetest.Behavior{Expiration: posturetest.RefuseExpiration})
		if got := a.call(http.MethodPost, rulesPath, body); c.kept == c.dropped {
			assert.Equal(t, http.StatusOK, got.status, body)
		} else {
			a.refused(http.StatusBadRequest, got, "/expiration")
		}
	}
}

func TestFactDeletionOfAnIntegrationInUseIsOpen(t *testing.T) {
	a := newAPI(t)
	id := a.create(integrationsPath, kolide)
	a.create(rulesPath, ruleBody("kolide", `{"auth_state":["Good"],"connection_id":"`+id+`"}`))
	a.refused(http.StatusConflict, a.call(http.MethodDelete, integrationsPath+"/"+id, ""))
	a.server.SetBehavior(posturetest.Behavior{DeleteInUse: true})
	assert.Equal(t, "null", a.succeed(http.MethodDelete, integrationsPath+"/"+id, ""))
}

func TestFactNamesAreNotUnique(t *testing.T) {
	a := newAPI(t)
	for path, body := range map[string]string{rulesPath: `{"name":"n","type":"warp"}`, integrationsPath: kolide} {
		first := a.create(path, body)
		assert.NotEqual(t, first, a.create(path, body))
	}
}

func TestCodesOfTheFakeAreFarFromTheAPIs(t *testing.T) {
	a := newAPI(t)
	integration := a.create(integrationsPath, kolide)
	a.create(rulesPath, ruleBody("kolide", `{"connection_id":"`+integration+`"}`))
	a.server.FailNext(1, http.StatusTeapot)
	for _, got := range []reply{
		a.call(http.MethodGet, rulesPath, ""),
		a.call(http.MethodPost, rulesPath, `{}`),
		a.call(http.MethodGet, rulesPath+"?page=x", ""),
		a.call(http.MethodGet, integrationsPath+"/"+missing, ""),
		a.call(http.MethodDelete, integrationsPath+"/"+integration, ""),
		a.call(http.MethodPost, rulesPath, strings.Repeat(" ", 1<<20+1)),
	} {
		assert.GreaterOrEqual(t, got.Errors[0].Code, 777000, got.body)
		assert.Less(t, got.Errors[0].Code, 778000, got.body)
	}
}

func TestBehaviorOfNoKindIsRefused(t *testing.T) {
	for name, b := range map[string]posturetest.Behavior{
		"a deletion's status":            {DeleteMissingRule: 204},
		"an integration's":               {DeleteMissingIntegration: 500},
		"a status that can't be sent":    {NotFoundStatus: 100},
		"a status that nobody ever sees": {NotFoundStatus: 600},
	} {
		assert.Panics(t, func() { posturetest.WithBehavior(b) }, name)
		assert.Panics(t, func() { newAPI(t).server.SetBehavior(b) }, name)
	}
}
