package wire

import (
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

type text string

type inner struct {
	Name  string                     `json:"name,omitzero"`
	Extra map[string]json.RawMessage `json:",embed"`
}

type outer struct {
	Always string                     `json:"always"`
	Text   text                       `json:"text,omitzero"`
	Bool   *bool                      `json:"bool,omitzero"`
	Maybe  *bool                      `json:"maybe,omitzero"`
	Number *float64                   `json:"number,omitzero"`
	Score  *float64                   `json:"score,omitzero"`
	Texts  []text                     `json:"texts,omitzero"`
	Object *inner                     `json:"object,omitzero"`
	List   []inner                    `json:"list,omitzero"`
	Held   any                        `json:"held,omitzero"`
	Extra  map[string]json.RawMessage `json:",embed"`
	hidden int
}

func (i *inner) decode(d *Decoder) {
	o := d.Object()
	for o.Next() {
		switch string(o.Name) {
		case "name":
			o.String(0, &i.Name)
		default:
			o.Extra(&i.Extra)
		}
	}
}

func (o *outer) decode(d *Decoder) {
	m := d.Object()
	for m.Next() {
		switch string(m.Name) {
		case "always":
			m.String(0, &o.Always)
		case "text":
			m.String(1, (*string)(&o.Text))
		case "bool":
			m.Bool(2, &o.Bool)
		case "maybe":
			m.Bool(3, &o.Maybe)
		case "number":
			m.Number(4, &o.Number)
		case "score":
			m.Number(5, &o.Score)
		case "texts":
			StringArray(&m, 6, &o.Texts)
		case "object":
			if m.Has(7) {
				o.Object = new(inner)
				o.Object.decode(d)
			}
		case "list":
			if m.Has(8) {
				var few [4]inner
				list := few[:0]
				e := d.Array()
				for e.Next() {
					list = append(Room(list, &e), inner{})
					list[len(list)-1].decode(d)
				}
				o.List = Exact(list)
			}
		case "held":
			if kind, ok := m.Variant(9, ""); ok {
				o.Held = kind + string(d.Value())
			}
		default:
			m.Extra(&o.Extra)
		}
	}
}

func (i *inner) write(e *Encoder) {
	start := e.Begin()
	e.String("name", i.Name)
	e.End(start, i.Extra)
}

func (o *outer) write(e *Encoder) {
	start := e.Begin()
	e.StringOrEmpty("always", o.Always)
	e.String("text", string(o.Text))
	e.Bool("bool", o.Bool)
	e.Bool("maybe", o.Maybe)
	e.Number("number", o.Number)
	e.Number("score", o.Score)
	EncodeStrings(e, "texts", o.Texts)
	if o.Object != nil {
		e.Object("object", o.Object.write)
	}
	if o.List != nil {
		e.Array("list", len(o.List), func(i int) { o.List[i].write(e) })
	}
	switch held := o.Held.(type) {
	case string:
		e.Raw("held", json.RawMessage(held))
	case func(*Encoder):
		e.Object("held", held)
	}
	e.End(start, o.Extra)
}

// decode reads an object into a struct, and returns the text of its variant.
func decode(text string, into *outer) (variant string, err error) {
	d := NewDecoder([]byte(text))
	d.BeginObject()
	into.decode(d)
	if err := d.EndObject(); err != nil {
		return "", err
	}
	if err := d.End(); err != nil {
		return "", err
	}
	d.Revisit(func() { variant = string(d.Value()) })
	return variant, nil
}

func TestDecodeSetsEveryKindOfField(t *testing.T) {
	var got outer
	deferred, err := decode(`{ "always" : "a\u0062" ,"text":"t","bool":true,"maybe":false,"number":1.5,"score":2e3,"texts":["x","y"],`+
		`"object":{"name":"o","z":1},"list":[{"name":"l"},{}],"held":{"type":["h]}\"\\"]},"more":[ 1, {"}":"]"} ]}`, &got)
	require.NoError(t, err)
	assert.Equal(t, outer{
		Always: "ab", Text: "t", Bool: new(true), Maybe: new(false), Number: new(1.5), Score: new(2000.0), Texts: []text{"x", "y"},
		Object: &inner{Name: "o", Extra: map[string]json.RawMessage{"z": json.RawMessage("1")}},
		List:   []inner{{Name: "l"}, {}},
		Extra:  map[string]json.RawMessage{"more": json.RawMessage(`[ 1, {"}":"]"} ]`)},
	}, got)
	assert.JSONEq(t, `{"type":["h]}\"\\"]}`, deferred)
}

// Strings are parts of a copy of the text, which must be of a part of a list only.
func TestAKeptStringKeepsNoListAlive(t *testing.T) {
	list := []byte("[" + strings.Repeat(`{"text":"`+strings.Repeat("x", 90)+`"},`, 10_000) + "{}]")
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := heap()
	kept := make([]text, 100)
	for i := range kept {
		d := NewDecoder(list)
		for d.Open('['); d.Next(']'); {
			var o outer
			d.BeginObject()
			o.decode(d)
			require.NoError(t, d.EndObject())
			if len(o.Text) > 0 {
				kept[i] = o.Text
			}
		}
		require.NoError(t, d.End())
	}
	assert.Less(t, int64(heap())-int64(before), int64(len(list)), "bytes for %d strings", len(kept))
	runtime.KeepAlive(kept)
}

// A string is a part of a copy of some of the text, or stands partly beyond it, or before it after a return.
func TestDecodeReadsStringsWhereverTheyStand(t *testing.T) {
	long := strings.Repeat("x", 3_000)
	var list strings.Builder
	for i := range 20 {
		fmt.Fprintf(&list, `{"text":"%d %s","texts":["%s","a\u0062"]},`, i, long[:150*i], long)
	}
	d := NewDecoder([]byte(list.String() + strings.Repeat(" ", 10_000)))
	for range 2 {
		d.Return(0)
		for i := range 20 {
			var o outer
			d.BeginObject()
			o.decode(d)
			require.NoError(t, d.EndObject())
			assert.Equal(t, outer{Text: text(fmt.Sprintf("%d %s", i, long[:150*i])), Texts: []text{text(long), "ab"}}, o)
			d.Return(d.Offset() + len(","))
		}
	}
}

// The text is a buffer that holds another response soon.
func TestDecodeKeepsNothingOfTheText(t *testing.T) {
	const text = `{"always":"a\u00e9","text":"t","texts":["x"],"object":{"name":"o","z":[1]},"list":[{"name":"l","y":{}}],"more":"m"}`
	var want, got outer
	_, err := decode(text, &want)
	require.NoError(t, err)
	buffer := []byte(text)
	d := NewDecoder(buffer)
	d.BeginObject()
	got.decode(d)
	require.NoError(t, d.EndObject())
	for i := range buffer {
		buffer[i] = 'x'
	}
	assert.Equal(t, want, got)
}

func TestVariantKnowsTheTypeThatFollows(t *testing.T) {
	for name, test := range map[string]struct{ text, before, want string }{
		"after it":            {`{"held":{"a":1},"type":"t"}`, "", "t"},
		"after a space":       {`{"held": {"a": 1}, "type": "t"}`, "", "t"},
		"before it":           {`{"held":1,"type":"u"}`, "t", "t"},
		"of something within": {`{"held":{"type":"inner"},"type":"t"}`, "", "inner"},
		"a number":            {`{"held":1,"type":5}`, "", ""},
		"missing":             {`{"held":1}`, "", ""},
		"far away":            {`{"held":"` + strings.Repeat("x", 5_000) + `","type":"t"}`, "", ""},
		"cut":                 {`{"held":"` + strings.Repeat("x", 4_070) + `","type":"` + strings.Repeat("t", 100) + `"}`, "", ""},
		"null":                {`{"held":null,"type":"t"}`, "", ""},
	} {
		d := NewDecoder([]byte(test.text))
		d.BeginObject()
		o := d.Object()
		require.True(t, o.Next())
		got, ok := o.Variant(0, test.before)
		assert.Equal(t, test.want, got, name)
		assert.Equal(t, test.want != "", ok, name)
	}
}

func TestALongArrayDoesNotGrowStepByStep(t *testing.T) {
	allocations := func(elements int) int {
		text := []byte(`{"texts":["a"` + strings.Repeat(` , "]"`, elements) + `],"list":[{}` + strings.Repeat(` , {}`, elements) + `]}`)
		return int(testing.AllocsPerRun(10, func() {
			d := NewDecoder(text)
			d.BeginObject()
			var o outer
			o.decode(d)
			require.NoError(t, d.EndObject())
			require.Len(t, o.Texts, elements+1)
			require.Len(t, o.List, elements+1)
		}))
	}
	assert.InDelta(t, allocations(100), allocations(10_000), 2)
}

func TestEncodeWritesFieldsInOrderThenExtraByName(t *testing.T) {
	from := &outer{
		Text: "t", Maybe: new(false), Score: new(2000.0), Texts: []text{}, Object: &inner{}, List: []inner{{Name: "l"}, {}}, Held: `[]`,
		Extra: map[string]json.RawMessage{"z": json.RawMessage("1"), "b": json.RawMessage("2")}, hidden: 1,
	}
	got, err := Encode(from.write)
	require.NoError(t, err)
	const want = `{"always":"","text":"t","maybe":false,"score":2000,"texts":[],"object":{},"list":[{"name":"l"},{}],"held":[],"b":2,"z":1}`
	assert.Equal(t, []string{want}, []string{string(got)}, "in this order")
	got, err = Encode((&outer{Texts: []text{"x", "y", "z"}}).write)
	require.NoError(t, err)
	assert.JSONEq(t, `{"always":"","texts":["x","y","z"]}`, string(got))
}

func TestAnObjectMayLeaveItselfOut(t *testing.T) {
	got, err := Encode((&outer{List: []inner{}, Held: func(*Encoder) {}, Extra: map[string]json.RawMessage{"held": json.RawMessage("1")}}).write)
	require.NoError(t, err)
	assert.JSONEq(t, `{"always":"","list":[],"held":1}`, string(got))
	got, err = Encode(func(*Encoder) {})
	require.NoError(t, err)
	assert.Equal(t, "{}", string(got))
}

func TestEncodeNamesWhatJSONCannotWrite(t *testing.T) {
	bad := map[string]json.RawMessage{"x": json.RawMessage("{")}
	for want, from := range map[string]*outer{
		"always is not valid UTF-8":             {Always: "\xff", Number: new(math.NaN())},
		"text is not valid UTF-8":               {Text: "\xff", Object: &inner{Extra: bad}, List: []inner{{}}, Texts: []text{"x"}},
		"number is NaN, which JSON can't write": {Number: new(math.NaN())},
		"texts[1] is not valid UTF-8":           {Texts: []text{"a", "\xff", "b"}, Extra: bad},
		"object.x of Extra is not valid JSON":   {Object: &inner{Extra: bad}, List: []inner{{Extra: bad}}},
		"list[1].name is not valid UTF-8":       {List: []inner{{}, {Name: "\xff", Extra: bad}}, Extra: bad},
		"held is not valid JSON":                {Held: "{"},
		"held.always is not valid UTF-8":        {Held: (&outer{Always: "\xff"}).write},
	} {
		_, err := Encode(from.write)
		require.EqualError(t, err, want)
	}
}

func TestDecodeRefusesWhatWouldNotComeBack(t *testing.T) {
	for in, want := range map[string]string{
		`[]`:                          `it is an array where an object is expected`,
		`{"always":1}`:                `always is a number where a string is expected`,
		`{"bool":"true"}`:             `bool is a string where true or false is expected`,
		`{"maybe":0}`:                 `maybe is a number where true or false is expected`,
		`{"number":"1"}`:              `number is a string where a number is expected`,
		`{"score":false}`:             `score is true or false where a number is expected`,
		`{"score":1e400}`:             `score is a number that doesn't fit a float64`,
		`{"texts":"x"}`:               `texts is a string where an array is expected`,
		`{"texts":["x",null]}`:        `texts[1] is null where a string is expected`,
		`{"object":[]}`:               `object is an array where an object is expected`,
		`{"object":{"name":{}}}`:      `object.name is an object where a string is expected`,
		`{"list":[{},{"name":true}]}`: `list[1].name is true or false where a string is expected`,
		`{"always":"a","always":"a"}`: `always appears twice`,
		`{"text":null,"text":"a"}`:    `text appears twice`,
		`{"x":1,"\u0078":1}`:          `x appears twice`,
	} {
		_, err := decode(in, new(outer))
		require.EqualError(t, err, want, in)
	}
}

func TestNullLeavesAFieldAsItIs(t *testing.T) {
	var got outer
	deferred, err := decode(`{"always":null,"bool":null,"score":null,"texts":null,"object":null,"list":null,"held":null,"more":null}`, &got)
	require.NoError(t, err)
	assert.Equal(t, outer{Extra: map[string]json.RawMessage{"more": json.RawMessage("null")}}, got)
	assert.Empty(t, deferred)
}

func TestNumbersAreWrittenAsPeopleWriteThem(t *testing.T) {
	for want, number := range map[string]float64{
		"0": 0, "-0": math.Copysign(0, -1), "1": 1, "85.5": 85.5, "-0.001": -0.001, "100000000000000000000": 1e20, "1e+21": 1e21, "1e-07": 1e-7,
	} {
		got, err := Encode((&outer{Score: &number}).write)
		require.NoError(t, err)
		assert.Equal(t, `{"always":"","score":`+want+`}`, string(got))
		assert.True(t, json.Valid(got))
	}
	for _, number := range []float64{math.NaN(), math.Inf(1)} {
		_, err := Encode((&outer{Score: &number}).write)
		require.ErrorContains(t, err, `score is `)
		require.ErrorContains(t, err, "which JSON can't write")
	}
}

func TestNumbersOfEveryFirstDigitAreRead(t *testing.T) {
	for in, want := range map[string]float64{"0": 0, "0.5": 0.5, "9": 9, "-9": -9, "1e-6": 1e-6, "1000000": 1e6} {
		var got outer
		_, err := decode(`{"number":`+in+`}`, &got)
		require.NoError(t, err, in)
		assert.InDelta(t, want, *got.Number, 0, in)
	}
}

func TestWhiteSpaceOfEveryKindIsSkipped(t *testing.T) {
	const space = " \t\r\n"
	var got outer
	deferred, err := decode("{"+space+`"texts"`+space+":"+space+"["+space+`"x"`+space+","+space+`"y"`+space+"]"+space+","+space+
		`"number"`+space+":"+space+"1"+space+","+space+`"held"`+space+":"+space+"{"+space+"}"+space+"}", &got)
	require.NoError(t, err)
	assert.Equal(t, outer{Texts: []text{"x", "y"}, Number: new(1.0)}, got)
	assert.Equal(t, "{"+space+"}", deferred)

	_, err = decode(`{"always": "a", "bool":  true, "number": 2}`, &got)
	require.NoError(t, err)
	assert.Equal(t, outer{Always: "a", Bool: new(true), Texts: []text{"x", "y"}, Number: new(2.0)}, got)
}

func TestEmptyArrayIsNotNil(t *testing.T) {
	var got outer
	_, err := decode(`{"texts":[],"list":[ ]}`, &got)
	require.NoError(t, err)
	assert.Equal(t, outer{Texts: []text{}, List: []inner{}}, got)
}

func TestArrayTakesNoMoreRoomThanItNeeds(t *testing.T) {
	for _, elements := range []int{1, 3, 4, 5, 16, 17, 100} {
		var got outer
		_, err := decode(`{"texts":["a"`+strings.Repeat(`,"a"`, elements-1)+`],"list":[{}`+strings.Repeat(`,{}`, elements-1)+`]}`, &got)
		require.NoError(t, err)
		assert.Equal(t, []int{elements, elements}, []int{len(got.Texts), cap(got.Texts)})
		assert.Equal(t, []int{elements, elements}, []int{len(got.List), cap(got.List)})
	}
}

func TestEncodeRefusesExtraThatIsWrong(t *testing.T) {
	extra := func(name, value string) map[string]json.RawMessage {
		return map[string]json.RawMessage{name: json.RawMessage(value)}
	}
	for want, from := range map[string]*outer{
		`always is both a field and in Extra`: {Extra: extra("always", `"x"`)},
		`text is both a field and in Extra`:   {Text: "t", Extra: extra("text", `"x"`)},
		`x of Extra is not valid JSON`:        {Extra: extra("x", `{`)},
		"\xff of Extra is not valid JSON":     {Extra: extra("\xff", `1`)},
	} {
		_, err := Encode(from.write)
		require.EqualError(t, err, want)
	}
	got, err := Encode((&outer{Extra: extra("text", `null`)}).write)
	require.NoError(t, err, "a field that is left out may be written otherwise")
	assert.JSONEq(t, `{"always":"","text":null}`, string(got))
}

func TestCheckExtraNamesEveryProblem(t *testing.T) {
	wrong := CheckExtra(&inner{Extra: map[string]json.RawMessage{"name": json.RawMessage("1"), "bad": json.RawMessage("{"), "fine": json.RawMessage("1")}})
	require.Len(t, wrong, 2)
	assert.Equal(t, "bad", wrong[0].Member)
	assert.Equal(t, "name", wrong[1].Member)
	assert.Empty(t, CheckExtra(&struct{ A int }{}))

	extra := map[string]json.RawMessage{}
	var want, named []string
	for name := byte('a'); name <= 'z'; name++ {
		extra[string(name)] = nil
		want = append(want, string(name))
	}
	for _, problem := range CheckExtra(&inner{Extra: extra}) {
		named = append(named, problem.Member)
	}
	assert.Equal(t, want, named, "by name")
}

func TestStringsFindsAllThatAreValues(t *testing.T) {
	assert.Equal(t, []string{"a", "b", "c"}, Strings([]byte(` {"k":"a","n":[1,"b",{"m":"c"}],"t":true} `)))
	assert.Empty(t, Strings([]byte(`{"k":`)))
}

// FuzzDecode walks any valid JSON, which must neither panic nor lose what it keeps.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"always":"\ud83d\ude00","texts":["x"],"object":{"z":[1,{"y":"\\\""}]},"list":[{}],"held":null,"score":1.10}`))
	f.Add([]byte(" {\r\n\t\"a\" : [ ] , \"b\" : { } } "))
	f.Fuzz(func(t *testing.T, data []byte) {
		if !Valid(data) {
			return
		}
		_ = Strings(data)
		var first outer
		deferred, err := decode(Trim(string(data)), &first)
		if err != nil {
			return
		}
		if first.Held = nil; deferred != "" {
			first.Held = deferred
		}
		written, err := Encode(first.write)
		require.NoError(t, err)
		var second outer
		again, err := decode(string(written), &second)
		require.NoError(t, err)
		second.Held = first.Held
		assert.Equal(t, first, second)
		assert.Equal(t, deferred, again)
	})
}

