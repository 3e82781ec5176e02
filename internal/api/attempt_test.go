package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"
)

func TestRequestAsItIsSent(t *testing.T) {
	var sent *http.Request
	var body []byte
	c := newConfig(roundTripper(func(r *http.Request) (*http.Response, error) {
		sent, body = r, nil
		if r.Body != nil {
			var err error
			body, err = io.ReadAll(r.Body)
			require.NoError(t, err)
			again, err := r.GetBody()
			require.NoError(t, err)
			copied, err := io.ReadAll(again)
			require.NoError(t, err)
			assert.Equal(t, body, copied)
		}
		return respond(r, 200, nil, success), nil
	}))
	c.Headers = []func(*http.Request){
		func(r *http.Request) { r.Header.Set("X-One", "1") },
		func(r *http.Request) { r.Header.Set("Accept", "text/plain") },
		func(r *http.Request) { r.Host = "other.example.com" },
	}
	_, err := Do(t.Context(), c, &Request{Method: http.MethodPost, Path: "a%2Fb/c", Query: "page=2&x=%20", Body: []byte(testBody)})
	require.NoError(t, err)
	assert.Equal(t, "https://api.example.com/v4/a%2Fb/c?page=2&x=%20", sent.URL.String())
	assert.Equal(t, "other.example.com", sent.Host)
	assert.Equal(t, testBody, string(body))
	assert.EqualValues(t, len(testBody), sent.ContentLength)
	assert.Equal(t, http.Header{
		"Accept": {"text/plain"}, "Authorization": {"Bearer " + testToken}, "Content-Type": {"application/json"},
		"User-Agent": {"test/1"}, "X-One": {"1"},
	}, sent.Header, "what is set last counts")

	for _, method := range methods {
		_, err = Do(t.Context(), c, &Request{Method: method, Path: "a"})
		require.NoError(t, err)
		assert.Empty(t, body)
		assert.NotContains(t, sent.Header, "Content-Type", "there is no content")
		assert.Equal(t, method, sent.Method)
	}
}

// A body arrives whole in every attempt.
func TestBodyIsTheSameInEveryAttempt(t *testing.T) {
	for _, protocol := range []string{overHTTP, overTLS, overH2, overH2C} {
		synctest.Test(t, func(t *testing.T) {
			var bodies []string
			large := `"` + strings.Repeat("x", 1<<20) + `"`
			transport, baseURL := newNetwork().serve(t, protocol, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				assert.NoError(t, err)
				bodies = append(bodies, string(body))
				w.WriteHeader(429)
			}))
			c := newConfig(transport)
			c.BaseURL = baseURL
			_, err := Do(t.Context(), c, &Request{Method: http.MethodPost, Path: "a", Body: []byte(large)})
			require.Error(t, err)
			assert.Equal(t, 3, len(bodies), protocol)
			for _, body := range bodies {
				assert.Equal(t, len(large), len(body), protocol)
			}
		})
	}
}

func TestInvalidMethodIsNotSent(t *testing.T) {
	s := newScript(succeeding)
	_, err := Do(t.Context(), newConfig(s), &Request{Method: "BAD METHOD", Path: "a"})
	require.EqualError(t, err, `cfposture: BAD METHOD a: net/http: invalid method "BAD METHOD"`)
	require.NotErrorIs(t, err, ErrOutcomeUnknown)
	assert.Empty(t, s.at)
}

func silent(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestTimeoutIsOneAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(silent, silent, succeeding)
		c := newConfig(s)
		c.Timeout, c.MaxRetryWait = 10*time.Second, 0
		_, err := ask(t.Context(), c, http.MethodGet)
		require.NoError(t, err)
		assert.Equal(t, []time.Duration{0, 10 * time.Second, 20 * time.Second}, s.at)

		c.Timeout = 0
		s = newScript(func(r *http.Request) (*http.Response, error) {
			time.Sleep(24 * time.Hour)
			return succeeding(r)
		})
		c.HTTP = NewHTTPClient(&http.Client{Transport: s})
		_, err = ask(t.Context(), c, http.MethodGet)
		require.NoError(t, err, "no limit")
	})
}

func TestTimeoutIsANetError(t *testing.T) {
	for says, configure := range map[string]func(c *Config){
		"no response within 30s": func(*Config) {},
		"no credentials within 30s": func(c *Config) {
			c.Authorize = func(ctx context.Context, _ http.Header) error {
				<-ctx.Done()
				return ctx.Err()
			}
		},
		"deadline exceeded": func(c *Config) { // by the caller's client
			c.Timeout = 0
			c.HTTP = NewHTTPClient(&http.Client{Transport: roundTripper(silent), Timeout: time.Second})
		},
		"no response [redacted] 30s": func(c *Config) { // cleaned
			c.Headers = []func(*http.Request){func(r *http.Request) { r.Header.Set("X-Secret", "within") }}
		},
	} {
		for _, method := range methods {
			synctest.Test(t, func(t *testing.T) {
				c := newConfig(roundTripper(silent))
				c.MaxRetries = 0
				configure(c)
				_, err := ask(t.Context(), c, method)
				require.ErrorContains(t, err, says, method)
				require.ErrorIs(t, err, context.DeadlineExceeded, method)
				var timeout net.Error
				require.ErrorAs(t, err, &timeout, method)
				assert.True(t, timeout.Timeout(), method)
			})
		}
	}
}

