package posturetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// basePath is where the API begins, on the real host as well.
const basePath = "/client/v4"

// maxBody limits the body of a request.
const maxBody = 1 << 20

// Server is a fake of the posture API with one account, [AccountID]. Make one with [New] or [NewServer]. Its methods
// may be called at any time, from any goroutine.
type Server struct {
	// URL is the base URL of the API, such as http://127.0.0.1:40123/client/v4, without a slash at its end. The port of
	// an [InMemory] server is 0.
	URL string

	inMemory bool
	control  bool
	save     func(Change) error

	http    *http.Server   // nil in memory
	serving sync.WaitGroup // the goroutine that accepts connections
	open    sync.WaitGroup // the connections and the requests on them
	closed  chan struct{}

	mu       sync.Mutex
	isClosed bool
	initial  Behavior // what Reset goes back to
	behavior Behavior
	account  *account
	requests []Request
	keep     int // how many requests are kept; 0 is all
	faults   []*Fault
	pageSize int
}

// TB is the part of [testing.TB] that [New] needs.
type TB interface {
	Helper()
	Cleanup(func())
}

// New returns a server that closes when the test ends.
func New(tb TB, opts ...Option) *Server {
	tb.Helper()
	s := NewServer(opts...)
	tb.Cleanup(s.Close)
	return s
}

// NewServer starts a server on a loopback port. The caller calls Close when done. It panics if it finds no port.
func NewServer(opts ...Option) *Server {
	s := &Server{closed: make(chan struct{})}
	for _, opt := range opts {
		opt(s)
	}
	s.initial = s.behavior
	s.account = newAccount(s)
	if s.inMemory {
		s.URL = "http://127.0.0.1:0" + basePath
	} else {
		s.listen()
	}
	return s
}

func (s *Server) listen() {
	listener, err := listenOnLoopback()
	if err != nil {
		panic(fmt.Sprintf("posturetest: no loopback port: %v", err))
	}
	s.URL = "http://" + listener.Addr().String() + basePath
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serveOnPort),
		ConnState:         s.countConnections,
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0), // a cut connection is no news to whoever asked for it
	}
	s.serving.Go(func() { _ = s.http.Serve(listener) }) // always an error: that the server was closed
}

func listenOnLoopback() (net.Listener, error) {
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		return config.Listen(context.Background(), "tcp6", "[::1]:0")
	}
	return listener, nil
}

// Close stops the server, closes every connection and ends delays. It returns when no request is being served any
// more. Closing twice is no error. What the server holds and saw can still be read.
func (s *Server) Close() {
	s.mu.Lock()
	first := !s.isClosed
	s.isClosed = true
	s.mu.Unlock()
	if first {
		close(s.closed)
		if s.http != nil {
			_ = s.http.Close() // fails only if the listener is closed already
		}
	}
	s.serving.Wait()
	s.open.Wait()
}

func (s *Server) countConnections(connection net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.open.Add(1)
		select {
		case <-s.closed: // accepted too late for http.Server.Close to see it
			_ = connection.Close()
		default:
		}
	case http.StateHijacked, http.StateClosed:
		s.open.Done()
	case http.StateActive, http.StateIdle: // still open
	}
}

// Handler returns the same API without the port, below the path /client/v4, for a server of the caller's own. It
// shares everything with s. To cut a connection it needs an [http.Hijacker]; without one it panics with
// [http.ErrAbortHandler], which makes net/http's servers cut it.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// Reset returns s to its initial state: no rules, integrations, recorded requests or faults, no page size, no limit on the
// recorded requests, and the [Behavior] that s was made with.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behavior = s.initial
	s.account = newAccount(s)
	s.requests = nil
	s.keep = 0
	s.faults = nil
	s.pageSize = 0
}

// SetBehavior replaces the server's [Behavior] from the next request on.
func (s *Server) SetBehavior(b Behavior) {
	b.check()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behavior = b
}

// SetPageSize makes lists come in pages of n even if the query asks for none, as with an account that has more rules
// than one page takes. 0, the default, turns that off.
func (s *Server) SetPageSize(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pageSize = max(n, 0)
}

// serveOnPort counts the request for Close: a connection that is being cut doesn't count as open any more.
func (s *Server) serveOnPort(w http.ResponseWriter, r *http.Request) {
	s.open.Add(1)
	defer s.open.Done()
	s.serve(w, r)
}

// serve handles every request: it is recorded, may meet a fault, is carried out, and gets its response.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	var body []byte
	var readErr error
	if r.Body != nil { // handlers may be called with a client's request
		body, readErr = io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	}
	if s.control && isControl(r) {
		s.serveControl(w, r, body)
		return
	}
	e := findEndpoint(r)
	f := s.receive(r, e, body)
	if f.Cut == CutBefore {
		cutConnection(w)
		return
	}

	var sent response
	if f.carriesOut() {
		sent = s.respond(r, e, body, readErr)
	}
	f.spoil(&sent)

	if !s.wait(r.Context(), f.Delay) || f.Cut == CutAfter {
		cutConnection(w)
		return
	}
	if f.Cut == CutMiddle {
		sent.writeHalf(w)
		cutConnection(w)
		return
	}
	sent.write(w)
}

// respond carries the request out.
func (s *Server) respond(r *http.Request, e endpoint, body []byte, readErr error) response {
	if refusal := authenticate(r.Header); refusal != nil {
		return *refusal
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(readErr, &tooLarge):
		return refuse(http.StatusRequestEntityTooLarge, message{Code: codeTooLarge, Message: "request body too large"})
	case readErr != nil:
		return refuse(http.StatusBadRequest, invalid("", "request body ended early"))
	}
	if e.refusal != nil {
		return *e.refusal
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	return s.account.respond(e, r.URL.Query(), body)
}

// wait returns false if it was ended early.
func (s *Server) wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-s.closed:
	}
	return false
}

func cutConnection(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = connection.Close() // nothing to be done about a connection that won't close
}
