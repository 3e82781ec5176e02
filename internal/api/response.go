package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"

	"github.com/cfposture/cfposture/internal/wire"
)

const (
	maxBody    = 64 << 20 // bytes of a response
	maxExcerpt = 1 << 10  // bytes of a response that a Failure shows
)

var (
	errTooLarge  = fmt.Errorf("response is larger than %d MiB", maxBody>>20)
	errNotTheAPI = errors.New("response is not from the API (an error page of a proxy?)")
	errEmpty     = errors.New("response is empty")
	errRedirect  = errors.New("redirects are not followed, so that credentials reach no other host: check the base URL")
)

// readBody reads a response whole. What came before an error is returned with it. After a change of protocols there is no
// body to be read.
func readBody(response *http.Response) ([]byte, error) {
	if response.StatusCode < http.StatusOK {
		return nil, nil
	}
	body := bytes.NewBuffer(make([]byte, 0, min(max(response.ContentLength+bytes.MinRead, 1<<10), 1<<20)))
	_, err := body.ReadFrom(io.LimitReader(response.Body, maxBody+1))
	if body.Len() > maxBody {
		return body.Bytes()[:maxBody], errTooLarge
	}
	return body.Bytes(), err
}

// isWhole reports whether a body is JSON to its end.
func isWhole(body []byte) bool {
	s := wire.NewScanner(body)
	s.Skip()
	return s.End() == nil
}

// judge returns what a response says of the attempt. Nil is success.
func (o *operation) judge(ctx context.Context, response *http.Response, body []byte) *attemptError {
	end := ofStatus(response.StatusCode)
	if end == succeeded && o.needsNoBody(response, body) {
		return nil
	}
	env, err := o.readEnvelope(body, end == succeeded)
	switch {
	case end == redirected:
		return o.newFailure(end, response, body, env, errRedirect)
	case end != succeeded:
		if err != nil && len(body) > 0 {
			return o.newFailure(end, response, body, nil, errNotTheAPI)
		}
		return o.newFailure(end, response, body, env, nil)
	case errors.Is(err, io.ErrUnexpectedEOF) && endsWithConnection(response):
		return o.connectionFailed(ctx, ctx, err, false)
	case err != nil:
		return o.newFailure(unreadable, response, body, env, unreadableBody(body, err))
	case !env.success:
		return o.newFailure(unsuccessful, response, body, env, nil)
	}
	o.response.Messages, o.response.ResultInfo = env.messages, env.resultInfo
	return nil
}

// needsNoBody reports whether a success may come without an envelope: there is none for HEAD, and who deletes or asks for
// no result may get none.
func (o *operation) needsNoBody(response *http.Response, body []byte) bool {
	switch {
	case o.Method == http.MethodHead:
		return true
	case o.Decode != nil:
		return false
	default:
		isEmpty := len(bytes.TrimSpace(body)) == 0
		return isEmpty && (response.StatusCode == http.StatusNoContent || o.Method == http.MethodDelete)
	}
}

// unreadableBody says why a body is no envelope.
func unreadableBody(body []byte, err error) error {
	switch start := bytes.TrimSpace(body); {
	case len(start) == 0:
		return fmt.Errorf("%w: %w", errEmpty, io.EOF)
	case start[0] == '<':
		return errNotTheAPI
	default:
		return err
	}
}

// endsWithConnection reports whether the end of a response can't be told from a lost connection.
func endsWithConnection(r *http.Response) bool {
	return r.ProtoMajor == 1 && r.ContentLength < 0 && r.TransferEncoding == nil && !r.Uncompressed
}

// newFailure returns the end of an attempt that brought a response which is not the one asked for. The envelope is nil
// where the body is none.
func (o *operation) newFailure(end outcome, response *http.Response, body []byte, env *envelope, cause error) *attemptError {
	r := o.redact()
	failure := &Failure{
		Method: o.Method, Path: r.text(o.Path), StatusCode: response.StatusCode, RayID: r.text(o.response.RayID),
		RetryAfter: o.response.RateLimit.RetryAfter, Body: []byte(r.excerpt(body, maxExcerpt)), Cause: r.error(cause),
	}
	failed := &attemptError{outcome: end, retryAfter: failure.RetryAfter}
	if env != nil {
		failure.Errors, failure.Messages = env.errors, env.messages
		failed.notFound = !env.success && (response.StatusCode == http.StatusNotFound || hasCode(env.errors, CodeNotFound))
	}
	failed.err = o.NewError(failure)
	return failed
}

// CodeNotFound is the code of the API's error for a rule that does not exist.
const CodeNotFound = 6024

// hasCode reports whether one of the messages, or one in their chains, has the code.
func hasCode(messages []Message, code int) bool {
	return slices.ContainsFunc(messages, func(m Message) bool { return m.Code == code || hasCode(m.ErrorChain, code) })
}
