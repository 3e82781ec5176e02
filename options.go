package cfposture

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/cfposture/cfposture/internal/api"
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
	defaultTimeout      = 30 * time.Second
	defaultMaxRetries   = 4
	defaultMaxRetryWait = 60 * time.Second
)

// An Option changes how requests are made. Passed to [NewClient] it applies to every call; passed to a call it applies to
// that call and overrides the client's. An invalid option makes NewClient or the call return an error before anything is
// sent.
type Option func(*settings)

// WithAPIToken authenticates with an API token, sent as Authorization: Bearer. It defaults to CLOUDFLARE_API_TOKEN. Of
// several options for credentials the last one counts.
func WithAPIToken(token string) Option {
	return func(s *settings) {
		authorization := "Bearer " + token
		s.authenticate(api.CheckCredential("API token", token), func(_ context.Context, header http.Header) error {
			header.Set("Authorization", authorization)
			return nil
		})
	}
}

// WithTokenSource authenticates with the API token that source returns. Source is called before every attempt, within its
// timeout, so that a token can be renewed. An error of source ends the call.
func WithTokenSource(source func(context.Context) (string, error)) Option {
	return func(s *settings) {
		var problem error
		if source == nil {
			problem = errors.New("token source is nil")
		}
		s.authenticate(problem, func(ctx context.Context, header http.Header) error {
			token, err := source(ctx)
			if err == nil {
				err = api.CheckCredential("API token", token)
			}
			if err != nil {
				return fmt.Errorf("token source: %w", err)
			}
			header.Set("Authorization", "Bearer "+token)
			return nil
		})
	}
}

// WithAPIKey authenticates with the email address and the global API key of a user, sent as X-Auth-Email and X-Auth-Key.
// It defaults to CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY. Prefer an API token, which can be limited to what it is for.
func WithAPIKey(email, key string) Option {
	return func(s *settings) {
		problem := errors.Join(api.CheckCredential("email (WithAPIKey or "+envEmail+")", email), api.CheckCredential("API key", key))
		s.authenticate(problem, func(_ context.Context, header http.Header) error {
			header.Set("X-Auth-Email", email)
			header.Set("X-Auth-Key", key)
			return nil
		})
	}
}

// WithAccountID sets the account that rules and integrations belong to. It defaults to CLOUDFLARE_ACCOUNT_ID.
func WithAccountID(id string) Option {
	return func(s *settings) { s.accountID = id }
}

// WithBaseURL sets the URL that paths are relative to: an https URL, or an http URL of a loopback host (see
// [WithPlainHTTP]). It defaults to CLOUDFLARE_BASE_URL, or to https://api.cloudflare.com/client/v4.
func WithBaseURL(baseURL string) Option {
	return func(s *settings) { s.baseURL = baseURL }
}

// WithPlainHTTP allows a base URL with http to name a host that is not a loopback host, such as a neighboring container.
// Credentials then cross the network unencrypted.
func WithPlainHTTP() Option {
	return func(s *settings) { s.plainHTTP = true }
}

// WithHTTPClient sends requests through a copy of client, which keeps its transport, cookie jar and timeout but follows
// no redirect. It defaults, also for nil, to a client with [http.DefaultTransport].
func WithHTTPClient(client *http.Client) Option {
	return func(s *settings) { s.http, s.wrapped = api.NewHTTPClient(client), 0 }
}

// WithMiddleware wraps the transport that requests go through. A middleware sees every attempt, credentials included. The
// option can be repeated: each middleware wraps those before it. It must send a request in the request's own context, by
// which the client knows whether a POST was sent, and what it sends beside that in another.
func WithMiddleware(middleware func(http.RoundTripper) http.RoundTripper) Option {
	return func(s *settings) {
		if middleware == nil {
			s.fail(errors.New("middleware is nil"))
			return
		}
		s.middleware = append(slices.Clip(s.middleware), middleware)
	}
}

// WithUserAgent puts a product such as "inventory/1.2" before this package's in the User-Agent header.
func WithUserAgent(product string) Option {
	return func(s *settings) {
		if !api.IsHeaderText(product) {
			s.fail(errors.New("user agent has a control character"))
		}
		s.userAgent = strings.TrimSpace(product + " " + userAgent)
	}
}

// WithHeader sets a header of every request. It overrides headers that this package sets, Authorization included. Host is
// allowed; Content-Length, Transfer-Encoding and Trailer are not, because they describe the body. It can be repeated.
func WithHeader(name, value string) Option {
	return func(s *settings) {
		name := http.CanonicalHeaderKey(name)
		if err := api.CheckHeader(name, value); err != nil {
			s.fail(err)
		}
		s.headers = append(slices.Clip(s.headers), func(r *http.Request) {
			if name == "Host" {
				r.Host = value
				return
			}
			r.Header.Set(name, value)
		})
	}
}