func TestDecodeAllNamesEveryValueThatDoesNotFit(t *testing.T) {
	var got outer
	d := &Document{Text: `{"always":1,"texts":["x",2,"y",null],"object":{"name":5,"z":1,"z":2},"list":[{"name":1},7],"held":"h","number":1,"number":2,"bool":"b"}`}
	deferred := d.Decode("", d.Text, got.decode)
	texts := []string{}
	for _, err := range d.Wrong {
		texts = append(texts, err.Error())
	}
	assert.Equal(t, []string{
		"always is a number where a string is expected: put it in quotes",
		"texts[1] is a number where a string is expected: put it in quotes",
		"texts[3] is null where a string is expected",
		"object.name is a number where a string is expected: put it in quotes",
		"object.z appears twice",
		"list[0].name is a number where a string is expected: put it in quotes",
		"list[1] is a number where an object is expected",
		"number appears twice",
		"bool is a string where true or false is expected: leave out the quotes",
	}, texts)
	assert.Equal(t, `"h"`, deferred)
	assert.Equal(t, []text{"x", "", "y", ""}, got.Texts, "what fits is there")
	assert.InDelta(t, 1, *got.Number, 0)

	d = new(Document)
	d.Decode("", `{"texts":[`+strings.Repeat("1,", 1_000_000)+`1]}`, new(outer).decode)
	assert.Len(t, d.Wrong, maxErrors)
}

