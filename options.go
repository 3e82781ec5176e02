package cfposture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// The environment variables that NewClient reads, the same as the API's other clients.
const (
	envAPIToken  = "CLOUDFLARE_API_TOKEN" //nolint:gosec // the name of a variable, not a token
	envAPIKey    = "CLOUDFLARE_API_KEY"   //nolint:gosec // likewise
	envEmail     = "CLOUDFLARE_EMAIL"
	envAccountID = "CLOUDFLARE_ACCOUNT_ID"
	envBaseURL   = "CLOUDFLARE_BASE_URL"
)

const (
	defaultBaseURL      = "https://api.cloudflare.com/client/v4"
	defaultTimeout      = 30 * time.Second
	defaultMaxRetries   = 4
	defaultMaxRetryWait = 60 * time.Second
)

// An Option changes how requests are made. Given to [NewClient] it holds for every call, given to a call for that call
// alone, where it wins over the client's. An option that can't be right makes NewClient or the call fail before
// anything is sent.
type Option func(*settings)

// WithAPIToken authenticates with an API token, sent as Authorization: Bearer. Default: CLOUDFLARE_API_TOKEN.
func WithAPIToken(token string) Option {
	return func(s *settings) {
		authorization := bearer + token
		authorize := func(_ context.Context, headers *ownHeaders) error {
			headers.set("Authorization", authorization)
			return nil
		}
		s.authenticate("WithAPIToken", authorize, checkSecret("API token", token))
	}
}

// WithTokenSource authenticates with the API token that source returns. It is asked before every attempt, so that a
// token may be renewed; its error ends the call.
func WithTokenSource(source func(context.Context) (string, error)) Option {
	return func(s *settings) {
		authorize := func(ctx context.Context, headers *ownHeaders) error {
			token, err := source(ctx)
			if err == nil {
				err = checkSecret("API token", token)
			}
			if err != nil {
				return fmt.Errorf("no API token: %w", err)
			}
			headers.set("Authorization", bearer+token)
			return nil
		}
		var problem error
		if source == nil {
			problem = errors.New("the token source is nil")
		}
		s.authenticate("WithTokenSource", authorize, problem)
	}
}

// WithAPIKey authenticates with an account's email address and global API key, sent as X-Auth-Email and X-Auth-Key.
// Default: CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY. Prefer an API token, which can be limited to what it is for.
func WithAPIKey(email, key string) Option {
	return func(s *settings) {
		authorize := func(_ context.Context, headers *ownHeaders) error {
			headers.set("X-Auth-Email", email)
			headers.set("X-Auth-Key", key)
			return nil
		}
		s.authenticate("WithAPIKey", authorize, errors.Join(checkSecret("email", email), checkSecret("API key", key)))
	}
}

// WithAccountID sets the account whose rules and integrations are meant. Default: CLOUDFLARE_ACCOUNT_ID.
func WithAccountID(id string) Option {
	return func(s *settings) { s.accountID = id }
}

// WithBaseURL sets where the API is: an https URL, or an http one of a loopback host. Default: CLOUDFLARE_BASE_URL, or
// https://api.cloudflare.com/client/v4.
func WithBaseURL(baseURL string) Option {
	return func(s *settings) { s.baseURL, s.baseURLProblem = parseBaseURL(baseURL) }
}

// WithHTTPClient sends requests through a copy of client, which keeps its transport, cookies and timeout but follows no
// redirect. Default, also for nil: one with [http.DefaultTransport].
func WithHTTPClient(client *http.Client) Option {
	return func(s *settings) { s.httpClient, s.sender = client, nil }
}

// WithMiddleware wraps the transport that requests go through. It sees every attempt, credentials included. May be given
// more than once: each wraps those given before it.
func WithMiddleware(middleware func(http.RoundTripper) http.RoundTripper) Option {
	return func(s *settings) {
		if middleware == nil {
			s.fail(errors.New("the middleware is nil"))
			return
		}
		s.middleware = append(s.middleware[:len(s.middleware):len(s.middleware)], middleware)
		if s.sender != nil {
			// A client's own middleware is set up once, and may count on that.
			s.sender = wrapTransport(s.sender, middleware)
		}
	}
}

