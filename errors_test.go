package cfposture_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
)

// everyCall are the operations that read a response's result.
func everyCall(client *cfposture.Client) map[string]func(context.Context) (any, error) {
	rule := &cfposture.Rule{ID: "rule-id", Name: "n", Type: cfposture.RuleTypeWARP}
	integration := &cfposture.Integration{Name: "n", Interval: "5m", Config: &cfposture.KolideConfig{ClientID: "i", ClientSecret: "hidden"}}
	return map[string]func(context.Context) (any, error){
		"list": func(ctx context.Context) (any, error) { return client.Posture.List(ctx) },
		"listPage": func(ctx context.Context) (any, error) {
			return client.Posture.ListPage(ctx, cfposture.ListOptions{Page: 1})
		},
		"all": func(ctx context.Context) (any, error) {
			var rules []*cfposture.Rule
			for rule, err := range client.Posture.All(ctx) {
				if err != nil {
					return rules, err
				}
				rules = append(rules, rule)
			}
			return rules, nil
		},
		"get":    func(ctx context.Context) (any, error) { return client.Posture.Get(ctx, "rule-id") },
		"create": func(ctx context.Context) (any, error) { return client.Posture.Create(ctx, rule) },
		"update": func(ctx context.Context) (any, error) { return client.Posture.Update(ctx, rule) },

		"integrations list":   func(ctx context.Context) (any, error) { return client.Integrations.List(ctx) },
		"integrations get":    func(ctx context.Context) (any, error) { return client.Integrations.Get(ctx, "x") },
		"integrations create": func(ctx context.Context) (any, error) { return client.Integrations.Create(ctx, integration) },
		"integrations update": func(ctx context.Context) (any, error) {
			return client.Integrations.Update(ctx, "x", cfposture.IntegrationUpdate{Name: new("n")})
		},
	}
}

func TestNoBadResponseIsTakenForAResult(t *testing.T) {
	tests := map[string]struct {
		status int
		body   string
	}{
		"failure with 4xx":           {400, `{"success":false,"errors":[{"code":2054,"message":"invalid input"}],"messages":[],"result":null}`},
		"failure with 5xx":           {500, `{"success":false,"errors":[{"code":1000,"message":"oops"}],"messages":[],"result":null}`},
		"failure with 200":           {200, `{"success":false,"errors":[{"code":1000,"message":"oops"}],"messages":[],"result":null}`},
		"failure with 200, a result": {200, `{"errors":[{"code":1000,"message":"oops"}],"result":{"id":"x","name":"n"},"success":false}`},
		"failure without errors":     {200, `{"success":false}`},
		"4xx that claims success":    {404, `{"success":true,"result":{"id":"x"}}`},
		"HTML 502":                   {502, `<html><body>Bad gateway</body></html>`},
		"HTML 200":                   {200, `<html><body>Sign in</body></html>`},
		"empty 504":                  {504, ``},
		"empty 200":                  {200, ``},
		"no content":                 {204, ``},
		"truncated":                  {200, `{"success":true,"result":{"id":"x","na`},
		"truncated list":             {200, `{"result":[{"id":"x","name":"n"},{"id":"y"`},
		"two values":                 {200, `{"success":true,"result":null} {"success":true}`},
		"no object":                  {200, `[1]`},
		"a string":                   {200, `"ok"`},
		"no success":                 {200, `{"result":{"id":"x"}}`},
		"success is a string":        {200, `{"success":"true","result":{"id":"x"}}`},
		"no result":                  {200, `{"success":true,"errors":[],"messages":[]}`},
		"two results":                {200, `{"success":true,"result":{"id":"x"},"result":{"id":"y"}}`},
		"result is a number":         {200, `{"success":true,"result":5}`},
		"result is a string":         {200, `{"success":true,"result":"x"}`},
		"member of another kind":     {200, `{"success":true,"result":{"id":5,"name":"n","type":"warp"}}`},
		"redirect":                   {302, ``},
		"no UTF-8":                   {200, "{\"success\":true,\"result\":{\"id\":\"\xff\"}}"},
	}
	for name, test := range tests {
		client := mockClient(t, responding(test.status, test.body))
		for operation, call := range everyCall(client) {
			t.Run(name+"/"+operation, func(t *testing.T) {
				result, err := call(t.Context())
				require.Error(t, err)
				var failed *cfposture.Error
				require.ErrorAs(t, err, &failed)
				assert.Equal(t, test.status, failed.StatusCode)
				assert.Equal(t, "8f00ba4-FRA", failed.RayID)
				assert.True(t, strings.HasPrefix(err.Error(), "cfposture: "+failed.Method+" accounts/"+account+"/devices/posture"), err)
				assert.NotContains(t, err.Error(), "\n")
				assert.NotContains(t, err.Error(), "token-of-the-test")
				assert.Empty(t, result)
			})
		}
	}
}

