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

// Codes of this server's own. The codes that the API is known to use are in apifacts.
const (
	codeGeneral  = 1000
	codeInvalid  = 2054
	codeNotFound = 2055
	codeInUse    = 2056
	codeTooLarge = 2057
	codeBadPage  = 2058
)

// message is an error or a note of the v4 API. Members of this and of the types below are declared in the alphabetical
// order that the API sends them in.
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
	Count      int `json:"count"`
	Page       int `json:"page"`
	PerPage    int `json:"per_page"`
	TotalCount int `json:"total_count"`
	TotalPages int `json:"total_pages"`
}

// invalid is the error about one member of a body, or about the body where at is empty.
func invalid(at, reason string) message {
	if at == "" {
		at = "/"
	}
	return message{Code: codeInvalid, Message: "invalid input: " + reason, Source: &source{Pointer: at}}
}

// answer is an HTTP answer, ready to be written.
type answer struct {
	status int
	header http.Header // beside those that every answer has
	body   []byte
}

// succeed answers with a result; info is nil unless the result is a list.
func succeed(result json.RawMessage, info *resultInfo) answer {
	return enveloped(http.StatusOK, nil, result, info)
}

// refuse answers with errors, whatever the status.
func refuse(status int, errs ...message) answer {
	return enveloped(status, errs, json.RawMessage("null"), nil)
}

// enveloped wraps a result as every answer of the v4 API is wrapped. It joins bytes, so that what is held goes out as
// it came in and a long list is not read once more.
func enveloped(status int, errs []message, result json.RawMessage, info *resultInfo) answer {
	errs = append([]message{}, errs...) // the API sends [] where there is nothing, not null
	body := slices.Concat([]byte(`{"errors":`), encode(errs), []byte(`,"messages":[],"result":`), result)
	if info != nil {
		body = slices.Concat(body, []byte(`,"result_info":`), encode(info))
	}
	body = fmt.Appendf(body, `,"success":%t}`, len(errs) == 0)
	return answer{status: status, header: http.Header{"Content-Type": {"application/json"}}, body: body}
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
		panic("posturetest: " + err.Error()) // what is held was checked to be JSON when it came in
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func (a answer) write(w http.ResponseWriter) {
	a.writeHeader(w)
	_, _ = w.Write(a.body) // a client that went away is no concern of the server's
}

// writeHalf promises the whole body and gives half of it.
func (a answer) writeHalf(w http.ResponseWriter) {
	a.writeHeader(w)
	_, _ = w.Write(a.body[:len(a.body)/2])
	_ = http.NewResponseController(w).Flush() // what can't flush has sent it already or never will
}

func (a answer) writeHeader(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Cf-Ray", newRay())
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	h.Set("Ratelimit", `"default";r=1199;t=300`)
	h.Set("Ratelimit-Policy", `"default";q=1200;w=300`)
	for name, values := range a.header {
		h[name] = values
	}
	w.WriteHeader(a.status)
}

func newRay() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:]) + "-TST"
}
