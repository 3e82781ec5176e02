package posturetest_test

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/posturetest"
)

// outcomes sends requests one after another and returns the status of each, 0 for a cut connection.
func (a *api) outcomes(requests ...*http.Request) (statuses []int) {
	a.t.Helper()
	for _, r := range requests {
		got, err := a.try(r)
		if err != nil {
			require.ErrorIs(a.t, err, io.EOF)
		}
		statuses = append(statuses, got.status)
	}
	return statuses
}

func TestInjectAimsFaults(t *testing.T) {
	a := newAPI(t)
	rule := rulesPath + "/" + a.create(rulesPath, aRule)
	integration := integrationsPath + "/" + a.create(integrationsPath, kolide)
	requests := map[string]func() *http.Request{
		"posture.list":        func() *http.Request { return a.request(http.MethodGet, rulesPath, "") },
		"posture.create":      func() *http.Request { return a.request(http.MethodPost, rulesPath, aRule) },
		"posture.get":         func() *http.Request { return a.request(http.MethodGet, rule, "") },
		"posture.update":      func() *http.Request { return a.request(http.MethodPut, rule, aRule) },
		"integrations.list":   func() *http.Request { return a.request(http.MethodGet, integrationsPath, "") },
		"integrations.create": func() *http.Request { return a.request(http.MethodPost, integrationsPath, kolide) },
		"integrations.get":    func() *http.Request { return a.request(http.MethodGet, integration, "") },
		"integrations.update": func() *http.Request { return a.request(http.MethodPatch, integration, `{}`) },
	}
	cases := map[string]struct {
		fault posturetest.Fault
		met   []string
	}{
		"an operation":      {posturetest.Fault{Operation: "posture.create"}, []string{"posture.create"}},
		"a service":         {posturetest.Fault{Operation: "posture.*"}, []string{"posture.list", "posture.create", "posture.get", "posture.update"}},
		"a verb":            {posturetest.Fault{Operation: "*.list"}, []string{"posture.list", "integrations.list"}},
		"a method":          {posturetest.Fault{Method: "PATCH"}, []string{"integrations.update"}},
		"a path":            {posturetest.Fault{Path: "/accounts/*/devices/posture"}, []string{"posture.list", "posture.create"}},
		"a function":        {posturetest.Fault{Match: func(r *http.Request) bool { return r.Method == "PUT" }}, []string{"posture.update"}},
		"several at once":   {posturetest.Fault{Operation: "*.update", Method: "PUT"}, []string{"posture.update"}},
		"nothing that goes": {posturetest.Fault{Operation: "posture.list", Method: "POST"}, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			c.fault.Status, c.fault.Times = http.StatusTeapot, -1
			a.server.Inject(c.fault)
			defer a.server.ClearFaults()
			var met []string
			for operation, request := range requests {
				if a.outcomes(request())[0] == http.StatusTeapot {
					met = append(met, operation)
				}
			}
			assert.ElementsMatch(t, c.met, met)
		})
	}
	for _, seen := range a.server.Requests() {
		assert.Contains(t, requests, seen.Operation)
	}
}

func TestInjectLetsRequestsThroughFirst(t *testing.T) {
	a := newAPI(t)
	a.server.Inject(posturetest.Fault{Operation: "posture.create", After: 2, Times: 2, Status: 500})
	var statuses []int
	for range 5 {
		statuses = append(statuses, a.outcomes(a.request(http.MethodGet, rulesPath, ""))...) // doesn't count
		statuses = append(statuses, a.outcomes(a.request(http.MethodPost, rulesPath, aRule))...)
	}
	assert.Equal(t, []int{200, 200, 200, 200, 200, 500, 200, 500, 200, 200}, statuses)
	assert.Len(t, a.server.Rules(), 3)
}

func TestInjectSpoilsEveryRequestUntilCleared(t *testing.T) {
	a := newAPI(t)
	a.server.Inject(posturetest.Fault{Times: -1, Cut: posturetest.CutBefore})
	assert.Equal(t, []int{0, 0}, a.outcomes(a.request(http.MethodPost, rulesPath, aRule), a.request(http.MethodPost, rulesPath, aRule)))
	a.server.ClearFaults()
	a.create(rulesPath, aRule)
}

