package cfposture

import (
	"encoding/json"
	"fmt"

	"github.com/cfposture/cfposture/internal/wire"
)

// A RuleType says what kind of check a rule is, and with it what its input holds.
type RuleType string

// The rule types, in the order of the API's documents. Types that are not among them are kept and sent like these.
const (
	RuleTypeFile                RuleType = "file"
	RuleTypeApplication         RuleType = "application"
	RuleTypeTanium              RuleType = "tanium"
	RuleTypeGateway             RuleType = "gateway"
	RuleTypeWARP                RuleType = "warp"
	RuleTypeDiskEncryption      RuleType = "disk_encryption"
	RuleTypeSerialNumber        RuleType = "serial_number"
	RuleTypeSentinelOne         RuleType = "sentinelone"
	RuleTypeCarbonBlack         RuleType = "carbonblack"
	RuleTypeFirewall            RuleType = "firewall"
	RuleTypeOSVersion           RuleType = "os_version"
	RuleTypeDomainJoined        RuleType = "domain_joined"
	RuleTypeClientCertificate   RuleType = "client_certificate"
	RuleTypeClientCertificateV2 RuleType = "client_certificate_v2"
	RuleTypeAntivirus           RuleType = "antivirus"
	RuleTypeUniqueClientID      RuleType = "unique_client_id"
	RuleTypeKolide              RuleType = "kolide"
	RuleTypeTaniumS2S           RuleType = "tanium_s2s"
	RuleTypeCrowdStrikeS2S      RuleType = "crowdstrike_s2s"
	RuleTypeIntune              RuleType = "intune"
	RuleTypeWorkspaceOne        RuleType = "workspace_one"
	RuleTypeSentinelOneS2S      RuleType = "sentinelone_s2s"
	RuleTypeCustomS2S           RuleType = "custom_s2s"
)

// A DeviceInput is what a rule checks: a pointer to one of the 23 variants below, or an *[UnknownInput]. A type switch
// tells which. Only this package implements it.
//
//sumtype:decl
type DeviceInput interface {
	// RuleType returns the type of the rules that have such an input.
	RuleType() RuleType
	validate(p *problems)
}

// inputTypes joins every rule type to its variant.
var inputTypes = [...]struct {
	ruleType RuleType
	new      func() DeviceInput
}{
	{RuleTypeFile, func() DeviceInput { return new(FileInput) }},
	{RuleTypeApplication, func() DeviceInput { return new(ApplicationInput) }},
	{RuleTypeTanium, func() DeviceInput { return new(TaniumInput) }},
	{RuleTypeGateway, func() DeviceInput { return new(GatewayInput) }},
	{RuleTypeWARP, func() DeviceInput { return new(WARPInput) }},
	{RuleTypeDiskEncryption, func() DeviceInput { return new(DiskEncryptionInput) }},
	{RuleTypeSerialNumber, func() DeviceInput { return new(SerialNumberInput) }},
	{RuleTypeSentinelOne, func() DeviceInput { return new(SentinelOneInput) }},
	{RuleTypeCarbonBlack, func() DeviceInput { return new(CarbonBlackInput) }},
	{RuleTypeFirewall, func() DeviceInput { return new(FirewallInput) }},
	{RuleTypeOSVersion, func() DeviceInput { return new(OSVersionInput) }},
	{RuleTypeDomainJoined, func() DeviceInput { return new(DomainJoinedInput) }},
	{RuleTypeClientCertificate, func() DeviceInput { return new(ClientCertificateInput) }},
	{RuleTypeClientCertificateV2, func() DeviceInput { return new(ClientCertificateV2Input) }},
	{RuleTypeAntivirus, func() DeviceInput { return new(AntivirusInput) }},
	{RuleTypeUniqueClientID, func() DeviceInput { return new(UniqueClientIDInput) }},
	{RuleTypeKolide, func() DeviceInput { return new(KolideInput) }},
	{RuleTypeTaniumS2S, func() DeviceInput { return new(TaniumS2SInput) }},
	{RuleTypeCrowdStrikeS2S, func() DeviceInput { return new(CrowdStrikeS2SInput) }},
	{RuleTypeIntune, func() DeviceInput { return new(IntuneInput) }},
	{RuleTypeWorkspaceOne, func() DeviceInput { return new(WorkspaceOneInput) }},
	{RuleTypeSentinelOneS2S, func() DeviceInput { return new(SentinelOneS2SInput) }},
	{RuleTypeCustomS2S, func() DeviceInput { return new(CustomS2SInput) }},
}

