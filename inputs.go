package cfposture

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/cfposture/cfposture/internal/api"
	"github.com/cfposture/cfposture/internal/check"
	"github.com/cfposture/cfposture/internal/interval"
	"github.com/cfposture/cfposture/internal/variant"
	"github.com/cfposture/cfposture/internal/wire"
)

// A RuleType names what a rule checks. It determines the Go type of the rule's Input.
type RuleType string

// The rule types, in the order of the API's documents. A type that is not among them is kept and sent all the same.
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

// A DeviceInput holds what a rule checks: a pointer to the type that belongs to the rule's type, or an *[UnknownInput].
// Use a type switch to find out which. Only this package implements it.
//
//   - [RuleTypeFile]: [FileInput], a file exists or doesn't
//   - [RuleTypeApplication]: [ApplicationInput], a program runs
//   - [RuleTypeTanium]: [TaniumInput], Tanium's rating of the device, through the legacy integration of Access
//   - [RuleTypeGateway]: [GatewayInput], the device's traffic passes through Gateway
//   - [RuleTypeWARP]: [WARPInput], the WARP client is connected
//   - [RuleTypeDiskEncryption]: [DiskEncryptionInput], disks are encrypted
//   - [RuleTypeSerialNumber]: [SerialNumberInput], the serial number is on a list
//   - [RuleTypeSentinelOne]: [SentinelOneInput], SentinelOne's agent runs
//   - [RuleTypeCarbonBlack]: [CarbonBlackInput], Carbon Black's agent runs
//   - [RuleTypeFirewall]: [FirewallInput], the firewall is on or off
//   - [RuleTypeOSVersion]: [OSVersionInput], the version of the operating system
//   - [RuleTypeDomainJoined]: [DomainJoinedInput], the device has joined a Windows domain
//   - [RuleTypeClientCertificate]: [ClientCertificateInput], the device holds a certificate
//   - [RuleTypeClientCertificateV2]: [ClientCertificateV2Input], the same with more conditions
//   - [RuleTypeAntivirus]: [AntivirusInput], the antivirus software is up to date
//   - [RuleTypeUniqueClientID]: [UniqueClientIDInput], the client's ID is on a list
//   - [RuleTypeKolide]: [KolideInput], the device's state in Kolide
//   - [RuleTypeTaniumS2S]: [TaniumS2SInput], Tanium's rating of the device
//   - [RuleTypeCrowdStrikeS2S]: [CrowdStrikeS2SInput], CrowdStrike's scores of the device
//   - [RuleTypeIntune]: [IntuneInput], Intune's compliance status of the device
//   - [RuleTypeWorkspaceOne]: [WorkspaceOneInput], Workspace ONE's compliance status of the device
//   - [RuleTypeSentinelOneS2S]: [SentinelOneS2SInput], SentinelOne's findings on the device
//   - [RuleTypeCustomS2S]: [CustomS2SInput], the score that a service of your own gives the device
//
// In each of them, Extra holds the members that this package has no field for. They are sent back as received. The field
// OperatingSystem is one of the Platform constants, usually the platform in Match; the live API accepts inputs without it.
//
//sumtype:decl
type DeviceInput interface {
	// RuleType returns the type of the rules that have such an input.
	RuleType() RuleType
	validate(p *check.Problems)
	clone() DeviceInput
}

// RuleTypes returns the rule types that have a type of [DeviceInput], in the order of the API's documents.
func RuleTypes() []RuleType { return slices.Clone(ruleTypes) }

// NewInput returns an empty input for rules of the given type. It is an *[UnknownInput] if the type is none of
// [RuleTypes].
func NewInput(t RuleType) DeviceInput {
	if input := newInput(t); input != nil {
		return input
	}
	return &UnknownInput{Type: t}
}

// ParseInput reads the input of a rule of the given type, as strictly as [ParseRule]. Paths are relative to the input;
// those in allow may also begin with "input.".
func ParseInput(t RuleType, data []byte, allow ...string) (DeviceInput, error) {
	d := wire.NewDocument(data, allow, "input.")
	input := parseInput(d, "", t, d.Text)
	check.Type(d, "rule", t, ruleTypes)
	d.CheckUnknowns(wire.Unknowns(input, "", nil), map[string]string{"": string(t)})
	return parsed(d, input, check.Subject("input", "", t), input.validate)
}

