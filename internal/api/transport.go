package api

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// What stands around net/http, from the engine to the network:
//
//	HTTPClient          a copy of the caller's http.Client: its cookie jar and its timeout
//	redirectTransport   hides from http.Client what it would only use to follow a redirect
//	middlewares         the caller's, the last one given first
//	baseTransport       sees each request as it goes out, and keeps it from going out twice
//	the caller's        http.DefaultTransport, if there is none
//
// A trace, which the attempt puts into the context of its request, records what all of them do. baseTransport is below the
// middlewares because a middleware may send a request several times, or none at all.

// An HTTPClient sends requests through a copy of the caller's http.Client, which follows no redirect, so that
// credentials reach no other host.
type HTTPClient struct {
	client *http.Client
	// transport is the middlewares' and the caller's, one around the other.
	transport http.RoundTripper
	// direct says that requests go straight to an http.Transport, without a middleware. It reports all that it does, so
	// that what it doesn't report has not happened.
	direct bool
	// plain is the http.Transport that they go to in the end, nil if it is another. What it sends a proxy may show in an
	// error.
	plain *http.Transport
}

// NewHTTPClient returns a client that sends through a copy of client, nil for one with http.DefaultTransport.
func NewHTTPClient(client *http.Client) *HTTPClient {
	if client == nil {
		client = new(http.Client)
	}
	transport := client.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	h := &HTTPClient{client: client}
	if plain, is := transport.(*http.Transport); is {
		h.direct, h.plain = true, plain
	}
	h.use(baseTransport{client.Transport})
	return h
}

// Wrap returns a client whose transport is wrapped by the middleware. It doesn't change h: options of a call build on the
// client's middlewares, which must not be set up again because they may hold state.
func (h *HTTPClient) Wrap(middleware func(http.RoundTripper) http.RoundTripper) (*HTTPClient, error) {
	transport := middleware(h.transport)
	if transport == nil {
		return nil, errors.New("the middleware returned a nil transport")
	}
	wrapped := &HTTPClient{client: h.client, plain: h.plain}
	wrapped.use(transport)
	return wrapped, nil
}

// use replaces the client by a copy of it with the transport. The caller's own client is never changed.
func (h *HTTPClient) use(transport http.RoundTripper) {
	client := *h.client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	client.Transport = redirectTransport{transport}
	h.client, h.transport = &client, transport
}

// do sends the request of a trace. An error has no method and no URL before it, because the operation's own prefix says
// both, and the URL's query need not show.
func (h *HTTPClient) do(seen *trace) (*http.Response, error) {
	request := seen.request.Load()
	// A jar adds cookies to the header, so with one http.Client gets it. Otherwise redirectTransport puts it back.
	if h.client.Jar == nil {
		request.Header = http.Header{}
	}
	response, err := h.client.Do(request)
	if err != nil {
		return nil, withoutURL(err)
	}
	moveHeader(response.Header, hiddenLocation, "Location")
	return response, nil
}

// proxySecrets returns the credentials of the proxy that a request goes through: net/http sends them by itself.
func (h *HTTPClient) proxySecrets(request *http.Request) []string {
	if h.plain == nil || h.plain.Proxy == nil {
		return nil
	}
	secrets := headerSecrets(h.plain.ProxyConnectHeader)
	proxy, err := h.plain.Proxy(request)
	if err != nil || proxy == nil || proxy.User == nil {
		return secrets
	}
	password, _ := proxy.User.Password()
	return append(secrets, fieldSecrets("Proxy-Authorization", []string{
		"Basic " + base64.StdEncoding.EncodeToString([]byte(proxy.User.Username()+":"+password)),
	})...)
}

// provesUnwritten reports whether the trace and the error of a request prove that it was not written: there was no
// connection, and the error is itself a lookup's, a dial's or a handshake's. A middleware may have tried another way that
// is not traced and failed as well, so what it joins to an error proves nothing. Without a middleware two more are clear:
// what ended a handshake, whatever it is, and an attempt that has ended while net/http was still connecting.
func (h *HTTPClient) provesUnwritten(seen *trace, err error, ended bool) bool {
	if !seen.sought.Load() || seen.found.Load() {
		return false
	}
	if h.direct && ended {
		return true
	}
	handshake := seen.handshakeError()
	// errors.Unwrap follows single errors only: what a middleware joins stays unseen, and proves nothing.
	for ; err != nil; err = errors.Unwrap(err) {
		if isConnecting(err) || h.direct && handshake != nil && handshake.Error() == err.Error() {
			return true
		}
	}
	return false
}

