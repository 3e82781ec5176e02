package cfposture

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"log/slog"
	"net/http"
	"slices"

	"github.com/cfposture/cfposture/internal/api"
	"github.com/cfposture/cfposture/internal/check"
	"github.com/cfposture/cfposture/internal/variant"
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
		idName:  "integration ID",
		path:    "devices/posture/integration",
		decode:  decodeIntegration,
		id:      func(i *Integration) string { return i.ID },
		isEmpty: func(i *Integration) bool { return i.ID == "" && i.Name == "" && i.Type == "" },
	}}
}

// List returns every integration of the account, as Get returns them. Its errors are those of [PostureService.List].
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

// Get returns one integration without its secrets, which the API never returns. Responses have also been seen without
// customer_id and access_client_id: keep them with the secrets, and pass a complete config to Update. The error wraps
// [ErrNotFound] if there is no integration with the ID.
//
// GET /accounts/{account_id}/devices/posture/integration/{integration_id}
func (s *IntegrationsService) Get(ctx context.Context, integrationID string, opts ...Option) (*Integration, error) {
	return s.integrations.get(ctx, integrationID, opts)
}

// Create creates an integration and returns it as the API made it: with its ID, without its secrets. It neither changes the
// given integration nor sends its ID. The error wraps [ErrOutcomeUnknown] if it may or may not have been created.
//
// POST /accounts/{account_id}/devices/posture/integration
func (s *IntegrationsService) Create(ctx context.Context, integration *Integration, opts ...Option) (*Integration, error) {
	if integration == nil {
		return nil, errNilIntegration
	}
	return s.integrations.submit(ctx, "create", http.MethodPost, integration, opts)
}

// CreateOnce creates an integration like Create, and looks for it if the outcome is unknown, like
// [PostureService.CreateOnce].
//
// GET and POST /accounts/{account_id}/devices/posture/integration
func (s *IntegrationsService) CreateOnce(ctx context.Context, integration *Integration, opts ...Option) (*Integration, error) {
	return s.integrations.createOnce(ctx, integration, opts)
}

// FindCreated looks for the integration that a Create call may have made when its error wraps [ErrOutcomeUnknown], like
// [PostureService.FindCreated].
//
// GET /accounts/{account_id}/devices/posture/integration
func (s *IntegrationsService) FindCreated(
	ctx context.Context, integration *Integration, known func(id string) bool, opts ...Option,
) (*Integration, error) {
	return s.integrations.findCreated(ctx, integration, known, opts)
}

// Update changes what is set in change and returns the integration as the API keeps it, without its secrets. A config
// replaces the stored one, so it must be complete, secrets included. The error wraps [ErrNotFound] if there is no
// integration with the ID.
//
// PATCH /accounts/{account_id}/devices/posture/integration/{integration_id}
func (s *IntegrationsService) Update(
	ctx context.Context, integrationID string, change IntegrationUpdate, opts ...Option,
) (*Integration, error) {
	return s.integrations.submit(ctx, "update", http.MethodPatch, change, opts, integrationID)
}

// Delete deletes one integration. If the API answers a missing ID with 404, the error wraps [ErrNotFound], unless an earlier
// attempt of this call may have deleted the integration. The API doesn't document what it does with a missing integration,
// or with one that rules refer to.
//
// DELETE /accounts/{account_id}/devices/posture/integration/{integration_id}
func (s *IntegrationsService) Delete(ctx context.Context, integrationID string, opts ...Option) error {
	return s.integrations.delete(ctx, integrationID, opts)
}

var errNilIntegration = &ValidationError{Subject: "integration", Problems: []Problem{{Reason: "it is nil"}}}

// An Integration connects the account to a third-party service that reports on devices. Rules refer to it by its ID, in
// connection_id.
type Integration struct {
	// ID is a UUID, which the API assigns. Create doesn't send it.
	ID string `json:"id,omitzero"`
	// Name is required by the API's documents, although Validate doesn't check it. Several integrations may have the same.
	Name string `json:"name"`
	// Type decides what Config is. It defaults to Config's type.
	Type IntegrationType `json:"type,omitzero"`
	// Interval is how often Cloudflare polls the service: "5m", "12h". Required.
	Interval Interval `json:"interval,omitzero"`
	// Config says how to reach the service. Create requires it. Responses leave out its secrets.
	Config IntegrationConfig `json:"config,omitzero"`
	// Identifier, Schema and TestResults are read-only: Create and Update don't send them. Their contents are not
	// documented; in recorded responses they are empty.
	Identifier  string          `json:"identifier,omitzero"`
	Schema      json.RawMessage `json:"schema,omitzero"`
	TestResults json.RawMessage `json:"test_results,omitzero"`
	// Extra holds the members that this package has no field for. They are sent back as received.
	Extra map[string]json.RawMessage `json:",embed"`
}

