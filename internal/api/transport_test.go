package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/internal/leak"
)

// wrap returns a config whose requests pass the middlewares.
func wrap(t *testing.T, c *Config, middlewares ...func(http.RoundTripper) http.RoundTripper) {
	t.Helper()
	for _, middleware := range middlewares {
		wrapped, err := c.HTTP.Wrap(middleware)
		require.NoError(t, err)
		c.HTTP = wrapped
	}
}

// A span is a middleware that adds to an error, as telemetry does.
func span(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(r.Clone(context.WithValue(r.Context(), spanKey{}, "span")))
		if err != nil {
			err = fmt.Errorf("span: %w", err)
		}
		return response, err
	})
}

type spanKey struct{}

func TestRefusedDialUnderAMiddlewareIsRetried(t *testing.T) {
	for _, protocol := range []string{overHTTP, overTLS, overH2, overH2C} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork()
			n.spoil = func(_ context.Context, number int, dial dialFunc) (net.Conn, error) {
				if number == 1 {
					return nil, errRefused
				}
				return dial()
			}
			var arrived atomic.Int64
			transport, baseURL := n.serve(t, protocol, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				arrived.Add(1)
				_, _ = io.WriteString(w, success)
			}))
			c := newConfig(transport)
			c.BaseURL = parseURL(baseURL)
			wrap(t, c, span, span)
			response, err := ask(t.Context(), c, http.MethodPost)
			require.NoError(t, err, protocol)
			assert.Equal(t, 2, response.Attempts, protocol)
			assert.EqualValues(t, 1, arrived.Load(), protocol)
		})
	}
}

// What does not pass is not retried, however a middleware words it.
func TestPermanentFailureUnderAMiddleware(t *testing.T) {
	for name, configure := range map[string]func(transport *http.Transport, c *Config){
		"no TLS": func(_ *http.Transport, c *Config) { c.BaseURL = parseURL("https" + serverURL) },
		"certificate": func(transport *http.Transport, _ *Config) {
			transport.TLSClientConfig = nil
		},
	} {
		for _, method := range methods {
			synctest.Test(t, func(t *testing.T) {
				protocol := overTLS
				if name == "no TLS" {
					protocol = overHTTP
				}
				transport, baseURL := newNetwork().serve(t, protocol, reply(200, success))
				c := newConfig(transport)
				c.BaseURL = parseURL(baseURL)
				configure(transport, c)
				c.HTTP.client.Jar = newJar(t)
				wrap(t, c, span)
				response, err := ask(t.Context(), c, method)
				require.ErrorContains(t, err, "span: ", name)
				require.NotErrorIs(t, err, ErrOutcomeUnknown, name)
				assert.Equal(t, 1, response.Attempts, "%s: %v", name, err)
			})
		}
	}
}

// A middleware may have another way, which nothing tells of.
func TestRefusedDialBesideAnotherWayProvesNothing(t *testing.T) {
	joins := map[string]func(first, second error) error{
		"joined":       func(first, second error) error { return errors.Join(first, second) },
		"both wrapped": func(first, second error) error { return fmt.Errorf("%w, and then %w", first, second) },
		"the second":   func(_, second error) error { return second },
		"the first as text": func(first, second error) error {
			return fmt.Errorf("first: %s: %w", first.Error(), second)
		},
	}
	for name, join := range joins {
		for _, under := range [][]func(http.RoundTripper) http.RoundTripper{nil, {span}} {
			t.Run(fmt.Sprintf("%s/%d", name, len(under)), func(t *testing.T) {
				created := 0
				c := newConfig(&http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errRefused }})
				wrap(t, c, func(next http.RoundTripper) http.RoundTripper {
					return roundTripper(func(r *http.Request) (*http.Response, error) {
						response, first := next.RoundTrip(r)
						if first == nil {
							return response, nil
						}
						created++
						return nil, join(first, fmt.Errorf("second way: %w", io.ErrUnexpectedEOF))
					})
				})
				wrap(t, c, under...)
				_, err := ask(t.Context(), c, http.MethodPost)
				require.ErrorIs(t, err, ErrOutcomeUnknown)
				assert.Equal(t, 1, created, "the second way was taken once")
			})
		}
	}
}

