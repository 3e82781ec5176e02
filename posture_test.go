package cfposture_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/jarcoal/httpmock"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

func TestRuleLivesFromCreateToDelete(t *testing.T) {
	server := newServer(t)
	client := server.Client()
	given := &cfposture.Rule{
		ID: "is not sent", Name: "Disk", Description: "d", Schedule: cfposture.Every(600e9), Expiration: "1h",
		Match: []cfposture.Match{{Platform: cfposture.PlatformWindows}, {Platform: cfposture.PlatformMac}},
		Input: &cfposture.DiskEncryptionInput{CheckDisks: []string{"C"}, RequireAll: new(true)},
	}
	before := *given
	rule, err := client.Posture.Create(t.Context(), given)
	require.NoError(t, err)
	assert.Equal(t, before, *given, "the caller's rule is left as it is")
	assert.NotEqual(t, given.ID, rule.ID)
	want := before
	want.ID, want.Type = rule.ID, cfposture.RuleTypeDiskEncryption
	assert.Equal(t, &want, withoutComputed(t, rule))
	assert.NotContains(t, string(server.Requests()[0].Body), "is not sent")

	rule.Description = ""
	rule.Schedule = "1h"
	changed, err := client.Posture.Update(t.Context(), rule)
	require.NoError(t, err)
	assert.Equal(t, rule, changed)

	rules, err := client.Posture.List(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []*cfposture.Rule{changed}, rules)

	require.NoError(t, client.Posture.Delete(t.Context(), rule.ID))
	_, err = client.Posture.Get(t.Context(), rule.ID)
	require.ErrorIs(t, err, cfposture.ErrNotFound)
	require.ErrorIs(t, client.Posture.Delete(t.Context(), rule.ID), cfposture.ErrNotFound)
	_, err = client.Posture.Update(t.Context(), rule)
	require.ErrorIs(t, err, cfposture.ErrNotFound)

	var calls []string
	for _, request := range server.Requests() {
		calls = append(calls, request.Method+" "+strings.ReplaceAll(request.Path, rule.ID, "ID"))
	}
	collection := "/accounts/" + posturetest.AccountID + "/devices/posture"
	assert.Equal(t, []string{
		"POST " + collection, "PUT " + collection + "/ID", "GET " + collection, "DELETE " + collection + "/ID",
		"GET " + collection + "/ID", "DELETE " + collection + "/ID", "PUT " + collection + "/ID",
	}, calls)
}

// addRules gives the server n rules, named by number.
func addRules(server *posturetest.Server, n int) {
	for i := range n {
		server.AddRule(fmt.Appendf(nil, `{"id":"rule-%d","input":{"path":"/x"},"name":"%d","type":"file"}`, i, i))
	}
}

// names returns the names of the rules, and the error that ended the loop over them.
func names(client *cfposture.Client, t *testing.T) (names []string, err error) {
	t.Helper()
	for rule, err := range client.Posture.All(t.Context()) {
		if err != nil {
			return names, err
		}
		names = append(names, rule.Name)
	}
	return names, nil
}

func TestListAndAllReadEveryPageOnce(t *testing.T) {
	for _, pageSize := range []int{0, 1, 3, 7, 8, 100} {
		server := newServer(t)
		addRules(server, 7)
		server.SetPageSize(pageSize)
		client := server.Client()

		rules, err := client.Posture.List(t.Context())
		require.NoError(t, err)
		require.Len(t, rules, 7)
		streamed, err := names(client, t)
		require.NoError(t, err)
		assert.Equal(t, []string{"0", "1", "2", "3", "4", "5", "6"}, streamed)
		assert.Empty(t, server.Requests()[0].Query, "no query for the first page")
		if pageSize == 3 {
			assert.Equal(t, []string{"2"}, server.Requests()[1].Query["page"])
			assert.Len(t, server.Requests(), 6)
		}
	}
}

// What a list's items hold is theirs, however long they are and whatever came after them.
func TestRulesOutliveTheAnswerTheyCameIn(t *testing.T) {
	server := newServer(t)
	var want []string
	for i := range 300 {
		text := strings.Repeat(string(rune('a'+i%26)), i*i/20) // to 4.5 KB
		want = append(want, text)
		server.AddRule(fmt.Appendf(nil, `{"id":"rule-%d","input":{"path":%q},"name":%q,"type":"file"}`, i, text, text))
	}
	server.SetPageSize(70)
	client := server.Client()
	rules, err := client.Posture.List(t.Context())
	require.NoError(t, err)
	var streamed []*cfposture.Rule
	for rule, err := range client.Posture.All(t.Context()) {
		require.NoError(t, err)
		streamed = append(streamed, rule)
	}
	for _, got := range [][]*cfposture.Rule{rules, streamed} {
		require.Len(t, got, len(want))
		for i, rule := range got {
			require.Equal(t, want[i], rule.Name)
			require.Equal(t, &cfposture.FileInput{Path: want[i]}, rule.Input)
		}
	}
}

