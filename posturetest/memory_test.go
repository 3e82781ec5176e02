package posturetest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

func TestNewClosesWhenTheTestEnds(t *testing.T) {
	var server *posturetest.Server
	t.Run("a test", func(t *testing.T) {
		server = posturetest.New(t, posturetest.WithBehavior(posturetest.Behavior{DeleteMissingRule: 404}))
		_, err := server.Client().Posture.List(t.Context())
		require.NoError(t, err)
		require.ErrorIs(t, server.Client().Posture.Delete(t.Context(), missing), cfposture.ErrNotFound)
	})
	_, err := server.Client(cfposture.WithMaxRetries(0)).Posture.List(t.Context())
	require.Error(t, err)
}

func TestInMemoryServerHasNoPort(t *testing.T) {
	server := posturetest.New(t, posturetest.InMemory())
	assert.Equal(t, "http://127.0.0.1:0/client/v4", server.URL)
	created, err := server.Client().Posture.Create(t.Context(), &cfposture.Rule{Name: "n", Input: &cfposture.WARPInput{}})
	require.NoError(t, err)
	rules, err := server.Client().Posture.List(t.Context())
	require.NoError(t, err)
	require.Len(t, rules, 1)
	assert.Equal(t, created, rules[0])

	server.Close()
	_, err = server.Client(cfposture.WithMaxRetries(0)).Posture.List(t.Context())
	require.ErrorContains(t, err, "the server is closed")
}

func TestTransportReachesAServerWithAPortToo(t *testing.T) {
	a := newAPI(t)
	a.client = &http.Client{Transport: a.server.Transport()}
	r := a.request(http.MethodPost, rulesPath, aRule)
	r.URL.Host = "api.example.com"
	got := a.send(r)
	assert.Equal(t, http.StatusOK, got.status)
	assert.Len(t, a.server.Rules(), 1)
}

func TestTransportRespondsLikeAConnection(t *testing.T) {
	server := posturetest.New(t, posturetest.InMemory())
	a := &api{t: t, server: server, client: &http.Client{Transport: server.Transport()}}
	response, err := a.client.Do(a.request(http.MethodGet, rulesPath, ""))
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, "200 OK", response.Status)
	assert.Equal(t, int64(len(body)), response.ContentLength)

	for when, rules := range map[posturetest.Cut]int{posturetest.CutBefore: 0, posturetest.CutAfter: 1, posturetest.CutMiddle: 1} {
		server.Reset()
		server.CutNext(1, when)
		got, err := a.try(a.request(http.MethodPost, rulesPath, aRule))
		if when == posturetest.CutMiddle {
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			assert.NotEmpty(t, got.body)
		} else {
			require.ErrorIs(t, err, io.EOF)
		}
		assert.Len(t, server.Rules(), rules)
	}
}

func TestInMemoryServerInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := posturetest.New(t, posturetest.InMemory())
		client := server.Client(cfposture.WithTimeout(time.Minute))
		begun := time.Now()

		server.LimitNext(1, 30*time.Second)
		_, err := client.Posture.List(t.Context())
		require.NoError(t, err)
		assert.Equal(t, 30*time.Second, time.Since(begun))

		begun = time.Now()
		server.DelayNext(1, time.Hour)
		_, err = client.Posture.List(t.Context(), cfposture.WithMaxRetries(0))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Minute, time.Since(begun))

		begun = time.Now()
		server.FailNext(3, http.StatusServiceUnavailable)
		_, err = client.Posture.Create(t.Context(), &cfposture.Rule{Input: &cfposture.WARPInput{}})
		require.ErrorIs(t, err, cfposture.ErrOutcomeUnknown)
		_, err = client.Posture.List(t.Context())
		require.NoError(t, err)
		assert.Less(t, time.Since(begun), time.Minute)
	})
}

func TestInMemoryServerClosesWithDelaysInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := posturetest.New(t, posturetest.InMemory())
		server.DelayNext(1, time.Hour)
		ended := make(chan error)
		go func() {
			_, err := server.Client(cfposture.WithMaxRetries(0), cfposture.WithTimeout(0)).Posture.List(t.Context())
			ended <- err
		}()
		synctest.Wait()
		begun := time.Now()
		server.Close()
		require.ErrorIs(t, <-ended, io.EOF)
		assert.Zero(t, time.Since(begun))
	})
}