// The second way may be net/http, too, and be seen.
func TestRefusedDialAfterAnotherWayProvesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var arrived atomic.Int64
		first, baseURL := newNetwork().serve(t, overHTTP, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			arrived.Add(1)
			panic(http.ErrAbortHandler)
		}))
		c := newConfig(&http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, errRefused }})
		c.BaseURL = parseURL(baseURL)
		wrap(t, c, func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				if response, err := first.RoundTrip(r.Clone(r.Context())); err == nil {
					return response, nil
				}
				return next.RoundTrip(r) // refused
			})
		})
		_, err := ask(t.Context(), c, http.MethodPost)
		require.ErrorIs(t, err, ErrOutcomeUnknown)
		assert.EqualValues(t, 1, arrived.Load())
	})
}

// oddLocations are where redirects may lead.
var oddLocations = []string{
	"/v4/elsewhere", "another endpoint", "https://other.example.com/v4/x", "//other.example.com/x", "http://api.example.com/",
	"https://user:password@example.com/", "javascript:alert(1)", "", "%zz", "https://\x7f", "https://[::1", "http://a b/", ":", "\n",
}

func TestRedirectIsNeitherFollowedNorRetried(t *testing.T) {
	for _, location := range oddLocations {
		for _, hasJar := range []bool{false, true} {
			for _, method := range methods {
				name := fmt.Sprintf("%s to %q, with a jar %t", method, location, hasJar)
				s := newScript(func(r *http.Request) (*http.Response, error) {
					return respond(r, http.StatusTemporaryRedirect, http.Header{"Location": {location}, "Set-Cookie": {"a=b"}}, ""), nil
				})
				client := &http.Client{Transport: s, CheckRedirect: func(*http.Request, []*http.Request) error { return nil }}
				if hasJar {
					client.Jar = newJar(t)
				}
				c := newConfig(nil)
				c.HTTP = NewHTTPClient(client)
				response, err := ask(t.Context(), c, method)
				require.ErrorContains(t, err, "redirects are not followed", name)
				require.NotErrorIs(t, err, ErrOutcomeUnknown, name)
				assert.Len(t, s.at, 1, name)
				assert.Equal(t, 307, failureOf(t, err).StatusCode, name)
				assert.Equal(t, []string{location}, response.Header.Values("Location"), "the caller sees where it leads: %s", name)
				assert.NotContains(t, response.Header, hiddenLocation, name)
			}
		}
	}
}

func TestRedirectReachesNoOtherServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var arrived atomic.Int64
		transport, baseURL := newNetwork().serve(t, overHTTP, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			arrived.Add(1)
			http.Redirect(w, r, "/v4/other", http.StatusSeeOther)
		}))
		for _, method := range methods {
			c := newConfig(transport)
			c.BaseURL = parseURL(baseURL)
			arrived.Store(0)
			_, err := ask(t.Context(), c, method)
			require.Error(t, err, method)
			assert.EqualValues(t, 1, arrived.Load(), method)
		}
	})
}

// A transport may give the same header to several requests.
func TestRedirectLeavesTheTransportsHeaderAlone(t *testing.T) {
	header := http.Header{"Location": {"/x"}}
	c := newConfig(roundTripper(func(r *http.Request) (*http.Response, error) { return respond(r, 302, header, ""), nil }))
	var seen string
	c.HTTP.client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		response, err := redirectTransport{c.HTTP.transport}.RoundTrip(r)
		seen = fmt.Sprint(header)
		return response, err
	})
	_, err := ask(t.Context(), c, http.MethodGet)
	require.Error(t, err)
	assert.Equal(t, "map[Location:[/x]]", seen)
}

func TestMiddlewareThatReturnsNothing(t *testing.T) {
	_, err := newConfig(nil).HTTP.Wrap(func(http.RoundTripper) http.RoundTripper { return nil })
	require.EqualError(t, err, "the middleware returned a nil transport")

	nothing := roundTripper(func(*http.Request) (*http.Response, error) { return nil, nil }) //nolint:nilnil // on purpose
	for _, method := range methods {
		s := newScript(responding(200, success))
		c := newConfig(s)
		c.MaxRetries = 0
		wrap(t, c, func(http.RoundTripper) http.RoundTripper { return nothing })
		_, err := ask(t.Context(), c, method)
		require.ErrorContains(t, err, "middleware api.roundTripper returned neither a response nor an error")
		assert.Equal(t, !isIdempotent(method), errors.Is(err, ErrOutcomeUnknown), method)
		assert.Empty(t, s.at)
	}
}

