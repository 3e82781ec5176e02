package cfposture_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// A witness is a server that notes what arrives, byte for byte.
type witness struct {
	*httptest.Server
	mu       sync.Mutex
	requests []string // method and request URI
	headers  []http.Header
}

func newWitness(t *testing.T, answer http.HandlerFunc) *witness {
	t.Helper()
	w := new(witness)
	w.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.requests = append(w.requests, r.Method+" "+r.RequestURI)
		w.headers = append(w.headers, r.Header.Clone())
		w.mu.Unlock()
		answer(rw, r)
	}))
	t.Cleanup(w.Close)
	return w
}

// take returns what arrived since it was last asked.
func (w *witness) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	taken := w.requests
	w.requests = nil
	return taken
}

func witnessClient(t *testing.T, w *witness, opts ...cfposture.Option) *cfposture.Client {
	t.Helper()
	if len(opts) == 0 {
		opts = []cfposture.Option{cfposture.WithAPIToken(posturetest.APIToken)}
	}
	client, err := cfposture.NewClient(append([]cfposture.Option{
		cfposture.WithoutEnvironment(), cfposture.WithBaseURL(w.URL + "/v4"), cfposture.WithAccountID(posturetest.AccountID), cfposture.WithMaxRetryWait(0),
	}, opts...)...)
	require.NoError(t, err)
	return client
}

func TestRedirectsAreRefused(t *testing.T) {
	other := newWitness(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(oneRule)) })
	locations := map[string]string{
		"same host": "/v4/elsewhere", "relative": "another endpoint", "other host": other.URL + "/v4/x", "other scheme": "//" + strings.TrimPrefix(other.URL, "http://") + "/x",
		"plain http": "http://api.example.com/", "with credentials": "https://user:password@example.com/", "no URL": "javascript:alert(1)", "none": "",
	}
	for name, location := range locations {
		for _, status := range []int{300, 301, 302, 303, 304, 305, 307, 308} {
			t.Run(fmt.Sprintf("%s/%d", name, status), func(t *testing.T) {
				here := newWitness(t, func(w http.ResponseWriter, _ *http.Request) {
					if location != "" {
						w.Header().Set("Location", location)
					}
					w.WriteHeader(status)
				})
				credentials := [][]cfposture.Option{nil, {cfposture.WithAPIKey(posturetest.APIEmail, posturetest.APIKey)}}
				for _, opts := range credentials {
					client := witnessClient(t, here, opts...)
					for _, op := range operations() {
						_, err := op.run(t.Context(), client)
						assertAnswerIs(t, err, status)
						require.ErrorContains(t, err, "redirects are not followed", op.name)
						assert.Len(t, here.take(), 1, op.name)
					}
				}
				assert.Empty(t, other.take(), "nothing and no credentials reach another place")
			})
		}
	}
}

func TestRedirectsAreRefusedWhateverTheCallersClientDoes(t *testing.T) {
	other := newWitness(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(oneRule)) })
	here := newWitness(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
	})
	following := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
	client := witnessClient(t, here, cfposture.WithAPIToken(posturetest.APIToken), cfposture.WithHTTPClient(following))
	for _, op := range operations() {
		_, err := op.run(t.Context(), client)
		assertAnswerIs(t, err, http.StatusTemporaryRedirect)
	}
	_, err := client.Posture.List(t.Context(), cfposture.WithHTTPClient(following))
	assertAnswerIs(t, err, http.StatusTemporaryRedirect)
	assert.Empty(t, other.take())
}