// WithUserAgent puts a product such as "inventory/1.2" before this package's own in the User-Agent header.
func WithUserAgent(product string) Option {
	return func(s *settings) {
		if !isHeaderText(product) {
			s.fail(errors.New("the user agent holds a control character"))
		}
		s.userAgent = strings.TrimSpace(product + " " + userAgent)
	}
}

// WithHeader sets a header of every request, in place of one that this package would send. May be given more than once.
func WithHeader(name, value string) Option {
	return func(s *settings) {
		if !isHeaderName(name) {
			s.fail(fmt.Errorf("%q is not a header's name", name))
		}
		if !isHeaderText(value) {
			s.fail(fmt.Errorf("the value of header %q holds a control character", name))
		}
		s.headers = append(s.headers[:len(s.headers):len(s.headers)], func(h http.Header) { h.Set(name, value) })
	}
}

// WithTimeout limits one attempt: connecting, sending, and all waiting for the answer and its body. Time that a loop
// over All spends on a rule doesn't count. Default: 30 s; 0 is no limit. The context limits the call as a whole.
func WithTimeout(perAttempt time.Duration) Option {
	return func(s *settings) {
		if perAttempt < 0 {
			s.fail(fmt.Errorf("the timeout %v is negative", perAttempt))
		}
		s.timeout = perAttempt
	}
}

// WithMaxRetries sets how many times a request may be sent again after a failure that may pass. Default: 4; 0 is never.
func WithMaxRetries(n int) Option {
	return func(s *settings) {
		if n < 0 {
			s.fail(fmt.Errorf("the number of retries %d is negative", n))
		}
		s.maxRetries = n
	}
}

// WithMaxRetryWait limits the wait before one retry. An answer whose Retry-After asks for more ends the call at once,
// with an [*Error] that says how long. Default: 60 s.
func WithMaxRetryWait(d time.Duration) Option {
	return func(s *settings) {
		if d < 0 {
			s.fail(fmt.Errorf("the longest wait %v is negative", d))
		}
		s.maxRetryWait = d
	}
}

// A Limiter decides when a request may be sent. Wait returns when it may, or with an error, which ends the call; it must
// end when the context does. It is asked before every attempt. A fleet that shares one token can plug in its shared
// limiter; *rate.Limiter of golang.org/x/time is a Limiter.
type Limiter interface {
	Wait(context.Context) error
}

// WithLimiter asks limiter before every attempt; nil takes a limiter away. Default: none. The API allows a user or token
// 1,200 requests in five minutes, over all clients that share it.
func WithLimiter(limiter Limiter) Option {
	return func(s *settings) { s.limiter = limiter }
}

// WithRateLimit allows perSecond requests, and bursts of up to burst. Everything the same Option value is given to
// shares the limit.
func WithRateLimit(perSecond float64, burst int) Option {
	limiter := rate.NewLimiter(rate.Limit(perSecond), burst)
	return func(s *settings) {
		if !(perSecond > 0) || burst < 1 {
			s.fail(fmt.Errorf("a rate limit of %v per second with bursts of %d lets nothing through", perSecond, burst))
		}
		s.limiter = limiter
	}
}

// WithLogger logs every attempt at level Debug and every retry at level Warn: method, path, status, duration and ray.
// Never headers, bodies or credentials. Default, also for nil: no logging.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) { s.logger = logger }
}

// WithResponse fills response from the last answer of the call, of a failing call too. It is for one call at a time.
func WithResponse(response *Response) Option {
	return func(s *settings) { s.response = response }
}

// WithoutValidation sends rules and integrations without asking Validate first, for what the API takes and this package
// does not expect.
func WithoutValidation() Option {
	return func(s *settings) { s.skipValidation = true }
}

// WithoutEnvironment ignores the environment variables.
func WithoutEnvironment() Option {
	return func(s *settings) { s.skipEnvironment = true }
}

// settings are what a call works with. Secrets are in closures alone, where no fmt verb can print them.
type settings struct {
	baseURL        string // with a slash at its end
	baseURLProblem error
	accountID      string

	authorize         authorizer
	authorizeWith     string // the option that set authorize
	authorizeProblems error

	httpClient *http.Client
	middleware []func(http.RoundTripper) http.RoundTripper
	sender     *http.Client // what httpClient and middleware come to; nil until setUpSender

	userAgent    string
	headers      []func(http.Header)
	timeout      time.Duration
	maxRetries   int
	maxRetryWait time.Duration
	limiter      Limiter
	pacer        *pacer
	logger       *slog.Logger
	response     *Response

	skipValidation  bool
	skipEnvironment bool

	problems []error
}

