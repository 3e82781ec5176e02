package cfposture

import (
	"context"
	"sync"
	"time"

	"github.com/cfposture/cfposture/internal/retry"
)

// WithPacing waits for the next window when the last answer said that this one has no request left, in place of sending
// what would be refused. A window further off than [WithMaxRetryWait] or the context's deadline is not waited for: then
// the request goes out and the API decides. Everything the same Option value is given to goes by the same answers.
// Default: no pacing.
func WithPacing() Option {
	shared := new(pacer)
	return func(s *settings) { s.pacer = shared }
}

// A pacer remembers when the window ends that has nothing left.
type pacer struct {
	mu   sync.Mutex
	next time.Time
}

// note takes what an answer says of the rate limit. One that says nothing changes nothing.
func (p *pacer) note(limit RateLimit) {
	if limit.Policy == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next = time.Time{}
	if limit.Remaining == 0 {
		p.next = time.Now().Add(limit.Reset)
	}
}

// wait returns when the next window has begun, or at once if that is too far off, or with the context's error.
func (p *pacer) wait(ctx context.Context, longest time.Duration) error {
	p.mu.Lock()
	wait := time.Until(p.next)
	p.mu.Unlock()
	deadline, bounded := ctx.Deadline()
	if wait <= 0 || wait > longest || bounded && time.Until(deadline) <= wait {
		return nil
	}
	return retry.Sleep(ctx, wait)
}
