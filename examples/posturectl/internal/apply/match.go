package apply

import "github.com/cfposture/cfposture/examples/posturectl/internal/terminal"

// A matching says which item of the account each item of the document stands for.
type matching struct {
	account  map[*item]*item // by the document's items; without those that the account doesn't have
	replaced map[*item]*item // the account's items with a document item's ID and another type
	left     map[*item]bool  // the account's items that the document says nothing about
}

// match matches by ID and type, else by name and type. Where several have one name and type they are paired in order.
func match(want, have []*item, problems *problems) *matching {
	m := &matching{account: map[*item]*item{}, replaced: map[*item]*item{}, left: map[*item]bool{}}
	byID := map[string]*item{}
	for _, h := range have {
		byID[h.id], m.left[h] = h, true
	}
	seen := map[string]*item{}
	for _, w := range want {
		if w.written == "" {
			continue
		}
		if other := seen[w.written]; other != nil {
			problems.addf("the document has the ID %s twice: %s and %s", terminal.Clean(w.written), other, w)
		}
		seen[w.written] = w
		switch h := byID[w.written]; {
		case h == nil || !m.left[h]:
		case h.typ == w.typ:
			m.account[w] = h
			delete(m.left, h)
		default:
			m.replaced[w] = h
		}
	}
	m.matchByName(want, have)
	for w, old := range m.replaced {
		if !m.left[old] { // It stands for another of the document's items.
			delete(m.replaced, w)
		}
	}
	for _, old := range m.replaced {
		delete(m.left, old)
	}
	return m
}

func (m *matching) matchByName(want, have []*item) {
	candidates := map[key][]*item{}
	for _, h := range have {
		if m.left[h] {
			candidates[h.key()] = append(candidates[h.key()], h)
		}
	}
	for _, w := range want {
		found := candidates[w.key()]
		if m.account[w] != nil || len(found) == 0 {
			continue
		}
		m.account[w], candidates[w.key()] = found[0], found[1:]
		delete(m.left, found[0])
	}
}
