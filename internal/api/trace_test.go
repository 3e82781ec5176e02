package api

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The ways a frameServer resets streams after it has carried a request out.
var resets = map[string]func(times int64) *frameServer{
	"PROTOCOL_ERROR": func(times int64) *frameServer { return resetWith(codeProtocolError, times) },
	"REFUSED_STREAM": func(times int64) *frameServer { return resetWith(codeRefusedStream, times) },
	"INTERNAL_ERROR": func(times int64) *frameServer { return resetWith(codeInternalError, times) },
	"going away": func(times int64) *frameServer {
		return &frameServer{response: func(number int64, stream uint32, w io.Writer) {
			if number <= times {
				writeFrame(w, frameGoAway, 0, 0, make([]byte, 8)) // says that nothing was carried out
				return
			}
			writeSuccess(w, stream)
		}}
	},
}

// net/http sends a request again by itself when a server resets its stream with some codes, up to seven times.
func TestHTTP2ResetIsNoReasonForNetHTTPToSendAgain(t *testing.T) {
	for name, reset := range resets {
		for _, overTLS := range []bool{false, true} {
			for _, times := range []int64{1, 1_000_000} {
				t.Run(fmt.Sprintf("%s/TLS %t/%d times", name, overTLS, times), func(t *testing.T) {
					for _, method := range without(methods, http.MethodHead) { // to which the server can't respond
						assertSentOncePerAttempt(t, reset(times), overTLS, newRequest(method, new(string)))
					}
					assertSentOncePerAttempt(t, reset(times), overTLS, &Request{Method: http.MethodPost, Path: "things/1"})
				})
			}
		}
	}
}

func assertSentOncePerAttempt(t *testing.T, server *frameServer, overTLS bool, r *Request) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		c := newConfig(nil)
		if overTLS {
			c.HTTP, c.BaseURL = NewHTTPClient(&http.Client{Transport: server.serveTLS(t, n)}), parseURL("https"+serverURL)
		} else {
			c.HTTP, c.BaseURL = NewHTTPClient(&http.Client{Transport: server.serve(t, n)}), parseURL("http"+serverURL)
		}
		var passed *atomic.Int64
		c.Limiter, passed = counting()
		response, err := Do(t.Context(), c, r)
		assert.EqualValues(t, response.Attempts, server.requests.Load(), r.Method)
		assert.EqualValues(t, response.Attempts, passed.Load(), r.Method)
		if !isIdempotent(r.Method) {
			assert.Equal(t, 1, response.Attempts)
			require.ErrorIs(t, err, ErrOutcomeUnknown)
			return
		}
		assert.LessOrEqual(t, response.Attempts, 3)
		require.NotErrorIs(t, err, ErrOutcomeUnknown)
	})
}

// An idleConn is one that dies while it is idle: what is written then comes to nothing, and the end is not told.
type idleConn struct {
	net.Conn
	dead *atomic.Bool
}

func (c *idleConn) Write(p []byte) (int, error) {
	if c.dead.Load() {
		return 0, &net.OpError{Op: "write", Net: "tcp", Err: syscall.EPIPE}
	}
	return c.Conn.Write(p)
}

// A pool is a transport with idle connections to a server that works.
type pool struct {
	transport *http.Transport
	arrived   atomic.Int64                     // requests, since the pool was filled
	dead      atomic.Bool                      // the idle connections have died
	handler   atomic.Pointer[http.HandlerFunc] // what the server does by now
}

// fillPool makes so many idle connections.
func fillPool(t *testing.T, size int) (*pool, *Config) {
	t.Helper()
	n, p := newNetwork(), new(pool)
	n.spoil = func(_ context.Context, number int, dial dialFunc) (net.Conn, error) {
		connection, err := dial()
		if err != nil || number > size {
			return connection, err
		}
		return &idleConn{Conn: connection, dead: &p.dead}, nil
	}
	var together sync.WaitGroup
	together.Add(size)
	filling := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		together.Done()
		together.Wait()
		_, _ = io.WriteString(w, success)
	})
	p.handler.Store(&filling)
	var baseURL string
	p.transport, baseURL = n.serve(t, overHTTP, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.arrived.Add(1)
		(*p.handler.Load())(w, r)
	}))
	c := newConfig(p.transport)
	c.BaseURL = parseURL(baseURL)
	var wg sync.WaitGroup
	for range size {
		wg.Go(func() {
			_, err := ask(t.Context(), c, http.MethodGet)
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	synctest.Wait()
	require.EqualValues(t, size, n.dials.Load())
	p.arrived.Store(0)
	p.respond(reply(200, success))
	return p, c
}

func (p *pool) respond(handler http.HandlerFunc) { p.handler.Store(&handler) }

func TestIdleConnectionThatTheServerClosed(t *testing.T) {
	for _, protocol := range []string{overHTTP, overTLS, overH2, overH2C} {
		for _, method := range methods {
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				transport, baseURL := n.serve(t, protocol, reply(200, success))
				c := newConfig(transport)
				c.BaseURL = parseURL(baseURL)
				for range 3 {
					response, err := ask(t.Context(), c, method)
					require.NoError(t, err, "%s %s", protocol, method)
					assert.Equal(t, 1, response.Attempts)
					n.cut()
					synctest.Wait()
				}
				assert.EqualValues(t, 3, n.dials.Load())
			})
		}
	}
}

