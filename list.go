package cfposture

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"slices"

	"github.com/cfposture/cfposture/internal/api"
	"github.com/cfposture/cfposture/internal/wire"
)

// ListOptions selects a page of a list. Zero values leave the choice to the API.
type ListOptions struct {
	// Page is the number of the page, from 1.
	Page int `url:"page,omitempty"`
	// PerPage is the number of items of a page.
	PerPage int `url:"per_page,omitempty"`
}

// A Page is a part of a list.
type Page[T any] struct {
	Items []*T
	// Info is zero if the API says nothing about the page.
	Info ResultInfo
}

// ResultInfo tells where a page stands in its list, as the envelope's result_info says. What that leaves out is zero.
type ResultInfo struct {
	Page    int
	PerPage int
	// Count is the number of items of the page.
	Count      int
	TotalCount int
	TotalPages int
}

// list reads a whole list. Unreadable items are left out and reported in the error.
func (c *collection[T]) list(ctx context.Context, opts []Option) ([]*T, error) {
	var items []*T
	var problems listError
	for page, err := range c.pages(ctx, opts) {
		switch {
		case errors.Is(err, ErrIncomplete):
			problems.incomplete = err
		case err != nil:
			return nil, err
		default:
			items = page.gather(items, &problems)
		}
	}
	return items, problems.orNil()
}

// all yields the items of a whole list, and the errors of the unreadable ones in their places.
func (c *collection[T]) all(ctx context.Context, opts []Option) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for page, err := range c.pages(ctx, opts) {
			if err != nil {
				yield(nil, err)
				return
			}
			for item, err := range page.all() {
				if !yield(item, err) {
					return
				}
			}
		}
	}
}

// listPage reads one page.
func (c *collection[T]) listPage(ctx context.Context, which ListOptions, opts []Option) (*Page[T], error) {
	s, r, err := c.request(http.MethodGet, opts)
	if err != nil {
		return nil, err
	}
	page, err := c.readPage(ctx, s, r, which)
	if err != nil {
		return nil, err
	}
	var problems listError
	return &Page[T]{page.gather(nil, &problems), page.info.ResultInfo}, problems.orNil()
}

// pages reads a list page by page. A page is read whole before it is yielded, so that the loop may take its time and make
// calls of its own. No item is yielded twice. A list that turns out not to be whole is read once more from its first page;
// if that does not help, the last error is ErrIncomplete.
func (c *collection[T]) pages(ctx context.Context, opts []Option) iter.Seq2[*itemPage[T], error] {
	return func(yield func(*itemPage[T], error) bool) {
		s, r, err := c.request(http.MethodGet, opts)
		if err != nil {
			yield(nil, err)
			return
		}
		var page *itemPage[T]
		var came reading
		seen := make(map[string]int)
		for number := 1; number <= 2; number++ {
			came = reading{}
			for came.hasMore() {
				if page, err = c.readPage(ctx, s, r, came.next()); err != nil {
					yield(nil, err)
					return
				}
				fresh := page.len()
				if number > 1 || came.pages > 0 || !page.info.isAlone(fresh) {
					fresh = page.leaveOutSeen(seen, number)
				}
				came.add(page.info, page.len(), fresh)
				if !yield(page, nil) {
					return
				}
			}
			if came.isWhole() {
				return
			}
		}
		yield(nil, page.incomplete(len(seen), came))
	}
}

// A reading is one way through the pages of a list.
type reading struct {
	pages int // read so far
	came  int // different items
	idle  int // pages in a row that brought nothing
	total int // the last one that the API has told
	info  pageInfo
	moved bool // the totals have changed on the way
	gap   bool // a page after the first brought nothing new, or one brought less than it says
}

// maxIdle is how many pages in a row may bring nothing new. More come from a server that ignores the page asked for.
const maxIdle = 3

// next selects the page to be read. The first is asked for without a query, as the API documents it.
func (r *reading) next() ListOptions {
	if r.pages == 0 {
		return ListOptions{}
	}
	return ListOptions{Page: r.pages + 1}
}

// add notes a page of so many items, of which so many are fresh: no page of this reading had them.
func (r *reading) add(info pageInfo, items, fresh int) {
	if info.hasTotal {
		r.moved = r.moved || r.pages > 0 && info.TotalCount != r.total
		r.total = info.TotalCount
	}
	if before, now := r.info.lastPage(), info.lastPage(); before > 0 && now > 0 && before != now {
		r.moved = true
	}
	r.gap = r.gap || r.pages > 0 && fresh == 0 || info.Count > items
	r.pages, r.came, r.info = r.pages+1, r.came+fresh, info
	r.idle++
	if fresh > 0 {
		r.idle = 0
	}
}