func TestResponseWithoutABodyReader(t *testing.T) {
	c := newConfig(roundTripper(func(*http.Request) (*http.Response, error) { return &http.Response{StatusCode: 200}, nil }))
	_, err := ask(t.Context(), c, http.MethodGet)
	require.ErrorContains(t, err, "200: response is empty")
}

func TestErrorOfAnotherRequestKeepsItsURL(t *testing.T) {
	c := newConfig(roundTripper(func(*http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Post", URL: "https://login.example", Err: errTest}
	}))
	c.MaxRetries = 0
	_, err := ask(t.Context(), c, http.MethodGet)
	require.EqualError(t, err, `cfposture: GET things/1: Post "https://login.example": the test's`)
}

// The cookie jar of the caller's client is used.
func TestCookieJar(t *testing.T) {
	var cookies []string
	c := newConfig(nil)
	c.HTTP = NewHTTPClient(&http.Client{Jar: newJar(t), Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		cookies = append(cookies, r.Header.Get("Cookie"))
		return respond(r, 200, http.Header{"Set-Cookie": {"__cf_bm=x"}}, success), nil
	})})
	for range 2 {
		_, err := ask(t.Context(), c, http.MethodGet)
		require.NoError(t, err)
	}
	assert.Equal(t, []string{"", "__cf_bm=x"}, cookies)
}

// http.Client gets the header of a request only if it has a jar. The transport always gets it, in every attempt.
func TestHeaderReachesTheTransport(t *testing.T) {
	for name, client := range map[string]*http.Client{
		"plain":        {},
		"with a jar":   {Jar: newJar(t)},
		"with a limit": {Timeout: time.Minute},
		"with both":    {Jar: newJar(t), Timeout: time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			var headers []http.Header
			script := newScript(responding(503, ""), responding(200, success))
			client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
				headers = append(headers, r.Header.Clone())
				return script.RoundTrip(r)
			})
			c := newConfig(nil)
			c.HTTP = NewHTTPClient(client)
			wrap(t, c, span)
			_, err := ask(t.Context(), c, http.MethodGet)
			require.NoError(t, err, name)
			want := http.Header{"Accept": {"application/json"}, "User-Agent": {"test/1"}, "Authorization": {"Bearer " + testToken}}
			assert.Equal(t, []http.Header{want, want}, headers, name)
		})
	}
}

func newJar(t *testing.T) http.CookieJar {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	return jar
}

func TestNewHTTPClientLeavesTheCallersAlone(t *testing.T) {
	theirs := &http.Client{Transport: responding(200, success), Timeout: time.Minute}
	before := *theirs
	c := newConfig(nil)
	c.HTTP = NewHTTPClient(theirs)
	wrap(t, c, span)
	_, err := ask(t.Context(), c, http.MethodGet)
	require.NoError(t, err)
	assert.Nil(t, theirs.CheckRedirect)
	assert.Equal(t, before.Timeout, theirs.Timeout)
	assert.IsType(t, before.Transport, theirs.Transport)
}

// Without a transport of the caller's, http.DefaultTransport is used, whatever it is by then.
func TestDefaultTransport(t *testing.T) {
	original := http.DefaultTransport
	t.Cleanup(func() { http.DefaultTransport = original })
	for _, client := range []*http.Client{nil, {}} {
		c := newConfig(nil)
		c.HTTP = NewHTTPClient(client)
		http.DefaultTransport = responding(200, success)
		_, err := ask(t.Context(), c, http.MethodGet)
		require.NoError(t, err)
	}
}

