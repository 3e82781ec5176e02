package cfposture_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// A book responds with its pages, each a list of IDs, and with an empty page for every other.
type book struct {
	pages    [][]string
	info     func(page int) string // result_info, "" for none
	ignores  bool                  // the page that is asked for, and responds with the first
	requests []string              // their queries
}

func (b *book) RoundTrip(r *http.Request) (*http.Response, error) {
	b.requests = append(b.requests, r.URL.RawQuery)
	page := 1
	if asked := r.URL.Query().Get("page"); asked != "" && !b.ignores {
		page, _ = strconv.Atoi(asked)
	}
	var rules []string
	if page <= len(b.pages) {
		for _, id := range b.pages[page-1] {
			rules = append(rules, fmt.Sprintf(`{"id":%q,"name":%q,"type":"warp"}`, id, id))
		}
	}
	body := `{"success":true,"result":[` + strings.Join(rules, ",") + `]`
	if info := b.info(page); info != "" {
		body += `,"result_info":` + info
	}
	return respond(r, http.StatusOK, nil, strings.NewReader(body+"}")), nil
}

func always(info string) func(int) string { return func(int) string { return info } }

// byPage says on each page but the last what the first says.
func byPage(infos ...string) func(int) string {
	return func(page int) string { return infos[min(page, len(infos))-1] }
}

// collect reads a list by All: the IDs that came, and the last error.
func collect(t *testing.T, client *cfposture.Client) (ids []string, last error) {
	t.Helper()
	for rule, err := range client.Posture.All(t.Context()) {
		if last = err; err == nil {
			ids = append(ids, rule.ID)
		}
	}
	return ids, last
}

