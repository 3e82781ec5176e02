package cfposture_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
	"github.com/cfposture/cfposture/posturetest"
)

// everyConfig has one config of each of the eight types as a user would write it, secrets included.
func everyConfig() []cfposture.IntegrationConfig {
	return []cfposture.IntegrationConfig{
		&cfposture.WorkspaceOneConfig{APIURL: "https://api.example", AuthURL: "https://auth.example", ClientID: "id", ClientSecret: "hidden-1"},
		&cfposture.CrowdStrikeS2SConfig{APIURL: "https://api.example", ClientID: "id", ClientSecret: "hidden-2", CustomerID: "customer"},
		&cfposture.UptycsConfig{APIURL: "https://api.example", ClientKey: "hidden-3", ClientSecret: "hidden-4", CustomerID: "customer"},
		&cfposture.IntuneConfig{ClientID: "id", ClientSecret: "hidden-5", CustomerID: "customer"},
		&cfposture.KolideConfig{ClientID: "id", ClientSecret: "hidden-6"},
		&cfposture.TaniumS2SConfig{APIURL: "https://api.example", ClientSecret: "hidden-7", AccessClientID: "access", AccessClientSecret: "hidden-8"},
		&cfposture.SentinelOneS2SConfig{APIURL: "https://api.example", ClientSecret: "hidden-9"},
		&cfposture.CustomS2SConfig{AccessClientID: "access", AccessClientSecret: "hidden-10", APIURL: "https://api.example"},
	}
}

// withoutSecrets is the config as the API gives it back.
func withoutSecrets(t *testing.T, config cfposture.IntegrationConfig) cfposture.IntegrationConfig {
	t.Helper()
	text, err := json.Marshal(config)
	require.NoError(t, err)
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(text, &members))
	for _, secret := range apifacts.Secrets() {
		delete(members, secret)
	}
	text, err = json.Marshal(members)
	require.NoError(t, err)
	return readConfig(t, config.IntegrationType(), string(text))
}

// readConfig reads a config as one of a response.
func readConfig(t *testing.T, integrationType cfposture.IntegrationType, text string) cfposture.IntegrationConfig {
	t.Helper()
	var integration cfposture.Integration
	require.NoError(t, json.Unmarshal(fmt.Appendf(nil, `{"type":%q,"config":%s}`, integrationType, text), &integration))
	return integration.Config
}

func TestEveryConfigIsSentWholeAndComesBackWithoutSecrets(t *testing.T) {
	configs := everyConfig()
	require.Len(t, configs, len(cfposture.IntegrationTypes()))
	for i, config := range configs {
		t.Run(string(config.IntegrationType()), func(t *testing.T) {
			require.Equal(t, cfposture.IntegrationTypes()[i], config.IntegrationType())
			var sent []byte
			client := newServer(t).Client(captureBody(&sent))
			created, err := client.Integrations.Create(t.Context(), &cfposture.Integration{
				ID: "is not sent", Name: "n", Interval: "10m", Config: config,
			})
			require.NoError(t, err)
			wire, err := json.Marshal(config)
			require.NoError(t, err)
			assert.JSONEq(t, `{"name":"n","type":"`+string(config.IntegrationType())+`","interval":"10m","config":`+string(wire)+`}`, string(sent))
			assert.Equal(t, config.IntegrationType(), created.Type)
			assert.Equal(t, withoutSecrets(t, config), created.Config)

			read, err := client.Integrations.Get(t.Context(), created.ID)
			require.NoError(t, err)
			assert.Equal(t, created, read)

			changed, err := client.Integrations.Update(t.Context(), created.ID, cfposture.IntegrationUpdate{Config: config})
			require.NoError(t, err)
			assert.JSONEq(t, `{"type":"`+string(config.IntegrationType())+`","config":`+string(wire)+`}`, string(sent))
			assert.Equal(t, read, changed)
		})
	}
}

func TestIntegrationLivesFromCreateToDelete(t *testing.T) {
	server := newServer(t)
	var sent []byte
	client := server.Client(captureBody(&sent))
	created, err := client.Integrations.Create(t.Context(), &cfposture.Integration{
		Name: "Kolide", Interval: "10m", Config: &cfposture.KolideConfig{ClientID: "id", ClientSecret: "hidden"},
	})
	require.NoError(t, err)

	rule, err := client.Posture.Create(t.Context(), &cfposture.Rule{Name: "r", Input: &cfposture.KolideInput{
		ConnectionID: created.ID, AuthState: []cfposture.KolideAuthState{cfposture.KolideAuthStateGood},
	}})
	require.NoError(t, err)
	require.ErrorIs(t, client.Integrations.Delete(t.Context(), created.ID), cfposture.ErrConflict)
	require.NoError(t, client.Posture.Delete(t.Context(), rule.ID))

	changed, err := client.Integrations.Update(t.Context(), created.ID, cfposture.IntegrationUpdate{
		Name: new("Renamed"), Interval: new(cfposture.Every(3600e9)),
	})
	require.NoError(t, err)
	assert.JSONEq(t, `{"name":"Renamed","interval":"1h"}`, string(sent), "only what is set")
	assert.Equal(t, created.Config, changed.Config)

	list, err := client.Integrations.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []*cfposture.Integration{changed}, list)
	page, err := client.Integrations.ListPage(t.Context(), cfposture.ListOptions{Page: 1, PerPage: 5})
	require.NoError(t, err)
	assert.Equal(t, list, page.Items)
	for integration, err := range client.Integrations.All(t.Context()) {
		require.NoError(t, err)
		assert.Equal(t, changed, integration)
	}

	require.NoError(t, client.Integrations.Delete(t.Context(), created.ID))
	_, err = client.Integrations.Get(t.Context(), created.ID)
	require.ErrorIs(t, err, cfposture.ErrNotFound)
	assert.Equal(t, "/accounts/"+posturetest.AccountID+"/devices/posture/integration/"+created.ID, server.Requests()[len(server.Requests())-1].Path)
}

