package cfposture_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/time/rate"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

func ExampleWithResponse() {
	server := posturetest.NewServer()
	defer server.Close()
	server.FailNext(1, http.StatusServiceUnavailable) // retried
	client, ctx := server.Client(), context.Background()

	var response cfposture.Response
	rules, err := client.Posture.List(ctx, cfposture.WithResponse(&response))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(rules), "rules after", response.Attempts, "attempts")
	limit := response.RateLimit
	fmt.Println(limit.Quota, "requests are allowed in", limit.Window)
	// Output:
	// 0 rules after 2 attempts
	// 1200 requests are allowed in 5m0s
}

// Clients that share a token share a limiter.
func ExampleWithLimiter() {
	server := posturetest.NewServer()
	defer server.Close()

	limiter := rate.NewLimiter(rate.Every(300*time.Millisecond), 10)
	for range 2 {
		client := server.Client(cfposture.WithLimiter(limiter))
		if _, err := client.Posture.List(context.Background()); err != nil {
			fmt.Println(err)
			return
		}
	}
	fmt.Println("requests left at once:", int(limiter.Tokens()))
	// Output: requests left at once: 8
}

// WithRateLimit needs no limiter. It allows three requests a second, and ten at once.
func ExampleWithRateLimit() {
	server := posturetest.NewServer()
	defer server.Close()

	client := server.Client(cfposture.WithRateLimit(3, 10))
	rules, err := client.Posture.List(context.Background())
	fmt.Println(len(rules), err)
	// Output: 0 <nil>
}

// One call may have other limits than the client.
func ExampleWithMaxRetries() {
	server := posturetest.NewServer()
	defer server.Close()
	server.FailNext(1, http.StatusServiceUnavailable)
	client, ctx := server.Client(), context.Background()

	_, err := client.Posture.List(ctx, cfposture.WithMaxRetries(0))
	fmt.Println(err != nil, len(server.Requests()))
	// Output: true 1
}

// The timeout limits one attempt. The context limits the call with its retries and waits.
func ExampleWithTimeout() {
	server := posturetest.NewServer()
	defer server.Close()
	client := server.Client(cfposture.WithTimeout(10 * time.Second))
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	rules, err := client.Posture.List(ctx)
	fmt.Println(len(rules), err)
	// Output: 0 <nil>
}

// A server whose certificate is signed by a private CA, such as an inspecting gateway.
func ExampleWithHTTPClient() {
	server := posturetest.NewServer()
	defer server.Close()
	gateway := httptest.NewTLSServer(server.Handler())
	defer gateway.Close()

	roots, err := x509.SystemCertPool()
	if err != nil {
		fmt.Println(err)
		return
	}
	roots.AddCert(gateway.Certificate()) // a program has roots.AppendCertsFromPEM(file)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: roots}
	client := server.Client(
		cfposture.WithBaseURL(gateway.URL+"/client/v4"),
		cfposture.WithHTTPClient(&http.Client{Transport: transport}),
	)

	rules, err := client.Posture.List(context.Background())
	fmt.Println(len(rules), err)
	// Output: 0 <nil>
}

// Without this option, HTTPS_PROXY and NO_PROXY in the environment choose the proxy.
func ExampleWithHTTPClient_proxy() {
	server := posturetest.NewServer()
	defer server.Close()
	proxy := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		fmt.Println("the proxy sees", r.In.Method)
	}})
	defer proxy.Close()

	address, err := url.Parse(proxy.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.Proxy = http.ProxyURL(address)
	client := server.Client(cfposture.WithHTTPClient(&http.Client{Transport: transport}))

	rules, err := client.Posture.List(context.Background())
	fmt.Println(len(rules), err)
	// Output:
	// the proxy sees GET
	// 0 <nil>
}

// A vault renews the token while the program runs.
func ExampleWithTokenSource() {
	server := posturetest.NewServer()
	defer server.Close()

	client := server.Client(cfposture.WithTokenSource(func(ctx context.Context) (string, error) {
		fmt.Println("token for", cfposture.Operation(ctx))
		return posturetest.APIToken, nil // a program asks its vault, and keeps the token while it is valid
	}))
	rules, err := client.Posture.List(context.Background())
	fmt.Println(len(rules), err)
	// Output:
	// token for posture.list
	// 0 <nil>
}

// One client works on several accounts, if its token may.
func ExampleWithAccountID() {
	client, closeServer := clientOfTwoAccounts()
	defer closeServer()
	ctx := context.Background()

	for _, accountID := range []string{posturetest.AccountID, "699d98642c564d2e855e9661899b7252"} {
		rules, err := client.Posture.List(ctx, cfposture.WithAccountID(accountID))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(accountID, len(rules))
	}
	// Output:
	// 0f1e2d3c4b5a69788796a5b4c3d2e1f0 2
	// 699d98642c564d2e855e9661899b7252 1
}

// clientOfTwoAccounts returns a client of a server with two accounts.
func clientOfTwoAccounts() (*cfposture.Client, func()) {
	one, other := posturetest.NewServer(), posturetest.NewServer()
	one.PutRule(&cfposture.Rule{Type: cfposture.RuleTypeWARP})
	one.PutRule(&cfposture.Rule{Type: cfposture.RuleTypeGateway})
	other.PutRule(&cfposture.Rule{Type: cfposture.RuleTypeWARP})
	both := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before, after, found := strings.Cut(r.URL.Path, "699d98642c564d2e855e9661899b7252"); found {
			r.URL.Path = before + posturetest.AccountID + after
			other.Handler().ServeHTTP(w, r)
			return
		}
		one.Handler().ServeHTTP(w, r)
	}))
	client := one.Client(cfposture.WithBaseURL(both.URL + "/client/v4"))
	return client, func() { both.Close(); one.Close(); other.Close() }
}

func ExampleWithLogger() {
	server := posturetest.NewServer()
	defer server.Close()

	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			switch a.Key {
			case slog.LevelKey, slog.MessageKey, "method", "status":
				return a
			default: // the rest is different every time
				return slog.Attr{}
			}
		},
	}))
	if _, err := server.Client(cfposture.WithLogger(logger)).Posture.List(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	// Output: level=DEBUG msg="cfposture: request" method=GET status=200
}
