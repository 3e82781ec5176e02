package main

import (
	"encoding/json"
	"time"

	"github.com/cfposture/cfposture"
)

// What the rules below name: an Access list of serial numbers or client IDs, and a certificate that was uploaded.
const (
	listID        = "2a4fbc83-7d2b-4f86-9d1c-3c9be4d64a11"
	certificateID = "b14ddcc4-bcd2-4df4-bd4f-eb27d5a50c30"
)

var (
	windows = cfposture.Match{Platform: cfposture.PlatformWindows}
	mac     = cfposture.Match{Platform: cfposture.PlatformMac}
	linux   = cfposture.Match{Platform: cfposture.PlatformLinux}
	android = cfposture.Match{Platform: cfposture.PlatformAndroid}
)

// rules returns one rule of each type. Those that ask a third party's service name the account's integration with it.
func rules(integrations map[cfposture.IntegrationType]string) []*cfposture.Rule {
	return []*cfposture.Rule{
		{
			Name:     "Device is enrolled",
			Schedule: "5m",
			Match:    []cfposture.Match{linux},
			Input: &cfposture.FileInput{
				OperatingSystem: cfposture.PlatformLinux,
				Path:            "/etc/agent/enrolled",
				Exists:          new(true),
				SHA256:          "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c",
			},
		},
		{
			Name:        "Agent runs",
			Description: "The two members in Extra are what the dashboard sends, and no document names",
			Match:       []cfposture.Match{mac},
			Input: &cfposture.ApplicationInput{
				OperatingSystem: cfposture.PlatformMac,
				Path:            "/Applications/Agent.app/Contents/MacOS/Agent",
				Thumbprint:      "0aabab210bdb998e9cf45da2c9ce352977ab531c",
				Extra: map[string]json.RawMessage{
					"flavor":  json.RawMessage(`"application"`),
					"running": json.RawMessage("true"),
				},
			},
		},
		{
			Name:  "Tanium runs",
			Match: []cfposture.Match{windows},
			Input: &cfposture.TaniumInput{},
		},
		{
			Name:  "Gateway",
			Input: &cfposture.GatewayInput{},
		},
		{
			Name:  "WARP",
			Input: &cfposture.WARPInput{},
		},
		{
			Name:       "Disks encrypted",
			Expiration: "1h",
			Match:      []cfposture.Match{windows},
			Input:      &cfposture.DiskEncryptionInput{RequireAll: new(true)},
		},
		{
			Name:  "Serial number is ours",
			Match: []cfposture.Match{windows, mac},
			Input: &cfposture.SerialNumberInput{ID: listID},
		},
		{
			Name:  "SentinelOne runs",
			Match: []cfposture.Match{windows},
			Input: &cfposture.SentinelOneInput{
				OperatingSystem: cfposture.PlatformWindows,
				Path:            `C:\Program Files\SentinelOne\Sentinel Agent\SentinelAgent.exe`,
			},
		},
		{
			Name:  "Carbon Black runs",
			Match: []cfposture.Match{linux},
			Input: &cfposture.CarbonBlackInput{
				OperatingSystem: cfposture.PlatformLinux,
				Path:            "/opt/carbonblack/psc/bin/cbagentd",
			},
		},
		{
			Name:  "Firewall on",
			Match: []cfposture.Match{windows},
			Input: &cfposture.FirewallInput{OperatingSystem: cfposture.PlatformWindows, Enabled: new(true)},
		},
		{
			Name:     "Ubuntu is current",
			Schedule: cfposture.Every(time.Hour),
			Match:    []cfposture.Match{linux},
			Input: &cfposture.OSVersionInput{
				OperatingSystem:  cfposture.PlatformLinux,
				Operator:         cfposture.OperatorGreaterOrEqual,
				Version:          "6.8.0",
				OSDistroName:     "ubuntu",
				OSDistroRevision: "24.04",
			},
		},
		{
			Name:  "Domain joined",
			Match: []cfposture.Match{windows},
			Input: &cfposture.DomainJoinedInput{OperatingSystem: cfposture.PlatformWindows, Domain: "corp.example.com"},
		},
		{
			Name:  "Certificate by name",
			Match: []cfposture.Match{windows},
			Input: &cfposture.ClientCertificateInput{CertificateID: certificateID, CN: "devices.example.com"},
		},
		{
			Name:  "Certificate of its own",
			Match: []cfposture.Match{linux},
			Input: &cfposture.ClientCertificateV2Input{
				OperatingSystem:  cfposture.PlatformLinux,
				CertificateID:    certificateID,
				CheckPrivateKey:  new(true),
				CN:               "${serial_number}.devices.example.com",
				ExtendedKeyUsage: []cfposture.ExtendedKeyUsage{cfposture.ExtendedKeyUsageClientAuth},
				Locations: &cfposture.CertificateLocations{
					Paths:       []string{"/etc/ssl/devices"},
					TrustStores: []cfposture.TrustStore{cfposture.TrustStoreSystem},
				},
				SubjectAlternativeNames: []string{"${hostname}"},
			},
		},
		{
			Name:  "Antivirus is current",
			Match: []cfposture.Match{windows},
			Input: &cfposture.AntivirusInput{UpdateWindowDays: new(7.0)},
		},
		{
			Name:  "Client ID is ours",
			Match: []cfposture.Match{android},
			Input: &cfposture.UniqueClientIDInput{OperatingSystem: cfposture.PlatformAndroid, ID: listID},
		},
		{
			Name:  "Kolide: good state",
			Match: []cfposture.Match{mac},
			Input: &cfposture.KolideInput{
				ConnectionID: integrations[cfposture.IntegrationTypeKolide],
				AuthState:    []cfposture.KolideAuthState{cfposture.KolideAuthStateGood},
			},
		},
		{
			Name:  "Tanium: high score",
			Match: []cfposture.Match{windows},
			Input: &cfposture.TaniumS2SInput{
				ConnectionID:  integrations[cfposture.IntegrationTypeTaniumS2S],
				ScoreOperator: cfposture.OperatorGreaterOrEqual,
				TotalScore:    new(85.5),
			},
		},
		{
			Name:  "CrowdStrike: high score",
			Match: []cfposture.Match{windows, mac},
			Input: &cfposture.CrowdStrikeS2SInput{
				ConnectionID: integrations[cfposture.IntegrationTypeCrowdStrikeS2S],
				Operator:     cfposture.OperatorGreaterOrEqual,
				Overall:      "80",
				LastSeen:     "2h",
				State:        cfposture.CrowdStrikeStateOnline,
			},
		},
		{
			Name:  "Intune: compliant",
			Match: []cfposture.Match{windows},
			Input: &cfposture.IntuneInput{
				ConnectionID:     integrations[cfposture.IntegrationTypeIntune],
				ComplianceStatus: cfposture.ComplianceStatusCompliant,
			},
		},
		{
			Name:  "Workspace ONE: compliant",
			Match: []cfposture.Match{windows},
			Input: &cfposture.WorkspaceOneInput{
				ConnectionID:     integrations[cfposture.IntegrationTypeWorkspaceOne],
				ComplianceStatus: cfposture.ComplianceStatusCompliant,
			},
		},
		{
			Name:  "SentinelOne: no threats",
			Match: []cfposture.Match{mac},
			Input: &cfposture.SentinelOneS2SInput{
				ConnectionID:  integrations[cfposture.IntegrationTypeSentinelOneS2S],
				ActiveThreats: new(0.0),
				Operator:      cfposture.OperatorEqual,
				Infected:      new(false),
				NetworkStatus: cfposture.NetworkStatusConnected,
			},
		},
		{
			Name:  "Own service: high score",
			Match: []cfposture.Match{linux},
			Input: &cfposture.CustomS2SInput{
				ConnectionID: integrations[cfposture.IntegrationTypeCustomS2S],
				Operator:     cfposture.OperatorGreaterOrEqual,
				Score:        new(70.0),
			},
		},
	}
}
