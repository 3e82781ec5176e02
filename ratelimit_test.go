package cfposture_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
)

// A clock answers requests from any goroutine, and notes when they came.
type clock struct {
	header http.Header
	mu     sync.Mutex
	start  time.Time
	at     []time.Duration
}

func newClock() *clock { return &clock{start: time.Now()} }

func (c *clock) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = append(c.at, time.Since(c.start))
	return respond(r, http.StatusOK, c.header.Clone(), strings.NewReader(oneRule)), nil
}

// inParallel makes n calls at the same time.
func inParallel(t *testing.T, n int, call func() error) {
	t.Helper()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { assert.NoError(t, call()) })
	}
	wg.Wait()
}

func TestRateLimitHoldsAllGoroutinesAndClientsTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := cfposture.WithRateLimit(10, 5)
		c := newClock()
		first, second := transportClient(t, c, limit), transportClient(t, c, limit)
		var turn sync.Mutex
		clients := []*cfposture.Client{first, second}
		inParallel(t, 65, func() error {
			turn.Lock()
			slices.Reverse(clients)
			client := clients[0]
			turn.Unlock()
			_, err := client.Posture.Get(t.Context(), "id")
			return err
		})
		slices.Sort(c.at)
		for i, at := range c.at {
			want := max(0, time.Duration(i-4)*100*time.Millisecond)
			assert.InDelta(t, want, at, float64(time.Millisecond), "request %d", i)
		}
	})
}

func TestRetriesTakeTheirTurnAsWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript(failing(503, ""), failing(503, ""), succeeding)
		_, err := transportClient(t, s, cfposture.WithRateLimit(0.1, 1)).Posture.Get(t.Context(), "id")
		require.NoError(t, err)
		require.Len(t, s.at, 3)
		for i, at := range s.at {
			assert.InDelta(t, time.Duration(i)*10*time.Second, at, float64(time.Millisecond), "request %d", i)
		}
	})
}

type limiterFunc func(context.Context) error

func (f limiterFunc) Wait(ctx context.Context) error { return f(ctx) }

func TestLimitersErrorEndsTheCall(t *testing.T) {
	full := errors.New("the fleet's budget is spent")
	for _, op := range operations() {
		for allowed := range 2 {
			asked := 0
			limiter := limiterFunc(func(context.Context) error {
				if asked++; asked > allowed {
					return full
				}
				return nil
			})
			s := newMemoryStage(t, cfposture.WithLimiter(limiter))
			s.api.FailNext(1, http.StatusTooManyRequests)
			_, err := s.try(t, op)
			require.ErrorIs(t, err, full, op.name)
			require.NotErrorIs(t, err, cfposture.ErrOutcomeUnknown, op.name)
			assert.Len(t, s.api.Requests(), allowed, op.name)
			assert.Equal(t, allowed+1, asked, "it is not asked again after its error")
		}
	}
}

func TestWaitForALimiterEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClock()
		client := transportClient(t, c, cfposture.WithRateLimit(0.01, 1))
		_, err := client.Posture.Get(t.Context(), "id")
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(3*time.Second, cancel)
		_, err = client.Posture.Get(ctx, "id")
		require.ErrorIs(t, err, context.Canceled)
		assert.Equal(t, 3*time.Second, time.Since(c.start))
		assert.Len(t, c.at, 1)
	})
}

func TestRateLimitHeaders(t *testing.T) {
	type limit = cfposture.RateLimit
	for name, test := range map[string]struct {
		limits, policies []string
		want             limit
	}{
		"none":                         {nil, nil, limit{}},
		"as documented":                {[]string{`"default";r=50;t=30`}, []string{`"burst";q=100;w=60`}, limit{"default", 50, 30 * time.Second, 100, time.Minute, 0}},
		"nothing left":                 {[]string{`"default";r=0;t=7`}, nil, limit{"default", 0, 7 * time.Second, 0, 0, 0}},
		"spaces":                       {[]string{` "default" ; r=50 ; t=30 `}, []string{`  "default" ;q=100; w=60`}, limit{"default", 50, 30 * time.Second, 100, time.Minute, 0}},
		"token for a name":             {[]string{`default;r=50;t=30`}, nil, limit{"default", 50, 30 * time.Second, 0, 0, 0}},
		"several, the scarcest":        {[]string{`"a";r=50;t=30, "b";r=2;t=9`}, []string{`"a";q=100;w=60,"b";q=10;w=20`}, limit{"b", 2, 9 * time.Second, 10, 20 * time.Second, 0}},
		"several headers":              {[]string{`"a";r=5;t=30`, `"b";r=20;t=9`}, []string{`"x";q=1;w=1`, `"a";q=100;w=60`}, limit{"a", 5, 30 * time.Second, 100, time.Minute, 0}},
		"policy alone":                 {nil, []string{`"burst";q=100;w=60`}, limit{"", 0, 0, 100, time.Minute, 0}},
		"new parameters":               {[]string{`"default";pk=:dGVzdA==:;r=50;x;t=30`}, nil, limit{"default", 50, 30 * time.Second, 0, 0, 0}},
		"without a reset":              {[]string{`"default";r=50`}, nil, limit{"default", 50, 0, 0, 0, 0}},
		"without what is left":         {[]string{`"default";t=30`}, nil, limit{}},
		"negative":                     {[]string{`"default";r=-1;t=30`}, nil, limit{}},
		"not a number":                 {[]string{`"default";r=many;t=30`}, nil, limit{}},
		"a fraction":                   {[]string{`"default";r=1.5;t=30`}, nil, limit{}},
		"too large":                    {[]string{`"default";r=99999999999999999999;t=30`}, nil, limit{}},
		"a reset that is too large":    {[]string{`"default";r=1;t=99999999999999999999`}, nil, limit{"default", 1, 0, 0, 0, 0}},
		"empty":                        {[]string{``}, []string{``}, limit{}},
		"no name":                      {[]string{`;r=5;t=1`, `"";r=1;t=1`}, nil, limit{}},
		"punctuation":                  {[]string{`;;;,,,===`, `"`, `"default`}, []string{`=;,`}, limit{}},
		"malformed beside well-formed": {[]string{`rubbish, "default";r=50;t=30`}, nil, limit{"default", 50, 30 * time.Second, 0, 0, 0}},
	} {
		c := newClock()
		c.header = http.Header{"Ratelimit": test.limits, "Ratelimit-Policy": test.policies}
		var response cfposture.Response
		_, err := transportClient(t, c).Posture.Get(t.Context(), "id", cfposture.WithResponse(&response))
		require.NoError(t, err, name)
		assert.Equal(t, test.want, response.RateLimit, name)
	}
}