// RuleTypes returns the 23 rule types that have a variant of [DeviceInput], in the order of the API's documents.
func RuleTypes() []RuleType {
	types := make([]RuleType, len(inputTypes))
	for i := range inputTypes {
		types[i] = inputTypes[i].ruleType
	}
	return types
}

// NewInput returns the empty input of the type: an *[UnknownInput] if the type is none of [RuleTypes].
func NewInput(t RuleType) DeviceInput {
	for i := range inputTypes {
		if inputTypes[i].ruleType == t {
			return inputTypes[i].new()
		}
	}
	return &UnknownInput{Type: t}
}

// ParseInput reads the input of a rule of the type. One that doesn't fit the type is an *[UnknownInput] with the bytes
// as they came; only what is not JSON is an error.
func ParseInput(t RuleType, data []byte) (DeviceInput, error) {
	if !wire.Valid(data) {
		return nil, fmt.Errorf("cfposture: the %s input is not valid JSON", t)
	}
	return decodeInput(t, wire.Trim(string(data))), nil
}

// FileInput is the input of a [RuleTypeFile] rule: a file exists, or doesn't.
type FileInput struct {
	OperatingSystem Platform                   `json:"operating_system,omitzero"` // windows, mac or linux
	Path            string                     `json:"path,omitzero"`             // required
	Exists          *bool                      `json:"exists,omitzero"`
	SHA256          string                     `json:"sha256,omitzero"`
	Thumbprint      string                     `json:"thumbprint,omitzero"` // of the signing certificate
	Extra           map[string]json.RawMessage `json:",embed"`              // members this package doesn't know
}

// ApplicationInput is the input of a [RuleTypeApplication] rule: a program is running. The API's documents call it
// TeamsDevicesApplicationInputRequest.
type ApplicationInput struct {
	OperatingSystem Platform                   `json:"operating_system,omitzero"` // windows, mac or linux
	Path            string                     `json:"path,omitzero"`             // required
	SHA256          string                     `json:"sha256,omitzero"`
	Thumbprint      string                     `json:"thumbprint,omitzero"` // of the signing certificate
	Extra           map[string]json.RawMessage `json:",embed"`              // members this package doesn't know
}

// TaniumInput is the input of a [RuleTypeTanium] rule. The API's documents give it the members of [TaniumS2SInput] and
// don't say which of them it needs.
type TaniumInput struct {
	ConnectionID  string                     `json:"connection_id,omitzero"` // an integration's ID
	EIDLastSeen   string                     `json:"eid_last_seen,omitzero"`
	Operator      Operator                   `json:"operator,omitzero"` // for RiskLevel or EIDLastSeen
	RiskLevel     RiskLevel                  `json:"risk_level,omitzero"`
	ScoreOperator Operator                   `json:"scoreOperator,omitzero"` // for TotalScore
	TotalScore    *float64                   `json:"total_score,omitzero"`
	Extra         map[string]json.RawMessage `json:",embed"` // members this package doesn't know
	digits
}

// GatewayInput is the input of a [RuleTypeGateway] rule: traffic goes through Gateway. It has no members, and a rule
// sends no input unless Extra has something.
type GatewayInput struct {
	Extra map[string]json.RawMessage `json:",embed"` // members this package doesn't know
}

