package apply

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/examples/posturectl/internal/document"
	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
)

// Options are what the caller may choose about a plan.
type Options struct {
	// Prune deletes what the document's lists don't have.
	Prune bool
	// SendSecrets sends the secrets of unchanged integrations, too.
	SendSecrets bool
	// AllowUnknown lets members and types pass that the library doesn't know.
	AllowUnknown bool
	// Env lists variables that members of a config may take although they are no secrets.
	Env []string
	// Getenv returns an environment variable.
	Getenv func(name string) string
}

// A Plan is what to do so that an account matches a document.
type Plan struct {
	steps     []*step // in an order in which each finds what it needs
	unchanged int
	kept      []*item // the account's items that the document doesn't have, and that stay
	account   *state
}

// A verb is what is done to an item.
type verb string

const (
	create verb = "create"
	update verb = "update"
	remove verb = "delete"
)

// A step is one thing to do, to one item.
type step struct {
	verb     verb
	item     *item // the document's, or of a delete the account's
	merged   *item // of an update: the account's item with the document's members put over it
	changes  []change
	replaces *item  // of a create: what is deleted in exchange, because its type changed
	replaced bool   // of a delete: that
	warning  string // what to know before it is done
}

// A change is what becomes of one member. A value that isn't there is "".
type change struct{ member, old, new string }

// String returns what is done to what.
func (s *step) String() string { return string(s.verb) + " " + s.item.String() }

// Make reads the account and compares it with the document.
func Make(ctx context.Context, client *cfposture.Client, d *document.Document, o Options) (*Plan, error) {
	integrations, err := client.Integrations.List(ctx)
	if err != nil {
		return nil, err
	}
	rules, err := client.Posture.List(ctx)
	if err != nil {
		return nil, err
	}
	return newPlan(d, accountState(integrations, rules), o)
}

// Len returns the number of steps.
func (p *Plan) Len() int { return len(p.steps) }

// Creates reports whether the plan creates anything.
func (p *Plan) Creates() bool {
	return slices.ContainsFunc(p.steps, func(s *step) bool { return s.verb == create })
}

// SameAs reports whether two plans do the same to the same items.
func (p *Plan) SameAs(other *Plan) bool {
	return slices.EqualFunc(p.steps, other.steps, func(a, b *step) bool {
		return a.String() == b.String() && a.item.id == b.item.id && slices.Equal(a.changes, b.changes)
	})
}

func newPlan(d *document.Document, have *state, o Options) (*Plan, error) {
	want, err := readDocument(d, o)
	if err != nil {
		return nil, err
	}
	p := &planner{options: o, want: want, have: have, plan: &Plan{account: have}}
	p.integrations = match(want.integrations, have.integrations, &p.problems)
	p.rules = match(want.rules, have.rules, &p.problems)
	if err := p.problems.err(); err != nil {
		return nil, err // Everything else would follow from these.
	}
	// Integrations come before the rules that name them, and go after them. What changed its type goes after its
	// successor is there, so that an interruption leaves no gap.
	p.writeAll(want.integrations, p.integrations)
	p.resolveAll()
	p.writeAll(want.rules, p.rules)
	p.removeAll(have.rules, p.rules, want.noRules)
	p.removeAll(have.integrations, p.integrations, want.noIntegrations)
	p.checkRemovals()
	return p.plan, p.problems.err()
}

// A planner is a plan in the making.
type planner struct {
	options             Options
	want, have          *state
	integrations, rules *matching
	used                map[string]bool // IDs of the account's integrations that the document's rules name
	plan                *Plan
	problems            problems
}

// writeAll plans what is created and updated.
func (p *planner) writeAll(want []*item, m *matching) {
	for _, w := range want {
		s := &step{verb: create, item: w, replaces: m.replaced[w]}
		if have := m.account[w]; have == nil {
			s.changes = w.added()
		} else {
			w.id = have.id
			s.verb, s.merged, s.changes = update, w.mergedInto(have), p.differences(w, have)
			if len(s.changes) == 0 {
				p.plan.unchanged++
				continue
			}
		}
		if err := s.validate(); err != nil {
			p.problems.addf("the %s: %w", w, err)
		}
		p.plan.steps = append(p.plan.steps, s)
	}
}

// mergedInto returns what to send so that an item of the account has what the document says.
func (i *item) mergedInto(have *item) *item {
	if i.kind == integration {
		return integrationItem(i.integration.Merge(have.integration))
	}
	return ruleItem(i.rule.Merge(have.rule))
}

// differences lists what an update changes.
func (p *planner) differences(want, have *item) []change {
	var found []cfposture.Difference
	if want.kind == integration {
		found = want.integration.Diff(have.integration)
	} else {
		found = want.rule.Diff(have.rule)
	}
	var changes []change
	config := false
	for _, d := range found {
		config = config || strings.HasPrefix(d.Field, "config")
		old := want.show(d.Field, d.Have)
		if strings.HasPrefix(old, redacted) {
			old = redacted // whichever variable it came from
		}
		changes = append(changes, change{d.Field, old, want.show(d.Field, d.Want)})
	}
	if want.kind == integration && (config || p.options.SendSecrets) {
		for member, secret := range cfposture.Secrets(want.integration.Config) {
			if *secret != "" { // A config is sent as a whole, so that the secret the API has is replaced.
				changes = append(changes, change{"config." + member, "unknown", want.show("config."+member, json.RawMessage(`""`))})
			}
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return strings.Compare(a.member, b.member) })
	return changes
}

