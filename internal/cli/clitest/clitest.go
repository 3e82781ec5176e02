// Package clitest runs the programs in examples in tests, and compares what they print with golden files.
package clitest

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/internal/cli"
	"github.com/cfposture/cfposture/posturetest"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

// A Call is one run of a program.
type Call struct {
	Args     []string
	Stdin    string
	Vars     map[string]string // environment variables
	Terminal bool              // all streams are one
}

// A Result is what came of a call.
type Result struct {
	Code           int
	Stdout, Stderr string
	Both           string // what a terminal would show: the two streams as they were written
}

// Run runs the program until it ends.
func Run(ctx context.Context, program cli.Program, call Call) Result {
	var stdout, stderr, both bytes.Buffer
	env := &cli.Env{
		Stdin:      strings.NewReader(call.Stdin),
		Stdout:     &tee{&stdout, &both},
		Stderr:     &tee{&stderr, &both},
		Getenv:     func(name string) string { return call.Vars[name] },
		IsTerminal: func(any) bool { return call.Terminal },
	}
	code := cli.Run(ctx, env, program, call.Args)
	return Result{code, stdout.String(), stderr.String(), both.String()}
}

type tee struct{ own, both *bytes.Buffer }

func (t *tee) Write(p []byte) (int, error) {
	t.both.Write(p)
	return t.own.Write(p)
}

// Vars returns the environment variables that make a program work on the server.
func Vars(server *posturetest.Server) map[string]string {
	return map[string]string{
		"CLOUDFLARE_API_TOKEN":  posturetest.APIToken,
		"CLOUDFLARE_ACCOUNT_ID": posturetest.AccountID,
		"CLOUDFLARE_BASE_URL":   server.URL,
	}
}

// NewServer returns a server that ends with the test.
func NewServer(t *testing.T) *posturetest.Server {
	t.Helper()
	return posturetest.New(t, posturetest.WithBehavior(posturetest.Behavior{ConfigMembers: []string{"*"}}))
}

// SampleServer returns a server that holds the sample account.
func SampleServer(t *testing.T) *posturetest.Server {
	t.Helper()
	server := NewServer(t)
	cli.Sample().AddTo(server)
	return server
}

// Golden compares a text with testdata/NAME. With -update it writes the file.
func Golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o750))
		require.NoError(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path) //nolint:gosec // a file of the test's own
	require.NoError(t, err, "run the test with -update to write it")
	assert.Equal(t, string(want), got, "run the test with -update if this is what it should be")
}

// Shown compares what a command prints with testdata/NAME, which starts with the command, and with what the README
// shows for the command, if it does.
func Shown(t *testing.T, name, command string, got Result) {
	t.Helper()
	transcript := "$ " + command + "\n" + got.Both
	if got.Code != cli.OK {
		transcript += fmt.Sprintf("exit status %d\n", got.Code) // go run says so
	}
	Golden(t, name, transcript)
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil && !os.IsNotExist(err) {
		require.NoError(t, err)
	}
	if strings.Contains(string(readme), "$ "+command+"\n") {
		assert.Contains(t, string(readme), transcript, "the README shows another output than the command's")
	}
}

// CheckCalls checks what every program does alike when it is asked for help, or called in a wrong way.
func CheckCalls(t *testing.T, program cli.Program, name string) {
	t.Helper()
	help := Run(t.Context(), program, Call{Args: []string{"-h"}})
	assert.Equal(t, cli.OK, help.Code)
	assert.Contains(t, help.Stdout, "Usage: go run ./examples/"+name+" ")
	assert.Empty(t, help.Stderr)
	for line := range strings.Lines(help.Stdout) {
		assert.LessOrEqual(t, cli.Width(strings.ReplaceAll(strings.TrimSpace(line), "\t", "")), 80, line)
	}
	for _, args := range [][]string{{"-no-such-flag"}, {"a", "b", "c"}} {
		wrong := Run(t.Context(), program, Call{Args: args})
		assert.Equal(t, cli.Usage, wrong.Code, args)
		assert.Empty(t, wrong.Stdout, args)
		assert.Contains(t, wrong.Stderr, "-h tells more", args)
	}
}
