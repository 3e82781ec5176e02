// Posturectl is the operator's program for device posture rules and integrations: it exports an account, applies a
// document to it, audits it, and serves a fake of the API.
//
//	go -C examples/posturectl install .
//	posturectl -h
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
)

// The exit codes.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2 // the program was called in a wrong way
	exitPending = 3 // --dry-run found something to change, or audit something that --fail-on names
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // A second interrupt ends the process at once.
	os.Exit(run(ctx, terminal.New(), os.Args[1:]))
}

// run runs the program, says why it failed, and returns the exit code.
func run(ctx context.Context, t *terminal.Terminal, args []string) int {
	root := newRoot(t)
	root.SetArgs(withDoubleDashes(root, args))
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	code := exitFailed
	var exit *exitError
	if errors.As(err, &exit) {
		code, err = exit.code, exit.err
	}
	if err != nil {
		t.PrintError(root.Name(), err)
	}
	return code
}

func newRoot(t *terminal.Terminal) *cobra.Command {
	root := &cobra.Command{
		Use:   "posturectl",
		Short: "Look after Cloudflare device posture rules and integrations",
		Long: `Posturectl looks after the device posture rules of a Cloudflare account and the
integrations that they use.

Results go to standard output, everything else to standard error. The exit code
is 0 for success, 1 for failure, 2 for a wrong call, and 3 where apply --dry-run
found something to change or audit found something that --fail-on names. Without
a command it prints this help and exits with 0.`,
		Example: `  posturectl audit --sample
  posturectl export -o posture.json
  posturectl apply --dry-run posture.json`,
		SuggestionsMinimumDistance: 2,
		SilenceErrors:              true,
		SilenceUsage:               true,
		Args:                       knownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(t.In)
	root.SetOut(t.Out)
	root.SetErr(t.Err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usagef("%w", err) })
	root.AddCommand(exportCommand(t), applyCommand(t), auditCommand(t), serveCommand(t), typesCommand(t), versionCommand(t))
	root.InitDefaultCompletionCmd()
	return root
}

// knownCommand refuses arguments of the root, which are commands that don't exist.
func knownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		return usagef("unknown command %q: did you mean %s?", args[0], strings.Join(similar, " or "))
	}
	return usagef("unknown command %q", args[0])
}

// withDoubleDashes writes long flags with two dashes: programs that use Go's flag package take one.
func withDoubleDashes(root *cobra.Command, args []string) []string {
	cmd, _, err := root.Find(args)
	if err != nil {
		return args
	}
	written := make([]string, len(args))
	for i, arg := range args {
		written[i] = arg
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && len(name) > 1 && cmd.Flags().Lookup(name) != nil {
			written[i] = "-" + arg
		}
		if arg == "--" {
			copy(written[i:], args[i:])
			break
		}
	}
	return written
}

// An exitError ends the program with another exit code than exitFailed.
type exitError struct {
	code int
	err  error // what to say; nil: nothing
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// usagef returns the error of a program that was called in a wrong way.
func usagef(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format+" (-h shows more)", args...)}
}

// atMost returns an argument check for commands that take up to n arguments.
func atMost(n int) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) > n {
			return usagef("unexpected argument %q", args[n])
		}
		return nil
	}
}
