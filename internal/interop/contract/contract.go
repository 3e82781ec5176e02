// Package contract holds the device posture API's description, in openapi.yaml, and a middleware that compares every
// exchange of a client with it.
package contract

import (
	"bytes"
	"context"
	_ "embed" // the description
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

//go:embed openapi.yaml
var description []byte

// Description returns the API's description, checked. It is shared, so it must not be changed.
var Description = sync.OnceValues(func() (*openapi3.T, error) {
	// The list of integrations is JSON, whatever its content type says.
	openapi3filter.RegisterBodyDecoder("text/plain", openapi3filter.JSONBodyDecoder)
	doc, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	return doc, nil
})

// A Violation is an exchange that is not what the description says. Neither error shows a value, which could be a
// secret.
type Violation struct {
	Method, Path string
	Status       int
	// Request and Response say what is wrong with them; nil is nothing.
	Request, Response error
}

func (v Violation) String() string {
	return fmt.Sprintf("%s %s, status %d: %v", v.Method, v.Path, v.Status, errors.Join(v.Request, v.Response))
}

// Middleware compares every exchange with the description of the API at baseURL, and reports those that differ.
func Middleware(baseURL string, report func(Violation)) (func(http.RoundTripper) http.RoundTripper, error) {
	doc, err := Description()
	if err != nil {
		return nil, err
	}
	there := *doc
	there.Servers = openapi3.Servers{{URL: baseURL}}
	router, err := gorillamux.NewRouter(&there)
	if err != nil {
		return nil, fmt.Errorf("openapi.yaml: %w", err)
	}
	return func(next http.RoundTripper) http.RoundTripper {
		return &validator{router: router, next: next, report: report}
	}, nil
}

type validator struct {
	router routers.Router
	next   http.RoundTripper
	report func(Violation)
}

func (v *validator) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := readAll(request.Body)
	if err != nil {
		return nil, err
	}
	sent := request.Clone(request.Context())
	sent.Body, sent.GetBody = replay(body), nil
	response, err := v.next.RoundTrip(sent)
	if err != nil {
		return nil, err
	}
	received, err := readAll(response.Body)
	response.Body = replay(received)
	if err != nil { // a broken connection: the client has to see it as well
		response.Body = io.NopCloser(io.MultiReader(bytes.NewReader(received), brokenReader{err}))
		return response, nil
	}

	seen := request.Clone(request.Context())
	seen.Body = replay(body)
	violation := Violation{Method: request.Method, Path: request.URL.Path, Status: response.StatusCode}
	violation.Request, violation.Response = v.validate(seen, response, received)
	if violation.Request != nil || violation.Response != nil {
		v.report(violation)
	}
	return response, nil
}

// validate returns what is wrong with a request and with the response to it.
func (v *validator) validate(request *http.Request, response *http.Response, body []byte) (inRequest, inResponse error) {
	route, pathParams, err := v.router.FindRoute(request)
	if err != nil {
		return fmt.Errorf("request: %w", err), nil
	}
	options := &openapi3filter.Options{
		MultiError:            true,
		IncludeResponseStatus: true,
		AuthenticationFunc:    authenticate,
	}
	options.WithCustomSchemaErrorFunc(describe)
	input := &openapi3filter.RequestValidationInput{
		Request: request, PathParams: pathParams, Route: route, Options: options,
	}
	if err := openapi3filter.ValidateRequest(request.Context(), input); err != nil {
		inRequest = fmt.Errorf("request: %w", err)
	}
	output := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: response.StatusCode, Header: response.Header, Options: options,
	}
	output.SetBodyBytes(body)
	if err := openapi3filter.ValidateResponse(request.Context(), output); err != nil {
		inResponse = fmt.Errorf("response: %w", err)
	}
	return inRequest, inResponse
}

// authenticate checks that the credentials of a scheme are there.
func authenticate(_ context.Context, input *openapi3filter.AuthenticationInput) error {
	header := input.RequestValidationInput.Request.Header
	if input.SecurityScheme.Type == "http" {
		if !strings.HasPrefix(header.Get("Authorization"), "Bearer ") {
			return errors.New("no bearer token")
		}
		return nil
	}
	if header.Get(input.SecurityScheme.Name) == "" {
		return fmt.Errorf("no header %s", input.SecurityScheme.Name)
	}
	return nil
}

// describe says where a value breaks its schema, and how, without the value.
func describe(err *openapi3.SchemaError) string {
	text := "at /" + strings.Join(err.JSONPointer(), "/") + ": " + err.Reason
	if err.Origin != nil {
		text += ": " + err.Origin.Error()
	}
	return text
}

func readAll(body io.ReadCloser) ([]byte, error) {
	if body == nil {
		return nil, nil
	}
	data, err := io.ReadAll(body)
	return data, errors.Join(err, body.Close())
}

func replay(body []byte) io.ReadCloser {
	if body == nil {
		return nil
	}
	return io.NopCloser(bytes.NewReader(body))
}

type brokenReader struct{ err error }

func (r brokenReader) Read([]byte) (int, error) { return 0, r.err }
