// Package api makes requests of the API: one function, [Do], sends a request, reads the response whole, retries, and
// returns what the response says or why there is none.
//
// A request passes through three files. http.go begins with the table of how an attempt can end and what follows from
// that, and has the loop of attempts. transport.go has the layers around net/http, with the trace in trace.go that
// watches them. response.go decides what a response means, with the reader in envelope.go.
//
// The other files each have one part that these use: retry.go how long to wait between attempts, ratelimit.go what
// responses say about the rate limit, redact.go how secrets are removed, log.go the log records, url.go and check.go
// the parts of a request that come from a caller and could change where it goes.
//
// The package doesn't know rules and integrations. The root package encodes bodies, decodes results through a
// function, and makes its exported error of a [Failure], so that no type of this package shows in its documentation.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/cfposture/cfposture/internal/wire"
)

// A Config holds what all requests of a client share. It must not change while a request is under way, because concurrent
// requests read it without a lock.
type Config struct {
	// HTTP sends the requests.
	HTTP *HTTPClient
	// BaseURL is what paths are relative to. Its path ends in a slash.
	BaseURL *url.URL

	// Authorize adds credentials to the header of a request. It is called in every attempt, within its timeout, so that a
	// token can be renewed between two.
	Authorize func(ctx context.Context, header http.Header) error
	// UserAgent is sent as the header of that name.
	UserAgent string
	// Headers change a request after all else is set. They are functions so that no print of a Config shows a value.
	Headers []func(*http.Request)

	// Timeout limits an attempt, from the token source to the last byte of the response. 0 is no limit.
	Timeout time.Duration
	// MaxRetries is how often a request is sent again at the most.
	MaxRetries int
	// MaxRetryWait limits the wait before a retry. A response that asks for a longer one ends the operation.
	MaxRetryWait time.Duration

	// Limiter is asked before every attempt. Nil is none.
	Limiter interface{ Wait(context.Context) error }
	// Observe is called after every response with its rate limit. Nil is none.
	Observe func(ctx context.Context, limit RateLimit)
	// Pacer holds back requests that the API would refuse. Nil is none.
	Pacer *Pacer
	// Logger gets attempts and retries. Nil is none.
	Logger *slog.Logger

	// NewError returns the error for a response that reports a failure.
	NewError func(*Failure) error
}

// A Request describes one request of the API. Do sends it as often as it needs to.
type Request struct {
	// Service and Verb name the operation. They are for the root package, which puts the request into the context.
	Service, Verb string
	// Method is an HTTP method. GET, HEAD, OPTIONS, PUT, PATCH and DELETE are idempotent; all others are not.
	Method string
	// Path is relative to the base URL. Its elements are escaped.
	Path string
	// Query is encoded. Empty is none.
	Query string
	// Body is JSON. Nil is none.
	Body []byte
	// Secrets are the secrets of the body, which no error and no log shows. Members whose names say that they are secret
	// need not be listed.
	Secrets []string
	// Decode reads the result, before whose value the decoder stands, and must pass it. It must keep no part of the
	// decoder's text. It is called in every attempt whose status is a success, before it is known whether the envelope
	// says so too: what it sets counts only once Do has returned without an error. Nil ignores the result.
	Decode func(result *wire.Decoder) error
}

// Operation returns the name of the operation, such as posture.create.
func (r *Request) Operation() string {
	if r.Verb == "" {
		return r.Service
	}
	return r.Service + "." + r.Verb
}

// A Response is what the last response of an operation says besides its result. Fields are zero if no response came.
type Response struct {
	StatusCode int
	Header     http.Header
	// Attempts counts the attempts, including those that didn't reach the API.
	Attempts int
	Messages []Message
	// ResultInfo is JSON. It is nil if the envelope has none.
	ResultInfo []byte

	operation *operation // for Clean
}

// RayID returns the CF-Ray header, by which Cloudflare's support finds the request, whether or not it succeeded.
func (r *Response) RayID() string { return r.Header.Get("Cf-Ray") }

// RateLimit returns what the response says of the rate limit.
func (r *Response) RateLimit() RateLimit { return parseRateLimit(r.Header) }

// A Failure is a response that reports a failure, or that can't be used. The root package makes its Error of it.
type Failure struct {
	Method, Path string
	StatusCode   int
	Errors       []Message
	Messages     []Message
	RayID        string
	RetryAfter   time.Duration
	// Body is the beginning of the response, without secrets.
	Body []byte
	// Cause says why the response can't be used. It is nil if the response itself says what failed.
	Cause error
}

// A Message is one of an envelope's errors or messages. Pointer is its source's.
type Message struct {
	Code             int
	Message          string
	DocumentationURL string
	Pointer          string
	ErrorChain       []Message
}

// Clean returns err without secrets, with the method and path before it. It is for errors about parts of the result
// that the caller finds after Do has returned, such as an unreadable item of a list. Even those can quote a secret: a
// server may repeat the request in its response.
func (r *Response) Clean(err error) error { return r.operation.errorf("%w", err) }

// ErrOutcomeUnknown is wrapped by the error of a request that may have been carried out and was not sent again.
var ErrOutcomeUnknown = errors.New("cfposture: outcome unknown")

// prefix returns the method and path that the operation's errors begin with. The path is redacted too, because callers of
// Client.Do choose it.
func (o *operation) prefix() string {
	return "cfposture: " + o.Method + " " + o.redact().text(o.Path) + ": "
}

// errorf returns an error that begins with the method and path and holds no secret. Every error of an attempt that is not
// made of a Failure comes from here, so that none leaves the engine unredacted.
func (o *operation) errorf(format string, args ...any) error {
	err := o.redact().error(fmt.Errorf(format, args...))
	return &wrapped{Printable(Cut(o.prefix()+err.Error(), maxText)), []error{err}}
}

// maxText limits the text of an error, in bytes: transports put into theirs whatever a server sends.
const maxText = 4 << 10

// Cut returns the beginning of a text that is longer than most bytes. A character that the cut splits is dropped.
func Cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// A wrapped error shows one text for several errors. fmt.Errorf with several %w would repeat the prefix of each.
type wrapped struct {
	text   string
	causes []error
}

func (e *wrapped) Error() string   { return e.text }
func (e *wrapped) Unwrap() []error { return e.causes }

// ContextError returns the error of a context that has ended, with its cause if that says more. Callers test for
// context.Canceled and context.DeadlineExceeded, so a cause must not replace them.
func ContextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// OneLine returns an error that errors.Join made as one that shows them in one line.
func OneLine(err error) error { return oneLineError{err} }

type oneLineError struct{ error }

func (e oneLineError) Error() string { return strings.ReplaceAll(e.error.Error(), "\n", "; ") }
func (e oneLineError) Unwrap() error { return e.error }
