package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
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

// maxErrors is how many errors a strict Decoder goes on after.
const maxErrors = 100

// A Decoder reads an object into the fields of a struct, between Begin and End. A value that would not be the same if it
// were encoded again is an error, which ends the decoding. A field whose member is null stays as it is.
//
//	for o := d.Object(); o.Next(); {
//		switch string(o.Name) {
//		case "id":
//			o.String(0, &r.ID)
//		default:
//			o.Extra(&r.Extra)
//		}
//	}
//
// The strings become parts of one copy of the object's text. How long that is shows at its end: until then the Decoder
// notes what each is to be.
type Decoder struct {
	*Scanner
	start    int    // where the object begins
	own      string // the copy of its text; "" before End
	noted    []notedString
	deferred int // where the value of the deferred member begins, 0 if there is none
	wrong    []*MemberError
	isStrict bool // it goes on after an error
}

// A notedString is a field, and where in the object's text its string begins and ends.
type notedString struct {
	into       *string
	begin, end int
}

// NewDecoder returns a Decoder of what comes next in a scanner's text. It may be used for one object after the other.
func NewDecoder(s *Scanner) *Decoder {
	const usual = 8 // strings outside of a deferred member
	return &Decoder{Scanner: s, noted: make([]notedString, 0, usual)}
}

// Begin begins the object that comes next.
func (d *Decoder) Begin() {
	d.start, d.own, d.noted, d.deferred, d.wrong = d.Offset(), "", d.noted[:0], 0, nil
	d.isPlain, d.depth = true, 0
}

// End ends the object and sets its strings. It returns what [Scanner.Sound] finds wrong with the text, or else the first
// *MemberError.
func (d *Decoder) End() (err error) {
	switch {
	case len(d.wrong) > 0 || d.depth > maxDepth/2:
		d.Return(d.start)
		_, err = d.Sound()
	case !d.isPlain && !Valid(d.Text(d.start)):
		err = errNotUnicode
	}
	if d.err != nil {
		return d.err
	}
	d.own = string(d.Text(d.start))
	for _, s := range d.noted {
		*s.into = d.own[s.begin:s.end]
	}
	if err == nil && len(d.wrong) > 0 {
		return d.wrong[0]
	}
	return err
}

// HasDeferred reports whether the object has a deferred member that is not null.
func (d *Decoder) HasDeferred() bool { return d.deferred > 0 }

// DecodeDeferred has decode read the value of the deferred member, unless it is nil. It returns the text of the value, and
// the first *MemberError.
func (d *Decoder) DecodeDeferred(decode func(*Decoder)) (text string, err error) {
	end := d.at
	d.Return(d.deferred)
	if decode != nil {
		decode(d)
	}
	if len(d.wrong) > 0 {
		err = d.wrong[0]
	}
	if err != nil || decode == nil {
		d.Return(d.deferred)
		d.Skip()
	}
	text = d.own[d.deferred-d.start : d.at-d.start]
	d.Return(end)
	return text, err
}

// Unmarshal is an UnmarshalJSON: null changes nothing, and anything else replaces what is there by what decode returns.
func Unmarshal[T any](data []byte, into *T, decode func(*Decoder) (*T, error)) error {
	if !Valid(data) {
		return errors.New("cfposture: not valid JSON")
	}
	if NewScanner(data).Kind() == 'n' {
		return nil
	}
	value, err := decode(NewDecoder(NewScanner(data)))
	if err != nil {
		return fmt.Errorf("cfposture: %w", err)
	}
	*into = *value
	return nil
}

// UnmarshalMembers is Unmarshal for a struct without a deferred member.
func UnmarshalMembers[T any](data []byte, into *T, decode func(*T, *Decoder)) error {
	return Unmarshal(data, into, func(d *Decoder) (*T, error) {
		value := new(T)
		d.Begin()
		decode(value, d)
		if err := d.End(); err != nil {
			return nil, fmt.Errorf("%T: %w", *value, err)
		}
		return value, nil
	})
}

