package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrNoAnswer is Confirm's error where nobody answers.
var ErrNoAnswer = errors.New("no answer")

// Confirm asks a question on standard error and reports whether the answer is yes. It returns when the context ends,
// even if nobody has answered.
func (t *Terminal) Confirm(ctx context.Context, question string) (bool, error) {
	if _, err := fmt.Fprint(t.Err, question+" [y/N] "); err != nil {
		return false, err
	}
	type line struct {
		text string
		err  error
	}
	answered := make(chan line, 1)
	go func() { // A read that nobody ends outlives the call.
		text, err := bufio.NewReader(t.In).ReadString('\n')
		answered <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		t.Say("")
		return false, ctx.Err()
	case answer := <-answered:
		if answer.err != nil && (!errors.Is(answer.err, io.EOF) || answer.text == "") {
			t.Say("")
			return false, errors.Join(ErrNoAnswer, answer.err)
		}
		text := strings.ToLower(strings.TrimSpace(answer.text))
		return text == "y" || text == "yes", nil
	}
}
