package cfposture

import (
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/cfposture/cfposture/internal/wire"
)

// An IntegrationType says which service an integration connects to, and with it what its config holds.
type IntegrationType string

// The integration types, in the order of the API's documents. Types that are not among them are kept and sent like
// these.
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

// An IntegrationConfig is how a service is reached: a pointer to one of the eight variants below, or an
// *[UnknownConfig]. A type switch tells which. Only this package implements it.
//
//sumtype:decl
type IntegrationConfig interface {
	// IntegrationType returns the type of the integrations that have such a config.
	IntegrationType() IntegrationType
	validate(p *problems)
}

// configTypes joins every integration type to its variant.
var configTypes = [...]struct {
	integrationType IntegrationType
	new             func() IntegrationConfig
}{
	{IntegrationTypeWorkspaceOne, func() IntegrationConfig { return new(WorkspaceOneConfig) }},
	{IntegrationTypeCrowdStrikeS2S, func() IntegrationConfig { return new(CrowdStrikeS2SConfig) }},
	{IntegrationTypeUptycs, func() IntegrationConfig { return new(UptycsConfig) }},
	{IntegrationTypeIntune, func() IntegrationConfig { return new(IntuneConfig) }},
	{IntegrationTypeKolide, func() IntegrationConfig { return new(KolideConfig) }},
	{IntegrationTypeTaniumS2S, func() IntegrationConfig { return new(TaniumS2SConfig) }},
	{IntegrationTypeSentinelOneS2S, func() IntegrationConfig { return new(SentinelOneS2SConfig) }},
	{IntegrationTypeCustomS2S, func() IntegrationConfig { return new(CustomS2SConfig) }},
}

// IntegrationTypes returns the eight integration types that have a variant of [IntegrationConfig], in the order of the
// API's documents.
func IntegrationTypes() []IntegrationType {
	types := make([]IntegrationType, len(configTypes))
	for i := range configTypes {
		types[i] = configTypes[i].integrationType
	}
	return types
}

// NewConfig returns the empty config of the type: an *[UnknownConfig] if the type is none of [IntegrationTypes].
func NewConfig(t IntegrationType) IntegrationConfig {
	for i := range configTypes {
		if configTypes[i].integrationType == t {
			return configTypes[i].new()
		}
	}
	return &UnknownConfig{Type: t}
}

// ParseConfig reads the config of an integration of the type. One that doesn't fit the type is an *[UnknownConfig] with
// the bytes as they came; only what is not JSON is an error.
func ParseConfig(t IntegrationType, data []byte) (IntegrationConfig, error) {
	if !wire.Valid(data) {
		return nil, fmt.Errorf("cfposture: the %s config is not valid JSON", t)
	}
	return decodeConfig(t, wire.Trim(string(data))), nil
}

// WorkspaceOneConfig is the config of an [IntegrationTypeWorkspaceOne] integration. All its members are required.
type WorkspaceOneConfig struct {
	APIURL       string                     `json:"api_url,omitzero"`
	AuthURL      string                     `json:"auth_url,omitzero"` // depends on the region
	ClientID     string                     `json:"client_id,omitzero"`
	ClientSecret Secret                     `json:"client_secret,omitzero"`
	Extra        map[string]json.RawMessage `json:",embed"` // members this package doesn't know
}

// CrowdStrikeS2SConfig is the config of an [IntegrationTypeCrowdStrikeS2S] integration. All its members are required.
type CrowdStrikeS2SConfig struct {
	APIURL       string                     `json:"api_url,omitzero"`
	ClientID     string                     `json:"client_id,omitzero"`
	ClientSecret Secret                     `json:"client_secret,omitzero"`
	CustomerID   string                     `json:"customer_id,omitzero"`
	Extra        map[string]json.RawMessage `json:",embed"` // members this package doesn't know
}

