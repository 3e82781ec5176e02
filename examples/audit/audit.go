package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/cli"
)

// A result is what an audit found.
type result struct {
	Rules        int                       `json:"rules"`
	Integrations int                       `json:"integrations"`
	Coverage     map[string]map[string]int `json:"coverage"` // numbers of rules by type and platform
	Findings     []finding                 `json:"findings"`
}

// anyPlatform is where a rule counts that names no platform.
const anyPlatform = "any"

// A finding is something amiss.
type finding struct {
	Kind  string     `json:"kind"`
	Text  string     `json:"text"`
	Rules []ruleName `json:"rules"` // those that it is about
}

type ruleName struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// The kinds of finding.
const (
	uncovered          = "uncovered"
	missingIntegration = "integration"
	timing             = "timing"
	sameName           = "same name"
	sameCheck          = "same check"
)

// audit looks for all that is amiss. It changes nothing.
func audit(rules []*cfposture.Rule, integrations []*cfposture.Integration) *result {
	r := &result{Rules: len(rules), Integrations: len(integrations), Coverage: coverage(rules), Findings: []finding{}}
	r.findUncovered()
	r.findMissingIntegrations(rules, integrations)
	r.findTiming(rules)
	r.findTwice(rules, sameName, "names that apply can't tell apart", func(rule *cfposture.Rule) string {
		return string(rule.Type) + "\x00" + rule.Name
	})
	r.findTwice(rules, sameCheck, "the same type, platforms and input", check)
	return r
}

func (r *result) add(kind, text string, rules ...*cfposture.Rule) {
	f := finding{kind, text, []ruleName{}}
	for _, rule := range rules {
		f.Rules = append(f.Rules, ruleName{rule.ID, rule.Name})
	}
	r.Findings = append(r.Findings, f)
}

func coverage(rules []*cfposture.Rule) map[string]map[string]int {
	counts := map[string]map[string]int{}
	for _, rule := range rules {
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

// platformsOf returns the platforms that a rule is for, each once.
func platformsOf(rule *cfposture.Rule) []string {
	var list []string
	for _, match := range rule.Match {
		if match.Platform != "" {
			list = append(list, string(match.Platform))
		}
	}
	if len(list) == 0 {
		return []string{anyPlatform}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// basics are the checks that a platform should have, where it can have them.
var basics = []struct {
	ruleType  cfposture.RuleType
	name      string
	platforms []cfposture.Platform
}{
	{cfposture.RuleTypeDiskEncryption, "disk-encryption", platforms[:3]},
	{cfposture.RuleTypeFirewall, "firewall", platforms[:2]},
	{cfposture.RuleTypeOSVersion, "OS-version", platforms},
}

// findUncovered looks at the platforms that have a rule at all: an account need not have devices of every kind.
func (r *result) findUncovered() {
	inUse := map[string]bool{}
	for _, counts := range r.Coverage {
		for platform := range counts {
			inUse[platform] = true
		}
	}
	for _, platform := range platforms {
		for _, basic := range basics {
			counts := r.Coverage[string(basic.ruleType)]
			if inUse[string(platform)] && slices.Contains(basic.platforms, platform) &&
				counts[string(platform)] == 0 && counts[anyPlatform] == 0 {
				r.add(uncovered, fmt.Sprintf("%s has no %s rule", platform, basic.name))
			}
		}
	}
}

func (r *result) findMissingIntegrations(rules []*cfposture.Rule, integrations []*cfposture.Integration) {
	there := map[string]bool{}
	for _, integration := range integrations {
		there[integration.ID] = true
	}
	for _, rule := range rules {
		if id := connection(rule); id != "" && !there[id] {
			r.add(missingIntegration, fmt.Sprintf("there is no integration %s", id), rule)
		}
	}
}

// connection returns the ID of the integration that a rule names. Going by the member's name finds it in inputs that
// cfposture doesn't know, too.
func connection(rule *cfposture.Rule) string {
	var input struct {
		ConnectionID string `json:"connection_id"`
	}
	text, err := json.Marshal(rule.Input)
	if err != nil || json.Unmarshal(text, &input) != nil {
		return ""
	}
	return input.ConnectionID
}

const (
	defaultSchedule = 5 * time.Minute
	leastSchedule   = time.Minute
)

func (r *result) findTiming(rules []*cfposture.Rule) {
	for _, rule := range rules {
		schedule, problem := length("schedule", rule.Schedule, defaultSchedule)
		if problem != "" {
			r.add(timing, problem, rule)
		} else if schedule < leastSchedule {
			r.add(timing, fmt.Sprintf("the schedule %s is below the least, 1m", rule.Schedule), rule)
		}
		expiration, expirationProblem := length("expiration", rule.Expiration, schedule)
		switch {
		case expirationProblem != "":
			r.add(timing, expirationProblem, rule)
		case problem == "" && expiration < schedule:
			r.add(timing, fmt.Sprintf("results lapse after %s, and the next come after %s",
				rule.Expiration, cfposture.Every(schedule)), rule)
		}
	}
}

// length returns an interval's length, or what is wrong with it.
func length(member string, interval cfposture.Interval, otherwise time.Duration) (time.Duration, string) {
	if interval == "" {
		return otherwise, ""
	}
	d, err := interval.Duration()
	if err != nil {
		return 0, fmt.Sprintf("the %s %s is no interval", member, cli.Quote(string(interval)))
	}
	return d, ""
}

// findTwice finds rules for which key says the same.
func (r *result) findTwice(rules []*cfposture.Rule, kind, text string, key func(*cfposture.Rule) string) {
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

// check is what a rule checks, whatever its name and times.
func check(rule *cfposture.Rule) string {
	input, err := json.Marshal(rule.Input)
	if err != nil {
		input = []byte(rule.ID) // it is like no other
	}
	return strings.Join(append(platformsOf(rule), string(rule.Type), string(input)), "\x00")
}
