package models_test

import (
	"context"
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// Rules in YAML are turned into JSON, which ParseRule reads. The mistakes of a document are named all at once.
func Example_yaml() {
	server := posturetest.NewServer()
	defer server.Close()
	client, ctx := server.Client(), context.Background()

	for _, document := range []string{`
name: macOS is current
type: os_version
schedule: 1h
match:
  - platform: mac
input:
  operator: ">="
  version: "15.0.0"
`, `
name: macOS is current
type: os_version
schedul: 1h
input:
  operator: ">="
  version: 15.0 # without quotes, YAML makes a number of it
`} {
		text, err := yaml.YAMLToJSONStrict([]byte(document))
		if err != nil {
			fmt.Println(err)
			continue
		}
		rule, err := cfposture.ParseRule(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		created, err := client.Posture.CreateOnce(ctx, rule)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println("created:", created.Name)
	}
	// Output:
	// created: macOS is current
	// cfposture: invalid rule "macOS is current" (os_version): input.version is a number where a string is expected: put it in quotes; schedul is no member of a rule: did you mean schedule?
}
