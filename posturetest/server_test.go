package posturetest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/posturetest"
)

func TestURLIsOnLoopbackBelowTheAPIsBasePath(t *testing.T) {
	assert.Regexp(t, `^http://127\.0\.0\.1:\d+/client/v4$`, newAPI(t).server.URL)
	assert.Regexp(t, `^[0-9a-f]{32}$`, posturetest.AccountID)
}

func TestEveryResponseIsAnEnvelopeInAlphabeticalOrder(t *testing.T) {
	a := newAPI(t)
	list := a.call(http.MethodGet, rulesPath, "")
	assertBytes(t, `{"errors":[],"messages":[],"result":[],"success":true}`, list.body)
	page := a.call(http.MethodGet, rulesPath+"?page=1", "")
	assertBytes(t, `{"errors":[],"messages":[],"result":[],`+
		`"result_info":{"count":0,"page":1,"per_page":20,"total_count":0,"total_pages":0},"success":true}`, page.body)
	missing := a.call(http.MethodGet, rulesPath+"/x", "")
	assert.Regexp(t, `^\{"errors":\[\{"code":\d+,"message":"[^"]+"\}\],"messages":\[\],"result":null,"success":false\}$`, missing.body)

	for _, got := range []reply{list, missing, a.call(http.MethodGet, "/zones", "")} {
		assert.Equal(t, "application/json", got.header.Get("Content-Type"))
		assert.Regexp(t, `^[0-9a-f]{16}-[A-Z]{3}$`, got.header.Get("CF-Ray"))
		assert.Equal(t, `"default";q=1200;w=300`, got.header.Get("Ratelimit-Policy"))
		assert.NotEmpty(t, got.header.Get("Ratelimit"))
	}
	assert.NotEqual(t, list.header.Get("CF-Ray"), missing.header.Get("CF-Ray"))
}

func TestCredentials(t *testing.T) {
	const otherKey = "ffffffffffffffffffffffffffffffffffff0"
	cases := map[string]struct {
		header map[string]string
		status int
		code   int
		chain  []int
	}{
		"token":           {map[string]string{"Authorization": "Bearer " + posturetest.APIToken}, 200, 0, nil},
		"key":             {map[string]string{"X-Auth-Email": posturetest.APIEmail, "X-Auth-Key": posturetest.APIKey}, 200, 0, nil},
		"another token":   {map[string]string{"Authorization": "Bearer another"}, 403, 10000, nil},
		"another key":     {map[string]string{"X-Auth-Email": posturetest.APIEmail, "X-Auth-Key": otherKey}, 403, 10000, nil},
		"another email":   {map[string]string{"X-Auth-Email": "a@b.c", "X-Auth-Key": posturetest.APIKey}, 403, 10000, nil},
		"no bearer":       {map[string]string{"Authorization": posturetest.APIToken}, 400, 6003, []int{6111}},
		"basic":           {map[string]string{"Authorization": "Basic dTpw"}, 400, 6003, []int{6111}},
		"empty token":     {map[string]string{"Authorization": "Bearer "}, 400, 6003, []int{6111}},
		"token with tail": {map[string]string{"Authorization": "Bearer " + posturetest.APIToken + " x"}, 400, 6003, []int{6111}},
		"nothing":         {nil, 400, 6003, []int{6100, 6101}},
		"email alone":     {map[string]string{"X-Auth-Email": posturetest.APIEmail}, 400, 6003, []int{6101}},
		"key alone":       {map[string]string{"X-Auth-Key": posturetest.APIKey}, 400, 6003, []int{6100}},
		"malformed email": {map[string]string{"X-Auth-Email": "me", "X-Auth-Key": posturetest.APIKey}, 400, 6003, []int{6102}},
		"malformed key":   {map[string]string{"X-Auth-Email": posturetest.APIEmail, "X-Auth-Key": "no key"}, 400, 6003, []int{6103}},
		"malformed both":  {map[string]string{"X-Auth-Email": "me", "X-Auth-Key": "no key"}, 400, 6003, []int{6102, 6103}},
		"token counts first": {map[string]string{
			"Authorization": "Bearer another", "X-Auth-Email": posturetest.APIEmail, "X-Auth-Key": posturetest.APIKey,
		}, 403, 10000, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			r := a.request(http.MethodPost, rulesPath, `{"type":"warp"}`)
			r.Header = http.Header{}
			for name, value := range c.header {
				r.Header.Set(name, value)
			}
			got := a.send(r)
			if c.code == 0 {
				assert.Equal(t, c.status, got.status, got.body)
				return
			}
			a.refused(c.status, got)
			assert.Empty(t, a.server.Rules())
			assert.Equal(t, c.code, got.Errors[0].Code)
			var chain []int
			for _, link := range got.Errors[0].ErrorChain {
				chain = append(chain, link.Code)
			}
			assert.Equal(t, c.chain, chain)
		})
	}
}

