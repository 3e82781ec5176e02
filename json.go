package cfposture

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/cfposture/cfposture/internal/api"
	"github.com/cfposture/cfposture/internal/wire"
)

// decodeInput reads an input, the deferred member of a rule.
func decodeInput(d *wire.Decoder, t RuleType) DeviceInput {
	input := newInput(t)
	if text, reason := decodeVariant(d, "rule", string(t), "input", input); reason != "" {
		return &UnknownInput{t, json.RawMessage(text), reason}
	}
	return input
}

// decodeConfig reads a config, the deferred member of an integration.
func decodeConfig(d *wire.Decoder, t IntegrationType) IntegrationConfig {
	config := newConfig(t)
	if text, reason := decodeVariant(d, "integration", string(t), "config", config); reason != "" {
		return &UnknownConfig{t, json.RawMessage(text), reason}
	}
	return config
}

// decodeVariant sets the struct of an input or a config. If it can't, it says why and returns the text.
func decodeVariant(d *wire.Decoder, noun, t, member string, into any) (text, reason string) {
	if into == nil {
		text, _ = d.DecodeDeferred(nil)
		return text, noType(noun, t)
	}
	text, err := d.DecodeDeferred(into.(members).decode)
	if err != nil {
		return text, api.Printable(wire.At(member, err).Error())
	}
	return text, ""
}

func noType(noun, t string) string {
	return api.Printable(fmt.Sprintf("type %q is not a type of %s", t, noun))
}

// A members is a pointer to a struct of internal/gen's.
type members interface {
	// decode sets the fields to the members of the object that comes next.
	decode(d *wire.Decoder)
}

// appendVariant writes what is sent as an input or a config. It writes nothing for nil, and for an input that has no
// members.
func appendVariant(dst []byte, variant any) ([]byte, error) {
	if isNil(variant) {
		return dst, nil
	}
	switch variant := variant.(type) {
	case *UnknownInput:
		return appendRaw(dst, variant.Raw)
	case *UnknownConfig:
		return appendRaw(dst, variant.Raw)
	case *GatewayInput:
		if len(variant.Extra) == 0 {
			return dst, nil
		}
	case *WARPInput:
		if len(variant.Extra) == 0 {
			return dst, nil
		}
	}
	return wire.Append(dst, variant, nil)
}

func appendRaw(dst, raw []byte) ([]byte, error) {
	if len(raw) > 0 && !wire.Valid(raw) {
		return nil, &wire.MemberError{Reason: "has raw bytes that are not valid JSON"}
	}
	return append(dst, raw...), nil
}

// membersText returns the struct that from points to as JSON in one line, for people.
func membersText(from any) string {
	text, err := wire.Append(nil, from, nil)
	if err != nil {
		return api.Printable("{invalid: " + err.Error() + "}")
	}
	return api.Printable(string(text))
}

// isNil reports whether an input or a config is nil, or a nil pointer.
func isNil(variant any) bool { return variant == nil || reflect.ValueOf(variant).IsNil() }

// orNil returns nil for a nil pointer.
func orNil(variant any) any {
	if isNil(variant) {
		return nil
	}
	return variant
}

// named says which item an error is about, as far as that is known.
func named(noun, id string, err error) error {
	if id == "" {
		return fmt.Errorf("%s: %w", noun, err)
	}
	return fmt.Errorf("%s %s: %w", noun, id, err)
}
