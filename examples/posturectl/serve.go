package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cfposture/cfposture/examples/posturectl/internal/document"
	"github.com/cfposture/cfposture/examples/posturectl/internal/store"
	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
	"github.com/cfposture/cfposture/posturetest"
)

const serveHelp = `Serve serves a fake of the device posture API, for curl and for clients in any
language, until it is interrupted. It prints the environment variables that make
posturectl and other clients use it, as a shell takes them.

What it holds is in memory unless --state names a file, which becomes a document
as export writes it when the program ends. A change is saved before its response
is sent; where that fails, the response is a 500 and nothing is changed.

It misbehaves on demand: by --fail and --latency, by the variable
POSTURETEST_FAULTS, and while it runs by the paths below /posturetest/ on the
same port, which need no credentials:

  GET, POST or DELETE /posturetest/faults   faults to come, as JSON
  GET                 /posturetest/requests received requests, without secrets
  POST                /posturetest/reset    forget everything`

type serveFlags struct {
	address, statePath string
	sample             bool
	fail               []string
	latency            time.Duration
	certFile, keyFile  string
}

func serveCommand(t *terminal.Terminal) *cobra.Command {
	f := new(serveFlags)
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve a fake of the API",
		Long:  serveHelp,
		Example: `  posturectl serve --sample
  posturectl serve --state account.json --fail 429:3,503 --latency 200ms
  curl -d '{"operation": "posture.create", "status": 503, "times": 2}' \
    http://127.0.0.1:8788/posturetest/faults`,
		Args: atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd.Context(), t) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.address, "addr", "127.0.0.1:8788", "`HOST:PORT` to listen on; port 0 takes a free one")
	flags.BoolVar(&f.sample, "sample", false, "begin with sample data, unless the --state file is there already")
	flags.StringVar(&f.statePath, "state", "", "keep rules and integrations in this `FILE`")
	flags.StringSliceVar(&f.fail, "fail", nil, "`STATUS:N` to answer the next N requests with, 1 if N is left out")
	flags.DurationVar(&f.latency, "latency", 0, "`TIME` that every response takes")
	flags.StringVar(&f.certFile, "tls-cert", "", "`FILE` with a certificate to serve https with")
	flags.StringVar(&f.keyFile, "tls-key", "", "`FILE` with the certificate's key")
	return cmd
}

func (f *serveFlags) run(ctx context.Context, t *terminal.Terminal) (err error) {
	if (f.certFile == "") != (f.keyFile == "") {
		return usagef("--tls-cert and --tls-key have to be given together")
	}
	opts := []posturetest.Option{posturetest.InMemory(), posturetest.WithControl()}
	d := &document.Document{Version: document.Version}
	if f.sample {
		d = document.Sample()
	}
	forget := func() error { return nil }
	if f.statePath != "" {
		saved, err := store.Open(f.statePath, d)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, saved.Close()) }()
		d, forget = saved.Document(), saved.Clear
		opts = append(opts, posturetest.WithOnChange(saved.Save))
	}
	api := posturetest.NewServer(opts...)
	defer api.Close()
	api.KeepRequests(1000)
	d.AddTo(api)
	if err := f.addFaults(api); err != nil {
		return err
	}

	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", f.address)
	if err != nil {
		return err
	}
	f.printStart(t, listener.Addr())
	return f.serve(ctx, listener, f.handler(api.Handler(), forget))
}

// addFaults adds the faults of the flags and of the environment.
func (f *serveFlags) addFaults(api *posturetest.Server) error {
	for _, text := range f.fail {
		statusText, times, many := strings.Cut(text, ":")
		status, err := strconv.Atoi(statusText)
		n := 1
		if many && err == nil {
			n, err = strconv.Atoi(times)
		}
		if err != nil || status < 200 || status > 599 || n < 1 {
			return usagef("--fail takes a status from 200 to 599 and a number, such as 429:3, and not %q", text)
		}
		if status == http.StatusTooManyRequests {
			api.LimitNext(n, time.Second)
		} else {
			api.FailNext(n, status)
		}
	}
	faults, err := posturetest.FaultsFromEnv()
	if err != nil {
		return &exitError{exitUsage, err}
	}
	api.Inject(faults...)
	return nil
}

// handler adds to the API what the flags ask for.
func (f *serveFlags) handler(api http.Handler, forget func() error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if f.latency > 0 {
			select {
			case <-time.After(f.latency):
			case <-r.Context().Done():
				return
			}
		}
		if r.Method == http.MethodPost && r.URL.Path == "/posturetest/reset" {
			if err := forget(); err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
		}
		api.ServeHTTP(w, r)
	})
}

// printStart prints what a client needs, and tells a person how to use it.
func (f *serveFlags) printStart(t *terminal.Terminal, address net.Addr) {
	host, port, err := net.SplitHostPort(address.String())
	ip := net.ParseIP(host)
	if err == nil && ip.IsUnspecified() { // which is no address to connect to
		host = "127.0.0.1"
	}
	scheme, curl := "http", "curl"
	if f.certFile != "" {
		scheme, curl = "https", "curl --cacert "+f.certFile
	}
	baseURL := scheme + "://" + net.JoinHostPort(host, port) + "/client/v4"
	fmt.Fprintf(t.Out, "export CLOUDFLARE_BASE_URL=%s\nexport CLOUDFLARE_ACCOUNT_ID=%s\nexport CLOUDFLARE_API_TOKEN=%s\n",
		baseURL, posturetest.AccountID, posturetest.APIToken)
	if !ip.IsLoopback() && f.certFile == "" {
		t.Say("\nWarning: this is reachable from other machines, without encryption. Clients take such a URL\n" +
			"only with WithPlainHTTP, posturectl only with --plain-http. --tls-cert and --tls-key serve https.")
	}
	t.Say("\nTry, in another terminal:\n%s -H 'Authorization: Bearer %s' \\\n  %s/accounts/%s/devices/posture\n",
		terminal.Clean(curl), posturetest.APIToken, baseURL, posturetest.AccountID)
}

// serve answers requests until the context ends, and then those that have come.
func (f *serveFlags) serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() {
		if f.certFile != "" {
			failed <- server.ServeTLS(listener, f.certFile, f.keyFile)
		} else {
			failed <- server.Serve(listener)
		}
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return server.Shutdown(ending)
}
