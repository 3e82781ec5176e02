package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/cli"
)

// options are what the caller may choose about a plan.
type options struct{ prune, sendSecrets bool }

// A plan is what to do so that an account matches a document.
type plan struct {
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
	item     *item  // the document's, or of a delete the account's
	sent     object // the members to send, of which connection_id may be pending
	changes  []change
	replaces *item // of a create: what is deleted in exchange, because its type changed
	replaced bool  // of a delete: that
}

// String returns what is done to what.
func (s *step) String() string { return string(s.verb) + " " + s.item.String() }

// newPlan compares what a document wants with what the account has. It changes nothing in have, and takes want over.
func newPlan(want, have *state, o options) (*plan, error) {
	p := &planner{options: o, want: want, have: have, plan: &plan{account: have}}
	p.integrations = match(want.integrations, have.integrations, &p.problems)
	p.rules = match(want.rules, have.rules, &p.problems)
	if err := p.problems.err(); err != nil {
		return nil, err // all else would follow from these
	}
	// Integrations come before the rules that name them, and go after them. A rule or integration whose type changed
	// goes after its successor is there, so that an interruption leaves no gap.
	p.writeAll(want.integrations, p.integrations)
	p.resolveAll()
	p.writeAll(want.rules, p.rules)
	p.removeAll(p.rules)
	p.removeAll(p.integrations)
	p.checkRemovals()
	return p.plan, p.problems.err()
}

// A planner is a plan in the making.
type planner struct {
	options
	want, have          *state
	integrations, rules *matching
	used                map[string]bool // IDs of the account's integrations that the document's rules name
	plan                *plan
	problems            problems
}

