package cfposture

import (
	"cmp"
	"encoding/json"
	"errors"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

const (
	minSecret  = 4  // the length from which a secret is told from the text around it
	longSecret = 16 // the length from which no text holds a secret by chance
)

// A redactor takes secrets out of what a call shows: a server may send back what it was sent, and a transport's error
// may hold anything.
type redactor struct {
	forms    []string // the secrets as they may be written, the longest first
	replacer *strings.Replacer
}

// redactor returns one for all that was sent until now.
func (c *call) redactor() *redactor {
	var forms []string
	secrets := append(namedSecrets(c.body), c.secrets...)
	for _, header := range append(c.earlier, c.header) {
		secrets = append(secrets, headerSecrets(header)...)
	}
	for _, secret := range secrets {
		if len(secret) >= minSecret {
			forms = append(forms, writtenForms(secret)...)
		}
	}
	slices.SortFunc(forms, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b)) })
	forms = slices.Compact(forms)
	var pairs []string
	for _, form := range forms {
		pairs = append(pairs, form, redacted)
	}
	return &redactor{forms, strings.NewReplacer(pairs...)}
}

// writtenForms are a secret as it is and as HTML, URLs, JSON, JSON pointers and Go write it.
func writtenForms(secret string) []string {
	forms := []string{html.EscapeString(secret), url.QueryEscape(secret), url.PathEscape(secret)}
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

func (r *redactor) text(text string) string { return r.replacer.Replace(text) }

// error returns err, or no more than its text if that holds a secret: then what it wraps holds it, too.
func (r *redactor) error(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	holds := func(form string) bool { return len(form) >= longSecret && strings.Contains(text, form) }
	if slices.ContainsFunc(r.forms, holds) {
		return errors.New(r.text(text))
	}
	return err
}

// excerpt returns the beginning of an answer. If that ends in the middle of a secret, so much of it is taken away.
func (r *redactor) excerpt(head []byte) []byte {
	text := r.text(string(head))
	for _, form := range r.forms {
		for n := min(len(form), len(text)); n >= minSecret; n-- {
			if rest, cut := strings.CutSuffix(text, form[:n]); cut {
				text = rest
				break
			}
		}
	}
	text = printable(text)
	return []byte(strings.ToValidUTF8(text[:min(len(text), maxHead)], ""))
}

func (r *redactor) messages(messages []Message) []Message {
	for i := range messages {
		m := &messages[i]
		m.Message, m.DocumentationURL = r.text(m.Message), r.text(m.DocumentationURL)
		if m.Source != nil {
			m.Source.Pointer = r.text(m.Source.Pointer)
		}
		r.messages(m.ErrorChain)
	}
	return messages
}

// namedSecrets are the strings of a request's body in members whose names say what they are.
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
			name = strings.ToLower(name)
			found = appendNamed(found, member, named || strings.Contains(name, "secret") ||
				strings.Contains(name, "password") || strings.Contains(name, "token") || strings.HasSuffix(name, "_key"))
		}
	}
	return found
}

// headerSecrets are the credentials in a header, however they came there.
func headerSecrets(header http.Header) []string {
	var secrets []string
	for _, name := range []string{"Authorization", "X-Auth-Key", "X-Auth-User-Service-Key", "Cf-Access-Client-Secret", "Cf-Access-Token", "Cookie"} {
		for _, value := range header[name] {
			_, credentials, _ := strings.Cut(value, " ")
			secrets = append(secrets, value, credentials)
		}
	}
	return secrets
}
