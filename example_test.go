package cfposture_test

import (
	"context"
	"fmt"
	"time"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// The examples run against a fake of the API. A program has cfposture.NewClient() in place of server.Client().
func Example() {
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
	fmt.Println("created", rule.Name)

	rule.Schedule = cfposture.Every(time.Hour)
	if rule, err = client.Posture.Update(ctx, rule); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("checked every", rule.Schedule)

	if err := client.Posture.Delete(ctx, rule.ID); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("deleted")
	// Output:
	// created Disk encrypted
	// checked every 1h
	// deleted
}

// Credentials and account come from the environment unless options set them.
func ExampleNewClient() {
	server := posturetest.NewServer()
	defer server.Close()

	client, err := cfposture.NewClient(
		cfposture.WithAPIToken(posturetest.APIToken),   // in place of CLOUDFLARE_API_TOKEN
		cfposture.WithAccountID(posturetest.AccountID), // in place of CLOUDFLARE_ACCOUNT_ID
		cfposture.WithBaseURL(server.URL),              // only for tests, gateways and the like
		cfposture.WithUserAgent("inventory/1.2"),
		cfposture.WithRateLimit(3, 10), // leave some of the API's 4 requests a second to others
		cfposture.WithTimeout(10*time.Second),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	rules, err := client.Posture.List(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(rules), "rules")
	// Output: 0 rules
}

// An endpoint that this package has no method for is called with the same retries and errors.
func ExampleClient_Do() {
	server := posturetest.NewServer()
	defer server.Close()
	server.PutRule(&cfposture.Rule{Name: "WARP is on", Type: cfposture.RuleTypeWARP})
	client, ctx := server.Client(), context.Background()

	var rules []struct {
		Name string `json:"name"`
	}
	query := struct {
		PerPage int `url:"per_page"`
	}{50}
	err := client.Do(ctx, cfposture.Request{
		Method: "GET",
		Path:   "accounts/" + posturetest.AccountID + "/devices/posture",
		Query:  query,
	}, &rules)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rules)
	// Output: [{WARP is on}]
}

func ExampleEvery() {
	fmt.Println(cfposture.Every(5*time.Minute), cfposture.Every(24*time.Hour), cfposture.Every(90*time.Second))
	// Output: 5m 24h 90s
}

func ExampleInterval_Duration() {
	every, err := cfposture.Interval("2d").Duration()
	fmt.Println(every, err)
	// Output: 48h0m0s <nil>
}
