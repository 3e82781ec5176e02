package posturetest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cfposture/cfposture/internal/apifacts"
)

// A Fault affects requests. The first group of fields selects them: a fault affects a request that matches all fields that
// are set. The second group says what happens to the request. The zero Fault selects the next request and changes nothing.
//
// In JSON, which [ParseFaults] reads, the members are named like the fields, in lower case: delay is a string such as
// "250ms", cut is "before", "after" or "middle", and Match is not available.
type Fault struct {
	// Operation is what the request does: posture or integrations, a dot, and list, get, create, update or delete. It is
	// a pattern as of [path.Match], such as "posture.*" or "*.delete". Unset, any.
	Operation string
	// Method is the request's method. Unset, any.
	Method string
	// Path is a pattern as of [path.Match] for the path below the base URL, such as "/accounts/*/devices/posture". Unset,
	// any.
	Path string
	// Match reports whether the fault affects the request, whose body has already been read. It must not call the server.
	// nil matches any request.
	Match func(*http.Request) bool
	// After is the number of requests selected by the fields above that are let through first.
	After int
	// Times is the number of requests that the fault affects. 0 is one, a negative number is all.
	Times int

	// Status is the status of a response that replaces the real one, from 200 to 599. 502, 503 and 520 to 527 have the HTML
	// page of a proxy as their body, and 504 has an empty body. Any other has an envelope with success: false, and so has
	// 200, as the API is known to send. 0 keeps the real response.
	Status int
	// Code and Message replace the code and message of the error in that envelope.
	Code    int
	Message string
	// Body replaces the body of a response that has Status.
	Body string
	// Header is added to the response.
	Header map[string]string
	// Lost carries the request out although the response has Status, as when a proxy gives up on an API that is only
	// slow. If it is false, a request that gets Status is not carried out.
	Lost bool
	// Delay is the time between carrying out the request and sending the response. It ends early, without a response,
	// when the request's context ends or the server closes.
	Delay time.Duration
	// Cut cuts the connection.
	Cut Cut
}

// Cut is the moment at which a [Fault] cuts the connection. The zero value doesn't cut it.
type Cut int

// The moments at which a [Fault] can cut a connection.
const (
	// CutBefore cuts the connection once the request has arrived, before it is carried out.
	CutBefore Cut = iota + 1
	// CutAfter cuts it after the request is carried out, before any of the response is sent.
	CutAfter
	// CutMiddle cuts it after the request is carried out, in the middle of the response's body.
	CutMiddle
)

// cutNames are the moments in JSON.
var cutNames = map[Cut]string{CutBefore: "before", CutAfter: "after", CutMiddle: "middle"}

// FaultsVariable is the environment variable that [FaultsFromEnv] reads.
const FaultsVariable = "POSTURETEST_FAULTS"

