// Package envelope reads the object that every answer of the API is wrapped in:
//
//	{"success": true, "errors": [], "messages": [], "result": …, "result_info": {…}}
package envelope

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/cfposture/cfposture/internal/wire"
)

// Envelope is what stands in the object besides the result. Members hold JSON, or nil where there was none.
type Envelope struct {
	Success    bool
	HasResult  bool
	Errors     jsontext.Value
	Messages   jsontext.Value
	ResultInfo jsontext.Value
}

// A ShapeError is the answer of a server whose JSON is no envelope, or of another shape than the endpoint's.
type ShapeError struct{ Problem string }

func (e *ShapeError) Error() string { return e.Problem }

var decoders = sync.Pool{New: func() any { return new(jsontext.Decoder) }}

// Read reads one envelope, whose members may come in any order. At the result's value it calls result, which must read
// that value whole; an error of its own ends the reading and is returned as it is.
func Read(r io.Reader, result func(*jsontext.Decoder) error) (Envelope, error) {
	var e Envelope
	if err := e.readFrom(r, result); err != nil {
		return Envelope{}, err
	}
	return e, nil
}

func (e *Envelope) readFrom(r io.Reader, result func(*jsontext.Decoder) error) error {
	dec := decoders.Get().(*jsontext.Decoder)
	defer decoders.Put(dec)
	// What is wrong inside of a result is its own affair, and must not hide what stands beside it: Valid tells. And
	// remembering all names of a long list would cost much.
	dec.Reset(r, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	defer dec.Reset(eof{})

	if kind := dec.PeekKind(); kind != '{' {
		if _, err := dec.ReadToken(); err != nil {
			return err
		}
		return &ShapeError{"the answer is not a JSON object"}
	}
	if err := e.readMembers(dec, result); err != nil {
		return err
	}
	switch _, err := dec.ReadToken(); {
	case err == nil:
		return &ShapeError{"something follows the answer's JSON object"}
	case !errors.Is(err, io.EOF):
		return err
	}
	return nil
}

func (e *Envelope) readMembers(dec *jsontext.Decoder, result func(*jsontext.Decoder) error) error {
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	var hasSuccess bool
	for dec.PeekKind() != '}' {
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		switch name := token.String(); name {
		case "result":
			if e.HasResult {
				return &ShapeError{`the answer has two members "result"`}
			}
			e.HasResult = true
			err = result(dec)
		case "success":
			hasSuccess = true
			e.Success, err = readBool(dec)
		case "errors":
			e.Errors, err = readCopy(dec)
		case "messages":
			e.Messages, err = readCopy(dec)
		case "result_info":
			e.ResultInfo, err = readCopy(dec)
		default:
			err = dec.SkipValue()
		}
		if err != nil {
			return err
		}
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	if !hasSuccess {
		return &ShapeError{`the answer has no member "success"`}
	}
	return nil
}

func readBool(dec *jsontext.Decoder) (bool, error) {
	token, err := dec.ReadToken()
	if err != nil {
		return false, err
	}
	switch token.Kind() {
	case 't', 'f':
		return token.Bool(), nil
	default:
		return false, &ShapeError{`the answer's member "success" is neither true nor false`}
	}
}

// readCopy returns a value that outlives the decoder's buffer; an empty one is not worth keeping.
func readCopy(dec *jsontext.Decoder) (jsontext.Value, error) {
	value, err := dec.ReadValue()
	if err != nil || string(value) == "[]" || string(value) == "null" {
		return nil, err
	}
	return value.Clone(), nil
}

// Elements calls element for every element of the array that comes next, whose text is valid until it returns.
// It fails with a *ShapeError on a value that is no array; a null is an array without elements.
func Elements(dec *jsontext.Decoder, element func(text []byte) error) error {
	kind := dec.PeekKind()
	if kind != '[' {
		if err := dec.SkipValue(); err != nil || kind == 'n' {
			return err
		}
		return &ShapeError{`the answer's member "result" is ` + wire.Describe(byte(kind)) + " where an array is expected"}
	}
	if _, err := dec.ReadToken(); err != nil {
		return err
	}
	for dec.PeekKind() != ']' {
		text, err := dec.ReadValue()
		if err != nil {
			return err
		}
		if err := element(text); err != nil {
			return err
		}
	}
	_, err := dec.ReadToken()
	return err
}

// Valid reports whether the text of a result or an element, which Read has found to be JSON but for that, is Unicode.
func Valid(text []byte) bool {
	// Only an escape can still be half of a character, and most texts have none.
	return utf8.Valid(text) && (bytes.IndexByte(text, '\\') < 0 || !bytes.Contains(text, []byte(`\u`)) || wire.Valid(text))
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }
