package contract_test

import (
	"maps"
	"net/http"
	"slices"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
	"github.com/cfposture/cfposture/internal/interop/contract"
)

func TestDescriptionHasTheTenEndpoints(t *testing.T) {
	doc, err := contract.Description()
	require.NoError(t, err)
	var operations []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			operations = append(operations, method+" "+path)
		}
	}
	rules, integrations := "/accounts/{account_id}/devices/posture", "/accounts/{account_id}/devices/posture/integration"
	assert.ElementsMatch(t, []string{
		"GET " + rules, "POST " + rules, "GET " + rules + "/{rule_id}", "PUT " + rules + "/{rule_id}", "DELETE " + rules + "/{rule_id}",
		"GET " + integrations, "POST " + integrations, "GET " + integrations + "/{integration_id}",
		"PATCH " + integrations + "/{integration_id}", "DELETE " + integrations + "/{integration_id}",
	}, operations)
}

// The description and the tables that posturetest works by were written apart: where they differ, one is wrong.
func TestDescriptionAgreesWithTheTables(t *testing.T) {
	doc, err := contract.Description()
	require.NoError(t, err)
	requests, responses := doc.Components.Schemas["NewRule"].Value, doc.Components.Schemas["Rule"].Value
	assert.Len(t, requests.OneOf, len(apifacts.RuleTypes))
	for _, ruleType := range apifacts.RuleTypes {
		for _, union := range []*openapi3.Schema{requests, responses} {
			input := chosen(t, union, doc, ruleType.Name, "input")
			assertSameMembers(t, input, ruleType.Members, union == requests, ruleType.Name)
		}
	}
	integrations := doc.Components.Schemas["NewIntegration"].Value
	assert.Len(t, integrations.OneOf, len(apifacts.IntegrationTypes))
	for _, integrationType := range apifacts.IntegrationTypes {
		config := chosen(t, integrations, doc, integrationType.Name, "config")
		assertSameMembers(t, config, integrationType.Members, true, integrationType.Name)
	}
}

func TestDescriptionRequiresTheSameInputsAsTheTables(t *testing.T) {
	doc, err := contract.Description()
	require.NoError(t, err)
	for _, ruleType := range apifacts.RuleTypes {
		variant := variantOf(t, doc.Components.Schemas["NewRule"].Value, doc, ruleType.Name)
		var required []string
		for _, part := range variant.AllOf {
			required = append(required, part.Value.Required...)
		}
		assert.Equal(t, !ruleType.InputOptional, slices.Contains(required, "input"), ruleType.Name)
	}
}

func TestDescriptionHasTheSameReadOnlyMembersAsTheTables(t *testing.T) {
	doc, err := contract.Description()
	require.NoError(t, err)
	for name, c := range map[string]struct {
		schemas []*openapi3.SchemaRef
		members []apifacts.Member
	}{
		"rules":        {doc.Components.Schemas["StoredRule"].Value.AllOf, apifacts.RuleMembers},
		"integrations": {openapi3.SchemaRefs{doc.Components.Schemas["Integration"]}, apifacts.IntegrationMembers},
	} {
		var described, known []string
		for _, schema := range c.schemas {
			for member, property := range schema.Value.Properties {
				if property.Value.ReadOnly {
					described = append(described, member)
				}
			}
		}
		for _, member := range c.members {
			if member.ReadOnly {
				known = append(known, member.Name)
			}
		}
		assert.ElementsMatch(t, known, described, name)
	}
}

func TestDescriptionListsWhatResponsesMayLeaveOut(t *testing.T) {
	doc, err := contract.Description()
	require.NoError(t, err)
	for _, ruleType := range apifacts.RuleTypes {
		input := chosen(t, doc.Components.Schemas["Rule"].Value, doc, ruleType.Name, "input")
		assert.ElementsMatch(t, omittable(ruleType.Members), listed(t, input), ruleType.Name)
	}
	var inConfigs []string
	for _, integrationType := range apifacts.IntegrationTypes {
		inConfigs = append(inConfigs, omittable(integrationType.Members)...)
	}
	slices.Sort(inConfigs)
	assert.ElementsMatch(t, slices.Compact(inConfigs), listed(t, doc.Components.Schemas["StoredConfig"].Value))
}

func omittable(members []apifacts.Member) (names []string) {
	for _, member := range members {
		if member.MayBeOmitted {
			names = append(names, member.Name)
		}
	}
	return names
}

// listed returns the names in a schema's x-may-be-omitted.
func listed(t *testing.T, schema *openapi3.Schema) (names []string) {
	t.Helper()
	extension, ok := schema.Extensions["x-may-be-omitted"]
	if !ok {
		return nil
	}
	for _, name := range extension.([]any) {
		names = append(names, name.(string))
	}
	return names
}

