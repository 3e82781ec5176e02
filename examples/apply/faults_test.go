package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/internal/cli"
	"github.com/cfposture/cfposture/internal/cli/clitest"
	"github.com/cfposture/cfposture/posturetest"
)

// An unreliable API spoils one request in ten, in every way that posturetest knows.
type unreliable struct {
	*posturetest.Server
	mu       sync.Mutex
	random   *rand.Rand
	requests int
	spoilt   int
	stopAt   int    // the number of the request at which stop is called; 0: never
	stop     func() // stops the program
}

func newUnreliable(t *testing.T, seed uint64) (api *unreliable, baseURL string) {
	t.Helper()
	api = &unreliable{Server: clitest.NewServer(t), random: rand.New(rand.NewPCG(seed, 0))}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	return api, server.URL + "/client/v4"
}

func (api *unreliable) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	api.prepare()
	api.Handler().ServeHTTP(w, r)
}

// prepare decides about the next request. Which one it is doesn't matter where several come at once.
func (api *unreliable) prepare() {
	api.mu.Lock()
	defer api.mu.Unlock()
	api.requests++
	if api.requests == api.stopAt {
		api.stop()
	}
	if api.random.IntN(10) > 0 {
		return
	}
	api.spoilt++
	faults := []func(){
		func() { api.FailNext(1, http.StatusInternalServerError) },
		func() { api.FailNext(1, http.StatusBadGateway) },
		func() { api.FailNext(1, 522) },
		func() { api.LoseNext(1, http.StatusGatewayTimeout) },
		func() { api.LimitNext(1, 0) },
		func() { api.CutNext(1, posturetest.CutBefore) },
		func() { api.CutNext(1, posturetest.CutAfter) },
		func() { api.CutNext(1, posturetest.CutMiddle) },
	}
	faults[api.random.IntN(len(faults))]()
}

func TestThousandRulesWithOneCallInTenFailing(t *testing.T) {
	api, baseURL := newUnreliable(t, 1)
	vars := varsOf(api.Server)
	vars["CLOUDFLARE_BASE_URL"] = baseURL
	call := clitest.Call{Args: []string{"-yes", "-parallel", "8"}, Stdin: text(t, manyRules(1000)), Vars: vars}
	got := clitest.Run(t.Context(), quick, call)
	require.Equal(t, cli.OK, got.Code, got.Stderr)
	assertComplete(t, api.Server, 1000)
	assert.Greater(t, api.spoilt, 100, "there were failures")

	again := clitest.Run(t.Context(), quick, call)
	assert.Equal(t, "Plan: nothing to do; 1001 unchanged.\n", again.Stdout)
	t.Logf("%d of %d requests were spoilt", api.spoilt, api.requests)
}

func TestInterruptedAndRunAgainEndsComplete(t *testing.T) {
	const rules = 60
	document := text(t, manyRules(rules))
	for seed := range uint64(12) {
		api, baseURL := newUnreliable(t, seed)
		vars := varsOf(api.Server)
		vars["CLOUDFLARE_BASE_URL"] = baseURL
		call := clitest.Call{Args: []string{"-yes"}, Stdin: document, Vars: vars}
		interrupted := 0
		for {
			ctx, cancel := context.WithCancel(t.Context())
			api.mu.Lock()
			api.stopAt, api.stop = api.requests+1+api.random.IntN(rules), cancel
			api.mu.Unlock()
			got := clitest.Run(ctx, quick, call)
			cancel()
			if got.Code == cli.OK {
				break
			}
			interrupted++
			require.Less(t, interrupted, 50, "it must come to an end: %s", got.Stderr)
			assert.NotContains(t, got.Stderr, "a step failed", "seed %d", seed)
		}
		assertComplete(t, api.Server, rules)
		assert.Contains(t, clitest.Run(t.Context(), quick, call).Stdout, "nothing to do")
	}
}

func TestReplacingIsCompletedAfterAnInterruption(t *testing.T) {
	for stopAt := 3; stopAt <= 6; stopAt++ {
		api, baseURL := newUnreliable(t, uint64(stopAt))
		id := api.AddRule([]byte(`{"name": "A", "type": "file", "schedule": "5m", "input": {"path": "/a"}}`))
		vars := varsOf(api.Server)
		vars["CLOUDFLARE_BASE_URL"] = baseURL
		call := clitest.Call{
			Args:  []string{"-yes"},
			Stdin: `{"version": 1, "rules": [{"id": "` + id + `", "name": "A", "type": "application", "input": {"path": "/a"}}]}`,
			Vars:  vars,
		}
		ctx, cancel := context.WithCancel(t.Context())
		api.stopAt, api.stop = stopAt, cancel
		clitest.Run(ctx, quick, call)
		cancel()
		api.stopAt = 0
		got := clitest.Run(t.Context(), quick, call)
		require.Equal(t, cli.OK, got.Code, got.Stderr)
		require.Len(t, api.Rules(), 1)
		assert.Contains(t, string(api.Rules()[0]), `"application"`)
	}
}

