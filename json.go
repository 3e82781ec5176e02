package cfposture

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/cfposture/cfposture/internal/api"
	"github.com/cfposture/cfposture/internal/wire"
)

// decodeInput reads an input from valid JSON, of which the input's strings are parts.
func decodeInput(t RuleType, text string) DeviceInput {
	input := newInput(t)
	if reason := decodeVariant("rule", string(t), "input", orNil(input), text); reason != "" {
		return &UnknownInput{t, json.RawMessage(text), reason}
	}
	return input
}

// decodeConfig reads a config from valid JSON, of which the config's strings are parts.
func decodeConfig(t IntegrationType, text string) IntegrationConfig {
	config := newConfig(t)
	if reason := decodeVariant("integration", string(t), "config", orNil(config), text); reason != "" {
		return &UnknownConfig{t, json.RawMessage(text), reason}
	}
	return config
}

// decodeVariant sets the struct of an input or a config, or says why it can't.
func decodeVariant(noun, t, member string, into any, text string) (reason string) {
	if into == nil {
		return api.Printable(fmt.Sprintf("type %q is not a type of %s", t, noun))
	}
	if _, err := wire.Decode(text, into); err != nil {
		return api.Printable(wire.At(member, err).Error())
	}
	return ""
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
