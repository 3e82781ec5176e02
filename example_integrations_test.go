package cfposture_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// The ID of the integration is the ConnectionID of the rules that use it.
func ExampleIntegrationsService_Create() {
	server := posturetest.NewServer()
	defer server.Close()
	client, ctx := server.Client(), context.Background()

	integration, err := client.Integrations.Create(ctx, &cfposture.Integration{
		Name:     "CrowdStrike",
		Interval: cfposture.Every(10 * time.Minute),
		Config: &cfposture.CrowdStrikeS2SConfig{
			APIURL:       "https://api.us-2.crowdstrike.com",
			ClientID:     "client",
			ClientSecret: cfposture.Secret("from a vault"),
			CustomerID:   "customer",
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	rule, err := client.Posture.Create(ctx, &cfposture.Rule{
		Name: "CrowdStrike score",
		Input: &cfposture.CrowdStrikeS2SInput{
			ConnectionID: integration.ID,
			Operator:     cfposture.OperatorGreaterOrEqual,
			Overall:      "80",
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rule.Type)
	// Output: crowdstrike_s2s
}

func ExampleIntegrationsService_Update() {
	server := posturetest.NewServer()
	defer server.Close()
	integrationID := server.AddIntegration([]byte(`{"name":"Kolide","type":"kolide","interval":"10m","config":{"client_id":"client"}}`))
	client, ctx := server.Client(), context.Background()

	// Only what is set changes. A config is replaced as a whole, so it has to hold its secret.
	integration, err := client.Integrations.Update(ctx, integrationID, cfposture.IntegrationUpdate{
		Interval: new(cfposture.Every(time.Hour)),
		Config:   &cfposture.KolideConfig{ClientID: "client", ClientSecret: "rotated"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(integration.Name, integration.Interval)
	// Output: Kolide 1h
}

func ExampleIntegrationsService_All() {
	server := posturetest.NewServer()
	defer server.Close()
	server.AddIntegration([]byte(`{"name":"Kolide","type":"kolide","interval":"10m","config":{"client_id":"client"}}`))
	client, ctx := server.Client(), context.Background()

	for integration, err := range client.Integrations.All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(integration.Name, integration.Type, integration.Interval)
	}
	// Output: Kolide kolide 10m
}

func ExampleIntegrationsService_Delete() {
	server := posturetest.NewServer()
	defer server.Close()
	integrationID := server.AddIntegration([]byte(`{"name":"Kolide","type":"kolide","interval":"10m"}`))
	client, ctx := server.Client(), context.Background()

	if err := client.Integrations.Delete(ctx, integrationID); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("deleted")
	// Output: deleted
}

// The document names the secrets, and a vault holds them.
func ExampleParseIntegration() {
	integration, err := cfposture.ParseIntegration([]byte(`{
		"name": "Kolide",
		"type": "kolide",
		"interval": "10m",
		"config": {"client_id": "client", "client_secret": "vault:kolide"}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	vault := map[string]cfposture.Secret{"vault:kolide": "from a vault"}
	for name, secret := range cfposture.Secrets(integration.Config) {
		*secret = vault[string(*secret)]
		fmt.Println(name, "is", *secret)
	}
	// Output: client_secret is [redacted]
}

func ExampleParseConfig() {
	config, err := cfposture.ParseConfig(cfposture.IntegrationTypeKolide, []byte(`{"client_id":"client","client_secret":"from a vault"}`))
	fmt.Println(config, err)
	// Output: {client_id:client client_secret:[redacted]} <nil>
}

func ExampleSecrets() {
	config := &cfposture.UptycsConfig{APIURL: "https://uptycs.example.com", CustomerID: "customer"}
	for name, secret := range cfposture.Secrets(config) {
		*secret = cfposture.Secret("the vault's " + name)
	}
	fmt.Println(config)
	fmt.Println(string(config.ClientKey))
	// Output:
	// {api_url:https://uptycs.example.com client_key:[redacted] client_secret:[redacted] customer_id:customer}
	// the vault's client_key
}

// Rules of any type are moved from one integration to another without a type switch.
func ExampleSetConnectionID() {
	rules := []*cfposture.Rule{
		{Name: "Intune says compliant", Input: &cfposture.IntuneInput{ConnectionID: "old"}},
		{Name: "Firewall on", Input: &cfposture.FirewallInput{Enabled: new(true)}},
	}
	for _, rule := range rules {
		if cfposture.ConnectionID(rule.Input) == "old" {
			cfposture.SetConnectionID(rule.Input, "new")
			fmt.Println(rule.Name, "uses", cfposture.ConnectionID(rule.Input))
		}
	}
	// Output: Intune says compliant uses new
}

// A config prints without its secrets. In a slice, map or struct that slog's JSON handler is given, encoding/json writes
// it, and that has to write the secrets: log it by itself, or as text.
func ExampleSecret() {
	config := &cfposture.KolideConfig{ClientID: "client", ClientSecret: "from a vault"}
	fmt.Println(config.ClientSecret, string(config.ClientSecret))

	logger := slog.New(slog.NewJSONHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	logger.Info("one", "config", config)
	logger.Info("several", "configs", fmt.Sprint([]cfposture.IntegrationConfig{config}))
	// Output:
	// [redacted] from a vault
	// {"level":"INFO","msg":"one","config":{"client_id":"client","client_secret":"[redacted]"}}
	// {"level":"INFO","msg":"several","configs":"[{client_id:client client_secret:[redacted]}]"}
}

// withoutTime makes the output of an example the same every time.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
