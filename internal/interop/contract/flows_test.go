package contract_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
	"github.com/cfposture/cfposture/internal/interop/contract"
	"github.com/cfposture/cfposture/posturetest"
)

// account is a server with the integration that the samples of rules name, and a client whose every exchange is
// compared with the API's description.
type account struct {
	server *posturetest.Server
	client *cfposture.Client

	mu         sync.Mutex
	violations []contract.Violation
}

func newAccount(t *testing.T, opts ...cfposture.Option) *account {
	t.Helper()
	a := &account{server: posturetest.NewServer()}
	t.Cleanup(a.server.Close)
	integration, ok := apifacts.FindIntegrationType("crowdstrike_s2s")
	require.True(t, ok)
	require.Equal(t, apifacts.ConnectionID, a.server.AddIntegration(integration.SampleAnswer()))

	middleware, err := contract.Middleware(a.server.URL, func(v contract.Violation) {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.violations = append(a.violations, v)
	})
	require.NoError(t, err)
	a.client = a.server.Client(append([]cfposture.Option{
		cfposture.WithMiddleware(middleware), cfposture.WithMaxRetries(0),
	}, opts...)...)
	return a
}

// assertKept fails where an exchange was not what the description says.
func (a *account) assertKept(t *testing.T) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, violation := range a.violations {
		t.Error(violation)
	}
	a.violations = nil
}

// assertRequestRefused fails unless the description refuses the one request there was, and accepts the response.
func (a *account) assertRequestRefused(t *testing.T) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if assert.Len(t, a.violations, 1) {
		assert.Error(t, a.violations[0].Request)
		assert.NoError(t, a.violations[0].Response)
	}
	a.violations = nil
}

func parseRule(t *testing.T, text string) *cfposture.Rule {
	t.Helper()
	rule := new(cfposture.Rule)
	require.NoError(t, json.Unmarshal([]byte(text), rule))
	rule.ID = ""
	return rule
}

func parseIntegration(t *testing.T, text []byte) *cfposture.Integration {
	t.Helper()
	integration := new(cfposture.Integration)
	require.NoError(t, json.Unmarshal(text, integration))
	return integration
}

func TestEveryMethodForRulesOfEveryTypeKeepsTheContract(t *testing.T) {
	for _, ruleType := range apifacts.RuleTypes {
		minimal := fmt.Sprintf(`{"type":%q}`, ruleType.Name)
		if ruleType.Minimal != "" {
			minimal = fmt.Sprintf(`{"input":%s,"type":%q}`, ruleType.Minimal, ruleType.Name)
		}
		for name, sample := range map[string]string{"whole": string(ruleType.Sample()), "minimal": minimal} {
			t.Run(ruleType.Name+"/"+name, func(t *testing.T) {
				a := newAccount(t)
				posture := a.client.Posture
				rule, err := posture.Create(t.Context(), parseRule(t, sample))
				require.NoError(t, err)
				_, err = posture.Get(t.Context(), rule.ID)
				require.NoError(t, err)
				rule.Description = "changed"
				_, err = posture.Update(t.Context(), rule)
				require.NoError(t, err)
				rules, err := posture.List(t.Context())
				require.NoError(t, err)
				assert.Len(t, rules, 1)
				require.NoError(t, posture.Delete(t.Context(), rule.ID))
				a.assertKept(t)
				assert.Len(t, a.server.Requests(), 5)
			})
		}
	}
}

