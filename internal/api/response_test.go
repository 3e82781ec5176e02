package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/internal/wire"
)

// A countedReader counts what is read of an endless unit after a beginning.
type countedReader struct {
	beginning, unit string
	count           int
}

func (r *countedReader) Read(p []byte) (int, error) {
	n := copy(p, r.beginning)
	r.beginning = r.beginning[n:]
	for n < len(p) {
		n += copy(p[n:], r.unit)
	}
	r.count += n
	return n, nil
}

func TestResponseWithoutAnEnd(t *testing.T) {
	letters := strings.Repeat("x", 1<<14)
	for name, test := range map[string]struct {
		status          int
		beginning, unit string
		method          string
		says            string
		unknown         bool
	}{
		"string":               {200, `{"success":true,"result":"`, letters, "GET", "response is larger than 64 MiB", false},
		"white space":          {200, ``, strings.Repeat(" ", 1<<14), "GET", "response is larger than 64 MiB", false},
		"white space at last":  {200, success, strings.Repeat(" ", 1<<14), "GET", "response is larger than 64 MiB", false},
		"created":              {201, `{"success":true,"result":"`, letters, "POST", "response is larger than 64 MiB", true},
		"deleted":              {200, `{"success":true,"result":"`, letters, "DELETE", "response is larger than 64 MiB", false},
		"client's fault":       {400, `{"success":false,"errors":[{"message":"`, letters, "POST", "400", false},
		"server's fault":       {501, `{"success":false,"errors":[{"message":"`, letters, "POST", "501", true},
		"redirect":             {302, ``, letters, "POST", "302", false},
		"another kind of JSON": {200, ``, `[`, "PUT", "response is larger than 64 MiB", false},
	} {
		t.Run(name, func(t *testing.T) {
			body := &countedReader{beginning: test.beginning, unit: test.unit}
			s := newScript(func(r *http.Request) (*http.Response, error) { return respondWith(r, test.status, nil, body), nil })
			_, err := ask(t.Context(), newConfig(s), test.method)
			require.ErrorContains(t, err, test.says)
			assert.Equal(t, test.status, failureOf(t, err).StatusCode)
			assert.LessOrEqual(t, len(failureOf(t, err).Body), 1<<10)
			assert.Equal(t, test.unknown, errors.Is(err, ErrOutcomeUnknown))
			assert.Len(t, s.at, 1)
			assert.InDelta(t, 64<<20, body.count, 1<<20, "no more is read than is allowed")
		})
	}
}

func TestResponseOfTheSizeThatIsAllowed(t *testing.T) {
	const edges = `{"success":true,"result":""}`
	body := `{"success":true,"result":"` + strings.Repeat("x", maxBody-len(edges)) + `"}`
	result := ""
	_, err := Do(t.Context(), newConfig(responding(200, body)), newRequest(http.MethodGet, &result))
	require.NoError(t, err)
	assert.Len(t, result, maxBody-len(edges)+2)
	_, err = ask(t.Context(), newConfig(responding(200, body+" ")), http.MethodGet)
	require.ErrorContains(t, err, "response is larger than 64 MiB")
}

// compressed returns a part of a gzip stream. Parts may be put together like the text that they hold.
func compressed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

func TestGzipBombEndsAtTheLimit(t *testing.T) {
	beginning := compressed(t, `{"success":true,"result":"`)
	megabyte := compressed(t, strings.Repeat("x", 1<<20))
	synctest.Test(t, func(t *testing.T) {
		transport, baseURL := newNetwork().serve(t, overHTTP, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, err := w.Write(beginning)
			for err == nil {
				_, err = w.Write(megabyte)
			}
		}))
		c := newConfig(transport)
		c.BaseURL = parseURL(baseURL)
		response, err := ask(t.Context(), c, http.MethodGet)
		require.ErrorContains(t, err, "response is larger than 64 MiB")
		assert.Equal(t, 1, response.Attempts)
	})
}

func TestResponseThatArrivesInAnyWay(t *testing.T) {
	for name, body := range map[string]func() io.Reader{
		"at once":      func() io.Reader { return strings.NewReader(success) },
		"byte by byte": func() io.Reader { return &singly{text: success} },
		"the last byte with the end": func() io.Reader {
			return &singly{text: success, last: io.EOF}
		},
	} {
		result := ""
		c := newConfig(roundTripper(func(r *http.Request) (*http.Response, error) { return respondWith(r, 200, nil, body()), nil }))
		_, err := Do(t.Context(), c, newRequest(http.MethodGet, &result))
		require.NoError(t, err, name)
		assert.JSONEq(t, `{"id":"1"}`, result, name)
	}
}

// singly gives a text byte by byte.
type singly struct {
	text string
	last error // returned with the last byte
}

func (s *singly) Read(p []byte) (int, error) {
	if s.text == "" {
		return 0, io.EOF
	}
	n := copy(p[:1], s.text)
	s.text = s.text[n:]
	if s.text == "" {
		return n, s.last
	}
	return n, nil
}

