package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// The limit of the API, scaled down from 1,200 in five minutes.
const (
	limit  = 120
	window = 3 * time.Second
	slack  = 300 * time.Millisecond
)

// startRedis starts a Redis server of the test's own on a loopback port.
func startRedis(t *testing.T) *redis.Client {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server is not on the PATH: apt-get install redis-server")
		}
		t.Skip("redis-server is not on the PATH")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	require.NoError(t, listener.Close())
	server := exec.CommandContext(t.Context(), program, "--bind", "127.0.0.1", "--port", strconv.Itoa(port),
		"--save", "", "--appendonly", "no", "--dir", t.TempDir())
	require.NoError(t, server.Start())
	client := redis.NewClient(&redis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", port)})
	t.Cleanup(func() {
		_ = client.Close()
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	require.Eventually(t, func() bool { return client.Ping(t.Context()).Err() == nil }, 10*time.Second, 20*time.Millisecond)
	return client
}

// A limitedAPI refuses requests past the limit until the window is over.
type limitedAPI struct {
	*httptest.Server
	mu      sync.Mutex
	begun   time.Time
	count   int
	refused int
	served  int
}

func newLimitedAPI(t *testing.T) *limitedAPI {
	t.Helper()
	fake, api := posturetest.NewServer(), new(limitedAPI)
	t.Cleanup(fake.Close)
	fake.AddRule([]byte(`{"name": "WARP", "type": "warp"}`))
	api.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wait := api.admit(); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		fake.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(api.Close)
	return api
}

// admit returns how long a request has to wait, and counts it.
func (api *limitedAPI) admit() time.Duration {
	api.mu.Lock()
	defer api.mu.Unlock()
	if time.Since(api.begun) >= window {
		api.begun, api.count = time.Now(), 0
	}
	if api.count++; api.count > limit {
		api.refused++
		return window - time.Since(api.begun)
	}
	api.served++
	return 0
}

// startFleet starts programs that list the rules of an account, and returns a function that waits for their end.
func startFleet(t *testing.T, api *limitedAPI, address string, programs, lists int) (wait func()) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "fleet.exe")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	var fleet sync.WaitGroup
	for range programs {
		command := exec.CommandContext(t.Context(), program, "-redis", address, "-lists", strconv.Itoa(lists),
			"-limit", strconv.Itoa(limit), "-window", window.String(), "-slack", slack.String())
		command.Env = append(os.Environ(), "CLOUDFLARE_API_TOKEN="+posturetest.APIToken, "CLOUDFLARE_API_KEY=",
			"CLOUDFLARE_ACCOUNT_ID="+posturetest.AccountID, "CLOUDFLARE_BASE_URL="+api.URL+"/client/v4")
		fleet.Go(func() {
			out, err := command.CombinedOutput()
			assert.NoError(t, err, string(out))
		})
	}
	return fleet.Wait
}

func TestEightProgramsShareTheLimitWithoutARefusal(t *testing.T) {
	client, api := startRedis(t), newLimitedAPI(t)
	begun := time.Now()
	startFleet(t, api, client.Options().Addr, 8, 40)()
	assert.Zero(t, api.refused)
	assert.Equal(t, 8*40, api.served)
	assert.GreaterOrEqual(t, time.Since(begun), 2*window, "320 requests take two windows and a part of a third")
	assert.Less(t, time.Since(begun), 5*window, "the limit is made use of")
}

func TestOneRefusalPausesAll(t *testing.T) {
	client, api := startRedis(t), newLimitedAPI(t)
	for range limit { // another program, which isn't limited, uses the window up
		api.admit()
	}
	startFleet(t, api, client.Options().Addr, 8, 20)()
	assert.Positive(t, api.refused)
	assert.LessOrEqual(t, api.refused, 8, "one a program at the most: those that were under way")
	assert.Equal(t, limit+8*20, api.served)
}

func TestPauseIsNeverShortened(t *testing.T) {
	limiter := &Limiter{Redis: startRedis(t), Name: "test", Limit: 10, Window: time.Second}
	limiter.Observe(t.Context(), cfposture.RateLimit{RetryAfter: time.Hour})
	limiter.Observe(t.Context(), cfposture.RateLimit{RetryAfter: time.Second})
	limiter.Observe(t.Context(), cfposture.RateLimit{Remaining: 5})
	left, err := limiter.Redis.PTTL(t.Context(), limiter.keys()[1]).Result()
	require.NoError(t, err)
	assert.Greater(t, left, 50*time.Minute)
}

func TestWaitFailsWithoutRedis(t *testing.T) {
	nobody := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", MaxRetries: -1})
	defer nobody.Close() //nolint:errcheck // it never connected
	limiter := &Limiter{Redis: nobody, Name: "test", Limit: 10, Window: time.Second}
	require.ErrorContains(t, limiter.Wait(t.Context()), "the fleet's rate limit can't be read")
}
