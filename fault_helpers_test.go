package cfposture_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

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

// newStage returns a stage whose client has no more than the options and the transport.
func newStage(t *testing.T, api *posturetest.Server, baseURL string, transport http.RoundTripper, opts ...cfposture.Option) *stage {
	t.Helper()
	s := &stage{api: api}
	s.reset()
	client, err := cfposture.NewClient(append([]cfposture.Option{
		cfposture.WithoutEnvironment(),
		cfposture.WithBaseURL(baseURL),
		cfposture.WithAPIToken(posturetest.APIToken),
		cfposture.WithAccountID(posturetest.AccountID),
		cfposture.WithHTTPClient(&http.Client{Transport: transport}),
		cfposture.WithMaxRetryWait(time.Millisecond),
	}, opts...)...)
	require.NoError(t, err)
	s.client = client
	return s
}

// newMemoryStage returns a stage without a network, where every status is as in the API but connections never fail.
func newMemoryStage(t *testing.T, opts ...cfposture.Option) *stage {
	t.Helper()
	api := newServer(t)
	return newStage(t, api, "https://api.example.com/client/v4", handledBy(api.Handler()), opts...)
}

// handledBy is a transport that has every request answered by the handler, without a network.
func handledBy(handler http.Handler) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		arrived := r.Clone(r.Context())
		if arrived.Body == nil {
			arrived.Body = http.NoBody
		}
		defer arrived.Body.Close() //nolint:errcheck // in memory
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, arrived)
		response := recorder.Result()
		response.Request = r
		return response, nil
	})
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

// effects counts what the requests of a method have done to the stage. A GET has none, so for one everything counts.
func (s *stage) effects(method string) int {
	held := slices.Concat(s.api.Rules(), s.api.Integrations())
	grown := len(held) - stageRules - stageIntegrations
	changed := 0
	for _, item := range held {
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
	method string
	want   []string // the IDs or names of what is returned
	run    func(ctx context.Context, c *cfposture.Client) ([]string, error)
}

// operations are every kind of call, by the services and by Do.
func operations() []operation {
	return slices.Concat(ruleOperations(), integrationOperations(), plainOperations())
}

func ruleOperations() []operation {
	every := slices.Repeat([]string{"original"}, stageRules)
	return []operation{
		{"Posture.List", http.MethodGet, every, func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			rules, err := c.Posture.List(ctx)
			return ruleNames(rules...), err
		}},
		{"Posture.All", http.MethodGet, every, func(ctx context.Context, c *cfposture.Client) (names []string, err error) {
			for rule, err := range c.Posture.All(ctx) {
				if err != nil {
					return nil, err
				}
				names = append(names, rule.Name)
			}
			return names, nil
		}},
		{"Posture.ListPage", http.MethodGet, every[:2], func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			page, err := c.Posture.ListPage(ctx, cfposture.ListOptions{Page: 2, PerPage: 2})
			if err != nil {
				return nil, err
			}
			return ruleNames(page.Items...), nil
		}},
		{"Posture.Get", http.MethodGet, every[:1], func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			rule, err := c.Posture.Get(ctx, stageRuleID)
			return ruleNames(rule), err
		}},
		{"Posture.Create", http.MethodPost, []string{"created"}, func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			rule, err := c.Posture.Create(ctx, &cfposture.Rule{Name: "created", Type: cfposture.RuleTypeWARP})
			return ruleNames(rule), err
		}},
		{"Posture.Update", http.MethodPut, []string{"changed"}, func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			rule, err := c.Posture.Update(ctx, &cfposture.Rule{ID: stageRuleID, Name: "changed", Type: cfposture.RuleTypeGateway})
			return ruleNames(rule), err
		}},
		{"Posture.Delete", http.MethodDelete, nil, func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			return nil, c.Posture.Delete(ctx, stageRuleID)
		}},
	}
}

func integrationOperations() []operation {
	every := slices.Repeat([]string{"original"}, stageIntegrations)
	return []operation{
		{"Integrations.List", http.MethodGet, every, func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			integrations, err := c.Integrations.List(ctx)
			return integrationNames(integrations...), err
		}},
		{"Integrations.Get", http.MethodGet, every[:1], func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			integration, err := c.Integrations.Get(ctx, stageIntegrationID)
			return integrationNames(integration), err
		}},
		{"Integrations.Create", http.MethodPost, []string{"created"}, func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			integration, err := c.Integrations.Create(ctx, &cfposture.Integration{
				Name: "created", Interval: "5m", Config: &cfposture.KolideConfig{ClientID: "c", ClientSecret: "s3cr3t"},
			})
			return integrationNames(integration), err
		}},
		{"Integrations.Update", http.MethodPatch, []string{"changed"}, func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			integration, err := c.Integrations.Update(ctx, stageIntegrationID, cfposture.IntegrationUpdate{Name: new("changed")})
			return integrationNames(integration), err
		}},
		{"Integrations.Delete", http.MethodDelete, nil, func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			return nil, c.Integrations.Delete(ctx, stageIntegrationID)
		}},
	}
}

