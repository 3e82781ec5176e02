package cfposture_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// A sharedLimiter makes all clients that share it pause when the API refuses a request of one of them.
type sharedLimiter struct {
	limiter *rate.Limiter
	mu      sync.Mutex
	until   time.Time
}

func (l *sharedLimiter) Wait(ctx context.Context) error {
	l.mu.Lock()
	pause := time.Until(l.until)
	l.mu.Unlock()
	select {
	case <-time.After(pause):
		return l.limiter.Wait(ctx)
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *sharedLimiter) Observe(_ context.Context, limit cfposture.RateLimit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if limit.RetryAfter > 0 {
		l.until = time.Now().Add(limit.RetryAfter)
		fmt.Println("everybody pauses for", limit.RetryAfter)
	}
}

func ExampleLimitObserver() {
	server := posturetest.NewServer()
	defer server.Close()
	server.LimitNext(1, time.Second)

	limiter := &sharedLimiter{limiter: rate.NewLimiter(rate.Every(300*time.Millisecond), 10)}
	client := server.Client(cfposture.WithLimiter(limiter), cfposture.WithMaxRetries(0))
	_, err := client.Posture.List(context.Background())
	fmt.Println(err != nil)
	// Output:
	// everybody pauses for 1s
	// true
}
