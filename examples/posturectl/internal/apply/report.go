package apply

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
)

// A Report says what became of a plan.
type Report struct {
	plan        *Plan
	stopped     error // why nothing more was begun, where no step failed
	interrupted bool

	mu      sync.Mutex
	results map[*step]error // of the steps that are over
}

func (r *Report) add(s *step, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results[s] = err
}

func (r *Report) has(s *step) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, over := r.results[s]
	return over
}

// failed reports whether a step failed.
func (r *Report) failed() bool {
	unknown, others := r.failures()
	return unknown+others > 0
}

// stops reports whether no other step of the stage is to be begun. Those whose outcome stays unknown don't stop the
// others, unless there are many: then something is wrong with the API.
func (r *Report) stops() bool {
	unknown, others := r.failures()
	return others > 0 || unknown >= looking
}

// failures counts the steps whose outcome stays unknown, and the others that failed.
func (r *Report) failures() (unknown, others int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, err := range r.results {
		switch {
		case err == nil:
		case errors.Is(err, cfposture.ErrOutcomeUnknown):
			unknown++
		default:
			others++
		}
	}
	return unknown, others
}

// Print says what was done, and what was not if that is not everything. Then it returns an error.
func (r *Report) Print(t *terminal.Terminal) error {
	var done, failed, unbegun []string
	for _, s := range r.plan.steps {
		switch err, begun := r.results[s]; {
		case !begun:
			unbegun = append(unbegun, s.String())
		case err != nil:
			failed = append(failed, s.String()+": "+terminal.Clean(strings.TrimPrefix(err.Error(), "cfposture: ")))
		default:
			done = append(done, s.String())
		}
	}
	if len(failed) == 0 && len(unbegun) == 0 {
		t.Say("Done: %d of %d.", len(done), len(r.plan.steps))
		return nil
	}
	if r.stopped != nil && len(done) == 0 {
		return fmt.Errorf("nothing was changed: %w", r.stopped)
	}
	list(t, "Done", done)
	list(t, "Failed", failed)
	list(t, "Not begun", unbegun)
	switch progress := fmt.Sprintf("after %d of %d steps", len(done), len(r.plan.steps)); {
	case r.stopped != nil:
		return fmt.Errorf("stopped %s: %w", progress, r.stopped)
	case r.interrupted:
		return fmt.Errorf("interrupted %s: running it again completes it", progress)
	default:
		return fmt.Errorf("stopped %s, because of a failure: running it again completes it, once the cause is gone", progress)
	}
}

// list shows the first lines of a list.
func list(t *terminal.Terminal, title string, lines []string) {
	const listed = 20
	if len(lines) == 0 {
		return
	}
	t.Say("%s: %d", title, len(lines))
	for _, line := range lines[:min(len(lines), listed)] {
		t.Say("  %s", line)
	}
	if len(lines) > listed {
		t.Say("  … and %d more", len(lines)-listed)
	}
}
