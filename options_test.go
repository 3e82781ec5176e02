package cfposture_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// recorder responds to every request with an empty list, and keeps it.
type recorder struct{ requests []*http.Request }

func (r *recorder) RoundTrip(request *http.Request) (*http.Response, error) {
	r.requests = append(r.requests, request)
	response := httpmock.NewStringResponse(200, emptyList)
	response.Header.Set("CF-Ray", "ray-1")
	response.Header.Set("Ratelimit", `"default";r=50;t=30`)
	return response, nil
}

func (r *recorder) last() *http.Request { return r.requests[len(r.requests)-1] }

// clearEnvironment unsets what NewClient reads, and then sets the pairs.
func clearEnvironment(t *testing.T, pairs map[string]string) {
	t.Helper()
	for _, name := range []string{"CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY", "CLOUDFLARE_EMAIL", "CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_BASE_URL"} {
		t.Setenv(name, pairs[name])
	}
}

func TestEnvironmentIsReadAndOptionsWin(t *testing.T) {
	all := map[string]string{
		"CLOUDFLARE_API_TOKEN": "env-token", "CLOUDFLARE_API_KEY": "env-key", "CLOUDFLARE_EMAIL": "env@example.com",
		"CLOUDFLARE_ACCOUNT_ID": "env-account", "CLOUDFLARE_BASE_URL": "https://env.example/v4/",
	}
	keyOnly := map[string]string{"CLOUDFLARE_API_KEY": "env-key", "CLOUDFLARE_EMAIL": "env@example.com", "CLOUDFLARE_ACCOUNT_ID": "env-account"}
	tests := map[string]struct {
		environment map[string]string
		opts        []cfposture.Option
		url         string
		header      http.Header
	}{
		"environment, token preferred": {all, nil, "https://env.example/v4/accounts/env-account/devices/posture", http.Header{"Authorization": {"Bearer env-token"}}},
		"environment, key":             {keyOnly, nil, "https://api.cloudflare.com/client/v4/accounts/env-account/devices/posture", http.Header{"X-Auth-Email": {"env@example.com"}, "X-Auth-Key": {"env-key"}}},
		"options win": {
			all,
			[]cfposture.Option{cfposture.WithAPIKey("me@example.com", "my-key"), cfposture.WithAccountID("mine"), cfposture.WithBaseURL("https://api.example")},
			"https://api.example/accounts/mine/devices/posture", http.Header{"X-Auth-Email": {"me@example.com"}, "X-Auth-Key": {"my-key"}},
		},
		"token over the environment's key": {keyOnly, []cfposture.Option{cfposture.WithAPIToken("mine")}, "https://api.cloudflare.com/client/v4/accounts/env-account/devices/posture", http.Header{"Authorization": {"Bearer mine"}}},
		"without environment": {
			map[string]string{"CLOUDFLARE_API_TOKEN": "bad\ntoken", "CLOUDFLARE_BASE_URL": "ftp://x"},
			[]cfposture.Option{cfposture.WithoutEnvironment(), cfposture.WithAPIToken("mine"), cfposture.WithAccountID("mine")},
			"https://api.cloudflare.com/client/v4/accounts/mine/devices/posture", http.Header{"Authorization": {"Bearer mine"}},
		},
		"token source": {nil, []cfposture.Option{
			cfposture.WithTokenSource(func(context.Context) (string, error) { return "sourced", nil }), cfposture.WithAccountID("mine"),
		}, "https://api.cloudflare.com/client/v4/accounts/mine/devices/posture", http.Header{"Authorization": {"Bearer sourced"}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			clearEnvironment(t, test.environment)
			sent := new(recorder)
			client, err := cfposture.NewClient(append(test.opts, cfposture.WithHTTPClient(&http.Client{Transport: sent}))...)
			require.NoError(t, err)
			_, err = client.Posture.List(t.Context())
			require.NoError(t, err)
			assert.Equal(t, test.url, sent.last().URL.String())
			for _, name := range []string{"Authorization", "X-Auth-Email", "X-Auth-Key"} {
				assert.Equal(t, test.header.Get(name), sent.last().Header.Get(name), name)
			}
			assert.Equal(t, "cfposture/"+cfposture.Version, sent.last().Header.Get("User-Agent"))
		})
	}
}

