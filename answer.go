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
	timeLimit
	body      io.Reader
	bytesLeft int64 // that may still come
	head      [maxHead]byte
	headSize  int
	err       error // what reading failed with, where that is not a limit of this package's
}

var errTooLarge = fmt.Errorf("the answer is larger than %d MiB", maxAnswer>>20)

func (a *answer) Read(p []byte) (int, error) {
	if a.bytesLeft < 0 {
		return 0, errTooLarge
	}
	p = p[:min(int64(len(p)), a.bytesLeft+1)]
	a.resume()
	n, err := a.body.Read(p)
	a.pause()
	a.bytesLeft -= int64(n)
	a.headSize += copy(a.head[a.headSize:], p[:n])
	if err != nil && !errors.Is(err, io.EOF) {
		a.err = err
	}
	if a.bytesLeft < 0 {
		return n, errTooLarge
	}
	return n, err
}

// readHead reads on until there is as much of the answer as an error shows: a decoder stops at the first wrong byte.
func (a *answer) readHead() []byte {
	buffer := make([]byte, maxHead)
	for a.headSize < maxHead {
		if _, err := a.Read(buffer); err != nil {
			break
		}
	}
	return a.head[:a.headSize]
}

// allowMore starts the size limit anew, for the next item.
func (a *answer) allowMore() { a.bytesLeft = maxAnswer }

// A timeLimit cancels an attempt whose server takes too long. Only the time between resume and pause counts.
type timeLimit struct {
	limit, timeLeft time.Duration
	timer           *time.Timer
	since           time.Time
	cancel          context.CancelCauseFunc
	expired         bool
}

// newTimeLimit returns a limit, 0 for none, that is paused.
func newTimeLimit(limit time.Duration, cancel context.CancelCauseFunc) timeLimit {
	return timeLimit{limit: limit, timeLeft: limit, cancel: cancel}
}

func (t *timeLimit) resume() {
	switch {
	case t.limit == 0 || t.expired:
		return
	case t.timer == nil:
		// The cause is what a middleware sees, which may want to tell it from the caller's own cancelling.
		cancel, limit := t.cancel, t.limit
		t.timer = time.AfterFunc(t.timeLeft, func() { cancel(&timeoutError{limit}) })
	default:
		t.timer.Reset(t.timeLeft)
	}
	t.since = time.Now()
}

func (t *timeLimit) pause() {
	if t.limit == 0 || t.expired {
		return
	}
	t.expired = !t.timer.Stop()
	t.timeLeft = max(0, t.timeLeft-time.Since(t.since))
}
