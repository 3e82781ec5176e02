// Rule-types creates one rule of each of the 23 types, in order, prints what the API made of it, and deletes it again.
// What to copy is in rules.go.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/cli"
)

const about = `
Creates one rule of each of the 23 types, in order, prints what the API made of
it, and deletes all of them again. Types that need an integration take one that
the account has, and are left out where it has none; the sample account has all.
` + cli.EnvironmentHelp

// sampleIntegrations are those that rules need and the sample account doesn't have. How to connect a real account is in
// examples/integrations.
//
//go:embed integrations.json
var sampleIntegrations []byte

func main() { cli.Main(run) }

func run(ctx context.Context, env *cli.Env, args []string) (err error) {
	flags := cli.NewFlags("rule-types", "", about)
	flagged := cli.NewAccountFlag(flags)
	keep := flags.Bool("keep", false, "delete nothing at the end")
	if err := flags.Parse(env, args, 0); err != nil {
		return err
	}
	account, err := flagged.Open(env)
	if err != nil {
		return err
	}
	defer account.Close()
	if account.Sample != nil {
		document, err := cli.ReadDocument(bytes.NewReader(sampleIntegrations))
		if err != nil {
			return err
		}
		document.AddTo(account.Sample)
	}
	integrations, err := integrationsByType(ctx, account.Client)
	if err != nil {
		return err
	}

	var created []*cfposture.Rule
	if !*keep {
		defer func() { err = errors.Join(err, deleteAll(ctx, account.Client, created)) }()
	}
	for _, rule := range rules(integrations) {
		made, err := account.Posture.Create(ctx, rule)
		if lacksIntegration(err) {
			env.Sayf("Left out, because the account has no integration for it: %s", rule.Name)
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", rule.Name, err)
		}
		created = append(created, made)
	}
	return printRules(env, created)
}

// integrationsByType returns the ID of one integration of each type that the account has.
func integrationsByType(ctx context.Context, client *cfposture.Client) (map[cfposture.IntegrationType]string, error) {
	ids := map[cfposture.IntegrationType]string{}
	for integration, err := range client.Integrations.All(ctx) {
		if err != nil {
			return nil, err
		}
		ids[integration.Type] = integration.ID
	}
	return ids, nil
}

// lacksIntegration reports whether a rule was not sent because it names no integration.
func lacksIntegration(err error) bool {
	var invalid *cfposture.ValidationError
	return errors.As(err, &invalid) && len(invalid.Problems) == 1 && invalid.Problems[0].Field == "input.connection_id"
}

func printRules(env *cli.Env, rules []*cfposture.Rule) error {
	table := cli.NewTable("TYPE", "NAME", "INPUT")
	for _, rule := range rules {
		input := []byte("none")
		if rule.Input != nil {
			var err error
			if input, err = cli.JSON(rule.Input); err != nil {
				return err
			}
		}
		table.Row(rule.Type, rule.Name, string(input))
	}
	return table.Print(env.Stdout, env.Columns(env.Stdout))
}

// deleteAll cleans up, after an interrupt as well.
func deleteAll(ctx context.Context, client *cfposture.Client, rules []*cfposture.Rule) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	var problems []error
	for _, rule := range rules {
		if err := client.Posture.Delete(ctx, rule.ID); err != nil {
			problems = append(problems, fmt.Errorf("the rule %q is left in the account: %w", rule.Name, err))
		}
	}
	return errors.Join(problems...)
}
