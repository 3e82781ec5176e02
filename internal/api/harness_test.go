package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/internal/wire"
)

// What the tests send and get.
const (
	testToken = "token-of-the-test"
	testBody  = `{"name":"n"}`
	success   = `{"success":true,"errors":[],"messages":[],"result":{"id":"1"}}`
)

// methods are the methods of every kind of request.
var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodPatch, http.MethodDelete,
	http.MethodPost, "PURGE",
}

// newConfig returns the config of requests that go through the transport and are retried twice.
func newConfig(transport http.RoundTripper) *Config {
	return &Config{
		HTTP:    NewHTTPClient(&http.Client{Transport: transport}),
		BaseURL: parseURL("https://api.example.com/v4/"),
		Authorize: func(_ context.Context, header http.Header) error {
			header.Set("Authorization", "Bearer "+testToken)
			return nil
		},
		UserAgent: "test/1", Timeout: 30 * time.Second, MaxRetries: 2, MaxRetryWait: time.Minute,
		NewError: func(f *Failure) error { return &testError{f} },
	}
}

// parseURL parses a base URL. Plain http is allowed.
func parseURL(text string) *url.URL {
	parsed, err := ParseBaseURL(text, true)
	if err != nil {
		panic(err)
	}
	return parsed
}

// A testError stands for the error that the root makes of a Failure.
type testError struct{ *Failure }

func (e *testError) Error() string {
	parts := []string{fmt.Sprintf("cfposture: %s %s: %d", e.Method, e.Path, e.StatusCode)}
	for _, message := range e.Errors {
		parts = append(parts, message.Message)
	}
	if e.Cause != nil {
		parts = append(parts, e.Cause.Error())
	}
	return strings.Join(parts, ": ")
}

func (e *testError) Unwrap() error { return e.Cause }

// newRequest returns a request of the method as a service would make it, which stores its result in result.
func newRequest(method string, result *string) *Request {
	r := &Request{Method: method, Path: "things/1"}
	switch method {
	case http.MethodPut, http.MethodPatch, http.MethodPost:
		r.Body = []byte(testBody)
	}
	if method != http.MethodHead && method != http.MethodDelete {
		r.Decode = func(s *wire.Decoder) error {
			*result = string(s.Value())
			return nil
		}
	}
	return r
}

// ask makes a request of the method.
func ask(ctx context.Context, c *Config, method string) (*Response, error) {
	return Do(ctx, c, newRequest(method, new(string)))
}

// A roundTripper is a transport.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// respond returns a response of a transport.
func respond(r *http.Request, status int, header http.Header, body string) *http.Response {
	return respondWith(r, status, header, strings.NewReader(body))
}

func respondWith(r *http.Request, status int, header http.Header, body io.Reader) *http.Response {
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{
		StatusCode: status, Header: header, Body: io.NopCloser(body), ContentLength: -1,
		Proto: "HTTP/2.0", ProtoMajor: 2, Request: r,
	}
}

// responding is a transport that gives every request the same response.
func responding(status int, body string) roundTripper {
	return func(r *http.Request) (*http.Response, error) { return respond(r, status, nil, body), nil }
}

// A script is a transport that behaves in another way each time, the last for all that follow, and notes when it was
// asked.
type script struct {
	ways  []roundTripper
	start time.Time
	at    []time.Duration
}

func newScript(ways ...roundTripper) *script { return &script{ways: ways, start: time.Now()} }

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	way := s.ways[min(len(s.at), len(s.ways)-1)]
	s.at = append(s.at, time.Since(s.start))
	return way(r)
}

// limiterFunc is a limiter.
type limiterFunc func(context.Context) error

func (f limiterFunc) Wait(ctx context.Context) error { return f(ctx) }

// counting returns a limiter that lets everything pass and counts it.
func counting() (limiterFunc, *atomic.Int64) {
	count := new(atomic.Int64)
	return func(context.Context) error {
		count.Add(1)
		return nil
	}, count
}

// A dialFunc makes a connection to a server.
type dialFunc func() (net.Conn, error)

// A network connects clients to a server by pipes, so that the time of synctest passes while both ends wait.
type network struct {
	// spoil may replace what a dial comes to, of which the first is number 1.
	spoil func(ctx context.Context, number int, dial dialFunc) (net.Conn, error)

	accepted chan net.Conn
	closed   chan struct{}
	close    func()
	dials    atomic.Int64

	mu    sync.Mutex
	pipes []net.Conn // the server's ends
}

func newNetwork() *network {
	n := &network{accepted: make(chan net.Conn), closed: make(chan struct{})}
	n.close = sync.OnceFunc(func() { close(n.closed) })
	return n
}

