package paging

import (
	"bytes"
	"fmt"
	"iter"
	"slices"

	"github.com/cfposture/cfposture/internal/wire"
)

// Items says how to read the items of a list.
type Items[T any] struct {
	// Decode reads the item that comes next, an object. It keeps nothing but a copy of its text.
	Decode func(*wire.Decoder) (*T, error)
	// ID returns the ID of an item, "" if it has none.
	ID func(*T) string
}

// A Page is a page as received.
type Page[T any] struct {
	Info Info

	kind       Items[T]
	items      []*T           // nil where one was left out
	hasLeftOut bool           // an item is nil
	texts      map[int]string // of the items without an ID, to tell them from others
	unreadable []Unreadable
	result     []byte // the page's text, if an item is unreadable
}

// An Unreadable is an item that could not be decoded. It is small, because a page may hold many: what is wrong with it is
// found out anew by [Page.Explain].
type Unreadable struct {
	index      int32 // in the page
	start, end int32 // in the page's text, which is shorter than 64 MiB
	leftOut    bool
}

// NewPage returns an empty page.
func NewPage[T any](kind Items[T]) *Page[T] { return &Page[T]{kind: kind} }

// Decode reads a result, an array or null, in place of what the page holds.
func (p *Page[T]) Decode(d *wire.Decoder) error {
	p.items, p.texts, p.unreadable = nil, nil, nil
	switch kind := d.Kind(); kind {
	case '[':
	case 'n':
		d.Skip()
		return nil
	default:
		return fmt.Errorf(`response's member "result" is %s where an array is expected`, wire.Describe(kind))
	}
	result := d.Offset()
	for d.Open('['); d.Next(']'); {
		var item *T
		start := d.Offset()
		if d.Kind() == '{' {
			item, _ = p.kind.Decode(d)
		} else {
			d.Skip()
		}
		switch {
		case item == nil:
			end := start + len(d.Text(start))
			p.unreadable = append(p.unreadable, Unreadable{
				index: int32(p.Len()), start: int32(start - result), end: int32(end - result), //nolint:gosec // see Unreadable
			})
			continue
		case p.kind.ID(item) == "":
			if p.texts == nil {
				p.texts = make(map[int]string)
			}
			p.texts[len(p.items)] = string(d.Text(start))
		}
		p.items = append(p.items, item)
	}
	if p.unreadable != nil {
		p.result = bytes.Clone(d.Text(result))
	}
	return nil
}

// Len returns the number of received items, including unreadable ones and those that were left out.
func (p *Page[T]) Len() int { return len(p.items) + len(p.unreadable) }

// leaveOut leaves out the items for which wasSeen returns true. It gives it the ID of each, or its text if it has none.
func (p *Page[T]) leaveOut(wasSeen func(key string) bool) {
	for i, item := range p.items {
		key := p.kind.ID(item)
		if key == "" {
			key = p.texts[i]
		}
		if wasSeen(key) {
			p.items[i], p.hasLeftOut = nil, true
		}
	}
	for i := range p.unreadable {
		u := &p.unreadable[i]
		text := p.result[u.start:u.end]
		key := string(text)
		if id := idOf(text); id != "" {
			key = "unreadable " + id // readable, it would be another
		}
		u.leftOut = wasSeen(key)
	}
}

// Items returns the readable items.
func (p *Page[T]) Items() []*T {
	if !p.hasLeftOut {
		return p.items
	}
	return slices.DeleteFunc(slices.Clone(p.items), func(item *T) bool { return item == nil })
}

// Unreadable yields the unreadable items.
func (p *Page[T]) Unreadable() iter.Seq[Unreadable] {
	return func(yield func(Unreadable) bool) {
		for _, u := range p.unreadable {
			if !u.leftOut && !yield(u) {
				return
			}
		}
	}
}

// All yields all items in their order, the unreadable ones with nil in place of the item.
func (p *Page[T]) All() iter.Seq2[*T, Unreadable] {
	return func(yield func(*T, Unreadable) bool) {
		items, unreadable := p.items, p.unreadable
		for index := range p.Len() {
			if len(unreadable) > 0 && int(unreadable[0].index) == index {
				if !unreadable[0].leftOut && !yield(nil, unreadable[0]) {
					return
				}
				unreadable = unreadable[1:]
				continue
			}
			if items[0] != nil && !yield(items[0], Unreadable{}) {
				return
			}
			items = items[1:]
		}
	}
}

// An Explanation says what is wrong with an unreadable item.
type Explanation struct {
	Index int    // in the page
	ID    string // "" if it has none
	Raw   []byte
	Err   error
}

// Explain says what is wrong with an unreadable item.
func (p *Page[T]) Explain(u Unreadable) Explanation {
	raw := bytes.Clone(p.result[u.start:u.end])
	_, err := p.kind.Decode(wire.NewDecoder(raw))
	return Explanation{int(u.index), idOf(raw), raw, fmt.Errorf("result[%d]: %w", u.index, err)}
}

// idOf returns the ID of an unreadable item, "" if it has none, or several.
func idOf(text []byte) (id string) {
	s := wire.NewScanner(text)
	if s.Kind() != '{' {
		return ""
	}
	for s.Open('{'); s.Next('}'); {
		switch name := s.Name(); {
		case string(name) == "id" && id != "":
			return ""
		case string(name) == "id" && s.Kind() == '"':
			id = string(s.String())
		default:
			s.Skip()
		}
	}
	return id
}
