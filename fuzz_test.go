package cfposture_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
)

// The targets here hold for any bytes: what decodes comes back equal, with nothing that has a value lost. Bytes that
// Go's own JSON package reads otherwise than as they stand (invalid UTF-8) do not decode.

func FuzzRule(f *testing.F) {
	for _, ruleType := range apifacts.RuleTypes {
		f.Add(ruleType.Sample())
		f.Add([]byte(withUnknown(string(ruleType.Sample()))))
	}
	f.Add([]byte(`{"type":"quantum","input":[1.10,{"a":null}],"match":[{},{"platform":"x","y":[]}],"schedule":"\u0031m"}`))
	f.Add([]byte(`{"type":"file","input":{"path":5},"name":null,"x":-0,"y":1E+2}`))
	f.Add([]byte(`null`))
	f.Fuzz(assertModelIsKept[cfposture.Rule])
}

func FuzzIntegration(f *testing.F) {
	for _, integrationType := range apifacts.IntegrationTypes {
		f.Add(integrationType.SampleAnswer())
		f.Add([]byte(withUnknown(string(integrationType.SampleAnswer()))))
	}
	f.Add([]byte(`{"type":"quantum","config":{"a":[1.10]},"interval":null}`))
	f.Add([]byte(`null`))
	f.Fuzz(assertModelIsKept[cfposture.Integration])
}

// model is a pointer to a rule or an integration.
type model[T any] interface {
	*T
	json.Marshaler
	json.Unmarshaler
	Validate() error
}

func assertModelIsKept[T any, P model[T]](t *testing.T, data []byte) {
	decoded := P(new(T))
	if decoded.UnmarshalJSON(data) != nil {
		return
	}
	_ = decoded.Validate()
	if rule, is := any(decoded).(*cfposture.Rule); is && hasNoMembers(rule.Input) { // and so is not sent
		rule.Input = nil
		data = without(t, data, "input")
	}
	if string(bytes.TrimSpace(data)) == "null" { // changes nothing, as json.Unmarshaler asks
		data = []byte("{}")
	}
	encoded, err := decoded.MarshalJSON()
	require.NoError(t, err)
	assertAllKept(t, data, encoded)
	again := P(new(T))
	require.NoError(t, again.UnmarshalJSON(encoded))
	assert.Equal(t, decoded, again)
}

func FuzzInput(f *testing.F) {
	for i, ruleType := range apifacts.RuleTypes {
		f.Add(i, []byte(ruleType.Input))
		f.Add(i, []byte(ruleType.Minimal))
		f.Add(i, []byte("{"+unknown+"}"))
	}
	for _, shape := range apifacts.Shapes {
		for i, ruleType := range cfposture.RuleTypes() {
			if string(ruleType) == shape.Type {
				f.Add(i, []byte(shape.Input))
			}
		}
	}
	f.Fuzz(func(t *testing.T, i int, data []byte) {
		types := cfposture.RuleTypes()
		ruleType := types[uint(i)%uint(len(types))]
		input, err := cfposture.ParseInput(ruleType, data, "*")
		if err != nil {
			return
		}
		assert.Equal(t, ruleType, input.RuleType())
		assertVariantIsKept(t, data, input, func(encoded []byte) (any, error) {
			return cfposture.ParseInput(ruleType, encoded, "*")
		})
	})
}

func FuzzConfig(f *testing.F) {
	for i, integrationType := range apifacts.IntegrationTypes {
		f.Add(i, []byte(integrationType.Config))
		f.Add(i, []byte(integrationType.Answer))
		f.Add(i, []byte("{"+unknown+"}"))
	}
	f.Fuzz(func(t *testing.T, i int, data []byte) {
		types := cfposture.IntegrationTypes()
		integrationType := types[uint(i)%uint(len(types))]
		config, err := cfposture.ParseConfig(integrationType, data, "*")
		if err != nil {
			return
		}
		assert.Equal(t, integrationType, config.IntegrationType())
		assertVariantIsKept(t, data, config, func(encoded []byte) (any, error) {
			return cfposture.ParseConfig(integrationType, encoded, "*")
		})
	})
}

func assertVariantIsKept(t *testing.T, data []byte, variant any, parse func([]byte) (any, error)) {
	t.Helper()
	encoded, err := variant.(json.Marshaler).MarshalJSON()
	require.NoError(t, err)
	assertAllKept(t, data, encoded)
	again, err := parse(encoded)
	require.NoError(t, err)
	assert.Equal(t, variant, again)
}

func FuzzRuleIDReachesItsOwnEndpoint(f *testing.F) {
	for _, id := range []string{"f174e90a", "../../../zones/x", "a/b", "%2e%2e", "?x=1", "#", "", ".", "..", " ", "é", "\n", "\x00", "\xff", "integration", "a;b", "a%", "//"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		const prefix = "/client/v4/" + rulesPath + "/"
		client := mockClient(t, func(r *http.Request) (*http.Response, error) {
			target, err := url.ParseRequestURI(r.URL.RequestURI())
			require.NoError(t, err)
			element, ok := strings.CutPrefix(target.EscapedPath(), prefix)
			require.True(t, ok, target)
			assert.NotContains(t, element, "/")
			assert.NotContains(t, []string{"", ".", "..", "integration"}, element)
			assert.Empty(t, target.RawQuery)
			reached, err := url.PathUnescape(element)
			require.NoError(t, err)
			assert.Equal(t, id, reached)
			return responding(200, `{"success":true,"result":{"id":"x","name":"n","type":"warp"}}`)(r)
		})
		_, err := client.Posture.Get(t.Context(), id)
		refused := id == "" || id == "." || id == ".." || id == "integration"
		assert.Equal(t, refused, err != nil, "%q: %v", id, err)
	})
}

func hasNoMembers(input cfposture.DeviceInput) bool {
	switch input := input.(type) {
	case *cfposture.GatewayInput:
		return len(input.Extra) == 0
	case *cfposture.WARPInput:
		return len(input.Extra) == 0
	default:
		return false
	}
}

func without(t *testing.T, object []byte, member string) []byte {
	t.Helper()
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(object, &members))
	delete(members, member)
	text, err := json.Marshal(members)
	require.NoError(t, err)
	return text
}
