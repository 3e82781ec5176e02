package workload

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	cloudflarev0 "github.com/cloudflare/cloudflare-go"
	cloudflarev7 "github.com/cloudflare/cloudflare-go/v7"
	"github.com/cloudflare/cloudflare-go/v7/option"
	"github.com/cloudflare/cloudflare-go/v7/zero_trust"
	"github.com/go-json-experiment/json/jsontext"
	gojson "github.com/goccy/go-json"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/interop/official"
)

// A Client does the operations that are compared. What an operation returns is thrown away.
type Client interface {
	List(ctx context.Context) (int, error)
	Get(ctx context.Context, id string) error
	Create(ctx context.Context) error
	// Encode writes one rule of each of Kinds, the way that the client writes what it sends.
	Encode() error
}

// The names of the clients.
const (
	CFPosture = "cfposture"
	V7        = "cloudflare-go v7"
	V0        = "cloudflare-go v0"
	Floor     = "floor"
)

// Names are the clients in the order of the tables.
var Names = []string{CFPosture, V0, Floor, V7}

const (
	baseURL = "https://api.cloudflare.com/client/v4"
	token   = "a-token-that-no-server-knows"
)

var constructors = map[string]func(*http.Client) (Client, error){
	CFPosture: newOwn,
	V7:        newV7,
	V0:        newV0,
	Floor:     newFloor,
}

// New returns the client of that name, which sends through transport.
func New(name string, transport http.RoundTripper) (Client, error) {
	client, err := constructors[name](&http.Client{Transport: transport})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return client, nil
}

// own is this module's.
type own struct {
	client *cfposture.Client
	rules  []*cfposture.Rule
}

// NewCFPosture returns this module's client, which sends through transport.
func NewCFPosture(transport http.RoundTripper) (*cfposture.Client, error) {
	return cfposture.NewClient(cfposture.WithoutEnvironment(), cfposture.WithBaseURL(baseURL),
		cfposture.WithAPIToken(token), cfposture.WithAccountID(AccountID),
		cfposture.WithHTTPClient(&http.Client{Transport: transport}))
}

func newOwn(httpClient *http.Client) (Client, error) {
	client, err := NewCFPosture(httpClient.Transport)
	if err != nil {
		return nil, err
	}
	c := &own{client: client}
	for _, rule := range samples() {
		model := new(cfposture.Rule)
		if err := json.Unmarshal(rule, model); err != nil {
			return nil, err
		}
		c.rules = append(c.rules, model)
	}
	return c, nil
}

func (c *own) List(ctx context.Context) (int, error) {
	rules, err := c.client.Posture.List(ctx)
	return len(rules), err
}

func (c *own) Get(ctx context.Context, id string) error {
	_, err := c.client.Posture.Get(ctx, id)
	return err
}

func (c *own) Create(ctx context.Context) error {
	_, err := c.client.Posture.Create(ctx, c.rules[0])
	return err
}

func (c *own) Encode() error {
	return encodeEach(c.rules, (*cfposture.Rule).MarshalJSON)
}

// v7 is the official client.
type v7 struct {
	client *cloudflarev7.Client
	rules  []zero_trust.DevicePostureNewParams
}

func newV7(httpClient *http.Client) (Client, error) {
	c := &v7{client: cloudflarev7.NewClient(option.WithBaseURL(baseURL+"/"), option.WithAPIToken(token), option.WithHTTPClient(httpClient))}
	for _, rule := range samples() {
		params, err := official.V7NewRule(AccountID, rule)
		if err != nil {
			return nil, err
		}
		c.rules = append(c.rules, params)
	}
	return c, nil
}

func (c *v7) List(ctx context.Context) (int, error) {
	page, err := c.client.ZeroTrust.Devices.Posture.List(ctx, zero_trust.DevicePostureListParams{AccountID: cloudflarev7.F(AccountID)})
	if err != nil {
		return 0, err
	}
	return len(page.Result), nil
}