func TestEqualComparesMeaning(t *testing.T) {
	for _, same := range [][2]string{
		{`1`, `1.0`}, {`1e2`, `100`}, {`0.10e-1`, `1E-2`}, {`-0`, `0.00`}, {`12345678901234567890`, `1234567890123456789e1`}, {`0e99999999999999999999`, `0`},
		{`"a\u0062"`, `"ab"`}, {`"\/"`, `"/"`}, {`[ 1, 2 ]`, `[1.0,2]`}, {`{"a":1,"b":{"c":[]}}`, `{ "b":{"c":[ ]},"\u0061":1.0 }`}, {`null`, `null`}, {`1e99999999999999999999`, `1e99999999999999999999`},
	} {
		assert.True(t, Equal(same[0], same[1]), "%s %s", same[0], same[1])
	}
	for _, other := range [][2]string{
		{`1`, `2`}, {`1`, `-1`}, {`1`, `10`}, {`1`, `"1"`}, {`true`, `false`}, {`null`, `0`}, {`12345678901234567890`, `12345678901234567891`},
		{`"a"`, `"b"`}, {`[1,2]`, `[2,1]`}, {`[1]`, `[1,1]`}, {`{"a":1}`, `{"a":1,"b":null}`}, {`{"a":1}`, `{"b":1}`}, {`{}`, `[]`}, {`1e99999999999999999999`, `1e99999999999999999998`},
	} {
		assert.False(t, Equal(other[0], other[1]), "%s %s", other[0], other[1])
	}
}

