// Audit looks through an account's rules for what a person would want to know: what is checked where, and what isn't;
// rules that can't work as they were meant; and rules that are there twice.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/cli"
)

const about = `
Shows the account's rules by platform and type, and what is amiss:
  - platforms with no disk-encryption, firewall or OS-version rule
  - rules that name an integration which is not there
  - schedules and expirations that contradict each other
  - rules of the same name and type, and rules that check the same
` + cli.EnvironmentHelp

func main() { cli.Main(run) }

func run(ctx context.Context, env *cli.Env, args []string) error {
	flags := cli.NewFlags("audit", "", about)
	flagged := cli.NewAccountFlag(flags)
	asJSON := flags.Bool("json", false, "write JSON, for scripts")
	if err := flags.Parse(env, args, 0); err != nil {
		return err
	}
	account, err := flagged.Open(env)
	if err != nil {
		return err
	}
	defer account.Close()

	integrations, err := account.Integrations.List(ctx)
	if err != nil {
		return err
	}
	rules, err := account.Posture.List(ctx)
	if err != nil {
		return err
	}
	result := audit(rules, integrations)
	if *asJSON {
		encoder := json.NewEncoder(env.Stdout)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(result)
	}
	return result.print(env)
}

// print writes the result as tables.
func (r *result) print(env *cli.Env) error {
	columns := env.Columns(env.Stdout)
	if err := r.coverageTable().Print(env.Stdout, columns); err != nil {
		return err
	}
	paint := env.Painter(env.Stdout)
	if len(r.Findings) == 0 {
		_, err := fmt.Fprintf(env.Stdout, "\n%s\n", paint(cli.Green, "Nothing is amiss."))
		return err
	}
	heading := fmt.Sprintf("%d findings", len(r.Findings))
	if _, err := fmt.Fprintf(env.Stdout, "\n%s\n", paint(cli.Yellow, heading)); err != nil {
		return err
	}
	return r.printFindings(env.Stdout, columns)
}

func (r *result) coverageTable() *cli.Table {
	head := []string{"TYPE"}
	for _, p := range r.platforms() {
		head = append(head, strings.ToUpper(p))
	}
	table := cli.NewTable(head...)
	for _, t := range slices.Sorted(maps.Keys(r.Coverage)) {
		row := []any{t}
		for _, p := range r.platforms() {
			row = append(row, r.Coverage[t][p])
		}
		table.Row(row...)
	}
	return table
}

// platforms returns those that there are rules for, in the API's order, and after them what the API doesn't name.
func (r *result) platforms() []string {
	found := map[string]bool{}
	for _, platforms := range r.Coverage {
		for p := range platforms {
			found[p] = true
		}
	}
	var list []string
	for _, p := range platforms {
		if found[string(p)] {
			list = append(list, string(p))
			delete(found, string(p))
		}
	}
	return append(list, slices.Sorted(maps.Keys(found))...)
}

// printFindings writes what each finding is about below it.
func (r *result) printFindings(out io.Writer, columns int) error {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%-11s  %s\n", f.Kind, cli.Clean(f.Text))
		for _, rule := range f.Rules {
			line := fmt.Sprintf("%-11s    %s %s", "", cli.Clean(rule.ID), cli.Quote(rule.Name))
			b.WriteString(cli.Cut(line, columns) + "\n")
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// platforms are those that the API documents.
var platforms = []cfposture.Platform{
	cfposture.PlatformWindows, cfposture.PlatformMac, cfposture.PlatformLinux,
	cfposture.PlatformAndroid, cfposture.PlatformIOS, cfposture.PlatformChromeOS,
}
