package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/cli"
)

// An executor carries out a plan.
type executor struct {
	client   *cfposture.Client
	plan     *plan
	wait     timing
	known    map[string]bool         // the IDs that the account had before
	progress func(done int, s *step) // is called after each step

	interrupted func() // is called when ctx has ended, while calls may be under way
}

func newExecutor(client *cfposture.Client, p *plan, wait timing) *executor {
	known := map[string]bool{}
	for _, i := range append(append([]*item{}, p.account.integrations...), p.account.rules...) {
		known[i.id] = true
	}
	return &executor{client, p, wait, known, func(int, *step) {}, func() {}}
}

// run carries the plan out, a few steps at a time, until one fails or the context ends.
func (e *executor) run(ctx context.Context, parallel int) *report {
	r := &report{plan: e.plan, progress: e.progress, results: map[*step]error{}}
	calls, cancel := later(ctx, e.wait.grace)
	defer cancel()
	defer after(ctx, func() { r.locked(e.interrupted) })()
	for _, stage := range stages(e.plan.steps) {
		if !e.runStage(ctx, calls, stage, parallel, r) {
			break
		}
	}
	r.cause = ctx.Err()
	return r
}

// stages cuts the steps where what follows needs all that comes before.
func stages(steps []*step) [][]*step {
	var all [][]*step
	for n, s := range steps {
		if n == 0 || s.stage() != steps[n-1].stage() {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], s)
	}
	return all
}

type stage struct {
	kind    kind
	removes bool
}

func (s *step) stage() stage { return stage{s.item.kind, s.verb == remove} }

// later returns a context that ends some time after the other.
func later(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	calls, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(by, cancel) })
	return calls, func() {
		stop()
		cancel()
	}
}

// after calls do when the context ends, unless the returned function is called before; that one waits for it.
func after(ctx context.Context, do func()) (forget func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		do()
		close(done)
	})
	return func() {
		if !stop() {
			<-done
		}
	}
}

// runStage reports whether all went well. No step is begun after one has failed or ctx has ended; those under way have
// the context calls.
func (e *executor) runStage(ctx, calls context.Context, steps []*step, parallel int, r *report) bool {
	work := make(chan *step)
	stop := make(chan struct{})
	var fail sync.Once
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(func() {
			for s := range work {
				err := e.carryOut(calls, s)
				r.add(s, err)
				if err != nil {
					fail.Do(func() { close(stop) })
				}
			}
		})
	}
	whole := feed(ctx, work, steps, stop)
	close(work)
	workers.Wait()
	return whole && !r.failed()
}

// feed hands out the steps until it is told to stop.
func feed(ctx context.Context, work chan<- *step, steps []*step, stop <-chan struct{}) bool {
	for _, s := range steps {
		select { // first of all, because the select below chooses at random
		case <-ctx.Done():
			return false
		case <-stop:
			return false
		default:
		}
		select {
		case work <- s:
		case <-ctx.Done():
			return false
		case <-stop:
			return false
		}
	}
	return true
}

func (e *executor) carryOut(ctx context.Context, s *step) error {
	switch s.verb {
	case create:
		return e.create(ctx, s)
	case update:
		return e.update(ctx, s)
	default:
		return e.remove(ctx, s)
	}
}

const mostCreates = 8

// create creates an item once, and only once. Where it can't be known whether a call did, it looks before the next.
func (e *executor) create(ctx context.Context, s *step) error {
	for attempt := 1; ; attempt++ {
		id, err := e.post(ctx, s)
		if errors.Is(err, cfposture.ErrOutcomeUnknown) && ctx.Err() == nil {
			id, err = e.look(ctx, s, err)
		}
		if err == nil {
			s.item.id = id
			return nil
		}
		if !errors.Is(err, cfposture.ErrOutcomeUnknown) || ctx.Err() != nil || attempt == mostCreates {
			return err
		}
	}
}

func (e *executor) post(ctx context.Context, s *step) (id string, err error) {
	if s.item.kind == integration {
		i, err := s.integration()
		if err != nil {
			return "", err
		}
		created, err := e.client.Integrations.Create(ctx, i)
		if err != nil {
			return "", err
		}
		return created.ID, nil
	}
	r, err := s.rule()
	if err != nil {
		return "", err
	}
	created, err := e.client.Posture.Create(ctx, r)
	if err != nil {
		return "", err
	}
	return created.ID, nil
}

