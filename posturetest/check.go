package posturetest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cfposture/cfposture/internal/apifacts"
)

// check returns every way in which the object at a JSON pointer breaks the table, as far as the live API is known to
// mind. Members that are not in the table are ignored.
func check(at string, o object, members []apifacts.Member) []message {
	var problems []message
	for _, m := range members {
		problems = append(problems, checkMember(at+"/"+m.Name, o[m.Name], m)...)
	}
	return problems
}

func checkMember(at string, raw json.RawMessage, m apifacts.Member) []message {
	switch {
	case !isAbsent(raw, m.Kind):
		return checkValue(at, raw, m)
	case m.Demanded():
		return []message{invalid(at, m.Name+" is required")}
	}
	return nil
}

func isAbsent(raw json.RawMessage, kind apifacts.Kind) bool {
	return raw == nil || string(raw) == "null" || kind == apifacts.String && string(raw) == `""`
}

func checkValue(at string, raw json.RawMessage, m apifacts.Member) []message {
	var reason string
	switch m.Kind {
	case apifacts.String:
		reason = textProblem(raw, m)
	case apifacts.Bool:
		if !decodes[bool](raw) {
			reason = "must be true or false"
		}
	case apifacts.Number:
		reason = numberProblem(raw, m)
	case apifacts.Strings:
		return checkElements(at, raw, m, func(at string, element json.RawMessage) []message {
			return checkValue(at, element, apifacts.Member{Name: "an element of " + m.Name, Kind: apifacts.String, Enum: m.Allowed()})
		})
	case apifacts.Objects:
		return checkElements(at, raw, m, func(at string, element json.RawMessage) []message {
			return checkValue(at, element, apifacts.Member{Name: "an element of " + m.Name, Kind: apifacts.Object, Members: m.Members})
		})
	case apifacts.Object:
		o, ok := decodeObject(raw)
		if ok {
			return check(at, o, m.Members)
		}
		reason = "must be an object"
	case apifacts.Any:
	}
	if reason != "" {
		return []message{invalid(at, m.Name+" "+reason)}
	}
	return nil
}

func checkElements(at string, raw json.RawMessage, m apifacts.Member, element func(string, json.RawMessage) []message) []message {
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil {
		return []message{invalid(at, m.Name+" must be an array")}
	}
	var problems []message
	seen := map[string]bool{}
	for i, raw := range elements {
		at := at + "/" + strconv.Itoa(i)
		problems = append(problems, element(at, raw)...)
		if m.Distinct && seen[string(raw)] {
			problems = append(problems, invalid(at, m.Name+" must not have an element twice"))
		}
		seen[string(raw)] = true
	}
	return problems
}

func textProblem(raw json.RawMessage, m apifacts.Member) string {
	if !decodes[string](raw) {
		return "must be a string"
	}
	value := object{"": raw}.text("")
	allowed := m.Allowed()
	switch {
	case allowed != nil && !slices.Contains(allowed, value):
		return "must be one of " + strings.Join(allowed, ", ")
	case m.MaxLength > 0 && utf8.RuneCountInString(value) > m.MaxLength:
		return fmt.Sprintf("must have at most %d characters", m.MaxLength)
	case m.Interval:
		return intervalProblem(value, m.MinInterval)
	}
	return ""
}

func intervalProblem(value string, least time.Duration) string {
	d, err := time.ParseDuration(value)
	switch {
	case err != nil || d < 0:
		return "must be an interval such as 5m or 1h"
	case d < least:
		return "must be at least " + strings.TrimSuffix(least.String(), "0s")
	}
	return ""
}

func numberProblem(raw json.RawMessage, m apifacts.Member) string {
	var n float64
	if json.Unmarshal(raw, &n) != nil {
		return "must be a number"
	}
	switch {
	case m.Min != nil && n < *m.Min:
		return fmt.Sprintf("must be at least %v", *m.Min)
	case m.Max != nil && n > *m.Max:
		return fmt.Sprintf("must be at most %v", *m.Max)
	}
	return ""
}

// decodes reports whether raw is a T. Unlike encoding/json it doesn't take null for one.
func decodes[T any](raw json.RawMessage) bool {
	var v *T
	return json.Unmarshal(raw, &v) == nil && v != nil
}
