package cfposture_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// A crowd is many goroutines that share one client of an API that misbehaves.
type crowd struct {
	api    *posturetest.Server
	client *cfposture.Client

	mu  sync.Mutex
	rng *rand.Rand
}

// misbehave spoils one of the requests to come, every so often.
func (c *crowd) misbehave() {
	c.mu.Lock()
	kind := c.rng.IntN(30)
	c.mu.Unlock()
	switch kind {
	case 0:
		c.api.FailNext(1, http.StatusInternalServerError)
	case 1:
		c.api.LoseNext(1, http.StatusBadGateway)
	case 2:
		c.api.FailNext(1, http.StatusTooManyRequests)
	case 3:
		c.api.CutNext(1, posturetest.CutBefore)
	case 4:
		c.api.CutNext(1, posturetest.CutAfter)
	case 5:
		c.api.CutNext(1, posturetest.CutMiddle)
	case 6:
		c.api.DelayNext(1, time.Millisecond)
	}
}

func TestOneClientServesManyGoroutines(t *testing.T) {
	assertNothingLeftRunning(t)
	c := &crowd{api: newServer(t), rng: rand.New(rand.NewPCG(1, 2))}
	counted := new(connections)
	transport := &http.Transport{DialContext: counted.dial, MaxIdleConnsPerHost: 64}
	c.client = c.api.Client(
		cfposture.WithHTTPClient(&http.Client{Transport: transport}), cfposture.WithMaxRetries(20), cfposture.WithMaxRetryWait(time.Millisecond),
		cfposture.WithRateLimit(100_000, 64), cfposture.WithPacing(),
	)
	var wg sync.WaitGroup
	for worker := range 64 {
		wg.Go(func() {
			for round := range 3 {
				c.ruleLife(t, fmt.Sprintf("rule %d/%d", worker, round))
				c.integrationLife(t, fmt.Sprintf("integration %d/%d", worker, round))
			}
		})
	}
	wg.Wait()
	assert.Empty(t, c.api.Rules(), "what was created was deleted, and nothing was created twice")
	assert.Empty(t, c.api.Integrations())

	c.api.Close()
	assert.True(t, eventually(func() bool { return counted.open.Load() == 0 }), "connections are left open: %d", counted.open.Load())
}

// connections counts a transport's.
type connections struct{ dials, open atomic.Int64 }

// dial is a transport's DialContext.
func (c *connections) dial(ctx context.Context, network, address string) (net.Conn, error) {
	c.dials.Add(1)
	connection, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	c.open.Add(1)
	return &countedConn{connection, sync.OnceFunc(func() { c.open.Add(-1) })}, nil
}

// A countedConn tells when it is closed.
type countedConn struct {
	net.Conn
	closed func()
}

func (c *countedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}

// noError is for goroutines, which can't end the test.
func noError(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("an error that should not be: %v", err)
	}
}

// ruleLife makes every call for rules.
func (c *crowd) ruleLife(t *testing.T, name string) {
	ctx := t.Context()
	c.misbehave()
	rule, err := c.client.Posture.Create(ctx, &cfposture.Rule{Name: name, Type: cfposture.RuleTypeWARP})
	if errors.Is(err, cfposture.ErrOutcomeUnknown) {
		rule = c.find(t, name)
		if rule == nil {
			return
		}
	} else if !assert.NoError(t, err) {
		return
	}
	c.misbehave()
	got, err := c.client.Posture.Get(ctx, rule.ID)
	if assert.NoError(t, err) {
		assert.Equal(t, name, got.Name)
	}
	c.misbehave()
	rule.Description = "changed"
	var response cfposture.Response
	_, err = c.client.Posture.Update(ctx, rule, cfposture.WithResponse(&response))
	noError(t, err)
	assert.Equal(t, http.StatusOK, response.StatusCode)
	assert.Equal(t, "changed", c.find(t, name).Description)
	for _, err := range c.client.Posture.All(ctx) {
		noError(t, err)
		break
	}
	_, err = c.client.Posture.ListPage(ctx, cfposture.ListOptions{Page: 1, PerPage: 5})
	noError(t, err)
	c.misbehave()
	noError(t, c.client.Do(ctx, cfposture.Request{Method: http.MethodDelete, Path: "accounts/" + posturetest.AccountID + "/devices/posture/" + rule.ID}, nil))
}

