// Package wire decodes and encodes JSON objects without losing a member.
//
// The syntax is checked by jsontext; what follows here walks text that is known to be valid, which keeps it short and
// quick: an object is walked once, each value is a part of the text, and only what a field takes is converted.
package wire

import (
	"iter"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Valid reports whether data is one JSON value in UTF-8. Names may repeat: Decode refuses those where it meets them.
func Valid(data []byte) bool {
	return jsontext.Value(data).IsValid(jsontext.AllowDuplicateNames(true))
}

// IsObject reports whether the valid JSON text is an object.
func IsObject(text string) bool { return strings.HasPrefix(text, "{") }

// Trim removes JSON's white space around text.
func Trim(text string) string { return strings.Trim(text, " \t\r\n") }

// members yields the names, unquoted, and the values of a valid JSON object.
func members(object string) iter.Seq2[string, string] {
	return func(yield func(name, value string) bool) {
		for i := skipSpace(object, 1); object[i] != '}'; {
			end := skipString(object, i)
			name := unquote(object[i:end])
			colon := skipSpace(object, end)
			i = skipSpace(object, colon+1)
			end = skipValue(object, i)
			if !yield(name, object[i:end]) {
				return
			}
			i = skipComma(object, end)
		}
	}
}

// elements yields the values of a valid JSON array.
func elements(array string) iter.Seq[string] {
	return func(yield func(value string) bool) {
		for i := skipSpace(array, 1); array[i] != ']'; {
			end := skipValue(array, i)
			if !yield(array[i:end]) {
				return
			}
			i = skipComma(array, end)
		}
	}
}

// skipValue returns the index after the value that starts at text[i].
func skipValue(text string, i int) int {
	switch text[i] {
	case '"':
		return skipString(text, i)
	case '{', '[':
		return skipNested(text, i)
	default:
		for i < len(text) && !strings.ContainsRune(",]} \t\r\n", rune(text[i])) {
			i++
		}
		return i
	}
}

func skipNested(text string, i int) int {
	for depth := 0; ; i++ {
		switch text[i] {
		case '"':
			i = skipString(text, i) - 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
	}
}

func skipString(text string, i int) int {
	for i++; text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return i + 1
}

func skipSpace(text string, i int) int {
	for i < len(text) && (text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r') {
		i++
	}
	return i
}

func skipComma(text string, i int) int {
	i = skipSpace(text, i)
	if text[i] == ',' {
		i = skipSpace(text, i+1)
	}
	return i
}

// unquote returns what the valid JSON string means; without an escape that is a part of the text itself.
func unquote(text string) string {
	if !strings.Contains(text, `\`) {
		return text[1 : len(text)-1]
	}
	// Valid text has no error to give.
	plain, _ := jsontext.AppendUnquote(nil, text)
	return string(plain)
}

// Strings returns every string value in data, however deep, or nothing if data is not valid JSON.
func Strings(data []byte) []string {
	if !Valid(data) {
		return nil
	}
	return appendStrings(nil, Trim(string(data)))
}

func appendStrings(found []string, text string) []string {
	switch text[0] {
	case '"':
		found = append(found, unquote(text))
	case '{':
		for _, value := range members(text) {
			found = appendStrings(found, value)
		}
	case '[':
		for value := range elements(text) {
			found = appendStrings(found, value)
		}
	}
	return found
}
