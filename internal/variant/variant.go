// Package variant has what all inputs of rules and all configs of integrations have in common: they are structs behind an
// interface, are read by the type member of the same object, and print without secrets.
package variant

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/cfposture/cfposture/internal/api"
	"github.com/cfposture/cfposture/internal/wire"
)

// IsNil reports whether a variant is nil, or a nil pointer.
func IsNil(v any) bool { return v == nil || reflect.ValueOf(v).IsNil() }

// OrNil returns nil for a nil pointer.
func OrNil(v any) any {
	if IsNil(v) {
		return nil
	}
	return v
}

// Field returns a pointer to the field for a member, or nil if the variant has none.
func Field(v any, member string) any {
	if IsNil(v) {
		return nil
	}
	for name, field := range wire.Fields(v) {
		if name == member {
			return field
		}
	}
	return nil
}

// Decode has decode read a variant. It returns its text and a reason if decode can't, or if decode is nil because no struct
// belongs to the type of the item, which is a noun such as rule.
func Decode(d *wire.Decoder, noun, itemType, member string, decode func(*wire.Decoder)) (text []byte, reason string) {
	if decode == nil {
		return bytes.Clone(d.Value()), NoType(noun, itemType)
	}
	text, err := d.Try(decode)
	if err != nil {
		return bytes.Clone(text), api.Printable(wire.At(member, err).Error())
	}
	return nil, ""
}

// NoType says that no struct belongs to a type of an item.
func NoType(noun, itemType string) string {
	return api.Printable(fmt.Sprintf("type %q is not a type of %s", itemType, noun))
}

// Append appends a variant as it is sent. It appends nothing for nil, and for a variant that has no members.
func Append(dst []byte, v any) ([]byte, error) {
	if IsNil(v) || wire.HasNoMembers(v) {
		return dst, nil
	}
	return wire.Append(dst, v, nil)
}

// AppendRaw appends the bytes of a variant that has no struct.
func AppendRaw(dst, raw []byte) ([]byte, error) {
	if len(raw) > 0 && !wire.Valid(raw) {
		return nil, &wire.MemberError{Reason: "has raw bytes that are not valid JSON"}
	}
	return append(dst, raw...), nil
}

// Paths returns the paths of members that have no field.
func Paths(unknowns []wire.Unknown) []string {
	paths := make([]string, len(unknowns))
	for i := range unknowns {
		paths[i] = unknowns[i].Path()
	}
	return paths
}

// Compare returns how to compare items whose variants are like the one that v points to, or are of a type that has no
// struct if v is nil. If the items are not of the same type, their variants are compared as a whole.
func Compare(item any, isSameType bool, v any, same func(path, want, have string) bool) *wire.Comparison {
	c := &wire.Comparison{Model: item, Same: same}
	switch {
	case isSameType && v == nil:
		c.Deferred = new(struct{}) // no member has a field
	case isSameType:
		c.Deferred = v
	}
	return c
}
