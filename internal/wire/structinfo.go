package wire

import (
	"cmp"
	"encoding/json"
	"iter"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// A structInfo has the names and kinds of a struct's fields, and where its Extra is. It is read once for each type from
// the json tags, from which decoding and encoding are generated, too. This is for all else: comparing, printing, checking,
// and finding a member by its name.
type structInfo struct {
	fields []*field
	extra  int // index of the embedded map, or -1
}

type field struct {
	name  string
	index int
	kind  kind
	inner *structInfo // of a struct, or of a slice's structs
}

type kind int

const (
	kindValue kind = iota
	kindVariant
	kindObject
	kindObjects
)

// kindOf returns the kind of a field's type.
func kindOf(t reflect.Type) kind {
	switch {
	case t.Kind() == reflect.Interface:
		return kindVariant
	case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct:
		return kindObject
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return kindObjects
	default:
		return kindValue
	}
}

var structInfos sync.Map // of *structInfo by reflect.Type

func infoOf(t reflect.Type) *structInfo {
	if s, ok := structInfos.Load(t); ok {
		return s.(*structInfo)
	}
	s, _ := structInfos.LoadOrStore(t, newStructInfo(t))
	return s.(*structInfo)
}

func newStructInfo(t reflect.Type) *structInfo {
	s := &structInfo{extra: -1}
	for i := range t.NumField() {
		f := t.Field(i)
		name, option, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case option == "embed":
			s.extra = i
		case name != "":
			s.fields = append(s.fields, newField(name, f.Type, i))
		}
	}
	return s
}

func newField(name string, t reflect.Type, index int) *field {
	f := &field{name: name, index: index, kind: kindOf(t)}
	if f.kind == kindObject || f.kind == kindObjects {
		f.inner = infoOf(t.Elem())
	}
	return f
}

// find returns the field for a member, or nil. Structs are small, so that looking is quicker than a map.
func (s *structInfo) find(name string) *field {
	for _, f := range s.fields {
		if f.name == name {
			return f
		}
	}
	return nil
}

func (s *structInfo) names() []string {
	names := make([]string, len(s.fields))
	for i, f := range s.fields {
		names[i] = f.name
	}
	return names
}

// Fields yields the name of each member that the struct that model points to has a field for, with a pointer to the
// field, and last, under the name "", a pointer to its Extra if it has one.
func Fields(model any) iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		v := reflect.ValueOf(model).Elem()
		s := infoOf(v.Type())
		for _, f := range s.fields {
			if !yield(f.name, v.Field(f.index).Addr().Interface()) {
				return
			}
		}
		if s.extra >= 0 {
			yield("", v.Field(s.extra).Addr().Interface())
		}
	}
}

// An Unknown is a member that stands in the Extra of a struct.
type Unknown struct {
	In    string // the path of the object that has the member, "" for the model itself
	Name  string
	Known []string // the members that the struct has fields for
}

// Path returns the path of the member.
func (u Unknown) Path() string { return join(u.In, cmp.Or(u.Name, `""`)) }

// Unknowns returns the members in the Extra of the struct that model points to and of the structs within it, sorted by
// path. The struct that variant points to, if any, stands at the given path.
func Unknowns(model any, path string, variant any) []Unknown {
	found := unknowns(nil, "", reflect.ValueOf(model).Elem())
	if variant != nil {
		v := reflect.ValueOf(variant).Elem()
		for i := range found {
			for _, name := range infoOf(v.Type()).names() { // the member may have been meant for it
				if found[i].In == "" {
					found[i].Known = append(found[i].Known, join(path, name))
				}
			}
		}
		found = unknowns(found, path, v)
	}
	slices.SortFunc(found, func(a, b Unknown) int { return strings.Compare(a.Path(), b.Path()) })
	return found
}

func unknowns(found []Unknown, path string, v reflect.Value) []Unknown {
	s := infoOf(v.Type())
	if s.extra >= 0 {
		for name := range v.Field(s.extra).Interface().(map[string]json.RawMessage) {
			found = append(found, Unknown{path, name, s.names()})
		}
	}
	for _, f := range s.fields {
		switch value := v.Field(f.index); {
		case f.kind == kindObject && !value.IsNil():
			found = unknowns(found, join(path, f.name), value.Elem())
		case f.kind == kindObjects:
			for i := range value.Len() {
				found = unknowns(found, join(path, element(f.name, i)), value.Index(i))
			}
		}
	}
	return found
}