func TestListIsWholeOrIncompleteHoweverResultInfoIsWritten(t *testing.T) {
	three := [][]string{{"a", "b"}, {"c", "d"}, {"e"}}
	all := []string{"a", "b", "c", "d", "e"}
	for name, test := range map[string]struct {
		book       *book
		want       []string
		requests   int
		incomplete string // what the error says, "" for a whole list
	}{
		"numbers":                      {&book{pages: three, info: always(`{"page":1,"per_page":2,"count":2,"total_count":5,"total_pages":3}`)}, all, 3, ""},
		"numbers with a fraction of 0": {&book{pages: three, info: always(`{"per_page":2.0,"total_count":5.0,"total_pages":3.0}`)}, all, 3, ""},
		"numbers with an exponent":     {&book{pages: three, info: always(`{"per_page":2e0,"total_count":0.5e1,"total_pages":30e-1}`)}, all, 3, ""},
		"strings":                      {&book{pages: three, info: always(`{"per_page":"2","total_count":"5","total_pages":"3"}`)}, all, 3, ""},
		"total_pages only":             {&book{pages: three, info: always(`{"total_pages":3}`)}, all, 3, ""},
		"total_count and per_page":     {&book{pages: three, info: always(`{"per_page":2,"total_count":5}`)}, all, 3, ""},
		"total_count only":             {&book{pages: three, info: always(`{"total_count":5}`)}, all, 3, ""},
		"null members":                 {&book{pages: three, info: always(`{"page":null,"per_page":null,"total_count":5,"total_pages":null}`)}, all, 3, ""},
		"members of other kinds":       {&book{pages: three, info: always(`{"page":{},"per_page":[],"total_count":5,"total_pages":true}`)}, all, 3, ""},
		"unknown members":              {&book{pages: three, info: always(`{"total_pages":3,"total":{"pages":9}}`)}, all, 3, ""},
		"missing on the last page":     {&book{pages: three, info: byPage(`{"total_count":5,"per_page":2}`, `{"total_count":5,"per_page":2}`, ``)}, all, 3, ""},
		"an empty cursor":              {&book{pages: three, info: always(`{"total_pages":3,"cursor":"","cursors":{"after":""}}`)}, all, 3, ""},
		"more came than the total":     {&book{pages: three, info: always(`{"total_count":4,"total_pages":3}`)}, all, 3, ""},

		"none at all":            {&book{pages: three, info: always(``)}, all[:2], 1, ""},
		"null":                   {&book{pages: three, info: always(`null`)}, all[:2], 1, ""},
		"no object":              {&book{pages: three, info: always(`[3]`)}, all[:2], 1, ""},
		"no total":               {&book{pages: three, info: always(`{"page":1,"per_page":2,"count":2}`)}, all[:2], 1, ""},
		"a negative total":       {&book{pages: three, info: always(`{"total_count":-5,"total_pages":-3}`)}, all[:2], 1, ""},
		"a huge total_pages":     {&book{pages: three, info: always(`{"total_pages":1e400}`)}, all[:2], 1, ""},
		"a cursor":               {&book{pages: three, info: always(`{"cursor":"abc"}`)}, all[:2], 2, "by a cursor"},
		"a cursor that is after": {&book{pages: three, info: always(`{"cursors":{"before":"x","after":"abc"}}`)}, all[:2], 2, "by a cursor"},

		"an empty page in the middle": {
			&book{pages: [][]string{{"a", "b"}, {}, {"c"}}, info: always(`{"total_pages":3,"total_count":3}`)}, all[:3], 3, "",
		},
		"an empty page in the middle, without a total": {
			&book{pages: [][]string{{"a", "b"}, {}, {"c"}}, info: always(`{"total_pages":3}`)}, all[:3], 6, "of 3 pages one or more brought nothing new",
		},
		"total_pages move":                {&book{pages: three, info: byPage(`{"total_pages":4}`, `{"total_pages":3}`)}, all, 6, "changed while it was read"},
		"total_count above what there is": {&book{pages: three, info: always(`{"total_pages":3,"total_count":9}`)}, all, 8, "5 of 9 came"},
		"total_pages above what there is": {&book{pages: three, info: always(`{"total_pages":9}`)}, all, 12, "of 9 pages one or more brought nothing new"},
		"total_pages of 1, total_count of more": {
			&book{pages: three[:1], info: always(`{"total_pages":1,"total_count":5}`)}, all[:2], 4, "2 of 5 came",
		},
		"the page is ignored":            {&book{pages: three, ignores: true, info: always(`{"total_pages":3,"total_count":5}`)}, all[:2], 6, "2 of 5 came"},
		"the page is ignored, for ever":  {&book{pages: three, ignores: true, info: always(`{"total_pages":1000000}`)}, all[:2], 8, "of 1000000 pages"},
		"an item moved on":               {&book{pages: [][]string{{"a", "b"}, {"b", "c"}}, info: always(`{"total_pages":2}`)}, all[:3], 2, ""},
		"a page that repeats":            {&book{pages: [][]string{{"a", "b"}, {"a", "b"}, {"c"}}, info: always(`{"total_pages":3,"total_count":3}`)}, all[:3], 3, ""},
		"the total moves, and stays":     {&book{pages: three, info: byPage(`{"total_count":6,"total_pages":3}`, `{"total_count":5,"total_pages":3}`)}, all, 6, "changed while it was read"},
		"an item is there twice on page": {&book{pages: [][]string{{"a", "a"}}, info: always(`{"total_pages":1,"total_count":2}`)}, []string{"a", "a"}, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			client := transportClient(t, test.book)
			ids, err := collect(t, client)
			assert.Equal(t, test.want, ids)
			assert.Len(t, test.book.requests, test.requests)
			assert.Empty(t, test.book.requests[0], "the first page is asked for without a query")
			rules, listErr := client.Posture.List(t.Context())
			assert.Len(t, rules, len(test.want), "List returns what came")
			for _, err := range []error{err, listErr} {
				if test.incomplete == "" {
					require.NoError(t, err)
					continue
				}
				require.ErrorIs(t, err, cfposture.ErrIncomplete)
				require.ErrorContains(t, err, "cfposture: GET "+rulesPath+": list is incomplete: ")
				require.ErrorContains(t, err, test.incomplete)
			}
		})
	}
}

