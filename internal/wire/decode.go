package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// A MemberError says which member of an object does not fit its field.
type MemberError struct {
	Member string // a path such as match[1].platform, or "" for the object itself
	Reason string // such as "is a number where a string is expected"
}

func (e *MemberError) Error() string {
	if e.Member == "" {
		return "it " + e.Reason
	}
	return e.Member + " " + e.Reason
}

// At returns the error with the path of an object before that of the member.
func (e *MemberError) At(path string) *MemberError {
	return &MemberError{join(path, e.Member), e.Reason}
}

// maxErrors is how many errors a strict Decoder goes on after.
const maxErrors = 100

// A Decoder reads an object into the fields of a struct, between BeginObject and EndObject. A value that would not be the
// same if it were encoded again is an error, which ends the decoding. A field whose member is null stays as it is.
//
// Members are walked by a loop like this. Declare o before the loop: Go copies a variable of the for clause at each
// iteration.
//
//	o := d.Object()
//	for o.Next() {
//		switch string(o.Name) {
//		case "id":
//			o.String(0, &r.ID)
//		default:
//			o.Extra(&r.Extra)
//		}
//	}
type Decoder struct {
	Scanner
	start    int    // where the object begins
	copied   string // a copy of a part of the text, of which strings become parts
	copiedAt int    // where that part begins
	variant  int    // where the value of the variant begins, 0 if there is none
	scratch  []byte // room for a string that has escapes
	wrong    []*MemberError
	isStrict bool // it goes on after an error
}

// NewDecoder returns a Decoder that stands before the value in text. It may be used for one object after the other.
func NewDecoder(text []byte) *Decoder { return &Decoder{Scanner: *NewScanner(text)} }

// BeginObject begins the object that comes next.
//
// Most objects are small, so that one copy of the text serves a dozen of them, which is cheaper than a copy for each
// string. In return a string that is kept keeps up to 4 KiB in memory.
func (d *Decoder) BeginObject() {
	const least, most = 512, 4 << 10
	d.start, d.variant, d.wrong = d.Offset(), 0, nil
	d.resetChecks()
	end := d.copiedAt + len(d.copied)
	if d.start < d.copiedAt || end-d.start < least && end < len(d.text) {
		d.copiedAt = d.start
		d.copied = string(d.text[d.start:min(d.start+most, len(d.text))])
	}
}

// EndObject ends the object. It returns what [Scanner.CheckedValue] finds wrong with the text, or else the first
// *MemberError.
func (d *Decoder) EndObject() (err error) {
	switch {
	case len(d.wrong) > 0 || d.depth > maxDepth/2:
		d.Return(d.start)
		_, err = d.CheckedValue()
	case !d.isUnicode(d.Text(d.start)):
		err = errNotUnicode
	}
	if d.err != nil {
		return d.err
	}
	if err == nil && len(d.wrong) > 0 {
		return d.wrong[0]
	}
	return err
}

// Revisit goes back to the value of the variant, if the object had one, and calls read, which must move past it.
func (d *Decoder) Revisit(read func()) {
	if d.variant == 0 {
		return
	}
	end := d.at
	d.Return(d.variant)
	read()
	d.Return(end)
}

// Try calls decode to read a value. If the value doesn't fit, Try returns its text and the reason.
func (d *Decoder) Try(decode func(*Decoder)) (text []byte, wrong *MemberError) {
	start := d.Offset()
	decode(d)
	if len(d.wrong) == 0 {
		return nil, nil
	}
	wrong, d.wrong = d.wrong[0], nil
	d.Return(start)
	return d.Value(), wrong
}

// Unmarshal is an UnmarshalJSON: null changes nothing, and anything else replaces what is there by what decode returns.
func Unmarshal[T any](data []byte, into *T, decode func(*Decoder) (*T, error)) error {
	return unmarshal(data, func(d *Decoder) error {
		value, err := decode(d)
		if err == nil {
			*into = *value
		}
		return err
	})
}

// UnmarshalMembers is Unmarshal for the struct that into points to, the members of which decode reads.
func UnmarshalMembers(data []byte, into any, decode func(*Decoder)) error {
	return unmarshal(data, func(d *Decoder) error {
		fields := reflect.ValueOf(into).Elem()
		old := reflect.ValueOf(fields.Interface())
		fields.SetZero()
		d.BeginObject()
		decode(d)
		if err := d.EndObject(); err != nil {
			fields.Set(old)
			return fmt.Errorf("%s: %w", fields.Type(), err)
		}
		return nil
	})
}

