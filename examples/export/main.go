// Export writes every rule and integration of an account as one JSON document.
//
// The document is lossless: members that cfposture doesn't know are in it, and numbers have the digits they came with.
// It is sorted by name, type and ID, and so are the members of every object, so that two runs give the same bytes
// whatever order the API lists in, and a diff shows what changed. Nothing is written unless everything was read.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/cli"
)

const about = `
Writes every rule and integration of the account to standard output, as one JSON
document that examples/apply reads. It has the same bytes as long as the account
is the same. The API never tells secrets, so there are none in it.
` + cli.EnvironmentHelp

func main() { cli.Main(run) }

func run(ctx context.Context, env *cli.Env, args []string) error {
	flags := cli.NewFlags("export", "> FILE", about)
	flagged := cli.NewAccountFlag(flags)
	if err := flags.Parse(env, args, 0); err != nil {
		return err
	}
	account, err := flagged.Open(env)
	if err != nil {
		return err
	}
	defer account.Close()

	integrations, rules := new(spool), new(spool)
	defer integrations.close()
	defer rules.close()
	err = errors.Join(
		fill(integrations, account.Integrations.All(ctx), func(i *cfposture.Integration) record {
			return newRecord(i.Name, string(i.Type), i.ID)
		}),
		fill(rules, account.Posture.All(ctx), func(r *cfposture.Rule) record {
			return newRecord(r.Name, string(r.Type), r.ID)
		}))
	if err != nil {
		return err
	}
	env.Sayf("Writing %d integrations and %d rules", integrations.count, rules.count)
	return write(env.Stdout, integrations, rules)
}

// fill puts all items into the spool, one at a time. It goes on after an error, to name every item that can't be read.
func fill[T any](to *spool, items iter.Seq2[*T, error], recordOf func(*T) record) error {
	var problems []error
	for item, err := range items {
		if err != nil {
			problems = append(problems, err)
			continue
		}
		text, err := cli.JSON(item)
		if err != nil {
			return err
		}
		if text, err = sortMembers(text); err != nil {
			return err
		}
		r := recordOf(item)
		r.item = string(text)
		if err := to.add(r); err != nil {
			return err
		}
	}
	return errors.Join(problems...)
}

// write writes the document.
func write(to io.Writer, integrations, rules *spool) error {
	out := bufio.NewWriter(to)
	_, _ = fmt.Fprintf(out, "{\n  \"version\": %d,\n", cli.DocumentVersion) // Flush tells whether it failed
	if err := writeArray(out, "integrations", integrations); err != nil {
		return err
	}
	_, _ = out.WriteString(",\n")
	if err := writeArray(out, "rules", rules); err != nil {
		return err
	}
	_, _ = out.WriteString("\n}\n")
	return out.Flush()
}

func writeArray(out *bufio.Writer, name string, items *spool) error {
	_, _ = fmt.Fprintf(out, "  %q: [", name)
	separator, end := "\n    ", "]"
	for text, err := range items.sorted() {
		if err != nil {
			return err
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, []byte(text), "    ", "  "); err != nil {
			return err
		}
		_, _ = out.WriteString(separator)
		_, _ = out.Write(indented.Bytes())
		separator, end = ",\n    ", "\n  ]"
	}
	_, _ = out.WriteString(end)
	return nil
}

// sortMembers sorts the members of a JSON value's objects and leaves everything else as it is written.
func sortMembers(text json.RawMessage) (json.RawMessage, error) {
	switch text[0] {
	case '{':
		var members map[string]json.RawMessage
		if err := json.Unmarshal(text, &members); err != nil {
			return nil, err
		}
		for name, value := range members {
			sorted, err := sortMembers(value)
			if err != nil {
				return nil, err
			}
			members[name] = sorted
		}
		return cli.JSON(members)
	case '[':
		var elements []json.RawMessage
		if err := json.Unmarshal(text, &elements); err != nil {
			return nil, err
		}
		for i, value := range elements {
			sorted, err := sortMembers(value)
			if err != nil {
				return nil, err
			}
			elements[i] = sorted
		}
		return cli.JSON(elements)
	default:
		return text, nil
	}
}
