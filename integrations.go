package cfposture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"net/http"

	"github.com/cfposture/cfposture/internal/wire"
)

// An IntegrationsService reads and writes device posture integrations.
type IntegrationsService struct {
	integrations collection[Integration]
}

func newIntegrationsService(c *Client) *IntegrationsService {
	return &IntegrationsService{collection[Integration]{
		client:  c,
		service: "integrations",
		noun:    "integration",
		path:    "devices/posture/integration",
		decode:  decodeIntegration,
		id:      func(i *Integration) string { return i.ID },
		isEmpty: func(i *Integration) bool { return i.ID == "" && i.Name == "" && i.Type == "" },
	}}
}

// List returns every integration of the account, of all pages. Its errors are those of [PostureService.List].
//
// GET /accounts/{account_id}/devices/posture/integration
func (s *IntegrationsService) List(ctx context.Context, opts ...Option) ([]*Integration, error) {
	return s.integrations.list(ctx, opts)
}

// All yields every integration of the account, page by page, like [PostureService.All].
//
// GET /accounts/{account_id}/devices/posture/integration
func (s *IntegrationsService) All(ctx context.Context, opts ...Option) iter.Seq2[*Integration, error] {
	return s.integrations.all(ctx, opts)
}

// ListPage returns one page of the account's integrations. Its errors are those of List, except for [ErrIncomplete].
//
// GET /accounts/{account_id}/devices/posture/integration?page=…&per_page=…
func (s *IntegrationsService) ListPage(ctx context.Context, page ListOptions, opts ...Option) (*Page[Integration], error) {
	return s.integrations.listPage(ctx, page, opts)
}

// Get returns one integration, without its secrets, which the API never returns. The error wraps [ErrNotFound] if there
// is none with the ID.
//
// GET /accounts/{account_id}/devices/posture/integration/{integration_id}
func (s *IntegrationsService) Get(ctx context.Context, integrationID string, opts ...Option) (*Integration, error) {
	return s.integrations.get(ctx, integrationID, opts)
}

// Create creates an integration and returns it as the API made it: with its ID, without its secrets. It does not change
// the given integration and does not send its ID. The error wraps [ErrOutcomeUnknown] if it is open whether the
// integration exists.
//
// POST /accounts/{account_id}/devices/posture/integration
func (s *IntegrationsService) Create(ctx context.Context, integration *Integration, opts ...Option) (*Integration, error) {
	if integration == nil {
		return nil, errNilIntegration
	}
	created := *integration
	created.ID, created.Type = "", integration.wireType()
	return s.integrations.write(ctx, "create", http.MethodPost, &created, opts)
}

// Update changes what is set in change and returns the integration as the API keeps it, without its secrets. A config
// replaces the one that was there, so it must be complete, secrets included.
//
// PATCH /accounts/{account_id}/devices/posture/integration/{integration_id}
func (s *IntegrationsService) Update(ctx context.Context, integrationID string, change IntegrationUpdate, opts ...Option) (*Integration, error) {
	return s.integrations.write(ctx, "update", http.MethodPatch, change, opts, integrationID)
}

// Delete deletes one integration. Its errors are those of [PostureService.Delete].
//
// DELETE /accounts/{account_id}/devices/posture/integration/{integration_id}
func (s *IntegrationsService) Delete(ctx context.Context, integrationID string, opts ...Option) error {
	return s.integrations.delete(ctx, integrationID, opts)
}

var errNilIntegration = errors.New("cfposture: the integration is nil")

// An Integration connects the account to a service that knows devices. Rules name it by its ID, as connection_id.
type Integration struct {
	// ID is a UUID, which the API gives.
	ID   string `json:"id,omitzero"`
	Name string `json:"name"`
	// Type decides what Config is. Taken from Config when empty.
	Type IntegrationType `json:"type,omitzero"`
	// Interval is how often the service is asked: "5m", "12h". Required.
	Interval Interval `json:"interval,omitzero"`
	// Config is how the service is reached. Required by Create; without secrets in answers.
	Config IntegrationConfig `json:"config,omitzero"`
	// Extra are the members this package doesn't know, kept and sent back.
	Extra map[string]json.RawMessage `json:",embed"`
}

// An IntegrationUpdate says what Update changes; what is nil stays.
type IntegrationUpdate struct {
	Name     *string
	Interval *Interval
	Config   IntegrationConfig // its type is sent beside it
}

