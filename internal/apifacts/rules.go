package apifacts

import (
	"bytes"
	"fmt"
	"regexp"
)

// ConnectionID is the integration that the samples of rules name: the sample of crowdstrike_s2s.
const ConnectionID = "bc7cbfbb-600a-42e4-8a23-45b5e85f8002"

// RuleMembers are the members of a rule. What input holds is up to the rule's type: see [RuleTypes].
var RuleMembers = []Member{
	text("description"),
	readOnly(boolean("enabled")), // computed: see RuleType.Enabled
	withDefault(Member{Name: "expiration", Kind: String, Interval: true}, "null"),
	readOnly(id("id")),
	{Name: "input", Kind: Object}, // required or not by its type: see RuleType.InputOptional
	{Name: "match", Kind: Objects, Members: []Member{text("platform", Platforms...)}},
	withDefault(onPaper(text("name")), `""`),
	withDefault(Member{Name: "schedule", Kind: String, Interval: true, MinInterval: MinSchedule}, `"`+DefaultSchedule+`"`),
	required(text("type", ruleTypeNames()...)),
}

// RuleType is one type of rule.
type RuleType struct {
	Name string
	// Members are those of its input, in alphabetical order.
	Members []Member
	// InputOptional marks a type whose rules need no input by any document.
	InputOptional bool
	// Platforms are those that have the check. A rule for another platform is accepted and never matches. nil is
	// every platform, or no document that says.
	Platforms []string
	// Input is an input with every member of the type, as the API sends it; empty for a type that has none.
	Input string
	// Minimal is an input with no more than the live API needs; empty for a type that has none. The one of kolide has a
	// check as well, because a rule without any could not mean anything.
	Minimal  string
	platform string // of the sample rule
}

// Enabled reports what the API computes for the member enabled of a rule of the type, given which members its input
// has: false for Kolide rules that still use issue_count, true for all others.
func (t RuleType) Enabled(inputHas func(member string) bool) bool {
	for _, m := range t.Members {
		if m.Disables && inputHas(m.Name) {
			return false
		}
	}
	return true
}

// Sample returns a rule of the type with every documented member, as the API sends it: members in alphabetical
// order, so that type comes after input.
func (t RuleType) Sample() []byte {
	var b bytes.Buffer
	enabled := t.Enabled(func(string) bool { return true }) // a sample has every member
	fmt.Fprintf(&b, `{"description":"Checks %s","enabled":%t,"expiration":"1h","id":"%s",`, t.Name, enabled, t.SampleID())
	if t.Input != "" {
		fmt.Fprintf(&b, `"input":%s,`, t.Input)
	}
	fmt.Fprintf(&b, `"match":[{"platform":"%s"}],"name":"Sample of %s","schedule":"5m","type":"%s"}`,
		t.platform, t.Name, t.Name)
	return b.Bytes()
}

// SampleID returns the ID of the type's [RuleType.Sample], which no other type's sample has.
func (t RuleType) SampleID() string {
	for i, other := range RuleTypes {
		if other.Name == t.Name {
			return fmt.Sprintf("f174e90a-fafe-4643-bbbc-4a0ed4fc84%02d", i+1)
		}
	}
	panic("apifacts: no such rule type: " + t.Name)
}

// FindRuleType returns the rule type of that name.
func FindRuleType(name string) (RuleType, bool) {
	for _, t := range RuleTypes {
		if t.Name == name {
			return t, true
		}
	}
	return RuleType{}, false
}

