package cfposture

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"github.com/cfposture/cfposture/internal/api"
	"github.com/cfposture/cfposture/internal/variant"
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

// NewClient returns a client. It reads the environment once: CLOUDFLARE_API_TOKEN, or else CLOUDFLARE_EMAIL and
// CLOUDFLARE_API_KEY, for credentials; CLOUDFLARE_ACCOUNT_ID; CLOUDFLARE_BASE_URL. If both kinds of credentials are set, the
// token is used. Options override the environment. NewClient returns an error if there are no credentials or an option is
// invalid. If the account ID is missing, the calls that need one return an error.
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
	// Method is an HTTP method such as POST. It defaults to GET. A method other than GET, HEAD, OPTIONS, PUT, PATCH and
	// DELETE is retried like POST: only if the request was not carried out.
	Method string
	// Path is relative to the base URL, with or without a leading slash. The caller escapes its elements. The account ID
	// isn't filled in.
	Path string
	// Query is a struct with url tags, url.Values, or nil.
	Query any
	// Body is encoded as JSON. If it is nil, there is no body.
	Body any
}

// Do makes a request of an endpoint that this package has no method for, with the same retries and errors as other calls;
// for a POST they are those of Create, [ErrOutcomeUnknown] included. Do decodes the result in the response envelope into
// result, which must be a pointer. If result is nil, Do ignores what the envelope holds.
func (c *Client) Do(ctx context.Context, request Request, result any, opts ...Option) error {
	s, err := c.settings.with(opts)
	if err != nil {
		return err
	}
	r := &api.Request{Service: "do", Method: cmp.Or(request.Method, http.MethodGet)}
	if r.Path, err = api.CleanPath(request.Path); err != nil {
		return fmt.Errorf("cfposture: %w", err)
	}
	fail := func(what string, err error) error {
		return fmt.Errorf("cfposture: %s %s: %s: %w", r.Method, r.Path, what, err)
	}
	if r.Query, err = api.EncodeQuery(request.Query); err != nil {
		return fail("query", err)
	}
	if request.Body != nil {
		if r.Body, err = json.Marshal(request.Body); err != nil {
			return fail("request body", err)
		}
		if holder, is := request.Body.(interface{ secrets() []string }); is && !variant.IsNil(holder) {
			r.Secrets = holder.secrets()
		}
	}
	if result == nil {
		_, err := s.do(ctx, r)
		return err
	}
	target := reflect.ValueOf(result)
	if target.Kind() != reflect.Pointer || target.IsNil() {
		return fail("result", fmt.Errorf("%T is not a pointer to store it in", result))
	}
	// As json.Unmarshal does, which decodes into what a pointer in an interface points to.
	if held := target.Elem(); held.Kind() == reflect.Interface && held.Elem().Kind() == reflect.Pointer && !held.Elem().IsNil() {
		target = held.Elem()
	}
	var text []byte
	r.Decode = func(d *wire.Decoder) error {
		text = bytes.Clone(d.Value())
		return json.Unmarshal(text, reflect.New(target.Type().Elem()).Interface())
	}
	if _, err := s.do(ctx, r); err != nil || text == nil {
		return err
	}
	// Only now is it known that the call succeeded, and may change the caller's value.
	return json.Unmarshal(text, result)
}

// do makes a request and fills the caller's Response.
func (s *settings) do(ctx context.Context, r *api.Request) (*api.Response, error) {
	response, err := api.Do(context.WithValue(ctx, operationKey{}, r), &s.config, r)
	if s.response != nil {
		*s.response = Response{
			StatusCode: response.StatusCode, Header: response.Header, RayID: response.RayID(), Attempts: response.Attempts,
			Messages: messages(response.Messages), RateLimit: RateLimit(response.RateLimit()),
		}
	}
	return response, err
}

type operationKey struct{}

// Operation returns the name of the call that a context belongs to, for a middleware, a [Limiter] or a token source. The
// name is a service and a verb, such as "posture.create" or "integrations.list", or "do" for [Client.Do]. It is "" for any
// other context. The verb of List, All, ListPage and FindCreated is list.
func Operation(ctx context.Context) string {
	if r, isCall := ctx.Value(operationKey{}).(*api.Request); isCall {
		return r.Operation()
	}
	return ""
}

// A collection has what the endpoints of rules and those of integrations share.
type collection[T any] struct {
	client  *Client
	service string // for [Operation]
	noun    string // what an item is, for errors
	idName  string // what its ID is, for errors
	path    string // below the account
	// reservedID can't be an item's ID, because it is the name of another endpoint.
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
	s, r, err := c.request("get", http.MethodGet, opts, id)
	if err != nil {
		return nil, err
	}
	return c.doForItem(ctx, s, r)
}

// submit sends a payload to the collection, or to the item with the ID, and returns the item of the response.
func (c *collection[T]) submit(ctx context.Context, verb, method string, p payload, opts []Option, id ...string) (*T, error) {
	s, r, err := c.request(verb, method, opts, id...)
	if err != nil {
		return nil, err
	}
	if !s.skipValidation {
		if err := p.Validate(); err != nil {
			return nil, err
		}
	}
	if r.Body, err = p.encode(); err != nil {
		return nil, err
	}
	r.Secrets = p.secrets()
	return c.doForItem(ctx, s, r)
}

// delete deletes the item with the ID. What the result holds does not matter.
func (c *collection[T]) delete(ctx context.Context, id string, opts []Option) error {
	s, r, err := c.request("delete", http.MethodDelete, opts, id)
	if err != nil {
		return err
	}
	_, err = s.do(ctx, r)
	return err
}

