package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/cfposture/cfposture/internal/wire"
)

// Ways of a script.
var (
	succeeding  = responding(200, success)
	limited     = responding(429, `{"success":false,"errors":[{"code":971,"message":"slow down"}],"result":null}`)
	badGateway  = responding(502, "<html>502 Bad Gateway</html>")
	notFound    = responding(404, `{"success":false,"errors":[{"code":1,"message":"not found"}],"result":null}`)
	notFoundAPI = responding(400, `{"success":false,"errors":[{"code":6024,"message":"no such rule"}],"result":null}`)
	inChain     = responding(400, `{"success":false,"errors":[{"code":1,"error_chain":[{"code":6024}]}],"result":null}`)
	with200     = responding(200, `{"success":false,"errors":[{"code":6024}],"result":null}`)
	notFoundWeb = responding(404, "<html>404 Not Found</html>")
	notFoundNil = responding(404, "")
	odd404      = responding(404, `{"success":true,"result":{}}`)
)

func refused(*http.Request) (*http.Response, error) { return nil, errRefused }

func lostConnection(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF }

func TestDeleteThatFindsNothing(t *testing.T) {
	for name, test := range map[string]struct {
		ways    []roundTripper
		deleted bool
	}{
		"at once":                             {[]roundTripper{notFound}, false},
		"at once, by its code":                {[]roundTripper{notFoundAPI}, false},
		"after a refusal":                     {[]roundTripper{limited, notFound}, false},
		"after a refusal, by its code":        {[]roundTripper{limited, notFoundAPI}, false},
		"after refusals":                      {[]roundTripper{limited, limited, notFound}, false},
		"after a bad gateway":                 {[]roundTripper{badGateway, notFound}, true},
		"after a bad gateway, by its code":    {[]roundTripper{badGateway, notFoundAPI}, true},
		"after a bad gateway, by a cause":     {[]roundTripper{badGateway, inChain}, true},
		"after a bad gateway, with 200":       {[]roundTripper{badGateway, with200}, true},
		"after a lost connection":             {[]roundTripper{lostConnection, notFound}, true},
		"after a bad gateway and a refusal":   {[]roundTripper{badGateway, limited, notFound}, true},
		"after a refusal and a bad gateway":   {[]roundTripper{limited, badGateway, notFound}, true},
		"after a bad gateway, from a proxy":   {[]roundTripper{badGateway, notFoundWeb}, false},
		"after a bad gateway, empty":          {[]roundTripper{badGateway, notFoundNil}, false},
		"after a bad gateway, odd":            {[]roundTripper{badGateway, odd404}, false},
		"after a lost connection, from proxy": {[]roundTripper{lostConnection, notFoundWeb}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(test.ways...)
				response, err := ask(t.Context(), newConfig(s), http.MethodDelete)
				assert.Len(t, s.at, len(test.ways))
				assert.Equal(t, len(test.ways), response.Attempts)
				if test.deleted {
					require.NoError(t, err)
					return
				}
				assert.Contains(t, []int{404, 400}, failureOf(t, err).StatusCode)
			})
		})
	}
}

// What a DELETE may have done stays to be seen in its error.
func TestDeleteThatFailsAfterItMayHaveDeleted(t *testing.T) {
	forbidden := responding(403, `{"success":false,"errors":[{"code":1,"message":"no access"}]}`)
	synctest.Test(t, func(t *testing.T) {
		_, err := ask(t.Context(), newConfig(newScript(badGateway, forbidden)), http.MethodDelete)
		assertOneLine(t, http.MethodDelete, err)
		require.ErrorContains(t, err, "403: no access, after: 502")
		assert.Equal(t, 403, failureOf(t, err).StatusCode)

		_, err = ask(t.Context(), newConfig(newScript(limited, forbidden)), http.MethodDelete)
		require.EqualError(t, err, "cfposture: DELETE things/1: 403: no access (2 attempts)")
		_, err = ask(t.Context(), newConfig(newScript(badGateway, forbidden)), http.MethodPut)
		require.EqualError(t, err, "cfposture: PUT things/1: 403: no access (2 attempts)")
	})
}

// A rejection that did not come whole says nothing of the one that follows.
func TestRejectionThatWasCutShortIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut := func(r *http.Request) (*http.Response, error) {
			return respondWith(r, 404, nil, failingReader{io.ErrUnexpectedEOF}), nil
		}
		asked := 0
		c := newConfig(newScript(cut, succeeding))
		c.Limiter = limiterFunc(func(context.Context) error {
			if asked++; asked > 1 {
				return errTest
			}
			return nil
		})
		_, err := ask(t.Context(), c, http.MethodGet)
		require.ErrorIs(t, err, errTest)
		var found *testError
		require.NotErrorAs(t, err, &found, "it is not known whether it was not found")
	})
}

