package cfposture_test

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
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// A connectionFault is one way in which the first attempt at a call fails without a whole answer.
type connectionFault struct {
	name     string
	protocol string                                  // "http", "https" or "h2"
	dialled  func(dial dialFunc) (net.Conn, error)   // instead of the plain dial
	spoil    func(api *posturetest.Server)           // makes the API misbehave, once
	handler  func(api http.Handler) http.HandlerFunc // instead of the API, once
	timeout  bool                                    // the attempt has to end by its time limit

	reached  bool  // the request reaches the server
	acted    bool  // and is carried out
	provable bool  // that nothing was written is known, so that a POST may be sent again
	cause    error // what errors.Is finds
	says     string
}

func connectionFaults() []connectionFault {
	return append(faultsBeforeTheRequest(), faultsAfterTheRequest()...)
}

func faultsBeforeTheRequest() []connectionFault {
	return []connectionFault{
		{
			name: "refused", dialled: func(dialFunc) (net.Conn, error) { return dialNobody() },
			provable: true, cause: syscall.ECONNREFUSED, says: "connection refused",
		}, {
			name: "no such host", dialled: func(dialFunc) (net.Conn, error) {
				return nil, &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "api", IsNotFound: true}}
			},
			provable: true, says: "no such host",
		}, {
			name: "handshake cut", protocol: "https", dialled: spoilt(func(c net.Conn) net.Conn { return &deafConn{Conn: c} }),
			provable: true, cause: io.EOF, says: "closed without a response",
		}, {
			name: "handshake answered by something else", protocol: "https",
			dialled:  spoilt(func(c net.Conn) net.Conn { return &babblingConn{Conn: c} }),
			provable: true, says: "tls: first record does not look like a TLS handshake",
		}, {
			name: "handshake cut, HTTP/2", protocol: "h2", dialled: spoilt(func(c net.Conn) net.Conn { return &deafConn{Conn: c} }),
			provable: true, cause: io.EOF, says: "closed without a response",
		}, {
			name: "handshake without an end", protocol: "https", dialled: spoilt(func(c net.Conn) net.Conn { return newMuteConn(c) }),
			timeout: true, provable: true, cause: context.DeadlineExceeded, says: "no response within",
		}, {
			name: "reset before the first byte was written", dialled: spoilt(func(c net.Conn) net.Conn { return &brokenConn{Conn: c} }),
			cause: syscall.ECONNRESET, says: "connection reset by peer",
		}, {
			name: "reset in the middle of the header", dialled: spoilt(func(c net.Conn) net.Conn { return &brokenConn{Conn: c, room: 60} }),
			cause: syscall.ECONNRESET, says: "connection reset by peer",
		},
	}
}

func faultsAfterTheRequest() []connectionFault {
	cut := func(when posturetest.Cut) func(*posturetest.Server) {
		return func(api *posturetest.Server) { api.CutNext(1, when) }
	}
	return []connectionFault{
		{
			name: "closed before it was carried out", spoil: cut(posturetest.CutBefore),
			reached: true, cause: io.EOF, says: "the connection was closed without a response",
		}, {
			name: "closed after it was carried out", spoil: cut(posturetest.CutAfter),
			reached: true, acted: true, cause: io.EOF, says: "the connection was closed without a response",
		}, {
			name: "closed after it was carried out, TLS", protocol: "https", spoil: cut(posturetest.CutAfter),
			reached: true, acted: true, cause: io.EOF, says: "the connection was closed without a response",
		}, {
			name: "stream reset before it was carried out, HTTP/2", protocol: "h2", spoil: cut(posturetest.CutBefore),
			reached: true, says: "stream error",
		}, {
			name: "stream reset after it was carried out, HTTP/2", protocol: "h2", spoil: cut(posturetest.CutAfter),
			reached: true, acted: true, says: "stream error",
		}, {
			name: "cut in the middle of the body", spoil: cut(posturetest.CutMiddle),
			reached: true, acted: true, cause: io.ErrUnexpectedEOF, says: "unexpected EOF",
		}, {
			name: "cut in the middle of the body, HTTP/2", protocol: "h2", spoil: cut(posturetest.CutMiddle),
			reached: true, acted: true, says: "stream error",
		}, {
			name: "cut in the middle of a body of untold length", handler: untoldLength,
			reached: true, acted: true, cause: io.ErrUnexpectedEOF, says: "unexpected EOF",
		}, {
			name: "cut in the middle of a compressed body", handler: halfCompressed,
			reached: true, acted: true, cause: io.ErrUnexpectedEOF, says: "unexpected EOF",
		}, {
			name: "answer that is no HTTP", handler: babble,
			reached: true, acted: true, says: "malformed HTTP",
		}, {
			name: "no answer in time", handler: hush, timeout: true,
			reached: true, acted: true, cause: context.DeadlineExceeded, says: "no response within",
		}, {
			name: "half an answer in time", handler: stall, timeout: true,
			reached: true, acted: true, cause: context.DeadlineExceeded, says: "no response within",
		}, {
			name: "half an answer in time, HTTP/2", protocol: "h2", handler: stall, timeout: true,
			reached: true, acted: true, cause: context.DeadlineExceeded, says: "no response within",
		},
	}
}

