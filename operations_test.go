package cfposture_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// Every operation goes through the same engine, whose own tests, in internal/api, say how an attempt can end and what
// follows. The tests here show that each operation is connected to it as it should be.

// What a stage holds before anything happens: five rules and two integrations.
const (
	stageRuleID        = "11111111-1111-4111-8111-111111111111"
	stageIntegrationID = "22222222-2222-4222-8222-222222222222"
	stageRules         = 5
	stageIntegrations  = 2
)

// A stage is an API with a few things in it, and a client of it.
type stage struct {
	api    *posturetest.Server
	client *cfposture.Client
}

// newStage returns a stage whose client does not wait between retries.
func newStage(t *testing.T, api *posturetest.Server, opts ...cfposture.Option) *stage {
	t.Helper()
	s := &stage{api, api.Client(append([]cfposture.Option{cfposture.WithMaxRetryWait(0)}, opts...)...)}
	s.reset()
	return s
}

// reset puts the stage's things back and forgets the rest.
func (s *stage) reset() {
	s.api.Reset()
	for i := range stageRules {
		id := stageRuleID
		if i > 0 {
			id = fmt.Sprintf("11111111-1111-4111-8111-%012d", i)
		}
		s.api.AddRule(fmt.Appendf(nil, `{"id":%q,"name":"original","type":"gateway","new":[1.50]}`, id))
	}
	for i := range stageIntegrations {
		id := stageIntegrationID
		if i > 0 {
			id = fmt.Sprintf("22222222-2222-4222-8222-%012d", i)
		}
		s.api.AddIntegration(fmt.Appendf(nil,
			`{"id":%q,"name":"original","type":"kolide","interval":"10m","config":{"client_id":"c"}}`, id))
	}
}

// try makes the operation. A hang fails, and soon.
func (s *stage) try(t *testing.T, op operation) (names []string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	return op.run(ctx, s.client)
}

// effects counts what the requests of a method have done to the stage. A GET has none, so for one everything counts.
func (s *stage) effects(method string) int {
	stored := slices.Concat(s.api.Rules(), s.api.Integrations())
	grown := len(stored) - stageRules - stageIntegrations
	changed := 0
	for _, item := range stored {
		changed += bytes.Count(item, []byte(`"changed"`))
	}
	switch method {
	case http.MethodPost:
		return grown
	case http.MethodDelete:
		return -grown
	case http.MethodPut, http.MethodPatch:
		return changed
	default:
		return max(grown, -grown) + changed
	}
}

// An operation is one call, and what it gives where it succeeds.
type operation struct {
	name   string
	verb   string // see cfposture.Operation
	method string
	want   []string // the names of what is returned
	run    func(ctx context.Context, c *cfposture.Client) ([]string, error)
}

// operations are every kind of call, by the services and by Do.
func operations() []operation {
	return slices.Concat(ruleOperations(), integrationOperations(), plainOperations())
}

func ruleOperations() []operation {
	every := slices.Repeat([]string{"original"}, stageRules)
	name := func(rule *cfposture.Rule) string { return rule.Name }
	return []operation{
		{"Posture.List", "posture.list", http.MethodGet, every, func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			rules, err := c.Posture.List(ctx)
			return namesOf(name, rules...), err
		}},
		{"Posture.All", "posture.list", http.MethodGet, every, func(ctx context.Context, c *cfposture.Client) (names []string, err error) {
			for rule, err := range c.Posture.All(ctx) {
				if err != nil {
					return nil, err
				}
				names = append(names, rule.Name)
			}
			return names, nil
		}},
		{"Posture.ListPage", "posture.list", http.MethodGet, every[:2], func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			page, err := c.Posture.ListPage(ctx, cfposture.ListOptions{Page: 2, PerPage: 2})
			if err != nil {
				return nil, err
			}
			return namesOf(name, page.Items...), nil
		}},
		{"Posture.Get", "posture.get", http.MethodGet, every[:1], func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			rule, err := c.Posture.Get(ctx, stageRuleID)
			return namesOf(name, rule), err
		}},
		{"Posture.Create", "posture.create", http.MethodPost, []string{"created"}, func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			rule, err := c.Posture.Create(ctx, &cfposture.Rule{Name: "created", Type: cfposture.RuleTypeWARP})
			return namesOf(name, rule), err
		}},
		{"Posture.Update", "posture.update", http.MethodPut, []string{"changed"}, func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			rule, err := c.Posture.Update(ctx, &cfposture.Rule{ID: stageRuleID, Name: "changed", Type: cfposture.RuleTypeGateway})
			return namesOf(name, rule), err
		}},
		{"Posture.Delete", "posture.delete", http.MethodDelete, nil, func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			return nil, c.Posture.Delete(ctx, stageRuleID)
		}},
	}
}