func TestNewClientRefusesWhatCannotBeRight(t *testing.T) {
	token := cfposture.WithAPIToken("secret-token")
	tests := map[string]struct {
		opts []cfposture.Option
		want string
	}{
		"no credentials":     {nil, "no credentials: use WithAPIToken or set CLOUDFLARE_API_TOKEN"},
		"token with newline": {[]cfposture.Option{cfposture.WithAPIToken("secret-token\n")}, "API token has a newline or another control character"},
		"empty token":        {[]cfposture.Option{cfposture.WithAPIToken("")}, "API token is empty"},
		"empty key":          {[]cfposture.Option{cfposture.WithAPIKey("", "")}, "email (WithAPIKey or CLOUDFLARE_EMAIL) is empty; API key is empty"},
		"key with newline":   {[]cfposture.Option{cfposture.WithAPIKey("e", "secret-key\r\n")}, "API key has a newline"},
		"nil source":         {[]cfposture.Option{cfposture.WithTokenSource(nil)}, "token source is nil"},
		"plain http":         {[]cfposture.Option{token, cfposture.WithBaseURL("http://api.cloudflare.com/client/v4")}, "use WithPlainHTTP to allow http"},
		"http lookalike":     {[]cfposture.Option{token, cfposture.WithBaseURL("http://localhost.example/")}, "use WithPlainHTTP to allow http"},
		"other scheme":       {[]cfposture.Option{token, cfposture.WithBaseURL("ftp://127.0.0.1/")}, "base URL is not https"},
		"no URL":             {[]cfposture.Option{token, cfposture.WithBaseURL("secret-token")}, "base URL is not a URL such as"},
		"control character":  {[]cfposture.Option{token, cfposture.WithBaseURL("https://x/secret\n-token")}, "base URL is not a URL such as"},
		"empty URL":          {[]cfposture.Option{token, cfposture.WithBaseURL("")}, "base URL is not a URL such as"},
		"password in URL":    {[]cfposture.Option{token, cfposture.WithBaseURL("https://u:secret-token@x.example")}, "base URL has a user name"},
		"query in URL":       {[]cfposture.Option{token, cfposture.WithBaseURL("https://x.example?a=1")}, "base URL has a query or a fragment"},
		"header name":        {[]cfposture.Option{token, cfposture.WithHeader("X Y", "v")}, `header name "X Y" is invalid`},
		"header value":       {[]cfposture.Option{token, cfposture.WithHeader("X-Y", "secret-token\n")}, `value of header X-Y has a control character`},
		"user agent":         {[]cfposture.Option{token, cfposture.WithUserAgent("a\nb")}, "user agent has a control character"},
		"middleware":         {[]cfposture.Option{token, cfposture.WithMiddleware(nil)}, "middleware is nil"},
		"timeout":            {[]cfposture.Option{token, cfposture.WithTimeout(-1)}, "timeout -1ns is negative"},
		"retries":            {[]cfposture.Option{token, cfposture.WithMaxRetries(-1)}, "number of retries -1 is negative"},
		"retry wait":         {[]cfposture.Option{token, cfposture.WithMaxRetryWait(-1)}, "retry wait -1ns is negative"},
		"rate":               {[]cfposture.Option{token, cfposture.WithRateLimit(0, 1)}, "lets nothing through"},
		"burst":              {[]cfposture.Option{token, cfposture.WithRateLimit(1, 0)}, "lets nothing through"},
		"several":            {[]cfposture.Option{token, cfposture.WithTimeout(-1), cfposture.WithMaxRetries(-1)}, "timeout -1ns is negative; number of retries -1 is negative"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client, err := cfposture.NewClient(append(test.opts, cfposture.WithoutEnvironment())...)
			require.ErrorContains(t, err, test.want)
			assert.Nil(t, client)
			assert.True(t, strings.HasPrefix(err.Error(), "cfposture: "), err)
			assert.NotContains(t, err.Error(), "\n")
			assert.NotContains(t, err.Error(), "secret-")

			if name == "no credentials" {
				return
			}
			server := newServer(t)
			_, err = server.Client().Posture.List(t.Context(), test.opts...)
			require.ErrorContains(t, err, test.want, "for a single call, too")
			assert.Empty(t, server.Requests())
		})
	}
	t.Run("half a key in the environment", func(t *testing.T) {
		clearEnvironment(t, map[string]string{"CLOUDFLARE_API_KEY": "secret-key"})
		_, err := cfposture.NewClient()
		require.EqualError(t, err, "cfposture: email (WithAPIKey or CLOUDFLARE_EMAIL) is empty")
	})
}