func dialNobody() (net.Conn, error) {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(context.Background(), "tcp", address)
}

func spoilt(wrap func(net.Conn) net.Conn) func(dialFunc) (net.Conn, error) {
	return func(dial dialFunc) (net.Conn, error) {
		connection, err := dial()
		if err != nil {
			return nil, err
		}
		return wrap(connection), nil
	}
}

// A deafConn ends when something should be read from it.
type deafConn struct{ net.Conn }

func (c *deafConn) Read([]byte) (int, error) { return 0, io.EOF }

// A babblingConn reads as another protocol's.
type babblingConn struct{ net.Conn }

func (c *babblingConn) Read(p []byte) (int, error) {
	return copy(p, "220 mail.example.com ESMTP\r\n"), nil
}

// A muteConn has nothing to read until it is closed.
type muteConn struct {
	net.Conn
	closed context.Context //nolint:containedctx // for its Done
	cancel context.CancelFunc
}

func newMuteConn(c net.Conn) *muteConn {
	closed, cancel := context.WithCancel(context.Background())
	return &muteConn{c, closed, cancel}
}

func (c *muteConn) Read([]byte) (int, error) {
	<-c.closed.Done()
	return 0, net.ErrClosed
}

func (c *muteConn) Close() error {
	c.cancel()
	return c.Conn.Close()
}

// A brokenConn takes as many bytes as there is room for, and then fails.
type brokenConn struct {
	net.Conn
	room int
}

func (c *brokenConn) Write(p []byte) (int, error) {
	if len(p) <= c.room {
		c.room -= len(p)
		return c.Conn.Write(p)
	}
	n, _ := c.Conn.Write(p[:c.room])
	c.room = 0
	return n, &net.OpError{Op: "write", Net: "tcp", Err: syscall.ECONNRESET}
}

// carriedOut lets the API carry a request out and keeps its answer.
func carriedOut(api http.Handler, r *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	api.ServeHTTP(answer, r)
	return answer
}

func firstHalf(answer *httptest.ResponseRecorder) []byte {
	return answer.Body.Bytes()[:answer.Body.Len()/2]
}

func untoldLength(api http.Handler) http.HandlerFunc {
	return overConnection(func(r *http.Request) []byte {
		return append([]byte("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"), firstHalf(carriedOut(api, r))...)
	})
}

func babble(api http.Handler) http.HandlerFunc {
	return overConnection(func(r *http.Request) []byte {
		carriedOut(api, r)
		return []byte("220 mail.example.com ESMTP\r\n")
	})
}

// overConnection answers with bytes, and ends the connection.
func overConnection(answer func(*http.Request) []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text := answer(r)
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = connection.Write(text)
		_ = connection.Close()
	}
}

func halfCompressed(api http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer := carriedOut(api, r)
		var compressed bytes.Buffer
		writer := gzip.NewWriter(&compressed)
		_, _ = writer.Write(answer.Body.Bytes())
		_ = writer.Close()
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(answer.Code)
		_, _ = w.Write(compressed.Bytes()[:compressed.Len()/2])
	}
}

func hush(api http.Handler) http.HandlerFunc {
	return func(_ http.ResponseWriter, r *http.Request) {
		carriedOut(api, r)
		<-r.Context().Done()
	}
}

