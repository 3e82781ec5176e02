package api

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRateLimitHeaders(t *testing.T) {
	for name, test := range map[string]struct {
		limits, policies []string
		want             RateLimit
	}{
		"none":                         {nil, nil, RateLimit{}},
		"as documented":                {[]string{`"default";r=50;t=30`}, []string{`"burst";q=100;w=60`}, RateLimit{"default", 50, 30 * time.Second, 100, time.Minute, 0}},
		"nothing left":                 {[]string{`"default";r=0;t=7`}, nil, RateLimit{"default", 0, 7 * time.Second, 0, 0, 0}},
		"spaces":                       {[]string{` "default" ; r=50 ; t=30 `}, []string{`  "default" ;q=100; w=60`}, RateLimit{"default", 50, 30 * time.Second, 100, time.Minute, 0}},
		"token for a name":             {[]string{`default;r=50;t=30`}, nil, RateLimit{"default", 50, 30 * time.Second, 0, 0, 0}},
		"several, the scarcest":        {[]string{`"a";r=50;t=30, "b";r=2;t=9`}, []string{`"a";q=100;w=60,"b";q=10;w=20`}, RateLimit{"b", 2, 9 * time.Second, 10, 20 * time.Second, 0}},
		"as scarce, the longest":       {[]string{`"a";r=0;t=5, "b";r=0;t=50, "c";r=0;t=9`}, nil, RateLimit{"b", 0, 50 * time.Second, 0, 0, 0}},
		"several headers":              {[]string{`"a";r=5;t=30`, `"b";r=20;t=9`}, []string{`"x";q=1;w=1`, `"a";q=100;w=60`}, RateLimit{"a", 5, 30 * time.Second, 100, time.Minute, 0}},
		"policy alone":                 {nil, []string{`"burst";q=100;w=60`}, RateLimit{"", 0, 0, 100, time.Minute, 0}},
		"new parameters":               {[]string{`"default";pk=:dGVzdA==:;r=50;x;t=30`}, nil, RateLimit{"default", 50, 30 * time.Second, 0, 0, 0}},
		"without a reset":              {[]string{`"default";r=50`}, nil, RateLimit{"default", 50, 0, 0, 0, 0}},
		"without what is left":         {[]string{`"default";t=30`}, nil, RateLimit{}},
		"negative":                     {[]string{`"default";r=-1;t=30`}, nil, RateLimit{}},
		"not a number":                 {[]string{`"default";r=many;t=30`}, nil, RateLimit{}},
		"a fraction":                   {[]string{`"default";r=1.5;t=30`}, nil, RateLimit{}},
		"too large":                    {[]string{`"default";r=99999999999999999999;t=30`}, nil, RateLimit{}},
		"a reset that is too large":    {[]string{`"default";r=1;t=99999999999999999999`}, nil, RateLimit{"default", 1, 0, 0, 0, 0}},
		"empty":                        {[]string{``}, []string{``}, RateLimit{}},
		"no name":                      {[]string{`;r=5;t=1`, `"";r=1;t=1`}, nil, RateLimit{}},
		"punctuation":                  {[]string{`;;;,,,===`, `"`, `"default`}, []string{`=;,`}, RateLimit{}},
		"malformed beside well-formed": {[]string{`rubbish, "default";r=50;t=30`}, nil, RateLimit{"default", 50, 30 * time.Second, 0, 0, 0}},
	} {
		assert.Equal(t, test.want, parseRateLimit(http.Header{"Ratelimit": test.limits, "Ratelimit-Policy": test.policies}), name)
	}
	assert.Equal(t, RateLimit{RetryAfter: 7 * time.Second}, parseRateLimit(http.Header{"Retry-After": {"7"}}))
}

func FuzzRateLimitHeaders(f *testing.F) {
	f.Add(`"default";r=50;t=30`, `"burst";q=100;w=60`)
	f.Add(`"a";r=5;t=1, "b";r=0;t=9`, `"a";q=1;w=1,"b";q=2;w=2`)
	f.Add(`;;=;r==,",`, `r=-1;t=99999999999999999999`)
	f.Fuzz(func(t *testing.T, limit, policy string) {
		parsed := parseRateLimit(http.Header{"Ratelimit": {limit}, "Ratelimit-Policy": {policy}})
		assert.GreaterOrEqual(t, parsed.Remaining, 0)
		assert.GreaterOrEqual(t, parsed.Reset, time.Duration(0))
		assert.GreaterOrEqual(t, parsed.Quota, 0)
		assert.GreaterOrEqual(t, parsed.Window, time.Duration(0))
		if parsed.Policy == "" {
			assert.Zero(t, parsed.Remaining)
			assert.Zero(t, parsed.Reset)
		}
	})
}

