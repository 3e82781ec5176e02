//go:build vendoring

// Package vendoring builds programs that use cfposture in the ways a user might. It takes a while, so that it needs
// -tags vendoring.
package vendoring

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const program = `package main

import (
	"context"
	"fmt"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

func main() {
	server := posturetest.NewServer()
	defer server.Close()
	rule, err := server.Client().Posture.Create(context.Background(), &cfposture.Rule{
		Name: "WARP is on", Type: cfposture.RuleTypeWARP,
	})
	fmt.Println(rule.Name, err)
}
`

// repository returns the root module's folder.
func repository(t *testing.T) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	require.True(t, ok)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// newModule makes a module that requires cfposture from this repository, and what cfposture requires.
func newModule(t *testing.T) string {
	t.Helper()
	root := repository(t)
	goMod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	goSum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	require.NoError(t, err)
	text := regexp.MustCompile(`(?m)^module .*$`).ReplaceAllString(string(goMod), "module example.com/program") +
		"\nrequire github.com/cfposture/cfposture v0.0.0\nreplace github.com/cfposture/cfposture => " + root + "\n"

	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "go.mod"), []byte(text), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "go.sum"), goSum, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "main.go"), []byte(program), 0o600))
	return folder
}

// command runs the go command without a way to fetch anything.
func command(t *testing.T, folder string, environment []string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), append([]string{"GOFLAGS=", "GOPROXY=off", "GOSUMDB=off", "GOWORK=off"}, environment...)...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err := cmd.Run()
	return output.String(), err
}

func TestVendoredCopyBuildsAndRunsOffline(t *testing.T) {
	folder := newModule(t)
	output, err := command(t, folder, nil, "mod", "vendor")
	require.NoError(t, err, output)
	list, err := os.ReadFile(filepath.Join(folder, "vendor", "modules.txt"))
	require.NoError(t, err)
	var vendored []string
	for _, match := range regexp.MustCompile(`(?m)^(\S+)$`).FindAllStringSubmatch(string(list), -1) {
		vendored = append(vendored, match[1])
	}
	// One package or more of cfposture and of the four modules that the README tells of, and none that only tests need.
	for _, name := range vendored {
		assert.Regexp(t, `^(github\.com/(cfposture/cfposture|cenkalti/backoff|go-json-experiment/json|google/go-querystring)|golang\.org/x/time)(/|$)`, name)
	}
	assert.Contains(t, vendored, "golang.org/x/time/rate")
	// Nothing but the vendored copy is there to build with.
	output, err = command(t, folder, []string{"GOMODCACHE=" + t.TempDir()}, "run", "-mod=vendor", ".")
	require.NoError(t, err, output)
	assert.Equal(t, "WARP is on <nil>\n", output)
}
