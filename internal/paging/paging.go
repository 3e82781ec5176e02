// Package paging reads a list that comes in pages, and finds out whether it is whole. It knows JSON arrays and
// result_info, and leaves to its caller how a page is asked for and what an item is.
package paging

import (
	"fmt"
	"iter"
)

// A List is what is known of a list while its pages are read.
type List[T any] struct {
	number  int // of the reading
	reading reading
	seen    map[string]int // the number of the last reading that brought an item
}

// maxReadings is how often a list is read if it turns out not to be whole.
const maxReadings = 2

// Pages yields the number of each page to ask for, from 1. The loop calls Add with the page.
func (l *List[T]) Pages() iter.Seq[int] {
	return func(yield func(int) bool) {
		for l.number = 1; l.number <= maxReadings; l.number++ {
			l.reading = reading{}
			for l.reading.hasMore() {
				if !yield(l.reading.pages + 1) {
					return
				}
			}
			if l.IsWhole() {
				return
			}
		}
	}
}

// Add notes a page, and leaves out of it what a page before has brought, so that no item comes twice.
func (l *List[T]) Add(page *Page[T]) {
	fresh := page.Len()
	if l.number > 1 || l.reading.pages > 0 || !page.Info.isAlone(fresh) {
		fresh = 0
		page.leaveOut(func(key string) (wasSeen bool) {
			isFresh, wasSeen := l.note(key)
			if isFresh {
				fresh++
			}
			return wasSeen
		})
	}
	l.reading.add(page.Info, page.Len(), fresh)
}

// note notes that the reading has brought an item, and reports whether it had not done so before and whether any reading
// had.
func (l *List[T]) note(key string) (isFresh, wasSeen bool) {
	if l.seen == nil {
		l.seen = make(map[string]int)
	}
	last := l.seen[key]
	l.seen[key] = l.number
	return last != l.number, last != 0
}

// IsWhole reports whether the last reading brought all that the API has told of.
func (l *List[T]) IsWhole() bool { return l.reading.isWhole() }

// WhyIncomplete says why a list is not whole.
func (l *List[T]) WhyIncomplete() string {
	switch r := l.reading; {
	case r.info.hasCursor:
		return "the API goes on by a cursor, which this package does not follow"
	case r.moved:
		return "the list changed while it was read, twice"
	case r.total == 0:
		return fmt.Sprintf("of %d pages one or more brought nothing new, or less than they say", max(1, r.info.lastPage()))
	default:
		return fmt.Sprintf("%d of %d came", len(l.seen), r.total)
	}
}

// A reading is one way through the pages of a list.
type reading struct {
	pages int // read so far
	came  int // different items
	idle  int // pages in a row that brought nothing
	total int // the last one that the API has told
	info  Info
	moved bool // the totals have changed on the way
	gap   bool // a page after the first brought nothing new, or one brought less than it says
}

// maxIdle is how many pages in a row may bring nothing new. More come from a server that ignores the page asked for.
const maxIdle = 3

// add notes a page of so many items, of which so many are new to the reading.
func (r *reading) add(info Info, items, fresh int) {
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