// ConnectionID returns the ID of the integration that an input names. It returns "" if the input names none, or if its type
// has no connection_id.
func ConnectionID(input DeviceInput) string {
	if id := connectionID(input); id != nil {
		return *id
	}
	return ""
}

// SetConnectionID sets the connection_id of an input. It reports whether the type of input has one.
func SetConnectionID(input DeviceInput, id string) bool {
	field := connectionID(input)
	if field != nil {
		*field = id
	}
	return field != nil
}

// connectionID returns the field of an input that names an integration, or nil.
func connectionID(input DeviceInput) *string {
	field, _ := variant.Field(input, "connection_id").(*string)
	return field
}

// FileInput is the input of a [RuleTypeFile] rule, which checks whether a file exists.
type FileInput struct {
	// OperatingSystem is windows, mac or linux.
	OperatingSystem Platform `json:"operating_system,omitzero"`
	// Path is the path of the file. Required.
	Path string `json:"path,omitzero"`
	// Exists is true if the file must exist, and false if it must not.
	Exists *bool `json:"exists,omitzero"`
	// SHA256 is the hash of the file, 64 hexadecimal digits.
	SHA256 string `json:"sha256,omitzero"`
	// Thumbprint is the SHA-1 hash of the certificate that the file is signed with, 40 hexadecimal digits.
	Thumbprint string                     `json:"thumbprint,omitzero"`
	Extra      map[string]json.RawMessage `json:",embed"`
}

func (in *FileInput) validate(p *check.Problems) { p.Required("path", in.Path) }

// ApplicationInput is the input of a [RuleTypeApplication] rule, which checks that a program runs. The API's documents
// call it TeamsDevicesApplicationInputRequest.
type ApplicationInput struct {
	// OperatingSystem is windows, mac or linux.
	OperatingSystem Platform `json:"operating_system,omitzero"`
	// Path is the path of the program's file. Required.
	Path string `json:"path,omitzero"`
	// SHA256 is the hash of the file, 64 hexadecimal digits.
	SHA256 string `json:"sha256,omitzero"`
	// Thumbprint is the SHA-1 hash of the certificate that the file is signed with, 40 hexadecimal digits.
	Thumbprint string                     `json:"thumbprint,omitzero"`
	Extra      map[string]json.RawMessage `json:",embed"`
}

func (in *ApplicationInput) validate(p *check.Problems) { p.Required("path", in.Path) }

// TaniumInput is the input of a [RuleTypeTanium] rule, which uses the legacy integration of Tanium with Access. The API's
// documents give it the members of [TaniumS2SInput] without saying which of them it needs.
type TaniumInput struct {
	// ConnectionID is the ID of an integration.
	ConnectionID string `json:"connection_id,omitzero"`
	// EIDLastSeen is how long ago Tanium saw the device, such as 1h. Older rules hold a point in time.
	EIDLastSeen string `json:"eid_last_seen,omitzero"`
	// Operator compares Tanium's value with RiskLevel or EIDLastSeen.
	Operator Operator `json:"operator,omitzero"`
	// RiskLevel is the risk level to compare with.
	RiskLevel RiskLevel `json:"risk_level,omitzero"`
	// ScoreOperator compares Tanium's score with TotalScore.
	ScoreOperator Operator `json:"scoreOperator,omitzero"`
	// TotalScore is the score to compare with, from 1 to 1000. It may have decimals.
	TotalScore *float64                   `json:"total_score,omitzero"`
	Extra      map[string]json.RawMessage `json:",embed"`
}

func (in *TaniumInput) validate(p *check.Problems) {
	p.IDLength("connection_id", in.ConnectionID)
	in.Operator.validate(p, "operator")
	in.ScoreOperator.validate(p, "scoreOperator")
	p.Number("total_score", in.TotalScore)
}

