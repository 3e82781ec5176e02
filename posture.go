package cfposture

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/cfposture/cfposture/internal/api"
	"github.com/cfposture/cfposture/internal/check"
	"github.com/cfposture/cfposture/internal/variant"
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
		idName:     "rule ID",
		path:       "devices/posture",
		reservedID: "integration",
		decode:     decodeRule,
		id:         func(r *Rule) string { return r.ID },
		isEmpty:    func(r *Rule) bool { return r.ID == "" && r.Name == "" && r.Type == "" },
	}}
}

// List returns every rule of the account, from all pages. If some rules are unreadable, it returns the others and an error
// in which [errors.As] finds the first [*ItemError]. If the list can't be shown to be complete, it returns the rules it
// received and an error that wraps [ErrIncomplete]. An error can be both: test for ErrIncomplete first. With any other
// error List returns nil. A response is limited to 64 MiB.
//
// GET /accounts/{account_id}/devices/posture
func (s *PostureService) List(ctx context.Context, opts ...Option) ([]*Rule, error) {
	return s.rules.list(ctx, opts)
}

// All yields every rule of the account, page by page. A whole page is read before its rules are yielded, so the loop may
// take its time and make calls. It should not create or delete rules, because that moves the rules of later pages: use
// List for that. No rule is yielded twice. An unreadable rule is yielded as nil and an [*ItemError], after which the loop
// may go on; any other error ends it. That error wraps [ErrIncomplete] if the list can't be shown to be complete.
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

// Create creates a rule and returns it as the API made it, with its ID. It neither changes the given rule nor sends its
// ID. The error wraps [ErrOutcomeUnknown] if the rule may or may not have been created.
//
// POST /accounts/{account_id}/devices/posture
func (s *PostureService) Create(ctx context.Context, rule *Rule, opts ...Option) (*Rule, error) {
	if rule == nil {
		return nil, errNilRule
	}
	return s.rules.submit(ctx, "create", http.MethodPost, rule, opts)
}

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

// Update replaces the rule that has rule.ID and returns it as the API keeps it. Members that the given rule leaves out are
// reset, so change a rule that Get returned. The API can't change a rule's type: delete the rule and create another one.
// The error wraps [ErrNotFound] if there is no rule with the ID.
//
// PUT /accounts/{account_id}/devices/posture/{rule_id}
func (s *PostureService) Update(ctx context.Context, rule *Rule, opts ...Option) (*Rule, error) {
	if rule == nil {
		return nil, errNilRule
	}
	return s.rules.submit(ctx, "update", http.MethodPut, rule, opts, rule.ID)
}

// Delete deletes one rule. Deleting a rule that doesn't exist succeeds, because the API responds so. If the API reports
// 404 or code 6024 instead, the error wraps [ErrNotFound], unless an earlier attempt of this call may have deleted the rule.
//
// DELETE /accounts/{account_id}/devices/posture/{rule_id}
func (s *PostureService) Delete(ctx context.Context, ruleID string, opts ...Option) error {
	return s.rules.delete(ctx, ruleID, opts)
}

var errNilRule = &ValidationError{Subject: "rule", Problems: []Problem{{Reason: "it is nil"}}}

// A Rule checks a device. The API's documents call it DevicePostureRule. The strings of a rule that was read share up to
// 4 KiB of memory with those of its neighbors in the list.
type Rule struct {
	// ID is a UUID, which the API assigns. Create and Update don't send it in the rule. An Access policy refers to the
	// rule by it, as device_posture.integration_uid.
	ID string `json:"id,omitzero"`
	// Name may be empty, and several rules may have the same.
	Name string `json:"name"`
	// Type decides what Input is. It defaults to Input's type.
	Type        RuleType `json:"type,omitzero"`
	Description string   `json:"description,omitzero"`
	// Schedule is how often the device is checked. Minimum 1m. The API defaults to 5m.
	Schedule Interval `json:"schedule,omitzero"`
	// Expiration is how long a result is valid. If it is unset, a result is valid until the next one. Cloudflare advises
	// at least twice the schedule.
	Expiration Interval `json:"expiration,omitzero"`
	// Match selects the devices that the rule applies to. If it is unset, the API's documents imply all devices.
	Match []Match `json:"match,omitzero"`
	// Input holds what is checked. It is optional only for the types warp, gateway and tanium.
	Input DeviceInput `json:"input,omitzero"`
	// Enabled reports whether the API evaluates the rule. It is read-only: the API computes it, and Create and Update
	// don't send it.
	Enabled *bool `json:"enabled,omitzero"`
	// Extra holds the members that this package has no field for. They are sent back as received.
	Extra map[string]json.RawMessage `json:",embed"`
}