// ParseIntegration reads an integration that a person wrote, as strictly as [ParseRule]. Secrets must not be missing,
// because Create requires them.
func ParseIntegration(data []byte, allow ...string) (*Integration, error) {
	d, i := wire.NewDocument(data, allow, ""), new(Integration)
	if text := d.Decode("", d.Text, i.decode); text != "" {
		i.Config = parseConfig(d, "config", i.Type, text)
	}
	check.Type(d, "integration", i.Type, integrationTypes)
	d.CheckUnknowns(i.unknowns(), map[string]string{"": "an integration", "config": string(i.Type)})
	return parsed(d, i, i.subject(), i.validate)
}

// An IntegrationUpdate says what Update changes. A nil field is left as it is.
type IntegrationUpdate struct {
	Name     *string
	Interval *Interval
	// Config replaces the stored one, so it must have all members, secrets included. Its type is sent with it. Other
	// clients send only the new secret, which passes with [WithoutValidation]; whether the live API then keeps the other
	// members is not documented.
	Config IntegrationConfig
}

// Validate returns nil, or a [*ValidationError] that lists every missing or malformed member it can judge, as
// [Rule.Validate] does. Create calls it. An integration from a response is not valid, because it lacks its secrets.
func (i *Integration) Validate() error {
	if i == nil {
		return errNilIntegration
	}
	p := new(check.Problems)
	i.validate(p)
	return invalid(i.subject, p)
}

func (i *Integration) subject() string { return check.Subject("integration", i.Name, i.wireType()) }

func (i *Integration) validate(p *check.Problems) {
	p.IDLength("id", i.ID)
	switch {
	case i.wireType() == "":
		p.Add("type", "is required")
	case !variant.IsNil(i.Config) && i.Config.IntegrationType() != "" && i.wireType() != i.Config.IntegrationType():
		p.Add("type", fmt.Sprintf("is %q but the config is one for %q", i.Type, i.Config.IntegrationType()))
	}
	p.Required("interval", string(i.Interval))
	p.Interval("interval", string(i.Interval))
	p.Extra(i)
	if variant.IsNil(i.Config) {
		p.Add("config", "is required")
	} else {
		validateConfig(p, i.Config, "is required")
	}
}

// Validate returns nil, or a [*ValidationError] that lists every missing or malformed member it can judge, as
// [Rule.Validate] does. Update calls it.
func (u IntegrationUpdate) Validate() error {
	p := new(check.Problems)
	if u.Name == nil && u.Interval == nil && u.Config == nil {
		p.Add("", "the change is empty: set Name, Interval or Config")
	}
	if u.Interval != nil {
		p.Required("interval", string(*u.Interval))
		p.Interval("interval", string(*u.Interval))
	}
	switch {
	case u.Config == nil:
	case variant.IsNil(u.Config):
		p.Add("config", fmt.Sprintf("is a nil %T: leave it out, or set all of it", u.Config))
	default:
		validateConfig(p, u.Config, "is required: responses leave secrets out, so a config has to set them again")
	}
	return invalid(u.subject, p)
}

func (u IntegrationUpdate) subject() string {
	return check.Subject("integration update", "", u.wireType())
}

func (u IntegrationUpdate) wireType() IntegrationType {
	if variant.IsNil(u.Config) {
		return ""
	}
	return u.Config.IntegrationType()
}

// validateConfig checks a config. The reason that it gives for a missing secret is the text in missing.
func validateConfig(p *check.Problems, config IntegrationConfig, missing string) {
	p.MissingSecret = missing
	p.In("config", func() {
		config.validate(p)
		p.Extra(config)
	})
}

func (i Integration) secrets() []string       { return configSecrets(i.Config) }
func (u IntegrationUpdate) secrets() []string { return configSecrets(u.Config) }

// String returns one line for people: the name, type and ID, the interval and the config, without secrets.
func (i Integration) String() string {
	line := check.Subject("integration", i.Name, i.wireType())
	if i.ID != "" {
		line += " " + i.ID
	}
	if i.Interval != "" {
		line += " every " + string(i.Interval)
	}
	if !variant.IsNil(i.Config) {
		line += fmt.Sprintf(" %v", i.Config)
	}
	return api.Printable(line)
}

