package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/examples/posturectl/internal/document"
	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
	"github.com/cfposture/cfposture/posturetest"
)

// A fake is a running posturectl serve.
type fake struct {
	*cfposture.Client
	baseURL string
	stdout  string
	stderr  locked
	stop    func() int // returns the exit code
}

// A locked builder is one that a program may write to while a test reads it.
type locked struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *locked) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// serve runs the program and returns when it serves.
func serve(t *testing.T, args ...string) *fake {
	t.Helper()
	f := new(fake)
	ctx, cancel := context.WithCancel(t.Context())
	stdout, printed := io.Pipe()
	program := &terminal.Terminal{
		In: strings.NewReader(""), Out: printed, Err: &f.stderr,
		Getenv:     func(string) string { return "" },
		IsTerminal: func(any) bool { return false },
	}
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, program, append([]string{"serve", "--addr", "127.0.0.1:0"}, args...))
		_ = printed.Close()
	}()
	f.stop = sync.OnceValue(func() int {
		cancel()
		return <-code
	})
	t.Cleanup(func() { f.stop() })
	vars := map[string]string{}
	lines := bufio.NewScanner(stdout)
	for len(vars) < 3 && lines.Scan() {
		f.stdout += lines.Text() + "\n"
		name, value, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "export "), "=")
		vars[name] = value
	}
	require.Len(t, vars, 3, f.stderr.String())
	f.baseURL = vars["CLOUDFLARE_BASE_URL"]
	client, err := cfposture.NewClient(cfposture.WithoutEnvironment(), cfposture.WithBaseURL(f.baseURL),
		cfposture.WithAPIToken(vars["CLOUDFLARE_API_TOKEN"]), cfposture.WithAccountID(vars["CLOUDFLARE_ACCOUNT_ID"]))
	require.NoError(t, err)
	f.Client = client
	return f
}

func TestServePrintsWhatAClientNeeds(t *testing.T) {
	f := serve(t, "--sample")
	rules, err := f.Posture.List(t.Context())
	require.NoError(t, err)
	assert.Len(t, rules, 12)
	assert.Zero(t, f.stop(), "an interrupt is the way to end it")
	assert.Contains(t, f.stderr.String(), f.baseURL+"/accounts/"+posturetest.AccountID+"/devices/posture\n")
	assert.NotContains(t, f.stderr.String(), "Warning")
	text := regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(f.stdout+f.stderr.String(), "127.0.0.1:8788")
	shown(t, "posturectl serve --sample", text, exitOK)
}

func TestServeWarnsBeyondLoopback(t *testing.T) {
	f := serve(t, "--addr", "0.0.0.0:0")
	assert.Contains(t, f.baseURL, "http://127.0.0.1:", "the URL is one that the client takes")
	_, err := f.Posture.List(t.Context())
	require.NoError(t, err)
	f.stop()
	assert.Contains(t, f.stderr.String(), "Warning: this is reachable from other machines")
}

func newRule() *cfposture.Rule {
	return &cfposture.Rule{Name: "New", Input: &cfposture.WARPInput{}}
}

func TestStateSurvivesRestarts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	first := serve(t, "--state", path, "--sample")
	created, err := first.Posture.Create(t.Context(), newRule())
	require.NoError(t, err)
	require.NoError(t, first.Posture.Delete(t.Context(), "f174e90a-fafe-4643-bbbc-4a0ed4fc8401"))

	// A program that is killed leaves the file as it is now, perhaps with a part of a line at its end.
	killed, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Zero(t, first.stop())
	left := filepath.Join(t.TempDir(), "left.json")
	require.NoError(t, os.WriteFile(left, append(killed, `{"id":"half`...), 0o600))

	for _, path := range []string{path, left} {
		second := serve(t, "--state", path, "--sample")
		rules, err := second.Posture.List(t.Context())
		require.NoError(t, err)
		require.Len(t, rules, 12, "--sample adds nothing to a state that is there")
		assert.Equal(t, "FileVault", rules[0].Name, "the first one was deleted")
		assert.Equal(t, created.ID, rules[11].ID)
		integrations, err := second.Integrations.List(t.Context())
		require.NoError(t, err)
		assert.Len(t, integrations, 3)
		assert.Zero(t, second.stop())
		whole, err := os.ReadFile(path)
		require.NoError(t, err)
		_, err = document.Parse(whole)
		require.NoError(t, err, "in the end it is a document again")
	}
}