// WithTimeout limits one attempt: the token source, connecting, sending, and reading the whole response. It defaults to
// 30 seconds; 0 is no limit. The context limits the call as a whole. An attempt that takes longer fails with a [net.Error]
// whose Timeout method returns true and which matches [context.DeadlineExceeded]; ctx.Err() says whether the call's own
// deadline has passed.
func WithTimeout(perAttempt time.Duration) Option {
	return func(s *settings) {
		if perAttempt < 0 {
			s.fail(fmt.Errorf("timeout %v is negative", perAttempt))
		}
		s.timeout = perAttempt
	}
}

// WithMaxRetries sets how often a request is sent again after a transient failure. It defaults to 4; 0 is never.
func WithMaxRetries(n int) Option {
	return func(s *settings) {
		if n < 0 {
			s.fail(fmt.Errorf("number of retries %d is negative", n))
		}
		s.maxRetries = n
	}
}

// WithMaxRetryWait limits the wait before a retry. A response whose Retry-After asks for more ends the call immediately,
// with an [*Error] that says how long. It defaults to 60 seconds; 0 retries without waiting; a negative value is an error.
func WithMaxRetryWait(d time.Duration) Option {
	return func(s *settings) {
		if d < 0 {
			s.fail(fmt.Errorf("retry wait %v is negative", d))
		}
		s.maxRetryWait = d
	}
}

// A Limiter decides when a request may be sent. Wait returns nil when it may, or an error, which ends the call; it must
// return when the context ends. Wait is called before every attempt. Programs that share one token can share a limiter;
// *rate.Limiter of golang.org/x/time is a Limiter. [Operation] returns the name of the call.
type Limiter interface {
	Wait(context.Context) error
}

// LimitObserver is an optional interface of a [Limiter]. Observe is called after every response with what it says about the
// rate limit, so that all programs that share a token can stop when the API refuses a request of one of them. Observe must
// be safe for concurrent use.
type LimitObserver interface {
	Observe(context.Context, RateLimit)
}

// WithLimiter asks limiter before every attempt; nil removes a limiter. It defaults to none. The API allows a user or
// token 1,200 requests in five minutes, across all programs. A limiter may also be a [LimitObserver].
func WithLimiter(limiter Limiter) Option {
	return func(s *settings) { s.limiter = limiter }
}

// WithRateLimit limits requests to perSecond per second on average, in bursts of at most burst. Clients and calls that are
// given the same Option value share the limit. It defaults to none, and replaces a limiter.
func WithRateLimit(perSecond float64, burst int) Option {
	limiter := rate.NewLimiter(rate.Limit(perSecond), burst)
	return func(s *settings) {
		if !(perSecond > 0) || burst < 1 {
			s.fail(fmt.Errorf("rate limit of %v per second with bursts of %d lets nothing through", perSecond, burst))
		}
		s.limiter = limiter
	}
}

// WithPacing waits for the next rate limit window if the last response said that no request is left in this one, or was a
// 429 with a Retry-After. If the next window is further away than [WithMaxRetryWait] or the context's deadline, the request
// is sent immediately, and the API decides. Clients and calls that are given the same Option value share what responses
// said; those of separate WithPacing calls don't. It defaults to no pacing.
func WithPacing() Option {
	pacer := new(api.Pacer)
	return func(s *settings) { s.pacer = pacer }
}

// WithLogger logs every attempt at [slog.LevelDebug] and every retry at [slog.LevelWarn]: method, path, status, duration
// and ray, never headers or credentials. A logger that is enabled at slog.LevelDebug-4 gets attempts at that level instead,
// with the bodies of request and response, without secrets and cut at 4 KiB. It defaults, also for nil, to no logging.
func WithLogger(logger *slog.Logger) Option {
	return func(s *settings) { s.logger = logger }
}

// WithResponse fills response with what the last response of a call says, even if the call fails. It is an option of calls,
// not of [NewClient]. Two calls must not use the same response at the same time.
func WithResponse(response *Response) Option {
	return func(s *settings) { s.response = response }
}

// WithoutValidation sends rules and integrations without calling Validate first, for what the API accepts and this
// package does not expect.
func WithoutValidation() Option {
	return func(s *settings) { s.skipValidation = true }
}

// WithoutEnvironment ignores the environment variables. It is an option of [NewClient].
func WithoutEnvironment() Option {
	return func(s *settings) { s.skipEnvironment = true }
}

// A Response is what a response says besides its result; see [WithResponse]. After a call that reads several pages it
// describes the last response.
type Response struct {
	// StatusCode is 0 if there was no response.
	StatusCode int
	Header     http.Header
	// RayID is the CF-Ray header, which Cloudflare's support asks for.
	RayID string
	// Attempts counts the attempts, including those that didn't reach the API.
	Attempts int
	// Messages are the messages in the response envelope.
	Messages  []Message
	RateLimit RateLimit
}