// doForItem makes a request whose result is an item.
func (c *collection[T]) doForItem(ctx context.Context, s *settings, r *api.Request) (*T, error) {
	var item *T
	r.Decode = func(d *wire.Decoder) (err error) {
		item, err = c.decode(d)
		if err == nil && c.isEmpty(item) {
			return fmt.Errorf("result holds no %s", c.noun)
		}
		return err
	}
	if _, err := s.do(ctx, r); err != nil {
		return nil, err
	}
	return item, nil
}

// request returns a request of the collection, or of the item with the ID, and the settings to make it with.
func (c *collection[T]) request(verb, method string, opts []Option, id ...string) (*settings, *api.Request, error) {
	s, err := c.client.settings.with(opts)
	if err != nil {
		return nil, nil, err
	}
	if s.accountID == "" {
		return nil, nil, errors.New("cfposture: account ID is not set: use WithAccountID or set " + envAccountID)
	}
	path, err := c.pathOf(s.accountID, id)
	if err != nil {
		return nil, nil, fmt.Errorf("cfposture: %w", err)
	}
	return s, &api.Request{Service: c.service, Verb: verb, Method: method, Path: path}, nil
}

// pathOf returns the path of the collection, or of the item with the ID.
func (c *collection[T]) pathOf(accountID string, id []string) (string, error) {
	account, err := api.EscapeElement("account ID", accountID)
	if err != nil {
		return "", err
	}
	switch {
	case len(id) == 0:
		return "accounts/" + account + "/" + c.path, nil
	case id[0] != "" && id[0] == c.reservedID:
		return "", fmt.Errorf("%s is %q, which leads to another endpoint", c.idName, id[0])
	}
	element, err := api.EscapeElement(c.idName, id[0])
	return "accounts/" + account + "/" + c.path + "/" + element, err
}

// How long to look for an item that a POST may have created. The pauses double from the first to the longest.
const (
	lookTime     = time.Minute
	firstPause   = 500 * time.Millisecond
	longestPause = 8 * time.Second
	lastLook     = time.Second // before the time is over
)

// A model is a *Rule or an *Integration.
type model[T any] interface {
	payload
	subject() string
	// mayBe reports whether an item may be what became of it when it was created.
	mayBe(have *T) bool
	clone() *T
}

func (c *collection[T]) createOnce(ctx context.Context, item model[T], opts []Option) (*T, error) {
	if variant.IsNil(item) {
		return nil, item.Validate()
	}
	existed := map[string]bool{}
	if err := c.look(ctx, opts, func(id string, _ *T) { existed[id] = true }); err != nil {
		return nil, err
	}
	created, err := c.submit(ctx, "create", http.MethodPost, item, opts)
	if !errors.Is(err, ErrOutcomeUnknown) {
		return created, err
	}
	found, lookErr := c.lookUntilFound(ctx, item, func(id string) bool { return existed[id] }, opts)
	if lookErr != nil {
		return nil, fmt.Errorf("%w; %w", err, lookErr)
	}
	return found, nil
}

func (c *collection[T]) findCreated(ctx context.Context, item model[T], known func(id string) bool, opts []Option) (*T, error) {
	if variant.IsNil(item) {
		return nil, item.Validate()
	}
	if known == nil {
		known = func(string) bool { return false }
	}
	found, err := c.lookUntilFound(ctx, item, known, opts)
	if err != nil {
		return nil, unresolvedError{fmt.Errorf("cfposture: %w", err)}
	}
	return found, nil
}

// lookUntilFound returns the one item that isn't known and may be what became of the given one.
func (c *collection[T]) lookUntilFound(ctx context.Context, item model[T], known func(id string) bool, opts []Option) (*T, error) {
	looking, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	failure := fmt.Errorf("no new %s like it appeared within %v", c.noun, lookTime)
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		var found []*T
		err := c.look(looking, opts, func(id string, have *T) {
			if have != nil && !known(id) && item.mayBe(have) {
				found = append(found, have)
			}
		})
		switch {
		case err != nil && looking.Err() == nil:
			failure = err
		case err == nil && len(found) == 1:
			return found[0], nil
		case err == nil && len(found) > 1:
			return nil, fmt.Errorf("%s may exist %d times: compare the new ones, and delete all but one", item.subject(), len(found))
		}
		if deadline, _ := looking.Deadline(); time.Until(deadline) > lastLook {
			pause = min(pause, time.Until(deadline)-lastLook)
		}
		select {
		case <-looking.Done():
			if ctx.Err() != nil {
				failure = api.ContextError(ctx)
			}
			return nil, fmt.Errorf("%s may exist: %w", item.subject(), failure)
		case <-time.After(pause):
		}
	}
}

// look calls see for every item of the collection, with nil for an unreadable one. It returns an error if the list isn't
// whole.
func (c *collection[T]) look(ctx context.Context, opts []Option, see func(id string, item *T)) error {
	for item, err := range c.all(ctx, opts) {
		var unreadable *ItemError
		switch {
		case err == nil:
			see(c.id(item), item)
		case errors.As(err, &unreadable):
			see(unreadable.ID, nil)
		default:
			return err
		}
	}
	return nil
}

// An unresolvedError is an ErrOutcomeUnknown that looking has not resolved.
type unresolvedError struct{ error }

func (e unresolvedError) Is(target error) bool { return target == ErrOutcomeUnknown }
func (e unresolvedError) Unwrap() error        { return e.error }
