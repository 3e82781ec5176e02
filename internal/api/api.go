// Package api makes requests of the API: one function, [Do], sends a request, reads the response whole, retries, and
// returns what the response says or why there is none.
//
// The way of a request is in three files, in the order in which it takes it: http.go begins with the table of how an
// attempt can end and what follows from that, and has the loop of attempts; transport.go has what stands around net/http;
// response.go says what a response means. The other files each have one part that these use.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/cfposture/cfposture/internal/wire"
)

// A Config is what the requests of a client have in common.
type Config struct {
	HTTP    *HTTPClient
	BaseURL string // ends in a slash

	// Authorize adds credentials to the header of a request. It is called in every attempt, within its timeout.
	Authorize func(ctx context.Context, header http.Header) error
	UserAgent string
	// Headers change a request after all else is set. They are functions so that no print of a Config shows a value.
	Headers []func(*http.Request)

	Timeout      time.Duration // of an attempt; 0 is none
	MaxRetries   int
	MaxRetryWait time.Duration

	Limiter interface{ Wait(context.Context) error }   // nil is none; asked before every attempt
	Observe func(ctx context.Context, limit RateLimit) // nil is none; told of every response
	Pacer   *Pacer                                     // nil is none
	Logger  *slog.Logger                               // nil is none

	// NewError returns the error of a response that is a failure.
	NewError func(*Failure) error
}

// A Request is what is asked of the API.
type Request struct {
	Method string
	Path   string // below the base URL, escaped
	Query  string // encoded; empty is none
	Body   []byte // JSON; nil is none
	// Secrets are the secrets of the body, which no error and no log shows. Members whose names say that they are secret
	// need not be listed.
	Secrets []string
	// Decode reads the result, before whose value the scanner stands, and must pass it. It must keep no part of the
	// scanner's text. It is called in every attempt whose status is a success, before it is known whether the envelope
	// says so too: what it sets counts only once Do has returned without an error. Nil is a request whose result does not
	// matter.
	Decode func(result *wire.Scanner) error
}

// A Response is what the last response of a request says besides its result; fields are zero where no response came.
type Response struct {
	StatusCode int
	Header     http.Header
	RayID      string
	Attempts   int // how many times the request was sent, or tried to be
	RateLimit  RateLimit
	Messages   []Message
	ResultInfo []byte // JSON; nil where the envelope has none

	operation *operation
}

// A Failure is what a response says that is not the one asked for.
type Failure struct {
	Method, Path string
	StatusCode   int
	Errors       []Message
	Messages     []Message
	RayID        string
	RetryAfter   time.Duration
	Body         []byte // the beginning of it, without secrets
	Cause        error  // why the response can't be used, if it says nothing about that itself
}

// A Message is one of an envelope's errors or messages.
type Message struct {
	Code             int
	Message          string
	DocumentationURL string
	Pointer          string
	ErrorChain       []Message
}

// Clean returns err with what is secret taken out of it. It is for errors about parts of the result.
func (r *Response) Clean(err error) error { return r.operation.errorf("%w", err) }

// ErrOutcomeUnknown is wrapped by the error of a request that may have been carried out and was not sent again.
var ErrOutcomeUnknown = errors.New("cfposture: outcome unknown")

// prefix is what the operation's errors begin with.
func (o *operation) prefix() string {
	return "cfposture: " + o.Method + " " + o.redact().text(o.Path) + ": "
}

// errorf returns an error that begins with what was asked for and holds no secret.
func (o *operation) errorf(format string, args ...any) error {
	err := o.redact().error(fmt.Errorf(format, args...))
	return &wrapped{Printable(Cut(o.prefix()+err.Error(), maxText)), []error{err}}
}

// maxText is how many bytes the text of an error has at the most.
const maxText = 4 << 10

// Cut returns the beginning of a text that is too long.
func Cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

// A wrapped error shows one text for several errors.
type wrapped struct {
	text   string
	causes []error
}

func (e *wrapped) Error() string   { return e.text }
func (e *wrapped) Unwrap() []error { return e.causes }

// contextError is the error of a context that has ended, with its cause where that says more.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}