func TestPathsThatLeadNowhere(t *testing.T) {
	other := strings.Repeat("0", 32)
	cases := map[string]struct {
		path   string
		status int
	}{
		"the base":                   {"", 404},
		"another resource":           {"/zones", 404},
		"another part of it":         {"/accounts/" + posturetest.AccountID + "/devices", 404},
		"another part of devices":    {"/accounts/" + posturetest.AccountID + "/devices/policy", 404},
		"an empty ID":                {rulesPath + "/", 404},
		"an empty integration ID":    {integrationsPath + "/", 404},
		"below a rule":               {rulesPath + "/x/y", 404},
		"below an integration":       {integrationsPath + "/x/y", 404},
		"an account without rights":  {"/accounts/" + other + "/devices/posture", 403},
		"an account that can't be":   {"/accounts/me/devices/posture", 404},
		"no account":                 {"/accounts//devices/posture", 404},
		"an account with a slash":    {"/accounts/a%2Fb/devices/posture", 404},
		"the way to another account": {rulesPath + "/../../../" + other + "/devices/posture", 404},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			a.refused(c.status, a.call(http.MethodGet, c.path, ""))
		})
	}

	t.Run("outside the base", func(t *testing.T) {
		a := newAPI(t)
		r := a.request(http.MethodGet, "", "")
		r.URL.Path = "/elsewhere"
		a.refused(http.StatusNotFound, a.send(r))
	})
}

func TestMethodsThatAnEndpointHasNot(t *testing.T) {
	a := newAPI(t)
	rule := rulesPath + "/" + a.create(rulesPath, `{"type":"warp"}`)
	integration := integrationsPath + "/" + a.create(integrationsPath, kolide)
	for path, allowed := range map[string]string{
		rulesPath:        "GET, POST",
		integrationsPath: "GET, POST",
		rule:             "GET, PUT, DELETE",
		integration:      "GET, PATCH, DELETE",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			if !slices.Contains(strings.Split(allowed, ", "), method) {
				got := a.call(method, path, `{}`)
				a.refused(http.StatusMethodNotAllowed, got)
				assert.Equal(t, allowed, got.header.Get("Allow"))
			}
		}
	}
}

func TestBodyThatIsTooLargeIsRefused(t *testing.T) {
	a := newAPI(t)
	head, tail := `{"type":"warp","description":"`, `"}`
	a.succeed(http.MethodPost, rulesPath, head+strings.Repeat("x", 1<<20-len(head+tail))+tail)
	a.refused(http.StatusRequestEntityTooLarge, a.call(http.MethodPost, rulesPath, head+strings.Repeat("x", 1<<20)+tail))
	assert.Len(t, a.server.Rules(), 1)
}

func TestRequestThatEndsEarlyChangesNothing(t *testing.T) {
	a := newAPI(t)
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimSuffix(strings.TrimPrefix(a.server.URL, "http://"), "/client/v4"))
	require.NoError(t, err)
	_, err = fmt.Fprintf(connection, "POST /client/v4%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: 99\r\n\r\n%s",
		rulesPath, posturetest.APIToken, `{"type":"warp"}`)
	require.NoError(t, err)
	require.NoError(t, connection.Close())
	require.Eventually(t, func() bool { return len(a.server.Requests()) == 1 }, 5*time.Second, time.Millisecond)
	a.server.Close()
	assert.Empty(t, a.server.Rules())
}

