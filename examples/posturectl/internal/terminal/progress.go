package terminal

import (
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// quietBetween is how often progress is told where there is no terminal to show a bar on.
const quietBetween = 15 * time.Second

// A Progress shows how far a long work has come: as a bar on a terminal, elsewhere as a line now and then.
type Progress struct {
	bar *progressbar.ProgressBar

	mu       sync.Mutex
	terminal *Terminal
	what     string
	done     int
	total    int
	told     time.Time
}

// NewProgress returns the progress of a work of so many steps.
func (t *Terminal) NewProgress(what string, total int) *Progress {
	p := &Progress{terminal: t, what: what, total: total, told: time.Now()}
	if !t.isDumb(t.Err) {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(t.Err),
			progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(),
			progressbar.OptionSetWidth(min(40, max(10, t.Columns(t.Err)-50))),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionSetRenderBlankState(true),
			progressbar.OptionSetPredictTime(false),
			progressbar.OptionClearOnFinish(),
		)
	}
	return p
}

// Step says that one more step is done.
func (p *Progress) Step() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	if p.bar != nil {
		_ = p.bar.Add(1) // It is only to be looked at.
	} else if time.Since(p.told) >= quietBetween {
		p.told = time.Now()
		p.terminal.Say("%s: %d of %d", p.what, p.done, p.total)
	}
}

// Say prints a line for people without breaking the bar.
func (p *Progress) Say(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.terminal.Say(format, args...)
}

// Close takes the bar away.
func (p *Progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
}

func (p *Progress) clear() {
	if p.bar != nil {
		_ = p.bar.Clear() // It is only to be looked at.
	}
}
