package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/posturetest"
)

// The tests in this file run the program as processes, which is what a shell script does.

// build returns a function that prepares a process of the program, for the account of a server.
func build(t *testing.T) func(baseURL string, args ...string) *exec.Cmd {
	t.Helper()
	if testing.Short() {
		t.Skip("it builds the program")
	}
	program := filepath.Join(t.TempDir(), "posturectl.exe")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput()
	require.NoError(t, err, string(out))
	return func(baseURL string, args ...string) *exec.Cmd {
		command := exec.CommandContext(t.Context(), program, args...)
		command.Env = append(os.Environ(), "CLOUDFLARE_API_TOKEN="+posturetest.APIToken, "CLOUDFLARE_API_KEY=",
			"CLOUDFLARE_ACCOUNT_ID="+posturetest.AccountID, "CLOUDFLARE_BASE_URL="+baseURL)
		for name, value := range secrets {
			command.Env = append(command.Env, name+"="+value)
		}
		return command
	}
}

func TestExportPipedIntoApply(t *testing.T) {
	command := build(t)
	first, second := sampleServer(t), newServer(t)
	export := func(from *posturetest.Server) string {
		out, err := command(from.URL, "export").Output()
		require.NoError(t, err)
		return string(out)
	}
	apply := command(second.URL, "apply", "-yes", "-rate", "1000")
	apply.Stdin = strings.NewReader(withSecrets(export(first)))
	out, err := apply.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Equal(t, namesOf(export(first)), namesOf(export(second)))

	drift := command(second.URL, "apply", "--dry-run", "--prune")
	drift.Stdin = strings.NewReader(`{"version": 1, "integrations": [], "rules": []}`)
	out, err = drift.Output()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, exitPending, exit.ExitCode())
	assert.Contains(t, string(out), "Plan: 15 to delete; 0 unchanged.\n")
}

// stopAt returns a server before the given one that stops a process when its n-th request comes. The process is to be sent
// to the channel; until then requests wait.
func stopAt(server *posturetest.Server, n int64, stop func(*os.Process) error) (*httptest.Server, chan<- *os.Process) {
	processes := make(chan *os.Process, 1)
	process := sync.OnceValue(func() *os.Process { return <-processes })
	var requests atomic.Int64
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := process(); requests.Add(1) == n {
			_ = stop(p)
		}
		server.Handler().ServeHTTP(w, r)
	})), processes
}

func TestKilledAndRunAgainEndsComplete(t *testing.T) {
	const rules = 60
	command := build(t)
	text := manyRules(t, rules)
	for _, killAt := range []int64{2, 3, 5, 6, 17, 40, 62} {
		server := newServer(t)
		api, stopped := stopAt(server, killAt, (*os.Process).Kill)

		killed := command(api.URL+"/client/v4", "apply", "--yes", "--rate", "1000")
		killed.Stdin = strings.NewReader(text)
		require.NoError(t, killed.Start())
		stopped <- killed.Process
		require.Error(t, killed.Wait())
		api.Close() // returns when the calls that were under way are done

		again := command(server.URL, "apply", "--yes", "--rate", "1000")
		again.Stdin = strings.NewReader(text)
		out, err := again.CombinedOutput()
		require.NoError(t, err, string(out))
		assertComplete(t, server, rules)
	}
}

func TestInterruptIsAnswered(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there are no interrupts between processes")
	}
	command := build(t)
	server := newServer(t)
	api, stopped := stopAt(server, 20, func(p *os.Process) error { return p.Signal(os.Interrupt) })
	defer api.Close()
	apply := command(api.URL+"/client/v4", "apply", "--yes", "--rate", "1000", "--parallel", "1")
	apply.Stdin = strings.NewReader(manyRules(t, 2000))
	var stderr bytes.Buffer
	apply.Stderr = &stderr
	require.NoError(t, apply.Start())
	stopped <- apply.Process
	var exit *exec.ExitError
	require.ErrorAs(t, apply.Wait(), &exit)
	assert.Equal(t, 1, exit.ExitCode())
	assert.Contains(t, stderr.String(), "Not begun: ")
	assert.NotContains(t, stderr.String(), "Failed: ", "the call under way came to its end")
	assert.Contains(t, stderr.String(), "running it again completes it")
}
