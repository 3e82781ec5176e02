package posturetest

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/cfposture/cfposture/internal/apifacts"
)

// fault is what becomes of one request; the zero fault spoils nothing.
type fault struct {
	unmade  bool    // the request is not carried out
	instead *answer // sent in place of the answer
	delay   time.Duration
	cut     Cut
}

// Cut is a moment to cut a connection at.
type Cut int

// The moments that [Server.CutNext] knows.
const (
	CutBefore Cut = iota + 1 // when the request has come, before it is carried out
	CutAfter                 // after it is carried out, before any of the answer is sent
	CutMiddle                // after it is carried out, in the middle of the answer's body
)

// FailNext answers the next n requests with a status and carries none of them out. 502, 503 and 520 to 527 come as
// the HTML page of a proxy, 504 with an empty body, all others as an envelope with success false: so does 200, which
// the API is known to send as well. It panics unless status is from 200 to 599.
func (s *Server) FailNext(n, status int) {
	failed := failure(status)
	s.spoil(n, fault{unmade: true, instead: &failed})
}

// LoseNext is FailNext, save that the requests are carried out: the answers are lost on their way, as when a proxy
// gives up on an API that is only slow.
func (s *Server) LoseNext(n, status int) {
	failed := failure(status)
	s.spoil(n, fault{instead: &failed})
}

// DelayNext carries the next n requests out at once and answers them after d. The wait ends early, without an
// answer, when the request's context ends or the server closes.
func (s *Server) DelayNext(n int, d time.Duration) { s.spoil(n, fault{delay: d}) }

// CutNext cuts the TCP connection of the next n requests, at the moment that when says.
func (s *Server) CutNext(n int, when Cut) { s.spoil(n, fault{unmade: when == CutBefore, cut: when}) }

// LimitNext answers the next n requests with 429 and a Retry-After header, in seconds rounded up. None of them is
// carried out.
func (s *Server) LimitNext(n int, retryAfter time.Duration) {
	seconds := max(0, int64((retryAfter+time.Second-1)/time.Second))
	limited := failure(http.StatusTooManyRequests)
	limited.header.Set("Retry-After", strconv.FormatInt(seconds, 10))
	limited.header.Set("Ratelimit", fmt.Sprintf(`"default";r=0;t=%d`, seconds))
	s.spoil(n, fault{unmade: true, instead: &limited})
}

func (s *Server) spoil(n int, f fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, slices.Repeat([]fault{f}, max(n, 0))...)
}

// takeFault returns the fault of the request at hand. s.mu is held.
func (s *Server) takeFault() fault {
	if len(s.faults) == 0 {
		return fault{}
	}
	f := s.faults[0]
	s.faults = s.faults[1:]
	return f
}

func failure(status int) answer {
	text := http.StatusText(status)
	switch {
	case status < 200 || status > 599:
		panic(fmt.Sprintf("posturetest: no status of an answer: %d", status))
	case status == http.StatusGatewayTimeout:
		return answer{status: status, header: http.Header{"Content-Type": {"text/html"}}}
	case status == http.StatusBadGateway, status == http.StatusServiceUnavailable, status >= 520 && status <= 527:
		return proxyPage(status, text)
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return refuse(status, message{Code: apifacts.CodeAuthentication, Message: "Authentication error"})
	case status == http.StatusTooManyRequests:
		return refuse(status, message{
			Code:    apifacts.CodeRateLimited,
			Message: "More than 1200 requests per 300 seconds reached. Please wait and consider throttling your request speed",
		})
	}
	return refuse(status, message{Code: codeGeneral, Message: "asked to fail: " + strconv.Itoa(status) + " " + text})
}

func proxyPage(status int, text string) answer {
	title := html.EscapeString(fmt.Sprintf("api.example.com | %d: %s", status, text))
	page := "<!DOCTYPE html>\n<html>\n<head><title>" + title + "</title></head>\n<body><h1>" + title + "</h1></body>\n</html>\n"
	return answer{status: status, header: http.Header{"Content-Type": {"text/html; charset=UTF-8"}}, body: []byte(page)}
}

// wait returns false where it was ended early.
func (s *Server) wait(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
	case <-s.closed:
	}
	return false
}

func cutConnection(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_ = connection.Close() // nothing left to be done about a connection that won't close
}
