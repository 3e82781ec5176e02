package cfposture

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// A resource is a collection of the API: what the endpoints for rules and those for integrations have in common.
type resource[T any] struct {
	client *Client
	noun   string        // what one item is, for errors
	idName string        // what its ID is, likewise
	path   []pathElement // of the collection, below the account
	taken  string        // what can be no ID, because another endpoint has the place
	decode func(text string) (*T, error)
	id     func(*T) string
	// isEmpty reports whether an object held nothing that an item must have.
	isEmpty func(*T) bool
}

// A writable is what Create or Update sends.
type writable interface {
	Validate() error
	encode() ([]byte, error)
	secrets() []string
}

// get reads one item.
func (r *resource[T]) get(ctx context.Context, id string, opts []Option) (*T, error) {
	c, err := r.call(http.MethodGet, opts, r.element(id))
	if err != nil {
		return nil, err
	}
	return r.receive(ctx, c)
}

// write sends body with the method, to the collection or to one of its items, and returns the item of the answer.
func (r *resource[T]) write(ctx context.Context, method string, to pathElement, body writable, opts []Option) (*T, error) {
	c, err := r.call(method, opts, to)
	if err != nil {
		return nil, err
	}
	if !c.skipValidation {
		if err := body.Validate(); err != nil {
			return nil, err
		}
	}
	if c.body, err = body.encode(); err != nil {
		return nil, err
	}
	c.secrets = body.secrets()
	return r.receive(ctx, c)
}

// delete deletes one item. What the answer holds doesn't matter.
func (r *resource[T]) delete(ctx context.Context, id string, opts []Option) error {
	c, err := r.call(http.MethodDelete, opts, r.element(id))
	if err != nil {
		return err
	}
	return c.send(ctx)
}

// receive makes the call and decodes the item in its answer.
func (r *resource[T]) receive(ctx context.Context, c *resourceCall[T]) (*T, error) {
	c.result = c
	if err := c.send(ctx); err != nil {
		return nil, err
	}
	return c.item, nil
}

// A resourceCall is a call of a resource. Where the result is one item, it reads its own answer.
type resourceCall[T any] struct {
	call
	resultText
	resource *resource[T]
	item     *T
}

func (c *resourceCall[T]) finish() (err error) {
	c.item, err = c.resource.decode(c.text)
	if err == nil && c.resource.isEmpty(c.item) {
		return fmt.Errorf("the answer's result holds no %s", c.resource.noun)
	}
	return err
}

// element is an item's ID as an element of a path.
func (r *resource[T]) element(id string) pathElement { return pathElement{r.idName, id} }

// collection, in the place of an item's ID, is all of the items.
var collection pathElement

// call prepares a call to the collection or to one of its items.
func (r *resource[T]) call(method string, opts []Option, id pathElement) (*resourceCall[T], error) {
	s, err := r.client.resolve(opts)
	if err != nil {
		return nil, err
	}
	if s.accountID == "" {
		return nil, errors.New("cfposture: no account ID: give WithAccountID, or set " + envAccountID)
	}
	if id.value == r.taken && r.taken != "" {
		return nil, fmt.Errorf("cfposture: %s is %q, which leads elsewhere", id.name, r.taken)
	}
	elements := append(make([]pathElement, 0, 6), pathElement{"", "accounts"}, pathElement{"the account ID", s.accountID})
	elements = append(elements, r.path...)
	if id != collection {
		elements = append(elements, id)
	}
	c := &resourceCall[T]{resource: r}
	if err := c.prepare(s, method, elements...); err != nil {
		return nil, err
	}
	return c, nil
}