func TestPlainHTTPIsForLoopbackAlone(t *testing.T) {
	sent := 0
	transport := roundTripper(func(*http.Request) (*http.Response, error) {
		sent++
		return nil, errors.New("sent")
	})
	opts := []cfposture.Option{
		cfposture.WithoutEnvironment(), cfposture.WithAPIToken("token-of-the-test"), cfposture.WithAccountID(account),
		cfposture.WithHTTPClient(&http.Client{Transport: transport}), cfposture.WithMaxRetries(0),
	}
	client, err := cfposture.NewClient(opts...)
	require.NoError(t, err)
	for _, refused := range []string{
		"http://api.cloudflare.com/client/v4", "HTTP://api.cloudflare.com", "http://10.0.0.1", "http://0.0.0.0", "http://[::]",
		"http://localhost.example.com", "http://127.0.0.1.example.com", "http://localhost@example.com", "http://127.0.0.1:1@example.com",
		"http://128.0.0.1", "http://169.254.169.254", "http://[fe80::1]", "http://2130706433", "http://0x7f.1", "http://127.1",
		"ws://127.0.0.1", "ftp://localhost", "unix:///socket", "//localhost", "localhost:8080", "", "https://", "https:api.cloudflare.com",
	} {
		_, err := cfposture.NewClient(append(opts, cfposture.WithBaseURL(refused))...)
		require.ErrorContains(t, err, "base URL", refused)
		_, err = client.Posture.List(t.Context(), cfposture.WithBaseURL(refused))
		require.ErrorContains(t, err, "base URL", refused)
		require.ErrorContains(t, client.Do(t.Context(), cfposture.Request{Method: "GET", Path: "zones"}, nil, cfposture.WithBaseURL(refused)), "base URL", refused)
	}
	assert.Zero(t, sent)
	for _, allowed := range []string{"http://localhost", "http://LOCALHOST:80", "http://127.0.0.1:8080/x", "http://127.9.9.9", "http://[::1]:1", "https://example.com"} {
		require.ErrorContains(t, client.Do(t.Context(), cfposture.Request{Method: "GET", Path: "zones"}, nil, cfposture.WithBaseURL(allowed)), "sent", allowed)
	}
}

func TestHeadersWithControlCharactersAreRefused(t *testing.T) {
	here := newWitness(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(oneRule)) })
	client := witnessClient(t, here)
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

// oddIDs are IDs that would lead elsewhere if they were put into a path as they are.
var oddIDs = []string{
	"../../../zones/x", "a/b", "/", "//", "/a", "a/", "%2e%2e", "%2E", "%2f", "..%2f..%2fzones", "?x=1", "id?x=1", "#f", "a#b", "...", ". .", "..;", "..;/x",
	"a;b", "a:b", "a@b", "a&b=c", "a+b", "a b", " ", "\u00a0", "é", "日本", "e\u0301", "\u202e", "😀", "a\nb", "a\r\nHost: x", "\x00", "\x7f", "\xff\xfe", `a\b`, `..\..\x`,
	"%", "%%", "%zz", "integration/x", "integration%2fx", "INTEGRATION", "http://example.com/", strings.Repeat("x", 5000), "~", "*", "'", `"`, "<>", "{}", "|", "^", "`",
}

func TestAnIDReachesItsOwnEndpointOrNone(t *testing.T) {
	here := newWitness(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(oneRule)) })
	client := witnessClient(t, here, cfposture.WithAPIToken(posturetest.APIToken), cfposture.WithoutValidation())
	const collection = "/v4/accounts/" + posturetest.AccountID + "/devices/posture/"
	calls := map[string]func(id string) error{
		"GET " + collection: func(id string) error { _, err := client.Posture.Get(t.Context(), id); return err },
		"PUT " + collection: func(id string) error {
			_, err := client.Posture.Update(t.Context(), &cfposture.Rule{ID: id, Type: cfposture.RuleTypeWARP})
			return err
		},
		"DELETE " + collection: func(id string) error { return client.Posture.Delete(t.Context(), id) },
		"GET " + collection + "integration/": func(id string) error {
			_, err := client.Integrations.Get(t.Context(), id)
			return err
		},
		"PATCH " + collection + "integration/": func(id string) error {
			_, err := client.Integrations.Update(t.Context(), id, cfposture.IntegrationUpdate{Name: new("n")})
			return err
		},
		"DELETE " + collection + "integration/": func(id string) error { return client.Integrations.Delete(t.Context(), id) },
		"HEAD /v4/zones/": func(id string) error {
			return client.Do(t.Context(), cfposture.Request{Method: http.MethodHead, Path: "zones/" + url.PathEscape(id)}, nil)
		},
	}
	for endpoint, call := range calls {
		for _, id := range oddIDs {
			err := call(id)
			if !strings.HasPrefix(endpoint, "HEAD") { // which has no answer to read
				require.NoError(t, err, "%s %q", endpoint, id)
			}
			arrived := here.take()
			require.Len(t, arrived, 1, "%s %q", endpoint, id)
			element, ok := strings.CutPrefix(arrived[0], endpoint)
			require.True(t, ok, "the ID %q led to %s instead of %s", id, arrived[0], endpoint)
			assert.NotContains(t, element, "/", "%q", id)
			assert.NotContains(t, element, "?", "%q", id)
			plain, err := url.PathUnescape(element)
			require.NoError(t, err)
			assert.Equal(t, id, plain, "the ID arrives as it was")
			assert.NotContains(t, []string{"", ".", "..", "integration"}, element)
		}
		for _, id := range []string{"", ".", ".."} {
			require.Error(t, call(id), "%s %q", endpoint, id)
			assert.Empty(t, here.take(), "%s %q", endpoint, id)
		}
	}
	for _, endpoint := range []string{"GET ", "PUT ", "DELETE "} {
		require.ErrorContains(t, calls[endpoint+collection]("integration"), "another endpoint", endpoint)
	}
	assert.Empty(t, here.take())
}

