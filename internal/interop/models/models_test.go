// Package models tests the models with packages that programs use them with.
package models_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
)

// go-cmp panics at unexported fields, and looks at every other.
func TestCmpComparesEveryModel(t *testing.T) {
	for _, ruleType := range apifacts.RuleTypes {
		var rule, same cfposture.Rule
		require.NoError(t, json.Unmarshal(ruleType.Sample(), &rule))
		require.NoError(t, json.Unmarshal(ruleType.Sample(), &same))
		assert.Empty(t, cmp.Diff(rule, same), ruleType.Name)
		assert.Empty(t, cmp.Diff(&rule, rule.Clone()), ruleType.Name)
		same.Input = &cfposture.UnknownInput{Type: rule.Type, Raw: json.RawMessage(ruleType.Input)}
		assert.NotEmpty(t, cmp.Diff(rule, same), ruleType.Name)
	}
	for _, integrationType := range apifacts.IntegrationTypes {
		var integration, same cfposture.Integration
		require.NoError(t, json.Unmarshal(integrationType.SampleRequest(), &integration))
		require.NoError(t, json.Unmarshal(integrationType.SampleRequest(), &same))
		assert.Empty(t, cmp.Diff(integration, same), integrationType.Name)
		assert.Empty(t, cmp.Diff(&integration, integration.Clone()), integrationType.Name)
		for _, secret := range cfposture.Secrets(same.Config) {
			*secret = "another"
		}
		assert.False(t, cmp.Equal(integration, same), integrationType.Name)
	}
}

// A rule that YAML holds is the one that JSON holds.
func TestYAMLHoldsEveryRule(t *testing.T) {
	for _, ruleType := range apifacts.RuleTypes {
		document, err := yaml.JSONToYAML(ruleType.Sample())
		require.NoError(t, err)
		text, err := yaml.YAMLToJSONStrict(document)
		require.NoError(t, err)
		fromYAML, err := cfposture.ParseRule(text)
		require.NoError(t, err, "%s", document)
		fromJSON, err := cfposture.ParseRule(ruleType.Sample())
		require.NoError(t, err)
		assert.Equal(t, fromJSON, fromYAML)

		// sigs.k8s.io/yaml goes through the JSON methods, so a rule can be written and read by itself as well.
		written, err := yaml.Marshal(fromJSON)
		require.NoError(t, err)
		var read cfposture.Rule
		require.NoError(t, yaml.Unmarshal(written, &read), "%s", written)
		assert.Equal(t, fromJSON, &read)
	}
}
