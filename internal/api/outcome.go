package api

import (
	"errors"
	"net/http"
	"time"
)

// An outcome is how an attempt ended.
type outcome int

const (
	succeeded    outcome = iota
	notSent              // the context had ended, or the limiter or the token source failed
	unreachable          // no connection: a lookup, a dial or a handshake failed
	untrusted            // no connection, and there will be none: a bad certificate, or no TLS at all
	lost                 // the connection failed or the time was over once the request may have been written
	broken               // as lost, for a reason that does not pass
	interrupted          // as lost, because the caller's context ended
	redirected           // status 3xx, 303 aside
	rejected             // status 4xx, those of the next two aside
	cutShort             // as rejected, but the response did not come whole
	rateLimited          // status 429
	transient            // status 408, 500, 502, 503, 504, 520 to 527
	failed               // any other status of 500 and above, those below 200, and 303, which answers what was carried out
	unreadable           // status 2xx, but no envelope with a result
	unsuccessful         // status 2xx, and an envelope that says success: false
)

// outcomes says for every outcome which requests are sent again after it, and whether the request may have been carried
// out all the same. A request that may have been carried out and is not idempotent ends in [ErrOutcomeUnknown].
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

// isUnknown reports whether the outcome leaves open what became of a request that must not be sent again.
func (o outcome) isUnknown(method string) bool { return outcomes[o].ambiguous && !isIdempotent(method) }

// isIdempotent reports whether a request of the method may be carried out twice. PATCH is among them because the API's
// PATCH sets members to given values.
func isIdempotent(method string) bool {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodPatch, http.MethodDelete:
		return true
	default:
		return false
	}
}

// ofStatus returns the outcome that a response's status is by itself.
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

// An attemptError is the end of an attempt that did not succeed.
type attemptError struct {
	outcome    outcome
	err        error         // begins with what was asked for, and holds no secret
	retryAfter time.Duration // what the response asks for, 0 if it does not
	// notFound says that the API itself reported that what was asked for does not exist.
	notFound bool
}

// ErrOutcomeUnknown is what the error of a request wraps that may have been carried out and was not sent again.
var ErrOutcomeUnknown = errors.New("cfposture: outcome unknown")
