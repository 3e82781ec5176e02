package cfposture

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cfposture/cfposture/internal/api"
	"github.com/cfposture/cfposture/internal/wire"
)

const (
	maxIDLength = 36 // characters of a UUID
	minSchedule = time.Minute
)

// A problems value collects what is wrong with a rule or an integration. The path of a member is at, then its name in
// the JSON.
type problems struct {
	list          []Problem
	at            string
	missingSecret string // what to say of a missing secret
}

// in calls check, whose problems are about what is within a member.
func (p *problems) in(member string, check func()) {
	outer := p.at
	p.at = p.path(member)
	check()
	p.at = outer
}

// add adds a problem of a member, or of the whole if member is empty.
func (p *problems) add(member, reason string) {
	p.list = append(p.list, Problem{p.path(member), reason})
}

func (p *problems) path(member string) string {
	if p.at == "" || member == "" || member[0] == '[' {
		return p.at + member
	}
	return p.at + "." + member
}

// err returns a ValidationError about the subject if there are problems.
func (p *problems) err(subject string) error {
	if len(p.list) == 0 {
		return nil
	}
	return &ValidationError{subject, p.list}
}

// subject names a rule or an integration in a ValidationError.
func subject[T ~string](noun, name string, t T) string {
	if name != "" {
		noun = fmt.Sprintf("%s %q", noun, name)
	}
	if t != "" {
		noun += " (" + string(t) + ")"
	}
	return api.Printable(noun)
}

func (p *problems) required(member, value string) {
	if value == "" {
		p.add(member, "is required")
	}
}

// requireValue is required for a boolean or a number.
func requireValue[T any](p *problems, member string, value *T) {
	if value == nil {
		p.add(member, "is required")
	}
}

// requireAll is required for all fields of a config but the optional ones.
func (p *problems) requireAll(config IntegrationConfig, optional ...string) {
	for member, field := range wire.Fields(config) {
		if slices.Contains(optional, member) {
			continue
		}
		switch field := field.(type) {
		case *string:
			p.required(member, *field)
		case *Secret:
			if *field == "" {
				p.add(member, p.missingSecret)
			}
		}
	}
}

// id checks a required ID.
func (p *problems) id(member, value string) {
	p.required(member, value)
	p.idLength(member, value)
}

// idLength checks an ID that may be missing.
func (p *problems) idLength(member, value string) {
	if n := utf8.RuneCountInString(value); n > maxIDLength {
		p.add(member, fmt.Sprintf("has %d characters, more than %d", n, maxIDLength))
	}
}

// interval checks an interval that may be missing.
func (p *problems) interval(member string, value Interval) {
	if value == "" {
		return
	}
	if d, err := value.Duration(); err != nil || d < 0 {
		p.add(member, fmt.Sprintf("%q is not an interval such as 5m or 1h", string(value)))
	}
}

func (p *problems) operator(member string, value Operator) {
	switch value {
	case "", OperatorLess, OperatorLessOrEqual, OperatorGreater, OperatorGreaterOrEqual, OperatorEqual:
	default:
		p.add(member, fmt.Sprintf("%q is none of <, <=, >, >=, ==", string(value)))
	}
}

// number checks a number that may be missing.
func (p *problems) number(member string, value *float64) {
	if value != nil && (math.IsNaN(*value) || math.IsInf(*value, 0)) {
		p.add(member, fmt.Sprintf("is %v, which JSON can't write", *value))
	}
}

// commonName checks the variables in the common name of a certificate.
func (p *problems) commonName(value string) {
	known := []string{"${serial_number}", "${hostname}"}
	for rest := value; ; {
		_, after, opened := strings.Cut(rest, "${")
		name, next, closed := strings.Cut(after, "}")
		if !opened || !closed {
			return
		}
		if variable := "${" + name + "}"; !slices.Contains(known, variable) {
			p.add("cn", fmt.Sprintf("has the unknown variable %s: use %s", variable, strings.Join(known, " or ")))
		}
		rest = next
	}
}

// extra checks the Extra of the struct that model points to.
func (p *problems) extra(model any) {
	for _, problem := range wire.CheckExtra(model) {
		p.add(problem.Member, problem.Reason)
	}
}

// raw checks the bytes of an input or a config that this package doesn't know.
func (p *problems) raw(bytes []byte) {
	if len(bytes) > 0 && !wire.Valid(bytes) {
		p.add("", "is not valid JSON")
	}
}