// What has no ID, or can't be read, is told from others by its text.
func TestListOfItemsWithoutIDsOverPages(t *testing.T) {
	pages := []string{
		`{"name":"a"},{"id":"1","name":5},"text",{"name":"b"}`,
		`{"name":"a"},{"id":"1","name":5},"text",{"name":"c"}`, // three of them again
		`{"name":"d"},{"id":"2","name":6},{"id":"3","name":"e"}`,
	}
	client := transportClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		page, _ := strconv.Atoi(r.URL.Query().Get("page"))
		body := `{"success":true,"result":[` + pages[max(0, page-1)] + `],"result_info":{"total_pages":3}}`
		return respond(r, http.StatusOK, nil, strings.NewReader(body)), nil
	}))
	var names []string
	unreadable := 0
	for rule, err := range client.Posture.All(t.Context()) {
		var item *cfposture.ItemError
		if errors.As(err, &item) {
			unreadable++
			continue
		}
		require.NoError(t, err)
		names = append(names, rule.Name)
	}
	assert.Equal(t, []string{"a", "b", "c", "d", "e"}, names)
	assert.Equal(t, 3, unreadable, "each once")
	for _, err := range client.Posture.All(t.Context()) {
		if err != nil {
			break // in the middle of a page, at an item that can't be read
		}
	}
}

// A list that changes between its pages is read once more, and what came is not handed out again.
func TestListThatChangesWhileItIsRead(t *testing.T) {
	for name, test := range map[string]struct {
		between func(api *posturetest.Server, client *cfposture.Client, ids []string)
		want    int
	}{
		"an item is created": {func(api *posturetest.Server, _ *cfposture.Client, _ []string) {
			api.AddRule([]byte(`{"name":"new","type":"warp"}`))
		}, 6},
		"an item of the first page is deleted": {func(_ *posturetest.Server, client *cfposture.Client, ids []string) {
			_ = client.Posture.Delete(t.Context(), ids[0])
		}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			api := newServer(t)
			for i := range 5 {
				api.AddRule(fmt.Appendf(nil, `{"name":"%d","type":"warp"}`, i))
			}
			api.SetPageSize(2)
			client := api.Client()
			var ids []string
			for rule, err := range client.Posture.All(t.Context()) {
				require.NoError(t, err)
				ids = append(ids, rule.ID)
				if len(ids) == 1 {
					test.between(api, client, ids)
				}
			}
			assert.Len(t, ids, test.want)
			slices.Sort(ids)
			assert.Len(t, slices.Compact(ids), test.want, "no item comes twice")
		})
	}
}

// Deleting what a loop lists moves the rest to earlier pages.
func TestDeletingWhatAllListsLeavesNothingUnsaid(t *testing.T) {
	for rules := range 12 {
		for size := range 12 {
			api := newServer(t)
			for i := range rules {
				api.AddRule(fmt.Appendf(nil, `{"name":"%d","type":"warp"}`, i))
			}
			api.SetPageSize(size%6 + 1)
			client := api.Client()
			if size >= 6 {
				client = api.Client(cfposture.WithMiddleware(withoutTotalCount))
			}
			var last error
			for rule, err := range client.Posture.All(t.Context()) {
				if last = err; err == nil {
					require.NoError(t, client.Posture.Delete(t.Context(), rule.ID))
				}
			}
			if left := len(api.Rules()); left > 0 || last != nil {
				require.ErrorIs(t, last, cfposture.ErrIncomplete, "%d of %d rules are left, by pages of %d", left, rules, size%6+1)
			}
		}
	}
}

// withoutTotalCount takes the total_count out of responses.
func withoutTotalCount(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(r)
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		body = bytes.ReplaceAll(body, []byte(`"total_count"`), []byte(`"total"`))
		response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		return response, err
	})
}

// A loop may take its time and call the client: the page it goes over has been read.
func TestAllHoldsNoConnectionWhileTheLoopWorks(t *testing.T) {
	api := newServer(t)
	for i := range 30 {
		api.AddRule(fmt.Appendf(nil, `{"name":"%d","type":"warp"}`, i))
	}
	api.SetPageSize(10)
	var busy, most atomic.Int32
	handler := api.Handler()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		most.Store(max(most.Load(), busy.Add(1)))
		defer busy.Add(-1)
		handler.ServeHTTP(w, r)
	}))
	defer server.Close()
	transport := &http.Transport{MaxConnsPerHost: 1}
	defer transport.CloseIdleConnections()
	client := api.Client(cfposture.WithBaseURL(server.URL+"/client/v4"), cfposture.WithHTTPClient(&http.Client{Transport: transport}),
		cfposture.WithTimeout(5*time.Second))
	seen := 0
	for rule, err := range client.Posture.All(t.Context()) {
		require.NoError(t, err)
		assert.Zero(t, busy.Load())
		_, err = client.Posture.Get(t.Context(), rule.ID) // would hang if the list held the only connection
		require.NoError(t, err)
		seen++
	}
	assert.Equal(t, 30, seen)
	assert.EqualValues(t, 1, most.Load())
}