// RuleTypes are the types of rule, in the documents' order.
var RuleTypes = []RuleType{
	{
		Name:      "file",
		Members:   []Member{boolean("exists"), desktop(), path, sha256Member, thumbprintMember},
		Platforms: desktopPlatforms,
		Input:     `{"exists":true,"operating_system":"linux","path":"/bin/cat","sha256":"` + sha256 + `","thumbprint":"` + thumbprint + `"}`,
		Minimal:   `{"path":"/bin/cat"}`,
		platform:  "linux",
	},
	{
		Name:      "application",
		Members:   application,
		Platforms: desktopPlatforms,
		Input:     `{"operating_system":"mac","path":"/Applications/Agent.app","sha256":"` + sha256 + `","thumbprint":"` + thumbprint + `"}`,
		Minimal:   `{"path":"/Applications/Agent.app"}`,
		platform:  "mac",
	},
	{
		// The documents name this type and give no input of its own: the shape is tanium_s2s's, and nothing in it is
		// known to be required.
		Name:          "tanium",
		Members:       tanium(text("connection_id")),
		InputOptional: true,
		Input:         taniumInput,
		Minimal:       `{}`,
		platform:      "windows",
	},
	{Name: "gateway", InputOptional: true, platform: "windows"},
	{Name: "warp", InputOptional: true, platform: "mac"},
	{
		Name:      "disk_encryption",
		Members:   []Member{withDefault(texts("checkDisks"), "[]"), boolean("requireAll")},
		Platforms: desktopPlatforms,
		Input:     `{"checkDisks":["C","D"],"requireAll":true}`,
		Minimal:   `{}`,
		platform:  "windows",
	},
	{
		// The id is that of a Gateway list of kind SERIAL.
		Name:      "serial_number",
		Members:   []Member{required(id("id"))},
		Platforms: desktopPlatforms,
		Input:     `{"id":"` + listID + `"}`,
		Minimal:   `{"id":"` + listID + `"}`,
		platform:  "windows",
	},
	{
		Name:     "sentinelone",
		Members:  application,
		Input:    `{"operating_system":"windows","path":"C:\\Program Files\\SentinelOne\\agent.exe","sha256":"` + sha256 + `","thumbprint":"` + thumbprint + `"}`,
		Minimal:  `{"path":"C:\\Program Files\\SentinelOne\\agent.exe"}`,
		platform: "windows",
	},
	{
		Name:     "carbonblack",
		Members:  application,
		Input:    `{"operating_system":"linux","path":"/opt/carbonblack/cbagentd","sha256":"` + sha256 + `","thumbprint":"` + thumbprint + `"}`,
		Minimal:  `{"path":"/opt/carbonblack/cbagentd"}`,
		platform: "linux",
	},
	{
		Name:      "firewall",
		Members:   []Member{required(boolean("enabled")), onPaper(text("operating_system", "windows", "mac"))},
		Platforms: []string{"windows", "mac"},
		Input:     `{"enabled":true,"operating_system":"mac"}`,
		Minimal:   `{"enabled":false}`,
		platform:  "mac",
	},
	{
		Name: "os_version",
		Members: []Member{
			{Name: "operating_system", Kind: String, Required: true, LiveOptional: true, Enum: []string{"windows"}, LiveEnum: Platforms},
			required(operator("operator")),
			mayBeOmitted(text("os_distro_name")), mayBeOmitted(text("os_distro_revision")), mayBeOmitted(text("os_version_extra")),
			required(versionMember),
		},
		Input:    `{"operating_system":"linux","operator":">=","os_distro_name":"ubuntu","os_distro_revision":"24.04","os_version_extra":"(Ubuntu 24.04)","version":"6.8.0"}`,
		Minimal:  `{"operator":">=","version":"10.0.19045"}`,
		platform: "linux",
	},
	{
		Name:      "domain_joined",
		Members:   []Member{text("domain"), onPaper(text("operating_system", "windows"))}, // a domain is case-sensitive
		Platforms: []string{"windows"},
		Input:     `{"domain":"corp.example.com","operating_system":"windows"}`,
		Minimal:   `{}`,
		platform:  "windows",
	},
	{
		Name:     "client_certificate",
		Members:  []Member{required(id("certificate_id")), required(text("cn"))},
		Input:    `{"certificate_id":"` + certificateID + `","cn":"device.example.com"}`,
		Minimal:  `{"certificate_id":"` + certificateID + `","cn":"device.example.com"}`,
		platform: "windows",
	},
	{
		Name: "client_certificate_v2",
		Members: []Member{
			required(id("certificate_id")),
			required(boolean("check_private_key")),
			text("cn"),
			texts("extended_key_usage", "clientAuth", "emailProtection"),
			{Name: "locations", Kind: Object, Members: []Member{texts("paths"), texts("trust_stores", "system", "user")}},
			desktop(),
			texts("subject_alternative_names"),
		},
		Input: `{"certificate_id":"` + certificateID + `","check_private_key":true,"cn":"${serial_number}.example.com",` +
			`"extended_key_usage":["clientAuth","emailProtection"],"locations":{"paths":["/etc/ssl/client"],"trust_stores":["system","user"]},` +
			`"operating_system":"linux","subject_alternative_names":["${hostname}","laptop.example.com"]}`,
		Minimal:  `{"certificate_id":"` + certificateID + `","check_private_key":false}`,
		platform: "linux",
	},
	{
		Name:      "antivirus",
		Members:   []Member{number("update_window_days")},
		Platforms: []string{"windows"},
		Input:     `{"update_window_days":7}`,
		Minimal:   `{}`,
		platform:  "windows",
	},
	{
		// The id is that of a Gateway list of kind DEVICE. Unlike serial_number's it has no documented maximum.
		Name:      "unique_client_id",
		Members:   []Member{required(text("id")), onPaper(text("operating_system", "android", "ios", "chromeos"))},
		Platforms: []string{"android", "ios", "chromeos"},
		Input:     `{"id":"` + listID + `","operating_system":"android"}`,
		Minimal:   `{"id":"` + listID + `"}`,
		platform:  "android",
	},
	{
		Name: "kolide",
		Members: []Member{
			{Name: "auth_state", Kind: Strings, Enum: []string{"Good", "Notified", "Will Block", "Blocked"}, Distinct: true},
			connection(), deprecated(operator("countOperator"), "auth_state"),
			{Name: "issue_count", Kind: String, Deprecated: "auth_state", Disables: true},
		},
		Platforms: desktopPlatforms,
		Input:     `{"auth_state":["Good","Will Block"],"connection_id":"` + ConnectionID + `","countOperator":"<","issue_count":"3"}`,
		Minimal:   `{"auth_state":["Good"],"connection_id":"` + ConnectionID + `"}`,
		platform:  "mac",
	},
	{
		Name:      "tanium_s2s",
		Members:   tanium(connection()),
		Platforms: desktopPlatforms,
		Input:     taniumInput,
		Minimal:   connectionOnly,
		platform:  "windows",
	},
	{
		Name: "crowdstrike_s2s",
		Members: []Member{
			connection(), text("last_seen"), operator("operator"),
			advised(text("os"), crowdStrikeScore), advised(text("overall"), crowdStrikeScore), advised(text("sensor_config"), crowdStrikeScore),
			text("state", "online", "offline", "unknown"), versionMember, operator("versionOperator"),
		},
		Platforms: desktopPlatforms,
		Input: `{"connection_id":"` + ConnectionID + `","last_seen":"2d","operator":">=","os":"75","overall":"80","sensor_config":"60",` +
			`"state":"online","version":"7.10.0","versionOperator":">"}`,
		Minimal:  connectionOnly,
		platform: "windows",
	},
	{
		Name: "intune",
		Members: []Member{
			{
				Name: "compliance_status", Kind: String, Required: true, Enum: intuneStatuses,
				LiveEnum: append(intuneStatuses[:len(intuneStatuses):len(intuneStatuses)], "conflict", "configmanager"),
			},
			connection(),
		},
		Platforms: []string{"windows", "mac"},
		Input:     `{"compliance_status":"ingraceperiod","connection_id":"` + ConnectionID + `"}`,
		Minimal:   `{"compliance_status":"compliant","connection_id":"` + ConnectionID + `"}`,
		platform:  "windows",
	},
	{
		Name: "workspace_one",
		Members: []Member{
			required(text("compliance_status", "compliant", "noncompliant", "unknown")),
			connection(),
		},
		Platforms: desktopPlatforms,
		Input:     `{"compliance_status":"noncompliant","connection_id":"` + ConnectionID + `"}`,
		Minimal:   `{"compliance_status":"compliant","connection_id":"` + ConnectionID + `"}`,
		platform:  "mac",
	},
	{
		Name: "sentinelone_s2s",
		Members: []Member{
			mayBeOmitted(number("active_threats")), connection(), mayBeOmitted(boolean("infected")), mayBeOmitted(boolean("is_active")),
			mayBeOmitted(text("network_status", "connected", "disconnected", "disconnecting", "connecting")),
			mayBeOmitted(text("operational_state", "na", "partially_disabled", "auto_fully_disabled", "fully_disabled",
				"auto_partially_disabled", "disabled_error", "db_corruption")),
			mayBeOmitted(operator("operator")),
		},
		Platforms: desktopPlatforms,
		Input: `{"active_threats":0,"connection_id":"` + ConnectionID + `","infected":false,"is_active":true,` +
			`"network_status":"connected","operational_state":"na","operator":"=="}`,
		Minimal:  connectionOnly,
		platform: "mac",
	},
	{
		Name: "custom_s2s",
		Members: []Member{
			connection(), required(operator("operator")),
			{Name: "score", Kind: Number, Required: true, Min: new(0.0), Max: new(100.0), Advice: &Advice{Whole: true}},
		},
		Input:    `{"connection_id":"` + ConnectionID + `","operator":">=","score":70.5}`,
		Minimal:  `{"connection_id":"` + ConnectionID + `","operator":"==","score":0}`,
		platform: "chromeos",
	},
}