func TestProofThatNothingWasWritten(t *testing.T) {
	traced := func(found bool) *trace {
		seen := new(trace)
		seen.sought.Store(true)
		seen.found.Store(found)
		return seen
	}
	dial := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	for name, test := range map[string]struct {
		err   error
		proof bool
	}{
		"dial":                     {dial, true},
		"dial of a proxy":          {&net.OpError{Op: "proxyconnect", Err: dial}, true},
		"lookup":                   {&net.DNSError{Err: "no such host"}, true},
		"wrapped":                  {fmt.Errorf("b: %w", fmt.Errorf("a: %w", dial)), true},
		"handshake":                {tls.RecordHeaderError{Msg: "odd"}, true},
		"certificate":              {&tls.CertificateVerificationError{}, true},
		"scheme":                   {http.ErrSchemeMismatch, true},
		"write":                    {&net.OpError{Op: "write", Err: syscall.EPIPE}, false},
		"read":                     {&net.OpError{Op: "read", Err: syscall.ECONNRESET}, false},
		"joined":                   {errors.Join(dial, dial), false},
		"wrapped with another":     {fmt.Errorf("%w %w", dial, dial), false},
		"text":                     {errors.New("dial tcp: connection refused"), false},
		"closed by the other side": {io.EOF, false},
	} {
		middled := &HTTPClient{}
		direct := &HTTPClient{direct: true}
		for _, ended := range []bool{false, true} {
			assert.Equal(t, test.proof, middled.provesUnwritten(traced(false), test.err, ended), name)
			assert.Equal(t, test.proof || ended, direct.provesUnwritten(traced(false), test.err, ended), name)
			for _, h := range []*HTTPClient{middled, direct} {
				assert.False(t, h.provesUnwritten(traced(true), test.err, ended), "there was a connection: %s", name)
				assert.False(t, h.provesUnwritten(new(trace), test.err, ended), "nothing was traced: %s", name)
			}
		}
	}
	handshake := traced(false)
	handshake.handshake = io.EOF
	assert.True(t, (&HTTPClient{direct: true}).provesUnwritten(handshake, io.EOF, false))
	assert.False(t, (&HTTPClient{direct: true}).provesUnwritten(handshake, syscall.EPIPE, false))
	assert.False(t, (&HTTPClient{}).provesUnwritten(handshake, io.EOF, false), "a middleware's other way may have ended so")
}

// resending is a middleware that sends a request again where it sees fit.
func resending(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (response *http.Response, err error) {
		for range 3 {
			again := r.Clone(r.Context())
			if r.GetBody != nil {
				again.Body, _ = r.GetBody()
			}
			if response, err = next.RoundTrip(again); err != nil || response.StatusCode >= 400 {
				continue
			}
			body, failure := io.ReadAll(response.Body)
			_ = response.Body.Close()
			if response.Body = io.NopCloser(bytes.NewReader(body)); failure == nil {
				return response, nil
			}
		}
		return response, err
	})
}

func TestMiddlewareThatSendsAgain(t *testing.T) {
	for _, protocol := range []string{overHTTP, overTLS, overH2, overH2C} {
		for name, test := range map[string]struct {
			first   http.HandlerFunc
			again   bool // a POST may go once more
			unknown bool
		}{
			"refused":             {reply(429, `{"success":false,"errors":[]}`), true, false},
			"unauthorized":        {reply(401, `{"success":false,"errors":[]}`), true, false},
			"bad gateway":         {reply(502, ""), false, true},
			"closed":              {abort(""), false, true},
			"unsure what it does": {reply(501, ""), false, true},
			"cut short":           {abort(success[:20]), false, true},
		} {
			for _, method := range []string{http.MethodPost, "PURGE", http.MethodPut, http.MethodDelete} {
				t.Run(protocol+"/"+name+"/"+method, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						var arrived atomic.Int64
						transport, baseURL := newNetwork().serve(t, protocol, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
							if arrived.Add(1) == 1 {
								test.first(w, r)
								return
							}
							_, _ = io.WriteString(w, success)
						}))
						c := newConfig(transport)
						c.BaseURL, c.MaxRetries = parseURL(baseURL), 0
						wrap(t, c, resending)
						_, err := ask(t.Context(), c, method)
						if test.again || isIdempotent(method) {
							require.NoError(t, err)
							assert.EqualValues(t, 2, arrived.Load())
							return
						}
						assert.EqualValues(t, 1, arrived.Load())
						assert.Equal(t, test.unknown, errors.Is(err, ErrOutcomeUnknown), "%v", err)
					})
				})
			}
		}
	}
}

