package store

import (
	"os"
	"testing"
)

// SetFile makes changes go to another file.
func SetFile(t *testing.T, s *Store, path string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_ = s.file.Close()
	s.file = file
	t.Cleanup(func() { _ = file.Close() })
}
