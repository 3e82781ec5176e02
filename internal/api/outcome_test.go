package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
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

// A fate is what becomes of a request after an attempt that ended in some way.
type fate struct {
	retried bool
	unknown bool // the error wraps ErrOutcomeUnknown if the attempt was the last
}

// The truth table: what becomes of the requests that may be carried out twice, and of all others.
var truth = map[outcome]struct{ idempotent, other fate }{
	succeeded:    {fate{}, fate{}},
	notSent:      {fate{}, fate{}},
	unreachable:  {fate{retried: true}, fate{retried: true}},
	untrusted:    {fate{}, fate{}},
	lost:         {fate{retried: true}, fate{unknown: true}},
	broken:       {fate{}, fate{unknown: true}},
	interrupted:  {fate{}, fate{unknown: true}},
	redirected:   {fate{}, fate{}},
	rejected:     {fate{}, fate{}},
	cutShort:     {fate{retried: true}, fate{}},
	rateLimited:  {fate{retried: true}, fate{retried: true}},
	transient:    {fate{retried: true}, fate{unknown: true}},
	failed:       {fate{}, fate{unknown: true}},
	unreadable:   {fate{}, fate{unknown: true}},
	unsuccessful: {fate{}, fate{}},
}

// fateOf looks up the truth table.
func fateOf(t *testing.T, o outcome, method string) fate {
	t.Helper()
	row, known := truth[o]
	require.True(t, known, "outcome %d is not in the truth table", o)
	switch method {
	case "GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE":
		return row.idempotent
	default:
		return row.other
	}
}

func TestOutcomesAgreeWithTheTruthTable(t *testing.T) {
	require.Len(t, truth, len(outcomes))
	for o := range outcomes {
		for _, method := range append(methods, "CONNECT", "TRACE", "get", "") {
			want := fateOf(t, outcome(o), method)
			got := fate{outcome(o).isRetryable(method), outcome(o).isAmbiguous(method)}
			assert.Equal(t, want, got, "%s %s", method, outcomes[o].name)
		}
	}
}

func TestOutcomeOfEveryStatus(t *testing.T) {
	of := map[outcome][]int{
		rateLimited: {429},
		transient:   {408, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527},
	}
	for status := range 1000 {
		want := failed
		switch {
		case slices.Contains(of[rateLimited], status):
			want = rateLimited
		case slices.Contains(of[transient], status):
			want = transient
		case status >= 200 && status <= 299:
			want = succeeded
		case status >= 300 && status <= 399 && status != 303: // which is a response to what was carried out
			want = redirected
		case status >= 400 && status <= 499:
			want = rejected
		}
		assert.Equal(t, want, ofStatus(status), "status %d", status)
	}
}

// A scenario is a way in which an attempt comes to an outcome.
type scenario struct {
	name    string
	outcome outcome
	says    string // a part of the error
	cause   error  // what errors.Is finds in it, nil if that does not matter

	protocol  string
	dial      func(ctx context.Context, dial dialFunc) (net.Conn, error) // in place of the plain dial
	handler   http.HandlerFunc                                           // what the server does
	frames    *frameServer                                               // in place of the handler
	frames2   bool                                                       // over TLS
	configure func(*Config)
	after     time.Duration // after which the caller's context ends, 0 for never
	unless    []string      // methods that it does not happen to
}

