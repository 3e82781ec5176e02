// Command footprint measures what a program that lists rules pays for its client: seconds and memory to build it with
// the standard library cached, the size of the binary, modules, lines of go.sum, and the time that packages take to
// initialise. It prints Markdown.
//
//	go run ./cmd/footprint [-runs 1] [-only cfposture]
//
// It builds in a build cache of its own, which takes a few minutes and, for v7, 1.5 GB of memory.
package main

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/cfposture/cfposture/internal/interop/official"
)

func main() {
	runs := flag.Int("runs", 1, "how many times each program is built; the median counts")
	only := flag.String("only", "", "measure this program alone, beside the bare one")
	flag.Parse()
	if err := run(context.Background(), *runs, *only); err != nil {
		log.Fatal(err)
	}
}

// A program is one that lists rules when it has an argument, and ends at once when it has none.
type program struct {
	name    string
	require string // a module and its version, "" for none
	source  string
}

var programs = []program{
	{"net/http", "", bare},
	{"cfposture", ownModule, own},
	{"cloudflare-go v7", "github.com/cloudflare/cloudflare-go/v7@" + official.V7Version, v7},
	{"cloudflare-go v0", "github.com/cloudflare/cloudflare-go@" + official.V0Version, v0},
}

const ownModule = "github.com/cfposture/cfposture"

// A footprint is what a program costs.
type footprint struct {
	build           time.Duration
	memory          int64 // bytes of the largest process of the build
	plain, stripped int64 // bytes of the binary
	modules, sums   int
	inits           map[string]time.Duration // by package
}

func run(ctx context.Context, runs int, only string) error {
	dir, err := os.MkdirTemp("", "footprint")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary directory
	w := &workshop{dir: dir}
	if w.ownDir, err = w.output(ctx, ".", nil, "go", "list", "-m", "-f", "{{.Dir}}", ownModule); err != nil {
		return err
	}
	if _, err := w.output(ctx, ".", w.cache("std"), "go", "build", "std"); err != nil {
		return err
	}

	fmt.Printf("%s, %s/%s, %d CPUs, %s\n\n", time.Now().Format(time.DateOnly), runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU(), runtime.Version())
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	row(out, "program with", "build", "memory", "binary", "stripped", "above net/http", "modules", "lines of go.sum", "initialisation")
	row(out, "---", "---:", "---:", "---:", "---:", "---:", "---:", "---:", "---:")
	var base footprint
	for _, p := range programs {
		if only != "" && p.name != only && p.require != "" {
			continue
		}
		f, err := w.measure(ctx, p, runs)
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		if p.require == "" {
			base = f
		}
		row(out, p.name, fmt.Sprintf("%.1f s", f.build.Seconds()), megabytes(f.memory), megabytes(f.plain), megabytes(f.stripped),
			megabytes(f.plain-base.plain), strconv.Itoa(f.modules), strconv.Itoa(f.sums),
			fmt.Sprintf("%.3f ms", milliseconds(f.above(base))))
	}
	return out.Flush()
}

// above is the time that packages take to initialise which the other program doesn't have.
func (f footprint) above(other footprint) time.Duration {
	var sum time.Duration
	for name, took := range f.inits {
		if _, both := other.inits[name]; !both {
			sum += took
		}
	}
	return sum
}

// A workshop is where programs are built.
type workshop struct{ dir, ownDir string }

// cache is the environment that makes the go command use a build cache of that name.
func (w *workshop) cache(name string) []string {
	return []string{"GOCACHE=" + filepath.Join(w.dir, "cache-"+name), "GOFLAGS=-mod=mod", "GOWORK=off"}
}