// Validate returns a [*ValidationError] with everything that the API would refuse in a new integration, or nil. Create
// calls it. An integration that Get returned lacks its secrets and so is not valid.
func (i *Integration) Validate() error {
	if i == nil {
		return errNilIntegration
	}
	p := new(problems)
	p.idLength("id", i.ID)
	switch {
	case i.wireType() == "":
		p.add("type", "is required")
	case !isNil(i.Config) && i.Config.IntegrationType() != "" && i.wireType() != i.Config.IntegrationType():
		p.add("type", fmt.Sprintf("is %q but the config is one for %q", i.Type, i.Config.IntegrationType()))
	}
	p.required("interval", string(i.Interval))
	p.interval("interval", i.Interval)
	p.extra(i)
	if isNil(i.Config) {
		p.add("config", "is required")
	} else {
		p.config(i.Config, "is required")
	}
	return p.err()
}

// Validate returns a [*ValidationError] with everything that the API would refuse in the change, or nil. Update calls
// it.
func (u IntegrationUpdate) Validate() error {
	p := new(problems)
	if u.Name == nil && u.Interval == nil && u.Config == nil {
		p.add("", "the change is empty: set Name, Interval or Config")
	}
	if u.Interval != nil {
		p.required("interval", string(*u.Interval))
		p.interval("interval", *u.Interval)
	}
	switch {
	case u.Config == nil:
	case isNil(u.Config):
		p.add("config", fmt.Sprintf("is a nil %T: leave it out, or give all of it", u.Config))
	default:
		p.config(u.Config, "is required: the API never returns secrets, so a config has to give them again")
	}
	return p.err()
}

// config checks a config; missing is what is said of a secret that is not there.
func (p *problems) config(config IntegrationConfig, missing string) {
	p.missingSecret = missing
	p.in("config", func() {
		config.validate(p)
		p.extra(config)
	})
}

// wireType is the type that is sent.
func (i *Integration) wireType() IntegrationType {
	if i.Type == "" && !isNil(i.Config) {
		return i.Config.IntegrationType()
	}
	return i.Type
}

func (i *Integration) secrets() []string      { return configSecrets(i.Config) }
func (u IntegrationUpdate) secrets() []string { return configSecrets(u.Config) }

// MarshalJSON writes the integration as the API takes it, secrets and members of Extra included.
func (i Integration) MarshalJSON() ([]byte, error) {
	i.Type = i.wireType()
	return i.encode()
}

// encode is MarshalJSON for an integration whose type is set.
func (i *Integration) encode() ([]byte, error) { return encodeIntegration(i, i.Config) }

// encodeIntegration writes the struct that from points to, and what is set of an integration with it.
func encodeIntegration(from any, config IntegrationConfig) ([]byte, error) {
	text, err := wire.Append(nil, from, nil, func(dst []byte) ([]byte, error) { return appendConfig(dst, config) })
	if err != nil {
		return nil, fmt.Errorf("cfposture: integration: %w", err)
	}
	return text, nil
}

// UnmarshalJSON reads an integration as the API gives it. A config that doesn't fit the type becomes an
// [UnknownConfig].
func (i *Integration) UnmarshalJSON(data []byte) error { return unmarshal(data, i, decodeIntegration) }

// MarshalJSON writes what is set, secrets included.
func (u IntegrationUpdate) MarshalJSON() ([]byte, error) { return u.encode() }

func (u IntegrationUpdate) encode() ([]byte, error) {
	var change struct {
		Name     *string                    `json:"name,omitzero"`
		Type     IntegrationType            `json:"type,omitzero"`
		Interval *Interval                  `json:"interval,omitzero"`
		Config   IntegrationConfig          `json:"config,omitzero"`
		Extra    map[string]json.RawMessage `json:",embed"`
	}
	change.Name, change.Interval, change.Config = u.Name, u.Interval, u.Config
	if !isNil(u.Config) {
		change.Type = u.Config.IntegrationType()
	}
	return encodeIntegration(&change, u.Config)
}

// LogValue leaves the secrets out.
func (i Integration) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", i.ID), slog.String("name", i.Name), slog.String("type", string(i.wireType())),
		slog.String("interval", string(i.Interval)), slog.Any("config", i.Config))
}

// LogValue leaves the secrets out.
func (u IntegrationUpdate) LogValue() slog.Value {
	var attrs []slog.Attr
	if u.Name != nil {
		attrs = append(attrs, slog.String("name", *u.Name))
	}
	if u.Interval != nil {
		attrs = append(attrs, slog.String("interval", string(*u.Interval)))
	}
	if u.Config != nil {
		attrs = append(attrs, slog.Any("config", u.Config))
	}
	return slog.GroupValue(attrs...)
}

// decodeIntegration reads an integration from valid JSON. The integration's strings are parts of text.
func decodeIntegration(text string) (*Integration, error) {
	i := new(Integration)
	rest, err := wire.Decode(text, i)
	if err != nil {
		return nil, named("integration", i.ID, err)
	}
	if rest.Held != "" {
		i.Config = decodeConfig(i.Type, rest.Held)
	}
	return i, nil
}