// A trickle gives a part of a response every so often, and ends with the request's context.
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
	b.parts = b.parts[1:]
	return n, nil
}

func TestTimeoutIsForTheHeaderAndTheBodyTogether(t *testing.T) {
	letters := append([]string{`{"result":"`}, strings.Split(strings.Repeat("x", 1000), "")...)
	for name, test := range map[string]struct {
		status int
		parts  []string
		every  time.Duration
		want   time.Duration
	}{
		"in time":                      {200, []string{success}, 3 * time.Second, 9 * time.Second},
		"too late":                     {200, []string{success}, 5 * time.Second, 10 * time.Second},
		"a success without an end":     {200, letters, time.Second, 10 * time.Second},
		"a failure without an end":     {500, letters, time.Second, 10 * time.Second},
		"a client's fault, unfinished": {400, letters, time.Second, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(func(r *http.Request) (*http.Response, error) {
					time.Sleep(6 * time.Second)
					return respondWith(r, test.status, nil, &trickle{r.Context(), append([]string{}, test.parts...), test.every}), nil
				})
				c := newConfig(s)
				c.Timeout, c.MaxRetries = 10*time.Second, 0
				_, err := ask(t.Context(), c, http.MethodGet)
				assert.Equal(t, test.want, time.Since(s.start))
				assert.Equal(t, name == "in time", err == nil, "%v", err)
			})
		})
	}
}

// A server that sees its connection given up may end its response properly.
func TestResponseThatEndsWithItsAttemptIsNoUnreadableOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(func(r *http.Request) (*http.Response, error) {
			beginning, rest := io.Pipe()
			context.AfterFunc(r.Context(), func() { _ = rest.Close() })
			go func() { _, _ = io.WriteString(rest, success[:20]) }()
			return respondWith(r, 200, nil, beginning), nil
		})
		c := newConfig(s)
		c.MaxRetries = 1
		_, err := ask(t.Context(), c, http.MethodGet)
		require.ErrorContains(t, err, "no response within 30s")
		assert.Len(t, s.at, 2, "it is retried")

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = ask(ctx, c, http.MethodGet)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = ask(ctx, c, http.MethodPost)
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
}

// A middleware that counts timeouts must be able to tell them from a caller that gave up.
func TestMiddlewareSeesWhyAnAttemptEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConfig(roundTripper(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, context.Cause(r.Context()) // as net/http does
		}))
		var seen []error
		wrap(t, c, func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				response, err := next.RoundTrip(r)
				seen = append(seen, err)
				return response, err
			})
		})
		c.MaxRetries = 0
		_, err := ask(t.Context(), c, http.MethodGet)
		require.ErrorContains(t, err, "no response within 30s")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, errTest)
		defer cancel()
		_, err = ask(ctx, c, http.MethodGet)
		require.ErrorIs(t, err, errTest)
		require.Len(t, seen, 2)
		require.ErrorIs(t, seen[0], context.DeadlineExceeded)
		require.EqualError(t, seen[0], "no response within 30s")
		require.EqualError(t, seen[1], "the test's")
	})
}

func TestContextThatEndsDuringAnAttemptEndsItAtOnce(t *testing.T) {
	for _, s := range scenarios() {
		if s.outcome != interrupted && s.outcome != notSent || s.after == 0 {
			continue
		}
		for _, method := range without(methods, s.unless...) {
			t.Run(s.name+"/"+method, func(t *testing.T) {
				s.run(t, func(t *testing.T, c *Config, _ *network, _ *atomic.Int64) {
					ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errTest)
					defer cancel()
					c.Timeout = time.Hour
					start := time.Now()
					_, err := ask(ctx, c, method)
					assert.Equal(t, time.Minute, time.Since(start))
					require.ErrorIs(t, err, context.DeadlineExceeded)
					require.ErrorIs(t, err, errTest, "the cause is told as well")
				})
			})
		}
	}
}

