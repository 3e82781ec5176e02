package cfposture_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
)

// oddIDs are IDs that would lead elsewhere if they were put into a path as they are.
var oddIDs = []string{
	"../../../zones/x", "a/b", "/", "//", "/a", "a/", "%2e%2e", "%2E", "%2f", "..%2f..%2fzones", "?x=1", "id?x=1", "#f", "a#b", "...", ". .", "..;", "..;/x",
	"a;b", "a:b", "a@b", "a&b=c", "a+b", "a b", " ", "\u00a0", "é", "日本", "e\u0301", "\u202e", "😀", "a\nb", "a\r\nHost: x", "\x00", "\x7f", "\xff\xfe", `a\b`, `..\..\x`,
	"%", "%%", "%zz", "integration/x", "integration%2fx", "INTEGRATION", "http://example.com/", strings.Repeat("x", 5000), "~", "*", "'", `"`, "<>", "{}", "|", "^", "`",
}

func TestAnIDReachesItsOwnEndpointOrNone(t *testing.T) {
	here := new(witness)
	client := handlerClient(t, here, cfposture.WithoutValidation())
	const collection = "/v4/" + rulesPath + "/"
	calls := map[string]func(id string) error{
		"GET " + collection: func(id string) error { _, err := client.Posture.Get(t.Context(), id); return err },
		"PUT " + collection: func(id string) error {
			_, err := client.Posture.Update(t.Context(), &cfposture.Rule{ID: id, Type: cfposture.RuleTypeWARP})
			return err
		},
		"DELETE " + collection: func(id string) error { return client.Posture.Delete(t.Context(), id) },
		"GET " + collection + "integration/": func(id string) error {
			_, err := client.Integrations.Get(t.Context(), id)
			return err
		},
		"PATCH " + collection + "integration/": func(id string) error {
			_, err := client.Integrations.Update(t.Context(), id, cfposture.IntegrationUpdate{Name: new("n")})
			return err
		},
		"DELETE " + collection + "integration/": func(id string) error { return client.Integrations.Delete(t.Context(), id) },
		"HEAD /v4/zones/": func(id string) error {
			return client.Do(t.Context(), cfposture.Request{Method: http.MethodHead, Path: "zones/" + url.PathEscape(id)}, nil)
		},
	}
	for endpoint, call := range calls {
		for _, id := range oddIDs {
			err := call(id)
			if !strings.HasPrefix(endpoint, "HEAD") { // which has no response to read
				require.NoError(t, err, "%s %q", endpoint, id)
			}
			arrived := here.take()
			require.Len(t, arrived, 1, "%s %q", endpoint, id)
			element, ok := strings.CutPrefix(arrived[0], endpoint)
			require.True(t, ok, "the ID %q led to %s instead of %s", id, arrived[0], endpoint)
			assert.NotContains(t, element, "/", "%q", id)
			assert.NotContains(t, element, "?", "%q", id)
			plain, err := url.PathUnescape(element)
			require.NoError(t, err)
			assert.Equal(t, id, plain, "the ID arrives as it was")
			assert.NotContains(t, []string{"", ".", "..", "integration"}, element)
		}
		for _, id := range []string{"", ".", ".."} {
			require.Error(t, call(id), "%s %q", endpoint, id)
			assert.Empty(t, here.take(), "%s %q", endpoint, id)
		}
	}
	for _, endpoint := range []string{"GET ", "PUT ", "DELETE "} {
		require.ErrorContains(t, calls[endpoint+collection]("integration"), "another endpoint", endpoint)
	}
	assert.Empty(t, here.take())
}

func TestAnAccountIDReachesItsOwnEndpointOrNone(t *testing.T) {
	here := &witness{response: emptyList}
	client := handlerClient(t, here)
	for _, id := range oddIDs {
		_, err := client.Posture.List(t.Context(), cfposture.WithAccountID(id))
		require.NoError(t, err, "%q", id)
		assert.Equal(t, []string{"GET /v4/accounts/" + url.PathEscape(id) + "/devices/posture"}, here.take())
	}
	for _, id := range []string{"", ".", ".."} {
		_, err := client.Posture.List(t.Context(), cfposture.WithAccountID(id))
		require.Error(t, err, "%q", id)
	}
	assert.Empty(t, here.take())
}

