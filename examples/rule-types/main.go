// Rule-types creates one rule of each type, prints what the API made of it, and deletes it again. What to copy is in
// examples, below.
//
//	go run ./examples/rule-types
//
// It works on a fake of the API in this program. With -live it works on the account that CLOUDFLARE_API_TOKEN and
// CLOUDFLARE_ACCOUNT_ID name, and leaves out the types for which the account has no integration.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// What the rules below name: a Gateway list of serial numbers or client IDs, and a certificate that was uploaded.
const (
	listID        = "2a4fbc83-7d2b-4f86-9d1c-3c9be4d64a11"
	certificateID = "b14ddcc4-bcd2-4df4-bd4f-eb27d5a50c30"
	sha256        = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c"
)

// examples returns an input of each type. Those that ask a third party's service name the account's integration with it.
func examples(integrations map[cfposture.IntegrationType]string) []cfposture.DeviceInput {
	return []cfposture.DeviceInput{
		&cfposture.FileInput{Path: "/etc/agent/enrolled", Exists: new(true), SHA256: sha256},
		&cfposture.ApplicationInput{OperatingSystem: cfposture.PlatformMac, Path: "/Applications/Agent.app/Contents/MacOS/Agent"},
		&cfposture.TaniumInput{},
		&cfposture.GatewayInput{},
		&cfposture.WARPInput{},
		&cfposture.DiskEncryptionInput{RequireAll: new(true)},
		&cfposture.SerialNumberInput{ID: listID},
		&cfposture.SentinelOneInput{Path: `C:\Program Files\SentinelOne\Sentinel Agent\SentinelAgent.exe`},
		&cfposture.CarbonBlackInput{Path: "/opt/carbonblack/psc/bin/cbagentd"},
		&cfposture.FirewallInput{OperatingSystem: cfposture.PlatformWindows, Enabled: new(true)},
		&cfposture.OSVersionInput{
			OperatingSystem: cfposture.PlatformLinux, Operator: cfposture.OperatorGreaterOrEqual, Version: "6.8.0",
			OSDistroName: "ubuntu", OSDistroRevision: "24.04",
		},
		&cfposture.DomainJoinedInput{OperatingSystem: cfposture.PlatformWindows, Domain: "corp.example.com"},
		&cfposture.ClientCertificateInput{CertificateID: certificateID, CN: "devices.example.com"},
		&cfposture.ClientCertificateV2Input{
			OperatingSystem: cfposture.PlatformLinux, CertificateID: certificateID, CheckPrivateKey: new(true),
			CN:               "${serial_number}.devices.example.com",
			ExtendedKeyUsage: []cfposture.ExtendedKeyUsage{cfposture.ExtendedKeyUsageClientAuth},
			Locations:        &cfposture.CertificateLocations{Paths: []string{"/etc/ssl/devices"}},
		},
		&cfposture.AntivirusInput{UpdateWindowDays: new(7.0)},
		&cfposture.UniqueClientIDInput{OperatingSystem: cfposture.PlatformAndroid, ID: listID},
		&cfposture.KolideInput{
			ConnectionID: integrations[cfposture.IntegrationTypeKolide],
			AuthState:    []cfposture.KolideAuthState{cfposture.KolideAuthStateGood, cfposture.KolideAuthStateNotified},
		},
		&cfposture.TaniumS2SInput{
			ConnectionID:  integrations[cfposture.IntegrationTypeTaniumS2S],
			ScoreOperator: cfposture.OperatorLess, TotalScore: new(85.5),
		},
		&cfposture.CrowdStrikeS2SInput{
			ConnectionID: integrations[cfposture.IntegrationTypeCrowdStrikeS2S], State: cfposture.CrowdStrikeStateOnline,
			Operator: cfposture.OperatorGreaterOrEqual, Overall: "80", LastSeen: "2h",
		},
		&cfposture.IntuneInput{
			ConnectionID: integrations[cfposture.IntegrationTypeIntune], ComplianceStatus: cfposture.ComplianceStatusCompliant,
		},
		&cfposture.WorkspaceOneInput{
			ConnectionID: integrations[cfposture.IntegrationTypeWorkspaceOne], ComplianceStatus: cfposture.ComplianceStatusCompliant,
		},
		&cfposture.SentinelOneS2SInput{
			ConnectionID: integrations[cfposture.IntegrationTypeSentinelOneS2S],
			Operator:     cfposture.OperatorEqual, ActiveThreats: new(0.0), Infected: new(false),
		},
		&cfposture.CustomS2SInput{
			ConnectionID: integrations[cfposture.IntegrationTypeCustomS2S],
			Operator:     cfposture.OperatorGreaterOrEqual, Score: new(70.0),
		},
	}
}

func main() {
	live := flag.Bool("live", false, "work on the account that the environment names: create and delete a rule of each type")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *live, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "rule-types: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
		os.Exit(1)
	}
}

func run(ctx context.Context, live bool, out io.Writer) error {
	if !live {
		server := posturetest.NewServer()
		defer server.Close()
		for _, t := range cfposture.IntegrationTypes() {
			server.PutIntegration(&cfposture.Integration{Name: string(t), Interval: "10m", Config: cfposture.NewConfig(t)})
		}
		fmt.Fprint(out, "Working on a fake of the API in this program; -live works on an account of yours.\n\n")
		return createAll(ctx, server.Client(), out)
	}
	client, err := cfposture.NewClient()
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Working on the account %q: a rule of each type will be created and deleted.\n\n", os.Getenv("CLOUDFLARE_ACCOUNT_ID"))
	return createAll(ctx, client, out)
}

func createAll(ctx context.Context, client *cfposture.Client, out io.Writer) (err error) {
	integrations := map[cfposture.IntegrationType]string{}
	for integration, err := range client.Integrations.All(ctx) {
		if err != nil {
			return err
		}
		integrations[integration.Type] = integration.ID
	}
	for _, input := range examples(integrations) {
		rule := &cfposture.Rule{Name: "cfposture example " + string(input.RuleType()), Input: input}
		if rule.Validate() != nil { // because it names no integration
			fmt.Fprintf(out, "left out, because the account has no integration for it: %s\n", input.RuleType())
			continue
		}
		created, createErr := client.Posture.Create(ctx, rule)
		if createErr != nil {
			return createErr
		}
		defer func() { err = errors.Join(err, client.Posture.Delete(context.WithoutCancel(ctx), created.ID)) }()
		fmt.Fprintln(out, created) // in one line, whatever is in it
	}
	return nil
}