// limiting is a transport whose responses say so of the rate limit, and which notes when it was asked.
func limiting(header http.Header) *script {
	return newScript(func(r *http.Request) (*http.Response, error) { return respond(r, 200, header, success), nil })
}

func TestPacerWaitsForTheNextWindow(t *testing.T) {
	for name, test := range map[string]struct {
		limit    string
		longest  time.Duration
		deadline time.Duration
		want     time.Duration
	}{
		"nothing left":             {`"default";r=0;t=30`, time.Minute, 0, 30 * time.Second},
		"nothing left of one":      {`"a";r=9;t=5, "b";r=0;t=7`, time.Minute, 0, 7 * time.Second},
		"something left":           {`"default";r=1;t=30`, time.Minute, 0, 0},
		"the window is over":       {`"default";r=0;t=0`, time.Minute, 0, 0},
		"nothing said":             {``, time.Minute, 0, 0},
		"malformed":                {`"default";r=none;t=30`, time.Minute, 0, 0},
		"further off than allowed": {`"default";r=0;t=61`, time.Minute, 0, 0},
		"as far off as is allowed": {`"default";r=0;t=60`, time.Minute, 0, time.Minute},
		"no wait is allowed":       {`"default";r=0;t=1`, 0, 0, 0},
		"past the deadline":        {`"default";r=0;t=30`, time.Minute, 20 * time.Second, 0},
		"right at the deadline":    {`"default";r=0;t=30`, time.Minute, 30 * time.Second, 0},
		"a wait before a deadline": {`"default";r=0;t=30`, time.Minute, 40 * time.Second, 30 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := limiting(http.Header{"Ratelimit": {test.limit}})
				c := newConfig(s)
				c.Pacer, c.MaxRetryWait = new(Pacer), test.longest
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				for range 2 {
					_, err := ask(ctx, c, http.MethodGet)
					require.NoError(t, err)
				}
				assert.Equal(t, []time.Duration{0, test.want}, s.at)
			})
		})
	}
}

// A refusal says when to come back also to those that were not refused.
func TestPacerWaitsAfterARefusal(t *testing.T) {
	for name, test := range map[string]struct {
		header http.Header
		want   time.Duration
	}{
		"Retry-After":                    {http.Header{"Retry-After": {"20"}}, 20 * time.Second},
		"Retry-After, longer than reset": {http.Header{"Retry-After": {"20"}, "Ratelimit": {`"d";r=0;t=5`}}, 20 * time.Second},
		"reset, longer than Retry-After": {http.Header{"Retry-After": {"5"}, "Ratelimit": {`"d";r=0;t=20`}}, 20 * time.Second},
		"neither":                        {http.Header{}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pacer := new(Pacer)
				refused := newConfig(roundTripper(func(r *http.Request) (*http.Response, error) { return respond(r, 429, test.header, ""), nil }))
				refused.Pacer, refused.MaxRetries = pacer, 0
				_, err := ask(t.Context(), refused, http.MethodGet)
				require.Error(t, err)
				other := newConfig(succeeding)
				other.Pacer = pacer
				start := time.Now()
				_, err = ask(t.Context(), other, http.MethodGet)
				require.NoError(t, err)
				assert.Equal(t, test.want, time.Since(start))
			})
		})
	}
}

func TestPacerIsSharedAndEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		s := limiting(http.Header{"Ratelimit": {`"default";r=0;t=30`}})
		c := newConfig(roundTripper(func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			return s.RoundTrip(r)
		}))
		c.Pacer = new(Pacer)
		_, err := ask(t.Context(), c, http.MethodGet)
		require.NoError(t, err)

		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errTest) })
		_, err = ask(ctx, c, http.MethodPost)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, errTest)
		require.ErrorContains(t, err, "waiting for the next rate limit window")
		require.NotErrorIs(t, err, ErrOutcomeUnknown)
		assert.Equal(t, time.Second, time.Since(s.start))

		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				_, err := ask(t.Context(), c, http.MethodGet)
				assert.NoError(t, err)
			})
		}
		wg.Wait()
		require.Len(t, s.at, 65)
		for _, at := range s.at[1:] {
			assert.Equal(t, 30*time.Second, at)
		}
	})
}

func TestWithoutAPacerNothingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := limiting(http.Header{"Ratelimit": {`"default";r=0;t=30`}})
		for range 3 {
			_, err := ask(t.Context(), newConfig(s), http.MethodGet)
			require.NoError(t, err)
		}
		assert.Equal(t, []time.Duration{0, 0, 0}, s.at)
	})
}
