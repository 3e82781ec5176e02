package main

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
)

// runBytes is how much a spool holds in memory before it writes a sorted run to its file.
const runBytes = 1 << 20

// A spool sorts any number of items in little memory: it keeps sorted runs of them in a temporary file, and merges the
// runs in the end. The zero spool is empty.
type spool struct {
	file    *os.File
	size    int64 // of the file
	runs    []*io.SectionReader
	pending []record
	bytes   int // of pending
	count   int // of all items
}

// A record is an item with what it is sorted by. Names come first because they are the same in every account, unlike
// IDs.
type record struct{ name, kind, id, item string }

// newRecord copies the texts, which are parts of the whole rule or integration and would keep it in memory.
func newRecord(name, kind, id string) record {
	return record{name: strings.Clone(name), kind: strings.Clone(kind), id: strings.Clone(id)}
}

func (r record) compare(other record) int {
	return cmp.Or(cmp.Compare(r.name, other.name), cmp.Compare(r.kind, other.kind), cmp.Compare(r.id, other.id))
}

func (s *spool) add(r record) error {
	s.pending = append(s.pending, r)
	s.count++
	s.bytes += len(r.name) + len(r.kind) + len(r.id) + len(r.item)
	if s.bytes < runBytes {
		return nil
	}
	return s.writeRun()
}

// writeRun empties the memory into the file.
func (s *spool) writeRun() error {
	if s.file == nil {
		file, err := os.CreateTemp("", "cfposture-export-*")
		if err != nil {
			return err
		}
		s.file = file
	}
	slices.SortFunc(s.pending, record.compare)
	out := bufio.NewWriter(s.file)
	start := s.size
	for _, r := range s.pending {
		for _, text := range []string{r.name, r.kind, r.id, r.item} {
			length := binary.AppendUvarint(nil, uint64(len(text)))
			_, _ = out.Write(length) // Flush tells whether it failed
			_, _ = out.WriteString(text)
			s.size += int64(len(length) + len(text))
		}
	}
	s.runs = append(s.runs, io.NewSectionReader(s.file, start, s.size-start))
	s.pending, s.bytes = nil, 0
	return out.Flush()
}

// sorted yields the items in their order.
func (s *spool) sorted() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if s.count == 0 {
			return
		}
		if err := s.writeRun(); err != nil {
			yield("", err)
			return
		}
		runs, err := openRuns(s.runs)
		for err == nil && len(runs) > 0 {
			first := slices.MinFunc(runs, func(a, b *sortedRun) int { return a.head.compare(b.head) })
			if !yield(first.head.item, nil) {
				return
			}
			if err = first.next(); errors.Is(err, io.EOF) {
				err = nil
				runs = slices.DeleteFunc(runs, func(r *sortedRun) bool { return r == first })
			}
		}
		if err != nil {
			yield("", err)
		}
	}
}

// A sortedRun is read from the beginning to the end; head is the record that comes next.
type sortedRun struct {
	in   *bufio.Reader
	head record
}

func openRuns(sections []*io.SectionReader) ([]*sortedRun, error) {
	var runs []*sortedRun
	for _, section := range sections {
		r := &sortedRun{in: bufio.NewReader(section)}
		switch err := r.next(); {
		case err == nil:
			runs = append(runs, r)
		case !errors.Is(err, io.EOF): // which is that of an empty run
			return nil, err
		}
	}
	return runs, nil
}

func (r *sortedRun) next() error {
	for _, text := range []*string{&r.head.name, &r.head.kind, &r.head.id, &r.head.item} {
		length, err := binary.ReadUvarint(r.in)
		if err != nil {
			return err
		}
		buffer := make([]byte, length)
		if _, err := io.ReadFull(r.in, buffer); err != nil {
			return err
		}
		*text = string(buffer)
	}
	return nil
}

// close removes the file.
func (s *spool) close() {
	if s.file == nil {
		return
	}
	_ = s.file.Close() // nothing in it is needed any more
	_ = os.Remove(s.file.Name())
}
