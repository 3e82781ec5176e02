package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A node is a value that stands in a text: where, and what it means if it is a string or a member's name.
type node struct {
	start, end int
	kind       byte
	meaning    string
}

// nodesOf reads a text by jsontext, which is as lenient then as a Scanner, but for its limit of depth.
func nodesOf(text []byte) ([]node, error) {
	dec := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	var nodes []node
	if err := appendNodes(&nodes, dec); err != nil {
		return nil, err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("something follows: %w", err)
	}
	return nodes, nil
}

func appendNodes(nodes *[]node, dec *jsontext.Decoder) error {
	kind := dec.PeekKind()
	switch kind {
	case '{', '[':
	default:
		return appendNode(nodes, dec)
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	index := len(*nodes)
	*nodes = append(*nodes, node{start: int(dec.InputOffset()) - 1, kind: byte(kind)})
	for dec.PeekKind() != ']' && dec.PeekKind() != '}' {
		if kind == '{' {
			if err := appendNode(nodes, dec); err != nil {
				return err
			}
		}
		if err := appendNodes(nodes, dec); err != nil {
			return err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	(*nodes)[index].end = int(dec.InputOffset())
	return nil
}

// appendNode appends a value that holds no others, or a name.
func appendNode(nodes *[]node, dec *jsontext.Decoder) error {
	value, err := dec.ReadValue()
	if err != nil {
		return err
	}
	end := int(dec.InputOffset())
	n := node{start: end - len(value), end: end, kind: byte(value.Kind())}
	if n.kind == '"' {
		meaning, _ := jsontext.AppendUnquote(nil, value)
		n.meaning = string(meaning)
	}
	*nodes = append(*nodes, n)
	return nil
}

// scan reads a text by a Scanner, in steps.
func scan(text []byte) ([]node, error) {
	s := NewScanner(text)
	var nodes []node
	appendScanned(&nodes, s)
	return nodes, s.End()
}

func appendScanned(nodes *[]node, s *Scanner) {
	n := node{start: s.Offset(), kind: s.Kind()}
	whole := *s
	whole.Skip()
	n.end = whole.at
	switch n.kind {
	case '{':
		*nodes = append(*nodes, n)
		for s.Open('{'); s.Next('}'); {
			start := s.Offset()
			name := node{start: start, kind: '"', end: start + len(quoted(*s))}
			name.meaning = string(s.Name())
			*nodes = append(*nodes, name)
			appendScanned(nodes, s)
		}
		return
	case '[':
		*nodes = append(*nodes, n)
		for s.Open('['); s.Next(']'); {
			appendScanned(nodes, s)
		}
		return
	case '"':
		n.meaning = string(s.String())
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		n.kind = '0' // as jsontext calls it
		s.Value()
	default:
		s.Skip()
	}
	*nodes = append(*nodes, n)
}

// quoted returns the text of the string that comes next, and stays.
func quoted(s Scanner) []byte { return s.Value() }

// texts are values and what is none.
var texts = []string{
	`null`, `true`, `false`, `0`, `-0`, `-1.5e+10`, `1E5`, `10.01`, `""`, `"a"`, `[]`, `{}`, ` { } `, "\t[\r\n]\n",
	`{"a":1}`, `{"a":1,"a":2}`, `{"a":{"b":[{"c":null}]},"":""}`, `[1,2,[3,[4,{"x":[]}]],"5"]`,
	`"\"\\\/\b\f\n\r\t"`, `"\u00e9\ud83d\ude00"`, `"\ud800"`, `"\ude00\ud83d"`, `"\uD800\u0041"`, "\"\xff\"", "{\"\xfe\":1}", "\"\x7f\u2028é日本😀\"",
	`"` + strings.Repeat("x", 100) + `"`, `"` + strings.Repeat("é", 100) + `"`, `"12345678\n"`, `"1234567\n8"`,

	``, ` `, `nul`, `nulL`, `truE`, `t`, `True`, `NaN`, `Infinity`, `undefined`, `'a'`, `//`, `/* */ 1`,
	`01`, `-`, `-a`, `+1`, `.5`, `5.`, `1.e5`, `1e`, `1e+`, `1e5.5`, `0x10`, `1_000`, `--1`, `1-`, `00`, `-01`,
	`"`, `"a`, `"\`, `"\"`, `"\x41"`, `"\u12"`, `"\u12g4"`, `"\u"`, "\"\n\"", "\"\x00\"", "\"\x1f\"", "\"1234567\x01\"", `"a""b"`,
	`[`, `]`, `[1`, `[1,`, `[1,]`, `[,1]`, `[,]`, `[1 2]`, `[1:2]`, `[1}`, `[[]`, `[]]`,
	`{`, `}`, `{"a"`, `{"a":`, `{"a":1`, `{"a":1,`, `{"a":1,}`, `{,}`, `{,"a":1}`, `{"a" 1}`, `{"a":1 "b":2}`, `{a:1}`, `{1:1}`, `{"a":1]`, `{"a"::1}`, `{"a":}`, `{"a",1}`, `{null:1}`, `{{}:1}`,
	`1 2`, `{} {}`, `[] 1`, `null,`, "1\x00", "{}\x00", "\x00", "\x00{}", "[1\x00]", "{\"a\":1\x00}", "\xef\xbb\xbf{}", "\u00a01", "1\v", "1\f",
}

func TestScannerReadsWhatJSONTextReads(t *testing.T) {
	for _, text := range texts {
		assertScansLikeJSONText(t, []byte(text))
	}
	for _, text := range texts {
		for _, around := range []string{`[%s]`, `{"a":%s}`, ` [ 1 , %s , {"b" : %[1]s } ] `} {
			assertScansLikeJSONText(t, []byte(fmt.Sprintf(around, text)))
		}
	}
}

func assertScansLikeJSONText(t *testing.T, text []byte) {
	t.Helper()
	want, wantErr := nodesOf(text)
	got, err := scan(text)
	require.Equal(t, wantErr == nil, err == nil, "%q: %v and %v", text, wantErr, err)
	skipping := NewScanner(text)
	skipping.Skip()
	require.Equal(t, wantErr == nil, skipping.End() == nil, "skipped: %q: %v", text, wantErr)
	require.Equal(t, wantErr == nil, check(text) == nil, "%q", text)
	if err == nil {
		require.Equal(t, want, got, "%q", text)
	}
	sound := NewScanner(text)
	value, err := sound.CheckedValue()
	if wantErr == nil {
		require.Equal(t, jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true)), err == nil, "%q: %v", text, err)
		require.Equal(t, bytes.Trim(text, " \t\r\n"), value, "%q", text)
	}
}

// FuzzScanner holds a Scanner against jsontext: the same verdict, the same extent of each value, the same meaning of each
// string.
func FuzzScanner(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if bytes.Count(text, []byte("["))+bytes.Count(text, []byte("{")) < 1_000 { // else jsontext may find it too deep
			assertScansLikeJSONText(t, text)
		}
	})
}

