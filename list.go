package cfposture

import (
	"context"
	"errors"
	"hash/maphash"
	"iter"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cfposture/cfposture/internal/envelope"
)

// ListPage says which part of a list is wanted; zero values leave it to the API.
type ListPage struct {
	Page    int `url:"page,omitempty"`     // from 1
	PerPage int `url:"per_page,omitempty"` // items of a page
}

// A Page is a part of a list.
type Page[T any] struct {
	Items []*T
	Info  ResultInfo // zero where the API says nothing
}

// ResultInfo is the envelope's result_info: where a page stands in its list.
type ResultInfo struct {
	Page       int `json:"page"`
	PerPage    int `json:"per_page"`
	Count      int `json:"count"` // items of this page
	TotalCount int `json:"total_count"`
	TotalPages int `json:"total_pages"`
}

// more reports whether pages follow the given one.
func (i ResultInfo) more(page int) bool {
	return i.TotalPages > page || i.TotalPages == 0 && i.PerPage > 0 && i.TotalCount > page*i.PerPage
}

// list reads every page. An item that can't be decoded is left out and named in the error.
func (r *resource[T]) list(ctx context.Context, opts []Option) ([]*T, error) {
	var list collector[T]
	for item, err := range r.pages(ctx, opts, false) {
		if !list.add(item, err) {
			return nil, err
		}
	}
	return list.items, list.err()
}

// pages yields every item of every page, as it arrives. streamed makes the answer's size limit one of each item.
func (r *resource[T]) pages(ctx context.Context, opts []Option, streamed bool) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		seen := newSeenSet()
		for page := 1; ; page++ {
			query := ListPage{Page: page}
			if page == 1 {
				query = ListPage{}
			}
			fresh, info, err := r.page(ctx, query, opts, streamed, seen, yield)
			if errors.Is(err, errStop) {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if fresh == 0 || !info.more(page) {
				return
			}
		}
	}
}

// listPage reads one page.
func (r *resource[T]) listPage(ctx context.Context, page ListPage, opts []Option) (*Page[T], error) {
	var list collector[T]
	_, info, err := r.page(ctx, page, opts, false, newSeenSet(), list.add)
	if err != nil {
		return nil, err
	}
	return &Page[T]{list.items, info}, list.err()
}

// page yields the items of one page that no answer before has brought, and says how many there were. A page that comes
// again, by a retry or from a server that ignores the query, brings the same ones.
func (r *resource[T]) page(ctx context.Context, page ListPage, opts []Option, streamed bool, seen *seenSet,
	yield func(*T, error) bool,
) (fresh int, info ResultInfo, err error) {
	c, err := r.call(http.MethodGet, opts, collection)
	if err != nil {
		return 0, info, err
	}
	if err := c.setQuery(page); err != nil {
		return 0, info, err
	}
	reader := &pageReader[T]{resource: r, call: &c.call, streamed: streamed, seen: seen, yield: yield}
	c.result = reader
	err = c.send(ctx)
	return reader.fresh, c.info, err
}

// A pageReader reads an answer whose result is a list, and yields the items that no answer before has brought.
type pageReader[T any] struct {
	*resource[T]
	call     *call
	streamed bool
	seen     *seenSet
	yield    func(*T, error) bool
	texts    textBlocks
	index    int   // of the element that comes next
	fresh    int   // items that were yielded
	shape    error // why the result is no list
}

func (p *pageReader[T]) read(dec *jsontext.Decoder) error {
	p.index, p.shape = 0, nil
	p.seen.nextAnswer()
	err := envelope.Elements(dec, p.element)
	var wrong *envelope.ShapeError
	if errors.As(err, &wrong) {
		p.shape, err = wrong, nil // a failure's own errors say more, if it is one
	}
	return err
}

func (p *pageReader[T]) finish() error { return p.shape }

func (p *pageReader[T]) element(text []byte) error {
	index := p.index
	p.index++
	if p.streamed {
		p.call.answer.allowMore()
	}
	item, key, err := p.item(text)
	if !p.seen.add(key) {
		return nil
	}
	p.fresh++
	if err != nil {
		err = &itemError{p.call.errorf("result[%d]: %w", index, err)}
	}
	if !p.yield(item, err) {
		return errStop
	}
	return nil
}

// item decodes an element and returns what tells it from the others.
func (p *pageReader[T]) item(raw []byte) (item *T, key string, err error) {
	text := p.texts.keep(raw)
	if !envelope.Valid(raw) {
		return nil, text, errNotUnicode
	}
	item, err = p.decode(text)
	if err == nil && p.id(item) != "" {
		return item, p.id(item), nil
	}
	return item, text, err
}

// A collector gathers a list's items, and apart from them the errors of those that could not be decoded.
type collector[T any] struct {
	items  []*T
	unread []error
}

// add reports false for an error that ends the list.
func (l *collector[T]) add(item *T, err error) bool {
	if err == nil {
		l.items = append(l.items, item)
		return true
	}
	var bad *itemError
	if errors.As(err, &bad) {
		l.unread = append(l.unread, err)
		return true
	}
	return false
}

func (l *collector[T]) err() error {
	if len(l.unread) == 0 {
		return nil
	}
	return oneLineError{errors.Join(l.unread...)}
}

// An itemError is about one item of a list alone: the others are there.
type itemError struct{ error }

func (e *itemError) Unwrap() error { return e.error }

// A seenSet remembers the items that answers brought, so that no later one brings them again. What one answer holds
// twice is there twice.
type seenSet struct {
	seeds   [2]maphash.Seed
	current []itemHash       // what the answer that is being read brought first
	earlier map[itemHash]int // how often those before brought an item
	again   map[itemHash]int // how often this one has brought it again
}

// An itemHash has 128 bits, for a list may have a hundred thousand items.
type itemHash [2]uint64

func newSeenSet() *seenSet {
	return &seenSet{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// nextAnswer says that what is added from now on comes from another answer. Most lists have but one, which costs no map.
func (s *seenSet) nextAnswer() {
	if s.earlier == nil && len(s.current) > 0 {
		s.earlier, s.again = make(map[itemHash]int, len(s.current)), map[itemHash]int{}
	}
	for _, hash := range s.current {
		s.earlier[hash]++
	}
	s.current = s.current[:0]
	clear(s.again)
}

// add reports whether the key is new.
func (s *seenSet) add(key string) bool {
	hash := itemHash{maphash.String(s.seeds[0], key), maphash.String(s.seeds[1], key)}
	if s.again[hash] < s.earlier[hash] {
		s.again[hash]++
		return false
	}
	s.current = append(s.current, hash)
	return true
}

// textBlocks keep the texts of a list's items, several in one piece of memory: a long list takes less time so. Who keeps
// one item keeps its block, which is small for that reason.
type textBlocks struct{ block strings.Builder }

const (
	firstBlock   = 512 // bytes
	largestBlock = 4 << 10
)

// keep returns a copy of text.
func (b *textBlocks) keep(text []byte) string {
	if len(text) > largestBlock/4 {
		return string(text)
	}
	if b.block.Cap()-b.block.Len() < len(text) {
		size := min(max(2*b.block.Cap(), firstBlock, len(text)), largestBlock)
		b.block.Reset()
		b.block.Grow(size)
	}
	start := b.block.Len()
	b.block.Write(text)
	return b.block.String()[start:]
}