func TestStateMayBeWrittenByHand(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	require.NoError(t, os.WriteFile(path, []byte(`{"version": 1, "rules": [{"name": "A", "type": "warp"}]}`), 0o600))
	f := serve(t, "--state", path)
	rules, err := f.Posture.List(t.Context())
	require.NoError(t, err)
	require.Len(t, rules, 1)
	require.NoError(t, f.Posture.Delete(t.Context(), rules[0].ID))
	f.stop()
	again := serve(t, "--state", path)
	rules, err = again.Posture.List(t.Context())
	require.NoError(t, err)
	assert.Empty(t, rules)
}

func TestStateCostsTheSameForEveryRule(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	f := serve(t, "--state", path)
	sizeAfter := func(rules int) (grown int64) {
		before, err := os.Stat(path)
		require.NoError(t, err)
		for range rules {
			_, err := f.Posture.Create(t.Context(), newRule())
			require.NoError(t, err)
		}
		after, err := os.Stat(path)
		require.NoError(t, err)
		return after.Size() - before.Size()
	}
	one := sizeAfter(1)
	assert.Equal(t, 500*one, sizeAfter(500))
	assert.Equal(t, one, sizeAfter(1))
}

// createThroughLink has a rule created whose server's state is a link to the file "real" in the folder, and checks that
// the link stays one. It returns the link.
func createThroughLink(t *testing.T, folder string) string {
	t.Helper()
	link := filepath.Join(folder, "link")
	require.NoError(t, os.Symlink("real", link))
	f := serve(t, "--state", link)
	_, err := f.Posture.Create(t.Context(), newRule())
	require.NoError(t, err)
	assert.Zero(t, f.stop())
	info, err := os.Lstat(link)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&os.ModeSymlink)
	return link
}

func TestStateKeepsItsModeAndLink(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("modes and links are another matter there")
	}
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "real"), []byte(`{"version": 1}`), 0o600))
	require.NoError(t, os.Chmod(filepath.Join(folder, "real"), 0o640))
	link := createThroughLink(t, folder)
	info, err := os.Stat(link)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o640), info.Mode().Perm())
	assert.Greater(t, info.Size(), int64(100))
}

func TestStateThatCanNotBeReadIsLeftAlone(t *testing.T) {
	for text, want := range map[string]string{
		"{ not whole":                         "state.json: the state can't be read: ",
		`{"version": 2}`:                      "state.json: the document's version is 2",
		`{"version": 1, "rules": [5]}`:        "state.json: item 0 of the state can't be read",
		"{\"version\": 1}\n{\"id\": 5}\n":     "state.json: change 1 after the document can't be read",
		"{\"version\": 1}\nsomething else\n ": "state.json: change 1 after the document can't be read",
	} {
		path := filepath.Join(t.TempDir(), "state.json")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		got := call{args: []string{"serve", "--addr", "127.0.0.1:0", "--state", path}}.run(t)
		assert.Equal(t, exitFailed, got.code)
		assert.Contains(t, got.stderr, want)
		left, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, text, string(left))
	}
}

func TestStateThatCanNotBeWrittenIsSaidAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no-such-folder", "state.json")
	got := call{args: []string{"serve", "--addr", "127.0.0.1:0", "--state", path}}.run(t)
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, "no-such-folder")
}

func TestResetForgetsTheState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	f := serve(t, "--state", path, "--sample")
	response, err := http.Post(strings.TrimSuffix(f.baseURL, "/client/v4")+"/posturetest/reset", "", nil)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	assert.Equal(t, http.StatusNoContent, response.StatusCode)
	_, err = f.Posture.Create(t.Context(), newRule())
	require.NoError(t, err)
	assert.Zero(t, f.stop())
	again := serve(t, "--state", path)
	rules, err := again.Posture.List(t.Context())
	require.NoError(t, err)
	assert.Len(t, rules, 1)
}

func TestServeMisbehavesAsAskedTo(t *testing.T) {
	f := serve(t, "--fail", "403:2,500", "--latency", "1ms")
	for _, want := range []int{403, 403, 500, 200} {
		var response cfposture.Response
		_, _ = f.Posture.List(t.Context(), cfposture.WithResponse(&response), cfposture.WithMaxRetries(0))
		assert.Equal(t, want, response.StatusCode)
	}
	response, err := http.Post(strings.TrimSuffix(f.baseURL, "/client/v4")+"/posturetest/faults", "application/json",
		strings.NewReader(`{"operation": "posture.list", "status": 418}`))
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	_, err = f.Posture.List(t.Context())
	require.ErrorContains(t, err, "418")
	for _, wrong := range []string{"x", "429:", "429:0", "99", "600:1", "429:x"} {
		got := call{args: []string{"serve", "--addr", "127.0.0.1:0", "--fail", wrong}}.run(t)
		assert.Equal(t, exitUsage, got.code, wrong)
	}
	t.Setenv("POSTURETEST_FAULTS", "nonsense")
	assert.Equal(t, exitUsage, call{args: []string{"serve", "--addr", "127.0.0.1:0"}}.run(t).code)
}