func TestLostCreationIsLookedForBeforeTheNext(t *testing.T) {
	tests := map[string]struct {
		spoil func(*posturetest.Server)
		posts int
	}{
		"it was carried out":        {func(s *posturetest.Server) { s.LoseNext(1, http.StatusBadGateway) }, 1},
		"the answer was cut":        {func(s *posturetest.Server) { s.CutNext(1, posturetest.CutMiddle) }, 1},
		"it was not carried out":    {func(s *posturetest.Server) { s.FailNext(1, http.StatusBadGateway) }, 2},
		"it was not even looked at": {func(s *posturetest.Server) { s.CutNext(1, posturetest.CutBefore) }, 2},
	}
	for title, test := range tests {
		for _, document := range []string{
			`{"version": 1, "rules": [{"name": "A", "type": "warp"}]}`,
			`{"version": 1, "integrations": [{"name": "A", "type": "kolide", "interval": "1h", "config": {"client_id": "c", "client_secret": "s"}}]}`,
		} {
			t.Run(title, func(t *testing.T) {
				server := clitest.NewServer(t)
				spoilt := false
				baseURL := handle(t, server, func(r *http.Request, _ int64) bool {
					if r.Method == http.MethodPost && !spoilt {
						spoilt = true
						test.spoil(server)
					}
					return false
				})
				vars := varsOf(server)
				vars["CLOUDFLARE_BASE_URL"] = baseURL
				got := clitest.Run(t.Context(), quick, clitest.Call{Args: []string{"-yes"}, Stdin: document, Vars: vars})
				require.Equal(t, cli.OK, got.Code, got.Stderr)
				assert.Len(t, append(server.Rules(), server.Integrations()...), 1)
				posts := 0
				for _, request := range server.Requests() {
					if request.Method == http.MethodPost {
						posts++
					}
				}
				assert.Equal(t, test.posts, posts)
			})
		}
	}
}

func TestCreationIsNotRepeatedWhereLookingFails(t *testing.T) {
	server := clitest.NewServer(t)
	posted := false
	baseURL := handle(t, server, func(r *http.Request, _ int64) bool {
		if r.Method == http.MethodPost {
			posted = true
			server.LoseNext(1, http.StatusBadGateway)
		}
		return posted && r.Method == http.MethodGet
	})
	vars := varsOf(server)
	vars["CLOUDFLARE_BASE_URL"] = baseURL
	document := `{"version": 1, "rules": [{"name": "A", "type": "warp"}]}`
	got := clitest.Run(t.Context(), quick, clitest.Call{Args: []string{"-yes"}, Stdin: document, Vars: vars})
	assert.Equal(t, cli.Failed, got.Code)
	assert.Contains(t, got.Stderr, "looking failed")
	assert.Len(t, server.Rules(), 1)
	assert.Equal(t, cli.OK, apply(t, server, document, "-yes").Code)
	assert.Len(t, server.Rules(), 1, "the next run finds it")
}

func TestWaitingToLookEndsWithTheContext(t *testing.T) {
	server := clitest.NewServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	posts := 0
	baseURL := handle(t, server, func(r *http.Request, _ int64) bool {
		if r.Method == http.MethodPost {
			posts++
			server.LoseNext(1, http.StatusBadGateway)
			cancel()
		}
		return false
	})
	vars := varsOf(server)
	vars["CLOUDFLARE_BASE_URL"] = baseURL
	got := clitest.Run(ctx, func(ctx context.Context, env *cli.Env, args []string) error {
		return runWith(ctx, env, args, timing{settle: time.Hour, grace: 50 * time.Millisecond})
	}, clitest.Call{Args: []string{"-yes"}, Stdin: `{"version": 1, "rules": [{"name": "A", "type": "warp"}]}`, Vars: vars})
	assert.Equal(t, cli.Failed, got.Code)
	assert.Equal(t, 1, posts)
	assert.Contains(t, got.Stderr, "Interrupted: waiting for the calls under way\n")
	assert.Contains(t, got.Stderr, "outcome is unknown")
	assert.Contains(t, got.Stderr, "interrupted after 0 of 1 steps")
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}