// GatewayInput is the input of a [RuleTypeGateway] rule, which checks that the device's traffic passes through Gateway.
// It has no members, and a rule sends it only if Extra has some.
type GatewayInput struct {
	Extra map[string]json.RawMessage `json:",embed"`
}

func (*GatewayInput) validate(*check.Problems) {}

// WARPInput is the input of a [RuleTypeWARP] rule, which checks that the WARP client is connected. It has no members,
// and a rule sends it only if Extra has some.
type WARPInput struct {
	Extra map[string]json.RawMessage `json:",embed"`
}

func (*WARPInput) validate(*check.Problems) {}

// DiskEncryptionInput is the input of a [RuleTypeDiskEncryption] rule, which checks that disks are encrypted.
type DiskEncryptionInput struct {
	// CheckDisks names the volumes to check, such as C.
	CheckDisks []string `json:"checkDisks,omitzero"`
	// RequireAll is whether all disks must be encrypted, and not only those of CheckDisks.
	RequireAll *bool                      `json:"requireAll,omitzero"`
	Extra      map[string]json.RawMessage `json:",embed"`
}

func (*DiskEncryptionInput) validate(*check.Problems) {}

// SerialNumberInput is the input of a [RuleTypeSerialNumber] rule, which checks that the device's serial number is on a
// list. The API's documents call it TeamsDevicesAccessSerialNumberListInputRequest.
type SerialNumberInput struct {
	// ID is the UUID of a Gateway list of kind SERIAL. Required.
	ID    string                     `json:"id,omitzero"`
	Extra map[string]json.RawMessage `json:",embed"`
}

func (in *SerialNumberInput) validate(p *check.Problems) { p.ID("id", in.ID) }

// SentinelOneInput is the input of a [RuleTypeSentinelOne] rule, which checks that SentinelOne's agent runs. The API's
// documents call it SentineloneInput.
type SentinelOneInput struct {
	// OperatingSystem is windows, mac or linux.
	OperatingSystem Platform `json:"operating_system,omitzero"`
	// Path is the path of the agent's file. Required.
	Path string `json:"path,omitzero"`
	// SHA256 is the hash of the file, 64 hexadecimal digits.
	SHA256 string `json:"sha256,omitzero"`
	// Thumbprint is the SHA-1 hash of the certificate that the file is signed with, 40 hexadecimal digits.
	Thumbprint string                     `json:"thumbprint,omitzero"`
	Extra      map[string]json.RawMessage `json:",embed"`
}

func (in *SentinelOneInput) validate(p *check.Problems) { p.Required("path", in.Path) }

// CarbonBlackInput is the input of a [RuleTypeCarbonBlack] rule, which checks that Carbon Black's agent runs. The API's
// documents call it TeamsDevicesCarbonblackInputRequest.
type CarbonBlackInput struct {
	// OperatingSystem is windows, mac or linux.
	OperatingSystem Platform `json:"operating_system,omitzero"`
	// Path is the path of the agent's file. Required.
	Path string `json:"path,omitzero"`
	// SHA256 is the hash of the file, 64 hexadecimal digits.
	SHA256 string `json:"sha256,omitzero"`
	// Thumbprint is the SHA-1 hash of the certificate that the file is signed with, 40 hexadecimal digits.
	Thumbprint string                     `json:"thumbprint,omitzero"`
	Extra      map[string]json.RawMessage `json:",embed"`
}

func (in *CarbonBlackInput) validate(p *check.Problems) { p.Required("path", in.Path) }

// FirewallInput is the input of a [RuleTypeFirewall] rule, which checks whether the firewall is on.
type FirewallInput struct {
	// OperatingSystem is windows or mac.
	OperatingSystem Platform `json:"operating_system,omitzero"`
	// Enabled is true if the firewall must be on, and false if it must be off. Required.
	Enabled *bool                      `json:"enabled,omitzero"`
	Extra   map[string]json.RawMessage `json:",embed"`
}

func (in *FirewallInput) validate(p *check.Problems) { p.RequiredIsSet("enabled", in.Enabled != nil) }

