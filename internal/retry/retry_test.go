package retry_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/internal/retry"
)

func TestOnlyMethodsThatDoNothingTwiceAreIdempotent(t *testing.T) {
	for method, want := range map[string]bool{
		http.MethodGet: true, http.MethodHead: true, http.MethodOptions: true,
		http.MethodPut: true, http.MethodPatch: true, http.MethodDelete: true,
		http.MethodPost: false, http.MethodConnect: false, "PURGE": false, "get": false, "": false,
	} {
		assert.Equal(t, want, retry.Idempotent(method), "method %q", method)
	}
}

func TestOnlyStatusesThatMayPassAreWorthARetry(t *testing.T) {
	passing := []int{408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527}
	for status := 100; status < 600; status++ {
		assert.Equal(t, slices.Contains(passing, status), retry.Status(status), "status %d", status)
	}
}

func TestOnlyAWrongCertificateStaysAsItIs(t *testing.T) {
	wrong := &tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}
	assert.False(t, retry.Transport(wrong))
	assert.False(t, retry.Transport(fmt.Errorf("wrapped: %w", wrong)))
	assert.True(t, retry.Transport(io.ErrUnexpectedEOF))
	assert.True(t, retry.Transport(syscall.ECONNREFUSED))
	assert.True(t, retry.Transport(tls.AlertError(40)), "the other side's alert may pass")
}

func TestRetryAfterIsSecondsOrADateAndNothingElse(t *testing.T) {
	now := time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                               0,
		"0":                              0,
		"1":                              time.Second,
		"120":                            2 * time.Minute,
		"-1":                             0,
		"+1":                             0,
		"1.5":                            0,
		"0x10":                           0,
		"1e3":                            0,
		"soon":                           0,
		"1, 2":                           0,
		"9223372036":                     9223372036 * time.Second, // the most that a Duration holds
		"9223372037":                     math.MaxInt64,
		"18446744073709551615":           math.MaxInt64,
		"99999999999999999999999999":     math.MaxInt64,
		"Sun, 01 Mar 2026 12:00:30 GMT":  30 * time.Second,
		"Sunday, 01-Mar-26 12:01:00 GMT": time.Minute,
		"Sun Mar  1 12:00:05 2026":       5 * time.Second,
		"Sun, 01 Mar 2026 11:59:59 GMT":  0,
		"Thu, 01 Jan 1970 00:00:00 GMT":  0,
		"Fri, 31 Dec 9999 23:59:59 GMT":  math.MaxInt64,
		"Sun, 32 Mar 2026 12:00:30 GMT":  0,
		"2026-03-01T12:00:30Z":           0,
	} {
		got := retry.After(http.Header{"Retry-After": {value}}, now)
		assert.Equal(t, want, got, "Retry-After: %s", value)
	}
	assert.Zero(t, retry.After(http.Header{}, now), "no header")
}

func TestBackoffIsFullyJitteredWithinGrowingBounds(t *testing.T) {
	const calls = 2000
	bounds := []time.Duration{
		500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second,
		16 * time.Second, 30 * time.Second, 30 * time.Second, 30 * time.Second,
	}
	low, high := make([]int, len(bounds)), make([]int, len(bounds))
	for range calls {
		waits := retry.NewWaits(time.Hour)
		for i, bound := range bounds {
			wait, allowed := waits.Next(context.Background(), 0)
			require.True(t, allowed)
			require.GreaterOrEqual(t, wait, time.Duration(0))
			require.LessOrEqual(t, wait, bound, "wait %d", i)
			if wait < bound/10 {
				low[i]++
			}
			if wait > bound-bound/10 {
				high[i]++
			}
		}
	}
	for i := range bounds {
		assert.InDelta(t, calls/10, low[i], calls/20, "wait %d: a tenth of the waits is in the lowest tenth", i)
		assert.Greater(t, high[i], calls/20, "wait %d: the waits reach up to the bound", i)
	}
}

func TestLongestWaitCutsTheBackoffAndRefusesWhatIsAskedBeyondIt(t *testing.T) {
	for _, longest := range []time.Duration{0, 1, time.Millisecond, 700 * time.Millisecond} {
		waits := retry.NewWaits(longest)
		for range 50 {
			wait, allowed := waits.Next(context.Background(), 0)
			require.True(t, allowed, "a wait of one's own is cut, not refused")
			require.LessOrEqual(t, wait, longest)
		}
	}
	waits := retry.NewWaits(time.Minute)
	for asked, want := range map[time.Duration]bool{
		1: true, time.Second: true, time.Minute: true, time.Minute + 1: false, math.MaxInt64: false,
	} {
		wait, allowed := waits.Next(context.Background(), asked)
		assert.Equal(t, want, allowed, "asked for %v", asked)
		assert.Equal(t, asked, wait, "what is asked for is waited in full or not at all")
	}
}

func TestNoWaitReachesTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for asked, want := range map[time.Duration]bool{
			time.Second: true, 10*time.Second - 1: true, 10 * time.Second: false, 11 * time.Second: false,
		} {
			_, allowed := retry.NewWaits(time.Minute).Next(ctx, asked)
			assert.Equal(t, want, allowed, "asked for %v with 10 s left", asked)
		}
		time.Sleep(10 * time.Second)
		_, allowed := retry.NewWaits(0).Next(ctx, 0)
		assert.False(t, allowed, "the deadline is over")
	})
}

func TestSleepEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		require.NoError(t, retry.Sleep(t.Context(), time.Minute))
		assert.Equal(t, time.Minute, time.Since(start))

		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start = time.Now()
		require.ErrorIs(t, retry.Sleep(ctx, time.Hour), context.Canceled)
		assert.Equal(t, time.Second, time.Since(start))
		require.ErrorIs(t, retry.Sleep(ctx, time.Hour), context.Canceled, "over before it began")
	})
}