func (c *v7) Get(ctx context.Context, id string) error {
	_, err := c.client.ZeroTrust.Devices.Posture.Get(ctx, id, zero_trust.DevicePostureGetParams{AccountID: cloudflarev7.F(AccountID)})
	return err
}

func (c *v7) Create(ctx context.Context) error {
	_, err := c.client.ZeroTrust.Devices.Posture.New(ctx, c.rules[0])
	return err
}

func (c *v7) Encode() error {
	return encodeEach(c.rules, zero_trust.DevicePostureNewParams.MarshalJSON)
}

// v0 is the line before the official client was generated.
type v0 struct {
	client *cloudflarev0.API
	rules  []cloudflarev0.DevicePostureRule
}

func newV0(httpClient *http.Client) (Client, error) {
	client, err := cloudflarev0.NewWithAPIToken(token, cloudflarev0.BaseURL(baseURL), cloudflarev0.HTTPClient(httpClient),
		cloudflarev0.UsingRateLimit(1e9))
	if err != nil {
		return nil, err
	}
	c := &v0{client: client}
	for _, rule := range samples() {
		var model cloudflarev0.DevicePostureRule
		var number *json.UnmarshalTypeError // its numbers are int; the fields after are set all the same
		if err := json.Unmarshal(rule, &model); err != nil && !errors.As(err, &number) {
			return nil, err
		}
		c.rules = append(c.rules, model)
	}
	return c, nil
}

func (c *v0) List(ctx context.Context) (int, error) {
	rules, _, err := c.client.DevicePostureRules(ctx, AccountID)
	return len(rules), err
}

func (c *v0) Get(ctx context.Context, id string) error {
	_, err := c.client.DevicePostureRule(ctx, AccountID, id)
	return err
}

func (c *v0) Create(ctx context.Context) error {
	_, err := c.client.CreateDevicePostureRule(ctx, AccountID, c.rules[0])
	return err
}

// Encode uses the JSON package that the client sends rules with.
func (c *v0) Encode() error {
	return encodeEach(c.rules, func(rule cloudflarev0.DevicePostureRule) ([]byte, error) { return gojson.Marshal(rule) })
}

// floor is what any client does at the least: it sends the same bytes, reads the answer and checks that it is JSON.
type floor struct {
	client *http.Client
	rules  [][]byte
}

func newFloor(httpClient *http.Client) (Client, error) {
	return &floor{client: httpClient, rules: samples()}, nil
}

func (c *floor) List(ctx context.Context) (int, error) {
	return 0, c.send(ctx, http.MethodGet, "", nil)
}

func (c *floor) Get(ctx context.Context, id string) error {
	return c.send(ctx, http.MethodGet, "/"+id, nil)
}

func (c *floor) Create(ctx context.Context) error {
	return c.send(ctx, http.MethodPost, "", c.rules[0])
}

func (c *floor) Encode() error {
	for _, rule := range c.rules {
		if !jsontext.Value(rule).IsValid() {
			return errors.New("not valid JSON")
		}
	}
	return nil
}

func (c *floor) send(ctx context.Context, method, path string, body []byte) error {
	var reader io.Reader
	if body != nil {
		reader = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, baseURL+"/accounts/"+AccountID+"/devices/posture"+path, reader)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("User-Agent", "floor/1.0")
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := c.client.Do(request)
	if err != nil {
		return err
	}
	answer, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	if !jsontext.Value(answer).IsValid() {
		return errors.New("not valid JSON")
	}
	return nil
}

// samples are one rule of each of Kinds.
func samples() [][]byte {
	kinds := Kinds()
	rules := make([][]byte, len(kinds))
	for i := range kinds {
		rules[i] = AppendRule(nil, kinds, i)
	}
	return rules
}

func encodeEach[T any](rules []T, encode func(T) ([]byte, error)) error {
	for _, rule := range rules {
		if _, err := encode(rule); err != nil {
			return err
		}
	}
	return nil
}
