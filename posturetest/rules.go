package posturetest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
)

// Rules returns the rules that s holds, as JSON, in the order of their creation.
func (s *Server) Rules() []json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.account.rules.shown()
}

// ListRules returns the rules that s holds, like [Server.Rules], as cfposture's type. They have the members that responses
// leave out. It panics if a test added something that is no rule at all, such as a number.
func (s *Server) ListRules() []*cfposture.Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	var rules []*cfposture.Rule
	for _, i := range s.account.rules.all() {
		rules = append(rules, decodeModel[cfposture.Rule](i.raw))
	}
	return rules
}

// AddRule stores a rule as it is, without the checks that a POST meets, so that tests can try what the API might send
// one day. A rule without an id gets one; one with the id of another replaces it. AddRule returns the ID. Any JSON will
// do; AddRule panics if raw isn't JSON.
func (s *Server) AddRule(raw []byte) (id string) {
	i := givenItem("AddRule", raw)
	rule, _ := decodeObject(raw)
	i.connection = connectionOf(rule)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.account.rules.add(i)
}

// PutRule stores a rule of cfposture's type without checks, like [Server.AddRule], and adds what the API would add, such as
// the schedule "5m", unless the rule has it. It returns the ID, which is new if the rule has none. It panics if rule is nil
// or can't be encoded.
func (s *Server) PutRule(rule *cfposture.Rule) (id string) {
	o := encodeModel("PutRule", rule)
	enabled, given := o["enabled"]
	completeRule(o)
	if given {
		o["enabled"] = enabled
	}
	return s.AddRule(o.encode())
}

func givenItem(function string, raw []byte) *item {
	if !json.Valid(raw) {
		panic("posturetest: " + function + ": not JSON")
	}
	return &item{raw: bytes.Clone(raw)}
}

// encodeModel returns the object that a rule or an integration encodes to.
func encodeModel(function string, model any) object {
	raw, err := json.Marshal(model)
	if err != nil {
		panic(fmt.Sprintf("posturetest: %s: %T can't be stored: %v", function, model, err))
	}
	o, ok := decodeObject(raw)
	if !ok {
		panic(fmt.Sprintf("posturetest: %s: %T is nil", function, model))
	}
	return o
}

func decodeModel[T any](raw []byte) *T {
	model := new(T)
	if err := json.Unmarshal(raw, model); err != nil {
		panic(fmt.Sprintf("posturetest: %s is no %T: %v", raw, *model, err))
	}
	return model
}

// ruleKind is what is special about rules.
type ruleKind struct{ *account }

// build makes a rule of what a POST or PUT sent. Of the old one only the type counts: PUT replaces the rest.
func (k ruleKind) build(old *item, sent object) (*item, []message) {
	problems := k.badReadOnly(sent, apifacts.RuleMembers)
	sent.dropNulls(apifacts.RuleMembers)
	problems = append(problems, check("", sent, apifacts.RuleMembers)...)
	if was := typeOf(old); was != "" && sent.text("type") != "" && sent.text("type") != was {
		problems = append(problems, invalid("/type", "the type of a rule can't be changed from "+was))
	}
	problems = append(problems, k.checkInput(sent)...)
	problems = append(problems, k.checkExpiration(sent)...)
	if problems != nil {
		return nil, problems
	}
	completeRule(sent)
	built := newItem(sent)
	built.connection = connectionOf(sent)
	return built, nil
}

// checkInput says what is wrong with a rule's input, and drops its null members.
func (k ruleKind) checkInput(rule object) []message {
	ruleType, ok := apifacts.FindRuleType(rule.text("type"))
	if !ok {
		return nil // the type itself is the problem
	}
	if !rule.has("input") {
		if ruleType.InputOptional || k.server.behavior.OptionalInput {
			return nil
		}
		return []message{invalid("/input", "input is required for "+ruleType.Name)}
	}
	input, ok := decodeObject(rule["input"])
	if !ok {
		return nil // found when the members of the rule were checked
	}
	input.dropNulls(ruleType.Members)
	rule["input"] = input.encode()
	problems := check("/input", input, ruleType.Members)
	if connection := input.text("connection_id"); connection != "" && k.integrations.get(connection) == nil {
		problems = append(problems, invalid("/input/connection_id", "connection_id names no integration of the account"))
	}
	return problems
}

// checkExpiration applies the server's policy to an expiration that isn't above the schedule.
func (k ruleKind) checkExpiration(rule object) []message {
	schedule := rule.text("schedule")
	if schedule == "" {
		schedule = apifacts.DefaultSchedule
	}
	every, err := time.ParseDuration(schedule)
	valid, expirationErr := time.ParseDuration(rule.text("expiration"))
	if err != nil || expirationErr != nil || valid > every {
		return nil
	}
	switch k.server.behavior.Expiration {
	case RefuseExpiration:
		return []message{invalid("/expiration", "expiration must be above the schedule")}
	case DropExpiration:
		delete(rule, "expiration")
	case KeepExpiration:
	}
	return nil
}

// completeRule adds what the API adds.
func completeRule(rule object) {
	rule.addDefaults(apifacts.RuleMembers)
	ruleType, _ := apifacts.FindRuleType(rule.text("type"))
	input, ok := decodeObject(rule["input"])
	if ok {
		input.addDefaults(ruleType.Members)
		rule["input"] = input.encode()
	}
	rule["enabled"] = encode(ruleType.Enabled(func(member string) bool { return !isAbsent(input[member], apifacts.String) }))
}

func connectionOf(rule object) string {
	input, _ := decodeObject(rule["input"])
	return input.text("connection_id")
}

// typeOf returns "" for nil, and for an item that a test put in without a type.
func typeOf(i *item) string {
	if i == nil {
		return ""
	}
	o, _ := decodeObject(i.raw)
	return o.text("type")
}

func (k ruleKind) show(i *item) json.RawMessage {
	omitted := k.server.behavior.OmittedMembers
	if len(omitted) == 0 {
		return i.raw
	}
	rule, _ := decodeObject(i.raw)
	input, ok := decodeObject(rule["input"])
	if !ok {
		return i.raw
	}
	for _, name := range omitted {
		delete(input, name)
	}
	rule["input"] = input.encode()
	return rule.encode()
}

func (k ruleKind) missing(e endpoint) response {
	if e.verb == "delete" && k.server.behavior.DeleteMissingRule != http.StatusNotFound {
		return succeed(k.deleted(e.id), nil)
	}
	status := http.StatusNotFound
	if configured := k.server.behavior.NotFoundStatus; configured != 0 && e.verb != "delete" {
		status = configured
	}
	return refuse(status, message{Code: apifacts.CodeRuleNotFound, Message: "device posture rule not found"})
}

func (ruleKind) keep(*item) *response { return nil }

func (ruleKind) deleted(id string) json.RawMessage { return object{"id": encode(id)}.encode() }

// moved keeps account.users true.
func (k ruleKind) moved(from, to *item) {
	if from != nil && from.connection != "" {
		delete(k.users[from.connection], from.id)
		if len(k.users[from.connection]) == 0 {
			delete(k.users, from.connection)
		}
	}
	if to != nil && to.connection != "" {
		if k.users[to.connection] == nil {
			k.users[to.connection] = map[string]bool{}
		}
		k.users[to.connection][to.id] = true
	}
}
