// Integrations connects the account to a service that knows devices, and creates a rule that uses the connection.
//
//	go run ./examples/integrations -type kolide -client-id ID -secrets-stdin <secrets.json
//
// With credentials in the environment it works on that account; without, on a server of its own.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/cli"
)

const about = `
Integrations connects the account to a third party's service, creates a rule that
uses the connection, and prints both. With -cleanup it deletes them again.

Flags give the members of the config that are no secrets. The secrets come from the
environment variables POSTURE_CLIENT_SECRET, POSTURE_CLIENT_KEY and
POSTURE_ACCESS_CLIENT_SECRET, or with -secrets-stdin from standard input, as a JSON
object such as {"client_secret": "…"}; never from a flag, which other users of the
machine could read. On the sample account, what is not given is made up.
` + cli.EnvironmentHelp

func main() { cli.Main(run) }

func run(ctx context.Context, env *cli.Env, args []string) error {
	flags := cli.NewFlags("integrations", "", about)
	accountFlag := cli.NewAccountFlag(flags)
	var (
		types        = joined(cfposture.IntegrationTypes())
		typeName     = flags.String("type", string(cfposture.IntegrationTypeCrowdStrikeS2S), "`type` of the integration: "+types)
		name         = flags.String("name", "cfposture example", "`name` of the integration and of the rule")
		interval     = flags.Duration("interval", defaultInterval, "how often the service is asked")
		secretsStdin = flags.Bool("secrets-stdin", false, "read the secrets from standard input")
		cleanup      = flags.Bool("cleanup", false, "delete the rule and the integration in the end")
		members      = map[string]*string{}
	)
	for _, member := range publicMembers {
		members[member] = flags.String(strings.ReplaceAll(member, "_", "-"), "", "config member "+member)
	}
	if err := flags.Parse(env, args, 0); err != nil {
		return err
	}
	integrationType := cfposture.IntegrationType(*typeName)
	if !slices.Contains(cfposture.IntegrationTypes(), integrationType) {
		return cli.Usagef("the type %q is none of %s", *typeName, types)
	}
	secrets, err := readSecrets(env, *secretsStdin)
	if err != nil {
		return err
	}
	account, err := accountFlag.Open(env)
	if err != nil {
		return err
	}
	defer account.Close()

	if account.Sample != nil {
		makeUp(integrationType, members, secrets)
	}
	config, err := newConfig(integrationType, members, secrets)
	if err != nil {
		return err
	}
	integration := &cfposture.Integration{Name: *name, Interval: cfposture.Every(*interval), Config: config}
	return connect(ctx, env, account.Client, integration, *cleanup)
}

// connect takes two calls: the integration, and a rule that names it by its ID.
func connect(ctx context.Context, env *cli.Env, client *cfposture.Client, integration *cfposture.Integration, cleanup bool) (err error) {
	if integration, err = client.Integrations.Create(ctx, integration); err != nil {
		return err
	}
	var rule *cfposture.Rule
	if cleanup {
		defer func() { err = errors.Join(err, deleteBoth(context.WithoutCancel(ctx), env, client, integration, rule)) }()
	}
	if input := ruleInput(integration); input != nil {
		rule, err = client.Posture.Create(ctx, &cfposture.Rule{
			Name:  integration.Name,
			Match: []cfposture.Match{{Platform: cfposture.PlatformWindows}, {Platform: cfposture.PlatformMac}},
			Input: input,
		})
		if err != nil {
			return fmt.Errorf("the integration %s is there, its rule is not: %w", integration.ID, err)
		}
	}
	return printBoth(env, integration, rule)
}

// deleteBoth deletes the rule first, because the integration can't go while a rule uses it.
func deleteBoth(ctx context.Context, env *cli.Env, client *cfposture.Client, integration *cfposture.Integration, rule *cfposture.Rule) error {
	if rule != nil {
		if err := client.Posture.Delete(ctx, rule.ID); err != nil {
			return err
		}
	}
	if err := client.Integrations.Delete(ctx, integration.ID); err != nil {
		return err
	}
	env.Sayf("Deleted what was created.")
	return nil
}

