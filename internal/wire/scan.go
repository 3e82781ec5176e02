// Package wire decodes, encodes and compares JSON objects without losing a member.
//
// One [Scanner] walks all that is read. It checks the syntax on the way, and is held against jsontext by fuzzing; jsontext
// words its errors, and has the last word on escapes of Unicode. A [Decoder] is a Scanner that sets the fields of structs,
// and an [Encoder] writes them; internal/gen writes the code that tells them the fields.
package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Valid reports whether data is one JSON value in UTF-8. Names may repeat: a Decoder refuses those where it meets them.
func Valid(data []byte) bool {
	s := NewScanner(data)
	_, err := s.CheckedValue()
	return err == nil && s.End() == nil
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

// Strings returns every string value in data, however deep, or nothing if data is not valid JSON.
func Strings(data []byte) []string {
	if !Valid(data) {
		return nil
	}
	return NewScanner(data).appendStrings(nil)
}

func (s *Scanner) appendStrings(found []string) []string {
	switch s.Kind() {
	case '"':
		return append(found, string(s.String()))
	case '{':
		for s.Open('{'); s.Next('}'); {
			s.Name()
			found = s.appendStrings(found)
		}
	case '[':
		for s.Open('['); s.Next(']'); {
			found = s.appendStrings(found)
		}
	default:
		s.Skip()
	}
	return found
}
