package cfposture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"

	"github.com/cfposture/cfposture/internal/wire"
)

// A PostureService reads and writes device posture rules.
type PostureService struct {
	rules collection[Rule]
}

func newPostureService(c *Client) *PostureService {
	return &PostureService{collection[Rule]{
		client:     c,
		service:    "posture",
		noun:       "rule",
		path:       "devices/posture",
		reservedID: "integration",
		decode:     decodeRule,
		id:         func(r *Rule) string { return r.ID },
		isEmpty:    func(r *Rule) bool { return r.ID == "" && r.Name == "" && r.Type == "" },
	}}
}

// List returns every rule of the account, of all pages. If rules are unreadable it returns the others and an error in
// which [errors.As] finds the first [*ItemError]; if the list can't be shown to be whole it returns what came and an
// error that wraps [ErrIncomplete]. With any other error it returns nil. A response is limited to 64 MiB.
//
// GET /accounts/{account_id}/devices/posture
func (s *PostureService) List(ctx context.Context, opts ...Option) ([]*Rule, error) {
	return s.rules.list(ctx, opts)
}

// All yields every rule of the account, page by page. A page is read whole before its rules are yielded, so that the loop
// may take its time and make calls, and no rule is yielded twice. An unreadable rule is yielded as nil and an
// [*ItemError], after which the loop may go on; any other error is the last. It wraps [ErrIncomplete] if the list can't be
// shown to be whole, also because the loop deletes what it lists.
//
// GET /accounts/{account_id}/devices/posture
func (s *PostureService) All(ctx context.Context, opts ...Option) iter.Seq2[*Rule, error] {
	return s.rules.all(ctx, opts)
}

// ListPage returns one page of the account's rules. Its errors are those of List, except for [ErrIncomplete].
//
// GET /accounts/{account_id}/devices/posture?page=…&per_page=…
func (s *PostureService) ListPage(ctx context.Context, page ListOptions, opts ...Option) (*Page[Rule], error) {
	return s.rules.listPage(ctx, page, opts)
}

// Get returns one rule. The error wraps [ErrNotFound] if there is none with the ID.
//
// GET /accounts/{account_id}/devices/posture/{rule_id}
func (s *PostureService) Get(ctx context.Context, ruleID string, opts ...Option) (*Rule, error) {
	return s.rules.get(ctx, ruleID, opts)
}

// Create creates a rule and returns it as the API made it, with its ID. It does not change the given rule and does not
// send its ID. The error wraps [ErrOutcomeUnknown] if it is open whether the rule exists.
//
// POST /accounts/{account_id}/devices/posture
func (s *PostureService) Create(ctx context.Context, rule *Rule, opts ...Option) (*Rule, error) {
	if rule == nil {
		return nil, errNilRule
	}
	created := *rule
	created.ID, created.Type = "", rule.wireType()
	return s.rules.write(ctx, "create", http.MethodPost, &created, opts)
}

// Update replaces the rule that has rule.ID and returns it as the API keeps it. What the given rule leaves out is reset,
// so change a rule that Get returned. The API does not support another type than the rule has: delete it and create one.
//
// PUT /accounts/{account_id}/devices/posture/{rule_id}
func (s *PostureService) Update(ctx context.Context, rule *Rule, opts ...Option) (*Rule, error) {
	if rule == nil {
		return nil, errNilRule
	}
	updated := *rule
	updated.Type = rule.wireType()
	return s.rules.write(ctx, "update", http.MethodPut, &updated, opts, rule.ID)
}

// Delete deletes one rule. The API's response for a rule that does not exist is a success; where it is status 404 or code
// 6024, the error wraps [ErrNotFound], unless an attempt before may have deleted the rule.
//
// DELETE /accounts/{account_id}/devices/posture/{rule_id}
func (s *PostureService) Delete(ctx context.Context, ruleID string, opts ...Option) error {
	return s.rules.delete(ctx, ruleID, opts)
}

var errNilRule = errors.New("cfposture: the rule is nil")

