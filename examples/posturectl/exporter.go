package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/examples/posturectl/internal/document"
	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
)

// readOnly are the members of integrations and rules that only the API sets: sending them to another account would be
// wrong.
var readOnly = map[string][]string{
	"integration": {"identifier", "schema", "test_results"},
	"rule":        {"enabled"},
}

// An exporter turns what the API returned into a document.
type exporter struct {
	document document.Document
	unknown  document.Unknown
	leftOut  tally // what only the API sets
	missing  tally // what the API doesn't return
}

// A tally has the names of the items that something was left out of, by what it was and the kind of item, such as
// "enabled of rule".
type tally map[string][]string

func (t tally) add(member, kind, name string) {
	key := member + " of " + kind
	t[key] = append(t[key], name)
}

// String lists what was left out, such as:
//
//	enabled of rules "A", "B", "C" and 2 more, schema of integration "K"
func (t tally) String() string {
	const named = 3
	var texts []string
	for _, key := range slices.Sorted(maps.Keys(t)) {
		text, names := key, t[key]
		if len(names) > 1 {
			text += "s"
		}
		var quoted []string
		for _, name := range names[:min(len(names), named)] {
			quoted = append(quoted, terminal.Quote(name))
		}
		text += " " + strings.Join(quoted, ", ")
		if more := len(names) - named; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, ", ")
}

func newExporter() *exporter {
	e := &exporter{leftOut: tally{}, missing: tally{}}
	e.document = document.Document{Version: document.Version, Integrations: []json.RawMessage{}, Rules: []json.RawMessage{}}
	return e
}

func (e *exporter) addIntegration(integration *cfposture.Integration) error {
	if _, unknown := integration.Config.(*cfposture.UnknownConfig); unknown {
		e.unknown.Items = append(e.unknown.Items, integration.ID)
	}
	e.addUnknown(integration.UnknownMembers())
	e.addMissing("integration", integration.Name, "config.", integration.Validate())
	members, err := membersOf(integration)
	if err != nil {
		return err
	}
	item, err := e.writable("integration", integration.Name, members)
	e.document.Integrations = append(e.document.Integrations, item)
	return err
}

func (e *exporter) addRule(rule *cfposture.Rule) error {
	if _, unknown := rule.Input.(*cfposture.UnknownInput); unknown {
		e.unknown.Items = append(e.unknown.Items, rule.ID)
	}
	members, err := membersOf(rule)
	if err != nil {
		return err
	}
	unknown := rule.UnknownMembers()
	if n := slices.Index(unknown, "input.enabled"); n >= 0 && e.dropInputEnabled(rule.Name, members) {
		unknown = slices.Delete(unknown, n, n+1)
	}
	e.addUnknown(unknown)
	e.addMissing("rule", rule.Name, "input.", rule.Validate())
	item, err := e.writable("rule", rule.Name, members)
	e.document.Rules = append(e.document.Rules, item)
	return err
}

var index = regexp.MustCompile(`\[\d+\]`)

// addUnknown lists members, of elements of arrays without the index.
func (e *exporter) addUnknown(members []string) {
	for _, member := range members {
		e.unknown.Members = append(e.unknown.Members, index.ReplaceAllString(member, ""))
	}
}

// addMissing notes the members that are required, and that the API didn't return.
func (e *exporter) addMissing(kind, name, inner string, err error) {
	var invalid *cfposture.ValidationError
	if !errors.As(err, &invalid) {
		return
	}
	for _, problem := range invalid.Problems {
		if member, ok := strings.CutPrefix(problem.Field, inner); ok && strings.HasPrefix(problem.Reason, "is required") {
			e.missing.add(member, kind, name)
		}
	}
}

// dropInputEnabled drops the enabled: false that the API adds to inputs of types that have no such member.
func (e *exporter) dropInputEnabled(name string, rule map[string]json.RawMessage) bool {
	var input map[string]json.RawMessage
	if json.Unmarshal(rule["input"], &input) != nil || string(input["enabled"]) != "false" {
		return false
	}
	delete(input, "enabled")
	rule["input"], _ = marshal(input) // It was decoded just now.
	e.leftOut.add("input.enabled", "rule", name)
	return true
}

// writable returns an item without what only the API sets.
func (e *exporter) writable(kind, name string, members map[string]json.RawMessage) (json.RawMessage, error) {
	for _, member := range readOnly[kind] {
		if _, there := members[member]; there {
			delete(members, member)
			e.leftOut.add(member, kind, name)
		}
	}
	return marshal(members)
}

// finish returns the document.
func (e *exporter) finish() *document.Document {
	slices.Sort(e.unknown.Members)
	e.unknown.Members = slices.Compact(e.unknown.Members)
	if e.unknown.Members != nil || e.unknown.Items != nil {
		e.document.Unknown = &e.unknown
	}
	return &e.document
}

func membersOf(item any) (map[string]json.RawMessage, error) {
	data, err := marshal(item)
	if err != nil {
		return nil, err
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, fmt.Errorf("an item's JSON is no object: %w", err)
	}
	return members, nil
}

// marshal is json.Marshal, but leaves < and > as they are.
func marshal(value any) (json.RawMessage, error) {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return json.RawMessage(strings.TrimSuffix(b.String(), "\n")), err
}
