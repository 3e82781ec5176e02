package api

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCheckHeader(t *testing.T) {
	require.NoError(t, CheckHeader("X-Purpose", "a\tb"))
	require.EqualError(t, CheckHeader("X Purpose", ""), `header name "X Purpose" is invalid`)
	require.EqualError(t, CheckHeader("Trailer", ""), "header Trailer describes the body: it can't be set")
	require.EqualError(t, CheckHeader("X-Purpose", "a\nb"), "value of header X-Purpose has a control character")
}

func TestCheckCredentialDoesNotShowIt(t *testing.T) {
	require.NoError(t, CheckCredential("API token", "t0ken"))
	require.EqualError(t, CheckCredential("API token", ""), "API token is empty")
	require.EqualError(t, CheckCredential("API token", "t0ken\n"), "API token has a newline or another control character")
}
