package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The rule behind all that follows: nothing is carried out twice. A request that is idempotent may be, so it is sent
// again whenever that may help. Any other, which in practice is a POST that creates something, is sent again only if
// it is known not to have been carried out: the API has said so, or nothing of it was written. If that is not known
// the operation ends, and its error says that the outcome is unknown. Nobody else may decide this: net/http, which
// sends requests again by itself, and middlewares are kept from it by what is in transport.go and trace.go.

// An outcome is how an attempt ended. Each is decided in one place: those without a response in connectionFailed, those of
// a status in ofStatus, the last ones in judge.
type outcome int

const (
	succeeded outcome = iota

	// Nothing was sent: the context had ended, or the limiter or the token source failed.
	notSent
	// There was no connection: a lookup, a dial or a handshake failed.
	unreachable
	// There was no connection and there will be none: the certificate is bad, or the server speaks no TLS.
	untrusted
	// The connection failed, or the time was over, after the request may have been written.
	lost
	// As lost, for a reason that does not pass.
	broken
	// As lost, because the caller's context ended.
	interrupted

	// The status is 3xx. Redirects are refused, so that credentials reach no other host.
	redirected
	// The status is 4xx, other than those of rateLimited and transient.
	rejected
	// As rejected, but the response did not come whole: what it says of the request can't be trusted.
	cutShort
	// The status is 429: the API has not looked at the request.
	rateLimited
	// The status is 408, 500, 502, 503, 504 or 520 to 527: the next attempt may fare better.
	transient
	// Any other status: 501, 505 and the like, those below 200, and 303, which responds to what was carried out.
	failed

	// The status is 2xx, but the body is no envelope with the result that was asked for.
	unreadable
	// The status is 2xx, and the envelope says success: false.
	unsuccessful
)

// outcomes says for every outcome which requests are retryable after it, and whether it is ambiguous: whether the request
// may have been carried out all the same. After an ambiguous outcome, a request that is not idempotent is never sent again
// and its error wraps [ErrOutcomeUnknown].
var outcomes = [...]struct {
	name      string
	retry     retry
	ambiguous bool
}{
	succeeded:    {"success", never, false},
	notSent:      {"not sent: context, limiter or token source", never, false},
	unreachable:  {"no connection", always, false},
	untrusted:    {"no connection: certificate or protocol", never, false},
	lost:         {"connection lost, or timeout", idempotent, true},
	broken:       {"connection lost for good", never, true},
	interrupted:  {"context ended while the request was under way", never, true},
	redirected:   {"status 3xx", never, false},
	rejected:     {"status 4xx", never, false},
	cutShort:     {"status 4xx, cut short", idempotent, false},
	rateLimited:  {"status 429", always, false},
	transient:    {"status 408, 500, 502, 503, 504, 520 to 527", idempotent, true},
	failed:       {"any other status", never, true},
	unreadable:   {"status 2xx, unreadable", never, true},
	unsuccessful: {"status 2xx, success: false", never, false},
}

// A retry says which requests are sent again.
type retry int

const (
	never      retry = iota
	idempotent       // only requests that may be carried out twice
	always
)

// isRetryable reports whether a request of the method is sent again after the outcome.
func (o outcome) isRetryable(method string) bool {
	switch outcomes[o].retry {
	case always:
		return true
	case idempotent:
		return isIdempotent(method)
	default:
		return false
	}
}

// isAmbiguous reports whether the outcome leaves open what became of a request that must not be sent again.
func (o outcome) isAmbiguous(method string) bool {
	return outcomes[o].ambiguous && !isIdempotent(method)
}

// isIdempotent reports whether a request of the method may be carried out twice. PATCH is among them because the API's
// PATCH sets members to given values. Methods are case-sensitive, as in net/http: "get" is not GET, and nobody knows
// what a server makes of it.
func isIdempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return true
	default:
		return false
	}
}

