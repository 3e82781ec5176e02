package cfposture_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

func TestDoSendsAnyRequest(t *testing.T) {
	server := newServer(t)
	client := server.Client()
	path := "/accounts/" + posturetest.AccountID + "/devices/posture"

	var created cfposture.Rule
	rule := cfposture.Rule{Name: "a", Type: cfposture.RuleTypeWARP}
	require.NoError(t, client.Do(t.Context(), cfposture.Request{Method: http.MethodPost, Path: path, Body: rule}, &created))
	assert.NotEmpty(t, created.ID)

	var rules []json.RawMessage
	query := struct {
		PerPage int `url:"per_page"`
	}{1}
	require.NoError(t, client.Do(t.Context(), cfposture.Request{Method: http.MethodGet, Path: path, Query: query}, &rules))
	require.Len(t, rules, 1)
	assert.JSONEq(t, `{"enabled":true,"expiration":null,"id":"`+created.ID+`","name":"a","schedule":"5m","type":"warp"}`, string(rules[0]))
	assert.Equal(t, "per_page=1", server.Requests()[1].Query.Encode())

	require.NoError(t, client.Do(t.Context(), cfposture.Request{Method: http.MethodDelete, Path: path + "/" + created.ID}, nil))
	err := client.Do(t.Context(), cfposture.Request{Method: http.MethodGet, Path: path + "/" + created.ID}, &created)
	require.ErrorIs(t, err, cfposture.ErrNotFound)
}

func TestDoRefusesWhatItCannotSend(t *testing.T) {
	server := newServer(t)
	client := server.Client()
	for path, want := range map[string]string{
		"a?x=1":                  "has a query or a fragment",
		"a#x":                    "has a query or a fragment",
		"":                       `element 1 of path "" is empty`,
		"a//b":                   `element 2 of path "a//b" is empty`,
		"a/../b":                 `element 2 of path "a/../b" is "..", which leads to another endpoint`,
		"a/%2e%2e/b":             `element 2 of path "a/%2e%2e/b" is "..", which leads to another endpoint`,
		"a/%zz":                  "invalid URL escape",
		"https://evil.example/x": `element 2 of path "https://evil.example/x" is empty`,
	} {
		require.ErrorContains(t, client.Do(t.Context(), cfposture.Request{Method: http.MethodGet, Path: path}, nil), want)
	}
	require.ErrorContains(t, client.Do(t.Context(), cfposture.Request{Method: http.MethodGet, Path: "a", Query: "no struct"}, nil), "cfposture: GET a: ")
	require.ErrorContains(t, client.Do(t.Context(), cfposture.Request{Method: http.MethodPost, Path: "a", Body: func() {}}, nil), "cfposture: POST a: request body: ")
	require.ErrorContains(t, client.Do(t.Context(), cfposture.Request{Method: "BAD METHOD", Path: "a"}, nil), "invalid method")
	require.ErrorContains(t, client.Do(t.Context(), cfposture.Request{Method: http.MethodGet, Path: "a"}, nil, cfposture.WithTimeout(-1)), "is negative")
	for _, result := range []any{cfposture.Rule{}, (*cfposture.Rule)(nil), "text", 5} {
		err := client.Do(t.Context(), cfposture.Request{Method: http.MethodPost, Path: "a"}, result)
		require.ErrorContains(t, err, "cfposture: POST a: result: ")
		require.ErrorContains(t, err, "is not a pointer to store it in")
	}
	assert.Empty(t, server.Requests())
}

func TestDoKeepsEscapedElements(t *testing.T) {
	var paths []string
	client := handlerClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.EscapedPath())
		w.WriteHeader(http.StatusNoContent)
	}))
	for _, path := range []string{"a/b", "/a/b", "a%2Fb", "a b", "%3Fx"} {
		require.NoError(t, client.Do(t.Context(), cfposture.Request{Method: http.MethodDelete, Path: path}, nil))
	}
	assert.Equal(t, []string{"/v4/a/b", "/v4/a/b", "/v4/a%2Fb", "/v4/a%20b", "/v4/%3Fx"}, paths)
}

func TestDoOfAnotherKindOfResultIsAnError(t *testing.T) {
	client := mockClient(t, responding(200, `{"success":true,"result":{"id":5}}`))
	var result struct {
		ID string `json:"id"`
	}
	err := client.Do(t.Context(), cfposture.Request{Method: http.MethodGet, Path: "zones/x"}, &result)
	require.ErrorContains(t, err, "cfposture: GET zones/x: 200 OK: ")
	err = client.Do(t.Context(), cfposture.Request{Method: http.MethodPost, Path: "zones/x"}, &result)
	require.ErrorIs(t, err, cfposture.ErrOutcomeUnknown)
	var behind any = &result
	err = client.Do(t.Context(), cfposture.Request{Method: http.MethodPost, Path: "zones/x"}, &behind)
	require.ErrorIs(t, err, cfposture.ErrOutcomeUnknown)
	require.ErrorContains(t, err, "cfposture: POST zones/x: 200 OK: ")
}

func TestDoSendsANilBodyAsNull(t *testing.T) {
	var sent []byte
	client := mockClient(t, responding(200, `{"success":true,"result":null}`), captureBody(&sent))
	for _, body := range []any{(*cfposture.Integration)(nil), (*cfposture.IntegrationUpdate)(nil), (*cfposture.Rule)(nil)} {
		require.NoError(t, client.Do(t.Context(), cfposture.Request{Method: http.MethodPost, Path: "zones", Body: body}, nil))
		assert.Equal(t, "null", string(sent))
	}
}

