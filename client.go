package cfposture

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Version is the version of this package.
const Version = "0.1.0"

const userAgent = "cfposture/" + Version

// A Client sends requests to the device posture API. It is safe for concurrent use. Make one with [NewClient].
type Client struct {
	// Posture are the rules.
	Posture *PostureService
	// Integrations are the connections to third parties' services.
	Integrations *IntegrationsService

	environment []Option
	options     []Option
	settings    *settings // what a call without options works with
}

// NewClient returns a client. It reads the environment once: CLOUDFLARE_API_TOKEN, or CLOUDFLARE_EMAIL with
// CLOUDFLARE_API_KEY, for credentials; CLOUDFLARE_ACCOUNT_ID; CLOUDFLARE_BASE_URL. Options win over the environment.
// It fails where there are no credentials, on contradicting options, and on values that can't be right. A missing
// account is an error of the calls that need one.
func NewClient(opts ...Option) (*Client, error) {
	c := &Client{environment: environment(), options: slices.Clone(opts)}
	s, err := c.resolve(nil)
	if err != nil {
		return nil, err
	}
	c.settings = s
	c.Posture = newPostureService(c)
	c.Integrations = newIntegrationsService(c)
	return c, nil
}

// Do sends one request for an endpoint this package has no method for: path is relative to the base URL, with escaped
// elements; query is a struct with url tags, or nil; body is anything that encoding/json can write, or nil; result is a
// pointer that gets the envelope's result, or nil. Retries and errors are those of every call: a method other than GET,
// HEAD, OPTIONS, PUT, PATCH and DELETE is treated like POST.
func (c *Client) Do(ctx context.Context, method, path string, query, body, result any, opts ...Option) error {
	s, err := c.resolve(opts)
	if err != nil {
		return err
	}
	elements, err := splitPath(path)
	if err != nil {
		return err
	}
	call := new(call)
	if err := call.prepare(s, method, elements...); err != nil {
		return err
	}
	if err := call.setQuery(query); err != nil {
		return err
	}
	if body != nil {
		if call.body, err = json.Marshal(body); err != nil {
			return fmt.Errorf("cfposture: %s %s: request body: %w", method, call.path, err)
		}
		if holder, ok := body.(interface{ secrets() []string }); ok {
			call.secrets = holder.secrets()
		}
	}
	if result != nil {
		call.result = &valueReader{into: result}
	}
	return call.send(ctx)
}

// A valueReader reads a result of any shape.
type valueReader struct {
	resultText
	into any
}

func (r *valueReader) finish() error { return json.Unmarshal([]byte(r.text), r.into) }

// resolve returns the settings that a call with the options works with.
func (c *Client) resolve(opts []Option) (*settings, error) {
	if len(opts) == 0 && c.settings != nil {
		return c.settings, nil
	}
	s := c.layers(opts, c.environment)
	if s.skipEnvironment {
		s = c.layers(opts, nil)
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("cfposture: %w", err)
	}
	s.setUpSender()
	return s, nil
}

// layers applies the environment, the client's options and the call's, each over the one before.
func (c *Client) layers(opts, environment []Option) *settings {
	s := newSettings()
	s.apply(environment)
	s.apply(c.options)
	if c.settings != nil {
		s.sender = c.settings.sender
	}
	s.apply(opts)
	return s
}

// elementURL escapes the elements of a path, so that none of them can change which endpoint it leads to.
func elementURL(base string, elements []pathElement) (string, error) {
	target := append(make([]byte, 0, 256), base...)
	for i, element := range elements {
		switch element.value {
		case "":
			return "", fmt.Errorf("cfposture: %s is empty", element.name)
		case ".", "..":
			return "", fmt.Errorf("cfposture: %s is %q, which leads elsewhere", element.name, element.value)
		}
		if i > 0 {
			target = append(target, '/')
		}
		target = append(target, url.PathEscape(element.value)...)
	}
	return string(target), nil
}

// A pathElement is a part of a path. Its name says what it is, for errors.
type pathElement struct{ name, value string }

// splitPath returns the elements of an escaped path.
func splitPath(path string) ([]pathElement, error) {
	if strings.ContainsAny(path, "?#") {
		return nil, fmt.Errorf("cfposture: the path %q has a query or a fragment: use the query argument, or escape it", path)
	}
	var elements []pathElement
	for escaped := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		element, err := url.PathUnescape(escaped)
		if err != nil {
			return nil, fmt.Errorf("cfposture: the path %q: %w", path, err)
		}
		elements = append(elements, pathElement{fmt.Sprintf("element %d of the path %q", len(elements)+1, path), element})
	}
	return elements, nil
}
