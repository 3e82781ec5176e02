package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A Color is what a text is painted with on a terminal.
type Color string

// The colours.
const (
	Red    Color = "31"
	Green  Color = "32"
	Yellow Color = "33"
)

// Painter returns a function that colours a text if the stream is a terminal and NO_COLOR is not set.
func (e *Env) Painter(stream any) func(color Color, text string) string {
	if !e.IsTerminal(stream) || e.Getenv("NO_COLOR") != "" {
		return func(_ Color, text string) string { return text }
	}
	return func(color Color, text string) string { return "\x1b[" + string(color) + "m" + text + "\x1b[0m" }
}

// ErrNoAnswer is Confirm's error where nobody answers.
var ErrNoAnswer = errors.New("no answer")

// Confirm asks a question on standard error and reports whether the answer is yes. It returns when the context ends,
// though nobody has answered.
func (e *Env) Confirm(ctx context.Context, question string) (bool, error) {
	if _, err := fmt.Fprint(e.Stderr, question+" [y/N] "); err != nil {
		return false, err
	}
	type line struct {
		text string
		err  error
	}
	answered := make(chan line, 1)
	go func() { // which a read that nobody ends outlives
		text, err := bufio.NewReader(e.Stdin).ReadString('\n')
		answered <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		e.Sayf("")
		return false, ctx.Err()
	case answer := <-answered:
		if answer.err != nil && (!errors.Is(answer.err, io.EOF) || answer.text == "") {
			return false, errors.Join(ErrNoAnswer, answer.err)
		}
		text := strings.ToLower(strings.TrimSpace(answer.text))
		return text == "y" || text == "yes", nil
	}
}