// FaultsFromEnv returns the faults that the environment variable POSTURETEST_FAULTS holds, in the form that
// [ParseFaults] reads; none if it is unset or empty. A program that serves the fake gives them to [Server.Inject].
func FaultsFromEnv() ([]Fault, error) {
	text := os.Getenv(FaultsVariable)
	if text == "" {
		return nil, nil
	}
	faults, err := ParseFaults([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", FaultsVariable, err)
	}
	return faults, nil
}

// ParseFaults reads a JSON object or an array of them, such as
//
//	[{"operation": "posture.create", "after": 2, "times": 3, "status": 503}, {"delay": "250ms", "times": -1}]
//
// The members are those of [Fault]. A member that Fault doesn't have is an error.
func ParseFaults(data []byte) ([]Fault, error) {
	var list []faultJSON
	if trimmed := strings.TrimSpace(string(data)); strings.HasPrefix(trimmed, "{") {
		data = []byte("[" + trimmed + "]")
	}
	if err := decodeStrictly(data, &list); err != nil {
		return nil, fmt.Errorf("posturetest: faults: %w", err)
	}
	faults := make([]Fault, 0, len(list))
	for i, f := range list {
		fault, err := f.fault()
		if err == nil {
			err = fault.check()
		}
		if err != nil {
			return nil, fmt.Errorf("posturetest: fault %d: %w", i, err)
		}
		faults = append(faults, fault)
	}
	return faults, nil
}

// faultJSON is a Fault in JSON.
type faultJSON struct {
	Operation string            `json:"operation,omitempty"`
	Method    string            `json:"method,omitempty"`
	Path      string            `json:"path,omitempty"`
	After     int               `json:"after,omitempty"`
	Times     int               `json:"times,omitempty"`
	Status    int               `json:"status,omitempty"`
	Code      int               `json:"code,omitempty"`
	Message   string            `json:"message,omitempty"`
	Body      string            `json:"body,omitempty"`
	Header    map[string]string `json:"header,omitempty"`
	Lost      bool              `json:"lost,omitempty"`
	Delay     string            `json:"delay,omitempty"`
	Cut       string            `json:"cut,omitempty"`
}

func (f faultJSON) fault() (Fault, error) {
	fault := Fault{
		Operation: f.Operation, Method: f.Method, Path: f.Path, After: f.After, Times: f.Times,
		Status: f.Status, Code: f.Code, Message: f.Message, Body: f.Body, Header: f.Header, Lost: f.Lost,
	}
	if f.Delay != "" {
		var err error
		if fault.Delay, err = time.ParseDuration(f.Delay); err != nil {
			return Fault{}, fmt.Errorf("delay is %q, not a duration such as 250ms", f.Delay)
		}
	}
	if f.Cut != "" {
		for cut, name := range cutNames {
			if name == f.Cut {
				fault.Cut = cut
			}
		}
		if fault.Cut == 0 {
			return Fault{}, fmt.Errorf("cut is %q: use before, after or middle", f.Cut)
		}
	}
	return fault, nil
}

func (f *Fault) json() faultJSON {
	j := faultJSON{
		Operation: f.Operation, Method: f.Method, Path: f.Path, After: f.After, Times: f.Times,
		Status: f.Status, Code: f.Code, Message: f.Message, Body: f.Body, Header: f.Header, Lost: f.Lost,
		Cut: cutNames[f.Cut],
	}
	if f.Delay != 0 {
		j.Delay = f.Delay.String()
	}
	return j
}

// check says what can't be meant.
func (f *Fault) check() error {
	for name, pattern := range map[string]string{"operation": f.Operation, "path": f.Path} {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("%s is %q: %w", name, pattern, err)
		}
	}
	if !slices.ContainsFunc(operations(), func(name string) bool { return matches(f.Operation, name) }) {
		return fmt.Errorf("operation is %q, which is none of %s", f.Operation, strings.Join(operations(), ", "))
	}
	if f.Status != 0 && (f.Status < 200 || f.Status > 599) {
		return fmt.Errorf("status is %d, not from 200 to 599", f.Status)
	}
	if f.After < 0 {
		return fmt.Errorf("after is %d, below 0", f.After)
	}
	if _, ok := cutNames[f.Cut]; f.Cut != 0 && !ok {
		return fmt.Errorf("cut is %d, which is no moment", f.Cut)
	}
	return nil
}

// Inject adds faults to those that wait for requests. At most one fault affects a request: the first added one that selects
// it and has let enough requests through. Inject panics if a pattern is malformed or a number is out of range.
func (s *Server) Inject(faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range faults {
		if err := f.check(); err != nil {
			panic("posturetest: fault: " + err.Error())
		}
		if f.Times == 0 {
			f.Times = 1
		}
		s.faults = append(s.faults, &f)
	}
}

// ClearFaults drops the faults that are still waiting for requests.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// FailNext responds to the next n requests with a status and carries none of them out: see Status of [Fault]. It panics
// unless status is from 200 to 599.
func (s *Server) FailNext(n, status int) {
	s.spoilNext(n, Fault{Status: mustBeStatus(status)})
}

// LoseNext is like [Server.FailNext], but the requests are carried out, and only their responses are lost.
func (s *Server) LoseNext(n, status int) {
	s.spoilNext(n, Fault{Status: mustBeStatus(status), Lost: true})
}

// DelayNext carries out the next n requests immediately and responds after d: see Delay of [Fault].
func (s *Server) DelayNext(n int, d time.Duration) { s.spoilNext(n, Fault{Delay: d}) }

// CutNext cuts the connections of the next n requests at the given moment.
func (s *Server) CutNext(n int, when Cut) { s.spoilNext(n, Fault{Cut: when}) }

