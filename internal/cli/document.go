package cli

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/cfposture/cfposture/posturetest"
)

// DocumentVersion is the version of the documents that export writes and apply reads.
const DocumentVersion = 1

// A Document holds the rules and integrations of an account, as the API gives them.
type Document struct {
	Version      int               `json:"version"`
	Integrations []json.RawMessage `json:"integrations"`
	Rules        []json.RawMessage `json:"rules"`
}

//go:embed sample.json
var sample []byte

// Sample returns what the sample account holds.
func Sample() *Document {
	document, err := ReadDocument(bytes.NewReader(sample))
	if err != nil {
		panic(fmt.Sprintf("sample.json: %v", err)) // it is part of the program
	}
	return document
}

// ReadDocument reads a document to its end, and refuses what it doesn't know: a misspelt member must not be taken for
// an empty one.
func ReadDocument(in io.Reader) (*Document, error) {
	decoder := json.NewDecoder(in)
	decoder.DisallowUnknownFields()
	document := new(Document)
	if err := decoder.Decode(document); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, errors.New("the document is empty, or not whole")
		}
		return nil, fmt.Errorf("the document can't be read: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the document is followed by something else")
	}
	if document.Version != DocumentVersion {
		return nil, fmt.Errorf("the document's version is %d; this program knows %d", document.Version, DocumentVersion)
	}
	return document, nil
}

// Write writes the document, for people to read as well.
func (d *Document) Write(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false) // operators stay readable
	encoder.SetIndent("", "  ")
	return encoder.Encode(d)
}

// JSON is [json.Marshal], but leaves < and > as they are: an operator should be readable.
func JSON(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSpace(b.Bytes()), err
}

// AddTo puts all that the document holds into a server.
func (d *Document) AddTo(server *posturetest.Server) {
	for _, integration := range d.Integrations {
		server.AddIntegration(compact(integration))
	}
	for _, rule := range d.Rules {
		server.AddRule(compact(rule))
	}
}

// compact takes away the layout of a document, which the API's answers don't have.
func compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return raw // AddRule will say what is wrong with it
	}
	return b.Bytes()
}
