// Package check collects what is wrong with the members of a JSON object that is about to be sent.
package check

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cfposture/cfposture/internal/interval"
	"github.com/cfposture/cfposture/internal/wire"
)

const maxIDLength = 36 // characters of a UUID

// A Problem is one thing that is wrong with one member. The package cfposture has the same struct.
type Problem struct {
	Field  string // the path of the member, "" for the whole
	Reason string // reads on from Field
}

// Problems collects what is wrong with an object. Members are named as in the JSON.
type Problems struct {
	List []Problem
	// MissingSecret is what to say of a secret that is missing.
	MissingSecret string

	at string // the path of the object that is being checked
}

// In calls check, whose problems are about what is within a member.
func (p *Problems) In(member string, check func()) {
	outer := p.at
	p.at = p.path(member)
	check()
	p.at = outer
}

// Add adds a problem of a member, or of the whole if member is empty.
func (p *Problems) Add(member, reason string) {
	p.List = append(p.List, Problem{p.path(member), reason})
}

func (p *Problems) path(member string) string {
	if p.at == "" || member == "" || member[0] == '[' {
		return p.at + member
	}
	return p.at + "." + member
}

// Required checks that a string is set.
func (p *Problems) Required(member, value string) { p.RequiredIsSet(member, value != "") }

// RequiredIsSet checks that a member that is no string is set.
func (p *Problems) RequiredIsSet(member string, isSet bool) {
	if !isSet {
		p.Add(member, "is required")
	}
}

// RequireStrings checks that the strings that config points to are set, except for the optional ones. A string of a type
// of its own is a secret.
func (p *Problems) RequireStrings(config any, optional ...string) {
	for member, field := range wire.Fields(config) {
		value := reflect.ValueOf(field).Elem()
		if value.Kind() != reflect.String || value.Len() > 0 || slices.Contains(optional, member) {
			continue
		}
		if _, isPlain := field.(*string); isPlain {
			p.Add(member, "is required")
		} else {
			p.Add(member, p.MissingSecret)
		}
	}
}

// ID checks a required ID.
func (p *Problems) ID(member, value string) {
	p.Required(member, value)
	p.IDLength(member, value)
}

// IDLength checks an ID that may be unset.
func (p *Problems) IDLength(member, value string) {
	if n := utf8.RuneCountInString(value); n > maxIDLength {
		p.Add(member, fmt.Sprintf("has %d characters, more than %d", n, maxIDLength))
	}
}

// Interval checks an interval that may be unset, and returns its length. ok is false if it is unset or invalid.
func (p *Problems) Interval(member, value string) (length time.Duration, ok bool) {
	if value == "" {
		return 0, false
	}
	length, err := interval.Parse(value)
	switch {
	case err != nil:
		p.Add(member, err.Error())
	case length < 0:
		p.Add(member, fmt.Sprintf("is %q, which is negative", value))
	}
	return length, err == nil && length >= 0
}

// OneOf checks a value that may be unset and is otherwise one of those that are listed.
func OneOf[T ~string](p *Problems, member string, value T, known ...T) {
	if value == "" || slices.Contains(known, value) {
		return
	}
	names := make([]string, len(known))
	for i, name := range known {
		names[i] = string(name)
	}
	p.Add(member, fmt.Sprintf("%q is none of %s", string(value), strings.Join(names, ", ")))
}

// Number checks a number that may be unset.
func (p *Problems) Number(member string, value *float64) {
	if value != nil && (math.IsNaN(*value) || math.IsInf(*value, 0)) {
		p.Add(member, fmt.Sprintf("is %v, which JSON can't write", *value))
	}
}

// Variables checks that the variables in a text, such as ${hostname}, are known.
func (p *Problems) Variables(member, text string, known ...string) {
	for rest := text; ; {
		_, after, opened := strings.Cut(rest, "${")
		name, next, closed := strings.Cut(after, "}")
		if !opened || !closed {
			return
		}
		if variable := "${" + name + "}"; !slices.Contains(known, variable) {
			p.Add(member, fmt.Sprintf("has the unknown variable %s: use %s", variable, strings.Join(known, " or ")))
		}
		rest = next
	}
}

// Extra checks the Extra of the struct that model points to.
func (p *Problems) Extra(model any) {
	for _, problem := range wire.CheckExtra(model) {
		p.Add(problem.Member, problem.Reason)
	}
}

// Raw checks the bytes of an object that has no struct.
func (p *Problems) Raw(bytes []byte) {
	if len(bytes) > 0 && !wire.Valid(bytes) {
		p.Add("", "is not valid JSON")
	}
}
