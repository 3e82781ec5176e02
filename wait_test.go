package cfposture_test

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
)

const oneRule = `{"success":true,"errors":[],"messages":[],"result":{"id":"1","name":"n","type":"warp"}}`

// A script answers request after request, and notes when they came; the last answer is for all that follow.
type script struct {
	answers []roundTripper
	start   time.Time
	at      []time.Duration
}

func newScript(answers ...roundTripper) *script {
	return &script{answers: answers, start: time.Now()}
}

func (s *script) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	answer := s.answers[min(len(s.at), len(s.answers)-1)]
	s.at = append(s.at, time.Since(s.start))
	return answer(r)
}

func failing(status int, retryAfter string) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		header := http.Header{}
		if retryAfter != "" {
			header.Set("Retry-After", retryAfter)
		}
		return respond(r, status, header, strings.NewReader(`{"success":false,"errors":[{"code":10,"message":"busy"}],"result":null}`)), nil
	}
}

func succeeding(r *http.Request) (*http.Response, error) {
	return respond(r, http.StatusOK, nil, strings.NewReader(oneRule)), nil
}

func TestRetryAfterIsWaitedInFull(t *testing.T) {
	for name, test := range map[string]struct {
		status     int
		retryAfter func(now time.Time) string
		want       time.Duration
	}{
		"seconds":                      {429, func(time.Time) string { return "7" }, 7 * time.Second},
		"as long as is allowed":        {429, func(time.Time) string { return "60" }, time.Minute},
		"a date":                       {429, func(now time.Time) string { return now.Add(9 * time.Second).UTC().Format(http.TimeFormat) }, 9 * time.Second},
		"of a server in trouble":       {503, func(time.Time) string { return "11" }, 11 * time.Second},
		"of a proxy with an HTML page": {520, func(time.Time) string { return "12" }, 12 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(failing(test.status, test.retryAfter(time.Now())), succeeding)
				_, err := transportClient(t, s).Posture.Get(t.Context(), "id")
				require.NoError(t, err)
				assert.Equal(t, []time.Duration{0, test.want}, s.at)
			})
		})
	}
}

func TestRetryAfterThatMakesNoSenseIsABackoff(t *testing.T) {
	for _, retryAfter := range []string{"", "0", "-5", "soon", "1.5", "Thu, 01 Jan 1970 00:00:00 GMT"} {
		t.Run(retryAfter, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(failing(429, retryAfter))
				_, err := transportClient(t, s).Posture.Get(t.Context(), "id")
				var answer *cfposture.Error
				require.ErrorAs(t, err, &answer)
				assert.Zero(t, answer.RetryAfter)
				assertBackoff(t, s.at, 500*time.Millisecond, time.Second, 2*time.Second, 4*time.Second)
			})
		})
	}
}

// assertBackoff checks that no wait between requests is longer than its bound.
func assertBackoff(t *testing.T, at []time.Duration, bounds ...time.Duration) {
	t.Helper()
	require.Len(t, at, len(bounds)+1)
	for i, bound := range bounds {
		assert.LessOrEqual(t, at[i+1]-at[i], bound, "wait %d of %v", i, at)
	}
}

func TestBackoffNeverLeavesItsBounds(t *testing.T) {
	var longest time.Duration
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			s := newScript(failing(503, ""))
			_, err := transportClient(t, s, cfposture.WithMaxRetries(9), cfposture.WithMaxRetryWait(45*time.Second)).Posture.Get(t.Context(), "id")
			require.ErrorIs(t, err, cfposture.ErrServer)
			bounds := []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second}
			half := 30 * time.Second
			assertBackoff(t, s.at, append(bounds, half, half, half)...)
			longest = max(longest, s.at[9]-s.at[8])
		})
	}
	assert.Greater(t, longest, 20*time.Second, "the waits spread over what is allowed")
}

func TestMaxRetryWaitCutsTheBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(failing(503, ""))
		_, err := transportClient(t, s, cfposture.WithMaxRetryWait(300*time.Millisecond), cfposture.WithMaxRetries(8)).Posture.Get(t.Context(), "id")
		require.ErrorIs(t, err, cfposture.ErrServer)
		require.Len(t, s.at, 9)
		for i := range 8 {
			assert.LessOrEqual(t, s.at[i+1]-s.at[i], 300*time.Millisecond)
		}
	})
}

