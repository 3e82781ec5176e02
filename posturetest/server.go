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

const maxBody = 1 << 20

// Server imitates the posture API for one account, [AccountID]. Its methods may be called at any time, from any
// goroutine.
type Server struct {
	// URL is the base URL of the API, such as http://127.0.0.1:40123/client/v4, without a slash at its end.
	URL string

	http    *http.Server
	serving sync.WaitGroup // the goroutine that accepts connections
	open    sync.WaitGroup // the connections and the requests on them
	close   sync.Once
	closed  chan struct{}

	mu       sync.Mutex
	held     *account
	requests []Request
	keep     int // how many requests are kept; 0: all
	faults   []fault
	pageSize int
}

// NewServer starts a server on a loopback port. The caller calls Close when done. It panics if there is no port to
// be had.
func NewServer() *Server {
	listener, err := listenOnLoopback()
	if err != nil {
		panic(fmt.Sprintf("posturetest: no loopback port: %v", err))
	}
	s := &Server{
		URL:    "http://" + listener.Addr().String() + basePath,
		closed: make(chan struct{}),
		held:   newAccount(),
	}
	s.http = &http.Server{
		Handler:           http.HandlerFunc(s.serveOnPort),
		ConnState:         s.countConnections,
		ReadHeaderTimeout: time.Minute,
		ErrorLog:          log.New(io.Discard, "", 0), // a cut connection is no news to whoever asked for it
	}
	s.serving.Go(func() { _ = s.http.Serve(listener) }) // always an error: that the server was closed
	return s
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
// more. Closing twice is no error. What the server held and saw can still be read.
func (s *Server) Close() {
	s.close.Do(func() {
		close(s.closed)
		_ = s.http.Close() // fails only where the listener is closed already
	})
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

// Handler returns the same API without the port, below the path /client/v4, for a server or a transport of the
// caller's own. It shares everything with s. To cut a connection it needs an [http.Hijacker]; without one it panics
// with [http.ErrAbortHandler], which makes net/http's servers cut it.
func (s *Server) Handler() http.Handler { return http.HandlerFunc(s.serve) }

// Reset makes s as it was when new: no rules, no integrations, no requests seen, no faults to come, no
// page size, no limit to the requests that are kept.
func (s *Server) Reset() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held = newAccount()
	s.requests = nil
	s.keep = 0
	s.faults = nil
	s.pageSize = 0
}

// SetPageSize makes lists come in pages of n even when the query asks for none, as with an account that has more
// rules than one page takes. 0, which is the default, turns that off.
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

// serve is the way of every request: it is recorded, perhaps spoilt, and answered.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, readErr := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	f := s.receive(r, body)
	if f.cut == CutBefore {
		cutConnection(w)
		return
	}

	var a answer
	if !f.unmade {
		a = s.answer(r, body, readErr)
	}
	if f.instead != nil {
		a = *f.instead
	}

	if !s.wait(r.Context(), f.delay) || f.cut == CutAfter {
		cutConnection(w)
		return
	}
	if f.cut == CutMiddle {
		a.writeHalf(w)
		cutConnection(w)
		return
	}
	a.write(w)
}

// answer carries the request out.
func (s *Server) answer(r *http.Request, body []byte, readErr error) answer {
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

	s.mu.Lock()
	defer s.mu.Unlock()
	to, refusal := s.held.find(r.URL.EscapedPath())
	if refusal != nil {
		return *refusal
	}
	return to.answer(r, body, s.pageSize)
}
