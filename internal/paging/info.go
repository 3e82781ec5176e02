package paging

import "github.com/cfposture/cfposture/internal/wire"

// Info is what an envelope's result_info says of a page, in whatever way it is written. What that leaves out is zero.
type Info struct {
	Page, PerPage, Count, TotalCount, TotalPages int

	hasTotal  bool
	hasCursor bool // the list goes on in a way that this package does not know
}

// ParseInfo reads a result_info. What makes no sense is left out: odd paging must not hide the received items.
func ParseInfo(data []byte) Info {
	var info Info
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

// lastPage is the number of the last page, 0 if nothing is said of it.
func (i Info) lastPage() int {
	if i.PerPage <= 0 {
		return i.TotalPages
	}
	return max(i.TotalPages, i.TotalCount/i.PerPage+min(1, i.TotalCount%i.PerPage))
}

// isAlone reports whether a first page with so many items is the whole list.
func (i Info) isAlone(items int) bool {
	return i.lastPage() <= 1 && i.TotalCount <= items && i.Count <= items && !i.hasCursor
}