// UptycsConfig is the config of an [IntegrationTypeUptycs] integration. All its members are required.
type UptycsConfig struct {
	APIURL       string                     `json:"api_url,omitzero"`
	ClientKey    Secret                     `json:"client_key,omitzero"`
	ClientSecret Secret                     `json:"client_secret,omitzero"`
	CustomerID   string                     `json:"customer_id,omitzero"`
	Extra        map[string]json.RawMessage `json:",embed"` // members this package doesn't know
}

// IntuneConfig is the config of an [IntegrationTypeIntune] integration. All its members are required.
type IntuneConfig struct {
	ClientID     string                     `json:"client_id,omitzero"`
	ClientSecret Secret                     `json:"client_secret,omitzero"`
	CustomerID   string                     `json:"customer_id,omitzero"` // the tenant's ID
	Extra        map[string]json.RawMessage `json:",embed"`               // members this package doesn't know
}

// KolideConfig is the config of an [IntegrationTypeKolide] integration. All its members are required.
type KolideConfig struct {
	ClientID     string                     `json:"client_id,omitzero"`
	ClientSecret Secret                     `json:"client_secret,omitzero"`
	Extra        map[string]json.RawMessage `json:",embed"` // members this package doesn't know
}

// TaniumS2SConfig is the config of an [IntegrationTypeTaniumS2S] integration. The pair of Access members is for a Tanium
// that stands behind Cloudflare Access.
type TaniumS2SConfig struct {
	APIURL             string                     `json:"api_url,omitzero"`       // required
	ClientSecret       Secret                     `json:"client_secret,omitzero"` // required
	AccessClientID     string                     `json:"access_client_id,omitzero"`
	AccessClientSecret Secret                     `json:"access_client_secret,omitzero"`
	Extra              map[string]json.RawMessage `json:",embed"` // members this package doesn't know
}

// SentinelOneS2SConfig is the config of an [IntegrationTypeSentinelOneS2S] integration. All its members are required.
type SentinelOneS2SConfig struct {
	APIURL       string                     `json:"api_url,omitzero"`
	ClientSecret Secret                     `json:"client_secret,omitzero"`
	Extra        map[string]json.RawMessage `json:",embed"` // members this package doesn't know
}

// CustomS2SConfig is the config of an [IntegrationTypeCustomS2S] integration: a service of one's own, behind Cloudflare
// Access. All its members are required.
type CustomS2SConfig struct {
	AccessClientID     string                     `json:"access_client_id,omitzero"`
	AccessClientSecret Secret                     `json:"access_client_secret,omitzero"`
	APIURL             string                     `json:"api_url,omitzero"`
	Extra              map[string]json.RawMessage `json:",embed"` // members this package doesn't know
}

// UnknownConfig is a config whose type this package doesn't know, or that doesn't fit its type. It is sent as it is.
// Because Raw may hold secrets, fmt and slog print its length alone.
type UnknownConfig struct {
	Type IntegrationType // the integration's
	Raw  json.RawMessage // the bytes as they came; empty: the integration has no config
}

// IntegrationType returns [IntegrationTypeWorkspaceOne].
func (*WorkspaceOneConfig) IntegrationType() IntegrationType { return IntegrationTypeWorkspaceOne }

// IntegrationType returns [IntegrationTypeCrowdStrikeS2S].
func (*CrowdStrikeS2SConfig) IntegrationType() IntegrationType { return IntegrationTypeCrowdStrikeS2S }

// IntegrationType returns [IntegrationTypeUptycs].
func (*UptycsConfig) IntegrationType() IntegrationType { return IntegrationTypeUptycs }

// IntegrationType returns [IntegrationTypeIntune].
func (*IntuneConfig) IntegrationType() IntegrationType { return IntegrationTypeIntune }

// IntegrationType returns [IntegrationTypeKolide].
func (*KolideConfig) IntegrationType() IntegrationType { return IntegrationTypeKolide }

// IntegrationType returns [IntegrationTypeTaniumS2S].
func (*TaniumS2SConfig) IntegrationType() IntegrationType { return IntegrationTypeTaniumS2S }

