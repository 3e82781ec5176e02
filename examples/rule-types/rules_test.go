package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/cli"
	"github.com/cfposture/cfposture/internal/cli/clitest"
)

func TestSampleAccount(t *testing.T) {
	got := clitest.Run(t.Context(), run, clitest.Call{})
	assert.Equal(t, cli.OK, got.Code)
	clitest.Golden(t, "rules.txt", got.Stdout)
	lines := strings.SplitAfter(got.Stdout, "\n")
	clitest.Shown(t, "readme.txt", "go run ./examples/rule-types | cut -c 1-80",
		clitest.Result{Both: got.Stderr + cutTo(lines, 80)})
}

// cutTo is cut -c 1-n, for text in ASCII.
func cutTo(lines []string, n int) string {
	var b strings.Builder
	for _, line := range lines {
		if line = strings.TrimSuffix(line, "\n"); line != "" {
			b.WriteString(line[:min(len(line), n)] + "\n")
		}
	}
	return b.String()
}

func TestCalls(t *testing.T) { clitest.CheckCalls(t, run, "rule-types") }

func TestEveryTypeHasARuleInTheDocumentsOrder(t *testing.T) {
	var types []cfposture.RuleType
	for _, rule := range rules(nil) {
		types = append(types, rule.Input.RuleType())
	}
	assert.Equal(t, cfposture.RuleTypes(), types)
}

func TestRulesAreDeletedUnlessTheyAreToBeKept(t *testing.T) {
	tests := map[string]struct {
		args []string
		want int
	}{
		"deleted": {nil, 12},
		"kept":    {[]string{"-keep"}, 12 + 19},
	}
	for title, test := range tests {
		t.Run(title, func(t *testing.T) {
			server := clitest.SampleServer(t)
			got := clitest.Run(t.Context(), run, clitest.Call{Args: test.args, Vars: clitest.Vars(server)})
			assert.Equal(t, cli.OK, got.Code)
			assert.Len(t, server.Rules(), test.want)
			assert.Equal(t, 4, strings.Count(got.Stderr, "Left out"), "the account lacks four integrations")
		})
	}
}

func TestRulesAreDeletedAfterAFailureToo(t *testing.T) {
	server := clitest.SampleServer(t)
	posts := 0
	failing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			if posts++; posts == 5 {
				w.WriteHeader(http.StatusForbidden)
				return
			}
		}
		server.Handler().ServeHTTP(w, r)
	}))
	defer failing.Close()
	vars := clitest.Vars(server)
	vars["CLOUDFLARE_BASE_URL"] = failing.URL + "/client/v4"
	got := clitest.Run(t.Context(), run, clitest.Call{Vars: vars})
	assert.Equal(t, cli.Failed, got.Code)
	assert.Contains(t, got.Stderr, "WARP: ")
	assert.Equal(t, 5, posts)
	assert.Len(t, server.Rules(), 12, "the four that were created are gone again")
}