// scenarios are the ways to every outcome.
func scenarios() []scenario {
	all := slices.Concat(unsentScenarios(), dialScenarios(), lostScenarios(), streamScenarios(), bodyScenarios())
	for _, status := range []int{300, 301, 302, 304, 305, 307, 308} {
		all = append(all, scenario{
			name: fmt.Sprintf("status %d", status), outcome: redirected, says: "redirects are not followed",
			handler: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "https://example.com:port/%zz")
				w.WriteHeader(status)
			},
		})
	}
	all = append(all, scenario{
		name: "status 404, cut short", outcome: cutShort, says: "404: the connection was closed",
		handler: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"success":`)
		},
		unless: []string{http.MethodHead}, // whose response has no body
	})
	for _, status := range []int{400, 401, 403, 404, 405, 409, 410, 413, 422, 499} {
		all = append(all, statusScenario(status, rejected))
	}
	for _, status := range []int{408, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527} {
		all = append(all, statusScenario(status, transient))
	}
	for _, status := range []int{501, 505, 511, 530, 599, 999} {
		all = append(all, statusScenario(status, failed))
	}
	return append(all, statusScenario(429, rateLimited), scenario{
		name: "status 303", outcome: failed, says: "redirects are not followed",
		handler: func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/v4/things/1", http.StatusSeeOther) },
	}, scenario{
		name: "status 101", outcome: failed, says: "101",
		handler: hijack("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n"),
	})
}

func statusScenario(status int, o outcome) scenario {
	return scenario{
		name: fmt.Sprintf("status %d", status), outcome: o, says: strconv.Itoa(status),
		handler: reply(status, `{"success":false,"errors":[{"code":10,"message":"busy"}],"result":null}`),
	}
}

// unsentScenarios end before anything is sent, or while it is.
func unsentScenarios() []scenario {
	return []scenario{
		{name: "success", outcome: succeeded, handler: reply(200, success)},
		{name: "success over TLS", outcome: succeeded, protocol: overTLS, handler: reply(200, success)},
		{name: "success over HTTP/2", outcome: succeeded, protocol: overH2, handler: reply(201, success)},
		{name: "success over HTTP/2 without TLS", outcome: succeeded, protocol: overH2C, handler: reply(200, success)},
		{
			name: "limiter that refuses", outcome: notSent, says: "rate limit: the test's", cause: errTest,
			configure: func(c *Config) { c.Limiter = limiterFunc(func(context.Context) error { return errTest }) },
		}, {
			name: "token source that fails", outcome: notSent, says: "the test's", cause: errTest,
			configure: func(c *Config) { c.Authorize = func(context.Context, http.Header) error { return errTest } },
		}, {
			name: "token source without an end", outcome: notSent, says: "no credentials within 30s", cause: context.DeadlineExceeded,
			configure: func(c *Config) {
				c.Authorize = func(ctx context.Context, _ http.Header) error {
					<-ctx.Done()
					return ctx.Err()
				}
			},
		}, {
			name: "context that ends while the limiter waits", outcome: notSent, says: "rate limit: ", cause: context.Canceled, after: time.Second,
			configure: func(c *Config) {
				c.Limiter = limiterFunc(func(ctx context.Context) error {
					<-ctx.Done()
					return errTest
				})
			},
		}, {
			name: "context that ends while a connection is made", outcome: notSent, says: "context canceled", cause: context.Canceled, after: time.Second,
			protocol: overTLS, dial: instead(newMuteConn),
		}, {
			name: "context that ends before the response", outcome: interrupted, says: "context canceled", cause: context.Canceled, after: time.Second,
			handler: stall(""),
		}, {
			name: "context that ends in the middle of the response", outcome: interrupted, says: "context canceled", cause: context.Canceled, after: time.Second,
			handler: stall(success[:20]), unless: []string{http.MethodHead},
		},
	}
}

// dialScenarios end before there is a connection.
func dialScenarios() []scenario {
	wrongCertificate := func(c *Config) {
		c.HTTP = NewHTTPClient(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
			return nil, &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
		})})
	}
	return []scenario{
		{
			name: "refused", outcome: unreachable, says: "connection refused", cause: syscall.ECONNREFUSED,
			dial: func(context.Context, dialFunc) (net.Conn, error) { return nil, errRefused },
		}, {
			name: "no such host", outcome: unreachable, says: "no such host",
			dial: func(context.Context, dialFunc) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "api", IsNotFound: true}}
			},
		}, {
			name: "handshake cut", outcome: unreachable, says: "closed without a response", cause: io.EOF,
			protocol: overTLS, dial: instead(newDeafConn),
		}, {
			name: "handshake cut, HTTP/2", outcome: unreachable, says: "closed without a response", cause: io.EOF,
			protocol: overH2, dial: instead(newDeafConn),
		}, {
			name: "handshake with something else", outcome: unreachable, says: "first record does not look like a TLS handshake",
			protocol: overTLS, dial: instead(newBabblingConn),
		}, {
			name: "handshake without an end", outcome: unreachable, says: "no response within 30s", cause: context.DeadlineExceeded,
			protocol: overTLS, dial: instead(newMuteConn),
		}, {
			name: "dial without an end", outcome: unreachable, says: "no response within 30s", cause: context.DeadlineExceeded,
			protocol: overTLS, dial: func(ctx context.Context, _ dialFunc) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			},
		}, {
			name: "certificate that nobody trusts", outcome: untrusted, says: "certificate", protocol: overTLS,
			configure: func(c *Config) {
				c.HTTP.client.Transport.(redirectTransport).next.(baseTransport).next.(*http.Transport).TLSClientConfig = nil
			},
		}, {
			name: "no TLS where it is expected", outcome: untrusted, says: "HTTP response to HTTPS client", cause: http.ErrSchemeMismatch,
			configure: func(c *Config) { c.BaseURL = parseURL("https" + serverURL) },
			handler:   reply(200, success),
		}, {
			name: "certificate that nobody trusts, somewhere", outcome: broken, says: "certificate",
			configure: wrongCertificate,
		},
	}
}

// lostScenarios lose the connection, or run out of time, once there is one.
func lostScenarios() []scenario {
	return []scenario{
		{
			name: "reset before the first byte was written", outcome: lost, says: "connection reset by peer", cause: syscall.ECONNRESET,
			dial: instead(newBrokenConn(0)),
		}, {
			name: "reset in the middle of the header", outcome: lost, says: "connection reset by peer", cause: syscall.ECONNRESET,
			dial: instead(newBrokenConn(60)),
		}, {
			name: "closed without a response", outcome: lost, says: "the connection was closed without a response", cause: io.EOF,
			handler: abort(""),
		}, {
			name: "closed without a response, TLS", outcome: lost, says: "the connection was closed without a response", cause: io.EOF,
			protocol: overTLS, handler: abort(""),
		}, {
			name: "stream reset, HTTP/2", outcome: lost, says: "stream error", protocol: overH2, handler: abort(""),
		}, {
			name: "stream reset, HTTP/2 without TLS", outcome: lost, says: "stream error", protocol: overH2C, handler: abort(""),
		}, {
			name: "response that is not HTTP", outcome: lost, says: "malformed HTTP", handler: hijack("220 mail.example.com ESMTP\r\n"),
		}, {
			name: "no response in time", outcome: lost, says: "no response within 30s", cause: context.DeadlineExceeded,
			handler: stall(""),
		}, {
			name: "no response in time, HTTP/2", outcome: lost, says: "no response within 30s", cause: context.DeadlineExceeded,
			protocol: overH2, handler: stall(""),
		}, {
			// net/http words this in three ways, depending on which of its timers and goroutines comes first.
			name: "no response in time by the caller's client", outcome: lost, says: "exceeded", cause: context.DeadlineExceeded,
			handler: stall(""), configure: func(c *Config) { c.HTTP.client.Timeout = time.Second },
		}, {
			name: "error of a transport that tells nothing", outcome: lost, says: "connection refused",
			configure: func(c *Config) {
				c.HTTP = NewHTTPClient(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, errRefused })})
			},
		}, {
			name: "transport that returns nothing", outcome: lost, says: "returned neither a response nor an error",
			configure: func(c *Config) {
				c.HTTP = NewHTTPClient(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, nil })}) //nolint:nilnil // on purpose
			},
		},
	}
}

// streamScenarios have HTTP/2's frames end a request that was carried out.
func streamScenarios() []scenario {
	var all []scenario
	for name, code := range map[string]uint32{"PROTOCOL_ERROR": codeProtocolError, "INTERNAL_ERROR": codeInternalError, "REFUSED_STREAM": codeRefusedStream} {
		all = append(all,
			scenario{name: "reset with " + name, outcome: lost, frames: resetWith(code, 1000), protocol: overH2C},
			scenario{name: "reset with " + name + " over TLS", outcome: lost, frames: resetWith(code, 1000), frames2: true, protocol: overH2})
	}
	goAway := &frameServer{response: func(_ int64, _ uint32, w io.Writer) {
		writeFrame(w, frameGoAway, 0, 0, make([]byte, 8)) // nothing was carried out, it says
	}}
	return append(all, scenario{name: "going away", outcome: lost, frames: goAway, protocol: overH2C})
}

// bodyScenarios go wrong with the response, none of which a HEAD has.
func bodyScenarios() []scenario {
	var half bytes.Buffer
	writer := gzip.NewWriter(&half)
	_, _ = io.WriteString(writer, success)
	_ = writer.Close()
	all := []scenario{
		{
			name: "cut in the middle of the response", outcome: lost, says: "closed in the middle of the response", cause: io.ErrUnexpectedEOF,
			handler: abort(success[:20]),
		}, {
			name: "cut in the middle of the response, HTTP/2", outcome: lost, says: "stream error",
			protocol: overH2, handler: abort(success[:20]),
		}, {
			name: "cut in the middle of a response of unknown length", outcome: lost, says: "closed in the middle of the response", cause: io.ErrUnexpectedEOF,
			handler: hijack("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + success[:20]),
		}, {
			name: "cut in the middle of a chunk", outcome: lost, says: "closed in the middle of the response", cause: io.ErrUnexpectedEOF,
			handler: hijack("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n" + success[:20]),
		}, {
			name: "cut in the middle of a compressed response", outcome: lost, says: "closed in the middle of the response", cause: io.ErrUnexpectedEOF,
			handler: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = w.Write(half.Bytes()[:half.Len()/2])
			},
		}, {
			name: "half a response in time", outcome: lost, says: "no response within 30s", cause: context.DeadlineExceeded,
			handler: stall(success[:20]),
		}, {
			name: "half a response in time, HTTP/2", outcome: lost, says: "no response within 30s", cause: context.DeadlineExceeded,
			protocol: overH2, handler: stall(success[:20]),
		}, {
			name: "cut in the middle of a rejection", outcome: cutShort, says: "closed in the middle of the response", cause: io.ErrUnexpectedEOF,
			handler: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", strconv.Itoa(len(success)))
				w.WriteHeader(http.StatusForbidden)
				abort(success[:20])(w, r)
			},
		}, {
			name: "half a rejection in time", outcome: cutShort, says: "no response within 30s", cause: context.DeadlineExceeded,
			handler: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", strconv.Itoa(len(success)))
				w.WriteHeader(http.StatusNotFound)
				stall(success[:20])(w, r)
			},
		}, {
			name: "larger than allowed", outcome: unreadable, says: "larger than 64 MiB", handler: flood(`{"success":true,"result":"`, "x"),
		},
	}
	for name, body := range map[string]string{
		"HTML":                         "<html>Welcome to the hotel</html>",
		"not an object":                `[1,2]`,
		"other JSON":                   `{"hello":"world"}`,
		"invalid JSON":                 `{"success":true,"result":{]}`,
		"two values":                   success + success,
		"success twice":                `{"success":true,"success":false,"result":{}}`,
		"success that is null":         `{"success":null,"result":{}}`,
		"errors beside success: true":  `{"success":true,"errors":[{"code":1,"message":"m"}],"result":{}}`,
		"success false, then rubbish":  `{"success":false}x`,
		"success of another kind":      `{"success":"true","result":{}}`,
		"two members that are results": `{"success":true,"result":{},"result":{}}`,
	} {
		all = append(all, scenario{name: name, outcome: unreadable, handler: reply(200, body)})
	}
	all = append(all,
		scenario{name: "empty", outcome: unreadable, says: "response is empty", handler: reply(200, ""), unless: []string{http.MethodDelete}},
		scenario{name: "no content", outcome: unreadable, says: "response is empty", handler: reply(204, ""), unless: []string{http.MethodDelete}},
		scenario{name: "no result", outcome: unreadable, says: `no member "result"`, handler: reply(200, `{"success":true}`), unless: []string{http.MethodDelete}},
		scenario{name: "success: false", outcome: unsuccessful, says: "busy", handler: reply(200, `{"success":false,"errors":[{"code":1,"message":"busy"}]}`)},
		scenario{name: "success: false without errors", outcome: unsuccessful, handler: reply(202, `{"success":false}`)},
	)
	for i := range all {
		all[i].unless = append(all[i].unless, http.MethodHead)
	}
	return all
}