func TestScannerPassesAnyDepth(t *testing.T) {
	for _, depth := range []int{1, 9_999, 10_000, 10_001, 1_000_000} {
		for _, nested := range []string{
			strings.Repeat("[", depth) + strings.Repeat("]", depth),
			strings.Repeat(`{"a":`, depth-1) + "{}" + strings.Repeat("}", depth-1),
		} {
			s := NewScanner([]byte(`[` + nested + `,1]`))
			s.Open('[')
			require.True(t, s.Next(']'))
			value, err := s.CheckedValue()
			assert.Len(t, value, len(nested))
			if depth > 10_000 {
				require.EqualError(t, err, "it is nested deeper than JSON packages read")
			} else {
				require.NoError(t, err)
			}
			require.True(t, s.Next(']'))
			value, err = s.CheckedValue()
			require.NoError(t, err, "what stands beside it is as it was")
			assert.Equal(t, "1", string(value))
			assert.False(t, s.Next(']'))
			require.NoError(t, s.End())
		}
	}
}

// An error ends the walk, whatever is called then.
func TestScannerAfterAnError(t *testing.T) {
	for _, text := range []string{`{"a":}`, `[1 2]`, ``, `{"a":1`, `x`, `{"a":"\u12"}`} {
		s := NewScanner([]byte(text))
		s.Skip()
		err := s.End()
		require.Error(t, err, text)
		for range 3 {
			assert.Zero(t, s.Kind())
			s.Open('{')
			assert.False(t, s.Next('}'))
			assert.Empty(t, s.Name())
			assert.Empty(t, s.String())
			assert.Nil(t, s.Value())
			value, again := s.CheckedValue()
			assert.Nil(t, value)
			assert.Equal(t, err, again, "the first error stays")
			assert.Equal(t, err, s.End())
			assert.Equal(t, err, s.err)
		}
	}
}

