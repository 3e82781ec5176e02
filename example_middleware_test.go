package cfposture_test

import (
	"context"
	"fmt"
	"net/http"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

type roundTripperFunc func(*http.Request) (*http.Response, error)

func (f roundTripperFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// counting is a middleware that names requests by their operation, not by their path with its IDs.
func counting(next http.RoundTripper) http.RoundTripper {
	return roundTripperFunc(func(r *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(r)
		if err == nil {
			fmt.Println(cfposture.Operation(r.Context()), response.StatusCode)
		}
		return response, err
	})
}

func ExampleWithMiddleware() {
	server := posturetest.NewServer()
	defer server.Close()
	server.FailNext(1, http.StatusServiceUnavailable)

	client := server.Client(cfposture.WithMiddleware(counting))
	if _, err := client.Posture.List(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	// Output:
	// posture.list 503
	// posture.list 200
}
