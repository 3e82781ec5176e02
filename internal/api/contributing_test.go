package api

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// outcomesTable is the table of outcomes for people.
func outcomesTable() string {
	var b strings.Builder
	b.WriteString("| an attempt ends with | GET, PUT, PATCH, DELETE | POST |\n| --- | --- | --- |\n")
	for o := range outcomes {
		b.WriteString("| " + outcomes[o].name)
		for _, method := range []string{"GET", "POST"} {
			b.WriteString(" | " + consequence(outcome(o), method))
		}
		b.WriteString(" |\n")
	}
	return b.String()
}

// consequence is what follows if the last attempt of a request ends so.
func consequence(o outcome, method string) string {
	switch {
	case o == succeeded:
		return "success"
	case o.isRetryable(method):
		return "retried"
	case o.isAmbiguous(method):
		return "`ErrOutcomeUnknown`"
	default:
		return "error"
	}
}

func TestContributingShowsTheOutcomes(t *testing.T) {
	page, err := os.ReadFile("../../CONTRIBUTING.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(page), "<!-- outcomes -->\n")
	require.True(t, found)
	table, _, found := strings.Cut(rest, "<!-- /outcomes -->")
	require.True(t, found)
	assert.Equal(t, outcomesTable(), table, "the table in CONTRIBUTING.md has to be:\n%s", outcomesTable())
}