// net/http may hand over the error of a dial that another request has given up.
func TestCancellationOfAnotherRequestIsNotTheCallers(t *testing.T) {
	for _, theirs := range []error{context.Canceled, fmt.Errorf("dial: %w", context.Canceled), errors.Join(errTest, context.Canceled)} {
		for _, method := range methods {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(func(*http.Request) (*http.Response, error) { return nil, theirs }, succeeding)
				response, err := ask(t.Context(), newConfig(s), method)
				if isIdempotent(method) {
					require.NoError(t, err)
					assert.Equal(t, 2, response.Attempts)
					return
				}
				require.ErrorContains(t, err, "the connection was given up by another request: ")
				require.NotErrorIs(t, err, context.Canceled, "the caller has cancelled nothing")
				require.ErrorIs(t, err, ErrOutcomeUnknown)
			})
		}
	}
}

// A client's fault is no reason for a retry, but where its text was lost, a GET may ask for it again.
func TestRejectionWhoseTextWasLost(t *testing.T) {
	cut := func(r *http.Request) (*http.Response, error) {
		return respondWith(r, 403, nil, io.MultiReader(strings.NewReader(`{"success":false,`), failingReader{io.ErrUnexpectedEOF})), nil
	}
	forbidden := responding(403, `{"success":false,"errors":[{"code":1,"message":"no access"}]}`)
	for _, method := range methods {
		synctest.Test(t, func(t *testing.T) {
			s := newScript(cut, forbidden)
			_, err := ask(t.Context(), newConfig(s), method)
			assert.Equal(t, 403, failureOf(t, err).StatusCode)
			require.NotErrorIs(t, err, ErrOutcomeUnknown)
			if isIdempotent(method) {
				require.ErrorContains(t, err, "no access")
				assert.Len(t, s.at, 2)
			} else {
				assert.Len(t, s.at, 1)
			}
		})
	}
}

func TestLimiterIsAskedBeforeEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(limited)
		c := newConfig(s)
		c.Limiter = rate.NewLimiter(rate.Every(100*time.Second), 1)
		_, err := ask(t.Context(), c, http.MethodPost)
		require.Error(t, err)
		require.Len(t, s.at, 3)
		for i, at := range s.at {
			assert.InDelta(t, time.Duration(i)*100*time.Second, at, float64(time.Millisecond))
		}
	})
}

// rate.Limiter has no error of its own for a turn that comes after the deadline.
func TestLimiterWhoseTurnComesAfterTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(succeeding)
		c := newConfig(s)
		limiter := rate.NewLimiter(rate.Every(time.Hour), 1)
		c.Limiter = limiter
		_, err := ask(t.Context(), c, http.MethodGet)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err = ask(ctx, c, http.MethodGet)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Zero(t, time.Since(s.start), "at once")

		c.Limiter = rate.NewLimiter(rate.Every(time.Hour), 0)
		_, err = ask(ctx, c, http.MethodGet)
		require.ErrorContains(t, err, "exceeds limiter's burst")
		require.NotErrorIs(t, err, context.DeadlineExceeded, "it is not the deadline's fault")
		c.Limiter = limiterFunc(func(context.Context) error { return errTest })
		_, err = ask(ctx, c, http.MethodGet)
		require.NotErrorIs(t, err, context.DeadlineExceeded, "another limiter says itself what is wrong")

		ctx, cancelCause := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancelCause(errTest) })
		c.Limiter = limiter
		_, err = ask(ctx, c, http.MethodGet)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, errTest)
		assert.Equal(t, time.Second, time.Since(s.start), "at once")
		assert.Len(t, s.at, 1)
	})
}

func TestObserverIsToldOfEveryResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		way := func(status int, header http.Header) roundTripper {
			return func(r *http.Request) (*http.Response, error) { return respond(r, status, header, success), nil }
		}
		c := newConfig(newScript(
			way(429, http.Header{"Retry-After": {"7"}}),
			lostConnection,
			way(200, http.Header{"Ratelimit": {`"default";r=3;t=9`}}),
		))
		var told []RateLimit
		type key struct{}
		c.Observe = func(ctx context.Context, limit RateLimit) {
			assert.Equal(t, "mine", ctx.Value(key{}))
			told = append(told, limit)
		}
		_, err := ask(context.WithValue(t.Context(), key{}, "mine"), c, http.MethodGet)
		require.NoError(t, err)
		assert.Equal(t, []RateLimit{{RetryAfter: 7 * time.Second}, {Policy: "default", Remaining: 3, Reset: 9 * time.Second}}, told)
	})
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		responses := []http.HandlerFunc{
			reply(503, "<html>"), reply(429, strings.Repeat("x", 100_000)), reply(404, ""), reply(200, success), reply(200, "{}"),
		}
		turn := 0
		transport, baseURL := n.serve(t, overHTTP, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			turn++
			responses[turn%len(responses)](w, r)
		}))
		c := newConfig(transport)
		c.BaseURL = baseURL
		for range 5 {
			for _, method := range methods {
				_, _ = ask(t.Context(), c, method)
			}
		}
		assert.EqualValues(t, 1, n.dials.Load(), "every response was read to its end")
	})
}
