package cfposture

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-querystring/query"

	"github.com/cfposture/cfposture/internal/envelope"
	"github.com/cfposture/cfposture/internal/retry"
)

// A call is one operation of the API: one request, attempted until it succeeds or fails for good.
type call struct {
	*settings

	method  string
	url     string // without the query
	path    string // the part of the URL below the base URL
	query   string
	body    []byte
	secrets []string     // of the body: kept out of errors
	result  resultReader // nil: the result doesn't matter

	attempts int
	header   http.Header   // of the last attempt
	earlier  []http.Header // of those before, whose credentials are kept out of errors, too
	answer   answer
	info     ResultInfo
}

// prepare makes it a call to where the elements lead from the base URL.
func (c *call) prepare(s *settings, method string, elements ...pathElement) error {
	target, err := elementURL(s.baseURL, elements)
	if err != nil {
		return err
	}
	c.settings, c.method, c.url, c.path = s, method, target, target[len(s.baseURL):]
	return nil
}

// A resultReader takes the result of an answer.
type resultReader interface {
	// read reads the result as it arrives, before it is known whether the answer is a success. It is called anew in
	// every attempt.
	read(dec *jsontext.Decoder) error
	// finish is called once the answer is known to be a success.
	finish() error
}

// A resultText keeps the JSON of a result until the answer is known to be a success.
type resultText struct{ text string }

func (r *resultText) read(dec *jsontext.Decoder) error {
	value, err := dec.ReadValue()
	r.text = string(value)
	if err == nil && !envelope.Valid(value) {
		r.text, err = "", errNotUnicode
	}
	return err
}

// rayHeader is CF-Ray, spelt the way that http.Header keeps it.
const rayHeader = "Cf-Ray"

// A failure is why an attempt failed, and what that means for the next.
type failure struct {
	err     error
	again   bool // another attempt may succeed, and may be made
	unknown bool // a request that must not be made twice may have been acted on
}

var errNotTheAPI = errors.New("the answer is not the API's: a proxy may have given it")

var errNotUnicode = errors.New("the result holds text that is not valid UTF-8")

// errStop ends a call whose caller has seen enough.
var errStop = errors.New("stop")

// setQuery takes a struct with url tags, or nil.
func (c *call) setQuery(q any) error {
	if q == nil {
		return nil
	}
	values, err := query.Values(q)
	if err != nil {
		return c.errorf("%w", err)
	}
	c.query = values.Encode()
	return nil
}

// send attempts the request until it succeeds, fails for good, or has used up its retries.
func (c *call) send(ctx context.Context) error {
	c.report(Response{})
	waits := retry.NewWaits(c.maxRetryWait)
	for {
		c.attempts++
		failed := c.attempt(ctx)
		if failed == nil || c.foundNothing(failed) {
			return nil
		}
		if !failed.again || c.attempts > c.maxRetries {
			return c.final(failed)
		}
		wait, allowed := waits.Next(ctx, retryAfter(failed.err))
		if !allowed {
			return c.final(failed)
		}
		c.logRetry(ctx, wait, failed.err)
		if retry.Sleep(ctx, wait) != nil {
			return c.interrupted(ctx, failed)
		}
	}
}

// attempt makes the request once: it takes its turn, sends, and reads the answer. Nil is success.
func (c *call) attempt(ctx context.Context) *failure {
	if c.response != nil {
		c.response.Attempts = c.attempts
	}
	if ctx.Err() != nil {
		return &failure{err: c.errorf("%w", contextError(ctx))}
	}
	if err := c.takeTurn(ctx); err != nil {
		return &failure{err: err}
	}
	attemptCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	parts := new(requestParts)
	if !retry.Idempotent(c.method) {
		attemptCtx = parts.trace.follow(attemptCtx)
	}
	request, err := c.newRequest(attemptCtx, parts)
	if err != nil {
		return &failure{err: c.errorf("%w", err)}
	}

	start := time.Now()
	c.answer = answer{timeLimit: newTimeLimit(c.timeout, cancel), bytesLeft: maxAnswer}
	c.answer.resume()
	response, err := roundTrip(c.sender, request)
	c.answer.pause()
	if err != nil {
		failed := c.connectionFailed(ctx, err, parts.trace.written())
		c.logAttempt(ctx, nil, time.Since(start), failed)
		return failed
	}
	defer response.Body.Close() //nolint:errcheck // there is nothing left to lose
	c.answer.body = response.Body
	failed := c.readAnswer(ctx, response)
	c.logAttempt(ctx, response, time.Since(start), failed)
	return failed
}

