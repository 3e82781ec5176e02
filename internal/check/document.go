package check

import (
	"fmt"

	"github.com/cfposture/cfposture/internal/api"
	"github.com/cfposture/cfposture/internal/wire"
)

// Type checks that the type of an item, which is a noun such as rule, is known, or that the document allows every type.
func Type[T ~string](d *wire.Document, noun string, t T, known []T) {
	names := make([]string, len(known))
	for i := range known {
		if known[i] == t {
			return
		}
		names[i] = string(known[i])
	}
	if t != "" && !d.Allows("*") {
		d.Add("type", fmt.Sprintf("%q is not a type of %s%s", string(t), noun, wire.DidYouMean(string(t), names)))
	}
}

// Document returns what is wrong with a document, and what validate finds beyond that.
func Document(d *wire.Document, validate func(p *Problems)) *Problems {
	p := new(Problems)
	for _, err := range d.Wrong {
		p.Add(err.Member, err.Reason)
	}
	found := &Problems{MissingSecret: "is required"}
	validate(found)
	for _, problem := range found.List {
		if !d.IsWrong(problem.Field) {
			p.List = append(p.List, problem)
		}
	}
	return p
}

// Subject names what has the problems: its noun, its name and its type, as far as they are set.
func Subject[T ~string](noun, name string, t T) string {
	if name != "" {
		noun = fmt.Sprintf("%s %q", noun, name)
	}
	if t != "" {
		noun += " (" + string(t) + ")"
	}
	return api.Printable(noun)
}
