package posturetest

import (
	"encoding/json"
	"net/http"

	"github.com/cfposture/cfposture/internal/apifacts"
)

// Rules returns the rules that s holds, as JSON, in the order of their creation.
func (s *Server) Rules() []json.RawMessage {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held.rules.all()
}

// AddRule puts a rule into s as it is, without the checks that a POST meets, so that tests can try what the API
// might send one day. A rule without an id gets one; one with the id of another takes its place. It returns the ID.
// Anything that is JSON will do; AddRule panics if raw is not.
func (s *Server) AddRule(raw []byte) (id string) {
	mustBeJSON("AddRule", raw)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held.rules.add(raw)
}

func mustBeJSON(function string, raw []byte) {
	if !json.Valid(raw) {
		panic("posturetest: " + function + ": not JSON")
	}
}

func newRules(a *account) *collection {
	return &collection{
		noun:         "device posture rule",
		changeMethod: http.MethodPut,
		build:        a.buildRule,
		usedBy:       func(string) string { return "" },
		deleted:      func(id string) json.RawMessage { return object{"id": encode(id)}.encode() },
		items:        map[string]json.RawMessage{},
	}
}

// buildRule makes a rule of what a POST or PUT sent. Of the old one only the type counts: PUT replaces the rest.
func (a *account) buildRule(old, sent object) (object, []message) {
	sent.dropNulls(apifacts.RuleMembers)
	problems := check("", sent, apifacts.RuleMembers)
	if was := old.text("type"); was != "" && sent.text("type") != "" && sent.text("type") != was {
		problems = append(problems, invalid("/type", "the type of a rule can't be changed from "+was))
	}
	if input, ok := decodeObject(sent["input"]); ok {
		problems = append(problems, a.checkInput(sent.text("type"), input)...)
		sent["input"] = input.encode()
	}
	if problems != nil {
		return nil, problems
	}

	if sent.text("schedule") == "" {
		sent["schedule"] = encode(apifacts.DefaultSchedule)
	}
	if sent.text("name") == "" {
		sent["name"] = encode("")
	}
	return sent, nil
}

// checkInput says what is wrong with an input, and drops its null members.
func (a *account) checkInput(ruleType string, input object) []message {
	t, ok := apifacts.FindRuleType(ruleType)
	if !ok {
		return nil // the type itself is the problem
	}
	input.dropNulls(t.Members)
	problems := check("/input", input, t.Members)
	if connection := input.text("connection_id"); connection != "" {
		if _, ok := a.integrations.items[connection]; !ok {
			problems = append(problems, invalid("/input/connection_id", "connection_id names no integration of the account"))
		}
	}
	return problems
}
