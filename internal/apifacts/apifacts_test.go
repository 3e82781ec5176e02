package apifacts_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/internal/apifacts"
)

var uuid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func TestTablesHaveTheDocumentedCounts(t *testing.T) {
	assert.Len(t, apifacts.RuleTypes, 23)
	assert.Len(t, apifacts.IntegrationTypes, 8)
	assert.Len(t, apifacts.Shapes, 27)
	assert.Len(t, apifacts.Operators, 5)
	assert.Len(t, apifacts.Platforms, 6)
}

func TestNamesOccurOnce(t *testing.T) {
	var names []string
	for _, r := range apifacts.RuleTypes {
		names = append(names, r.Name, r.SampleID())
		found, ok := apifacts.FindRuleType(r.Name)
		assert.True(t, ok, r.Name)
		assert.Equal(t, r.Name, found.Name)
	}
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(names))), 2*23)

	names = nil
	for _, i := range apifacts.IntegrationTypes {
		names = append(names, i.Name, i.SampleID())
		found, ok := apifacts.FindIntegrationType(i.Name)
		assert.True(t, ok, i.Name)
		assert.Equal(t, i.Name, found.Name)
	}
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(names))), 2*8)
}

func TestRuleSamplesHaveEveryMemberOfTheirType(t *testing.T) {
	for _, r := range apifacts.RuleTypes {
		t.Run(r.Name, func(t *testing.T) {
			rule := parse(t, r.Sample())
			members := without(apifacts.RuleMembers, func(m apifacts.Member) bool { return m.Name == "input" })
			if len(r.Members) > 0 {
				members = apifacts.RuleMembers
				assertHolds(t, r.Input, r.Members)
			} else {
				assert.Empty(t, r.Input)
			}
			assertHolds(t, string(r.Sample()), members)
			assert.Regexp(t, uuid, rule["id"])
			assert.Equal(t, r.Name, rule["type"])
			assert.Equal(t, apifacts.DefaultSchedule, rule["schedule"])
		})
	}
}

func TestMinimalInputsHaveWhatIsDemanded(t *testing.T) {
	for _, r := range apifacts.RuleTypes {
		t.Run(r.Name, func(t *testing.T) {
			if len(r.Members) == 0 {
				assert.Empty(t, r.Minimal)
				return
			}
			var demanded []string
			for _, m := range r.Members {
				if m.Demanded() || r.Name == "kolide" && m.Name == "auth_state" {
					demanded = append(demanded, m.Name)
				}
			}
			assert.ElementsMatch(t, demanded, slices.Collect(maps.Keys(parse(t, []byte(r.Minimal)))))
			assertFits(t, r.Minimal, r.Members)
		})
	}
}

func TestIntegrationSamplesDifferByTheSecretsAlone(t *testing.T) {
	for _, i := range apifacts.IntegrationTypes {
		t.Run(i.Name, func(t *testing.T) {
			open := without(i.Members, func(m apifacts.Member) bool { return m.Secret })
			assert.Less(t, len(open), len(i.Members), "a type without a secret")
			assertHolds(t, i.Config, i.Members)
			assertHolds(t, i.Answer, open)
			writable := without(apifacts.IntegrationMembers, func(m apifacts.Member) bool { return m.ReadOnly })
			assertHolds(t, string(i.SampleRequest()), writable)
			assertHolds(t, string(i.SampleAnswer()), apifacts.IntegrationMembers)
			assert.Regexp(t, uuid, parse(t, i.SampleAnswer())["id"])
		})
	}
}

func TestSecretsAreNamedOnce(t *testing.T) {
	assert.ElementsMatch(t, []string{"client_secret", "client_key", "access_client_secret"}, apifacts.Secrets())
}

func TestShapesCoverEveryTypeAndFitIt(t *testing.T) {
	types := map[string]bool{}
	for _, shape := range apifacts.Shapes {
		types[shape.Type] = true
		r, ok := apifacts.FindRuleType(shape.Type)
		require.True(t, ok, shape.Type)
		assertFits(t, shape.Input, r.Members)
	}
	assert.Len(t, types, len(apifacts.RuleTypes))
}

func TestConfigsInResponsesHoldThreeMembersForSure(t *testing.T) {
	seen := map[string]bool{}
	for _, i := range apifacts.IntegrationTypes {
		for _, m := range i.Members {
			if !m.Secret && !m.MayBeOmitted {
				seen[m.Name] = true
			}
		}
	}
	assert.Equal(t, map[string]bool{"api_url": true, "auth_url": true, "client_id": true}, seen)
}