func TestPlainHTTPIsForLoopbackHosts(t *testing.T) {
	sent := 0
	transport := roundTripper(func(*http.Request) (*http.Response, error) {
		sent++
		return nil, errors.New("sent")
	})
	client := transportClient(t, transport, cfposture.WithMaxRetries(0))
	for _, refused := range []string{
		"http://api.cloudflare.com/client/v4", "HTTP://api.cloudflare.com", "http://10.0.0.1", "http://0.0.0.0", "http://[::]",
		"http://localhost.example.com", "http://127.0.0.1.example.com", "http://localhost@example.com", "http://127.0.0.1:1@example.com",
		"http://128.0.0.1", "http://169.254.169.254", "http://[fe80::1]", "http://2130706433", "http://0x7f.1", "http://127.1",
		"ws://127.0.0.1", "ftp://localhost", "unix:///socket", "//localhost", "localhost:8080", "", "https://", "https:api.cloudflare.com",
	} {
		_, err := cfposture.NewClient(cfposture.WithoutEnvironment(), cfposture.WithAPIToken("t"), cfposture.WithBaseURL(refused))
		require.ErrorContains(t, err, "base URL", refused)
		_, err = client.Posture.List(t.Context(), cfposture.WithBaseURL(refused))
		require.ErrorContains(t, err, "base URL", refused)
		require.ErrorContains(t, client.Do(t.Context(), cfposture.Request{Method: "GET", Path: "zones"}, nil, cfposture.WithBaseURL(refused)), "base URL", refused)
	}
	assert.Zero(t, sent)
	plain := map[string]bool{"http://10.0.0.1/client/v4": true, "http://fake-api:8080": true, "HTTP://fake-api": true, "ftp://fake-api": false, "ws://10.0.0.1": false}
	for baseURL, allowed := range plain {
		err := client.Do(t.Context(), cfposture.Request{Method: "GET", Path: "zones"}, nil, cfposture.WithPlainHTTP(), cfposture.WithBaseURL(baseURL))
		require.Error(t, err, baseURL)
		assert.Equal(t, allowed, strings.Contains(err.Error(), "sent"), "WithPlainHTTP: %v", err)
		_, err = cfposture.NewClient(cfposture.WithoutEnvironment(), cfposture.WithAPIToken("t"), cfposture.WithBaseURL(baseURL), cfposture.WithPlainHTTP())
		assert.Equal(t, allowed, err == nil, "WithPlainHTTP: %v", err)
	}
	for _, allowed := range []string{"http://localhost", "http://LOCALHOST:80", "http://127.0.0.1:8080/x", "http://127.9.9.9", "http://[::1]:1", "https://example.com"} {
		require.ErrorContains(t, client.Do(t.Context(), cfposture.Request{Method: "GET", Path: "zones"}, nil, cfposture.WithBaseURL(allowed)), "sent", allowed)
	}
}

func TestHeadersWithControlCharactersAreRefused(t *testing.T) {
	here := new(witness)
	client := handlerClient(t, here)
	for _, bad := range []string{"a\nb", "a\r\nX-Injected: 1", "a\x00", "a\x7f", "\x1b[2J", "a\r"} {
		for name, opt := range map[string]cfposture.Option{
			"header":       cfposture.WithHeader("X-Test", bad),
			"header name":  cfposture.WithHeader("X-Test"+bad, "v"),
			"user agent":   cfposture.WithUserAgent(bad),
			"token":        cfposture.WithAPIToken(bad),
			"token source": cfposture.WithTokenSource(func(context.Context) (string, error) { return bad, nil }),
			"email":        cfposture.WithAPIKey(bad, "key"),
			"key":          cfposture.WithAPIKey("e@example.com", bad),
		} {
			for _, op := range operations() {
				err := client.Do(t.Context(), cfposture.Request{Method: op.method, Path: "zones"}, nil, opt)
				require.Error(t, err, "%s with %q", name, bad)
				require.NotErrorIs(t, err, cfposture.ErrOutcomeUnknown, "%s with %q", name, bad)
			}
			if name != "token source" { // which is asked when something is sent
				_, err := cfposture.NewClient(cfposture.WithoutEnvironment(), cfposture.WithAPIToken("t"), opt)
				require.Error(t, err, "%s with %q", name, bad)
			}
		}
	}
	assert.Empty(t, here.take())
	require.NoError(t, client.Do(t.Context(), cfposture.Request{Method: "GET", Path: "zones"}, nil, cfposture.WithHeader("X-Test", "tab\tand é")))
}

