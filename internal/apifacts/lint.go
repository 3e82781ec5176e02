package apifacts

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Remark is something about a rule that is unwise and that the API isn't known to refuse.
type Remark struct {
	Kind   RemarkKind
	Member string // its path, such as "input.total_score" or "match[1].platform"
	Text   string // what is unwise about it, such as "is 0, outside the documented 1 to 1000"
}

// RemarkKind says what a [Remark] is about.
type RemarkKind string

// The kinds of remarks.
const (
	// RemarkRange is about a number outside its documented range.
	RemarkRange RemarkKind = "range"
	// RemarkForm is about a value that isn't written as the documents ask.
	RemarkForm RemarkKind = "form"
	// RemarkPlatform is about a platform on which the rule can never match.
	RemarkPlatform RemarkKind = "platform"
	// RemarkExpiration is about an expiration that may pass before the next check has a result.
	RemarkExpiration RemarkKind = "expiration"
	// RemarkDeprecated is about a member that has a successor.
	RemarkDeprecated RemarkKind = "deprecated"
)

// Lint returns the remarks about a rule, in the order of the tables. What isn't known, or isn't of the documented kind,
// gets none.
func Lint(rule []byte) []Remark {
	var members map[string]json.RawMessage
	if json.Unmarshal(rule, &members) != nil {
		return nil
	}
	l := &linter{}
	l.intervals(members)
	if ruleType, ok := FindRuleType(stringOf(members["type"])); ok {
		l.platforms(members, ruleType)
		var input map[string]json.RawMessage
		if json.Unmarshal(members["input"], &input) == nil {
			l.input(input, ruleType.Members)
		}
	}
	return l.remarks
}

type linter struct{ remarks []Remark }

func (l *linter) add(kind RemarkKind, member, format string, args ...any) {
	l.remarks = append(l.remarks, Remark{kind, member, fmt.Sprintf(format, args...)})
}

func (l *linter) intervals(rule map[string]json.RawMessage) {
	schedule, expiration := stringOf(rule["schedule"]), stringOf(rule["expiration"])
	for _, m := range RuleMembers {
		value := stringOf(rule[m.Name])
		if m.Interval && strings.HasSuffix(value, "s") {
			l.add(RemarkForm, m.Name, "is %s; the documents know hours and minutes only", value)
		}
	}
	if schedule == "" {
		schedule = DefaultSchedule
	}
	every, err := time.ParseDuration(schedule)
	valid, expirationErr := time.ParseDuration(expiration)
	if err == nil && expirationErr == nil && valid < 2*every {
		l.add(RemarkExpiration, "expiration", "is %s, less than twice the schedule of %s", expiration, schedule)
	}
}

func (l *linter) platforms(rule map[string]json.RawMessage, ruleType RuleType) {
	if ruleType.Platforms == nil {
		return
	}
	var matches []struct {
		Platform string `json:"platform"`
	}
	if json.Unmarshal(rule["match"], &matches) != nil {
		return
	}
	for i, match := range matches {
		if slices.Contains(Platforms, match.Platform) && !slices.Contains(ruleType.Platforms, match.Platform) {
			l.add(RemarkPlatform, fmt.Sprintf("match[%d].platform", i), "is %s; %s is checked on %s only",
				match.Platform, ruleType.Name, strings.Join(ruleType.Platforms, ", "))
		}
	}
}

func (l *linter) input(input map[string]json.RawMessage, members []Member) {
	for _, m := range members {
		raw, ok := input[m.Name]
		if !ok || string(raw) == "null" || string(raw) == `""` {
			continue
		}
		path := "input." + m.Name
		if m.Deprecated != "" {
			l.add(RemarkDeprecated, path, "is deprecated: use %s", m.Deprecated)
		}
		if m.Advice != nil {
			l.advice(path, raw, *m.Advice)
		}
	}
}

func (l *linter) advice(path string, raw json.RawMessage, advice Advice) {
	text := stringOf(raw)
	if advice.Pattern != nil && text != "" && !advice.Pattern.MatchString(text) {
		l.add(RemarkForm, path, "is %q, not %s", text, advice.Form)
	}
	if text == "" {
		text = string(raw)
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return
	}
	if advice.Min != nil && number < *advice.Min || advice.Max != nil && number > *advice.Max {
		l.add(RemarkRange, path, "is %s, outside the documented %v to %v", text, *advice.Min, *advice.Max)
	}
	if advice.Whole && number != math.Trunc(number) {
		l.add(RemarkForm, path, "is %s, not an integer", text)
	}
}

// stringOf returns the string that raw is, or "".
func stringOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