// validate says what the API would refuse.
func (s *step) validate() error {
	var err error
	switch {
	case s.verb == update && s.item.kind == rule:
		err = s.merged.rule.Validate()
	case s.verb == update:
		err = s.integrationUpdate().Validate()
	case s.item.kind == rule:
		err = s.item.rule.Validate()
	default:
		err = s.item.integration.Validate()
	}
	var invalid *cfposture.ValidationError
	if errors.As(err, &invalid) {
		return s.item.explain(invalid)
	}
	return err
}

// explain says where missing members come from.
func (i *item) explain(invalid *cfposture.ValidationError) error {
	secrets := map[string]*cfposture.Secret{}
	if i.kind == integration {
		secrets = cfposture.Secrets(i.integration.Config)
	}
	var texts []string
	for _, problem := range invalid.Problems {
		member := strings.TrimPrefix(problem.Field, "config.")
		variable := i.unset[member]
		switch {
		case secrets[member] != nil && variable != "":
			texts = append(texts, fmt.Sprintf("%s is needed, and $%s is not set", problem.Field, terminal.Clean(variable)))
		case secrets[member] != nil:
			texts = append(texts, fmt.Sprintf(`%s is needed, and exports hold no secrets: write {"$env": "NAME"} for it`, problem.Field))
		case isInner(problem.Field) && strings.HasPrefix(problem.Reason, "is required"):
			texts = append(texts, problem.Field+" is needed, and responses of the API may lack it: write it into the document")
		default:
			texts = append(texts, problem.String())
		}
	}
	return errors.New(strings.Join(texts, "; "))
}

// integrationUpdate returns the change to send: a config is sent as a whole, and only if something in it changes.
func (s *step) integrationUpdate() cfposture.IntegrationUpdate {
	var u cfposture.IntegrationUpdate
	merged := s.merged.integration
	for _, c := range s.changes {
		switch c.member {
		case "name":
			u.Name = &merged.Name
		case "interval":
			u.Interval = &merged.Interval
		default:
			u.Config = merged.Config
		}
	}
	return u
}

// resolveAll finds the integrations that the document's rules name, by ID or by name.
func (p *planner) resolveAll() {
	p.used = map[string]bool{}
	written, there := map[string]*item{}, map[string]bool{}
	for _, i := range p.want.integrations {
		if i.written != "" {
			written[i.written] = i
		}
	}
	for _, i := range p.have.integrations {
		there[i.id] = true
	}
	for _, r := range p.want.rules {
		name := r.connection
		switch i := written[name]; {
		case name == "":
		case i != nil:
			p.use(r, i)
		case there[name]:
			p.used[name] = true
			connect(r.rule, name)
		default:
			p.use(r, p.integrationNamed(name, r))
		}
	}
}

// use makes a rule name an integration of the document, which may not be there yet, or of the account.
func (p *planner) use(r, i *item) {
	switch {
	case i == nil:
	case i.id == "":
		r.uses = i
	default:
		p.used[i.id] = true
		connect(r.rule, i.id)
	}
}

// integrationNamed finds the integration that a rule gives the name of, in the document or else in the account. Where
// several have it, the rule's type decides.
func (p *planner) integrationNamed(name string, r *item) *item {
	for _, all := range [][]*item{p.want.integrations, p.have.integrations} {
		found := slices.DeleteFunc(slices.Clone(all), func(i *item) bool { return i.name != name })
		if len(found) > 1 {
			found = slices.DeleteFunc(found, func(i *item) bool { return i.typ != r.typ })
		}
		if len(found) == 1 {
			return found[0]
		}
		if slices.ContainsFunc(all, func(i *item) bool { return i.name == name }) {
			p.problems.addf("the %s names the integration %s, and there are several of that name", r, terminal.Quote(name))
			return nil
		}
	}
	if have := p.rules.account[r]; have != nil && have.connection == name {
		connect(r.rule, name) // It is the account's own affair.
		return nil
	}
	p.problems.addf("the %s names the integration %s, which neither the document nor the account has", r, terminal.Quote(name))
	return nil
}

// removeAll plans what is deleted.
func (p *planner) removeAll(have []*item, m *matching, unmanaged bool) {
	replaced := slices.Collect(maps.Values(m.replaced))
	for _, h := range have {
		switch {
		case slices.Contains(replaced, h):
			p.plan.steps = append(p.plan.steps, &step{verb: remove, item: h, replaced: true})
		case !m.left[h]:
		case p.options.Prune && !unmanaged && !p.used[h.id]:
			p.plan.steps = append(p.plan.steps, &step{verb: remove, item: h, warning: p.warning(h)})
		default:
			p.plan.kept = append(p.plan.kept, h)
		}
	}
}

// warning says what deleting an item may break. Creating a list of serial numbers was seen to create a rule.
func (p *planner) warning(h *item) string {
	if h.typ == string(cfposture.RuleTypeSerialNumber) || h.typ == string(cfposture.RuleTypeUniqueClientID) {
		return "it may be a Gateway list's own rule: without it, policies that use the list may fail"
	}
	return ""
}

// checkRemovals finds rules that would be left without their integration.
func (p *planner) checkRemovals() {
	removed := map[string]*item{}
	for _, s := range p.plan.steps {
		if s.verb == remove && s.item.kind == integration {
			removed[s.item.id] = s.item
		}
	}
	for _, h := range p.plan.kept {
		if i := removed[h.connection]; i != nil && h.kind == rule {
			p.problems.addf("the %s can't be deleted: the %s uses it, which the document doesn't have", i, h)
		}
	}
}