// hedging is a middleware that sends a request once more if there is no response within a second.
func hedging(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		type end struct {
			response *http.Response
			err      error
		}
		ends := make(chan end, 2)
		send := func() {
			again := r.Clone(r.Context())
			if r.GetBody != nil {
				again.Body, _ = r.GetBody()
			}
			response, err := next.RoundTrip(again) //nolint:bodyclose // http.Client closes the one that comes first
			ends <- end{response, err}
		}
		go send()
		select {
		case first := <-ends:
			return first.response, first.err
		case <-time.After(time.Second):
			go send()
		}
		first := <-ends
		return first.response, first.err
	})
}

// saying429 is a middleware that responds with a 429 in place of an error status, or if there is no response within a second.
func saying429(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		came := make(chan *http.Response, 1)
		go func() {
			response, _ := next.RoundTrip(r) //nolint:bodyclose // its body is empty, or http.Client closes it
			came <- response
		}()
		select {
		case response := <-came:
			if response != nil && response.StatusCode < 400 {
				return response, nil
			}
		case <-time.After(time.Second):
		}
		return responding(429, `{"success":false,"errors":[]}`)(r)
	})
}

func TestMiddlewareThatDoesNotWait(t *testing.T) {
	slow := func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(10 * time.Second)
		reply(200, success)(w, r)
	}
	for _, protocol := range []string{overHTTP, overH2C} {
		for name, test := range map[string]struct {
			middleware func(http.RoundTripper) http.RoundTripper
			server     http.HandlerFunc
		}{
			"hedging":        {hedging, slow},
			"limiting":       {saying429, slow},
			"hiding a 502":   {saying429, reply(502, "")},
			"hiding the end": {saying429, abort("")},
			"looking meanwhile": {func(next http.RoundTripper) http.RoundTripper {
				return resending(roundTripper(func(r *http.Request) (*http.Response, error) {
					go func() {
						time.Sleep(time.Second)
						look, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, "ftp://nowhere.invalid/", nil)
						_, _ = next.RoundTrip(look) //nolint:bodyclose // there is none
					}()
					return next.RoundTrip(r)
				}))
			}, func(w http.ResponseWriter, r *http.Request) {
				time.Sleep(10 * time.Second)
				abort("")(w, r)
			}},
		} {
			t.Run(protocol+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var arrived atomic.Int64
					transport, baseURL := newNetwork().serve(t, protocol, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if r.Method == http.MethodPost {
							arrived.Add(1)
						}
						test.server(w, r)
					}))
					c := newConfig(transport)
					c.BaseURL = parseURL(baseURL)
					wrap(t, c, test.middleware)
					_, err := ask(t.Context(), c, http.MethodPost)
					require.ErrorIs(t, err, ErrOutcomeUnknown)
					time.Sleep(time.Minute) // until all that was sent has ended
					assert.EqualValues(t, 1, arrived.Load())
				})
			})
		}
	}
}

func TestMiddlewareWithRequestsOfItsOwn(t *testing.T) {
	for _, protocol := range []string{overHTTP, overH2C} {
		for name, own := range map[string]struct {
			method, path string
			times        int
			throughNext  bool
		}{
			"many, through next":           {http.MethodGet, "/vault", 6, true},
			"tokens, after a failure":      {http.MethodPost, "/fails", 2, true},
			"many, by another client":      {http.MethodGet, "/vault", 6, false},
			"one that fails, through next": {http.MethodGet, "/fails", 1, true},
			"a token, through next":        {http.MethodPost, "/token", 1, true},
		} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				t.Run(protocol+"/"+name+"/"+method, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						var arrived atomic.Int64
						transport, baseURL := newNetwork().serve(t, protocol, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
							switch r.URL.Path {
							case "/fails":
								w.WriteHeader(503)
							case own.path:
							default:
								arrived.Add(1)
								_, _ = io.WriteString(w, success)
							}
						}))
						c := newConfig(transport)
						c.BaseURL = parseURL(baseURL)
						wrap(t, c, func(next http.RoundTripper) http.RoundTripper {
							return roundTripper(func(r *http.Request) (*http.Response, error) {
								by := http.RoundTripper(transport)
								if own.throughNext {
									by = next
								}
								for range own.times {
									request, err := http.NewRequestWithContext(r.Context(), own.method, parseURL(baseURL).ResolveReference(&url.URL{Path: own.path}).String(), nil)
									require.NoError(t, err)
									response, err := by.RoundTrip(request)
									require.NoError(t, err)
									_ = response.Body.Close()
								}
								return next.RoundTrip(r)
							})
						})
						_, err := ask(t.Context(), c, method)
						require.NoError(t, err)
						assert.EqualValues(t, 1, arrived.Load())
					})
				})
			}
		}
	}
}

