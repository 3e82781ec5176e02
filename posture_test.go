package cfposture_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

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
	want.ID, want.Type, want.Enabled = rule.ID, cfposture.RuleTypeDiskEncryption, new(true)
	assert.Equal(t, &want, rule)
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
func TestRulesOutliveTheResponseTheyCameIn(t *testing.T) {
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
	client := mockClient(t, responding(404, `{"success":false,"errors":[{"code":7,"message":"gone"}],"result":[{"id":"a","name":"a","type":"warp"}]}`))
	streamed, err := names(client, t)
	require.ErrorIs(t, err, cfposture.ErrNotFound)
	assert.Empty(t, streamed)
}

func TestUpdateSendsTheInputsTypeWhereTheRuleHasNone(t *testing.T) {
	var sent []byte
	client := mockClient(t, responding(200, oneRule), captureBody(&sent))
	given := &cfposture.Rule{
		ID: "1", Name: "n", Enabled: new(true),
		Input: &cfposture.FirewallInput{OperatingSystem: cfposture.PlatformMac, Enabled: new(false)},
	}
	_, err := client.Posture.Update(t.Context(), given)
	require.NoError(t, err)
	assert.JSONEq(t, `{"name":"n","type":"firewall","input":{"operating_system":"mac","enabled":false}}`, string(sent))
	assert.Empty(t, given.Type, "the caller's rule is left as it is")
}

func TestRulesWithoutAnIDAreAllThere(t *testing.T) {
	client := mockClient(t, responding(200, `{"success":true,"result":[{"name":"a","type":"warp"},{"name":"b","type":"warp"}]}`))
	streamed, err := names(client, t)
	require.NoError(t, err)
	assert.Equal(t, []string{"a", "b"}, streamed)
}

func TestListPageAsksForThatPage(t *testing.T) {
	server := newServer(t)
	addRules(server, 7)
	client := server.Client()
	page, err := client.Posture.ListPage(t.Context(), cfposture.ListOptions{Page: 2, PerPage: 3})
	require.NoError(t, err)
	assert.Equal(t, cfposture.ResultInfo{Page: 2, PerPage: 3, Count: 3, TotalCount: 7, TotalPages: 3}, page.Info)
	require.Len(t, page.Items, 3)
	assert.Equal(t, "rule-3", page.Items[0].ID)
	assert.Equal(t, "page=2&per_page=3", server.Requests()[0].Query.Encode())

	page, err = client.Posture.ListPage(t.Context(), cfposture.ListOptions{})
	require.NoError(t, err)
	assert.Len(t, page.Items, 7)
	assert.Empty(t, server.Requests()[1].Query)
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