// OSVersionInput is the input of a [RuleTypeOSVersion] rule, which compares the version of the operating system.
type OSVersionInput struct {
	// OperatingSystem is one of the Platform constants.
	OperatingSystem Platform `json:"operating_system,omitzero"`
	// Operator compares the device's version with Version. Required.
	Operator Operator `json:"operator,omitzero"`
	// Version is a full version of the form x.y.z, such as 10.0.19045. Required.
	Version string `json:"version,omitzero"`
	// OSDistroName is the name of a Linux distribution, such as ubuntu.
	OSDistroName string `json:"os_distro_name,omitzero"`
	// OSDistroRevision is the version of a Linux distribution, such as 24.04.
	OSDistroRevision string `json:"os_distro_revision,omitzero"`
	// OSVersionExtra is the update build revision on Windows, the suffix such as (a) on macOS and iOS, and the distribution
	// on Linux.
	OSVersionExtra string                     `json:"os_version_extra,omitzero"`
	Extra          map[string]json.RawMessage `json:",embed"`
}

func (in *OSVersionInput) validate(p *check.Problems) {
	p.Required("operator", string(in.Operator))
	in.Operator.validate(p, "operator")
	p.Required("version", in.Version)
}

// DomainJoinedInput is the input of a [RuleTypeDomainJoined] rule, which checks that the device has joined a domain.
type DomainJoinedInput struct {
	// OperatingSystem is windows.
	OperatingSystem Platform `json:"operating_system,omitzero"`
	// Domain is the name of the domain, which is case-sensitive. If it is unset, any domain passes.
	Domain string                     `json:"domain,omitzero"`
	Extra  map[string]json.RawMessage `json:",embed"`
}

func (*DomainJoinedInput) validate(*check.Problems) {}

// ClientCertificateInput is the input of a [RuleTypeClientCertificate] rule, which checks that the device holds a
// certificate.
type ClientCertificateInput struct {
	// CertificateID is the UUID of the certificate that signed the device's certificate. Required.
	CertificateID string `json:"certificate_id,omitzero"`
	// CN is the common name of the device's certificate. Required. ${serial_number} and ${hostname} in it stand for the
	// device's serial number and host name.
	CN    string                     `json:"cn,omitzero"`
	Extra map[string]json.RawMessage `json:",embed"`
}

func (in *ClientCertificateInput) validate(p *check.Problems) {
	p.ID("certificate_id", in.CertificateID)
	p.Required("cn", in.CN)
	validateCommonName(p, in.CN)
}

// ClientCertificateV2Input is the input of a [RuleTypeClientCertificateV2] rule, which checks that the device holds a
// certificate that meets all conditions. The API's documents call it TeamsDevicesClientCertificateV2InputRequest.
type ClientCertificateV2Input struct {
	// OperatingSystem is windows, mac or linux.
	OperatingSystem Platform `json:"operating_system,omitzero"`
	// CertificateID is the UUID of the certificate that signed the device's certificate. Required.
	CertificateID string `json:"certificate_id,omitzero"`
	// CheckPrivateKey is whether the device must hold the certificate's private key. Required.
	CheckPrivateKey *bool `json:"check_private_key,omitzero"`
	// CN is the common name of the device's certificate. ${serial_number} and ${hostname} in it stand for the device's
	// serial number and host name.
	CN string `json:"cn,omitzero"`
	// ExtendedKeyUsage lists the purposes that the certificate must serve.
	ExtendedKeyUsage []ExtendedKeyUsage `json:"extended_key_usage,omitzero"`
	// Locations is where to look for the certificate.
	Locations *CertificateLocations `json:"locations,omitzero"`
	// SubjectAlternativeNames lists names that the certificate must have. They may hold the variables of CN.
	SubjectAlternativeNames []string                   `json:"subject_alternative_names,omitzero"`
	Extra                   map[string]json.RawMessage `json:",embed"`
}

