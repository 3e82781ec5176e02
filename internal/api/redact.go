package api

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// What must not show are the credentials of every attempt, the secrets of the body, and what a middleware, a cookie jar or
// a proxy adds. A server may send any of it back in whatever form it likes to quote it, and a transport's error may hold
// its request. So every text that leaves the engine passes a redactor: errors and what they wrap, excerpts of bodies, log
// records. Making one costs much more than a request; it is made only when something is to be shown.

const (
	// redacted stands in place of a secret.
	redacted = "[redacted]"
	// minSecret is the length from which a secret is told from the text around it. Removing every "1" because that is
	// somebody's password would leave no text to read.
	minSecret = 4
)

// A redactor takes secrets out of texts and errors.
type redactor struct {
	forms    []string // the secrets as they may be written, the longest first
	replacer *strings.Replacer
}

// redact returns the redactor for everything that was sent so far. An attempt that sends more makes it obsolete.
// Credentials of earlier attempts stay secret: a renewed token need not have made the old one invalid.
func (o *operation) redact() *redactor {
	// It is made again after each attempt, because the next one may send another token.
	if o.redactor == nil {
		o.redactor = newRedactor(o.sent.appendSecrets(slices.Concat(namedSecrets(o.Body), querySecrets(o.Query), o.Secrets, o.proxy)))
	}
	return o.redactor
}

func newRedactor(secrets []string) *redactor {
	var forms []string
	for _, secret := range secrets {
		if len(secret) >= minSecret {
			forms = append(forms, writtenForms(secret)...)
		}
	}
	// The longest form goes first, so that no shorter one takes a part of it and leaves the rest to be read.
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b)) })
	forms = slices.Compact(forms)
	var pairs []string
	for _, form := range forms {
		pairs = append(pairs, form, redacted)
	}
	return &redactor{forms, strings.NewReplacer(pairs...)}
}

// writtenForms returns a secret as it is and as HTML, URLs, JSON, JSON pointers and Go write it, each also quoted once
// more, as in a message that quotes the request.
func writtenForms(secret string) []string {
	asHTML := html.EscapeString(secret)
	forms := []string{asHTML, strings.NewReplacer("&#34;", "&quot;", "&#39;", "&#x27;").Replace(asHTML)}
	for _, asURL := range []string{url.QueryEscape(secret), url.PathEscape(secret)} {
		forms = append(forms, asURL, lowerPercents(asURL))
	}
	for _, plain := range []string{secret, string(jsontext.Pointer("").AppendToken(secret)[1:])} {
		short, _ := jsontext.AppendQuote(nil, plain)
		long, _ := json.Marshal(plain)
		forms = append(forms, plain)
		for _, quoted := range []string{string(short), string(long), strconv.Quote(plain), strconv.QuoteToASCII(plain)} {
			form := strings.TrimSuffix(strings.TrimPrefix(quoted, `"`), `"`)
			twice := strings.Trim(strconv.Quote(form), `"`) // as in a message that quotes the request
			forms = append(forms, form, strings.ReplaceAll(form, "/", `\/`), twice)
		}
	}
	return forms
}

// lowerPercents writes the hexadecimal digits of a URL's escapes in lower case, as some programs do.
func lowerPercents(escaped string) string {
	parts := strings.Split(escaped, "%")
	for i, part := range parts[1:] {
		parts[i+1] = strings.ToLower(part[:2]) + part[2:]
	}
	return strings.Join(parts, "%")
}

// text returns a text without secrets, and without the user and password of any URL.
func (r *redactor) text(text string) string {
	return withoutUserInfo(r.replacer.Replace(text))
}

// urlSlashes are what follows the scheme of a URL, as it is and as JSON may escape it.
var urlSlashes = []string{"://", `:\/\/`}

// authorityEnd are the characters that end the user, password and host of a URL.
const authorityEnd = "/\" \t\n\f\r"

// withoutUserInfo hides the user and password in every URL.
func withoutUserInfo(text string) string {
	for _, slashes := range urlSlashes {
		parts := strings.Split(text, slashes)
		for i, part := range parts[1:] {
			end := strings.IndexAny(part, authorityEnd)
			if end < 0 {
				end = len(part)
			}
			if at := strings.LastIndexByte(part[:end], '@'); at > 0 {
				parts[i+1] = redacted + part[at:]
			}
		}
		text = strings.Join(parts, slashes)
	}
	return text
}

// withoutCutURL takes away what may be the beginning of a URL's user and password, where a text was cut.
func withoutCutURL(text string) string {
	const longest = 300 // of a user and a password
	for _, slashes := range urlSlashes {
		start := strings.LastIndex(text, slashes)
		if start < 0 {
			continue
		}
		if rest := text[start+len(slashes):]; len(rest) <= longest && !strings.ContainsAny(rest, authorityEnd) {
			text = text[:start]
		}
	}
	return text
}

// error returns err, or an error with no more than its cleaned text if it or one that it wraps shows a secret.
func (r *redactor) error(err error) error {
	if err == nil || !r.isShownBy(err) {
		return err
	}
	return clean(err, r.text(err.Error()))
}

// isShownBy reports whether the text of err, or of an error that it wraps, holds a secret. An error can hide in its
// text what the one below it shows.
func (r *redactor) isShownBy(err error) bool {
	text := err.Error()
	if r.text(text) != text {
		return true
	}
	switch err := err.(type) { //nolint:errorlint // each error of the tree is looked at
	case interface{ Unwrap() error }:
		inner := err.Unwrap()
		return inner != nil && r.isShownBy(inner)
	case interface{ Unwrap() []error }:
		return slices.ContainsFunc(err.Unwrap(), r.isShownBy)
	default:
		return false
	}
}

