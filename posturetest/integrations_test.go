package posturetest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/internal/apifacts"
	"github.com/cfposture/cfposture/posturetest"
)

const (
	kolide = `{"config":{"client_id":"c","client_secret":"hidden"},"interval":"10m","name":"k","type":"kolide"}`

	noSecretOut = "hidden" // every secret of the samples has it
)

func TestEveryIntegrationTypeIsCreatedReadChangedAndDeleted(t *testing.T) {
	for _, integrationType := range apifacts.IntegrationTypes {
		t.Run(integrationType.Name, func(t *testing.T) {
			a := newAPI(t)
			created := a.succeed(http.MethodPost, integrationsPath, string(integrationType.SampleRequest()))
			id := idOf(t, created)
			assert.Regexp(t, uuidV4, id)
			want := strings.Replace(string(integrationType.SampleAnswer()), integrationType.SampleID(), id, 1)
			want = strings.Replace(want, integrationType.Answer, without(t, integrationType.Answer, "customer_id", "access_client_id"), 1)
			assert.Equal(t, want, created)

			item := integrationsPath + "/" + id
			assert.Equal(t, created, a.succeed(http.MethodGet, item, ""))
			assert.Equal(t, "["+created+"]", a.succeed(http.MethodGet, integrationsPath, ""))
			assert.Equal(t, "[]", a.succeed(http.MethodGet, rulesPath, ""), "integrations are no rules")

			changed := a.succeed(http.MethodPatch, item, `{"name":"other"}`)
			assert.Equal(t, strings.Replace(want, "Sample of "+integrationType.Name, "other", 1), changed)
			a.succeed(http.MethodPatch, item, `{"config":`+integrationType.Config+`}`)

			assert.Equal(t, "null", a.succeed(http.MethodDelete, item, ""))
			a.refused(http.StatusNotFound, a.call(http.MethodGet, item, ""))
			assert.Empty(t, a.server.Integrations())

			requireNoSecret(t, a)
		})
	}
}

// requireNoSecret fails where the server shows a secret of the samples, recorded requests included.
func requireNoSecret(t *testing.T, a *api) {
	t.Helper()
	require.NotEmpty(t, a.server.Requests())
	for _, shown := range []any{a.server.Requests(), a.server.Integrations()} {
		require.NotContains(t, fmt.Sprintf("%s", shown), noSecretOut)
	}
	for _, r := range a.server.Requests() {
		require.NotContains(t, string(r.Body), noSecretOut)
	}
}

func TestSecretsAreInNoResponse(t *testing.T) {
	a := newAPI(t)
	got := []reply{
		a.call(http.MethodPost, integrationsPath, kolide),
		a.call(http.MethodPost, integrationsPath, `{"config":{"client_secret":"hidden"},"type":"kolide"}`),
		a.call(http.MethodPost, integrationsPath, `{"config":{"client_secret":["hidden"]},"type":"kolide"}`),
		a.call(http.MethodPost, integrationsPath, `{"config":{"client_secret":"hidden`),
		a.call(http.MethodPost, rulesPath, `{"type":"warp","config":{"client_secret":"hidden"}`),
	}
	id := a.server.AddIntegration([]byte(`{"type":"new","config":{"client_key":"hidden","more":1}}`))
	got = append(got,
		a.call(http.MethodGet, integrationsPath, ""),
		a.call(http.MethodPatch, integrationsPath+"/"+id, `{"config":{"client_secret":"hidden","still":2}}`),
		a.call(http.MethodGet, integrationsPath, ""))
	for _, reply := range got {
		assert.NotContains(t, reply.body, noSecretOut)
	}
	assert.Contains(t, got[len(got)-1].body, `"config":{"more":1}`)
	requireNoSecret(t, a)
}

func TestPatchChangesOnlyWhatItHas(t *testing.T) {
	a := newAPI(t)
	a.server.SetBehavior(posturetest.Behavior{ConfigMembers: []string{"*"}})
	id := a.create(integrationsPath, `{"config":{"client_id":"c","client_secret":"hidden","region":"eu"},"interval":"10m","name":"k","type":"kolide","x":1.10}`)
	item := integrationsPath + "/" + id
	for _, step := range []struct{ body, config, rest string }{
		{`{}`, `{"client_id":"c","region":"eu"}`, `"interval":"10m","name":"k",…"type":"kolide","x":1.10`},
		{`{"interval":"1h","name":null}`, `{"client_id":"c","region":"eu"}`, `"interval":"1h","name":"k",…"type":"kolide","x":1.10`},
		{`{"name":"l","type":"kolide","y":2.0,"id":"z"}`, `{"client_id":"c","region":"eu"}`, `"interval":"1h","name":"l",…"type":"kolide","x":1.10,"y":2.0`},
		{`{"config":{"client_id":"d"}}`, `{"client_id":"d","region":"eu"}`, `"interval":"1h","name":"l",…"type":"kolide","x":1.10,"y":2.0`},
	} {
		want := `{"config":` + step.config + `,"id":"` + id + `","identifier":"",` +
			strings.Replace(step.rest, "…", `"schema":{},"test_results":{},`, 1) + "}"
		assert.Equal(t, want, a.succeed(http.MethodPatch, item, step.body))
		assert.Equal(t, want, a.succeed(http.MethodGet, item, ""))
	}
}

