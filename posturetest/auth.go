package posturetest

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/cfposture/cfposture/internal/apifacts"
)

// The one account and user of every [Server]. None of this means anything to the live API.
const (
	AccountID = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
	APIToken  = "posturetest-token_of-no-value-elsewhere1"
	APIEmail  = "user@example.com"
	APIKey    = "0123456789abcdef0123456789abcdef01234"
)

var (
	bearer = regexp.MustCompile(`^Bearer [A-Za-z0-9._~+/=-]+$`)
	email  = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)
	apiKey = regexp.MustCompile(`^[0-9a-f]{32,64}$`)
)

// authenticate refuses a request without this server's credentials, and returns nil for one that has them. As in the
// API, an Authorization header takes precedence over the X-Auth ones.
func authenticate(h http.Header) *response {
	if authorization := h.Get("Authorization"); authorization != "" {
		if !bearer.MatchString(authorization) {
			return badHeaders(message{Code: apifacts.CodeMalformedBearer, Message: "Invalid format for Authorization header"})
		}
		return authenticationError(authorization == "Bearer "+APIToken)
	}

	sentEmail, sentKey := h.Get("X-Auth-Email"), h.Get("X-Auth-Key")
	var chain []message
	switch {
	case sentEmail == "":
		chain = append(chain, message{Code: apifacts.CodeMissingEmail, Message: "Missing X-Auth-Email header"})
	case !email.MatchString(sentEmail):
		chain = append(chain, message{Code: apifacts.CodeMalformedEmail, Message: "Invalid format for X-Auth-Email header"})
	}
	switch {
	case sentKey == "":
		chain = append(chain, message{Code: apifacts.CodeMissingKey, Message: "Missing X-Auth-Key header"})
	case !apiKey.MatchString(sentKey):
		chain = append(chain, message{Code: apifacts.CodeMalformedKey, Message: "Invalid format for X-Auth-Key header"})
	}
	if chain != nil {
		return badHeaders(chain...)
	}
	return authenticationError(strings.EqualFold(sentEmail, APIEmail) && sentKey == APIKey)
}

func badHeaders(chain ...message) *response {
	r := refuse(http.StatusBadRequest,
		message{Code: apifacts.CodeInvalidHeaders, ErrorChain: chain, Message: "Invalid request headers"})
	return &r
}

func authenticationError(known bool) *response {
	if known {
		return nil
	}
	r := refuse(http.StatusForbidden, message{Code: apifacts.CodeAuthentication, Message: "Authentication error"})
	return &r
}
