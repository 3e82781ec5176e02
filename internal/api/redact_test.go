package api

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/internal/leak"
)

// Secrets in which every way of escaping has something to change. Headers can hold the first, bodies the second.
const (
	headerSecret = `hdr/en&hush<1>"quoted"'single'\back%41+==`
	bodySecret   = `cfg/hush&<3>"\%2f+é😀`
)

// assertHidden looks at an error in the ways programs show one, at all that it wraps, and at its failure.
func assertHidden(t *testing.T, err error, secrets ...string) {
	t.Helper()
	var shown strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%q", "%x", "%d"} {
		fmt.Fprintf(&shown, verb+"\n"+verb+"\n", err, []any{err})
	}
	for _, inner := range unwrapAll(err) {
		fmt.Fprintln(&shown, inner.Error())
		var failed *testError
		if errors.As(inner, &failed) {
			fmt.Fprintf(&shown, "%+v %s\n", *failed.Failure, failed.Body)
		}
	}
	for _, options := range []*slog.HandlerOptions{{Level: levelBodies}} {
		slog.New(slog.NewTextHandler(&shown, options)).Debug("m", "err", err)
		slog.New(slog.NewJSONHandler(&shown, options)).Debug("m", "err", err)
	}
	if part := leak.Find(shown.String(), secrets...); part != "" {
		assert.Fail(t, "a secret shows", "%q in %.1000s", part, shown.String())
	}
}

// echoes are bodies of servers that send back what they were sent, in all the ways that servers escape.
func echoes() map[string]func(secret string) string {
	trim := func(quoted string) string { return strings.TrimSuffix(strings.TrimPrefix(quoted, `"`), `"`) }
	goJSON := func(s string) string {
		quoted, _ := json.Marshal(s)
		return trim(string(quoted))
	}
	plainJSON := func(s string) string {
		return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(goJSON(s))
	}
	python := func(s string) string { return trim(strconv.QuoteToASCII(s)) }
	php := func(s string) string { return strings.ReplaceAll(python(s), "/", `\/`) }
	message := func(escape func(string) string) func(string) string {
		return func(s string) string {
			return `{"success":false,"errors":[{"code":1,"message":"bad ` + escape(s) + `","documentation_url":"https://x/` + escape(s) +
				`","source":{"pointer":"/` + escape(s) + `"},"error_chain":[{"code":2,"message":"` + escape(s) + `"}]}],` +
				`"messages":[{"message":"` + escape(s) + `"}],"result":null}`
		}
	}
	page := func(escape func(string) string) func(string) string {
		return func(s string) string { return "<html><body>no access with " + escape(s) + "</body></html>" }
	}
	return map[string]func(string) string{
		"JSON": message(plainJSON), "JSON as Go writes it": message(goJSON), "JSON in ASCII": message(python), "JSON with escaped slashes": message(php),
		"JSON in a JSON string": message(func(s string) string { return goJSON(goJSON(s)) }),
		"JSON pointer": message(func(s string) string {
			return goJSON(strings.NewReplacer("~", "~0", "/", "~1").Replace(s))
		}),
		"HTML": page(html.EscapeString), "unescaped HTML": page(func(s string) string { return s }),
		"URL": page(url.QueryEscape), "path": page(url.PathEscape), "Go": page(strconv.Quote),
		"URL in lower case": page(lowerURL),
		"HTML with named quotes": page(func(s string) string {
			return strings.NewReplacer("&#34;", "&quot;", "&#39;", "&#x27;").Replace(html.EscapeString(s))
		}),
		"other JSON":              func(s string) string { return `{"error":"` + goJSON(s) + `"}` },
		"name in broken JSON":     func(s string) string { return `{"` + plainJSON(s) + `":{"` + plainJSON(s) + `":x` },
		"name in a result":        func(s string) string { return `{"success":true,"result":{"` + plainJSON(s) + `":}}` },
		"errors of another kind":  func(s string) string { return `{"success":false,"errors":{"` + plainJSON(s) + `":1}}` },
		"cut in the secret":       func(s string) string { return `{"success":false,"errors":[{"message":"` + plainJSON(s)[:len(s)-6] },
		"cut in the secret, HTML": func(s string) string { return "<html>" + html.EscapeString(s)[:len(s)-4] },
		"over the end of the excerpt": func(s string) string {
			return strings.Repeat("x", maxExcerpt-20) + s + strings.Repeat("y", 1000)
		},
		"over the end of a message": func(s string) string {
			return `{"success":false,"errors":[{"message":"` + strings.Repeat("x", maxMessageText-20) + plainJSON(s) + `"}]}`
		},
		"over the end, JSON": func(s string) string { return `{"error":"` + strings.Repeat("x", maxExcerpt-20) + goJSON(s) + `"}` },
	}
}