// A response cut anywhere is a lost connection, or what it says until there.
func TestResponseCutAnywhere(t *testing.T) {
	for cut := range len(success) {
		for _, err := range []error{io.ErrUnexpectedEOF, io.EOF} {
			c := newConfig(roundTripper(func(r *http.Request) (*http.Response, error) {
				response := respondWith(r, 200, nil, io.MultiReader(strings.NewReader(success[:cut]), failingReader{err}))
				response.ProtoMajor = 1 // of unknown length, so that its end is the connection's
				return response, nil
			}))
			got := newOperation(c, newRequest(http.MethodGet, new(string))).attempt(t.Context())
			require.NotNil(t, got, success[:cut])
			switch {
			case cut > 0 || err != io.EOF: //nolint:errorlint // it is one of two
				assert.Equal(t, lost, got.outcome, "%s: %v", success[:cut], got.err)
			default:
				assert.Equal(t, unreadable, got.outcome, "%v", got.err)
			}
		}
	}
}

// A response whose length was told, or of chunks, that ends well is whole, and invalid JSON is not a lost connection.
func TestTruncatedJSONInAWholeResponseIsUnreadable(t *testing.T) {
	whole := map[string]func(r *http.Response){
		"HTTP/2":       func(*http.Response) {},
		"known length": func(r *http.Response) { r.ProtoMajor, r.ContentLength = 1, 20 },
		"chunks":       func(r *http.Response) { r.ProtoMajor, r.TransferEncoding = 1, []string{"chunked"} },
		"compressed":   func(r *http.Response) { r.ProtoMajor, r.Uncompressed = 1, true },
	}
	for name, set := range whole {
		s := newScript(func(r *http.Request) (*http.Response, error) {
			response := respond(r, 200, nil, success[:20])
			set(response)
			return response, nil
		})
		_, err := ask(t.Context(), newConfig(s), http.MethodGet)
		require.ErrorContains(t, err, "unreadable response: unexpected EOF", name)
		assert.Len(t, s.at, 1, name)
	}
}

func TestSuccessWithoutAnEnvelope(t *testing.T) {
	for name, test := range map[string]struct {
		method string
		status int
		body   string
		decode bool
		fine   bool
	}{
		"HEAD":                               {"HEAD", 200, "", false, true},
		"HEAD with a result asked for":       {"HEAD", 200, "", true, true},
		"HEAD of a transport that has text":  {"HEAD", 200, "<html>", false, true},
		"deleted, no content":                {"DELETE", 204, "", false, true},
		"deleted, empty":                     {"DELETE", 200, "", false, true},
		"deleted, white space":               {"DELETE", 200, " \r\n", false, true},
		"deleted, accepted":                  {"DELETE", 202, "", false, true},
		"deleted, HTML":                      {"DELETE", 200, "<html>", false, false},
		"deleted, other JSON":                {"DELETE", 200, "{}", false, false},
		"deleted, a result asked for":        {"DELETE", 200, "", true, false},
		"no content":                         {"PUT", 204, "", false, true},
		"no content, a result asked for":     {"PUT", 204, "", true, false},
		"empty":                              {"PUT", 200, "", false, false},
		"empty POST":                         {"POST", 200, "", false, false},
		"POST, no content":                   {"POST", 204, "", false, true},
		"POST, no content, result asked for": {"POST", 204, "", true, false},
	} {
		r := newRequest(test.method, new(string))
		if !test.decode {
			r.Decode = nil
		} else if r.Decode == nil {
			r.Decode = newRequest(http.MethodGet, new(string)).Decode
		}
		s := newScript(responding(test.status, test.body))
		_, err := Do(t.Context(), newConfig(s), r)
		assert.Equal(t, test.fine, err == nil, "%s: %v", name, err)
		assert.Len(t, s.at, 1, name)
		if !test.fine {
			assert.Equal(t, test.method == "POST", errors.Is(err, ErrOutcomeUnknown), name)
		}
	}
}

func TestHEADTellsOfFailures(t *testing.T) {
	for status, retried := range map[int]bool{404: false, 403: false, 503: true, 429: true} {
		synctest.Test(t, func(t *testing.T) {
			s := newScript(responding(status, ""))
			response, err := ask(t.Context(), newConfig(s), http.MethodHead)
			assert.Equal(t, status, failureOf(t, err).StatusCode)
			assert.Equal(t, status, response.StatusCode)
			assert.Equal(t, retried, len(s.at) > 1, status)
		})
	}
}