// takeTurn waits until the request may be sent.
func (c *call) takeTurn(ctx context.Context) error {
	if c.pacer != nil {
		if err := c.pacer.wait(ctx, c.maxRetryWait); err != nil {
			return c.errorf("%w, waiting for the next rate limit window", contextError(ctx))
		}
	}
	if c.limiter != nil {
		if err := c.limiter.Wait(ctx); err != nil {
			return c.errorf("rate limit: %w", err)
		}
	}
	return nil
}

// requestParts are what a request is made of that is this package's own, in one allocation.
type requestParts struct {
	headers ownHeaders
	body    bytes.Reader
	trace   writeTrace
}

func (c *call) newRequest(ctx context.Context, parts *requestParts) (*http.Request, error) {
	target := c.url
	if c.query != "" {
		target += "?" + c.query
	}
	var body io.Reader
	if c.body != nil {
		parts.body.Reset(c.body)
		body = &parts.body
	}
	request, err := http.NewRequestWithContext(ctx, c.method, target, body)
	if err != nil {
		return nil, withoutURL(err)
	}
	own := &parts.headers
	own.header = request.Header
	own.set("Accept", "application/json")
	own.set("User-Agent", c.userAgent)
	if c.body != nil {
		own.set("Content-Type", "application/json")
	}
	if err := c.authorize(ctx, own); err != nil {
		return nil, err
	}
	for _, set := range c.headers {
		set(request.Header)
	}
	if c.header != nil {
		c.earlier = append(c.earlier, c.header)
	}
	c.header = request.Header
	keepToOneSending(request.Header)
	return request, nil
}

// ownHeaders sets the headers that this package sends by itself.
type ownHeaders struct {
	header http.Header
	values [5]string // two of them credentials
	count  int
}

func (h *ownHeaders) set(name, value string) {
	h.values[h.count] = value
	h.header[name] = h.values[h.count : h.count+1 : h.count+1]
	h.count++
}

// keepToOneSending respells what net/http takes for leave to send any request twice. The API promises nothing of the
// kind for these headers.
func keepToOneSending(header http.Header) {
	for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
		if values, has := header[name]; has {
			delete(header, name)
			header[strings.ToLower(name)] = values
		}
	}
}

// A writeTrace notes whether a request was written. Only a transport that reports that it looks for a connection, and
// then that it found none, proves that nothing was.
type writeTrace struct {
	hooks         httptrace.ClientTrace
	sought, found atomic.Bool
}

// follow returns a context whose request is traced.
func (t *writeTrace) follow(ctx context.Context) context.Context {
	t.hooks.GetConn = func(string) { t.sought.Store(true) }
	t.hooks.GotConn = func(httptrace.GotConnInfo) { t.found.Store(true) }
	return httptrace.WithClientTrace(ctx, &t.hooks)
}

// written reports whether the request may have been written; one that was not followed may.
func (t *writeTrace) written() bool { return !t.sought.Load() || t.found.Load() }

// roundTrip sends the request by the client's transport alone, where there are no cookies and no time limit that the
// client has to look after: the copies that it makes of every request serve redirects, and those are refused.
func roundTrip(client *http.Client, request *http.Request) (*http.Response, error) {
	if client.Jar != nil || client.Timeout != 0 {
		response, err := client.Do(request)
		return response, withoutURL(err)
	}
	transport := client.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	response, err := transport.RoundTrip(request)
	switch {
	case err != nil:
		// As an http.Client does; one that is wrapped is about a proxy.
		notTLS, is := err.(tls.RecordHeaderError) //nolint:errorlint // see above
		if is && string(notTLS.RecordHeader[:]) == "HTTP/" {
			return nil, http.ErrSchemeMismatch
		}
		return nil, err
	case response == nil:
		return nil, fmt.Errorf("the transport %T gave a nil response and no error", transport)
	case response.Body == nil:
		response.Body = http.NoBody
	}
	return response, nil
}

