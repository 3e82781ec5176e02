package cfposture

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/cfposture/cfposture/internal/api"
	"github.com/cfposture/cfposture/internal/check"
	"github.com/cfposture/cfposture/internal/wire"
)

// Sentinel errors that the errors of calls wrap, for [errors.Is].
var (
	// ErrUnauthorized means a response with status 401.
	ErrUnauthorized = errors.New("cfposture: unauthorized")
	// ErrForbidden means a response with status 403, which the API also sends for a wrong token.
	ErrForbidden = errors.New("cfposture: forbidden")
	// ErrNotFound means a response with status 404 or code 6024.
	ErrNotFound = errors.New("cfposture: not found")
	// ErrConflict means a response with status 409.
	ErrConflict = errors.New("cfposture: conflict")
	// ErrRateLimited means a response with status 429.
	ErrRateLimited = errors.New("cfposture: rate limited")
	// ErrServer means a response with status 500 or above.
	ErrServer = errors.New("cfposture: server error")

	// ErrOutcomeUnknown means that a POST failed in a way that leaves open whether it was carried out. It was not sent
	// again. CreateOnce and FindCreated look for what it may have created.
	ErrOutcomeUnknown = api.ErrOutcomeUnknown

	// ErrIncomplete means that a list can't be shown to be complete: the API sent fewer items than it counts, or the list
	// changed while it was read, and again when it was reread.
	ErrIncomplete = errors.New("cfposture: list is incomplete")
)

// Codes of the API's errors, for [Error.HasCode]. Cloudflare documents none of them for this API.
const (
	CodeIntegrationCredentials = 2046  // status 400: the service refused an integration's credentials (recorded from the API)
	CodeInvalidHeaders         = 6003  // status 400: a credential is missing or malformed; the chain says which (reported by users)
	CodeRuleNotFound           = 6024  // no rule has the ID (recorded from the API)
	CodeInvalidAccessToken     = 9109  // status 403 (reported by users)
	CodeAuthentication         = 10000 // status 403: the credentials are wrong, or lack a permission (reported by users)
)

// An Error is a response that reports a failure: by its status, by an envelope that says success: false, by not being an
// envelope, or by holding no result where one is expected. [errors.Is] matches it with the sentinel error of its status.
type Error struct {
	Method string // HTTP method
	// Path is relative to the base URL, escaped, without the query.
	Path       string
	StatusCode int // HTTP status, which may be 200
	// Errors are the errors in the response envelope, at most the first 100, counting those in error chains.
	Errors []Message
	// Messages are the messages in the response envelope, with the same limit.
	Messages []Message
	// RayID is the CF-Ray header, which Cloudflare's support asks for.
	RayID string
	// RetryAfter is the Retry-After header, 0 if there is none.
	RetryAfter time.Duration
	// Body is the beginning of the response, at most 1 KiB, without secrets and control characters.
	Body []byte

	cause error // why the response can't be used
}

// A Message is one of the errors or messages in a response envelope.
type Message struct {
	Code             int       `json:"code"`
	Message          string    `json:"message"`
	DocumentationURL string    `json:"documentation_url,omitempty"`
	Source           *Source   `json:"source,omitempty"`
	ErrorChain       []Message `json:"error_chain,omitempty"`
}

// A Source says which member of the request a [Message] is about.
type Source struct {
	// Pointer is a JSON pointer such as /input/path.
	Pointer string `json:"pointer"`
}

// Error returns one line: method, path, status, the API's errors with their codes, and the ray.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cfposture: %s %s: %d", e.Method, e.Path, e.StatusCode)
	if text := http.StatusText(e.StatusCode); text != "" {
		b.WriteString(" " + text)
	}
	for i, message := range e.Errors {
		if i == maxShown {
			fmt.Fprintf(&b, "; and %d more errors", len(e.Errors)-i)
			break
		}
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
	return api.Printable(api.Cut(b.String(), maxText))
}

const (
	maxShown = 10       // errors of several in the text of an error
	maxText  = 16 << 10 // bytes of the text of an error
)

// String returns the message with its code, where it points to, and what it follows from.
func (m Message) String() string {
	var b strings.Builder
	m.write(&b)
	return api.Printable(b.String())
}

func (m Message) write(b *strings.Builder) {
	fmt.Fprintf(b, "%s (code %d)", m.Message, m.Code)
	if m.Source != nil && m.Source.Pointer != "" {
		b.WriteString(" at " + m.Source.Pointer)
	}
	for _, cause := range m.ErrorChain {
		b.WriteString(": ")
		cause.write(b)
	}
}