// A cleanedError shows the text of an error without its secrets and hides the error itself, which Unwrap would reveal.
// errors.Is and the methods of net.Error still work as with the error.
type cleanedError struct {
	text    string
	timeout bool
	is      func(target error) bool // a function, so that no verb of fmt prints the error
}

func clean(err error, text string) *cleanedError {
	var netError net.Error
	return &cleanedError{
		text:    text,
		timeout: errors.As(err, &netError) && netError.Timeout(),
		is:      func(target error) bool { return errors.Is(err, target) },
	}
}

func (e *cleanedError) Error() string        { return e.text }
func (e *cleanedError) Is(target error) bool { return e.is(target) }

// Timeout and Temporary make it a net.Error, as the error may have been.
func (e *cleanedError) Timeout() bool   { return e.timeout }
func (e *cleanedError) Temporary() bool { return e.timeout }

// excerpt returns the beginning of a body, printable, at most the given number of bytes. If it ends in the middle of a
// secret, that part of the secret is removed, because the replacer finds only whole ones.
func (r *redactor) excerpt(body []byte, most int) string {
	text := r.text(string(body[:min(len(body), most)]))
	if len(body) > most {
		text = withoutCutURL(text)
	}
	// A cut through the middle of a secret leaves a beginning that the replacer can't know.
	for _, form := range r.forms {
		for n := min(len(form), len(text)); n >= minSecret; n-- {
			if rest, cut := strings.CutSuffix(text, form[:n]); cut {
				text = rest
				break
			}
		}
	}
	text = Printable(text)
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}

// namedSecrets returns the strings of a request's body in members whose names say that they are secret, on every level. So
// secrets stay out of errors even in bodies of Client.Do and in members of rules that this package has no field for.
func namedSecrets(body []byte) []string {
	var value any
	if json.Unmarshal(body, &value) != nil {
		return nil
	}
	return appendNamed(nil, value, false)
}

func appendNamed(found []string, value any, named bool) []string {
	switch value := value.(type) {
	case string:
		if named {
			found = append(found, value)
		}
	case []any:
		for _, element := range value {
			found = appendNamed(found, element, named)
		}
	case map[string]any:
		for name, member := range value {
			found = appendNamed(found, member, named || IsSecretMember(name))
		}
	}
	return found
}

// querySecrets returns the values of a query's parameters whose names say that they are secret.
func querySecrets(query string) []string {
	var secrets []string
	parameters, _ := url.ParseQuery(query)
	for name, values := range parameters {
		if IsSecretMember(name) {
			secrets = append(secrets, values...)
		}
	}
	return secrets
}

// DropSecretMembers removes the members whose names suggest a secret from decoded JSON. It reports whether there were any.
func DropSecretMembers(value any) (found bool) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			found = DropSecretMembers(element) || found
		}
	case map[string]any:
		for name, member := range value {
			if IsSecretMember(name) {
				delete(value, name)
				found = true
				continue
			}
			found = DropSecretMembers(member) || found
		}
	}
	return found
}

// IsSecretMember reports whether the name of a member suggests a secret. Unlike in headers, "auth" does not, because of
// auth_url.
func IsSecretMember(name string) bool {
	name = strings.ToLower(name)
	return strings.HasSuffix(name, "key") ||
		slices.ContainsFunc([]string{"secret", "passw", "passphrase", "token", "credential"}, func(part string) bool {
			return strings.Contains(name, part)
		})
}

// headerSecrets returns the credentials in a header, however they came there.
func headerSecrets(header http.Header) []string {
	var secrets []string
	for name, values := range header {
		secrets = append(secrets, fieldSecrets(name, values)...)
	}
	return secrets
}

// secretNames are the parts of a header's name that promise a secret value.
var secretNames = []string{
	"auth", "cookie", "token", "secret", "passw", "key", "jwt", "assertion", "credential", "session", "signature",
}

// fieldSecrets returns the credentials in a header of the name, or nil if its name promises none: its values, those of its
// cookies, what follows a scheme such as Bearer, and what Basic hides.
func fieldSecrets(name string, values []string) []string {
	name = strings.ToLower(name)
	isSecret := slices.ContainsFunc(secretNames, func(part string) bool { return strings.Contains(name, part) })
	if !isSecret || name[0] == ':' || name == "x-auth-email" {
		return nil
	}
	var secrets []string
	for _, value := range values {
		secrets = append(secrets, value)
		if name == "cookie" {
			for cookie := range strings.SplitSeq(value, ";") {
				_, content, _ := strings.Cut(strings.TrimSpace(cookie), "=")
				secrets = append(secrets, content, strings.Trim(content, `"`))
			}
			continue
		}
		scheme, credentials, _ := strings.Cut(value, " ")
		secrets = append(secrets, credentials)
		if strings.EqualFold(scheme, "Basic") {
			plain, _ := base64.StdEncoding.DecodeString(credentials)
			_, password, _ := strings.Cut(string(plain), ":")
			secrets = append(secrets, string(plain), password)
		}
	}
	return secrets
}

// Printable replaces characters that would break a line, or make a terminal show something else than the text: control
// characters such as escape sequences, and those that change the direction of writing.
func Printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, string(utf8.RuneError)))
}