func TestInjectSpoilsOneRequestWithOneFault(t *testing.T) {
	a := newAPI(t)
	a.server.Inject(
		posturetest.Fault{Method: http.MethodPost, Status: 500},
		posturetest.Fault{Status: 418},
		posturetest.Fault{Status: 409},
	)
	get, post := a.request(http.MethodGet, rulesPath, ""), a.request(http.MethodPost, rulesPath, aRule)
	assert.Equal(t, []int{418, 500, 409, 200}, a.outcomes(get, post, get.Clone(t.Context()), get.Clone(t.Context())))
}

func TestInjectShapesTheResponse(t *testing.T) {
	a := newAPI(t)
	a.server.Inject(
		posturetest.Fault{Status: 400, Code: 2046, Message: "invalid credentials"},
		posturetest.Fault{Status: 502, Message: "in an envelope all the same"},
		posturetest.Fault{Status: 200, Body: "<odd>", Header: map[string]string{"Content-Type": "text/odd"}},
		posturetest.Fault{Header: map[string]string{"Ratelimit": `"default";r=0;t=7`}},
		posturetest.Fault{Status: 503, Lost: true},
	)
	got := a.call(http.MethodPost, integrationsPath, kolide)
	a.refused(http.StatusBadRequest, got)
	assert.Equal(t, problem{Code: 2046, Message: "invalid credentials"}, got.Errors[0])
	a.refused(http.StatusBadGateway, a.call(http.MethodPost, integrationsPath, kolide))
	odd, err := a.try(a.request(http.MethodGet, rulesPath, ""))
	require.NoError(t, err)
	assert.Equal(t, "<odd>", odd.body)
	assert.Equal(t, "text/odd", odd.header.Get("Content-Type"))
	limited := a.call(http.MethodGet, rulesPath, "")
	assert.Equal(t, `"default";r=0;t=7`, limited.header.Get("Ratelimit"))
	assert.True(t, limited.Success)
	assert.Empty(t, a.server.Integrations())
	assert.Equal(t, []int{503}, a.outcomes(a.request(http.MethodPost, integrationsPath, kolide)))
	assert.Len(t, a.server.Integrations(), 1)
}

func TestInjectRefusesWhatCannotBeMeant(t *testing.T) {
	for name, fault := range map[string]posturetest.Fault{
		"a malformed operation": {Operation: "posture.["},
		"no operation":          {Operation: "postures.*"},
		"a malformed path":      {Path: "[a-"},
		"a low status":          {Status: 199},
		"a high status":         {Status: 600},
		"a negative start":      {After: -1},
		"an unknown moment":     {Cut: 4},
	} {
		assert.Panics(t, func() { newAPI(t).server.Inject(fault) }, name)
	}
}

func TestParseFaults(t *testing.T) {
	faults, err := posturetest.ParseFaults([]byte(`[
		{"operation": "posture.create", "method": "POST", "path": "/a/*", "after": 2, "times": 3},
		{"status": 400, "code": 2046, "message": "m", "body": "b", "header": {"A": "b"}, "lost": true},
		{"delay": "250ms", "times": -1, "cut": "middle"}, {"cut": "before"}, {"cut": "after"}]`))
	require.NoError(t, err)
	assert.Equal(t, []posturetest.Fault{
		{Operation: "posture.create", Method: http.MethodPost, Path: "/a/*", After: 2, Times: 3},
		{Status: 400, Code: 2046, Message: "m", Body: "b", Header: map[string]string{"A": "b"}, Lost: true},
		{Delay: 250 * time.Millisecond, Times: -1, Cut: posturetest.CutMiddle},
		{Cut: posturetest.CutBefore}, {Cut: posturetest.CutAfter},
	}, faults)

	faults, err = posturetest.ParseFaults([]byte(` {"status": 503} `))
	require.NoError(t, err)
	assert.Equal(t, []posturetest.Fault{{Status: 503}}, faults)
}

func TestParseFaultsSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		``:                               "posturetest: faults: the text is empty",
		`[`:                              "posturetest: faults: unexpected EOF",
		`[] []`:                          "posturetest: faults: more than one JSON value",
		`[{"statuz": 503}]`:              `posturetest: faults: json: unknown field "statuz"`,
		`[{}, {"status": 99}]`:           "posturetest: fault 1: status is 99, not from 200 to 599",
		`[{"delay": "soon"}]`:            `posturetest: fault 0: delay is "soon", not a duration such as 250ms`,
		`[{"delay": 250}]`:               `posturetest: faults: delay: number where string is expected`,
		`{"operation": "postures.*"}`:    `posturetest: fault 0: operation is "postures.*", which is none of integrations.create, integrations.delete, integrations.get, integrations.list, integrations.update, posture.create, posture.delete, posture.get, posture.list, posture.update`,
		`{"cut": "off"}`:                 `posturetest: fault 0: cut is "off": use before, after or middle`,
		`{"path": "[", "operation": ""}`: `posturetest: fault 0: path is "[": syntax error in pattern`,
	} {
		_, err := posturetest.ParseFaults([]byte(text))
		require.EqualError(t, err, want, text)
	}
}

func TestFaultsFromEnv(t *testing.T) {
	t.Setenv(posturetest.FaultsVariable, "")
	faults, err := posturetest.FaultsFromEnv()
	require.NoError(t, err)
	assert.Empty(t, faults)

	t.Setenv("POSTURETEST_FAULTS", `{"status": 503, "times": 2}`)
	faults, err = posturetest.FaultsFromEnv()
	require.NoError(t, err)
	a := newAPI(t)
	a.server.Inject(faults...)
	get := a.request(http.MethodGet, rulesPath, "")
	assert.Equal(t, []int{503, 503, 200}, a.outcomes(get, get.Clone(t.Context()), get.Clone(t.Context())))

	t.Setenv("POSTURETEST_FAULTS", `503`)
	_, err = posturetest.FaultsFromEnv()
	require.ErrorContains(t, err, "POSTURETEST_FAULTS: posturetest: faults: ")
}

// control sends a request to a control path and returns the status and the body.
func (a *api) control(method, path, body string) (int, string) {
	a.t.Helper()
	r := a.request(method, "", body)
	r.URL.Path = path
	r.Header.Del("Authorization")
	got, err := a.try(r)
	require.NoError(a.t, err)
	return got.status, got.body
}

func TestControlPathsTakeFaults(t *testing.T) {
	a := newAPI(t, posturetest.WithControl())
	status, _ := a.control(http.MethodPost, "/posturetest/faults", `{"operation": "posture.*", "status": 503, "times": 2, "delay": "1ms", "cut": "after"}`)
	assert.Equal(t, http.StatusNoContent, status)
	_, waiting := a.control(http.MethodGet, "/posturetest/faults", "")
	assert.JSONEq(t, `[{"operation": "posture.*", "status": 503, "times": 2, "delay": "1ms", "cut": "after"}]`, waiting)
	assert.Equal(t, []int{0}, a.outcomes(a.request(http.MethodPost, rulesPath, aRule)))

	status, _ = a.control(http.MethodDelete, "/posturetest/faults", "")
	assert.Equal(t, http.StatusNoContent, status)
	_, waiting = a.control(http.MethodGet, "/posturetest/faults", "")
	assert.JSONEq(t, `[]`, waiting)
	a.create(rulesPath, aRule)

	status, problem := a.control(http.MethodPost, "/posturetest/faults", `[{"statuz": 1}]`)
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, problem, "statuz")
}

func TestControlPathsTellAndReset(t *testing.T) {
	a := newAPI(t, posturetest.WithControl())
	_, seen := a.control(http.MethodGet, "/posturetest/requests", "")
	assert.JSONEq(t, `[]`, seen)
	a.create(integrationsPath, kolide)
	_, seen = a.control(http.MethodGet, "/posturetest/requests", "")
	assert.Contains(t, seen, `"operation":"integrations.create","method":"POST","path":"`+integrationsPath+`"`)
	assert.NotContains(t, seen, noSecretOut)
	assert.NotContains(t, seen, posturetest.APIToken)
	assert.Len(t, a.server.Requests(), 1, "control paths are not recorded")

	status, _ := a.control(http.MethodPost, "/posturetest/reset", "")
	assert.Equal(t, http.StatusNoContent, status)
	assert.Empty(t, a.server.Integrations())
	status, help := a.control(http.MethodPut, "/posturetest/faults", "")
	assert.Equal(t, http.StatusNotFound, status)
	assert.Contains(t, help, "GET, POST and DELETE faults")
}

func TestControlPathsAreOffByDefault(t *testing.T) {
	a := newAPI(t)
	status, body := a.control(http.MethodGet, "/posturetest/faults", "")
	assert.Equal(t, http.StatusBadRequest, status, "credentials come first, as everywhere")
	assert.Contains(t, body, "6003")
}

