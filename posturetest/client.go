package posturetest

import (
	"fmt"

	"github.com/cfposture/cfposture"
)

// Client returns a client of s, for [AccountID] with [APIToken], that reads no environment variable. The options
// come after the ones that see to that, so they can replace them. It panics if NewClient refuses an option.
func (s *Server) Client(opts ...cfposture.Option) *cfposture.Client {
	opts = append([]cfposture.Option{
		cfposture.WithoutEnvironment(),
		cfposture.WithBaseURL(s.URL),
		cfposture.WithAccountID(AccountID),
	}, opts...)
	client, err := cfposture.NewClient(opts...)
	if err != nil { // most often because opts give no credentials of their own
		client, err = cfposture.NewClient(append(opts, cfposture.WithAPIToken(APIToken))...)
	}
	if err != nil {
		panic(fmt.Sprintf("posturetest: %v", err))
	}
	return client
}
