package api

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseBaseURL(t *testing.T) {
	for text, want := range map[string]string{
		"\thttps://h/v4\n":    "https://h/v4/",
		"http://LOCALHOST:80": "http://LOCALHOST:80/",
		"http://[::1]/":       "http://[::1]/",
		"https://h:":          "https://h/",
		"https://h/a%2Fb":     "https://h/a%2Fb/",
	} {
		got, err := ParseBaseURL(text, false)
		require.NoError(t, err)
		assert.Equal(t, want, got.String())
	}
	for text, want := range map[string]string{
		"":                "base URL is not a URL such as https://api.cloudflare.com/client/v4",
		"h/v4":            "base URL is not a URL such as https://api.cloudflare.com/client/v4",
		"https://u:p@h":   "base URL has a user name: use WithAPIToken or WithAPIKey for credentials",
		"https://h?":      "base URL has a query or a fragment",
		"http://10.0.0.1": "base URL is not https: use WithPlainHTTP to allow http to a host that is not a loopback host",
		"ftp://h":         "base URL is not https",
	} {
		_, err := ParseBaseURL(text, false)
		require.EqualError(t, err, want, text)
	}
	got, err := ParseBaseURL("http://10.0.0.1", true)
	require.NoError(t, err)
	assert.Equal(t, "http://10.0.0.1/", got.String())
}

func TestCleanPath(t *testing.T) {
	for path, want := range map[string]string{"/a/b": "a/b", "a%2Fb/%63": "a%2Fb/c", "a b": "a%20b"} {
		got, err := CleanPath(path)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	for path, want := range map[string]string{
		"a?b":      `path "a?b" has a query or a fragment: use Query, or escape it`,
		"a//b":     `element 2 of path "a//b" is empty`,
		"a/%2e%2e": `element 2 of path "a/%2e%2e" is "..", which leads to another endpoint`,
		"a/%zz":    `path "a/%zz": invalid URL escape "%zz"`,
	} {
		_, err := CleanPath(path)
		require.EqualError(t, err, want, path)
	}
}

func TestEncodeQuery(t *testing.T) {
	for want, q := range map[string]any{
		"":          nil,
		"a=1&b=%3F": url.Values{"b": {"?"}, "a": {"1"}},
		"page=2": struct {
			Page int `url:"page"`
		}{2},
	} {
		got, err := EncodeQuery(q)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := EncodeQuery("page=2")
	require.ErrorContains(t, err, "string is not a struct with url tags, nor url.Values")
}
