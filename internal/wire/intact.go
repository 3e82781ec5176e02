package wire

import (
	"bytes"
	"errors"
	"io"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

var (
	errNoValue    = errors.New("it is not JSON")
	errNotUnicode = errors.New("it holds text that is not valid UTF-8")
	errTooDeep    = errors.New("it is nested deeper than JSON packages read")
)

// Intact checks what a [Scanner] lets pass in a value: text that is not Unicode, and nesting that no JSON package reads
// or writes. An empty value is what a Scanner returns after an error.
func Intact(value []byte) error {
	if len(value) == 0 {
		return errNoValue
	}
	if !utf8.Valid(value) {
		return errNotUnicode
	}
	// Only an escape can still be half of a character, and most values have none.
	if bytes.Contains(value, []byte(`\u`)) && !Valid(value) && check(value) == nil {
		return errNotUnicode
	}
	if bytes.Count(value, []byte("{"))+bytes.Count(value, []byte("[")) > maxDepth && check(value) != nil {
		return errTooDeep
	}
	return nil
}

// maxDepth is what jsontext reads and writes at the most.
const maxDepth = 10000

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
