package main

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/posturetest"
)

var uuid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

const story = `Created ID.

The account's rules (1):

NAME                                   TYPE             PLATFORMS     EVERY  CHECKS
Disk encrypted (cfposture quickstart)  disk_encryption  windows, mac  30m    all disks

Changed to every hour, and to disk C alone:

NAME                                   TYPE             PLATFORMS     EVERY  CHECKS
Disk encrypted (cfposture quickstart)  disk_encryption  windows, mac  1h     disks C

Deleted ID.
`

func TestWorksOnAServerOfItsOwnWithoutCredentials(t *testing.T) {
	t.Setenv("CLOUDFLARE_API_TOKEN", "")
	t.Setenv("CLOUDFLARE_ACCOUNT_ID", "")
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, "Working on a server in this program. Set CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID\n"+
		"to work on an account of yours.\n\n"+story, uuid.ReplaceAllString(out.String(), "ID"))
}

func TestHalfAnAccountIsAnError(t *testing.T) {
	t.Setenv("CLOUDFLARE_API_TOKEN", "token")
	t.Setenv("CLOUDFLARE_ACCOUNT_ID", "")
	require.ErrorContains(t, run(t.Context(), new(strings.Builder)), "set both")
}

// onAccount makes the environment name the server's account.
func onAccount(t *testing.T) *posturetest.Server {
	t.Helper()
	server := posturetest.NewServer()
	t.Cleanup(server.Close)
	t.Setenv("CLOUDFLARE_API_TOKEN", posturetest.APIToken)
	t.Setenv("CLOUDFLARE_ACCOUNT_ID", posturetest.AccountID)
	t.Setenv("CLOUDFLARE_BASE_URL", server.URL)
	return server
}

func TestSaysSoBeforeItWorksOnAnAccount(t *testing.T) {
	server := onAccount(t)
	var out strings.Builder
	require.NoError(t, run(t.Context(), &out))
	assert.Equal(t, "Working on the account "+posturetest.AccountID+": one rule will be created and deleted.\n\n"+story,
		uuid.ReplaceAllString(out.String(), "ID"))
	assert.Empty(t, server.Rules())
}

func TestLeavesNoRuleBehindWhenSomethingFails(t *testing.T) {
	server := onAccount(t)
	ctx, cancel := context.WithCancel(t.Context())
	err := run(ctx, writerFunc(func(text []byte) {
		if strings.HasPrefix(string(text), "Created") {
			cancel()
		}
	}))
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, server.Rules())
	assert.Equal(t, "POST", server.Requests()[0].Method)
}

type writerFunc func([]byte)

func (f writerFunc) Write(text []byte) (int, error) {
	f(text)
	return len(text), nil
}