func TestNullOrEmptyResultIsNoRule(t *testing.T) {
	for _, result := range []string{`null`, `{}`, `{"description":"x"}`} {
		client := mockClient(t, responding(200, `{"success":true,"errors":[],"messages":[],"result":`+result+`}`))
		for operation, call := range everyCall(client) {
			if strings.Contains(operation, "list") || operation == "all" {
				continue
			}
			value, err := call(t.Context())
			require.Error(t, err, operation)
			assert.Empty(t, value, operation)
			if result == "null" {
				assert.Contains(t, err.Error(), "it is null where an object is expected")
			}
		}
	}
}

func TestListOfNullIsEmpty(t *testing.T) {
	rules, err := mockClient(t, responding(200, `{"success":true,"result":null}`)).Posture.List(t.Context())
	require.NoError(t, err)
	assert.Empty(t, rules)
}

func TestErrorIsOneLineAPersonCanActOn(t *testing.T) {
	tests := map[string]struct {
		status int
		body   string
		want   string
	}{
		"code and pointer": {400, `{"success":false,"errors":[{"code":2054,"message":"invalid input","source":{"pointer":"/input/path"}}],"result":null}`,
			"400 Bad Request: invalid input (code 2054) at /input/path"},
		"several errors": {400, `{"success":false,"errors":[{"code":1,"message":"a"},{"code":2,"message":"b"}]}`,
			"400 Bad Request: a (code 1); b (code 2)"},
		"error chain": {400, `{"success":false,"errors":[{"code":6003,"message":"Invalid request headers","error_chain":[{"code":6111,"message":"Invalid format for Authorization header"}]}]}`,
			"400 Bad Request: Invalid request headers (code 6003): Invalid format for Authorization header (code 6111)"},
		"200": {200, `{"success":false,"errors":[{"code":7,"message":"no"}]}`, "200 OK: no (code 7)"},
		"line breaks": {400, `{"success":false,"errors":[{"code":7,"message":"one\ntwo\u001b[31m\u202ethree"}]}`,
			"400 Bad Request: one two [31m three (code 7)"},
		"HTML":                 {502, "<html>\n</html>", "502 Bad Gateway: response is not from the API (an error page of a proxy?)"},
		"empty":                {504, "", "504 Gateway Timeout"},
		"Cloudflare's own":     {520, "", "520"},
		"null result":          {200, `{"success":true,"result":null}`, "200 OK: rule: it is null where an object is expected"},
		"empty 200":            {200, "", "200 OK: response is empty: EOF"},
		"odd errors":           {400, `{"success":false,"errors":"bad"}`, "400 Bad Request"},
		"truncated":            {200, `{"success":tr`, "200 OK: unreadable response: unexpected EOF after offset 13"},
		"HTML with status 200": {200, "<html>", "200 OK: response is not from the API (an error page of a proxy?)"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := mockClient(t, responding(test.status, test.body)).Posture.Get(t.Context(), "id")
			assert.EqualError(t, err, "cfposture: GET "+rulesPath+"/id: "+test.want+" (ray 8f00ba4-FRA)")
		})
	}
}

func TestErrorHoldsTheEnvelopesErrorsAndMessages(t *testing.T) {
	body := `{"errors":[{"code":6003,"message":"a","documentation_url":"https://x.example","source":{"pointer":"/p"},"error_chain":[{"code":6111,"message":"b"}]}],` +
		`"messages":[{"code":1,"message":"m"}],"result":null,"success":false}`
	_, err := mockClient(t, responding(400, body)).Posture.Get(t.Context(), "id")
	var failed *cfposture.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, []cfposture.Message{{
		Code: 6003, Message: "a", DocumentationURL: "https://x.example",
		Source: &cfposture.Source{Pointer: "/p"}, ErrorChain: []cfposture.Message{{Code: 6111, Message: "b"}},
	}}, failed.Errors)
	assert.Equal(t, []cfposture.Message{{Code: 1, Message: "m"}}, failed.Messages)
	assert.Equal(t, body, string(failed.Body))
	assert.Equal(t, http.MethodGet, failed.Method)
	assert.Equal(t, rulesPath+"/id", failed.Path)
	assert.True(t, failed.HasCode(6003))
	assert.True(t, failed.HasCode(6111), "in a chain")
	assert.False(t, failed.HasCode(1), "a message is no error")
}

