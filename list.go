package cfposture

import (
	"context"
	"errors"
	"iter"
	"net/http"

	"github.com/cfposture/cfposture/internal/api"
	"github.com/cfposture/cfposture/internal/paging"
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

// ResultInfo is the result_info of an envelope, which says where a page stands in its list. Fields that it leaves out are
// zero.
type ResultInfo struct {
	Page    int `json:"page"`
	PerPage int `json:"per_page"`
	// Count is the number of items of the page.
	Count      int `json:"count"`
	TotalCount int `json:"total_count"`
	TotalPages int `json:"total_pages"`
}

// list reads a whole list. Unreadable items are left out and reported in the error.
func (c *collection[T]) list(ctx context.Context, opts []Option) ([]*T, error) {
	var items []*T
	var problems paging.ListError
	for page, err := range c.pages(ctx, opts) {
		switch {
		case errors.Is(err, ErrIncomplete):
			problems.Incomplete = err
		case err != nil:
			return nil, err
		case items == nil:
			items = page.gather(&problems)
		default:
			items = append(items, page.gather(&problems)...)
		}
	}
	return items, problems.OrNil()
}

// all yields the items of a whole list, and the errors of the unreadable ones in their places.
func (c *collection[T]) all(ctx context.Context, opts []Option) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		for page, err := range c.pages(ctx, opts) {
			if err != nil {
				yield(nil, err)
				return
			}
			for item, unreadable := range page.All() {
				var err error
				if item == nil {
					err = page.itemError(unreadable)
				}
				if !yield(item, err) {
					return
				}
			}
		}
	}
}

// listPage reads one page.
func (c *collection[T]) listPage(ctx context.Context, which ListOptions, opts []Option) (*Page[T], error) {
	s, r, err := c.request("list", http.MethodGet, opts)
	if err != nil {
		return nil, err
	}
	page, err := c.readPage(ctx, s, r, which)
	if err != nil {
		return nil, err
	}
	var problems paging.ListError
	info := page.Info
	return &Page[T]{
		Items: page.gather(&problems),
		Info:  ResultInfo{info.Page, info.PerPage, info.Count, info.TotalCount, info.TotalPages},
	}, problems.OrNil()
}

// pages reads a list page by page. A page is read whole before it is yielded, so that the loop may take its time and make
// calls of its own. No item is yielded twice. A list that turns out not to be whole is read once more from its first page;
// if that does not help, the last error is ErrIncomplete.
func (c *collection[T]) pages(ctx context.Context, opts []Option) iter.Seq2[*itemPage[T], error] {
	return func(yield func(*itemPage[T], error) bool) {
		s, r, err := c.request("list", http.MethodGet, opts)
		if err != nil {
			yield(nil, err)
			return
		}
		var list paging.List[T]
		var page *itemPage[T]
		for number := range list.Pages() {
			var which any = ListOptions{Page: number}
			if number == 1 { // is asked for without a query, as the API documents it
				which = nil
			}
			if page, err = c.readPage(ctx, s, r, which); err != nil {
				yield(nil, err)
				return
			}
			list.Add(page.Page)
			if !yield(page, nil) {
				return
			}
		}
		if !list.IsWhole() {
			yield(nil, page.response.Clean(&paging.IncompleteError{Reason: list.WhyIncomplete(), Sentinel: ErrIncomplete}))
		}
	}
}

// readPage reads the page that ListOptions select, or the first one.
func (c *collection[T]) readPage(ctx context.Context, s *settings, r *api.Request, which any) (*itemPage[T], error) {
	page := paging.NewPage(paging.Items[T]{Decode: c.decode, ID: c.id})
	request := *r
	request.Decode = page.Decode
	var err error
	if request.Query, err = api.EncodeQuery(which); err != nil {
		return nil, err
	}
	response, err := s.do(ctx, &request)
	if err != nil {
		return nil, err
	}
	page.Info = paging.ParseInfo(response.ResultInfo)
	return &itemPage[T]{page, response}, nil
}

// An itemPage is a page and the response that it came in.
type itemPage[T any] struct {
	*paging.Page[T]
	response *api.Response
}

// gather returns the page's items and adds the unreadable ones to problems.
func (p *itemPage[T]) gather(problems *paging.ListError) []*T {
	for unreadable := range p.Unreadable() {
		problems.Add(func() error { return p.itemError(unreadable) })
	}
	return p.Items()
}

func (p *itemPage[T]) itemError(u paging.Unreadable) error {
	e := p.Explain(u)
	return &ItemError{Index: e.Index, ID: e.ID, Raw: e.Raw, Err: p.response.Clean(e.Err)}
}