// An authorizer adds credentials to a request's headers.
type authorizer func(ctx context.Context, headers *ownHeaders) error

// bearer is the scheme of API tokens.
const bearer = "Bearer "

// environment returns what the environment variables say, as options.
func environment() []Option {
	var opts []Option
	token, email, key := os.Getenv(envAPIToken), os.Getenv(envEmail), os.Getenv(envAPIKey)
	switch {
	case token != "":
		opts = append(opts, WithAPIToken(token))
	case key != "":
		opts = append(opts, WithAPIKey(email, key))
	}
	if id := os.Getenv(envAccountID); id != "" {
		opts = append(opts, WithAccountID(id))
	}
	if baseURL := os.Getenv(envBaseURL); baseURL != "" {
		opts = append(opts, WithBaseURL(baseURL))
	}
	return opts
}

func newSettings() *settings {
	s := &settings{
		userAgent:    userAgent,
		timeout:      defaultTimeout,
		maxRetries:   defaultMaxRetries,
		maxRetryWait: defaultMaxRetryWait,
	}
	s.baseURL, s.baseURLProblem = parseBaseURL(defaultBaseURL)
	return s
}

// apply adds a layer of options, of which each may win over the layers before but not contradict its own.
func (s *settings) apply(opts []Option) {
	s.authorizeWith = ""
	for _, opt := range opts {
		if opt != nil {
			opt(s)
		}
	}
}

func (s *settings) fail(problem error) { s.problems = append(s.problems, problem) }

func (s *settings) authenticate(option string, authorize authorizer, problems error) {
	if s.authorizeWith != "" && s.authorizeWith != option {
		s.fail(fmt.Errorf("%s and %s are both given: choose one", s.authorizeWith, option))
	}
	s.authorize, s.authorizeWith, s.authorizeProblems = authorize, option, problems
}

// check returns everything that is wrong with the settings, in one line.
func (s *settings) check() error {
	problems := s.problems
	if s.authorize == nil {
		problems = append(problems, fmt.Errorf(
			"no credentials: give WithAPIToken, or set %s; or use WithTokenSource or WithAPIKey", envAPIToken))
	}
	if err := errors.Join(append(problems, s.authorizeProblems, s.baseURLProblem)...); err != nil {
		return oneLineError{err}
	}
	return nil
}

// setUpSender makes what requests are sent with: a copy of the HTTP client that follows no redirect, so that credentials
// reach no other host.
func (s *settings) setUpSender() {
	if s.sender != nil {
		return
	}
	s.sender = new(http.Client)
	if s.httpClient != nil {
		*s.sender = *s.httpClient
	}
	s.sender.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for _, middleware := range s.middleware {
		s.sender = wrapTransport(s.sender, middleware)
	}
}

func wrapTransport(client *http.Client, middleware func(http.RoundTripper) http.RoundTripper) *http.Client {
	wrapped := *client
	if wrapped.Transport == nil {
		wrapped.Transport = http.DefaultTransport
	}
	wrapped.Transport = middleware(wrapped.Transport)
	return &wrapped
}

// parseBaseURL refuses what would send credentials where they don't belong. Its errors don't repeat the URL, which may
// hold a password.
func parseBaseURL(text string) (string, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "":
		return "", errors.New("the base URL is not a URL such as " + defaultBaseURL)
	case u.User != nil:
		return "", errors.New("the base URL holds a user name: use WithAPIToken or WithAPIKey for credentials")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("the base URL has a query or a fragment")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return "", errors.New("the base URL is not https: plain http is for loopback hosts alone")
	}
	return u.JoinPath("/").String(), nil
}

func isLoopback(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}

// checkSecret says what is wrong with a credential without showing it.
func checkSecret(name, value string) error {
	switch {
	case value == "":
		return fmt.Errorf("the %s is empty", name)
	case !isHeaderText(value):
		return fmt.Errorf("the %s holds a newline or another control character", name)
	default:
		return nil
	}
}

func isHeaderText(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

func isHeaderName(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	})
}