// hasMore reports whether another page is worth asking for.
func (r *reading) hasMore() bool {
	switch {
	case r.pages == 0:
		return true
	case r.info.lastPage() > r.pages:
		return r.idle < maxIdle
	default:
		return r.idle == 0 && r.total > r.came
	}
}

// isWhole reports whether all came that the API has told of. More than the total is no problem. Without a total every
// page must have brought something.
func (r *reading) isWhole() bool {
	proven := r.total > 0 || r.info.lastPage() <= r.pages && !r.gap
	return proven && r.came >= r.total && !r.moved && !r.info.hasCursor
}

// A pageInfo is what result_info says of a page, in whatever way it is written.
type pageInfo struct {
	ResultInfo
	hasTotal  bool
	hasCursor bool // it goes on in a way that this package does not know
}

// lastPage is the number of the last page, 0 if nothing is said of it.
func (i pageInfo) lastPage() int {
	if i.PerPage <= 0 {
		return i.TotalPages
	}
	return max(i.TotalPages, i.TotalCount/i.PerPage+min(1, i.TotalCount%i.PerPage))
}

// isAlone reports whether a first page with so many items is the whole list.
func (i pageInfo) isAlone(items int) bool {
	return i.lastPage() <= 1 && i.TotalCount <= items && i.Count <= items && !i.hasCursor
}

// parsePageInfo reads a result_info. What makes no sense is left out: odd paging must not hide the items that came.
func parsePageInfo(data []byte) pageInfo {
	var info pageInfo
	s := wire.NewScanner(data)
	if s.Kind() != '{' {
		return info
	}
	for s.Open('{'); s.Next('}'); {
		switch name, value := s.Name(), s.Value(); string(name) {
		case "page":
			info.Page = max(0, wire.Int(value))
		case "per_page":
			info.PerPage = max(0, wire.Int(value))
		case "count":
			info.Count = max(0, wire.Int(value))
		case "total_pages":
			info.TotalPages = max(0, wire.Int(value))
		case "total_count":
			info.TotalCount = max(0, wire.Int(value))
			info.hasTotal = info.TotalCount > 0 || string(value) == "0"
		case "cursor", "cursors", "next_cursor", "has_more":
			info.hasCursor = info.hasCursor || hasCursor(value)
		}
	}
	return info
}

// hasCursor reports whether a cursor is set, the one that leads on of several, or a has_more is true.
func hasCursor(value []byte) bool {
	s := wire.NewScanner(value)
	if s.Kind() != '{' {
		return s.Kind() == 't' || s.Kind() == '"' && len(s.String()) > 0
	}
	for s.Open('{'); s.Next('}'); {
		if name, value := s.Name(), s.Value(); string(name) == "after" && hasCursor(value) {
			return true
		}
	}
	return false
}

// An itemPage is a page as it came.
type itemPage[T any] struct {
	collection *collection[T]
	response   *api.Response
	items      []*T           // nil where one was left out
	texts      map[int]string // of the items without an ID, to tell them from others
	unreadable []unreadable
	result     []byte // the page's text, if an item is unreadable
	info       pageInfo
}

// An unreadable is an item that could not be decoded. What is wrong with it is found out anew where somebody wants to
// know: a page may hold many.
type unreadable struct {
	after      int32 // how many items
	start, end int32 // in the page's text, which is shorter than 64 MiB
	leftOut    bool  // a page before has brought it
}

// readPage reads one page.
func (c *collection[T]) readPage(ctx context.Context, s *settings, r *api.Request, which ListOptions) (*itemPage[T], error) {
	query, err := encodeQuery(which)
	if err != nil {
		return nil, err
	}
	p := &itemPage[T]{collection: c}
	request := *r
	request.Query, request.Decode = query, p.decode
	if p.response, err = s.send(ctx, operation{c.service, "list"}, &request); err != nil {
		return nil, err
	}
	p.info = parsePageInfo(p.response.ResultInfo)
	return p, nil
}

