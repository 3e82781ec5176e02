package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/cfposture/cfposture"
)

// Execution says how a plan is carried out.
type Execution struct {
	Client *cfposture.Client
	// Parallel is how many calls may be under way at once.
	Parallel int
	// Recheck makes the plan anew. It is called before the first create.
	Recheck func(context.Context) (*Plan, error)
	// Grace is how long calls under way may take after the context has ended: a call that is cut short may be carried out
	// or not.
	Grace time.Duration
	// Look limits how long to look for what became of a create whose outcome is unknown, which is a minute at the most.
	Look time.Duration
	// Progress is called after each step that is done, Interrupted when the context has ended.
	Progress, Interrupted func()
}

// looking is how many creates of unknown outcome may be looked for at once, before no more are begun.
const looking = 32

// An executor carries out a plan.
type executor struct {
	Execution
	plan   *Plan
	report *Report
	looks  chan struct{} // has an element for each create that is looked for

	mu    sync.Mutex
	known map[string]bool     // IDs that the account had before, or that this run has created
	twins map[key]*sync.Mutex // held while an item of the key is being created
}

// Execute carries a plan out until a step fails or the context ends.
func (p *Plan) Execute(ctx context.Context, e Execution) *Report {
	x := &executor{
		Execution: e, plan: p, looks: make(chan struct{}, looking),
		report: &Report{plan: p, results: map[*step]error{}},
		known:  map[string]bool{}, twins: map[key]*sync.Mutex{},
	}
	for _, i := range slices.Concat(p.account.integrations, p.account.rules) {
		x.known[i.id] = true
	}
	calls, cancel := later(ctx, e.Grace)
	defer cancel()
	stop := context.AfterFunc(ctx, e.Interrupted)
	defer stop()
	if err := x.begin(ctx, calls); err != nil {
		x.report.stopped = err
	} else {
		x.runAll(ctx, calls)
	}
	x.report.interrupted = ctx.Err() != nil
	return x.report
}

// later returns a context that ends some time after the other.
func later(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	calls, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(by, cancel) })
	return calls, func() {
		stop()
		cancel()
	}
}

var (
	errChanged  = errors.New("the account has changed since the plan was made: run again for a new plan")
	errStranger = errors.New("another program is creating the same items: run again when it is done, and look for twins")
)

// begin keeps two programs that begin at once from creating everything twice. It looks whether the plan still holds
// before the first create; after that one it looks whether somebody else has begun the same.
func (x *executor) begin(ctx, calls context.Context) error {
	first := slices.IndexFunc(x.plan.steps, func(s *step) bool { return s.verb == create })
	if first < 0 {
		return nil
	}
	again, err := x.Recheck(ctx)
	switch {
	case err != nil:
		return err
	case !again.SameAs(x.plan):
		return errChanged
	}
	x.carryOut(calls, x.plan.steps[first], func() {})
	if x.report.failed() || x.plan.Len() == 1 {
		return nil // which the report tells
	}
	return x.findStrangers(calls)
}

// findStrangers looks for items that the plan has yet to create and that are there already.
func (x *executor) findStrangers(ctx context.Context) error {
	integrations, err := x.Client.Integrations.List(ctx)
	if err != nil {
		return err
	}
	rules, err := x.Client.Posture.List(ctx)
	if err != nil {
		return err
	}
	planned := map[key]bool{}
	for _, s := range x.plan.steps {
		planned[s.item.key()] = planned[s.item.key()] || s.verb == create
	}
	now := accountState(integrations, rules)
	for _, i := range slices.Concat(now.integrations, now.rules) {
		if planned[i.key()] && !x.isKnown(i.id) {
			return fmt.Errorf("%s, %s: %w", i, i.id, errStranger)
		}
	}
	return nil
}

// runAll carries out the steps that are left, a few at a time.
func (x *executor) runAll(ctx, calls context.Context) {
	steps := slices.DeleteFunc(slices.Clone(x.plan.steps), x.report.has)
	for len(steps) > 0 && ctx.Err() == nil && !x.report.failed() {
		n := 1
		for n < len(steps) && steps[n].stage() == steps[0].stage() {
			n++
		}
		x.runStage(ctx, calls, steps[:n])
		steps = steps[n:]
	}
}

