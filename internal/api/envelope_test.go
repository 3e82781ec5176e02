package api

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/internal/wire"
)

// readText reads an envelope and returns the text of its result.
func readText(body string) (env *envelope, result string, err error) {
	env = new(envelope)
	err = newOperation(newConfig(nil), new(Request)).readEnvelope(env, []byte(body), func(s *wire.Decoder) error {
		result = string(s.Value())
		return nil
	})
	return env, result, err
}

func TestEnvelopeMembersComeInAnyOrder(t *testing.T) {
	order := strings.Split(`"errors":[]|"messages":[{"code":1}]|"result":[1,{"a":2}]|"result_info":{"page":1}|"success":true|"new":[[{}]]`, "|")
	for range order {
		order = append(order[1:], order[0])
		text := " { " + strings.Join(order, " , ") + "\n} "
		env, result, err := readText(text)
		require.NoError(t, err, text)
		assert.True(t, env.success, text)
		assert.Empty(t, env.errors, text)
		assert.Equal(t, []Message{{Code: 1}}, env.messages, text)
		assert.JSONEq(t, `{"page":1}`, string(env.resultInfo), text)
		assert.Equal(t, `[1,{"a":2}]`, result, text)
	}
}

func TestEnvelopeThatIsNone(t *testing.T) {
	for text, want := range map[string]string{
		``:                                 "unreadable response: EOF",
		` `:                                "unreadable response: EOF",
		`<html>502</html>`:                 "unreadable response: invalid character '<'",
		`null`:                             "response is not a JSON object",
		`[]`:                               "response is not a JSON object",
		`"x"`:                              "response is not a JSON object",
		`12`:                               "response is not a JSON object",
		`nul`:                              "unreadable response: ",
		`{}`:                               `response has no member "success"`,
		`{"result":[]}`:                    `response has no member "success"`,
		`{"success":1,"result":[]}`:        `"success" is neither true nor false`,
		`{"success":"true","result":[]}`:   `"success" is neither true nor false`,
		`{"success":null,"result":[]}`:     `"success" is neither true nor false`,
		`{"success":{},"result":[]}`:       `"success" is neither true nor false`,
		`{"success":true,"result":[1 2]}`:  "invalid character '2'",
		`{"success":true,"result":[1,]}`:   "invalid character ',' at start of value",
		`{"success":true,"result":[1`:      "unexpected EOF",
		`{"success":true,"result":[1]`:     "unexpected EOF",
		`{"success":true`:                  "unexpected EOF",
		`{"success":true,"result":{"a":`:   "unexpected EOF after offset",
		`{"success":true}{"success":true}`: "something follows the JSON value",
		`{"success":true}x`:                "invalid character 'x' at start of value",
		`{"success":true,}`:                "invalid character ',' at start of value",

		`{"success":true,"result":[1],"result":[2]}`:                    `response has two members "result"`,
		`{"success":true,"result":[1],"errors":[],"errors":[]}`:         `response has two members "errors"`,
		`{"success":true,"result":[1],"messages":[],"messages":[]}`:     `response has two members "messages"`,
		`{"success":true,"result":1,"result_info":{},"result_info":{}}`: `response has two members "result_info"`,
		`{"success":true,"result":[],"success":true}`:                   `response has two members "success"`,
		`{"success":true,"result":[],"success":false}`:                  `response has two members "success"`,
		`{"success":false,"success":true,"result":[]}`:                  `response has two members "success"`,
		`{"success":true,"\u0073uccess":true,"result":[]}`:              `response has two members "success"`,
		`{"success":true,"errors":[{"code":1}],"result":[]}`:            "response says success: true and lists errors",
		`{"success":true,"errors":["x"],"result":[]}`:                   "response says success: true and lists errors",
		`{"success":true,"errors":[],"messages":[]}`:                    `response has no member "result"`,
	} {
		_, _, err := readText(text)
		assert.ErrorContains(t, err, want, "%.60s", text)
	}
}

func TestEnvelopeThatSaysItFailed(t *testing.T) {
	for _, text := range []string{
		`{"success":false,"errors":[{"code":7,"message":"gone"}],"result":null}`,
		`{"errors":[{"code":7,"message":"gone"}],"result":{"half":1},"success":false}`,
		`{"errors":[{"code":7,"message":"gone"}],"result":1,"result":2,"success":false}`,
	} {
		env, _, err := readText(text)
		require.NoError(t, err, "a failure's own errors say more than what is odd about it")
		assert.False(t, env.success)
		assert.Equal(t, []Message{{Code: 7, Message: "gone"}}, env.errors)
	}
}

