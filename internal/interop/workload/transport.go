package workload

import (
	"bytes"
	"io"
	"net/http"
)

// A Transport answers every request from memory with the body it was made with, once it has read the request's.
type Transport struct{ body []byte }

// NewTransport returns a transport that answers with body.
func NewTransport(body []byte) *Transport { return &Transport{body} }

// RoundTrip answers the request.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return nil, err
		}
		if err := r.Body.Close(); err != nil {
			return nil, err
		}
	}
	return answer(r, t.body), nil
}

func answer(r *http.Request, body []byte) *http.Response {
	return &http.Response{
		Status:     "200 OK",
		StatusCode: http.StatusOK,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header: http.Header{
			"Content-Type": {"application/json"},
			"Cf-Ray":       {"8f0c1d2e3a4b5c6d-TST"},
			"Ratelimit":    {`"default";r=1199;t=300`},
		},
		Body:          io.NopCloser(bytes.NewReader(body)),
		ContentLength: int64(len(body)),
		Request:       r,
	}
}
