package wire

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A list whose bytes are mutated is decoded item by item, and by encoding/json: what fits must have the same meaning, what
// doesn't must be an error, and no item hides the one after it.
func TestDecodeMutatedListsAsEncodingJSONDoes(t *testing.T) {
	const list = `[{"always":"a\u00e9b","text":"t","bool":true,"number":1.5e2,"texts":["x","y\n"],"object":{"name":"o","z":1},` +
		`"list":[{"name":"l"},{}],"held":{"type":"h"},"more":[1,{"q":null}]},{"always":"é","score":-0.25,"maybe":null},{"always":"last"}]`
	const bytes = "\"\\{}[]:,0123456789eE.+-truefalsn \tabu\x00\x1f\x80\xff"
	random := rand.New(rand.NewPCG(1, 2))
	decoded := 0
	for range 50_000 {
		text := []byte(list)
		for range 1 + random.IntN(3) {
			i := random.IntN(len(text))
			switch b := bytes[random.IntN(len(bytes))]; random.IntN(3) {
			case 0:
				text[i] = b
			case 1:
				text = append(text[:i], text[i+1:]...)
			default:
				text = append(text[:i], append([]byte{b}, text[i:]...)...)
			}
		}
		var want []json.RawMessage
		if wantErr := json.Unmarshal(text, &want); wantErr != nil {
			s := NewScanner(text)
			s.Skip()
			require.True(t, s.End() != nil || text[0] != '[', "%s", text)
			continue
		}
		d := NewDecoder(text)
		i := 0
		for d.Open('['); d.Next(']'); i++ {
			o := new(outer)
			d.BeginObject()
			o.decode(d)
			if err := d.EndObject(); err == nil {
				decoded++
				assertMeans(t, want[i], o, d)
			}
		}
		require.NoError(t, d.End(), "%s", text)
		require.Len(t, want, i, "%s", text)
	}
	assert.Greater(t, decoded, 20_000)
}

// assertMeans checks that a struct encodes to what the text means to encoding/json.
func assertMeans(t *testing.T, text []byte, o *outer, d *Decoder) {
	t.Helper()
	o.Held = nil
	d.Revisit(func() { o.Held = string(d.Value()) })
	written, err := Encode(o.write)
	require.NoError(t, err, "%s", text)
	var want, have map[string]any
	require.NoError(t, json.Unmarshal(text, &want))
	require.NoError(t, json.Unmarshal(written, &have))
	for _, object := range []map[string]any{want, have} {
		deleteUnset(object)
	}
	require.Equal(t, want, have, "%s", text)
}

func deleteUnset(value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, member := range value {
			if deleteUnset(member); member == nil || member == "" {
				delete(value, name)
			}
		}
	case []any:
		for _, element := range value {
			deleteUnset(element)
		}
	}
}
