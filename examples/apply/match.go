package main

import (
	"fmt"
	"strings"

	"github.com/cfposture/cfposture/internal/cli"
)

// A matching says which item of the account each item of the document stands for.
type matching struct {
	account  map[*item]*item // by the document's items; without those that the account doesn't have
	replaced map[*item]*item // the account's items with a document item's ID and another type
	left     []*item         // the account's items that the document says nothing about
}

// match matches by ID and type, else by name and type. What can't be told apart is a problem.
func match(want, have []*item, problems *problems) *matching {
	m := &matching{account: map[*item]*item{}, replaced: map[*item]*item{}}
	taken := m.matchByID(want, have, problems)
	m.matchByName(want, have, taken, problems)
	for w, old := range m.replaced {
		if taken[old] { // it stands for another of the document's items
			delete(m.replaced, w)
		}
	}
	for _, old := range m.replaced {
		taken[old] = true
	}
	for _, h := range have {
		if !taken[h] {
			m.left = append(m.left, h)
		}
	}
	return m
}

func (m *matching) matchByID(want, have []*item, problems *problems) (taken map[*item]bool) {
	byID := map[string]*item{}
	for _, h := range have {
		byID[h.id] = h
	}
	taken = map[*item]bool{}
	seen := map[string]*item{}
	for _, w := range want {
		if w.written == "" {
			continue
		}
		if other := seen[w.written]; other != nil {
			problems.addf("the document has the ID %s twice: %s and %s", cli.Clean(w.written), other, w)
		}
		seen[w.written] = w
		switch h := byID[w.written]; {
		case h == nil || taken[h]:
		case h.typ == w.typ:
			m.account[w], taken[h] = h, true
		default:
			m.replaced[w] = h
		}
	}
	return taken
}

func (m *matching) matchByName(want, have []*item, taken map[*item]bool, problems *problems) {
	type key struct{ name, typ string }
	candidates := map[key][]*item{}
	for _, h := range have {
		if !taken[h] {
			candidates[key{h.name, h.typ}] = append(candidates[key{h.name, h.typ}], h)
		}
	}
	first := map[key]*item{}
	twice := map[key]int{}
	for _, w := range want {
		if m.account[w] != nil {
			continue
		}
		k := key{w.name, w.typ}
		if first[k] != nil {
			twice[k]++
			continue
		}
		first[k] = w
		switch found := candidates[k]; len(found) {
		case 0:
		case 1:
			m.account[w], taken[found[0]] = found[0], true
		default:
			problems.addf("the account has the %s %d times, so its name doesn't tell which is meant: %s",
				w, len(found), strings.Join(ids(found), ", "))
		}
	}
	for _, w := range want { // in the document's order
		if k := (key{w.name, w.typ}); first[k] == w && twice[k] > 0 {
			problems.addf("the document has the %s %d times, and the account none with their IDs", w, twice[k]+1)
		}
	}
}

func ids(items []*item) []string {
	list := make([]string, len(items))
	for i, it := range items {
		list[i] = cli.Clean(it.id)
	}
	return list
}

// problems are what keeps a document from being applied.
type problems []error

func (p *problems) addf(format string, args ...any) { *p = append(*p, fmt.Errorf(format, args...)) }

func (p *problems) err() error {
	if len(*p) == 0 {
		return nil
	}
	return problemsError(*p)
}

type problemsError []error

// Error lists the problems, one a line.
func (e problemsError) Error() string {
	var b strings.Builder
	b.WriteString("The document can't be applied:")
	for _, problem := range e {
		b.WriteString("\n  - " + strings.TrimPrefix(problem.Error(), "cfposture: "))
	}
	return b.String()
}
