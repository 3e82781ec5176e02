package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// attempt sends the request once: it takes its turn, sends, and reads the response. Nil is success.
func (o *operation) attempt(ctx context.Context) *attemptError {
	if ctx.Err() != nil {
		return &attemptError{outcome: notSent, err: o.errorf("%w", contextError(ctx))}
	}
	if err := o.takeTurn(ctx); err != nil {
		return &attemptError{outcome: notSent, err: o.errorf("%w", err)}
	}
	start := time.Now()
	body := bodies.Get().(*bytes.Buffer)
	defer release(body)
	body.Reset()
	response, failed := o.exchange(ctx, body) //nolint:bodyclose // exchange has closed it
	if failed == nil {
		failed = o.judge(ctx, response, body.Bytes())
	}
	o.logAttempt(ctx, response, body.Bytes(), time.Since(start), failed)
	return failed
}

// takeTurn waits until the request may be sent.
func (o *operation) takeTurn(ctx context.Context) error {
	if o.Pacer != nil {
		if err := o.Pacer.wait(ctx, o.MaxRetryWait); err != nil {
			return fmt.Errorf("%w, waiting for the next rate limit window", contextError(ctx))
		}
	}
	if o.Limiter == nil {
		return nil
	}
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

// joinContext returns err with the context's error and cause, as far as it does not hold them already.
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

// exchange sends the request and reads the response whole into the buffer, within one context.
func (o *operation) exchange(ctx context.Context, body *bytes.Buffer) (*http.Response, *attemptError) {
	attemptCtx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if o.Timeout > 0 {
		// The cause is what a middleware sees, which may want to tell it from the caller's own cancelling.
		timer := time.AfterFunc(o.Timeout, func() { cancel(&timeoutError{"response", o.Timeout}) })
		defer timer.Stop()
	}
	seen := &trace{cancel: cancel, earlier: o.sent}
	if err := o.newRequest(attemptCtx, seen); err != nil {
		switch {
		case ctx.Err() != nil:
			err = joinContext(ctx, err)
		case isTimeout(attemptCtx):
			err = fmt.Errorf("%w: %w", err, &timeoutError{"credentials", o.Timeout})
		}
		return nil, &attemptError{outcome: notSent, err: o.errorf("%w", err)}
	}
	o.sent, o.redactor = seen, nil
	if attemptCtx.Err() != nil { // the token source has used up the time
		return nil, &attemptError{outcome: notSent, err: o.errorf("%w", connectionError(ctx, attemptCtx, nil))}
	}
	response, err := o.HTTP.do(seen.request)
	if err != nil {
		o.Secrets = append(slices.Clip(o.Secrets), o.HTTP.proxySecrets(seen.request)...)
		return nil, o.connectionFailed(ctx, attemptCtx, err, o.HTTP.provesUnwritten(seen, err, attemptCtx.Err() != nil))
	}
	defer response.Body.Close() //nolint:errcheck // there is nothing left to lose
	o.take(ctx, response)
	err = readBody(response, body)
	end := ofStatus(response.StatusCode)
	switch {
	case errors.Is(err, errTooLarge):
		if end == succeeded {
			end = unreadable
		}
		return response, o.newFailure(end, response, body.Bytes(), envelope{}, err)
	case err != nil && end == rejected:
		return response, o.newFailure(cutShort, response, body.Bytes(), envelope{}, connectionError(ctx, attemptCtx, err))
	case end != succeeded:
		// The status says what the attempt came to, however much of the body there is.
	case err != nil, attemptCtx.Err() != nil && !isWhole(body.Bytes()):
		// A server may also end its response properly when it sees that the request is given up.
		return response, o.connectionFailed(ctx, attemptCtx, err, false)
	}
	return response, nil
}

// newRequest sets the request of a trace. Requests that the token source makes are not traced.
func (o *operation) newRequest(ctx context.Context, seen *trace) error {
	target := o.BaseURL + o.Path
	if o.Query != "" {
		target += "?" + o.Query
	}
	var body io.Reader
	if o.Body != nil {
		body = bytes.NewReader(o.Body)
	}
	request, err := http.NewRequestWithContext(seen.follow(ctx, o.Method), o.Method, target, body)
	if err != nil {
		return withoutURL(err)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", o.UserAgent)
	if o.Body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if err := o.Authorize(ctx, request.Header); err != nil {
		return err
	}
	for _, set := range o.Headers {
		set(request)
	}
	seen.request = request
	seen.target.Store(request.URL)
	return nil
}

// take notes what a response says before its body is read, and tells those who want to know.
func (o *operation) take(ctx context.Context, response *http.Response) {
	limit := parseRateLimit(response.Header)
	o.response = Response{
		StatusCode: response.StatusCode, Header: response.Header, RayID: response.Header.Get(rayHeader),
		RateLimit: limit, Attempts: o.response.Attempts, operation: o,
	}
	if o.Pacer != nil {
		o.Pacer.note(response.StatusCode, limit)
	}
	if o.Observe != nil {
		o.Observe(ctx, limit)
	}
}

// rayHeader is CF-Ray, spelled as http.Header keeps it.
const rayHeader = "Cf-Ray"

// connectionFailed judges an attempt that brought no response, or not the whole of one.
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

// connectionError says what ended an attempt whose transport returned err.
func connectionError(ctx, attemptCtx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return contextError(ctx)
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

// isPermanent reports whether an error of the connection stays what it is.
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
