package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// attemptTimeout ends requests that get no answer. It is long beside what an answer takes, so that a request is carried
// out before its next attempt.
const attemptTimeout = 2 * time.Second

// run does the operations and compares what the API holds with what the workers' books say.
func run(ctx context.Context, c config) (*report, error) {
	api := posturetest.NewServer()
	defer api.Close()
	s := newSaboteur(api.Handler(), c.seed)
	server, baseURL, err := serve(ctx, s)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{DialContext: s.dial, MaxIdleConnsPerHost: c.workers}
	client := api.Client(
		cfposture.WithBaseURL(baseURL), cfposture.WithHTTPClient(&http.Client{Transport: transport}),
		cfposture.WithTimeout(attemptTimeout), cfposture.WithMaxRetryWait(2*time.Millisecond),
	)

	start := time.Now()
	workers := work(ctx, c, []kind{rules{client.Posture}, integrations{client.Integrations}})
	took := time.Since(start)
	if err := server.Shutdown(ctx); err != nil { // waits for what is still being carried out
		return nil, fmt.Errorf("the run was ended early: %w", err)
	}
	transport.CloseIdleConnections()

	r := &report{config: c, took: took, requests: s.requests, operations: map[string]int{}, outcomes: map[string]int{}, faults: s.injected}
	for _, w := range workers {
		add(r.operations, w.operations)
		add(r.outcomes, w.outcomes)
		r.mismatches = append(r.mismatches, w.mismatches...)
	}
	r.audit(api, s, workers)
	return r, nil
}

func serve(ctx context.Context, handler http.Handler) (*http.Server, string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }() // always an error: that it was shut down
	return server, "http://" + listener.Addr().String() + "/client/v4", nil
}

func work(ctx context.Context, c config, kinds []kind) []*worker {
	var begun atomic.Int64
	next := func() (int, bool) {
		op := int(begun.Add(1))
		return op, op <= c.ops
	}
	workers := make([]*worker, c.workers)
	var wg sync.WaitGroup
	for i := range workers {
		workers[i] = newWorker(uint64(i), c.seed, kinds, next)
		wg.Go(func() { workers[i].work(ctx) })
	}
	wg.Wait()
	return workers
}

func add(to, counts map[string]int) {
	for name, n := range counts {
		to[name] += n
	}
}

// audit compares what the API holds with the books. Nothing is under way any more.
func (r *report) audit(api *posturetest.Server, s *saboteur, workers []*worker) {
	held := r.heldOf(rules{}, api.Rules())
	maps.Copy(held, r.heldOf(integrations{}, api.Integrations()))
	r.held = len(held)
	names := map[string]int{}
	for _, one := range held {
		names[one.name]++
	}
	for _, w := range workers {
		for _, e := range w.items {
			r.auditEntry(e, held)
		}
		for _, a := range w.attempts {
			r.auditAttempt(a, s.of(a.op), names[a.name])
			if errors.Is(a.err, cfposture.ErrOutcomeUnknown) {
				delete(names, a.name) // there or not: both were announced
			}
		}
	}
	for _, e := range slices.Concat(entries(workers)...) {
		delete(names, e.name)
	}
	for name := range names {
		r.mismatch("%s is there, and in nobody's books", name)
	}
}

func entries(workers []*worker) [][]*entry {
	all := make([][]*entry, len(workers))
	for i, w := range workers {
		all[i] = w.items
	}
	return all
}

func (r *report) mismatch(format string, args ...any) {
	r.mismatches = append(r.mismatches, fmt.Sprintf(format, args...))
}

// heldOf returns what the API holds of a kind, by ID.
func (r *report) heldOf(k kind, list []json.RawMessage) map[string]item {
	held := map[string]item{}
	for _, raw := range list {
		one, err := k.parse(raw)
		if err != nil {
			r.mismatch("%s: %v", k.noun(), err)
		}
		held[one.id] = one
	}
	return held
}

func (r *report) auditEntry(e *entry, held map[string]item) {
	one, there := held[e.id]
	switch {
	case there && e.gone:
		r.mismatch("%s %s was deleted and is there", e.kind.noun(), e.name)
	case !there && !e.gone && !e.maybe:
		r.mismatch("%s %s is lost", e.kind.noun(), e.name)
	case there && (one.name != e.name || !slices.Contains(e.versions, one.version)):
		r.mismatch("%s %s is %q of version %q, want one of %q", e.kind.noun(), e.name, one.name, one.version, e.versions)
	}
}

// auditAttempt checks that what was said of a creation is what became of it.
func (r *report) auditAttempt(a *attempt, log opLog, there int) {
	unknown := errors.Is(a.err, cfposture.ErrOutcomeUnknown)
	switch {
	case log.created > 1 || there > 1:
		r.mismatch("%s was created %d times", a.name, log.created)
	case a.err == nil && log.created == 0:
		r.mismatch("%s was said to be created, and was not", a.name)
	case a.err != nil && !unknown && log.created > 0:
		r.mismatch("%s was created, and the error doesn't say that it may have been: %v", a.name, a.err)
	case unknown && log.last.known && !errors.Is(a.err, context.DeadlineExceeded):
		r.mismatch("of %s it was known what became of it (%q), and the error says otherwise: %v", a.name, log.last.name, a.err)
	}
}