// UnknownMembers returns the paths of the members that this package has no field for, such as config.region, in
// alphabetical order.
func (i *Integration) UnknownMembers() []string { return variant.Paths(i.unknowns()) }

// LogValue returns the members that are set, as a group, without secrets, read-only members and those in Extra.
func (i Integration) LogValue() slog.Value {
	attrs := variant.Attrs("id", i.ID, "name", i.Name, "type", string(i.wireType()), "interval", string(i.Interval))
	return slog.GroupValue(variant.AppendAttr(attrs, "config", i.Config)...)
}

// LogValue returns what changes, as a group, without secrets.
func (u IntegrationUpdate) LogValue() slog.Value {
	var attrs []slog.Attr
	if u.Name != nil {
		attrs = append(attrs, slog.String("name", *u.Name))
	}
	if u.Interval != nil {
		attrs = append(attrs, slog.String("interval", string(*u.Interval)))
	}
	return slog.GroupValue(variant.AppendAttr(attrs, "config", u.Config)...)
}

func (i *Integration) mayBe(have *Integration) bool {
	return i.Name == have.Name && len(i.Diff(have)) == 0
}

// MarshalJSON returns the integration with all that is set, secrets included.
func (i Integration) MarshalJSON() ([]byte, error) {
	i.Type = i.wireType()
	return variant.Marshal(i.subject, i.write)
}

// encode returns what Create sends, which is without the members that only the API sets.
func (i *Integration) encode() ([]byte, error) {
	sent := *i
	sent.ID, sent.Identifier, sent.Schema, sent.TestResults = "", "", nil, nil
	return sent.MarshalJSON()
}

// MarshalJSON returns what changes, secrets included.
func (u IntegrationUpdate) MarshalJSON() ([]byte, error) { return u.encode() }

func (u IntegrationUpdate) encode() ([]byte, error) { return variant.Marshal(u.subject, u.write) }

func (u IntegrationUpdate) write(e *wire.Encoder) {
	start := e.Begin()
	if u.Name != nil {
		e.StringOrEmpty("name", *u.Name)
	}
	e.String("type", string(u.wireType()))
	if u.Interval != nil {
		e.StringOrEmpty("interval", string(*u.Interval))
	}
	writeConfig(e, u.Config)
	e.End(start, nil)
}

// decodeIntegration reads an integration, and its config like [decodeRule] does an input.
func decodeIntegration(d *wire.Decoder) (*Integration, error) {
	i := new(Integration)
	d.BeginObject()
	i.decode(d)
	if err := d.EndObject(); err != nil {
		return nil, variant.Named("integration", i.ID, err)
	}
	if i.Config == nil || i.Config.IntegrationType() != i.Type {
		d.Revisit(func() { i.Config = decodeConfig(d, i.Type) })
	}
	return i, nil
}

// An IntegrationType names the service that an integration connects to. It decides what the Config of the integration
// holds.
type IntegrationType string

// The integration types, in the order of the API's documents. A type that is not among them is kept and sent all the same.
const (
	IntegrationTypeWorkspaceOne   IntegrationType = "workspace_one"
	IntegrationTypeCrowdStrikeS2S IntegrationType = "crowdstrike_s2s"
	IntegrationTypeUptycs         IntegrationType = "uptycs"
	IntegrationTypeIntune         IntegrationType = "intune"
	IntegrationTypeKolide         IntegrationType = "kolide"
	IntegrationTypeTaniumS2S      IntegrationType = "tanium_s2s"
	IntegrationTypeSentinelOneS2S IntegrationType = "sentinelone_s2s"
	IntegrationTypeCustomS2S      IntegrationType = "custom_s2s"
)

