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

// Append writes the struct that from points to as a JSON object: its fields in order, then its extra members by name.
// The deferred field's value is written by the given function, which writes nothing to leave it out. Append returns a
// *MemberError for a number that JSON can't write, for an extra member that is not JSON, and for one that a field has
// written.
func Append(dst []byte, from any, deferred func(dst []byte) ([]byte, error)) ([]byte, error) {
	if dst == nil {
		dst = make([]byte, 0, usualSize)
	}
	e := encoder{deferred}
	return e.appendObject(dst, reflect.ValueOf(from).Elem())
}

// usualSize is enough for most objects.
const usualSize = 512

type encoder struct {
	deferred func(dst []byte) ([]byte, error)
}

func (e *encoder) appendObject(dst []byte, v reflect.Value) ([]byte, error) {
	s := infoOf(v.Type())
	dst = append(dst, '{')
	var written uint64
	var err error
	for _, f := range s.fields {
		value := v.Field(f.index)
		if f.omitZero && value.IsZero() {
			continue
		}
		before := len(dst)
		dst = append(appendComma(dst), f.member...)
		named := len(dst)
		if dst, err = e.appendField(dst, value, f); err != nil {
			return nil, At(f.name, err)
		}
		if len(dst) == named {
			dst = dst[:before]
			continue
		}
		written |= f.bit
	}
	extra := v.Field(s.extra).Interface().(map[string]json.RawMessage)
	var space [8]string
	for _, name := range sortedNames(space[:0], extra) {
		if f := s.find(name); f != nil && written&f.bit != 0 {
			return nil, &MemberError{name, "is both a field and in Extra"}
		}
		if dst, err = appendString(appendComma(dst), name); err != nil || !Valid(extra[name]) {
			return nil, &MemberError{name, "of Extra is not valid JSON"}
		}
		dst = append(append(dst, ':'), extra[name]...)
	}
	return append(dst, '}'), nil
}

// sortedNames appends the members' names to names, which has place for those of most objects, and sorts them.
func sortedNames(names []string, extra map[string]json.RawMessage) []string {
	for name := range extra {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// appendComma writes the comma between two members.
func appendComma(dst []byte) []byte {
	if dst[len(dst)-1] == '{' {
		return dst
	}
	return append(dst, ',')
}

// appendField writes a field's value. It writes nothing of one that is deferred and has nothing to write.
func (e *encoder) appendField(dst []byte, v reflect.Value, f *field) ([]byte, error) {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	switch f.kind {
	case kindDeferred:
		return e.deferred(dst)
	case kindString:
		return appendString(dst, v.String())
	case kindBool:
		return strconv.AppendBool(dst, v.Bool()), nil
	case kindNumber:
		return appendFinite(dst, v.Float())
	case kindRaw:
		if !Valid(v.Bytes()) {
			return nil, &MemberError{Reason: "is not valid JSON"}
		}
		return append(dst, v.Bytes()...), nil
	case kindObject:
		return new(encoder).appendObject(dst, v)
	case kindStrings, kindObjects:
		return appendArray(dst, v, f.kind)
	}
	return dst, nil
}

func appendArray(dst []byte, v reflect.Value, elements kind) ([]byte, error) {
	dst = append(dst, '[')
	for i := range v.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if elements == kindStrings {
			dst, err = appendString(dst, v.Index(i).String())
		} else {
			dst, err = new(encoder).appendObject(dst, v.Index(i))
		}
		if err != nil {
			return nil, At(element("", i), err)
		}
	}
	return append(dst, ']'), nil
}

func appendFinite(dst []byte, number float64) ([]byte, error) {
	if math.IsNaN(number) || math.IsInf(number, 0) {
		return nil, &MemberError{Reason: fmt.Sprintf("is %v, which JSON can't write", number)}
	}
	return appendNumber(dst, number), nil
}

// appendNumber writes a number the way Go's JSON packages do: no exponent where a person would write none.
func appendNumber(dst []byte, number float64) []byte {
	format := byte('f')
	if abs := math.Abs(number); abs != 0 && abs < 1e-6 || abs >= 1e21 {
		format = 'e'
	}
	return strconv.AppendFloat(dst, number, format, -1, 64)
}

// At puts the path of an object before that of a MemberError in it.
func At(path string, err error) error {
	inner, ok := err.(*MemberError) //nolint:errorlint // no function here wraps one
	if !ok {
		return err
	}
	return &MemberError{join(path, inner.Member), inner.Reason}
}

func appendString(dst []byte, text string) ([]byte, error) {
	if isVerbatim(text) {
		return append(append(append(dst, '"'), text...), '"'), nil
	}
	dst, err := jsontext.AppendQuote(dst, text)
	if err != nil {
		return nil, &MemberError{Reason: "is not valid UTF-8"}
	}
	return dst, nil
}

// isVerbatim reports whether a string is written as it is.
func isVerbatim(text string) bool {
	for i := range len(text) {
		if !isPlain(text[i]) {
			return false
		}
	}
	return true
}

// Marshal returns the struct that from points to as a JSON object. It has no deferred member.
func Marshal[T any](from *T) ([]byte, error) {
	text, err := Append(nil, from, nil)
	if err != nil {
		return nil, fmt.Errorf("cfposture: %T: %w", *from, err)
	}
	return text, nil
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