// lowerURL escapes as URLs do, with digits in lower case.
func lowerURL(s string) string {
	return regexp.MustCompile("%[0-9A-F]{2}").ReplaceAllStringFunc(url.QueryEscape(s), strings.ToLower)
}

// Ways in which a credential comes into a request.
func carriers(t *testing.T) map[string]func(c *Config, r *Request) (secret string) {
	t.Helper()
	carriers := map[string]func(c *Config, r *Request) string{
		"the token": func(c *Config, _ *Request) string {
			c.Authorize = func(_ context.Context, header http.Header) error {
				header.Set("Authorization", "Bearer "+headerSecret)
				return nil
			}
			return headerSecret
		},
		"a user and a password": func(c *Config, _ *Request) string {
			c.Headers = []func(*http.Request){func(r *http.Request) { r.SetBasicAuth("user", headerSecret) }}
			return headerSecret
		},
		"a user and a password, encoded": func(c *Config, _ *Request) string {
			c.Headers = []func(*http.Request){func(r *http.Request) { r.SetBasicAuth("user", headerSecret) }}
			return base64.StdEncoding.EncodeToString([]byte("user:" + headerSecret))
		},
		"a cookie": func(c *Config, _ *Request) string {
			c.Headers = []func(*http.Request){func(r *http.Request) { r.Header.Set("Cookie", "a=1; CF_Authorization=cookie-value-123; b=2") }}
			return "cookie-value-123"
		},
		"a quoted cookie": func(c *Config, _ *Request) string {
			c.Headers = []func(*http.Request){func(r *http.Request) { r.Header.Set("Cookie", `session="cookie value 123"`) }}
			return "cookie value 123"
		},
		"the cookie jar": func(c *Config, _ *Request) string {
			jar := newJar(t)
			jar.SetCookies(c.BaseURL, []*http.Cookie{{Name: "anything", Value: "jar-value-1234", Path: "/"}})
			c.HTTP.client.Jar = jar
			return "jar-value-1234"
		},
		"a middleware, on a clone": func(c *Config, _ *Request) string {
			wrapped, err := c.HTTP.Wrap(func(next http.RoundTripper) http.RoundTripper {
				return roundTripper(func(r *http.Request) (*http.Response, error) {
					r = r.Clone(r.Context())
					r.Header.Set("X-Api-Token", headerSecret)
					return next.RoundTrip(r)
				})
			})
			require.NoError(t, err)
			c.HTTP = wrapped
			return headerSecret
		},
		"a listed secret of the body": func(_ *Config, r *Request) string {
			r.Secrets, r.Body = []string{bodySecret}, body(t, "pin")
			return bodySecret
		},
	}
	for _, name := range []string{
		"X-Auth-Key", "Proxy-Authorization", "Cf-Access-Jwt-Assertion", "Cf-Access-Client-Secret", "Cf-Access-Token", "X-Vault-Token",
		"X-Api-Key", "Api_key", "X-My-Secret", "X-Password", "Passwd", "X-Credentials", "X-Session-Id", "X-Signature", "authentication", "x-auth-user-service-key",
	} {
		carriers["a header named "+name] = func(c *Config, _ *Request) string {
			c.Headers = []func(*http.Request){func(r *http.Request) { r.Header[name] = []string{"first", headerSecret} }}
			return headerSecret
		}
	}
	for _, name := range []string{"client_secret", "Secret", "password", "api_token", "client_key", "ACCESS_TOKEN"} {
		carriers["a member named "+name] = func(_ *Config, r *Request) string {
			r.Body = body(t, name)
			return bodySecret
		}
	}
	return carriers
}

// body returns a body that holds the body's secret somewhere inside the member.
func body(t *testing.T, member string) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{"config": []any{map[string]any{member: map[string]any{"inner": []any{bodySecret}}}}, "name": "n"})
	require.NoError(t, err)
	return text
}

