package posturetest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/posturetest"
)

const aRule = `{"type":"warp"}`

func TestFailNextFailsThatManyRequestsAndMakesNoChange(t *testing.T) {
	cases := map[int]int{ // by status the code of the error
		200: 777000, 400: 777000, 401: 10000, 403: 10000, 404: 777000, 408: 777000, 409: 777000, 429: 971,
		500: 777000, 501: 777000, 599: 777000,
	}
	for status, code := range cases {
		t.Run(http.StatusText(status), func(t *testing.T) {
			a := newAPI(t)
			a.server.FailNext(2, status)
			for range 2 {
				got := a.call(http.MethodPost, rulesPath, aRule)
				a.refused(status, got)
				assert.Equal(t, code, got.Errors[0].Code)
				assert.Empty(t, got.header.Get("Retry-After"))
			}
			assert.Empty(t, a.server.Rules())
			a.create(rulesPath, aRule)
			assert.Len(t, a.server.Requests(), 3, "failed ones are seen too")
		})
	}
}

func TestFailNextImitatesTheProxy(t *testing.T) {
	for _, status := range []int{502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527} {
		a := newAPI(t)
		a.server.FailNext(1, status)
		got, err := a.try(a.request(http.MethodPost, rulesPath, aRule))
		require.NoError(t, err)
		assert.Equal(t, status, got.status)
		assert.Contains(t, got.header.Get("Content-Type"), "text/html")
		assert.NotEmpty(t, got.header.Get("CF-Ray"))
		if status == http.StatusGatewayTimeout {
			assert.Empty(t, got.body)
		} else {
			assert.Contains(t, got.body, "<html>")
		}
		assert.Empty(t, a.server.Rules())
	}
}

func TestFailNextRefusesWhatIsNoStatus(t *testing.T) {
	a := newAPI(t)
	for _, status := range []int{-1, 0, 100, 199, 600} {
		assert.Panics(t, func() { a.server.FailNext(1, status) }, status)
	}
	a.server.FailNext(0, 500)
	a.server.FailNext(-1, 500)
	a.create(rulesPath, aRule)
}

func TestLoseNextMakesTheChangeAllTheSame(t *testing.T) {
	a := newAPI(t)
	a.server.LoseNext(1, http.StatusBadGateway)
	got, err := a.try(a.request(http.MethodPost, rulesPath, aRule))
	require.NoError(t, err)
	assert.Equal(t, http.StatusBadGateway, got.status)
	assert.Len(t, a.server.Rules(), 1)
}

func TestLimitNextSaysWhenToTryAgain(t *testing.T) {
	cases := map[time.Duration]string{
		-time.Second: "0", 0: "0", time.Millisecond: "1", time.Second: "1", 1001 * time.Millisecond: "2", 2 * time.Minute: "120",
	}
	for wait, want := range cases {
		a := newAPI(t)
		a.server.LimitNext(1, wait)
		got := a.call(http.MethodPost, rulesPath, aRule)
		a.refused(http.StatusTooManyRequests, got)
		assert.Equal(t, want, got.header.Get("Retry-After"))
		assert.Equal(t, `"default";r=0;t=`+want, got.header.Get("Ratelimit"))
		assert.Empty(t, a.server.Rules())
		a.create(rulesPath, aRule)
	}
}

func TestDelayNextRespondsLate(t *testing.T) {
	a := newAPI(t)
	const delay = 30 * time.Millisecond
	a.server.DelayNext(1, delay)
	begun := time.Now()
	a.create(rulesPath, aRule)
	assert.GreaterOrEqual(t, time.Since(begun), delay)

	a.server.DelayNext(1, -time.Second)
	a.create(rulesPath, aRule)
}

func TestDelayNextEndsEarly(t *testing.T) {
	cases := map[string]func(cancel context.CancelFunc, server *posturetest.Server){
		"with the request": func(cancel context.CancelFunc, _ *posturetest.Server) { cancel() },
		"with the server":  func(_ context.CancelFunc, server *posturetest.Server) { server.Close() },
	}
	for name, end := range cases {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			a.server.DelayNext(1, time.Hour)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := a.request(http.MethodPost, rulesPath, aRule).WithContext(ctx)
			ended := make(chan any)
			go func() {
				defer func() { ended <- recover() }()
				a.server.Handler().ServeHTTP(httptest.NewRecorder(), r)
			}()
			require.Eventually(t, func() bool { return len(a.server.Rules()) == 1 }, 5*time.Second, time.Millisecond,
				"the change is made before the wait")
			end(cancel, a.server)
			select {
			case how := <-ended:
				assert.Equal(t, http.ErrAbortHandler, how, "without a response")
			case <-time.After(5 * time.Second):
				t.Error("the delay goes on")
			}
		})
	}
}

func TestDelayedChangeIsMadeThoughTheClientGivesUp(t *testing.T) {
	a := newAPI(t)
	a.server.DelayNext(1, time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := a.try(a.request(http.MethodPost, rulesPath, aRule).WithContext(ctx))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Eventually(t, func() bool { return len(a.server.Rules()) == 1 }, 5*time.Second, time.Millisecond)
}

func TestCutNext(t *testing.T) {
	cases := map[string]struct {
		when  posturetest.Cut
		rules int
	}{
		"before the change": {posturetest.CutBefore, 0},
		"after the change":  {posturetest.CutAfter, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			a.server.CutNext(1, c.when)
			_, err := a.try(a.request(http.MethodPost, rulesPath, aRule))
			require.ErrorIs(t, err, io.EOF, "no response at all")
			assert.Len(t, a.server.Rules(), c.rules)
			a.create(rulesPath, aRule)
			assert.Len(t, a.server.Requests(), 2)
		})
	}
}

func TestCutNextInTheMiddleOfTheResponse(t *testing.T) {
	a := newAPI(t)
	a.server.CutNext(1, posturetest.CutMiddle)
	got, err := a.try(a.request(http.MethodPost, rulesPath, aRule))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	assert.Equal(t, http.StatusOK, got.status)
	assert.NotEmpty(t, got.body)
	assert.True(t, strings.HasPrefix(got.body, `{"errors":[]`) && !strings.HasSuffix(got.body, "}"), got.body)
	assert.Len(t, a.server.Rules(), 1)
}

func TestFaultsComeInTheOrderAskedFor(t *testing.T) {
	a := newAPI(t)
	a.server.FailNext(1, 500)
	a.server.LimitNext(1, time.Second)
	a.server.CutNext(1, posturetest.CutBefore)
	a.server.FailNext(1, 418)

	assert.Equal(t, 500, a.call(http.MethodPost, rulesPath, aRule).status)
	assert.Equal(t, 429, a.call(http.MethodPost, rulesPath, aRule).status)
	_, err := a.try(a.request(http.MethodPost, rulesPath, aRule))
	require.Error(t, err)
	assert.Equal(t, 418, a.call(http.MethodPost, rulesPath, aRule).status)
	assert.Equal(t, 200, a.call(http.MethodPost, rulesPath, aRule).status)
}
