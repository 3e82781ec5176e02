// Package terminal prints for people: text from outside that can't move the cursor, tables that keep to the width,
// colors where they are wanted, progress of long work, and questions.
package terminal

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"
)

// A Terminal is the three streams of a program and what its environment says about them.
type Terminal struct {
	In       io.Reader
	Out, Err io.Writer
	// Getenv returns an environment variable.
	Getenv func(name string) string
	// IsTerminal reports whether one of the three streams is a terminal.
	IsTerminal func(stream any) bool
}

// New returns the terminal of this process.
func New() *Terminal {
	return &Terminal{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, IsTerminal: isTerminal}
}

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// Say prints a line for people on standard error.
func (t *Terminal) Say(format string, args ...any) {
	fmt.Fprintf(t.Err, format+"\n", args...)
}

// Columns returns the width of a stream, or 0, which is no limit, if it is no terminal.
func (t *Terminal) Columns(stream any) int {
	if !t.IsTerminal(stream) {
		return 0
	}
	if file, ok := stream.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	columns, err := strconv.Atoi(t.Getenv("COLUMNS"))
	if err != nil || columns < 1 {
		return 80
	}
	return columns
}

// isDumb reports whether a stream takes nothing but text, line by line.
func (t *Terminal) isDumb(stream any) bool {
	return !t.IsTerminal(stream) || t.Getenv("TERM") == "dumb"
}

// A Color is what a word is printed in.
type Color = text.Color

// The colors in use.
const (
	Red    Color = text.FgRed
	Green  Color = text.FgGreen
	Yellow Color = text.FgYellow
)

// A Painter colors a text, or leaves it as it is.
type Painter func(color Color, text string) string

// Painter returns a function that colors a text if the stream is a terminal that has colors and NO_COLOR is unset.
func (t *Terminal) Painter(stream any) Painter {
	if t.isDumb(stream) || cmp.Or(t.Getenv("NO_COLOR"), "") != "" {
		return func(_ Color, text string) string { return text }
	}
	return func(color Color, text string) string { return color.Sprint(text) }
}