func TestNullMembersOfAConfigAreAbsent(t *testing.T) {
	got := newAPI(t).succeed(http.MethodPost, integrationsPath,
		`{"config":{"access_client_id":null,"api_url":"u","client_secret":"hidden"},"id":null,"interval":"10m","name":"t","type":"tanium_s2s"}`)
	assert.Contains(t, got, `{"config":{"api_url":"u"},`)
}

func TestIntegrationsThatBreakTheDocumentsAreRefusedAtTheMember(t *testing.T) {
	cases := map[string]struct {
		body     string
		pointers []string
	}{
		"nothing":           {`{}`, []string{"/config", "/interval", "/name", "/type"}},
		"no object":         {`"kolide"`, []string{"/"}},
		"empty name":        {strings.Replace(kolide, `"k"`, `""`, 1), []string{"/name"}},
		"no interval":       {strings.Replace(kolide, `"10m"`, `null`, 1), []string{"/interval"}},
		"bad interval":      {strings.Replace(kolide, `10m`, `often`, 1), []string{"/interval"}},
		"unknown type":      {strings.Replace(kolide, `"kolide"`, `"acme"`, 1), []string{"/type"}},
		"config no object":  {`{"config":"c","interval":"10m","name":"k","type":"kolide"}`, []string{"/config"}},
		"no secret":         {strings.Replace(kolide, `"hidden"`, `""`, 1), []string{"/config/client_secret"}},
		"wrong member type": {strings.Replace(kolide, `"c"`, `7`, 1), []string{"/config/client_id"}},
		"ID too long":       {strings.Replace(kolide, `{`, `{"id":"`+strings.Repeat("x", 37)+`",`, 1), []string{"/id"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			a.refused(http.StatusBadRequest, a.call(http.MethodPost, integrationsPath, c.body), c.pointers...)
			assert.Empty(t, a.server.Integrations())
		})
	}
	for _, integrationType := range apifacts.IntegrationTypes {
		for _, m := range integrationType.Members {
			if !m.Required {
				continue
			}
			t.Run(integrationType.Name+" without "+m.Name, func(t *testing.T) {
				a := newAPI(t)
				config := without(t, integrationType.Config, m.Name)
				body := strings.Replace(string(integrationType.SampleRequest()), integrationType.Config, config, 1)
				a.refused(http.StatusBadRequest, a.call(http.MethodPost, integrationsPath, body), "/config/"+m.Name)
			})
		}
	}
}

func TestPatchesThatCannotBeAreRefused(t *testing.T) {
	cases := map[string]struct{ body, pointer string }{
		"another type":        {`{"type":"intune"}`, "/type"},
		"an empty secret":     {`{"config":{"client_secret":""}}`, "/config/client_secret"},
		"a config of no kind": {`{"config":"c"}`, "/config"},
		"an empty name":       {`{"name":""}`, "/name"},
		"a bad interval":      {`{"interval":"5"}`, "/interval"},
		"no object":           {`[]`, "/"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			id := a.create(integrationsPath, kolide)
			before := a.server.Integrations()
			a.refused(http.StatusBadRequest, a.call(http.MethodPatch, integrationsPath+"/"+id, c.body), c.pointer)
			assert.Equal(t, before, a.server.Integrations())
		})
	}
}

func TestIntegrationInUseCannotBeDeleted(t *testing.T) {
	a := newAPI(t)
	integration := a.create(integrationsPath, kolide)
	a.create(rulesPath, `{"type":"warp"}`)
	rule := a.create(rulesPath, `{"type":"kolide","input":{"connection_id":"`+integration+`"}}`)

	got := a.call(http.MethodDelete, integrationsPath+"/"+integration, "")
	a.refused(http.StatusConflict, got)
	assert.Contains(t, got.body, rule, "it says which rule")

	a.succeed(http.MethodDelete, rulesPath+"/"+rule, "")
	assert.Equal(t, "null", a.succeed(http.MethodDelete, integrationsPath+"/"+integration, ""))
}

func TestAddIntegrationTakesAnythingThatIsJSON(t *testing.T) {
	a := newAPI(t)
	const strange = `{"id":"x", "type":"acme"}`
	assert.Equal(t, "x", a.server.AddIntegration([]byte(strange)))
	a.server.AddIntegration([]byte(`[1]`))
	assert.Equal(t, []json.RawMessage{json.RawMessage(strange), json.RawMessage(`[1]`)}, a.server.Integrations())
	assert.Panics(t, func() { a.server.AddIntegration(nil) })
}