// Members are those of the object that a Decoder walks. Each method but Next reads the value of a member: the caller
// chooses it by the member's name, and numbers the members that have a field.
type Members struct {
	Name   []byte // of the member that comes next
	d      *Decoder
	isOpen bool
	seen   uint64 // the members that have been read, a bit for each number
	before int    // how many errors there were before the member
	index  int    // of an array's element
	beside int    // how many errors there were before the element
}

// Object enters the object that comes next.
func (d *Decoder) Object() Members {
	if d.Kind() != '{' {
		d.mismatch("an object")
		return Members{}
	}
	d.Open('{')
	return Members{d: d, isOpen: true, before: len(d.wrong)}
}

// Next goes to the next member and reports whether there is one.
func (m *Members) Next() bool {
	if !m.isOpen || len(m.d.wrong) > m.before && m.d.endsAfter(m.Name, m.before) || !m.d.Next('}') {
		return false
	}
	m.before = len(m.d.wrong)
	m.Name = m.d.Name()
	return m.d.err == nil
}

// Has reports whether the member has a value other than null, and no member before had its number.
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
		m.d.stringInto(into)
	}
}

// Bool reads true or false.
func (m *Members) Bool(number int, into **bool) {
	if !m.Has(number) {
		return
	}
	if first := m.d.Kind(); first != 't' && first != 'f' {
		m.d.mismatch("true or false")
		return
	}
	*into = new(string(m.d.Value()) == "true")
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

// Defer leaves the value to the Decoder's caller, who knows what it is after End.
func (m *Members) Defer(number int) {
	if m.Has(number) {
		m.d.deferred = m.d.Offset()
		m.d.Skip()
	}
}

// StringArray reads an array of strings.
func StringArray[T ~string](m *Members, number int, into *[]T) {
	length, ok := m.Array(number)
	if !ok {
		return
	}
	*into = make([]T, length)
	for i := 0; m.NextElement(); i++ {
		if m.d.Kind() != '"' {
			m.d.mismatch("a string")
			continue
		}
		(*into)[i] = T(m.d.ownString())
	}
}

// Array enters an array, if the member is one, and returns its length. The caller reads the elements.
func (m *Members) Array(number int) (length int, ok bool) {
	if !m.Has(number) {
		return 0, false
	}
	if m.d.Kind() != '[' {
		m.d.mismatch("an array")
		return 0, false
	}
	start := m.d.at
	for m.d.Open('['); m.d.Next(']'); length++ {
		m.d.Skip()
	}
	m.d.Return(start)
	m.d.Open('[')
	m.index, m.beside = -1, len(m.d.wrong)
	return length, true
}

// NextElement goes to the next element of the array and reports whether there is one.
func (m *Members) NextElement() bool {
	if len(m.d.wrong) > m.beside && m.d.endsAfter([]byte(element("", m.index)), m.beside) || !m.d.Next(']') {
		return false
	}
	m.index++
	m.beside = len(m.d.wrong)
	return true
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
func (d *Decoder) endsAfter(name []byte, from int) bool {
	for _, err := range d.wrong[from:] {
		err.Member = join(string(name), err.Member)
	}
	return len(d.wrong) > 0 && !d.isStrict || len(d.wrong) >= maxErrors
}

func (d *Decoder) stringInto(into *string) {
	if d.Kind() != '"' {
		d.mismatch("a string")
		return
	}
	begin := d.at
	if d.own == "" && d.skipString() {
		d.noted = append(d.noted, notedString{into, begin + 1 - d.start, d.at - 1 - d.start})
		return
	}
	d.at = begin
	*into = d.ownString()
}

// ownString reads a string: a part of the object's own text if that is there, and a copy otherwise.
func (d *Decoder) ownString() string {
	begin := d.at
	if d.own != "" && d.skipString() {
		return d.own[begin+1-d.start : d.at-1-d.start]
	}
	d.at = begin
	return string(d.String())
}

// mismatch says what the value is and moves past it.
func (d *Decoder) mismatch(want string) {
	have := Describe(d.Kind())
	reason := "is " + have + " where " + want + " is expected"
	switch {
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
