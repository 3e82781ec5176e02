// Reconcile makes an account's rules what a document wants them to be: it creates what is missing, updates what differs,
// and leaves everything else alone. Running it again changes nothing.
//
//	go run ./examples/reconcile
//
// It works on a fake of the API in this program. With -live it shows what it would do to the account that
// CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID name, and with -live -apply it does it. posturectl apply is the program that
// does more: integrations, secrets, YAML, interruptions.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// wanted is the desired state. A program of your own reads it from a file; YAML, by YAMLToJSONStrict of sigs.k8s.io/yaml.
const wanted = `[
  {"name": "Firewall on", "type": "firewall", "match": [{"platform": "windows"}], "input": {"enabled": true}},
  {"name": "Disks encrypted", "type": "disk_encryption", "schedule": "1h", "input": {"requireAll": true}}
]`

func main() {
	live := flag.Bool("live", false, "look at the account that the environment names")
	apply := flag.Bool("apply", false, "with -live: change the account as well")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *live, *apply, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "reconcile: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
		os.Exit(1)
	}
}

func run(ctx context.Context, live, apply bool, out io.Writer) error {
	rules, err := parse([]byte(wanted))
	if err != nil {
		return err
	}
	if !live {
		server := posturetest.NewServer()
		defer server.Close()
		server.PutRule(&cfposture.Rule{Name: "Firewall on", Input: &cfposture.FirewallInput{Enabled: new(false)}})
		fmt.Fprint(out, "Working on a fake of the API in this program; -live looks at an account of yours.\n\n")
		return reconcile(ctx, server.Client(), rules, true, out)
	}
	client, err := cfposture.NewClient()
	if err != nil {
		return err
	}
	what := "nothing will be changed"
	if apply {
		what = "rules will be created and updated"
	}
	fmt.Fprintf(out, "Working on the account %q: %s.\n\n", os.Getenv("CLOUDFLARE_ACCOUNT_ID"), what)
	return reconcile(ctx, client, rules, apply, out)
}

// parse reads the desired state. ParseRule refuses what it doesn't know, because people mistype.
func parse(data []byte) ([]*cfposture.Rule, error) {
	var texts []json.RawMessage
	if err := json.Unmarshal(data, &texts); err != nil {
		return nil, err
	}
	var rules []*cfposture.Rule
	for _, text := range texts {
		rule, err := cfposture.ParseRule(text)
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// reconcile identifies rules by name and type. Names need not be unique, so that a second one is left alone.
func reconcile(ctx context.Context, client *cfposture.Client, want []*cfposture.Rule, apply bool, out io.Writer) error {
	have, err := client.Posture.List(ctx)
	if err != nil {
		return err
	}
	known, byName := map[string]bool{}, map[string]*cfposture.Rule{}
	for _, rule := range have {
		known[rule.ID] = true
		if key := string(rule.Type) + " " + rule.Name; byName[key] == nil {
			byName[key] = rule
		}
	}
	for _, rule := range want {
		there := byName[string(rule.Type)+" "+rule.Name]
		if there == nil {
			fmt.Fprintln(out, "create", rule)
			if err := create(ctx, client, rule, known, apply); err != nil {
				return err
			}
			continue
		}
		differences := rule.Diff(there)
		for _, d := range differences {
			fmt.Fprintf(out, "update %s %q: %v\n", rule.Type, rule.Name, d)
		}
		if apply && len(differences) > 0 {
			if _, err := client.Posture.Update(ctx, rule.Merge(there)); err != nil {
				return err
			}
		}
	}
	return nil
}

// create never creates twice: if the response to the POST is lost, it looks for the rule.
func create(ctx context.Context, client *cfposture.Client, rule *cfposture.Rule, known map[string]bool, apply bool) error {
	if !apply {
		return nil
	}
	created, err := client.Posture.Create(ctx, rule)
	if errors.Is(err, cfposture.ErrOutcomeUnknown) {
		created, err = client.Posture.FindCreated(ctx, rule, func(id string) bool { return known[id] })
	}
	if err == nil {
		known[created.ID] = true
	}
	return err
}
