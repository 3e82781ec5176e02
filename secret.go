package cfposture

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/cfposture/cfposture/internal/wire"
)

const redacted = "[redacted]"

// A Secret is a credential of a third party's service. Package fmt prints it as [redacted] by every verb that vet allows
// for it, and so does slog, or as nothing when it is empty. string(s) is the value, and so is what encoding/json writes:
// give a whole [Integration] or config to slog's JSON handler, which logs them without their secrets, not a struct or a
// slice that holds them, which it hands to encoding/json.
type Secret string

// String returns [redacted], or "" for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Format prints what String returns, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { printString(f, s.String()) }

// LogValue returns what String returns.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// formatConfig prints a config with its secrets and all that its Extra holds, which may be secrets too, redacted.
func formatConfig(f fmt.State, config any) {
	var fields []string
	for _, attr := range configAttrs(config) {
		fields = append(fields, attr.Key+":"+attr.Value.String())
	}
	printString(f, "{"+strings.Join(fields, " ")+"}")
}

func logConfig(config any) slog.Value { return slog.GroupValue(configAttrs(config)...) }

// configAttrs lists the members of a config that are set, by their names on the wire.
func configAttrs(config any) []slog.Attr {
	var attrs []slog.Attr
	v := reflect.ValueOf(config)
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		switch value := v.Field(i).Interface().(type) {
		case string:
			if value != "" {
				attrs = append(attrs, slog.String(name, value))
			}
		case Secret:
			if value != "" {
				attrs = append(attrs, slog.String(name, redacted))
			}
		case map[string]json.RawMessage:
			for _, name := range slices.Sorted(maps.Keys(value)) {
				attrs = append(attrs, slog.String(name, redacted))
			}
		}
	}
	return attrs
}

// configSecrets lists what must not appear in an error about a request that sends the config: its secrets, and every
// string in what this package doesn't know.
func configSecrets(config any) []string {
	if isNil(config) {
		return nil
	}
	v := reflect.ValueOf(config).Elem()
	var secrets []string
	for i := range v.NumField() {
		switch value := v.Field(i).Interface().(type) {
		case Secret:
			secrets = append(secrets, string(value))
		case json.RawMessage:
			secrets = append(secrets, wire.Strings(value)...)
		case map[string]json.RawMessage:
			for _, raw := range value {
				secrets = append(secrets, wire.Strings(raw)...)
			}
		}
	}
	return secrets
}

// printString is the end of a Format that has no way to fail.
func printString(f fmt.State, text string) { _, _ = io.WriteString(f, text) }
