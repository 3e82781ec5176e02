package envelope

import (
	"bytes"
	"encoding/json"
	"testing"
	"testing/iotest"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzRead compares with Go's own JSON package, which reads the answer as a whole.
func FuzzRead(f *testing.F) {
	for _, text := range []string{
		`{"success":true,"errors":[],"messages":[],"result":{"id":"x"},"result_info":{"page":1}}`,
		`{"result":[{"id":"a"},1,null,[]],"success":true}`,
		`{"success":false,"errors":[{"code":1,"message":"m"}],"result":null}`,
		`{"success":1}`, `{"result":1,"result":2,"success":true}`, `{}`, `[]`, `null`, ``, `{"success":true}{}`, `{"success":true`, "{\"a\":\"\xff\"}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var result jsontext.Value
		e, err := Read(iotest.OneByteReader(bytes.NewReader(data)), func(dec *jsontext.Decoder) error {
			value, err := dec.ReadValue()
			result = value.Clone()
			return err
		})
		if err != nil {
			assert.Zero(t, e)
			return
		}
		var whole map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(data, &whole))
		assert.Equal(t, string(whole["result"]), string(result))
		assert.Equal(t, e.HasResult, whole["result"] != nil)

		var elements []string
		_, err = Read(bytes.NewReader(data), func(dec *jsontext.Decoder) error {
			return Elements(dec, func(text []byte) error {
				elements = append(elements, string(text))
				return nil
			})
		})
		var list []json.RawMessage
		if err != nil || !e.HasResult {
			return
		}
		require.NoError(t, json.Unmarshal(result, &list))
		require.Len(t, elements, len(list))
		for i := range list {
			assert.Equal(t, string(list[i]), elements[i])
		}
	})
}
