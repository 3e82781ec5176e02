package api

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

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