// dial is a transport's DialContext.
func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	number := int(n.dials.Add(1))
	dial := func() (net.Conn, error) {
		here, there := net.Pipe()
		select {
		case n.accepted <- there:
			n.mu.Lock()
			defer n.mu.Unlock()
			n.pipes = append(n.pipes, there)
			return here, nil
		case <-n.closed:
			return nil, errRefused
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if n.spoil != nil {
		return n.spoil(ctx, number, dial)
	}
	return dial()
}

// errRefused is the error of a dial that nobody accepts.
var errRefused = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}

func (n *network) Accept() (net.Conn, error) {
	select {
	case connection := <-n.accepted:
		return connection, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	n.close()
	return nil
}

// cut closes all connections.
func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, pipe := range n.pipes {
		_ = pipe.Close()
	}
}

func (n *network) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// The protocols of a test's server.
const (
	overHTTP  = "HTTP/1.1"
	overTLS   = "HTTP/1.1 over TLS"
	overH2    = "HTTP/2 over TLS"
	overH2C   = "HTTP/2 without TLS"
	serverURL = "://127.0.0.1/v4/" // where the server of a network is found
)

// serve starts a server on the network and returns a transport to it and its base URL.
func (n *network) serve(t *testing.T, protocol string, handler http.Handler) (*http.Transport, string) {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	require.NoError(t, server.Listener.Close())
	server.Listener = n
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of broken connections
	transport := &http.Transport{DialContext: n.dial, MaxIdleConnsPerHost: 100}
	scheme := "http"
	switch protocol {
	case overTLS, overH2:
		server.EnableHTTP2 = protocol == overH2
		server.StartTLS()
		transport.ForceAttemptHTTP2 = protocol == overH2
		transport.TLSClientConfig = &tls.Config{RootCAs: rootOf(server), MinVersion: tls.VersionTLS12}
		scheme = "https"
	case overH2C:
		server.Config.Protocols, transport.Protocols = h2c(), h2c()
		server.Start()
	default:
		server.Start()
	}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		n.cut()
		server.Close()
	})
	return transport, scheme + serverURL
}

func h2c() *http.Protocols {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	return protocols
}

func rootOf(server *httptest.Server) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return pool
}

// reply is a handler that gives every request the same response.
func reply(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// hijack sends bytes in place of a response, and ends the connection.
func hijack(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		connection, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(connection, text)
		_ = connection.Close()
	}
}

// abort is a handler that cuts the connection, or resets the stream, after it has sent so much of a response.
func abort(part string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if part != "" {
			w.Header().Set("Content-Length", strconv.Itoa(len(success)))
			_, _ = io.WriteString(w, part)
			_ = http.NewResponseController(w).Flush()
		}
		panic(http.ErrAbortHandler)
	}
}

// stall is a handler that sends so much of a response and then nothing more.
func stall(part string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // else the server does not notice that the client has gone
		if part != "" {
			w.Header().Set("Content-Length", strconv.Itoa(len(success)))
			_, _ = io.WriteString(w, part)
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	}
}

// The frames of HTTP/2 that a frameServer needs, and its errors.
const (
	frameData      = 0x0
	frameHeaders   = 0x1
	frameReset     = 0x3
	frameSettings  = 0x4
	frameGoAway    = 0x7
	flagAck        = 0x1 // of settings
	flagEndStream  = 0x1
	flagEndHeaders = 0x4

	codeProtocolError = 0x1
	codeInternalError = 0x2
	codeRefusedStream = 0x7
)

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// A frameServer speaks just as much HTTP/2 as it takes to receive requests and to reset their streams, which a server of
// net/http does with no other code than INTERNAL_ERROR.
type frameServer struct {
	requests atomic.Int64  // that arrived whole
	takes    time.Duration // until a response is sent
	// response is written to the number-th request.
	response func(number int64, stream uint32, w io.Writer)
}

// resetWith returns a server that resets the streams of the first requests, so many, with the code.
func resetWith(code uint32, times int64) *frameServer {
	return &frameServer{response: func(number int64, stream uint32, w io.Writer) {
		if number <= times {
			writeFrame(w, frameReset, 0, stream, binary.BigEndian.AppendUint32(nil, code))
			return
		}
		writeSuccess(w, stream)
	}}
}

// writeSuccess writes a response with status 200.
func writeSuccess(w io.Writer, stream uint32) {
	const status200 = 0x88 // an entry of HPACK's static table
	writeFrame(w, frameHeaders, flagEndHeaders, stream, []byte{status200})
	writeFrame(w, frameData, flagEndStream, stream, []byte(success))
}