// A refused dial has deleted nothing.
func TestDeleteThatFindsNothingAfterARefusedDial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork()
		transport, baseURL := n.serve(t, overHTTP, reply(404, `{"success":false,"errors":[{"code":1,"message":"not found"}]}`))
		dial := transport.DialContext
		dials := 0
		transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			if dials++; dials == 1 {
				return nil, errRefused
			}
			return dial(ctx, network, address)
		}
		c := newConfig(transport)
		c.BaseURL = parseURL(baseURL)
		response, err := ask(t.Context(), c, http.MethodDelete)
		require.Error(t, err)
		assert.Equal(t, 404, failureOf(t, err).StatusCode)
		assert.Equal(t, 2, response.Attempts)
	})
}

func TestOtherMethodsThatFindNothingOnARetryFail(t *testing.T) {
	for _, method := range without(methods, http.MethodDelete, http.MethodPost, "PURGE") {
		synctest.Test(t, func(t *testing.T) {
			_, err := ask(t.Context(), newConfig(newScript(badGateway, notFound)), method)
			assert.Equal(t, 404, failureOf(t, err).StatusCode, method)
		})
	}
}

func TestPOSTIsRetriedAsLongAsItIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newConfig(newScript(limited, limited, limited, succeeding))
		c.MaxRetries = 3
		response, err := ask(t.Context(), c, http.MethodPost)
		require.NoError(t, err)
		assert.Equal(t, 4, response.Attempts)

		s := newScript(limited, badGateway, succeeding)
		_, err = ask(t.Context(), newConfig(s), http.MethodPost)
		require.ErrorIs(t, err, ErrOutcomeUnknown)
		assert.Len(t, s.at, 2)
	})
}

func TestRetriesCanBeTurnedOff(t *testing.T) {
	for _, method := range methods {
		s := newScript(limited)
		c := newConfig(s)
		c.MaxRetries = 0
		_, err := ask(t.Context(), c, method)
		assert.Equal(t, 429, failureOf(t, err).StatusCode)
		assert.Len(t, s.at, 1)
	}
}

// A retry that comes to nothing must not hide what the attempt before it may have done.
func TestFailureBeforeARetryIsJoinedToTheOneBefore(t *testing.T) {
	limiter := func(c *Config, err error) {
		asked := 0
		c.Limiter = limiterFunc(func(context.Context) error {
			if asked++; asked > 1 {
				return err
			}
			return nil
		})
	}
	for name, test := range map[string]struct {
		configure func(c *Config, cancel context.CancelCauseFunc)
		says      string
		causes    []error
	}{
		"limiter": {
			func(c *Config, _ context.CancelCauseFunc) { limiter(c, errTest) },
			"rate limit: the test's, after: ", []error{errTest},
		},
		"token source": {
			func(c *Config, _ context.CancelCauseFunc) {
				asked := 0
				c.Authorize = func(context.Context, http.Header) error {
					if asked++; asked > 1 {
						return errTest
					}
					return nil
				}
			}, "the test's, after: ", []error{errTest},
		},
		"token source that takes too long": {
			func(c *Config, _ context.CancelCauseFunc) {
				asked := 0
				c.Authorize = func(ctx context.Context, _ http.Header) error {
					if asked++; asked > 1 {
						<-ctx.Done()
						return errTest
					}
					return nil
				}
			}, "no credentials within 30s, after: ", []error{errTest, context.DeadlineExceeded},
		},
		"limiter whose turn is too late": {
			func(c *Config, cancel context.CancelCauseFunc) {
				time.AfterFunc(time.Minute, func() { cancel(errTest) })
				waited := 0
				c.Limiter = limiterFunc(func(ctx context.Context) error {
					if waited++; waited > 1 {
						<-ctx.Done()
						return errors.New("gave up")
					}
					return nil
				})
			}, "rate limit: gave up: context canceled: the test's, after: ", []error{errTest, context.Canceled},
		},
		"wait": {
			func(_ *Config, cancel context.CancelCauseFunc) {
				time.AfterFunc(time.Nanosecond, func() { cancel(errTest) }) // the random wait is hardly ever shorter
			}, "context canceled: the test's, waiting to retry, after: ", []error{errTest, context.Canceled},
		},
		"pacing": {
			func(c *Config, cancel context.CancelCauseFunc) {
				c.Pacer = new(Pacer)
				time.AfterFunc(20*time.Second, func() { cancel(errTest) })
			}, "context canceled: the test's, waiting for the next rate limit window, after: ", []error{errTest, context.Canceled},
		},
	} {
		for _, before := range []int{429, 502} {
			for _, method := range methods {
				if before == 502 && !isIdempotent(method) {
					continue // there is no retry
				}
				t.Run(name+"/"+method, func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						s := newScript(func(r *http.Request) (*http.Response, error) {
							// A full window, which pacing waits for; the backoff before a retry is shorter.
							return respond(r, before, http.Header{"Ratelimit": {`"default";r=0;t=50`}}, `{"success":false,"errors":[{"code":1,"message":"busy"}]}`), nil
						})
						ctx, cancel := context.WithCancelCause(t.Context())
						defer cancel(nil)
						c := newConfig(s)
						test.configure(c, cancel)
						_, err := ask(ctx, c, method)
						assertOneLine(t, method, err)
						require.ErrorContains(t, err, test.says)
						for _, cause := range test.causes {
							require.ErrorIs(t, err, cause)
						}
						assert.Equal(t, before, failureOf(t, err).StatusCode)
						require.NotErrorIs(t, err, ErrOutcomeUnknown)
						assert.Len(t, s.at, 1)
					})
				})
			}
		}
	}
}

