package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"strconv"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// A Scanner walks JSON text and checks its syntax as it goes. It holds the whole text. Between calls it stands on the first
// byte of a value or a name, right after a value, or, until Next is called, right after an opening bracket. An error ends
// the walk: from then on every method returns a zero value, so that a caller needs to check only what End returns.
//
//	for s.Open('{'); s.Next('}'); {
//		switch string(s.Name()) {
//		case "id":
//			id = s.Value()
//		default:
//			s.Skip()
//		}
//	}
//
// Strings may hold bytes that are not UTF-8, names may repeat, and values may be nested as deep as they like: that must
// not hide the values around them. CheckedValue reads a value that has to be better than that.
type Scanner struct {
	text  []byte
	at    int
	first bool // a container was opened, and its first member or element comes next
	err   error

	// What has been met since CheckedValue looked last.
	isASCII   bool
	hasEscape bool // such as \u1234
	depth     int  // of containers
}

// NewScanner returns a scanner that stands before the value in text.
func NewScanner(text []byte) *Scanner {
	s := &Scanner{text: text}
	s.skipSpace()
	return s
}

// Offset returns where the scanner stands, in bytes from the start of the text.
func (s *Scanner) Offset() int { return s.at }

// Text returns the text from an offset to where the scanner stands.
func (s *Scanner) Text(start int) []byte { return s.text[start:s.at] }

// Kind returns the first byte of the value that comes next, or 0 at the end of the text.
func (s *Scanner) Kind() byte {
	if s.at < len(s.text) {
		return s.text[s.at]
	}
	return 0
}

// Open enters the object or array that comes next; opening is its first byte, '{' or '['.
func (s *Scanner) Open(opening byte) {
	if s.Kind() != opening {
		s.fail()
		return
	}
	s.at++
	s.first = true
}

// Next reports whether a member or an element follows. Where none does it leaves the object or array; closing is its
// last byte, '}' or ']'.
func (s *Scanner) Next(closing byte) bool {
	isFirst := s.first
	s.first = false
	s.skipSpace()
	switch kind := s.Kind(); {
	case kind == closing:
		s.at++
		return false
	case isFirst:
		return s.err == nil
	case kind == ',':
		s.at++
		s.skipSpace()
		if s.Kind() == closing {
			s.fail()
		}
		return s.err == nil
	default:
		s.fail()
		return false
	}
}

// Name reads the name of the member that comes next, up to its value.
func (s *Scanner) Name() []byte {
	start := s.at
	end, isVerbatim := s.skipName()
	if isVerbatim {
		return s.text[start+1 : end-1]
	}
	return s.unquoted(start, end)
}

// skipName passes the name of the member that comes next, up to its value, and returns where the name ends. It reports
// whether the name stands there as it is meant.
func (s *Scanner) skipName() (end int, isVerbatim bool) {
	isVerbatim = s.skipString()
	end = s.at
	s.skipSpace()
	if s.Kind() != ':' {
		s.fail()
		return end, false
	}
	s.at++
	s.skipSpace()
	return end, isVerbatim
}

// String reads a string and returns what it means. Without an escape that is a part of the scanner's own text.
func (s *Scanner) String() []byte {
	start := s.at
	if s.skipString() {
		return s.text[start+1 : s.at-1]
	}
	return s.unquoted(start, s.at)
}

// unquoted returns what a string means that skipString has passed, given where it starts and ends. Half of a surrogate
// pair and what is not UTF-8 becomes U+FFFD; skipString has checked the rest.
func (s *Scanner) unquoted(start, end int) []byte {
	if s.err != nil {
		return nil
	}
	meaning, _ := jsontext.AppendUnquote(nil, s.text[start:end])
	return meaning
}

// Value reads any value and returns its text, which is a part of the scanner's own.
func (s *Scanner) Value() []byte {
	start := s.at
	s.Skip()
	if s.err != nil {
		return nil
	}
	return s.text[start:s.at]
}

// CheckedValue reads a value like Value, and returns an error if a JSON package could not read and write it: because it holds
// text that is not Unicode, or is nested too deep. After a syntax error it returns that.
func (s *Scanner) CheckedValue() ([]byte, error) {
	s.resetChecks()
	value := s.Value()
	switch {
	case s.err != nil:
		return nil, s.err
	case s.depth > maxDepth:
		return value, errTooDeep
	case !s.isUnicode(value):
		return value, errNotUnicode
	default:
		return value, nil
	}
}

