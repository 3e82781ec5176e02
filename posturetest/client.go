package posturetest

import (
	"fmt"

	"github.com/cfposture/cfposture"
)

// Client returns a client of s, for [AccountID] with [APIToken], that reads no environment variable. The options
// come after the ones that see to that, so they can replace them. It panics if NewClient refuses an option.
func (s *Server) Client(opts ...cfposture.Option) *cfposture.Client {
	client, err := cfposture.NewClient(append([]cfposture.Option{
		cfposture.WithoutEnvironment(),
		cfposture.WithBaseURL(s.URL),
		cfposture.WithAPIToken(APIToken),
		cfposture.WithAccountID(AccountID),
	}, opts...)...)
	if err != nil {
		panic(fmt.Sprintf("posturetest: %v", err))
	}
	return client
}