// An IntegrationConfig says how to reach a service: a pointer to the type that belongs to the integration's type, or an
// *[UnknownConfig]. Use a type switch to find out which. Only this package implements it.
//
//   - [IntegrationTypeWorkspaceOne]: [WorkspaceOneConfig], Workspace ONE
//   - [IntegrationTypeCrowdStrikeS2S]: [CrowdStrikeS2SConfig], CrowdStrike
//   - [IntegrationTypeUptycs]: [UptycsConfig], Uptycs
//   - [IntegrationTypeIntune]: [IntuneConfig], Microsoft Intune
//   - [IntegrationTypeKolide]: [KolideConfig], Kolide
//   - [IntegrationTypeTaniumS2S]: [TaniumS2SConfig], Tanium
//   - [IntegrationTypeSentinelOneS2S]: [SentinelOneS2SConfig], SentinelOne
//   - [IntegrationTypeCustomS2S]: [CustomS2SConfig], a service of your own
//
// In each of them, Extra holds the members that this package has no field for. They are sent back as received.
//
//sumtype:decl
type IntegrationConfig interface {
	// IntegrationType returns the type of the integrations that have such a config.
	IntegrationType() IntegrationType
	validate(p *check.Problems)
	clone() IntegrationConfig
}

// IntegrationTypes returns the integration types that have a type of [IntegrationConfig], in the order of the API's
// documents.
func IntegrationTypes() []IntegrationType { return slices.Clone(integrationTypes) }

// NewConfig returns an empty config for integrations of the given type. It is an *[UnknownConfig] if the type is none of
// [IntegrationTypes].
func NewConfig(t IntegrationType) IntegrationConfig {
	if config := newConfig(t); config != nil {
		return config
	}
	return &UnknownConfig{Type: t}
}

// ParseConfig reads the config of an integration of the given type, as strictly as [ParseIntegration]. Paths are relative
// to the config; those in allow may also begin with "config.".
func ParseConfig(t IntegrationType, data []byte, allow ...string) (IntegrationConfig, error) {
	d := wire.NewDocument(data, allow, "config.")
	config := parseConfig(d, "", t, d.Text)
	check.Type(d, "integration", t, integrationTypes)
	d.CheckUnknowns(wire.Unknowns(config, "", nil), map[string]string{"": string(t)})
	return parsed(d, config, check.Subject("config", "", t), config.validate)
}

// Secrets returns the secrets that a config has fields for, by their names in the JSON, so that they can be read from a
// vault and set. It is empty for an [UnknownConfig].
func Secrets(config IntegrationConfig) map[string]*Secret {
	secrets := map[string]*Secret{}
	if variant.IsNil(config) {
		return secrets
	}
	for name, field := range wire.Fields(config) {
		if secret, ok := field.(*Secret); ok {
			secrets[name] = secret
		}
	}
	return secrets
}

// WorkspaceOneConfig is the config of an [IntegrationTypeWorkspaceOne] integration. All its members are required.
type WorkspaceOneConfig struct {
	// APIURL is the REST API URL of the Workspace ONE console.
	APIURL string `json:"api_url,omitzero"`
	// AuthURL is the URL of the OAuth token service, which depends on the region.
	AuthURL      string                     `json:"auth_url,omitzero"`
	ClientID     string                     `json:"client_id,omitzero"`
	ClientSecret Secret                     `json:"client_secret,omitzero"`
	Extra        map[string]json.RawMessage `json:",embed"`
}

func (c *WorkspaceOneConfig) validate(p *check.Problems) { p.RequireStrings(c) }

// CrowdStrikeS2SConfig is the config of an [IntegrationTypeCrowdStrikeS2S] integration. All its members are required.
type CrowdStrikeS2SConfig struct {
	APIURL       string                     `json:"api_url,omitzero"`
	ClientID     string                     `json:"client_id,omitzero"`
	ClientSecret Secret                     `json:"client_secret,omitzero"`
	CustomerID   string                     `json:"customer_id,omitzero"`
	Extra        map[string]json.RawMessage `json:",embed"`
}

func (c *CrowdStrikeS2SConfig) validate(p *check.Problems) { p.RequireStrings(c) }

// UptycsConfig is the config of an [IntegrationTypeUptycs] integration. All its members are required.
type UptycsConfig struct {
	APIURL       string                     `json:"api_url,omitzero"`
	ClientKey    Secret                     `json:"client_key,omitzero"`
	ClientSecret Secret                     `json:"client_secret,omitzero"`
	CustomerID   string                     `json:"customer_id,omitzero"`
	Extra        map[string]json.RawMessage `json:",embed"`
}

func (c *UptycsConfig) validate(p *check.Problems) { p.RequireStrings(c) }

// IntuneConfig is the config of an [IntegrationTypeIntune] integration. All its members are required.
type IntuneConfig struct {
	ClientID     string `json:"client_id,omitzero"`
	ClientSecret Secret `json:"client_secret,omitzero"`
	// CustomerID is the ID of the Microsoft tenant.
	CustomerID string                     `json:"customer_id,omitzero"`
	Extra      map[string]json.RawMessage `json:",embed"`
}

