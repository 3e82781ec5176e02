package terminal

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"
)

// Clean replaces every character that would break a line, move the cursor, or show a text in an order that it doesn't
// have.
func Clean(s string) string {
	return strings.Map(func(r rune) rune {
		if isObeyed(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

// isObeyed reports whether a terminal would do something other than show the character.
func isObeyed(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029'
}

// EscapeJSON returns the same JSON with escapes for all that [Clean] would replace. Below U+0020 JSON has escapes already,
// and line breaks between its values.
func EscapeJSON(data []byte) []byte {
	escaped := make([]byte, 0, len(data))
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		if r >= ' ' && isObeyed(r) {
			escaped = fmt.Appendf(escaped, `\u%04x`, r)
		} else {
			escaped = append(escaped, data[:size]...)
		}
		data = data[size:]
	}
	return escaped
}

// Quote returns a text in quotes, with escapes for all that [Clean] would replace.
func Quote(s string) string { return isolate(strconv.Quote(s)) }

// Width returns how many columns of a terminal a clean text takes.
func Width(s string) int { return text.StringWidthWithoutEscSequences(s) }

// Cut shortens a clean text to a width and shows that it did. A width of 0 is no limit.
func Cut(s string, width int) string { return text.Snip(s, width, "…") }

// Wrap breaks a clean text into lines of a width. A width of 0 or less is no limit.
func Wrap(s string, width int) []string {
	if width <= 0 {
		return []string{s}
	}
	return strings.Split(text.WrapSoft(s, width), "\n")
}

// isolate keeps a text that runs from right to left from reordering its neighbors.
func isolate(s string) string {
	isRightToLeft := func(r rune) bool {
		return unicode.In(r, unicode.Hebrew, unicode.Arabic, unicode.Syriac, unicode.Thaana, unicode.Nko, unicode.Samaritan,
			unicode.Mandaic, unicode.Adlam)
	}
	if !strings.ContainsFunc(s, isRightToLeft) {
		return s
	}
	const firstStrongIsolate, popDirectionalIsolate = "\u2068", "\u2069"
	return firstStrongIsolate + s + popDirectionalIsolate
}

// PrintError prints an error to standard error, with the name of the program before it. Errors that were joined get a
// line each, which is cut where it is very long; nothing else in an error can begin one. After a heading and twenty
// errors it only says how many there are more.
func (t *Terminal) PrintError(program string, err error) {
	const mostLines, mostColumns = 1 + 20, 4000
	lines := errorLines(err)
	for _, line := range lines[:min(len(lines), mostLines)] {
		t.Say("%s: %s", program, Cut(line, mostColumns))
	}
	if more := len(lines) - mostLines; more > 0 {
		t.Say("%s: and %d more", program, more)
	}
}

func errorLines(err error) []string {
	if joined, ok := err.(interface{ Unwrap() []error }); ok && err.Error() == errors.Join(joined.Unwrap()...).Error() {
		var lines []string
		for _, each := range joined.Unwrap() {
			lines = append(lines, errorLines(each)...)
		}
		return lines
	}
	return []string{Clean(strings.TrimPrefix(err.Error(), "cfposture: "))}
}
