package posturetest_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/posturetest"
)

const (
	rulesPath        = "/accounts/" + posturetest.AccountID + "/devices/posture"
	integrationsPath = rulesPath + "/integration"
)

// api talks to a server over its port with net/http alone.
type api struct {
	t      *testing.T
	server *posturetest.Server
	client *http.Client
}

func newAPI(t *testing.T, opts ...posturetest.Option) *api {
	t.Helper()
	server := posturetest.NewServer(opts...)
	transport := &http.Transport{}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
	})
	return &api{t: t, server: server, client: &http.Client{Transport: transport}}
}

// reply is a response that was read to its end.
type reply struct {
	status int
	header http.Header
	body   string
	envelope
}

type envelope struct {
	Errors     []problem
	Messages   []problem
	Result     json.RawMessage
	ResultInfo map[string]int `json:"result_info"`
	Success    bool
}

type problem struct {
	Code       int
	Message    string
	Source     struct{ Pointer string }
	ErrorChain []problem `json:"error_chain"`
}

// request returns a request with the right token.
func (a *api) request(method, path, body string) *http.Request {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.server.URL+path, strings.NewReader(body))
	require.NoError(a.t, err)
	r.Header.Set("Authorization", "Bearer "+posturetest.APIToken)
	return r
}

// try sends a request and reads what comes, errors included.
func (a *api) try(r *http.Request) (reply, error) {
	response, err := a.client.Do(r)
	if err != nil {
		return reply{}, err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	return reply{status: response.StatusCode, header: response.Header, body: string(body)}, err
}

// send sends a request and expects an envelope.
func (a *api) send(r *http.Request) reply {
	a.t.Helper()
	got, err := a.try(r)
	require.NoError(a.t, err)
	require.NoError(a.t, json.Unmarshal([]byte(got.body), &got.envelope), "%d %s", got.status, got.body)
	return got
}

func (a *api) call(method, path, body string) reply {
	a.t.Helper()
	return a.send(a.request(method, path, body))
}

// succeed is call for what must succeed. It returns the result.
func (a *api) succeed(method, path, body string) string {
	a.t.Helper()
	got := a.call(method, path, body)
	require.Equal(a.t, http.StatusOK, got.status, got.body)
	require.True(a.t, got.Success, got.body)
	require.Empty(a.t, got.Errors)
	return string(got.Result)
}

// create is succeed for a POST. It returns the ID.
func (a *api) create(path, body string) string {
	a.t.Helper()
	return idOf(a.t, a.succeed(http.MethodPost, path, body))
}

// refused expects a failure with that status, and with one error for each pointer if any are given.
func (a *api) refused(want int, got reply, pointers ...string) {
	a.t.Helper()
	assert.Equal(a.t, want, got.status, got.body)
	assert.False(a.t, got.Success)
	assert.Equal(a.t, "null", string(got.Result))
	assert.NotEmpty(a.t, got.Errors)
	var at []string
	for _, e := range got.Errors {
		assert.NotZero(a.t, e.Code)
		assert.NotEmpty(a.t, e.Message)
		at = append(at, e.Source.Pointer)
	}
	if pointers != nil {
		assert.ElementsMatch(a.t, pointers, at, got.body)
	}
}

// idOf returns the ID in a JSON object.
func idOf(t *testing.T, raw string) string {
	t.Helper()
	var o struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(raw), &o), raw)
	return o.ID
}

// assertBytes is for JSON whose order and spaces matter.
func assertBytes[Got ~string | ~[]byte](t *testing.T, want string, got Got) {
	t.Helper()
	assert.Equal(t, want, string(got))
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return raw
}
