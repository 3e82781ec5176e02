package apply

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
)

// added lists the members of a new item.
func (i *item) added() []change {
	var changes []change
	outer := membersOf(i.rule)
	name := "input"
	if i.kind == integration {
		outer, name = membersOf(i.integration), "config"
	}
	inner := outer[name]
	for _, hidden := range []string{"id", "name", "type", name} { // The line above has what tells the item.
		delete(outer, hidden)
	}
	flat := outer
	for member, value := range membersOf(inner) {
		flat[name+"."+member] = value
	}
	for _, member := range slices.Sorted(maps.Keys(flat)) {
		changes = append(changes, change{member: member, new: i.show(member, flat[member])})
	}
	return changes
}

func membersOf(value any) map[string]json.RawMessage {
	members := map[string]json.RawMessage{}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // Operators stay readable.
	if encoder.Encode(value) == nil {
		_ = json.Unmarshal(b.Bytes(), &members) // What is no object has no members.
	}
	return members
}

const redacted = "[redacted]"

// show returns a member's value for people: JSON, or what it is if it must not be seen.
func (i *item) show(member string, value json.RawMessage) string {
	inConfig, isConfig := strings.CutPrefix(member, "config.")
	variable, fromEnv := i.fromEnv[inConfig]
	switch {
	case value == nil:
		return ""
	case isConfig && fromEnv:
		return redacted + ", from $" + terminal.Clean(variable)
	case isConfig && isSecret(inConfig, cfposture.Secrets(i.integration.Config)):
		return redacted
	case i.uses != nil && member == "input."+connectionID && string(value) == `"`+notYet+`"`:
		return "the ID of the new " + i.uses.String()
	}
	var text string
	if json.Unmarshal(value, &text) == nil {
		return terminal.Quote(text)
	}
	return terminal.Clean(string(value))
}

// Print writes what the plan is for a person to read.
func (p *Plan) Print(out io.Writer, paint terminal.Painter) error {
	var b strings.Builder
	for _, s := range p.steps {
		s.print(&b, paint)
	}
	const shown = 5 // An account may have a thousand that a document of a few leaves alone.
	for _, i := range p.kept[:min(len(p.kept), shown)] {
		fmt.Fprintf(&b, "  keep   %s: not in the document\n", i)
	}
	if more := len(p.kept) - shown; more > 0 {
		fmt.Fprintf(&b, "  keep   … and %d more\n", more)
	}
	fmt.Fprintf(&b, "Plan: %s; %d unchanged", countSteps(p.steps), p.unchanged)
	if len(p.kept) > 0 {
		fmt.Fprintf(&b, ", %d not in the document", len(p.kept))
	}
	_, err := io.WriteString(out, b.String()+".\n")
	return err
}

func (s *step) print(b *strings.Builder, paint terminal.Painter) {
	signs := map[verb]string{
		create: paint(terminal.Green, "+"), update: paint(terminal.Yellow, "~"), remove: paint(terminal.Red, "-"),
	}
	fmt.Fprintf(b, "%s %s", signs[s.verb], s)
	switch {
	case s.replaces != nil:
		fmt.Fprintf(b, ", because the type of\n    %s is not %s any more", terminal.Clean(s.replaces.id), terminal.Clean(s.replaces.typ))
	case s.replaced:
		fmt.Fprintf(b, ",\n    %s, because another takes its place", terminal.Clean(s.item.id))
	case s.verb == remove:
		fmt.Fprintf(b, ",\n    %s", terminal.Clean(s.item.id))
	}
	b.WriteString("\n")
	if s.warning != "" {
		fmt.Fprintf(b, "    %s\n", paint(terminal.Yellow, "warning: "+s.warning))
	}
	width := 0
	for _, c := range s.changes {
		width = max(width, terminal.Width(terminal.Clean(c.member)))
	}
	for _, c := range s.changes {
		c.print(b, s.verb, width, paint)
	}
}

// lineWidth is what the usual terminal shows in a line.
const lineWidth = 80

// print writes a change in one line if it fits, else the old and the new value below each other, to be compared.
func (c *change) print(b *strings.Builder, v verb, width int, paint terminal.Painter) {
	name := terminal.Clean(c.member)
	member := "    " + name + strings.Repeat(" ", width-terminal.Width(name)) + "  "
	old := c.old
	if old == "" {
		old = "nothing"
	}
	switch {
	case v == create:
		b.WriteString(member + c.new)
	case terminal.Width(member+old+" -> "+c.new) <= lineWidth:
		b.WriteString(member + old + " -> " + c.new)
	default:
		fmt.Fprintf(b, "    %s\n      %s %s\n      %s %s", name, paint(terminal.Red, "-"), old, paint(terminal.Green, "+"), c.new)
	}
	b.WriteString("\n")
}

// countSteps says how many steps there are of each kind: "2 to create, 1 to update".
func countSteps(steps []*step) string {
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
