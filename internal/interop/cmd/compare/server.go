package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/cfposture/cfposture/internal/interop/workload"
)

// startServer starts this program once more, as a server, so that what the server costs is not counted. The transport
// takes every connection to it.
func startServer(ctx context.Context) (transport http.RoundTripper, stop func(), err error) {
	program, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	command := exec.CommandContext(ctx, program, "-serve") //nolint:gosec // this very program
	command.Stderr = os.Stderr
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := command.Start(); err != nil {
		return nil, nil, err
	}
	stop = func() {
		_ = command.Process.Kill() // it has nothing to lose
		_ = command.Wait()
	}
	address, err := bufio.NewReader(output).ReadString('\n')
	if err != nil {
		stop()
		return nil, nil, fmt.Errorf("the server did not start: %w", err)
	}
	address = strings.TrimSpace(address)
	return &http.Transport{
		// Plain connections, although the clients believe them to be TLS: encryption would cost all of them the same.
		DialTLSContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "tcp", address)
		},
	}, stop, nil
}

// serveRule prints its address and answers every request with the same rule.
func serveRule() error {
	listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	answer := workload.One(0)
	server := &http.Server{
		ReadHeaderTimeout: time.Minute,
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Cf-Ray", "8f0c1d2e3a4b5c6d-TST")
			_, _ = w.Write(answer) // the client goes away first
		}),
	}
	return server.Serve(listener)
}