// ofStatus returns the outcome that a response's status is by itself. Of a success the body decides further.
func ofStatus(code int) outcome {
	switch {
	case code >= 200 && code < 300:
		return succeeded
	case code >= 300 && code < 400 && code != http.StatusSeeOther:
		return redirected
	case code == http.StatusTooManyRequests:
		return rateLimited
	case code == http.StatusRequestTimeout, code == http.StatusInternalServerError, code == http.StatusBadGateway,
		code == http.StatusServiceUnavailable, code == http.StatusGatewayTimeout,
		code >= 520 && code <= 527: // Cloudflare's own, of an edge that could not reach or understand the origin
		return transient
	case code >= 400 && code < 500:
		return rejected
	default:
		return failed
	}
}

// An attemptError says how an attempt failed. It is not itself an error: callers see only its err, or one that wraps it.
type attemptError struct {
	outcome outcome
	// err begins with what was asked for, and holds no secret.
	err error
	// retryAfter is how long the response asks to wait, 0 if it does not.
	retryAfter time.Duration
	// notFound says that the API itself, and not a proxy, reported that what was asked for does not exist.
	notFound bool
}

// Do sends a request, and sends it again as long as that may help and can do no harm. Together with an error, too, it
// returns what the last response says.
//
// Every attempt ends in one of the outcomes above. Do only decides what follows from that: whether to try again, how
// long to wait, and what the error says if it does not try again. It never looks at a status or an error of the
// network itself, so that the table of outcomes is complete.
func Do(ctx context.Context, c *Config, r *Request) (*Response, error) {
	o := &operation{Config: c, Request: r}
	o.response.operation = o
	var waits *waits
	var before *attemptError // the attempt before, whose failure a later one must not hide
	mayBeGone := false       // an attempt may have deleted what is to be deleted
	for {
		o.response.Attempts++
		failed := o.attempt(ctx)
		// An earlier attempt of this DELETE may have been carried out without a response. If the item is gone now, the
		// caller has what was asked for; ErrNotFound would report a failure that is none.
		if failed == nil || failed.notFound && mayBeGone {
			return &o.response, nil
		}
		if !failed.outcome.isRetryable(r.Method) || o.response.Attempts > c.MaxRetries {
			// A retry that was not sent, or whose context ended, says little of why it was needed. And what may have been
			// deleted must not look as if it had never been there.
			if before != nil && (failed.outcome == notSent || failed.outcome == interrupted || mayBeGone) {
				failed.err = o.after(before, failed.err)
			}
			return &o.response, o.final(failed)
		}
		mayBeGone = mayBeGone || r.Method == http.MethodDelete && outcomes[failed.outcome].ambiguous
		if waits == nil {
			waits = newWaits(c.MaxRetryWait)
		}
		// A wait that is too long ends the operation now: nobody is served by waiting first and failing then.
		wait, err := waits.next(ctx, failed.retryAfter)
		if err != nil {
			return &o.response, o.notRetried(failed, err)
		}
		o.logRetry(ctx, wait, failed.err)
		if sleep(ctx, wait) != nil {
			return &o.response, o.after(failed, o.errorf("%w, waiting to retry", ContextError(ctx)))
		}
		if failed.outcome != cutShort { // a 404 that did not come whole must not be found in a later error
			before = failed
		}
	}
}

// An operation is one call of Do. What belongs to a single attempt is in its trace and its attemptError instead, so that
// nothing of it is left over for the next one.
type operation struct {
	*Config
	*Request
	response Response // what the last response says

	// sent is what the last attempt has sent, and leads to those before it: their credentials are still secret.
	sent *trace
	// proxy holds the credentials of a proxy, once they could show.
	proxy []string
	// redactor removes all of these. It is nil until it is needed.
	redactor *redactor
}