// A method called for another kind of value than comes is an error, too.
func TestScannerAskedForAnotherKind(t *testing.T) {
	for name, call := range map[string]func(s *Scanner){
		"Open": func(s *Scanner) { s.Open('{') },
		"Name": func(s *Scanner) { s.Name() }, "String": func(s *Scanner) { s.String() },
		"Next": func(s *Scanner) { s.Next(']') }, "End": func(s *Scanner) { _ = s.End() },
	} {
		s := NewScanner([]byte(` [1]`))
		call(s)
		require.EqualError(t, s.err, "unexpected JSON after offset 1", name)
	}
}

// Errors have jsontext's words and offsets, and nothing of the text: that may be secret.
func TestScannerErrors(t *testing.T) {
	for text, want := range map[string]string{
		``:                              "EOF",
		`{"a":tru}`:                     "invalid character '}' in literal true (expecting 'e') after offset 8",
		`{"secret-name":{"x":[1,2,}]}}`: "invalid character ',' at start of value after offset 24",
		`{"a":1`:                        "unexpected EOF after offset 6",
		"\"a\nb\"":                      "invalid character '\\n' in string (expecting non-control character) after offset 2",
		`{} {}`:                         "something follows the JSON value",
	} {
		s := NewScanner([]byte(text))
		s.Skip()
		err := s.End()
		require.ErrorContains(t, err, want, text)
		assert.NotContains(t, err.Error(), "secret-name")
	}
}

func TestScannerReturns(t *testing.T) {
	s := NewScanner([]byte(`{"a": {"b":1}, "c":2}`))
	s.Open('{')
	require.True(t, s.Next('}'))
	assert.Equal(t, "a", string(s.Name()))
	start := s.Offset()
	s.Open('{')
	s.Next('}')
	s.Name()
	s.Return(start)
	assert.JSONEq(t, `{"b":1}`, string(s.Value()))
	assert.Equal(t, `{"b":1}`, string(s.Text(start)))
	require.True(t, s.Next('}'))
	assert.Equal(t, "c", string(s.Name()))
}

// A string is looked at eight bytes at a time: every byte must count in every place, whatever stands after it.
func TestStringAsJSONTextReadsIt(t *testing.T) {
	check := func(text []byte) {
		quoted := append(append([]byte{'"'}, text...), `" , 1`...)
		dec := jsontext.NewDecoder(bytes.NewReader(quoted), jsontext.AllowInvalidUTF8(true))
		token, wantErr := dec.ReadToken()
		s := NewScanner(quoted)
		have := s.String()
		if wantErr != nil {
			require.Error(t, s.err, "%q", quoted)
			return
		}
		require.NoError(t, s.err, "%q", quoted)
		require.Equal(t, token.String(), string(have), "%q", quoted)
		require.Equal(t, dec.InputOffset(), int64(s.at), "%q", quoted)
	}
	for length := range 20 {
		text := bytes.Repeat([]byte("x"), length)
		check(text)
		for i := range text {
			for b := range 256 {
				text[i] = byte(b)
				check(text)
				if i+1 < length {
					for _, next := range []byte{0, 0x1f, ' ', '!', '"', '#', '[', '\\', ']', 0x7f, 0x80, 0xff} {
						text[i+1] = next
						check(text)
					}
					text[i+1] = 'x'
				}
			}
			text[i] = 'x'
		}
	}
}

func TestInt(t *testing.T) {
	for text, want := range map[string]int{
		`3`: 3, `3.0`: 3, `30e-1`: 3, `0.3e1`: 3, `"3"`: 3, `"3.0"`: 3, `-3`: -3, `0`: 0, `-0`: 0, `9007199254740992`: 1 << 53,
		`3.5`: 0, `"x"`: 0, `""`: 0, `null`: 0, `true`: 0, `[]`: 0, `{}`: 0, `1e400`: 0, `9007199254740994`: 0, `"NaN"`: 0, `"Inf"`: 0, `"-Inf"`: 0, ``: 0,
	} {
		assert.Equal(t, want, Int([]byte(text)), text)
	}
}