func TestCallOptionsWinOverTheClients(t *testing.T) {
	clearEnvironment(t, map[string]string{"CLOUDFLARE_ACCOUNT_ID": "env-account"})
	sent, other := new(recorder), new(recorder)
	var order []string
	middleware := func(name string) cfposture.Option {
		return cfposture.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
			order = append(order, "set up "+name)
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				order = append(order, name)
				return next.RoundTrip(r)
			})
		})
	}
	client, err := cfposture.NewClient(
		cfposture.WithAPIToken("client-token"), cfposture.WithHTTPClient(&http.Client{Transport: sent}),
		cfposture.WithHeader("X-One", "client"), cfposture.WithHeader("X-Two", "client"), cfposture.WithUserAgent("inventory/1.2"),
		middleware("first"), middleware("second"))
	require.NoError(t, err)

	_, err = client.Posture.List(t.Context(),
		cfposture.WithAPIKey("me@example.com", "call-key"), cfposture.WithAccountID("call-account"),
		cfposture.WithHeader("X-Two", "call"), cfposture.WithUserAgent("job/2"), middleware("call"))
	require.NoError(t, err)
	header := sent.last().Header
	assert.Empty(t, header.Get("Authorization"))
	assert.Equal(t, "call-key", header.Get("X-Auth-Key"))
	assert.Equal(t, "client", header.Get("X-One"))
	assert.Equal(t, "call", header.Get("X-Two"))
	assert.Equal(t, "job/2 cfposture/"+cfposture.Version, header.Get("User-Agent"))
	assert.Contains(t, sent.last().URL.Path, "/accounts/call-account/")

	_, err = client.Posture.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "Bearer client-token", sent.last().Header.Get("Authorization"), "the client is as it was")
	assert.Contains(t, sent.last().URL.Path, "/accounts/env-account/")
	assert.Equal(t, []string{"set up first", "set up second", "set up call", "call", "second", "first", "second", "first"}, order)

	_, err = client.Posture.List(t.Context(), cfposture.WithHTTPClient(&http.Client{Transport: other}))
	require.NoError(t, err)
	assert.Len(t, other.requests, 1)
	assert.Equal(t, "second", order[len(order)-2], "the client's middleware wraps the call's HTTP client")

	_, err = client.Posture.List(t.Context(), cfposture.WithoutEnvironment())
	require.EqualError(t, err, "cfposture: WithoutEnvironment is an option of NewClient, not of calls")
}

func TestWithResponse(t *testing.T) {
	var response cfposture.Response
	client := mockClient(t, responding(200, emptyList), cfposture.WithHTTPClient(&http.Client{Transport: new(recorder)}))
	_, err := client.Posture.List(t.Context(), cfposture.WithResponse(&response), cfposture.WithResponse(nil), cfposture.WithResponse(&response))
	require.NoError(t, err)
	assert.Equal(t, 200, response.StatusCode)
	assert.Equal(t, "ray-1", response.RayID)
	assert.Equal(t, 1, response.Attempts)
	assert.Equal(t, []cfposture.Message{{Code: 1, Message: "hello"}}, response.Messages)
	assert.Equal(t, 50, response.RateLimit.Remaining)
	assert.Equal(t, "ray-1", response.Header.Get("CF-Ray"))

	failing := mockClient(t, responding(404, `{"success":false,"errors":[{"code":1,"message":"m"}]}`))
	require.Error(t, failing.Posture.Delete(t.Context(), "id", cfposture.WithResponse(&response)))
	assert.Equal(t, 404, response.StatusCode)
	assert.Equal(t, "8f00ba4-FRA", response.RayID)

	broken := mockClient(t, httpmock.NewErrorResponder(errors.New("boom")))
	_, err = broken.Posture.Get(t.Context(), "id", cfposture.WithResponse(&response))
	require.ErrorContains(t, err, "boom")
	assert.Equal(t, cfposture.Response{Attempts: 1}, response, "nothing is left of a response before")
}

func TestTokenSourceErrorEndsTheCall(t *testing.T) {
	sent := new(recorder)
	gone := errors.New("vault is sealed")
	for want, source := range map[string]func(context.Context) (string, error){
		"token source: vault is sealed":         func(context.Context) (string, error) { return "", gone },
		"token source: API token is empty":      func(context.Context) (string, error) { return "", nil },
		"token source: API token has a newline": func(context.Context) (string, error) { return "secret\n", nil },
	} {
		client := mockClient(t, nil, cfposture.WithHTTPClient(&http.Client{Transport: sent}))
		_, err := client.Posture.List(t.Context(), cfposture.WithTokenSource(source), cfposture.WithMaxRetries(3))
		require.ErrorContains(t, err, want)
		assert.NotContains(t, err.Error(), "secret")
		assert.Empty(t, sent.requests)
	}
}

func TestLoggerTellsOfAttemptsAndRetries(t *testing.T) {
	server := newServer(t)
	server.FailNext(1, 503)
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	_, err := server.Client(cfposture.WithLogger(logger), cfposture.WithMaxRetryWait(1)).Posture.List(t.Context())
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	require.Len(t, lines, 3)
	assert.Contains(t, lines[0], `level=DEBUG msg="cfposture: request" method=GET path=accounts/`)
	assert.Contains(t, lines[0], "status=503")
	assert.Contains(t, lines[1], `level=WARN msg="cfposture: retrying" method=GET`)
	assert.Contains(t, lines[2], "attempt=2")
	assert.Contains(t, lines[2], "status=200")

	log.Reset()
	quiet := slog.New(slog.NewTextHandler(&log, nil))
	_, err = server.Client(cfposture.WithLogger(quiet)).Posture.List(t.Context(), cfposture.WithLogger(nil))
	require.NoError(t, err)
	_, err = server.Client(cfposture.WithLogger(quiet)).Posture.List(t.Context())
	require.NoError(t, err)
	assert.Empty(t, log.String())
}