func TestEnvelopeWhoseResultCannotBeDecoded(t *testing.T) {
	for _, leave := range []func(s *wire.Decoder){
		func(*wire.Decoder) {},
		func(s *wire.Decoder) { s.Open('{') },
		func(s *wire.Decoder) { s.Open('{'); s.Next('}'); s.Name() },
		func(s *wire.Decoder) { s.Value() },
	} {
		env := new(envelope)
		err := newOperation(newConfig(nil), new(Request)).readEnvelope(env, []byte(`{"result":{"a":{"b":[]}},"messages":[{"code":3}],"success":true}`),
			func(s *wire.Decoder) error {
				leave(s)
				return errTest
			})
		require.ErrorIs(t, err, errTest)
		assert.Equal(t, []Message{{Code: 3}}, env.messages, "what follows is read all the same")
	}
}

func TestMessagesOfEveryShape(t *testing.T) {
	for text, want := range map[string][]Message{
		`[]`:   nil,
		`null`: nil,
		`"no"`: nil,
		`{}`:   nil,
		`[{"code":1,"message":"m","documentation_url":"d","source":{"pointer":"/p","line":3},"error_chain":[{"code":2,"message":"c"}],"new":[]}]`: {
			{Code: 1, Message: "m", DocumentationURL: "d", Pointer: "/p", ErrorChain: []Message{{Code: 2, Message: "c"}}},
		},
		`["plain",5,null,{},[1]]`:                          {{Message: "plain"}, {Message: "5"}, {}, {Message: "[1]"}},
		`[{"code":"7","message":{"a":1},"source":"here"}]`: {{Code: 7, Message: `{"a":1}`}},
		`[{"code":7.0,"message":null,"source":null}]`:      {{Code: 7}},
		`[{"code":1e99,"error_chain":"x"}]`:                {{}},
		`[{"message":"\u00e9\n"}]`:                         {{Message: "é\n"}},
	} {
		env, _, err := readText(`{"success":false,"errors":` + text + `}`)
		require.NoError(t, err, text)
		assert.Equal(t, want, env.errors, text)
	}
}

// countMessages counts messages and those in their chains.
func countMessages(messages []Message) (count, depth int) {
	for _, m := range messages {
		inner, below := countMessages(m.ErrorChain)
		count, depth = count+1+inner, max(depth, 1+below)
	}
	return count, depth
}

// What is kept of messages is bounded, so that the text of a failure takes no more than a moment to build.
func TestMessagesAreBounded(t *testing.T) {
	deep := func(size int) string {
		const open, end = `{"code":1,"message":"m","error_chain":[`, `]}`
		n := size / (len(open) + len(end))
		return strings.Repeat(open, n) + strings.Repeat(end, n)
	}
	wide := func(size int) string {
		const one = `{"code":1,"message":"m","error_chain":[{"message":"inner"}]},`
		return strings.TrimSuffix(strings.Repeat(one, size/len(one)), ",")
	}
	long := func(size int) string { return `{"message":"` + strings.Repeat("m", size) + `"}` }
	for _, size := range []int{1 << 20, 10 << 20} {
		for name, text := range map[string]string{"deep": deep(size), "wide": wide(size), "long": long(size)} {
			env, _, err := readText(`{"success":false,"errors":[` + text + `]}`)
			require.NoError(t, err, name)
			count, depth := countMessages(env.errors)
			assert.LessOrEqual(t, count, 100, name)
			assert.LessOrEqual(t, depth, 10, name)
			assert.LessOrEqual(t, len(env.errors[0].Message), 4<<10, name)
			assert.Positive(t, count, name)
		}
	}
	env, _, err := readText(`{"success":false,"errors":[` + deep(500) + `]}`)
	require.NoError(t, err)
	_, depth := countMessages(env.errors)
	assert.Equal(t, 10, depth)
	env, _, err = readText(`{"success":false,"errors":[` + wide(10<<10) + `]}`)
	require.NoError(t, err)
	count, _ := countMessages(env.errors)
	assert.Equal(t, 100, count)
}

// FuzzEnvelope compares with Go's own JSON package, which reads the response as a whole.
func FuzzEnvelope(f *testing.F) {
	for _, text := range []string{
		`{"success":true,"errors":[],"messages":[],"result":{"id":"x"},"result_info":{"page":1}}`,
		`{"result":[{"id":"a"},1,null,[]],"success":true}`,
		`{"success":false,"errors":[{"code":1,"message":"m","error_chain":[{}]}],"result":null}`,
		`{"success":1}`, `{"result":1,"result":2,"success":true}`, `{}`, `[]`, `null`, ``, `{"success":true}{}`, `{"success":true`, "{\"a\":\"\xff\"}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > 10_000 {
			return // too deep for encoding/json, it may be
		}
		env, result, err := readText(string(data))
		if !json.Valid(data) {
			require.Error(t, err)
			assert.Equal(t, new(envelope), env)
			return
		}
		if err != nil || !env.success {
			return
		}
		var whole map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(data, &whole))
		assert.Equal(t, "true", string(whole["success"]))
		assert.Equal(t, string(whole["result"]), result)
		assert.Equal(t, string(whole["result_info"]), string(env.resultInfo))
		count, depth := countMessages(env.messages)
		assert.LessOrEqual(t, count, maxMessages)
		assert.LessOrEqual(t, depth, maxMessageDepth)
	})
}