// A stage has steps that don't need each other. What follows needs all that come before.
type stage struct {
	kind    kind
	removes bool
}

func (s *step) stage() stage { return stage{s.item.kind, s.verb == remove} }

// runStage begins no step after one has failed or ctx has ended; those under way have the context calls. It returns when
// all that it began is over.
func (x *executor) runStage(ctx, calls context.Context, steps []*step) {
	slots := make(chan struct{}, x.Parallel)
	var under sync.WaitGroup
	defer under.Wait()
	for _, s := range steps {
		select {
		case <-ctx.Done():
			return
		case slots <- struct{}{}:
		}
		if ctx.Err() != nil || x.report.stops() {
			return
		}
		under.Go(func() { x.carryOut(calls, s, sync.OnceFunc(func() { <-slots })) })
	}
}

// carryOut makes a step's call and reports what came of it. It calls release when the next step may begin.
func (x *executor) carryOut(ctx context.Context, s *step, release func()) {
	defer release()
	var err error
	switch {
	case s.verb == create:
		err = x.create(ctx, s.item, release)
	case s.verb == remove:
		err = x.remove(ctx, s)
	case s.item.kind == integration:
		_, err = x.Client.Integrations.Update(ctx, s.item.id, s.integrationUpdate())
	default:
		connectPending(s.merged.rule, s.item.uses)
		_, err = x.Client.Posture.Update(ctx, s.merged.rule)
	}
	x.report.add(s, err)
	if err == nil {
		x.Progress()
	}
}

// create sends one POST and no second one. Where its outcome is unknown it looks for the item, and lets others be created
// meanwhile.
func (x *executor) create(ctx context.Context, i *item, release func()) error {
	defer x.lock(i.key())()
	var id string
	var err error
	if i.kind == integration {
		var created *cfposture.Integration
		if created, err = createOrFind(ctx, x, x.Client.Integrations, i.integration, release); err == nil {
			id = created.ID
		}
	} else {
		var created *cfposture.Rule
		connectPending(i.rule, i.uses)
		if created, err = createOrFind(ctx, x, x.Client.Posture, i.rule, release); err == nil {
			id = created.ID
		}
	}
	if err == nil {
		x.mu.Lock()
		i.id, x.known[id] = id, true
		x.mu.Unlock()
	}
	return err
}

// A service is that of rules or of integrations.
type service[T any] interface {
	Create(ctx context.Context, item *T, opts ...cfposture.Option) (*T, error)
	FindCreated(ctx context.Context, item *T, known func(id string) bool, opts ...cfposture.Option) (*T, error)
}

func createOrFind[T any](ctx context.Context, x *executor, s service[T], item *T, release func()) (*T, error) {
	created, lost := s.Create(ctx, item)
	if !errors.Is(lost, cfposture.ErrOutcomeUnknown) || ctx.Err() != nil {
		return created, lost
	}
	x.looks <- struct{}{}
	defer func() { <-x.looks }()
	release()
	ctx, cancel := context.WithTimeout(ctx, x.Look)
	defer cancel()
	found, err := s.FindCreated(ctx, item, x.isKnown)
	if err != nil {
		return nil, fmt.Errorf("%w; %w", lost, err)
	}
	return found, nil
}

// lock keeps items of one name and type from being created at once: looking for one would find the other.
func (x *executor) lock(k key) (unlock func()) {
	x.mu.Lock()
	twin := x.twins[k]
	if twin == nil {
		twin = new(sync.Mutex)
		x.twins[k] = twin
	}
	x.mu.Unlock()
	twin.Lock()
	return twin.Unlock
}

func (x *executor) isKnown(id string) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.known[id]
}

// connectPending gives a rule the ID of an integration that was created meanwhile.
func connectPending(r *cfposture.Rule, uses *item) {
	if uses != nil {
		connect(r, uses.id)
	}
}

// remove deletes an item. It is no failure if the item is gone already.
func (x *executor) remove(ctx context.Context, s *step) error {
	var err error
	if s.item.kind == integration {
		err = x.Client.Integrations.Delete(ctx, s.item.id)
	} else {
		err = x.Client.Posture.Delete(ctx, s.item.id)
	}
	if errors.Is(err, cfposture.ErrNotFound) {
		return nil
	}
	return err
}