func TestKeepRequestsKeepsTheLastOnes(t *testing.T) {
	a := newAPI(t)
	server := a.server
	list := func(perPage int) { a.succeed(http.MethodGet, fmt.Sprintf("%s?per_page=%d", rulesPath, perPage), "") }
	kept := func() (perPage []string) {
		for _, request := range server.Requests() {
			perPage = append(perPage, request.Query.Get("per_page"))
		}
		return perPage
	}
	list(1)
	list(2)
	list(3)
	assert.Equal(t, []string{"1", "2", "3"}, kept(), "all by default")
	server.KeepRequests(2)
	assert.Equal(t, []string{"2", "3"}, kept())
	list(4)
	assert.Equal(t, []string{"3", "4"}, kept())
	server.Reset()
	list(5)
	list(6)
	list(7)
	assert.Equal(t, []string{"5", "6", "7"}, kept())
}

func TestRequestsAreRecordedWithoutSecrets(t *testing.T) {
	a := newAPI(t)
	const rule = `{ "type":"warp", "b":1.10, "a":"<>" }`
	r := a.request(http.MethodPost, rulesPath+"?x=1&x=2", rule)
	r.Header.Set("X-Auth-Key", posturetest.APIKey)
	r.Header.Set("X-Custom", "kept")
	a.send(r)
	a.call(http.MethodPost, integrationsPath, kolide)
	a.call(http.MethodPost, integrationsPath, `{"client\u005fsecret":{"deep":"hidden"},"n":1.10,"list":[{"client_key":""},{"client_key":null}]}`)
	a.call(http.MethodGet, rulesPath+"/a%2Fb%20c", "")

	seen := a.server.Requests()
	require.Len(t, seen, 4)
	assert.Equal(t, http.MethodPost, seen[0].Method)
	assert.Equal(t, rulesPath, seen[0].Path)
	assert.Equal(t, []string{"1", "2"}, seen[0].Query["x"])
	assertBytes(t, rule, seen[0].Body)
	assert.Equal(t, "kept", seen[0].Header.Get("X-Custom"))
	assert.Equal(t, "Bearer [redacted]", seen[0].Header.Get("Authorization"))
	assert.Equal(t, "[redacted]", seen[0].Header.Get("X-Auth-Key"))
	assertBytes(t, strings.Replace(kolide, "hidden", "[redacted]", 1), seen[1].Body)
	assertBytes(t, `{"client_secret":"[redacted]","list":[{"client_key":""},{"client_key":null}],"n":1.10}`, seen[2].Body)
	assert.Equal(t, rulesPath+"/a%2Fb%20c", seen[3].Path)

	seen[0].Body[0], seen[0].Query["x"][0] = '!', "!"
	seen[0].Header.Set("X-Custom", "!")
	again := a.server.Requests()[0] // what it returned were copies
	assertBytes(t, rule, again.Body)
	assert.Equal(t, "1", again.Query.Get("x"))
	assert.Equal(t, "kept", again.Header.Get("X-Custom"))
}

func TestMalformedCredentialsAreNotRecordedEither(t *testing.T) {
	a := newAPI(t)
	r := a.request(http.MethodGet, rulesPath, "")
	r.Header.Set("Authorization", "Token "+posturetest.APIToken)
	a.send(r)
	assert.Equal(t, []string{"[redacted]"}, a.server.Requests()[0].Header["Authorization"])
}

func TestResetForgetsEverything(t *testing.T) {
	a := newAPI(t)
	a.create(rulesPath, `{"type":"warp"}`)
	a.create(integrationsPath, kolide)
	a.server.SetPageSize(1)
	a.server.FailNext(3, http.StatusInternalServerError)
	a.server.SetBehavior(posturetest.Behavior{DeleteMissingRule: http.StatusNotFound})

	a.server.Reset()
	a.succeed(http.MethodDelete, rulesPath+"/"+missing, "")
	a.server.Reset()
	assert.Empty(t, a.server.Rules())
	assert.Empty(t, a.server.Integrations())
	assert.Empty(t, a.server.Requests())
	a.create(rulesPath, `{"type":"warp"}`)
	a.create(rulesPath, `{"type":"warp"}`)
	list := a.call(http.MethodGet, rulesPath, "")
	assert.Nil(t, list.ResultInfo, "no page size")
	assert.Contains(t, list.body, "},{", "both rules")
}

