package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/cli"
	"github.com/cfposture/cfposture/internal/cli/clitest"
	"github.com/cfposture/cfposture/posturetest"
)

// A fake is a running program.
type fake struct {
	*cfposture.Client
	baseURL string
	stderr  strings.Builder
	stop    func() int // returns the exit code
}

// start runs the program and returns when it serves.
func start(t *testing.T, args ...string) *fake {
	t.Helper()
	f := new(fake)
	ctx, cancel := context.WithCancel(t.Context())
	stdout, printed := io.Pipe()
	env := &cli.Env{
		Stdin: strings.NewReader(""), Stdout: printed, Stderr: &f.stderr,
		Getenv:     func(string) string { return "" },
		IsTerminal: func(any) bool { return false },
	}
	code := make(chan int, 1)
	go func() {
		code <- cli.Run(ctx, env, run, append([]string{"-addr", "127.0.0.1:0"}, args...))
		_ = printed.Close()
	}()
	f.stop = func() int {
		cancel()
		return <-code
	}
	vars := map[string]string{}
	lines := bufio.NewScanner(stdout)
	for len(vars) < 3 && lines.Scan() {
		name, value, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		vars[name] = value
	}
	f.baseURL = vars["CLOUDFLARE_BASE_URL"]
	client, err := cfposture.NewClient(cfposture.WithoutEnvironment(), cfposture.WithBaseURL(f.baseURL),
		cfposture.WithAPIToken(vars["CLOUDFLARE_API_TOKEN"]), cfposture.WithAccountID(vars["CLOUDFLARE_ACCOUNT_ID"]))
	require.NoError(t, err)
	f.Client = client
	return f
}

func TestCalls(t *testing.T) { clitest.CheckCalls(t, run, "fakeapi") }

func TestWhatIsPrintedIsWhatAClientNeeds(t *testing.T) {
	f := start(t, "-sample")
	rules, err := f.Posture.List(t.Context())
	require.NoError(t, err)
	assert.Len(t, rules, 12)
	assert.Zero(t, f.stop(), "an interrupt is the way to end it")
	assert.Contains(t, f.stderr.String(), "curl -H 'Authorization: Bearer "+posturetest.APIToken+"'")
	assert.Contains(t, f.stderr.String(), f.baseURL+"/accounts/"+posturetest.AccountID+"/devices/posture\n")
}

func TestStartAsTheReadmeShowsIt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // at once, after it has said what there is to say
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close() //nolint:errcheck // it serves nobody
	var both strings.Builder
	printStart(&cli.Env{Stdout: &both, Stderr: &both}, listener.Addr())
	require.NoError(t, serve(ctx, listener, nil))
	text := regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(both.String(), "127.0.0.1:8788")
	clitest.Shown(t, "readme.txt", "go run ./examples/fakeapi -sample", clitest.Result{Both: text})
}

func TestStateSurvivesRestarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	first := start(t, "-state", path, "-sample")
	created, err := first.Posture.Create(t.Context(), &cfposture.Rule{Name: "New", Input: &cfposture.WARPInput{}})
	require.NoError(t, err)
	require.NoError(t, first.Posture.Delete(t.Context(), "f174e90a-fafe-4643-bbbc-4a0ed4fc8401"))
	saved, err := load(path)
	require.NoError(t, err)
	assert.Len(t, saved.Rules, 12, "changes are saved as they come, for a program that is killed saves nothing")
	assert.Zero(t, first.stop())

	second := start(t, "-state", path, "-sample")
	rules, err := second.Posture.List(t.Context())
	require.NoError(t, err)
	assert.Len(t, rules, 12, "-sample adds nothing to a state that is there")
	assert.Equal(t, "Disks encrypted (Windows)", cliSampleName(t, 0), "the one that was deleted")
	assert.Equal(t, "FileVault", rules[0].Name)
	assert.Equal(t, created.ID, rules[11].ID)
	integrations, err := second.Integrations.List(t.Context())
	require.NoError(t, err)
	assert.Len(t, integrations, 3)
	assert.Zero(t, second.stop())
}

func cliSampleName(t *testing.T, n int) string {
	t.Helper()
	var rule cfposture.Rule
	require.NoError(t, rule.UnmarshalJSON(cli.Sample().Rules[n]))
	return rule.Name
}

func TestStateThatCanNotBeReadIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	const broken = "{ not whole"
	require.NoError(t, os.WriteFile(path, []byte(broken), 0o600))
	got := clitest.Run(t.Context(), run, clitest.Call{Args: []string{"-addr", "127.0.0.1:0", "-state", path}})
	assert.Equal(t, cli.Failed, got.Code)
	assert.Contains(t, got.Stderr, "state.json: the document can't be read: ")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, broken, string(text))
}

func TestStateThatCanNotBeWrittenIsSaidAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no-such-folder", "state.json")
	got := clitest.Run(t.Context(), run, clitest.Call{Args: []string{"-addr", "127.0.0.1:0", "-state", path}})
	assert.Equal(t, cli.Failed, got.Code)
	assert.Contains(t, got.Stderr, "no-such-folder")
}

func TestStateThatCanNotBeWrittenAnyMoreIsAFailure(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "folder")
	require.NoError(t, os.Mkdir(folder, 0o750))
	f := start(t, "-state", filepath.Join(folder, "state.json"))
	require.NoError(t, os.RemoveAll(folder))
	_, err := f.Posture.Create(t.Context(), &cfposture.Rule{Name: "New", Input: &cfposture.WARPInput{}})
	require.NoError(t, err, "it goes on serving")
	assert.Equal(t, cli.Failed, f.stop())
	assert.Contains(t, f.stderr.String(), "The state was not saved")
}

func TestAddressInUseIsAFailure(t *testing.T) {
	f := start(t)
	defer f.stop()
	address := strings.TrimSuffix(strings.TrimPrefix(f.baseURL, "http://"), "/client/v4")
	got := clitest.Run(t.Context(), run, clitest.Call{Args: []string{"-addr", address}})
	assert.Equal(t, cli.Failed, got.Code)
	assert.Contains(t, got.Stderr, "address already in use")
}
