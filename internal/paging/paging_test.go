package paging_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/internal/paging"
	"github.com/cfposture/cfposture/internal/wire"
)

type item struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

var items = paging.Items[item]{
	Decode: func(s *wire.Decoder) (*item, error) {
		i := new(item)
		if err := json.Unmarshal(s.Value(), i); err != nil {
			return nil, err
		}
		return i, nil
	},
	ID: func(i *item) string { return i.ID },
}

// page returns a page with a result and a result_info.
func page(t *testing.T, result, info string) *paging.Page[item] {
	t.Helper()
	p := paging.NewPage(items)
	require.NoError(t, p.Decode(wire.NewDecoder([]byte(result))))
	p.Info = paging.ParseInfo([]byte(info))
	return p
}

// result returns an array of items with the IDs, of which the words are unreadable items.
func result(ids ...string) string {
	var texts []string
	for _, id := range ids {
		if _, err := strconv.Atoi(id); err != nil {
			texts = append(texts, fmt.Sprintf(`{"id":%q,"name":0}`, id))
		} else {
			texts = append(texts, fmt.Sprintf(`{"id":%q}`, id))
		}
	}
	return "[" + strings.Join(texts, ",") + "]"
}

// came returns what a page yields: the IDs of items, and those of unreadable ones in brackets.
func came(p *paging.Page[item]) string {
	var ids []string
	for item, unreadable := range p.All() {
		if item != nil {
			ids = append(ids, item.ID+item.Name)
		} else {
			ids = append(ids, "("+p.Explain(unreadable).ID+")")
		}
	}
	return strings.Join(ids, " ")
}

func TestParseInfo(t *testing.T) {
	for text, want := range map[string]paging.Info{
		`{"page":2,"per_page":20,"count":3,"total_count":23,"total_pages":2}`: {Page: 2, PerPage: 20, Count: 3, TotalCount: 23, TotalPages: 2},
		`{"page":"2","per_page":20.0}`:                                        {Page: 2, PerPage: 20},
		`{"page":-1,"per_page":null,"x":[1]}`:                                 {},
		`[1]`:                                                                 {},
		`null`:                                                                {},
		``:                                                                    {},
	} {
		info := paging.ParseInfo([]byte(text))
		assert.Equal(t, []int{want.Page, want.PerPage, want.Count, want.TotalCount, want.TotalPages},
			[]int{info.Page, info.PerPage, info.Count, info.TotalCount, info.TotalPages}, text)
	}
}

func TestListAsksForPagesUntilItIsWhole(t *testing.T) {
	type pages []struct{ result, info string }
	for name, test := range map[string]struct {
		pages pages // what comes, of which the last is repeated
		asked string
		came  string // different pages are set apart by |
		why   string // "" if the list is whole
	}{
		"no result_info is one page": {
			pages{{result("1", "2"), ``}}, "1", "1 2", "",
		},
		"a null result": {
			pages{{`null`, `{"total_count":0}`}}, "1", "", "",
		},
		"two pages": {
			pages{{result("1", "2"), `{"per_page":2,"total_count":3}`}, {result("3"), `{"per_page":2,"total_count":3}`}},
			"1 2", "1 2|3", "",
		},
		"total_pages alone": {
			pages{{result("1"), `{"total_pages":2}`}, {result("2"), `{"total_pages":2}`}}, "1 2", "1|2", "",
		},
		"more than the total": {
			pages{{result("1", "2"), `{"total_count":1}`}}, "1", "1 2", "",
		},
		"an item that moved to the next page comes once": {
			pages{{result("1", "2"), `{"per_page":2,"total_count":3}`}, {result("2", "3"), `{"per_page":2,"total_count":3}`}},
			"1 2", "1 2|3", "",
		},
		"an unreadable item that moved, too": {
			pages{{result("1", "odd"), `{"per_page":2,"total_count":3}`}, {result("odd", "3"), `{"per_page":2,"total_count":3}`}},
			"1 2", "1 (odd)|3", "",
		},
		"a total that changed once is read once more": {
			pages{
				{result("1"), `{"per_page":1,"total_count":2}`}, {result("2"), `{"per_page":1,"total_count":3}`},
				{result("3"), `{"per_page":1,"total_count":3}`}, {result("1"), `{"per_page":1,"total_count":3}`},
				{result("2"), `{"per_page":1,"total_count":3}`}, {result("3"), `{"per_page":1,"total_count":3}`},
			},
			"1 2 3 1 2 3", "1|2|3|||", "",
		},
		"fewer than the total": {
			pages{{result("1"), `{"total_count":5}`}}, "1 2 1 2", "1|||", "1 of 5 came",
		},
		"a server that ignores the page": {
			pages{{result("1"), `{"per_page":1,"total_count":9}`}}, "1 2 3 4 1 2 3 4", "1|||||||", "1 of 9 came",
		},
		"an empty page without a total": {
			pages{{result("1"), `{"total_pages":2}`}, {`[]`, `{"total_pages":2}`}}, "1 2 1 2", "1|||",
			"of 2 pages one or more brought nothing new, or less than they say",
		},
		"a cursor": {
			pages{{result("1"), `{"cursors":{"after":"x"}}`}}, "1 1", "1|", "the API goes on by a cursor, which this package does not follow",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var list paging.List[item]
			var asked, got []string
			for number := range list.Pages() {
				next := test.pages[min(len(asked), len(test.pages)-1)]
				p := page(t, next.result, next.info)
				asked = append(asked, strconv.Itoa(number))
				list.Add(p)
				got = append(got, came(p))
			}
			assert.Equal(t, test.asked, strings.Join(asked, " "))
			assert.Equal(t, test.came, strings.Join(got, "|"))
			assert.Equal(t, test.why == "", list.IsWhole())
			if test.why != "" {
				assert.Equal(t, test.why, list.WhyIncomplete())
			}
		})
	}
}

