package wire

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Rest is what an object holds besides what its struct's exported fields can.
type Rest struct {
	// Held is the text of the interface field's member, "" where there is none.
	Held string
	// Digits are the texts of numbers that Go would write in another way, by member: 1.10, 1e2.
	Digits map[string]string
}

// A MemberError says which member of an object does not fit its field.
type MemberError struct {
	Member string // a path such as match[1].platform; empty for the object itself
	Reason string
}

func (e *MemberError) Error() string {
	if e.Member == "" {
		return "it " + e.Reason
	}
	return fmt.Sprintf("member %q %s", e.Member, e.Reason)
}

// Decode sets the struct that into points to from text, which is valid JSON. The strings it sets are parts of text.
// A null leaves a field as it is. It fails with a *MemberError on a value that would not come back as it is.
func Decode(text string, into any) (Rest, error) {
	d := decoder{cursor: newCursor(text)}
	v := reflect.ValueOf(into).Elem()
	err := d.object(v, planOf(v.Type()))
	return d.rest, err
}

// A decoder sets fields to the values that its cursor passes.
type decoder struct {
	cursor
	rest Rest
}

func (d *decoder) object(v reflect.Value, p *plan) error {
	if d.first() != '{' {
		return d.mismatch("an object")
	}
	var seen uint64
	ahead := p.byName
	for d.open(); d.next(); {
		name, f := d.member(p, &ahead)
		if f == nil {
			if err := keepExtra(v.Field(p.extra), name, d.value()); err != nil {
				return err
			}
			continue
		}
		if seen&f.bit != 0 {
			return &MemberError{name, "appears twice"}
		}
		seen |= f.bit
		if d.first() == 'n' {
			d.value()
			continue
		}
		if err := d.field(v.Field(f.index), f); err != nil {
			return at(name, err)
		}
	}
	return nil
}

// member reads a member's name and finds its field, which most often is the first of those ahead by name: then the name
// need not be looked at twice.
func (d *decoder) member(p *plan, ahead *[]*field) (string, *field) {
	for i, f := range *ahead {
		if strings.HasPrefix(d.text[d.at:], f.member) {
			*ahead = (*ahead)[i+1:]
			d.at += len(f.member)
			d.skipSpace()
			return f.name, f
		}
	}
	name := d.name()
	return name, p.find(name)
}

func keepExtra(v reflect.Value, name, value string) error {
	extra := v.Addr().Interface().(*map[string]json.RawMessage)
	if _, twice := (*extra)[name]; twice {
		return &MemberError{name, "appears twice"}
	}
	if *extra == nil {
		*extra = make(map[string]json.RawMessage)
	}
	(*extra)[name] = json.RawMessage(value)
	return nil
}

func (d *decoder) field(v reflect.Value, f *field) error {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch f.kind {
	case kindHeld:
		d.rest.Held = d.value()
		return nil
	case kindString:
		return d.stringInto(v)
	case kindBool:
		return d.boolInto(v)
	case kindNumber:
		return d.numberInto(v, f.name)
	case kindObject:
		return d.object(v, f.elements)
	case kindStrings, kindObjects:
		return d.arrayInto(v, f)
	}
	return nil
}

func (d *decoder) stringInto(v reflect.Value) error {
	if d.first() != '"' {
		return d.mismatch("a string")
	}
	v.SetString(d.string())
	return nil
}

func (d *decoder) boolInto(v reflect.Value) error {
	if d.first() != 't' && d.first() != 'f' {
		return d.mismatch("true or false")
	}
	v.SetBool(d.value() == "true")
	return nil
}

func (d *decoder) numberInto(v reflect.Value, name string) error {
	if first := d.first(); first != '-' && (first < '0' || first > '9') {
		return d.mismatch("a number")
	}
	text := d.value()
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return &MemberError{Reason: "is a number too large for a float64"}
	}
	v.SetFloat(number)
	var written [32]byte
	if string(appendNumber(written[:0], number)) != text {
		if d.rest.Digits == nil {
			d.rest.Digits = make(map[string]string)
		}
		d.rest.Digits[name] = text
	}
	return nil
}

func (d *decoder) arrayInto(v reflect.Value, f *field) error {
	if d.first() != '[' {
		return d.mismatch("an array")
	}
	i := 0
	for d.open(); d.next(); i++ {
		if i == v.Cap() {
			v.Grow(d.left())
		}
		v.SetLen(i + 1)
		var err error
		if f.kind == kindStrings {
			err = d.stringInto(v.Index(i))
		} else {
			err = d.object(v.Index(i), f.elements)
		}
		if err != nil {
			return at(fmt.Sprintf("[%d]", i), err)
		}
	}
	if i == 0 {
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	}
	v.SetCap(i) // so that two copies of the struct can be appended to
	return nil
}

func (d *decoder) mismatch(want string) error {
	return &MemberError{Reason: "is " + Describe(d.first()) + " where " + want + " is expected"}
}

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

// at puts a member's name or an element's index before the path of a MemberError.
func at(step string, err error) error {
	inner, ok := err.(*MemberError) //nolint:errorlint // no function here wraps one
	if !ok {
		return err
	}
	if inner.Member != "" && inner.Member[0] != '[' {
		step += "."
	}
	return &MemberError{step + inner.Member, inner.Reason}
}
