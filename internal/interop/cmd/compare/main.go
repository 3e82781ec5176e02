// Command compare measures cfposture against cloudflare-go v7 and v0, and against the floor: net/http, io.ReadAll and
// jsontext's check of the same bytes. It prints Markdown.
//
//	go run ./cmd/compare [-rounds 15] [-sample 50ms]
//
// All clients get the same bytes, from memory or, where the table says TCP, from a server in another process. They take
// turns, round by round, and each figure is the median of its rounds, so that what slows the machine for a while slows
// all of them.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"runtime"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/cfposture/cfposture/internal/interop/official"
	"github.com/cfposture/cfposture/internal/interop/workload"
)

func main() {
	rounds := flag.Int("rounds", 15, "how many times each client takes its turn")
	sample := flag.Duration("sample", 50*time.Millisecond, "how long a turn takes at the least")
	serve := flag.Bool("serve", false, "be the server of the TCP rows")
	flag.Parse()
	if *serve {
		log.Fatal(serveRule())
	}
	if err := run(context.Background(), *rounds, *sample); err != nil {
		log.Fatal(err)
	}
}

// An operation is what a row group of the table measures.
type operation struct {
	name string
	// transport is made for the operation alone: what another one would keep in memory would change how often garbage is
	// collected.
	transport func() http.RoundTripper
	do        func(context.Context, workload.Client) error
}

func run(ctx context.Context, rounds int, sample time.Duration) error {
	tcp, stop, err := startServer(ctx)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Printf("%s, %s/%s, %d CPUs, %s; cloudflare-go %s and %s\n\n", time.Now().Format(time.DateOnly), runtime.GOOS,
		runtime.GOARCH, runtime.NumCPU(), runtime.Version(), official.V7Version, official.V0Version)

	out := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	row(out, "operation", "client", "time", "bytes", "allocations", "× time", "× bytes", "× allocations")
	row(out, "---", "---", "---:", "---:", "---:", "---:", "---:", "---:")
	for _, op := range operations(tcp) {
		figures, err := measureAll(ctx, op, rounds, sample)
		if err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
		own := figures[workload.CFPosture]
		for _, name := range workload.Names {
			f := figures[name]
			row(out, op.name, name, duration(f.Nanoseconds), count(f.Bytes), count(f.Allocations),
				ratio(f.Nanoseconds, own.Nanoseconds), ratio(f.Bytes, own.Bytes), ratio(f.Allocations, own.Allocations))
		}
	}
	return out.Flush()
}

func operations(tcp http.RoundTripper) []operation {
	list := func(ctx context.Context, c workload.Client) error {
		_, err := c.List(ctx)
		return err
	}
	get := func(ctx context.Context, c workload.Client) error { return c.Get(ctx, workload.RuleID(0)) }
	create := func(ctx context.Context, c workload.Client) error { return c.Create(ctx) }
	listOf := func(n int) func() http.RoundTripper {
		return func() http.RoundTripper { return workload.NewTransport(workload.List(n)) }
	}
	one := func() http.RoundTripper { return workload.NewTransport(workload.One(0)) }
	overTCP := func() http.RoundTripper { return tcp }
	return []operation{
		{"List of 10", listOf(10), list},
		{"List of 1,000", listOf(1_000), list},
		{"List of 10,000", listOf(10_000), list},
		{"Get", one, get},
		{"Create", one, create},
		{"Get over TCP", overTCP, get},
		{"Create over TCP", overTCP, create},
		{"encoding 27 rules", one, func(_ context.Context, c workload.Client) error { return c.Encode() }},
	}
}

// measureAll has the clients take turns and returns the medians.
func measureAll(ctx context.Context, op operation, rounds int, sample time.Duration) (map[string]workload.Figures, error) {
	transport := op.transport()
	turns := map[string]func() (workload.Figures, error){}
	for _, name := range workload.Names {
		client, err := workload.New(name, transport)
		if err != nil {
			return nil, err
		}
		do := func() error { return op.do(ctx, client) }
		times, err := calibrate(do, sample)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		turns[name] = func() (workload.Figures, error) { return workload.Measure(times, do) }
	}
	measured := map[string][]workload.Figures{}
	for range rounds {
		for _, name := range workload.Names {
			f, err := turns[name]()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			measured[name] = append(measured[name], f)
		}
	}
	medians := map[string]workload.Figures{}
	for name, all := range measured {
		medians[name] = workload.Figures{
			Nanoseconds: median(all, func(f workload.Figures) float64 { return f.Nanoseconds }),
			Bytes:       median(all, func(f workload.Figures) float64 { return f.Bytes }),
			Allocations: median(all, func(f workload.Figures) float64 { return f.Allocations }),
		}
	}
	return medians, nil
}

// calibrate returns how many times to do what is measured for a sample's time, and warms up meanwhile.
func calibrate(do func() error, sample time.Duration) (int, error) {
	for times := 1; ; times *= 2 {
		f, err := workload.Measure(times, do)
		if err != nil {
			return 0, err
		}
		if time.Duration(f.Nanoseconds*float64(times)) >= sample {
			return times, nil
		}
	}
}

func median(all []workload.Figures, of func(workload.Figures) float64) float64 {
	values := make([]float64, len(all))
	for i, f := range all {
		values[i] = of(f)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

func row(out *tabwriter.Writer, cells ...string) {
	for _, cell := range cells {
		_, _ = fmt.Fprintf(out, "| %s\t", cell) // Flush tells of errors
	}
	_, _ = fmt.Fprintln(out, "|")
}

func duration(nanoseconds float64) string {
	switch {
	case nanoseconds >= 1e6:
		return fmt.Sprintf("%.2f ms", nanoseconds/1e6)
	case nanoseconds >= 1e3:
		return fmt.Sprintf("%.1f µs", nanoseconds/1e3)
	default:
		return fmt.Sprintf("%.0f ns", nanoseconds)
	}
}

// count writes a number with its thousands set apart.
func count(n float64) string {
	digits := fmt.Sprintf("%.0f", n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func ratio(a, b float64) string {
	if b == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", a/b)
}