// What the API asks for and nobody wants to wait for ends the call at once.
func TestRetryAfterBeyondTheBoundsFailsAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		retryAfter string
		want       time.Duration
		opts       []cfposture.Option
		deadline   time.Duration
	}{
		"more than the default":        {"61", 61 * time.Second, nil, 0},
		"more than allowed":            {"6", 6 * time.Second, []cfposture.Option{cfposture.WithMaxRetryWait(5 * time.Second)}, 0},
		"absurd":                       {"99999999999999999999", math.MaxInt64, nil, 0},
		"absurd, where all is allowed": {"99999999999999999999", math.MaxInt64, []cfposture.Option{cfposture.WithMaxRetryWait(math.MaxInt64 - 1)}, 0},
		"past the deadline":            {"20", 20 * time.Second, nil, 10 * time.Second},
		"right at the deadline":        {"10", 10 * time.Second, nil, 10 * time.Second},
		"none is allowed":              {"1", time.Second, []cfposture.Option{cfposture.WithMaxRetryWait(0)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				s := newScript(failing(429, test.retryAfter))
				_, err := transportClient(t, s, test.opts...).Posture.Create(ctx, &cfposture.Rule{Name: "n", Type: cfposture.RuleTypeWARP})
				assert.Zero(t, time.Since(s.start), "at once")
				assert.Len(t, s.at, 1)
				var answer *cfposture.Error
				require.ErrorAs(t, err, &answer)
				require.ErrorIs(t, err, cfposture.ErrRateLimited)
				require.NotErrorIs(t, err, cfposture.ErrOutcomeUnknown)
				assert.Equal(t, test.deadline > 0, errors.Is(err, context.DeadlineExceeded), "where that is why: %v", err)
				assert.Equal(t, test.want, answer.RetryAfter)
				assert.ErrorContains(t, err, "(retry after ")
			})
		})
	}
}

func TestBackoffPastTheDeadlineFailsAtOnceWithTheLastAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		s := newScript(failing(503, ""))
		_, err := transportClient(t, s, cfposture.WithMaxRetries(100)).Posture.Get(ctx, "id")
		require.ErrorIs(t, err, cfposture.ErrServer)
		assert.Less(t, time.Since(s.start), 3*time.Second)
		assert.Greater(t, len(s.at), 1)
	})
}

func TestCancellingEndsAWaitAtOnce(t *testing.T) {
	lunch := errors.New("lunch")
	for name, end := range map[string]func(context.Context) (context.Context, func()){
		"cancelled": func(ctx context.Context) (context.Context, func()) {
			ctx, cancel := context.WithCancel(ctx)
			return ctx, cancel
		},
		"cancelled with a cause": func(ctx context.Context) (context.Context, func()) {
			ctx, cancel := context.WithCancelCause(ctx)
			return ctx, func() { cancel(lunch) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := end(t.Context())
				defer cancel()
				time.AfterFunc(17*time.Second, cancel)
				s := newScript(failing(429, "50"))
				_, err := transportClient(t, s).Posture.Create(ctx, &cfposture.Rule{Name: "n", Type: cfposture.RuleTypeWARP})
				assert.Equal(t, 17*time.Second, time.Since(s.start), "at once")
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, cfposture.ErrRateLimited)
				require.NotErrorIs(t, err, cfposture.ErrOutcomeUnknown, "it is known that nothing was done")
				var answer *cfposture.Error
				require.ErrorAs(t, err, &answer)
				assert.Equal(t, 50*time.Second, answer.RetryAfter)
				assert.Len(t, s.at, 1)
				require.ErrorContains(t, err, "waiting to retry, after: 429")
				if strings.Contains(name, "cause") {
					assert.ErrorIs(t, err, lunch)
				}
			})
		})
	}
}

func TestEveryAttemptHasTheWholeTimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}
		s := newScript(silent, silent, succeeding)
		_, err := transportClient(t, s, cfposture.WithTimeout(10*time.Second), cfposture.WithMaxRetryWait(0)).Posture.Get(t.Context(), "id")
		require.NoError(t, err)
		assert.Equal(t, []time.Duration{0, 10 * time.Second, 20 * time.Second}, s.at)

		s = newScript(silent)
		_, err = transportClient(t, s, cfposture.WithMaxRetries(0)).Posture.Get(t.Context(), "id")
		assert.Equal(t, 30*time.Second, time.Since(s.start), "the default")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "no response within 30s")
		var timeout interface{ Timeout() bool }
		require.ErrorAs(t, err, &timeout)
		assert.True(t, timeout.Timeout())
	})
}

// A trickle gives a part of an answer every so often, and ends with the request's context.
type trickle struct {
	ctx   context.Context //nolint:containedctx // the request's
	parts []string
	every time.Duration
}