// echoing is a server that responds with all it was sent: the secret in the shape of the echo, all else as a header.
func echoing(status int, echo func(string) string, secret *string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		sent, _ := io.ReadAll(r.Body)
		var all strings.Builder
		_ = r.Header.Write(&all)
		ray := strings.NewReplacer("\r", " ", "\n", " ").Replace(all.String() + string(sent))
		w.Header().Set("Cf-Ray", ray[max(0, len(ray)-2000):])
		_, password, _ := r.BasicAuth()
		if !strings.Contains(all.String()+password+leak.Unquote(string(sent)), *secret) {
			panic("the secret was not sent")
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, echo(*secret))
	}
}

func TestServerThatEchoesSecretsGetsThemIntoNoErrorAndNoLog(t *testing.T) {
	for carrier, carry := range carriers(t) {
		t.Run(carrier, func(t *testing.T) {
			for echo, shape := range echoes() {
				if isNamed := strings.Contains(carrier, " named "); isNamed && echo != "JSON" && echo != "HTML" {
					continue // what is found by its name is cleaned like all else
				}
				for protocol, statuses := range map[string][]int{overHTTP: {200, 403}, overH2C: {502}} {
					for _, status := range statuses {
						synctest.Test(t, func(t *testing.T) {
							var secret string
							transport, baseURL := newNetwork().serve(t, protocol, echoing(status, shape, &secret))
							c := newConfig(transport)
							c.BaseURL = parseURL(baseURL)
							var log bytes.Buffer
							c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: levelBodies}))
							r := newRequest(http.MethodPut, new(string))
							secret = carry(c, r)
							response, err := Do(t.Context(), c, r)
							require.Error(t, err, echo)
							require.Equal(t, status, response.StatusCode, "%s: %v", echo, err)
							assertHidden(t, err, secret)
							assert.NotEmpty(t, log.String())
							assert.Empty(t, leak.Find(log.String(), secret), echo)
						})
					}
					if t.Failed() {
						return
					}
				}
			}
		})
	}
}

// A transport that isn't net/http's need not report which headers it writes.
func TestHeadersThatNoTransportReportsAreRedacted(t *testing.T) {
	const middlewareSecret = "hush-of-the-middleware"
	own := func(r *http.Request) { // a header of its own
		r.Header = r.Header.Clone()
		r.Header.Set("X-Api-Token", middlewareSecret)
	}
	fail := func(r *http.Request) (*http.Response, error) { return nil, fmt.Errorf("can't send %v", r.Header) }
	middlewares := map[string]func(r *http.Request, next http.RoundTripper) (*http.Response, error){
		"none": func(r *http.Request, next http.RoundTripper) (*http.Response, error) { return next.RoundTrip(r) },
		"one that sets a header": func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			r.Header.Set("X-Api-Token", middlewareSecret)
			return next.RoundTrip(r)
		},
		"one that replaces the header": func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			own(r)
			return next.RoundTrip(r)
		},
		"one that replaces the request": func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			r = r.WithContext(r.Context())
			own(r)
			return next.RoundTrip(r)
		},
		"one that exchanges the token": func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			given := r.Header.Get("Authorization")
			r = r.Clone(r.Context())
			r.Header.Set("Authorization", "Bearer "+middlewareSecret)
			_, err := next.RoundTrip(r)
			return nil, fmt.Errorf("in place of %s: %w", given, err)
		},
		"one that fails": func(r *http.Request, _ http.RoundTripper) (*http.Response, error) {
			own(r)
			return fail(r)
		},
	}
	for name, middleware := range middlewares {
		for _, client := range []*http.Client{{}, {Timeout: time.Minute}, {Jar: newJar(t)}, {Timeout: time.Minute, Jar: newJar(t)}} {
			client.Transport = roundTripper(fail)
			c := newConfig(nil)
			c.HTTP, c.MaxRetries = NewHTTPClient(client), 0
			wrap(t, c, func(next http.RoundTripper) http.RoundTripper {
				return roundTripper(func(r *http.Request) (*http.Response, error) { return middleware(r, next) })
			})
			_, err := ask(t.Context(), c, http.MethodGet)
			require.ErrorContains(t, err, "can't send", name)
			assertHidden(t, err, testToken, middlewareSecret)
		}
	}
}

