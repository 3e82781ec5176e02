package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/cfposture/cfposture"
)

// A worker does operations on items of its own, and keeps its books of them.
type worker struct {
	rng   *rand.Rand
	kinds []kind
	next  func() (op int, more bool)

	items      []*entry
	attempts   []*attempt
	operations map[string]int
	outcomes   map[string]int
	mismatches []string
}

// An entry is an item as the books have it. After a failure it may be one of several.
type entry struct {
	kind     kind
	id, name string
	versions []string // those that it may have
	maybe    bool     // it may be gone
	gone     bool
	retired  bool // the context ended while it was being changed, so that the change may still come
}

// An attempt at creating something.
type attempt struct {
	kind    kind
	op      string
	name    string
	version string
	err     error
}

func newWorker(number uint64, seed uint64, kinds []kind, next func() (int, bool)) *worker {
	return &worker{
		rng: rand.New(rand.NewPCG(seed, number)), kinds: kinds, next: next, //nolint:gosec // chance needs no secrecy
		operations: map[string]int{}, outcomes: map[string]int{},
	}
}

// mostItems is how many items a worker keeps, so that lists stay short.
const mostItems = 24

func (w *worker) work(ctx context.Context) {
	for ctx.Err() == nil {
		op, more := w.next()
		if !more {
			return
		}
		w.step(ctx, op)
	}
}

func (w *worker) step(ctx context.Context, op int) {
	usable := w.usable()
	pick := w.rng.IntN(100)
	switch {
	case len(usable) < 2 || pick < 22 && len(usable) < mostItems:
		w.create(ctx, op)
	case pick < 45:
		w.get(ctx, op, usable[w.rng.IntN(len(usable))])
	case pick < 72:
		w.update(ctx, op, usable[w.rng.IntN(len(usable))])
	case pick < 90:
		w.remove(ctx, op, usable[w.rng.IntN(len(usable))])
	default:
		w.list(ctx, op, pick%2 == 0)
	}
}

func (w *worker) usable() []*entry {
	return slices.DeleteFunc(slices.Clone(w.items), func(e *entry) bool { return e.gone || e.retired })
}

// begin counts an operation, and now and then has its context end early.
func (w *worker) begin(ctx context.Context, op int, what string, k kind) (context.Context, context.CancelFunc, cfposture.Option) {
	w.operations[k.noun()+" "+what]++
	option := cfposture.WithHeader(opHeader, strconv.Itoa(op))
	if w.rng.IntN(50) > 0 {
		return ctx, func() {}, option
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(w.rng.IntN(2000))*time.Microsecond)
	return ctx, cancel, option
}

// outcome counts how an operation ended.
func (w *worker) outcome(what string, err error) {
	var answer *cfposture.Error
	result := "ok"
	switch {
	case err == nil:
	case errors.Is(err, cfposture.ErrOutcomeUnknown):
		result = "outcome unknown"
	case errors.Is(err, context.DeadlineExceeded):
		result = "failed: time"
	case errors.As(err, &answer):
		result = fmt.Sprintf("failed: %d", answer.StatusCode)
	default:
		result = "failed: connection"
	}
	w.outcomes[what+" "+result]++
	if what != "create" && errors.Is(err, cfposture.ErrOutcomeUnknown) {
		w.mismatch("a %s has an unknown outcome, and could have been sent again: %v", what, err)
	}
}

func (w *worker) mismatch(format string, args ...any) {
	w.mismatches = append(w.mismatches, fmt.Sprintf(format, args...))
}

func (w *worker) create(ctx context.Context, op int) {
	k := w.kinds[w.rng.IntN(len(w.kinds))]
	callCtx, cancel, option := w.begin(ctx, op, "create", k)
	defer cancel()
	a := &attempt{kind: k, op: strconv.Itoa(op), name: fmt.Sprintf("soak-%d", op), version: k.version(op)}
	w.attempts = append(w.attempts, a)
	var id string
	id, a.err = k.create(callCtx, a.name, a.version, option)
	w.outcome("create", a.err)
	if a.err == nil {
		w.items = append(w.items, &entry{kind: k, id: id, name: a.name, versions: []string{a.version}})
		return
	}
	if errors.Is(a.err, cfposture.ErrOutcomeUnknown) && callCtx.Err() == nil {
		w.look(ctx, a)
	}
}