func (b *trickle) Read(p []byte) (int, error) {
	if len(b.parts) == 0 {
		return 0, io.EOF
	}
	select {
	case <-b.ctx.Done():
		return 0, b.ctx.Err()
	case <-time.After(b.every):
	}
	n := copy(p, b.parts[0])
	b.parts[0] = b.parts[0][n:]
	if b.parts[0] == "" {
		b.parts = b.parts[1:]
	}
	return n, nil
}

func trickling(every time.Duration, parts ...string) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		body := &trickle{r.Context(), append([]string{}, parts...), every}
		return respond(r, http.StatusOK, nil, body), nil
	}
}

func TestBodyThatTricklesEndsAtTheTimeLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		letters := append([]string{`{"result":"`}, strings.Split(strings.Repeat("x", 1000), "")...)
		s := newScript(trickling(time.Second, letters...))
		for name, status := range map[string]int{"a success": 200, "a failure": 500} {
			s.start, s.at = time.Now(), nil
			s.answers = []roundTripper{func(r *http.Request) (*http.Response, error) {
				return respond(r, status, nil, &trickle{r.Context(), append([]string{}, letters...), time.Second}), nil
			}}
			err := transportClient(t, s, cfposture.WithTimeout(10*time.Second), cfposture.WithMaxRetries(0)).Posture.Delete(t.Context(), "id")
			require.Error(t, err, name)
			assert.Equal(t, 10*time.Second, time.Since(s.start), name)
		}
	})
}

// A server that sees its connection given up may end its answer properly.
func TestAnswerThatEndsWithItsAttemptIsNoUnreadableOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(r *http.Request) (*http.Response, error) {
			beginning, rest := io.Pipe()
			context.AfterFunc(r.Context(), func() { _ = rest.Close() })
			go func() { _, _ = rest.Write([]byte(`{"success":true,"result":{"id":`)) }()
			return respond(r, http.StatusOK, nil, beginning), nil
		})
		client := transportClient(t, s, cfposture.WithTimeout(10*time.Second), cfposture.WithMaxRetries(1))
		_, err := client.Posture.Get(t.Context(), "id")
		require.ErrorContains(t, err, "no response within 10s")
		assert.Len(t, s.at, 2, "it is tried again")

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = client.Posture.Get(ctx, "id")
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

func TestTimeLimitIsOneForHeadersAndBodyTogether(t *testing.T) {
	for body, want := range map[time.Duration]time.Duration{3 * time.Second: 9 * time.Second, 5 * time.Second: 10 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			s := newScript(func(r *http.Request) (*http.Response, error) {
				time.Sleep(6 * time.Second)
				return respond(r, http.StatusOK, nil, &trickle{r.Context(), []string{`{"success":true}`}, body}), nil
			})
			err := transportClient(t, s, cfposture.WithTimeout(10*time.Second), cfposture.WithMaxRetries(0)).Posture.Delete(t.Context(), "id")
			assert.Equal(t, want, time.Since(s.start))
			assert.Equal(t, body > 4*time.Second, errors.Is(err, context.DeadlineExceeded), "%v", err)
		})
	}
}

func TestWithoutATimeLimitOnlyTheContextEndsAnAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(trickling(24*time.Hour, oneRule))
		_, err := transportClient(t, s, cfposture.WithTimeout(0)).Posture.Get(t.Context(), "id")
		require.NoError(t, err)
		assert.GreaterOrEqual(t, time.Since(s.start), 24*time.Hour)
	})
}

// A middleware that counts timeouts must be able to tell them from a caller who gave up.
func TestMiddlewareSeesWhyAnAttemptEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, context.Cause(r.Context()) // as net/http does
		})
		var seen []error
		client := transportClient(t, s, cfposture.WithTimeout(time.Second), cfposture.WithMaxRetries(0),
			cfposture.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
				return roundTripper(func(r *http.Request) (*http.Response, error) {
					response, err := next.RoundTrip(r)
					seen = append(seen, err)
					return response, err
				})
			}))
		_, err := client.Posture.Get(t.Context(), "1")
		require.ErrorContains(t, err, "no response within 1s")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Millisecond, errors.New("gave up"))
		defer cancel()
		_, err = client.Posture.Get(ctx, "1")
		require.ErrorContains(t, err, "gave up")
		require.Len(t, seen, 2)
		require.ErrorIs(t, seen[0], context.DeadlineExceeded)
		require.EqualError(t, seen[0], "no response within 1s")
		require.EqualError(t, seen[1], "gave up")
	})
}