// WARPInput is the input of a [RuleTypeWARP] rule: the WARP client is connected. It has no members, and a rule sends no
// input unless Extra has something.
type WARPInput struct {
	Extra map[string]json.RawMessage `json:",embed"` // members this package doesn't know
}

// DiskEncryptionInput is the input of a [RuleTypeDiskEncryption] rule: disks are encrypted.
type DiskEncryptionInput struct {
	CheckDisks []string                   `json:"checkDisks,omitzero"` // names of volumes
	RequireAll *bool                      `json:"requireAll,omitzero"` // all disks, not CheckDisks alone
	Extra      map[string]json.RawMessage `json:",embed"`              // members this package doesn't know
}

// SerialNumberInput is the input of a [RuleTypeSerialNumber] rule: the serial number is in a list. The API's documents
// call it TeamsDevicesAccessSerialNumberListInputRequest.
type SerialNumberInput struct {
	ID    string                     `json:"id,omitzero"` // an Access list's UUID; required
	Extra map[string]json.RawMessage `json:",embed"`      // members this package doesn't know
}

// SentinelOneInput is the input of a [RuleTypeSentinelOne] rule: SentinelOne's agent is running. The API's documents
// call it SentineloneInput.
type SentinelOneInput struct {
	OperatingSystem Platform                   `json:"operating_system,omitzero"` // windows, mac or linux
	Path            string                     `json:"path,omitzero"`             // required
	SHA256          string                     `json:"sha256,omitzero"`
	Thumbprint      string                     `json:"thumbprint,omitzero"` // of the signing certificate
	Extra           map[string]json.RawMessage `json:",embed"`              // members this package doesn't know
}

// CarbonBlackInput is the input of a [RuleTypeCarbonBlack] rule: Carbon Black's agent is running. The API's documents
// call it TeamsDevicesCarbonblackInputRequest.
type CarbonBlackInput struct {
	OperatingSystem Platform                   `json:"operating_system,omitzero"` // windows, mac or linux
	Path            string                     `json:"path,omitzero"`             // required
	SHA256          string                     `json:"sha256,omitzero"`
	Thumbprint      string                     `json:"thumbprint,omitzero"` // of the signing certificate
	Extra           map[string]json.RawMessage `json:",embed"`              // members this package doesn't know
}

// FirewallInput is the input of a [RuleTypeFirewall] rule: the firewall is on, or off.
type FirewallInput struct {
	OperatingSystem Platform                   `json:"operating_system,omitzero"` // windows or mac
	Enabled         bool                       `json:"enabled"`
	Extra           map[string]json.RawMessage `json:",embed"` // members this package doesn't know
}

// OSVersionInput is the input of a [RuleTypeOSVersion] rule: the operating system's version compares as it should.
type OSVersionInput struct {
	OperatingSystem  Platform                   `json:"operating_system,omitzero"`
	Operator         Operator                   `json:"operator,omitzero"`           // required
	Version          string                     `json:"version,omitzero"`            // required; such as 10.0.19045
	OSDistroName     string                     `json:"os_distro_name,omitzero"`     // Linux
	OSDistroRevision string                     `json:"os_distro_revision,omitzero"` // Linux
	OSVersionExtra   string                     `json:"os_version_extra,omitzero"`   // Windows' UBR, the extra of a Mac's or iOS's version, Linux's distribution
	Extra            map[string]json.RawMessage `json:",embed"`                      // members this package doesn't know
}

// DomainJoinedInput is the input of a [RuleTypeDomainJoined] rule: a Windows device has joined a domain.
type DomainJoinedInput struct {
	OperatingSystem Platform                   `json:"operating_system,omitzero"` // windows
	Domain          string                     `json:"domain,omitzero"`           // empty: any
	Extra           map[string]json.RawMessage `json:",embed"`                    // members this package doesn't know
}

