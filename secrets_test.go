package cfposture_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// Secrets that every way of escaping has something to change in.
const (
	hiddenToken  = `tok/en&hush<1>"quoted"'single'\back%41+é==`
	hiddenKey    = `key/hush&<2>"\%2fé`
	hiddenConfig = `cfg/hush&<3>"\%2f+é😀`
	hiddenClient = `clientkey/hush&<4>"\é`
	hiddenExtra  = `extra/hush&<5>"\é`
)

var hiddenSecrets = []string{hiddenToken, hiddenKey, hiddenConfig, hiddenClient, hiddenExtra}

// assertHidden checks that a text holds no secret and no long part of one, however it may be written.
func assertHidden(t *testing.T, text, what string) {
	t.Helper()
	for _, written := range []string{text, html.UnescapeString(text), lenientUnquote(text), lenientUnescape(text), unhex(text), numbers(text)} {
		for _, secret := range hiddenSecrets {
			for _, part := range []string{secret[:8], secret[len(secret)-8:]} {
				if strings.Contains(written, part) {
					assert.Fail(t, "a secret shows", "%s shows %q: %.600s", what, part, text)
					return
				}
			}
		}
	}
}

var escapes = regexp.MustCompile(`\\u[0-9a-fA-F]{4}|\\x[0-9a-f]{2}|\\[/"\\']`)

// lenientUnquote undoes the escapes of JSON and Go, wherever there are any.
func lenientUnquote(text string) string {
	return escapes.ReplaceAllStringFunc(text, func(escape string) string {
		if strings.HasPrefix(escape, `\u`) || strings.HasPrefix(escape, `\x`) {
			r, _ := strconv.ParseUint(escape[2:], 16, 32)
			return string(rune(r))
		}
		return escape[1:]
	})
}

var percents = regexp.MustCompile(`%[0-9a-fA-F]{2}`)

func lenientUnescape(text string) string {
	return percents.ReplaceAllStringFunc(text, func(escape string) string {
		plain, _ := url.PathUnescape(escape)
		return plain
	})
}

var hexDigits = regexp.MustCompile(`(?i)(?:[0-9a-f]{2}[ ,x0]*){8,}`)

// unhex undoes what %x prints.
func unhex(text string) string {
	return hexDigits.ReplaceAllStringFunc(text, func(digits string) string {
		var plain []byte
		for i := 0; i+1 < len(digits); i += 2 {
			b, err := strconv.ParseUint(digits[i:i+2], 16, 8)
			if err != nil {
				return digits
			}
			plain = append(plain, byte(b))
		}
		return string(plain)
	})
}

var byteLists = regexp.MustCompile(`(?:\d{1,3} ){7,}\d{1,3}`)

// numbers undoes what %d prints of bytes.
func numbers(text string) string {
	return byteLists.ReplaceAllStringFunc(text, func(list string) string {
		var plain []byte
		for number := range strings.FieldsSeq(list) {
			b, _ := strconv.Atoi(number)
			plain = append(plain, byte(b))
		}
		return string(plain)
	})
}

// assertErrorHidden looks at an error in the ways programs show one, and at all it wraps.
func assertErrorHidden(t *testing.T, err error) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%x", "%d"} {
		assertHidden(t, fmt.Sprintf(verb+verb, err, []any{err}), "the error in "+verb)
	}
	assertLogHidden(t, err, "the error")
	var answer *cfposture.Error
	if errors.As(err, &answer) {
		assertHidden(t, fmt.Sprintf("%+v %#v", *answer, *answer), "the answer")
		assertHidden(t, string(answer.Body), "Error.Body")
		assert.LessOrEqual(t, len(answer.Body), 1<<10)
		text, jsonErr := json.Marshal(answer)
		require.NoError(t, jsonErr)
		assertHidden(t, string(text), "the answer as JSON")
	}
	for _, inner := range unwrapAll(err) {
		assertHidden(t, inner.Error(), fmt.Sprintf("a %T inside the error", inner))
	}
}