func TestMergedObjectIsWhatIsWantedOverWhatIsThere(t *testing.T) {
	c := &Comparison{Model: new(outer), Variant: new(inner), Same: func(string, string, string) bool { return false }}
	for _, test := range []struct{ want, have, merged string }{
		{`{}`, `{}`, `{}`},
		{`{"z\u0022":1,"b":2}`, `{"a":0,"b":1}`, `{"a":0,"b":2,"z\"":1}`},
		{`{"text":"","a":null}`, `{"text":"t","a":1}`, `{"text":"t","a":1}`},
		{`{"object":{"name":"n"}}`, `{"object":{"name":"m","x":1}}`, `{"object":{"name":"n","x":1}}`},
		{`{"held":{"name":"n"}}`, `{"held":{"name":"m","x":1}}`, `{"held":{"name":"n","x":1}}`},
		{`{"held":{"name":"n"}}`, `{"held":5}`, `{"held":{"name":"n"}}`},
		{`{"x":{"a":1}}`, `{"x":{"b":1}}`, `{"x":{"a":1}}`},
		{`{"list":[{"name":"b"},{"name":"c"}]}`, `{"list":[{"name":"a","x":1},{"name":"b","x":2}]}`, `{"list":[{"name":"b","x":2},{"name":"c"}]}`},
		{`{"list":[]}`, `{"list":[{"name":"a"}]}`, `{"list":[]}`},
		{`{"a":1}`, `{"a":2,"b":3,"a":4,"b":5}`, `{"a":1,"b":3,"b":5}`},
		{`{"list":[{"name":"a"}]}`, `{"list":5}`, `{"list":[{"name":"a"}]}`},
	} {
		merged := c.Merge(test.want, test.have)
		assert.Equal(t, test.merged, merged)
		assert.Empty(t, c.Diff(test.want, merged))
	}
}

