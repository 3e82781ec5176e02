package cfposture

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The causes a caller branches on, for [errors.Is].
var (
	ErrUnauthorized = errors.New("cfposture: unauthorized") // status 401
	ErrForbidden    = errors.New("cfposture: forbidden")    // status 403; the API's answer to a wrong token, too
	ErrNotFound     = errors.New("cfposture: not found")    // status 404
	ErrConflict     = errors.New("cfposture: conflict")     // status 409
	ErrRateLimited  = errors.New("cfposture: rate limited") // status 429
	ErrServer       = errors.New("cfposture: server error") // status 500 and above

	// ErrOutcomeUnknown: a POST failed in a way that leaves open whether it took effect. It was not sent again; list
	// and look before creating once more.
	ErrOutcomeUnknown = errors.New("cfposture: outcome unknown")
)

// An Error is an answer that is a failure: by its status, by its envelope's success: false, by being no envelope, or by
// holding no result where one is expected. [errors.Is] matches it with the sentinel of its status.
type Error struct {
	Method     string
	Path       string // below the base URL, escaped, without the query
	StatusCode int
	Errors     []Message     // the envelope's, in its order
	Messages   []Message     // the envelope's
	RayID      string        // the CF-Ray header, which Cloudflare's support asks for
	RetryAfter time.Duration // the Retry-After header, 0 without one
	Body       []byte        // the first 1 KiB of the answer at the most, secrets and control characters replaced

	cause error // why the answer could not be read, if that is the failure
}

// A Message is one of an envelope's errors or messages.
type Message struct {
	Code             int       `json:"code"`
	Message          string    `json:"message"`
	DocumentationURL string    `json:"documentation_url,omitempty"`
	Source           *Source   `json:"source,omitempty"`
	ErrorChain       []Message `json:"error_chain,omitempty"`
}

// A Source says which member of the request a [Message] is about.
type Source struct {
	Pointer string `json:"pointer"` // a JSON pointer such as /input/path
}

// Error returns one line: method, path, status, the API's errors with their codes, and the ray.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cfposture: %s %s: %d", e.Method, e.Path, e.StatusCode)
	if text := http.StatusText(e.StatusCode); text != "" {
		b.WriteString(" " + text)
	}
	for i, message := range e.Errors {
		separator := ": "
		if i > 0 {
			separator = "; "
		}
		b.WriteString(separator + message.String())
	}
	if e.cause != nil {
		b.WriteString(": " + strings.TrimPrefix(e.cause.Error(), "cfposture: "))
	}
	if e.RetryAfter > 0 {
		fmt.Fprintf(&b, " (retry after %v)", e.RetryAfter)
	}
	if e.RayID != "" {
		fmt.Fprintf(&b, " (ray %s)", e.RayID)
	}
	return printable(b.String())
}

// String returns the message with its code, where it points to, and what it follows from.
func (m Message) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (code %d)", m.Message, m.Code)
	if m.Source != nil && m.Source.Pointer != "" {
		b.WriteString(" at " + m.Source.Pointer)
	}
	for _, cause := range m.ErrorChain {
		b.WriteString(": " + cause.String())
	}
	return printable(b.String())
}

// Is reports whether target is the sentinel of the answer's status.
func (e *Error) Is(target error) bool {
	switch e.StatusCode {
	case http.StatusUnauthorized:
		return target == ErrUnauthorized
	case http.StatusForbidden:
		return target == ErrForbidden
	case http.StatusNotFound:
		return target == ErrNotFound
	case http.StatusConflict:
		return target == ErrConflict
	case http.StatusTooManyRequests:
		return target == ErrRateLimited
	default:
		return e.StatusCode >= http.StatusInternalServerError && target == ErrServer
	}
}

// Unwrap returns why the answer could not be read, or nil.
func (e *Error) Unwrap() error { return e.cause }

// HasCode reports whether one of the errors, or one in their chains, has the code.
func (e *Error) HasCode(code int) bool { return hasCode(e.Errors, code) }

func hasCode(messages []Message, code int) bool {
	for _, message := range messages {
		if message.Code == code || hasCode(message.ErrorChain, code) {
			return true
		}
	}
	return false
}

// A ValidationError names everything that is wrong with a rule or an integration. Nothing was sent.
type ValidationError struct {
	// Subject names the rule or the integration, such as: rule "Disk encrypted" (disk_encryption).
	Subject  string
	Problems []Problem
}

// A Problem is one thing that is wrong with one member.
type Problem struct {
	// Field is the path of the member, such as input.path or match[0], or "" for the whole.
	Field string
	// Reason reads on from Field, such as: is required.
	Reason string
}

// Error returns the subject and all problems in one line.
func (e *ValidationError) Error() string {
	texts := make([]string, len(e.Problems))
	for i, problem := range e.Problems {
		texts[i] = problem.String()
	}
	return printable(strings.TrimSuffix("cfposture: invalid "+e.Subject, " ") + ": " + strings.Join(texts, "; "))
}

// String returns the field and the reason.
func (p Problem) String() string { return strings.TrimSpace(p.Field + " " + p.Reason) }

// wrapped shows one text for several causes.
type wrapped struct {
	text   string
	causes []error
}

func (e *wrapped) Error() string   { return e.text }
func (e *wrapped) Unwrap() []error { return e.causes }

// timeoutError is the end of an attempt that took longer than WithTimeout allows.
type timeoutError struct{ limit time.Duration }

func (e *timeoutError) Error() string        { return fmt.Sprintf("no whole answer within %v", e.limit) }
func (e *timeoutError) Timeout() bool        { return true }
func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }

// oneLineError shows an error that errors.Join made in one line.
type oneLineError struct{ error }

func (e oneLineError) Error() string { return strings.ReplaceAll(e.error.Error(), "\n", "; ") }
func (e oneLineError) Unwrap() error { return e.error }

// printable replaces what would break a line, or show another one than there is.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, string(utf8.RuneError)))
}
