// Package audit looks through an account's rules for what an operator would want to know: what is checked where and
// what isn't, rules that can't work as they were meant to, and rules that are there twice. It changes nothing.
package audit

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
)

// A Kind is the kind of a finding.
type Kind string

// The kinds of finding.
const (
	Uncovered   Kind = "uncovered"
	Integration Kind = "integration"
	Timing      Kind = "timing"
	NoDemand    Kind = "no-demand"
	Off         Kind = "off"
	Deprecated  Kind = "deprecated"
	Platform    Kind = "platform"
	Range       Kind = "range"
	SameName    Kind = "same-name"
	SameCheck   Kind = "same-check"
)

// Kinds has every kind with what it stands for, in the order in which findings are reported.
var Kinds = []struct {
	Kind  Kind
	About string
}{
	{Uncovered, "platforms without a disk-encryption, firewall or OS-version check"},
	{Integration, "rules that name an integration which is not there"},
	{Timing, "schedules and expirations that contradict each other"},
	{NoDemand, "firewall checks that demand 'off', disk checks that demand nothing"},
	{Off, "rules that are switched off"},
	{Deprecated, "checks that the API's documents call deprecated"},
	{Platform, "platforms that a rule can never match"},
	{Range, "values outside of the documents' ranges"},
	{SameName, "rules of the same name and type"},
	{SameCheck, "rules that check the same"},
}

// A Result is what an audit found.
type Result struct {
	Rules        int `json:"rules"`
	Integrations int `json:"integrations"`
	// Coverage has the numbers of rules by type and platform. Rules that are switched off or demand nothing don't count.
	Coverage map[string]map[string]int `json:"coverage"`
	Findings []Finding                 `json:"findings"`
}

// AnyPlatform is where a rule counts that names no platform.
const AnyPlatform = "any"

// A Finding is something amiss.
type Finding struct {
	Kind Kind   `json:"kind"`
	Text string `json:"text"`
	// Rules are those that it is about.
	Rules []Rule `json:"rules"`
	// Platform and Type tell of an uncovered platform which check it lacks.
	Platform string `json:"platform,omitempty"`
	Type     string `json:"type,omitempty"`
}

// A Rule names a rule.
type Rule struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Run looks for all that is amiss.
func Run(rules []*cfposture.Rule, integrations []*cfposture.Integration) *Result {
	r := &Result{Rules: len(rules), Integrations: len(integrations), Coverage: coverage(rules), Findings: []Finding{}}
	r.findUncovered(rules)
	there := map[string]bool{}
	for _, integration := range integrations {
		there[integration.ID] = true
	}
	for _, rule := range rules {
		input := inputOf(rule)
		if id, _ := input["connection_id"].(string); id != "" && !there[id] {
			r.add(Integration, fmt.Sprintf("there is no integration %s", id), rule)
		}
		for _, check := range checks {
			for _, text := range check.find(rule, input) {
				r.add(check.kind, text, rule)
			}
		}
		r.addRemarks(rule)
	}
	r.findTwice(rules, SameName, "the same name and type: only IDs tell them apart", func(rule *cfposture.Rule) string {
		return string(rule.Type) + "\x00" + rule.Name
	})
	r.findTwice(rules, SameCheck, "the same type, platforms and input", whatIsChecked)
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return order(a.Kind) - order(b.Kind) })
	return r
}

// addRemarks adds what the tables of facts say about a rule.
func (r *Result) addRemarks(rule *cfposture.Rule) {
	data, err := json.Marshal(rule)
	if err != nil {
		return // It came from the API, so that it can be encoded.
	}
	for _, remark := range apifacts.Lint(data) {
		r.add(remarkKinds[remark.Kind], remark.Member+" "+remark.Text, rule)
	}
}

func order(kind Kind) int {
	for i, k := range Kinds {
		if k.Kind == kind {
			return i
		}
	}
	return len(Kinds)
}

// Has reports whether the result has a finding of one of the kinds.
func (r *Result) Has(kinds []Kind) bool {
	return slices.ContainsFunc(r.Findings, func(f Finding) bool { return slices.Contains(kinds, f.Kind) })
}