// plainOperations are calls by Do.
func plainOperations() []operation {
	const collection = "accounts/" + posturetest.AccountID + "/devices/posture"
	do := func(method, path string, body any, want ...string) operation {
		return operation{"Do " + method, method, want, func(ctx context.Context, c *cfposture.Client) ([]string, error) {
			if want == nil {
				return nil, c.Do(ctx, cfposture.Request{Method: method, Path: path, Body: body}, nil)
			}
			var result struct {
				Name string `json:"name"`
			}
			err := c.Do(ctx, cfposture.Request{Method: method, Path: path, Body: body}, &result)
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

func ruleNames(rules ...*cfposture.Rule) (names []string) {
	for _, rule := range rules {
		if rule != nil {
			names = append(names, rule.Name)
		}
	}
	return names
}

func integrationNames(integrations ...*cfposture.Integration) (names []string) {
	for _, integration := range integrations {
		if integration != nil {
			names = append(names, integration.Name)
		}
	}
	return names
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

// quietLog is for servers whose complaints about broken connections are no news.
var quietLog = log.New(io.Discard, "", 0)

// A response that a transport in a test gives.
func respond(r *http.Request, status int, header http.Header, body io.Reader) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		StatusCode: status, Header: header, Body: io.NopCloser(body), ContentLength: -1,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
	}
}

// A network counts the connections of a server, and lets a test have its way with the client's ends.
type network struct {
	pipes *pipeListener // instead of a port
	// spoil may replace the result of a dial, of which the first is number 1.
	spoil func(number int, dial dialFunc) (net.Conn, error)

	mu     sync.Mutex
	dials  int
	open   map[net.Conn]struct{} // at the server's side
	opened atomic.Int64          // at the client's side
}

type dialFunc func() (net.Conn, error)

// dial is a transport's DialContext.
func (n *network) dial(ctx context.Context, protocol, address string) (net.Conn, error) {
	n.mu.Lock()
	n.dials++
	number := n.dials
	n.mu.Unlock()
	dial := func() (net.Conn, error) {
		if n.pipes != nil {
			return n.pipes.dial(ctx)
		}
		return new(net.Dialer).DialContext(ctx, protocol, address)
	}
	if n.spoil != nil {
		return n.spoil(number, dial)
	}
	connection, err := dial()
	if err != nil {
		return nil, err
	}
	n.opened.Add(1)
	return &trackedConn{Conn: connection, closed: sync.OnceFunc(func() { n.opened.Add(-1) })}, nil
}

// A trackedConn tells when it is closed.
type trackedConn struct {
	net.Conn
	closed func()
}

func (c *trackedConn) Close() error {
	c.closed()
	return c.Conn.Close()
}

func (n *network) dialled() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.dials
}

// watch is a server's ConnState.
func (n *network) watch(connection net.Conn, state http.ConnState) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.open == nil {
		n.open = map[net.Conn]struct{}{}
	}
	if state == http.StateClosed || state == http.StateHijacked {
		delete(n.open, connection)
	} else {
		n.open[connection] = struct{}{}
	}
}

// A pipeListener accepts connections without a network, so that the time of synctest passes while they are idle.
type pipeListener struct {
	accepted chan net.Conn
	closed   chan struct{}
	close    sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{accepted: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case l.accepted <- there:
		return here, nil
	case <-l.closed:
		return nil, syscall.ECONNREFUSED
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case connection := <-l.accepted:
		return connection, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.close.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// assertNothingLeftRunning fails the test if goroutines that it started outlive it. Call it before anything else that
// registers clean-up, so that it runs last.
func assertNothingLeftRunning(t *testing.T) {
	t.Helper()
	before := goroutines()
	t.Cleanup(func() {
		var left map[string]string
		isClean := func() bool {
			left = goroutines()
			maps.DeleteFunc(left, func(id, _ string) bool { return before[id] != "" })
			return len(left) == 0
		}
		if !eventually(isClean) {
			assert.Empty(t, slices.Collect(maps.Values(left)), "goroutines are left behind")
		}
	})
}

// eventually reports whether something that other goroutines have to bring about does come about.
func eventually(condition func() bool) bool {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); runtime.Gosched() {
		if condition() {
			return true
		}
	}
	return false
}

// goroutines returns the stacks of all goroutines but this one and those of the test framework, by their numbers.
func goroutines() map[string]string {
	buffer := make([]byte, 4<<20)
	stacks := strings.Split(string(buffer[:runtime.Stack(buffer, true)]), "\n\n")
	found := map[string]string{}
	for _, stack := range stacks[1:] {
		if id, _, ok := strings.Cut(stack, " ["); ok && !strings.Contains(stack, "\ntesting.") {
			found[id] = stack
		}
	}
	return found
}