// IntegrationType returns [IntegrationTypeSentinelOneS2S].
func (*SentinelOneS2SConfig) IntegrationType() IntegrationType { return IntegrationTypeSentinelOneS2S }

// IntegrationType returns [IntegrationTypeCustomS2S].
func (*CustomS2SConfig) IntegrationType() IntegrationType { return IntegrationTypeCustomS2S }

// IntegrationType returns the type of the integration that the config was read from, or was made for.
func (c *UnknownConfig) IntegrationType() IntegrationType {
	if c == nil {
		return ""
	}
	return c.Type
}

// decodeConfig reads a config from valid JSON. The config's strings are parts of text.
func decodeConfig(t IntegrationType, text string) IntegrationConfig {
	config := NewConfig(t)
	if _, unknown := config.(*UnknownConfig); unknown || decodeMembers(text, config) != nil {
		return &UnknownConfig{t, json.RawMessage(text)}
	}
	return config
}

// appendConfig writes what an integration sends as its config; nothing for nil.
func appendConfig(dst []byte, config IntegrationConfig) ([]byte, error) {
	if isNil(config) {
		return dst, nil
	}
	if unknown, ok := config.(*UnknownConfig); ok {
		return appendRaw(dst, unknown.Raw)
	}
	return appendMembers(dst, config)
}

// Format prints the config without its secrets.
func (c WorkspaceOneConfig) Format(f fmt.State, _ rune) { formatConfig(f, c) }

// LogValue returns the config without its secrets.
func (c WorkspaceOneConfig) LogValue() slog.Value { return logConfig(c) }

// Format prints the config without its secrets.
func (c CrowdStrikeS2SConfig) Format(f fmt.State, _ rune) { formatConfig(f, c) }

// LogValue returns the config without its secrets.
func (c CrowdStrikeS2SConfig) LogValue() slog.Value { return logConfig(c) }

// Format prints the config without its secrets.
func (c UptycsConfig) Format(f fmt.State, _ rune) { formatConfig(f, c) }

// LogValue returns the config without its secrets.
func (c UptycsConfig) LogValue() slog.Value { return logConfig(c) }

// Format prints the config without its secrets.
func (c IntuneConfig) Format(f fmt.State, _ rune) { formatConfig(f, c) }

// LogValue returns the config without its secrets.
func (c IntuneConfig) LogValue() slog.Value { return logConfig(c) }

// Format prints the config without its secrets.
func (c KolideConfig) Format(f fmt.State, _ rune) { formatConfig(f, c) }

// LogValue returns the config without its secrets.
func (c KolideConfig) LogValue() slog.Value { return logConfig(c) }

// Format prints the config without its secrets.
func (c TaniumS2SConfig) Format(f fmt.State, _ rune) { formatConfig(f, c) }

// LogValue returns the config without its secrets.
func (c TaniumS2SConfig) LogValue() slog.Value { return logConfig(c) }

// Format prints the config without its secrets.
func (c SentinelOneS2SConfig) Format(f fmt.State, _ rune) { formatConfig(f, c) }

// LogValue returns the config without its secrets.
func (c SentinelOneS2SConfig) LogValue() slog.Value { return logConfig(c) }

// Format prints the config without its secrets.
func (c CustomS2SConfig) Format(f fmt.State, _ rune) { formatConfig(f, c) }

// LogValue returns the config without its secrets.
func (c CustomS2SConfig) LogValue() slog.Value { return logConfig(c) }

// Format prints the type and the length of Raw.
func (c UnknownConfig) Format(f fmt.State, _ rune) {
	printString(f, fmt.Sprintf("{type:%s raw:%d bytes}", string(c.Type), len(c.Raw)))
}

// LogValue returns the type and the length of Raw.
func (c UnknownConfig) LogValue() slog.Value {
	return slog.GroupValue(slog.String("type", string(c.Type)), slog.Int("bytes", len(c.Raw)))
}