// decode reads the page's result, an array or null.
func (p *itemPage[T]) decode(s *wire.Scanner) error {
	p.items, p.texts, p.unreadable = nil, nil, nil
	switch kind := s.Kind(); kind {
	case '[':
	case 'n':
		s.Skip()
		return nil
	default:
		return fmt.Errorf(`response's member "result" is %s where an array is expected`, wire.Describe(kind))
	}
	d, result := wire.NewDecoder(s), s.Offset()
	for s.Open('['); s.Next(']'); {
		var item *T
		start := s.Offset()
		if s.Kind() == '{' {
			item, _ = p.collection.decode(d)
		} else {
			s.Skip()
		}
		switch {
		case item == nil:
			end := start + len(s.Text(start))
			p.unreadable = append(p.unreadable, unreadable{
				after: int32(len(p.items)), start: int32(start - result), end: int32(end - result), //nolint:gosec // see unreadable
			})
			continue
		case p.collection.id(item) == "":
			if p.texts == nil {
				p.texts = make(map[int]string)
			}
			p.texts[len(p.items)] = string(s.Text(start))
		}
		p.items = append(p.items, item)
	}
	if p.unreadable != nil {
		p.result = bytes.Clone(s.Text(result))
	}
	return nil
}

func (p *itemPage[T]) len() int { return len(p.items) + len(p.unreadable) }

// leaveOutSeen leaves out what a page before has brought, and returns how many items are new to this reading. Seen has
// the number of the last reading that brought an item, by its ID, or by its text if it has none.
func (p *itemPage[T]) leaveOutSeen(seen map[string]int, number int) (fresh int) {
	note := func(key string) (before bool) {
		last := seen[key]
		seen[key] = number
		if last != number {
			fresh++
		}
		return last != 0
	}
	for i, item := range p.items {
		key := p.collection.id(item)
		if key == "" {
			key = p.texts[i]
		}
		if note(key) {
			p.items[i] = nil
		}
	}
	for i := range p.unreadable {
		u := &p.unreadable[i]
		u.leftOut = note(string(p.result[u.start:u.end]))
	}
	return fresh
}

// all yields the page's items, and the errors of the unreadable ones in their places.
func (p *itemPage[T]) all() iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		next := 0 // of the unreadable ones
		for i := range len(p.items) + 1 {
			for ; next < len(p.unreadable) && int(p.unreadable[next].after) == i; next++ {
				if !p.unreadable[next].leftOut && !yield(nil, p.itemError(next)) {
					return
				}
			}
			if i < len(p.items) && p.items[i] != nil && !yield(p.items[i], nil) {
				return
			}
		}
	}
}

// gather appends the page's items and notes the unreadable ones.
func (p *itemPage[T]) gather(items []*T, problems *listError) []*T {
	for i := range p.unreadable {
		if !p.unreadable[i].leftOut {
			problems.add(func() error { return p.itemError(i) })
		}
	}
	came := slices.DeleteFunc(p.items, func(item *T) bool { return item == nil })
	if items == nil {
		return came
	}
	return append(items, came...)
}

// itemError is the error of an unreadable item.
func (p *itemPage[T]) itemError(i int) error {
	u := p.unreadable[i]
	text, index := p.result[u.start:u.end], int(u.after)+i
	_, err := p.collection.decode(wire.NewDecoder(wire.NewScanner(text)))
	return &ItemError{
		Index: index, ID: idOf(text), Raw: bytes.Clone(text),
		Err: p.response.Clean(fmt.Errorf("result[%d]: %w", index, err)),
	}
}

// idOf returns the ID of an unreadable item, "" if it has none.
func idOf(text []byte) (id string) {
	s := wire.NewScanner(text)
	if s.Kind() != '{' {
		return ""
	}
	for s.Open('{'); s.Next('}'); {
		if name := s.Name(); string(name) == "id" && s.Kind() == '"' {
			id = string(s.String())
		} else {
			s.Skip()
		}
	}
	return id
}

// incomplete is the error of a list that is not whole after two readings, of which the last page is p.
func (p *itemPage[T]) incomplete(items int, last reading) error {
	reason := fmt.Sprintf("%d of %d came", items, last.total)
	switch {
	case last.info.hasCursor:
		reason = "the API goes on by a cursor, which this package does not follow"
	case last.moved:
		reason = "the list changed while it was read, twice"
	case last.total == 0:
		reason = fmt.Sprintf("of %d pages one or more brought nothing new, or less than they say", max(1, last.info.lastPage()))
	}
	return p.response.Clean(&incompleteError{reason})
}