func stall(api http.Handler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		answer := carriedOut(api, r)
		w.Header().Set("Content-Length", strconv.Itoa(answer.Body.Len()))
		_, _ = w.Write(firstHalf(answer))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

// onFaultyStage runs a test on a stage whose first requests, so many times, go wrong by the fault. Where time limits
// matter the network is made of pipes and the time of synctest, so that nothing waits and nothing is late.
func onFaultyStage(t *testing.T, fault connectionFault, times int, opts []cfposture.Option, test func(*testing.T, *stage, *network)) {
	t.Helper()
	api := newServer(t)
	run := func(t *testing.T) {
		t.Helper()
		wires := new(network)
		if fault.timeout {
			wires.pipes = newPipeListener()
			opts = append([]cfposture.Option{cfposture.WithTimeout(time.Second)}, opts...)
		}
		server, transport := newLoopback(t, fault.protocol, fault.handlerOf(api, times), wires)
		wires.spoil = func(number int, dial dialFunc) (net.Conn, error) {
			if number <= times && fault.dialled != nil {
				return fault.dialled(dial)
			}
			return dial()
		}
		s := newStage(t, api, server.URL+"/client/v4", transport, opts...)
		for range times {
			if fault.spoil != nil {
				fault.spoil(api)
			}
		}
		test(t, s, wires)
	}
	if fault.timeout {
		synctest.Test(t, run)
	} else {
		run(t)
	}
}

func (f connectionFault) handlerOf(api *posturetest.Server, times int) http.Handler {
	plain := api.Handler()
	if f.handler == nil {
		return plain
	}
	seen := new(atomic.Int64)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if seen.Add(1) <= int64(times) {
			f.handler(plain)(w, r)
			return
		}
		plain.ServeHTTP(w, r)
	})
}

// newLoopback starts a server and returns a transport that dials anew for every request, so that net/http sends none
// again by itself.
func newLoopback(t *testing.T, protocol string, handler http.Handler, wires *network) (*httptest.Server, *http.Transport) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	if wires.pipes != nil {
		require.NoError(t, server.Listener.Close())
		server.Listener = wires.pipes
	}
	server.Config.ErrorLog = quietLog
	server.Config.ConnState = wires.watch
	server.EnableHTTP2 = protocol == "h2"
	transport := &http.Transport{DialContext: wires.dial, DisableKeepAlives: true}
	if protocol == "https" || protocol == "h2" {
		server.StartTLS()
		transport.TLSClientConfig = &tls.Config{RootCAs: rootOf(server), MinVersion: tls.VersionTLS12}
		transport.ForceAttemptHTTP2 = protocol == "h2"
		transport.DisableKeepAlives = protocol != "h2"
	} else {
		server.Start()
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.CloseClientConnections()
		server.Close()
	})
	return server, transport
}

func rootOf(server *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return pool
}

func TestBrokenConnectionIsRetriedWhereThatDoesNothingTwice(t *testing.T) {
	for _, fault := range connectionFaults() {
		for _, op := range operations() {
			t.Run(fault.name+"/"+op.name, func(t *testing.T) {
				onFaultyStage(t, fault, 1, nil, func(t *testing.T, s *stage, _ *network) { tryOverBroken(t, fault, s, op) })
			})
		}
	}
}

func tryOverBroken(t *testing.T, fault connectionFault, s *stage, op operation) {
	t.Helper()
	names, err := s.try(t, op)
	reached := 0
	if fault.reached {
		reached = 1
	}
	assertSameBodies(t, s.api.Requests())
	if op.method != http.MethodPost || fault.provable {
		require.NoError(t, err)
		assert.Equal(t, op.want, names, "each item once, also after half a list")
		assert.Len(t, s.api.Requests(), reached+1)
		assertDone(t, s, op)
		return
	}
	assertOutcomeUnknown(t, err)
	assertCause(t, fault, err)
	assert.Len(t, s.api.Requests(), reached, "a POST that may have been acted on is not sent again")
	if fault.acted {
		assertDone(t, s, op)
	} else {
		assert.Zero(t, s.effects(op.method))
	}
}

func assertCause(t *testing.T, fault connectionFault, err error) {
	t.Helper()
	require.ErrorContains(t, err, fault.says)
	if fault.cause != nil {
		require.ErrorIs(t, err, fault.cause)
	}
	assert.NotContains(t, err.Error(), "\n")
	assert.NotContains(t, err.Error(), "http://", "the error's own prefix says what was asked for")
}