func TestEveryWayToListKeepsTheContract(t *testing.T) {
	a := newAccount(t)
	for _, ruleType := range apifacts.RuleTypes {
		a.server.AddRule(ruleType.Sample())
	}
	for _, integrationType := range apifacts.IntegrationTypes {
		a.server.AddIntegration(integrationType.SampleAnswer())
	}
	a.server.SetPageSize(5)

	rules, err := a.client.Posture.List(t.Context())
	require.NoError(t, err)
	assert.Len(t, rules, len(apifacts.RuleTypes))
	for _, err := range a.client.Posture.All(t.Context()) {
		require.NoError(t, err)
	}
	page, err := a.client.Posture.ListPage(t.Context(), cfposture.ListOptions{Page: 2, PerPage: 3})
	require.NoError(t, err)
	assert.Len(t, page.Items, 3)

	integrations, err := a.client.Integrations.List(t.Context())
	require.NoError(t, err)
	assert.Len(t, integrations, len(apifacts.IntegrationTypes))
	for _, err := range a.client.Integrations.All(t.Context()) {
		require.NoError(t, err)
	}
	_, err = a.client.Integrations.ListPage(t.Context(), cfposture.ListOptions{Page: 1, PerPage: 2})
	require.NoError(t, err)
	a.assertKept(t)
}

func TestEveryMethodForIntegrationsOfEveryTypeKeepsTheContract(t *testing.T) {
	for _, integrationType := range apifacts.IntegrationTypes {
		t.Run(integrationType.Name, func(t *testing.T) {
			a := newAccount(t)
			service := a.client.Integrations
			request := parseIntegration(t, integrationType.SampleRequest())
			integration, err := service.Create(t.Context(), request)
			require.NoError(t, err)
			_, err = service.Get(t.Context(), integration.ID)
			require.NoError(t, err)
			_, err = service.Update(t.Context(), integration.ID, cfposture.IntegrationUpdate{Name: new("changed")})
			require.NoError(t, err)
			_, err = service.Update(t.Context(), integration.ID, cfposture.IntegrationUpdate{
				Interval: new(cfposture.Every(time.Hour)), Config: request.Config,
			})
			require.NoError(t, err)
			require.NoError(t, service.Delete(t.Context(), integration.ID))
			a.assertKept(t)
			assert.Len(t, a.server.Requests(), 5)
		})
	}
}

func TestWhatTheLiveAPISendsBesideItsDocumentsKeepsTheContract(t *testing.T) {
	a := newAccount(t)
	for _, live := range []string{
		`{"id":"1","input":{"flavor":"application","operating_system":"windows","path":"C:\\a.exe","running":true},"match":[],"name":"","schedule":"5m","type":"application"}`,
		`{"id":"2","input":{"checkDisks":[],"enabled":false,"operating_system":"mac","operator":">=","version":"14.5"},"name":"n","schedule":"5m","type":"os_version"}`,
		`{"id":"3","input":{"operator":">="},"name":"n","schedule":"5m","type":"os_version"}`,
		`{"id":"4","input":{"enabled":false},"name":"n","schedule":"5m","type":"warp"}`,
		`{"id":"5","name":"n","schedule":"5m","type":"gateway","updated_at":"2026-01-01T00:00:00Z"}`,
	} {
		a.server.AddRule([]byte(live))
	}
	rules, err := a.client.Posture.List(t.Context())
	require.NoError(t, err)
	for _, rule := range rules {
		_, err := a.client.Posture.Get(t.Context(), rule.ID)
		require.NoError(t, err)
	}
	a.assertKept(t)
}

