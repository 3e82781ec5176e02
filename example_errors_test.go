package cfposture_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

func ExampleError() {
	server := posturetest.NewServer()
	defer server.Close()
	client, ctx := server.Client(), context.Background()

	_, err := client.Posture.Get(ctx, "f174e90a-fafe-4643-bbbc-4a0ed4fc8415")
	var failure *cfposture.Error
	switch {
	case err == nil:
	case errors.Is(err, cfposture.ErrNotFound):
		fmt.Println("there is no such rule")
	case errors.Is(err, cfposture.ErrRateLimited) && errors.As(err, &failure):
		fmt.Println("try again in", failure.RetryAfter)
	case errors.As(err, &failure):
		fmt.Println("the API reports a failure; Cloudflare's support asks for the Ray ID", failure.RayID)
	default:
		fmt.Println("no response:", err)
	}
	// Output: there is no such rule
}

func ExampleError_HasCode() {
	server := posturetest.NewServer()
	defer server.Close()
	server.Inject(posturetest.Fault{Status: http.StatusForbidden, Code: 10000, Message: "Authentication error"})

	_, err := server.Client().Posture.List(context.Background())
	var failure *cfposture.Error
	if errors.As(err, &failure) && failure.HasCode(10000) {
		fmt.Println("the token is wrong, or lacks a permission")
	}
	// Output: the token is wrong, or lacks a permission
}

// Raw helps to find out what is wrong with a rule that can't be read.
func ExampleItemError() {
	server := posturetest.NewServer()
	defer server.Close()
	server.AddRule([]byte(`{"id":"f174e90a","name":7,"type":"warp"}`)) // no name is a number

	_, err := server.Client().Posture.List(context.Background())
	var unreadable *cfposture.ItemError
	if errors.As(err, &unreadable) {
		fmt.Printf("%s: %s\n", unreadable.ID, unreadable.Raw)
	}
	// Output: f174e90a: {"id":"f174e90a","name":7,"type":"warp"}
}

// Create and Update check a rule before they send it.
func ExampleValidationError() {
	server := posturetest.NewServer()
	defer server.Close()
	client, ctx := server.Client(), context.Background()

	_, err := client.Posture.Create(ctx, &cfposture.Rule{
		Name:     "Own score",
		Schedule: "30s",
		Input:    &cfposture.CustomS2SInput{Operator: "=>", Score: new(120.0)},
	})
	var invalid *cfposture.ValidationError
	if errors.As(err, &invalid) {
		fmt.Println(invalid.Subject)
		for _, problem := range invalid.Problems {
			fmt.Println("-", problem)
		}
	}
	// Output:
	// rule "Own score" (custom_s2s)
	// - schedule "30s" is below the minimum of 1m
	// - input.connection_id is required
	// - input.operator "=>" is none of <, <=, >, >=, ==
	// - input.score is 120, not between 0 and 100
}

func ExampleWithoutValidation() {
	server := posturetest.NewServer()
	defer server.Close()
	client, ctx := server.Client(), context.Background()

	// The version is missing. Without validation, the API decides.
	rule := &cfposture.Rule{Name: "Half a rule", Input: &cfposture.OSVersionInput{Operator: cfposture.OperatorEqual}}
	_, err := client.Posture.Create(ctx, rule, cfposture.WithoutValidation())
	var failure *cfposture.Error
	fmt.Println("refused by the API, not by the client:", errors.As(err, &failure))
	// Output: refused by the API, not by the client: true
}
