package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/examples/posturectl/internal/audit"
	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
)

func auditCommand(t *terminal.Terminal) *cobra.Command {
	var kinds, lines []string
	for _, k := range audit.Kinds {
		kinds = append(kinds, string(k.Kind))
		lines = append(lines, fmt.Sprintf("  %-12s %s\n", k.Kind, k.About))
	}
	about := `Audit shows what the account's rules check on which platform, and what is amiss.
Its findings are of these kinds:

` + strings.Join(lines, "") + `
With --fail-on it exits with 3 where it finds something of these kinds, or
anything at all with --fail-on all.

The output html is one file for a browser: the coverage as a picture, and the
findings with links to the rules.` + accountHelp
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Show what is checked where, and what is amiss",
		Long:  about,
		Example: `  posturectl audit --sample
  posturectl audit --fail-on integration,timing
  posturectl audit -o html > audit.html`,
		Args: atMost(0),
	}
	account := addAccountFlags(cmd)
	format := cmd.Flags().StringP("output", "o", "table", "`FORMAT` of the output: table, json or html")
	failOn := cmd.Flags().StringSlice("fail-on", nil, "`KINDS` of finding to exit with 3 for, or all")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json", "html"}, cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions(slices.Concat(kinds, []string{"all"}), cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if cmd.Flags().Changed("fail-on") && len(*failOn) == 0 {
			*failOn = []string{""} // It is no kind, where a script's variable is empty.
		}
		fatal, err := kindsOf(*failOn, kinds)
		if err != nil {
			return err
		}
		if !slices.Contains([]string{"table", "json", "html"}, *format) {
			return usagef("unknown output %q: it may be table, json or html", *format)
		}
		client, done, err := account.open(t)
		if err != nil {
			return err
		}
		defer done()
		integrations, err := client.Integrations.List(cmd.Context())
		if err != nil {
			return err
		}
		rules, err := client.Posture.List(cmd.Context())
		if err != nil {
			return err
		}
		result := audit.Run(rules, integrations)
		if err := writeAudit(t, *format, result, rules, integrations); err != nil {
			return err
		}
		if result.Has(fatal) {
			return &exitError{code: exitPending}
		}
		return nil
	}
	return cmd
}

// kindsOf returns the kinds that --fail-on names, of those that there are.
func kindsOf(names, kinds []string) ([]audit.Kind, error) {
	var named []audit.Kind
	for _, name := range names {
		if name != "all" && !slices.Contains(kinds, name) {
			return nil, usagef("--fail-on has an unknown kind %q: it may be all or %s", name, strings.Join(kinds, ", "))
		}
		for _, kind := range kinds {
			if name == "all" || name == kind {
				named = append(named, audit.Kind(kind))
			}
		}
	}
	return named, nil
}

func writeAudit(t *terminal.Terminal, format string, result *audit.Result, rules []*cfposture.Rule, integrations []*cfposture.Integration) error {
	switch format {
	case "json":
		var b bytes.Buffer
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(result); err != nil {
			return err
		}
		_, err := t.Out.Write(terminal.EscapeJSON(b.Bytes()))
		return err
	case "html":
		return audit.WriteHTML(t.Out, result, rules, integrations, time.Now())
	default:
		return printAudit(t, result)
	}
}

// printAudit writes the result as tables.
func printAudit(t *terminal.Terminal, result *audit.Result) error {
	columns, paint := t.Columns(t.Out), t.Painter(t.Out)
	if err := coverageTable(result).Print(t.Out, columns); err != nil {
		return err
	}
	if len(result.Findings) == 0 {
		_, err := fmt.Fprintf(t.Out, "\n%s\n", paint(terminal.Green, "Nothing is amiss."))
		return err
	}
	_, err := fmt.Fprintf(t.Out, "\n%s\n", paint(terminal.Yellow, count(len(result.Findings), "finding")))
	if err != nil {
		return err
	}
	return printFindings(t.Out, columns, result.Findings)
}

func coverageTable(result *audit.Result) *terminal.Table {
	platforms := result.Platforms()
	head := []string{"TYPE"}
	for _, p := range platforms {
		head = append(head, strings.ToUpper(p))
	}
	table := terminal.NewTable(head...)
	for _, t := range slices.Sorted(maps.Keys(result.Coverage)) {
		row := []any{t}
		for _, p := range platforms {
			row = append(row, result.Coverage[t][p])
		}
		table.Row(row...)
	}
	return table
}

// printFindings writes below each finding what it is about.
func printFindings(out io.Writer, columns int, findings []audit.Finding) error {
	const indent = "             "
	var b strings.Builder
	for _, f := range findings {
		for n, line := range terminal.Wrap(terminal.Clean(f.Text), columns-len(indent)) {
			b.WriteString(fmt.Sprintf("%-*s%s", len(indent), map[int]audit.Kind{0: f.Kind}[n], line) + "\n")
		}
		for _, rule := range f.Rules {
			line := fmt.Sprintf("%s  %s %s", indent, terminal.Clean(rule.ID), terminal.Quote(rule.Name))
			b.WriteString(terminal.Cut(line, columns) + "\n")
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}