func TestBodyIsAShortSafeExcerpt(t *testing.T) {
	page := "<html>\x1b[2J\x00\xff token-of-the-test " + strings.Repeat("x", 1<<20)
	_, err := mockClient(t, responding(502, page)).Posture.Get(t.Context(), "id")
	var failed *cfposture.Error
	require.ErrorAs(t, err, &failed)
	assert.LessOrEqual(t, len(failed.Body), 1100)
	assert.True(t, strings.HasPrefix(string(failed.Body), "<html> [2J \ufffd [redacted] xxx"), "%q", failed.Body[:40])
}

func TestErrorIsTheSentinelOfItsStatus(t *testing.T) {
	for status := 400; status < 600; status++ {
		_, err := mockClient(t, responding(status, `{"success":false,"errors":[{"code":1,"message":"m"}]}`)).Posture.Get(t.Context(), "id")
		assertStatus(t, err, status)
		require.NotErrorIs(t, err, cfposture.ErrOutcomeUnknown)
	}
	for _, body := range []string{`[{"code":6024,"message":"no such rule"}]`, `[{"code":1},{"code":2,"error_chain":[{"code":6024}]}]`} {
		for _, status := range []int{200, 400, 404, 500} {
			_, err := mockClient(t, responding(status, `{"success":false,"errors":`+body+`}`)).Posture.Get(t.Context(), "id")
			require.ErrorIs(t, err, cfposture.ErrNotFound, "status %d, %s", status, body)
		}
	}
}

func TestRetryAfterIsInTheError(t *testing.T) {
	limited := responding(429, `{"success":false,"errors":[{"code":971,"message":"more than 1200 requests per 300 seconds"}]}`)
	_, err := mockClient(t, limited.HeaderAdd(http.Header{"Retry-After": {"120"}})).Posture.Get(t.Context(), "id")
	var failed *cfposture.Error
	require.ErrorAs(t, err, &failed)
	assert.Equal(t, 2*time.Minute, failed.RetryAfter)
	assert.Contains(t, err.Error(), "(retry after 2m0s)")
}

func TestErrorShowsTheFirstTenOfManyErrors(t *testing.T) {
	body := `{"success":false,"errors":[{"code":1,"message":"m"}` + strings.Repeat(`,{"code":2,"message":"n"}`, 49) + `]}`
	_, err := mockClient(t, responding(400, body)).Posture.Get(t.Context(), "id")
	require.ErrorContains(t, err, "400 Bad Request: m (code 1); n (code 2); n (code 2); ")
	require.ErrorContains(t, err, "; and 40 more errors")
	assert.Equal(t, 10, strings.Count(err.Error(), "(code "))
	var failed *cfposture.Error
	require.ErrorAs(t, err, &failed)
	assert.Len(t, failed.Errors, 50)
}

// A response may nest errors as deep as it likes: the text of the error is short all the same.
func TestErrorOfNestedErrorsIsShort(t *testing.T) {
	for _, size := range []int{1 << 20, 10 << 20} {
		const open, end = `{"code":1,"message":"message","error_chain":[`, `]}`
		depth := size / (len(open) + len(end))
		body := `{"success":false,"errors":[` + strings.Repeat(open, depth) + strings.Repeat(end, depth) + `]}`
		for _, status := range []int{200, 400} {
			_, err := mockClient(t, responding(status, body)).Posture.Get(t.Context(), "id")
			assertStatus(t, err, status)
			assert.Less(t, len(err.Error()), 4<<10)
			var failed *cfposture.Error
			require.ErrorAs(t, err, &failed)
			assert.False(t, failed.HasCode(2))
			assert.Less(t, len(failed.Errors[0].String()), 4<<10)
		}
	}
}

