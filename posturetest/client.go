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
		cfposture.WithAPIToken(APIToken),
	}
	if s.inMemory {
		own = append(own, cfposture.WithHTTPClient(&http.Client{Transport: s.Transport()}))
	}
	client, err := cfposture.NewClient(append(own, opts...)...)
	if err != nil {
		panic(fmt.Sprintf("posturetest: %v", err))
	}
	return client
}
