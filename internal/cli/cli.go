// Package cli is what the programs in examples have in common: how they start and end, which account they work on, and
// how they print for people.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

// The exit codes that every program has.
const (
	OK     = 0
	Failed = 1
	Usage  = 2 // the program was called in a wrong way
)

// An Env is all that a program has of the world outside, so that a test can give it another.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(name string) string
	IsTerminal     func(stream any) bool // of the three above
}

// A Program does its work and returns why it failed. Results go to env.Stdout, all that is for people to env.Stderr.
type Program func(ctx context.Context, env *Env, args []string) error

// Main runs the program on the process's own streams, arguments and environment, and ends the process. The context ends
// with the first interrupt; a second one ends the process at once.
func Main(program Program) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	env := &Env{Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv, IsTerminal: isTerminal}
	os.Exit(Run(ctx, env, program, os.Args[1:]))
}

// Run runs the program, says why it failed, and returns the exit code.
func Run(ctx context.Context, env *Env, program Program, args []string) int {
	err := program(ctx, env, args)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return OK
	}
	code := Failed
	var exit *ExitError
	if errors.As(err, &exit) {
		code = exit.Code
	}
	if text := err.Error(); text != "" {
		_, _ = fmt.Fprintln(env.Stderr, text) // there is nowhere left to say that this failed
	}
	return code
}

// An ExitError ends a program with another exit code than [Failed].
type ExitError struct {
	Code int
	Err  error // what to say; nil: nothing
}

// Error returns what there is to say, which may be nothing.
func (e *ExitError) Error() string {
	if e.Err == nil {
		return ""
	}
	return e.Err.Error()
}

// Unwrap returns what there is to say.
func (e *ExitError) Unwrap() error { return e.Err }

// Usagef returns the error of a program that was called in a wrong way.
func Usagef(format string, args ...any) error {
	return &ExitError{Usage, fmt.Errorf(format+" (-h tells more)", args...)}
}

// Sayf prints a line for people.
func (e *Env) Sayf(format string, args ...any) {
	_, _ = fmt.Fprintf(e.Stderr, format+"\n", args...) // a program goes on when nobody listens
}

// Columns returns how many columns a stream has: 0, which is no limit, unless it is a terminal.
func (e *Env) Columns(stream any) int {
	if !e.IsTerminal(stream) {
		return 0
	}
	if columns, err := strconv.Atoi(e.Getenv("COLUMNS")); err == nil && columns > 0 {
		return columns
	}
	return 80
}

// isTerminal takes every character device for a terminal: so is /dev/null, where it does no harm.
func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