// A token source may give another token to each attempt, and a server remember them all.
func TestTokensOfEarlierAttemptsAreRedacted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := []string{"first-token-1111111111", "second-token-2222222222", "third-token-3333333333"}
		var seen []string
		c := newConfig(roundTripper(func(r *http.Request) (*http.Response, error) {
			seen = append(seen, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
			return respond(r, 503, nil, `{"success":false,"errors":[{"code":1,"message":"`+strings.Join(seen, " ")+`"}]}`), nil
		}))
		c.Authorize = func(_ context.Context, header http.Header) error {
			header.Set("Authorization", "Bearer "+tokens[len(seen)])
			return nil
		}
		_, err := ask(t.Context(), c, http.MethodGet)
		require.ErrorContains(t, err, "[redacted] [redacted] [redacted]")
		require.Equal(t, tokens, seen)
		assertHidden(t, err, tokens...)
	})
}

// Errors of others may hold what they were given.
func TestErrorsOfOthersAreRedacted(t *testing.T) {
	secretly := fmt.Errorf("deep inside: %w", errors.Join(errTest, fmt.Errorf("refused %q", headerSecret)))
	for name, configure := range map[string]func(c *Config, cancel context.CancelCauseFunc){
		"transport": func(c *Config, _ context.CancelCauseFunc) {
			c.HTTP = NewHTTPClient(&http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { return nil, secretly })})
		},
		"body": func(c *Config, _ context.CancelCauseFunc) {
			c.HTTP = NewHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				return respondWith(r, 200, nil, failingReader{secretly}), nil
			})})
		},
		"limiter": func(c *Config, _ context.CancelCauseFunc) {
			asked := 0
			c.Limiter = limiterFunc(func(context.Context) error {
				if asked++; asked > 1 {
					return secretly
				}
				return nil
			})
		},
		"cause of the context": func(c *Config, cancel context.CancelCauseFunc) {
			c.HTTP = NewHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				cancel(secretly)
				return nil, r.Context().Err()
			})})
		},
		"cause of the context, waiting": func(c *Config, cancel context.CancelCauseFunc) {
			c.HTTP = NewHTTPClient(&http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				cancel(secretly)
				return limited(r)
			})})
		},
	} {
		for _, method := range methods {
			t.Run(name+"/"+method, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					ctx, cancel := context.WithCancelCause(t.Context())
					defer cancel(nil)
					c := newConfig(limited)
					c.Authorize = func(_ context.Context, header http.Header) error {
						header.Set("Authorization", "Bearer "+headerSecret)
						return nil
					}
					configure(c, cancel)
					_, err := ask(ctx, c, method)
					require.ErrorIs(t, err, errTest, "errors.Is sees through")
					require.ErrorContains(t, err, "[redacted]")
					assertHidden(t, err, headerSecret)
				})
			})
		}
	}
}

// An error that names a secret in the path, such as an ID that is a token.
func TestSecretInThePathIsRedacted(t *testing.T) {
	c := newConfig(responding(404, ""))
	_, err := Do(t.Context(), c, &Request{Method: "GET", Path: "things/" + testToken})
	require.EqualError(t, err, "cfposture: GET things/[redacted]: 404")
}

func TestURLsLoseTheirPasswords(t *testing.T) {
	c := newConfig(roundTripper(func(*http.Request) (*http.Response, error) {
		return nil, errors.New(`proxy "http://user:passw0rd@proxy.example:3128/x" and https://me@example.com/a@b failed, a@b.example did not`)
	}))
	c.MaxRetries = 0
	_, err := ask(t.Context(), c, http.MethodGet)
	require.EqualError(t, err, `cfposture: GET things/1: proxy "http://[redacted]@proxy.example:3128/x" and https://[redacted]@example.com/a@b failed, a@b.example did not`)
}

func TestExcerptShowsNoPartOfAPassword(t *testing.T) {
	r := newRedactor(nil)
	text := "see https://user:passw0rd@host.example/path?a=1 and no more"
	for most := range len(text) {
		for _, body := range []string{text, strings.ReplaceAll(text, "/", `\/`)} {
			assert.NotContains(t, r.excerpt([]byte(body), most), "pas", most)
		}
	}
	long := "data://" + strings.Repeat("A", 1000)
	assert.Equal(t, long[:500], r.excerpt([]byte(long), 500), "no password is so long")
	assert.Equal(t, "see https://host.example", r.excerpt([]byte("see https://host.example"), 100), "nothing was cut")
}