// What a middleware sends before, beside and after a request changes nothing of what may be done with it.
func TestMiddlewareWithRequestsAroundTheOwn(t *testing.T) {
	type flow func(own func(method, path string) error, send func() (*http.Response, error)) (*http.Response, error)
	for name, test := range map[string]struct {
		flow    flow
		things  []http.HandlerFunc // the last for all that follow
		arrived int
		unknown bool
	}{
		"new token after a 401": {func(own func(string, string) error, send func() (*http.Response, error)) (*http.Response, error) {
			_ = own(http.MethodPost, "/token")
			if response, err := send(); err != nil || response.StatusCode != 401 {
				return response, err
			}
			_ = own(http.MethodPost, "/token")
			return send()
		}, []http.HandlerFunc{reply(401, "{}"), reply(200, success)}, 2, false},
		"audit before and after": {func(own func(string, string) error, send func() (*http.Response, error)) (*http.Response, error) {
			_ = own(http.MethodPost, "/audit")
			response, err := send()
			return response, errors.Join(err, own(http.MethodPost, "/audit"))
		}, []http.HandlerFunc{reply(200, success)}, 1, false},
		"audit of a 429": {func(own func(string, string) error, send func() (*http.Response, error)) (*http.Response, error) {
			response, err := send()
			_ = own(http.MethodPost, "/fails")
			return response, err
		}, []http.HandlerFunc{reply(429, "{}"), reply(200, success)}, 2, false},
		"a lease beside it": {func(own func(string, string) error, send func() (*http.Response, error)) (*http.Response, error) {
			go func() {
				time.Sleep(time.Second)
				_ = own(http.MethodPost, "/lease")
			}()
			return send()
		}, []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(5 * time.Second)
			reply(200, success)(w, r)
		}}, 1, false},
		"a 429 of its own after a success": {func(own func(string, string) error, send func() (*http.Response, error)) (*http.Response, error) {
			_, _ = send()
			_ = own(http.MethodGet, "/quota")
			return responding(429, "{}")(nil)
		}, []http.HandlerFunc{reply(200, success)}, 1, true},
	} {
		for _, protocol := range []string{overHTTP, overH2C} {
			if protocol == overH2C && name == "a lease beside it" {
				continue // over HTTP/2 it can't be told from the request's being sent again
			}
			t.Run(protocol+"/"+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var arrived atomic.Int64
					transport, baseURL := newNetwork().serve(t, protocol, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						switch {
						case r.URL.Path == "/fails":
							w.WriteHeader(503)
						case strings.Contains(r.URL.Path, "/things/"):
							test.things[min(int(arrived.Add(1)), len(test.things))-1](w, r)
						}
					}))
					c := newConfig(transport)
					c.BaseURL = parseURL(baseURL)
					wrap(t, c, func(next http.RoundTripper) http.RoundTripper {
						return roundTripper(func(r *http.Request) (*http.Response, error) {
							own := func(method, path string) error {
								request, err := http.NewRequestWithContext(r.Context(), method, parseURL(baseURL).ResolveReference(&url.URL{Path: path}).String(), nil)
								require.NoError(t, err)
								response, err := next.RoundTrip(request)
								if err == nil {
									_ = response.Body.Close()
								}
								return err
							}
							return test.flow(own, func() (*http.Response, error) {
								again := r.Clone(r.Context())
								if r.GetBody != nil {
									again.Body, _ = r.GetBody()
								}
								return next.RoundTrip(again)
							})
						})
					})
					_, err := ask(t.Context(), c, http.MethodPost)
					time.Sleep(time.Minute)
					assert.EqualValues(t, test.arrived, arrived.Load())
					assert.Equal(t, test.unknown, errors.Is(err, ErrOutcomeUnknown), "%v", err)
					assert.Equal(t, test.unknown, err != nil, "%v", err)
				})
			})
		}
	}
}