// What isn't known of the live API is within the description either way.
func TestEveryBehaviorKeepsTheContract(t *testing.T) {
	for name, behavior := range map[string]posturetest.Behavior{
		"default": {},
		"the other side": {
			DeleteMissingRule: 404, DeleteMissingIntegration: 200, NotFoundStatus: 400,
			OmittedMembers: posturetest.OmittedMembers(), ConfigMembers: []string{"*"},
			ResultInfo: true, NoTotalPages: true, IgnoreQuery: true, IntegrationsContentType: "text/plain",
			Expiration: posturetest.DropExpiration, DeleteInUse: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t, cfposture.WithoutValidation())
			a.server.SetBehavior(behavior)
			posture, integrations := a.client.Posture, a.client.Integrations
			for _, ruleType := range apifacts.RuleTypes {
				_, err := posture.Create(t.Context(), parseRule(t, string(ruleType.Sample())))
				require.NoError(t, err)
			}
			rules, err := posture.List(t.Context())
			require.NoError(t, err)
			assert.Len(t, rules, len(apifacts.RuleTypes))
			for _, rule := range rules {
				_, err = posture.Update(t.Context(), rule)
				if behavior.OmittedMembers == nil {
					require.NoError(t, err)
					a.assertKept(t)
				}
				a.violations = nil // a rule that came without its path can't be sent back
			}
			for _, integrationType := range apifacts.IntegrationTypes {
				created, err := integrations.Create(t.Context(), parseIntegration(t, integrationType.SampleRequest()))
				require.NoError(t, err)
				_, err = integrations.Update(t.Context(), created.ID, cfposture.IntegrationUpdate{Config: &cfposture.UnknownConfig{
					Type: created.Type, Raw: json.RawMessage(`{"client_secret":"rotated"}`),
				}})
				require.NoError(t, err)
			}
			_, err = integrations.List(t.Context())
			require.NoError(t, err)

			missing := "00000000-0000-4000-8000-000000000000"
			_, err = posture.Get(t.Context(), missing)
			require.Error(t, err)
			for _, deletion := range []error{
				posture.Delete(t.Context(), missing), integrations.Delete(t.Context(), missing),
				integrations.Delete(t.Context(), apifacts.ConnectionID),
			} {
				var refused *cfposture.Error
				assert.True(t, deletion == nil || errors.As(deletion, &refused), "%v", deletion)
			}
			a.assertKept(t)
		})
	}
}

func TestFailuresKeepTheContract(t *testing.T) {
	unknown := "00000000-0000-4000-8000-000000000000"
	getWith := func(opts ...cfposture.Option) func(context.Context, *account) error {
		return func(ctx context.Context, a *account) error {
			_, err := a.client.Posture.Get(ctx, unknown, opts...)
			return err
		}
	}
	get := getWith()
	type failure struct {
		spoil  func(*posturetest.Server)
		do     func(context.Context, *account) error
		status int
	}
	failures := map[string]failure{
		"wrong token":  {do: getWith(cfposture.WithAPIToken("no-token-of-this-server")), status: 403},
		"wrong key":    {do: getWith(cfposture.WithAPIKey(posturetest.APIEmail, strings.Repeat("0", 37))), status: 403},
		"unknown rule": {do: get, status: 404},
		"unknown integration": {status: 404, do: func(ctx context.Context, a *account) error {
			_, err := a.client.Integrations.Update(ctx, unknown, cfposture.IntegrationUpdate{Name: new("n")})
			return err
		}},
		"integration in use": {status: 409, do: func(ctx context.Context, a *account) error {
			ruleType, _ := apifacts.FindRuleType("intune")
			a.server.AddRule(ruleType.Sample())
			return a.client.Integrations.Delete(ctx, apifacts.ConnectionID)
		}},
		"too many requests":  {status: 429, do: get, spoil: func(s *posturetest.Server) { s.LimitNext(1, time.Minute) }},
		"failure called 200": {status: 200, do: get, spoil: func(s *posturetest.Server) { s.FailNext(1, http.StatusOK) }},
	}
	for _, status := range []int{400, 401, 408, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527} {
		failures[strconv.Itoa(status)] = failure{status: status, do: get, spoil: func(s *posturetest.Server) { s.FailNext(1, status) }}
	}
	for name, failure := range failures {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t)
			if failure.spoil != nil {
				failure.spoil(a.server)
			}
			var failed *cfposture.Error
			require.ErrorAs(t, failure.do(t.Context(), a), &failed)
			assert.Equal(t, failure.status, failed.StatusCode)
			a.assertKept(t)
		})
	}
}