// ClientCertificateInput is the input of a [RuleTypeClientCertificate] rule: the device holds a certificate.
type ClientCertificateInput struct {
	CertificateID string                     `json:"certificate_id,omitzero"` // a UUID; required
	CN            string                     `json:"cn,omitzero"`             // the common name; required
	Extra         map[string]json.RawMessage `json:",embed"`                  // members this package doesn't know
}

// ClientCertificateV2Input is the input of a [RuleTypeClientCertificateV2] rule: the device holds a certificate, signed
// by the one that is named. The API's documents call it TeamsDevicesClientCertificateV2InputRequest.
type ClientCertificateV2Input struct {
	OperatingSystem         Platform                   `json:"operating_system,omitzero"` // windows, mac or linux
	CertificateID           string                     `json:"certificate_id,omitzero"`   // a UUID; required
	CheckPrivateKey         bool                       `json:"check_private_key"`         // the certificate came with its key
	CN                      string                     `json:"cn,omitzero"`               // the common name; ${serial_number} and ${hostname} are replaced
	ExtendedKeyUsage        []ExtendedKeyUsage         `json:"extended_key_usage,omitzero"`
	Locations               *CertificateLocations      `json:"locations,omitzero"`
	SubjectAlternativeNames []string                   `json:"subject_alternative_names,omitzero"`
	Extra                   map[string]json.RawMessage `json:",embed"` // members this package doesn't know
}

// CertificateLocations are where a device looks for a client certificate.
type CertificateLocations struct {
	Paths       []string                   `json:"paths,omitzero"` // Linux
	TrustStores []TrustStore               `json:"trust_stores,omitzero"`
	Extra       map[string]json.RawMessage `json:",embed"` // members this package doesn't know
}

// AntivirusInput is the input of a [RuleTypeAntivirus] rule: the antivirus is up to date. The API's documents call it
// TeamsDevicesAntivirusInputRequest.
type AntivirusInput struct {
	UpdateWindowDays *float64                   `json:"update_window_days,omitzero"` // since the last update, at the most
	Extra            map[string]json.RawMessage `json:",embed"`                      // members this package doesn't know
	digits
}

// UniqueClientIDInput is the input of a [RuleTypeUniqueClientID] rule: the client's ID is in a list.
type UniqueClientIDInput struct {
	OperatingSystem Platform                   `json:"operating_system,omitzero"` // android, ios or chromeos; required
	ID              string                     `json:"id,omitzero"`               // a list's UUID; required
	Extra           map[string]json.RawMessage `json:",embed"`                    // members this package doesn't know
}

// KolideInput is the input of a [RuleTypeKolide] rule. It needs an integration, and AuthState or both CountOperator and
// IssueCount.
type KolideInput struct {
	ConnectionID  string                     `json:"connection_id,omitzero"` // an integration's ID; required
	AuthState     []KolideAuthState          `json:"auth_state,omitzero"`    // one of these
	CountOperator Operator                   `json:"countOperator,omitzero"`
	IssueCount    string                     `json:"issue_count,omitzero"` // a number, as a string
	Extra         map[string]json.RawMessage `json:",embed"`               // members this package doesn't know
}

// TaniumS2SInput is the input of a [RuleTypeTaniumS2S] rule. It needs an integration. The API's documents call it
// TaniumInput.
type TaniumS2SInput struct {
	ConnectionID  string                     `json:"connection_id,omitzero"` // an integration's ID; required
	EIDLastSeen   string                     `json:"eid_last_seen,omitzero"` // such as 1h
	Operator      Operator                   `json:"operator,omitzero"`      // for RiskLevel or EIDLastSeen
	RiskLevel     RiskLevel                  `json:"risk_level,omitzero"`
	ScoreOperator Operator                   `json:"scoreOperator,omitzero"` // for TotalScore
	TotalScore    *float64                   `json:"total_score,omitzero"`   // may have decimals
	Extra         map[string]json.RawMessage `json:",embed"`                 // members this package doesn't know
	digits
}

