package cfposture

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

const (
	maxAnswer = 64 << 20 // bytes of an answer, or of one item of a streamed one
	maxHead   = 1 << 10  // bytes of an answer that an Error shows
)

// An answer reads a response's body within the attempt's limits and keeps the beginning for an error to show.
type answer struct {
	body io.ReadCloser
	time *timeLimit
	left int64 // bytes that may still come
	head []byte
	err  error // what reading failed with, where that is not a limit of this package's
}

var errTooLarge = fmt.Errorf("the answer is larger than %d MiB", maxAnswer>>20)

func (a *answer) Read(p []byte) (int, error) {
	if a.left < 0 {
		return 0, errTooLarge
	}
	p = p[:min(int64(len(p)), a.left+1)]
	a.time.resume()
	n, err := a.body.Read(p)
	a.time.pause()
	a.left -= int64(n)
	if room := maxHead - len(a.head); room > 0 {
		a.head = append(a.head, p[:min(n, room)]...)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		a.err = err
	}
	if a.left < 0 {
		return n, errTooLarge
	}
	return n, err
}

// allowMore starts the size limit anew, for the next item.
func (a *answer) allowMore() { a.left = maxAnswer }

// A timeLimit cancels an attempt whose server takes too long. Only the time between resume and pause counts.
type timeLimit struct {
	limit, left time.Duration
	timer       *time.Timer
	since       time.Time
	cancel      context.CancelCauseFunc
}

// newTimeLimit returns a paused limit; 0 is none.
func newTimeLimit(limit time.Duration, cancel context.CancelCauseFunc) *timeLimit {
	return &timeLimit{limit: limit, left: limit, cancel: cancel}
}

func (t *timeLimit) resume() {
	if t.limit == 0 {
		return
	}
	t.since = time.Now()
	if t.timer == nil {
		t.timer = time.AfterFunc(t.left, func() { t.cancel(&timeoutError{t.limit}) })
	} else {
		t.timer.Reset(t.left)
	}
}

func (t *timeLimit) pause() {
	if t.limit == 0 {
		return
	}
	t.timer.Stop()
	t.left = max(0, t.left-time.Since(t.since))
}