// Is reports whether target is the sentinel error of the response.
func (e *Error) Is(target error) bool {
	switch target {
	case ErrUnauthorized:
		return e.StatusCode == http.StatusUnauthorized
	case ErrForbidden:
		return e.StatusCode == http.StatusForbidden
	case ErrNotFound:
		return e.StatusCode == http.StatusNotFound || e.HasCode(api.CodeNotFound)
	case ErrConflict:
		return e.StatusCode == http.StatusConflict
	case ErrRateLimited:
		return e.StatusCode == http.StatusTooManyRequests
	case ErrServer:
		return e.StatusCode >= http.StatusInternalServerError
	default:
		return false
	}
}

// Unwrap returns why the response can't be used, or nil.
func (e *Error) Unwrap() error { return e.cause }

// HasCode reports whether any of the errors, or of those in their error chains, has the code.
func (e *Error) HasCode(code int) bool { return hasCode(e.Errors, code) }

func hasCode(messages []Message, code int) bool {
	for _, message := range messages {
		if message.Code == code || hasCode(message.ErrorChain, code) {
			return true
		}
	}
	return false
}

// newError makes an Error of what the engine knows of a failure.
func newError(f *api.Failure) error {
	return &Error{
		Method: f.Method, Path: f.Path, StatusCode: f.StatusCode, Errors: messages(f.Errors), Messages: messages(f.Messages),
		RayID: f.RayID, RetryAfter: f.RetryAfter, Body: f.Body, cause: f.Cause,
	}
}

// messages returns what the engine has read as the package's own type.
func messages(read []api.Message) []Message {
	if len(read) == 0 {
		return nil
	}
	result := make([]Message, len(read))
	for i, m := range read {
		result[i] = Message{m.Code, m.Message, m.DocumentationURL, nil, messages(m.ErrorChain)}
		if m.Pointer != "" {
			result[i].Source = &Source{m.Pointer}
		}
	}
	return result
}

// An ItemError is one unreadable item of a list; it doesn't affect the others. An item is unreadable if it is not an object,
// has a member of the wrong kind, is not valid UTF-8, or is nested too deep.
type ItemError struct {
	// Index is the zero-based index of the item in its page.
	Index int
	// ID is the item's ID, "" if it has none.
	ID string
	// Raw is the item as received. It is not in the error's text, because it can hold anything.
	Raw json.RawMessage
	// Err says what is wrong with the item.
	Err error
}

// Error returns what is wrong with the item, and where the list came from.
func (e *ItemError) Error() string { return e.Err.Error() }

// Format prints what Error returns, whatever the verb, so that Raw is not printed.
func (e ItemError) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, e.Err.Error()) }

// LogValue returns what Error does, so that Raw is not logged.
func (e ItemError) LogValue() slog.Value { return slog.StringValue(e.Err.Error()) }

// Unwrap returns Err.
func (e *ItemError) Unwrap() error { return e.Err }

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
	// Reason completes the sentence that Field begins, such as: is required.
	Reason string
}

// invalid returns a ValidationError about the subject if there are problems.
func invalid(subject func() string, p *check.Problems) error {
	if len(p.List) == 0 {
		return nil
	}
	e := &ValidationError{Subject: subject()}
	for _, problem := range p.List {
		e.Problems = append(e.Problems, Problem(problem))
	}
	return e
}

// parsed returns the value, or an error that has what is wrong with the document and what validate finds beyond that.
func parsed[T any](d *wire.Document, value T, subject string, validate func(p *check.Problems)) (T, error) {
	if err := invalid(func() string { return subject }, check.Document(d, validate)); err != nil {
		var none T
		return none, err
	}
	return value, nil
}

// Error returns the subject and the problems in one line of at most 16 KiB.
func (e *ValidationError) Error() string {
	text := strings.TrimSuffix("cfposture: invalid "+e.Subject, " ") + ": "
	for i, problem := range e.Problems {
		if len(text) > maxText {
			return api.Printable(api.Cut(text, maxText)) + fmt.Sprintf("; and %d more problems", len(e.Problems)-i)
		}
		if i > 0 {
			text += "; "
		}
		text += problem.String()
	}
	return api.Printable(api.Cut(text, maxText))
}

// String returns the field and the reason.
func (p Problem) String() string { return strings.TrimSpace(p.Field + " " + p.Reason) }