func TestRateLimitOfAFailureIsReported(t *testing.T) {
	s := newMemoryStage(t, cfposture.WithMaxRetries(0))
	s.api.LimitNext(1, 30*time.Second)
	var response cfposture.Response
	_, err := s.client.Posture.List(t.Context(), cfposture.WithResponse(&response))
	require.ErrorIs(t, err, cfposture.ErrRateLimited)
	assert.Equal(t, cfposture.RateLimit{Policy: "default", Reset: 30 * time.Second, Quota: 1200, Window: 5 * time.Minute, RetryAfter: 30 * time.Second}, response.RateLimit)
}

func TestPacingWaitsForTheNextWindow(t *testing.T) {
	for name, test := range map[string]struct {
		limit    string
		opts     []cfposture.Option
		deadline time.Duration
		want     time.Duration
	}{
		"nothing left":             {`"default";r=0;t=30`, nil, 0, 30 * time.Second},
		"nothing left of one":      {`"a";r=9;t=5, "b";r=0;t=7`, nil, 0, 7 * time.Second},
		"something left":           {`"default";r=1;t=30`, nil, 0, 0},
		"the window is over":       {`"default";r=0;t=0`, nil, 0, 0},
		"nothing said":             {``, nil, 0, 0},
		"malformed":                {`"default";r=none;t=30`, nil, 0, 0},
		"further off than allowed": {`"default";r=0;t=61`, nil, 0, 0},
		"as far off as is allowed": {`"default";r=0;t=60`, nil, 0, time.Minute},
		"no wait is allowed":       {`"default";r=0;t=1`, []cfposture.Option{cfposture.WithMaxRetryWait(0)}, 0, 0},
		"past the deadline":        {`"default";r=0;t=30`, nil, 20 * time.Second, 0},
		"a wait before a deadline": {`"default";r=0;t=30`, nil, 40 * time.Second, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newClock()
				c.header = http.Header{"Ratelimit": {test.limit}}
				client := transportClient(t, c, append(test.opts, cfposture.WithPacing())...)
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				for range 2 {
					_, err := client.Posture.Get(ctx, "id")
					require.NoError(t, err)
				}
				assert.Equal(t, []time.Duration{0, test.want}, c.at)
			})
		})
	}
}

func TestPacingHoldsAllGoroutinesAndEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClock()
		c.header = http.Header{"Ratelimit": {`"default";r=0;t=30`}}
		client := transportClient(t, c, cfposture.WithPacing())
		_, err := client.Posture.Get(t.Context(), "id")
		require.NoError(t, err)

		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err = client.Posture.Create(ctx, &cfposture.Rule{Type: cfposture.RuleTypeWARP})
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorContains(t, err, "waiting for the next rate limit window")
		require.NotErrorIs(t, err, cfposture.ErrOutcomeUnknown)
		assert.Equal(t, time.Second, time.Since(c.start))

		inParallel(t, 64, func() error {
			_, err := client.Posture.Get(t.Context(), "id")
			return err
		})
		require.Len(t, c.at, 65)
		for _, at := range c.at[1:] {
			assert.Equal(t, 30*time.Second, at)
		}
	})
}

func TestWithoutPacingNothingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newClock()
		c.header = http.Header{"Ratelimit": {`"default";r=0;t=30`}}
		client := transportClient(t, c)
		for range 3 {
			_, err := client.Posture.Get(t.Context(), "id")
			require.NoError(t, err)
		}
		assert.Equal(t, []time.Duration{0, 0, 0}, c.at)
	})
}