// The caller's transport may send a GET again as often as it likes, as long as it gets responses.
func TestTransportThatSendsAgainAfterResponses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport, baseURL := newNetwork().serve(t, overHTTP, reply(503, ""))
		c := newConfig(roundTripper(func(r *http.Request) (response *http.Response, err error) {
			for range 2 * maxConnections {
				response, err = transport.RoundTrip(r)
				require.NoError(t, err)
				_ = response.Body.Close()
			}
			return response, nil
		}))
		c.BaseURL, c.MaxRetries = parseURL(baseURL), 0
		_, err := ask(t.Context(), c, http.MethodGet)
		require.ErrorContains(t, err, "503")
	})
}

// A middleware may send a request in another context, of which nothing can be traced.
func TestMiddlewareWithAContextOfItsOwn(t *testing.T) {
	for _, protocol := range []string{overHTTP, overH2C} {
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork()
			transport, baseURL := n.serve(t, protocol, reply(200, success))
			c := newConfig(transport)
			c.BaseURL = parseURL(baseURL)
			wrap(t, c, func(next http.RoundTripper) http.RoundTripper {
				return roundTripper(func(r *http.Request) (*http.Response, error) {
					return next.RoundTrip(r.WithContext(context.WithoutCancel(context.Background())))
				})
			})
			_, err := ask(t.Context(), c, http.MethodPost)
			require.NoError(t, err)
			n.spoil = func(context.Context, int, dialFunc) (net.Conn, error) { return nil, errRefused }
			transport.CloseIdleConnections()
			response, err := ask(t.Context(), c, http.MethodPost)
			require.ErrorIs(t, err, ErrOutcomeUnknown, "nothing proves that it was not written")
			assert.Equal(t, 1, response.Attempts)
		})
	}
}

func TestCredentialsOfAProxyAreNotShown(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		hijack("HTTP/1.1 407 no access for "+r.Header.Get("Proxy-Authorization")+"\r\nContent-Length: 0\r\n\r\n")(w, r)
	}
	const withUser = "http://user:proxy-password@127.0.0.1"
	for name, proxy := range map[string]http.HandlerFunc{"forbidden": reply(403, "no"), "closed": abort(""), "echo": echo} {
		for _, test := range []struct {
			scheme, proxy string
			timeout       time.Duration
		}{{"http", withUser, 0}, {"https", withUser, 0}, {"https", withUser, time.Minute}, {"https", "http://127.0.0.1", 0}} {
			synctest.Test(t, func(t *testing.T) {
				transport, _ := newNetwork().serve(t, overHTTP, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Cf-Ray", r.Header.Get("Proxy-Authorization"))
					proxy(w, r)
				}))
				transport.Proxy = func(r *http.Request) (*url.URL, error) {
					if r.Header.Get("Authorization") == "" {
						return nil, errors.New("no proxy for this request")
					}
					return url.Parse(test.proxy)
				}
				transport.ProxyConnectHeader = http.Header{"Proxy-Authorization": {"Bearer proxy-password"}}
				c := newConfig(nil)
				c.HTTP = NewHTTPClient(&http.Client{Transport: transport, Timeout: test.timeout})
				c.BaseURL = parseURL(test.scheme + "://api.example.com/")
				_, err := ask(t.Context(), c, http.MethodPost)
				require.Error(t, err, name)
				for _, err := range unwrapAll(err) {
					assert.Empty(t, leak.Find(fmt.Sprintf("%v %+v", err, err), "proxy-password", "dXNlcjpwcm94eS1wYXNzd29yZA"))
				}
			})
		}
	}
}