// flood is a handler without an end.
func flood(beginning, unit string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.WriteString(w, beginning)
		for part := strings.Repeat(unit, 1<<20); err == nil; {
			_, err = io.WriteString(w, part)
		}
	}
}

// run has the scenario happen to every attempt of a test.
func (s scenario) run(t *testing.T, test func(t *testing.T, c *Config, n *network, arrived *atomic.Int64)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		if s.dial != nil {
			n.spoil = func(ctx context.Context, _ int, dial dialFunc) (net.Conn, error) { return s.dial(ctx, dial) }
		}
		var arrived atomic.Int64
		var transport *http.Transport
		baseURL := "http" + serverURL
		switch {
		case s.frames != nil && s.frames2:
			transport, baseURL = s.frames.serveTLS(t, n), "https"+serverURL
		case s.frames != nil:
			transport = s.frames.serve(t, n)
		default:
			transport, baseURL = n.serve(t, s.protocol, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				arrived.Add(1)
				s.handler(w, r)
			}))
			// Connections that were used before, on which net/http may send a request again by itself, have tests of their own.
			transport.DisableKeepAlives = s.protocol != overH2 && s.protocol != overH2C
		}
		c := newConfig(transport)
		c.BaseURL = parseURL(baseURL)
		if s.configure != nil {
			s.configure(c)
		}
		if s.frames != nil {
			s.frames.requests.Store(0)
			test(t, c, n, &s.frames.requests)
			return
		}
		test(t, c, n, &arrived)
	})
}

