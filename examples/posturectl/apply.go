package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/examples/posturectl/internal/apply"
	"github.com/cfposture/cfposture/examples/posturectl/internal/document"
	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
)

const applyHelp = `Apply makes the account's rules and integrations match the document in FILE, or
on standard input, in JSON or YAML. It shows a plan first, and asks before it
changes anything. What the document leaves out of an item stays as it is, and an
item that it doesn't have stays unless --prune is given. If the document has no
"rules" (or "integrations") list, --prune deletes none of them. In YAML, a merge
key (<<) may only add members, and not override them.

Rules and integrations are matched by ID and type, else by name and type; where
several have one name and type, in order. A rule names its integration, as
connection_id, by ID or by name. A rule whose type changed is created anew, and
the old one deleted.

Members and types that the program doesn't know are refused, with the name that
was probably meant, unless the document's own list of unknown ones has them or
--allow-unknown is given.

A secret is best given by the name of an environment variable, {"$env": "NAME"}.
It is needed only for a config that is new or changes. Other members of a config
may take variables that --env lists, and none may take CLOUDFLARE_ ones.

An interrupt waits for the calls under way, a second one doesn't. Running apply
again is always safe: what is done is left alone, and what was left undone is
completed. An item whose creation got no clear response is looked for, for a
minute, and never created a second time by the same run.

Two runs at once: before the first create, apply looks whether the plan still
holds, and after it whether somebody else has begun the same, and stops. What
remains is that both may have created that first item, and that one may undo the
other's updates.

With --dry-run it exits with 3 if something would change, which makes it a check
for drift.` + accountHelp

// applyFlags are the flags of apply.
type applyFlags struct {
	account     *accountFlags
	options     apply.Options
	yes, dryRun bool
	parallel    int
	perSecond   float64
}

// waits are what tests shorten. The library looks for a minute by itself.
var waits = struct {
	grace, look, retry time.Duration
}{grace: 10 * time.Second, look: time.Hour, retry: time.Minute}

func applyCommand(t *terminal.Terminal) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "apply [FILE]",
		Short: "Make an account match a document",
		Long:  applyHelp,
		Example: `  posturectl apply --dry-run posture.yaml
  posturectl apply --prune posture.json
  KOLIDE_SECRET=… posturectl apply --yes posture.yaml`,
		Args: atMost(1),
	}
	f := &applyFlags{account: addAccountFlags(cmd)}
	f.options.Getenv = t.Getenv
	flags := cmd.Flags()
	flags.BoolVarP(&f.yes, "yes", "y", false, "carry the plan out without asking")
	flags.BoolVar(&f.dryRun, "dry-run", false, "show the plan alone; exit with 3 if something would change")
	flags.BoolVar(&f.options.Prune, "prune", false, "delete what the document doesn't have")
	flags.BoolVar(&f.options.SendSecrets, "send-secrets", false, "send secrets of unchanged integrations too")
	flags.BoolVar(&f.options.AllowUnknown, "allow-unknown", false, "let members and types pass that this version doesn't know")
	flags.StringSliceVar(&f.options.Env, "env", nil, "`NAMES` of variables that non-secret members may refer to")
	flags.IntVar(&f.parallel, "parallel", 4, "number of `CALLS` that may be under way at once")
	flags.Float64Var(&f.perSecond, "rate", 3.5, "number of `CALLS` to make in a second; the API allows 4 in the long run")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		path := ""
		if len(args) > 0 {
			path = args[0]
		}
		return f.run(cmd.Context(), t, path)
	}
	return cmd
}

const mostPerSecond = 1000

func (f *applyFlags) run(ctx context.Context, t *terminal.Terminal, path string) error {
	if f.parallel < 1 || !(f.perSecond > 0 && f.perSecond <= mostPerSecond) {
		return usagef("--parallel must be above 0, and --rate above 0 and at most %d", mostPerSecond)
	}
	in, err := openInput(t, path)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // it was only read
	if err := f.checkAsking(t, path); err != nil {
		return err
	}
	d, err := document.Read(in)
	if err != nil {
		return err
	}
	// A burst of twenty seconds' worth leaves small plans unhindered, and long ones within the five minutes' limit.
	burst := 1 + int(20*f.perSecond)
	client, done, err := f.account.open(t, cfposture.WithRateLimit(f.perSecond, burst), cfposture.WithMaxRetries(8),
		cfposture.WithMaxRetryWait(waits.retry))
	if err != nil {
		return err
	}
	defer done()

	makePlan := func(ctx context.Context) (*apply.Plan, error) { return apply.Make(ctx, client, d, f.options) }
	plan, err := makePlan(ctx)
	if err != nil {
		return err
	}
	if err := plan.Print(t.Out, t.Painter(t.Out)); err != nil {
		return err
	}
	if plan.Len() == 0 {
		return nil
	}
	if wait := time.Duration(math.Max(0, float64(plan.Len()-burst)/f.perSecond)) * time.Second; wait >= 10*time.Second {
		t.Say("This takes about %v, at %g calls a second", wait, f.perSecond)
	}
	switch {
	case f.dryRun:
		return &exitError{code: exitPending}
	case !f.yes:
		if err := confirm(ctx, t); err != nil {
			return err
		}
	}
	progress := t.NewProgress("Applying", plan.Len())
	report := plan.Execute(ctx, apply.Execution{
		Client: client, Parallel: f.parallel, Recheck: makePlan, Grace: waits.grace, Look: waits.look, Progress: progress.Step,
		Interrupted: func() { progress.Say("Interrupted: waiting for the calls under way") },
	})
	progress.Close()
	return report.Print(t)
}

// openInput opens the document: a file, a pipe, or standard input.
func openInput(t *terminal.Terminal, path string) (io.ReadCloser, error) {
	switch {
	case path == "" && t.IsTerminal(t.In):
		return nil, usagef("no document: give a FILE, or pipe one in")
	case path == "" || path == "-":
		return io.NopCloser(t.In), nil
	}
	file, err := os.Open(path) //nolint:gosec // the caller named the file
	if err != nil {
		return nil, err
	}
	// A shell's <(command) is a pipe.
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() && info.Mode()&fs.ModeNamedPipe == 0 {
		err = fmt.Errorf("%s is not a regular file or a pipe", path)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// checkAsking refuses calls that would ask nobody.
func (f *applyFlags) checkAsking(t *terminal.Terminal, path string) error {
	fromStdin, unasked := path == "" || path == "-", f.yes || f.dryRun
	if !unasked && (fromStdin || !t.IsTerminal(t.In)) {
		return usagef("nobody to ask on standard input: give --yes to carry the plan out, or --dry-run to see it")
	}
	return nil
}

func confirm(ctx context.Context, t *terminal.Terminal) error {
	agreed, err := t.Confirm(ctx, "Carry this out?")
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted: nothing was changed")
	case errors.Is(err, terminal.ErrNoAnswer):
		return usagef("nobody answered: give --yes to carry the plan out, or --dry-run to see it")
	case err != nil:
		return err
	case !agreed:
		return errors.New("nothing was changed")
	}
	return nil
}