func unwrapAll(err error) []error {
	all := []error{err}
	switch err := err.(type) { //nolint:errorlint // this is the unwrapping
	case interface{ Unwrap() error }:
		if inner := err.Unwrap(); inner != nil {
			all = append(all, unwrapAll(inner)...)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range err.Unwrap() {
			all = append(all, unwrapAll(inner)...)
		}
	}
	return all
}

type logHandler struct {
	handler slog.Handler
	output  *bytes.Buffer
}

func logHandlers() map[string]logHandler {
	text, object := new(bytes.Buffer), new(bytes.Buffer)
	options := &slog.HandlerOptions{Level: slog.LevelDebug - 10, AddSource: true}
	return map[string]logHandler{
		"text handler": {slog.NewTextHandler(text, options), text},
		"JSON handler": {slog.NewJSONHandler(object, options), object},
	}
}

func hiddenIntegration() *cfposture.Integration {
	return &cfposture.Integration{
		Name: "integration", Interval: "5m",
		Config: &cfposture.UptycsConfig{
			APIURL: "https://api.example.com", CustomerID: "customer",
			ClientKey: hiddenClient, ClientSecret: hiddenConfig,
			Extra: map[string]json.RawMessage{"x_new": quoteJSON(hiddenExtra)},
		},
	}
}

func quoteJSON(text string) json.RawMessage {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return quoted
}

// hiddenConfigs are a config of every type, with secrets wherever one has a place.
func hiddenConfigs(t *testing.T) []cfposture.IntegrationConfig {
	t.Helper()
	var configs []cfposture.IntegrationConfig
	for _, integrationType := range append(cfposture.IntegrationTypes(), "new_s2s") {
		text := fmt.Appendf(nil, `{"api_url":"https://api.example.com","client_id":"id","client_key":%s,"client_secret":%s,"access_client_secret":%s,"x_new":%s}`,
			quoteJSON(hiddenClient), quoteJSON(hiddenConfig), quoteJSON(hiddenConfig), quoteJSON(hiddenExtra))
		configs = append(configs, readConfig(t, integrationType, string(text)))
	}
	return configs
}

func TestModelsPrintWithoutTheirSecrets(t *testing.T) {
	for _, config := range hiddenConfigs(t) {
		name := string(config.IntegrationType())
		integration := cfposture.Integration{ID: "id", Name: "n", Config: config}
		update := cfposture.IntegrationUpdate{Name: new("n"), Config: config}
		pointerless := reflect.ValueOf(config).Elem().Interface()
		for what, value := range map[string]any{
			"config": config, "config value": pointerless,
			"integration": &integration, "integration value": integration,
			"update": update, "update pointer": &update,
		} {
			assertVerbsHidden(t, value, name+" "+what)
			assertLogHidden(t, value, name+" "+what)
		}
		assertVerbsHidden(t, []*cfposture.Integration{&integration}, name+" slice")
		assertVerbsHidden(t, []cfposture.Integration{integration}, name+" slice of values")
		assertVerbsHidden(t, map[string]cfposture.Integration{"a": integration}, name+" map")
		assertVerbsHidden(t, map[cfposture.IntegrationConfig]int{config: 1}, name+" map's keys")
		assertVerbsHidden(t, struct {
			I cfposture.Integration
			P *cfposture.Integration
			C cfposture.IntegrationConfig
			U cfposture.IntegrationUpdate
		}{integration, &integration, config, update}, name+" struct")
		assertVerbsHidden(t, cfposture.Page[cfposture.Integration]{Items: []*cfposture.Integration{&integration}}, name+" page")
		assertErrorHidden(t, errors.Join(integration.Validate(), update.Validate(), errors.New("the test's")))
	}
	assertVerbsHidden(t, cfposture.Secret(hiddenConfig), "secret")
	assertVerbsHidden(t, []cfposture.Secret{hiddenConfig}, "secrets")
	assertVerbsHidden(t, map[string]cfposture.Secret{"k": hiddenConfig}, "map of secrets")
	assertVerbsHidden(t, map[cfposture.Secret]int{hiddenConfig: 1}, "map by secrets")
	assertVerbsHidden(t, struct{ S *cfposture.Secret }{new(cfposture.Secret(hiddenConfig))}, "pointer to a secret")
	assertLogHidden(t, cfposture.Secret(hiddenConfig), "secret")
}

// assertVerbsHidden prints a value with every verb, alone and inside others. Package fmt asks no value how it wants to be
// printed for two verbs that go vet refuses here: %w, and %p where there is no pointer.
func assertVerbsHidden(t *testing.T, value any, what string) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "% x", "%d", "%t", "%+q", "%10.3s", "%y"} {
		for _, shape := range []any{value, &value, []any{value}, map[string]any{"k": value}, struct{ V any }{value}, &struct{ V any }{value}} {
			assertHidden(t, fmt.Sprintf(verb, shape), what+" in "+verb)
		}
	}
	assertHidden(t, fmt.Sprint(value)+fmt.Sprintln(value), what)
}