// CrowdStrikeS2SInput is the input of a [RuleTypeCrowdStrikeS2S] rule. It needs an integration. The API's documents call
// it CrowdstrikeInput.
type CrowdStrikeS2SInput struct {
	ConnectionID    string                     `json:"connection_id,omitzero"` // an integration's ID; required
	LastSeen        string                     `json:"last_seen,omitzero"`     // such as 30m, 1h, 2d
	Operator        Operator                   `json:"operator,omitzero"`
	OS              string                     `json:"os,omitzero"`            // the score of the operating system
	Overall         string                     `json:"overall,omitzero"`       // the score as a whole
	SensorConfig    string                     `json:"sensor_config,omitzero"` // the score of the sensor's configuration
	State           CrowdStrikeState           `json:"state,omitzero"`
	Version         string                     `json:"version,omitzero"`
	VersionOperator Operator                   `json:"versionOperator,omitzero"` // for Version
	Extra           map[string]json.RawMessage `json:",embed"`                   // members this package doesn't know
}

// IntuneInput is the input of a [RuleTypeIntune] rule. It needs an integration.
type IntuneInput struct {
	ConnectionID     string                     `json:"connection_id,omitzero"`     // an integration's ID; required
	ComplianceStatus ComplianceStatus           `json:"compliance_status,omitzero"` // required
	Extra            map[string]json.RawMessage `json:",embed"`                     // members this package doesn't know
}

// WorkspaceOneInput is the input of a [RuleTypeWorkspaceOne] rule. It needs an integration.
type WorkspaceOneInput struct {
	ConnectionID     string                     `json:"connection_id,omitzero"`     // an integration's ID; required
	ComplianceStatus ComplianceStatus           `json:"compliance_status,omitzero"` // compliant, noncompliant or unknown; required
	Extra            map[string]json.RawMessage `json:",embed"`                     // members this package doesn't know
}

// SentinelOneS2SInput is the input of a [RuleTypeSentinelOneS2S] rule. It needs an integration. The API's documents call
// it SentineloneS2sInput.
type SentinelOneS2SInput struct {
	ConnectionID     string                     `json:"connection_id,omitzero"`  // an integration's ID; required
	ActiveThreats    *float64                   `json:"active_threats,omitzero"` // how many
	Operator         Operator                   `json:"operator,omitzero"`       // for ActiveThreats
	Infected         *bool                      `json:"infected,omitzero"`
	IsActive         *bool                      `json:"is_active,omitzero"`
	NetworkStatus    NetworkStatus              `json:"network_status,omitzero"`
	OperationalState OperationalState           `json:"operational_state,omitzero"` // of the agent
	Extra            map[string]json.RawMessage `json:",embed"`                     // members this package doesn't know
	digits
}

// CustomS2SInput is the input of a [RuleTypeCustomS2S] rule: the score that a service of one's own gives. It needs an
// integration. The API's documents call it TeamsDevicesCustomS2sInputRequest.
type CustomS2SInput struct {
	ConnectionID string                     `json:"connection_id,omitzero"` // an integration's ID; required
	Operator     Operator                   `json:"operator,omitzero"`      // required
	Score        float64                    `json:"score"`                  // 0 to 100
	Extra        map[string]json.RawMessage `json:",embed"`                 // members this package doesn't know
	digits
}

// UnknownInput is an input whose type this package doesn't know, or that doesn't fit its type. It is sent as it is.
type UnknownInput struct {
	Type RuleType        // the rule's
	Raw  json.RawMessage // the bytes as they came; empty: the rule has no input
}

// RuleType returns [RuleTypeFile].
func (*FileInput) RuleType() RuleType { return RuleTypeFile }

// RuleType returns [RuleTypeApplication].
func (*ApplicationInput) RuleType() RuleType { return RuleTypeApplication }

// RuleType returns [RuleTypeTanium].
func (*TaniumInput) RuleType() RuleType { return RuleTypeTanium }

// RuleType returns [RuleTypeGateway].
func (*GatewayInput) RuleType() RuleType { return RuleTypeGateway }

