package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/cfposture/cfposture/internal/cli"
)

type painter = func(cli.Color, string) string

// print writes what the plan is for a person to read.
func (p *plan) print(out io.Writer, paint painter) error {
	var b strings.Builder
	for _, s := range p.steps {
		s.print(&b, paint)
	}
	const shown = 5 // an account may have a thousand that a document of a few leaves alone
	for _, i := range p.kept[:min(len(p.kept), shown)] {
		fmt.Fprintf(&b, "  keep   %s: not in the document\n", i)
	}
	if more := len(p.kept) - shown; more > 0 {
		fmt.Fprintf(&b, "  keep   … and %d more\n", more)
	}
	fmt.Fprintf(&b, "Plan: %s; %d unchanged%s.\n", count(p.steps), p.unchanged, p.keptText())
	_, err := io.WriteString(out, b.String())
	return err
}

func (p *plan) keptText() string {
	if len(p.kept) == 0 {
		return ""
	}
	return fmt.Sprintf(", %d not in the document", len(p.kept))
}

func (s *step) print(b *strings.Builder, paint painter) {
	signs := map[verb]string{create: paint(cli.Green, "+"), update: paint(cli.Yellow, "~"), remove: paint(cli.Red, "-")}
	fmt.Fprintf(b, "%s %s", signs[s.verb], s)
	switch {
	case s.replaces != nil:
		fmt.Fprintf(b, ", because the type of\n    %s is not %s any more", cli.Clean(s.replaces.id), cli.Clean(s.replaces.typ))
	case s.replaced:
		fmt.Fprintf(b, ",\n    %s, because another takes its place", cli.Clean(s.item.id))
	case s.verb == remove:
		fmt.Fprintf(b, ",\n    %s", cli.Clean(s.item.id))
	}
	b.WriteString("\n")
	width := 0
	for _, c := range s.changes {
		width = max(width, cli.Width(cli.Clean(c.member)))
	}
	for _, c := range s.changes {
		c.print(b, s.verb, width, paint)
	}
}

// lineWidth is what the usual terminal shows in a line.
const lineWidth = 80

// print writes a change in one line if it fits, else the old and the new value below each other, to be compared.
func (c *change) print(b *strings.Builder, v verb, width int, paint painter) {
	member := "    " + cli.Fit(c.member, width) + "  "
	old, now := orNothing(c.old), orNothing(c.new)
	switch {
	case v == create:
		b.WriteString(member + now)
	case cli.Width(member+old+" -> "+now) <= lineWidth:
		b.WriteString(member + old + " -> " + now)
	default:
		fmt.Fprintf(b, "%s\n      %s %s\n      %s %s",
			strings.TrimRight(member, " "), paint(cli.Red, "-"), old, paint(cli.Green, "+"), now)
	}
	b.WriteString("\n")
	if c.note != "" {
		fmt.Fprintf(b, "      (%s)\n", c.note)
	}
}

func orNothing(value string) string {
	if value == "" {
		return "nothing"
	}
	return value
}

// count says how many steps there are of each kind: "2 to create, 1 to update".
func count(steps []*step) string {
	verbs := map[verb]int{}
	for _, s := range steps {
		verbs[s.verb]++
	}
	var texts []string
	for _, v := range []verb{create, update, remove} {
		if verbs[v] > 0 {
			texts = append(texts, fmt.Sprintf("%d to %s", verbs[v], v))
		}
	}
	if len(texts) == 0 {
		return "nothing to do"
	}
	return strings.Join(texts, ", ")
}