// captureBody keeps the body of the last request, which posturetest records without its secrets.
func captureBody(body *[]byte) cfposture.Option {
	return cfposture.WithMiddleware(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.GetBody != nil {
				sent, err := r.GetBody()
				if err != nil {
					return nil, err
				}
				if *body, err = io.ReadAll(sent); err != nil {
					return nil, err
				}
			}
			return next.RoundTrip(r)
		})
	})
}

func TestDoKeepsTheSecretsOfAnIntegrationOutOfErrors(t *testing.T) {
	client := handlerClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		text, err := json.Marshal("refused: " + string(body))
		assert.NoError(t, err)
		w.WriteHeader(http.StatusBadRequest)
		_, err = w.Write([]byte(`{"success":false,"errors":[{"code":1,"message":` + string(text) + `}]}`))
		assert.NoError(t, err)
	}))
	integration := &cfposture.Integration{
		Name: "n", Interval: "5m",
		Config: &cfposture.KolideConfig{ClientID: "id", ClientSecret: "hidden-1", Extra: map[string]json.RawMessage{"pin": json.RawMessage(`"hidden-2"`)}},
	}
	for _, body := range []any{integration, *integration} {
		err := client.Do(t.Context(), cfposture.Request{Method: http.MethodPost, Path: "accounts/a/devices/posture/integration", Body: body}, nil)
		require.ErrorContains(t, err, "refused")
		assert.NotContains(t, err.Error(), "hidden")
	}
}

func TestDoKeepsSecretParametersAndMembersOutOfErrors(t *testing.T) {
	client := handlerClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(append([]byte(r.URL.RawQuery+" "), body...))
	}))
	err := client.Do(t.Context(), cfposture.Request{
		Method: http.MethodPost, Path: "zones", Query: url.Values{"access_token": {"hidden-1"}, "page": {"2"}},
		Body: map[string]any{"token": "hidden-2"},
	}, nil)
	var failure *cfposture.Error
	require.ErrorAs(t, err, &failure)
	assert.Equal(t, `access_token=[redacted]&page=2 {"token":"[redacted]"}`, string(failure.Body))
}

func TestDoWithHEAD(t *testing.T) {
	here := new(witness)
	client := handlerClient(t, here)
	var response cfposture.Response
	require.NoError(t, client.Do(t.Context(), cfposture.Request{Method: http.MethodHead, Path: "zones/x"}, nil, cfposture.WithResponse(&response)))
	assert.Equal(t, []string{"HEAD /v4/zones/x"}, here.take())
	assert.Equal(t, http.StatusOK, response.StatusCode)
	result := "as it was"
	require.NoError(t, client.Do(t.Context(), cfposture.Request{Method: http.MethodHead, Path: "zones/x"}, &result))

	missing := mockClient(t, responding(404, ""))
	require.ErrorIs(t, missing.Do(t.Context(), cfposture.Request{Method: http.MethodHead, Path: "zones/x"}, nil), cfposture.ErrNotFound)
}

func TestDoWithoutAMethodIsAGet(t *testing.T) {
	requests := 0
	client := mockClient(t, func(r *http.Request) (*http.Response, error) {
		requests++
		assert.Equal(t, http.MethodGet, r.Method)
		return responding(502, "")(r)
	}, cfposture.WithMaxRetries(1))
	err := client.Do(t.Context(), cfposture.Request{Path: "zones"}, nil)
	require.ErrorContains(t, err, "cfposture: GET zones: ")
	require.NotErrorIs(t, err, cfposture.ErrOutcomeUnknown)
	assert.Equal(t, 2, requests)
}

func TestDoWithAMethodThatNobodyKnowsIsRetriedLikePOST(t *testing.T) {
	for _, method := range []string{"post", "get", "PURGE", http.MethodConnect} {
		requests := 0
		client := mockClient(t, func(r *http.Request) (*http.Response, error) {
			requests++
			return responding(502, "")(r)
		}, cfposture.WithMaxRetries(3))
		err := client.Do(t.Context(), cfposture.Request{Method: method, Path: "zones"}, nil)
		require.ErrorIs(t, err, cfposture.ErrOutcomeUnknown, method)
		assert.Equal(t, 1, requests, method)
	}
}

func TestDoChangesTheResultOnlyIfItSucceeds(t *testing.T) {
	type result struct{ A, B string }
	for body, want := range map[string]result{
		`{"success":true,"result":{"b":"new"}}`:                       {"a", "new"},
		`{"success":true,"result":{"b":"new"},"errors":[{"code":1}]}`: {"a", "b"},
		`{"result":{"b":"new"},"success":false}`:                      {"a", "b"},
		`{"success":true,"result":{"b":"new","a":5}}`:                 {"a", "b"},
		`{"success":true,"result":{"b":"new"}`:                        {"a", "b"},
		`{"success":true,"result":{"b":"new"},"success":true}`:        {"a", "b"},
		`{"success":true,"result":{"b":"one"},"result":{"b":"two"}}`:  {"a", "b"},
		`{"success":true,"result":null}`:                              {"a", "b"},
	} {
		got := result{"a", "b"}
		err := mockClient(t, responding(200, body)).Do(t.Context(), cfposture.Request{Method: http.MethodGet, Path: "x"}, &got)
		assert.Equal(t, want, got, "%s: %v", body, err)
	}
}

func TestDeleteOfAResponseWithoutABody(t *testing.T) {
	for _, status := range []int{200, 202, 204} {
		client := mockClient(t, responding(status, ""))
		require.NoError(t, client.Posture.Delete(t.Context(), "id"), status)
		require.NoError(t, client.Integrations.Delete(t.Context(), "id"), status)
	}
}
