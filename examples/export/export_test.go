package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/internal/cli"
	"github.com/cfposture/cfposture/internal/cli/clitest"
)

func TestSampleAccount(t *testing.T) {
	got := clitest.Run(t.Context(), run, clitest.Call{})
	assert.Equal(t, cli.OK, got.Code)
	clitest.Golden(t, "export.json", got.Stdout)
	head := strings.Join(strings.SplitAfter(got.Stdout, "\n")[:14], "")
	clitest.Shown(t, "readme.txt", "go run ./examples/export | head -14", clitest.Result{Both: got.Stderr + head})
}

func TestCalls(t *testing.T) { clitest.CheckCalls(t, run, "export") }

func TestTwoRunsGiveTheSameBytesWhateverOrderTheAPIListsIn(t *testing.T) {
	sample := cli.Sample()
	first, second := clitest.SampleServer(t), clitest.NewServer(t)
	slices.Reverse(sample.Rules)
	slices.Reverse(sample.Integrations)
	sample.AddTo(second)
	second.SetPageSize(5)
	want := clitest.Run(t.Context(), run, clitest.Call{Vars: clitest.Vars(first)})
	again := clitest.Run(t.Context(), run, clitest.Call{Vars: clitest.Vars(first)})
	other := clitest.Run(t.Context(), run, clitest.Call{Vars: clitest.Vars(second)})
	assert.Equal(t, want.Stdout, again.Stdout)
	assert.Equal(t, want.Stdout, other.Stdout)
}

func TestNothingIsLost(t *testing.T) {
	rules := []string{
		`{"id":"1","name":"1 digits","type":"custom_s2s","input":{"connection_id":"x","operator":">=","score":70.5,"next":1e2}}`,
		`{"id":"2","name":"2 later type","type":"quantum","input":{"qubits":12345678901234567890},"added":{"b":[{"d":1,"c":2}],"a":true}}`,
		`{"id":"3","name":"3 odd input","type":"file","input":{"path":5}}`,
		`{"id":"4","name":"4 escapes <&> \u2028 \\u003c","type":"warp"}`,
	}
	server := clitest.NewServer(t)
	for _, rule := range rules {
		server.AddRule([]byte(rule))
	}
	got := clitest.Run(t.Context(), run, clitest.Call{Vars: clitest.Vars(server)})
	require.Equal(t, cli.OK, got.Code, got.Stderr)
	document, err := cli.ReadDocument(strings.NewReader(got.Stdout))
	require.NoError(t, err)
	assert.Empty(t, document.Integrations)
	require.Len(t, document.Rules, len(rules))
	for i, rule := range rules {
		assert.JSONEq(t, rule, string(document.Rules[i]))
	}
	for _, digits := range []string{"70.5", "1e2", "12345678901234567890"} {
		assert.Contains(t, got.Stdout, digits)
	}
	assert.Contains(t, got.Stdout, `"operator": ">="`)
	assert.Less(t, strings.Index(got.Stdout, `"c": 2`), strings.Index(got.Stdout, `"d": 1`), "members are sorted on every level")
}

func TestNothingIsWrittenUnlessEverythingWasRead(t *testing.T) {
	t.Run("rules that can't be read", func(t *testing.T) {
		server := clitest.SampleServer(t)
		server.AddRule([]byte(`{"id":"bad-1","name":5}`))
		server.AddRule([]byte(`{"id":"bad-2","name":6}`))
		got := clitest.Run(t.Context(), run, clitest.Call{Vars: clitest.Vars(server)})
		assert.Equal(t, cli.Failed, got.Code)
		assert.Empty(t, got.Stdout)
		assert.Contains(t, got.Stderr, "bad-1")
		assert.Contains(t, got.Stderr, "bad-2")
	})
	t.Run("a failing API", func(t *testing.T) {
		server := clitest.SampleServer(t)
		server.FailNext(1, http.StatusForbidden)
		got := clitest.Run(t.Context(), run, clitest.Call{Vars: clitest.Vars(server)})
		assert.Equal(t, cli.Failed, got.Code)
		assert.Empty(t, got.Stdout)
		assert.Contains(t, got.Stderr, "403 Forbidden")
	})
}

func TestSortMembersChangesTheOrderOfMembersAlone(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"members":  {`{"b":1,"a":2}`, `{"a":2,"b":1}`},
		"levels":   {`[{"b":{"d":1,"c":[]},"a":{}}]`, `[{"a":{},"b":{"c":[],"d":1}}]`},
		"digits":   {`{"a":1.50e+2}`, `{"a":1.50e+2}`},
		"escapes":  {`{"a":"\ud800\u003c<"}`, `{"a":"\ud800\u003c<"}`},
		"elements": {`[3,1,2]`, `[3,1,2]`},
		"null":     {`null`, `null`},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			got, err := sortMembers(json.RawMessage(test.text))
			require.NoError(t, err)
			assert.Equal(t, test.want, string(got))
		})
	}
}
