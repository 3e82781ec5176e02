package api

import (
	"fmt"
	"strings"
)

// CheckCredential says what is wrong with a credential without showing it. net/http would refuse a control character
// too, but its error is about the header, and comes only with the first request. A newline at the end of a file is the
// usual cause.
func CheckCredential(name, value string) error {
	switch {
	case value == "":
		return fmt.Errorf("%s is empty", name)
	case !IsHeaderText(value):
		return fmt.Errorf("%s has a newline or another control character", name)
	default:
		return nil
	}
}

// CheckHeader says what is wrong with a header that requests are to have. The name is in its canonical form.
func CheckHeader(name, value string) error {
	switch {
	case !isToken(name):
		return fmt.Errorf("header name %q is invalid", name)
	case name == "Content-Length", name == "Transfer-Encoding", name == "Trailer":
		return fmt.Errorf("header %s describes the body: it can't be set", name)
	case name == "Host" && strings.ContainsAny(value, " /?#@"):
		return fmt.Errorf("value %q of header Host is no host, with or without a port", value)
	case !IsHeaderText(value):
		return fmt.Errorf("value of header %s has a control character", name)
	default:
		return nil
	}
}

// IsHeaderText reports whether a text can be the value of a header.
func IsHeaderText(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// isToken reports whether a name can be that of a header or a method.
func isToken(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}