// final returns the error of an operation that ends with the failed attempt. It says how many there were, because who reads
// it wants to know whether a retry would still help. This is the only place that wraps ErrOutcomeUnknown. A POST is not sent
// again after an ambiguous attempt, so only the last attempt needs to be looked at.
func (o *operation) final(failed *attemptError) error {
	text, causes := failed.err.Error(), []error{failed.err}
	if o.response.Attempts > 1 {
		text += fmt.Sprintf(" (%d attempts)", o.response.Attempts)
	}
	switch {
	case failed.outcome.isAmbiguous(o.Method):
		text += ": the outcome is unknown: list and look before sending it again"
		causes = append(causes, ErrOutcomeUnknown)
	case o.response.Attempts == 1:
		return failed.err
	}
	return &wrapped{text, causes}
}

// after returns the error of an operation that failed for the reason given after an attempt before had failed as well.
func (o *operation) after(before *attemptError, reason error) error {
	earlier := strings.TrimPrefix(before.err.Error(), o.prefix())
	return &wrapped{reason.Error() + ", after: " + earlier, []error{reason, before.err}}
}

// notRetried returns the error of an operation that is not tried again because the wait would be too long. Only
// outcomes that are retryable get here, so it never has to say that an outcome is unknown.
func (o *operation) notRetried(failed *attemptError, reason error) error {
	return &wrapped{failed.err.Error() + ": not retried: " + reason.Error(), []error{failed.err, reason}}
}

// attempt sends the request once. Nil is success.
//
// It takes its turn, which may last as long as the caller's context does; then it exchanges the request for a response,
// within the timeout of an attempt; and only when the response has been read whole it judges what that says.
func (o *operation) attempt(ctx context.Context) *attemptError {
	if ctx.Err() != nil {
		return &attemptError{outcome: notSent, err: o.errorf("%w", ContextError(ctx))}
	}
	if err := o.takeTurn(ctx); err != nil {
		return &attemptError{outcome: notSent, err: o.errorf("%w", err)}
	}
	start := o.startTime()
	body := bodies.Get().(*bytes.Buffer)
	defer release(body)
	body.Reset()
	response, failed := o.exchange(ctx, body) //nolint:bodyclose // exchange has closed it
	if failed == nil {
		failed = o.judge(ctx, response, body.Bytes())
	}
	o.logAttempt(ctx, start, response, body.Bytes(), failed)
	return failed
}

// takeTurn waits until the request may be sent: first for the rate limit window, if the API has said that this one has
// nothing left, then for the limiter. In this order a limiter's turn is not used up by a request that still has to wait.
func (o *operation) takeTurn(ctx context.Context) error {
	if o.Pacer != nil {
		if err := o.Pacer.wait(ctx, o.MaxRetryWait); err != nil {
			return fmt.Errorf("%w, waiting for the next rate limit window", ContextError(ctx))
		}
	}
	if o.Limiter == nil {
		return nil
	}
	// A limiter's own error need not say that the context has ended, or would end before its turn. Callers test for that
	// with errors.Is, whatever limiter is used.
	err := o.Limiter.Wait(ctx)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("rate limit: %w", joinContext(ctx, err))
	case isPastDeadline(err):
		return fmt.Errorf("rate limit: %w: %w", err, context.DeadlineExceeded)
	default:
		return fmt.Errorf("rate limit: %w", err)
	}
}

// joinContext returns err with the context's error and cause, unless it wraps them already.
func joinContext(ctx context.Context, err error) error {
	for _, reason := range []error{ctx.Err(), context.Cause(ctx)} {
		if !errors.Is(err, reason) {
			err = fmt.Errorf("%w: %w", err, reason)
		}
	}
	return err
}

// isPastDeadline reports whether an error of a limiter means that its turn would come only after the context's deadline.
// The limiter of golang.org/x/time has no error for that, only these words.
func isPastDeadline(err error) bool {
	return strings.Contains(err.Error(), "would exceed context deadline") && !errors.Is(err, context.DeadlineExceeded)
}

