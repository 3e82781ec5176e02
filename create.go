package cfposture

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cfposture/cfposture/internal/variant"
)

// How long to look for an item that a POST may have created. The pauses double from the first to the longest.
const (
	lookTime     = time.Minute
	firstPause   = 500 * time.Millisecond
	longestPause = 8 * time.Second
	lastLook     = time.Second // before the time is over
)

// CreateOnce creates a rule like Create. If the outcome is unknown, it looks for the rule like FindCreated, and its error
// wraps [ErrOutcomeUnknown] only if it doesn't find exactly one. It lists the rules first; if that fails, nothing is created.
// It never sends a second POST and never returns a rule that existed before. It can't distinguish its own rule from an equal
// one that another caller creates at the same time.
//
// To create many rules, list once, then call Create for each, and FindCreated where the outcome is unknown.
//
// GET and POST /accounts/{account_id}/devices/posture
func (s *PostureService) CreateOnce(ctx context.Context, rule *Rule, opts ...Option) (*Rule, error) {
	return s.rules.createOnce(ctx, rule, opts)
}

// FindCreated looks for the rule that a Create call may have made when its error wraps [ErrOutcomeUnknown]: one with the
// same name, without a [Rule.Diff] from the given rule, and for whose ID known returns false. known reports whether an ID
// existed before the Create; nil means that none did. Because a change can take effect after its response is lost,
// FindCreated lists the rules with growing pauses until it finds one, ctx ends or a minute is over. If it finds none, or
// several, its error wraps ErrOutcomeUnknown; if ctx has ended, it also wraps the context's error.
//
// GET /accounts/{account_id}/devices/posture
func (s *PostureService) FindCreated(ctx context.Context, rule *Rule, known func(id string) bool, opts ...Option) (*Rule, error) {
	return s.rules.findCreated(ctx, rule, known, opts)
}

func (r *Rule) mayBe(have *Rule) bool { return r.Name == have.Name && len(r.Diff(have)) == 0 }

// CreateOnce creates an integration like Create, and looks for it if the outcome is unknown, like
// [PostureService.CreateOnce].
//
// GET and POST /accounts/{account_id}/devices/posture/integration
func (s *IntegrationsService) CreateOnce(ctx context.Context, integration *Integration, opts ...Option) (*Integration, error) {
	return s.integrations.createOnce(ctx, integration, opts)
}

// FindCreated looks for the integration that a Create call may have made when its error wraps [ErrOutcomeUnknown], like
// [PostureService.FindCreated].
//
// GET /accounts/{account_id}/devices/posture/integration
func (s *IntegrationsService) FindCreated(
	ctx context.Context, integration *Integration, known func(id string) bool, opts ...Option,
) (*Integration, error) {
	return s.integrations.findCreated(ctx, integration, known, opts)
}

func (i *Integration) mayBe(have *Integration) bool {
	return i.Name == have.Name && len(i.Diff(have)) == 0
}

// A creatable is a rule or an integration that is to be created.
type creatable[T any] interface {
	payload
	subject() string
	// mayBe reports whether an item may be what became of it.
	mayBe(have *T) bool
}

func (c *collection[T]) createOnce(ctx context.Context, item creatable[T], opts []Option) (*T, error) {
	if variant.IsNil(item) {
		return nil, item.Validate()
	}
	existed := map[string]bool{}
	if err := c.look(ctx, opts, func(id string, _ *T) { existed[id] = true }); err != nil {
		return nil, err
	}
	created, err := c.submit(ctx, "create", http.MethodPost, item, opts)
	if !errors.Is(err, ErrOutcomeUnknown) {
		return created, err
	}
	found, lookErr := c.lookUntilFound(ctx, item, func(id string) bool { return existed[id] }, opts)
	if lookErr != nil {
		return nil, fmt.Errorf("%w; %w", err, lookErr)
	}
	return found, nil
}

func (c *collection[T]) findCreated(ctx context.Context, item creatable[T], known func(id string) bool, opts []Option) (*T, error) {
	if variant.IsNil(item) {
		return nil, item.Validate()
	}
	if known == nil {
		known = func(string) bool { return false }
	}
	found, err := c.lookUntilFound(ctx, item, known, opts)
	if err != nil {
		return nil, unresolvedError{fmt.Errorf("cfposture: %w", err)}
	}
	return found, nil
}

// lookUntilFound returns the one item that isn't known and may be what became of the given one.
func (c *collection[T]) lookUntilFound(ctx context.Context, item creatable[T], known func(id string) bool, opts []Option) (*T, error) {
	looking, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	failure := fmt.Errorf("no new one like it was found within %v", lookTime)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		var found []*T
		err := c.look(looking, opts, func(id string, have *T) {
			if have != nil && !known(id) && item.mayBe(have) {
				found = append(found, have)
			}
		})
		switch {
		case err != nil && looking.Err() == nil:
			failure = err
		case err == nil && len(found) == 1:
			return found[0], nil
		case err == nil && len(found) > 1:
			return nil, fmt.Errorf("%s may exist: %d new ones are like it", item.subject(), len(found))
		}
		if deadline, _ := looking.Deadline(); time.Until(deadline) > lastLook {
			pause = min(pause, time.Until(deadline)-lastLook)
		}
		select {
		case <-looking.Done():
			if ctx.Err() != nil {
				failure = ctx.Err()
				if cause := context.Cause(ctx); !errors.Is(failure, cause) {
					failure = fmt.Errorf("%w: %w", failure, cause)
				}
			}
			return nil, fmt.Errorf("%s may exist: %w", item.subject(), failure)
		case <-time.After(pause):
		}
	}
}

// look calls see for every item of the collection, with nil for an unreadable one. It returns an error if the list isn't
// whole.
func (c *collection[T]) look(ctx context.Context, opts []Option, see func(id string, item *T)) error {
	for item, err := range c.all(ctx, opts) {
		var unreadable *ItemError
		switch {
		case err == nil:
			see(c.id(item), item)
		case errors.As(err, &unreadable):
			see(unreadable.ID, nil)
		default:
			return err
		}
	}
	return nil
}

// An unresolvedError is an ErrOutcomeUnknown that looking has not resolved.
type unresolvedError struct{ error }

func (e unresolvedError) Is(target error) bool { return target == ErrOutcomeUnknown }
func (e unresolvedError) Unwrap() error        { return e.error }