// find returns the rule of that name, which there is at most once.
func (c *crowd) find(t *testing.T, name string) *cfposture.Rule {
	c.misbehave()
	rules, err := c.client.Posture.List(t.Context())
	noError(t, err)
	rules = slices.DeleteFunc(rules, func(r *cfposture.Rule) bool { return r.Name != name })
	if !assert.LessOrEqual(t, len(rules), 1, "%s is there twice", name) || len(rules) == 0 {
		return nil
	}
	return rules[0]
}

// integrationLife makes every call for integrations.
func (c *crowd) integrationLife(t *testing.T, name string) {
	ctx := t.Context()
	c.misbehave()
	secret := cfposture.Secret("secret of " + name)
	integration, err := c.client.Integrations.Create(ctx, &cfposture.Integration{
		Name: name, Interval: "5m", Config: &cfposture.KolideConfig{ClientID: name, ClientSecret: secret},
	})
	if errors.Is(err, cfposture.ErrOutcomeUnknown) {
		integration = c.findIntegration(t, name)
		if integration == nil {
			return
		}
	} else if !assert.NoError(t, err) {
		return
	}
	c.misbehave()
	changed, err := c.client.Integrations.Update(ctx, integration.ID, cfposture.IntegrationUpdate{Interval: new(cfposture.Interval("1h"))})
	if assert.NoError(t, err) {
		assert.Equal(t, cfposture.Interval("1h"), changed.Interval)
	}
	got, err := c.client.Integrations.Get(ctx, integration.ID)
	if assert.NoError(t, err) {
		assert.Equal(t, name, got.Name)
	}
	c.misbehave()
	noError(t, c.client.Integrations.Delete(ctx, integration.ID))
}

func (c *crowd) findIntegration(t *testing.T, name string) (found *cfposture.Integration) {
	for integration, err := range c.client.Integrations.All(t.Context()) {
		if assert.NoError(t, err) && integration.Name == name {
			assert.Nil(t, found, "%s is there twice", name)
			found = integration
		}
	}
	return found
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	api := newServer(t)
	api.SetPageSize(2)
	counted := new(connections)
	transport := &http.Transport{DialContext: counted.dial}
	client := api.Client(cfposture.WithHTTPClient(&http.Client{Transport: transport}), cfposture.WithMaxRetryWait(0))
	s := &stage{api, client}
	s.reset()
	api.SetPageSize(2)
	for _, op := range operations() {
		_, err := s.try(t, op)
		if !errors.Is(err, cfposture.ErrNotFound) { // deleted before
			require.NoError(t, err, op.name)
		}
	}
	api.FailNext(2, http.StatusServiceUnavailable)
	_, err := client.Posture.List(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, 1, counted.dials.Load(), "every response was read to its end")
	transport.CloseIdleConnections()
}

func TestClosingTheServerLeavesNothingOpen(t *testing.T) {
	assertNothingLeftRunning(t)
	api := newServer(t)
	counted := new(connections)
	client := api.Client(cfposture.WithHTTPClient(&http.Client{Transport: &http.Transport{DialContext: counted.dial}}), cfposture.WithMaxRetries(0))
	api.DelayNext(8, time.Hour)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			_, err := client.Posture.List(t.Context())
			assert.Error(t, err)
		})
	}
	require.True(t, eventually(func() bool { return len(api.Requests()) == 8 }))
	api.Close()
	wg.Wait()
	assert.True(t, eventually(func() bool { return counted.open.Load() == 0 }), "connections are left open")
}