// A connection that died idle is net/http's to replace: nothing was written.
func TestIdleConnectionThatDiedIsReplaced(t *testing.T) {
	for _, size := range []int{1, 2, 5, 50} {
		for _, method := range methods {
			t.Run(fmt.Sprintf("%d/%s", size, method), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					p, c := fillPool(t, size)
					p.dead.Store(true)
					response, err := ask(t.Context(), c, method)
					require.NoError(t, err)
					assert.EqualValues(t, 1, p.arrived.Load())
					want := 1
					if isSafe(method) && size > maxConnections {
						want = 2 // net/http would send a GET again even if it was written, so that it gets no more chances
					}
					assert.Equal(t, want, response.Attempts)
				})
			})
		}
	}
}

// Connections that were used before are where net/http sends requests again by itself.
func TestIdleConnectionsThatTheServerClosesAfterTheRequest(t *testing.T) {
	for _, size := range []int{1, 2, 50} {
		for _, name := range []string{"X-Other", "Idempotency-Key", "X-Idempotency-Key", "x-idempotency-key"} {
			for _, method := range methods {
				t.Run(fmt.Sprintf("%d/%s/%s", size, name, method), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						p, c := fillPool(t, size)
						p.respond(abort(""))
						c.Headers = []func(*http.Request){func(r *http.Request) { r.Header[name] = []string{"1"} }}
						response, err := ask(t.Context(), c, method)
						require.Error(t, err)
						if !isIdempotent(method) {
							require.ErrorIs(t, err, ErrOutcomeUnknown)
							assert.EqualValues(t, 1, p.arrived.Load(), "sent once")
							return
						}
						assert.Equal(t, 3, response.Attempts)
						assert.LessOrEqual(t, p.arrived.Load(), int64(3*maxConnections))
					})
				})
			}
		}
	}
}

func TestIdempotencyKeyArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, c := fillPool(t, 1)
		p.respond(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "1", r.Header.Get("Idempotency-Key"))
			_, _ = io.WriteString(w, success)
		})
		c.Headers = []func(*http.Request){func(r *http.Request) { r.Header.Set("Idempotency-Key", "1") }}
		_, err := ask(t.Context(), c, http.MethodPost)
		require.NoError(t, err)
	})
}

// tokenServer serves tokens over the protocol, and the function that gets one.
func tokenServer(t *testing.T, protocol string) func(ctx context.Context) (string, error) {
	t.Helper()
	transport, baseURL := newNetwork().serve(t, protocol, reply(200, "fetched-token"))
	client := &http.Client{Transport: transport}
	return func(ctx context.Context) (string, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, baseURL+"token", nil)
		if err != nil {
			return "", err
		}
		response, err := client.Do(request)
		if err != nil {
			return "", err
		}
		defer response.Body.Close() //nolint:errcheck // it was read to its end
		token, err := io.ReadAll(response.Body)
		return string(token), err
	}
}

