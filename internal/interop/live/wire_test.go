package live_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// wire talks to the API with net/http only, for questions about what cfposture never sends or hides.
type wire struct {
	posture string // the URL of the account's rules
	header  http.Header
}

func newWire(baseURL, accountID string, header http.Header) *wire {
	return &wire{strings.TrimSuffix(baseURL, "/") + "/accounts/" + accountID + "/devices/posture", header}
}

// reply is a response that was read to its end.
type reply struct {
	status int
	header http.Header
	Errors []struct {
		Code int
	}
	Result     json.RawMessage
	ResultInfo json.RawMessage `json:"result_info"`
	Success    bool
}

// send sends a request to a path below the account's rules, and fails the test if the response can't be read.
func (w *wire) send(t *testing.T, method, path, body string) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, w.posture+path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header = w.header.Clone()
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	got := reply{status: response.StatusCode, header: response.Header}
	require.NoError(t, json.Unmarshal(text, &got), "%s %s: status %d without an envelope", method, path, got.status)
	return got
}

// outcome says in a few words how it ended. It shows no message, which could repeat a secret.
func (r reply) outcome() string {
	if r.Success {
		return "accepted"
	}
	parts := []string{fmt.Sprintf("refused with %d", r.status)}
	for _, e := range r.Errors {
		parts = append(parts, fmt.Sprintf("code %d", e.Code))
	}
	return strings.Join(parts, ", ")
}

// members returns the members of the result, or of the object in it that path leads to; nil if there is none.
func (r reply) members(path ...string) map[string]json.RawMessage {
	raw := r.Result
	for _, name := range path {
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return nil
		}
		raw = object[name]
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(raw, &object) != nil {
		return nil
	}
	return object
}

// member returns the JSON of a member of the result, "absent" if there is none.
func (r reply) member(path ...string) string {
	last := len(path) - 1
	raw, ok := r.members(path[:last]...)[path[last]]
	if !ok {
		return "absent"
	}
	return string(raw)
}

func (r reply) id() string {
	var id string
	_ = json.Unmarshal(r.members()["id"], &id) // "" is no ID
	return id
}

// ids returns those of a list.
func (r reply) ids() (ids []string) {
	var items []struct{ ID string }
	_ = json.Unmarshal(r.Result, &items) // no list has no IDs
	for _, item := range items {
		ids = append(ids, item.ID)
	}
	return ids
}
