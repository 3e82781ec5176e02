package variant

import (
	"fmt"

	"github.com/cfposture/cfposture/internal/wire"
)

// EncodeItem writes the struct that from points to. AppendDeferred writes its input or config. The subject is for errors.
func EncodeItem(from any, subject func() string, appendDeferred func(dst []byte) ([]byte, error)) ([]byte, error) {
	text, err := wire.Append(nil, from, appendDeferred)
	if err != nil {
		return nil, fmt.Errorf("cfposture: %s: %w", subject(), err)
	}
	return text, nil
}

// Named returns an error that names the item it is about, as far as that is known.
func Named(noun, id string, err error) error {
	if id == "" {
		return fmt.Errorf("%s: %w", noun, err)
	}
	return fmt.Errorf("%s %s: %w", noun, id, err)
}