func TestFailureHoldsWhatTheResponseSays(t *testing.T) {
	const body = `{"success":false,"errors":[{"code":6003,"message":"a","documentation_url":"https://x.example","source":{"pointer":"/p"},` +
		`"error_chain":[{"code":6111,"message":"b"}]}],"messages":[{"code":1,"message":"m"}],"result":null}`
	c := newConfig(roundTripper(func(r *http.Request) (*http.Response, error) {
		return respond(r, 400, http.Header{"Cf-Ray": {"ray-1"}, "Retry-After": {"120"}}, body), nil
	}))
	_, err := ask(t.Context(), c, http.MethodPut)
	assert.Equal(t, &Failure{
		Method: "PUT", Path: "things/1", StatusCode: 400, RayID: "ray-1", RetryAfter: 120e9, Body: []byte(body),
		Errors: []Message{{
			Code: 6003, Message: "a", DocumentationURL: "https://x.example", Pointer: "/p",
			ErrorChain: []Message{{Code: 6111, Message: "b"}},
		}},
		Messages: []Message{{Code: 1, Message: "m"}},
	}, failureOf(t, err))
}

func TestFailureSaysWhyTheResponseCannotBeUsed(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		want   string // "" for nothing to be said
	}{
		"HTML":                    {200, "\n <!DOCTYPE html>", "response is not from the API (an error page of a proxy?)"},
		"HTML 502":                {502, "<html>", "response is not from the API (an error page of a proxy?)"},
		"text 503":                {503, "no healthy upstream", "response is not from the API (an error page of a proxy?)"},
		"other JSON 500":          {500, `{"error":"x"}`, "response is not from the API (an error page of a proxy?)"},
		"empty":                   {200, "", "response is empty: EOF"},
		"white space":             {200, "  \n", "response is empty: EOF"},
		"empty 504":               {504, "", ""},
		"the API's 400":           {400, `{"success":false,"errors":[{"code":1,"message":"m"}]}`, ""},
		"an envelope of success":  {404, `{"success":true,"result":{}}`, ""},
		"cut":                     {200, `{"success":tr`, "unreadable response: unexpected EOF after offset 13"},
		"not an object":           {200, `[1]`, "response is not a JSON object"},
		"a redirect":              {302, "<html>", "redirects are not followed, so that credentials reach no other host: check the base URL"},
		"switching protocols":     {101, "<html>", ""},
		"an error of the decoder": {200, `{"success":true,"result":5}`, "the test's"},
	} {
		r := newRequest(http.MethodGet, new(string))
		if name == "an error of the decoder" {
			r.Decode = func(s *wire.Decoder) error {
				s.Skip()
				return errTest
			}
		}
		c := newConfig(responding(test.status, test.body))
		c.MaxRetries = 0
		_, err := Do(t.Context(), c, r)
		cause := failureOf(t, err).Cause
		if test.want == "" {
			require.NoError(t, cause, name)
			continue
		}
		require.EqualError(t, cause, test.want, name)
	}
}

// An error's text is built from what is kept of a response, which is little however large it is.
func TestFailureOfALargeResponseIsShort(t *testing.T) {
	chain := strings.Repeat(`{"code":1,"message":"m","error_chain":[`, 200_000) + strings.Repeat(`]}`, 200_000)
	for name, body := range map[string]string{
		"nested errors": `{"success":false,"errors":[` + chain + `]}`,
		"nested result": `{"success":false,"errors":[],"result":` + strings.Repeat("[", 5_000_000) + strings.Repeat("]", 5_000_000) + `}`,
		"HTML":          strings.Repeat("<p>", 3_000_000),
		"text":          strings.Repeat("\x1b", 10_000_000),
		"open braces":   strings.Repeat(`{"a":`, 2_000_000),
	} {
		for _, status := range []int{200, 400} {
			_, err := ask(t.Context(), newConfig(responding(status, body)), http.MethodPost)
			require.Error(t, err)
			failure := failureOf(t, err)
			count, depth := countMessages(failure.Errors)
			assert.LessOrEqual(t, count, 100, name)
			assert.LessOrEqual(t, depth, 10, name)
			assert.LessOrEqual(t, len(failure.Body), 1<<10, name)
			assert.Less(t, len(err.Error()), 10_000, name)
		}
	}
}

func TestReadBodyAfterAChangeOfProtocols(t *testing.T) {
	s := newScript(func(r *http.Request) (*http.Response, error) {
		return respondWith(r, 101, nil, failingReader{errTest}), nil
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := ask(ctx, newConfig(s), http.MethodPost)
	require.ErrorIs(t, err, ErrOutcomeUnknown)
	require.NotErrorIs(t, err, errTest, "there is no body")
	require.NotContains(t, err.Error(), "redirect")
	assert.Equal(t, 101, failureOf(t, err).StatusCode)
}

// What a response says of its length need not be true.
func TestALengthOutOfAllBoundsSetsLittleAside(t *testing.T) {
	c := newConfig(roundTripper(func(r *http.Request) (*http.Response, error) {
		response := respond(r, 200, nil, success)
		response.ContentLength = math.MaxInt64
		return response, nil
	}))
	_, err := ask(t.Context(), c, http.MethodGet)
	require.NoError(t, err)
}