func TestContextThatEndsDuringARetry(t *testing.T) {
	for _, first := range []roundTripper{limited, badGateway} {
		for _, method := range methods {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				s := newScript(first, func(r *http.Request) (*http.Response, error) {
					cancel(errTest)
					return nil, r.Context().Err()
				})
				_, err := ask(ctx, newConfig(s), method)
				assertOneLine(t, method, err)
				if len(s.at) == 1 { // it is not retried
					cancel(nil)
					return
				}
				require.ErrorIs(t, err, errTest)
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorContains(t, err, "context canceled: the test's, after: ")
				assert.NotZero(t, failureOf(t, err).StatusCode)
				assert.Equal(t, !isIdempotent(method), errors.Is(err, ErrOutcomeUnknown), "%v", err)
			})
		}
	}
}

func TestResponseTellsOfTheLastResponse(t *testing.T) {
	header := http.Header{"Cf-Ray": {"ray-1"}, "Ratelimit": {`"default";r=50;t=30`}, "X-Other": {"x"}}
	way := func(status int, body string) roundTripper {
		return func(r *http.Request) (*http.Response, error) { return respond(r, status, header, body), nil }
	}
	const full = `{"success":true,"messages":[{"code":1,"message":"hello"}],"result":1,"result_info":{"page":2}}`
	response, err := ask(t.Context(), newConfig(way(200, full)), http.MethodGet)
	require.NoError(t, err)
	assert.Equal(t, 200, response.StatusCode)
	assert.Equal(t, "ray-1", response.RayID())
	assert.Equal(t, "x", response.Header.Get("X-Other"))
	assert.Equal(t, 50, response.RateLimit().Remaining)
	assert.Equal(t, []Message{{Code: 1, Message: "hello"}}, response.Messages)
	assert.JSONEq(t, `{"page":2}`, string(response.ResultInfo))
	assert.Equal(t, 1, response.Attempts)

	response, err = ask(t.Context(), newConfig(way(404, "")), http.MethodGet)
	require.Error(t, err)
	assert.Equal(t, 404, response.StatusCode)
	assert.Equal(t, "ray-1", response.RayID())

	response, err = ask(t.Context(), newConfig(roundTripper(refused)), http.MethodPost)
	require.Error(t, err)
	assert.Zero(t, response.StatusCode)
	assert.Equal(t, 1, response.Attempts)

	synctest.Test(t, func(t *testing.T) {
		response, err := ask(t.Context(), newConfig(newScript(way(503, full), succeeding)), http.MethodGet)
		require.NoError(t, err)
		assert.Equal(t, 200, response.StatusCode)
		assert.Empty(t, response.RayID(), "nothing is left of the response before")
		assert.Empty(t, response.Messages)
		assert.Equal(t, 2, response.Attempts)
	})
}