// resetChecks begins to note what CheckedValue has to know.
func (s *Scanner) resetChecks() { s.isASCII, s.hasEscape, s.depth = true, false, 0 }

// isUnicode reports whether the text that was passed since resetChecks is UTF-8, without escapes of halves of surrogate
// pairs.
func (s *Scanner) isUnicode(text []byte) bool {
	return (s.isASCII || utf8.Valid(text)) && (!s.hasEscape || jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true)))
}

// maxDepth is what jsontext reads and writes at the most.
const maxDepth = 10000

var (
	errNotUnicode = errors.New("it holds text that is not valid UTF-8")
	errTooDeep    = errors.New("it is nested deeper than JSON packages read")
)

// End checks that nothing but white space is left, and returns what ended the walk before.
func (s *Scanner) End() error {
	s.skipSpace()
	if s.at < len(s.text) {
		s.fail()
	}
	return s.err
}

// Return goes back to an offset it has been at. After an error it stays at the end.
func (s *Scanner) Return(offset int) {
	if s.err == nil {
		s.at, s.first = offset, false
	}
}

// Skip passes any value, however deep it is nested.
func (s *Scanner) Skip() {
	var containers []byte // those that are open, as their closing bytes
	for {
		kind := s.Kind()
		switch kind {
		case '{', '[':
			s.at++
			closing := kind + 2 // '}' follows '{' by two, and ']' follows '['
			s.depth = max(s.depth, len(containers)+1)
			s.skipSpace()
			if s.Kind() == closing {
				s.at++
				break
			}
			containers = append(containers, closing)
			if kind == '{' {
				s.skipName()
			}
			if s.err != nil {
				return
			}
			continue
		case '"':
			s.skipString()
		case 't':
			s.skipLiteral("true")
		case 'f':
			s.skipLiteral("false")
		case 'n':
			s.skipLiteral("null")
		default:
			s.skipNumber()
		}
		if containers = s.closeAll(containers); len(containers) == 0 || s.err != nil {
			return
		}
	}
}

// closeAll passes what may follow a value: the ends of containers, which it takes from the list, and a comma before the
// next member or element.
func (s *Scanner) closeAll(containers []byte) []byte {
	for len(containers) > 0 {
		closing := containers[len(containers)-1]
		s.skipSpace()
		switch s.Kind() {
		case closing:
			s.at++
			containers = containers[:len(containers)-1]
		case ',':
			s.at++
			s.skipSpace()
			if closing == '}' {
				s.skipName()
			}
			return containers
		default:
			s.fail()
			return nil
		}
	}
	return nil
}

// skipString passes the string that comes next. It reports whether the string stands there as it is meant: in ASCII,
// without escapes.
func (s *Scanner) skipString() (isVerbatim bool) {
	text, i := s.text, s.at
	if i >= len(text) || text[i] != '"' {
		s.fail()
		return false
	}
	for i++; len(text)-i >= 8; i += 8 {
		if odd := oddBytes(binary.LittleEndian.Uint64(text[i:])); odd != 0 {
			i += bits.TrailingZeros64(odd) / 8
			if text[i] == '"' {
				s.at = i + 1
				return true
			}
			break
		}
	}
	return s.skipStringFrom(i)
}

// oddBytes sets the highest bit of those of eight bytes that aren't plain. A borrow may set a bit too many, but only in a
// byte after the first that counts.
func oddBytes(word uint64) uint64 {
	const ones, highest = 0x0101010101010101, 0x8080808080808080
	quotes, backslashes := word^ones*'"', word^ones*'\\'
	return (word | (word - ones*' ') | (quotes - ones) | (backslashes - ones)) & highest
}

// isPlain reports whether a byte needs no second look in a string: ASCII without quotes, backslashes and control
// characters.
func isPlain(b byte) bool { return b >= ' ' && b < utf8.RuneSelf && b != '"' && b != '\\' }

// isVerbatim reports whether all of a text is plain.
func isVerbatim(text []byte) bool {
	for ; len(text) >= 8; text = text[8:] {
		if oddBytes(binary.LittleEndian.Uint64(text)) != 0 {
			return false
		}
	}
	for _, b := range text {
		if !isPlain(b) {
			return false
		}
	}
	return true
}

