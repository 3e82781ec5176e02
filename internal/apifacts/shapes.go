package apifacts

// Shape is a rule type with an input whose members alone do not tell the type.
type Shape struct {
	Type  string
	Input string
}

// Shapes are the inputs that defeat a reader who guesses the type by the members: several types with the same
// members, with none, or with a lone one that many types have. Every rule type occurs.
var Shapes = []Shape{
	// Four types of program on a disk.
	{"file", programShape},
	{"application", programShape},
	{"carbonblack", programShape},
	{"sentinelone", programShape},
	{"file", `{"path":"/bin/cat"}`},

	// Nothing to go by.
	{"gateway", `{}`},
	{"warp", `{}`},
	{"disk_encryption", `{}`},
	{"antivirus", `{}`},
	{"domain_joined", `{}`},
	{"tanium", `{}`},

	// A lone operating system.
	{"domain_joined", `{"operating_system":"windows"}`},
	{"firewall", `{"operating_system":"windows"}`},
	{"os_version", `{"operating_system":"windows"}`},

	// A lone connection.
	{"kolide", connectionOnly},
	{"tanium_s2s", connectionOnly},
	{"crowdstrike_s2s", connectionOnly},
	{"sentinelone_s2s", connectionOnly},

	// A connection and what two or more types have beside it.
	{"tanium", taniumInput},
	{"tanium_s2s", taniumInput},
	{"intune", complianceShape},
	{"workspace_one", complianceShape},
	{"custom_s2s", `{"connection_id":"` + ConnectionID + `","operator":">="}`},

	// Lists and certificates.
	{"serial_number", `{"id":"` + listID + `"}`},
	{"unique_client_id", `{"id":"` + listID + `"}`},
	{"client_certificate", certificateShape},
	{"client_certificate_v2", certificateShape},
}

const (
	programShape     = `{"operating_system":"windows","path":"C:\\agent.exe","sha256":"` + sha256 + `","thumbprint":"` + thumbprint + `"}`
	complianceShape  = `{"compliance_status":"compliant","connection_id":"` + ConnectionID + `"}`
	certificateShape = `{"certificate_id":"` + certificateID + `","cn":"device.example.com"}`
)
