package paging

import (
	"fmt"
	"strings"
)

const (
	maxErrors = 100 // of unreadable items; the rest are counted
	maxShown  = 3
)

// A ListError is what is wrong with a list, along with the received items.
type ListError struct {
	// Incomplete is nil if the list is whole.
	Incomplete error

	items []error
	more  int // unreadable items that items doesn't hold
}

// Add adds an unreadable item. It calls item only for the first 100.
func (e *ListError) Add(item func() error) {
	if len(e.items) == maxErrors {
		e.more++
		return
	}
	e.items = append(e.items, item())
}

// OrNil returns nil if nothing is wrong.
func (e *ListError) OrNil() error {
	if e.Incomplete == nil && len(e.items) == 0 {
		return nil
	}
	return e
}

// Error shows the first few errors in one line.
func (e *ListError) Error() string {
	var texts []string
	for i, err := range e.Unwrap() {
		text := err.Error()
		if i > 0 { // where the list came from is said once
			text = text[max(0, strings.Index(text, "result[")):]
		}
		if texts = append(texts, text); len(texts) == maxShown {
			break
		}
	}
	text := strings.Join(texts, "; ")
	if more := len(e.Unwrap()) + e.more - len(texts); more > 0 {
		text += fmt.Sprintf("; and %d more unreadable items", more)
	}
	return text
}

// Unwrap returns the errors of the first 100 items, with Incomplete before them.
func (e *ListError) Unwrap() []error {
	if e.Incomplete == nil {
		return e.items
	}
	return append([]error{e.Incomplete}, e.items...)
}

// An IncompleteError is the sentinel error of a list that is not whole, with a reason.
type IncompleteError struct {
	Reason   string
	Sentinel error
}

func (e *IncompleteError) Error() string { return "list is incomplete: " + e.Reason }

// Is reports whether target is the sentinel.
func (e *IncompleteError) Is(target error) bool { return target == e.Sentinel }
