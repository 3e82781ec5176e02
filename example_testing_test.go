package cfposture_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// countRules stands for the code of a user of this package, of which the README shows the test.
func countRules(ctx context.Context, client *cfposture.Client) (int, error) {
	rules, err := client.Posture.List(ctx)
	return len(rules), err
}

func TestCountRules(t *testing.T) {
	server := posturetest.New(t)
	server.PutRule(&cfposture.Rule{Name: "WARP is on", Type: cfposture.RuleTypeWARP})
	server.FailNext(1, 503) // countRules must survive it

	count, err := countRules(t.Context(), server.Client())
	require.NoError(t, err)
	assert.Equal(t, 1, count)
	assert.Len(t, server.Requests(), 2)
}