// RuleType returns [RuleTypeWARP].
func (*WARPInput) RuleType() RuleType { return RuleTypeWARP }

// RuleType returns [RuleTypeDiskEncryption].
func (*DiskEncryptionInput) RuleType() RuleType { return RuleTypeDiskEncryption }

// RuleType returns [RuleTypeSerialNumber].
func (*SerialNumberInput) RuleType() RuleType { return RuleTypeSerialNumber }

// RuleType returns [RuleTypeSentinelOne].
func (*SentinelOneInput) RuleType() RuleType { return RuleTypeSentinelOne }

// RuleType returns [RuleTypeCarbonBlack].
func (*CarbonBlackInput) RuleType() RuleType { return RuleTypeCarbonBlack }

// RuleType returns [RuleTypeFirewall].
func (*FirewallInput) RuleType() RuleType { return RuleTypeFirewall }

// RuleType returns [RuleTypeOSVersion].
func (*OSVersionInput) RuleType() RuleType { return RuleTypeOSVersion }

// RuleType returns [RuleTypeDomainJoined].
func (*DomainJoinedInput) RuleType() RuleType { return RuleTypeDomainJoined }

// RuleType returns [RuleTypeClientCertificate].
func (*ClientCertificateInput) RuleType() RuleType { return RuleTypeClientCertificate }

// RuleType returns [RuleTypeClientCertificateV2].
func (*ClientCertificateV2Input) RuleType() RuleType { return RuleTypeClientCertificateV2 }

// RuleType returns [RuleTypeAntivirus].
func (*AntivirusInput) RuleType() RuleType { return RuleTypeAntivirus }

// RuleType returns [RuleTypeUniqueClientID].
func (*UniqueClientIDInput) RuleType() RuleType { return RuleTypeUniqueClientID }

// RuleType returns [RuleTypeKolide].
func (*KolideInput) RuleType() RuleType { return RuleTypeKolide }

// RuleType returns [RuleTypeTaniumS2S].
func (*TaniumS2SInput) RuleType() RuleType { return RuleTypeTaniumS2S }

// RuleType returns [RuleTypeCrowdStrikeS2S].
func (*CrowdStrikeS2SInput) RuleType() RuleType { return RuleTypeCrowdStrikeS2S }

// RuleType returns [RuleTypeIntune].
func (*IntuneInput) RuleType() RuleType { return RuleTypeIntune }

// RuleType returns [RuleTypeWorkspaceOne].
func (*WorkspaceOneInput) RuleType() RuleType { return RuleTypeWorkspaceOne }

// RuleType returns [RuleTypeSentinelOneS2S].
func (*SentinelOneS2SInput) RuleType() RuleType { return RuleTypeSentinelOneS2S }

// RuleType returns [RuleTypeCustomS2S].
func (*CustomS2SInput) RuleType() RuleType { return RuleTypeCustomS2S }

// RuleType returns the type of the rule that the input was read from, or was made for.
func (in *UnknownInput) RuleType() RuleType {
	if in == nil {
		return ""
	}
	return in.Type
}

// decodeInput reads an input from valid JSON. The input's strings are parts of text.
func decodeInput(t RuleType, text string) DeviceInput {
	input := NewInput(t)
	if _, unknown := input.(*UnknownInput); unknown || decodeMembers(text, input) != nil {
		return &UnknownInput{t, json.RawMessage(text)}
	}
	return input
}

// appendInput writes what a rule sends as its input: nothing for nil, and for one that has no members.
func appendInput(dst []byte, input DeviceInput) ([]byte, error) {
	if isNil(input) {
		return dst, nil
	}
	switch input := input.(type) {
	case *GatewayInput:
		if len(input.Extra) == 0 {
			return dst, nil
		}
	case *WARPInput:
		if len(input.Extra) == 0 {
			return dst, nil
		}
	case *UnknownInput:
		return appendRaw(dst, input.Raw)
	default:
	}
	return appendMembers(dst, input)
}