// Values that several samples share.
const (
	sha256        = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"
	thumbprint    = "0aabab210bdb998e9cf45da2c9ce352977ab531c"
	listID        = "2a4fbc83-7d2b-4f86-9d1c-3c9be4d64a11"
	certificateID = "b14ddcc4-bcd2-4df4-bd4f-eb27d5a50c30"

	connectionOnly = `{"connection_id":"` + ConnectionID + `"}`
	taniumInput    = `{"connection_id":"` + ConnectionID + `","eid_last_seen":"1h","operator":"<","risk_level":"low","scoreOperator":">=","total_score":85.5}`
)

// Members that several types share, with what the documents ask of their values.
var (
	path             = mayBeOmitted(required(text("path")))
	sha256Member     = mayBeOmitted(advised(text("sha256"), Advice{Pattern: sha256Pattern, Form: "a SHA-256 of 64 hexadecimal digits"}))
	thumbprintMember = advised(text("thumbprint"), Advice{Pattern: sha1Pattern, Form: "a SHA-1 of 40 hexadecimal digits"})
	versionMember    = mayBeOmitted(advised(text("version"), Advice{Pattern: versionPattern, Form: "a version of three numbers such as 10.0.19045"}))

	application = []Member{desktop(), path, sha256Member, thumbprintMember}

	crowdStrikeScore = between(1, 100)
)

var (
	sha256Pattern  = regexp.MustCompile(`^[0-9A-Fa-f]{64}$`)
	sha1Pattern    = regexp.MustCompile(`^[0-9A-Fa-f]{40}$`)
	versionPattern = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+$`)
)

var (
	desktopPlatforms = []string{"windows", "mac", "linux"}
	intuneStatuses   = []string{"compliant", "noncompliant", "unknown", "notapplicable", "ingraceperiod", "error"}
)

func desktop() Member { return onPaper(text("operating_system", "windows", "linux", "mac")) }

func connection() Member { return required(text("connection_id")) }

func tanium(connectionID Member) []Member {
	return []Member{
		connectionID, text("eid_last_seen"), operator("operator"), text("risk_level", "low", "medium", "high", "critical"),
		operator("scoreOperator"), advised(number("total_score"), between(1, 1000)),
	}
}

func ruleTypeNames() []string {
	names := make([]string, len(RuleTypes))
	for i, t := range RuleTypes {
		names[i] = t.Name
	}
	return names
}
