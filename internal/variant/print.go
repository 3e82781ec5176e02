package variant

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/cfposture/cfposture/internal/api"
	"github.com/cfposture/cfposture/internal/wire"
)

// Redacted is printed in place of a secret.
const Redacted = "[redacted]"

// Text returns what write writes in one line, for people.
func Text(write func(*wire.Encoder)) string {
	text, err := wire.Encode(write)
	if err != nil {
		return api.Printable("{invalid: " + err.Error() + "}")
	}
	return api.Printable(string(text))
}

// Print ends a Format, which has no way to fail.
func Print(f fmt.State, text string) { _, _ = io.WriteString(f, text) }

// Format prints the struct that v points to. Its secrets and the values of its Extra, which may be secrets too, are
// redacted.
func Format(f fmt.State, v any) {
	var fields []string
	for _, attr := range attrs(v) {
		fields = append(fields, attr.Key+":"+attr.Value.String())
	}
	Print(f, api.Printable("{"+strings.Join(fields, " ")+"}"))
}

// LogValue returns the struct that v points to as a group, redacted like that of [Format].
func LogValue(v any) slog.Value { return slog.GroupValue(attrs(v)...) }

// attrs lists the members that are set, by their names in the JSON. A field with a String method is a secret, whose
// String is redacted.
func attrs(v any) []slog.Attr {
	var attrs []slog.Attr
	for name, field := range wire.Fields(v) {
		switch field := field.(type) {
		case *string:
			attrs = append(attrs, Attrs(name, *field)...)
		case fmt.Stringer:
			attrs = append(attrs, Attrs(name, field.String())...)
		case *map[string]json.RawMessage:
			for _, name := range slices.Sorted(maps.Keys(*field)) {
				attrs = append(attrs, slog.String(name, Redacted))
			}
		}
	}
	return attrs
}

// Attrs returns an attribute for each pair of a key and a value that isn't empty.
func Attrs(pairs ...string) []slog.Attr {
	var attrs []slog.Attr
	for pair := range slices.Chunk(pairs, 2) {
		if pair[1] != "" {
			attrs = append(attrs, slog.String(pair[0], pair[1]))
		}
	}
	return attrs
}

// AppendAttr appends an attribute of a variant, or nothing for nil.
func AppendAttr(attrs []slog.Attr, key string, v any) []slog.Attr {
	if IsNil(v) {
		return attrs
	}
	return append(attrs, slog.Any(key, v))
}

// Secrets lists what must not be shown of the struct that v points to: its secrets, and every string in its Extra.
func Secrets(v any) []string {
	if IsNil(v) {
		return nil
	}
	var secrets []string
	for _, field := range wire.Fields(v) {
		switch field := field.(type) {
		case fmt.Stringer:
			secrets = append(secrets, reflect.ValueOf(field).Elem().String())
		case *map[string]json.RawMessage:
			for _, raw := range *field {
				secrets = append(secrets, wire.Strings(raw)...)
			}
		}
	}
	return secrets
}

// DropSecrets unsets the secrets of the struct that v points to. It empties its Extra, which may hold secrets too, unless
// that is to be kept: then it loses the members whose names suggest one.
func DropSecrets(v any, keepExtra bool) {
	for _, field := range wire.Fields(v) {
		switch field := field.(type) {
		case fmt.Stringer:
			reflect.ValueOf(field).Elem().SetString("")
		case *map[string]json.RawMessage:
			if !keepExtra {
				*field = nil
			}
			maps.DeleteFunc(*field, func(name string, _ json.RawMessage) bool { return api.IsSecretMember(name) })
			for name, value := range *field {
				(*field)[name] = WithoutSecretMembers(value)
			}
		}
	}
}

// WithoutSecretMembers returns a JSON value without the members whose names suggest a secret, on every level.
func WithoutSecretMembers(raw json.RawMessage) json.RawMessage {
	var value any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber() // keeps the digits
	if d.Decode(&value) != nil || !api.DropSecretMembers(value) {
		return raw
	}
	cleaned, _ := json.Marshal(value) // it was decoded from JSON
	return cleaned
}
