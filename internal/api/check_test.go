package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckHeader(t *testing.T) {
	require.NoError(t, CheckHeader("X-Purpose", "a\tb"))
	for _, host := range []string{"api.example.com", "api.example.com:8443", "[::1]:80", "[fe80::1%eth0]:80", ""} {
		require.NoError(t, CheckHeader("Host", host))
	}
	for _, host := range []string{"a b", "a/b", "user@a", "a?b", "a#b"} {
		require.ErrorContains(t, CheckHeader("Host", host), "is no host", host)
	}
	require.EqualError(t, CheckHeader("X Purpose", ""), `header name "X Purpose" is invalid`)
	require.EqualError(t, CheckHeader("Trailer", ""), "header Trailer describes the body: it can't be set")
	require.EqualError(t, CheckHeader("X-Purpose", "a\nb"), "value of header X-Purpose has a control character")
}

func TestCheckCredentialDoesNotShowIt(t *testing.T) {
	require.NoError(t, CheckCredential("API token", "t0ken"))
	require.EqualError(t, CheckCredential("API token", ""), "API token is empty")
	require.EqualError(t, CheckCredential("API token", "t0ken\n"), "API token has a newline or another control character")
}