// look does what the error says: list and look.
func (w *worker) look(ctx context.Context, a *attempt) {
	op, more := w.next()
	if !more {
		return
	}
	_, _, option := w.begin(ctx, op, "look", a.kind)
	items, err := a.kind.list(ctx, option)
	w.outcome("look", err)
	if err != nil {
		return
	}
	for _, found := range items {
		if found.name == a.name {
			w.items = append(w.items, &entry{kind: a.kind, id: found.id, name: a.name, versions: []string{a.version}})
			w.outcomes["look found it"]++
			return
		}
	}
	w.outcomes["look found nothing"]++
}

func (w *worker) get(ctx context.Context, op int, e *entry) {
	ctx, cancel, option := w.begin(ctx, op, "get", e.kind)
	defer cancel()
	got, err := e.kind.get(ctx, e.id, option)
	w.outcome("get", err)
	switch {
	case errors.Is(err, cfposture.ErrNotFound):
		w.notFound(e, "get")
	case err == nil:
		w.seen(e, got)
	}
}

func (w *worker) notFound(e *entry, what string) {
	if !e.maybe {
		w.mismatch("%s: %s %s is lost", what, e.kind.noun(), e.name)
	}
	e.gone = true
}

// seen compares an item that was read with the books, which then are as sure as it is.
func (w *worker) seen(e *entry, got item) {
	if got.name != e.name || !slices.Contains(e.versions, got.version) {
		w.mismatch("%s %s is %q of version %q, want one of %q", e.kind.noun(), e.name, got.name, got.version, e.versions)
	}
	e.versions, e.maybe = []string{got.version}, false
}

func (w *worker) update(ctx context.Context, op int, e *entry) {
	ctx, cancel, option := w.begin(ctx, op, "update", e.kind)
	defer cancel()
	version := e.kind.version(op)
	err := e.kind.update(ctx, e.id, version, option)
	w.outcome("update", err)
	switch {
	case err == nil:
		e.versions, e.maybe = []string{version}, false
	case errors.Is(err, cfposture.ErrNotFound):
		w.notFound(e, "update")
	default:
		e.versions = append(e.versions, version)
		e.retired = ctx.Err() != nil
	}
}

func (w *worker) remove(ctx context.Context, op int, e *entry) {
	ctx, cancel, option := w.begin(ctx, op, "delete", e.kind)
	defer cancel()
	err := e.kind.remove(ctx, e.id, option)
	w.outcome("delete", err)
	switch {
	case err == nil:
		e.gone = true
	case errors.Is(err, cfposture.ErrNotFound):
		w.notFound(e, "delete")
	default:
		e.maybe = true
		e.retired = ctx.Err() != nil
	}
}

// list reads everything, and looks for the worker's own.
func (w *worker) list(ctx context.Context, op int, streamed bool) {
	k := w.kinds[w.rng.IntN(len(w.kinds))]
	read, what := k.list, "list"
	if streamed {
		read, what = k.all, "all"
	}
	ctx, cancel, option := w.begin(ctx, op, what, k)
	defer cancel()
	items, err := read(ctx, option)
	w.outcome(what, err)
	if err != nil {
		return
	}
	found := map[string]item{}
	for _, one := range items {
		if _, twice := found[one.id]; twice {
			w.mismatch("%s: %s is there twice", what, one.name)
		}
		found[one.id] = one
	}
	for _, e := range w.items {
		one, there := found[e.id]
		switch {
		case e.kind != k || e.retired:
		case there && e.gone:
			w.mismatch("%s: %s %s was deleted and is there", what, k.noun(), e.name)
		case there:
			w.seen(e, one)
		case !e.gone:
			w.notFound(e, what)
		}
	}
}
