package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// A trace is the context that an attempt's request is made in, and records what transports report about it.
//
// It has three purposes: to prove that a request was not written, to end the attempt before net/http or a middleware
// sends its request a second time, and to know the credentials that were really sent. Transports call the hooks from
// goroutines of their own, even after the attempt has ended, so all fields that hooks set are atomic or guarded by mu.
type trace struct {
	context.Context
	hooks httptrace.ClientTrace
	// header is that of the request as it was made, credentials included.
	header http.Header
	// request is the request as far as it has come on its way to the network: middlewares may have changed it.
	request atomic.Pointer[http.Request]
	// cancel ends the attempt.
	cancel context.CancelCauseFunc
	// earlier is the trace of the attempt before, whose credentials are still secret.
	earlier *trace

	// sought and found report whether a connection was asked for, and whether there was one, for any request in the
	// attempt's context.
	sought, found atomic.Bool
	// method and path are the operation's, the path without that of the base URL. Requests with others are a middleware's
	// own, such as one for a token.
	method, path string
	// own and others count the requests that the last transport is sending: the operation's, and a middleware's.
	own, others atomic.Int32
	// asked and connected report whether a connection was asked for, and whether there was one, since the operation's
	// request was sent last.
	asked, connected atomic.Bool
	// dead counts the connections since then that came in a row without a response.
	dead atomic.Int32
	// written reports whether the request was written over HTTP/2 without a response since.
	written atomic.Bool

	mu sync.Mutex
	// isDone and mayBeDone report whether the request was carried out, and whether it may have been.
	isDone, mayBeDone bool
	// handshake is the error that ended a handshake.
	handshake error
	// fields are the headers that were written, those of middlewares and cookie jars among them.
	fields []headerField
}

type headerField struct {
	name   string
	values []string
}

// Bounds and reasons for ending an attempt from within.

// maxConnections is how many connections net/http may try one GET on by itself, because those that it had were dead: it
// can't be seen whether they took the request. Others it tries on several only as long as nothing was written.
const maxConnections = 4

// Reasons to end an attempt before net/http or a middleware sends its request again.
var (
	errResent   = errors.New("the connection failed after the request was written")
	errAllDead  = fmt.Errorf("%d connections in a row were dead", maxConnections)
	errSentOnce = errors.New("the request may have been carried out: a middleware must not send it again")
)

type traceKey struct{}

// Value returns the trace itself for its key.
func (t *trace) Value(key any) any {
	if key == (traceKey{}) {
		return t
	}
	return t.Context.Value(key)
}

// follow returns the request's context, the trace with its hooks.
func (t *trace) follow() context.Context {
	t.hooks = httptrace.ClientTrace{
		GetConn:              t.getConn,
		GotConn:              t.gotConn,
		TLSHandshakeDone:     t.handshakeDone,
		WroteHeaderField:     t.wroteHeaderField,
		GotFirstResponseByte: t.gotResponse,
		Got1xxResponse:       t.got1xx,
	}
	return httptrace.WithClientTrace(t, &t.hooks)
}

// getConn records that a transport reports what it does. Only with such a transport does a missing connection prove that
// nothing was written.
func (t *trace) getConn(string) {
	t.sought.Store(true)
	t.asked.Store(true)
}

// gotConn ends the attempt where net/http would send the request again by itself. Nothing is written on a connection that
// is got after the context has ended.
func (t *trace) gotConn(httptrace.GotConnInfo) {
	t.found.Store(true)
	if t.own.Load() == 0 {
		return
	}
	t.connected.Store(true)
	switch count := t.dead.Add(1); {
	case t.written.Load():
		t.cancel(errResent)
	case count > maxConnections && isSafe(t.request.Load().Method):
		t.cancel(errAllDead)
	}
}

// wroteHeaderField keeps a header that was written, and notes whether the request was written over HTTP/2, which alone has
// a field :path. Over HTTP/1 net/http sends a request again only if nothing of it was written, or if it is a GET on a
// connection that was used before. What has another path is not this request but, say, one for a token, which the caller's
// transport makes in the same context.
func (t *trace) wroteHeaderField(name string, values []string) {
	if name == ":path" && slices.Equal(values, []string{t.request.Load().URL.RequestURI()}) {
		t.written.Store(true)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.fields = append(t.fields, headerField{name, values})
}

// gotResponse allows the caller's transport to send the request again after a response, for example with other credentials
// after a 401: then the server has refused the first one.
func (t *trace) gotResponse() {
	t.dead.Store(0)
	if t.others.Load() == 0 { // else the response may be to one of them
		t.written.Store(false)
	}
}

// got1xx takes that back: an informational response is none yet.
func (t *trace) got1xx(int, textproto.MIMEHeader) error {
	t.written.Store(true)
	return nil
}

// isOwn reports whether a request is the operation's, and not one that a middleware makes itself.
func (t *trace) isOwn(request *http.Request) bool {
	return request.Method == t.method && strings.HasSuffix(request.URL.Path, t.path)
}

// begin notes that the last transport is about to send a request, and reports whether it may. The operation's request is not
// sent beside or after one that succeeded, if it must not be carried out twice. After one that may have been carried out,
// nothing of the kind is sent: a middleware may have another way to the API.
func (t *trace) begin(request *http.Request) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	isOwn := t.isOwn(request)
	if !isIdempotent(request.Method) && (t.mayBeDone || isOwn && (t.isDone || t.own.Load() > 0)) {
		return false
	}
	if isOwn || t.own.Load() == 0 { // else the hooks go on looking at the operation's
		t.request.Store(request)
	}
	if !isOwn {
		t.others.Add(1)
		return true
	}
	t.own.Add(1)
	t.asked.Store(false)
	t.connected.Store(false)
	t.dead.Store(0)
	t.written.Store(false)
	return true
}

// end notes what came of the request.
func (t *trace) end(request *http.Request, response *http.Response, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.isOwn(request) {
		t.others.Add(-1)
		return
	}
	t.own.Add(-1)
	end := lost
	switch {
	case err == nil:
		end = ofStatus(response.StatusCode)
	case t.asked.Load() && !t.connected.Load(): // a transport that does not report its connections may have had one
		end = unreachable
	}
	t.isDone = end == succeeded
	t.mayBeDone = t.mayBeDone || outcomes[end].ambiguous
}

// isOver reports whether it is too late to send the request again, whatever a middleware says of it.
func (t *trace) isOver() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mayBeDone || t.isDone || t.own.Load() > 0
}

// handshakeDone keeps the error that ended a handshake. It can be any error, such as io.EOF, which would otherwise
// look like the end of a connection after the request was written.
func (t *trace) handshakeDone(_ tls.ConnectionState, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.handshake = err
}

func (t *trace) handshakeError() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.handshake
}

// The fields of a trace are read only when something is to be shown: a request that succeeds pays no more for its secrets
// than for keeping the headers.

// appendSecrets appends the credentials that this attempt and those before it have sent.
func (t *trace) appendSecrets(secrets []string) []string {
	for ; t != nil; t = t.earlier {
		secrets = append(secrets, headerSecrets(t.header)...)
		secrets = append(secrets, headerSecrets(t.request.Load().Header)...)
		t.mu.Lock()
		for _, field := range t.fields {
			secrets = append(secrets, fieldSecrets(field.name, field.values)...)
		}
		t.mu.Unlock()
	}
	return secrets
}