// A middleware may do to the headers what it likes: none of them reaches into another.
func TestMiddlewareMayAddToHeaders(t *testing.T) {
	var sent http.Header
	client := mockClient(t, responding(200, oneRule), cfposture.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			for _, name := range []string{"Accept", "User-Agent", "Content-Type", "Authorization"} {
				r.Header.Add(name, "more")
			}
			sent = r.Header
			return next.RoundTrip(r)
		})
	}))
	_, err := client.Posture.Create(t.Context(), &cfposture.Rule{Name: "n", Type: "warp"})
	require.NoError(t, err)
	assert.Equal(t, http.Header{
		"Accept":        {"application/json", "more"},
		"User-Agent":    {"cfposture/" + cfposture.Version, "more"},
		"Content-Type":  {"application/json", "more"},
		"Authorization": {"Bearer token-of-the-test", "more"},
	}, sent)
}

func TestWithBaseURLMayHaveSpacesAround(t *testing.T) {
	clearEnvironment(t, map[string]string{"CLOUDFLARE_API_TOKEN": "t", "CLOUDFLARE_ACCOUNT_ID": "a", "CLOUDFLARE_BASE_URL": " https://env.example/v4 \n"})
	sent := new(recorder)
	client, err := cfposture.NewClient(cfposture.WithHTTPClient(&http.Client{Transport: sent}))
	require.NoError(t, err)
	_, err = client.Posture.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "https://env.example/v4/accounts/a/devices/posture", sent.last().URL.String())
	_, err = client.Posture.List(t.Context(), cfposture.WithBaseURL("\thttps://api.example/ "))
	require.NoError(t, err)
	assert.Equal(t, "https://api.example/accounts/a/devices/posture", sent.last().URL.String())
}

// Of several options for credentials the last one counts, whatever is wrong with those before.
func TestLastCredentialsCount(t *testing.T) {
	type credentials struct{ name, header, value string }
	kinds := map[credentials]cfposture.Option{
		{"token", "Authorization", "Bearer my-token"}: cfposture.WithAPIToken("my-token"),
		{"key", "X-Auth-Key", "my-key"}:               cfposture.WithAPIKey("me@example.com", "my-key"),
		{"source", "Authorization", "Bearer sourced"}: cfposture.WithTokenSource(func(context.Context) (string, error) { return "sourced", nil }),
	}
	wrong := []cfposture.Option{cfposture.WithAPIToken(""), cfposture.WithAPIKey("", "a\nb"), cfposture.WithTokenSource(nil)}
	clearEnvironment(t, map[string]string{"CLOUDFLARE_API_KEY": "half"})
	for last, option := range kinds {
		for _, before := range append(slices.Collect(maps.Values(kinds)), wrong...) {
			sent := new(recorder)
			client, err := cfposture.NewClient(before, option, cfposture.WithAccountID("a"), cfposture.WithHTTPClient(&http.Client{Transport: sent}))
			require.NoError(t, err, last.name)
			_, err = client.Posture.List(t.Context())
			require.NoError(t, err)
			assertCredentials(t, sent.last().Header, last.header, last.value)
			for credentials, callOption := range kinds {
				_, err = client.Posture.List(t.Context(), before, callOption)
				require.NoError(t, err)
				assertCredentials(t, sent.last().Header, credentials.header, credentials.value)
			}
		}
		for _, wrong := range wrong {
			_, err := cfposture.NewClient(option, wrong)
			require.Error(t, err, "the last one is wrong")
		}
	}
}

func assertCredentials(t *testing.T, sent http.Header, name, value string) {
	t.Helper()
	for _, header := range []string{"Authorization", "X-Auth-Key"} {
		if header == name {
			assert.Equal(t, []string{value}, sent.Values(header))
		} else {
			assert.Empty(t, sent.Values(header))
		}
	}
}

