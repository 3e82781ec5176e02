package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/examples/posturectl/internal/document"
	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
	"github.com/cfposture/cfposture/posturetest"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

func TestMain(m *testing.M) {
	text.EnableColors() // whatever TERM is where the tests run
	os.Exit(m.Run())
}

// A call is one run of the program.
type call struct {
	args     []string
	stdin    string
	vars     map[string]string // environment variables
	terminal bool              // all streams are one
	ctx      context.Context   // nil: the test's
}

// A result is what came of a call.
type result struct {
	code           int
	stdout, stderr string
	both           string // what a terminal would show: the two streams as they were written
}

func (c call) run(t *testing.T) result {
	t.Helper()
	var stdout, stderr, both bytes.Buffer
	ctx := c.ctx
	if ctx == nil {
		ctx = t.Context()
	}
	code := run(ctx, &terminal.Terminal{
		In:         strings.NewReader(c.stdin),
		Out:        &tee{&stdout, &both},
		Err:        &tee{&stderr, &both},
		Getenv:     func(name string) string { return c.vars[name] },
		IsTerminal: func(any) bool { return c.terminal },
	}, c.args)
	return result{code, stdout.String(), stderr.String(), both.String()}
}

type tee struct{ own, both *bytes.Buffer }

func (t *tee) Write(p []byte) (int, error) {
	t.both.Write(p)
	return t.own.Write(p)
}

// varsOf returns the environment variables that make the program work on the server.
func varsOf(server *posturetest.Server) map[string]string {
	return map[string]string{
		"CLOUDFLARE_API_TOKEN":  posturetest.APIToken,
		"CLOUDFLARE_ACCOUNT_ID": posturetest.AccountID,
		"CLOUDFLARE_BASE_URL":   server.URL,
	}
}

// newServer returns a server that ends with the test.
func newServer(t *testing.T) *posturetest.Server {
	t.Helper()
	server := posturetest.NewServer()
	t.Cleanup(server.Close)
	return server
}

// sampleServer returns a server that holds the sample account.
func sampleServer(t *testing.T) *posturetest.Server {
	t.Helper()
	server := newServer(t)
	document.Sample().AddTo(server)
	return server
}

// golden compares a text with testdata/NAME. With -update it writes the file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err, "run the test with -update to write it")
	assert.Equal(t, string(want), got, "run the test with -update if this is what it should be")
}

// shown compares what a command line prints with what examples/README.md shows for it. With -update it changes what is
// shown, not whether: a command line that the page doesn't have is a failure.
func shown(t *testing.T, command, output string, code int) {
	t.Helper()
	const page = "../README.md"
	transcript := "$ " + command + "\n" + output
	if code != exitOK {
		transcript += fmt.Sprintf("$ echo $?\n%d\n", code)
	}
	readme, err := os.ReadFile(page)
	require.NoError(t, err)
	before, rest, found := strings.Cut(string(readme), "$ "+command+"\n")
	require.True(t, found, "%s doesn't show %s", page, command)
	shown, after, _ := strings.Cut(rest, "```\n")
	if *update {
		require.NoError(t, os.WriteFile(page, []byte(before+transcript+"```\n"+after), 0o600))
		return
	}
	assert.Equal(t, transcript, "$ "+command+"\n"+shown, "%s shows another output; -update writes it", page)
}
