package cfposture_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// The examples work on a server of their own. A program would have cfposture.NewClient() where they have
// server.Client().

func ExampleNewClient() {
	client, err := cfposture.NewClient(
		cfposture.WithAPIToken(os.Getenv("POSTURE_TOKEN")), // instead of CLOUDFLARE_API_TOKEN
		cfposture.WithAccountID("699d98642c564d2e855e9661899b7252"),
		cfposture.WithUserAgent("inventory/1.2"),
		cfposture.WithRateLimit(3, 10), // leave some of the API's 4 a second to others
		cfposture.WithLogger(slog.Default()),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = client
	// Output: cfposture: API token is empty
}

func ExamplePostureService_Create() {
	server := posturetest.NewServer()
	defer server.Close()
	client, ctx := server.Client(), context.Background()

	rule, err := client.Posture.Create(ctx, &cfposture.Rule{
		Name:     "Disk encrypted",
		Schedule: cfposture.Every(30 * time.Minute),
		Match:    []cfposture.Match{{Platform: cfposture.PlatformWindows}, {Platform: cfposture.PlatformMac}},
		Input:    &cfposture.DiskEncryptionInput{RequireAll: new(true)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rule.Type, rule.Schedule, len(rule.ID))
	// Output: disk_encryption 30m 36
}

func ExampleDeviceInput() {
	server := posturetest.NewServer()
	defer server.Close()
	server.AddRule([]byte(`{"name":"up to date","type":"os_version","input":{"operator":">=","version":"10.0.22631"}}`))
	server.AddRule([]byte(`{"name":"managed","type":"file","input":{"path":"/opt/mdm/agent"}}`))
	server.AddRule([]byte(`{"name":"entangled","type":"quantum","input":{"qubits":7}}`))
	client, ctx := server.Client(), context.Background()

	for rule, err := range client.Posture.All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		switch input := rule.Input.(type) {
		case *cfposture.OSVersionInput:
			fmt.Println(rule.Name, "means version", input.Operator, input.Version)
		case *cfposture.FileInput:
			fmt.Println(rule.Name, "means that there is", input.Path)
		case *cfposture.UnknownInput:
			fmt.Printf("%s is newer than this program: %s\n", rule.Name, input.Raw)
		default:
			fmt.Println(rule.Name, "is a", rule.Type, "rule")
		}
	}
	// Output:
	// up to date means version >= 10.0.22631
	// managed means that there is /opt/mdm/agent
	// entangled is newer than this program: {"qubits":7}
}

func ExamplePostureService_Update() {
	server := posturetest.NewServer()
	defer server.Close()
	ruleID := server.AddRule([]byte(`{"id":"f174e90a","name":"Jamf","type":"application",
		"input":{"path":"/usr/local/jamf","flavor":"application","running":true},"priority":1.10}`))
	client, ctx := server.Client(), context.Background()

	rule, err := client.Posture.Get(ctx, ruleID)
	if err != nil {
		fmt.Println(err)
		return
	}
	rule.Schedule = cfposture.Every(time.Hour)
	// This package has no fields for flavor, running and priority; they go back as they came.
	if _, err := client.Posture.Update(ctx, rule); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", server.Requests()[1].Body)
	// Output: {"name":"Jamf","type":"application","schedule":"1h","input":{"path":"/usr/local/jamf","flavor":"application","running":true},"priority":1.10}
}

func ExamplePostureService_All() {
	server := posturetest.NewServer()
	defer server.Close()
	for i := range 5000 {
		server.AddRule(fmt.Appendf(nil, `{"name":"rule %d","type":"warp"}`, i))
	}
	client, ctx := server.Client(), context.Background()

	for rule, err := range client.Posture.All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		if rule.Name == "rule 2" {
			fmt.Println("found it, and the rest is not even read")
			break
		}
	}
	// Output: found it, and the rest is not even read
}

func ExampleError() {
	server := posturetest.NewServer()
	defer server.Close()
	client, ctx := server.Client(), context.Background()

	_, err := client.Posture.Get(ctx, "f174e90a-fafe-4643-bbbc-4a0ed4fc8415")
	var failed *cfposture.Error
	switch {
	case err == nil:
	case errors.Is(err, cfposture.ErrNotFound):
		fmt.Println("there is no such rule")
	case errors.Is(err, cfposture.ErrRateLimited) && errors.As(err, &failed):
		fmt.Println("try again in", failed.RetryAfter)
	case errors.As(err, &failed):
		fmt.Println("the API says no; its support wants to know the ray", failed.RayID)
	default:
		fmt.Println("no answer:", err)
	}
	// Output: there is no such rule
}

func ExamplePostureService_CreateOnce() {
	server := posturetest.NewServer()
	defer server.Close()
	server.AddRule([]byte(`{"name":"WARP is on","type":"warp"}`)) // an older one of the same name
	client, ctx := server.Client(), context.Background()
	rule := &cfposture.Rule{Name: "WARP is on", Type: cfposture.RuleTypeWARP}

	// Create would end in ErrOutcomeUnknown where its response is lost: the rule exists, or it doesn't.
	created, err := client.Posture.CreateOnce(ctx, rule)
	switch {
	case errors.Is(err, cfposture.ErrOutcomeUnknown):
		fmt.Println("somebody has to look:", err)
	case err != nil:
		fmt.Println("nothing was created:", err)
	default:
		fmt.Println("created:", created.Name)
	}
	// Output: created: WARP is on
}

func ExampleParseRule() {
	rule, err := cfposture.ParseRule([]byte(`{
		"name": "Disk encrypted",
		"type": "disk_encryption",
		"schedul": "30m",
		"input": {"require_all": true}
	}`))
	fmt.Println(rule, err)
	// Output: <nil> cfposture: invalid rule "Disk encrypted" (disk_encryption): input.require_all is no member of disk_encryption: did you mean requireAll?; schedul is no member of a rule: did you mean schedule?
}

func ExampleRule_Diff() {
	server := posturetest.NewServer()
	defer server.Close()
	ruleID := server.AddRule([]byte(`{"name":"Disk encrypted","type":"disk_encryption","schedule":"5m","description":"made by hand",
		"input":{"checkDisks":[],"requireAll":false},"match":[{"platform":"mac"},{"platform":"windows"}]}`))
	client, ctx := server.Client(), context.Background()

	want := &cfposture.Rule{
		Name:     "Disk encrypted",
		Schedule: "1h",
		Match:    []cfposture.Match{{Platform: cfposture.PlatformWindows}, {Platform: cfposture.PlatformMac}},
		Input:    &cfposture.DiskEncryptionInput{RequireAll: new(true)},
	}
	have, err := client.Posture.Get(ctx, ruleID)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, difference := range want.Diff(have) {
		fmt.Println(difference)
	}
	// Merge keeps what want leaves out, such as the description.
	have, err = client.Posture.Update(ctx, want.Merge(have))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(have.Description, len(want.Diff(have)))
	// Output:
	// schedule: want "1h", have "5m"
	// input.requireAll: want true, have false
	// made by hand 0
}

func ExampleUnknownInput() {
	server := posturetest.NewServer()
	defer server.Close()
	server.AddRule([]byte(`{"name":"entangled","type":"quantum","input":{"qubits":7}}`))
	server.AddRule([]byte(`{"name":"odd","type":"os_version","input":{"operator":">=","version":15}}`))
	client, ctx := server.Client(), context.Background()

	rules, err := client.Posture.List(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, rule := range rules {
		if input, ok := rule.Input.(*cfposture.UnknownInput); ok {
			fmt.Printf("%s: %s: %s\n", rule.Name, input.Raw, input.Reason)
		}
	}
	// Output:
	// entangled: {"qubits":7}: type "quantum" is not a type of rule
	// odd: {"operator":">=","version":15}: input.version is a number where a string is expected: put it in quotes
}

func ExampleRule_Validate() {
	rule := &cfposture.Rule{
		Name:     "Score",
		Schedule: "30s",
		Input:    &cfposture.CustomS2SInput{Operator: "=>", Score: new(120.0)},
	}
	fmt.Println(rule.Validate())
	// Output: cfposture: invalid rule "Score" (custom_s2s): schedule "30s" is below the minimum of 1m; input.connection_id is required; input.operator "=>" is none of <, <=, >, >=, ==; input.score is 120, not between 0 and 100
}

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

	// Only what is set changes. A config is replaced whole, so it has its secret again.
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

func ExampleSecret() {
	config := &cfposture.KolideConfig{ClientID: "client", ClientSecret: "from a vault"}
	fmt.Println(config.ClientSecret, string(config.ClientSecret))
	fmt.Printf("%+v\n", config)
	// Output:
	// [redacted] from a vault
	// {client_id:client client_secret:[redacted]}
}

func ExampleClient_Do() {
	server := posturetest.NewServer()
	defer server.Close()
	client, ctx := server.Client(), context.Background()

	// An endpoint without a method of its own is called by the same rules, and answers in the same envelope.
	var rules []struct {
		Name string `json:"name"`
	}
	query := struct {
		PerPage int `url:"per_page"`
	}{50}
	err := client.Do(ctx, cfposture.Request{Method: "GET", Path: "accounts/" + posturetest.AccountID + "/devices/posture", Query: query}, &rules)
	fmt.Println(len(rules), err)
	// Output: 0 <nil>
}

// countRules is the code of a user that the example below shows how to test.
func countRules(ctx context.Context, client *cfposture.Client) (int, error) {
	rules, err := client.Posture.List(ctx)
	return len(rules), err
}

func Example_testing() {
	// In a test: server := posturetest.NewServer(); t.Cleanup(server.Close)
	server := posturetest.NewServer()
	defer server.Close()
	server.AddRule([]byte(`{"name":"WARP is on","type":"warp"}`))
	server.FailNext(1, 503) // which the client has to get over

	count, err := countRules(context.Background(), server.Client())
	fmt.Println(count, err, len(server.Requests()))
	// Output: 1 <nil> 2
}
