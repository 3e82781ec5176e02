package main

import (
	"cmp"

	"github.com/spf13/cobra"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/examples/posturectl/internal/document"
	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
	"github.com/cfposture/cfposture/posturetest"
)

// accountHelp ends the help of every command that works on an account.
const accountHelp = `

The account is the one that --account or CLOUDFLARE_ACCOUNT_ID names, with the
credentials in CLOUDFLARE_API_TOKEN, or in CLOUDFLARE_EMAIL and
CLOUDFLARE_API_KEY. With --sample it is one in the program's own memory.
CLOUDFLARE_BASE_URL names another API, such as that of posturectl serve.`

// accountFlags say which account to work on.
type accountFlags struct {
	id        string
	sample    bool
	plainHTTP bool
}

func addAccountFlags(cmd *cobra.Command) *accountFlags {
	flags := new(accountFlags)
	cmd.Flags().StringVar(&flags.id, "account", "", "`ID` of the account to work on (default CLOUDFLARE_ACCOUNT_ID)")
	cmd.Flags().BoolVar(&flags.sample, "sample", false, "work on a sample account in memory")
	cmd.Flags().BoolVar(&flags.plainHTTP, "plain-http", false, "allow a CLOUDFLARE_BASE_URL with http beyond loopback")
	return flags
}

// open returns a client for the account that the flags and the environment name, and says which it is. The caller calls
// done in the end.
func (f *accountFlags) open(t *terminal.Terminal, opts ...cfposture.Option) (client *cfposture.Client, done func(), err error) {
	opts = append([]cfposture.Option{cfposture.WithoutEnvironment(), cfposture.WithUserAgent("posturectl")}, opts...)
	if f.sample {
		server := posturetest.NewServer()
		document.Sample().AddTo(server)
		t.Say("Sample account, in memory")
		return server.Client(opts...), server.Close, nil
	}
	id := cmp.Or(f.id, t.Getenv("CLOUDFLARE_ACCOUNT_ID"))
	token, key := t.Getenv("CLOUDFLARE_API_TOKEN"), t.Getenv("CLOUDFLARE_API_KEY")
	switch {
	case token == "" && key == "":
		return nil, nil, usagef("no credentials: set CLOUDFLARE_API_TOKEN, or give --sample to try the program without an account")
	case id == "":
		return nil, nil, usagef("no account: set CLOUDFLARE_ACCOUNT_ID or give --account")
	case token != "":
		opts = append(opts, cfposture.WithAPIToken(token))
	default:
		opts = append(opts, cfposture.WithAPIKey(t.Getenv("CLOUDFLARE_EMAIL"), key))
	}
	opts = append(opts, cfposture.WithAccountID(id))
	where := ""
	if baseURL := t.Getenv("CLOUDFLARE_BASE_URL"); baseURL != "" {
		opts = append(opts, cfposture.WithBaseURL(baseURL))
		where = " at " + baseURL
	}
	if f.plainHTTP {
		opts = append(opts, cfposture.WithPlainHTTP())
	}
	if client, err = cfposture.NewClient(opts...); err != nil {
		return nil, nil, &exitError{exitUsage, err}
	}
	t.Say("Account %s%s", terminal.Clean(id), terminal.Clean(where))
	return client, func() {}, nil
}