func TestOnChangeIsToldBeforeAChangeIsMade(t *testing.T) {
	var changes []posturetest.Change
	a := newAPI(t, posturetest.WithOnChange(func(c posturetest.Change) error {
		changes = append(changes, c)
		return nil
	}))
	rule := a.create(rulesPath, aRule)
	a.succeed(http.MethodPut, rulesPath+"/"+rule, `{"name":"n","type":"warp"}`)
	integration := a.create(integrationsPath, `{"config":{"client_id":"c","client_secret":"hidden","region":"eu"},"interval":"10m","name":"k","type":"kolide"}`)
	a.succeed(http.MethodDelete, rulesPath+"/"+rule, "")

	a.succeed(http.MethodGet, rulesPath, "")                  // changes nothing
	a.succeed(http.MethodDelete, rulesPath+"/"+missing, "")   // likewise
	a.refused(400, a.call(http.MethodPost, rulesPath, `{}`))  // likewise
	a.server.AddRule([]byte(aRule))                           // no request
	a.server.FailNext(1, 500)                                 // not carried out
	a.refused(500, a.call(http.MethodPost, rulesPath, aRule)) // likewise
	a.server.LoseNext(1, 500)                                 // carried out
	a.refused(500, a.call(http.MethodPost, rulesPath, aRule)) // likewise
	assert.Len(t, changes, 5)

	var operations []string
	for _, c := range changes {
		operations = append(operations, c.Operation)
	}
	assert.Equal(t, []string{"posture.create", "posture.update", "integrations.create", "posture.delete", "posture.create"}, operations)
	assert.Equal(t, rule, changes[0].ID)
	assert.JSONEq(t, `{"enabled":true,"expiration":null,"id":"`+rule+`","name":"n","schedule":"5m","type":"warp"}`, string(changes[1].JSON))
	assert.Equal(t, integration, changes[2].ID)
	assert.Contains(t, string(changes[2].JSON), `{"config":{"client_id":"c","region":"eu"},`, "all but the secret")
	assert.Equal(t, posturetest.Change{Operation: "posture.delete", ID: rule}, changes[3])
}

func TestOnChangeThatFailsPreventsTheChange(t *testing.T) {
	var failure error
	a := newAPI(t, posturetest.WithOnChange(func(posturetest.Change) error { return failure }))
	rule := a.create(rulesPath, aRule)
	before := a.server.Rules()
	failure = errors.New("the disk is full")
	for _, r := range []*http.Request{
		a.request(http.MethodPost, rulesPath, aRule),
		a.request(http.MethodPut, rulesPath+"/"+rule, `{"name":"n","type":"warp"}`),
		a.request(http.MethodDelete, rulesPath+"/"+rule, ""),
	} {
		got := a.send(r)
		a.refused(http.StatusInternalServerError, got)
		assert.Contains(t, got.Errors[0].Message, "the disk is full")
	}
	assert.Equal(t, before, a.server.Rules())
}

func TestCostDoesNotGrowWithTheRulesStored(t *testing.T) {
	cost := func(stored int) map[string]float64 {
		server := posturetest.NewServer(posturetest.InMemory())
		defer server.Close()
		server.KeepRequests(1)
		integration := server.AddIntegration([]byte(`{"type":"kolide"}`))
		body := ruleBody("kolide", `{"auth_state":["Good"],"connection_id":"`+integration+`"}`)
		for range stored {
			server.AddRule([]byte(body))
		}
		a := &api{t: t, server: server, client: &http.Client{Transport: server.Transport()}}
		rule := rulesPath + "/" + a.create(rulesPath, body)
		return map[string]float64{
			"create and delete": testing.AllocsPerRun(20, func() {
				a.succeed(http.MethodDelete, rulesPath+"/"+a.create(rulesPath, body), "")
			}),
			"update":                testing.AllocsPerRun(20, func() { a.succeed(http.MethodPut, rule, body) }),
			"get":                   testing.AllocsPerRun(20, func() { a.succeed(http.MethodGet, rule, "") }),
			"an integration in use": testing.AllocsPerRun(20, func() { a.call(http.MethodDelete, integrationsPath+"/"+integration, "") }),
		}
	}
	few, many := cost(1), cost(5000)
	for operation := range few {
		assert.InDelta(t, few[operation], many[operation], few[operation]/10, operation)
	}
}
