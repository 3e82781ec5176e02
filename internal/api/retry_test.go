package api

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	const now = "Sun, 01 Mar 2026 12:00:00 GMT"
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
		got := retryAfter(http.Header{"Retry-After": {value}, "Date": {now}})
		assert.Equal(t, want, got, "Retry-After: %s", value)
	}
	assert.Zero(t, retryAfter(http.Header{}), "no header")
}

// The clocks of two machines differ: a date is read against the one of the machine that wrote it.
func TestRetryAfterDateIsReadAgainstTheResponsesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		theirs := time.Now().Add(3 * time.Hour)
		header := http.Header{
			"Date":        {theirs.UTC().Format(http.TimeFormat)},
			"Retry-After": {theirs.Add(9 * time.Second).UTC().Format(http.TimeFormat)},
		}
		assert.Equal(t, 9*time.Second, retryAfter(header))
		for _, date := range [][]string{nil, {""}, {"today"}} {
			header := http.Header{"Date": date, "Retry-After": {time.Now().Add(9 * time.Second).UTC().Format(http.TimeFormat)}}
			assert.Equal(t, 9*time.Second, retryAfter(header), "without a date, against the clock here: %v", date)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, value := range []string{
		"", "0", "120", "-1", "1.5", "99999999999999999999", "9223372036854775807",
		now.Add(time.Hour).Format(http.TimeFormat), "Mon, 01 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT",
	} {
		f.Add(value, now.Format(http.TimeFormat))
		f.Add(value, "Fri, 31 Dec 9999 23:59:59 GMT")
	}
	f.Fuzz(func(t *testing.T, value, date string) {
		assert.GreaterOrEqual(t, retryAfter(http.Header{"Retry-After": {value}, "Date": {date}}), time.Duration(0))
	})
}

func TestWaitsAreFullyJitteredWithinGrowingBounds(t *testing.T) {
	const calls = 2000
	bounds := []time.Duration{
		500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second,
		16 * time.Second, 30 * time.Second, 30 * time.Second, 30 * time.Second,
	}
	low, high := make([]int, len(bounds)), make([]int, len(bounds))
	for range calls {
		waits := newWaits(time.Hour)
		for i, bound := range bounds {
			wait, err := waits.next(t.Context(), 0)
			require.NoError(t, err)
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

func TestLongestWait(t *testing.T) {
	for _, longest := range []time.Duration{0, 1, time.Millisecond, 700 * time.Millisecond} {
		waits := newWaits(longest)
		for range 50 {
			wait, err := waits.next(t.Context(), 0)
			require.NoError(t, err, "a wait of one's own is cut, not refused")
			require.LessOrEqual(t, wait, longest)
		}
	}
	waits := newWaits(time.Minute)
	for asked, allowed := range map[time.Duration]bool{1: true, time.Second: true, time.Minute: true, time.Minute + 1: false, math.MaxInt64: false} {
		wait, err := waits.next(t.Context(), asked)
		if !allowed {
			require.EqualError(t, err, "the wait would be longer than the 1m0s that WithMaxRetryWait allows")
			continue
		}
		require.NoError(t, err)
		assert.Equal(t, asked, wait, "what is asked for is waited in full")
	}
}

func TestNoWaitReachesTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		for asked, allowed := range map[time.Duration]bool{
			time.Second: true, 10*time.Second - 1: true, 10 * time.Second: false, 11 * time.Second: false,
		} {
			_, err := newWaits(time.Minute).next(ctx, asked)
			assert.Equal(t, allowed, err == nil, "asked for %v with 10 s left", asked)
			assert.Equal(t, allowed, !errors.Is(err, context.DeadlineExceeded))
		}
		time.Sleep(10 * time.Second)
		_, err := newWaits(0).next(ctx, 0)
		require.Error(t, err, "the deadline is over")
	})
}

func TestSleepEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		require.NoError(t, sleep(t.Context(), time.Minute))
		assert.Equal(t, time.Minute, time.Since(start))

		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start = time.Now()
		require.ErrorIs(t, sleep(ctx, time.Hour), context.Canceled)
		assert.Equal(t, time.Second, time.Since(start))
		require.ErrorIs(t, sleep(ctx, time.Hour), context.Canceled, "over before it began")
	})
}

// asking is a way of a script that fails with the status and a Retry-After header.
func asking(status int, retryAfter string) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		header := http.Header{"Retry-After": {retryAfter}}
		return respond(r, status, header, `{"success":false,"errors":[{"code":10,"message":"busy"}],"result":null}`), nil
	}
}

