package posturetest

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/cfposture/cfposture/internal/apifacts"
)

// defaultPerPage is the size of pages when a query asks for a page and gives no size.
const defaultPerPage = 20

// collection holds rules or integrations. The fields at the top are what the two differ in.
type collection struct {
	noun         string // for messages
	changeMethod string
	// build makes an item of what a request sent, or says what is wrong with it. old is the item that the request
	// changes, nil for a new one.
	build func(old, sent object) (object, []message)
	// usedBy returns the ID of something that needs the item, or "".
	usedBy func(id string) string
	// deleted is the result of deleting an item.
	deleted func(id string) json.RawMessage

	ids   []string // in the order of creation
	items map[string]json.RawMessage
}

// answer carries out a request; pageSize is that of lists which the query doesn't split.
func (to endpoint) answer(r *http.Request, body []byte, pageSize int) answer {
	methods := []string{http.MethodGet, http.MethodPost}
	if to.id != "" {
		methods = []string{http.MethodGet, to.changeMethod, http.MethodDelete}
	}
	if !slices.Contains(methods, r.Method) {
		return notAllowed(r.Method, methods)
	}

	if to.id == "" {
		if r.Method == http.MethodPost {
			return to.create(body)
		}
		return to.list(r.URL.Query(), pageSize)
	}
	if _, ok := to.items[to.id]; !ok {
		return refuse(http.StatusNotFound, message{Code: codeNotFound, Message: to.noun + " not found"})
	}
	switch r.Method {
	case http.MethodGet:
		return succeed(to.items[to.id], nil)
	case http.MethodDelete:
		return to.remove()
	}
	return to.change(body)
}

func notAllowed(method string, allowed []string) answer {
	a := refuse(http.StatusMethodNotAllowed,
		message{Code: apifacts.CodeMethodNotAllowedThere, Message: "Method " + method + " not available for that URI."})
	a.header.Set("Allow", strings.Join(allowed, ", "))
	return a
}

func (c *collection) create(body []byte) answer {
	sent, ok := decodeObject(body)
	if !ok {
		return notAnObject()
	}
	item, problems := c.build(nil, sent)
	if problems != nil {
		return refuse(http.StatusBadRequest, problems...)
	}
	return c.keep(newID(), item)
}

func (to endpoint) change(body []byte) answer {
	sent, ok := decodeObject(body)
	if !ok {
		return notAnObject()
	}
	old, ok := decodeObject(to.items[to.id])
	if !ok { // put in by the test as it is
		old = object{}
	}
	item, problems := to.build(old, sent)
	if problems != nil {
		return refuse(http.StatusBadRequest, problems...)
	}
	return to.keep(to.id, item)
}

func notAnObject() answer {
	return refuse(http.StatusBadRequest, invalid("", "the body is not a JSON object"))
}

func (c *collection) keep(id string, item object) answer {
	item["id"] = encode(id)
	raw := item.encode()
	c.put(id, raw)
	return succeed(raw, nil)
}

func (c *collection) put(id string, raw json.RawMessage) {
	if _, ok := c.items[id]; !ok {
		c.ids = append(c.ids, id)
	}
	c.items[id] = raw
}

func (to endpoint) remove() answer {
	if by := to.usedBy(to.id); by != "" {
		return refuse(http.StatusConflict,
			message{Code: codeInUse, Message: to.noun + " is in use by device posture rule " + by})
	}
	delete(to.items, to.id)
	to.ids = slices.DeleteFunc(to.ids, func(id string) bool { return id == to.id })
	return succeed(to.deleted(to.id), nil)
}

// list answers with the page that the query asks for; without one, with everything or the first pageSize of it.
func (c *collection) list(query url.Values, pageSize int) answer {
	page, err := queryNumber(query, "page", 1)
	if err != nil {
		return badPage(err)
	}
	perPage := pageSize
	if perPage == 0 {
		perPage = defaultPerPage
		if !query.Has("page") {
			perPage = max(perPage, len(c.ids))
		}
	}
	if perPage, err = queryNumber(query, "per_page", perPage); err != nil {
		return badPage(err)
	}

	total := len(c.ids)
	from := total
	if page-1 <= total/perPage { // else the product could overflow
		from = min((page-1)*perPage, total)
	}
	ids := c.ids[from:min(from+min(perPage, total), total)]
	items := make([][]byte, len(ids))
	for i, id := range ids {
		items[i] = c.items[id]
	}
	return succeed(joined(items), &resultInfo{
		Count: len(ids), Page: page, PerPage: perPage, TotalCount: total, TotalPages: (total + perPage - 1) / perPage,
	})
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

func badPage(err error) answer {
	return refuse(http.StatusBadRequest, message{Code: codeBadPage, Message: err.Error()})
}

// all returns copies of what is held, in the order of creation.
func (c *collection) all() []json.RawMessage {
	all := make([]json.RawMessage, len(c.ids))
	for i, id := range c.ids {
		all[i] = bytes.Clone(c.items[id])
	}
	return all
}

// add keeps an item unchecked, with an ID if it is an object without one, and returns the ID.
func (c *collection) add(raw json.RawMessage) string {
	item, isObject := decodeObject(raw)
	id := item.text("id")
	if id == "" {
		id = newID()
		if isObject {
			item["id"] = encode(id)
			raw = item.encode()
		}
	}
	c.put(id, bytes.Clone(raw))
	return id
}

// newID returns a random UUID (version 4).
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