// isConnecting reports whether err, and not one that it wraps, is the error of making a connection: of a dial, of a
// lookup, or of a handshake. An *net.OpError of reading or writing is not.
func isConnecting(err error) bool {
	switch err := err.(type) { //nolint:errorlint // see above
	case *net.OpError:
		return err.Op == "dial" || err.Op == "proxyconnect"
	case *net.DNSError, *tls.CertificateVerificationError, tls.RecordHeaderError:
		return true
	default:
		return err == http.ErrSchemeMismatch //nolint:errorlint // see above
	}
}

// A baseTransport is the last transport before the network. It keeps a middleware from sending a request again that may
// have been carried out and must not be carried out twice, and net/http from doing so where it takes an Idempotency-Key
// for permission; a trace does the same over HTTP/2. Each time that a request is sent is an attempt, then, and asks the
// limiter.
type baseTransport struct{ next http.RoundTripper }

func (t baseTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	next := t.next
	if next == nil {
		next = http.DefaultTransport
	}
	seen, _ := request.Context().Value(traceKey{}).(*trace)
	if seen == nil { // a middleware has made a context of its own
		seen = new(trace)
	}
	if !seen.begin(request) {
		return nil, errSentOnce
	}
	response, err := next.RoundTrip(withoutIdempotencyKeys(request))
	if err == nil && response == nil {
		err = fmt.Errorf("transport %T returned neither a response nor an error", next)
	}
	seen.end(request, response, err)
	if pool, is := next.(interface{ CloseIdleConnections() }); is && seen.dead.Load() > maxConnections {
		pool.CloseIdleConnections() // the next attempt should not meet more of them
	}
	return response, err
}

// isSafe reports whether net/http takes requests of the method for ones that change nothing.
func isSafe(method string) bool {
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions || method == http.MethodTrace
}

// withoutIdempotencyKeys returns a request with other spellings of the headers by which net/http recognizes one that it
// may send twice. The API promises nothing of the kind for them.
func withoutIdempotencyKeys(request *http.Request) *http.Request {
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if _, has := request.Header[name]; has {
			request = request.Clone(request.Context())
			moveHeader(request.Header, name, strings.ToLower(name))
		}
	}
	return request
}

// hiddenLocation is where a response's Location is kept while http.Client has it: under a spelling that Header.Get
// does not find. It is put back before anybody else sees the response.
const hiddenLocation = "location"

// A redirectTransport hides from http.Client what it would prepare a redirect with, because none is followed. http.Client
// would clone the header of every request, so HTTPClient.do gives it an empty one and RoundTrip puts the real one back. It
// would also parse the response's Location.
type redirectTransport struct{ next http.RoundTripper }

func (t redirectTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if seen, is := request.Context().Value(traceKey{}).(*trace); is {
		request.Header = seen.header
		seen.request.Store(request) // http.Client may have made a copy
	}
	response, err := t.next.RoundTrip(request)
	if err == nil && response == nil {
		return nil, fmt.Errorf("middleware %T returned neither a response nor an error", t.next)
	}
	if err == nil && response.StatusCode/100 == 3 {
		response.Header = response.Header.Clone()
		moveHeader(response.Header, "Location", hiddenLocation)
	}
	return response, err
}

// moveHeader gives the values of a header to another name. The name is used as written: Header.Set would spell it as the
// canonical one, which is what has to be avoided here.
func moveHeader(header http.Header, from, to string) {
	if values, has := header[from]; has {
		delete(header, from)
		header[to] = values
	}
}

// withoutURL removes the method and URL that net/http puts before an error. It removes only the outermost, because one
// further inside belongs to another request, such as a middleware's for a token.
func withoutURL(err error) error {
	if outer, is := err.(*url.Error); is { //nolint:errorlint // see above
		return outer.Err
	}
	return err
}