// serve accepts the network's connections until it is closed.
func (s *frameServer) serve(t *testing.T, n *network) *http.Transport {
	t.Helper()
	return s.serveOver(t, n, &http.Transport{Protocols: h2c()}, func(c net.Conn) net.Conn { return c })
}

// serveTLS is serve over TLS.
func (s *frameServer) serveTLS(t *testing.T, n *network) *http.Transport {
	t.Helper()
	other := httptest.NewUnstartedServer(nil) // whose certificate is borrowed
	other.StartTLS()
	defer other.Close()
	config := &tls.Config{Certificates: other.TLS.Certificates, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12}
	transport := &http.Transport{
		ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: rootOf(other), MinVersion: tls.VersionTLS12},
	}
	return s.serveOver(t, n, transport, func(c net.Conn) net.Conn { return tls.Server(c, config) })
}

func (s *frameServer) serveOver(t *testing.T, n *network, transport *http.Transport, wrap func(net.Conn) net.Conn) *http.Transport {
	t.Helper()
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			connection, err := n.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { s.handle(wrap(connection)) })
		}
	})
	transport.DialContext = n.dial
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		n.close()
		n.cut()
		wg.Wait()
	})
	return transport
}

// handle reads the requests of a connection. It writes from another goroutine, because a pipe holds nothing: both ends
// may want to write at the same time.
func (s *frameServer) handle(connection net.Conn) {
	defer connection.Close() //nolint:errcheck // it may be closed already
	type frames struct {
		text []byte
		wait time.Duration
	}
	written := make(chan frames, 100)
	defer close(written)
	go func() {
		for f := range written {
			time.Sleep(f.wait)
			_, _ = connection.Write(f.text)
		}
	}()
	var out bytes.Buffer
	flush := func(wait time.Duration) {
		written <- frames{bytes.Clone(out.Bytes()), wait}
		out.Reset()
	}
	if _, err := io.ReadFull(connection, make([]byte, len(preface))); err != nil {
		return
	}
	writeFrame(&out, frameSettings, 0, 0, nil)
	flush(0)
	for {
		kind, flags, stream, err := readFrame(connection)
		switch {
		case err != nil:
			return
		case kind == frameSettings && flags&flagAck == 0:
			writeFrame(&out, frameSettings, flagAck, 0, nil)
			flush(0)
		case (kind == frameHeaders || kind == frameData) && flags&flagEndStream != 0:
			s.response(s.requests.Add(1), stream, &out)
			flush(s.takes)
		}
	}
}

func writeFrame(w io.Writer, kind, flags byte, stream uint32, payload []byte) {
	header := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	header = binary.BigEndian.AppendUint32(header, stream)
	_, _ = w.Write(append(header, payload...))
}

func readFrame(r io.Reader) (kind, flags byte, stream uint32, err error) {
	header := make([]byte, 9)
	if _, err := io.ReadFull(r, header); err != nil {
		return 0, 0, 0, err
	}
	length := int64(header[0])<<16 | int64(header[1])<<8 | int64(header[2])
	_, err = io.CopyN(io.Discard, r, length)
	return header[3], header[4], binary.BigEndian.Uint32(header[5:]), err
}

// assertOneLine checks what holds for every error of Do: its beginning, that it is one line, and that it shows no secret.
func assertOneLine(t *testing.T, method string, err error) {
	t.Helper()
	text := err.Error()
	assert.True(t, strings.HasPrefix(text, "cfposture: "+method+" things/1: "), text)
	assert.Equal(t, 1, strings.Count(text, "cfposture: "+method), text)
	assert.NotContains(t, text, "\n")
	assert.NotContains(t, text, "127.0.0.1/v4", "the path is said once: %s", text)
	for _, inner := range unwrapAll(err) {
		assert.NotContains(t, inner.Error(), testToken)
	}
}

// unwrapAll returns an error and all that it wraps.
func unwrapAll(err error) []error {
	all := []error{err}
	switch err := err.(type) { //nolint:errorlint // this is the unwrapping
	case interface{ Unwrap() error }:
		if inner := err.Unwrap(); inner != nil {
			all = append(all, unwrapAll(inner)...)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range err.Unwrap() {
			all = append(all, unwrapAll(inner)...)
		}
	}
	return all
}

// failureOf returns what the root would make its Error of.
func failureOf(t *testing.T, err error) *Failure {
	t.Helper()
	var failed *testError
	require.ErrorAs(t, err, &failed)
	return failed.Failure
}

// without returns the strings but for those given.
func without(all []string, some ...string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}

var errTest = errors.New("the test's")

// A failingReader fails.
type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// newOperation returns what Do works with.
func newOperation(c *Config, r *Request) *operation {
	o := &operation{Config: c, Request: r}
	o.response.operation = o
	return o
}