func TestAllMayBeLeft(t *testing.T) {
	api := newServer(t)
	for i := range 4 {
		api.AddRule(fmt.Appendf(nil, `{"name":"%d","type":"warp"}`, i))
	}
	api.SetPageSize(2)
	client := api.Client()
	for _, err := range client.Posture.All(t.Context()) {
		require.NoError(t, err)
		break
	}
	assert.Len(t, api.Requests(), 1, "the second page is not asked for")
}

func TestItemErrorTellsAnOddItemFromABrokenList(t *testing.T) {
	const odd = `{"id":"odd", "name":5}`
	client := mockClient(t, responding(200, `{"success":true,"result":[{"id":"a","name":"n","type":"warp"},`+odd+`,[],{"id":"b","name":"n","type":"warp"}]}`))
	var got []string
	for rule, err := range client.Posture.All(t.Context()) {
		var item *cfposture.ItemError
		switch {
		case errors.As(err, &item):
			assert.Nil(t, rule)
			got = append(got, fmt.Sprintf("%d %s %s", item.Index, item.ID, item.Raw))
		case err != nil:
			t.Fatal(err)
		default:
			got = append(got, rule.ID)
		}
	}
	assert.Equal(t, []string{"a", "1 odd " + odd, "2  []", "b"}, got)

	rules, err := client.Posture.List(t.Context())
	require.Len(t, rules, 2)
	var first *cfposture.ItemError
	require.ErrorAs(t, err, &first)
	assert.Equal(t, 1, first.Index)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d"} {
		assert.NotContains(t, fmt.Sprintf(verb, first), `"id":`, "Raw is not printed")
	}
}

// A million elements that are no rules cost no more than the response they came in is worth.
func TestItemErrorsOfAMillionElements(t *testing.T) {
	const elements = 1_000_000
	body := `{"success":true,"result":[` + strings.Repeat("1,", elements-1) + `1]}`
	client := transportClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		return respond(r, http.StatusOK, nil, strings.NewReader(body)), nil
	}))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	rules, err := client.Posture.List(t.Context())
	runtime.ReadMemStats(&after)
	assert.Empty(t, rules)
	assert.Less(t, len(err.Error()), 1_000)
	require.ErrorContains(t, err, "and 999997 more unreadable items")
	var all interface{ Unwrap() []error }
	require.ErrorAs(t, err, &all)
	assert.Len(t, all.Unwrap(), 100)
	assert.Less(t, (after.TotalAlloc-before.TotalAlloc)/elements, uint64(1_000), "bytes for each element")
}

func TestItemNestedTooDeepHidesNoOther(t *testing.T) {
	for _, depth := range []int{9_990, 10_000, 1_000_000} {
		deep := `{"id":"deep","name":"n","type":"warp","x":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`
		client := mockClient(t, responding(200, `{"success":true,"result":[{"id":"a","name":"n","type":"warp"},`+deep+`,{"id":"b","name":"n","type":"warp"}]}`))
		rules, err := client.Posture.List(t.Context())
		require.GreaterOrEqual(t, len(rules), 2)
		assert.Equal(t, "b", rules[len(rules)-1].ID)
		if depth >= 10_000 {
			var item *cfposture.ItemError
			require.ErrorAs(t, err, &item)
			assert.Equal(t, "deep", item.ID)
			require.ErrorContains(t, err, "nested deeper")
		}
	}
}

func TestListErrorAfterTheFirstPageReturnsNoRules(t *testing.T) {
	requests := 0
	client := transportClient(t, roundTripper(func(r *http.Request) (*http.Response, error) {
		requests++
		if requests > 1 {
			return respond(r, http.StatusForbidden, nil, strings.NewReader(`{"success":false,"errors":[{"code":10000,"message":"no"}]}`)), nil
		}
		return respond(r, http.StatusOK, nil, strings.NewReader(`{"success":true,"result":[{"id":"a","name":"n"}],"result_info":{"total_pages":2}}`)), nil
	}))
	rules, err := client.Posture.List(t.Context())
	require.ErrorIs(t, err, cfposture.ErrForbidden)
	assert.Nil(t, rules)
}
