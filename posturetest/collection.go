package posturetest

import (
	"container/list"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

// defaultPerPage is the size of pages if a query asks for a page without a size.
const defaultPerPage = 20

// collection stores rules or integrations in the order of their creation. What it does takes as long with thousands of
// items as with one, but for lists.
type collection struct {
	kind  kind
	order *list.List               // of *item
	byID  map[string]*list.Element // of order
}

// kind is what rules and integrations differ in.
type kind interface {
	// build makes an item of what a request sent, or says what is wrong with it. old is the item that the request
	// changes, nil for a new one.
	build(old *item, sent object) (*item, []message)
	// show returns an item as responses hold it.
	show(*item) json.RawMessage
	// missing is the response to a request for an item that isn't stored.
	missing(endpoint) response
	// keep refuses to delete an item that is needed.
	keep(*item) *response
	// deleted is the result of a deletion.
	deleted(id string) json.RawMessage
	// moved is told that an item takes another's place. from is nil for a new item, to is nil for a deletion.
	moved(from, to *item)
}

// item is a rule or an integration.
type item struct {
	id string
	// raw is all of it. If a test put it in, it may be any JSON. Secrets of integrations are in it.
	raw json.RawMessage
	// connection is the integration that a rule names.
	connection string
	// asGiven marks an integration that responses hold as a test put it in.
	asGiven bool
	// shown are the members of a config that the test put in, and that responses go on to hold.
	shown map[string]bool
}

func newItem(o object) *item { return &item{raw: o.encode()} }

// setID sets the ID of an item whose JSON is an object.
func (i *item) setID(id string) {
	i.id = id
	o, ok := decodeObject(i.raw)
	if ok && o.text("id") != id {
		o["id"] = encode(id)
		i.raw = o.encode()
	}
}

// withoutSecrets returns the item's own bytes if it has no secret.
func (i *item) withoutSecrets() json.RawMessage {
	integration, _ := decodeObject(i.raw)
	config, _ := decodeObject(integration["config"])
	if config.dropSecrets() {
		integration["config"] = config.encode()
		return integration.encode()
	}
	return i.raw
}

func newCollection(k kind) *collection {
	return &collection{kind: k, order: list.New(), byID: map[string]*list.Element{}}
}

// get returns nil if there is no such item.
func (c *collection) get(id string) *item {
	if e, ok := c.byID[id]; ok {
		return e.Value.(*item)
	}
	return nil
}

// put stores an item at the end, or in the place of the one with its ID.
func (c *collection) put(i *item) {
	c.kind.moved(c.get(i.id), i)
	if e, ok := c.byID[i.id]; ok {
		e.Value = i
		return
	}
	c.byID[i.id] = c.order.PushBack(i)
}

func (c *collection) remove(i *item) {
	c.kind.moved(i, nil)
	c.order.Remove(c.byID[i.id])
	delete(c.byID, i.id)
}

// add stores an item as a test gives it, with a new ID if it has none, and returns the ID.
func (c *collection) add(i *item) string {
	o, _ := decodeObject(i.raw)
	id := o.text("id")
	if id == "" {
		id = newID()
	}
	i.setID(id)
	c.put(i)
	return id
}

// items returns up to n items from the one at index from on.
func (c *collection) items(from, n int) []*item {
	items := make([]*item, 0, min(n, max(0, c.order.Len()-from)))
	at := 0
	for e := c.order.Front(); e != nil && len(items) < n; e = e.Next() {
		if at >= from {
			items = append(items, e.Value.(*item))
		}
		at++
	}
	return items
}

func (c *collection) all() []*item { return c.items(0, c.order.Len()) }

// shown returns all items as responses hold them.
func (c *collection) shown() []json.RawMessage {
	all := make([]json.RawMessage, 0, c.order.Len())
	for _, i := range c.all() {
		all = append(all, append(json.RawMessage(nil), c.kind.show(i)...))
	}
	return all
}

// list responds with the page that the query asks for; without one, with everything or the first page of the server's
// own size.
func (a *account) list(c *collection, query url.Values) response {
	behavior, perPage := a.server.behavior, a.server.pageSize
	if behavior.IgnoreQuery {
		query = nil
	}
	page, err := queryNumber(query, "page", 1)
	if err != nil {
		return badPage(err)
	}
	paged := perPage > 0 || query.Has("page") || query.Has("per_page")
	if perPage == 0 {
		perPage = defaultPerPage
		if !query.Has("page") {
			perPage = max(perPage, c.order.Len())
		}
	}
	if perPage, err = queryNumber(query, "per_page", perPage); err != nil {
		return badPage(err)
	}

	total := c.order.Len()
	from := total
	if page-1 <= total/perPage { // otherwise the product could overflow
		from = min((page-1)*perPage, total)
	}
	var items [][]byte
	for _, i := range c.items(from, perPage) {
		items = append(items, c.kind.show(i))
	}
	var info *resultInfo
	if paged || behavior.ResultInfo {
		info = &resultInfo{Count: len(items), Page: page, PerPage: perPage, TotalCount: total}
		if pages := (total + perPage - 1) / perPage; !behavior.NoTotalPages {
			info.TotalPages = &pages
		}
	}
	return succeed(joined(items), info)
}

func queryNumber(query url.Values, name string, otherwise int) (int, error) {
	if !query.Has(name) {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(query.Get(name), 10, 32)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("%s must be a number of at least 1", name)
	}
	return int(n), nil
}

func badPage(err error) response {
	return refuse(http.StatusBadRequest, message{Code: codeBadPage, Message: err.Error()})
}

// newID returns a random UUID (version 4).
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
