package cfposture_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

func ExamplePostureService_All() {
	server := posturetest.NewServer()
	defer server.Close()
	server.AddRule([]byte(`{"id":"1","name":"Firewall on","type":"firewall","input":{"enabled":true}}`))
	server.AddRule([]byte(`{"id":"2","name":7,"type":"warp"}`)) // no name is a number
	server.AddRule([]byte(`{"id":"3","name":"WARP is on","type":"warp"}`))
	client, ctx := server.Client(), context.Background()

	for rule, err := range client.Posture.All(ctx) {
		var unreadable *cfposture.ItemError
		switch {
		case errors.Is(err, cfposture.ErrIncomplete):
			fmt.Println("there may be more rules:", err) // the loop is over
		case errors.As(err, &unreadable):
			fmt.Println("skipped the unreadable rule", unreadable.ID) // the loop goes on
		case err != nil:
			fmt.Println("the rules can't be read:", err) // the loop is over
		default:
			fmt.Println(rule.Type, rule.Name)
		}
	}
	// Output:
	// firewall Firewall on
	// skipped the unreadable rule 2
	// warp WARP is on
}

// The rules are listed first, because deleting moves the rules of later pages.
func ExamplePostureService_Delete_several() {
	server := posturetest.NewServer()
	defer server.Close()
	server.PutRule(&cfposture.Rule{Name: "old: WARP is on", Type: cfposture.RuleTypeWARP})
	server.PutRule(&cfposture.Rule{Name: "Traffic is filtered", Type: cfposture.RuleTypeGateway})
	client, ctx := server.Client(), context.Background()

	rules, err := client.Posture.List(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, rule := range rules {
		if rule.Type == cfposture.RuleTypeWARP {
			if err := client.Posture.Delete(ctx, rule.ID); err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println("deleted", rule.Name)
		}
	}
	// Output: deleted old: WARP is on
}

// List returns the rules that it could read along with an error.
func ExamplePostureService_List() {
	server := posturetest.NewServer()
	defer server.Close()
	server.AddRule([]byte(`{"id":"1","name":"Firewall on","type":"firewall","input":{"enabled":true}}`))
	server.AddRule([]byte(`{"id":"2","name":7,"type":"warp"}`)) // no name is a number
	client, ctx := server.Client(), context.Background()

	rules, err := client.Posture.List(ctx)
	// The error can be both of these. If it is only an *ItemError, every readable rule is there.
	var unreadable *cfposture.ItemError
	switch {
	case errors.Is(err, cfposture.ErrIncomplete):
		fmt.Println("there may be more rules:", err)
	case errors.As(err, &unreadable):
		fmt.Printf("rule %d can't be read: %s\n", unreadable.Index, unreadable.Raw)
	case err != nil:
		fmt.Println(err)
		return
	}
	for _, rule := range rules {
		fmt.Println(rule.Name)
	}
	// Output:
	// rule 1 can't be read: {"id":"2","name":7,"type":"warp"}
	// Firewall on
}

func ExamplePostureService_ListPage() {
	server := posturetest.NewServer()
	defer server.Close()
	for i := range 5 {
		server.PutRule(&cfposture.Rule{Name: fmt.Sprint("rule ", i+1), Type: cfposture.RuleTypeWARP})
	}
	client, ctx := server.Client(), context.Background()

	page, err := client.Posture.ListPage(ctx, cfposture.ListOptions{Page: 2, PerPage: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, rule := range page.Items {
		fmt.Println(rule.Name)
	}
	fmt.Printf("page %d of %d, %d rules in all\n", page.Info.Page, page.Info.TotalPages, page.Info.TotalCount)
	// Output:
	// rule 3
	// rule 4
	// page 2 of 3, 5 rules in all
}

func ExamplePostureService_Get() {
	server := posturetest.NewServer()
	defer server.Close()
	ruleID := server.PutRule(&cfposture.Rule{ID: "f174e90a", Name: "WARP is on", Type: cfposture.RuleTypeWARP})
	client, ctx := server.Client(), context.Background()

	rule, err := client.Posture.Get(ctx, ruleID)
	if errors.Is(err, cfposture.ErrNotFound) {
		fmt.Println("there is no such rule")
		return
	} else if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rule.Name, rule.Schedule)
	// Output: WARP is on 5m
}

func ExamplePostureService_Create() {
	server := posturetest.NewServer()
	defer server.Close()
	client, ctx := server.Client(), context.Background()

	rule, err := client.Posture.Create(ctx, &cfposture.Rule{
		Name:     "macOS is current",
		Schedule: cfposture.Every(30 * time.Minute),
		Match:    []cfposture.Match{{Platform: cfposture.PlatformMac}},
		Input: &cfposture.OSVersionInput{
			OperatingSystem: cfposture.PlatformMac,
			Operator:        cfposture.OperatorGreaterOrEqual,
			Version:         "15.5.0",
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rule.Type, rule.Schedule)
	// Output: os_version 30m
}

// A gateway gives up on the request, but the API carries it out. CreateOnce finds the rule and doesn't create another.
func ExamplePostureService_CreateOnce() {
	server := posturetest.NewServer()
	defer server.Close()
	server.Inject(posturetest.Fault{Operation: "posture.create", Status: http.StatusGatewayTimeout, Lost: true})
	client, ctx := server.Client(), context.Background()
	rule := &cfposture.Rule{Name: "WARP is on", Type: cfposture.RuleTypeWARP}

	created, err := client.Posture.CreateOnce(ctx, rule)
	switch {
	case errors.Is(err, cfposture.ErrOutcomeUnknown):
		fmt.Println("somebody has to look:", err)
	case err != nil:
		fmt.Println("nothing was created:", err)
	default:
		fmt.Println("created:", created.Name)
	}
	fmt.Println("rules on the server:", len(server.Rules()))
	// Output:
	// created: WARP is on
	// rules on the server: 1
}

// A program that creates many rules lists once, and looks only for those whose outcome is unknown.
func ExamplePostureService_FindCreated() {
	server := posturetest.NewServer()
	defer server.Close()
	server.Inject(posturetest.Fault{Operation: "posture.create", Status: http.StatusGatewayTimeout, Lost: true})
	client, ctx := server.Client(), context.Background()

	known := map[string]bool{}
	for rule, err := range client.Posture.All(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		known[rule.ID] = true
	}
	for _, ruleType := range []cfposture.RuleType{cfposture.RuleTypeWARP, cfposture.RuleTypeGateway} {
		rule := &cfposture.Rule{Name: "By " + string(ruleType), Type: ruleType}
		created, err := client.Posture.Create(ctx, rule)
		if errors.Is(err, cfposture.ErrOutcomeUnknown) {
			created, err = client.Posture.FindCreated(ctx, rule, func(id string) bool { return known[id] })
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		known[created.ID] = true
		fmt.Println("created", created.Name)
	}
	// Output:
	// created By warp
	// created By gateway
}

// A member that this package has no field for survives the update.
func ExamplePostureService_Update() {
	server := posturetest.NewServer()
	defer server.Close()
	ruleID := server.AddRule([]byte(`{"id":"f174e90a","name":"Jamf","type":"application",
		"input":{"path":"/usr/local/jamf","flavor":"application"},"priority":1.10}`))
	client, ctx := server.Client(), context.Background()

	rule, err := client.Posture.Get(ctx, ruleID)
	if err != nil {
		fmt.Println(err)
		return
	}
	rule.Schedule = cfposture.Every(time.Hour)
	// This package has no fields for input.flavor and priority. They are sent back as received.
	if _, err := client.Posture.Update(ctx, rule); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", server.Requests()[1].Body)
	// Output: {"name":"Jamf","type":"application","schedule":"1h","input":{"path":"/usr/local/jamf","flavor":"application"},"priority":1.10}
}

func ExamplePostureService_Delete() {
	server := posturetest.NewServer()
	defer server.Close()
	ruleID := server.PutRule(&cfposture.Rule{Name: "WARP is on", Type: cfposture.RuleTypeWARP})
	client, ctx := server.Client(), context.Background()

	// Where the API reports that there is no such rule, the error wraps ErrNotFound.
	if err := client.Posture.Delete(ctx, ruleID); err != nil && !errors.Is(err, cfposture.ErrNotFound) {
		fmt.Println(err)
		return
	}
	fmt.Println("deleted,", len(server.Rules()), "rules left")
	// Output: deleted, 0 rules left
}

// If such a switch has no default, the linter gochecksumtype reports the missing types.
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
			fmt.Println(rule.Name, "compares the version:", input.Operator, input.Version)
		case *cfposture.FileInput:
			fmt.Println(rule.Name, "looks for the file", input.Path)
		case *cfposture.UnknownInput:
			fmt.Printf("%s can't be decoded: %s\n", rule.Name, input.Reason)
		default:
			fmt.Println(rule.Name, "is a rule of type", rule.Type)
		}
	}
	// Output:
	// up to date compares the version: >= 10.0.22631
	// managed looks for the file /opt/mdm/agent
	// entangled can't be decoded: type "quantum" is not a type of rule
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
	// odd: {"operator":">=","version":15}: input.version is a number where a string is expected
}

func ExampleParseRule() {
	rule, err := cfposture.ParseRule([]byte(`{
		"name": "Disk encrypted",
		"type": "disk_encryption",
		"schedule": "30m",
		"input": {"requireAll": true}
	}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rule.Name, rule.Schedule)

	// Mistakes are reported all together.
	_, err = cfposture.ParseRule([]byte(`{
		"name": "Disk encrypted",
		"type": "disk_encryption",
		"schedul": "30m",
		"input": {"require_all": true}
	}`))
	var invalid *cfposture.ValidationError
	if errors.As(err, &invalid) {
		for _, problem := range invalid.Problems {
			fmt.Println("-", problem)
		}
	}
	// Output:
	// Disk encrypted 30m
	// - input.require_all is no member of disk_encryption: did you mean requireAll?
	// - schedul is no member of a rule: did you mean schedule?
}

// A member that the API has and this package doesn't is allowed by its path.
func ExampleParseRule_allow() {
	document := []byte(`{"name":"Jamf runs","type":"application","input":{"path":"/usr/local/jamf","flavor":"application"}}`)
	rule, err := cfposture.ParseRule(document, "input.flavor")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rule.Name, rule.UnknownMembers())
	// Output: Jamf runs [input.flavor]
}

func ExampleParseInput() {
	input, err := cfposture.ParseInput(cfposture.RuleTypeFirewall, []byte(`{"enabled":true}`))
	fmt.Println(input, err)
	// Output: {"enabled":true} <nil>
}

// Diff and Merge bring a rule to a desired state and keep what that doesn't mention.
func ExampleRule_Diff() {
	server := posturetest.NewServer()
	defer server.Close()
	ruleID := server.AddRule([]byte(`{"name":"Disk encrypted","type":"disk_encryption","schedule":"5m","description":"made by hand",
		"input":{"checkDisks":[],"requireAll":false},"match":[{"platform":"mac"},{"platform":"windows"}]}`))
	client, ctx := server.Client(), context.Background()

	want := &cfposture.Rule{
		Name:     "Disk encrypted",
		Schedule: cfposture.Every(time.Hour),
		Match:    []cfposture.Match{{Platform: cfposture.PlatformWindows}, {Platform: cfposture.PlatformMac}},
		Input:    &cfposture.DiskEncryptionInput{RequireAll: new(true)},
	}
	have, err := client.Posture.Get(ctx, ruleID)
	if err != nil {
		fmt.Println(err)
		return
	}
	differences := want.Diff(have)
	for _, difference := range differences {
		fmt.Println(difference)
	}
	if len(differences) > 0 {
		if have, err = client.Posture.Update(ctx, want.Merge(have)); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println(have.Description, len(want.Diff(have)))
	// Output:
	// schedule: want "1h", have "5m"
	// input.requireAll: want true, have false
	// made by hand 0
}

// Merge keeps what the wanted rule leaves out, such as the description.
func ExampleRule_Merge() {
	have := &cfposture.Rule{
		ID: "f174e90a", Name: "Firewall on", Description: "made by hand", Schedule: "5m",
		Input: &cfposture.FirewallInput{Enabled: new(true)},
	}
	want := &cfposture.Rule{Name: "Firewall on", Schedule: "1h", Input: &cfposture.FirewallInput{Enabled: new(true)}}

	merged := want.Merge(have)
	fmt.Println(merged.ID, merged.Schedule, merged.Description)
	// Output: f174e90a 1h made by hand
}

func ExampleRule_Validate() {
	rule := &cfposture.Rule{
		Name:     "Own score",
		Schedule: cfposture.Every(10 * time.Minute),
		Input: &cfposture.CustomS2SInput{
			ConnectionID: "bc7cbfbb-600a-42e4-8a23-45b5e85f8001",
			Operator:     cfposture.OperatorGreaterOrEqual,
			Score:        new(80.0),
		},
	}
	fmt.Println(rule.Validate())
	// Output: <nil>
}

func ExampleRule_UnknownMembers() {
	server := posturetest.NewServer()
	defer server.Close()
	ruleID := server.AddRule([]byte(`{"type":"application","input":{"path":"/usr/local/jamf","flavor":"application"},"priority":1}`))

	rule, err := server.Client().Posture.Get(context.Background(), ruleID)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rule.UnknownMembers())
	// Output: [input.flavor priority]
}
