// Package document reads and writes documents of an account's rules and integrations, as export writes them and people
// do.
package document

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"sigs.k8s.io/yaml"

	"github.com/cfposture/cfposture/examples/posturectl/internal/terminal"
	"github.com/cfposture/cfposture/posturetest"
)

// MaxSize is the size in bytes of the largest document that is read.
const MaxSize = 64 << 20

// Version is the version of the documents that this program knows.
const Version = 1

// A Document holds rules and integrations of an account, each as the API's JSON.
type Document struct {
	Version int `json:"version"`
	// Unknown names what the version of the program that wrote the document didn't know, so that reading doesn't take
	// it for typing errors.
	Unknown *Unknown `json:"unknown,omitempty"`
	// Integrations is nil, unlike an empty list, where the document says nothing about integrations. Rules likewise.
	Integrations []json.RawMessage `json:"integrations"`
	Rules        []json.RawMessage `json:"rules"`
}

// Unknown names what a program didn't know.
type Unknown struct {
	// Members are paths such as input.flavor.
	Members []string `json:"members,omitempty"`
	// Items are the IDs of rules and integrations whose type is unknown or whose values don't fit it.
	Items []string `json:"items,omitempty"`
}

//go:embed sample.json
var sample []byte

// Sample returns what the sample account holds.
func Sample() *Document {
	document, err := Parse(sample)
	if err != nil {
		panic(fmt.Sprintf("sample.json: %v", err)) // It is a part of the program.
	}
	return document
}

// Read reads a document, JSON or YAML, to its end. It returns an error if the document is larger than [MaxSize].
func Read(in io.Reader) (*Document, error) {
	data, err := ReadAll(in)
	if err != nil {
		return nil, err
	}
	return Parse(data)
}

// ReadAll is io.ReadAll, but returns an error if there is more than [MaxSize].
func ReadAll(in io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(in, MaxSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxSize {
		return nil, fmt.Errorf("the document is larger than %d MiB", MaxSize>>20)
	}
	return data, nil
}

// Parse reads a document, JSON or YAML. It refuses what it doesn't know: a misspelt member must not be taken for a
// missing one.
func Parse(data []byte) (*Document, error) {
	data, err := toJSON(data)
	if err != nil {
		return nil, err
	}
	if err := checkMembers(data, "version", "unknown", "integrations", "rules"); err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	document := new(Document)
	if err := decoder.Decode(document); err != nil {
		return nil, fmt.Errorf("the document can't be read: %w", err)
	}
	if document.Version != Version {
		return nil, fmt.Errorf("the document's version is %d: write \"version\": %d, which is what this program knows", document.Version, Version)
	}
	return document, nil
}

// toJSON returns the document as JSON whose members occur once.
func toJSON(data []byte) ([]byte, error) {
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	if len(data) == 0 {
		return nil, errors.New("the document is empty")
	}
	if data[0] != '{' && data[0] != '[' {
		if hasAnother(data) {
			return nil, errors.New("the document is followed by another one: only one can be applied")
		}
		var err error
		if data, err = yaml.YAMLToJSONStrict(data); err != nil {
			return nil, fmt.Errorf("the document can't be read as YAML: %s", yamlProblems(err))
		}
	}
	decoder := jsontext.NewDecoder(bytes.NewReader(data))
	value, err := decoder.ReadValue()
	if err == nil {
		value = value.Clone()
		if _, err = decoder.ReadToken(); errors.Is(err, io.EOF) {
			return value, nil
		} else if err == nil {
			err = errors.New("something follows its end")
		}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("it ends early")
	}
	return nil, fmt.Errorf("the document is not valid JSON: %w", err)
}

// yamlProblems returns the lines of an error of the YAML library as one, of which it shows the first twenty.
func yamlProblems(err error) string {
	const shown = 20
	var problems []string
	for line := range strings.Lines(err.Error()) {
		for _, prefix := range []string{"error converting YAML to JSON: ", "yaml: ", "unmarshal errors:"} {
			line = strings.TrimPrefix(line, prefix)
		}
		if line = strings.TrimSpace(line); line != "" {
			problems = append(problems, line)
		}
	}
	if more := len(problems) - shown; more > 0 {
		problems = append(problems[:shown], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(problems, "; ")
}

// hasAnother reports whether a YAML stream holds more than one document, of which a reader would take the first.
func hasAnother(data []byte) bool {
	content, ended := false, false
	for line := range bytes.Lines(data) {
		line = bytes.TrimSpace(bytes.TrimRight(line, "\r\n"))
		begins := bytes.Equal(line, []byte("---")) || bytes.HasPrefix(line, []byte("--- "))
		switch {
		case begins && content:
			return true
		case bytes.Equal(line, []byte("...")):
			ended = content
		case len(line) > 0 && line[0] != '#' && line[0] != '%' && !bytes.Equal(line, []byte("---")):
			if ended {
				return true
			}
			content = true
		}
	}
	return false
}

// checkMembers refuses an object with other members than these. It minds their case, which encoding/json doesn't.
func checkMembers(data []byte, names ...string) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(data, &members); err != nil {
		return errors.New(`the document is no object: it has to begin with "version", "integrations" and "rules"`)
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains(names, name) {
			return fmt.Errorf("the document has an unknown member %q: it may have %s", name, strings.Join(names, ", "))
		}
	}
	return nil
}

// Marshal returns the document as JSON for people: indented, with the members of items sorted on every level. Numbers
// and strings stay as they are, but characters that a terminal would obey are escaped.
func (d *Document) Marshal() ([]byte, error) {
	sorted := *d
	for _, items := range []*[]json.RawMessage{&sorted.Integrations, &sorted.Rules} {
		*items = slices.Clone(*items)
		for i, item := range *items {
			value := jsontext.Value(bytes.Clone(item))
			if err := value.Format(jsontext.ReorderRawObjects(true), jsontext.PreserveRawStrings(true),
				jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)); err != nil {
				return nil, err
			}
			(*items)[i] = json.RawMessage(value)
		}
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // Operators stay readable.
	encoder.SetIndent("", "  ")
	err := encoder.Encode(&sorted)
	return terminal.EscapeJSON(b.Bytes()), err
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

// compact takes away the layout of a document, which responses of the API don't have.
func compact(raw json.RawMessage) json.RawMessage {
	value := jsontext.Value(bytes.Clone(raw))
	if value.Compact() != nil {
		return raw // The server will say what is wrong with it.
	}
	return json.RawMessage(value)
}