// unmarshal calls decode to read data, unless that is null.
func unmarshal(data []byte, decode func(*Decoder) error) error {
	if !Valid(data) {
		return errors.New("cfposture: not valid JSON")
	}
	if NewScanner(data).Kind() == 'n' {
		return nil
	}
	if err := decode(NewDecoder(data)); err != nil {
		return fmt.Errorf("cfposture: %w", err)
	}
	return nil
}

// Members are those of the object that a Decoder walks. Each method but Next reads the value of a member: the caller
// chooses it by the member's name, and numbers the members that have a field.
type Members struct {
	Name   []byte // of the member that comes next
	d      *Decoder
	isOpen bool
	before int    // how many errors there were before the member
	seen   uint64 // the members that have been read, a bit for each number
}

// Object returns the members of the object that comes next. If it is none, the first Next notes an error.
func (d *Decoder) Object() Members { return Members{d: d} }

// Next goes to the next member and reports whether there is one.
func (m *Members) Next() bool {
	d := m.d
	switch {
	case !m.isOpen && d.Kind() != '{':
		d.mismatch("an object")
		return false
	case !m.isOpen:
		d.Open('{')
		m.isOpen = true
	case len(d.wrong) > m.before && d.endsAfter(string(m.Name), m.before):
		return false
	}
	if !d.Next('}') {
		return false
	}
	m.before = len(d.wrong)
	m.Name = d.Name()
	return d.err == nil
}

// Has reports whether the member has a value to read. It skips null, and a value of a member that came before, which is an
// error.
func (m *Members) Has(number int) bool {
	bit := uint64(1) << number
	isRepeated := m.seen&bit != 0
	m.seen |= bit
	switch {
	case isRepeated:
		m.d.Skip()
		m.d.fail("appears twice")
		return false
	case m.d.Kind() == 'n':
		m.d.Skip()
		return false
	default:
		return true
	}
}

// String reads a string.
func (m *Members) String(number int, into *string) {
	if m.Has(number) {
		*into = m.d.string()
	}
}

// Bool reads true or false.
func (m *Members) Bool(number int, into **bool) {
	if !m.Has(number) {
		return
	}
	switch m.d.Kind() {
	case 't':
		m.d.skipLiteral("true")
		*into = new(true)
	case 'f':
		m.d.skipLiteral("false")
		*into = new(false)
	default:
		m.d.mismatch("true or false")
	}
}

// Number reads a number.
func (m *Members) Number(number int, into **float64) {
	if !m.Has(number) {
		return
	}
	if first := m.d.Kind(); first != '-' && !isDigit(first) {
		m.d.mismatch("a number")
		return
	}
	text := string(m.d.Value())
	value, err := strconv.ParseFloat(text, 64)
	var written [32]byte
	if err != nil || !sameNumber(text, string(appendNumber(written[:0], value))) {
		m.d.fail("is a number that doesn't fit a float64")
		return
	}
	*into = new(value)
}

// Raw reads any value as its text.
func (m *Members) Raw(number int, into *json.RawMessage) {
	if m.Has(number) {
		*into = bytes.Clone(m.d.Value())
	}
}

// Variant reads a value that depends on the object's type: it returns that, and the caller reads the value. The type is
// known, from the member "type" before this one, or else what it will probably be. If there is none, Variant passes the
// value. After the whole object, when the type is known for sure, [Decoder.Revisit] leads back.
func (m *Members) Variant(number int, known string) (itemType string, ok bool) {
	if !m.Has(number) {
		return "", false
	}
	m.d.variant = m.d.at
	if itemType = known; itemType == "" && !m.d.isStrict {
		itemType = m.d.typeAhead()
	}
	if itemType == "" || m.d.isStrict {
		m.d.Skip()
		return "", false
	}
	return itemType, true
}

// typeAhead returns what a member "type" further on in the text says, or "". It is only a guess: that member may belong to
// something else. It searches for ype": and not for "type":, because the search is one for the first byte, and quotes are
// everywhere.
func (d *Decoder) typeAhead() string {
	const most = 1 << 10 // bytes to the end of most rules
	rest := d.copied[min(d.at-d.copiedAt, len(d.copied)):]
	_, rest, _ = strings.Cut(rest[:min(most, len(rest))], `ype":`)
	rest, isString := strings.CutPrefix(strings.TrimPrefix(rest, " "), `"`)
	itemType, _, isWhole := strings.Cut(rest, `"`)
	if !isString || !isWhole {
		return ""
	}
	return itemType
}