func integrationOperations() []operation {
	every := slices.Repeat([]string{"original"}, stageIntegrations)
	name := func(integration *cfposture.Integration) string { return integration.Name }
	return []operation{
		{"Integrations.List", "integrations.list", http.MethodGet, every, func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			integrations, err := c.Integrations.List(ctx)
			return namesOf(name, integrations...), err
		}},
		{"Integrations.All", "integrations.list", http.MethodGet, every, func(ctx context.Context, c *cfposture.Client) (names []string, err error) {
			for integration, err := range c.Integrations.All(ctx) {
				if err != nil {
					return nil, err
				}
				names = append(names, integration.Name)
			}
			return names, nil
		}},
		{"Integrations.ListPage", "integrations.list", http.MethodGet, every[:1], func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			page, err := c.Integrations.ListPage(ctx, cfposture.ListOptions{Page: 2, PerPage: 1})
			if err != nil {
				return nil, err
			}
			return namesOf(name, page.Items...), nil
		}},
		{"Integrations.Get", "integrations.get", http.MethodGet, every[:1], func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			integration, err := c.Integrations.Get(ctx, stageIntegrationID)
			return namesOf(name, integration), err
		}},
		{"Integrations.Create", "integrations.create", http.MethodPost, []string{"created"}, func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			integration, err := c.Integrations.Create(ctx, &cfposture.Integration{
				Name: "created", Interval: "5m", Config: &cfposture.KolideConfig{ClientID: "c", ClientSecret: "s3cr3t-of-kolide"},
			})
			return namesOf(name, integration), err
		}},
		{"Integrations.Update", "integrations.update", http.MethodPatch, []string{"changed"}, func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			integration, err := c.Integrations.Update(ctx, stageIntegrationID, cfposture.IntegrationUpdate{Name: new("changed")})
			return namesOf(name, integration), err
		}},
		{"Integrations.Delete", "integrations.delete", http.MethodDelete, nil, func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			return nil, c.Integrations.Delete(ctx, stageIntegrationID)
		}},
	}
}

// plainOperations are calls by Do.
func plainOperations() []operation {
	const collection = "accounts/" + posturetest.AccountID + "/devices/posture"
	do := func(method, path string, body any, want ...string) operation {
		return operation{"Do " + method, "do", method, want, func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			request := cfposture.Request{Method: method, Path: path, Body: body}
			if want == nil {
				return nil, c.Do(ctx, request, nil)
			}
			var result struct {
				Name string `json:"name"`
			}
			err := c.Do(ctx, request, &result)
			return []string{result.Name}, err
		}}
	}
	return []operation{
		do(http.MethodGet, collection+"/"+stageRuleID, nil, "original"),
		do(http.MethodPost, collection, map[string]any{"name": "created", "type": "warp"}, "created"),
		do(http.MethodPut, collection+"/"+stageRuleID, map[string]any{"name": "changed", "type": "gateway"}, "changed"),
		do(http.MethodPatch, collection+"/integration/"+stageIntegrationID, map[string]any{"name": "changed"}, "changed"),
		do(http.MethodDelete, collection+"/"+stageRuleID, nil),
	}
}

// namesOf returns the names of those that are there.
func namesOf[T any](name func(*T) string, items ...*T) (names []string) {
	for _, item := range items {
		if item != nil {
			names = append(names, name(item))
		}
	}
	return names
}

// assertDone checks that the operation was done, once.
func assertDone(t *testing.T, s *stage, op operation) {
	t.Helper()
	want := 1
	if op.method == http.MethodGet {
		want = 0
	}
	assert.Equal(t, want, s.effects(op.method), "effects of the %s on what the server has", op.method)
}

// assertSameBodies checks that whatever has a body arrived whole, every time.
func assertSameBodies(t *testing.T, requests []posturetest.Request) {
	t.Helper()
	for _, request := range requests {
		if request.Method == http.MethodGet || request.Method == http.MethodDelete {
			assert.Empty(t, request.Body)
			continue
		}
		assert.True(t, json.Valid(request.Body), "the body %q arrived whole", request.Body)
		assert.JSONEq(t, string(requests[0].Body), string(request.Body), "the body is the same in every attempt")
	}
}