// A Rule checks devices. The API's documents call it DevicePostureRule.
type Rule struct {
	// ID is a UUID, which the API gives.
	ID string `json:"id,omitzero"`
	// Name may be empty.
	Name string `json:"name"`
	// Type decides what Input is. Taken from Input when empty.
	Type        RuleType `json:"type,omitzero"`
	Description string   `json:"description,omitzero"`
	// Schedule is how often the check runs: at least 1m; the API's default is 5m.
	Schedule Interval `json:"schedule,omitzero"`
	// Expiration is how long a result is valid; empty: until the next.
	Expiration Interval `json:"expiration,omitzero"`
	// Match are the devices that the rule is for.
	Match []Match `json:"match,omitzero"`
	// Input is what is checked. Nil: the rule has none.
	Input DeviceInput `json:"input,omitzero"`
	// Extra are the members this package doesn't know, kept and sent back.
	Extra map[string]json.RawMessage `json:",embed"`
}

// A Match is a condition that a device must meet for a rule to be about it. The API's documents call it DeviceMatch.
type Match struct {
	Platform Platform                   `json:"platform,omitzero"`
	Extra    map[string]json.RawMessage `json:",embed"` // members this package doesn't know, kept and sent back
}

// Validate returns a [*ValidationError] with everything that the API would refuse in the rule or that could not mean
// anything, or nil. Create and Update call it.
func (r *Rule) Validate() error {
	if r == nil {
		return errNilRule
	}
	p := new(problems)
	p.idLength("id", r.ID)
	r.validateType(p)
	p.interval("schedule", r.Schedule)
	if every, err := r.Schedule.Duration(); err == nil && every >= 0 && every < minSchedule {
		p.add("schedule", fmt.Sprintf("%q is below the minimum of 1m", r.Schedule))
	}
	p.interval("expiration", r.Expiration)
	p.extra(r)
	for i := range r.Match {
		if match := &r.Match[i]; len(match.Extra) > 0 {
			p.in(fmt.Sprintf("match[%d]", i), func() { p.extra(match) })
		}
	}
	if !isNil(r.Input) {
		p.in("input", func() {
			r.Input.validate(p)
			p.extra(r.Input)
		})
	}
	return p.err()
}

func (r *Rule) validateType(p *problems) {
	switch {
	case r.Input != nil && isNil(r.Input):
		p.add("input", fmt.Sprintf("is a nil %T: leave it out, or give NewInput's", r.Input))
	case r.wireType() == "":
		p.add("type", "is required")
	case r.Input != nil && r.Input.RuleType() != "" && r.wireType() != r.Input.RuleType():
		p.add("type", fmt.Sprintf("is %q but the input is one for %q", r.Type, r.Input.RuleType()))
	}
}

// wireType is the type that is sent.
func (r *Rule) wireType() RuleType {
	if r.Type == "" && !isNil(r.Input) {
		return r.Input.RuleType()
	}
	return r.Type
}

func (r *Rule) secrets() []string { return nil }

// MarshalJSON writes the rule as the API takes it, members of Extra included.
func (r Rule) MarshalJSON() ([]byte, error) {
	r.Type = r.wireType()
	return r.encode()
}

// encode is MarshalJSON for a rule whose type is set.
func (r *Rule) encode() ([]byte, error) {
	text, err := wire.Append(nil, r, nil, func(dst []byte) ([]byte, error) { return appendInput(dst, r.Input) })
	if err != nil {
		return nil, fmt.Errorf("cfposture: rule: %w", err)
	}
	return text, nil
}

// UnmarshalJSON reads a rule as the API gives it. An input that doesn't fit the type becomes an [UnknownInput].
func (r *Rule) UnmarshalJSON(data []byte) error { return unmarshal(data, r, decodeRule) }

// decodeRule reads a rule from valid JSON. The rule's strings are parts of text.
func decodeRule(text string) (*Rule, error) {
	// Most rules have one match: its place is in the same piece of memory.
	space := new(struct {
		Rule
		match [1]Match
	})
	r := &space.Rule
	r.Match = space.match[:0]
	rest, err := wire.Decode(text, r)
	if len(r.Match) == 0 && cap(r.Match) > 0 {
		r.Match = nil // the text has none
	}
	if err != nil {
		return nil, named("rule", r.ID, err)
	}
	if rest.Held != "" {
		r.Input = decodeInput(r.Type, rest.Held)
	}
	return r, nil
}
