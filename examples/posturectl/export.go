package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/examples/posturectl/internal/document"
	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
)

func exportCommand(t *terminal.Terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export [-o FILE]",
		Short: "Write every rule and integration as one JSON document",
		Long: `Export writes every rule and integration of the account as one JSON document,
which apply reads. The document has the same bytes as long as the account is
the same: items are sorted by name, type and ID, and so are their members.
Nothing is written unless everything was read.

The document leaves out what only the API sets, and says on standard error what
that was. It has no secrets either, because the API returns none: where another
account needs them, add {"$env": "NAME"} to the config. Members, types and
values that this version doesn't know are in the document, which lists them, so
that apply lets them pass.` + accountHelp,
		Example: `  posturectl export -o posture.json
  posturectl export | git diff --no-index posture.json -`,
		Args: atMost(0),
	}
	account := addAccountFlags(cmd)
	path := cmd.Flags().StringP("output", "o", "", "`FILE` to write, whole or not at all (default standard output)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		client, done, err := account.open(t)
		if err != nil {
			return err
		}
		defer done()
		return export(cmd.Context(), t, client, *path)
	}
	return cmd
}

func export(ctx context.Context, t *terminal.Terminal, client *cfposture.Client, path string) error {
	integrations, err := client.Integrations.List(ctx)
	rules, rulesErr := client.Posture.List(ctx)
	if err := errors.Join(err, rulesErr); err != nil {
		return err
	}
	slices.SortFunc(integrations, func(a, b *cfposture.Integration) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID))
	})
	slices.SortFunc(rules, func(a, b *cfposture.Rule) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Type, b.Type), cmp.Compare(a.ID, b.ID))
	})
	e := newExporter()
	for _, integration := range integrations {
		if err := e.addIntegration(integration); err != nil {
			return err
		}
	}
	for _, rule := range rules {
		if err := e.addRule(rule); err != nil {
			return err
		}
	}
	data, err := e.finish().Marshal()
	if err != nil {
		return err
	}
	if path == "" || path == "-" {
		_, err = t.Out.Write(data)
	} else {
		err = document.WriteFile(path, data)
	}
	if err != nil {
		return err
	}
	t.Say("Exported %s and %s", count(len(integrations), "integration"), count(len(rules), "rule"))
	if left := e.leftOut.String(); left != "" {
		t.Say("Left out, because only the API sets them: %s", left)
	}
	if missing := e.missing.String(); missing != "" {
		t.Say("Left out, because the API doesn't return them: %s", missing)
	}
	return nil
}

// count writes a number of things, such as "1 rule" and "2 rules".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
