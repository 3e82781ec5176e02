package api

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
		c.BaseURL = baseURL
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
			func(c *Config, cancel context.CancelCauseFunc) {
				time.AfterFunc(time.Millisecond, func() { cancel(errTest) })
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
						assert.NotErrorIs(t, err, ErrOutcomeUnknown)
						assert.Len(t, s.at, 1)
					})
				})
			}
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
	assert.Equal(t, "ray-1", response.RayID)
	assert.Equal(t, "x", response.Header.Get("X-Other"))
	assert.Equal(t, 50, response.RateLimit.Remaining)
	assert.Equal(t, []Message{{Code: 1, Message: "hello"}}, response.Messages)
	assert.JSONEq(t, `{"page":2}`, string(response.ResultInfo))
	assert.Equal(t, 1, response.Attempts)

	response, err = ask(t.Context(), newConfig(way(404, "")), http.MethodGet)
	require.Error(t, err)
	assert.Equal(t, 404, response.StatusCode)
	assert.Equal(t, "ray-1", response.RayID)

	response, err = ask(t.Context(), newConfig(roundTripper(refused)), http.MethodPost)
	require.Error(t, err)
	assert.Zero(t, response.StatusCode)
	assert.Equal(t, 1, response.Attempts)

	synctest.Test(t, func(t *testing.T) {
		response, err := ask(t.Context(), newConfig(newScript(way(503, full), succeeding)), http.MethodGet)
		require.NoError(t, err)
		assert.Equal(t, 200, response.StatusCode)
		assert.Empty(t, response.RayID, "nothing is left of the response before")
		assert.Empty(t, response.Messages)
		assert.Equal(t, 2, response.Attempts)
	})
}

// Decode may be called in several attempts; the last is the one that counts.
func TestDecodeIsCalledInEveryAttemptThatSucceeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cut := func(r *http.Request) (*http.Response, error) {
			return respondWith(r, 200, nil, io.MultiReader(strings.NewReader(success[:40]), failingReader{io.ErrUnexpectedEOF})), nil
		}
		var results []string
		r := &Request{Method: http.MethodGet, Path: "things/1", Decode: func(s *wire.Scanner) error {
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
