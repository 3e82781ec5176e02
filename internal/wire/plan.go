package wire

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// A plan says how the fields of a struct stand in its JSON object. It is read from the struct's json tags, which mean
// what they mean to encoding/json, once for each type:
//
//	`json:"name"`           written always
//	`json:"name,omitzero"`  left out when "", nil or 0
//	`json:",embed"`         a map[string]json.RawMessage of all other members
//
// A field of an interface type is held back: its text is given to the caller, who knows what it means.
type plan struct {
	fields []*field
	byName []*field // in the order of names, in which the API sends them
	extra  int      // index of the embedded map, or -1
}

type field struct {
	name     string // needs no escape
	member   string // the name with quotes and colon
	index    int
	bit      uint64 // the field's own, to tell which fields were met
	kind     kind
	elements *plan // of a struct, or of a slice's structs
	omitZero bool
}

type kind int

const (
	kindHeld kind = iota
	kindString
	kindBool
	kindNumber
	kindStrings
	kindObject
	kindObjects
)

// kinds are the types that a field may have, pointers to bool and number aside.
func kindOf(t reflect.Type) kind {
	switch t.Kind() {
	case reflect.Interface:
		return kindHeld
	case reflect.String:
		return kindString
	case reflect.Bool:
		return kindBool
	case reflect.Float64:
		return kindNumber
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.Struct:
		return kindObject
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return kindObjects
		}
		return kindStrings
	default:
		panic("wire: no kind for " + t.String())
	}
}

var plans sync.Map // of *plan by reflect.Type

func planOf(t reflect.Type) *plan {
	if p, ok := plans.Load(t); ok {
		return p.(*plan)
	}
	p, _ := plans.LoadOrStore(t, newPlan(t))
	return p.(*plan)
}

func newPlan(t reflect.Type) *plan {
	p := &plan{extra: -1}
	for i := range t.NumField() {
		f := t.Field(i)
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case option == "embed":
			p.extra = i
		case name != "":
			p.fields = append(p.fields, newField(name, f.Type, i, option == "omitzero"))
		}
	}
	p.byName = slices.SortedFunc(slices.Values(p.fields), func(a, b *field) int { return strings.Compare(a.name, b.name) })
	return p
}

func newField(name string, t reflect.Type, index int, omitZero bool) *field {
	f := &field{name: name, member: `"` + name + `":`, index: index, bit: 1 << index, kind: kindOf(t), omitZero: omitZero}
	if f.kind == kindObject || f.kind == kindObjects {
		f.elements = planOf(t.Elem())
	}
	return f
}

// find returns the field for a member, or nil. With ten fields at the most, looking is quicker than a map.
func (p *plan) find(name string) *field {
	for _, f := range p.fields {
		if f.name == name {
			return f
		}
	}
	return nil
}