// A RateLimit is what the Ratelimit, Ratelimit-Policy and Retry-After headers of a response say. Fields that they don't
// mention are zero. Of several policies it describes the one with the fewest requests left. If that policy has no quota of
// its own, Quota and Window are those of another policy.
type RateLimit struct {
	// Policy is the policy's name, "" if there is no Ratelimit header.
	Policy string
	// Remaining is the number of requests left in the window.
	Remaining int
	// Reset is the time until the next window.
	Reset time.Duration
	// Quota is the number of requests allowed in a window.
	Quota int
	// Window is the length of a window.
	Window time.Duration
	// RetryAfter is how long to wait before the next request, usually after a 429.
	RetryAfter time.Duration
}

// settings hold what a call needs. Secrets are only in closures, where no fmt verb prints them.
type settings struct {
	accountID        string
	baseURL          string
	plainHTTP        bool
	authorize        func(context.Context, http.Header) error
	authorizeProblem error

	http       *api.HTTPClient
	middleware []func(http.RoundTripper) http.RoundTripper
	wrapped    int // how many middlewares are around http already

	userAgent    string
	headers      []func(*http.Request)
	timeout      time.Duration
	maxRetries   int
	maxRetryWait time.Duration
	limiter      Limiter
	pacer        *api.Pacer
	logger       *slog.Logger

	response        *Response
	skipValidation  bool
	skipEnvironment bool

	config   api.Config // what the above comes to
	problems []error
}

// clientSettings returns the settings of a client with the options, which override environment variables.
func clientSettings(opts []Option) (*settings, error) {
	s := defaultSettings()
	environment(s)
	s.apply(opts)
	if s.skipEnvironment {
		s = defaultSettings()
		s.apply(opts)
	}
	if s.response != nil {
		s.fail(errors.New("WithResponse is an option of calls, not of NewClient"))
	}
	return s, s.finish()
}

// with returns the settings of a call with the options.
func (s *settings) with(opts []Option) (*settings, error) {
	if len(opts) == 0 {
		return s, nil
	}
	call := *s
	call.skipEnvironment = false
	call.apply(opts)
	if call.skipEnvironment {
		call.fail(errors.New("WithoutEnvironment is an option of NewClient, not of calls"))
	}
	return &call, call.finish()
}

func defaultSettings() *settings {
	return &settings{
		baseURL:      api.DefaultBaseURL,
		http:         api.NewHTTPClient(nil),
		userAgent:    userAgent,
		timeout:      defaultTimeout,
		maxRetries:   defaultMaxRetries,
		maxRetryWait: defaultMaxRetryWait,
	}
}

// environment applies the environment variables. A token is preferred to an API key.
func environment(s *settings) {
	token, key := os.Getenv(envAPIToken), os.Getenv(envAPIKey)
	switch {
	case token != "":
		WithAPIToken(token)(s)
	case key != "":
		WithAPIKey(os.Getenv(envEmail), key)(s)
	}
	s.accountID = os.Getenv(envAccountID)
	if baseURL := os.Getenv(envBaseURL); baseURL != "" {
		s.baseURL = baseURL
	}
}

func (s *settings) apply(opts []Option) {
	for _, opt := range opts {
		if opt != nil {
			opt(s)
		}
	}
}

func (s *settings) fail(problem error) { s.problems = append(s.problems, problem) }

func (s *settings) authenticate(problem error, authorize func(context.Context, http.Header) error) {
	s.authorize, s.authorizeProblem = authorize, problem
}

// finish sets the config, or returns all that is wrong with the settings in one line.
func (s *settings) finish() error {
	if s.authorize == nil {
		s.fail(errors.New("no credentials: use WithAPIToken or set " + envAPIToken + ", or use WithTokenSource or WithAPIKey"))
	}
	baseURL, baseURLProblem := api.ParseBaseURL(s.baseURL, s.plainHTTP)
	for _, middleware := range s.middleware[s.wrapped:] {
		wrapped, err := s.http.Wrap(middleware)
		if err != nil {
			s.fail(err)
			break
		}
		s.http, s.wrapped = wrapped, s.wrapped+1
	}
	if err := errors.Join(append(s.problems, s.authorizeProblem, baseURLProblem)...); err != nil {
		return fmt.Errorf("cfposture: %w", api.OneLine(err))
	}
	s.config = api.Config{
		HTTP: s.http, BaseURL: baseURL, Authorize: s.authorize, UserAgent: s.userAgent, Headers: s.headers,
		Timeout: s.timeout, MaxRetries: s.maxRetries, MaxRetryWait: s.maxRetryWait,
		Limiter: s.limiter, Pacer: s.pacer, Logger: s.logger, NewError: newError,
	}
	if observer, is := s.limiter.(LimitObserver); is {
		s.config.Observe = func(ctx context.Context, limit api.RateLimit) { observer.Observe(ctx, RateLimit(limit)) }
	}
	return nil
}
