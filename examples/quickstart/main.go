// Quickstart creates a device posture rule, lists the account's rules, changes the rule, and deletes it.
//
//	go run ./examples/quickstart
//
// It works on a fake of the API in this program. With -live it works on the account that CLOUDFLARE_API_TOKEN and
// CLOUDFLARE_ACCOUNT_ID name.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

func main() {
	live := flag.Bool("live", false, "work on the account that the environment names: create, change and delete one rule")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *live, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "quickstart: %s\n", strings.ReplaceAll(err.Error(), "\n", "; "))
		os.Exit(1)
	}
}

func run(ctx context.Context, live bool, out io.Writer) error {
	if !live {
		server := posturetest.NewServer()
		defer server.Close()
		fmt.Fprint(out, "Working on a fake of the API in this program; -live works on an account of yours.\n\n")
		return useRule(ctx, server.Client(), out)
	}
	client, err := cfposture.NewClient() // reads CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Working on the account %q: one rule will be created, changed and deleted.\n\n", os.Getenv("CLOUDFLARE_ACCOUNT_ID"))
	return useRule(ctx, client, out)
}

func useRule(ctx context.Context, client *cfposture.Client, out io.Writer) (err error) {
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
	// Whatever happens from here on, the rule is not left behind, not even if the context has ended.
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
	fmt.Fprintf(out, "The account's rules (%d):\n", len(rules))
	for _, rule := range rules {
		fmt.Fprintln(out, rule) // in one line, whatever is in it
	}

	// What isn't changed here stays as it is, members that this program doesn't know included.
	rule.Schedule = cfposture.Every(time.Hour)
	if input, ok := rule.Input.(*cfposture.DiskEncryptionInput); ok {
		input.CheckDisks, input.RequireAll = []string{"C"}, new(false)
	}
	changed, err := client.Posture.Update(ctx, rule)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "\nChanged to every hour, and to disk C only:\n%v\n\n", changed)
	return err
}