// callerContext returns the context of a caller, which ends as the scenario says.
func (s scenario) callerContext(t *testing.T) context.Context {
	t.Helper()
	if s.after == 0 {
		return t.Context()
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	time.AfterFunc(s.after, cancel)
	return ctx
}

func TestEveryOutcomeHasItsScenario(t *testing.T) {
	for o := range outcomes {
		assert.True(t, slices.ContainsFunc(scenarios(), func(s scenario) bool { return s.outcome == outcome(o) }), "no scenario ends in: %s", outcomes[o].name)
	}
}

func TestScenarioEndsInItsOutcome(t *testing.T) {
	for _, s := range scenarios() {
		for _, method := range without(methods, s.unless...) {
			t.Run(s.name+"/"+method, func(t *testing.T) {
				s.run(t, func(t *testing.T, c *Config, _ *network, _ *atomic.Int64) {
					got := newOperation(c, newRequest(method, new(string))).attempt(s.callerContext(t))
					if got == nil {
						got = &attemptError{outcome: succeeded}
					}
					assert.Equal(t, outcomes[s.outcome].name, outcomes[got.outcome].name, "%v", got.err)
				})
			})
		}
	}
}

func TestTruthTable(t *testing.T) {
	for _, s := range scenarios() {
		for _, method := range without(methods, s.unless...) {
			t.Run(s.name+"/"+method, func(t *testing.T) {
				s.run(t, func(t *testing.T, c *Config, n *network, arrived *atomic.Int64) {
					s.assertTruth(t, c, method, n, arrived)
				})
			})
		}
	}
}

func (s scenario) assertTruth(t *testing.T, c *Config, method string, n *network, arrived *atomic.Int64) {
	t.Helper()
	passed := new(atomic.Int64)
	if c.Limiter == nil {
		c.Limiter, passed = counting()
	}
	response, err := ask(s.callerContext(t), c, method)
	want := fateOf(t, s.outcome, method)
	attempts := 1
	if want.retried {
		attempts += c.MaxRetries
	}
	assert.Equal(t, attempts, response.Attempts)
	if s.outcome != notSent {
		assert.EqualValues(t, attempts, passed.Load(), "every attempt passes the limiter")
	}
	if arrived.Load() > 0 {
		assert.EqualValues(t, attempts, arrived.Load(), "nothing sends a request but an attempt")
	}
	if s.outcome == unreachable || s.outcome == untrusted {
		assert.EqualValues(t, attempts, n.dials.Load())
	}
	if s.outcome == succeeded {
		require.NoError(t, err)
		return
	}
	assertOneLine(t, method, err)
	assert.Equal(t, want.unknown, errors.Is(err, ErrOutcomeUnknown), "%v", err)
	if want.unknown {
		require.ErrorContains(t, err, "the outcome is unknown: list and look before sending it again")
	}
	require.ErrorContains(t, err, s.says)
	if s.cause != nil {
		require.ErrorIs(t, err, s.cause)
	}
}

// instead returns a dial whose connection is wrapped.
func instead(wrap func(net.Conn) net.Conn) func(context.Context, dialFunc) (net.Conn, error) {
	return func(_ context.Context, dial dialFunc) (net.Conn, error) {
		connection, err := dial()
		if err != nil {
			return nil, err
		}
		return wrap(connection), nil
	}
}

// A deafConn ends when something should be read from it.
type deafConn struct{ net.Conn }

func newDeafConn(c net.Conn) net.Conn { return &deafConn{c} }

func (c *deafConn) Read([]byte) (int, error) { return 0, io.EOF }

// A babblingConn reads as another protocol's.
type babblingConn struct{ net.Conn }

func newBabblingConn(c net.Conn) net.Conn { return &babblingConn{c} }

func (c *babblingConn) Read(p []byte) (int, error) {
	return copy(p, "220 mail.example.com ESMTP\r\n"), nil
}

// A muteConn has nothing to read until it is closed.
type muteConn struct {
	net.Conn
	closed chan struct{}
	close  func()
}

func newMuteConn(c net.Conn) net.Conn {
	closed := make(chan struct{})
	return &muteConn{c, closed, sync.OnceFunc(func() { close(closed) })}
}

func (c *muteConn) Read([]byte) (int, error) {
	<-c.closed
	return 0, net.ErrClosed
}

func (c *muteConn) Close() error {
	c.close()
	return c.Conn.Close()
}

// A brokenConn takes as many bytes as there is room for, and then fails.
type brokenConn struct {
	net.Conn
	room     int
	isBroken atomic.Bool
}

func newBrokenConn(room int) func(net.Conn) net.Conn {
	return func(c net.Conn) net.Conn { return &brokenConn{Conn: c, room: room} }
}

func (c *brokenConn) Write(p []byte) (int, error) {
	if len(p) <= c.room {
		c.room -= len(p)
		return c.Conn.Write(p)
	}
	n, _ := c.Conn.Write(p[:c.room])
	c.room = 0
	c.isBroken.Store(true)
	return n, &net.OpError{Op: "write", Net: "tcp", Err: syscall.ECONNRESET}
}

// Read fails like Write: net/http may notice the one or the other first.
func (c *brokenConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil && c.isBroken.Load() {
		err = &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	return n, err
}