// assertLogHidden logs a value as an attribute. What stands deeper inside another value than that, slog's JSON handler
// writes as encoding/json does, which is with secrets, because that is how they are sent.
func assertLogHidden(t *testing.T, value any, what string) {
	t.Helper()
	for name, handler := range logHandlers() {
		logger := slog.New(handler.handler)
		logger.Debug("message", "value", value, slog.Group("group", slog.Any("inner", value)))
		logger.With("value", value).Debug("message")
		assertHidden(t, handler.output.String(), what+" in slog's "+name)
	}
}

// hiddenClients are clients that hold secrets in every way that options know.
func hiddenClients(t *testing.T, opts ...cfposture.Option) map[string]*cfposture.Client {
	t.Helper()
	credentials := map[string][]cfposture.Option{
		"token":        {cfposture.WithAPIToken(hiddenToken)},
		"token source": {cfposture.WithTokenSource(func(context.Context) (string, error) { return hiddenToken, nil })},
		"key":          {cfposture.WithAPIKey("user@example.com", hiddenKey)},
		"header":       {cfposture.WithAPIToken("another"), cfposture.WithHeader("Authorization", "Bearer "+hiddenToken)},
		"key header":   {cfposture.WithAPIToken("another"), cfposture.WithHeader("x-auth-key", hiddenKey)},
	}
	clients := map[string]*cfposture.Client{}
	for name, options := range credentials {
		client, err := cfposture.NewClient(append(append([]cfposture.Option{
			cfposture.WithoutEnvironment(), cfposture.WithAccountID("account"), cfposture.WithMaxRetryWait(0), cfposture.WithMaxRetries(1),
			cfposture.WithUserAgent("test/1"), cfposture.WithTimeout(time.Minute), cfposture.WithoutValidation(),
		}, options...), opts...)...)
		require.NoError(t, err)
		clients[name] = client
	}
	return clients
}

func TestClientsAndOptionsPrintWithoutSecrets(t *testing.T) {
	for name, client := range hiddenClients(t) {
		assertVerbsHidden(t, client, name)
		assertVerbsHidden(t, *client, name)
		assertVerbsHidden(t, client.Posture, name)
		assertVerbsHidden(t, *client.Integrations, name)
		assertLogHidden(t, client, name)
	}
	option := cfposture.WithAPIToken(hiddenToken)
	assertVerbsHidden(t, option, "option")
	assertVerbsHidden(t, []cfposture.Option{option, cfposture.WithAPIKey("e", hiddenKey)}, "options")
}

func TestNewClientsErrorsHoldNoSecret(t *testing.T) {
	for _, opts := range [][]cfposture.Option{
		{cfposture.WithAPIToken(hiddenToken + "\n")},
		{cfposture.WithAPIKey("a\r\nb", hiddenKey)},
		{cfposture.WithAPIKey("a", hiddenKey+"\x00")},
		{cfposture.WithAPIToken(hiddenToken), cfposture.WithBaseURL("http://api.example.com")},
		{cfposture.WithAPIToken("t"), cfposture.WithBaseURL("https://user:" + url.QueryEscape(hiddenToken) + "@api.example.com")},
		{cfposture.WithAPIToken("t"), cfposture.WithBaseURL("https://user:" + hiddenToken + "@api.example.com")},
		{cfposture.WithAPIToken("t"), cfposture.WithHeader("X-Secret", hiddenToken+"\n")},
		{cfposture.WithAPIToken("t"), cfposture.WithUserAgent(hiddenToken + "\n")},
	} {
		_, err := cfposture.NewClient(append(opts, cfposture.WithoutEnvironment())...)
		require.Error(t, err)
		assertErrorHidden(t, err)
	}
}

