package cfposture

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/google/go-querystring/query"

	"github.com/cfposture/cfposture/internal/api"
	"github.com/cfposture/cfposture/internal/wire"
)

// Version is the version of this package.
const Version = "0.2.0"

const userAgent = "cfposture/" + Version

// A Client makes requests of the device posture API. It is safe for concurrent use. Create one with [NewClient].
type Client struct {
	// Posture manages device posture rules.
	Posture *PostureService
	// Integrations manages the connections to third-party services.
	Integrations *IntegrationsService

	settings *settings // of a call without options
}

// NewClient returns a client. It reads the environment once: CLOUDFLARE_API_TOKEN, or CLOUDFLARE_EMAIL and
// CLOUDFLARE_API_KEY, for credentials; CLOUDFLARE_ACCOUNT_ID; CLOUDFLARE_BASE_URL. Options override the environment.
// NewClient returns an error if there are no credentials or an option is invalid. A missing account ID is an error of the
// calls that need one.
func NewClient(opts ...Option) (*Client, error) {
	s, err := clientSettings(opts)
	if err != nil {
		return nil, err
	}
	c := &Client{settings: s}
	c.Posture = newPostureService(c)
	c.Integrations = newIntegrationsService(c)
	return c, nil
}

// A Request is a request of an endpoint that this package has no method for; see [Client.Do].
type Request struct {
	// Method is an HTTP method such as GET. A method other than GET, HEAD, OPTIONS, PUT, PATCH and DELETE is retried like
	// POST: only if the request was not carried out.
	Method string
	// Path is relative to the base URL. Its elements are escaped already.
	Path string
	// Query is a struct with url tags, url.Values, or nil.
	Query any
	// Body is written as JSON. Nil is no body.
	Body any
}

// Do makes a request of an endpoint that this package has no method for, with the retries and errors of every call. It
// stores the result of the envelope in result, a pointer, or ignores it if result is nil.
func (c *Client) Do(ctx context.Context, request Request, result any, opts ...Option) error {
	s, err := c.settings.with(opts)
	if err != nil {
		return err
	}
	r := &api.Request{Method: request.Method}
	if r.Path, err = cleanPath(request.Path); err != nil {
		return err
	}
	fail := func(what string, err error) error {
		return fmt.Errorf("cfposture: %s %s: %s: %w", request.Method, r.Path, what, err)
	}
	if r.Query, err = encodeQuery(request.Query); err != nil {
		return fail("query", err)
	}
	if request.Body != nil {
		if r.Body, err = json.Marshal(request.Body); err != nil {
			return fail("request body", err)
		}
		if holder, is := request.Body.(interface{ secrets() []string }); is {
			r.Secrets = holder.secrets()
		}
	}
	do := operation{service: "do"}
	if result == nil {
		_, err := s.send(ctx, do, r)
		return err
	}
	target := reflect.TypeOf(result)
	if target.Kind() != reflect.Pointer {
		return fail("result", fmt.Errorf("%T is not a pointer to store it in", result))
	}
	var text []byte
	r.Decode = func(s *wire.Scanner) error {
		text = bytes.Clone(s.Value())
		return json.Unmarshal(text, reflect.New(target.Elem()).Interface())
	}
	if _, err := s.send(ctx, do, r); err != nil || text == nil {
		return err
	}
	// Only now is it known that the call succeeded, and may change the caller's value.
	return json.Unmarshal(text, result)
}

// send makes a request and fills the caller's Response.
func (s *settings) send(ctx context.Context, operation operation, r *api.Request) (*api.Response, error) {
	response, err := api.Do(context.WithValue(ctx, operationKey{}, operation), &s.config, r)
	if s.response != nil {
		*s.response = Response{
			StatusCode: response.StatusCode, Header: response.Header, RayID: response.RayID, Attempts: response.Attempts,
			Messages: messages(response.Messages), RateLimit: RateLimit(response.RateLimit),
		}
	}
	return response, err
}

type operationKey struct{}

// An operation is what a call does: a service and a verb.
type operation struct{ service, verb string }

// Operation returns the name of the call that a context belongs to, in a middleware, a [Limiter] or a token source: the
// service and what is done, such as "posture.create" or "integrations.list"; "do" for [Client.Do]; "" in any other
// context. List, All, ListPage and the looks of FindCreated are all "list".
func Operation(ctx context.Context) string {
	o, _ := ctx.Value(operationKey{}).(operation)
	if o.verb == "" {
		return o.service
	}
	return o.service + "." + o.verb
}

// encodeQuery encodes a struct with url tags, url.Values or nil.
func encodeQuery(q any) (string, error) {
	switch q := q.(type) {
	case nil:
		return "", nil
	case url.Values:
		return q.Encode(), nil
	default:
		values, err := query.Values(q)
		return values.Encode(), err
	}
}