func TestAnAccountIDReachesItsOwnEndpointOrNone(t *testing.T) {
	here := newWitness(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(emptyList)) })
	client := witnessClient(t, here)
	for _, id := range oddIDs {
		_, err := client.Posture.List(t.Context(), cfposture.WithAccountID(id))
		require.NoError(t, err, "%q", id)
		assert.Equal(t, []string{"GET /v4/accounts/" + url.PathEscape(id) + "/devices/posture"}, here.take())
	}
	for _, id := range []string{"", ".", ".."} {
		_, err := client.Posture.List(t.Context(), cfposture.WithAccountID(id))
		require.Error(t, err, "%q", id)
	}
	assert.Empty(t, here.take())
}

func TestRulesWithOddIDsCanBeReadAndDeleted(t *testing.T) {
	api := newServer(t)
	client := api.Client()
	for _, id := range oddIDs {
		if !utf8.ValidString(id) {
			continue // no JSON can hold it
		}
		api.AddRule(fmt.Appendf(nil, `{"id":%s,"name":"odd","type":"warp"}`, quoteJSON(id)))
		rule, err := client.Posture.Get(t.Context(), id)
		require.NoError(t, err, "%q", id)
		assert.Equal(t, id, rule.ID)
		require.NoError(t, client.Posture.Delete(t.Context(), id), "%q", id)
		require.Empty(t, api.Rules(), "%q", id)
	}
}

func TestDosPathsCannotLeaveTheBase(t *testing.T) {
	here := newWitness(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(oneRule)) })
	client := witnessClient(t, here)
	for path, want := range map[string]string{
		"zones":                  "/v4/zones",
		"/zones":                 "/v4/zones",
		"zones/a%2Fb":            "/v4/zones/a%2Fb",
		"zones/a%2fb":            "/v4/zones/a%2Fb",
		"zones/%25":              "/v4/zones/%25",
		"zones/a b":              "/v4/zones/a%20b",
		"zones/a%3Fb%23c":        "/v4/zones/a%3Fb%23c",
		"zones/é":                "/v4/zones/%C3%A9",
		"zones/a\nb":             "/v4/zones/a%0Ab",
		"zones/%2e%2e%2fx":       "/v4/zones/..%2Fx",
		"http:/example.com":      "/v4/http:/example.com",
		"user@example.com":       "/v4/user@example.com",
		"zones/..":               "",
		"../zones":               "",
		"zones/../../x":          "",
		"zones/%2e%2e/x":         "",
		"zones/%2E./x":           "",
		"zones/.":                "",
		"./zones":                "",
		"zones//x":               "",
		"//example.com/x":        "",
		"http://example.com/x":   "",
		"zones/":                 "",
		"":                       "",
		"/":                      "",
		"zones?x=1":              "",
		"zones#x":                "",
		"zones/%":                "",
		"zones/%zz":              "",
		"zones/%2":               "",
		`zones/..\..\x`:          `/v4/zones/..%5C..%5Cx`,
		"zones/x;/../y":          "",
		"zones/..;/y":            "/v4/zones/..%3B/y",
		"zones/" + "\x00":        "/v4/zones/%00",
		"zones/\xff":             "/v4/zones/%FF",
		"zones/%c0%ae%c0%ae/x":   "/v4/zones/%C0%AE%C0%AE/x",
		"zones/%252e%252e/x":     "/v4/zones/%252e%252e/x",
		"zones/a%00b":            "/v4/zones/a%00b",
		"zones/a:b@c&d=e+f$g!h*": "/v4/zones/a:b@c&d=e+f$g%21h%2A",
	} {
		err := client.Do(t.Context(), cfposture.Request{Method: http.MethodGet, Path: path}, nil)
		if want == "" {
			require.Error(t, err, "%q", path)
			assert.Empty(t, here.take(), "%q", path)
			continue
		}
		require.NoError(t, err, "%q", path)
		assert.Equal(t, []string{"GET " + want}, here.take(), "%q", path)
	}
	type query struct {
		Name string `url:"name"`
	}
	require.NoError(t, client.Do(t.Context(), cfposture.Request{Method: http.MethodGet, Path: "zones", Query: query{"a&b=c#d?é\n"}}, nil))
	assert.Equal(t, []string{"GET /v4/zones?name=a%26b%3Dc%23d%3F%C3%A9%0A"}, here.take())
}

