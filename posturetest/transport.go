package posturetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// Transport returns a [http.RoundTripper] that hands every request to s in the process, whatever its host is. Nothing of
// it waits for the network, so it works in a testing/synctest bubble, where delays and the pauses between retries take
// no real time.
func (s *Server) Transport() http.RoundTripper { return transport{s} }

type transport struct{ server *Server }

var errClosed = errors.New("posturetest: the server is closed")

// RoundTrip returns when the whole response is there, or when the request's context ends.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if !t.server.begin() {
		return nil, errors.Join(errClosed, closeBody(r))
	}
	w := &memoryWriter{header: http.Header{}}
	served := make(chan struct{})
	go func() {
		defer t.server.open.Done()
		defer close(served)
		w.err = errors.Join(serveInMemory(t.server, w, r), closeBody(r))
	}()
	select {
	case <-served:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return w.response(r)
}

// begin counts a request for Close, unless the server is closed.
func (s *Server) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isClosed {
		return false
	}
	s.open.Add(1)
	return true
}

// serveInMemory returns [io.EOF] if the connection would have been cut.
func serveInMemory(s *Server, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		if recovered := recover(); recovered == http.ErrAbortHandler { //nolint:errorlint // the very value
			err = io.EOF
		} else if recovered != nil {
			panic(recovered)
		}
	}()
	s.serve(w, r)
	return nil
}

func closeBody(r *http.Request) error {
	if r.Body == nil {
		return nil
	}
	return r.Body.Close()
}

// memoryWriter keeps a response.
type memoryWriter struct {
	header http.Header
	status int // 0 is none yet
	body   bytes.Buffer
	err    error // how it ended
}

func (w *memoryWriter) Header() http.Header { return w.header }

func (w *memoryWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *memoryWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(p)
}

// response is what a client sees of what was written.
func (w *memoryWriter) response(r *http.Request) (*http.Response, error) {
	if w.status == 0 {
		return nil, w.err
	}
	var body io.Reader = &w.body
	if w.err != nil {
		body = io.MultiReader(body, brokenReader{io.ErrUnexpectedEOF})
	}
	length, err := strconv.ParseInt(w.header.Get("Content-Length"), 10, 64)
	if err != nil {
		length = -1
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(body), ContentLength: length, Request: r,
	}, nil
}

type brokenReader struct{ err error }

func (r brokenReader) Read([]byte) (int, error) { return 0, r.err }
