package api

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

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
	for _, item := range rateLimitItems(header, "Ratelimit") {
		remaining, hasRemaining := item.numbers["r"]
		if hasRemaining && (least.Policy == "" || remaining < least.Remaining) {
			least = RateLimit{Policy: item.name, Remaining: remaining, Reset: seconds(item.numbers["t"])}
		}
	}
	for i, item := range rateLimitItems(header, "Ratelimit-Policy") {
		if i == 0 || item.name == least.Policy {
			least.Quota, least.Window = item.numbers["q"], seconds(item.numbers["w"])
		}
	}
	least.RetryAfter = retryAfter(header)
	return least
}

type rateLimitItem struct {
	name    string
	numbers map[string]int
}

func rateLimitItems(header http.Header, name string) []rateLimitItem {
	values := header.Values(name)
	if len(values) == 0 {
		return nil
	}
	var items []rateLimitItem
	for text := range strings.SplitSeq(strings.Join(values, ","), ",") {
		name, parameters, _ := strings.Cut(strings.TrimSpace(text), ";")
		name = strings.Trim(strings.TrimSpace(name), `"`)
		if name == "" {
			continue
		}
		item := rateLimitItem{name, map[string]int{}}
		for parameter := range strings.SplitSeq(parameters, ";") {
			key, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
			if number, err := strconv.ParseUint(value, 10, 31); err == nil {
				item.numbers[key] = int(number)
			}
		}
		items = append(items, item)
	}
	return items
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// A Pacer remembers when the window ends that has nothing left. Requests that share one wait for the same window.
type Pacer struct {
	mu   sync.Mutex
	next time.Time
}

// note takes what a response says of the rate limit. One that says nothing changes nothing.
func (p *Pacer) note(status int, limit RateLimit) {
	refused := status == http.StatusTooManyRequests && limit.RetryAfter > 0
	if limit.Policy == "" && !refused {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = time.Time{}
	if limit.Policy != "" && limit.Remaining == 0 {
		p.next = time.Now().Add(limit.Reset)
	}
	if refused && time.Until(p.next) < limit.RetryAfter {
		p.next = time.Now().Add(limit.RetryAfter)
	}
}

// wait returns when the next window has begun, or at once if that is too far off, or with the context's error.
func (p *Pacer) wait(ctx context.Context, longest time.Duration) error {
	p.mu.Lock()
	wait := time.Until(p.next)
	p.mu.Unlock()
	deadline, bounded := ctx.Deadline()
	if wait <= 0 || wait > longest || bounded && time.Until(deadline) <= wait {
		return nil
	}
	return sleep(ctx, wait)
}