// CertificateLocations says where a device looks for a client certificate.
type CertificateLocations struct {
	// Paths lists directories, on Linux.
	Paths []string `json:"paths,omitzero"`
	// TrustStores lists certificate stores of the operating system.
	TrustStores []TrustStore               `json:"trust_stores,omitzero"`
	Extra       map[string]json.RawMessage `json:",embed"`
}

func (in *ClientCertificateV2Input) validate(p *check.Problems) {
	p.ID("certificate_id", in.CertificateID)
	p.RequiredIsSet("check_private_key", in.CheckPrivateKey != nil)
	validateCommonName(p, in.CN)
	if in.Locations != nil {
		p.In("locations", func() { p.Extra(in.Locations) })
	}
}

// AntivirusInput is the input of a [RuleTypeAntivirus] rule, which checks on Windows that the antivirus software is up
// to date. The API's documents call it TeamsDevicesAntivirusInputRequest.
type AntivirusInput struct {
	// UpdateWindowDays is the maximum age, in days, of the last update of the antivirus software.
	UpdateWindowDays *float64                   `json:"update_window_days,omitzero"`
	Extra            map[string]json.RawMessage `json:",embed"`
}

func (in *AntivirusInput) validate(p *check.Problems) {
	p.Number("update_window_days", in.UpdateWindowDays)
}

// UniqueClientIDInput is the input of a [RuleTypeUniqueClientID] rule, which checks that the client's ID is on a list.
type UniqueClientIDInput struct {
	// OperatingSystem is android, ios or chromeos.
	OperatingSystem Platform `json:"operating_system,omitzero"`
	// ID is the UUID of a Gateway list of kind DEVICE. Required.
	ID    string                     `json:"id,omitzero"`
	Extra map[string]json.RawMessage `json:",embed"`
}

func (in *UniqueClientIDInput) validate(p *check.Problems) { p.ID("id", in.ID) }

// KolideInput is the input of a [RuleTypeKolide] rule, which checks what Kolide reports about the device.
type KolideInput struct {
	// ConnectionID is the ID of an integration. Required.
	ConnectionID string `json:"connection_id,omitzero"`
	// AuthState lists the states that pass, without duplicates. Required unless CountOperator and IssueCount, or members of
	// Extra, are set.
	AuthState []KolideAuthState `json:"auth_state,omitzero"`
	// CountOperator compares the number of the device's issues with IssueCount.
	//
	// Deprecated: Use AuthState. The API switches off rules that count issues.
	CountOperator Operator `json:"countOperator,omitzero"`
	// IssueCount is a number, written as a string.
	//
	// Deprecated: Use AuthState. The API switches off rules that count issues.
	IssueCount string                     `json:"issue_count,omitzero"`
	Extra      map[string]json.RawMessage `json:",embed"`
}

func (in *KolideInput) validate(p *check.Problems) {
	p.ID("connection_id", in.ConnectionID)
	in.CountOperator.validate(p, "countOperator")
	for i, state := range in.AuthState {
		if slices.Contains(in.AuthState[:i], state) {
			p.Add(fmt.Sprintf("auth_state[%d]", i), fmt.Sprintf("is %q a second time", string(state)))
		}
	}
	countsIssues := in.CountOperator != "" && in.IssueCount != ""
	// Extra may hold a check that this package doesn't know.
	if len(in.AuthState) == 0 && !countsIssues && len(in.Extra) == 0 {
		p.Add("auth_state", "is required: the rule would check nothing")
	}
}

// TaniumS2SInput is the input of a [RuleTypeTaniumS2S] rule, which checks what Tanium reports about the device. The
// API's documents call it TaniumInput.
type TaniumS2SInput struct {
	// ConnectionID is the ID of an integration. Required.
	ConnectionID string `json:"connection_id,omitzero"`
	// EIDLastSeen is how long ago Tanium saw the device, such as 1h. Older rules hold a point in time.
	EIDLastSeen string `json:"eid_last_seen,omitzero"`
	// Operator compares Tanium's value with RiskLevel or EIDLastSeen.
	Operator Operator `json:"operator,omitzero"`
	// RiskLevel is the risk level to compare with.
	RiskLevel RiskLevel `json:"risk_level,omitzero"`
	// ScoreOperator compares Tanium's score with TotalScore.
	ScoreOperator Operator `json:"scoreOperator,omitzero"`
	// TotalScore is the score to compare with, from 1 to 1000. It may have decimals.
	TotalScore *float64                   `json:"total_score,omitzero"`
	Extra      map[string]json.RawMessage `json:",embed"`
}