// ruleInput returns a check that makes sense for the integration; nil for uptycs, which no type of rule uses.
func ruleInput(integration *cfposture.Integration) cfposture.DeviceInput {
	id := integration.ID
	switch integration.Type {
	case cfposture.IntegrationTypeWorkspaceOne:
		return &cfposture.WorkspaceOneInput{ConnectionID: id, ComplianceStatus: cfposture.ComplianceStatusCompliant}
	case cfposture.IntegrationTypeCrowdStrikeS2S:
		return &cfposture.CrowdStrikeS2SInput{ConnectionID: id, Operator: cfposture.OperatorGreaterOrEqual, Overall: "80"}
	case cfposture.IntegrationTypeIntune:
		return &cfposture.IntuneInput{ConnectionID: id, ComplianceStatus: cfposture.ComplianceStatusCompliant}
	case cfposture.IntegrationTypeKolide:
		return &cfposture.KolideInput{ConnectionID: id, AuthState: []cfposture.KolideAuthState{cfposture.KolideAuthStateGood}}
	case cfposture.IntegrationTypeTaniumS2S:
		return &cfposture.TaniumS2SInput{ConnectionID: id, ScoreOperator: cfposture.OperatorLess, TotalScore: new(50.0)}
	case cfposture.IntegrationTypeSentinelOneS2S:
		return &cfposture.SentinelOneS2SInput{ConnectionID: id, Infected: new(false)}
	case cfposture.IntegrationTypeCustomS2S:
		return &cfposture.CustomS2SInput{ConnectionID: id, Operator: cfposture.OperatorGreaterOrEqual, Score: new(80.0)}
	default:
		return nil
	}
}

// printBoth shows what the API made of them. A config prints without its secrets, which no answer holds anyway.
func printBoth(env *cli.Env, integration *cfposture.Integration, rule *cfposture.Rule) error {
	table := cli.NewTable("", "NAME", "TYPE", "EVERY", "ID", "DETAILS")
	table.Row("integration", integration.Name, integration.Type, integration.Interval, integration.ID, fmt.Sprint(integration.Config))
	if rule != nil {
		table.Row("rule", rule.Name, rule.Type, rule.Schedule, rule.ID, describe(rule.Input))
	}
	return table.Print(env.Stdout, env.Columns(env.Stdout))
}

func describe(input cfposture.DeviceInput) string {
	marshaler, ok := input.(json.Marshaler) // its own method leaves < and > as they are
	if !ok {
		return ""
	}
	text, err := marshaler.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func joined[T ~string](values []T) string {
	var texts []string
	for _, value := range values {
		texts = append(texts, string(value))
	}
	return strings.Join(texts, ", ")
}

// readSecrets returns the secret members of a config, from the environment or from standard input.
func readSecrets(env *cli.Env, fromStdin bool) (map[string]string, error) {
	secrets := map[string]string{}
	for _, member := range secretMembers {
		secrets[member] = env.Getenv("POSTURE_" + strings.ToUpper(member))
	}
	if !fromStdin {
		return secrets, nil
	}
	text, err := io.ReadAll(env.Stdin)
	if err != nil {
		return nil, err
	}
	var given map[string]string
	if json.Unmarshal(text, &given) != nil { // whose error could show a part of a secret
		return nil, cli.Usagef(`standard input holds no JSON object of strings such as {"client_secret": "…"}`)
	}
	for member, secret := range given {
		if !slices.Contains(secretMembers, member) {
			return nil, cli.Usagef("standard input holds %q, which is none of %s", member, joined(secretMembers))
		}
		secrets[member] = cmp.Or(secret, secrets[member])
	}
	return secrets, nil
}