// everyFailingCall makes each call that has secrets to lose.
func everyFailingCall(ctx context.Context, client *cfposture.Client) map[string]error {
	calls := map[string]error{}
	_, calls["list"] = client.Posture.List(ctx)
	for _, err := range client.Integrations.All(ctx) {
		calls["all"] = err
	}
	_, calls["get"] = client.Posture.Get(ctx, "id")
	_, calls["create a rule"] = client.Posture.Create(ctx, &cfposture.Rule{Name: "n", Type: cfposture.RuleTypeWARP})
	_, calls["create"] = client.Integrations.Create(ctx, hiddenIntegration())
	_, calls["update"] = client.Integrations.Update(ctx, "id", cfposture.IntegrationUpdate{Config: hiddenIntegration().Config})
	_, calls["update to an unknown type"] = client.Integrations.Update(ctx, "id", cfposture.IntegrationUpdate{
		Config: &cfposture.UnknownConfig{Type: "new_s2s", Raw: fmt.Appendf(nil, `{"password":%s}`, quoteJSON(hiddenConfig))},
	})
	calls["delete"] = client.Integrations.Delete(ctx, "id")
	plain := &cfposture.Integration{Config: &cfposture.UptycsConfig{ClientKey: hiddenClient, ClientSecret: hiddenConfig}}
	calls["do"] = client.Do(ctx, cfposture.Request{Method: http.MethodPost, Path: "accounts/a/devices/posture/integration", Body: plain}, new(any))
	calls["do with a map"] = client.Do(ctx, cfposture.Request{Method: http.MethodPut, Path: "anything", Body: map[string]any{"client_secret": hiddenConfig, "client_key": hiddenClient}}, nil)
	return calls
}

// echoes are bodies of a server that answers with what it was sent, in all the ways servers escape.
func echoes() map[string]func(secret string) string {
	python := func(s string) string { return strings.Trim(strconv.QuoteToASCII(s), `"`) }
	php := func(s string) string { return strings.ReplaceAll(python(s), "/", `\/`) }
	plainJSON := func(s string) string {
		return strings.Trim(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(quoteJSON(s))), `"`)
	}
	goJSON := func(s string) string { return strings.TrimSuffix(strings.TrimPrefix(string(quoteJSON(s)), `"`), `"`) }
	message := func(escape func(string) string) func(string) string {
		return func(s string) string {
			return `{"success":false,"errors":[{"code":1,"message":"bad ` + escape(s) + `","documentation_url":"https://x/` + escape(s) +
				`","source":{"pointer":"/` + escape(s) + `"},"error_chain":[{"code":2,"message":"` + escape(s) + `"}]}],"result":null}`
		}
	}
	page := func(escape func(string) string) func(string) string {
		return func(s string) string { return "<html><body>no access with " + escape(s) + "</body></html>" }
	}
	return map[string]func(string) string{
		"JSON": message(plainJSON), "JSON as Go writes it": message(goJSON), "JSON in ASCII": message(python), "JSON with escaped slashes": message(php),
		"HTML": page(html.EscapeString), "unescaped HTML": page(func(s string) string { return s }),
		"URL": page(url.QueryEscape), "path": page(url.PathEscape), "Go": page(strconv.Quote),
		"member of another JSON": func(s string) string { return `{"error":"` + goJSON(s) + `"}` },
		"name in broken JSON":    func(s string) string { return `{"` + plainJSON(s) + `":{"` + plainJSON(s) + `":x` },
		"name in a broken list":  func(s string) string { return `{"success":true,"result":[{"` + plainJSON(s) + `":}]}` },
		"odd member of an item": func(s string) string {
			return `{"success":true,"result":[{"id":"` + plainJSON(s) + `","name":7,"` + plainJSON(s) + `":1,"` + plainJSON(s) + `":2}]}`
		},
		"cut in the secret":         func(s string) string { return `{"success":false,"errors":[{"message":"` + plainJSON(s)[:len(s)-6] },
		"cut in the secret, HTML":   func(s string) string { return "<html>" + html.EscapeString(s)[:len(s)-4] },
		"over the end of the Body":  func(s string) string { return strings.Repeat("x", 1000) + s + strings.Repeat("y", 1000) },
		"over the end, JSON":        func(s string) string { return `{"error":"` + strings.Repeat("x", 1000) + goJSON(s) + `"}` },
		"over the first bytes read": func(s string) string { return "<" + strings.Repeat("x", 40) + s },
	}
}