// StringArray reads an array of strings.
func StringArray[T ~string](m *Members, number int, into *[]T) {
	if !m.Has(number) {
		return
	}
	var few [4]T
	list := few[:0]
	e := m.d.Array()
	for e.Next() {
		list = append(Room(list, &e), T(m.d.string()))
	}
	*into = Exact(list)
}

// Exact returns a copy of a list that takes no more room than it needs, and isn't nil. Most arrays have so few elements
// that these are first collected on the stack, and must not stay there.
func Exact[T any](list []T) []T {
	exact := make([]T, len(list))
	copy(exact, list)
	return exact
}

// Elements are those of the array that a Decoder walks.
type Elements struct {
	d      *Decoder
	isOpen bool
	before int // how many errors there were before the element
	index  int
}

// Array returns the elements of the array that comes next. If it is none, the first Next notes an error.
func (d *Decoder) Array() Elements { return Elements{d: d} }

// Next goes to the next element and reports whether there is one.
func (e *Elements) Next() bool {
	d := e.d
	switch {
	case !e.isOpen && d.Kind() != '[':
		d.mismatch("an array")
		return false
	case !e.isOpen:
		d.Open('[')
		e.isOpen = true
	case len(d.wrong) > e.before && d.endsAfter(element("", e.index), e.before):
		return false
	default:
		e.index++
	}
	e.before = len(d.wrong)
	return d.Next(']')
}

// Room returns list, which has the elements before the current one, with capacity for the rest if the array is long. To
// grow it step by step would take many times its memory. [Exact] copies it once more.
func Room[T any](list []T, e *Elements) []T {
	const long = 16
	if e.index != long {
		return list
	}
	d, start, left := e.d, e.d.Offset(), 1
	for d.Skip(); d.Next(']'); left++ {
		d.Skip()
	}
	d.Return(start)
	return slices.Grow(list, left)
}

// Extra keeps a member that has no field.
func (m *Members) Extra(extra *map[string]json.RawMessage) {
	value := m.d.Value()
	if _, twice := (*extra)[string(m.Name)]; twice {
		m.d.fail("appears twice")
		return
	}
	if *extra == nil {
		*extra = make(map[string]json.RawMessage)
	}
	(*extra)[string(m.Name)] = bytes.Clone(value)
}

// endsAfter puts the name of a member, or an element, before the paths of the errors from the given one on. It reports
// whether the decoding ends with them.
func (d *Decoder) endsAfter(name string, from int) bool {
	for _, err := range d.wrong[from:] {
		err.Member = join(name, err.Member)
	}
	return len(d.wrong) > 0 && !d.isStrict || len(d.wrong) >= maxErrors
}

// string reads a string.
func (d *Decoder) string() string {
	start := d.at
	switch {
	case d.Kind() != '"':
		d.mismatch("a string")
		return ""
	case d.skipString():
		return d.part(start+1, d.at-1)
	default:
		d.scratch, _ = jsontext.AppendUnquote(d.scratch[:0], d.text[start:d.at])
		return string(d.scratch)
	}
}

// part returns a part of the text.
func (d *Decoder) part(start, end int) string {
	if end-d.copiedAt > len(d.copied) {
		return string(d.text[start:end])
	}
	return d.copied[start-d.copiedAt : end-d.copiedAt]
}

// mismatch says what the value is, and to the person who wrote it what to do, and moves past it.
func (d *Decoder) mismatch(want string) {
	have := Describe(d.Kind())
	reason := "is " + have + " where " + want + " is expected"
	switch {
	case !d.isStrict: // the API wrote it
	case want == "a string" && (have == "a number" || have == "true or false"):
		reason += ": put it in quotes"
	case (want == "a number" || want == "true or false") && have == "a string":
		reason += ": leave out the quotes"
	}
	d.Skip()
	d.fail(reason)
}

// fail adds an error about the value that was just read.
func (d *Decoder) fail(reason string) { d.wrong = append(d.wrong, &MemberError{Reason: reason}) }

// Describe names the kind of JSON value that starts with the character.
func Describe(first byte) string {
	switch first {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "true or false"
	case 'n':
		return "null"
	default:
		return "a number"
	}
}

// join puts the path of an object before that of something in it.
func join(outer, inner string) string {
	if outer == "" || inner == "" || inner[0] == '[' {
		return outer + inner
	}
	return outer + "." + inner
}

// element is the path of an element of an array.
func element(array string, index int) string { return fmt.Sprintf("%s[%d]", array, index) }