func TestOnlyTheAPISetsReadOnlyMembers(t *testing.T) {
	names := func(members []apifacts.Member) (names []string) {
		for _, m := range members {
			if m.ReadOnly {
				names = append(names, m.Name)
			}
		}
		return names
	}
	assert.Equal(t, []string{"enabled", "id"}, names(apifacts.RuleMembers))
	assert.Equal(t, []string{"id", "identifier", "schema", "test_results"}, names(apifacts.IntegrationMembers))
}

func TestRulesNeedAnInputButForThreeTypes(t *testing.T) {
	var optional []string
	for _, r := range apifacts.RuleTypes {
		if r.InputOptional {
			optional = append(optional, r.Name)
		}
	}
	assert.ElementsMatch(t, []string{"warp", "gateway", "tanium"}, optional)
}

func TestOnlyKolideRulesWithIssueCountAreDisabled(t *testing.T) {
	for _, r := range apifacts.RuleTypes {
		assert.True(t, r.Enabled(func(string) bool { return false }), r.Name)
		assert.Equal(t, r.Name != "kolide", r.Enabled(func(member string) bool { return member == "issue_count" }), r.Name)
	}
}

func TestLiveFactsOnlyWidenTheDocuments(t *testing.T) {
	for _, r := range apifacts.RuleTypes {
		for _, m := range r.Members {
			assert.True(t, m.Required || !m.LiveOptional, "%s.%s", r.Name, m.Name)
			for _, documented := range m.Enum {
				assert.Contains(t, m.Allowed(), documented, "%s.%s", r.Name, m.Name)
			}
		}
	}
}

// assertHolds fails unless raw has exactly the members of the table, each of them fitting, in alphabetical order.
func assertHolds(t *testing.T, raw string, members []apifacts.Member) {
	t.Helper()
	var names []string
	for _, m := range members {
		names = append(names, m.Name)
	}
	assert.True(t, slices.IsSorted(names), "table out of order: %v", names)
	assert.Equal(t, names, slices.Sorted(maps.Keys(parse(t, []byte(raw)))))
	assertFits(t, raw, members)

	var ordered bytes.Buffer // encoding/json sorts the members of a map
	encoder := json.NewEncoder(&ordered)
	encoder.SetEscapeHTML(false)
	require.NoError(t, encoder.Encode(parse(t, []byte(raw))))
	assert.Equal(t, raw, strings.TrimSpace(ordered.String()), "members out of order")
}

// assertFits fails where a member of raw that the table names is not what the table says.
func assertFits(t *testing.T, raw string, members []apifacts.Member) {
	t.Helper()
	values := parse(t, []byte(raw))
	for _, m := range members {
		value, ok := values[m.Name]
		if !ok {
			continue
		}
		switch m.Kind {
		case apifacts.String:
			assert.IsType(t, "", value, m.Name)
			assertAllowed(t, m, value)
			if m.MaxLength > 0 {
				assert.LessOrEqual(t, utf8.RuneCountInString(value.(string)), m.MaxLength, m.Name)
			}
		case apifacts.Bool:
			assert.IsType(t, true, value, m.Name)
		case apifacts.Number:
			assert.IsType(t, 1.0, value, m.Name)
		case apifacts.Strings:
			for _, element := range value.([]any) {
				assertAllowed(t, m, element)
			}
		case apifacts.Any: // fits whatever it is
		case apifacts.Object:
			if m.Members != nil {
				assertHolds(t, marshal(t, value), m.Members)
			}
		case apifacts.Objects:
			for _, element := range value.([]any) {
				assertHolds(t, marshal(t, element), m.Members)
			}
		default:
			t.Errorf("%s has no kind", m.Name)
		}
	}
}

func assertAllowed(t *testing.T, m apifacts.Member, value any) {
	t.Helper()
	if allowed := m.Allowed(); allowed != nil {
		assert.Contains(t, allowed, value, m.Name)
	}
}

func parse(t *testing.T, raw []byte) map[string]any {
	t.Helper()
	var values map[string]any
	require.NoError(t, json.Unmarshal(raw, &values), "%s", raw)
	return values
}

func marshal(t *testing.T, value any) string {
	t.Helper()
	raw, err := json.Marshal(value)
	require.NoError(t, err)
	return string(raw)
}

func without(members []apifacts.Member, drop func(apifacts.Member) bool) []apifacts.Member {
	return slices.DeleteFunc(slices.Clone(members), drop)
}
