package posturetest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cfposture/cfposture/internal/apifacts"
)

const redacted = "[redacted]"

// Request is a request that a [Server] saw, whatever became of it. What is secret in it was replaced by [redacted]
// before it was recorded: the token in Authorization, X-Auth-Key, and the secret members of integrations in the
// body. A body that holds secrets is recorded with its members in alphabetical order, all others byte for byte, as
// far as they are within the server's limit.
type Request struct {
	// Operation is what the request does, such as "posture.list": see [Fault]. It is empty if the server has no such
	// endpoint.
	Operation string
	Method    string
	Path      string // below /client/v4, escaped as received
	Query     url.Values
	Header    http.Header
	Body      []byte
}

// KeepRequests makes Requests return only the last n requests, so that a server may run for long. 0, the default,
// keeps all.
func (s *Server) KeepRequests(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keep = max(n, 0)
}

// Requests returns the requests that s saw since it was made or reset, in the order they came.
func (s *Server) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := slices.Clone(s.requests)
	if s.keep > 0 {
		requests = requests[max(0, len(requests)-s.keep):]
	}
	for i, r := range requests {
		requests[i].Header = r.Header.Clone()
		requests[i].Body = bytes.Clone(r.Body)
		requests[i].Query = url.Values(http.Header(r.Query).Clone())
	}
	return requests
}

// receive records a request and returns the fault that it meets.
func (s *Server) receive(r *http.Request, e endpoint, body []byte) *Fault {
	seen := Request{
		Operation: e.operation(),
		Method:    r.Method,
		Path:      strings.TrimPrefix(r.URL.EscapedPath(), basePath),
		Query:     r.URL.Query(),
		Header:    redactHeader(r.Header),
		Body:      redactBody(body),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, seen)
	if s.keep > 0 && len(s.requests) >= 2*s.keep { // not every time, which would cost as much as is kept
		s.requests = slices.Delete(s.requests, 0, len(s.requests)-s.keep)
	}
	return s.takeFault(r, e)
}

func redactHeader(h http.Header) http.Header {
	h = h.Clone()
	for _, name := range []string{"Authorization", "X-Auth-Key", "X-Auth-User-Service-Key"} {
		for i, value := range h.Values(name) {
			if strings.HasPrefix(value, "Bearer ") {
				h[name][i] = "Bearer " + redacted
			} else {
				h[name][i] = redacted
			}
		}
	}
	return h
}

func redactBody(body []byte) []byte {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber() // keeps the digits
	var value any
	if decoder.Decode(&value) != nil {
		if slices.ContainsFunc(apifacts.Secrets(), func(name string) bool { return bytes.Contains(body, []byte(name)) }) {
			return []byte(redacted) // there is no telling where in it the secrets are
		}
		return body
	}
	if !redactMembers(value) {
		return body
	}
	return encode(value)
}

// redactMembers reports whether there was a secret. It looks on every level, because a client's mistake may have put
// one anywhere.
func redactMembers(value any) (found bool) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			found = redactMembers(element) || found
		}
	case map[string]any:
		for name, member := range value {
			if !slices.Contains(apifacts.Secrets(), name) {
				found = redactMembers(member) || found
				continue
			}
			found = true
			if member != nil && member != "" { // a test may want to see that there was none
				value[name] = redacted
			}
		}
	}
	return found
}