func TestServeSpeaksTLS(t *testing.T) {
	folder := t.TempDir()
	cert, key := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	pool := writeCertificate(t, cert, key)
	f := serve(t, "--tls-cert", cert, "--tls-key", key, "--addr", "0.0.0.0:0")
	assert.Contains(t, f.baseURL, "https://127.0.0.1:")
	trusting := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13}}}
	client, err := cfposture.NewClient(cfposture.WithoutEnvironment(), cfposture.WithBaseURL(f.baseURL),
		cfposture.WithAPIToken(posturetest.APIToken), cfposture.WithAccountID(posturetest.AccountID), cfposture.WithHTTPClient(trusting))
	require.NoError(t, err)
	_, err = client.Posture.List(t.Context())
	require.NoError(t, err)
	f.stop()
	assert.NotContains(t, f.stderr.String(), "Warning")
	assert.Contains(t, f.stderr.String(), "curl --cacert "+cert)

	assert.Equal(t, exitUsage, call{args: []string{"serve", "--tls-cert", cert}}.run(t).code)
	assert.Equal(t, exitFailed, call{args: []string{"serve", "--addr", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", cert}}.run(t).code)
}

// writeCertificate writes a certificate for 127.0.0.1, and returns a pool that trusts it.
func writeCertificate(t *testing.T, certPath, keyPath string) *x509.CertPool {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	keyBytes, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})
	require.NoError(t, os.WriteFile(certPath, certPEM, 0o600))
	require.NoError(t, os.WriteFile(keyPath, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyBytes}), 0o600))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certPEM)
	return pool
}

func TestAddressInUseIsAFailure(t *testing.T) {
	f := serve(t)
	address := strings.TrimSuffix(strings.TrimPrefix(f.baseURL, "http://"), "/client/v4")
	got := call{args: []string{"serve", "--addr", address}}.run(t)
	assert.Equal(t, exitFailed, got.code)
	assert.Contains(t, got.stderr, "address already in use")
}

func TestExportAndApplyWorkOnTheFake(t *testing.T) {
	f := serve(t, "--sample")
	vars := map[string]string{
		"CLOUDFLARE_API_TOKEN": posturetest.APIToken, "CLOUDFLARE_ACCOUNT_ID": posturetest.AccountID, "CLOUDFLARE_BASE_URL": f.baseURL,
	}
	exported := call{args: []string{"export"}, vars: vars}.run(t)
	require.Equal(t, exitOK, exported.code, exported.stderr)
	var d map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(exported.stdout), &d))
	got := call{args: []string{"apply", "--dry-run"}, stdin: exported.stdout, vars: vars}.run(t)
	assert.Equal(t, fmt.Sprintf("Plan: nothing to do; %d unchanged.\n", 15), got.stdout)
}

func TestStateIsARegularFile(t *testing.T) {
	for _, path := range []string{t.TempDir(), "/dev/full", "/dev/zero"} {
		if _, err := os.Stat(path); err != nil {
			continue // There are no devices there.
		}
		got := call{args: []string{"serve", "--addr", "127.0.0.1:0", "--state", path}}.run(t)
		assert.Equal(t, exitFailed, got.code)
		assert.Equal(t, "posturectl: "+path+" is not a regular file\n", got.stderr)
	}
}

func TestStateIsLimited(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	require.NoError(t, os.Truncate(path, document.MaxSize+1)) // It has no blocks on the disk.
	got := call{args: []string{"serve", "--addr", "127.0.0.1:0", "--state", path}}.run(t)
	assert.Equal(t, exitFailed, got.code)
	assert.Equal(t, "posturectl: "+path+": the document is larger than 64 MiB\n", got.stderr)
}

func TestStateFollowsALinkToAFileThatIsNotThere(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links are another matter there")
	}
	folder := t.TempDir()
	createThroughLink(t, folder)
	text, err := os.ReadFile(filepath.Join(folder, "real"))
	require.NoError(t, err)
	assert.Contains(t, string(text), `"New"`)
}