func TestServerThatEchoesSecretsGetsThemIntoNoErrorAndNoLog(t *testing.T) {
	logs := logHandlers()
	for name, echo := range echoes() {
		for handlerName, status := range map[string]int{"text handler": http.StatusOK, "JSON handler": http.StatusForbidden} {
			t.Run(fmt.Sprintf("%s/%d", name, status), func(t *testing.T) {
				log := logs[handlerName]
				log.output.Reset()
				clients := hiddenClients(t, cfposture.WithHTTPClient(echoing(t, status, echo)), cfposture.WithLogger(slog.New(log.handler)))
				for _, client := range []*cfposture.Client{clients["token"], clients["key"]} {
					for _, err := range everyFailingCall(t.Context(), client) {
						if err != nil { // a DELETE asks nothing of the result
							assertErrorHidden(t, err)
						}
					}
					if t.Failed() {
						return
					}
				}
				assert.NotEmpty(t, log.output.String())
				assertHidden(t, log.output.String(), "the log")
			})
		}
	}
}

func TestRetriesOfAServerThatEchoesSecretsAreLoggedWithoutThem(t *testing.T) {
	for name, log := range logHandlers() {
		echo := func(secrets string) string {
			return `{"success":false,"errors":[{"code":1,"message":` + string(quoteJSON(secrets)) + `}]}`
		}
		for _, client := range hiddenClients(t, cfposture.WithHTTPClient(echoing(t, http.StatusBadGateway, echo)), cfposture.WithLogger(slog.New(log.handler))) {
			for call, err := range everyFailingCall(t.Context(), client) {
				require.ErrorIs(t, err, cfposture.ErrServer, call)
				assertErrorHidden(t, err)
			}
		}
		assert.Contains(t, log.output.String(), "retrying", name)
		assertHidden(t, log.output.String(), "the log")
	}
}

func TestMessagesAreRedactedHoweverTheyAreEscaped(t *testing.T) {
	everythingEscaped := func(secrets string) string {
		var escaped strings.Builder
		for _, r := range strings.ReplaceAll(secrets, "😀", "") {
			fmt.Fprintf(&escaped, `\u%04x`, r)
		}
		return `{"success":false,"errors":[{"code":1,"message":"` + escaped.String() + `"}],"messages":[{"message":"` + escaped.String() + `"}]}`
	}
	for _, client := range hiddenClients(t, cfposture.WithHTTPClient(echoing(t, http.StatusOK, everythingEscaped))) {
		_, err := client.Posture.Get(t.Context(), "id")
		var answer *cfposture.Error
		require.ErrorAs(t, err, &answer)
		assertHidden(t, err.Error(), "the error")
		assert.Equal(t, "[redacted]", answer.Errors[0].Message)
		assert.Equal(t, "[redacted]", answer.Messages[0].Message)
	}
}

// echoing answers with what it was sent, in the body and in a header that errors show.
func echoing(t *testing.T, status int, echo func(string) string) *http.Client {
	t.Helper()
	return &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		secrets := sentSecrets(t, r)
		header := http.Header{"Cf-Ray": {"ray " + secrets[0]}}
		return respond(r, status, header, strings.NewReader(echo(strings.Join(secrets, " ")))), nil
	})}
}

// sentSecrets are what a request carries.
func sentSecrets(t *testing.T, r *http.Request) []string {
	t.Helper()
	sent := []string{strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "), r.Header.Get("X-Auth-Key")}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		text := lenientUnquote(string(body))
		for _, secret := range hiddenSecrets {
			if strings.Contains(text, secret) {
				sent = append(sent, secret)
			}
		}
	}
	var found []string
	for _, secret := range sent {
		if secret != "" && secret != "another" {
			found = append(found, secret)
		}
	}
	return found
}

