package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// Flags are a program's flags and its -h text.
type Flags struct {
	*flag.FlagSet
	synopsis, about string
}

// NewFlags returns flags for the program of that name. The synopsis is what follows the name on a command line, about
// what the program does.
func NewFlags(name, synopsis, about string) *Flags {
	flags := &Flags{flag.NewFlagSet(name, flag.ContinueOnError), synopsis, about}
	flags.SetOutput(io.Discard) // Parse does the talking
	flags.Usage = func() {}
	return flags
}

// Parse reads the arguments, of which at the most maxArgs may be left after the flags. For -h it prints the text to
// standard output and returns [flag.ErrHelp].
func (f *Flags) Parse(env *Env, args []string, maxArgs int) error {
	err := f.FlagSet.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		f.printHelp(env.Stdout)
		return err
	case err != nil:
		return Usagef("%w", err)
	case f.NArg() > maxArgs && strings.HasPrefix(f.Arg(maxArgs), "-"):
		return Usagef("the flag %s has to come before %q", f.Arg(maxArgs), f.Arg(0))
	case f.NArg() > maxArgs:
		return Usagef("unexpected argument %q", f.Arg(maxArgs))
	}
	return nil
}

func (f *Flags) printHelp(out io.Writer) {
	line := strings.TrimSpace("go run ./examples/" + f.Name() + " [flags] " + f.synopsis)
	_, _ = fmt.Fprintf(out, "%s\n\nUsage: %s\n\n", strings.TrimSpace(f.about), line)
	f.SetOutput(out)
	f.PrintDefaults()
}