func (in *TaniumS2SInput) validate(p *check.Problems) {
	p.ID("connection_id", in.ConnectionID)
	in.Operator.validate(p, "operator")
	in.ScoreOperator.validate(p, "scoreOperator")
	p.Number("total_score", in.TotalScore)
}

// CrowdStrikeS2SInput is the input of a [RuleTypeCrowdStrikeS2S] rule, which checks what CrowdStrike reports about the
// device. Its scores are numbers from 1 to 100, written as strings. The API's documents call it CrowdstrikeInput.
type CrowdStrikeS2SInput struct {
	// ConnectionID is the ID of an integration. Required.
	ConnectionID string `json:"connection_id,omitzero"`
	// LastSeen is how long ago CrowdStrike saw the device, such as 1h, 2d or 15d3h20m4s.
	LastSeen string `json:"last_seen,omitzero"`
	// Operator compares CrowdStrike's values with those of OS, Overall, SensorConfig and LastSeen that are set.
	Operator Operator `json:"operator,omitzero"`
	// OS is the operating system's score to compare with.
	OS string `json:"os,omitzero"`
	// Overall is the overall score to compare with.
	Overall string `json:"overall,omitzero"`
	// SensorConfig is the score of the sensor's configuration to compare with.
	SensorConfig string `json:"sensor_config,omitzero"`
	// State is the state that the device must have in CrowdStrike.
	State CrowdStrikeState `json:"state,omitzero"`
	// Version is the version of the sensor, of the form x.y.z.
	Version string `json:"version,omitzero"`
	// VersionOperator compares the version of the device's sensor with Version.
	VersionOperator Operator                   `json:"versionOperator,omitzero"`
	Extra           map[string]json.RawMessage `json:",embed"`
}

func (in *CrowdStrikeS2SInput) validate(p *check.Problems) {
	p.ID("connection_id", in.ConnectionID)
	in.Operator.validate(p, "operator")
	in.VersionOperator.validate(p, "versionOperator")
}

// IntuneInput is the input of a [RuleTypeIntune] rule, which checks what Intune reports about the device.
type IntuneInput struct {
	// ConnectionID is the ID of an integration. Required.
	ConnectionID string `json:"connection_id,omitzero"`
	// ComplianceStatus is the status that the device must have. Required.
	ComplianceStatus ComplianceStatus           `json:"compliance_status,omitzero"`
	Extra            map[string]json.RawMessage `json:",embed"`
}

func (in *IntuneInput) validate(p *check.Problems) {
	p.ID("connection_id", in.ConnectionID)
	p.Required("compliance_status", string(in.ComplianceStatus))
}

// WorkspaceOneInput is the input of a [RuleTypeWorkspaceOne] rule, which checks what Workspace ONE reports about the
// device.
type WorkspaceOneInput struct {
	// ConnectionID is the ID of an integration. Required.
	ConnectionID string `json:"connection_id,omitzero"`
	// ComplianceStatus is the status that the device must have: compliant, noncompliant or unknown. Required.
	ComplianceStatus ComplianceStatus           `json:"compliance_status,omitzero"`
	Extra            map[string]json.RawMessage `json:",embed"`
}

func (in *WorkspaceOneInput) validate(p *check.Problems) {
	p.ID("connection_id", in.ConnectionID)
	p.Required("compliance_status", string(in.ComplianceStatus))
}