// exchange sends the request and reads the whole response into the buffer, within the context of the attempt, which
// ends with the timeout.
func (o *operation) exchange(ctx context.Context, body *bytes.Buffer) (*http.Response, *attemptError) {
	// The cause of the attempt's context says why it ended, so that a middleware can distinguish the timeout from a
	// cancellation by the caller. The trace ends attempts through the same function, with its own reasons.
	attemptCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if o.Timeout > 0 {
		timer := time.AfterFunc(o.Timeout, func() { cancel(&timeoutError{"response", o.Timeout}) })
		defer timer.Stop()
	}
	return o.send(ctx, &trace{Context: attemptCtx, cancel: cancel, earlier: o.sent}, body)
}

// send does the work of exchange, within the context of the trace. It decides only about responses that can't be read, or
// that a middleware has made up; judge does the rest.
//
// The status of a response counts for more than a body that was cut short: a 429 or 503 says what to do without its body.
// Only a success needs its body.
func (o *operation) send(ctx context.Context, seen *trace, body *bytes.Buffer) (*http.Response, *attemptError) {
	attemptCtx := seen.Context
	if err := o.newRequest(seen); err != nil {
		// Most often the token source failed, and often because the time was over: its error need not say so.
		switch {
		case ctx.Err() != nil:
			err = joinContext(ctx, err)
		case isTimeout(attemptCtx):
			err = fmt.Errorf("%w: %w", err, &timeoutError{"credentials", o.Timeout})
		}
		return nil, &attemptError{outcome: notSent, err: o.errorf("%w", err)}
	}
	// From here on, the credentials of this attempt are secret in everything that the operation shows. The redactor is
	// made anew when it is needed next.
	o.sent, o.redactor = seen, nil
	if attemptCtx.Err() != nil { // the token source has used up the time
		return nil, &attemptError{outcome: notSent, err: o.errorf("%w", connectionError(ctx, attemptCtx, nil))}
	}
	response, err := o.HTTP.do(seen)
	if err != nil {
		o.proxy = o.HTTP.proxySecrets(seen.request.Load())
		return nil, o.connectionFailed(ctx, attemptCtx, err, o.HTTP.provesUnwritten(seen, err, attemptCtx.Err() != nil))
	}
	defer response.Body.Close() //nolint:errcheck // there is nothing left to lose
	o.receive(ctx, response)
	err = readBody(response, body)
	end := ofStatus(response.StatusCode)
	switch {
	case errors.Is(err, errTooLarge):
		// The rest of it is not read, so that what a success holds stays unknown.
		if end == succeeded {
			end = unreadable
		}
		return response, o.newFailure(end, response, body.Bytes(), envelope{}, err)
	case end == rateLimited && !isIdempotent(o.Method) && seen.isOver():
		// A middleware has made a 429 of something else.
		return response, o.newFailure(failed, response, body.Bytes(), envelope{}, errSentOnce)
	case err != nil && end == rejected:
		// The status alone does not prove that something is not there; the next response may come whole.
		return response, o.newFailure(cutShort, response, body.Bytes(), envelope{}, connectionError(ctx, attemptCtx, err))
	case end != succeeded:
		// The status says what the attempt came to, however much of the body there is.
	case err != nil, attemptCtx.Err() != nil && !isWhole(body.Bytes()):
		// A server may also end its response properly when it sees that the request is given up.
		return response, o.connectionFailed(ctx, attemptCtx, err, false)
	}
	return response, nil
}

// newRequest sets the request of a trace. The token source gets the context without the trace, so that requests that
// it makes itself are not mistaken for this one.
func (o *operation) newRequest(seen *trace) error {
	if !isToken(o.Method) {
		return fmt.Errorf("invalid method %q", o.Method)
	}
	target, err := o.target()
	if err != nil {
		return err
	}
	seen.method, seen.path = o.Method, strings.TrimPrefix(target.Path, strings.TrimSuffix(o.BaseURL.Path, "/"))
	// As http.NewRequest makes it, which would parse the URL anew for every request.
	request := (&http.Request{
		Method: o.Method, URL: target, Host: target.Host, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Accept": {"application/json"}, "User-Agent": {o.UserAgent}},
	}).WithContext(seen.follow())
	if o.Body != nil {
		request.Header["Content-Type"] = []string{"application/json"}
		request.ContentLength = int64(len(o.Body))
		request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(o.Body)), nil }
		request.Body, _ = request.GetBody()
	}
	if err := o.Authorize(seen.Context, request.Header); err != nil {
		return err
	}
	// Last, so that a caller's header replaces any of these.
	for _, set := range o.Headers {
		set(request)
	}
	seen.header = request.Header
	seen.request.Store(request)
	return nil
}

