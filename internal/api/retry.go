package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// How long to wait between two attempts: what the server asks for, or full-jitter exponential backoff. Full jitter,
// because many programs may meet the same outage at the same moment, and should not come back together.

// The random wait before a retry is up to half a second at first, twice as much each time, half a minute at the most.
const (
	firstWait   = 500 * time.Millisecond
	longestWait = 30 * time.Second
)

// waits are the waits between the attempts of one operation. They are made when the first one is needed, which for most
// operations is never.
type waits struct {
	longest time.Duration
	backoff backoff.ExponentialBackOff
}

// newWaits returns waits of which none is over longest.
func newWaits(longest time.Duration) *waits {
	return &waits{longest: longest, backoff: backoff.ExponentialBackOff{
		// A factor of 1 spreads a wait over 0 to twice the interval: full jitter.
		RandomizationFactor: 1,
		InitialInterval:     firstWait / 2,
		MaxInterval:         longestWait / 2,
		Multiplier:          2,
	}}
}

// next returns how long to wait before the next attempt. If the server asks for a wait (0 if it doesn't), it is kept
// in full or not at all: a wait beyond the longest one or the context's deadline is an error. Coming back early would
// only be refused again, and may prolong the limit.
func (w *waits) next(ctx context.Context, asked time.Duration) (time.Duration, error) {
	wait := asked
	if asked == 0 {
		wait = min(w.backoff.NextBackOff(), longestWait, w.longest)
	}
	if wait > w.longest {
		return 0, fmt.Errorf("the wait would be longer than the %v that WithMaxRetryWait allows", w.longest)
	}
	if deadline, bounded := ctx.Deadline(); bounded && time.Until(deadline) <= wait {
		return 0, fmt.Errorf("%w in %v, before the wait is over", context.DeadlineExceeded, time.Until(deadline).Round(time.Millisecond))
	}
	return wait, nil
}

// sleep waits, or returns the context's error as soon as it ends. A timer that is stopped leaves nothing behind, however
// long it was set for.
func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// retryAfter reads a Retry-After header: seconds, or a date. The date is compared with the response's own Date,
// because the local clock may be wrong. It is 0 if there is no header or it makes no sense. A number that is too large
// is not nonsense: it asks for a very long wait, which ends the operation.
func retryAfter(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if value == "" {
		return 0
	}
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
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(0, date.Sub(now))
}
