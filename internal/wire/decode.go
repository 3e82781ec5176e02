package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// A MemberError says which member of an object does not fit its field.
type MemberError struct {
	Member string // a path such as match[1].platform, or "" for the object itself
	Reason string // such as "is a number where a string is expected"
}

func (e *MemberError) Error() string {
	if e.Member == "" {
		return "it " + e.Reason
	}
	return e.Member + " " + e.Reason
}

// maxErrors is how many values that don't fit DecodeAll names.
const maxErrors = 100

// Decode sets the struct that into points to from text, which is valid JSON. The strings it sets are parts of text. It
// leaves a field whose member is null as it is. It returns the text of the deferred member, "" if there is none, and
// stops with a *MemberError at a value that would not be the same if it were encoded again.
func Decode(text string, into any) (deferred string, err error) {
	d := decoder{cursor: newCursor(text), limit: 1}
	d.decode(into)
	if len(d.wrong) > 0 {
		return "", d.wrong[0]
	}
	return d.deferred, nil
}

// DecodeAll is Decode for a text that a person wrote. It goes on after a value that doesn't fit and returns an error for
// each.
func DecodeAll(text string, into any) (deferred string, wrong []*MemberError) {
	d := decoder{cursor: newCursor(text), limit: maxErrors}
	d.decode(into)
	return d.deferred, d.wrong
}

// Unmarshal is an UnmarshalJSON: null changes nothing, and anything else replaces what is there by what decode returns.
func Unmarshal[T any](data []byte, into *T, decode func(text string) (*T, error)) error {
	if !Valid(data) {
		return errors.New("cfposture: not valid JSON")
	}
	text := Trim(string(data))
	if text == "null" {
		return nil
	}
	value, err := decode(text)
	if err != nil {
		return fmt.Errorf("cfposture: %w", err)
	}
	*into = *value
	return nil
}

// UnmarshalMembers is Unmarshal for a struct without a deferred member.
func UnmarshalMembers[T any](data []byte, into *T) error {
	return Unmarshal(data, into, func(text string) (*T, error) {
		value := new(T)
		if _, err := Decode(text, value); err != nil {
			return nil, fmt.Errorf("%T: %w", *value, err)
		}
		return value, nil
	})
}

// A decoder sets fields to the values that its cursor passes.
type decoder struct {
	cursor
	deferred string
	wrong    []*MemberError
	limit    int // of wrong; decoding stops there
}

func (d *decoder) decode(into any) {
	v := reflect.ValueOf(into).Elem()
	d.object(v, infoOf(v.Type()))
}

func (d *decoder) object(v reflect.Value, s *structInfo) {
	if d.first() != '{' {
		d.mismatch("an object")
		return
	}
	var seen uint64
	ahead := s.byName
	for d.open(); d.next(); {
		name, f := d.member(s, &ahead)
		before := len(d.wrong)
		switch {
		case f == nil:
			d.keepExtra(v.Field(s.extra), name)
		case seen&f.bit != 0:
			d.fail("appears twice")
			d.value()
		case d.first() == 'n':
			d.value()
		default:
			d.field(v.Field(f.index), f)
		}
		if f != nil {
			seen |= f.bit
		}
		if d.isFull(before, name) {
			return
		}
	}
}

// isFull puts the name of a member, or an element, before the paths of the errors from the given one on. It reports
// whether there are as many errors as are wanted.
func (d *decoder) isFull(from int, name string) bool {
	for _, err := range d.wrong[from:] {
		err.Member = join(name, err.Member)
	}
	return len(d.wrong) >= d.limit
}

// member reads a member's name and finds its field, which most often is the first of those ahead by name: then the name
// need not be looked at twice.
func (d *decoder) member(s *structInfo, ahead *[]*field) (string, *field) {
	for i, f := range *ahead {
		if strings.HasPrefix(d.text[d.at:], f.member) {
			*ahead = (*ahead)[i+1:]
			d.at += len(f.member)
			d.skipSpace()
			return f.name, f
		}
	}
	name := d.name()
	return name, s.find(name)
}

func (d *decoder) keepExtra(v reflect.Value, name string) {
	extra := v.Addr().Interface().(*map[string]json.RawMessage)
	value := d.value()
	if _, twice := (*extra)[name]; twice {
		d.fail("appears twice")
		return
	}
	if *extra == nil {
		*extra = make(map[string]json.RawMessage)
	}
	(*extra)[name] = json.RawMessage(value)
}

// field sets a field to the value before the cursor, and moves past it.
func (d *decoder) field(v reflect.Value, f *field) {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch f.kind {
	case kindDeferred:
		d.deferred = d.value()
	case kindString:
		d.stringInto(v)
	case kindBool:
		d.boolInto(v)
	case kindNumber:
		d.numberInto(v)
	case kindRaw:
		v.SetBytes([]byte(d.value()))
	case kindObject:
		d.object(v, f.elements)
	case kindStrings, kindObjects:
		d.arrayInto(v, f)
	}
}

func (d *decoder) stringInto(v reflect.Value) {
	if d.first() != '"' {
		d.mismatch("a string")
		return
	}
	v.SetString(d.string())
}

func (d *decoder) boolInto(v reflect.Value) {
	if d.first() != 't' && d.first() != 'f' {
		d.mismatch("true or false")
		return
	}
	v.SetBool(d.value() == "true")
}

func (d *decoder) numberInto(v reflect.Value) {
	if first := d.first(); first != '-' && (first < '0' || first > '9') {
		d.mismatch("a number")
		return
	}
	text := d.value()
	number, err := strconv.ParseFloat(text, 64)
	var written [32]byte
	if err != nil || !sameNumber(text, string(appendNumber(written[:0], number))) {
		d.fail("is a number that doesn't fit a float64")
		return
	}
	v.SetFloat(number)
}

func (d *decoder) arrayInto(v reflect.Value, f *field) {
	if d.first() != '[' {
		d.mismatch("an array")
		return
	}
	i := 0
	for d.open(); d.next(); i++ {
		if i == v.Cap() {
			v.Grow(d.left())
		}
		v.SetLen(i + 1)
		before := len(d.wrong)
		if f.kind == kindStrings {
			d.stringInto(v.Index(i))
		} else {
			d.object(v.Index(i), f.elements)
		}
		if len(d.wrong) > before && d.isFull(before, element("", i)) {
			return
		}
	}
	if i == 0 {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	}
	v.SetCap(i) // so that two copies of the struct can be appended to
}

// mismatch says what the value is and moves past it.
func (d *decoder) mismatch(want string) {
	have := Describe(d.first())
	reason := "is " + have + " where " + want + " is expected"
	switch {
	case want == "a string" && (have == "a number" || have == "true or false"):
		reason += ": put it in quotes"
	case (want == "a number" || want == "true or false") && have == "a string":
		reason += ": leave out the quotes"
	}
	d.value()
	d.fail(reason)
}

// fail adds an error about the value that was just read.
func (d *decoder) fail(reason string) { d.wrong = append(d.wrong, &MemberError{Reason: reason}) }

// Describe names the kind of JSON value that starts with the character.
func Describe(first byte) string {
	switch first {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}

// join puts the path of an object before that of something in it.
func join(outer, inner string) string {
	if outer == "" || inner == "" || inner[0] == '[' {
		return outer + inner
	}
	return outer + "." + inner
}

// element is the path of an element of an array.
func element(array string, index int) string { return fmt.Sprintf("%s[%d]", array, index) }
