package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
	"github.com/cfposture/cfposture/internal/apifacts"
)

func typesCommand(t *terminal.Terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "types [TYPE]",
		Short: "List the types of rules and integrations, or the members of one",
		Long: `Types lists the types of rules and integrations. With a TYPE, which may be one
of both, it lists the members of the rule's input and of the integration's
config, and shows an example to put into a document.`,
		Example: `  posturectl types
  posturectl types os_version`,
		Args: atMost(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return printTypes(t)
			}
			return printType(t, args[0])
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return typeNames(), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

func printTypes(t *terminal.Terminal) error {
	table := terminal.NewTable("TYPE", "KIND", "REQUIRED", "OPTIONAL")
	for _, r := range apifacts.RuleTypes {
		required, optional := memberNames(r.Members)
		table.Row(r.Name, "rule", required, optional)
	}
	for _, i := range apifacts.IntegrationTypes {
		required, optional := memberNames(i.Members)
		table.Row(i.Name, "integration", required, optional)
	}
	return table.Print(t.Out, t.Columns(t.Out))
}

func memberNames(members []apifacts.Member) (required, optional string) {
	var demanded, others []string
	for _, m := range members {
		if m.Demanded() {
			demanded = append(demanded, m.Name)
		} else {
			others = append(others, m.Name)
		}
	}
	return strings.Join(demanded, ", "), strings.Join(others, ", ")
}

func printType(t *terminal.Terminal, name string) error {
	rule, isRule := apifacts.FindRuleType(name)
	integration, isIntegration := apifacts.FindIntegrationType(name)
	if !isRule && !isIntegration {
		if similar := similarTypes(name); len(similar) > 0 {
			return usagef("unknown type %q: did you mean %s?", name, strings.Join(similar, " or "))
		}
		return usagef("unknown type %q: posturectl types lists those that there are", name)
	}
	if isRule {
		example := fmt.Sprintf(`{"name": "My rule", "type": %q, "match": [{"platform": "windows"}]`, name)
		if rule.Input != "" {
			example += `, "input": ` + rule.Input
		}
		if err := printMembers(t, "rule", "input", rule.Members, example+"}"); err != nil {
			return err
		}
	}
	if isIntegration {
		config, err := withoutSecrets(integration)
		if err != nil {
			return err
		}
		example := fmt.Sprintf(`{"name": "My integration", "type": %q, "interval": "10m", "config": %s}`, name, config)
		return printMembers(t, "integration", "config", integration.Members, example)
	}
	return nil
}

// withoutSecrets returns a config that takes its secrets from the environment.
func withoutSecrets(integration apifacts.IntegrationType) ([]byte, error) {
	var config map[string]any
	if err := json.Unmarshal([]byte(integration.Config), &config); err != nil {
		return nil, err
	}
	for _, m := range integration.Members {
		if _, there := config[m.Name]; there && m.Secret {
			config[m.Name] = map[string]string{"$env": strings.ToUpper(m.Name)}
		}
	}
	return json.Marshal(config)
}

func printMembers(t *terminal.Terminal, kind, inner string, members []apifacts.Member, example string) error {
	if len(members) > 0 {
		table := terminal.NewTable(strings.ToUpper(kind+" "+inner), "VALUE", "REQUIRED", "ALLOWED")
		for _, m := range members {
			table.Row(m.Name, valueOf(m), map[bool]string{true: "yes"}[m.Demanded()], strings.Join(m.Allowed(), ", "))
		}
		if err := table.Print(t.Out, t.Columns(t.Out)); err != nil {
			return err
		}
		fmt.Fprintln(t.Out)
	}
	text, err := yaml.JSONToYAML([]byte(example))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(t.Out, "# example of a document\nversion: 1\n%ss:\n- %s\n", kind, strings.ReplaceAll(strings.TrimSpace(string(text)), "\n", "\n  "))
	return err
}

// valueOf says what a member's value is.
func valueOf(m apifacts.Member) string {
	switch {
	case m.Secret:
		return "secret"
	case m.Interval:
		return "interval"
	}
	return map[apifacts.Kind]string{
		apifacts.String: "string", apifacts.Bool: "boolean", apifacts.Number: "number",
		apifacts.Strings: "list of strings", apifacts.Object: "object", apifacts.Objects: "list of objects",
	}[m.Kind]
}

// similarTypes returns the types that a name was probably meant to be, by the rule that cobra has for commands.
func similarTypes(name string) []string {
	types := &cobra.Command{SuggestionsMinimumDistance: 2}
	for _, known := range typeNames() {
		types.AddCommand(&cobra.Command{Use: known, Run: func(*cobra.Command, []string) {}})
	}
	return types.SuggestionsFor(name)
}

func typeNames() []string {
	var names []string
	for _, r := range apifacts.RuleTypes {
		names = append(names, r.Name)
	}
	for _, i := range apifacts.IntegrationTypes {
		if _, both := apifacts.FindRuleType(i.Name); !both {
			names = append(names, i.Name)
		}
	}
	return names
}
