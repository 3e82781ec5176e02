package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
	api = &unreliable{Server: newServer(t), random: rand.New(rand.NewPCG(seed, 0))}
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

// untilDone runs apply until it says that all is done, and returns how many runs it took.
func untilDone(t *testing.T, server *posturetest.Server, baseURL, text string, args ...string) (runs int) {
	t.Helper()
	for {
		runs++
		got := applied(t, server, baseURL, text, append(args, "--yes")...)
		if got.code == exitOK {
			return runs
		}
		require.Less(t, runs, 20, got.stderr)
	}
}

// A create whose outcome stays unknown is not sent again by the same run, so that it may take a few.
func TestThousandsOfRulesWithOneCallInTenFailing(t *testing.T) {
	const rules = 5000
	quickly(t)
	waits.look = 200 * time.Millisecond
	api, baseURL := newUnreliable(t, 1)
	text := manyRules(t, rules)
	runs := untilDone(t, api.Server, baseURL, text, "--parallel", "8")
	assertComplete(t, api.Server, rules)
	assert.Greater(t, api.spoilt, rules/10, "there were failures")
	assert.Equal(t, fmt.Sprintf("Plan: nothing to do; %d unchanged.\n", rules+1), applied(t, api.Server, baseURL, text, "--yes").stdout)
	t.Logf("%d runs; %d of %d requests were spoilt", runs, api.spoilt, api.requests)
}

func TestInterruptedAndRunAgainEndsComplete(t *testing.T) {
	quickly(t)
	waits.look = 100 * time.Millisecond
	const rules = 60
	text := manyRules(t, rules)
	for seed := range uint64(8) {
		api, baseURL := newUnreliable(t, seed)
		for run := 0; ; run++ {
			require.Less(t, run, 60, "it must come to an end")
			ctx, cancel := context.WithCancel(t.Context())
			api.mu.Lock()
			api.stopAt, api.stop = api.requests+1+api.random.IntN(rules), cancel
			api.mu.Unlock()
			vars := withSecretVars(varsOf(api.Server))
			vars["CLOUDFLARE_BASE_URL"] = baseURL
			got := call{args: []string{"apply", "--rate", "1000", "--yes"}, stdin: text, vars: vars, ctx: ctx}.run(t)
			cancel()
			if got.code == exitOK {
				break
			}
		}
		assertComplete(t, api.Server, rules)
		assert.Contains(t, applied(t, api.Server, "", text, "--yes").stdout, "nothing to do")
	}
}

func TestReplacingIsCompletedAfterAnInterruption(t *testing.T) {
	quickly(t)
	for stopAt := 3; stopAt <= 8; stopAt++ {
		api, baseURL := newUnreliable(t, uint64(stopAt))
		id := api.AddRule([]byte(`{"name": "A", "type": "file", "schedule": "5m", "input": {"path": "/a"}}`))
		text := `{"version": 1, "rules": [{"id": "` + id + `", "name": "A", "type": "application", "input": {"path": "/a"}}]}`
		vars := varsOf(api.Server)
		vars["CLOUDFLARE_BASE_URL"] = baseURL
		ctx, cancel := context.WithCancel(t.Context())
		api.stopAt, api.stop = stopAt, cancel
		call{args: []string{"apply", "--rate", "1000", "--yes"}, stdin: text, vars: vars, ctx: ctx}.run(t)
		cancel()
		api.stopAt = 0
		untilDone(t, api.Server, baseURL, text)
		require.Len(t, api.Rules(), 1)
		assert.Contains(t, string(api.Rules()[0]), `"application"`)
	}
}

const oneRule = `{"version": 1, "rules": [{"name": "A", "type": "warp"}]}`

// spoilPost spoils the first POST to the server's API.
func spoilPost(t *testing.T, server *posturetest.Server, spoil func(*posturetest.Server)) (baseURL string) {
	t.Helper()
	var once sync.Once
	return handle(t, server, func(r *http.Request, _ int64) bool {
		if r.Method == http.MethodPost {
			once.Do(func() { spoil(server) })
		}
		return false
	})
}

func posts(server *posturetest.Server) (n int) {
	for _, request := range server.Requests() {
		if request.Method == http.MethodPost {
			n++
		}
	}
	return n
}

func TestLostCreateIsLookedForAndNeverSentAgain(t *testing.T) {
	tests := map[string]struct {
		spoil func(*posturetest.Server)
		code  int
	}{
		"it was carried out":        {func(s *posturetest.Server) { s.LoseNext(1, http.StatusBadGateway) }, exitOK},
		"the response was cut":      {func(s *posturetest.Server) { s.CutNext(1, posturetest.CutMiddle) }, exitOK},
		"it was not carried out":    {func(s *posturetest.Server) { s.FailNext(1, http.StatusBadGateway) }, exitFailed},
		"it was not even looked at": {func(s *posturetest.Server) { s.CutNext(1, posturetest.CutBefore) }, exitFailed},
	}
	for title, test := range tests {
		for _, text := range []string{
			oneRule,
			`{"version": 1, "integrations": [{"name": "A", "type": "kolide", "interval": "1h", "config": {"client_id": "c", "client_secret": "s"}}]}`,
		} {
			t.Run(title, func(t *testing.T) {
				quickly(t)
				if test.code != exitOK {
					waits.look = 100 * time.Millisecond
				}
				server := newServer(t)
				got := applied(t, server, spoilPost(t, server, test.spoil), text, "--yes")
				assert.Equal(t, test.code, got.code, got.stderr)
				assert.Equal(t, 1, posts(server))
				if test.code != exitOK {
					assert.Contains(t, got.stderr, "outcome is unknown")
				}
				assert.Equal(t, exitOK, applied(t, server, "", text, "--yes").code)
				assert.Len(t, append(server.Rules(), server.Integrations()...), 1)
			})
		}
	}
}