func TestHandlerServesTheSameState(t *testing.T) {
	a := newAPI(t)
	own := httptest.NewServer(a.server.Handler())
	defer own.Close()
	a.create(rulesPath, `{"type":"warp"}`)

	r := a.request(http.MethodDelete, rulesPath+"/"+idOf(t, string(a.server.Rules()[0])), "")
	r.URL.Host = strings.TrimPrefix(own.URL, "http://")
	assert.True(t, a.send(r).Success)
	assert.Empty(t, a.server.Rules())
	assert.Len(t, a.server.Requests(), 2)
}

func TestHandlerNeedsNoServerAtAll(t *testing.T) {
	a := newAPI(t)
	recorder := httptest.NewRecorder()
	a.server.Handler().ServeHTTP(recorder, a.request(http.MethodPost, rulesPath, `{"type":"warp"}`))
	assert.Equal(t, http.StatusOK, recorder.Code)
	assert.Len(t, a.server.Rules(), 1)

	a.server.CutNext(1, posturetest.CutAfter)
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() {
		a.server.Handler().ServeHTTP(httptest.NewRecorder(), a.request(http.MethodPost, rulesPath, `{"type":"warp"}`))
	})
	assert.Len(t, a.server.Rules(), 2)
}

func TestCloseLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	server := posturetest.NewServer()
	address := strings.TrimSuffix(strings.TrimPrefix(server.URL, "http://"), "/client/v4")
	idle, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	require.NoError(t, err)
	defer idle.Close() //nolint:errcheck // the server closed it

	server.DelayNext(1, time.Hour)
	waiting := make(chan error)
	a := &api{t: t, server: server, client: &http.Client{Transport: &http.Transport{}}}
	r := a.request(http.MethodGet, rulesPath, "")
	go func() {
		_, err := a.try(r)
		waiting <- err
	}()
	require.Eventually(t, func() bool { return len(server.Requests()) == 1 }, 5*time.Second, time.Millisecond)

	server.Close()
	server.Close()
	require.Error(t, <-waiting, "the delay ended without a response")
	_, err = idle.Read(make([]byte, 1))
	require.Error(t, err, "the idle connection is closed")
	_, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	require.Error(t, err, "the port is closed")

	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	assert.NotContains(t, string(stacks), "net/http.(*Server).Serve(")
	assert.NotContains(t, string(stacks), "posturetest.(*Server).serve(")
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond) // for net/http's goroutines to return, on both sides
	}
	assert.LessOrEqual(t, runtime.NumGoroutine(), before)
	assert.Len(t, server.Requests(), 1, "what it saw can still be read")
}

func TestConcurrentUse(t *testing.T) {
	a := newAPI(t)
	const workers, each = 16, 20
	bodies := make([]bytes.Buffer, workers)
	var working sync.WaitGroup
	for w := range workers {
		working.Go(func() {
			for i := range each {
				got, err := a.try(a.request(http.MethodPost, rulesPath, fmt.Sprintf(`{"type":"warp","name":"%d-%d"}`, w, i)))
				if err != nil || got.status != http.StatusOK {
					fmt.Fprintln(&bodies[w], got.status, err)
				}
				a.server.Rules()
				a.server.Requests()
				a.server.SetPageSize(w)
				a.server.AddIntegration([]byte(`{}`))
				a.server.DelayNext(1, time.Microsecond)
			}
		})
	}
	working.Wait()
	for i := range bodies {
		assert.Empty(t, bodies[i].String())
	}
	names := map[string]bool{}
	for _, rule := range a.server.Rules() {
		var r struct{ Name string }
		require.NoError(t, json.Unmarshal(rule, &r))
		names[r.Name] = true
	}
	assert.Len(t, names, workers*each)
}
