package wire

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// An Encoder writes the fields of structs as JSON objects. A value that JSON can't hold is an error, of which the first
// is returned at the end.
//
//	start := e.Begin()
//	e.String("id", r.ID)
//	e.End(start, r.Extra)
//
// A member whose value is "" or nil is left out, if the method doesn't say otherwise.
type Encoder struct {
	text []byte
	err  *MemberError
}

// Encode returns what write writes: an object, even if that leaves itself out. The error is a *MemberError.
func Encode(write func(*Encoder)) ([]byte, error) {
	const usual = 512 // enough for most objects
	e := &Encoder{text: make([]byte, 0, usual)}
	write(e)
	switch {
	case e.err != nil:
		return nil, e.err
	case len(e.text) == 0:
		return []byte("{}"), nil
	default:
		return e.text, nil
	}
}

// Begin begins an object, and returns where.
func (e *Encoder) Begin() (start int) {
	e.text = append(e.text, '{')
	return len(e.text) - 1
}

// End writes the extra members by name, and ends the object that begins at start. An extra member must not have been
// written.
func (e *Encoder) End(start int, extra map[string]json.RawMessage) {
	if len(extra) > 0 && e.err == nil {
		e.extra(start, extra)
	}
	e.text = append(e.text, '}')
}

func (e *Encoder) extra(start int, extra map[string]json.RawMessage) {
	var fields [16][]byte // more than most structs have
	written := fields[:0]
	s := NewScanner(append(e.text, '}')[start:]) // the object so far, closed, tells which fields were written
	for s.Open('{'); s.Next('}'); s.Skip() {
		written = append(written, s.Name())
	}
	var names [8]string
	for _, name := range sortedNames(names[:0], extra) {
		if slices.ContainsFunc(written, func(field []byte) bool { return string(field) == name }) {
			e.fail(name, "is both a field and in Extra")
			return
		}
		if !Valid(extra[name]) || !e.member(name, extra[name]) {
			e.fail(name, "of Extra is not valid JSON")
			return
		}
	}
}

// sortedNames appends the members' names to names, which has place for those of most objects, and sorts them.
func sortedNames(names []string, extra map[string]json.RawMessage) []string {
	for name := range extra {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// comma writes the comma between two members.
func (e *Encoder) comma() {
	if e.text[len(e.text)-1] != '{' {
		e.text = append(e.text, ',')
	}
}

// name writes a name that needs no escape.
func (e *Encoder) name(name string) {
	e.comma()
	e.text = append(e.text, '"')
	e.text = append(e.text, name...)
	e.text = append(e.text, '"', ':')
}

// member writes a member whose value is JSON already. It reports false, and leaves what is not JSON, if the name is not
// UTF-8.
func (e *Encoder) member(name string, value []byte) (ok bool) {
	e.comma()
	ok = e.string(name)
	e.text = append(e.text, ':')
	e.text = append(e.text, value...)
	return ok
}

// fail notes an error about a member, unless there is one.
func (e *Encoder) fail(member, reason string) {
	if e.err == nil {
		e.err = &MemberError{member, reason}
	}
}

// String writes a string.
func (e *Encoder) String(name, value string) {
	if value != "" {
		e.StringOrEmpty(name, value)
	}
}

// StringOrEmpty writes a string even if it is empty.
func (e *Encoder) StringOrEmpty(name, value string) {
	e.name(name)
	if !e.string(value) {
		e.fail(name, "is not valid UTF-8")
	}
}

// string writes a string. It reports false, and leaves what is not JSON, if the string is not UTF-8.
func (e *Encoder) string(text string) (ok bool) {
	start := len(e.text)
	e.text = append(e.text, '"')
	e.text = append(e.text, text...)
	if isVerbatim(e.text[start+1:]) {
		e.text = append(e.text, '"')
		return true
	}
	quoted, err := jsontext.AppendQuote(e.text[:start], text)
	if err != nil {
		return false
	}
	e.text = quoted
	return true
}

// Bool writes true or false.
func (e *Encoder) Bool(name string, value *bool) {
	if value != nil {
		e.name(name)
		e.text = strconv.AppendBool(e.text, *value)
	}
}

// Number writes a number.
func (e *Encoder) Number(name string, value *float64) {
	switch {
	case value == nil:
	case math.IsNaN(*value), math.IsInf(*value, 0):
		e.fail(name, fmt.Sprintf("is %v, which JSON can't write", *value))
	default:
		e.name(name)
		e.text = appendNumber(e.text, *value)
	}
}

// appendNumber writes a number the way Go's JSON packages do: no exponent where a person would write none.
func appendNumber(dst []byte, number float64) []byte {
	format := byte('f')
	if abs := math.Abs(number); abs != 0 && abs < 1e-6 || abs >= 1e21 {
		format = 'e'
	}
	return strconv.AppendFloat(dst, number, format, -1, 64)
}

// Raw writes a value that is JSON already.
func (e *Encoder) Raw(name string, value json.RawMessage) {
	switch {
	case value == nil:
	case !Valid(value):
		e.fail(name, "is not valid JSON")
	default:
		e.name(name)
		e.text = append(e.text, value...)
	}
}

// EncodeStrings writes an array of strings.
func EncodeStrings[T ~string](e *Encoder, name string, values []T) {
	if values == nil {
		return
	}
	e.name(name)
	e.array(name, len(values), func(i int) {
		if !e.string(string(values[i])) {
			e.fail("", "is not valid UTF-8")
		}
	})
}

// Array writes an array of objects, of which write writes one.
func (e *Encoder) Array(name string, length int, write func(i int)) {
	e.name(name)
	e.array(name, length, write)
}

func (e *Encoder) array(name string, length int, write func(i int)) {
	if e.err != nil {
		return
	}
	e.text = append(e.text, '[')
	for i := range length {
		if i > 0 {
			e.text = append(e.text, ',')
		}
		if write(i); e.err != nil {
			e.err.Member = join(element(name, i), e.err.Member)
			return
		}
	}
	e.text = append(e.text, ']')
}

// Object writes an object, unless that leaves itself out.
func (e *Encoder) Object(name string, write func(*Encoder)) {
	if e.err != nil {
		return
	}
	before := len(e.text)
	e.name(name)
	start := len(e.text)
	write(e)
	if len(e.text) == start {
		e.text = e.text[:before]
	}
	if e.err != nil {
		e.err.Member = join(name, e.err.Member)
	}
}

// CheckExtra returns what is wrong with the extra members of the struct that model points to.
func CheckExtra(model any) []*MemberError {
	v := reflect.ValueOf(model).Elem()
	s := infoOf(v.Type())
	if s.extra < 0 {
		return nil
	}
	extra := v.Field(s.extra).Interface().(map[string]json.RawMessage)
	var wrong []*MemberError
	for name := range extra {
		switch {
		case s.find(name) != nil:
			wrong = append(wrong, &MemberError{name, "is in Extra but has a field of its own: set that"})
		case !Valid(extra[name]):
			wrong = append(wrong, &MemberError{name, "of Extra is not valid JSON"})
		}
	}
	slices.SortFunc(wrong, func(a, b *MemberError) int { return strings.Compare(a.Member, b.Member) })
	return wrong
}