func TestWithHeader(t *testing.T) {
	sent := new(recorder)
	client := transportClient(t, sent)
	_, err := client.Posture.List(t.Context(), cfposture.WithHeader("host", "other.example"), cfposture.WithHeader("accept", "text/plain"),
		cfposture.WithHeader("X-One", "1"), cfposture.WithHeader("x-one", "2"), cfposture.WithHeader("Authorization", "Bearer mine"))
	require.NoError(t, err)
	assert.Equal(t, "other.example", sent.last().Host)
	assert.Empty(t, sent.last().Header.Values("Host"))
	assert.Equal(t, []string{"text/plain"}, sent.last().Header.Values("Accept"))
	assert.Equal(t, []string{"2"}, sent.last().Header.Values("X-One"), "the last counts")
	assert.Equal(t, []string{"Bearer mine"}, sent.last().Header.Values("Authorization"))
	for _, name := range []string{"Content-Length", "content-length", "Transfer-Encoding", "TRANSFER-ENCODING", "Trailer", "trailer"} {
		_, err := cfposture.NewClient(cfposture.WithoutEnvironment(), cfposture.WithAPIToken("t"), cfposture.WithHeader(name, "1"))
		require.EqualError(t, err, "cfposture: header "+http.CanonicalHeaderKey(name)+" describes the body: it can't be set")
		_, err = client.Posture.List(t.Context(), cfposture.WithHeader(name, "1"))
		require.ErrorContains(t, err, "describes the body")
	}
	assert.Len(t, sent.requests, 1)
}

func TestWithResponseIsNoOptionOfNewClient(t *testing.T) {
	_, err := cfposture.NewClient(cfposture.WithoutEnvironment(), cfposture.WithAPIToken("t"), cfposture.WithResponse(new(cfposture.Response)))
	require.EqualError(t, err, "cfposture: WithResponse is an option of calls, not of NewClient")
}

// Options of a call change nothing for other calls.
func TestCallOptionsAreOfOneCall(t *testing.T) {
	sent := new(recorder)
	wrapped := 0
	counting := func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			wrapped++
			return next.RoundTrip(r)
		})
	}
	// The slices of a client's settings may have room for more.
	client := transportClient(t, sent, cfposture.WithHeader("X-1", ""), cfposture.WithHeader("X-2", ""), cfposture.WithHeader("X-3", ""),
		cfposture.WithMiddleware(counting), cfposture.WithMiddleware(counting), cfposture.WithMiddleware(counting))
	a := []cfposture.Option{cfposture.WithHeader("X-A", "a"), cfposture.WithMiddleware(counting), cfposture.WithAccountID("a"), cfposture.WithUserAgent("a/1")}
	b := []cfposture.Option{cfposture.WithHeader("X-B", "b"), cfposture.WithMiddleware(counting), cfposture.WithMiddleware(counting)}
	for range 3 {
		for _, test := range []struct {
			opts    []cfposture.Option
			wrapped int
			header  string
		}{{nil, 3, ""}, {a, 4, "X-A"}, {b, 5, "X-B"}} {
			wrapped = 0
			_, err := client.Posture.List(t.Context(), test.opts...)
			require.NoError(t, err)
			assert.Equal(t, test.wrapped, wrapped)
			for _, name := range []string{"X-A", "X-B"} {
				assert.Equal(t, name == test.header, sent.last().Header.Get(name) != "", name)
			}
			assert.Equal(t, test.header == "X-A", strings.Contains(sent.last().URL.Path, "/accounts/a/"))
			assert.Equal(t, test.header == "X-A", strings.HasPrefix(sent.last().Header.Get("User-Agent"), "a/1 "))
		}
	}
}

// Calls may be made within calls, and at the same time.
func TestCallOptionsOfSeveralCallsAtATime(t *testing.T) {
	pass := cfposture.WithMiddleware(func(next http.RoundTripper) http.RoundTripper { return next })
	client := transportClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		assert.Equal(t, r.URL.Query().Get("call"), r.Header.Get("X-Call"))
		return respond(r, 200, nil, strings.NewReader(oneRule)), nil
	}), cfposture.WithHeader("X-1", ""), cfposture.WithHeader("X-2", ""), cfposture.WithHeader("X-3", ""), pass, pass, pass)
	call := func(name string, opts ...cfposture.Option) error {
		request := cfposture.Request{Method: http.MethodGet, Path: "x", Query: url.Values{"call": {name}}}
		return client.Do(t.Context(), request, nil, append(opts, cfposture.WithHeader("X-Call", name), pass)...)
	}
	require.NoError(t, call("outer", cfposture.WithTokenSource(func(context.Context) (string, error) {
		return "token", call("inner")
	})))
	var next atomic.Int64
	inParallel(t, 50, func() error { return call(strconv.Itoa(int(next.Add(1)))) })
}

// A wrong option of a call is an error of that call, and of no other.
func TestWrongCallOptionIsForgotten(t *testing.T) {
	client := transportClient(t, new(recorder))
	_, err := client.Posture.List(t.Context(), cfposture.WithTimeout(-1), cfposture.WithMaxRetries(-1))
	require.EqualError(t, err, "cfposture: timeout -1ns is negative; number of retries -1 is negative")
	_, err = client.Posture.List(t.Context(), cfposture.WithMaxRetries(-2))
	require.EqualError(t, err, "cfposture: number of retries -2 is negative")
	_, err = client.Posture.List(t.Context())
	require.NoError(t, err)
}

