package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/cli"
)

// A change is what becomes of one member. A value that isn't there is "".
type change struct {
	member   string // such as input.version
	old, new string // as JSON, or as what is shown instead of it
	note     string
}

// withKept returns what is sent to make have what want says: want's members, and those of have's that the document does
// not mention and the API or its dashboard may have added.
func withKept(want, have *item) object {
	sent := maps.Clone(want.members)
	for _, name := range have.unknown {
		keep(sent, have.members, name)
	}
	name := want.kind.inner()
	inner := maps.Clone(want.innerMembers())
	from := have.innerMembers()
	if inner == nil {
		if sent[name] != nil || from == nil {
			return sent // there is nothing to keep, or nothing to keep it in
		}
		inner = object{}
	}
	for _, member := range append([]string{"operating_system"}, have.unknownInner...) {
		keep(inner, from, member)
	}
	if len(inner) > 0 {
		sent[name] = inner
	}
	return sent
}

func keep(in, from object, name string) {
	if _, there := in[name]; !there && from[name] != nil {
		in[name] = from[name]
	}
}

// differences lists what sending would change in an item of the account, sorted by member.
func differences(want, have *item, sent object, sendSecrets bool) []change {
	before, after := have.flat(have.members), have.flat(sent)
	var changes []change
	for _, member := range slices.Sorted(maps.Keys(union(before, after))) {
		old, now := before[member], after[member]
		secret := want.kind == integration && isSecret(member)
		switch {
		case equal(old, now):
		case member == "enabled": // only the API sets it
		case secret && old == nil && !sendSecrets: // the API doesn't tell secrets, so this may be the one it has
		case want.kind == integration && !patchable(member):
		default:
			changes = append(changes, change{member, have.show(member, old), want.show(member, now), hint(want, member, old)})
		}
	}
	return changes
}

// patchable reports whether an integration's member can be changed.
func patchable(member string) bool {
	return member == "name" || member == "interval" || strings.HasPrefix(member, "config.")
}

// hint tells of members that the API was seen to leave out of its answers.
func hint(i *item, member string, old any) string {
	leftOut := i.typ == string(cfposture.RuleTypeCrowdStrikeS2S) && member == "input.version" ||
		i.typ == string(cfposture.RuleTypeSentinelOneS2S) && strings.HasPrefix(member, "input.")
	if leftOut && old == nil {
		return "the API may leave it out of its answers, so this may have been done before"
	}
	return ""
}

// added lists the members of a new item.
func (i *item) added() []change {
	var changes []change
	flat := i.flat(i.members)
	for _, member := range slices.Sorted(maps.Keys(flat)) {
		if member != "name" && member != "type" { // the line above shows them
			changes = append(changes, change{member: member, new: i.show(member, flat[member])})
		}
	}
	return changes
}

// show returns a value for people: JSON, or what it is if it must not be seen.
func (i *item) show(member string, value any) string {
	inConfig, _ := strings.CutPrefix(member, "config.")
	variable, fromEnv := i.fromEnv[inConfig]
	switch {
	case value == nil:
		return ""
	case fromEnv && inConfig != member:
		return "[redacted], from $" + cli.Clean(variable)
	case i.kind == integration && isSecret(member):
		return "[redacted]"
	}
	switch value := value.(type) {
	case pending:
		return "the ID of the new " + value.String()
	case string:
		return cli.Quote(value)
	default:
		return cli.Clean(compact(value))
	}
}

// A pending stands for the ID of an integration that is yet to be created.
type pending struct{ *item }

// flat returns the members of an object and of the objects in it, by their paths. What means the same is the same in it.
func (i *item) flat(members object) map[string]any {
	flat := map[string]any{}
	flatten(flat, "", members)
	if i.kind == integration {
		normalizeInterval(flat, "interval")
		return flat
	}
	if flat["schedule"] == nil {
		flat["schedule"] = "5m" // the API's default
	}
	normalizeInterval(flat, "schedule")
	normalizeInterval(flat, "expiration")
	if i.typ != string(cfposture.RuleTypeFirewall) && flat["input.enabled"] == false {
		delete(flat, "input.enabled") // the API adds it to types that have no such member
	}
	if match, ok := flat["match"].([]any); ok { // the devices that are meant, in no order
		flat["match"] = slices.SortedFunc(slices.Values(match), func(a, b any) int {
			return strings.Compare(compact(a), compact(b))
		})
	}
	return flat
}

// flatten leaves out what means as much as nothing: null, "", [] and {}.
func flatten(flat map[string]any, path string, value any) {
	switch value := value.(type) {
	case object:
		for name, member := range value {
			flatten(flat, strings.TrimPrefix(path+"."+name, "."), member)
		}
	case []any:
		if len(value) > 0 {
			flat[path] = value
		}
	default:
		if value != nil && value != "" {
			flat[path] = value
		}
	}
}

// normalizeInterval writes an interval in one way, whichever of "60m" and "1h" it is.
func normalizeInterval(flat map[string]any, member string) {
	text, _ := flat[member].(string)
	if d, err := cfposture.Interval(text).Duration(); err == nil {
		flat[member] = string(cfposture.Every(d))
	}
}

// equal compares two values. Numbers are equal as numbers, as far as a float64 is exact.
func equal(a, b any) bool {
	switch a := a.(type) {
	case json.Number:
		b, ok := b.(json.Number)
		return ok && (a == b || sameNumber(a.String(), b.String()))
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, equal)
	case object:
		b, ok := b.(object)
		return ok && maps.EqualFunc(a, b, equal)
	default:
		return isScalar(b) && a == b
	}
}

// isScalar reports whether == may be used on the value.
func isScalar(value any) bool {
	switch value.(type) {
	case []any, object:
		return false
	default:
		return true
	}
}

func sameNumber(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y && math.Abs(x) < 1<<53
}

func union(a, b map[string]any) map[string]any {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// compact returns a value as JSON; the members of objects are sorted.
func compact(value any) string {
	text, err := cli.JSON(value)
	if err != nil {
		return fmt.Sprint(value) // can't be: it was decoded from JSON
	}
	return string(text)
}
