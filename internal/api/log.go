package api

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Attempts are logged at Debug, retries at Warn. Bodies are logged only to a logger that is enabled four levels below
// Debug, because they hold names and addresses of an account; none of these records holds a header.

const (
	// levelBodies is the level below Debug at which bodies are logged, too.
	levelBodies   = slog.LevelDebug - 4
	maxLoggedBody = 4 << 10 // bytes
)

// startTime returns the time, if a logger is going to tell how long an attempt took.
func (o *operation) startTime() time.Time {
	if o.Logger == nil {
		return time.Time{}
	}
	return time.Now()
}

// logAttempt logs an attempt; the response is nil if there was none. It makes no redactor unless the logger is enabled,
// because that costs more than the attempt's own work.
func (o *operation) logAttempt(ctx context.Context, start time.Time, response *http.Response, body []byte, failed *attemptError) {
	if o.Logger == nil || !o.Logger.Enabled(ctx, slog.LevelDebug) {
		return
	}
	took := time.Since(start)
	r := o.redact()
	attrs := []slog.Attr{
		slog.String("method", o.Method), slog.String("path", r.text(o.Path)),
		slog.Int("attempt", o.response.Attempts), slog.Duration("took", took),
	}
	if response != nil {
		attrs = append(attrs, slog.Int("status", response.StatusCode), slog.String("ray", Cut(r.text(o.response.RayID()), maxRay)))
	}
	if failed != nil {
		attrs = append(attrs, slog.String("error", failed.err.Error()))
	}
	// A record with bodies is logged at the lower level, so that a handler which filters by level can tell it from one
	// without.
	level := slog.LevelDebug
	if o.Logger.Enabled(ctx, levelBodies) {
		level = levelBodies
		attrs = append(attrs, slog.String("request", r.excerpt(o.Body, maxLoggedBody)), slog.String("response", r.excerpt(body, maxLoggedBody)))
	}
	o.Logger.LogAttrs(ctx, level, "cfposture: request", attrs...)
}

func (o *operation) logRetry(ctx context.Context, wait time.Duration, err error) {
	if o.Logger == nil {
		return
	}
	o.Logger.LogAttrs(ctx, slog.LevelWarn, "cfposture: retrying",
		slog.String("method", o.Method), slog.String("path", o.redact().text(o.Path)),
		slog.Int("attempt", o.response.Attempts), slog.Duration("wait", wait), slog.String("error", err.Error()))
}