func TestEmptyAccountHasNoRules(t *testing.T) {
	client := newServer(t).Client()
	rules, err := client.Posture.List(t.Context())
	require.NoError(t, err)
	assert.Empty(t, rules)
	streamed, err := names(client, t)
	require.NoError(t, err)
	assert.Empty(t, streamed)
}

// pages answers with the pages given, each a list of IDs, and with the last for every page after it.
func pages(info string, pages ...[]string) httpmock.Responder {
	return func(r *http.Request) (*http.Response, error) {
		page := 1
		if asked := r.URL.Query().Get("page"); asked != "" {
			page, _ = strconv.Atoi(asked)
		}
		var rules []string
		for _, id := range pages[min(page, len(pages))-1] {
			rules = append(rules, fmt.Sprintf(`{"id":%q,"name":%q,"type":"warp"}`, id, id))
		}
		body := `{"result":[` + strings.Join(rules, ",") + `],"result_info":` + info + `,"success":true}`
		return httpmock.NewStringResponse(200, body), nil
	}
}

func TestPagingStopsWhereNothingNewComes(t *testing.T) {
	tests := map[string]struct {
		responder httpmock.Responder
		want      []string
		requests  int
	}{
		"the query is ignored":     {pages(`{"page":1,"per_page":2,"total_count":6,"total_pages":3}`, []string{"a", "b"}), []string{"a", "b"}, 2},
		"total_pages is too large": {pages(`{"total_pages":9}`, []string{"a", "b"}, []string{"c"}, nil), []string{"a", "b", "c"}, 3},
		"total_count alone":        {pages(`{"per_page":2,"total_count":3}`, []string{"a", "b"}, []string{"c"}), []string{"a", "b", "c"}, 2},
		"no total":                 {pages(`{"page":1,"per_page":2,"count":2}`, []string{"a", "b"}, []string{"c"}), []string{"a", "b"}, 1},
		"null info":                {pages(`null`, []string{"a", "b"}), []string{"a", "b"}, 1},
		"odd info":                 {pages(`{"total_pages":"9"}`, []string{"a", "b"}), []string{"a", "b"}, 1},
		"a rule moved over":        {pages(`{"total_pages":2}`, []string{"a", "b"}, []string{"b", "c"}), []string{"a", "b", "c"}, 2},
		"a rule is there twice":    {pages(`{"total_pages":2}`, []string{"a", "a"}, []string{"a", "b"}), []string{"a", "a", "b"}, 2},
		"all of it comes again":    {pages(`{"total_pages":3}`, []string{"a"}, []string{"a", "b"}, []string{"a", "c"}), []string{"a", "b", "c"}, 3},
		"twice, but on a new page": {pages(`{"total_pages":3}`, []string{"a"}, []string{"b"}, []string{"a", "a"}), []string{"a", "b", "a"}, 3},
		"an empty page":            {pages(`{"total_pages":9}`, nil), nil, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			requests := 0
			client := mockClient(t, func(r *http.Request) (*http.Response, error) {
				requests++
				return test.responder(r)
			})
			streamed, err := names(client, t)
			require.NoError(t, err)
			assert.Equal(t, test.want, streamed)
			assert.Equal(t, test.requests, requests)
			rules, err := client.Posture.List(t.Context())
			require.NoError(t, err)
			assert.Len(t, rules, len(test.want))
		})
	}
}

// A list must not depend on whether the network made it come in pieces.
func TestRuleThatIsThereTwiceStaysSoAfterARetry(t *testing.T) {
	const list = `{"result":[{"id":"a","name":"1"},{"id":"a","name":"2"},{"id":"b","name":"3"},{"id":"b","name":"4"}],"success":true}`
	for cut := range len(list) {
		attempts := 0
		client := mockClient(t, func(r *http.Request) (*http.Response, error) {
			attempts++
			body := io.Reader(strings.NewReader(list))
			if attempts == 1 {
				body = io.MultiReader(strings.NewReader(list[:cut]), iotest.ErrReader(io.ErrUnexpectedEOF))
			}
			return respond(r, http.StatusOK, nil, body), nil
		}, cfposture.WithMaxRetries(1), cfposture.WithMaxRetryWait(0))
		streamed, err := names(client, t)
		require.NoError(t, err)
		assert.Equal(t, []string{"1", "2", "3", "4"}, streamed, "after %s", list[:cut])
		assert.Equal(t, 2, attempts)
	}
}

// What the attempt before has read must not show in what is said of this one.
func TestRetriedListStartsAnew(t *testing.T) {
	for first, second := range map[string]string{
		`{"result":[{"id":"a"},{"id":7}`: `{"result":[{"id":"a"},{"id":"b"},{"id":8}],"success":true}`,
		`{"result":{"id":"a"},"suc`:      `{"result":[{"id":"a"},{"id":"b"},{"id":8}],"success":true}`,
	} {
		bodies := []io.Reader{io.MultiReader(strings.NewReader(first), iotest.ErrReader(io.ErrUnexpectedEOF)), strings.NewReader(second)}
		client := mockClient(t, func(r *http.Request) (*http.Response, error) {
			body := bodies[0]
			bodies = bodies[1:]
			return respond(r, http.StatusOK, nil, body), nil
		}, cfposture.WithMaxRetries(1), cfposture.WithMaxRetryWait(0))
		var last error
		for _, err := range client.Posture.All(t.Context()) {
			if err != nil {
				last = err
			}
		}
		require.ErrorContains(t, last, "result[2]: ", first)
		assert.Empty(t, bodies)
	}
}

