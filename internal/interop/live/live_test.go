// Package live_test compares what is known of the API with the API itself:
//
//	CFPOSTURE_LIVE=1 CLOUDFLARE_API_TOKEN=… CLOUDFLARE_ACCOUNT_ID=… go test -v ./live
//
// It fails where the API differs from what is known. Where the facts leave a question open, it logs what it found, in a
// table. It touches only rules and integrations that it creates, whose names begin with the run's own prefix, and deletes
// them whatever happens. The rules that need a list or a certificate, and the integration, are left out unless the
// variables below say what to use. Without CFPOSTURE_LIVE the same checks run against posturetest.
package live_test

import (
	"encoding/json"
	"net/http"
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
		client: client, wire: newWire(baseURL, os.Getenv("CLOUDFLARE_ACCOUNT_ID"), credentials()), prefix: newPrefix(),
		list: os.Getenv(envList), certificate: os.Getenv(envCertificate), integration: []byte(os.Getenv(envIntegration)),
	}
	t.Logf("open questions:\n%s", table(run.check(t)))
}

// credentials returns the headers of those that NewClient takes from the environment.
func credentials() http.Header {
	if token := os.Getenv("CLOUDFLARE_API_TOKEN"); token != "" {
		return http.Header{"Authorization": {"Bearer " + token}}
	}
	return http.Header{"X-Auth-Email": {os.Getenv("CLOUDFLARE_EMAIL")}, "X-Auth-Key": {os.Getenv("CLOUDFLARE_API_KEY")}}
}

func TestPosturetestIsAsTheLiveAPIIsKnownToBe(t *testing.T) {
	server := posturetest.New(t)
	ruleType, _ := apifacts.FindRuleType("file")
	server.AddRule(ruleType.Sample())
	integrationType, _ := apifacts.FindIntegrationType("custom_s2s")
	server.AddIntegration(integrationType.SampleAnswer())
	rules, integrations := server.Rules(), server.Integrations()

	run := runOn(t, server)
	run.integration = integrationType.SampleRequest()
	found := run.check(t)
	t.Logf("open questions:\n%s", table(found))
	assert.Equal(t, rules, server.Rules(), "rules of others")
	assert.Equal(t, integrations, server.Integrations(), "integrations of others")
	assert.Equal(t, map[string]string{
		"GET of a rule that doesn't exist":            "refused with 404, code 6024",
		"DELETE of a rule that doesn't exist":         "accepted",
		"DELETE of an integration that doesn't exist": "refused with 404, code 777002",
		"content type of the list of integrations":    "text/plain",
		"expiration in a response if it was unset":    "null",
		"checkDisks in a response if it was unset":    "[]",
		"a rule that needs an input, without one":     "refused with 400, code 777001",
		"expiration that equals the schedule":         `accepted, comes back as "1h"`,
		"schedule in seconds":                         `accepted, comes back as "90s"`,
		"expiration in days":                          "refused with 400, code 777001",
		"POST of a rule with enabled false":           "accepted, comes back as true",
		"PUT of a rule with its read-only members":    "accepted, enabled false comes back as true",
		"PUT of a rule with another type":             "refused with 400, code 777001",
		"unique_client_id without operating_system":   "accepted",
		"members of inputs that responses leave out":  "none",
		"a long list without a query":                 "all or more than a page, without result_info",
		"a long list with per_page=10":                "10 rules",
		"its second page":                             "10 other rules",
		"members of a config in a response":           "api_url",
		"PATCH of a part of a config":                 "accepted, the rest comes back as before",
		"PATCH of a whole config":                     "accepted",
		"DELETE of an integration that a rule names":  "refused with 409, code 777003",
		"a custom score with decimals":                "accepted, comes back as 70.5",
	}, found)
}

// What the questions find depends on the API, not on what is expected of it.
func TestQuestionsFindTheOtherSide(t *testing.T) {
	server := posturetest.New(t, posturetest.WithBehavior(posturetest.Behavior{
		DeleteMissingRule: 404, DeleteMissingIntegration: 200, NotFoundStatus: 400,
		OmittedMembers: []string{"version"}, ConfigMembers: []string{"*"}, IntegrationsContentType: "application/json",
		ResultInfo: true, NoTotalPages: true, IgnoreQuery: true,
		RefuseReadOnly: true, OptionalInput: true, Expiration: posturetest.DropExpiration, WholeConfigs: true, DeleteInUse: true,
	}))
	run := runOn(t, server)
	integrationType, _ := apifacts.FindIntegrationType("custom_s2s")
	run.integration = integrationType.SampleRequest()
	run.list = ""
	found := run.findings(t)
	for question, want := range map[string]string{
		"GET of a rule that doesn't exist":            "refused with 400, code 6024",
		"DELETE of a rule that doesn't exist":         "refused with 404, code 6024",
		"DELETE of an integration that doesn't exist": "accepted",
		"content type of the list of integrations":    "application/json",
		"a rule that needs an input, without one":     "accepted",
		"expiration that equals the schedule":         "accepted, comes back as null",
		"POST of a rule with enabled false":           "refused with 400, code 777001",
		"PUT of a rule with its read-only members":    "refused with 400, code 777001",
		"unique_client_id without operating_system":   "not asked: CFPOSTURE_LIVE_LIST is not set",
		"members of inputs that responses leave out":  "os_version.version",
		"a long list with per_page=10":                "ignored",
		"its second page":                             "the same as the first",
		"members of a config in a response":           "access_client_id, api_url",
		"PATCH of a part of a config":                 "refused with 400, code 777001, code 777001",
		"PATCH of a whole config":                     "accepted",
		"DELETE of an integration that a rule names":  "accepted",
	} {
		assert.Equal(t, want, found[question], question)
	}
	assert.Contains(t, found["a long list without a query"], `all or more than a page, result_info {"count":`)
	assert.NotContains(t, table(found), "hidden", "no secret of the integration")
}

// runOn is a run on a fake that has a list and a certificate, as far as it knows.
func runOn(t *testing.T, server *posturetest.Server) *run {
	t.Helper()
	return &run{
		client: server.Client(keepingContract(t, server.URL)), prefix: newPrefix(),
		wire: newWire(server.URL, posturetest.AccountID, http.Header{"Authorization": {"Bearer " + posturetest.APIToken}}),
		list: apifacts.ConnectionID, certificate: apifacts.ConnectionID,
	}
}

// keepingContract fails the test for every exchange that is not what the API's description says.
func keepingContract(t *testing.T, baseURL string) cfposture.Option {
	t.Helper()
	middleware, err := contract.Middleware(baseURL, func(v contract.Violation) { t.Errorf("not as described: %v", v) })
	require.NoError(t, err)
	return cfposture.WithMiddleware(middleware)
}

func TestRunCleansUpWhatItLostSightOf(t *testing.T) {
	server := posturetest.New(t)
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
	server := posturetest.New(t)
	run := &run{client: server.Client(), prefix: newPrefix()}
	t.Run("check", func(t *testing.T) {
		run.create(t, &cfposture.Rule{Input: &cfposture.WARPInput{}})
		assert.Len(t, server.Rules(), 1)
	})
	assert.Empty(t, server.Rules())
}
