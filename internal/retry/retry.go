// Package retry knows which failures are worth another attempt and how long to wait for it.
package retry

import (
	"context"
	"crypto/tls"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// The random wait before a retry is up to half a second at first, twice as much each time, half a minute at the most.
const (
	firstWait   = 500 * time.Millisecond
	longestWait = 30 * time.Second
)

// Idempotent reports whether a request of this method may be sent twice: the second does nothing that the first didn't.
// PATCH is among them because the API's PATCH sets members to given values.
func Idempotent(method string) bool {
	return slices.Contains([]string{
		http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodPatch, http.MethodDelete,
	}, method)
}

// Status reports whether an answer of this status may turn out otherwise next time.
func Status(code int) bool {
	switch code {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default: // Cloudflare's own, of the edge that could not reach or understand the origin
		return code >= 520 && code <= 527
	}
}

// Transport reports whether an error of the connection may be gone next time. A certificate stays a wrong one.
func Transport(err error) bool {
	var certificate *tls.CertificateVerificationError
	return !errors.As(err, &certificate)
}

// After reads a Retry-After header: seconds, or a date. It is 0 where there is none or it makes no sense.
func After(header http.Header, now time.Time) time.Duration {
	value := header.Get("Retry-After")
	seconds, err := strconv.ParseUint(value, 10, 64)
	if errors.Is(err, strconv.ErrRange) || err == nil && seconds > uint64(math.MaxInt64/time.Second) {
		return math.MaxInt64
	}
	if err == nil {
		return time.Duration(seconds) * time.Second //nolint:gosec // checked above
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return max(0, date.Sub(now))
}

// Waits gives the waits between the attempts of one call.
type Waits struct {
	longest time.Duration
	backoff backoff.ExponentialBackOff
}

// NewWaits returns waits of which none is over longest.
func NewWaits(longest time.Duration) *Waits {
	return &Waits{longest: longest, backoff: backoff.ExponentialBackOff{
		// A factor of 1 spreads a wait over 0 to twice the interval: full jitter.
		RandomizationFactor: 1,
		InitialInterval:     firstWait / 2,
		MaxInterval:         longestWait / 2,
		Multiplier:          2,
	}}
}

// Next returns how long to wait before the next attempt, and whether that is within the longest wait and the context's
// deadline. What the server asks for is waited in full or not at all; 0 is nothing asked for.
func (w *Waits) Next(ctx context.Context, asked time.Duration) (time.Duration, bool) {
	wait := asked
	if asked == 0 {
		wait = min(w.backoff.NextBackOff(), longestWait, w.longest)
	}
	deadline, bounded := ctx.Deadline()
	return wait, wait <= w.longest && (!bounded || time.Until(deadline) > wait)
}

// Sleep waits, or returns the context's error as soon as it ends.
func Sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