// LimitNext responds to the next n requests with 429 and a Retry-After header, in seconds rounded up. None of them is
// carried out.
func (s *Server) LimitNext(n int, retryAfter time.Duration) {
	seconds := strconv.FormatInt(max(0, int64((retryAfter+time.Second-1)/time.Second)), 10)
	s.spoilNext(n, Fault{
		Status: http.StatusTooManyRequests,
		Header: map[string]string{"Retry-After": seconds, "Ratelimit": `"default";r=0;t=` + seconds},
	})
}

func mustBeStatus(status int) int {
	if status == 0 {
		panic("posturetest: status is 0, not from 200 to 599")
	}
	return status
}

func (s *Server) spoilNext(n int, f Fault) {
	if n > 0 {
		f.Times = n
		s.Inject(f)
	}
}

// takeFault returns the fault that affects the request, or one that changes nothing. s.mu is held.
func (s *Server) takeFault(r *http.Request, e endpoint) *Fault {
	for i, f := range s.faults {
		switch {
		case !f.isFor(r, e):
			continue
		case f.After > 0:
			f.After--
			continue
		case f.Times > 1:
			f.Times--
		case f.Times == 1:
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		met := *f
		return &met
	}
	return &Fault{}
}

// isFor reports whether the fault selects the request.
func (f *Fault) isFor(r *http.Request, e endpoint) bool {
	return matches(f.Operation, e.operation()) &&
		(f.Method == "" || f.Method == r.Method) &&
		matches(f.Path, strings.TrimPrefix(r.URL.EscapedPath(), basePath)) &&
		(f.Match == nil || f.Match(r))
}

func matches(pattern, name string) bool {
	ok, _ := path.Match(pattern, name) // the pattern was checked
	return pattern == "" || ok
}

// carriesOut reports whether the request has its effect.
func (f *Fault) carriesOut() bool { return f.Status == 0 || f.Lost }

// spoil changes the response of a request that the fault affects.
func (f *Fault) spoil(r *response) {
	if f.Status != 0 {
		*r = f.failure()
	}
	for name, value := range f.Header {
		r.header.Set(name, value)
	}
}

func (f *Fault) failure() response {
	if f.Body != "" {
		return response{status: f.Status, header: http.Header{"Content-Type": {"application/json"}}, body: []byte(f.Body)}
	}
	isMessage := f.Code != 0 || f.Message != ""
	switch {
	case f.Status == http.StatusGatewayTimeout && !isMessage:
		return response{status: f.Status, header: http.Header{"Content-Type": {"text/html"}}}
	case isProxys(f.Status) && !isMessage:
		return proxyPage(f.Status)
	}
	m := failureMessage(f.Status)
	if f.Code != 0 {
		m.Code = f.Code
	}
	if f.Message != "" {
		m.Message = f.Message
	}
	return refuse(f.Status, m)
}

// isProxys reports whether it is a proxy in front of the API that responds with the status.
func isProxys(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status >= 520 && status <= 527
}

func failureMessage(status int) message {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return message{Code: apifacts.CodeAuthentication, Message: "Authentication error"}
	case http.StatusTooManyRequests:
		return message{
			Code:    apifacts.CodeRateLimited,
			Message: "More than 1200 requests per 300 seconds reached. Please wait and consider throttling your request speed",
		}
	}
	return message{Code: codeGeneral, Message: "asked to fail: " + strconv.Itoa(status) + " " + http.StatusText(status)}
}

func proxyPage(status int) response {
	title := html.EscapeString(fmt.Sprintf("api.example.com | %d: %s", status, http.StatusText(status)))
	page := "<!DOCTYPE html>\n<html>\n<head><title>" + title + "</title></head>\n<body><h1>" + title + "</h1></body>\n</html>\n"
	return response{status: status, header: http.Header{"Content-Type": {"text/html; charset=UTF-8"}}, body: []byte(page)}
}

// decodeStrictly decodes JSON and refuses members that v doesn't have.
func decodeStrictly(data []byte, v any) error {
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(v)
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF):
		return errors.New("the text is empty")
	case errors.As(err, &wrong):
		name := wrong.Field[strings.LastIndex(wrong.Field, ".")+1:] // Go 1.27 puts the index of the fault before it
		return fmt.Errorf("%s: %s where %v is expected", cmp.Or(name, "the text"), wrong.Value, wrong.Type)
	case err == nil && decoder.More():
		return errors.New("more than one JSON value")
	default:
		return err
	}
}
