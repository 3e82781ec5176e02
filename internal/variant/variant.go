// Package variant has what all inputs of rules and all configs of integrations have in common: they are structs behind an
// interface, are read by the type member of the same object, and print without secrets.
package variant

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/cfposture/cfposture/internal/api"
	"github.com/cfposture/cfposture/internal/wire"
)

// IsNil reports whether a variant is nil, or a nil pointer.
func IsNil(v any) bool {
	r := reflect.ValueOf(v)
	return v == nil || r.Kind() == reflect.Pointer && r.IsNil()
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

// Decode calls decode to read a variant. If the variant doesn't fit, or decode is nil because the item's type has no struct,
// Decode returns its text and the reason. The noun, such as rule, says what the item is.
func Decode(d *wire.Decoder, noun, itemType, member string, decode func(*wire.Decoder)) (text []byte, reason string) {
	if decode == nil {
		return bytes.Clone(d.Value()), NoType(noun, itemType)
	}
	text, wrong := d.Try(decode)
	if wrong != nil {
		return bytes.Clone(text), api.Printable(wrong.At(member).Error())
	}
	return nil, ""
}

// NoType says that no struct belongs to a type of an item.
func NoType(noun, itemType string) string {
	return api.Printable(fmt.Sprintf("type %q is not a type of %s", itemType, noun))
}

// EncodeRaw writes the bytes of a variant that has no struct as a member, if there are any.
func EncodeRaw(e *wire.Encoder, member string, raw json.RawMessage) {
	if len(raw) > 0 {
		e.Raw(member, raw)
	}
}

// Paths returns the paths of members that have no field.
func Paths(unknowns []wire.Unknown) []string {
	paths := make([]string, len(unknowns))
	for i := range unknowns {
		paths[i] = unknowns[i].Path()
	}
	return paths
}

// NewComparison returns how to compare items whose variants are like the one that v points to, or are of a type that has no
// struct if v is nil. If the items are not of the same type, their variants are compared as a whole.
func NewComparison(item any, isSameType bool, v any, same func(path, want, have string) bool) *wire.Comparison {
	c := &wire.Comparison{Model: item, Same: same}
	switch {
	case isSameType && v == nil:
		c.Variant = new(struct{}) // no member has a field
	case isSameType:
		c.Variant = v
	}
	return c
}
