// Fakeapi serves an in-memory imitation of the device posture API, for curl and for clients in any language.
package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/cfposture/cfposture/internal/cli"
	"github.com/cfposture/cfposture/posturetest"
)

const about = `
Serves an imitation of the device posture API, for curl and for clients in any
language, until it is interrupted. It prints the environment variables that make
this project's examples use it, as a shell takes them.

What it holds is in memory. -state keeps it in a file, which is the same
document that examples/export writes.
`

func main() { cli.Main(run) }

func run(ctx context.Context, env *cli.Env, args []string) error {
	flags := cli.NewFlags("fakeapi", "", about)
	address := flags.String("addr", "127.0.0.1:8788", "`host:port` to listen on; port 0 takes a free one")
	sample := flags.Bool("sample", false, "begin with sample data, unless the -state file is there already")
	statePath := flags.String("state", "", "keep rules and integrations in this `file`, over restarts")
	if err := flags.Parse(env, args, 0); err != nil {
		return err
	}
	api := posturetest.NewServer()
	defer api.Close()
	api.KeepRequests(1) // nobody asks for them here
	document, err := load(*statePath)
	switch {
	case err == nil:
		document.AddTo(api)
	case !errors.Is(err, os.ErrNotExist):
		return err
	case *sample:
		cli.Sample().AddTo(api)
	}

	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", *address)
	if err != nil {
		return err
	}
	handler, keeper := api.Handler(), &keeper{path: *statePath, api: api}
	if *statePath != "" {
		if err := keeper.save(); err != nil { // better now than after the first change
			return errors.Join(err, listener.Close())
		}
		handler = keeper.wrap(handler, env)
	}
	printStart(env, listener.Addr())
	return errors.Join(serve(ctx, listener, handler), keeper.err())
}

// printStart prints what a client needs, and tells a person how to use it.
func printStart(env *cli.Env, address net.Addr) {
	baseURL := "http://" + address.String() + "/client/v4"
	_, _ = fmt.Fprintf(env.Stdout, "export CLOUDFLARE_BASE_URL=%s\nexport CLOUDFLARE_ACCOUNT_ID=%s\nexport CLOUDFLARE_API_TOKEN=%s\n",
		baseURL, posturetest.AccountID, posturetest.APIToken) // serving goes on when nobody reads
	env.Sayf("\nTry, in another terminal:\ncurl -H 'Authorization: Bearer %s' \\\n  %s/accounts/%s/devices/posture\n",
		posturetest.APIToken, baseURL, posturetest.AccountID)
}

// serve answers requests until the context ends, and then those that have come.
func serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return server.Shutdown(ending)
}