// Every deviation in the tables is marked in the description.
func TestDescriptionMarksWhatTheLiveAPIDoesOtherwise(t *testing.T) {
	doc, err := contract.Description()
	require.NoError(t, err)
	for _, ruleType := range apifacts.RuleTypes {
		for _, member := range ruleType.Members {
			if member.LiveOptional || member.LiveEnum != nil {
				input := chosen(t, doc.Components.Schemas["Rule"].Value, doc, ruleType.Name, "input")
				assert.Contains(t, input.Extensions["x-observed"], member.Name, ruleType.Name)
			}
		}
	}
}

// chosen returns the schema of a member in the variant that the discriminator chooses for a type.
func chosen(t *testing.T, union *openapi3.Schema, doc *openapi3.T, typeName, member string) *openapi3.Schema {
	t.Helper()
	for _, part := range variantOf(t, union, doc, typeName).AllOf {
		if schema, ok := part.Value.Properties[member]; ok {
			return schema.Value
		}
	}
	require.FailNow(t, "no "+member, typeName)
	return nil
}

func variantOf(t *testing.T, union *openapi3.Schema, doc *openapi3.T, typeName string) *openapi3.Schema {
	t.Helper()
	ref, ok := union.Discriminator.Mapping[typeName]
	require.True(t, ok, typeName)
	return doc.Components.Schemas[ref.Ref[len("#/components/schemas/"):]].Value
}

func assertSameMembers(t *testing.T, schema *openapi3.Schema, members []apifacts.Member, request bool, at string) {
	t.Helper()
	properties, required := maps.Clone(schema.Properties), slices.Clone(schema.Required)
	for _, part := range schema.AllOf {
		if properties == nil {
			properties = openapi3.Schemas{}
		}
		maps.Copy(properties, part.Value.Properties)
		required = append(required, part.Value.Required...)
	}
	var names, demanded []string
	for _, member := range members {
		names = append(names, member.Name)
		if member.Demanded() && request {
			demanded = append(demanded, member.Name)
		}
		if property, ok := properties[member.Name]; assert.True(t, ok, "%s.%s", at, member.Name) {
			assertSameMember(t, property.Value, member, at+"."+member.Name)
		}
	}
	assert.ElementsMatch(t, names, slices.Collect(maps.Keys(properties)), at)
	assert.ElementsMatch(t, demanded, required, at)
}

func assertSameMember(t *testing.T, schema *openapi3.Schema, member apifacts.Member, at string) {
	t.Helper()
	values := schema
	switch member.Kind {
	case apifacts.String:
		assert.True(t, schema.Type.Is(openapi3.TypeString), at)
	case apifacts.Bool:
		assert.True(t, schema.Type.Is(openapi3.TypeBoolean), at)
	case apifacts.Number:
		assert.True(t, schema.Type.Is(openapi3.TypeNumber), at)
		assert.Equal(t, member.Min, schema.Min, at)
		assert.Equal(t, member.Max, schema.Max, at)
	case apifacts.Strings:
		assert.True(t, schema.Type.Is(openapi3.TypeArray), at)
		assert.Equal(t, member.Distinct, schema.UniqueItems, at)
		values = schema.Items.Value
	case apifacts.Object:
		assertSameMembers(t, schema, member.Members, false, at)
	case apifacts.Objects, apifacts.Any:
		t.Errorf("%s: no input has an array of objects or a member of any kind", at)
	}
	var enum []string
	for _, value := range values.Enum {
		enum = append(enum, value.(string))
	}
	assert.ElementsMatch(t, member.Allowed(), enum, at)
	if member.MaxLength > 0 && assert.NotNil(t, schema.MaxLength, at) {
		assert.EqualValues(t, member.MaxLength, *schema.MaxLength, at)
	}
	assert.Equal(t, member.Secret, schema.Format == "password", at)
	assert.Equal(t, member.Deprecated != "", schema.Deprecated, at)
}

func TestViolationShowsNoSecret(t *testing.T) {
	a := newAccount(t, cfposture.WithoutValidation())
	_, err := a.client.Integrations.Create(t.Context(), &cfposture.Integration{
		Name: "n", Interval: "often",
		Config: &cfposture.KolideConfig{ClientSecret: "a-secret-to-hide"},
	})
	require.Error(t, err)
	require.Len(t, a.violations, 1)
	assert.NotContains(t, a.violations[0].String(), "a-secret-to-hide")
	assert.Contains(t, a.violations[0].String(), "POST")
	a.assertRequestRefused(t)
}

func TestRequestsThatAreNotDescribedBreakTheContract(t *testing.T) {
	for name, path := range map[string]string{
		"without credentials": "/accounts/a/devices/posture",
		"another endpoint":    "/accounts/a/devices",
	} {
		t.Run(name, func(t *testing.T) {
			a := newAccount(t)
			var violations []contract.Violation
			middleware, err := contract.Middleware(a.server.URL, func(v contract.Violation) { violations = append(violations, v) })
			require.NoError(t, err)
			request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.server.URL+path, nil)
			require.NoError(t, err)
			response, err := middleware(a.server.Transport()).RoundTrip(request)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Len(t, violations, 1)
			assert.Error(t, violations[0].Request)
		})
	}
}
