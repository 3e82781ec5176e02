// Package peers_test has the official clients and cfposture work on the same server, and records where they differ.
package peers_test

import (
	"encoding/json"
	"testing"

	cloudflarev0 "github.com/cloudflare/cloudflare-go"
	cloudflarev7 "github.com/cloudflare/cloudflare-go/v7"
	"github.com/cloudflare/cloudflare-go/v7/option"
	"github.com/cloudflare/cloudflare-go/v7/zero_trust"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
	"github.com/cfposture/cfposture/posturetest"
)

const accountID = posturetest.AccountID

var account = cloudflarev7.F(accountID)

// newServer has the integration that the samples of rules name.
func newServer(t *testing.T) *posturetest.Server {
	t.Helper()
	server := posturetest.New(t, posturetest.WithBehavior(posturetest.Behavior{ConfigMembers: []string{"*"}}))
	integration, ok := apifacts.FindIntegrationType("crowdstrike_s2s")
	require.True(t, ok)
	server.AddIntegration(integration.SampleAnswer())
	return server
}

func newV7(server *posturetest.Server) *zero_trust.DevicePostureService {
	client := cloudflarev7.NewClient(option.WithBaseURL(server.URL+"/"), option.WithAPIToken(posturetest.APIToken))
	return client.ZeroTrust.Devices.Posture
}

// newV0 keeps the client's number of retries but neither its waits nor its limit of four requests a second.
func newV0(t *testing.T, server *posturetest.Server) *cloudflarev0.API {
	t.Helper()
	client, err := cloudflarev0.NewWithAPIToken(posturetest.APIToken, cloudflarev0.BaseURL(server.URL),
		cloudflarev0.UsingRateLimit(1e9), cloudflarev0.UsingRetryPolicy(3, 0, 0))
	require.NoError(t, err)
	return client
}

// without returns the object without the members.
func without(t *testing.T, text []byte, names ...string) string {
	t.Helper()
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(text, &members), "%s", text)
	for _, name := range names {
		delete(members, name)
	}
	left, err := json.Marshal(members)
	require.NoError(t, err)
	return string(left)
}

// last returns the element that was made last.
func last(t *testing.T, held []json.RawMessage) json.RawMessage {
	t.Helper()
	require.NotEmpty(t, held)
	return held[len(held)-1]
}

// sampleRule is a sample as a request has it, and as the model has it.
func sampleRule(t *testing.T, ruleType apifacts.RuleType) (request []byte, rule *cfposture.Rule) {
	t.Helper()
	request = []byte(without(t, ruleType.Sample(), "id"))
	rule = new(cfposture.Rule)
	require.NoError(t, json.Unmarshal(request, rule))
	return request, rule
}

func sampleIntegration(t *testing.T, integrationType apifacts.IntegrationType) *cfposture.Integration {
	t.Helper()
	integration := new(cfposture.Integration)
	require.NoError(t, json.Unmarshal(integrationType.SampleRequest(), integration))
	return integration
}

// lost lists the members of before that after doesn't have, or has otherwise, by their paths.
func lost(t *testing.T, before, after []byte) []string {
	t.Helper()
	var b, a any
	require.NoError(t, json.Unmarshal(before, &b))
	require.NoError(t, json.Unmarshal(after, &a))
	return lostIn("", b, a)
}

func lostIn(at string, before, after any) []string {
	members, isObject := before.(map[string]any)
	if !isObject {
		if assert.ObjectsAreEqual(before, after) {
			return nil
		}
		return []string{at}
	}
	there, _ := after.(map[string]any)
	var names []string
	for name, value := range members {
		path := name
		if at != "" {
			path = at + "." + name
		}
		if _, ok := there[name]; !ok {
			names = append(names, path)
		} else {
			names = append(names, lostIn(path, value, there[name])...)
		}
	}
	return names
}