func TestResponseOverTheSizeLimitIsAnError(t *testing.T) {
	for name, unit := range map[string]string{"one string": strings.Repeat("x", 1<<16), "many items": strings.Repeat(`"},{"id":"x`, 1<<12)} {
		client := mockClient(t, func(r *http.Request) (*http.Response, error) {
			return respond(r, 200, nil, io.MultiReader(strings.NewReader(`{"success":true,"result":[{"id":"`), &repeating{unit: unit})), nil
		})
		rules, err := client.Posture.List(t.Context())
		require.ErrorContains(t, err, "response is larger than 64 MiB", name)
		assert.Empty(t, rules)
	}
}

// repeating is a reader without an end.
type repeating struct {
	unit string
	at   int
}

func (r *repeating) Read(p []byte) (int, error) {
	n := copy(p, r.unit[r.at:])
	r.at = (r.at + n) % len(r.unit)
	return n, nil
}

func TestContextThatEndsIsTheError(t *testing.T) {
	reason := errors.New("the user went home")
	var end context.CancelCauseFunc
	client := mockClient(t, func(r *http.Request) (*http.Response, error) {
		end(reason)
		return nil, r.Context().Err()
	})
	for operation, call := range everyCall(client) {
		ctx, cancel := context.WithCancelCause(t.Context())
		end = cancel
		result, err := call(ctx)
		require.ErrorIs(t, err, context.Canceled, operation)
		require.ErrorIs(t, err, reason, operation)
		assert.Empty(t, result, operation)
		assert.True(t, strings.HasPrefix(err.Error(), "cfposture: "), err)
		cancel(nil)
	}
}

func TestListSaysWhereAnArrayIsMissing(t *testing.T) {
	for result, kind := range map[string]string{`{"a":[1,{}]}`: "an object", `"x"`: "a string", `5`: "a number", `true`: "true or false"} {
		_, err := mockClient(t, responding(200, `{"result":`+result+`,"success":true}`)).Posture.List(t.Context())
		require.ErrorContains(t, err, `200 OK: response's member "result" is `+kind+` where an array is expected`)
		_, err = mockClient(t, responding(200, `{"errors":[{"code":1,"message":"no"}],"result":`+result+`,"success":false}`)).Posture.List(t.Context())
		require.ErrorContains(t, err, "200 OK: no (code 1)", "a failure's own errors say more")
	}
}

func TestTextThatIsNotUnicodeHidesNoOtherRule(t *testing.T) {
	for _, odd := range []string{`a\ud800`, "\xff"} {
		body := `{"success":true,"result":[{"id":"a","name":"n","type":"warp"},{"id":"b","name":"` + odd + `","type":"warp"},{"id":"c","name":"\u00e9","type":"warp"}]}`
		rules, err := mockClient(t, responding(200, body)).Posture.List(t.Context())
		require.ErrorContains(t, err, "result[1]: rule b: it holds text that is not valid UTF-8")
		require.Len(t, rules, 2)
		assert.Equal(t, "é", rules[1].Name)
	}
}

func TestOneBadRuleHidesNoOther(t *testing.T) {
	body := `{"success":true,"result":[{"id":"a","name":"n","type":"warp"},{"id":"b","name":5,"type":"warp"},null,` +
		`{"id":"c","input":{"path":5},"name":"n","type":"file"},{"id":"d","name":"n","type":"warp"}]}`
	client := mockClient(t, responding(200, body))

	rules, err := client.Posture.List(t.Context())
	require.EqualError(t, err, "cfposture: GET "+rulesPath+`: result[1]: rule b: name is a number where a string is expected; `+
		"result[2]: rule: it is null where an object is expected")
	require.Len(t, rules, 3)
	assert.Equal(t, "d", rules[2].ID)
	assert.IsType(t, &cfposture.UnknownInput{}, rules[1].Input)

	var ids []string
	var failed int
	for rule, err := range client.Posture.All(t.Context()) {
		if err != nil {
			failed++
			assert.Nil(t, rule)
			continue
		}
		ids = append(ids, rule.ID)
	}
	assert.Equal(t, []string{"a", "c", "d"}, ids)
	assert.Equal(t, 2, failed)

	page, err := client.Posture.ListPage(t.Context(), cfposture.ListOptions{})
	require.Error(t, err)
	assert.Len(t, page.Items, 3)
}