// SentinelOneS2SInput is the input of a [RuleTypeSentinelOneS2S] rule, which checks what SentinelOne reports about the
// device. The API's documents call it SentineloneS2sInput.
type SentinelOneS2SInput struct {
	// ConnectionID is the ID of an integration. Required.
	ConnectionID string `json:"connection_id,omitzero"`
	// ActiveThreats is the number of active threats to compare with.
	ActiveThreats *float64 `json:"active_threats,omitzero"`
	// Operator compares the device's number of active threats with ActiveThreats.
	Operator Operator `json:"operator,omitzero"`
	// Infected is whether the device must be infected or must not.
	Infected *bool `json:"infected,omitzero"`
	// IsActive is whether the agent must be active or must not.
	IsActive *bool `json:"is_active,omitzero"`
	// NetworkStatus is the network status that the device must have.
	NetworkStatus NetworkStatus `json:"network_status,omitzero"`
	// OperationalState is the state that the agent must have.
	OperationalState OperationalState           `json:"operational_state,omitzero"`
	Extra            map[string]json.RawMessage `json:",embed"`
}

func (in *SentinelOneS2SInput) validate(p *check.Problems) {
	p.ID("connection_id", in.ConnectionID)
	p.Number("active_threats", in.ActiveThreats)
	in.Operator.validate(p, "operator")
}

// CustomS2SInput is the input of a [RuleTypeCustomS2S] rule, which checks the score that a service of your own gives the
// device. The API's documents call it TeamsDevicesCustomS2sInputRequest.
type CustomS2SInput struct {
	// ConnectionID is the ID of an integration. Required.
	ConnectionID string `json:"connection_id,omitzero"`
	// Operator compares the device's score with Score. Required.
	Operator Operator `json:"operator,omitzero"`
	// Score is a number from 0 to 100. Required.
	Score *float64                   `json:"score,omitzero"`
	Extra map[string]json.RawMessage `json:",embed"`
}

func (in *CustomS2SInput) validate(p *check.Problems) {
	p.ID("connection_id", in.ConnectionID)
	p.Required("operator", string(in.Operator))
	in.Operator.validate(p, "operator")
	p.RequiredIsSet("score", in.Score != nil)
	if in.Score != nil && !(*in.Score >= 0 && *in.Score <= 100) {
		p.Add("score", fmt.Sprintf("is %v, not between 0 and 100", *in.Score))
	}
}

// UnknownInput is an input whose type this package doesn't know, or that doesn't fit its type. It is sent as received.
type UnknownInput struct {
	// Type is the type of the rule.
	Type RuleType
	// Raw is the input as received. If it is empty, the rule has no input.
	Raw json.RawMessage
	// Reason says why the input is not of its type, such as "input.path is a number where a string is expected".
	Reason string
}

// String returns Raw.
func (in UnknownInput) String() string { return api.Printable(string(in.Raw)) }

// validateCommonName checks the variables in the common name of a certificate.
func validateCommonName(p *check.Problems, name string) {
	p.Variables("cn", name, "${serial_number}", "${hostname}")
}

// The enumerations below grow with the API. A value that is not among the constants is kept and sent all the same.

// A Platform is an operating system.
type Platform string

// The platforms.
const (
	PlatformWindows  Platform = "windows"
	PlatformMac      Platform = "mac"
	PlatformLinux    Platform = "linux"
	PlatformAndroid  Platform = "android"
	PlatformIOS      Platform = "ios"
	PlatformChromeOS Platform = "chromeos"
)

// An Operator compares a value of the device, on its left, with a value of the rule. No other operators exist.
type Operator string

// The operators.
const (
	OperatorLess           Operator = "<"
	OperatorLessOrEqual    Operator = "<="
	OperatorGreater        Operator = ">"
	OperatorGreaterOrEqual Operator = ">="
	OperatorEqual          Operator = "=="
)

func (o Operator) validate(p *check.Problems, member string) {
	check.OneOf(p, member, o, OperatorLess, OperatorLessOrEqual, OperatorGreater, OperatorGreaterOrEqual, OperatorEqual)
}

// A ComplianceStatus is the status of a device in Intune or Workspace ONE.
type ComplianceStatus string

