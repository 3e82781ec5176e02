package cfposture_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// The tests make a client in three ways: by transportClient, or mockClient, which does without a network; by
// handlerClient, for what a server sees and does; and by a posturetest server's Client, for what becomes of rules.

const (
	account   = "699d98642c564d2e855e9661899b7252"
	rulesPath = "accounts/" + account + "/devices/posture"
	oneRule   = `{"success":true,"errors":[],"messages":[],"result":{"id":"1","name":"n","type":"warp"}}`
	emptyList = `{"success":true,"errors":[],"messages":[{"code":1,"message":"hello"}],"result":[]}`
)

// transportClient returns a client that sends through the transport.
func transportClient(t *testing.T, transport http.RoundTripper, opts ...cfposture.Option) *cfposture.Client {
	t.Helper()
	client, err := cfposture.NewClient(append([]cfposture.Option{
		cfposture.WithoutEnvironment(), cfposture.WithAPIToken("token-of-the-test"), cfposture.WithAccountID(account),
		cfposture.WithHTTPClient(&http.Client{Transport: transport}),
	}, opts...)...)
	require.NoError(t, err)
	return client
}

// mockClient is transportClient with a mock that gives every request the response, and no retries unless opts ask for
// them.
func mockClient(t *testing.T, response httpmock.Responder, opts ...cfposture.Option) *cfposture.Client {
	t.Helper()
	transport := httpmock.NewMockTransport()
	transport.RegisterNoResponder(response)
	return transportClient(t, transport, append([]cfposture.Option{cfposture.WithMaxRetries(0)}, opts...)...)
}

// responding gives every request the status and body, with a ray.
func responding(status int, body string) httpmock.Responder {
	return httpmock.NewStringResponder(status, body).HeaderSet(http.Header{"Cf-Ray": {"8f00ba4-FRA"}})
}

// handlerClient returns a client of a handler on a loopback port, which doesn't wait between retries.
func handlerClient(t *testing.T, handler http.Handler, opts ...cfposture.Option) *cfposture.Client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	client, err := cfposture.NewClient(append([]cfposture.Option{
		cfposture.WithoutEnvironment(), cfposture.WithBaseURL(server.URL + "/v4"), cfposture.WithMaxRetryWait(0),
		cfposture.WithAPIToken("token-of-the-test"), cfposture.WithAccountID(account),
	}, opts...)...)
	require.NoError(t, err)
	return client
}

// newServer returns a server that tells by its responses whether something was there, and what it was.
func newServer(t *testing.T, opts ...posturetest.Option) *posturetest.Server {
	t.Helper()
	return posturetest.New(t, append([]posturetest.Option{posturetest.WithBehavior(posturetest.Behavior{
		DeleteMissingRule: http.StatusNotFound,
		ConfigMembers:     []string{"*"},
	})}, opts...)...)
}

// A roundTripper is a transport.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// respond returns a response of a transport.
func respond(r *http.Request, status int, header http.Header, body io.Reader) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		StatusCode: status, Header: header, Body: io.NopCloser(body), ContentLength: -1,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
	}
}

// A witness is a handler that notes what arrives, and responds with a rule.
type witness struct {
	requests []string // method and request URI
	response string   // in place of the rule
}

func (w *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.requests = append(w.requests, r.Method+" "+r.RequestURI)
	if w.response == "" {
		w.response = oneRule
	}
	_, _ = io.WriteString(rw, w.response)
}

// take returns what arrived since it was last asked.
func (w *witness) take() []string {
	defer func() { w.requests = nil }()
	return w.requests
}

// inParallel makes n calls at the same time.
func inParallel(t *testing.T, n int, call func() error) {
	t.Helper()
	errs := make(chan error, n)
	for range n {
		go func() { errs <- call() }()
	}
	for range n {
		assert.NoError(t, <-errs)
	}
}

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