func TestConnectionThatStaysBrokenEndsAfterTheRetries(t *testing.T) {
	for _, fault := range connectionFaults() {
		for _, op := range operations() {
			if op.name != "Posture.All" && op.name != "Posture.Create" && op.name != "Integrations.Update" {
				continue // one of a kind will do
			}
			t.Run(fault.name+"/"+op.name, func(t *testing.T) {
				opts := []cfposture.Option{cfposture.WithMaxRetries(2)}
				onFaultyStage(t, fault, 10, opts, func(t *testing.T, s *stage, wires *network) {
					_, err := s.try(t, op)
					assertCause(t, fault, err)
					attempts := 3
					if op.method == http.MethodPost && !fault.provable {
						attempts = 1
					} else {
						require.NotErrorIs(t, err, cfposture.ErrOutcomeUnknown)
					}
					if fault.reached {
						assert.Len(t, s.api.Requests(), attempts)
					} else {
						assert.Empty(t, s.api.Requests())
						assert.Equal(t, attempts, wires.dialled())
					}
				})
			})
		}
	}
}

func TestUntrustedCertificateIsNotTriedAgain(t *testing.T) {
	for _, op := range operations() {
		api := newServer(t)
		wires := new(network)
		server, transport := newLoopback(t, "https", api.Handler(), wires)
		transport.TLSClientConfig = nil
		s := newStage(t, api, server.URL+"/client/v4", transport)
		_, err := s.try(t, op)
		var untrusted *tls.CertificateVerificationError
		require.ErrorAs(t, err, &untrusted, op.name)
		require.NotErrorIs(t, err, cfposture.ErrOutcomeUnknown, op.name)
		assert.Equal(t, 1, wires.dialled(), op.name)
		assert.Empty(t, api.Requests(), op.name)
	}
}

// Connections that were used before are where net/http sends requests again by itself. A POST is never among them
// unless nothing of it was written.
func TestConnectionThatDiedBetweenTwoCalls(t *testing.T) {
	for _, opts := range [][]cfposture.Option{
		nil,
		{cfposture.WithHeader("Idempotency-Key", "1")},
		{cfposture.WithHeader("x-idempotency-key", "1")},
	} {
		for _, op := range operations() {
			t.Run(fmt.Sprintf("%s/%d", op.name, len(opts)), func(t *testing.T) {
				api := newServer(t)
				wires := new(network)
				server, transport := newLoopback(t, "http", api.Handler(), wires)
				transport.DisableKeepAlives = false
				s := newStage(t, api, server.URL+"/client/v4", transport, opts...)
				_, err := s.client.Posture.List(t.Context())
				require.NoError(t, err)

				s.api.CutNext(1, posturetest.CutAfter)
				_, err = s.try(t, op)
				assertDone(t, s, op)
				if op.method != http.MethodPost {
					require.NoError(t, err)
					return
				}
				assertOutcomeUnknown(t, err)
				assert.Len(t, s.api.Requests(), 2)
			})
		}
	}
}

func TestContextThatEndsDuringAnAttemptEndsTheCall(t *testing.T) {
	for _, fault := range connectionFaults() {
		if !fault.timeout {
			continue
		}
		for _, op := range operations() {
			t.Run(fault.name+"/"+op.name, func(t *testing.T) {
				opts := []cfposture.Option{cfposture.WithTimeout(time.Hour)}
				onFaultyStage(t, fault, 10, opts, func(t *testing.T, s *stage, wires *network) {
					lunch := errors.New("lunch")
					ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, lunch)
					defer cancel()
					start := time.Now()
					_, err := op.run(ctx, s.client)
					assert.Equal(t, time.Minute, time.Since(start), "at once")
					require.ErrorIs(t, err, context.DeadlineExceeded)
					require.ErrorIs(t, err, lunch, "the cause is told as well")
					unknown := op.method == http.MethodPost && !fault.provable
					assert.Equal(t, unknown, errors.Is(err, cfposture.ErrOutcomeUnknown), "%v", err)
					assert.Equal(t, 1, wires.dialled())
				})
			})
		}
	}
}

func TestNothingIsSentOnceTheContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := newMemoryStage(t, cfposture.WithLimiter(noLimit{}))
	for _, op := range operations() {
		_, err := op.run(ctx, s.client)
		require.ErrorIs(t, err, context.Canceled, op.name)
		require.NotErrorIs(t, err, cfposture.ErrOutcomeUnknown, op.name)
	}
	assert.Empty(t, s.api.Requests())
}

type noLimit struct{}

func (noLimit) Wait(context.Context) error { return nil }