func TestHandlerTakesARequestWithoutABody(t *testing.T) {
	server := posturetest.New(t, posturetest.InMemory())
	for method, status := range map[string]int{http.MethodGet: 200, http.MethodPost: 400} {
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+rulesPath, nil)
		require.NoError(t, err)
		require.Nil(t, r.Body)
		r.Header.Set("Authorization", "Bearer "+posturetest.APIToken)
		recorder := httptest.NewRecorder()
		server.Handler().ServeHTTP(recorder, r)
		assert.Equal(t, status, recorder.Code, method)
	}
}

func TestRulesArePutInAndReadOutAsModels(t *testing.T) {
	server := posturetest.New(t, posturetest.InMemory())
	id := server.PutRule(&cfposture.Rule{
		Name:  "Disks",
		Match: []cfposture.Match{{Platform: cfposture.PlatformMac}},
		Input: &cfposture.DiskEncryptionInput{RequireAll: new(true)},
	})
	assert.Equal(t, "given", server.PutRule(&cfposture.Rule{ID: "given", Schedule: "1h", Input: &cfposture.WARPInput{}}))
	assert.Equal(t, "given", server.PutRule(&cfposture.Rule{ID: "given", Schedule: "2h", Input: &cfposture.WARPInput{}}))

	rules := server.ListRules()
	require.Len(t, rules, 2)
	assert.Equal(t, id, rules[0].ID)
	assert.Equal(t, cfposture.RuleTypeDiskEncryption, rules[0].Type)
	assert.Equal(t, cfposture.Interval("5m"), rules[0].Schedule, "added as the API does")
	assert.Equal(t, cfposture.Interval("2h"), rules[1].Schedule)
	assert.JSONEq(t, `{"enabled":true,"expiration":null,"id":"`+id+`","input":{"checkDisks":[],"requireAll":true},
		"match":[{"platform":"mac"}],"name":"Disks","schedule":"5m","type":"disk_encryption"}`, string(server.Rules()[0]))
	listed, err := server.Client().Posture.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, rules, listed)

	server.SetBehavior(posturetest.Behavior{OmittedMembers: []string{"requireAll"}})
	assert.Equal(t, rules, server.ListRules(), "the members that responses leave out are there")
}

func TestEnabledOfARulePutInIsKept(t *testing.T) {
	server := posturetest.New(t, posturetest.InMemory())
	var rule cfposture.Rule
	require.NoError(t, json.Unmarshal([]byte(`{"enabled":false,"id":"x","name":"","type":"warp"}`), &rule))
	server.PutRule(&rule)
	assert.Contains(t, string(server.Rules()[0]), `"enabled":false`)
}

func TestIntegrationsArePutInAndReadOutAsModels(t *testing.T) {
	server := posturetest.New(t, posturetest.InMemory())
	config := &cfposture.IntuneConfig{ClientID: "c", ClientSecret: "hidden", CustomerID: "customer"}
	id := server.PutIntegration(&cfposture.Integration{Name: "Intune", Interval: "10m", Config: config})

	integrations := server.ListIntegrations()
	require.Len(t, integrations, 1)
	assert.Equal(t, id, integrations[0].ID)
	assert.Equal(t, config, integrations[0].Config, "all of it, for a test to compare")
	assert.JSONEq(t, `{"config":{"client_id":"c"},"id":"`+id+`","identifier":"","interval":"10m","name":"Intune","schema":{},
		"test_results":{},"type":"intune"}`, string(server.Integrations()[0]), "as responses have it")

	rotated := &cfposture.IntuneConfig{ClientSecret: "new"}
	_, err := server.Client().Integrations.Update(t.Context(), id, cfposture.IntegrationUpdate{Config: rotated}, cfposture.WithoutValidation())
	require.NoError(t, err)
	config.ClientSecret = "new"
	assert.Equal(t, config, server.ListIntegrations()[0].Config)
}

func TestModelsThatAreNoneAreRefused(t *testing.T) {
	server := posturetest.New(t, posturetest.InMemory())
	assert.PanicsWithValue(t, "posturetest: PutRule: *cfposture.Rule is nil", func() { server.PutRule(nil) })
	assert.Panics(t, func() { server.PutIntegration(nil) })
	server.AddRule([]byte(`42`))
	assert.Panics(t, func() { server.ListRules() })
}
