package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"syscall"
)

// opHeader tells the saboteur which operation a request belongs to, so that its fault depends on nothing else.
const opHeader = "X-Soak-Op"

// A saboteur stands before an API and spoils some of the requests.
type saboteur struct {
	api  http.Handler
	seed uint64

	mu       sync.Mutex
	requests int
	injected map[string]int
	ops      map[string]*opLog
	dials    *rand.Rand
}

// An opLog is what really became of an operation.
type opLog struct {
	requests int
	created  int   // how often it created something
	last     fault // of its last request
}

func newSaboteur(api http.Handler, seed uint64) *saboteur {
	return &saboteur{
		api: api, seed: seed, injected: map[string]int{}, ops: map[string]*opLog{},
		dials: rand.New(rand.NewPCG(seed, 1)), //nolint:gosec // faults need no secrecy
	}
}

// A fault is one way to spoil a request.
type fault struct {
	name   string
	weight int  // among all faults
	acts   bool // the request is carried out all the same
	known  bool // the answer tells that it was not, or that all is well
	spoil  func(w http.ResponseWriter, r *http.Request, answer *httptest.ResponseRecorder)
}

const (
	allWeights = 1000 // of the faults and of going well
	dialWeight = 50   // of a refused connection
)

var well = fault{name: "none", acts: true, known: true, spoil: pass}

func faults() []fault {
	list := []fault{
		{"429", 20, false, true, status(http.StatusTooManyRequests, "")},
		{"429 with a short Retry-After", 10, false, true, status(http.StatusTooManyRequests, "0")},
		{"429 with a long Retry-After", 3, false, true, status(http.StatusTooManyRequests, "3600")},
		{"200 with success false", 5, false, true, status(http.StatusOK, "")},
		{"400", 3, false, true, status(http.StatusBadRequest, "")},
		{"403", 3, false, true, status(http.StatusForbidden, "")},
		{"redirect", 3, false, true, redirect},
		{"200 with HTML, not carried out", 3, false, false, page(http.StatusOK)},
		{"200 with HTML, carried out", 3, true, false, page(http.StatusOK)},
		{"cut, not carried out", 20, false, false, cut},
		{"cut, carried out", 20, true, false, cut},
		{"cut in the body", 25, true, false, cutInBody},
		{"silence", 1, true, false, silence},
		{"silence in the body", 1, true, false, silenceInBody},
	}
	for _, code := range []int{408, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527} {
		answer := page(code)
		if code == http.StatusRequestTimeout || code == http.StatusInternalServerError {
			answer = status(code, "")
		}
		list = append(list,
			fault{fmt.Sprintf("%d, not carried out", code), 6, false, false, answer},
			fault{fmt.Sprintf("%d, carried out", code), 6, true, false, answer})
	}
	return list
}

// choose returns the fault for a request, which follows from the seed, the operation and the number of the attempt.
func (s *saboteur) choose(op string, attempt int) fault {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(op))
	rng := rand.New(rand.NewPCG(s.seed^hash.Sum64(), uint64(attempt))) //nolint:gosec // faults need no secrecy
	pick := rng.IntN(allWeights)
	for _, f := range faults() {
		if pick -= f.weight; pick < 0 {
			return f
		}
	}
	return well
}

func (s *saboteur) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	op := r.Header.Get(opHeader)
	f, log := s.begin(op)
	answer := httptest.NewRecorder()
	if f.acts {
		s.api.ServeHTTP(answer, r)
		if r.Method == http.MethodPost && answer.Code == http.StatusOK {
			s.mu.Lock()
			log.created++
			s.mu.Unlock()
		}
	}
	f.spoil(w, r, answer)
}

func (s *saboteur) begin(op string) (fault, *opLog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	log := s.ops[op]
	if log == nil {
		log = new(opLog)
		s.ops[op] = log
	}
	log.requests++
	log.last = s.choose(op, log.requests)
	s.requests++
	if log.last.name != well.name {
		s.injected[log.last.name]++
	}
	return log.last, log
}

// of returns what became of an operation. Nothing may be under way any more.
func (s *saboteur) of(op string) opLog {
	if log := s.ops[op]; log != nil {
		return *log
	}
	return opLog{}
}

// dial refuses some of the client's connections.
func (s *saboteur) dial(ctx context.Context, network, address string) (net.Conn, error) {
	s.mu.Lock()
	refused := s.dials.IntN(allWeights) < dialWeight
	if refused {
		s.injected["connection refused"]++
	}
	s.mu.Unlock()
	if refused {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	return new(net.Dialer).DialContext(ctx, network, address)
}

func pass(w http.ResponseWriter, _ *http.Request, answer *httptest.ResponseRecorder) {
	send(w, answer.Code, answer.Header(), answer.Body.Bytes())
}

func send(w http.ResponseWriter, code int, header http.Header, body []byte) {
	for name, values := range header {
		w.Header()[name] = values
	}
	w.WriteHeader(code)
	_, _ = w.Write(body) // a client that went away is what this is all about
}

func status(code int, retryAfter string) func(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder) {
	return func(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
		header := http.Header{"Content-Type": {"application/json"}}
		if retryAfter != "" {
			header.Set("Retry-After", retryAfter)
		}
		send(w, code, header, []byte(`{"errors":[{"code":1000,"message":"spoilt"}],"messages":[],"result":null,"success":false}`))
	}
}

func page(code int) func(http.ResponseWriter, *http.Request, *httptest.ResponseRecorder) {
	return func(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
		send(w, code, http.Header{"Content-Type": {"text/html"}}, []byte("<html><body>spoilt</body></html>"))
	}
}

func redirect(w http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) {
	http.Redirect(w, r, "/elsewhere", http.StatusFound)
}

func cut(w http.ResponseWriter, _ *http.Request, _ *httptest.ResponseRecorder) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if errors.Is(err, http.ErrNotSupported) {
		panic(http.ErrAbortHandler)
	}
	if err == nil {
		_ = connection.Close()
	}
}

func cutInBody(w http.ResponseWriter, r *http.Request, answer *httptest.ResponseRecorder) {
	half(w, answer)
	cut(w, r, answer)
}

func silence(_ http.ResponseWriter, r *http.Request, _ *httptest.ResponseRecorder) {
	<-r.Context().Done()
}

func silenceInBody(w http.ResponseWriter, r *http.Request, answer *httptest.ResponseRecorder) {
	half(w, answer)
	silence(w, r, answer)
}

// half promises the whole answer and sends half of it.
func half(w http.ResponseWriter, answer *httptest.ResponseRecorder) {
	answer.Header().Set("Content-Length", strconv.Itoa(answer.Body.Len()))
	send(w, answer.Code, answer.Header(), answer.Body.Bytes()[:answer.Body.Len()/2])
	_ = http.NewResponseController(w).Flush()
}
