// Integrations connects an account to a third party's service, creates a rule that asks it, prints both, and deletes them
// again unless -keep is given.
//
//	go run ./examples/integrations -type kolide
//
// It works on a fake of the API in this program, with a made-up config. With -live it works on the account that
// CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID name. Then -config has the members that are no secrets, as JSON, and the
// secrets come from POSTURE_CLIENT_SECRET, POSTURE_CLIENT_KEY and POSTURE_ACCESS_CLIENT_SECRET: other users of the machine
// could read a flag.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

func main() {
	live := flag.Bool("live", false, "work on the account that the environment names: create an integration and a rule")
	keep := flag.Bool("keep", false, "don't delete the two in the end")
	kind := flag.String("type", string(cfposture.IntegrationTypeCrowdStrikeS2S), fmt.Sprint("one of ", cfposture.IntegrationTypes()))
	config := flag.String("config", "{}", `the config's members that are no secrets, such as {"client_id": "…"}`)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *live, *keep, cfposture.IntegrationType(*kind), *config, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "integrations: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
		os.Exit(1)
	}
}

func run(ctx context.Context, live, keep bool, kind cfposture.IntegrationType, members string, out io.Writer) error {
	if !live {
		server := posturetest.NewServer()
		defer server.Close()
		fmt.Fprint(out, "Working on a fake of the API in this program; -live works on an account of yours.\n\n")
		config, err := newConfig(kind, madeUp[kind], func(name string) string { return "made-up " + name })
		if err != nil {
			return err
		}
		return connect(ctx, server.Client(), config, keep, out)
	}
	config, err := newConfig(kind, members, os.Getenv)
	if err != nil {
		return err
	}
	client, err := cfposture.NewClient()
	if err != nil {
		return err
	}
	what := "an integration and a rule will be created, and deleted again"
	if keep {
		what = "an integration and a rule will be created"
	}
	fmt.Fprintf(out, "Working on the account %q: %s.\n\n", os.Getenv("CLOUDFLARE_ACCOUNT_ID"), what)
	return connect(ctx, client, config, keep, out)
}

// newConfig reads a config without its secrets, and takes those from getenv. A program for one service would write the
// struct itself: &cfposture.KolideConfig{ClientID: id, ClientSecret: cfposture.Secret(os.Getenv("KOLIDE_SECRET"))}.
func newConfig(kind cfposture.IntegrationType, members string, getenv func(string) string) (cfposture.IntegrationConfig, error) {
	config := cfposture.NewConfig(kind)
	if _, unknown := config.(*cfposture.UnknownConfig); unknown {
		return nil, fmt.Errorf("unknown type %q: it may be one of %v", kind, cfposture.IntegrationTypes())
	}
	if err := json.Unmarshal([]byte(members), config); err != nil {
		return nil, fmt.Errorf("-config: %w", err)
	}
	for name, secret := range cfposture.Secrets(config) {
		*secret = cfposture.Secret(getenv("POSTURE_" + strings.ToUpper(name)))
	}
	return config, nil
}

// connect creates the integration, and a rule that names it by its ID.
func connect(ctx context.Context, client *cfposture.Client, config cfposture.IntegrationConfig, keep bool, out io.Writer) (err error) {
	const name = "cfposture example"
	integration, err := client.Integrations.Create(ctx, &cfposture.Integration{
		Name: name, Interval: cfposture.Every(10 * time.Minute), Config: config,
	})
	if err != nil {
		return err
	}
	clean := func(remove func(context.Context) error) {
		if !keep { // not even if the context has ended
			err = errors.Join(err, remove(context.WithoutCancel(ctx)))
		}
	}
	defer clean(func(ctx context.Context) error { return client.Integrations.Delete(ctx, integration.ID) })
	fmt.Fprintln(out, integration) // in one line, without secrets
	input := cfposture.NewInput(cfposture.RuleType(integration.Type))
	if !cfposture.SetConnectionID(input, integration.ID) {
		_, err = fmt.Fprintf(out, "No type of rule asks %s.\n", integration.Type)
		return err
	}
	demand(input)
	rule, err := client.Posture.Create(ctx, &cfposture.Rule{Name: name, Input: input})
	if err != nil {
		return err
	}
	defer clean(func(ctx context.Context) error { return client.Posture.Delete(ctx, rule.ID) }) // before the integration
	_, err = fmt.Fprintln(out, rule)
	return err
}

// demand fills in what a rule of each type is to check.
func demand(input cfposture.DeviceInput) {
	switch input := input.(type) {
	case *cfposture.WorkspaceOneInput:
		input.ComplianceStatus = cfposture.ComplianceStatusCompliant
	case *cfposture.IntuneInput:
		input.ComplianceStatus = cfposture.ComplianceStatusCompliant
	case *cfposture.CrowdStrikeS2SInput:
		input.Operator, input.Overall = cfposture.OperatorGreaterOrEqual, "80"
	case *cfposture.KolideInput:
		input.AuthState = []cfposture.KolideAuthState{cfposture.KolideAuthStateGood}
	case *cfposture.TaniumS2SInput:
		input.ScoreOperator, input.TotalScore = cfposture.OperatorLess, new(50.0)
	case *cfposture.SentinelOneS2SInput:
		input.Infected = new(false)
	case *cfposture.CustomS2SInput:
		input.Operator, input.Score = cfposture.OperatorGreaterOrEqual, new(80.0)
	default: // It asks no service.
	}
}

// madeUp has the members of configs that are no secrets.
var madeUp = map[cfposture.IntegrationType]string{
	cfposture.IntegrationTypeWorkspaceOne:   `{"api_url": "https://api.example", "auth_url": "https://auth.example", "client_id": "id"}`,
	cfposture.IntegrationTypeCrowdStrikeS2S: `{"api_url": "https://api.example", "client_id": "id", "customer_id": "customer"}`,
	cfposture.IntegrationTypeUptycs:         `{"api_url": "https://api.example", "customer_id": "customer"}`,
	cfposture.IntegrationTypeIntune:         `{"client_id": "id", "customer_id": "customer"}`,
	cfposture.IntegrationTypeKolide:         `{"client_id": "id"}`,
	cfposture.IntegrationTypeTaniumS2S:      `{"api_url": "https://api.example"}`,
	cfposture.IntegrationTypeSentinelOneS2S: `{"api_url": "https://api.example"}`,
	cfposture.IntegrationTypeCustomS2S:      `{"access_client_id": "id", "api_url": "https://api.example"}`,
}