// writeAll plans what is created and updated.
func (p *planner) writeAll(want []*item, m *matching) {
	for _, w := range want {
		var s *step
		if have := m.account[w]; have == nil {
			s = &step{verb: create, item: w, sent: w.members, changes: w.added(), replaces: m.replaced[w]}
		} else {
			w.id = have.id
			s = &step{verb: update, item: w, sent: withKept(w, have)}
			if s.changes = differences(w, have, s.sent, p.sendSecrets); len(s.changes) == 0 {
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

// validate says what the API would refuse.
func (s *step) validate() error {
	var err error
	switch {
	case s.item.kind == rule:
		var r *cfposture.Rule
		if r, err = s.rule(); err == nil {
			err = r.Validate()
		}
	case s.verb == create:
		var i *cfposture.Integration
		if i, err = s.integration(); err == nil {
			err = i.Validate()
		}
	default:
		var u cfposture.IntegrationUpdate
		if u, err = s.integrationUpdate(); err == nil {
			err = u.Validate()
		}
	}
	var invalid *cfposture.ValidationError
	if errors.As(err, &invalid) {
		return s.explain(invalid)
	}
	return err
}

// explain says where missing secrets come from.
func (s *step) explain(invalid *cfposture.ValidationError) error {
	var texts []string
	for _, problem := range invalid.Problems {
		member, inConfig := strings.CutPrefix(problem.Field, "config.")
		variable := s.item.unset[member]
		switch {
		case !inConfig || !isSecret(member):
			texts = append(texts, problem.String())
		case variable != "":
			texts = append(texts, fmt.Sprintf("%s is needed, and $%s is not set", problem.Field, cli.Clean(variable)))
		default:
			texts = append(texts, fmt.Sprintf(`%s is needed, and exports hold no secrets: write {"$env": "NAME"} for it`, problem.Field))
		}
	}
	return errors.New(strings.Join(texts, "; "))
}

// resolveAll replaces the integrations that rules name, by ID or by name, by their IDs in the account.
func (p *planner) resolveAll() {
	p.used = map[string]bool{}
	written := map[string]*item{}
	for _, i := range p.want.integrations {
		written[i.written] = i
	}
	accountIDs := map[string]bool{}
	for _, i := range p.have.integrations {
		accountIDs[i.id] = true
	}
	for _, r := range p.want.rules {
		name := r.connection()
		if name == "" {
			continue
		}
		i, ok := written[name]
		if !ok && accountIDs[name] {
			p.used[name] = true
			continue
		}
		if i == nil {
			i = p.integrationNamed(name, r)
		}
		p.use(r, i)
	}
}

// use makes a rule name the integration.
func (p *planner) use(r, i *item) {
	if i == nil {
		return
	}
	r.uses = i
	p.used[i.id] = true
	r.innerMembers()[connectionID] = any(i.id)
	if i.id == "" {
		r.innerMembers()[connectionID] = pending{i}
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
		if len(found) > 1 || slices.ContainsFunc(all, func(i *item) bool { return i.name == name }) {
			p.problems.addf("the %s names the integration %s, and there are several of that name", r, cli.Quote(name))
			return nil
		}
	}
	if have := p.rules.account[r]; have == nil || have.connection() != name { // else it is the account's own affair
		p.problems.addf("the %s names the integration %s, which neither the document nor the account has", r, cli.Quote(name))
	}
	return nil
}

// removeAll plans what is deleted.
func (p *planner) removeAll(m *matching) {
	replaced := map[*item]bool{}
	for _, old := range m.replaced {
		replaced[old] = true
	}
	all, unmanaged := p.have.rules, p.want.noRules
	if m == p.integrations {
		all, unmanaged = p.have.integrations, p.want.noIntegrations
	}
	for _, h := range all {
		switch {
		case replaced[h]:
			p.plan.steps = append(p.plan.steps, &step{verb: remove, item: h, replaced: true})
		case !slices.Contains(m.left, h):
		case p.prune && !unmanaged && !p.used[h.id]:
			p.plan.steps = append(p.plan.steps, &step{verb: remove, item: h})
		default:
			p.plan.kept = append(p.plan.kept, h)
		}
	}
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
		if i := removed[h.connection()]; i != nil && h.kind == rule {
			p.problems.addf("the %s can't be deleted: the %s uses it, which the document doesn't have", i, h)
		}
	}
}

// notYet stands for an ID that isn't known yet.
const notYet = "00000000-0000-0000-0000-000000000000"

// resolved returns the members to send, with the ID of the integration that was created meanwhile.
func (s *step) resolved() object {
	sent := shallowCopy(s.sent, s.item.kind.inner())
	inner, _ := sent[s.item.kind.inner()].(object)
	if _, isPending := inner[connectionID].(pending); isPending {
		inner[connectionID] = notYet
		if s.item.uses.id != "" {
			inner[connectionID] = s.item.uses.id
		}
	}
	return sent
}

// shallowCopy copies an object and one object in it.
func shallowCopy(o object, inner string) object {
	c := object{}
	for name, value := range o {
		c[name] = value
	}
	if members, ok := c[inner].(object); ok {
		c[inner] = shallowCopy(members, "")
	}
	return c
}

// rule returns the rule to send.
func (s *step) rule() (*cfposture.Rule, error) {
	r := new(cfposture.Rule)
	err := convert(s.resolved(), r)
	r.ID = s.item.id
	return r, err
}

// integration returns the integration to send.
func (s *step) integration() (*cfposture.Integration, error) {
	i := new(cfposture.Integration)
	return i, convert(s.resolved(), i)
}

// integrationUpdate returns the change to send: a config is sent as a whole, and only if something in it changes,
// because secrets may be missing.
func (s *step) integrationUpdate() (cfposture.IntegrationUpdate, error) {
	var u cfposture.IntegrationUpdate
	i, err := s.integration()
	if err != nil {
		return u, err
	}
	for _, c := range s.changes {
		switch c.member {
		case "name":
			u.Name = &i.Name
		case "interval":
			u.Interval = &i.Interval
		default:
			u.Config = i.Config
		}
	}
	return u, nil
}

func convert(from object, into any) error {
	text, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}