func TestDidYouMean(t *testing.T) {
	known := []string{"schedule", "operating_system", "requireAll", "id", "os", "input.path"}
	for name, want := range map[string]string{
		"schedul": "schedule", "scedule": "schedule", "scheduel": "schedule", "Schedule": "schedule", "require_all": "requireAll", "REQUIREALL": "requireAll",
		"operatingSystem": "operating_system", "ID": "id", "path": "input.path", "": "", "frequency": "", "x": "", "description": "", "__": "",
		strings.Repeat("schedule", 1000): "",
	} {
		if want != "" {
			want = ": did you mean " + want + "?"
		}
		assert.Equal(t, want, DidYouMean(name, known), name)
	}
}

// FuzzCompare merges any objects: what is wanted is there then, and what only the other had is kept.
func FuzzCompare(f *testing.F) {
	f.Add([]byte(`{"always":"a","list":[{"name":"x"},{}],"held":{"name":"h"},"z":[1.0]}`), []byte(`{"list":[{"name":"x","y":1}],"held":{"q":1},"z":[1]}`))
	f.Add([]byte(`{"texts":["b","a","a"],"object":{"name":null}}`), []byte(`{"texts":["a","b"],"object":{}}`))
	f.Fuzz(func(t *testing.T, want, have []byte) {
		if new(outer).read(want) != nil || new(outer).read(have) != nil {
			return
		}
		c := &Comparison{Model: new(outer), Variant: new(inner), Same: func(string, string, string) bool { return false }}
		merged := c.Merge(Trim(string(want)), Trim(string(have)))
		require.True(t, Valid([]byte(merged)), merged)
		assert.Empty(t, c.Diff(Trim(string(want)), merged))
		assert.True(t, Equal(merged, c.Merge(merged, merged)))
	})
}

// read reports whether the data is an object with values that fit.
func (o *outer) read(data []byte) error {
	if err := CheckSyntax(data); err != nil {
		return err
	}
	_, err := decode(Trim(string(data)), o)
	return err
}
