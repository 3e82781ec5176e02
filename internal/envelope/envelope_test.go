package envelope_test

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/internal/envelope"
)

// read reads an envelope whose result is a list, and returns the elements.
func read(r io.Reader) (envelope.Envelope, []string, error) {
	var elements []string
	env, err := envelope.Read(r, func(dec *jsontext.Decoder) error {
		return envelope.Elements(dec, func(text []byte) error {
			elements = append(elements, string(text))
			return nil
		})
	})
	return env, elements, err
}

func TestMembersComeInAnyOrder(t *testing.T) {
	const members = `"errors":[{"code":1}]|"messages":[]|"result":[1,{"a":2}]|"result_info":{"page":1}|"success":true|"new":[[{}]]`
	order := strings.Split(members, "|")
	for range order {
		order = append(order[1:], order[0])
		text := "{" + strings.Join(order, ",") + "}"
		env, elements, err := read(strings.NewReader(text))
		require.NoError(t, err, text)
		assert.True(t, env.Success, text)
		assert.True(t, env.HasResult, text)
		assert.JSONEq(t, `[{"code":1}]`, string(env.Errors), text)
		assert.Nil(t, env.Messages, "an empty list is none")
		assert.JSONEq(t, `{"page":1}`, string(env.ResultInfo), text)
		assert.Equal(t, []string{"1", `{"a":2}`}, elements, text)
	}
}

func TestWhatIsNoEnvelopeIsAnError(t *testing.T) {
	for text, want := range map[string]string{
		``:                                 "EOF",
		` `:                                "EOF",
		`<html>502</html>`:                 "invalid character '<'",
		`null`:                             "not a JSON object",
		`[]`:                               "not a JSON object",
		`"x"`:                              "not a JSON object",
		`12`:                               "not a JSON object",
		`{}`:                               `no member "success"`,
		`{"result":[]}`:                    `no member "success"`,
		`{"success":1}`:                    "neither true nor false",
		`{"success":"true"}`:               "neither true nor false",
		`{"success":null}`:                 "neither true nor false",
		`{"success":true,"result":{}}`:     "is an object where an array is expected",
		`{"success":true,"result":"x"}`:    "is a string where an array is expected",
		`{"success":true,"result":[1 2]}`:  "invalid character '2'",
		`{"success":true,"result":[1,]}`:   "invalid character ','",
		`{"success":true,"result":[1`:      "unexpected EOF",
		`{"success":true,"result":[1]`:     "unexpected EOF",
		`{"success":true`:                  "unexpected EOF",
		`{"success":true}{"success":true}`: "something follows",
		`{"success":true}x`:                "invalid character 'x'",
		`{"success":true,"result":[1],"result":[2]}`: `two members "result"`,
		`{"result":` + strings.Repeat(`[`, 20000):    "exceeded max depth",
	} {
		_, _, err := read(strings.NewReader(text))
		assert.ErrorContains(t, err, want, "%.60s", text)
	}
}

func TestNullAndAbsentResultsAreEmptyLists(t *testing.T) {
	env, elements, err := read(strings.NewReader(`{"success":true,"result":null}`))
	require.NoError(t, err)
	assert.True(t, env.HasResult)
	assert.Empty(t, elements)

	env, elements, err = read(strings.NewReader(`{"success":false,"errors":[{"code":7}]}`))
	require.NoError(t, err)
	assert.False(t, env.HasResult)
	assert.False(t, env.Success)
	assert.Empty(t, elements)
}

func TestEveryWayOfArrivingIsTheSame(t *testing.T) {
	const text = `{"errors":[],"messages":[],"result":[{"id":"1","name":"\u00e9\\"},{"id":"2"}],"success":true}` + "\n"
	for name, r := range map[string]io.Reader{
		"at once":              strings.NewReader(text),
		"byte by byte":         iotest.OneByteReader(strings.NewReader(text)),
		"end with the last":    iotest.DataErrReader(strings.NewReader(text)),
		"byte by byte and end": iotest.DataErrReader(iotest.OneByteReader(strings.NewReader(text))),
	} {
		env, elements, err := read(r)
		require.NoError(t, err, name)
		assert.True(t, env.Success, name)
		assert.Equal(t, []string{`{"id":"1","name":"\u00e9\\"}`, `{"id":"2"}`}, elements, name)
	}
}

func TestErrorsOfTheReaderAndOfTheResultComeThrough(t *testing.T) {
	broken := errors.New("cable cut")
	_, _, err := read(io.MultiReader(strings.NewReader(`{"result":[1,2`), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)

	enough := errors.New("enough")
	var seen int
	_, err = envelope.Read(strings.NewReader(`{"result":[1,2,3],"success":true}`), func(dec *jsontext.Decoder) error {
		return envelope.Elements(dec, func([]byte) error {
			seen++
			return enough
		})
	})
	require.ErrorIs(t, err, enough)
	assert.Equal(t, 1, seen)
}

func TestReadingInParallelMixesNothingUp(t *testing.T) {
	var wg sync.WaitGroup
	for worker := range 16 {
		wg.Go(func() {
			mine := strings.Repeat(string(rune('a'+worker)), 100*(worker+1))
			for range 50 {
				env, elements, err := read(strings.NewReader(`{"errors":["` + mine + `"],"result":["` + mine + `"],"success":true}`))
				if assert.NoError(t, err) {
					assert.Equal(t, `["`+mine+`"]`, string(env.Errors))
					assert.Equal(t, []string{`"` + mine + `"`}, elements)
				}
			}
		})
	}
	wg.Wait()
}

func TestValidFindsWhatIsNotUnicode(t *testing.T) {
	for text, want := range map[string]bool{
		`"plain"`: true, `"é \u00e9 \ud83d\ude00"`: true, "\"\xff\"": false, `"\ud800"`: false, `{"a":"\ude00\ud83d"}`: false,
	} {
		assert.Equal(t, want, envelope.Valid([]byte(text)), text)
		_, elements, err := read(strings.NewReader(`{"success":true,"result":[` + text + `]}`))
		require.NoError(t, err, "what is beside it can be read")
		assert.Len(t, elements, 1)
	}
}
