// Command soak runs thousands of operations of the client against an API that misbehaves at random, keeps its own books
// of what the API must hold, and compares the two at the end: nothing may be lost, nothing may be there twice, and what
// is left open must have been reported as cfposture.ErrOutcomeUnknown.
//
//	go run ./internal/soak -ops 20000 -seed 1 -workers 8
//
// Faults follow from the seed, so a run can be repeated. It exits with status 1 if the two differ.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"time"
)

func main() {
	var c config
	flag.IntVar(&c.ops, "ops", 20_000, "operations to run")
	flag.Uint64Var(&c.seed, "seed", 1, "where chance starts from")
	flag.IntVar(&c.workers, "workers", 8, "goroutines that share one client")
	limit := flag.Duration("limit", 10*time.Minute, "end the run after this time")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	ctx, cancel := context.WithTimeout(ctx, *limit)
	r, err := run(ctx, c)
	cancel()
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
	r.print(os.Stdout)
	if len(r.mismatches) > 0 {
		os.Exit(1)
	}
}

// A config says how long to run, and how.
type config struct {
	ops, workers int
	seed         uint64
}

// A report is what came of a run.
type report struct {
	config
	took       time.Duration
	requests   int
	held       int // items that the API held at the end
	operations map[string]int
	outcomes   map[string]int
	faults     map[string]int
	mismatches []string
}

func (r *report) print(w io.Writer) {
	fmt.Fprintf(w, "seed %d, %d workers: %d operations in %v: %d requests, %d faults; %d items at the end\n",
		r.seed, r.workers, sum(r.operations), r.took.Round(time.Millisecond), r.requests, sum(r.faults), r.held)
	for _, part := range []struct {
		title  string
		counts map[string]int
	}{{"operations", r.operations}, {"outcomes", r.outcomes}, {"faults", r.faults}} {
		fmt.Fprintf(w, "\n%s\n", part.title)
		for _, name := range slices.Sorted(maps.Keys(part.counts)) {
			fmt.Fprintf(w, "  %-45s %7d\n", name, part.counts[name])
		}
	}
	fmt.Fprintf(w, "\nmismatches: %d\n", len(r.mismatches))
	for _, mismatch := range r.mismatches {
		fmt.Fprintln(w, " ", mismatch)
	}
}

func sum(counts map[string]int) (total int) {
	for _, n := range counts {
		total += n
	}
	return total
}