// What posturetest refuses with 400, the description refuses too: the two were made apart.
func TestRefusedRequestsBreakTheContractAndTheirResponsesKeepIt(t *testing.T) {
	for name, rule := range map[string]string{
		"required member absent":      `{"input":{},"name":"n","type":"file"}`,
		"value of another kind":       `{"input":{"path":5},"name":"n","type":"file"}`,
		"value not in the list":       `{"input":{"operating_system":"beos","path":"/x"},"name":"n","type":"file"}`,
		"operator not among the five": `{"input":{"operator":"!=","version":"1"},"name":"n","type":"os_version"}`,
		"ID too long":                 `{"input":{"id":"` + strings.Repeat("0", 37) + `"},"name":"n","type":"serial_number"}`,
		"number too large":            `{"input":{"connection_id":"` + apifacts.ConnectionID + `","operator":">","score":101},"name":"n","type":"custom_s2s"}`,
		"element of another kind":     `{"input":{"checkDisks":[1]},"name":"n","type":"disk_encryption"}`,
		"element twice":               `{"input":{"auth_state":["Good","Good"],"connection_id":"` + apifacts.ConnectionID + `"},"name":"n","type":"kolide"}`,
		"input absent":                `{"name":"n","type":"disk_encryption"}`,
		"element not in the list":     `{"input":{"auth_state":["Fine"],"connection_id":"` + apifacts.ConnectionID + `"},"name":"n","type":"kolide"}`,
		"nested element":              `{"input":{"certificate_id":"c","check_private_key":true,"locations":{"trust_stores":["attic"]}},"name":"n","type":"client_certificate_v2"}`,
		"platform":                    `{"match":[{"platform":"beos"}],"name":"n","type":"warp"}`,
		"interval":                    `{"name":"n","schedule":"often","type":"warp"}`,
		"unknown type":                `{"input":{},"name":"n","type":"telepathy"}`,
	} {
		t.Run("rule/"+name, func(t *testing.T) {
			a := newAccount(t, cfposture.WithoutValidation())
			_, err := a.client.Posture.Create(t.Context(), parseRule(t, rule))
			var refused *cfposture.Error
			require.ErrorAs(t, err, &refused)
			assert.Equal(t, http.StatusBadRequest, refused.StatusCode)
			a.assertRequestRefused(t)
		})
	}
	for name, integration := range map[string]string{
		"secret absent":      `{"config":{"client_id":"c"},"interval":"5m","name":"n","type":"kolide"}`,
		"config of another":  `{"config":{"client_id":"c","client_secret":"s"},"interval":"5m","name":"n","type":"uptycs"}`,
		"interval absent":    `{"config":{"client_id":"c","client_secret":"s"},"name":"n","type":"kolide"}`,
		"name empty":         `{"config":{"client_id":"c","client_secret":"s"},"interval":"5m","name":"","type":"kolide"}`,
		"config absent":      `{"interval":"5m","name":"n","type":"kolide"}`,
		"config of no kind":  `{"config":"c","interval":"5m","name":"n","type":"kolide"}`,
		"unknown type":       `{"config":{},"interval":"5m","name":"n","type":"telepathy"}`,
		"interval of a word": `{"config":{"client_id":"c","client_secret":"s"},"interval":"often","name":"n","type":"kolide"}`,
	} {
		t.Run("integration/"+name, func(t *testing.T) {
			a := newAccount(t, cfposture.WithoutValidation())
			_, err := a.client.Integrations.Create(t.Context(), parseIntegration(t, []byte(integration)))
			require.ErrorContains(t, err, "400")
			a.assertRequestRefused(t)
		})
	}
	t.Run("update without a name", func(t *testing.T) {
		a := newAccount(t, cfposture.WithoutValidation())
		_, err := a.client.Integrations.Update(t.Context(), apifacts.ConnectionID, cfposture.IntegrationUpdate{Name: new("")})
		require.ErrorContains(t, err, "400")
		a.assertRequestRefused(t)
	})
}