func TestErrorsOfTheTransportAndTheTokenSourceAreRedacted(t *testing.T) {
	breaking := roundTripper(func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("proxy says %q to %s", r.Header.Get("Authorization"), r.Header.Get("X-Auth-Key"))
	})
	locating := roundTripper(func(r *http.Request) (*http.Response, error) {
		header := http.Header{"Location": {"https://\x7f" + r.Header.Get("Authorization") + r.Header.Get("X-Auth-Key")}}
		return respond(r, http.StatusFound, header, strings.NewReader("")), nil
	})
	breakingBody := roundTripper(func(r *http.Request) (*http.Response, error) {
		return respond(r, http.StatusOK, nil, &failingReader{fmt.Errorf("chunk of %s%s", r.Header.Get("Authorization"), r.Header.Get("X-Auth-Key"))}), nil
	})
	for _, transport := range []http.RoundTripper{breaking, locating, breakingBody} {
		for _, client := range hiddenClients(t, cfposture.WithHTTPClient(&http.Client{Transport: transport})) {
			for _, err := range everyFailingCall(t.Context(), client) {
				require.Error(t, err)
				assertErrorHidden(t, err)
			}
		}
	}
	for name, client := range hiddenClients(t, cfposture.WithLimiter(failingLimiter{})) {
		for _, err := range everyFailingCall(t.Context(), client) {
			require.ErrorContains(t, err, "the limiter's", name)
			assertErrorHidden(t, err)
		}
	}
}

type failingLimiter struct{}

func (failingLimiter) Wait(context.Context) error { return errors.New("the limiter's") }

type failingReader struct{ err error }

func (r *failingReader) Read([]byte) (int, error) { return 0, r.err }

func TestRecordedRequestsHoldNoSecret(t *testing.T) {
	api := newServer(t)
	for _, client := range hiddenClients(t, cfposture.WithBaseURL(api.URL), cfposture.WithAccountID(posturetest.AccountID)) {
		for _, config := range hiddenConfigs(t) {
			if known, ok := config.(*cfposture.UptycsConfig); ok { // what is secret in the others' Extra only they know
				known.Extra = nil
				_, err := client.Integrations.Create(t.Context(), &cfposture.Integration{Name: "n", Interval: "5m", Config: known})
				assertErrorHidden(t, err)
				_, err = client.Integrations.Update(t.Context(), "id", cfposture.IntegrationUpdate{Config: known})
				assertErrorHidden(t, err)
			}
		}
		_, err := client.Posture.List(t.Context())
		assertErrorHidden(t, err)
	}
	for _, request := range api.Requests() {
		assertVerbsHidden(t, request, "the recorded request")
		text, err := json.Marshal(request)
		require.NoError(t, err)
		assertHidden(t, string(text), "the recorded request as JSON")
		assertHidden(t, string(request.Body), "the recorded body")
	}

	_, err := api.Client().Integrations.Create(t.Context(), hiddenIntegration())
	require.NoError(t, err)
	for _, held := range api.Integrations() {
		assert.NotContains(t, lenientUnquote(string(held)), hiddenConfig)
		assert.NotContains(t, lenientUnquote(string(held)), hiddenClient)
	}
}

// A server may remember what an earlier attempt sent.
func TestTokensOfEarlierAttemptsAreRedacted(t *testing.T) {
	tokens := []string{"first-token-1111111111", "second-token-2222222222", "third-token-3333333333"}
	asked := 0
	var seen []string
	client := mockClient(t, func(r *http.Request) (*http.Response, error) {
		seen = append(seen, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		body := `{"success":false,"errors":[{"code":1,"message":"` + strings.Join(seen, " ") + `"}]}`
		return respond(r, http.StatusServiceUnavailable, nil, strings.NewReader(body)), nil
	}, cfposture.WithMaxRetries(2), cfposture.WithMaxRetryWait(0))
	_, err := client.Posture.Get(t.Context(), "1", cfposture.WithTokenSource(func(context.Context) (string, error) {
		asked++
		return tokens[asked-1], nil
	}))
	require.ErrorContains(t, err, "[redacted] [redacted] [redacted]")
	require.Equal(t, tokens, seen)
	for _, token := range tokens {
		assert.NotContains(t, fmt.Sprintf("%v %+v %#v", err, err, err), token)
	}
}
