// Quickstart takes a device posture rule through its life: it creates a disk-encryption rule for Windows and Mac, lists
// the account's rules, reads the rule, changes it, and deletes it.
//
//	go run ./examples/quickstart
//
// With CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID set it works on that account; without, on a server of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

func main() {
	if len(os.Args) > 1 {
		fmt.Fprint(os.Stderr, "usage: go run ./examples/quickstart\n\n"+
			"Creates, lists, reads, changes and deletes a rule, on the account that CLOUDFLARE_API_TOKEN\n"+
			"and CLOUDFLARE_ACCOUNT_ID name, or without them on a server of its own.\n")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	client, done, err := connect(out)
	if err != nil {
		return err
	}
	defer done()
	return liveOneLife(ctx, client, out)
}

// connect returns a client for the account that the environment names, or else for a server in this process.
func connect(out io.Writer) (client *cfposture.Client, done func(), err error) {
	token, account := os.Getenv("CLOUDFLARE_API_TOKEN"), os.Getenv("CLOUDFLARE_ACCOUNT_ID")
	if (token == "") != (account == "") {
		return nil, nil, errors.New("set both CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID, or neither")
	}
	if token == "" {
		server := posturetest.NewServer()
		fmt.Fprint(out, "Working on a server in this program. Set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID\nto work on an account of yours.\n\n")
		return server.Client(), server.Close, nil
	}
	fmt.Fprintf(out, "Working on the account %s: one rule will be created and deleted.\n\n", account)
	client, err = cfposture.NewClient()
	return client, func() {}, err
}

func liveOneLife(ctx context.Context, client *cfposture.Client, out io.Writer) (err error) {
	rule, err := client.Posture.Create(ctx, &cfposture.Rule{
		Name:        "Disk encrypted (cfposture quickstart)",
		Description: "Every disk of a Windows or Mac device is encrypted.",
		Schedule:    cfposture.Every(30 * time.Minute),
		Match:       []cfposture.Match{{Platform: cfposture.PlatformWindows}, {Platform: cfposture.PlatformMac}},
		Input:       &cfposture.DiskEncryptionInput{RequireAll: new(true)},
	})
	if err != nil {
		return err
	}
	// Whatever happens from here on, the rule is not left behind; not even when the context has ended.
	defer func() {
		err = errors.Join(err, client.Posture.Delete(context.WithoutCancel(ctx), rule.ID))
		if err == nil {
			fmt.Fprintf(out, "Deleted %s.\n", rule.ID)
		}
	}()
	fmt.Fprintf(out, "Created %s.\n\n", rule.ID)

	rules, err := client.Posture.List(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The account's rules (%d):\n\n", len(rules))
	if err := printRules(out, rules...); err != nil {
		return err
	}

	if rule, err = client.Posture.Get(ctx, rule.ID); err != nil {
		return err
	}
	// The fields that aren't touched here, and members this program knows nothing of, stay as they are.
	rule.Schedule = cfposture.Every(time.Hour)
	if input, ok := rule.Input.(*cfposture.DiskEncryptionInput); ok {
		input.CheckDisks, input.RequireAll = []string{"C"}, new(false)
	}
	if rule, err = client.Posture.Update(ctx, rule); err != nil {
		return err
	}
	fmt.Fprint(out, "Changed to every hour, and to disk C alone:\n\n")
	return printRules(out, rule)
}

func printRules(out io.Writer, rules ...*cfposture.Rule) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tTYPE\tPLATFORMS\tEVERY\tCHECKS")
	for _, rule := range rules {
		var platforms []string
		for _, match := range rule.Match {
			platforms = append(platforms, string(match.Platform))
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", rule.Name, rule.Type, strings.Join(platforms, ", "), rule.Schedule, checks(rule))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintln(out)
	return err
}

func checks(rule *cfposture.Rule) string {
	input, ok := rule.Input.(*cfposture.DiskEncryptionInput)
	switch {
	case !ok:
		return ""
	case input.RequireAll != nil && *input.RequireAll:
		return "all disks"
	default:
		return "disks " + strings.Join(input.CheckDisks, ", ")
	}
}