func TestMiddlewareThatReturnsNothing(t *testing.T) {
	none := cfposture.WithMiddleware(func(http.RoundTripper) http.RoundTripper { return nil })
	_, err := cfposture.NewClient(cfposture.WithoutEnvironment(), cfposture.WithAPIToken("t"), none)
	require.EqualError(t, err, "cfposture: the middleware returned a nil transport")
	sent := new(recorder)
	client := transportClient(t, sent)
	_, err = client.Posture.List(t.Context(), none)
	require.EqualError(t, err, "cfposture: the middleware returned a nil transport")

	empty := cfposture.WithMiddleware(func(http.RoundTripper) http.RoundTripper {
		return roundTripper(func(*http.Request) (*http.Response, error) { return nil, nil }) //nolint:nilnil // on purpose
	})
	_, err = client.Posture.List(t.Context(), empty, cfposture.WithMaxRetries(0))
	require.ErrorContains(t, err, "returned neither a response nor an error")
	_, err = client.Posture.Create(t.Context(), &cfposture.Rule{Type: cfposture.RuleTypeWARP}, empty)
	require.ErrorIs(t, err, cfposture.ErrOutcomeUnknown)
	assert.Empty(t, sent.requests)
}

// An observedLimiter is a limiter that is told of responses.
type observedLimiter struct {
	limiterFunc
	told []string
}

func (l *observedLimiter) Observe(ctx context.Context, limit cfposture.RateLimit) {
	l.told = append(l.told, fmt.Sprintf("%s %d %v", cfposture.Operation(ctx), limit.Remaining, limit.RetryAfter))
}

func TestLimitObserver(t *testing.T) {
	limiter := &observedLimiter{limiterFunc: func(context.Context) error { return nil }}
	server := newServer(t, posturetest.InMemory())
	server.LimitNext(1, 0)
	client := server.Client(cfposture.WithLimiter(limiter), cfposture.WithMaxRetryWait(time.Hour))
	_, err := client.Posture.List(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, limiter.told)
	assert.Len(t, limiter.told, len(server.Requests()), "of every response")
	for _, told := range limiter.told {
		assert.True(t, strings.HasPrefix(told, "posture.list "), told)
	}
	limiter.told = nil
	_, err = client.Posture.List(t.Context(), cfposture.WithLimiter(nil))
	require.NoError(t, err)
	_, err = client.Posture.List(t.Context(), cfposture.WithLimiter(rate.NewLimiter(rate.Inf, 1)))
	require.NoError(t, err)
	assert.Empty(t, limiter.told)
}

func TestLimitObserverIsToldWhenToComeBack(t *testing.T) {
	limiter := &observedLimiter{limiterFunc: func(context.Context) error { return nil }}
	server := newServer(t, posturetest.InMemory())
	server.LimitNext(1, 30*time.Second)
	_, err := server.Client(cfposture.WithLimiter(limiter), cfposture.WithMaxRetries(0)).Posture.List(t.Context())
	require.ErrorIs(t, err, cfposture.ErrRateLimited)
	assert.Equal(t, []string{"posture.list 0 30s"}, limiter.told)
}

// Everything that one Option value is passed to shares the limit.
func TestWithRateLimitHoldsAllGoroutinesAndClientsTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := cfposture.WithRateLimit(10, 5)
		c := &clock{start: time.Now()}
		clients := []*cfposture.Client{transportClient(t, c, limit), transportClient(t, c, limit)}
		var next atomic.Int64
		inParallel(t, 65, func() error {
			_, err := clients[next.Add(1)%2].Posture.Get(t.Context(), "id")
			return err
		})
		slices.Sort(c.at)
		for i, at := range c.at {
			want := max(0, time.Duration(i-4)*100*time.Millisecond)
			assert.InDelta(t, want, at, float64(time.Millisecond), "request %d", i)
		}
	})
}

func TestWithPacingHoldsAllClientsTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pacing := cfposture.WithPacing()
		c := &clock{start: time.Now(), header: http.Header{"Ratelimit": {`"default";r=0;t=30`}}}
		for _, opts := range [][]cfposture.Option{{pacing}, {pacing}, nil} {
			_, err := transportClient(t, c, opts...).Posture.Get(t.Context(), "id")
			require.NoError(t, err)
		}
		assert.Equal(t, []time.Duration{0, 30 * time.Second, 30 * time.Second}, c.at, "without pacing nothing waits")
	})
}

// A clock responds to requests from any goroutine, and notes when they came.
type clock struct {
	header http.Header
	mu     sync.Mutex
	start  time.Time
	at     []time.Duration
}

func (c *clock) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = append(c.at, time.Since(c.start))
	return respond(r, http.StatusOK, c.header.Clone(), strings.NewReader(oneRule)), nil
}