// A gateway gives up, and the API behind it acts a while later.
func TestLateCreateIsFound(t *testing.T) {
	quickly(t)
	server := newServer(t)
	var late sync.WaitGroup
	gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			server.Handler().ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusGatewayTimeout)
		late.Go(func() {
			time.Sleep(600 * time.Millisecond)
			server.AddRule([]byte(`{"name": "A", "type": "warp"}`))
		})
	}))
	defer gateway.Close()
	defer late.Wait()
	got := applied(t, server, gateway.URL+"/client/v4", oneRule, "--yes")
	assert.Equal(t, exitOK, got.code, got.stderr)
	assert.Len(t, server.Rules(), 1)
}

func TestOtherCreatesGoOnWhileOneIsLookedFor(t *testing.T) {
	quickly(t)
	waits.look = 300 * time.Millisecond
	server, text := newServer(t), manyRules(t, 30)
	n := 0
	baseURL := handle(t, server, func(r *http.Request, _ int64) bool {
		if r.Method == http.MethodPost {
			if n++; n == 5 {
				server.FailNext(1, http.StatusBadGateway)
			}
		}
		return false
	})
	got := applied(t, server, baseURL, text, "--yes", "--parallel", "1")
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, "Done: 30\n")
	assert.Contains(t, got.stderr, "Failed: 1\n  create rule \"Rule 0003\" (file): ")
	assert.Equal(t, exitOK, applied(t, server, "", text, "--yes").code)
	assertComplete(t, server, 30)
}

func TestCreateIsNotRepeatedWhereLookingFails(t *testing.T) {
	quickly(t)
	server := newServer(t)
	var mu sync.Mutex
	posted := false
	baseURL := handle(t, server, func(r *http.Request, _ int64) bool {
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodPost {
			posted = true
			server.LoseNext(1, http.StatusBadGateway)
		}
		return posted && r.Method == http.MethodGet
	})
	got := applied(t, server, baseURL, oneRule, "--yes")
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, "rule \"A\" (warp) may exist")
	assert.Equal(t, 1, posts(server))
	assert.Len(t, server.Rules(), 1)
	assert.Equal(t, exitOK, applied(t, server, "", oneRule, "--yes").code)
	assert.Len(t, server.Rules(), 1, "the next run finds it")
}

func TestLookingEndsWithTheGraceAfterAnInterrupt(t *testing.T) {
	quickly(t)
	waits.look, waits.grace = time.Hour, 50*time.Millisecond
	server := newServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	baseURL := spoilPost(t, server, func(s *posturetest.Server) {
		s.FailNext(1, http.StatusBadGateway)
		cancel()
	})
	vars := varsOf(server)
	vars["CLOUDFLARE_BASE_URL"] = baseURL
	got := call{args: []string{"apply", "--yes"}, stdin: oneRule, vars: vars, ctx: ctx}.run(t)
	assert.Equal(t, exitFailed, got.code)
	assert.Equal(t, 1, posts(server))
	assert.Contains(t, got.stderr, "Interrupted: waiting for the calls under way\n")
	assert.Contains(t, got.stderr, "interrupted after 0 of 1 steps")
}

// The tests below have another program do what apply is about to do, at the n-th request.

func TestPlanThatHasChangedIsNotCarriedOut(t *testing.T) {
	server := newServer(t)
	baseURL := handle(t, server, func(_ *http.Request, n int64) bool {
		if n == 3 { // after the plan was made from the two lists
			server.AddRule([]byte(`{"name": "A", "type": "warp"}`))
		}
		return false
	})
	got := applied(t, server, baseURL, oneRule, "--yes")
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, "posturectl: nothing was changed: the account has changed since the plan was made: run again for a new plan\n")
	assert.Zero(t, posts(server))
}

func TestSomebodyElsesCreatesStopTheRun(t *testing.T) {
	server := newServer(t)
	posted := false
	baseURL := handle(t, server, func(r *http.Request, _ int64) bool {
		if r.Method == http.MethodPost && !posted { // after the plan was looked at for the second time
			posted = true
			server.AddRule([]byte(`{"name": "Rule 0000", "type": "file", "input": {"path": "/0"}}`))
		}
		return false
	})
	got := applied(t, server, baseURL, manyRules(t, 30), "--yes")
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, "posturectl: stopped after 1 of 31 steps: rule \"Rule 0000\" (file), ")
	assert.Contains(t, got.stderr, "another program is creating the same items")
	assert.Equal(t, 1, posts(server))
}

func TestTwoAtOnceDoNotCreateEverythingTwice(t *testing.T) {
	server, text := newServer(t), manyRules(t, 30)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() { applied(t, server, "", text, "--yes") })
	}
	both.Wait()
	untilDone(t, server, "", text)
	twins := len(server.Rules()) + len(server.Integrations()) - 31
	assert.LessOrEqual(t, twins, 1, "no more than the first item")
	again := applied(t, server, "", text, "--yes", "--prune")
	assert.Equal(t, exitOK, again.code, again.stderr)
	assertComplete(t, server, 30)
}
