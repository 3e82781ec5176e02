// Package wire decodes, encodes and compares JSON objects without losing a member.
//
// jsontext checks the syntax. All else here walks text that is known to be valid, which keeps it short and quick: an
// object is walked once, each value is a part of the text, and only what a field takes is converted.
package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Valid reports whether data is one JSON value in UTF-8. Names may repeat: Decode refuses those where it meets them.
func Valid(data []byte) bool {
	return jsontext.Value(data).IsValid(jsontext.AllowDuplicateNames(true))
}

// CheckSyntax returns nil if data is one JSON value in UTF-8, and else an error that says where it isn't.
func CheckSyntax(data []byte) error {
	if Valid(data) {
		return nil
	}
	dec := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowDuplicateNames(true))
	_, err := dec.ReadValue()
	if err == nil {
		if _, err = dec.ReadToken(); err == nil {
			err = errors.New("there is more after the first value")
		}
	}
	at := dec.InputOffset()
	var wrong *jsontext.SyntacticError
	switch {
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	case errors.As(err, &wrong):
		at, err = wrong.ByteOffset, wrong.Err
	}
	before := data[:at]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n')
	return fmt.Errorf("line %d, column %d: %w", line, column, err)
}

// Trim removes JSON's white space around text.
func Trim(text string) string { return strings.Trim(text, " \t\r\n") }

// A cursor stands before a value, or a member, of valid JSON. Its methods move it past what they read.
type cursor struct {
	text  string
	at    int
	plain bool // no string of the text has an escape
}

func newCursor(text string) cursor {
	return cursor{text: text, plain: strings.IndexByte(text, '\\') < 0}
}

// first is the character that the value starts with.
func (c *cursor) first() byte { return c.text[c.at] }

// open enters an object or an array; from there, next goes on.
func (c *cursor) open() { c.at++ }

// next goes to the next member or element and reports true, or leaves the object or array at its end.
func (c *cursor) next() bool {
	c.skipSpace()
	switch c.text[c.at] {
	case ',':
		c.at++
		c.skipSpace()
		return true
	case '}', ']':
		c.at++
		return false
	default: // the first one
		return true
	}
}

// name reads a member's name, up to its value.
func (c *cursor) name() string {
	name := c.string()
	c.skipSpace()
	c.at++ // the colon
	c.skipSpace()
	return name
}

// string reads what a string means; without an escape that is a part of the text itself.
func (c *cursor) string() string {
	rest := c.text[c.at+1:]
	end := strings.IndexByte(rest, '"')
	if !c.plain && strings.IndexByte(rest[:end], '\\') >= 0 {
		// Valid text has no error to give.
		plain, _ := jsontext.AppendUnquote(nil, c.value())
		return string(plain)
	}
	c.at += end + 2
	return rest[:end]
}

// value reads the text of any value.
func (c *cursor) value() string {
	start := c.at
	switch c.text[start] {
	case '"':
		c.at = endOfString(c.text, c.at)
	case '{', '[':
		c.skipNested()
	default:
		for c.at < len(c.text) && !isEnd(c.text[c.at]) {
			c.at++
		}
	}
	return c.text[start:c.at]
}

// left counts the elements of an array, from the one that the cursor stands before to the last.
func (c cursor) left() int {
	count := 1
	for c.value(); c.next(); count++ {
		c.value()
	}
	return count
}

// isEnd reports whether a number, true, false or null ends before the character.
func isEnd(b byte) bool { return b == ',' || b == '}' || b == ']' || b <= ' ' }

func (c *cursor) skipNested() {
	text, depth := c.text, 0
	for i := c.at; ; i++ {
		switch text[i] {
		case '"':
			i = endOfString(text, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				c.at = i + 1
				return
			}
		}
	}
}

// endOfString returns where the string ends that starts at the index.
func endOfString(text string, start int) int {
	for i := start + 1; ; i++ {
		switch text[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
}

func (c *cursor) skipSpace() {
	for c.text[c.at] <= ' ' {
		c.at++
	}
}

// Strings returns every string value in data, however deep, or nothing if data is not valid JSON.
func Strings(data []byte) []string {
	if !Valid(data) {
		return nil
	}
	c := newCursor(Trim(string(data)))
	return c.appendStrings(nil)
}

func (c *cursor) appendStrings(found []string) []string {
	switch c.first() {
	case '"':
		return append(found, c.string())
	case '{':
		for c.open(); c.next(); {
			c.name()
			found = c.appendStrings(found)
		}
	case '[':
		for c.open(); c.next(); {
			found = c.appendStrings(found)
		}
	default:
		c.value()
	}
	return found
}
