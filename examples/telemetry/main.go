// Telemetry lists an account's rules and prints what OpenTelemetry has seen of it: a span for the work, one for each attempt
// of a call, and measurements. What to copy is in middleware.go.
//
//	go -C examples/telemetry run .
//
// It works on a server in this program unless -live makes it read the account that CLOUDFLARE_API_TOKEN and
// CLOUDFLARE_ACCOUNT_ID name. It changes nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"

	"go.opentelemetry.io/otel/exporters/stdout/stdoutmetric"
	"go.opentelemetry.io/otel/exporters/stdout/stdouttrace"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

func main() {
	live := flag.Bool("live", false, "read the account that the environment names")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, *live)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "telemetry: %q\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, live bool) (err error) {
	// A service would export to a collector here; everything else stays the same.
	spans, err := stdouttrace.New(stdouttrace.WithPrettyPrint())
	if err != nil {
		return err
	}
	measurements, err := stdoutmetric.New(stdoutmetric.WithPrettyPrint())
	if err != nil {
		return err
	}
	traces := trace.NewTracerProvider(trace.WithBatcher(spans))
	meters := metric.NewMeterProvider(metric.WithReader(metric.NewPeriodicReader(measurements)))
	defer func() {
		ctx := context.WithoutCancel(ctx)
		err = errors.Join(err, traces.Shutdown(ctx), meters.Shutdown(ctx))
	}()

	middleware, err := Middleware(traces.Tracer("cfposture"), meters.Meter("cfposture"))
	if err != nil {
		return err
	}
	client, done, err := connect(live, cfposture.WithMiddleware(middleware))
	if err != nil {
		return err
	}
	defer done()
	ctx, span := traces.Tracer("example").Start(ctx, "look at the rules")
	defer span.End()
	rules, err := client.Posture.List(ctx)
	fmt.Fprintf(os.Stderr, "%d rules\n", len(rules))
	return err
}

// connect returns a client for a server in this program, which fails once, or for the account that the environment names.
func connect(live bool, opts ...cfposture.Option) (client *cfposture.Client, done func(), err error) {
	if live {
		client, err = cfposture.NewClient(opts...)
		return client, func() {}, err
	}
	server := posturetest.NewServer()
	server.AddRule([]byte(`{"name": "WARP is on", "type": "warp"}`))
	server.FailNext(1, 503)
	return server.Client(opts...), server.Close, nil
}