func TestDeleteIntegrationTakesAnyResult(t *testing.T) {
	for _, result := range []string{`null`, `"gone"`, `{"id":"x"}`, `[]`, `5`, `false`} {
		client := mockClient(t, responding(200, `{"success":true,"result":`+result+`}`))
		require.NoError(t, client.Integrations.Delete(t.Context(), "x"), result)
	}
	require.NoError(t, mockClient(t, responding(200, `{"success":true}`)).Integrations.Delete(t.Context(), "x"))
	require.NoError(t, mockClient(t, responding(204, ``)).Integrations.Delete(t.Context(), "x"))
}

func TestTypeDecidesTheConfig(t *testing.T) {
	for _, integrationType := range cfposture.IntegrationTypes() {
		for _, text := range []string{`{}`, `{"client_id":"x"}`, `{"api_url":"u","auth_url":"a","client_id":"x"}`} {
			config := readConfig(t, integrationType, text)
			assert.IsType(t, cfposture.NewConfig(integrationType), config)
			assert.Equal(t, integrationType, config.IntegrationType())
		}
	}
	for _, test := range []struct {
		integrationType cfposture.IntegrationType
		text, reason    string
	}{
		{"quantum", `{"a":1}`, `type "quantum" is not a type of integration`},
		{cfposture.IntegrationTypeKolide, `{"client_id":5}`, "config.client_id is a number where a string is expected"},
		{cfposture.IntegrationTypeIntune, `[]`, "config is an array where an object is expected"},
	} {
		want := &cfposture.UnknownConfig{Type: test.integrationType, Raw: json.RawMessage(test.text), Reason: test.reason}
		assert.Equal(t, want, readConfig(t, test.integrationType, test.text))
	}
	assert.Equal(t, &cfposture.UnknownConfig{Type: "quantum"}, cfposture.NewConfig("quantum"))
}

func TestInvalidIntegrationIsNotSent(t *testing.T) {
	server := newServer(t)
	client := server.Client()
	_, err := client.Integrations.Create(t.Context(), &cfposture.Integration{Interval: "5m", Config: &cfposture.KolideConfig{ClientID: "id"}})
	assertProblems(t, err, "config.client_secret: is required")
	_, err = client.Integrations.Create(t.Context(), nil)
	require.EqualError(t, err, "cfposture: invalid integration: it is nil")
	_, err = client.Integrations.Update(t.Context(), "x", cfposture.IntegrationUpdate{})
	assertProblems(t, err, ": the change is empty")
	_, err = client.Integrations.Update(t.Context(), "", cfposture.IntegrationUpdate{Name: new("n")})
	require.EqualError(t, err, "cfposture: integration ID is empty")
	assert.Empty(t, server.Requests())
}

func TestUnknownConfigIsSentAsItIs(t *testing.T) {
	var sent []byte
	client := newServer(t).Client(captureBody(&sent))
	config := &cfposture.UnknownConfig{Type: "quantum", Raw: json.RawMessage(`{"key":"hidden"}`)}
	_, err := client.Integrations.Create(t.Context(), &cfposture.Integration{Name: "n", Interval: "5m", Config: config})
	require.Error(t, err, "the server knows no such type")
	assert.JSONEq(t, `{"name":"n","type":"quantum","interval":"5m","config":{"key":"hidden"}}`, string(sent))
	_, err = client.Integrations.Update(t.Context(), "x", cfposture.IntegrationUpdate{Config: config})
	require.ErrorIs(t, err, cfposture.ErrNotFound)
	assert.JSONEq(t, `{"type":"quantum","config":{"key":"hidden"}}`, string(sent))
}

func TestChangeThatCannotBeWrittenIsAnError(t *testing.T) {
	_, err := cfposture.IntegrationUpdate{Config: &cfposture.UnknownConfig{Raw: json.RawMessage("{")}}.MarshalJSON()
	require.EqualError(t, err, `cfposture: integration update: config is not valid JSON`)
	_, err = cfposture.IntegrationUpdate{Name: new("\xff")}.MarshalJSON()
	require.EqualError(t, err, `cfposture: integration update: name is not valid UTF-8`)
	_, err = cfposture.Integration{Name: "\xff"}.MarshalJSON()
	require.EqualError(t, err, `cfposture: integration "\xff": name is not valid UTF-8`)
	_, err = cfposture.Integration{Config: &cfposture.UnknownConfig{Raw: json.RawMessage("{")}}.MarshalJSON()
	require.EqualError(t, err, `cfposture: integration: config is not valid JSON`)
	require.EqualError(t, new(cfposture.Integration).UnmarshalJSON([]byte(`{"id":"x","interval":5}`)),
		`cfposture: integration x: interval is a number where a string is expected`)
}

func TestChangeSendsWhatIsSetToEmpty(t *testing.T) {
	for want, change := range map[string]cfposture.IntegrationUpdate{
		`{}`:              {},
		`{"name":""}`:     {Name: new("")},
		`{"interval":""}`: {Interval: new(cfposture.Interval(""))},
	} {
		text, err := json.Marshal(change)
		require.NoError(t, err)
		assert.JSONEq(t, want, string(text))
	}
}
