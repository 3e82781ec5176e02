package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/time/rate"
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
	response, body, failed := o.exchange(ctx) //nolint:bodyclose // exchange has closed it
	if failed == nil {
		failed = o.judge(ctx, response, body)
	}
	o.logAttempt(ctx, response, body, time.Since(start), failed)
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
	case isPastDeadline(ctx, o.Limiter):
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

// isPastDeadline reports whether an error of the limiter, while the context goes on, means that its turn would come only
// after the deadline: [rate.Limiter] has no error for that.
func isPastDeadline(ctx context.Context, limiter any) bool {
	limited, is := limiter.(*rate.Limiter)
	_, bounded := ctx.Deadline()
	return is && bounded && limited.Burst() > 0
}

// exchange sends the request and reads the response whole, within one context.
func (o *operation) exchange(ctx context.Context) (*http.Response, []byte, *attemptError) {
	attemptCtx, cancel := context.WithCancel(ctx)
	if o.Timeout > 0 {
		// The cause is what a middleware sees, which may want to tell it from the caller's own cancelling.
		attemptCtx, cancel = context.WithTimeoutCause(ctx, o.Timeout, &timeoutError{"response", o.Timeout})
	}
	defer cancel()
	seen := new(trace)
	request, err := o.newRequest(seen.follow(attemptCtx))
	if err != nil {
		switch {
		case ctx.Err() != nil:
			err = joinContext(ctx, err)
		case attemptCtx.Err() != nil:
			err = fmt.Errorf("%w: %w", err, &timeoutError{"credentials", o.Timeout})
		}
		return nil, nil, &attemptError{outcome: notSent, err: o.errorf("%w", err)}
	}
	response, err := o.HTTP.do(request)
	o.remember(append(seen.secrets(), headerSecrets(request.Header)...))
	if err != nil {
		return nil, nil, o.connectionFailed(ctx, attemptCtx, err, o.HTTP.provesUnwritten(seen, err))
	}
	defer response.Body.Close() //nolint:errcheck // there is nothing left to lose
	o.take(ctx, response)
	body, err := readBody(response)
	end := ofStatus(response.StatusCode)
	switch {
	case errors.Is(err, errTooLarge):
		if end == succeeded {
			end = unreadable
		}
		return response, body, o.newFailure(end, response, body, nil, err)
	case err != nil && end == rejected && isIdempotent(o.Method):
		return response, body, o.connectionFailed(ctx, attemptCtx, err, false)
	case end != succeeded:
		// The status says what the attempt came to, however much of the body there is.
	case err != nil, attemptCtx.Err() != nil && !isWhole(body):
		// A server may also end its response properly when it sees that the request is given up.
		return response, body, o.connectionFailed(ctx, attemptCtx, err, false)
	}
	return response, body, nil
}

// newRequest returns the attempt's request.
func (o *operation) newRequest(ctx context.Context) (*http.Request, error) {
	target := o.BaseURL + o.Path
	if o.Query != "" {
		target += "?" + o.Query
	}
	var body io.Reader
	if o.Body != nil {
		body = bytes.NewReader(o.Body)
	}
	request, err := http.NewRequestWithContext(ctx, o.Method, target, body)
	if err != nil {
		return nil, withoutURL(err)
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", o.UserAgent)
	if o.Body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if err := o.Authorize(ctx, request.Header); err != nil {
		return nil, err
	}
	for _, set := range o.Headers {
		set(request)
	}
	return request, nil
}

// take notes what a response says before its body is read, and tells those who want to know.
func (o *operation) take(ctx context.Context, response *http.Response) {
	limit := parseRateLimit(response.Header)
	*o.response = Response{
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
	if unwritten {
		end = unreachable
	}
	switch {
	case ctx.Err() != nil:
		err, end = contextError(ctx), interrupted
		if unwritten {
			end = notSent
		}
	case attemptCtx.Err() != nil:
		err = &timeoutError{"response", o.Timeout}
	case isPermanent(err):
		end = broken
		if unwritten {
			end = untrusted
		}
	case errors.Is(err, context.Canceled):
		// Another call's: net/http may hand over the error of a dial that somebody else has given up.
		err = fmt.Errorf("the connection was given up by another request: %s", err.Error())
	case errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("the connection was closed in the middle of the response: %w", err)
	case errors.Is(err, io.EOF):
		err = fmt.Errorf("the connection was closed without a response: %w", err)
	}
	return &attemptError{outcome: end, err: o.errorf("%w", err)}
}

// isPermanent reports whether an error of the connection stays what it is.
func isPermanent(err error) bool {
	var certificate *tls.CertificateVerificationError
	return errors.As(err, &certificate) || errors.Is(err, http.ErrSchemeMismatch)
}

// A timeoutError is the end of an attempt that took longer than its timeout. It is a net.Error.
type timeoutError struct {
	missing string
	limit   time.Duration
}

func (e *timeoutError) Error() string        { return fmt.Sprintf("no %s within %v", e.missing, e.limit) }
func (e *timeoutError) Timeout() bool        { return true }
func (e *timeoutError) Temporary() bool      { return true }
func (e *timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
