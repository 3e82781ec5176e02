// Command compare measures cfposture against cloudflare-go v0.116, and against the floor: net/http, io.ReadAll and
// jsontext's check of the same bytes. It prints Markdown.
//
//	go run ./cmd/compare [-rounds 15] [-sample 50ms] [-seed 1] [-v7]
//
// All clients get the same bytes, from memory or, where the table says TCP, from a server in another process. Rows named
// drawn list rules whose shape is drawn by the seed. The clients take turns, round by round. What is compared is always
// of one round, so that what slows the machine for a while slows all of them; the tables show the medians of all rounds,
// and between which values the middle half of them lies.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net/http"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/cfposture/cfposture/internal/interop/official"
	"github.com/cfposture/cfposture/internal/interop/workload"
)

type settings struct {
	rounds  int
	sample  time.Duration
	seed    uint64
	clients []string
}

func main() {
	var s settings
	flag.IntVar(&s.rounds, "rounds", 15, "how many times each client takes its turn")
	flag.DurationVar(&s.sample, "sample", 50*time.Millisecond, "how long a turn takes at the least")
	flag.Uint64Var(&s.seed, "seed", 1, "seed of the lists that are drawn")
	v7 := flag.Bool("v7", false, "measure cloudflare-go v7, too, which takes a while")
	serve := flag.Bool("serve", false, "be the server of the TCP rows")
	flag.Parse()
	if *serve {
		log.Fatal(serveRule())
	}
	s.clients = workload.Names
	if !*v7 {
		s.clients = slices.DeleteFunc(slices.Clone(s.clients), func(name string) bool { return name == workload.V7 })
	}
	if err := run(context.Background(), s); err != nil {
		log.Fatal(err)
	}
}

// An operation is what a row of a table measures.
type operation struct {
	name string
	// transport is made for the operation alone: what another one would keep in memory would change how often garbage is
	// collected.
	transport func() http.RoundTripper
	do        func(context.Context, workload.Client) error
	againstV0 float64 // how many times as fast as v0 it is to be
	ofFloor   float64 // which part of the floor's speed it is to reach; 0 where there is no such goal
}

func run(ctx context.Context, s settings) error {
	tcp, stop, err := startServer(ctx)
	if err != nil {
		return err
	}
	defer stop()
	fmt.Printf("%s, %s/%s, %d CPUs, %s; cloudflare-go %s and %s; %d rounds, seed %d\n", time.Now().Format(time.DateOnly),
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), official.V0Version, official.V7Version, s.rounds, s.seed)
	for _, percent := range []int{100, 400} {
		debug.SetGCPercent(percent)
		if err := printTables(ctx, s, percent, operations(tcp, s.seed)); err != nil {
			return err
		}
	}
	return nil
}

// printTables prints what the operations cost, and how that compares with the goals.
func printTables(ctx context.Context, s settings, percent int, operations []operation) error {
	costs, goals := newTable(), newTable()
	costs.row("GOGC="+strconv.Itoa(percent), "client", "time", "bytes", "allocations")
	costs.row("---", "---", "---:", "---:", "---:")
	goals.row("GOGC="+strconv.Itoa(percent), "v0's time ÷ ours", "goal", "", "floor's time ÷ ours", "goal", "", "v0's bytes ÷ ours")
	goals.row("---", "---:", "---:", "---", "---:", "---:", "---", "---:")
	for _, op := range operations {
		rounds, err := measure(ctx, op, s)
		if err != nil {
			return fmt.Errorf("%s: %w", op.name, err)
		}
		for _, name := range s.clients {
			costs.row(op.name, name, spreadOf(rounds[name], nanoseconds).format(duration),
				spreadOf(rounds[name], bytes).format(count), count(spreadOf(rounds[name], allocations).median))
		}
		own, v0, floor := rounds[workload.CFPosture], rounds[workload.V0], rounds[workload.Floor]
		againstV0, ofFloor := ratios(v0, own, nanoseconds), ratios(floor, own, nanoseconds)
		goals.row(op.name, againstV0.format(ratio), goal(op.againstV0), againstV0.verdict(op.againstV0), ofFloor.format(ratio),
			goal(op.ofFloor), ofFloor.verdict(op.ofFloor), ratio(ratios(v0, own, bytes).median))
	}
	fmt.Printf("\n%s\n%s", costs, goals)
	return nil
}

