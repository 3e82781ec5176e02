package posturetest_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

func TestClientIsReadyToUseWhateverTheEnvironment(t *testing.T) {
	t.Setenv("CLOUDFLARE_API_TOKEN", "of-another-account")
	t.Setenv("CLOUDFLARE_ACCOUNT_ID", "another")
	t.Setenv("CLOUDFLARE_BASE_URL", "https://api.example.com")
	a := newAPI(t)
	client := a.server.Client()

	created, err := client.Posture.Create(t.Context(), &cfposture.Rule{
		Name:  "Disks",
		Match: []cfposture.Match{{Platform: cfposture.PlatformWindows}},
		Input: &cfposture.DiskEncryptionInput{RequireAll: new(true)},
	})
	require.NoError(t, err)
	assert.Equal(t, cfposture.Interval("5m"), created.Schedule)
	rules, err := client.Posture.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []*cfposture.Rule{created}, rules)
}

func TestClientOptionsReplaceItsOwn(t *testing.T) {
	a := newAPI(t)
	client := a.server.Client(cfposture.WithAPIToken("another"), cfposture.WithMaxRetries(0))
	_, err := client.Posture.List(t.Context())
	require.ErrorIs(t, err, cfposture.ErrForbidden)
	assert.Panics(t, func() { a.server.Client(cfposture.WithBaseURL("http://api.example.com")) })
}

func TestClientMeetsTheFaults(t *testing.T) {
	a := newAPI(t)
	a.server.CutNext(1, posturetest.CutAfter)
	_, err := a.server.Client().Posture.Create(t.Context(), &cfposture.Rule{Type: cfposture.RuleTypeWARP})
	require.ErrorIs(t, err, cfposture.ErrOutcomeUnknown)
	assert.Len(t, a.server.Rules(), 1)

	a.server.FailNext(1, http.StatusBadGateway)
	a.server.DelayNext(1, time.Millisecond)
	rules, err := a.server.Client().Posture.List(t.Context())
	require.NoError(t, err)
	assert.Len(t, rules, 1)
}

func TestClientTakesOtherCredentials(t *testing.T) {
	server := posturetest.NewServer()
	defer server.Close()
	for name, opt := range map[string]cfposture.Option{
		"X-Auth-Key":    cfposture.WithAPIKey(posturetest.APIEmail, posturetest.APIKey),
		"Authorization": cfposture.WithTokenSource(func(context.Context) (string, error) { return posturetest.APIToken, nil }),
	} {
		_, err := server.Client(opt).Posture.List(t.Context())
		require.NoError(t, err, name)
		requests := server.Requests()
		assert.NotEmpty(t, requests[len(requests)-1].Header.Get(name))
	}
	assert.Panics(t, func() { server.Client(cfposture.WithTimeout(-1)) })
}