func TestRulesWithOddIDsCanBeReadAndDeleted(t *testing.T) {
	api := newServer(t)
	client := api.Client()
	for _, id := range oddIDs {
		if !utf8.ValidString(id) {
			continue // no JSON can hold it
		}
		api.AddRule(fmt.Appendf(nil, `{"id":%s,"name":"odd","type":"warp"}`, quoteJSON(id)))
		rule, err := client.Posture.Get(t.Context(), id)
		require.NoError(t, err, "%q", id)
		assert.Equal(t, id, rule.ID)
		require.NoError(t, client.Posture.Delete(t.Context(), id), "%q", id)
		require.Empty(t, api.Rules(), "%q", id)
	}
}

func TestPathsOfDoCannotLeaveTheBase(t *testing.T) {
	here := new(witness)
	client := handlerClient(t, here)
	for path, want := range map[string]string{
		"zones":                  "/v4/zones",
		"/zones":                 "/v4/zones",
		"zones/a%2Fb":            "/v4/zones/a%2Fb",
		"zones/a%2fb":            "/v4/zones/a%2Fb",
		"zones/%25":              "/v4/zones/%25",
		"zones/a b":              "/v4/zones/a%20b",
		"zones/a%3Fb%23c":        "/v4/zones/a%3Fb%23c",
		"zones/é":                "/v4/zones/%C3%A9",
		"zones/a\nb":             "/v4/zones/a%0Ab",
		"zones/%2e%2e%2fx":       "/v4/zones/..%2Fx",
		"http:/example.com":      "/v4/http:/example.com",
		"user@example.com":       "/v4/user@example.com",
		"zones/..":               "",
		"../zones":               "",
		"zones/../../x":          "",
		"zones/%2e%2e/x":         "",
		"zones/%2E./x":           "",
		"zones/.":                "",
		"./zones":                "",
		"zones//x":               "",
		"//example.com/x":        "",
		"http://example.com/x":   "",
		"zones/":                 "",
		"":                       "",
		"/":                      "",
		"zones?x=1":              "",
		"zones#x":                "",
		"zones/%":                "",
		"zones/%zz":              "",
		"zones/%2":               "",
		`zones/..\..\x`:          `/v4/zones/..%5C..%5Cx`,
		"zones/x;/../y":          "",
		"zones/..;/y":            "/v4/zones/..%3B/y",
		"zones/" + "\x00":        "/v4/zones/%00",
		"zones/\xff":             "/v4/zones/%FF",
		"zones/%c0%ae%c0%ae/x":   "/v4/zones/%C0%AE%C0%AE/x",
		"zones/%252e%252e/x":     "/v4/zones/%252e%252e/x",
		"zones/a%00b":            "/v4/zones/a%00b",
		"zones/a:b@c&d=e+f$g!h*": "/v4/zones/a:b@c&d=e+f$g%21h%2A",
	} {
		err := client.Do(t.Context(), cfposture.Request{Method: http.MethodGet, Path: path}, nil)
		if want == "" {
			require.Error(t, err, "%q", path)
			assert.Empty(t, here.take(), "%q", path)
			continue
		}
		require.NoError(t, err, "%q", path)
		assert.Equal(t, []string{"GET " + want}, here.take(), "%q", path)
	}
	type query struct {
		Name string `url:"name"`
	}
	require.NoError(t, client.Do(t.Context(), cfposture.Request{Method: http.MethodGet, Path: "zones", Query: query{"a&b=c#d?é\n"}}, nil))
	assert.Equal(t, []string{"GET /v4/zones?name=a%26b%3Dc%23d%3F%C3%A9%0A"}, here.take())
}