// The compliance statuses. Workspace ONE has only the first three.
const (
	ComplianceStatusCompliant     ComplianceStatus = "compliant"
	ComplianceStatusNonCompliant  ComplianceStatus = "noncompliant"
	ComplianceStatusUnknown       ComplianceStatus = "unknown"
	ComplianceStatusNotApplicable ComplianceStatus = "notapplicable"
	ComplianceStatusInGracePeriod ComplianceStatus = "ingraceperiod"
	ComplianceStatusError         ComplianceStatus = "error"
	ComplianceStatusConflict      ComplianceStatus = "conflict"
	ComplianceStatusConfigManager ComplianceStatus = "configmanager"
)

// A RiskLevel is how Tanium rates a device.
type RiskLevel string

// The risk levels.
const (
	RiskLevelLow      RiskLevel = "low"
	RiskLevelMedium   RiskLevel = "medium"
	RiskLevelHigh     RiskLevel = "high"
	RiskLevelCritical RiskLevel = "critical"
)

// A NetworkStatus says whether SentinelOne lets a device use the network.
type NetworkStatus string

// The network statuses.
const (
	NetworkStatusConnected     NetworkStatus = "connected"
	NetworkStatusDisconnected  NetworkStatus = "disconnected"
	NetworkStatusDisconnecting NetworkStatus = "disconnecting"
	NetworkStatusConnecting    NetworkStatus = "connecting"
)

// An OperationalState is the state of SentinelOne's agent.
type OperationalState string

// The operational states.
const (
	OperationalStateNA                    OperationalState = "na"
	OperationalStatePartiallyDisabled     OperationalState = "partially_disabled"
	OperationalStateAutoFullyDisabled     OperationalState = "auto_fully_disabled"
	OperationalStateFullyDisabled         OperationalState = "fully_disabled"
	OperationalStateAutoPartiallyDisabled OperationalState = "auto_partially_disabled"
	OperationalStateDisabledError         OperationalState = "disabled_error"
	OperationalStateDBCorruption          OperationalState = "db_corruption"
)

// A CrowdStrikeState says whether CrowdStrike sees a device.
type CrowdStrikeState string

// The CrowdStrike states.
const (
	CrowdStrikeStateOnline  CrowdStrikeState = "online"
	CrowdStrikeStateOffline CrowdStrikeState = "offline"
	CrowdStrikeStateUnknown CrowdStrikeState = "unknown"
)

// A KolideAuthState is the state of a device in Kolide.
type KolideAuthState string

// The Kolide states.
const (
	KolideAuthStateGood      KolideAuthState = "Good"
	KolideAuthStateNotified  KolideAuthState = "Notified"
	KolideAuthStateWillBlock KolideAuthState = "Will Block"
	KolideAuthStateBlocked   KolideAuthState = "Blocked"
)

// An ExtendedKeyUsage is a purpose of a certificate.
type ExtendedKeyUsage string

// The extended key usages.
const (
	ExtendedKeyUsageClientAuth      ExtendedKeyUsage = "clientAuth"
	ExtendedKeyUsageEmailProtection ExtendedKeyUsage = "emailProtection"
)

// A TrustStore is a certificate store of an operating system.
type TrustStore string

// The trust stores.
const (
	TrustStoreSystem TrustStore = "system"
	TrustStoreUser   TrustStore = "user"
)

// An Interval is a length of time as the API writes it: "5m", "1h", "24h". It is kept as it is written. An empty one is
// unset. The API's documents mention only minutes and hours.
type Interval string

// Every returns the interval of a duration, in hours, minutes or seconds, whichever is the largest unit that divides it:
// Every(5*time.Minute) is "5m", Every(24*time.Hour) is "24h". Anything finer is written by [time.Duration.String].
func Every(d time.Duration) Interval { return Interval(interval.Format(d)) }

// Duration returns the length of the interval. It reads what [time.ParseDuration] does, negative durations included, and
// a number of days: "2d". It returns an error for anything else, such as the empty interval.
func (i Interval) Duration() (time.Duration, error) {
	d, err := interval.Parse(string(i))
	if err != nil {
		return 0, fmt.Errorf("cfposture: %w", err)
	}
	return d, nil
}
