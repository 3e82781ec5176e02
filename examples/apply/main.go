// Apply makes an account match a document that examples/export wrote, or that a person did.
//
// It plans first, shows the plan, and carries it out once it is agreed to. Running it again is always safe: what is done
// already is left alone, and what an earlier run left undone is completed.
//
//   - state.go: rules and integrations as the planning sees them
//   - match.go, compare.go, plan.go: the planning, with no terminal and no network in it
//   - show.go: the plan as a person reads it
//   - execute.go: the plan as calls of the API
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/cli"
)

const about = `
Makes the account's rules and integrations match the document in FILE, or on
standard input, as examples/export writes it. It shows a plan first, and asks
before it changes anything.

Rules and integrations are matched by ID and type, else by name and type. What
the document leaves out and the API adds by itself is no difference. A rule
names its integration, as connection_id, by ID or by name. A secret is best
given by the name of an environment variable, {"$env": "NAME"}, as any member of
a config can be; it is needed only for a config that is new or changes. A rule
whose type changed is created anew, and the old one deleted. Of a list that the
document doesn't have at all, nothing is deleted, not even with -prune.

An interrupt waits for the calls under way, a second one doesn't. Running it
again completes what was left undone.

Exit codes: 0 done or nothing to do, 1 failed or refused, 2 called in a wrong
way, 3 with -dry-run: something would change.
` + cli.EnvironmentHelp

// changesPending is the exit code of -dry-run where the account differs from the document.
const changesPending = 3

// timing is how long to wait.
type timing struct {
	settle time.Duration // before looking what became of a call whose answer was lost: it may still be on its way
	grace  time.Duration // after an interrupt, for the calls under way: a call that is cut short may be carried out or not
}

func main() { cli.Main(run) }

func run(ctx context.Context, env *cli.Env, args []string) error {
	return runWith(ctx, env, args, timing{settle: 2 * time.Second, grace: 10 * time.Second})
}

// runWith has what tests change: how long to wait, and more options for the client.
func runWith(ctx context.Context, env *cli.Env, args []string, wait timing, opts ...cfposture.Option) error {
	flags := cli.NewFlags("apply", "[FILE]", about)
	flagged := cli.NewAccountFlag(flags)
	yes := flags.Bool("yes", false, "carry the plan out without asking")
	dryRun := flags.Bool("dry-run", false, "show the plan alone; exit with 3 if something would change")
	prune := flags.Bool("prune", false, "delete what the document doesn't have")
	sendSecrets := flags.Bool("send-secrets", false,
		"send secrets of unchanged integrations too: the API tells none")
	parallel := flags.Int("parallel", 4, "how many `calls` may be under way at once")
	perSecond := flags.Float64("rate", 3.5, "`calls` to make in a second; the API allows 4 in the long run")
	if err := flags.Parse(env, args, 1); err != nil {
		return err
	}
	if *parallel < 1 || !(*perSecond > 0) {
		return cli.Usagef("-parallel and -rate must be above 0")
	}
	path := flags.Arg(0)
	if err := checkInput(env, path, *yes || *dryRun); err != nil {
		return err
	}
	document, err := readDocument(env, path)
	if err != nil {
		return err
	}

	// A burst of twenty seconds' worth leaves small plans unhindered, and long ones within the five minutes' limit.
	opts = append([]cfposture.Option{cfposture.WithRateLimit(*perSecond, 1+int(20**perSecond)), cfposture.WithMaxRetries(8)}, opts...)
	account, err := flagged.Open(env, opts...)
	if err != nil {
		return err
	}
	defer account.Close()

	plan, err := makePlan(ctx, account.Client, document, env.Getenv, options{prune: *prune, sendSecrets: *sendSecrets})
	if err != nil {
		return err
	}
	if err := plan.print(env.Stdout, env.Painter(env.Stdout)); err != nil {
		return err
	}
	switch {
	case len(plan.steps) == 0:
		return nil
	case *dryRun:
		return &cli.ExitError{Code: changesPending}
	case !*yes:
		if err := confirm(ctx, env); err != nil {
			return err
		}
	}
	executor := newExecutor(account.Client, plan, wait)
	progress := &progress{env: env, steps: len(plan.steps)}
	executor.progress = progress.show
	executor.interrupted = func() { env.Sayf("\nInterrupted: waiting for the calls under way") }
	report := executor.run(ctx, *parallel)
	progress.clear()
	return report.print(env)
}

// checkInput refuses calls that would wait for nobody.
func checkInput(env *cli.Env, path string, unasked bool) error {
	fromStdin := path == "" || path == "-"
	switch terminal := env.IsTerminal(env.Stdin); {
	case path == "" && terminal:
		return cli.Usagef("no document: give a FILE, or pipe one in")
	case !unasked && (fromStdin || !terminal):
		return cli.Usagef("nobody to ask on standard input: give -yes to carry the plan out, or -dry-run to see it")
	}
	return nil
}

func readDocument(env *cli.Env, path string) (*cli.Document, error) {
	in := env.Stdin
	if path != "" && path != "-" {
		file, err := os.Open(path) //nolint:gosec // the file that the caller named
		if err != nil {
			return nil, err
		}
		defer file.Close() //nolint:errcheck // it was only read
		in = io.Reader(file)
	}
	return cli.ReadDocument(in)
}

// makePlan reads the account and compares it with the document.
func makePlan(ctx context.Context, client *cfposture.Client, document *cli.Document, getenv func(string) string, o options) (*plan, error) {
	integrations, err := client.Integrations.List(ctx)
	if err != nil {
		return nil, err
	}
	rules, err := client.Posture.List(ctx)
	if err != nil {
		return nil, err
	}
	have, err := accountState(integrations, rules)
	if err != nil {
		return nil, err
	}
	want, err := documentState(document, getenv)
	if err != nil {
		return nil, err
	}
	return newPlan(want, have, o)
}

func confirm(ctx context.Context, env *cli.Env) error {
	agreed, err := env.Confirm(ctx, "Carry this out?")
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted: nothing was changed")
	case errors.Is(err, cli.ErrNoAnswer):
		return cli.Usagef("nobody answered: give -yes to carry the plan out, or -dry-run to see it")
	case err != nil:
		return err
	case !agreed:
		return errors.New("nothing was changed")
	}
	return nil
}

// progress shows the last step that was done, in one line of a terminal.
type progress struct {
	env   *cli.Env
	steps int
}

func (p *progress) show(done int, s *step) {
	p.print(fmt.Sprintf("[%d/%d] %s", done, p.steps, s), "")
}

func (p *progress) clear() { p.print("", "\r") }

func (p *progress) print(line, end string) {
	if columns := p.env.Columns(p.env.Stderr); columns > 0 {
		_, _ = fmt.Fprint(p.env.Stderr, "\r"+cli.Fit(line, columns-1)+end) // only to be looked at
	}
}
