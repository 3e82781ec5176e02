// Package live_test compares what is known of the API with the API itself:
//
//	CFPOSTURE_LIVE=1 CLOUDFLARE_API_TOKEN=… CLOUDFLARE_ACCOUNT_ID=… go test -v ./live
//
// It touches no rule and no integration but those it makes, whose names begin with the run's own prefix, and deletes
// them whatever happens. The rules that need a list or a certificate, and the integration, are left out unless the
// variables below say what to use. Without CFPOSTURE_LIVE the same checks run against posturetest.
package live_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
	"github.com/cfposture/cfposture/internal/interop/contract"
	"github.com/cfposture/cfposture/posturetest"
)

// The variables that the live test reads beside those of NewClient.
const (
	envLive        = "CFPOSTURE_LIVE"
	envList        = "CFPOSTURE_LIVE_LIST"        // the ID of a list of serial numbers or client IDs
	envCertificate = "CFPOSTURE_LIVE_CERTIFICATE" // the ID of an uploaded certificate
	envIntegration = "CFPOSTURE_LIVE_INTEGRATION" // an integration as JSON, secrets included; best a custom_s2s
	envBaseURL     = "CLOUDFLARE_BASE_URL"
)

func TestLiveAPIIsAsKnown(t *testing.T) {
	if os.Getenv(envLive) != "1" || os.Getenv("CLOUDFLARE_ACCOUNT_ID") == "" {
		t.Skipf("set %s=1, CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID to run it", envLive)
	}
	baseURL := os.Getenv(envBaseURL)
	if baseURL == "" {
		baseURL = "https://api.cloudflare.com/client/v4"
	}
	client, err := cfposture.NewClient(keepingContract(t, baseURL))
	require.NoError(t, err)
	run := &run{
		client: client, prefix: newPrefix(),
		list: os.Getenv(envList), certificate: os.Getenv(envCertificate), integration: []byte(os.Getenv(envIntegration)),
	}
	run.check(t)
}

func TestPosturetestIsAsTheLiveAPIIsKnownToBe(t *testing.T) {
	server := posturetest.NewServer()
	defer server.Close()
	ruleType, _ := apifacts.FindRuleType("file")
	server.AddRule(ruleType.Sample())
	integrationType, _ := apifacts.FindIntegrationType("custom_s2s")
	server.AddIntegration(integrationType.SampleAnswer())
	rules, integrations := server.Rules(), server.Integrations()

	run := &run{
		client: server.Client(keepingContract(t, server.URL)), prefix: newPrefix(),
		list: apifacts.ConnectionID, certificate: apifacts.ConnectionID, integration: integrationType.SampleRequest(),
	}
	run.check(t)
	assert.Equal(t, rules, server.Rules(), "rules of others")
	assert.Equal(t, integrations, server.Integrations(), "integrations of others")
}

// keepingContract fails the test for every exchange that is not what the API's description says.
func keepingContract(t *testing.T, baseURL string) cfposture.Option {
	t.Helper()
	middleware, err := contract.Middleware(baseURL, func(v contract.Violation) { t.Errorf("not as described: %v", v) })
	require.NoError(t, err)
	return cfposture.WithMiddleware(middleware)
}

func TestRunCleansUpWhatItLostSightOf(t *testing.T) {
	server := posturetest.NewServer()
	defer server.Close()
	run := &run{client: server.Client(cfposture.WithMaxRetries(0)), prefix: newPrefix()}
	foreign := server.AddRule([]byte(`{"name":"not the run's","type":"warp"}`))
	server.LoseNext(1, 502)
	_, err := run.client.Posture.Create(t.Context(), &cfposture.Rule{Name: run.prefix + "lost", Input: &cfposture.WARPInput{}})
	require.ErrorIs(t, err, cfposture.ErrOutcomeUnknown)
	server.LoseNext(1, 502)
	_, err = run.client.Integrations.Create(t.Context(), &cfposture.Integration{
		Name: run.prefix + "lost", Interval: "5m", Config: &cfposture.KolideConfig{ClientID: "c", ClientSecret: "s"},
	})
	require.ErrorIs(t, err, cfposture.ErrOutcomeUnknown)
	require.Len(t, server.Rules(), 2)

	require.NoError(t, run.sweep(t.Context()))
	require.Len(t, server.Rules(), 1)
	var left cfposture.Rule
	require.NoError(t, json.Unmarshal(server.Rules()[0], &left))
	assert.Equal(t, foreign, left.ID)
	assert.Empty(t, server.Integrations())
}

func TestRunCleansUpAfterAFailedCheck(t *testing.T) {
	server := posturetest.NewServer()
	defer server.Close()
	run := &run{client: server.Client(), prefix: newPrefix()}
	t.Run("check", func(t *testing.T) {
		run.create(t, &cfposture.Rule{Input: &cfposture.WARPInput{}})
		assert.Len(t, server.Rules(), 1)
	})
	assert.Empty(t, server.Rules())
}
