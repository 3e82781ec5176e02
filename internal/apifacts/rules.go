package apifacts

import (
	"bytes"
	"fmt"
)

// ConnectionID is the integration that the samples of rules name: the sample of crowdstrike_s2s.
const ConnectionID = "bc7cbfbb-600a-42e4-8a23-45b5e85f8002"

// RuleMembers are the members of a rule. What input holds is up to the rule's type: see [RuleTypes].
var RuleMembers = []Member{
	text("description"),
	{Name: "expiration", Kind: String, Interval: true},
	id("id"),
	{Name: "input", Kind: Object},
	{Name: "match", Kind: Objects, Members: []Member{text("platform", Platforms...)}},
	onPaper(text("name")),
	{Name: "schedule", Kind: String, Interval: true, MinInterval: MinSchedule},
	required(text("type", ruleTypeNames()...)),
}

// RuleType is one of the types of rule.
type RuleType struct {
	Name    string
	Members []Member // of its input, in alphabetical order
	// Input is an input with every member of the type, as the API sends it; empty for a type that has none.
	Input string
	// Minimal is an input with no more than the live API needs; empty for a type that has none. A kolide rule's has
	// one check as well, because a rule without any could not mean anything.
	Minimal  string
	platform string // of the sample rule
}

// Sample returns a rule of the type with every documented member, as the API sends it: members in alphabetical
// order, so that type comes after input.
func (t RuleType) Sample() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"description":"Checks %s","expiration":"1h","id":"%s",`, t.Name, t.SampleID())
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
		Name:     "file",
		Members:  []Member{boolean("exists"), desktop(), required(text("path")), text("sha256"), text("thumbprint")},
		Input:    `{"exists":true,"operating_system":"linux","path":"/bin/cat","sha256":"` + sha256 + `","thumbprint":"` + thumbprint + `"}`,
		Minimal:  `{"path":"/bin/cat"}`,
		platform: "linux",
	},
	{
		Name:     "application",
		Members:  application,
		Input:    `{"operating_system":"mac","path":"/Applications/Agent.app","sha256":"` + sha256 + `","thumbprint":"` + thumbprint + `"}`,
		Minimal:  `{"path":"/Applications/Agent.app"}`,
		platform: "mac",
	},
	{
		// The documents name this type and give no input of its own: the shape is tanium_s2s's, and nothing in it is
		// known to be required.
		Name:     "tanium",
		Members:  tanium(text("connection_id")),
		Input:    taniumInput,
		Minimal:  `{}`,
		platform: "windows",
	},
	{Name: "gateway", platform: "windows"},
	{Name: "warp", platform: "mac"},
	{
		Name:     "disk_encryption",
		Members:  []Member{texts("checkDisks"), boolean("requireAll")},
		Input:    `{"checkDisks":["C","D"],"requireAll":true}`,
		Minimal:  `{}`,
		platform: "windows",
	},
	{
		Name:     "serial_number",
		Members:  []Member{required(id("id"))},
		Input:    `{"id":"` + listID + `"}`,
		Minimal:  `{"id":"` + listID + `"}`,
		platform: "windows",
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
		Name:     "firewall",
		Members:  []Member{required(boolean("enabled")), onPaper(text("operating_system", "windows", "mac"))},
		Input:    `{"enabled":true,"operating_system":"mac"}`,
		Minimal:  `{"enabled":false}`,
		platform: "mac",
	},
	{
		Name: "os_version",
		Members: []Member{
			{Name: "operating_system", Kind: String, Required: true, LiveOptional: true, Enum: []string{"windows"}, LiveEnum: Platforms},
			required(operator("operator")),
			text("os_distro_name"), text("os_distro_revision"), text("os_version_extra"),
			required(text("version")),
		},
		Input:    `{"operating_system":"linux","operator":">=","os_distro_name":"ubuntu","os_distro_revision":"24.04","os_version_extra":"(Ubuntu 24.04)","version":"6.8.0"}`,
		Minimal:  `{"operator":">=","version":"10.0.19045"}`,
		platform: "linux",
	},
	{
		Name:     "domain_joined",
		Members:  []Member{text("domain"), onPaper(text("operating_system", "windows"))},
		Input:    `{"domain":"corp.example.com","operating_system":"windows"}`,
		Minimal:  `{}`,
		platform: "windows",
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
		Name:     "antivirus",
		Members:  []Member{number("update_window_days")},
		Input:    `{"update_window_days":7}`,
		Minimal:  `{}`,
		platform: "windows",
	},
	{
		// The list's ID has no documented maximum here, unlike serial_number's.
		Name:     "unique_client_id",
		Members:  []Member{required(text("id")), required(text("operating_system", "android", "ios", "chromeos"))},
		Input:    `{"id":"` + listID + `","operating_system":"android"}`,
		Minimal:  `{"id":"` + listID + `","operating_system":"ios"}`,
		platform: "android",
	},
	{
		Name: "kolide",
		Members: []Member{
			texts("auth_state", "Good", "Notified", "Will Block", "Blocked"),
			connection(), operator("countOperator"), text("issue_count"),
		},
		Input:    `{"auth_state":["Good","Will Block"],"connection_id":"` + ConnectionID + `","countOperator":"<","issue_count":"3"}`,
		Minimal:  `{"auth_state":["Good"],"connection_id":"` + ConnectionID + `"}`,
		platform: "mac",
	},
	{
		Name:     "tanium_s2s",
		Members:  tanium(connection()),
		Input:    taniumInput,
		Minimal:  connectionOnly,
		platform: "windows",
	},
	{
		Name: "crowdstrike_s2s",
		Members: []Member{
			connection(), text("last_seen"), operator("operator"), text("os"), text("overall"), text("sensor_config"),
			text("state", "online", "offline", "unknown"), text("version"), operator("versionOperator"),
		},
		Input: `{"connection_id":"` + ConnectionID + `","last_seen":"2d","operator":">=","os":"75","overall":"80","sensor_config":"60",` +
			`"state":"online","version":"7.10","versionOperator":">"}`,
		Minimal:  connectionOnly,
		platform: "windows",
	},
	{
		Name: "intune",
		Members: []Member{
			required(text("compliance_status", "compliant", "noncompliant", "unknown", "notapplicable", "ingraceperiod", "error")),
			connection(),
		},
		Input:    `{"compliance_status":"ingraceperiod","connection_id":"` + ConnectionID + `"}`,
		Minimal:  `{"compliance_status":"compliant","connection_id":"` + ConnectionID + `"}`,
		platform: "windows",
	},
	{
		Name: "workspace_one",
		Members: []Member{
			required(text("compliance_status", "compliant", "noncompliant", "unknown")),
			connection(),
		},
		Input:    `{"compliance_status":"noncompliant","connection_id":"` + ConnectionID + `"}`,
		Minimal:  `{"compliance_status":"compliant","connection_id":"` + ConnectionID + `"}`,
		platform: "ios",
	},
	{
		Name: "sentinelone_s2s",
		Members: []Member{
			number("active_threats"), connection(), boolean("infected"), boolean("is_active"),
			text("network_status", "connected", "disconnected", "disconnecting", "connecting"),
			text("operational_state", "na", "partially_disabled", "auto_fully_disabled", "fully_disabled",
				"auto_partially_disabled", "disabled_error", "db_corruption"),
			operator("operator"),
		},
		Input: `{"active_threats":0,"connection_id":"` + ConnectionID + `","infected":false,"is_active":true,` +
			`"network_status":"connected","operational_state":"na","operator":"=="}`,
		Minimal:  connectionOnly,
		platform: "mac",
	},
	{
		Name: "custom_s2s",
		Members: []Member{
			connection(), required(operator("operator")),
			{Name: "score", Kind: Number, Required: true, Min: new(0.0), Max: new(100.0)},
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

var application = []Member{desktop(), required(text("path")), text("sha256"), text("thumbprint")}

func desktop() Member { return onPaper(text("operating_system", "windows", "linux", "mac")) }

func connection() Member { return required(text("connection_id")) }

func tanium(connectionID Member) []Member {
	return []Member{
		connectionID, text("eid_last_seen"), operator("operator"), text("risk_level", "low", "medium", "high", "critical"),
		operator("scoreOperator"), number("total_score"),
	}
}

func ruleTypeNames() []string {
	names := make([]string, len(RuleTypes))
	for i, t := range RuleTypes {
		names[i] = t.Name
	}
	return names
}
