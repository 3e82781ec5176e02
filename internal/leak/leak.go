// Package leak finds secrets in what tests see of errors and logs, however they are written there.
package leak

import (
	"encoding/hex"
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Find returns a part of one of the secrets that a text shows, "" if it shows none: the secret's first or last eight
// bytes, plain or as HTML, URLs, JSON, Go and the verbs of package fmt write them.
func Find(text string, secrets ...string) string {
	for _, written := range []string{text, html.UnescapeString(text), Unquote(text), unescape(text), unhex(text), numbers(text)} {
		for _, secret := range secrets {
			for _, part := range []string{secret[:min(8, len(secret))], secret[max(0, len(secret)-8):]} {
				if strings.Contains(written, part) {
					return part
				}
			}
		}
	}
	return ""
}

var escapes = regexp.MustCompile(`\\u[0-9a-fA-F]{4}|\\x[0-9a-f]{2}|\\[/"\\']`)

// Unquote undoes the escapes of JSON and Go, wherever there are any.
func Unquote(text string) string {
	return escapes.ReplaceAllStringFunc(text, func(escape string) string {
		if strings.HasPrefix(escape, `\u`) || strings.HasPrefix(escape, `\x`) {
			r, _ := strconv.ParseUint(escape[2:], 16, 32)
			return string(rune(r)) //nolint:gosec // four digits at the most
		}
		return escape[1:]
	})
}

var percents = regexp.MustCompile(`%[0-9a-fA-F]{2}`)

// unescape undoes the escapes of URLs.
func unescape(text string) string {
	return percents.ReplaceAllStringFunc(text, func(escape string) string {
		plain, _ := url.PathUnescape(escape)
		return plain
	})
}

var hexDigits = regexp.MustCompile(`(?i)(?:(?:0x)?[0-9a-f]{2}[ ,]*){8,}`)

// unhex undoes what %x prints.
func unhex(text string) string {
	return hexDigits.ReplaceAllStringFunc(text, func(digits string) string {
		digits = strings.NewReplacer("0x", "", "0X", "", " ", "", ",", "").Replace(digits)
		plain, _ := hex.DecodeString(digits[:len(digits)/2*2])
		return string(plain)
	})
}

var byteLists = regexp.MustCompile(`(?:\d{1,3} ){7,}\d{1,3}`)

// numbers undoes what %d prints of bytes.
func numbers(text string) string {
	return byteLists.ReplaceAllStringFunc(text, func(list string) string {
		var plain []byte
		for number := range strings.FieldsSeq(list) {
			b, _ := strconv.ParseUint(number, 10, 8)
			plain = append(plain, byte(b))
		}
		return string(plain)
	})
}