func (c *IntuneConfig) validate(p *check.Problems) { p.RequireStrings(c) }

// KolideConfig is the config of an [IntegrationTypeKolide] integration. All its members are required.
type KolideConfig struct {
	ClientID     string                     `json:"client_id,omitzero"`
	ClientSecret Secret                     `json:"client_secret,omitzero"`
	Extra        map[string]json.RawMessage `json:",embed"`
}

func (c *KolideConfig) validate(p *check.Problems) { p.RequireStrings(c) }

// TaniumS2SConfig is the config of an [IntegrationTypeTaniumS2S] integration.
type TaniumS2SConfig struct {
	APIURL       string `json:"api_url,omitzero"`
	ClientSecret Secret `json:"client_secret,omitzero"`
	// AccessClientID and AccessClientSecret are a service token of Cloudflare Access, for a Tanium behind it. They are
	// the only members that are not required.
	AccessClientID     string                     `json:"access_client_id,omitzero"`
	AccessClientSecret Secret                     `json:"access_client_secret,omitzero"`
	Extra              map[string]json.RawMessage `json:",embed"`
}

func (c *TaniumS2SConfig) validate(p *check.Problems) {
	p.RequireStrings(c, "access_client_id", "access_client_secret")
}

// SentinelOneS2SConfig is the config of an [IntegrationTypeSentinelOneS2S] integration. All its members are required.
type SentinelOneS2SConfig struct {
	APIURL       string                     `json:"api_url,omitzero"`
	ClientSecret Secret                     `json:"client_secret,omitzero"`
	Extra        map[string]json.RawMessage `json:",embed"`
}

func (c *SentinelOneS2SConfig) validate(p *check.Problems) { p.RequireStrings(c) }

// CustomS2SConfig is the config of an [IntegrationTypeCustomS2S] integration, with a service of your own that stands
// behind Cloudflare Access. All its members are required.
type CustomS2SConfig struct {
	// AccessClientID and AccessClientSecret are a service token of Cloudflare Access.
	AccessClientID     string                     `json:"access_client_id,omitzero"`
	AccessClientSecret Secret                     `json:"access_client_secret,omitzero"`
	APIURL             string                     `json:"api_url,omitzero"`
	Extra              map[string]json.RawMessage `json:",embed"`
}

func (c *CustomS2SConfig) validate(p *check.Problems) { p.RequireStrings(c) }

// UnknownConfig is a config whose type this package doesn't know, or that doesn't fit its type. It is sent as received.
// Because Raw may hold secrets, fmt and slog print only its length.
type UnknownConfig struct {
	// Type is the type of the integration.
	Type IntegrationType
	// Raw is the config as received. If it is empty, the integration has no config.
	Raw json.RawMessage
	// Reason says why the config has none of the other types.
	Reason string
}

// Format prints the type and the length of Raw, whatever the verb.
func (c UnknownConfig) Format(f fmt.State, _ rune) {
	variant.Print(f, api.Printable(fmt.Sprintf("{type:%s raw:%d bytes}", string(c.Type), len(c.Raw))))
}

// LogValue returns the type and the length of Raw.
func (c UnknownConfig) LogValue() slog.Value {
	return slog.GroupValue(slog.String("type", string(c.Type)), slog.Int("bytes", len(c.Raw)))
}

// A Secret is a credential of a service. fmt and slog print it as [redacted], also inside a config or an [Integration]; an
// empty secret prints as nothing. string(s) is the real value. encoding/json writes the real value, because the API needs
// it. slog's JSON handler uses encoding/json for slices, maps and structs, so it would write secrets in them: log configs
// one by one, or as text. Code that reads the string itself, such as go-cmp, shows the value; [Integration.Diff] doesn't.
type Secret string

// String returns [redacted], or "" for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return variant.Redacted
}

// Format prints what String returns, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { variant.Print(f, s.String()) }

// LogValue returns what String returns.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// configSecrets lists what must not appear in an error about a request that sends the config: its secrets, and every
// string in what this package doesn't know.
func configSecrets(config IntegrationConfig) []string {
	if unknown, ok := config.(*UnknownConfig); ok && unknown != nil {
		return wire.Strings(unknown.Raw)
	}
	return variant.Secrets(config)
}
