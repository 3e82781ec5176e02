package cfposture_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/cfposture/cfposture"
)

const emptyList = `{"success":true,"errors":[],"messages":[{"code":1,"message":"hello"}],"result":[]}`

// recorder answers every request with an empty list and keeps it.
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
		"empty key":          {[]cfposture.Option{cfposture.WithAPIKey("", "")}, "email is empty; API key is empty"},
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
		require.EqualError(t, err, "cfposture: email is empty")
	})
}

func TestLoopbackMayBePlain(t *testing.T) {
	for _, baseURL := range []string{"http://localhost:1/", "http://LOCALHOST/x", "http://127.0.0.1", "http://127.9.9.9:80/a/b/", "http://[::1]:8080"} {
		_, err := cfposture.NewClient(cfposture.WithoutEnvironment(), cfposture.WithAPIToken("t"), cfposture.WithBaseURL(baseURL))
		require.NoError(t, err, baseURL)
	}
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

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestTheCallersHTTPClientIsLeftAlone(t *testing.T) {
	sent := new(recorder)
	theirs := &http.Client{Transport: sent}
	client, err := cfposture.NewClient(cfposture.WithoutEnvironment(), cfposture.WithAPIToken("t"), cfposture.WithAccountID("a"),
		cfposture.WithHTTPClient(theirs), cfposture.WithMiddleware(func(next http.RoundTripper) http.RoundTripper { return next }))
	require.NoError(t, err)
	_, err = client.Posture.List(t.Context())
	require.NoError(t, err)
	assert.Nil(t, theirs.CheckRedirect)
	assert.Same(t, sent, theirs.Transport)
}

func TestTheCallersCookiesCount(t *testing.T) {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	var cookies []string
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		cookies = append(cookies, r.Header.Get("Cookie"))
		return respond(r, http.StatusOK, http.Header{"Set-Cookie": {"__cf_bm=x"}}, strings.NewReader(emptyList)), nil
	})
	client := transportClient(t, nil, cfposture.WithHTTPClient(&http.Client{Transport: transport, Jar: jar}))
	for range 2 {
		_, err = client.Posture.List(t.Context())
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"", "__cf_bm=x"}, cookies)
}

func TestTheCallersTimeoutCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := roundTripper(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		client := transportClient(t, nil, cfposture.WithMaxRetries(0),
			cfposture.WithHTTPClient(&http.Client{Transport: silent, Timeout: time.Second}))
		start := time.Now()
		_, err := client.Posture.List(t.Context())
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(start))
	})
}

// A transport is asked without an http.Client between, which would see to most of these.
func TestTransportsThatAnswerOddly(t *testing.T) {
	tests := map[string]struct {
		response *http.Response
		err      error
		want     string
	}{
		"nothing":                     {nil, nil, "returned neither a response nor an error"},
		"no body":                     {&http.Response{StatusCode: 200}, nil, "200 OK: response is empty: EOF"},
		"a location that isn't":       {&http.Response{StatusCode: 302, Header: http.Header{"Location": {"https://\x7f"}}}, nil, "302 Found: redirects are not followed"},
		"an error of another request": {nil, &url.Error{Op: "Post", URL: "https://login.example", Err: errors.New("lost")}, `Post "https://login.example": lost`},
		"HTTP of a proxy":             {nil, fmt.Errorf("proxyconnect: %w", tls.RecordHeaderError{Msg: "odd", RecordHeader: [5]byte([]byte("HTTP/"))}), "proxyconnect: tls: odd"},
		"HTTP in place of TLS":        {nil, tls.RecordHeaderError{RecordHeader: [5]byte([]byte("HTTP/"))}, "server gave HTTP response to HTTPS client"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			client := transportClient(t, roundTripper(func(*http.Request) (*http.Response, error) { return test.response, test.err }), cfposture.WithMaxRetries(0))
			_, err := client.Posture.Get(t.Context(), "x")
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestDefaultTransportIsUsedWithoutAnHTTPClient(t *testing.T) {
	httpmock.Activate(t)
	httpmock.RegisterResponder(http.MethodGet, "https://api.cloudflare.com/client/v4/accounts/a/devices/posture", httpmock.NewStringResponder(200, emptyList))
	for _, opts := range [][]cfposture.Option{
		nil,
		{cfposture.WithHTTPClient(nil)},
		{cfposture.WithMiddleware(func(next http.RoundTripper) http.RoundTripper { return next })},
	} {
		client, err := cfposture.NewClient(append(opts, cfposture.WithoutEnvironment(), cfposture.WithAPIToken("t"), cfposture.WithAccountID("a"))...)
		require.NoError(t, err)
		_, err = client.Posture.List(t.Context())
		require.NoError(t, err)
	}
}

func TestWithResponseTellsAboutTheAnswer(t *testing.T) {
	var response cfposture.Response
	client := mockClient(t, answer(200, emptyList), cfposture.WithHTTPClient(&http.Client{Transport: new(recorder)}))
	_, err := client.Posture.List(t.Context(), cfposture.WithResponse(&response), cfposture.WithResponse(nil), cfposture.WithResponse(&response))
	require.NoError(t, err)
	assert.Equal(t, 200, response.StatusCode)
	assert.Equal(t, "ray-1", response.RayID)
	assert.Equal(t, 1, response.Attempts)
	assert.Equal(t, []cfposture.Message{{Code: 1, Message: "hello"}}, response.Messages)
	assert.Equal(t, 50, response.RateLimit.Remaining)
	assert.Equal(t, "ray-1", response.Header.Get("CF-Ray"))

	failing := mockClient(t, answer(404, `{"success":false,"errors":[{"code":1,"message":"m"}]}`))
	require.Error(t, failing.Posture.Delete(t.Context(), "id", cfposture.WithResponse(&response)))
	assert.Equal(t, 404, response.StatusCode)
	assert.Equal(t, "8f00ba4-FRA", response.RayID)

	broken := mockClient(t, httpmock.NewErrorResponder(errors.New("boom")))
	_, err = broken.Posture.Get(t.Context(), "id", cfposture.WithResponse(&response))
	require.ErrorContains(t, err, "boom")
	assert.Equal(t, cfposture.Response{Attempts: 1}, response, "nothing of an answer before is left")
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

func TestAccountIDIsNeeded(t *testing.T) {
	client, err := cfposture.NewClient(cfposture.WithoutEnvironment(), cfposture.WithAPIToken("t"))
	require.NoError(t, err)
	for operation, call := range everyCall(client) {
		_, err := call(t.Context())
		require.EqualError(t, err, "cfposture: account ID is not set: use WithAccountID or set CLOUDFLARE_ACCOUNT_ID", operation)
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

func TestLimitersOfOtherMakesFit(t *testing.T) {
	var limiter cfposture.Limiter = rate.NewLimiter(rate.Inf, 1)
	_, err := newServer(t).Client(cfposture.WithLimiter(limiter)).Posture.List(t.Context(), cfposture.WithLimiter(nil))
	require.NoError(t, err)
}

// A middleware may do to the headers what it likes: none of them reaches into another.
func TestMiddlewareMayAddToHeaders(t *testing.T) {
	var sent http.Header
	client := mockClient(t, answer(200, oneRule), cfposture.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
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
