package wire

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
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
	var rest Rest
	err := decodeObject(text, reflect.ValueOf(into).Elem(), &rest)
	return rest, err
}

func decodeObject(text string, v reflect.Value, rest *Rest) error {
	if !IsObject(text) {
		return mismatch(text, "an object")
	}
	p := planOf(v.Type())
	var seen uint64
	for name, value := range members(text) {
		i := p.find(name)
		if i < 0 {
			if err := keepExtra(v.Field(p.extra), name, value); err != nil {
				return err
			}
			continue
		}
		if seen&(1<<i) != 0 {
			return &MemberError{name, "stands there twice"}
		}
		seen |= 1 << i
		if value == "null" {
			continue
		}
		if err := decodeField(value, v.Field(p.fields[i].index), &p.fields[i], rest); err != nil {
			return at(name, err)
		}
	}
	return nil
}

func keepExtra(v reflect.Value, name, value string) error {
	extra := v.Addr().Interface().(*map[string]json.RawMessage)
	if _, twice := (*extra)[name]; twice {
		return &MemberError{name, "stands there twice"}
	}
	if *extra == nil {
		*extra = make(map[string]json.RawMessage)
	}
	(*extra)[name] = json.RawMessage(value)
	return nil
}

func decodeField(text string, v reflect.Value, f *field, rest *Rest) error {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch f.kind {
	case kindHeld:
		rest.Held = text
		return nil
	case kindString:
		return decodeString(text, v)
	case kindBool:
		if text != "true" && text != "false" {
			return mismatch(text, "true or false")
		}
		v.SetBool(text == "true")
		return nil
	case kindNumber:
		return decodeNumber(text, v, f.name, rest)
	case kindStrings:
		return decodeArray(text, v, decodeString)
	case kindObject:
		return decodeObject(text, v, rest)
	case kindObjects:
		return decodeArray(text, v, func(text string, v reflect.Value) error { return decodeObject(text, v, rest) })
	}
	return nil
}

func decodeString(text string, v reflect.Value) error {
	if text[0] != '"' {
		return mismatch(text, "a string")
	}
	v.SetString(unquote(text))
	return nil
}

func decodeNumber(text string, v reflect.Value, name string, rest *Rest) error {
	if text[0] != '-' && (text[0] < '0' || text[0] > '9') {
		return mismatch(text, "a number")
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return &MemberError{Reason: "is a number too large for a float64"}
	}
	v.SetFloat(number)
	if string(appendNumber(nil, number)) != text {
		if rest.Digits == nil {
			rest.Digits = make(map[string]string)
		}
		rest.Digits[name] = text
	}
	return nil
}

func decodeArray(text string, v reflect.Value, decode func(string, reflect.Value) error) error {
	if text[0] != '[' {
		return mismatch(text, "an array")
	}
	count := 0
	for range elements(text) {
		count++
	}
	v.Set(reflect.MakeSlice(v.Type(), count, count))
	i := 0
	for element := range elements(text) {
		if err := decode(element, v.Index(i)); err != nil {
			return at(fmt.Sprintf("[%d]", i), err)
		}
		i++
	}
	return nil
}

func mismatch(text, want string) error {
	return &MemberError{Reason: "is " + Describe(text[0]) + " where " + want + " is expected"}
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
