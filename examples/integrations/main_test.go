package main

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
	"github.com/cfposture/cfposture/internal/cli/clitest"
)

var uuid = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}`)

func TestWorksOnASampleAccountWithoutCredentials(t *testing.T) {
	result := clitest.Run(t.Context(), run, clitest.Call{Args: []string{"-cleanup"}})
	assert.Zero(t, result.Code)
	clitest.Golden(t, "sample.txt", uuid.ReplaceAllString(result.Stdout, "00000000-0000-4000-8000-000000000000"))
	assert.Contains(t, result.Stderr, "Sample account")
	assert.Contains(t, result.Stderr, "Deleted what was created.")
}

func TestConnectsEveryProvider(t *testing.T) {
	for _, integrationType := range cfposture.IntegrationTypes() {
		t.Run(string(integrationType), func(t *testing.T) {
			server := clitest.NewServer(t)
			vars := clitest.Vars(server)
			vars["POSTURE_CLIENT_SECRET"], vars["POSTURE_CLIENT_KEY"], vars["POSTURE_ACCESS_CLIENT_SECRET"] = "hidden-1", "hidden-2", "hidden-3"
			args := []string{"-type", string(integrationType), "-name", "n"}
			for _, member := range typeMembers[integrationType] {
				if value, ok := madeUp[member]; ok {
					args = append(args, "-"+regexp.MustCompile("_").ReplaceAllString(member, "-"), value)
				}
			}
			result := clitest.Run(t.Context(), run, clitest.Call{Args: args, Vars: vars})
			require.Zero(t, result.Code, result.Stderr)
			assert.NotContains(t, result.Both, "hidden-")
			assert.Len(t, server.Integrations(), 1)
			if integrationType == cfposture.IntegrationTypeUptycs {
				assert.Empty(t, server.Rules())
				return
			}
			require.Len(t, server.Rules(), 1)

			result = clitest.Run(t.Context(), run, clitest.Call{Args: append(args, "-cleanup"), Vars: vars})
			require.Zero(t, result.Code, result.Stderr)
			assert.Len(t, server.Integrations(), 1, "what -cleanup made is gone")
			assert.Len(t, server.Rules(), 1)
		})
	}
}

func TestNeedsAreThoseOfTheAPI(t *testing.T) {
	for _, integrationType := range apifacts.IntegrationTypes {
		var needed []string
		for _, member := range integrationType.Members {
			if member.Required {
				needed = append(needed, member.Name)
			}
		}
		assert.ElementsMatch(t, needed, typeMembers[cfposture.IntegrationType(integrationType.Name)], integrationType.Name)
	}
}

func TestSecretsFromStandardInput(t *testing.T) {
	server := clitest.NewServer(t)
	call := clitest.Call{Args: []string{"-type", "kolide", "-client-id", "me", "-secrets-stdin"}, Vars: clitest.Vars(server), Stdin: `{"client_secret":"hidden"}`}
	result := clitest.Run(t.Context(), run, call)
	require.Zero(t, result.Code, result.Stderr)
	assert.Len(t, server.Rules(), 1)

	for stdin, want := range map[string]string{
		`{"client_secret":"hidden`: "standard input holds no JSON object of strings",
		`{"password":"hidden"}`:    `standard input holds "password", which is none of client_secret, client_key, access_client_secret`,
	} {
		call.Stdin = stdin
		result := clitest.Run(t.Context(), run, call)
		assert.Equal(t, 2, result.Code)
		assert.Contains(t, result.Stderr, want)
		assert.NotContains(t, result.Both, "hidden")
	}
}

func TestFailures(t *testing.T) {
	server := clitest.NewServer(t)
	for name, test := range map[string]struct {
		args []string
		code int
		want string
	}{
		"unknown type":   {[]string{"-type", "quantum"}, 2, `the type "quantum" is none of workspace_one, crowdstrike_s2s`},
		"unknown flag":   {[]string{"-client-secret", "x"}, 2, "client-secret"},
		"missing secret": {[]string{"-type", "kolide", "-client-id", "me"}, 1, "client_secret is required"},
	} {
		t.Run(name, func(t *testing.T) {
			result := clitest.Run(t.Context(), run, clitest.Call{Args: test.args, Vars: clitest.Vars(server)})
			assert.Equal(t, test.code, result.Code)
			assert.Contains(t, result.Stderr, test.want)
		})
	}
	assert.Empty(t, server.Integrations())
}