// A Match is a condition on the devices that a rule applies to. The API's documents call it DeviceMatch.
type Match struct {
	Platform Platform `json:"platform,omitzero"`
	// Extra holds the members that this package has no field for. They are sent back as received.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ParseRule reads a rule that a person wrote as JSON. It is strict; [json.Unmarshal] and the calls, which read what the API
// sends, are not. Its [*ValidationError] lists all problems: members that this package has no field for, each with the one
// that was probably meant, an unknown type, values that don't fit, and all that Validate finds.
//
// Members that are listed in allow, such as "input.flavor" or "match.later", may be there without a field. "*" stands
// for all of them, and for every type. A value that doesn't fit its field is always an error.
//
// To read YAML, pass what YAMLToJSONStrict of sigs.k8s.io/yaml returns.
func ParseRule(data []byte, allow ...string) (*Rule, error) {
	d, r := wire.NewDocument(data, allow, ""), new(Rule)
	if text := d.Decode("", d.Text, r.decode); text != "" {
		r.Input = parseInput(d, "input", r.Type, text)
	}
	check.Type(d, "rule", r.Type, ruleTypes)
	d.CheckUnknowns(r.unknowns(), map[string]string{"": "a rule", "input": string(r.Type)})
	return parsed(d, r, r.subject(), r.validate)
}

// Validate returns nil, or a [*ValidationError] that lists every missing or malformed member it can judge. It doesn't check
// values that the API may extend, such as platforms, nor hashes, versions and URLs. Create and Update call it.
func (r *Rule) Validate() error {
	if r == nil {
		return errNilRule
	}
	p := new(check.Problems)
	r.validate(p)
	return invalid(r.subject, p)
}

func (r *Rule) subject() string { return check.Subject("rule", r.Name, r.wireType()) }

func (r *Rule) validate(p *check.Problems) {
	p.IDLength("id", r.ID)
	r.validateType(p)
	if every, ok := p.Interval("schedule", string(r.Schedule)); ok && every < time.Minute {
		p.Add("schedule", fmt.Sprintf("%q is below the minimum of 1m", r.Schedule))
	}
	p.Interval("expiration", string(r.Expiration))
	p.Extra(r)
	for i := range r.Match {
		if match := &r.Match[i]; len(match.Extra) > 0 {
			p.In(fmt.Sprintf("match[%d]", i), func() { p.Extra(match) })
		}
	}
	if !variant.IsNil(r.Input) {
		p.In("input", func() {
			r.Input.validate(p)
			p.Extra(r.Input)
		})
	}
}

func (r *Rule) validateType(p *check.Problems) {
	switch {
	case r.Input != nil && variant.IsNil(r.Input):
		p.Add("input", fmt.Sprintf("is a nil %T: leave it out, or use NewInput", r.Input))
	case r.wireType() == "":
		p.Add("type", "is required")
	case r.Input != nil && r.Input.RuleType() != "" && r.wireType() != r.Input.RuleType():
		p.Add("type", fmt.Sprintf("is %q but the input is one for %q", r.Type, r.Input.RuleType()))
	case r.Input == nil && r.Type.needsInput():
		p.Add("input", "is required")
	}
}

// needsInput reports whether the API refuses a rule of the type without an input.
func (t RuleType) needsInput() bool {
	return t != RuleTypeWARP && t != RuleTypeGateway && t != RuleTypeTanium && slices.Contains(ruleTypes, t)
}

// UnknownMembers returns the paths of the members that this package has no field for, such as input.flavor and
// match[0].later, in alphabetical order.
func (r *Rule) UnknownMembers() []string { return variant.Paths(r.unknowns()) }

// String returns one line for people: the name, type and ID, the devices, the schedule, the input, and whether the
// rule is disabled.
func (r Rule) String() string {
	line := check.Subject("rule", r.Name, r.wireType())
	if r.ID != "" {
		line += " " + r.ID
	}
	if len(r.Match) > 0 {
		line += fmt.Sprintf(" on %v", r.Match)
	}
	if r.Schedule != "" {
		line += " every " + string(r.Schedule)
	}
	if !variant.IsNil(r.Input) {
		line += fmt.Sprintf(" %v", r.Input)
	}
	if r.Enabled != nil && !*r.Enabled {
		line += " (disabled)"
	}
	return api.Printable(line)
}

// LogValue returns the members that are set, as a group, without those in Extra.
func (r Rule) LogValue() slog.Value {
	attrs := variant.Attrs("id", r.ID, "name", r.Name, "type", string(r.wireType()), "description", r.Description,
		"schedule", string(r.Schedule), "expiration", string(r.Expiration))
	if len(r.Match) > 0 {
		attrs = append(attrs, slog.Any("match", r.Match))
	}
	attrs = variant.AppendAttr(attrs, "input", r.Input)
	if r.Enabled != nil {
		attrs = append(attrs, slog.Bool("enabled", *r.Enabled))
	}
	return slog.GroupValue(attrs...)
}

// String returns the platform, or JSON if there is more.
func (m Match) String() string {
	if len(m.Extra) == 0 {
		return api.Printable(string(m.Platform))
	}
	return text(&m)
}

func (r *Rule) mayBe(have *Rule) bool { return r.Name == have.Name && len(r.Diff(have)) == 0 }

// secrets returns nil, because a rule has no secrets.
func (r *Rule) secrets() []string { return nil }

// MarshalJSON returns the rule as the API sends it, with all that is set.
func (r Rule) MarshalJSON() ([]byte, error) {
	r.Type = r.wireType()
	return variant.Marshal(r.subject, r.write)
}

// encode returns what Create and Update send, which is without the members that only the API sets.
func (r *Rule) encode() ([]byte, error) {
	sent := *r
	sent.ID, sent.Enabled = "", nil
	return sent.MarshalJSON()
}

// decodeRule reads a rule. Its input is read as that of the probable type, and again if the type turns out to be another.
func decodeRule(d *wire.Decoder) (*Rule, error) {
	r := new(Rule)
	d.BeginObject()
	r.decode(d)
	if err := d.EndObject(); err != nil {
		return nil, variant.Named("rule", r.ID, err)
	}
	if r.Input == nil || r.Input.RuleType() != r.Type {
		d.Revisit(func() { r.Input = decodeInput(d, r.Type) })
	}
	return r, nil
}