// sentinels are those of statuses.
var sentinels = map[error]func(status int) bool{
	cfposture.ErrUnauthorized: func(status int) bool { return status == 401 },
	cfposture.ErrForbidden:    func(status int) bool { return status == 403 },
	cfposture.ErrNotFound:     func(status int) bool { return status == 404 },
	cfposture.ErrConflict:     func(status int) bool { return status == 409 },
	cfposture.ErrRateLimited:  func(status int) bool { return status == 429 },
	cfposture.ErrServer:       func(status int) bool { return status >= 500 },
}

// assertStatus checks that err is a response of the status, and no other's sentinel.
func assertStatus(t *testing.T, err error, status int) {
	t.Helper()
	var failed *cfposture.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, status, failed.StatusCode)
	for sentinel, is := range sentinels {
		assert.Equal(t, is(status), errors.Is(err, sentinel), "%v: %v", sentinel, err)
	}
}

// assertOutcomeUnknown checks that err says so, and what to do.
func assertOutcomeUnknown(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, cfposture.ErrOutcomeUnknown)
	require.ErrorContains(t, err, "outcome is unknown: list and look before sending it again")
	require.ErrorContains(t, err, "cfposture: POST accounts/")
	assert.NotContains(t, err.Error(), "\n")
}

// forEveryOperation runs a test with a fresh stage for each operation.
func forEveryOperation(t *testing.T, test func(t *testing.T, s *stage, op operation), opts ...cfposture.Option) {
	t.Helper()
	s := newStage(t, newServer(t, posturetest.InMemory()), opts...)
	for _, op := range operations() {
		s.reset()
		t.Run(op.name, func(t *testing.T) { test(t, s, op) })
	}
}

func TestOperationIsRetriedAfterARefusal(t *testing.T) {
	forEveryOperation(t, func(t *testing.T, s *stage, op operation) {
		s.api.FailNext(2, http.StatusTooManyRequests)
		names, err := s.try(t, op)
		require.NoError(t, err)
		assert.Equal(t, op.want, names)
		assert.Len(t, s.api.Requests(), 3)
		assertSameBodies(t, s.api.Requests())
		assertDone(t, s, op)
	})
}

// The responses are lost on their way here: what was asked for was done.
func TestOperationWhoseResponseIsLost(t *testing.T) {
	faults := map[string]func(api *posturetest.Server){
		"bad gateway":   func(api *posturetest.Server) { api.LoseNext(1, http.StatusBadGateway) },
		"cut":           func(api *posturetest.Server) { api.CutNext(1, posturetest.CutAfter) },
		"cut in middle": func(api *posturetest.Server) { api.CutNext(1, posturetest.CutMiddle) },
	}
	for name, fault := range faults {
		t.Run(name, func(t *testing.T) {
			forEveryOperation(t, func(t *testing.T, s *stage, op operation) {
				fault(s.api)
				names, err := s.try(t, op)
				assertSameBodies(t, s.api.Requests())
				assertDone(t, s, op)
				if op.method == http.MethodPost {
					assertOutcomeUnknown(t, err)
					assert.Len(t, s.api.Requests(), 1)
					return
				}
				require.NoError(t, err, "a DELETE that finds nothing on a retry has succeeded, too")
				assert.Equal(t, op.want, names, "each item once, also after half a list")
				assert.Len(t, s.api.Requests(), 2)
			})
		})
	}
}

func TestOperationThatKeepsFailing(t *testing.T) {
	for _, status := range []int{429, 500, 504, 522} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			forEveryOperation(t, func(t *testing.T, s *stage, op operation) {
				s.api.FailNext(100, status)
				_, err := s.try(t, op)
				assertStatus(t, err, status)
				want := 3
				if op.method == http.MethodPost && status != http.StatusTooManyRequests {
					assertOutcomeUnknown(t, err)
					want = 1
				} else {
					require.NotErrorIs(t, err, cfposture.ErrOutcomeUnknown)
				}
				assert.Len(t, s.api.Requests(), want)
				assert.Zero(t, s.effects(op.method))
			}, cfposture.WithMaxRetries(2))
		})
	}
}

func TestOperationThatFailsForGood(t *testing.T) {
	for _, status := range []int{200, 400, 401, 403, 404, 405, 409, 422, 501} { // the 200 comes with success: false
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			forEveryOperation(t, func(t *testing.T, s *stage, op operation) {
				s.api.FailNext(1, status)
				_, err := s.try(t, op)
				assertStatus(t, err, status)
				assert.Len(t, s.api.Requests(), 1)
				assert.Zero(t, s.effects(op.method))
				assert.Equal(t, op.method == http.MethodPost && status >= 500, errors.Is(err, cfposture.ErrOutcomeUnknown), "%v", err)
			})
		})
	}
}

