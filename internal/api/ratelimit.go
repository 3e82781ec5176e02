package api

import (
	"context"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// What responses say about the rate limit, and the pacer that uses it. A limiter knows nothing of either, unless it
// observes responses.

// A RateLimit is what the Ratelimit, Ratelimit-Policy and Retry-After headers say. Fields that they don't mention are
// zero. Of several policies it describes the one with the fewest requests left, because that is the one that a client
// meets first. If that policy has no quota of its own, the quota is that of the first policy in the header, because
// the two headers have been seen with different names.
type RateLimit struct {
	Policy     string
	Remaining  int
	Reset      time.Duration
	Quota      int
	Window     time.Duration
	RetryAfter time.Duration
}

// parseRateLimit reads headers such as
//
//	Ratelimit: "default";r=50;t=30
//	Ratelimit-Policy: "default";q=100;w=60
//
// and ignores what is malformed.
func parseRateLimit(header http.Header) RateLimit {
	var least RateLimit
	for item := range rateLimitItems(header, "Ratelimit") {
		remaining, hasRemaining := item.number("r")
		reset, _ := item.number("t")
		isLess := remaining < least.Remaining || remaining == least.Remaining && seconds(reset) > least.Reset
		if hasRemaining && (least.Policy == "" || isLess) {
			least = RateLimit{Policy: item.name, Remaining: remaining, Reset: seconds(reset)}
		}
	}
	isFirst := true
	for item := range rateLimitItems(header, "Ratelimit-Policy") {
		if isFirst || item.name == least.Policy {
			quota, _ := item.number("q")
			window, _ := item.number("w")
			least.Quota, least.Window = quota, seconds(window)
		}
		isFirst = false
	}
	least.RetryAfter = retryAfter(header)
	return least
}

// A rateLimitItem is a name with its parameters: "default";r=50;t=30.
type rateLimitItem struct{ name, parameters string }

// rateLimitItems yields the items of a header that have a name. A header may come several times, with several items each.
func rateLimitItems(header http.Header, name string) iter.Seq[rateLimitItem] {
	return func(yield func(rateLimitItem) bool) {
		for _, value := range header[name] {
			for text := range strings.SplitSeq(value, ",") {
				name, parameters, _ := strings.Cut(text, ";")
				name = strings.Trim(strings.TrimSpace(name), `"`)
				if name != "" && !yield(rateLimitItem{name, parameters}) {
					return
				}
			}
		}
	}
}

// number returns a parameter that is a whole number, not negative.
func (i rateLimitItem) number(name string) (int, bool) {
	for parameter := range strings.SplitSeq(i.parameters, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if number, err := strconv.ParseUint(value, 10, 31); key == name && err == nil {
			return int(number), true
		}
	}
	return 0, false
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// A Pacer remembers until when nothing should be sent. Requests that share a Pacer wait for the same moment. The
// window and the pause are kept apart, because responses of requests that were sent before a 429 may report requests
// left, and must not end the pause.
type Pacer struct {
	mu     sync.Mutex
	window time.Time // when the window ends that has nothing left
	pause  time.Time // when the API takes requests again, as a 429 said
}

// note remembers what a response says about the rate limit. A response without these headers changes nothing.
func (p *Pacer) note(status int, limit RateLimit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	// Every response with a policy is news of the window, the latest being the best there is.
	if limit.Policy != "" {
		p.window = time.Time{}
		if limit.Remaining == 0 {
			p.window = now.Add(limit.Reset)
		}
	}
	// Of several pauses the longest counts: responses arrive in any order.
	if until := now.Add(limit.RetryAfter); status == http.StatusTooManyRequests && until.After(p.pause) {
		p.pause = until
	}
}

// wait returns when requests may be sent, or with the context's error. If that is further off than the longest wait or the
// context's deadline, it returns immediately: the request is sent, and the API decides. A limit may be lifted early, and a
// refused request costs the caller less than one that is never sent.
func (p *Pacer) wait(ctx context.Context, longest time.Duration) error {
	p.mu.Lock()
	wait := max(time.Until(p.window), time.Until(p.pause))
	p.mu.Unlock()
	deadline, bounded := ctx.Deadline()
	if wait <= 0 || wait > longest || bounded && time.Until(deadline) <= wait {
		return nil
	}
	return sleep(ctx, wait)
}