// cleanPath escapes an escaped path anew, so that no element of it leads elsewhere.
func cleanPath(path string) (string, error) {
	if strings.ContainsAny(path, "?#") {
		return "", fmt.Errorf("cfposture: path %q has a query or a fragment: use Query, or escape it", path)
	}
	var elements []string
	for escaped := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		element, err := url.PathUnescape(escaped)
		if err != nil {
			return "", fmt.Errorf("cfposture: path %q: %w", path, err)
		}
		name := fmt.Sprintf("element %d of path %q", len(elements)+1, path)
		if element, err = escapeElement(name, element); err != nil {
			return "", err
		}
		elements = append(elements, element)
	}
	return strings.Join(elements, "/"), nil
}

// escapeElement returns a path element that can't change which endpoint a path leads to. Its name is for errors.
func escapeElement(name, value string) (string, error) {
	switch value {
	case "":
		return "", fmt.Errorf("cfposture: %s is empty", name)
	case ".", "..":
		return "", fmt.Errorf("cfposture: %s is %q, which leads to another endpoint", name, value)
	}
	return url.PathEscape(value), nil
}

// A collection is what the endpoints of rules and those of integrations have in common.
type collection[T any] struct {
	client  *Client
	service string // for [Operation]
	noun    string // what an item is, for errors
	path    string // below the account
	// reservedID can be no item's ID, because another endpoint has its place.
	reservedID string
	decode     func(*wire.Decoder) (*T, error)
	id         func(*T) string
	// isEmpty reports whether an object has nothing that an item must have.
	isEmpty func(*T) bool
}

// A payload is what Create or Update sends.
type payload interface {
	Validate() error
	encode() ([]byte, error)
	secrets() []string
}

// get reads the item with the ID.
func (c *collection[T]) get(ctx context.Context, id string, opts []Option) (*T, error) {
	s, r, err := c.request(http.MethodGet, opts, id)
	if err != nil {
		return nil, err
	}
	return c.receive(ctx, "get", s, r)
}

// write sends a payload to the collection, or to the item with the ID, and returns the item of the response.
func (c *collection[T]) write(ctx context.Context, verb, method string, body payload, opts []Option, id ...string) (*T, error) {
	s, r, err := c.request(method, opts, id...)
	if err != nil {
		return nil, err
	}
	if !s.skipValidation {
		if err := body.Validate(); err != nil {
			return nil, err
		}
	}
	if r.Body, err = body.encode(); err != nil {
		return nil, err
	}
	r.Secrets = body.secrets()
	return c.receive(ctx, verb, s, r)
}

// delete deletes the item with the ID. What the result holds does not matter.
func (c *collection[T]) delete(ctx context.Context, id string, opts []Option) error {
	s, r, err := c.request(http.MethodDelete, opts, id)
	if err != nil {
		return err
	}
	_, err = s.send(ctx, operation{c.service, "delete"}, r)
	return err
}

// receive makes a request whose result is an item.
func (c *collection[T]) receive(ctx context.Context, verb string, s *settings, r *api.Request) (*T, error) {
	var item *T
	r.Decode = func(s *wire.Scanner) (err error) {
		item, err = c.decode(wire.NewDecoder(s))
		if err == nil && c.isEmpty(item) {
			return fmt.Errorf("result holds no %s", c.noun)
		}
		return err
	}
	if _, err := s.send(ctx, operation{c.service, verb}, r); err != nil {
		return nil, err
	}
	return item, nil
}

// request returns a request of the collection, or of the item with the ID, and the settings to make it with.
func (c *collection[T]) request(method string, opts []Option, id ...string) (*settings, *api.Request, error) {
	s, err := c.client.settings.with(opts)
	if err != nil {
		return nil, nil, err
	}
	if s.accountID == "" {
		return nil, nil, errors.New("cfposture: account ID is not set: use WithAccountID or set " + envAccountID)
	}
	account, err := escapeElement("account ID", s.accountID)
	if err != nil {
		return nil, nil, err
	}
	if len(id) == 0 {
		return s, &api.Request{Method: method, Path: "accounts/" + account + "/" + c.path}, nil
	}
	element, err := c.escapeID(id[0])
	if err != nil {
		return nil, nil, err
	}
	return s, &api.Request{Method: method, Path: "accounts/" + account + "/" + c.path + "/" + element}, nil
}

// escapeID returns the ID of an item as an element of a path.
func (c *collection[T]) escapeID(id string) (string, error) {
	if id != "" && id == c.reservedID {
		return "", fmt.Errorf("cfposture: %s ID is %q, which leads to another endpoint", c.noun, id)
	}
	return escapeElement(c.noun+" ID", id)
}