// A fetch of a token in the request's context is no attempt of the request.
func TestRequestGoesAfterATokenWasFetched(t *testing.T) {
	for _, tokens := range []string{overHTTP, overH2, overH2C} {
		for _, protocol := range []string{overHTTP, overTLS, overH2, overH2C} {
			for name, use := range map[string]func(t *testing.T, c *Config, fetch func(context.Context) (string, error)){
				"by a token source": func(_ *testing.T, c *Config, fetch func(context.Context) (string, error)) {
					c.Authorize = func(ctx context.Context, header http.Header) error {
						token, err := fetch(ctx)
						header.Set("Authorization", "Bearer "+token)
						return err
					}
				},
				"by a middleware": func(t *testing.T, c *Config, fetch func(context.Context) (string, error)) {
					wrap(t, c, fetching(fetch))
				},
				"by the caller's transport": func(_ *testing.T, c *Config, fetch func(context.Context) (string, error)) {
					client := *c.HTTP.client
					client.Transport = fetching(fetch)(client.Transport.(redirectTransport).next.(baseTransport).next)
					c.HTTP = NewHTTPClient(&client)
				},
			} {
				t.Run(fmt.Sprintf("%s/%s/%s", name, tokens, protocol), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						var arrived atomic.Int64
						transport, baseURL := newNetwork().serve(t, protocol, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
							arrived.Add(1)
							assert.Equal(t, "Bearer fetched-token", r.Header.Get("Authorization"))
							_, _ = io.WriteString(w, success)
						}))
						c := newConfig(transport)
						c.BaseURL = parseURL(baseURL)
						use(t, c, tokenServer(t, tokens))
						for range 2 {
							arrived.Store(0)
							response, err := ask(t.Context(), c, http.MethodPost)
							require.NoError(t, err)
							assert.Equal(t, 1, response.Attempts)
							assert.EqualValues(t, 1, arrived.Load())
						}
					})
				})
			}
		}
	}
}

// fetching is a middleware that fetches a token for every request.
func fetching(fetch func(context.Context) (string, error)) func(http.RoundTripper) http.RoundTripper {
	return func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			token, err := fetch(r.Context())
			if err != nil {
				return nil, err
			}
			r = r.Clone(r.Context())
			r.Header.Set("Authorization", "Bearer "+token)
			return next.RoundTrip(r)
		})
	}
}

// An informational response is no response yet: what follows it may still be a reset.
func TestHTTP2ResetAfterAnInformationalResponse(t *testing.T) {
	for _, method := range without(methods, http.MethodHead) {
		server := &frameServer{response: func(_ int64, stream uint32, w io.Writer) {
			status103 := []byte{0x08, 3, '1', '0', '3'} // a literal value for HPACK's static name :status
			writeFrame(w, frameHeaders, flagEndHeaders, stream, status103)
			writeFrame(w, frameReset, 0, stream, binary.BigEndian.AppendUint32(nil, codeProtocolError))
		}}
		assertSentOncePerAttempt(t, server, false, newRequest(method, new(string)))
	}
}

// rewriting is a middleware, or a caller's transport, that sends requests to another place, as a gateway needs it.
func rewriting(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Path = "/gateway" + r.URL.Path
		r.Header.Set("X-Gateway", "1")
		return next.RoundTrip(r)
	})
}

func TestHTTP2ResetBelowAMiddlewareThatRewritesThePath(t *testing.T) {
	for _, method := range without(methods, http.MethodHead) {
		synctest.Test(t, func(t *testing.T) {
			server := resetWith(codeProtocolError, 1_000_000)
			c := newConfig(server.serve(t, newNetwork()))
			c.BaseURL = parseURL("http" + serverURL)
			wrap(t, c, rewriting)
			response, err := ask(t.Context(), c, method)
			require.Error(t, err)
			assert.EqualValues(t, response.Attempts, server.requests.Load(), method)
			assert.Equal(t, !isIdempotent(method), errors.Is(err, ErrOutcomeUnknown), method)
		})
	}
}

// A trace notes what came of the operation's request, whatever else a middleware sends.
func TestTraceOfSeveralRequests(t *testing.T) {
	own, token := newTraced(http.MethodPost, "/gateway/v4/things/1"), newTraced(http.MethodPost, "/token")
	look, list := newTraced(http.MethodGet, "/v4/things/1"), newTraced(http.MethodGet, "/v4/list")
	refused := &http.Response{StatusCode: 401}
	connect := func(seen *trace) {
		seen.getConn("")
		seen.gotConn(httptrace.GotConnInfo{})
	}
	for name, test := range map[string]struct {
		steps func(seen *trace)
		again bool // the operation's request may be sent
	}{
		"nothing":   {func(*trace) {}, true},
		"under way": {func(seen *trace) { seen.begin(own) }, false},
		"refused, then not connected": {func(seen *trace) {
			seen.begin(own)
			connect(seen)
			seen.end(own, refused, nil)
			seen.begin(own)
			seen.getConn("")
			seen.end(own, nil, io.EOF)
		}, true},
		"by a transport that reports nothing, after another that does": {func(seen *trace) {
			connect(seen)
			seen.begin(own)
			seen.end(own, nil, io.EOF)
		}, false},
		"lost, with a look at it meanwhile": {func(seen *trace) {
			seen.begin(own)
			connect(seen)
			seen.begin(look)
			seen.getConn("")
			seen.end(look, nil, io.EOF)
			seen.end(own, nil, io.EOF)
		}, false},
		"a token lost": {func(seen *trace) {
			seen.begin(token)
			connect(seen)
			seen.end(token, nil, io.EOF)
		}, true},
	} {
		seen := newTrace(t, http.MethodPost)
		test.steps(seen)
		assert.Equal(t, test.again, seen.begin(own), name)
	}

	seen := newTrace(t, http.MethodPost)
	seen.begin(token)
	assert.Same(t, token, seen.request.Load(), "its header may be shown")
	seen.begin(own)
	seen.begin(list)
	assert.Same(t, own, seen.request.Load())

	seen = newTrace(t, http.MethodGet)
	for range 2 * maxConnections { // each of a sending of its own
		seen.begin(look)
		connect(seen)
		seen.end(look, nil, io.EOF)
	}
	require.NoError(t, seen.Err())
	seen.begin(look)
	for range maxConnections + 1 {
		connect(seen)
	}
	assert.Equal(t, errAllDead, context.Cause(seen))
}

