package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"

	"github.com/cfposture/cfposture/internal/wire"
)

// A response is read whole before anything in it counts, so that a caller never sees a part of one, and its status decides
// first. Only a success is decoded; the envelope's errors of any other, or the beginning of its body, go into the error.

const (
	maxBody    = 64 << 20 // bytes of a response
	maxExcerpt = 1 << 10  // bytes of a response that a Failure shows
	maxRay     = 100      // bytes of a ray that it shows; they have 20
)

var (
	errTooLarge  = fmt.Errorf("response is larger than %d MiB", maxBody>>20)
	errNotTheAPI = errors.New("response is not from the API (an error page of a proxy?)")
	errEmpty     = errors.New("response is empty")
	errRedirect  = errors.New("redirects are not followed, so that credentials reach no other host: check the base URL")
)

// bodies are buffers for reading bodies. They are reused because a body is garbage right after it was decoded. Nothing may
// keep a part of one beyond its attempt: decoded items have copies of their texts.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxSetAside is how much room is made for a body before it is read: what a response says of its length need not be true.
// A buffer that has become larger is not kept: few responses are so long.
const maxSetAside = 8 << 20

// release returns a buffer to the pool, unless one long list would hold its memory for the life of the program.
func release(body *bytes.Buffer) {
	if body.Cap() <= maxSetAside {
		bodies.Put(body)
	}
}

// readBody reads the whole body of a response. What was received before an error is in the buffer. A response below
// 200 that gets here changes the protocol (101); what follows it is not a body, and reading it could block forever.
func readBody(response *http.Response, body *bytes.Buffer) error {
	if response.StatusCode < http.StatusOK {
		return nil
	}
	body.Grow(int(min(max(response.ContentLength, 0), maxSetAside-bytes.MinRead)) + bytes.MinRead)
	_, err := body.ReadFrom(&io.LimitedReader{R: response.Body, N: maxBody + 1})
	if body.Len() > maxBody {
		return errTooLarge
	}
	return err
}

// isWhole reports whether a body is one complete JSON value. Without a length, a body that was cut short can only be told
// from a complete one by this.
func isWhole(body []byte) bool {
	s := wire.NewScanner(body)
	s.Skip()
	return s.End() == nil
}

// judge returns what a response says of the attempt. Nil is success, whose result Decode has read by then.
func (o *operation) judge(ctx context.Context, response *http.Response, body []byte) *attemptError {
	end := ofStatus(response.StatusCode)
	if end == succeeded && o.needsNoBody(response, body) {
		return nil
	}
	decode := o.Decode
	if end != succeeded {
		decode = nil
	}
	var env envelope
	err := o.readEnvelope(&env, body, decode)
	switch {
	case response.StatusCode/100 == 3:
		return o.newFailure(end, response, body, env, errRedirect)
	case end != succeeded && !env.isOne && len(body) > 0:
		return o.newFailure(end, response, body, env, errNotTheAPI)
	case end != succeeded:
		return o.newFailure(end, response, body, env, nil)
	case errors.Is(err, io.ErrUnexpectedEOF) && endsWithConnection(response):
		// Half a response, most likely. Reading it brought no error because nothing said how long it should be.
		return o.connectionFailed(ctx, ctx, err, false)
	case err != nil:
		return o.newFailure(unreadable, response, body, env, unreadableBody(body, err))
	case env.failure:
		return o.newFailure(unsuccessful, response, body, env, nil)
	}
	o.response.Messages, o.response.ResultInfo = env.messages, bytes.Clone(env.resultInfo)
	return nil
}

// needsNoBody reports whether a success may have no envelope. A HEAD has none. If the caller asks for no result, a DELETE or
// a 204 may have none either. Anything else without an envelope may be the page of a proxy.
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

// unreadableBody says why a body is not an envelope, in the words that help most: a proxy's page is more frequent than
// an API that sends broken JSON.
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

// endsWithConnection reports whether the end of a response can't be distinguished from a lost connection, because the
// server has not said how long the body is and sends it without chunks. JSON that ends early then counts as a lost
// connection, which is retryable, and not as an unreadable response, which is not.
func endsWithConnection(r *http.Response) bool {
	return r.ProtoMajor == 1 && r.ContentLength < 0 && r.TransferEncoding == nil && !r.Uncompressed
}

// newFailure returns the end of an attempt whose response reports a failure, or can't be used for the given cause.
// Everything that it keeps of the response is redacted and cut to what an error needs.
//
// Only an envelope proves that an item was not found: a 404 of a proxy says nothing about the API's items.
func (o *operation) newFailure(end outcome, response *http.Response, body []byte, env envelope, cause error) *attemptError {
	r := o.redact()
	failure := &Failure{
		Method: o.Method, Path: r.text(o.Path), StatusCode: response.StatusCode, RayID: Cut(r.text(o.response.RayID()), maxRay),
		RetryAfter: retryAfter(response.Header), Body: []byte(r.excerpt(body, maxExcerpt)), Cause: r.error(cause),
		Errors: env.errors, Messages: env.messages,
	}
	isNotFound := response.StatusCode == http.StatusNotFound || hasCode(env.errors, CodeNotFound)
	return &attemptError{
		outcome: end, err: o.NewError(failure), retryAfter: failure.RetryAfter,
		notFound: env.failure && isNotFound,
	}
}

// CodeNotFound is the code of the API's error for a rule that does not exist.
const CodeNotFound = 6024

// hasCode reports whether one of the messages, or one in their chains, has the code.
func hasCode(messages []Message, code int) bool {
	return slices.ContainsFunc(messages, func(m Message) bool { return m.Code == code || hasCode(m.ErrorChain, code) })
}