func TestRetryAfterIsWaitedInFull(t *testing.T) {
	for name, test := range map[string]struct {
		status     int
		retryAfter string
		want       time.Duration
	}{
		"seconds":                {429, "7", 7 * time.Second},
		"as long as is allowed":  {429, "60", time.Minute},
		"of a server in trouble": {503, "11", 11 * time.Second},
		"of a proxy":             {520, "12", 12 * time.Second},
		"a date":                 {429, "Sat, 01 Jan 2000 00:00:09 GMT", 9 * time.Second}, // when a bubble's time begins
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(asking(test.status, test.retryAfter), succeeding)
				_, err := ask(t.Context(), newConfig(s), http.MethodGet)
				require.NoError(t, err)
				assert.Equal(t, []time.Duration{0, test.want}, s.at)
			})
		})
	}
}

func TestRetryAfterThatMakesNoSenseIsABackoff(t *testing.T) {
	for _, retryAfter := range []string{"", "0", "-5", "soon", "1.5", "Thu, 01 Jan 1970 00:00:00 GMT"} {
		synctest.Test(t, func(t *testing.T) {
			s := newScript(asking(429, retryAfter))
			_, err := ask(t.Context(), newConfig(s), http.MethodPost)
			assert.Zero(t, failureOf(t, err).RetryAfter)
			require.Len(t, s.at, 3)
			assert.LessOrEqual(t, s.at[1], 500*time.Millisecond)
			assert.LessOrEqual(t, s.at[2]-s.at[1], time.Second)
		})
	}
}

// What the API asks for and nobody wants to wait for ends the operation at once.
func TestRetryAfterBeyondTheBounds(t *testing.T) {
	for name, test := range map[string]struct {
		retryAfter string
		want       time.Duration
		longest    time.Duration
		deadline   time.Duration
		says       string
	}{
		"more than allowed":            {"61", 61 * time.Second, time.Minute, 0, "not retried: the wait would be longer than the 1m0s that WithMaxRetryWait allows"},
		"absurd":                       {"99999999999999999999", math.MaxInt64, time.Minute, 0, "not retried: the wait would be longer than the "},
		"absurd, where all is allowed": {"99999999999999999999", math.MaxInt64, math.MaxInt64 - 1, 0, "not retried: the wait would be longer than the "},
		"past the deadline":            {"20", 20 * time.Second, time.Minute, 10 * time.Second, "not retried: context deadline exceeded in 10s, before the wait is over"},
		"right at the deadline":        {"10", 10 * time.Second, time.Minute, 10 * time.Second, "not retried: context deadline exceeded in 10s, before the wait is over"},
		"none is allowed":              {"1", time.Second, 0, 0, "not retried: the wait would be longer than the 0s that WithMaxRetryWait allows"},
	} {
		for _, method := range methods {
			t.Run(name+"/"+method, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx := t.Context()
					if test.deadline > 0 {
						var cancel context.CancelFunc
						ctx, cancel = context.WithTimeout(ctx, test.deadline)
						defer cancel()
					}
					s := newScript(asking(429, test.retryAfter))
					c := newConfig(s)
					c.MaxRetryWait = test.longest
					_, err := ask(ctx, c, method)
					assert.Zero(t, time.Since(s.start), "at once")
					assert.Len(t, s.at, 1)
					assertOneLine(t, method, err)
					require.ErrorContains(t, err, test.says)
					require.NotErrorIs(t, err, ErrOutcomeUnknown)
					assert.Equal(t, test.deadline > 0, errors.Is(err, context.DeadlineExceeded), "that is why")
					assert.Equal(t, test.want, failureOf(t, err).RetryAfter)
				})
			})
		}
	}
}

func TestBackoffPastTheDeadlineEndsWithTheLastFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		s := newScript(badGateway)
		c := newConfig(s)
		c.MaxRetries = 100
		_, err := ask(ctx, c, http.MethodGet)
		assert.Equal(t, 502, failureOf(t, err).StatusCode)
		require.ErrorContains(t, err, "not retried: context deadline exceeded in ")
		assert.Less(t, time.Since(s.start), 3*time.Second)
		assert.Greater(t, len(s.at), 1)
	})
}

func TestCancellingEndsAWaitAtOnce(t *testing.T) {
	for _, method := range methods {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(17*time.Second, func() { cancel(errTest) })
			s := newScript(asking(429, "50"))
			_, err := ask(ctx, newConfig(s), method)
			assert.Equal(t, 17*time.Second, time.Since(s.start))
			require.ErrorIs(t, err, context.Canceled)
			require.ErrorIs(t, err, errTest)
			require.NotErrorIs(t, err, ErrOutcomeUnknown, "it is known that nothing was done")
			assert.Equal(t, 50*time.Second, failureOf(t, err).RetryAfter)
			assert.Len(t, s.at, 1)
			require.ErrorContains(t, err, fmt.Sprintf("cfposture: %s things/1: context canceled: the test's, waiting to retry, after: 429", method))
		})
	}
}