func operations(tcp http.RoundTripper, seed uint64) []operation {
	list := func(ctx context.Context, c workload.Client) error {
		_, err := c.List(ctx)
		return err
	}
	get := func(ctx context.Context, c workload.Client) error { return c.Get(ctx, workload.RuleID(0)) }
	create := func(ctx context.Context, c workload.Client) error { return c.Create(ctx) }
	encode := func(_ context.Context, c workload.Client) error { return c.Encode() }
	listOf := func(n int) func() http.RoundTripper {
		return func() http.RoundTripper { return workload.NewTransport(workload.List(n)) }
	}
	drawn := func(n int) func() http.RoundTripper {
		return func() http.RoundTripper { return workload.NewTransport(workload.Drawn(seed, n)) }
	}
	one := func() http.RoundTripper { return workload.NewTransport(workload.One(0)) }
	overTCP := func() http.RoundTripper { return tcp }
	return []operation{
		{"List of 10", listOf(10), list, 1.4, 0.65},
		{"List of 1,000", listOf(1_000), list, 1.4, 0.65},
		{"List of 10,000", listOf(10_000), list, 1.4, 0.65},
		{"List of 10, drawn", drawn(10), list, 1.4, 0.65},
		{"List of 1,000, drawn", drawn(1_000), list, 1.4, 0.65},
		{"List of 10,000, drawn", drawn(10_000), list, 1.4, 0.65},
		{"Get", one, get, 1, 0},
		{"Create", one, create, 1, 0},
		{"Get over TCP", overTCP, get, 1, 0.9},
		{"Create over TCP", overTCP, create, 1, 0.9},
		{"encoding 27 rules", one, encode, 1.3, 0},
	}
}

// measure has the clients take turns and returns what each of them cost in every round.
func measure(ctx context.Context, op operation, s settings) (map[string][]workload.Figures, error) {
	transport := op.transport()
	turns := map[string]func() (workload.Figures, error){}
	for _, name := range s.clients {
		client, err := workload.New(name, transport)
		if err != nil {
			return nil, err
		}
		do := func() error { return op.do(ctx, client) }
		times, err := calibrate(do, s.sample)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		turns[name] = func() (workload.Figures, error) { return workload.Measure(times, do) }
	}
	measured := map[string][]workload.Figures{}
	for range s.rounds {
		for _, name := range s.clients {
			f, err := turns[name]()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			measured[name] = append(measured[name], f)
		}
	}
	return measured, nil
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

func nanoseconds(f workload.Figures) float64 { return f.Nanoseconds }
func bytes(f workload.Figures) float64       { return f.Bytes }
func allocations(f workload.Figures) float64 { return f.Allocations }

// A spread is the median of some values, and the quartiles, between which the middle half of them lies.
type spread struct{ low, median, high float64 }

func newSpread(values []float64) spread {
	slices.Sort(values)
	last := len(values) - 1
	return spread{values[last/4], values[last/2], values[last-last/4]}
}

func spreadOf(rounds []workload.Figures, of func(workload.Figures) float64) spread {
	values := make([]float64, len(rounds))
	for i := range rounds {
		values[i] = of(rounds[i])
	}
	return newSpread(values)
}

// ratios divides what one client cost in each round by what another did.
func ratios(a, b []workload.Figures, of func(workload.Figures) float64) spread {
	values := make([]float64, len(a))
	for i := range a {
		values[i] = of(a[i]) / of(b[i])
	}
	return newSpread(values)
}

func (s spread) format(write func(float64) string) string {
	low, median, high := write(s.low), write(s.median), write(s.high)
	if low == high {
		return median
	}
	return median + " (" + low + " to " + high + ")"
}

// verdict says whether a goal is met; within the noise where only more than a quarter of the rounds meet it.
func (s spread) verdict(goal float64) string {
	switch {
	case goal == 0:
		return ""
	case s.median >= goal:
		return "met"
	case s.high >= goal:
		return "within the noise"
	default:
		return "missed"
	}
}

func goal(goal float64) string {
	if goal == 0 {
		return ""
	}
	return "≥ " + ratio(goal)
}

// A table is Markdown with columns in line.
type table struct {
	strings.Builder
	out *tabwriter.Writer
}

func newTable() *table {
	t := new(table)
	t.out = tabwriter.NewWriter(t, 0, 0, 1, ' ', 0)
	return t
}

func (t *table) row(cells ...string) {
	for _, cell := range cells {
		_, _ = fmt.Fprintf(t.out, "| %s\t", cell) // a strings.Builder has no error to tell
	}
	_, _ = fmt.Fprintln(t.out, "|")
}

func (t *table) String() string {
	_ = t.out.Flush()
	return t.Builder.String()
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

func ratio(of float64) string { return fmt.Sprintf("%.2f", of) }
