package variant

import (
	"fmt"

	"github.com/cfposture/cfposture/internal/wire"
)

// Marshal returns what write writes. The subject is for errors.
func Marshal(subject func() string, write func(*wire.Encoder)) ([]byte, error) {
	text, err := wire.Encode(write)
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