func (r *Result) add(kind Kind, text string, rules ...*cfposture.Rule) {
	f := Finding{Kind: kind, Text: text, Rules: []Rule{}}
	for _, rule := range rules {
		f.Rules = append(f.Rules, Rule{rule.ID, rule.Name})
	}
	r.Findings = append(r.Findings, f)
}

func coverage(rules []*cfposture.Rule) map[string]map[string]int {
	counts := map[string]map[string]int{}
	for _, rule := range rules {
		if !demands(rule) {
			continue
		}
		t := string(rule.Type)
		if counts[t] == nil {
			counts[t] = map[string]int{}
		}
		for _, platform := range platformsOf(rule) {
			counts[t][platform]++
		}
	}
	return counts
}

// demands reports whether a device can fail the rule's check because of what the rule is about.
func demands(rule *cfposture.Rule) bool {
	return len(isOff(rule, nil)) == 0 && len(demandsNothing(rule, inputOf(rule))) == 0
}

// platformsOf returns the platforms that a rule is for, each once.
func platformsOf(rule *cfposture.Rule) []string {
	var list []string
	for _, match := range rule.Match {
		if match.Platform != "" {
			list = append(list, string(match.Platform))
		}
	}
	if len(list) == 0 {
		return []string{AnyPlatform}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Platforms returns the platforms that the account has rules for, in the API's order, and after them what the API
// doesn't name.
func (r *Result) Platforms() []string {
	found := map[string]bool{}
	for _, counts := range r.Coverage {
		for platform := range counts {
			found[platform] = true
		}
	}
	for _, f := range r.Findings {
		if f.Platform != "" {
			found[f.Platform] = true
		}
	}
	var list []string
	for _, platform := range platforms {
		if found[platform] {
			list = append(list, platform)
			delete(found, platform)
		}
	}
	return append(list, slices.Sorted(maps.Keys(found))...)
}

// findUncovered looks at the platforms that have a rule at all, because an account need not have devices of each kind.
func (r *Result) findUncovered(rules []*cfposture.Rule) {
	inUse := map[string]bool{}
	for _, rule := range rules {
		for _, platform := range platformsOf(rule) {
			inUse[platform] = true
		}
	}
	for _, platform := range platforms {
		for _, basic := range basics {
			counts := r.Coverage[string(basic.ruleType)]
			if inUse[platform] && slices.Contains(basic.platforms, platform) && counts[platform] == 0 && counts[AnyPlatform] == 0 {
				r.add(Uncovered, fmt.Sprintf("%s has no %s check", platform, basic.name))
				last := &r.Findings[len(r.Findings)-1]
				last.Platform, last.Type = platform, string(basic.ruleType)
			}
		}
	}
}

// findTwice finds rules for which key says the same.
func (r *Result) findTwice(rules []*cfposture.Rule, kind Kind, text string, key func(*cfposture.Rule) string) {
	groups := map[string][]*cfposture.Rule{}
	for _, rule := range rules {
		groups[key(rule)] = append(groups[key(rule)], rule)
	}
	for _, k := range slices.Sorted(maps.Keys(groups)) {
		if len(groups[k]) > 1 {
			r.add(kind, text, groups[k]...)
		}
	}
}

// whatIsChecked returns what a rule checks, whatever its name and times.
func whatIsChecked(rule *cfposture.Rule) string {
	input, err := json.Marshal(inputOf(rule))
	if err != nil {
		input = []byte(rule.ID) // It is like no other.
	}
	return strings.Join(append(platformsOf(rule), string(rule.Type), string(input)), "\x00")
}

// inputOf returns the members of a rule's input, of known types and of others.
func inputOf(rule *cfposture.Rule) map[string]any {
	var input map[string]any
	if rule.Input == nil {
		return nil
	}
	data, err := json.Marshal(rule.Input)
	if err != nil || json.Unmarshal(data, &input) != nil {
		return nil
	}
	return input
}