// connectionFailed judges an attempt that brought no answer, or not the whole of one.
func (c *call) connectionFailed(ctx context.Context, err error, written bool) *failure {
	failed := &failure{unknown: written && !retry.Idempotent(c.method)}
	switch {
	case ctx.Err() != nil:
		failed.err = c.errorf("%w", contextError(ctx))
		return failed
	case c.answer.expired:
		err = &timeoutError{c.timeout}
	case errors.Is(err, io.EOF):
		err = fmt.Errorf("the connection was closed without an answer: %w", err)
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("the connection was closed in the middle of the answer: %w", err)
	}
	failed.err = c.errorf("%w", err)
	failed.again = retry.Transport(err) && !failed.unknown
	return failed
}

// readAnswer reads an answer to its end and judges it.
func (c *call) readAnswer(ctx context.Context, response *http.Response) *failure {
	c.reportAnswer(response)
	success := response.StatusCode >= 200 && response.StatusCode < 300
	if response.StatusCode == http.StatusNoContent && c.result == nil {
		return nil
	}

	result := (*jsontext.Decoder).SkipValue
	if c.result != nil && success {
		result = c.result.read
	}
	read, err := envelope.Read(&c.answer, result)
	var env *envelope.Envelope // nil where there is none to be read
	if err == nil {
		env = &read
	}
	switch {
	case errors.Is(err, errStop):
		return &failure{err: errStop}
	case success && c.answer.err != nil:
		return c.connectionFailed(ctx, c.answer.err, true)
	case success && err != nil && (c.answer.expired || ctx.Err() != nil):
		// A server may end its answer properly when it sees that the request is given up.
		return c.connectionFailed(ctx, err, true)
	case !success:
		return c.refused(c.newError(response, env, nil))
	case err != nil:
		failed := c.unread(c.newError(response, env, c.unreadable(err)))
		failed.again = errors.Is(err, io.ErrUnexpectedEOF) && endsWithConnection(response) && retry.Idempotent(c.method)
		return failed
	case !env.Success:
		return &failure{err: c.newError(response, env, nil)}
	}
	if c.response != nil {
		c.response.Messages = c.messages(env.Messages)
	}
	if c.result == nil {
		return nil
	}
	if env.ResultInfo != nil {
		// Odd paging must not hide the items that came with it.
		_ = json.Unmarshal(env.ResultInfo, &c.info)
	}
	if !env.HasResult {
		return c.unread(c.newError(response, env, errors.New(`the answer has no member "result"`)))
	}
	if err := c.result.finish(); err != nil {
		return c.unread(c.newError(response, env, err))
	}
	return nil
}

// unreadable says why an answer is not what it should be.
func (c *call) unreadable(err error) error {
	switch head := bytes.TrimSpace(c.answer.readHead()); {
	case bytes.HasPrefix(head, []byte("<")):
		return errNotTheAPI
	case len(head) == 0 && errors.Is(err, io.EOF):
		return fmt.Errorf("the answer is empty: %w", err)
	default:
		return fmt.Errorf("unreadable answer: %w", withoutPointer(err))
	}
}

// endsWithConnection reports whether the end of the answer can't be told from a lost connection.
func endsWithConnection(r *http.Response) bool {
	return r.ProtoMajor == 1 && r.ContentLength < 0 && r.TransferEncoding == nil && !r.Uncompressed
}

// refused judges an answer whose status is no success.
func (c *call) refused(err *Error) *failure {
	if err.StatusCode < http.StatusBadRequest {
		err.cause = errors.New("redirects are not followed, so that credentials reach no other host: check the base URL")
	}
	passing := retry.Status(err.StatusCode)
	if retry.Idempotent(c.method) || err.StatusCode == http.StatusTooManyRequests {
		return &failure{err: err, again: passing}
	}
	return &failure{err: err, unknown: passing || err.StatusCode >= 500}
}

// unread judges an answer that is a success by its status but does not say what it should.
func (c *call) unread(err *Error) *failure {
	return &failure{err: err, unknown: !retry.Idempotent(c.method)}
}

// foundNothing reports whether a DELETE failed because an attempt before has deleted already.
func (c *call) foundNothing(failed *failure) bool {
	return c.method == http.MethodDelete && c.attempts > 1 && errors.Is(failed.err, ErrNotFound)
}

func (c *call) final(failed *failure) error {
	if !failed.unknown {
		return failed.err
	}
	return &wrapped{
		failed.err.Error() + ": the outcome is unknown: list and look before sending it again",
		[]error{ErrOutcomeUnknown, failed.err},
	}
}

