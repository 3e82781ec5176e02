// Package store keeps what a fake of the API holds in a file, over restarts.
//
// The file is a document as export writes it, followed by a line for each change since. So a change costs the same
// however much there is, and is saved before its response is sent. When the file is opened, and when it is closed, it
// becomes a document again.
package store

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cfposture/cfposture/examples/posturectl/internal/document"
	"github.com/cfposture/cfposture/posturetest"
)

// A Store is an open file.
type Store struct {
	path string

	mu   sync.Mutex
	file *os.File // to append changes to
	size int64
	// compacted is the size that the file had as a document.
	compacted int64
	items     map[bool]*items // of integrations under true, of rules under false
	err       error           // why nothing can be saved any more
}

// items are rules or integrations by ID, in the order in which they came.
type items struct {
	order []string
	byID  map[string]json.RawMessage
}

// A change is a line of the file.
type change struct {
	Integration bool            `json:"integration,omitempty"`
	ID          string          `json:"id"`
	Item        json.RawMessage `json:"item,omitempty"` // none: it was deleted
}

// Open reads the file, or begins it with the document where there is none. It returns an error if there is something
// other than a regular file, or one that is larger than [document.MaxSize].
func Open(path string, initial *document.Document) (*Store, error) {
	s := &Store{path: path}
	switch data, err := readRegular(path); {
	case errors.Is(err, fs.ErrNotExist):
		err = s.take(initial)
		if err != nil {
			return nil, err
		}
	case err != nil:
		return nil, err
	default:
		if err := s.read(data); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return s, s.compact() // better now than after the first change
}

// readRegular reads a file. It doesn't open anything else, which might wait or have no end.
func readRegular(path string) ([]byte, error) {
	switch info, err := os.Stat(path); {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	file, err := os.Open(path) //nolint:gosec // the caller named the file
	if err != nil {
		return nil, err
	}
	defer file.Close() //nolint:errcheck // it was only read
	data, err := document.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

// read reads a document and the changes after it. A last line that isn't whole is that of a request without a response.
func (s *Store) read(data []byte) error {
	decoder := jsontext.NewDecoder(strings.NewReader(string(data)))
	value, err := decoder.ReadValue()
	if err != nil {
		return fmt.Errorf("the state can't be read: %w", err)
	}
	d, err := document.Parse(value.Clone())
	if err != nil {
		return err
	}
	if err := s.take(d); err != nil {
		return err
	}
	rest := string(data[decoder.InputOffset():])
	rest = strings.TrimSpace(rest[:strings.LastIndex(rest, "\n")+1])
	for n, line := range strings.Split(rest, "\n") {
		var c change
		if line == "" {
			continue
		}
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			return fmt.Errorf("change %d after the document can't be read: %w", n+1, err)
		}
		s.put(c)
	}
	return nil
}

// take makes the document what there is.
func (s *Store) take(d *document.Document) error {
	s.items = map[bool]*items{false: {byID: map[string]json.RawMessage{}}, true: {byID: map[string]json.RawMessage{}}}
	for isIntegration, all := range map[bool][]json.RawMessage{false: d.Rules, true: d.Integrations} {
		for n, item := range all {
			id, item, err := identified(item)
			if err != nil {
				return fmt.Errorf("item %d of the state can't be read: %w", n, err)
			}
			s.put(change{isIntegration, id, item})
		}
	}
	return nil
}

// identified returns an item's ID, and the item, which gets an ID if it has none.
func identified(item json.RawMessage) (id string, with json.RawMessage, err error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(item, &members); err != nil {
		return "", nil, err
	}
	if json.Unmarshal(members["id"], &id) == nil && id != "" {
		return id, item, nil
	}
	var b [16]byte
	_, _ = rand.Read(b[:])                      // It never fails.
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // a random UUID
	id = fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
	members["id"], _ = json.Marshal(id) // A string can always be encoded.
	with, err = json.Marshal(members)
	return id, with, err
}

func (s *Store) put(c change) {
	kind := s.items[c.Integration]
	_, there := kind.byID[c.ID]
	switch {
	case c.Item == nil:
		delete(kind.byID, c.ID)
		kind.order = slices.DeleteFunc(kind.order, func(id string) bool { return id == c.ID })
	case !there:
		kind.order = append(kind.order, c.ID)
		fallthrough
	default:
		kind.byID[c.ID] = c.Item
	}
}

// Document returns what there is.
func (s *Store) Document() *document.Document {
	d := &document.Document{Version: document.Version, Integrations: []json.RawMessage{}, Rules: []json.RawMessage{}}
	for _, id := range s.items[true].order {
		d.Integrations = append(d.Integrations, s.items[true].byID[id])
	}
	for _, id := range s.items[false].order {
		d.Rules = append(d.Rules, s.items[false].byID[id])
	}
	return d
}

// mostChanges is the size in bytes of the changes after which the file becomes a document again. Otherwise it would grow
// beyond what can be read.
const mostChanges = 1 << 20

// Save appends a change, for [posturetest.WithOnChange].
func (s *Store) Save(c posturetest.Change) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	saved := change{strings.HasPrefix(c.Operation, "integrations."), c.ID, c.JSON}
	line, err := json.Marshal(saved)
	if err != nil {
		return err
	}
	n, err := s.file.Write(append(line, '\n'))
	if err != nil {
		if n > 0 { // A part of a line would spoil the next.
			s.err = s.file.Truncate(s.size)
		}
		return err
	}
	s.size += int64(n)
	s.put(saved)
	if s.size > s.compacted+mostChanges {
		_ = s.compact() // The change is saved anyway, and the next one tries again.
	}
	return nil
}

// Clear forgets everything.
func (s *Store) Clear() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.take(&document.Document{}); err != nil {
		return err
	}
	return s.compact()
}

// Close makes the file a document.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.compact()
	return errors.Join(err, s.file.Close())
}

// compact writes the file as a document, and opens it for changes.
func (s *Store) compact() error {
	data, err := s.Document().Marshal()
	if err == nil {
		err = document.WriteFile(s.path, data)
	}
	if err != nil {
		return fmt.Errorf("the state can't be saved: %w", err)
	}
	file, err := os.OpenFile(s.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("the state can't be saved: %w", err)
	}
	if s.file != nil {
		_ = s.file.Close() // All that was in it is in the new one.
	}
	s.file, s.size, s.compacted, s.err = file, int64(len(data)), int64(len(data)), nil
	return nil
}