// letters are many, so that reading them for ever goes quickly.
var letters = strings.Repeat("x", 1<<14)

// endless gives a beginning and then, for ever, the unit.
func endless(beginning, unit string) io.Reader {
	return io.MultiReader(strings.NewReader(beginning), repeating(unit))
}

func TestEndlessAnswersEndAtTheLimit(t *testing.T) {
	for name, test := range map[string]struct {
		status          int
		beginning, unit string
		call            func(c *cfposture.Client) error
	}{
		"an endless string": {200, `{"result":"`, letters, func(c *cfposture.Client) error {
			return c.Do(t.Context(), cfposture.Request{Method: "GET", Path: "zones"}, new(any))
		}},
		"endless space": {200, ``, strings.Repeat(" ", 1<<14), func(c *cfposture.Client) error {
			_, err := c.Posture.Get(t.Context(), "id")
			return err
		}},
		"an endless list": {200, `{"result":[`, `{"id":"1","new":"` + letters + `"},`, func(c *cfposture.Client) error {
			_, err := c.Posture.List(t.Context())
			return err
		}},
		"an endless item": {200, `{"result":[{"id":"1"},{"id":"`, letters, func(c *cfposture.Client) error {
			var last error
			for _, err := range c.Posture.All(t.Context()) {
				last = err
			}
			return last
		}},
		"an endless failure": {400, `{"success":false,"errors":[{"message":"`, letters, func(c *cfposture.Client) error {
			_, err := c.Posture.Create(t.Context(), &cfposture.Rule{Type: cfposture.RuleTypeWARP})
			return err
		}},
		"an endless answer to nobody": {200, `{"success":true,"result":"`, letters, func(c *cfposture.Client) error { return c.Posture.Delete(t.Context(), "id") }},
	} {
		t.Run(name, func(t *testing.T) {
			body := &countedReader{reader: endless(test.beginning, test.unit)}
			transport := roundTripper(func(r *http.Request) (*http.Response, error) { return respond(r, test.status, nil, body), nil })
			err := test.call(transportClient(t, transport))
			assertAnswerIs(t, err, test.status)
			if test.status == http.StatusOK {
				require.ErrorContains(t, err, "larger than 64 MiB")
			}
			assert.InDelta(t, 64<<20, body.count, 1<<20, "bytes read of it: once, and no more than are allowed")
		})
	}
}

type countedReader struct {
	reader io.Reader
	count  int
}

func (r *countedReader) Read(p []byte) (int, error) {
	n, err := r.reader.Read(p)
	r.count += n
	return n, err
}

func TestGzipBombEndsAtTheLimit(t *testing.T) {
	beginning := compressed(t, `{"success":true,"result":[`)
	megabyte := compressed(t, strings.Repeat(`{"id":"1","new":"`+letters+`"},`, 64))
	here := newWitness(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(beginning)
		for range 1 << 10 {
			_, _ = w.Write(megabyte)
		}
	})
	_, err := witnessClient(t, here).Posture.List(t.Context())
	require.ErrorContains(t, err, "larger than 64 MiB")
	assert.Len(t, here.take(), 1)
}

// compressed returns a part of a gzip stream: what is compressed may be put together like what isn't.
func compressed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestErrorShowsTheBeginningOfAPage(t *testing.T) {
	page := "<!DOCTYPE html><html><head><title>api.example.com | 502: Bad gateway</title></head>" + strings.Repeat("<p>hello</p>", 500)
	here := newWitness(t, func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte(page))
	})
	_, err := witnessClient(t, here, cfposture.WithAPIToken(posturetest.APIToken), cfposture.WithMaxRetries(0)).Posture.List(t.Context())
	var answer *cfposture.Error
	require.ErrorAs(t, err, &answer)
	assert.Equal(t, page[:1<<10], string(answer.Body))
}
