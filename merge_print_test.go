package cfposture_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
)

// A set that is equal is left as it is.
func TestMergeKeepsSetsThatAreEqual(t *testing.T) {
	for want, have := range map[string]string{
		`{"type":"warp","match":[{"platform":"mac"}]}`:                                    `{"type":"warp","match":[{"platform":"mac","z":2},{"platform":"mac","z":3}]}`,
		`{"type":"warp","match":[{}]}`:                                                    `{"type":"warp","match":[{"platform":"windows"},{"platform":"mac"}]}`,
		`{"type":"kolide","input":{"connection_id":"c","auth_state":["Good","Blocked"]}}`: `{"type":"kolide","input":{"connection_id":"c","auth_state":["Blocked","Good"]}}`,
	} {
		var wanted, there cfposture.Rule
		require.NoError(t, json.Unmarshal([]byte(want), &wanted))
		require.NoError(t, json.Unmarshal([]byte(have), &there))
		require.Empty(t, wanted.Diff(&there), want)
		assert.Equal(t, &there, wanted.Merge(&there), want)
	}
}

func TestMergeOfWhatCannotBeEncodedIsRefusedByUpdate(t *testing.T) {
	broken := map[string]json.RawMessage{"x": json.RawMessage("{")}
	for _, rules := range [][2]*cfposture.Rule{
		{{Name: "want", Extra: broken}, {ID: "1", Type: cfposture.RuleTypeWARP}},
		{{Name: "want"}, {ID: "1", Type: cfposture.RuleTypeWARP, Description: "have", Extra: broken}},
	} {
		merged := rules[0].Merge(rules[1])
		assert.Equal(t, "1", merged.ID)
		require.ErrorContains(t, merged.Validate(), "x of Extra is not valid JSON")
	}
	merged := (&cfposture.Integration{Name: "want"}).Merge(&cfposture.Integration{ID: "1", Extra: broken})
	assert.ErrorContains(t, merged.Validate(), "x of Extra is not valid JSON")
}

func TestNilHasNoUnknownMembers(t *testing.T) {
	assert.Empty(t, (*cfposture.Rule)(nil).UnknownMembers())
	assert.Empty(t, (*cfposture.Integration)(nil).UnknownMembers())
}

func TestDiffShowsNoSecretOfAnUnknownConfig(t *testing.T) {
	for _, raws := range [][2]string{
		{`{"secret":"topsecret3"}`, `null`}, {`{"secret":"topsecret3"}`, `[]`}, {`["topsecret3"]`, `{"secret":"x"}`}, {`"topsecret3"`, `1`},
	} {
		want := &cfposture.Integration{Config: &cfposture.UnknownConfig{Type: "later", Raw: json.RawMessage(raws[0])}}
		have := &cfposture.Integration{Config: &cfposture.UnknownConfig{Type: "later", Raw: json.RawMessage(raws[1])}}
		assert.NotContains(t, fmt.Sprint(want.Diff(have)), "topsecret3", raws)
	}
}

func TestItemErrorPrintsNoRawAsAValueEither(t *testing.T) {
	item := cfposture.ItemError{Raw: json.RawMessage(`"topsecret3"`), Err: errors.New("odd")}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "item", item, "pointer", &item)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "item", item, "pointer", &item)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d"} {
		fmt.Fprintf(&log, verb+verb, item, &item)
	}
	assert.NotContains(t, log.String(), "topsecret3")
	assert.NotContains(t, log.String(), "116 111 112", "the bytes")
}
