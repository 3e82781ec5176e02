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

// What responses say of the rate limit, and the pacer that goes by it. A limiter knows nothing of either, unless it
// observes responses.

// A RateLimit is what the Ratelimit, Ratelimit-Policy and Retry-After headers say; what they don't is zero. Of several
// policies it is the one that leaves least; a quota of another name stands in where the policy's own is missing.
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
		if hasRemaining && (least.Policy == "" || remaining < least.Remaining) {
			reset, _ := item.number("t")
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

// A Pacer remembers until when nothing is to be sent. Requests that share one wait for the same time.
type Pacer struct {
	mu     sync.Mutex
	window time.Time // when the window ends that has nothing left
	pause  time.Time // when the API takes requests again, as a 429 said
}

// note takes what a response says of the rate limit. One that says nothing changes nothing, and none that was under way
// ends the pause that a 429 has asked for.
func (p *Pacer) note(status int, limit RateLimit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if limit.Policy != "" {
		p.window = time.Time{}
		if limit.Remaining == 0 {
			p.window = now.Add(limit.Reset)
		}
	}
	if until := now.Add(limit.RetryAfter); status == http.StatusTooManyRequests && until.After(p.pause) {
		p.pause = until
	}
}

// wait returns when requests may be sent, or with the context's error. If that is further off than the longest wait or the
// context's deadline it returns at once: the request is sent, and the API decides.
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