func (w *workshop) measure(ctx context.Context, p program, runs int) (footprint, error) {
	dir, env := filepath.Join(w.dir, "program"), w.cache("std")
	if err := w.prepare(ctx, p, dir, env); err != nil {
		return footprint{}, err
	}
	var built []footprint
	for range runs {
		f, err := w.build(ctx, dir)
		if err != nil {
			return footprint{}, err
		}
		built = append(built, f)
	}
	slices.SortFunc(built, func(a, b footprint) int { return int(a.build - b.build) })
	f := built[len(built)/2]

	if _, err := w.output(ctx, dir, env, "go", "build", "-ldflags=-s -w", "-o", "stripped", "."); err != nil {
		return f, err
	}
	f.stripped = size(filepath.Join(dir, "stripped"))
	modules, err := w.output(ctx, dir, env, "go", "list", "-m", "all")
	if err != nil {
		return f, err
	}
	f.modules = strings.Count(modules, "\n") // the first line is the program's own
	if sums, err := fs.ReadFile(os.DirFS(dir), "go.sum"); err == nil {
		f.sums = strings.Count(string(sums), "\n")
	}
	f.inits, err = w.inits(ctx, dir)
	return f, err
}

// prepare makes the program's module anew.
func (w *workshop) prepare(ctx context.Context, p program, dir string, env []string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(p.source), 0o600); err != nil {
		return err
	}
	steps := [][]string{{"go", "mod", "init", "program"}}
	if p.require == ownModule {
		steps = append(steps, []string{"go", "mod", "edit", "-require=" + ownModule + "@v0.0.0", "-replace=" + ownModule + "=" + w.ownDir})
	} else if p.require != "" {
		steps = append(steps, []string{"go", "mod", "edit", "-require=" + p.require})
	}
	steps = append(steps, []string{"go", "mod", "tidy"})
	for _, step := range steps {
		if _, err := w.output(ctx, dir, env, step[0], step[1:]...); err != nil {
			return err
		}
	}
	return nil
}

// build builds the program with nothing but the standard library in the cache.
func (w *workshop) build(ctx context.Context, dir string) (footprint, error) {
	fresh := w.cache("fresh")
	defer os.RemoveAll(filepath.Join(w.dir, "cache-fresh")) //nolint:errcheck // a temporary directory
	if err := os.CopyFS(filepath.Join(w.dir, "cache-fresh"), os.DirFS(filepath.Join(w.dir, "cache-std"))); err != nil {
		return footprint{}, err
	}
	command := w.command(ctx, dir, fresh, "go", "build", "-o", "plain", ".")
	start := time.Now()
	if out, err := command.CombinedOutput(); err != nil {
		return footprint{}, fmt.Errorf("%w: %s", err, out)
	}
	f := footprint{build: time.Since(start), plain: size(filepath.Join(dir, "plain"))}
	if usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage); ok {
		f.memory = usage.Maxrss << 10
	}
	return f, nil
}

// inits runs the program some times and returns the median of what each package took to initialise.
func (w *workshop) inits(ctx context.Context, dir string) (map[string]time.Duration, error) {
	const runs = 21
	took := map[string][]time.Duration{}
	for range runs {
		var trace strings.Builder
		command := w.command(ctx, dir, []string{"GODEBUG=inittrace=1"}, filepath.Join(dir, "plain"))
		command.Stderr = &trace
		if err := command.Run(); err != nil {
			return nil, err
		}
		for line := range strings.Lines(trace.String()) {
			var name string
			var at, clock float64
			if _, err := fmt.Sscanf(line, "init %s @%f ms, %f ms clock", &name, &at, &clock); err == nil {
				took[name] = append(took[name], time.Duration(clock*float64(time.Millisecond)))
			}
		}
	}
	medians := map[string]time.Duration{}
	for name, all := range took {
		slices.Sort(all)
		medians[name] = all[len(all)/2]
	}
	return medians, nil
}

func (w *workshop) command(ctx context.Context, dir string, env []string, name string, args ...string) *exec.Cmd {
	command := exec.CommandContext(ctx, name, args...) //nolint:gosec // the go command, or what it built
	command.Dir = dir
	command.Env = append(os.Environ(), env...)
	return command
}

func (w *workshop) output(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	var problems strings.Builder
	command := w.command(ctx, dir, env, name, args...)
	command.Stderr = &problems
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, problems.String())
	}
	return strings.TrimSpace(string(out)), nil
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }

func row(out *tabwriter.Writer, cells ...string) {
	for _, cell := range cells {
		_, _ = fmt.Fprintf(out, "| %s\t", cell) // Flush tells of errors
	}
	_, _ = fmt.Fprintln(out, "|")
}
