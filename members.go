package cfposture

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/cfposture/cfposture/internal/wire"
)

// Objects that hold members, known and unknown, are read and written by internal/wire. The methods here make the
// standard library's encoding/json, and any other package that knows its interfaces, do the same.

// digits are an object's numbers as they were read, where Go would write them in another way: 1.10. They are written as
// long as the field still has that number.
type digits struct{ read map[string]string }

func (d *digits) kept() *map[string]string { return &d.read }

type digitKeeper interface{ kept() *map[string]string }

// decodeMembers sets the struct that into points to from valid JSON, whose parts its strings become.
func decodeMembers(text string, into any) error {
	rest, err := wire.Decode(text, into)
	if keeper, ok := into.(digitKeeper); ok {
		*keeper.kept() = rest.Digits
	}
	return err
}

// appendMembers writes the struct that from points to.
func appendMembers(dst []byte, from any) ([]byte, error) {
	var digits map[string]string
	if keeper, ok := from.(digitKeeper); ok {
		digits = *keeper.kept()
	}
	return wire.Append(dst, from, digits, nil)
}

// appendRaw writes the bytes of what this package doesn't know.
func appendRaw(dst, raw []byte) ([]byte, error) {
	if len(raw) > 0 && !wire.Valid(raw) {
		return nil, &wire.MemberError{Reason: "has raw bytes that are not valid JSON"}
	}
	return append(dst, raw...), nil
}

// isNil reports whether an input or a config is nil, or a nil pointer.
func isNil(variant any) bool { return variant == nil || reflect.ValueOf(variant).IsNil() }

// named says which item an error is about, as far as that is known.
func named(noun, id string, err error) error {
	if id == "" {
		return fmt.Errorf("%s: %w", noun, err)
	}
	return fmt.Errorf("%s %s: %w", noun, id, err)
}

// unmarshal is an UnmarshalJSON: a null changes nothing, anything else replaces what was there.
func unmarshal[T any](data []byte, into *T, decode func(text string) (*T, error)) error {
	if !wire.Valid(data) {
		return errors.New("cfposture: not valid JSON")
	}
	text := wire.Trim(string(data))
	if text == "null" {
		return nil
	}
	value, err := decode(text)
	if err != nil {
		return fmt.Errorf("cfposture: %w", err)
	}
	*into = *value
	return nil
}

func unmarshalMembers[T any](data []byte, into *T) error {
	return unmarshal(data, into, func(text string) (*T, error) {
		value := new(T)
		if err := decodeMembers(text, value); err != nil {
			return nil, fmt.Errorf("%T: %w", *value, err)
		}
		return value, nil
	})
}

func marshalMembers[T any](from *T) ([]byte, error) {
	text, err := appendMembers(nil, from)
	if err != nil {
		return nil, fmt.Errorf("cfposture: %T: %w", *from, err)
	}
	return text, nil
}

// MarshalJSON writes the bytes as they came.
func (in UnknownInput) MarshalJSON() ([]byte, error) { return in.Raw.MarshalJSON() }

// UnmarshalJSON keeps the bytes as they come.
func (in *UnknownInput) UnmarshalJSON(data []byte) error { return in.Raw.UnmarshalJSON(data) }

// MarshalJSON writes the members, those of Extra included.
func (m Match) MarshalJSON() ([]byte, error) { return marshalMembers(&m) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (m *Match) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, m) }

// MarshalJSON writes the members, those of Extra included.
func (l CertificateLocations) MarshalJSON() ([]byte, error) { return marshalMembers(&l) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (l *CertificateLocations) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, l) }

// MarshalJSON writes the members, those of Extra included.
func (in FileInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *FileInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in ApplicationInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *ApplicationInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in TaniumInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *TaniumInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in GatewayInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *GatewayInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in WARPInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *WARPInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in DiskEncryptionInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *DiskEncryptionInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in SerialNumberInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *SerialNumberInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in SentinelOneInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *SentinelOneInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in CarbonBlackInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *CarbonBlackInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in FirewallInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *FirewallInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in OSVersionInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *OSVersionInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in DomainJoinedInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *DomainJoinedInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in ClientCertificateInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *ClientCertificateInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in ClientCertificateV2Input) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *ClientCertificateV2Input) UnmarshalJSON(data []byte) error {
	return unmarshalMembers(data, in)
}

// MarshalJSON writes the members, those of Extra included.
func (in AntivirusInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *AntivirusInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in UniqueClientIDInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *UniqueClientIDInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in KolideInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *KolideInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in TaniumS2SInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *TaniumS2SInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in CrowdStrikeS2SInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *CrowdStrikeS2SInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in IntuneInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *IntuneInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in WorkspaceOneInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *WorkspaceOneInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in SentinelOneS2SInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *SentinelOneS2SInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the members, those of Extra included.
func (in CustomS2SInput) MarshalJSON() ([]byte, error) { return marshalMembers(&in) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (in *CustomS2SInput) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, in) }

// MarshalJSON writes the bytes as they came, secrets included.
func (c UnknownConfig) MarshalJSON() ([]byte, error) { return c.Raw.MarshalJSON() }

// UnmarshalJSON keeps the bytes as they come.
func (c *UnknownConfig) UnmarshalJSON(data []byte) error { return c.Raw.UnmarshalJSON(data) }

// MarshalJSON writes the members, secrets and those of Extra included.
func (c WorkspaceOneConfig) MarshalJSON() ([]byte, error) { return marshalMembers(&c) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (c *WorkspaceOneConfig) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, c) }

// MarshalJSON writes the members, secrets and those of Extra included.
func (c CrowdStrikeS2SConfig) MarshalJSON() ([]byte, error) { return marshalMembers(&c) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (c *CrowdStrikeS2SConfig) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, c) }

// MarshalJSON writes the members, secrets and those of Extra included.
func (c UptycsConfig) MarshalJSON() ([]byte, error) { return marshalMembers(&c) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (c *UptycsConfig) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, c) }

// MarshalJSON writes the members, secrets and those of Extra included.
func (c IntuneConfig) MarshalJSON() ([]byte, error) { return marshalMembers(&c) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (c *IntuneConfig) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, c) }

// MarshalJSON writes the members, secrets and those of Extra included.
func (c KolideConfig) MarshalJSON() ([]byte, error) { return marshalMembers(&c) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (c *KolideConfig) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, c) }

// MarshalJSON writes the members, secrets and those of Extra included.
func (c TaniumS2SConfig) MarshalJSON() ([]byte, error) { return marshalMembers(&c) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (c *TaniumS2SConfig) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, c) }

// MarshalJSON writes the members, secrets and those of Extra included.
func (c SentinelOneS2SConfig) MarshalJSON() ([]byte, error) { return marshalMembers(&c) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (c *SentinelOneS2SConfig) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, c) }

// MarshalJSON writes the members, secrets and those of Extra included.
func (c CustomS2SConfig) MarshalJSON() ([]byte, error) { return marshalMembers(&c) }

// UnmarshalJSON reads the members, unknown ones into Extra.
func (c *CustomS2SConfig) UnmarshalJSON(data []byte) error { return unmarshalMembers(data, c) }
