package posturetest

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// The error codes of this server's own. No code of the live API is known to have six digits. The codes that the API is
// known to use are in apifacts.
const (
	codeGeneral  = 777000
	codeInvalid  = 777001
	codeNotFound = 777002 // of integrations: the code for rules is known
	codeInUse    = 777003
	codeTooLarge = 777004
	codeBadPage  = 777005
	codeNotSaved = 777006
)

// message is an error of the v4 API. The members of this type and of those below are declared in the alphabetical order
// that the API sends them in.
type message struct {
	Code       int       `json:"code"`
	ErrorChain []message `json:"error_chain,omitempty"`
	Message    string    `json:"message"`
	Source     *source   `json:"source,omitempty"`
}

type source struct {
	Pointer string `json:"pointer"`
}

type resultInfo struct {
	Count      int  `json:"count"`
	Page       int  `json:"page"`
	PerPage    int  `json:"per_page"`
	TotalCount int  `json:"total_count"`
	TotalPages *int `json:"total_pages,omitempty"`
}

// invalid is the error about one member of a body, or about the whole body if at is empty.
func invalid(at, reason string) message {
	if at == "" {
		at = "/"
	}
	return message{Code: codeInvalid, Message: "invalid input: " + reason, Source: &source{Pointer: at}}
}

// response is an HTTP response, ready to be written.
type response struct {
	status int
	header http.Header // beside the headers of every response
	body   []byte
}

// succeed responds with a result; info is nil unless the result is a list that has one.
func succeed(result json.RawMessage, info *resultInfo) response {
	return enveloped(http.StatusOK, nil, result, info)
}

// refuse responds with errors, whatever the status.
func refuse(status int, errs ...message) response {
	return enveloped(status, errs, json.RawMessage("null"), nil)
}

// enveloped wraps a result as every response of the v4 API is wrapped. It joins bytes, so that items go out as they
// came in and a long list isn't parsed once more.
func enveloped(status int, errs []message, result json.RawMessage, info *resultInfo) response {
	errs = append([]message{}, errs...) // the API sends [] where there is nothing, not null
	body := slices.Concat([]byte(`{"errors":`), encode(errs), []byte(`,"messages":[],"result":`), result)
	if info != nil {
		body = slices.Concat(body, []byte(`,"result_info":`), encode(info))
	}
	body = fmt.Appendf(body, `,"success":%t}`, len(errs) == 0)
	return response{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: body}
}

// joined returns a JSON array.
func joined(items [][]byte) json.RawMessage {
	return slices.Concat([]byte("["), bytes.Join(items, []byte(",")), []byte("]"))
}

// encode is json.Marshal without its escaping of HTML, which would change the bytes of kept members.
func encode(v any) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic("posturetest: " + err.Error()) // everything stored was checked to be JSON when it came in
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func (r response) write(w http.ResponseWriter) {
	r.writeHeader(w)
	_, _ = w.Write(r.body) // a client that went away is no concern of the server's
}

// writeHalf promises the whole body and writes half of it.
func (r response) writeHalf(w http.ResponseWriter) {
	r.writeHeader(w)
	_, _ = w.Write(r.body[:len(r.body)/2])
	_ = http.NewResponseController(w).Flush() // a writer that can't flush has sent it already or never will
}

func (r response) writeHeader(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cf-Ray", newRay())
	h.Set("Content-Length", strconv.Itoa(len(r.body)))
	h.Set("Ratelimit", `"default";r=1199;t=300`)
	h.Set("Ratelimit-Policy", `"default";q=1200;w=300`)
	for name, values := range r.header {
		h[name] = values
	}
	w.WriteHeader(r.status)
}

func newRay() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:]) + "-TST"
}