// look looks for an item that the lost call may have created. The planning saw to it that its name and type tell it from
// all others that are new. Nothing found: the call's own error.
func (e *executor) look(ctx context.Context, s *step, lost error) (id string, err error) {
	if err := sleep(ctx, e.wait.settle); err != nil {
		return "", lost
	}
	if s.item.kind == integration {
		for i, err := range e.client.Integrations.All(ctx) {
			switch {
			case err != nil:
				return "", &lookError{lost, err}
			case i.Name == s.item.name && string(i.Type) == s.item.typ && !e.known[i.ID]:
				return i.ID, nil
			}
		}
		return "", lost
	}
	for r, err := range e.client.Posture.All(ctx) {
		switch {
		case err != nil:
			return "", &lookError{lost, err}
		case r.Name == s.item.name && string(r.Type) == s.item.typ && !e.known[r.ID]:
			return r.ID, nil
		}
	}
	return "", lost
}

// A lookError is that of a create whose outcome stays unknown, because looking failed as well. It wraps nothing, so that
// nobody takes it for a failure after which the item may be created again.
type lookError struct{ lost, looking error }

func (e *lookError) Error() string { return fmt.Sprintf("%v; looking failed: %v", e.lost, e.looking) }

func (e *executor) update(ctx context.Context, s *step) error {
	if s.item.kind == integration {
		change, err := s.integrationUpdate()
		if err == nil {
			_, err = e.client.Integrations.Update(ctx, s.item.id, change)
		}
		return err
	}
	r, err := s.rule()
	if err == nil {
		_, err = e.client.Posture.Update(ctx, r)
	}
	return err
}

// remove deletes an item. That it is gone already is as good.
func (e *executor) remove(ctx context.Context, s *step) error {
	var err error
	if s.item.kind == integration {
		err = e.client.Integrations.Delete(ctx, s.item.id)
	} else {
		err = e.client.Posture.Delete(ctx, s.item.id)
	}
	if errors.Is(err, cfposture.ErrNotFound) {
		return nil
	}
	return err
}

// A report says what became of a plan.
type report struct {
	plan     *plan
	progress func(done int, s *step)
	cause    error // why the context ended, if it did

	mu      sync.Mutex
	results map[*step]error // of the steps that were begun
	done    int
}

// locked keeps what is printed apart.
func (r *report) locked(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do()
}

func (r *report) add(s *step, err error) {
	r.locked(func() {
		r.results[s] = err
		if err == nil {
			r.done++
			r.progress(r.done, s)
		}
	})
}

func (r *report) failed() (failed bool) {
	r.locked(func() { failed = r.done < len(r.results) })
	return failed
}

// print says what was done, and what was not if that is not everything.
func (r *report) print(env *cli.Env) error {
	var done, failed, unbegun []string
	for _, s := range r.plan.steps {
		err, begun := r.results[s]
		switch {
		case !begun:
			unbegun = append(unbegun, s.String())
		case err != nil:
			failed = append(failed, s.String()+": "+strings.TrimPrefix(err.Error(), "cfposture: "))
		default:
			done = append(done, s.String())
		}
	}
	if len(failed) == 0 && len(unbegun) == 0 {
		env.Sayf("Done: %d of %d.", len(done), len(r.plan.steps))
		return nil
	}
	list(env, "Done", done)
	list(env, "Failed", failed)
	list(env, "Not begun", unbegun)
	if r.cause != nil {
		return fmt.Errorf("interrupted after %d of %d steps: running it again completes it", len(done), len(r.plan.steps))
	}
	return fmt.Errorf("stopped after %d of %d steps, because one failed: running it again completes it, once the cause is gone",
		len(done), len(r.plan.steps))
}

// listed is how many lines of a list are shown.
const listed = 20

func list(env *cli.Env, title string, lines []string) {
	if len(lines) == 0 {
		return
	}
	env.Sayf("%s: %d", title, len(lines))
	for _, line := range lines[:min(len(lines), listed)] {
		env.Sayf("  %s", line)
	}
	if len(lines) > listed {
		env.Sayf("  … and %d more", len(lines)-listed)
	}
}

// sleep waits, or returns the context's error as soon as it ends.
func sleep(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
