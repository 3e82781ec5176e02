package api

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// logged makes a request whose first attempt fails, and returns the lines of the log at the level, without their times.
func logged(t *testing.T, level slog.Leveler, ways ...roundTripper) []string {
	t.Helper()
	var log bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		c := newConfig(newScript(ways...))
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "wait" || a.Key == "took" {
				return slog.Attr{}
			}
			return a
		}}))
		_, _ = ask(t.Context(), c, http.MethodPut)
	})
	return strings.Split(strings.TrimSpace(log.String()), "\n")
}

func withRay(status int, body string) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		return respond(r, status, http.Header{"Cf-Ray": {"ray-1"}}, body), nil
	}
}

func TestLogOfAttemptsAndRetries(t *testing.T) {
	ways := []roundTripper{withRay(503, ""), lostConnection, withRay(200, success)}
	assert.Equal(t, []string{
		`level=DEBUG msg="cfposture: request" method=PUT path=things/1 attempt=1 status=503 ray=ray-1 error="cfposture: PUT things/1: 503"`,
		`level=WARN msg="cfposture: retrying" method=PUT path=things/1 attempt=1 error="cfposture: PUT things/1: 503"`,
		`level=DEBUG msg="cfposture: request" method=PUT path=things/1 attempt=2 error="cfposture: PUT things/1: the connection was closed in the middle of the response: unexpected EOF"`,
		`level=WARN msg="cfposture: retrying" method=PUT path=things/1 attempt=2 error="cfposture: PUT things/1: the connection was closed in the middle of the response: unexpected EOF"`,
		`level=DEBUG msg="cfposture: request" method=PUT path=things/1 attempt=3 status=200 ray=ray-1`,
	}, logged(t, slog.LevelDebug, ways...))
	assert.Equal(t, []string{
		`level=WARN msg="cfposture: retrying" method=PUT path=things/1 attempt=1 error="cfposture: PUT things/1: 503"`,
		`level=WARN msg="cfposture: retrying" method=PUT path=things/1 attempt=2 error="cfposture: PUT things/1: the connection was closed in the middle of the response: unexpected EOF"`,
	}, logged(t, slog.LevelInfo, ways...))
	assert.Equal(t, []string{""}, logged(t, slog.LevelError, ways...))
}

func TestLogTellsHowLongItTook(t *testing.T) {
	var log bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		c := newConfig(newScript(asking(429, "7"), silent, succeeding))
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		_, err := ask(t.Context(), c, http.MethodGet)
		require.NoError(t, err)
	})
	assert.Contains(t, log.String(), "wait=7s")
	assert.Contains(t, log.String(), "took=30s")
}

func TestLogOfBodies(t *testing.T) {
	lines := logged(t, levelBodies, withRay(200, `{"success":true,"result":{"echo":"`+testToken+`"}}`))
	assert.Equal(t, []string{
		`level=DEBUG-4 msg="cfposture: request" method=PUT path=things/1 attempt=1 status=200 ray=ray-1 ` +
			`request="{\"name\":\"n\"}" response="{\"success\":true,\"result\":{\"echo\":\"[redacted]\"}}"`,
	}, lines)

	lines = logged(t, levelBodies, withRay(200, strings.Repeat("x\n", 100_000)))
	_, response, found := strings.Cut(lines[0], `response="`)
	require.True(t, found)
	assert.Len(t, strings.TrimSuffix(response, `"`), 4<<10)
	assert.Equal(t, strings.Repeat("x ", 2<<10), strings.TrimSuffix(response, `"`), "one line, cut at 4 KiB")
}

// A handler that is not enabled costs no redaction.
func TestLogThatNobodyWantsIsNotMade(t *testing.T) {
	c := newConfig(succeeding)
	c.Logger = slog.New(slog.DiscardHandler)
	o := newOperation(c, newRequest(http.MethodPut, new(string)))
	require.Nil(t, o.attempt(context.Background()))
	assert.Nil(t, o.redactor)
}