// newTrace returns the trace of a request for things/1.
func newTrace(t *testing.T, method string) *trace {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	return &trace{Context: ctx, cancel: cancel, method: method, path: "/things/1"}
}

func newTraced(method, path string) *http.Request {
	return &http.Request{Method: method, URL: &url.URL{Path: path}}
}

func TestHTTP2ResetWhileAMiddlewareSendsMore(t *testing.T) {
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, takes := range []time.Duration{3 * time.Second, time.Minute} {
			for name, reset := range resets {
				t.Run(fmt.Sprint(method, takes, name), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						server := reset(1)
						server.takes = 10 * time.Second
						things := server.serve(t, newNetwork())
						audits, auditURL := newNetwork().serve(t, overHTTP, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { time.Sleep(takes) }))
						c := newConfig(roundTripper(func(r *http.Request) (*http.Response, error) {
							if strings.HasSuffix(r.URL.Path, "/audit") {
								return audits.RoundTrip(r)
							}
							return things.RoundTrip(r)
						}))
						c.BaseURL = parseURL("http" + serverURL)
						wrap(t, c, func(next http.RoundTripper) http.RoundTripper {
							return roundTripper(func(r *http.Request) (*http.Response, error) {
								audit, err := http.NewRequestWithContext(r.Context(), method, auditURL+"/audit", nil)
								require.NoError(t, err)
								go func() {
									if response, err := next.RoundTrip(audit); err == nil {
										_ = response.Body.Close()
									}
								}()
								time.Sleep(time.Second)
								return next.RoundTrip(r)
							})
						})
						_, err := ask(t.Context(), c, http.MethodPost)
						require.ErrorIs(t, err, ErrOutcomeUnknown)
						require.NotErrorIs(t, err, context.DeadlineExceeded)
						time.Sleep(2 * time.Minute) // until the audit is over
						assert.EqualValues(t, 1, server.requests.Load())
					})
				})
			}
		}
	}
}

// A token that could not be fetched says nothing of the request either.
func TestRequestGoesAfterAFetchWasReset(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := &http.Client{Transport: resetWith(codeInternalError, 1).serve(t, newNetwork())}
		transport, baseURL := newNetwork().serve(t, overH2C, reply(200, success))
		c := newConfig(roundTripper(func(r *http.Request) (*http.Response, error) {
			request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "http"+serverURL+"token", nil)
			require.NoError(t, err)
			_, err = tokens.Do(request)
			require.ErrorContains(t, err, "stream error")
			return transport.RoundTrip(r) // with the token that it has
		}))
		c.BaseURL = parseURL(baseURL)
		_, err := ask(t.Context(), c, http.MethodPost)
		require.NoError(t, err)
	})
}

// The caller's transport may respond to a response by sending the request again.
func TestCallersTransportThatSendsAgain(t *testing.T) {
	for _, protocol := range []string{overHTTP, overTLS, overH2, overH2C} {
		for _, first := range []int{401, 429} {
			synctest.Test(t, func(t *testing.T) {
				var arrived atomic.Int64
				transport, baseURL := newNetwork().serve(t, protocol, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if arrived.Add(1) == 1 {
						reply(first, "")(w, r)
						return
					}
					_, _ = io.WriteString(w, success)
				}))
				c := newConfig(resending(transport))
				c.BaseURL = parseURL(baseURL)
				response, err := ask(t.Context(), c, http.MethodPost)
				require.NoError(t, err, protocol)
				assert.Equal(t, 1, response.Attempts)
				assert.EqualValues(t, 2, arrived.Load())
			})
		}
	}
}