// interrupted is the error of a call whose context ended while it waited for the next attempt.
func (c *call) interrupted(ctx context.Context, failed *failure) error {
	prefix := c.errorf("").Error()
	reason := contextError(ctx)
	return &wrapped{
		fmt.Sprintf("%s%v, waiting to retry after: %s", prefix, reason, strings.TrimPrefix(failed.err.Error(), prefix)),
		[]error{reason, failed.err},
	}
}

// errorf returns an error that starts with what was asked for and holds no secret.
func (c *call) errorf(format string, args ...any) error {
	r := c.redactor()
	err := fmt.Errorf(format, args...)
	text := printable(r.text(fmt.Sprintf("cfposture: %s %s: %v", c.method, c.path, err)))
	return &wrapped{text, []error{r.error(err)}}
}

// newError returns the failure that an answer is. The cause, if any, is why the answer can't be used.
func (c *call) newError(response *http.Response, env *envelope.Envelope, cause error) *Error {
	r := c.redactor()
	e := &Error{
		Method:     c.method,
		Path:       r.text(c.path),
		StatusCode: response.StatusCode,
		RayID:      r.text(response.Header.Get(rayHeader)),
		RetryAfter: retry.After(response.Header, time.Now()),
		Body:       r.excerpt(c.answer.readHead()),
		cause:      r.error(cause),
	}
	switch {
	case env != nil:
		e.Errors = c.messages(env.Errors)
		e.Messages = c.messages(env.Messages)
	case cause == nil && len(e.Body) > 0:
		e.cause = errNotTheAPI
	}
	return e
}

// messages decodes errors or messages; what has another shape than theirs is in the Error's Body at least.
func (c *call) messages(text jsontext.Value) []Message {
	var messages []Message
	if text == nil || json.Unmarshal(text, &messages) != nil {
		return nil
	}
	return c.redactor().messages(messages)
}

// report fills the caller's Response.
func (c *call) report(r Response) {
	if c.response != nil {
		r.Attempts = c.attempts
		*c.response = r
	}
}

// reportAnswer tells the caller and the pacer of an answer.
func (c *call) reportAnswer(response *http.Response) {
	if c.response == nil && c.pacer == nil {
		return
	}
	limit := parseRateLimit(response.Header)
	if c.pacer != nil {
		c.pacer.note(limit)
	}
	c.report(Response{
		StatusCode: response.StatusCode,
		Header:     response.Header,
		RayID:      response.Header.Get(rayHeader),
		RateLimit:  limit,
	})
}

func (c *call) logAttempt(ctx context.Context, response *http.Response, took time.Duration, failed *failure) {
	if c.logger == nil || !c.logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	r := c.redactor()
	attrs := []slog.Attr{
		slog.String("method", c.method), slog.String("path", r.text(c.path)),
		slog.Int("attempt", c.attempts), slog.Duration("took", took),
	}
	if response != nil {
		attrs = append(attrs, slog.Int("status", response.StatusCode), slog.String("ray", r.text(response.Header.Get(rayHeader))))
	}
	if failed != nil && !errors.Is(failed.err, errStop) {
		attrs = append(attrs, slog.String("error", failed.err.Error()))
	}
	c.logger.LogAttrs(ctx, slog.LevelDebug, "cfposture: request", attrs...)
}

func (c *call) logRetry(ctx context.Context, wait time.Duration, err error) {
	if c.logger == nil {
		return
	}
	c.logger.LogAttrs(ctx, slog.LevelWarn, "cfposture: retrying",
		slog.String("method", c.method), slog.String("path", c.redactor().text(c.path)),
		slog.Int("attempt", c.attempts), slog.Duration("wait", wait), slog.String("error", err.Error()))
}

// retryAfter returns how long the API asked to wait, if it did.
func retryAfter(err error) time.Duration {
	var answer *Error
	if errors.As(err, &answer) {
		return answer.RetryAfter
	}
	return 0
}

// contextError is the context's error, with its cause where that says more.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(err, cause) {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// withoutPointer takes away the names that lead to a syntax error: they are the answer's, and may be cut short in the
// middle of a secret.
func withoutPointer(err error) error {
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		return fmt.Errorf("%w after offset %d", syntax.Err, syntax.ByteOffset)
	}
	return err
}

// withoutURL takes away the method and URL that net/http puts before an error; the call's own prefix says them. Those
// inside are another request's.
func withoutURL(err error) error {
	if outer, is := err.(*url.Error); is { //nolint:errorlint // see above
		return outer.Err
	}
	return err
}