func TestWithTimeoutEndsAnAttemptWithANetError(t *testing.T) {
	silent := roundTripper(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	slow := cfposture.WithTokenSource(func(ctx context.Context) (string, error) {
		<-ctx.Done()
		return "", ctx.Err()
	})
	synctest.Test(t, func(t *testing.T) {
		client := transportClient(t, silent, cfposture.WithMaxRetries(0))
		for name, test := range map[string]struct {
			opts []cfposture.Option
			want time.Duration
		}{
			"no response within 30s":   {nil, 30 * time.Second},
			"no response within 1s":    {[]cfposture.Option{cfposture.WithTimeout(time.Second)}, time.Second},
			"no credentials within 1s": {[]cfposture.Option{cfposture.WithTimeout(time.Second), slow}, time.Second},
		} {
			start := time.Now()
			_, err := client.Posture.Get(t.Context(), "id", test.opts...)
			assert.Equal(t, test.want, time.Since(start))
			require.ErrorContains(t, err, name)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			var timeout net.Error
			require.ErrorAs(t, err, &timeout)
			assert.True(t, timeout.Timeout())
		}
	})
}

func TestWithMaxRetryWaitEndsWhatWouldTakeLonger(t *testing.T) {
	server := newServer(t, posturetest.InMemory())
	server.LimitNext(1, 6*time.Second)
	_, err := server.Client(cfposture.WithMaxRetryWait(5*time.Second)).Posture.Create(t.Context(), &cfposture.Rule{Type: cfposture.RuleTypeWARP})
	assertStatus(t, err, http.StatusTooManyRequests)
	require.NotErrorIs(t, err, cfposture.ErrOutcomeUnknown)
	require.ErrorContains(t, err, "not retried: the wait would be longer than the 5s that WithMaxRetryWait allows")
	var failed *cfposture.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, 6*time.Second, failed.RetryAfter)
	assert.Len(t, server.Requests(), 1)
}

func TestWithLoggerBelowDebugLogsBodiesWithoutSecrets(t *testing.T) {
	for level, bodies := range map[slog.Level]bool{slog.LevelDebug: false, slog.LevelDebug - 4: true} {
		var log bytes.Buffer
		server := newServer(t, posturetest.InMemory())
		client := server.Client(cfposture.WithLogger(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level}))))
		_, err := client.Integrations.Create(t.Context(), &cfposture.Integration{
			Name: "Kolide of ours", Interval: "5m", Config: &cfposture.KolideConfig{ClientID: "id", ClientSecret: "hidden-secret"},
		})
		require.NoError(t, err)
		assert.Equal(t, bodies, strings.Contains(log.String(), "Kolide of ours"), log.String())
		assert.NotContains(t, log.String(), "hidden-secret")
		assert.NotContains(t, log.String(), posturetest.APIToken)
	}
}

func TestWithUserAgent(t *testing.T) {
	for product, want := range map[string]string{
		"inventory/1.2": "inventory/1.2 cfposture/" + cfposture.Version,
		"":              "cfposture/" + cfposture.Version,
	} {
		sent := new(recorder)
		_, err := transportClient(t, sent, cfposture.WithUserAgent(product)).Posture.List(t.Context())
		require.NoError(t, err)
		assert.Equal(t, want, sent.last().Header.Get("User-Agent"))
	}
}

func TestWithAPITokenAndWithAPIKeySetTheirHeaders(t *testing.T) {
	for _, test := range []struct {
		opts []cfposture.Option
		want http.Header
	}{
		{[]cfposture.Option{cfposture.WithAPIToken("a-token")}, http.Header{"Authorization": {"Bearer a-token"}}},
		{[]cfposture.Option{cfposture.WithAPIKey("me@example.com", "a-key")}, http.Header{"X-Auth-Email": {"me@example.com"}, "X-Auth-Key": {"a-key"}}},
		{[]cfposture.Option{cfposture.WithAPIKey("me@example.com", "a-key"), cfposture.WithAPIToken("last")}, http.Header{"Authorization": {"Bearer last"}}},
	} {
		sent := new(recorder)
		_, err := transportClient(t, sent, test.opts...).Posture.List(t.Context())
		require.NoError(t, err)
		for _, name := range []string{"Authorization", "X-Auth-Email", "X-Auth-Key"} {
			assert.Equal(t, test.want[name], sent.last().Header[name], name)
		}
	}
}

func TestWithoutEnvironmentIgnoresTheEnvironment(t *testing.T) {
	clearEnvironment(t, map[string]string{"CLOUDFLARE_API_TOKEN": "from-the-environment"})
	_, err := cfposture.NewClient(cfposture.WithoutEnvironment())
	require.ErrorContains(t, err, "no credentials")
	_, err = cfposture.NewClient()
	require.NoError(t, err)
}
