// Fleet reads an account's rules over and over, as one of several programs that share a token and its rate limit through
// Redis. What to copy is in limiter.go.
//
//	go -C examples/fleet run . -redis 127.0.0.1:6379 -lists 100
//
// It reads CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID, and changes nothing in the account.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/cfposture/cfposture"
)

func main() {
	address := flag.String("redis", "127.0.0.1:6379", "`address` of the Redis server")
	limiter := &Limiter{}
	flag.StringVar(&limiter.Name, "name", "cfposture", "`name` of the limit, one for each token")
	flag.IntVar(&limiter.Limit, "limit", 1200, "`requests` that the API allows in a window")
	flag.DurationVar(&limiter.Window, "window", 5*time.Minute, "length of the window")
	flag.DurationVar(&limiter.Slack, "slack", time.Second, "time that a request may take to reach the API")
	lists := flag.Int("lists", 10, "how `often` to list the rules")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	limiter.Redis = redis.NewClient(&redis.Options{Addr: *address})
	err := run(ctx, limiter, *lists)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "fleet: %q\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, limiter *Limiter, lists int) (err error) {
	defer func() { err = errors.Join(err, limiter.Redis.Close()) }()
	client, err := cfposture.NewClient(cfposture.WithLimiter(limiter))
	if err != nil {
		return err
	}
	begun := time.Now()
	for range lists {
		if _, err := client.Posture.List(ctx); err != nil {
			return err
		}
	}
	fmt.Printf("listed %d times in %v\n", lists, time.Since(begun).Round(10*time.Millisecond))
	return nil
}