// skipStringFrom passes the rest of a string, from the index on.
func (s *Scanner) skipStringFrom(i int) (isVerbatim bool) {
	for isVerbatim = true; ; {
		length := 0
		switch {
		case i == len(s.text):
		case s.text[i] == '"':
			s.at = i + 1
			return isVerbatim
		case isPlain(s.text[i]):
			i++
			continue
		case s.text[i] >= utf8.RuneSelf:
			s.isASCII, length = false, 1
		case s.text[i] == '\\':
			length = escapeLength(s.text[i:])
			s.hasEscape = s.hasEscape || length > len(`\n`)
		}
		if length == 0 { // a control character, no escape, or the end of the text
			s.at = i
			s.fail()
			return false
		}
		isVerbatim = false
		i += length
	}
}

// escapeLength returns the length of the escape that text starts with, or 0 if that is none.
func escapeLength(text []byte) int {
	if len(text) < 2 {
		return 0
	}
	switch text[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		const length = len(`\u0000`)
		if len(text) < length {
			return 0
		}
		for i := 2; i < length; i++ {
			if !isHex(text[i]) {
				return 0
			}
		}
		return length
	default:
		return 0
	}
}

func isHex(b byte) bool { return isDigit(b) || 'a' <= b|0x20 && b|0x20 <= 'f' }

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

func (s *Scanner) skipLiteral(literal string) {
	if rest := s.text[s.at:]; len(rest) < len(literal) || string(rest[:len(literal)]) != literal {
		s.fail()
		return
	}
	s.at += len(literal)
}

func (s *Scanner) skipNumber() {
	i := s.at
	if i < len(s.text) && s.text[i] == '-' {
		i++
	}
	whole := digits(s.text, i)
	if whole == i || whole > i+1 && s.text[i] == '0' {
		s.fail()
		return
	}
	i = whole
	if i < len(s.text) && s.text[i] == '.' {
		fraction := digits(s.text, i+1)
		if fraction == i+1 {
			s.fail()
			return
		}
		i = fraction
	}
	if i < len(s.text) && s.text[i]|0x20 == 'e' {
		i++
		if i < len(s.text) && (s.text[i] == '+' || s.text[i] == '-') {
			i++
		}
		exponent := digits(s.text, i)
		if exponent == i {
			s.fail()
			return
		}
		i = exponent
	}
	s.at = i
}

// digits returns where the digits end that start at the index.
func digits(text []byte, i int) int {
	for i < len(text) && isDigit(text[i]) {
		i++
	}
	return i
}

func (s *Scanner) skipSpace() {
	for s.at < len(s.text) && isSpace(s.text[s.at]) {
		s.at++
	}
}

func isSpace(b byte) bool { return b <= ' ' && (b == ' ' || b == '\t' || b == '\n' || b == '\r') }

// fail ends the walk. The error is jsontext's, whose words readers know, without the names that lead to the place: they
// are the text's own and may be part of a secret.
func (s *Scanner) fail() {
	if s.err == nil {
		s.err = syntaxError(s.text, s.at)
	}
	s.at = len(s.text)
}

// syntaxError returns what jsontext says of text that is not JSON. It nests less deep than a Scanner, and a method may
// have been called for another kind of value than comes: then the offset has to do.
func syntaxError(text []byte, at int) error {
	err := check(text)
	var syntactic *jsontext.SyntacticError
	switch {
	case errors.As(err, &syntactic):
		return fmt.Errorf("%w after offset %d", syntactic.Err, syntactic.ByteOffset)
	case err != nil:
		return err
	default:
		return fmt.Errorf("unexpected JSON after offset %d", at)
	}
}

// check reads text as one JSON value, as lenient as a [Scanner] is.
func check(text []byte) error {
	dec := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err := dec.SkipValue(); err != nil {
		return err
	}
	if _, err := dec.ReadToken(); !errors.Is(err, io.EOF) {
		if err == nil {
			err = errors.New("something follows the JSON value")
		}
		return err
	}
	return nil
}

// Int returns the whole number that a value is, written in any way: 3, 3.0, 30e-1 or "3". It is 0 for all else, and for
// what an int can't hold.
func Int(value []byte) int {
	if len(value) > 0 && value[0] == '"' {
		value = NewScanner(value).String()
	}
	number, err := strconv.ParseFloat(string(value), 64)
	const most = 1 << 53 // what a float64 counts to
	if err != nil || number != math.Trunc(number) || math.Abs(number) > most {
		return 0
	}
	return int(number)
}
