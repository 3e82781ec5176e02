package main

import (
	"context"
	crand "crypto/rand"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cfposture/cfposture"
)

// A Limiter shares the API's rate limit among all programs that use one token. It is a [cfposture.Limiter]: at most Limit
// requests are let through in any Window, and counted in Redis. It is a [cfposture.LimitObserver] too: when the API
// refuses a request of one program, because another one that isn't limited uses the token, all of them pause.
//
// A call fails if Redis does. Where requests should rather go on unlimited, return nil from Wait instead.
type Limiter struct {
	Redis *redis.Client
	// Name is that of the limit, one for each token.
	Name string
	// Limit is the number of requests that the API allows in a Window.
	Limit  int
	Window time.Duration
	// Slack is the time that a request may take to reach the API. Without it, late requests of one window and early
	// ones of the next would meet.
	Slack time.Duration
}

var (
	_ cfposture.Limiter       = (*Limiter)(nil)
	_ cfposture.LimitObserver = (*Limiter)(nil)
)

// take lets a request through and returns 0, or returns how many milliseconds to wait before asking again. KEYS[1] holds
// when requests were let through, KEYS[2] exists while all are paused. Time is that of Redis, which all programs share.
var take = redis.NewScript(`
local paused = redis.call('PTTL', KEYS[2])
if paused > 0 then return paused end
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], 0, now - window)
if redis.call('ZCARD', KEYS[1]) < limit then
  redis.call('ZADD', KEYS[1], now, time[1] .. '.' .. time[2] .. '.' .. ARGV[3])
  redis.call('PEXPIRE', KEYS[1], window)
  return 0
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return oldest[2] + window - now`)

// Wait returns when a request may be sent.
func (l *Limiter) Wait(ctx context.Context) error {
	for {
		wait, err := take.Run(ctx, l.Redis, l.keys(), l.Limit, (l.Window + l.Slack).Milliseconds(), crand.Text()).Int64()
		if err != nil {
			return fmt.Errorf("the fleet's rate limit can't be read: %w", err)
		}
		if wait <= 0 {
			return nil
		}
		// Programs that wait for the same moment come one after the other.
		jitter := rand.N(20 * time.Millisecond) //nolint:gosec // it keeps no secret
		timer := time.NewTimer(time.Duration(wait)*time.Millisecond + jitter)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// pause makes all programs wait, and never shortens a pause.
var pause = redis.NewScript(`
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) end`)

// Observe pauses all programs when the API says that it takes no more requests for a while. If Redis can't be told, the
// client that was refused still waits by itself.
func (l *Limiter) Observe(ctx context.Context, limit cfposture.RateLimit) {
	if limit.RetryAfter > 0 {
		pause.Run(ctx, l.Redis, l.keys()[1:], limit.RetryAfter.Milliseconds())
	}
}

// keys are in one slot of a Redis cluster, which the braces are for.
func (l *Limiter) keys() []string {
	return []string{"{" + l.Name + "}:sent", "{" + l.Name + "}:paused"}
}
