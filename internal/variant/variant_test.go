package variant_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/internal/variant"
	"github.com/cfposture/cfposture/internal/wire"
)

type secret string

func (s secret) String() string {
	if s == "" {
		return ""
	}
	return variant.Redacted
}

type login struct {
	URL      string                     `json:"url,omitzero"`
	Password secret                     `json:"password,omitzero"`
	Extra    map[string]json.RawMessage `json:",embed"`
}

func (l *login) Format(f fmt.State, _ rune) { variant.Format(f, l) }

func TestIsNil(t *testing.T) {
	assert.True(t, variant.IsNil(nil))
	assert.True(t, variant.IsNil((*login)(nil)))
	assert.False(t, variant.IsNil(&login{}))
}

func TestField(t *testing.T) {
	l := &login{URL: "u"}
	assert.Same(t, &l.URL, variant.Field(l, "url"))
	assert.Nil(t, variant.Field(l, "more"))
	assert.Nil(t, variant.Field((*login)(nil), "url"))
}

func TestAppendAttrLeavesOutNil(t *testing.T) {
	assert.Empty(t, variant.AppendAttr(nil, "login", (*login)(nil)))
	assert.Len(t, variant.AppendAttr(nil, "login", &login{}), 1)
}

func (l *login) decode(d *wire.Decoder) {
	o := d.Object()
	for o.Next() {
		switch string(o.Name) {
		case "url":
			o.String(0, &l.URL)
		default:
			o.Extra(&l.Extra)
		}
	}
}

func (l *login) write(e *wire.Encoder) {
	start := e.Begin()
	e.String("url", l.URL)
	e.End(start, l.Extra)
}

func TestDecodeSaysWhatDoesNotFit(t *testing.T) {
	l := new(login)
	_, reason := variant.Decode(wire.NewDecoder([]byte(`{"url":"u","more":1}`)), "rule", "x", "input", l.decode)
	assert.Empty(t, reason)
	assert.Equal(t, &login{URL: "u", Extra: map[string]json.RawMessage{"more": json.RawMessage("1")}}, l)
	text, reason := variant.Decode(wire.NewDecoder([]byte(`{"url": 1}`)), "rule", "x", "input", l.decode)
	assert.Equal(t, "input.url is a number where a string is expected", reason)
	assert.Equal(t, `{"url": 1}`, string(text))
	text, reason = variant.Decode(wire.NewDecoder([]byte(`[]`)), "rule", "x", "input", nil)
	assert.Equal(t, `type "x" is not a type of rule`, reason)
	assert.Equal(t, `[]`, string(text))
}

func TestDecodeKeepsNothingOfTheText(t *testing.T) {
	for _, decode := range []func(*wire.Decoder){nil, new(login).decode} {
		buffer := []byte(`{"url":1}`)
		text, reason := variant.Decode(wire.NewDecoder(buffer), "rule", "x", "input", decode)
		assert.NotEmpty(t, reason)
		clear(buffer)
		assert.JSONEq(t, `{"url":1}`, string(text))
	}
}

func TestEncodeRaw(t *testing.T) {
	encode := func(raw string) string {
		text, err := wire.Encode(func(e *wire.Encoder) {
			start := e.Begin()
			variant.EncodeRaw(e, "input", json.RawMessage(raw))
			e.End(start, nil)
		})
		if err != nil {
			return err.Error()
		}
		return string(text)
	}
	assert.JSONEq(t, `{"input":[]}`, encode("[]"))
	assert.JSONEq(t, `{}`, encode(""))
	assert.Equal(t, "input is not valid JSON", encode("{"))
}

func TestPrintingRedactsSecrets(t *testing.T) {
	l := &login{URL: "u\n", Password: "hidden-1", Extra: map[string]json.RawMessage{"pin": json.RawMessage(`["hidden-2",{"a":"hidden-3"}]`)}}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "login", variant.LogValue(l))
	assert.Equal(t, "{url:u  password:[redacted] pin:[redacted]}", fmt.Sprint(l))
	assert.Contains(t, log.String(), `login.url="u\n" login.password=[redacted] login.pin=[redacted]`)
	assert.Equal(t, "{}", fmt.Sprint(&login{}))
	assert.Equal(t, []string{"hidden-1", "hidden-2", "hidden-3"}, slices.Sorted(slices.Values(withoutNames(variant.Secrets(l)))))
}

// withoutNames leaves out the names of members, which are among the strings of an Extra.
func withoutNames(secrets []string) []string {
	return slices.DeleteFunc(secrets, func(s string) bool { return !strings.HasPrefix(s, "hidden") })
}

func TestDropSecrets(t *testing.T) {
	l := &login{URL: "u", Password: "hidden", Extra: map[string]json.RawMessage{"pin": json.RawMessage("1")}}
	variant.DropSecrets(l, true)
	assert.Equal(t, &login{URL: "u", Extra: map[string]json.RawMessage{"pin": json.RawMessage("1")}}, l)
	variant.DropSecrets(l, false)
	assert.Equal(t, &login{URL: "u"}, l)
}

func TestComparisonLooksIntoVariantsOfOneType(t *testing.T) {
	type item struct {
		Input any `json:"input"`
	}
	never := func(string, string, string) bool { return false }
	want, have := `{"input":{"url":"u","more":1}}`, `{"input":{"url":"v","more":1}}`
	for name, test := range map[string]struct {
		isSameType bool
		variant    any
		member     string
	}{
		"one type":        {true, &login{}, "input.url"},
		"an unknown type": {true, nil, "input.url"},
		"different types": {false, &login{}, "input"},
	} {
		differences := variant.NewComparison(&item{}, test.isSameType, test.variant, never).Diff(want, have)
		require.Len(t, differences, 1, name)
		assert.Equal(t, test.member, differences[0].Member, name)
	}
}

func TestTextIsOneLine(t *testing.T) {
	assert.Contains(t, variant.Text((&login{URL: "u\n"}).write), `{"url":"u\n"}`)
	invalid := &login{Extra: map[string]json.RawMessage{"a": json.RawMessage("{")}}
	assert.True(t, strings.HasPrefix(variant.Text(invalid.write), "{invalid: "))
}
