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
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/leak"
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

// assertHidden checks that a text has no secret and no long part of one, however it may be written.
func assertHidden(t *testing.T, text, what string) {
	t.Helper()
	if part := leak.Find(text, hiddenSecrets...); part != "" {
		assert.Fail(t, "a secret shows", "%s shows %q: %.600s", what, part, text)
	}
}

// assertErrorHidden looks at an error in the ways programs show one, and at all it wraps.
func assertErrorHidden(t *testing.T, err error) {
	t.Helper()
	for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%x", "%d"} {
		assertHidden(t, fmt.Sprintf(verb+verb, err, []any{err}), "the error in "+verb)
	}
	assertLogHidden(t, err, "the error")
	var failed *cfposture.Error
	if errors.As(err, &failed) {
		assertHidden(t, fmt.Sprintf("%+v %#v", *failed, *failed), "the Error")
		assertHidden(t, string(failed.Body), "Error.Body")
		assert.LessOrEqual(t, len(failed.Body), 1<<10)
		text, jsonErr := json.Marshal(failed)
		require.NoError(t, jsonErr)
		assertHidden(t, string(text), "the Error as JSON")
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

// hiddenCredentials are the options by which a client gets secrets.
func hiddenCredentials() map[string][]cfposture.Option {
	return map[string][]cfposture.Option{
		"token":        {cfposture.WithAPIToken(hiddenToken)},
		"token source": {cfposture.WithTokenSource(func(context.Context) (string, error) { return hiddenToken, nil })},
		"key":          {cfposture.WithAPIKey("user@example.com", hiddenKey)},
		"header":       {cfposture.WithHeader("Authorization", "Bearer "+hiddenToken)},
		"key header":   {cfposture.WithHeader("x-auth-key", hiddenKey)},
	}
}

func TestClientsAndOptionsPrintWithoutSecrets(t *testing.T) {
	for name, opts := range hiddenCredentials() {
		client := transportClient(t, nil, append(opts, cfposture.WithUserAgent("test/1"), cfposture.WithoutValidation())...)
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

// The engine's tests have servers that echo in every way there is. These show that it knows what is secret in each call.
func TestServerThatEchoesSecretsGetsThemIntoNoErrorAndNoLog(t *testing.T) {
	echoes := map[string]func(text string) string{
		"JSON": func(text string) string {
			return `{"success":false,"errors":[{"code":1,"message":` + string(quoteJSON(text)) + `}]}`
		},
		"HTML": func(text string) string { return "<html>" + html.EscapeString(text) },
		"odd member": func(text string) string {
			return `{"success":true,"result":{"id":"a","name":7,` + string(quoteJSON(text)) + `:1}}`
		},
		"odd list item": func(text string) string {
			return `{"success":true,"result":[{"id":` + string(quoteJSON(text)) + `,"name":7}]}`
		},
	}
	for echo, body := range echoes {
		for _, status := range []int{200, 403, 502} {
			for credentials, opts := range hiddenCredentials() {
				for handler, log := range logHandlers() {
					client := transportClient(t, echoing(t, status, body), append(opts,
						cfposture.WithLogger(slog.New(log.handler)), cfposture.WithMaxRetries(1), cfposture.WithMaxRetryWait(0), cfposture.WithoutValidation())...)
					failed := 0
					for _, err := range everyFailingCall(t.Context(), client) {
						if err != nil { // a DELETE asks nothing of the result
							failed++
							assertErrorHidden(t, err)
						}
					}
					assert.GreaterOrEqual(t, failed, 4)
					assert.NotEmpty(t, log.output.String())
					assertHidden(t, log.output.String(), "the log of "+handler)
					if t.Failed() {
						t.Fatal(echo, status, credentials)
					}
				}
			}
		}
	}
}

// echoing responds with what it was sent, in the body and in a header that errors show.
func echoing(t *testing.T, status int, body func(string) string) http.RoundTripper {
	t.Helper()
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		text := r.Header.Get("Authorization") + " " + r.Header.Get("X-Auth-Key")
		if r.Body != nil {
			sent, err := io.ReadAll(r.Body)
			require.NoError(t, err)
			text += " " + leak.Unquote(string(sent))
		}
		require.NotEmpty(t, leak.Find(text, hiddenSecrets...), "a secret was sent")
		return respond(r, status, http.Header{"Cf-Ray": {"ray " + text}}, strings.NewReader(body(text))), nil
	})
}

func TestRecordedRequestsHoldNoSecret(t *testing.T) {
	api := newServer(t, posturetest.InMemory())
	for _, opts := range hiddenCredentials() {
		client := api.Client(append(opts, cfposture.WithoutValidation())...)
		config := hiddenIntegration().Config.(*cfposture.UptycsConfig)
		config.Extra = nil // of which only the server could know that it is secret
		_, createErr := client.Integrations.Create(t.Context(), &cfposture.Integration{Name: "n", Interval: "5m", Config: config})
		_, updateErr := client.Integrations.Update(t.Context(), "id", cfposture.IntegrationUpdate{Config: config})
		_, listErr := client.Posture.List(t.Context())
		assertErrorHidden(t, errors.Join(createErr, updateErr, listErr, errors.New("the test's")))
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
		assert.NotContains(t, leak.Unquote(string(held)), hiddenConfig)
		assert.NotContains(t, leak.Unquote(string(held)), hiddenClient)
	}
}