func TestPageKeepsTheOrderOfReadableAndUnreadableItems(t *testing.T) {
	p := page(t, `[3,{"id":"1"},{"id":"odd","name":0},{"name":"x"},{"id":"2"},[{}]]`, ``)
	assert.Equal(t, "() 1 (odd) x 2 ()", came(p))
	assert.Equal(t, 6, p.Len())
	assert.Len(t, p.Items(), 3)
	var indices []int
	for u := range p.Unreadable() {
		indices = append(indices, p.Explain(u).Index)
	}
	assert.Equal(t, []int{0, 2, 5}, indices)
}

func TestPageLeavesOutWhatWasSeen(t *testing.T) {
	var list paging.List[item]
	for number := range list.Pages() {
		if number == 1 {
			list.Add(page(t, `[{"id":"1"},{"name":"x"},3,{"id":"2","name":0}]`, `{"total_pages":2}`))
			continue
		}
		p := page(t, `[{"name":"y"},{"name":"x"},{"id":"1"},{"id":"1","name":"again"},3,4,{"id":"2","name":1},{"id":"2"},{"id":"3","id":"1","name":0}]`, `{"total_pages":2}`)
		list.Add(p)
		assert.Equal(t, "y () 2 ()", came(p))
		require.Len(t, p.Items(), 2)
		assert.Equal(t, "y", p.Items()[0].Name)
		assert.Equal(t, 9, p.Len())
	}
	assert.True(t, list.IsWhole())
}

func TestPageExplainsWhatIsWrong(t *testing.T) {
	p := page(t, `[{"id":"1"},{"id":"odd","name":0}]`, ``)
	for unreadable := range p.Unreadable() {
		e := p.Explain(unreadable)
		assert.Equal(t, 1, e.Index)
		assert.Equal(t, "odd", e.ID)
		assert.Equal(t, `{"id":"odd","name":0}`, string(e.Raw)) //nolint:testifylint // the bytes are those that came
		require.ErrorContains(t, e.Err, "result[1]: json: cannot unmarshal number")
	}
}

func TestPageRefusesWhatIsNoArray(t *testing.T) {
	err := paging.NewPage(items).Decode(wire.NewDecoder([]byte(`{"id":"1"}`)))
	assert.EqualError(t, err, `response's member "result" is an object where an array is expected`)
}

func TestListErrorShowsTheFirstAndCountsTheRest(t *testing.T) {
	var problems paging.ListError
	require.NoError(t, problems.OrNil())
	called := 0
	for i := range 150 {
		problems.Add(func() error { called++; return fmt.Errorf("GET x: result[%d]: it is odd", i) })
	}
	assert.Equal(t, 100, called, "the rest is counted only")
	assert.Len(t, problems.Unwrap(), 100)
	require.EqualError(t, problems.OrNil(), "GET x: result[0]: it is odd; result[1]: it is odd; result[2]: it is odd; and 147 more unreadable items")

	problems.Incomplete = errors.New("the list is incomplete")
	require.ErrorIs(t, problems.OrNil(), problems.Incomplete)
	assert.Contains(t, problems.Error(), "the list is incomplete; result[0]: it is odd")
}