// A failure may hold anything; none of it is a rule.
func TestFailureThatHoldsAListYieldsNoRule(t *testing.T) {
	client := mockClient(t, answer(404, `{"success":false,"errors":[{"code":7,"message":"gone"}],"result":[{"id":"a","name":"a","type":"warp"}]}`))
	streamed, err := names(client, t)
	require.ErrorIs(t, err, cfposture.ErrNotFound)
	assert.Empty(t, streamed)
}

func TestUpdateSendsTheInputsTypeWhereTheRuleHasNone(t *testing.T) {
	var sent []byte
	client := mockClient(t, answer(200, oneRule), captureBody(&sent))
	given := &cfposture.Rule{ID: "1", Name: "n", Input: &cfposture.FirewallInput{OperatingSystem: cfposture.PlatformMac}}
	_, err := client.Posture.Update(t.Context(), given)
	require.NoError(t, err)
	assert.JSONEq(t, `{"id":"1","name":"n","type":"firewall","input":{"operating_system":"mac","enabled":false}}`, string(sent))
	assert.Empty(t, given.Type, "the caller's rule is left as it is")
}

func TestRulesWithoutAnIDAreAllThere(t *testing.T) {
	client := mockClient(t, answer(200, `{"success":true,"result":[{"name":"a","type":"warp"},{"name":"b","type":"warp"}]}`))
	streamed, err := names(client, t)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, streamed)
}

func TestListPageAsksForThatPage(t *testing.T) {
	server := newServer(t)
	addRules(server, 7)
	client := server.Client()
	page, err := client.Posture.ListPage(t.Context(), cfposture.ListPage{Page: 2, PerPage: 3})
	require.NoError(t, err)
	assert.Equal(t, cfposture.ResultInfo{Page: 2, PerPage: 3, Count: 3, TotalCount: 7, TotalPages: 3}, page.Info)
	require.Len(t, page.Items, 3)
	assert.Equal(t, "rule-3", page.Items[0].ID)
	assert.Equal(t, "page=2&per_page=3", server.Requests()[0].Query.Encode())

	page, err = client.Posture.ListPage(t.Context(), cfposture.ListPage{})
	require.NoError(t, err)
	assert.Len(t, page.Items, 7)
	assert.Empty(t, server.Requests()[1].Query)
}

func TestAllHandsOverRulesAsTheyArrive(t *testing.T) {
	handler := http.NewServeMux()
	release := make(chan struct{})
	handler.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"result":[{"id":"a","name":"n","type":"warp"},`)
		w.(http.Flusher).Flush()
		select {
		case <-release:
		case <-r.Context().Done():
		}
		fmt.Fprint(w, `{"id":"b","name":"n","type":"warp"}],"success":true}`)
	})
	client := handlerClient(t, handler)
	var ids []string
	for rule, err := range client.Posture.All(t.Context()) {
		require.NoError(t, err)
		ids = append(ids, rule.ID)
		if len(ids) == 1 {
			close(release) // the rest is sent only now that the first rule is here
		}
	}
	assert.Equal(t, []string{"a", "b"}, ids)
}

func TestLeavingTheLoopEndsTheTransfer(t *testing.T) {
	ended := make(chan struct{})
	client := handlerClient(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"result":[{"id":"a","name":"n","type":"warp"},`)
		w.(http.Flusher).Flush()
		<-r.Context().Done() // only when the client hangs up
		close(ended)
	}))
	for rule, err := range client.Posture.All(t.Context()) {
		require.NoError(t, err)
		assert.Equal(t, "a", rule.ID)
		break
	}
	<-ended
}

func TestAllMayBeRangedOverAgain(t *testing.T) {
	server := newServer(t)
	addRules(server, 2)
	all := server.Client().Posture.All(t.Context())
	for range 2 {
		count := 0
		for _, err := range all {
			require.NoError(t, err)
			count++
		}
		assert.Equal(t, 2, count)
	}
}

func TestExtraMembersAreSentOnCreate(t *testing.T) {
	server := newServer(t)
	created, err := server.Client().Posture.Create(t.Context(), &cfposture.Rule{
		Name: "Jamf",
		Input: &cfposture.ApplicationInput{
			Path:  "/Library/Jamf",
			Extra: map[string]json.RawMessage{"flavor": json.RawMessage(`"application"`), "running": json.RawMessage(`true`)},
		},
	})
	require.NoError(t, err)
	assert.JSONEq(t, `{"name":"Jamf","type":"application","input":{"path":"/Library/Jamf","flavor":"application","running":true}}`,
		string(server.Requests()[0].Body))
	assert.Len(t, created.Input.(*cfposture.ApplicationInput).Extra, 2)
}