func TestOperationWhoseResponseIsNoResult(t *testing.T) {
	bodies := map[string]string{
		"empty": "", "HTML": "<html>Welcome to the hotel</html>", "other JSON": `{"hello":"world"}`, "list": `[1,2]`,
		"no result": `{"success":true,"errors":[]}`, "result of another kind": `{"success":true,"result":17}`,
	}
	for name, body := range bodies {
		for _, op := range operations() {
			if op.want == nil && name != "HTML" && name != "other JSON" && name != "list" {
				continue // nothing is expected of it
			}
			t.Run(name+"/"+op.name, func(t *testing.T) {
				requests := 0
				client := mockClient(t, func(r *http.Request) (*http.Response, error) {
					requests++
					return responding(http.StatusOK, body)(r)
				}, cfposture.WithMaxRetries(3))
				_, err := op.run(t.Context(), client)
				assertStatus(t, err, http.StatusOK)
				assert.Equal(t, 1, requests)
				assert.Equal(t, op.method == http.MethodPost, errors.Is(err, cfposture.ErrOutcomeUnknown), "%v", err)
			})
		}
	}
}

func TestOperationWhoseContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	forEveryOperation(t, func(t *testing.T, s *stage, op operation) {
		_, err := op.run(ctx, s.client)
		require.ErrorIs(t, err, context.Canceled)
		require.NotErrorIs(t, err, cfposture.ErrOutcomeUnknown)
		assert.Empty(t, s.api.Requests())
	})
}

// A limiter that fails on a retry is joined to the failure before.
func TestOperationWhoseLimiterFails(t *testing.T) {
	full := errors.New("the fleet's budget is spent")
	for allowed := range int64(2) {
		var asked atomic.Int64
		limiter := limiterFunc(func(context.Context) error {
			if asked.Add(1) > allowed {
				return full
			}
			return nil
		})
		forEveryOperation(t, func(t *testing.T, s *stage, op operation) {
			asked.Store(0)
			s.api.FailNext(1, http.StatusTooManyRequests)
			_, err := s.try(t, op)
			require.ErrorIs(t, err, full)
			assert.Equal(t, allowed == 1, errors.Is(err, cfposture.ErrRateLimited))
			require.NotErrorIs(t, err, cfposture.ErrOutcomeUnknown)
			assert.Len(t, s.api.Requests(), int(allowed))
			assert.Equal(t, allowed+1, asked.Load(), "it is not asked again after its error")
		}, cfposture.WithLimiter(limiter))
	}
}

type limiterFunc func(context.Context) error

func (f limiterFunc) Wait(ctx context.Context) error { return f(ctx) }

// Whoever is asked on the way knows what for.
func TestOperationTellsItsName(t *testing.T) {
	var told []string
	tell := func(ctx context.Context, who string) { told = append(told, who+": "+cfposture.Operation(ctx)) }
	forEveryOperation(t, func(t *testing.T, s *stage, op operation) {
		told = nil
		_, err := s.try(t, op)
		require.NoError(t, err)
		assert.Equal(t, []string{"limiter: " + op.verb, "token source: " + op.verb, "middleware: " + op.verb}, told)
	},
		cfposture.WithLimiter(limiterFunc(func(ctx context.Context) error { tell(ctx, "limiter"); return nil })),
		cfposture.WithTokenSource(func(ctx context.Context) (string, error) {
			tell(ctx, "token source")
			return posturetest.APIToken, nil
		}),
		cfposture.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				tell(r.Context(), "middleware")
				return next.RoundTrip(r)
			})
		}),
	)
	assert.Empty(t, cfposture.Operation(t.Context()))
}

// Redirects are refused: nothing and no credentials reach another place.
func TestOperationThatIsRedirected(t *testing.T) {
	following := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
	requests := 0
	client := handlerClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests++
		http.Redirect(w, r, "/v4/elsewhere", http.StatusTemporaryRedirect)
	}), cfposture.WithHTTPClient(following))
	for _, op := range operations() {
		requests = 0
		_, err := op.run(t.Context(), client)
		assertStatus(t, err, http.StatusTemporaryRedirect)
		require.ErrorContains(t, err, "redirects are not followed", op.name)
		assert.Equal(t, 1, requests, op.name)
	}
}

func TestAccountIDIsNeeded(t *testing.T) {
	client := mockClient(t, responding(200, oneRule), cfposture.WithAccountID(""))
	for _, op := range slices.Concat(ruleOperations(), integrationOperations()) {
		_, err := op.run(t.Context(), client)
		require.EqualError(t, err, "cfposture: account ID is not set: use WithAccountID or set CLOUDFLARE_ACCOUNT_ID", op.name)
	}
}
