package posturetest

import (
	"fmt"
	"net/http"

	"github.com/cfposture/cfposture"
)

// Client returns a client of s for [AccountID], with [APIToken], that reads no environment variable. The options come
// after those that set this up, so that they can replace it. It panics if NewClient refuses an option.
func (s *Server) Client(opts ...cfposture.Option) *cfposture.Client {
	own := []cfposture.Option{
		cfposture.WithoutEnvironment(),
		cfposture.WithBaseURL(s.URL),
		cfposture.WithAccountID(AccountID),
	}
	if s.inMemory {
		own = append(own, cfposture.WithHTTPClient(&http.Client{Transport: s.Transport()}))
	}
	opts = append(own, opts...)
	client, err := cfposture.NewClient(opts...)
	if err != nil { // most often because opts have no credentials of their own
		client, err = cfposture.NewClient(append(opts, cfposture.WithAPIToken(APIToken))...)
	}
	if err != nil {
		panic(fmt.Sprintf("posturetest: %v", err))
	}
	return client
}
