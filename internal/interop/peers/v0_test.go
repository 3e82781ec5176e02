package peers_test

import (
	"encoding/json"
	"testing"

	cloudflarev0 "github.com/cloudflare/cloudflare-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
)

// v0Loses are the members of each type's sample that v0 has no field for, or one that can't hold the value: its numbers
// are int, and 0 counts as absent.
var v0Loses = map[string][]string{
	"file":                  {"input.operating_system"},
	"application":           {"input.operating_system"},
	"tanium":                {"input.total_score"},
	"sentinelone":           {"input.operating_system"},
	"carbonblack":           {"input.operating_system"},
	"firewall":              {"input.operating_system"},
	"os_version":            {"input.operating_system"},
	"domain_joined":         {"input.operating_system"},
	"client_certificate_v2": {"input.operating_system", "input.subject_alternative_names"},
	"antivirus":             {"input.update_window_days"},
	"unique_client_id":      {"input.operating_system"},
	"kolide":                {"input.auth_state"},
	"tanium_s2s":            {"input.total_score"},
	"sentinelone_s2s":       {"input.active_threats"},
	"custom_s2s":            {"input.score"},
}

// v0CannotCreate are the types whose rules the API refuses without a member that v0 loses.
var v0CannotCreate = map[string]bool{"custom_s2s": true}

func TestV0AndCFPostureDoTheSameWithRulesSaveForWhatV0HasNoFieldFor(t *testing.T) {
	for _, ruleType := range apifacts.RuleTypes {
		t.Run(ruleType.Name, func(t *testing.T) {
			server := newServer(t)
			theirs, ours := newV0(t, server), server.Client()
			request, rule := sampleRule(t, ruleType)
			model := v0Rule(t, request)

			created, err := theirs.CreateDevicePostureRule(t.Context(), accountID, model)
			if v0CannotCreate[ruleType.Name] {
				require.Error(t, err)
				assert.Empty(t, server.Rules())
				return
			}
			require.NoError(t, err)
			assert.ElementsMatch(t, v0Loses[ruleType.Name], lost(t, request, last(t, server.Rules())))

			read, err := ours.Posture.Get(t.Context(), created.ID)
			require.NoError(t, err)
			_, unknown := read.Input.(*cfposture.UnknownInput)
			assert.False(t, unknown)
			assert.Equal(t, rule.Name, read.Name)

			// What cfposture wrote, v0 reads as far as it has fields, and writes back without the rest.
			made, err := ours.Posture.Create(t.Context(), rule)
			require.NoError(t, err)
			_, err = theirs.DevicePostureRule(t.Context(), accountID, made.ID)
			if hasDecimals(ruleType) {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			model.ID = made.ID
			_, err = theirs.UpdateDevicePostureRule(t.Context(), accountID, model)
			require.NoError(t, err)
			rules := server.Rules()
			require.Len(t, rules, 2)
			assert.JSONEq(t, without(t, rules[0], "id"), without(t, rules[1], "id"))

			listed, err := ours.Posture.List(t.Context())
			require.NoError(t, err)
			listedByThem, _, err := theirs.DevicePostureRules(t.Context(), accountID)
			require.NoError(t, err)
			require.Len(t, listedByThem, 2)
			for i, rule := range listed {
				assert.Equal(t, rule.ID, listedByThem[i].ID)
			}
			require.NoError(t, theirs.DeleteDevicePostureRule(t.Context(), accountID, made.ID))
			require.NoError(t, ours.Posture.Delete(t.Context(), created.ID))
			assert.Empty(t, server.Rules())
		})
	}
}

// v0Rule is the rule as far as v0 has fields for it.
func v0Rule(t *testing.T, text []byte) cloudflarev0.DevicePostureRule {
	t.Helper()
	var rule cloudflarev0.DevicePostureRule
	if err := json.Unmarshal(text, &rule); err != nil {
		var decimals *json.UnmarshalTypeError
		require.ErrorAs(t, err, &decimals)
	}
	return rule
}

// hasDecimals reports whether the type's sample holds a number that is not whole.
func hasDecimals(ruleType apifacts.RuleType) bool {
	return json.Unmarshal(ruleType.Sample(), new(cloudflarev0.DevicePostureRule)) != nil
}

func TestV0AndCFPostureDoTheSameWithIntegrationsOfEveryType(t *testing.T) {
	for _, integrationType := range apifacts.IntegrationTypes {
		t.Run(integrationType.Name, func(t *testing.T) {
			server := newServer(t)
			server.Reset()
			theirs, ours := newV0(t, server), server.Client().Integrations
			var model cloudflarev0.DevicePostureIntegration
			require.NoError(t, json.Unmarshal(integrationType.SampleRequest(), &model))

			created, err := theirs.CreateDevicePostureIntegration(t.Context(), accountID, model)
			require.NoError(t, err)
			made, err := ours.Create(t.Context(), sampleIntegration(t, integrationType))
			require.NoError(t, err)
			integrations := server.Integrations()
			require.Len(t, integrations, 2)
			assert.JSONEq(t, without(t, integrations[0], "id"), without(t, integrations[1], "id"))
			requests := server.Requests()
			assert.JSONEq(t, string(requests[0].Body), string(requests[1].Body), "secrets are sent alike")

			read, err := ours.Get(t.Context(), created.IntegrationID)
			require.NoError(t, err)
			assert.Equal(t, made.Config, read.Config)
			readByThem, err := theirs.DevicePostureIntegration(t.Context(), accountID, made.ID)
			require.NoError(t, err)
			assert.Equal(t, created.Config, readByThem.Config)

			model.IntegrationID, model.Name = made.ID, "changed"
			_, err = theirs.UpdateDevicePostureIntegration(t.Context(), accountID, model)
			require.NoError(t, err)
			_, err = ours.Update(t.Context(), created.IntegrationID, cfposture.IntegrationUpdate{Name: new("changed")})
			require.NoError(t, err)
			integrations = server.Integrations()
			assert.JSONEq(t, without(t, integrations[0], "id"), without(t, integrations[1], "id"))

			listed, err := ours.List(t.Context())
			require.NoError(t, err)
			listedByThem, _, err := theirs.DevicePostureIntegrations(t.Context(), accountID)
			require.NoError(t, err)
			require.Len(t, listedByThem, len(listed))
			require.NoError(t, theirs.DeleteDevicePostureIntegration(t.Context(), accountID, made.ID))
			require.NoError(t, ours.Delete(t.Context(), created.IntegrationID))
			assert.Empty(t, server.Integrations())
		})
	}
}