// Bodies are read into buffers that are used again.
func TestResponsesInParallelMixNothingUp(t *testing.T) {
	c := newConfig(roundTripper(func(r *http.Request) (*http.Response, error) {
		name := r.URL.Query().Get("name")
		return respond(r, 200, nil, `{"success":true,"messages":[{"message":"`+name+`"}],"result":"`+name+`","result_info":"`+name+`"}`), nil
	}))
	var wg sync.WaitGroup
	for worker := range 16 {
		wg.Go(func() {
			mine := strings.Repeat(string(rune('a'+worker)), 100*(worker+1))
			responses := map[*Response]string{}
			for range 50 {
				result := ""
				r := newRequest(http.MethodGet, &result)
				r.Query = "name=" + mine
				response, err := Do(t.Context(), c, r)
				if err != nil {
					t.Error(err)
				}
				responses[response] = result
			}
			for response, result := range responses {
				assert.Equal(t, `"`+mine+`"`, result)
				assert.Equal(t, `"`+mine+`"`, string(response.ResultInfo))
				assert.Equal(t, []Message{{Message: mine}}, response.Messages)
			}
		})
	}
	wg.Wait()
}

// Decode may be called in several attempts; the last is the one that counts.
func TestDecodeIsCalledInEveryAttemptThatSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut := func(r *http.Request) (*http.Response, error) {
			return respondWith(r, 200, nil, io.MultiReader(strings.NewReader(success[:40]), failingReader{io.ErrUnexpectedEOF})), nil
		}
		var results []string
		r := &Request{Method: http.MethodGet, Path: "things/1", Decode: func(s *wire.Decoder) error {
			results = append(results, string(s.Value()))
			return nil
		}}
		_, err := Do(t.Context(), newConfig(newScript(cut, badGateway, succeeding)), r)
		require.NoError(t, err)
		assert.Equal(t, []string{`{"id":"1"}`}, results, "a response that did not come whole is not decoded")
	})
}

func TestContextThatEndedSendsNothing(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errTest)
	for _, method := range methods {
		s := newScript(succeeding)
		c := newConfig(s)
		c.Limiter = limiterFunc(func(context.Context) error { return nil }) // which does not look
		_, err := ask(ctx, c, method)
		require.EqualError(t, err, "cfposture: "+method+" things/1: context canceled: the test's")
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, errTest)
		assert.Empty(t, s.at)
	}
}

func TestCleanTakesSecretsOutOfAnErrorAboutTheResult(t *testing.T) {
	response, err := ask(t.Context(), newConfig(succeeding), http.MethodGet)
	require.NoError(t, err)
	cleaned := response.Clean(errors.Join(errTest, errors.New("echoed "+testToken)))
	require.EqualError(t, cleaned, "cfposture: GET things/1: the test's echoed [redacted]")
	require.ErrorIs(t, cleaned, errTest)
}

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
	assert.JSONEq(t, testBody, string(body))
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
	c.Headers = nil
	for base, want := range map[string]string{
		"https://h:8443/a%2Fb/": "https://h:8443/a%2Fb/x", "https://h/a b": "https://h/a%20b/x", "https://h/é": "https://h/%C3%A9/x",
	} {
		c.BaseURL = parseURL(base)
		_, err = Do(t.Context(), c, &Request{Method: http.MethodGet, Path: "x"})
		require.NoError(t, err)
		assert.Equal(t, want, sent.URL.String())
		assert.Equal(t, sent.URL.Host, sent.Host, "for middlewares that look at it")
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
			c.BaseURL = parseURL(baseURL)
			_, err := Do(t.Context(), c, &Request{Method: http.MethodPost, Path: "a", Body: []byte(large)})
			require.Error(t, err)
			assert.Len(t, bodies, 3, protocol)
			for _, body := range bodies {
				assert.Len(t, body, len(large), protocol)
			}
		})
	}
}

func TestInvalidMethodIsNotSent(t *testing.T) {
	s := newScript(succeeding)
	_, err := Do(t.Context(), newConfig(s), &Request{Method: "BAD METHOD", Path: "a"})
	require.EqualError(t, err, `cfposture: BAD METHOD a: invalid method "BAD METHOD"`)
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

// A token source may take no notice of its context. What it returns too late is not sent.
func TestTokenSourceThatReturnsTooLate(t *testing.T) {
	for _, method := range methods {
		synctest.Test(t, func(t *testing.T) {
			s := newScript(succeeding)
			c := newConfig(s)
			c.Authorize = func(context.Context, http.Header) error {
				time.Sleep(time.Minute)
				return nil
			}
			_, err := ask(t.Context(), c, method)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.NotErrorIs(t, err, ErrOutcomeUnknown)
			assert.Empty(t, s.at)
		})
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
		c.BaseURL = parseURL(baseURL)
		for range 5 {
			for _, method := range methods {
				_, _ = ask(t.Context(), c, method)
			}
		}
		assert.EqualValues(t, 1, n.dials.Load(), "every response was read to its end")
	})
}