func TestCleanedErrorIsStillWhatItWas(t *testing.T) {
	r := newRedactor([]string{"hush-hush"})
	plain := errors.Join(errTest, io.EOF)
	assert.Same(t, plain, r.error(plain), "what shows no secret stays")
	require.NoError(t, r.error(nil))

	path := &os.PathError{Op: "open", Path: "hush-hush", Err: os.ErrNotExist}
	cleaned := r.error(path)
	require.EqualError(t, cleaned, "open [redacted]: file does not exist")
	require.ErrorIs(t, cleaned, os.ErrNotExist)
	var leaked *os.PathError
	require.NotErrorAs(t, cleaned, &leaked, "its fields would show the secret")

	cleaned = r.error(&net.DNSError{Name: "hush-hush", IsTimeout: true})
	var timeout net.Error
	require.ErrorAs(t, cleaned, &timeout)
	assert.True(t, timeout.Timeout())
	assert.True(t, timeout.Temporary()) //nolint:staticcheck // it is a part of the interface
	require.ErrorAs(t, r.error(errors.New("hush-hush")), &timeout)
	assert.False(t, timeout.Timeout())

	hidden := r.error(hiding{errors.New("inside: hush-hush")})
	assert.NotContains(t, unwrapAll(hidden)[len(unwrapAll(hidden))-1].Error(), "hush", "a text without the secret may be around one with it")
}

// hiding is an error whose text says less than the one it wraps.
type hiding struct{ error }

func (hiding) Error() string   { return "failed" }
func (h hiding) Unwrap() error { return h.error }

// Texts are cleaned of what could be a secret, not of what happens to be short.
func TestShortSecretsAreRedactedFromFourBytesOn(t *testing.T) {
	r := newRedactor([]string{"", "a", "abc", "pass"})
	assert.Equal(t, "abc a [redacted] [redacted]word", r.text("abc a pass password"))
	cleaned := r.error(fmt.Errorf("x: %w", errors.New("pass")))
	for _, err := range unwrapAll(cleaned) {
		assert.NotContains(t, err.Error(), "pass")
	}
}

func TestLongerSecretsComeFirst(t *testing.T) {
	assert.Equal(t, "[redacted] [redacted]", newRedactor([]string{"secret", "secret-and-more"}).text("secret-and-more secret"))
}

func TestHeadersThatAreNoSecrets(t *testing.T) {
	for _, name := range []string{"Accept", "User-Agent", "Content-Type", "X-Auth-Email", "Cf-Ray", ":authority", ":path", "Accept-Language", "X-Request-Id"} {
		assert.Empty(t, fieldSecrets(name, []string{"a value"}), name)
	}
	assert.ElementsMatch(t, []string{"Bearer abcdef", "abcdef"}, fieldSecrets("Authorization", []string{"Bearer abcdef"}))
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain é 日本 😀":               "plain é 日本 😀",
		"a\nb\r\nc\td":               "a b  c d",
		"\x1b[31mred\x1b[0m\x00\a":   " [31mred [0m  ",
		"\u009b31m":                  " 31m",
		"\u202ereversed\u2066\u200e": " reversed  ",
		"line\u2028and\u2029page":    "line and page",
		"\xff\xfe":                   "\ufffd",
	} {
		assert.Equal(t, want, Printable(text), "%q", text)
	}
}

func TestUserInfoIsHiddenInEveryURL(t *testing.T) {
	userInfo := regexp.MustCompile(`(://|:\\/\\/)[^/\s"]+@`)
	random := rand.New(rand.NewPCG(1, 2))
	parts := []string{"://", ":", "/", "@", "user", "http", `"`, " ", "\n", "\v", "é", "\xff", "://u:p@h/a@b", `:\/\/`}
	for range 20_000 {
		var text strings.Builder
		for range random.IntN(12) {
			text.WriteString(parts[random.IntN(len(parts))])
		}
		require.Equal(t, userInfo.ReplaceAllString(text.String(), "$1[redacted]@"), withoutUserInfo(text.String()), "%q", text.String())
	}
}