// target returns the URL of the request.
func (o *operation) target() (*url.URL, error) {
	target := *o.BaseURL
	target.RawQuery = o.Query
	path := o.Path
	if strings.Contains(path, "%") || target.RawPath != "" { // escapes have to stay as they are
		target.RawPath = target.EscapedPath() + path
		var err error
		if path, err = url.PathUnescape(path); err != nil {
			return nil, err
		}
	}
	target.Path += path
	return &target, nil
}

// receive notes what a response says before its body is read, and reports the rate limit to the pacer and the
// observer. That can't wait for the body: requests of other goroutines should be held back as early as possible.
func (o *operation) receive(ctx context.Context, response *http.Response) {
	o.response = Response{
		StatusCode: response.StatusCode, Header: response.Header, Attempts: o.response.Attempts, operation: o,
	}
	if o.Pacer != nil {
		o.Pacer.note(response.StatusCode, o.response.RateLimit())
	}
	if o.Observe != nil {
		o.Observe(ctx, o.response.RateLimit())
	}
}

// connectionFailed returns the end of an attempt without a response, or with a part of one. unwritten says that the
// request is known not to have been written: only then is the outcome of a POST not ambiguous. A doubt counts as
// written, because a POST that is sent twice can't be undone, whereas an error can be looked into.
func (o *operation) connectionFailed(ctx, attemptCtx context.Context, err error, unwritten bool) *attemptError {
	end := lost
	switch {
	case ctx.Err() != nil && unwritten:
		end = notSent
	case ctx.Err() != nil:
		end = interrupted
	case isPermanent(err) && unwritten:
		end = untrusted
	case isPermanent(err):
		end = broken
	case unwritten:
		end = unreachable
	}
	return &attemptError{outcome: end, err: o.errorf("%w", connectionError(ctx, attemptCtx, err))}
}

// connectionError returns what ended an attempt whose transport returned err. A transport's error for a context that has
// ended says less than the context itself.
func connectionError(ctx, attemptCtx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ContextError(ctx)
	case attemptCtx.Err() != nil:
		return context.Cause(attemptCtx) // the timeout, or why net/http must not go on
	case errors.Is(err, context.Canceled):
		// Another call's: net/http may hand over the error of a dial that somebody else has given up.
		return fmt.Errorf("the connection was given up by another request: %s", err.Error())
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the connection was closed in the middle of the response: %w", err)
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the connection was closed without a response: %w", err)
	default:
		return err
	}
}

// isPermanent reports whether an error of the connection would be the same in the next attempt. It errs on the side of
// false: a retry in vain costs seconds, whereas giving up may fail a call that would have succeeded.
func isPermanent(err error) bool {
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	return errors.As(err, &certificate) || errors.Is(err, http.ErrSchemeMismatch) ||
		errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/" // the same, below a middleware's own words
}

// A timeoutError is the end of an attempt that took longer than its timeout. It is a net.Error.
type timeoutError struct {
	missing string
	limit   time.Duration
}

// isTimeout reports whether the context of an attempt has ended by its timeout.
func isTimeout(attemptCtx context.Context) bool {
	_, is := context.Cause(attemptCtx).(*timeoutError) //nolint:errorlint // it is the attempt's own
	return is
}

func (e *timeoutError) Error() string        { return fmt.Sprintf("no %s within %v", e.missing, e.limit) }
func (e *timeoutError) Timeout() bool        { return true }
func (e *timeoutError) Temporary() bool      { return true }
func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
