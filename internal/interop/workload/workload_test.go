package workload_test

import (
	"encoding/json"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
	"github.com/cfposture/cfposture/internal/interop/workload"
)

func TestListHoldsEveryKindOfRule(t *testing.T) {
	var answer struct{ Result []cfposture.Rule }
	require.NoError(t, json.Unmarshal(workload.List(1_000), &answer))
	require.Len(t, answer.Result, 1_000)
	types := map[cfposture.RuleType]bool{}
	for _, rule := range answer.Result {
		types[rule.Type] = true
		_, unknown := rule.Input.(*cfposture.UnknownInput)
		assert.False(t, unknown, rule.Type)
	}
	assert.Len(t, types, len(apifacts.RuleTypes))
	assert.Len(t, workload.Kinds(), 27)
}

func TestEveryClientManagesTheWorkload(t *testing.T) {
	for _, name := range workload.Names {
		t.Run(name, func(t *testing.T) {
			client, err := workload.New(name, workload.NewTransport(workload.List(27)))
			require.NoError(t, err)
			n, err := client.List(t.Context())
			require.NoError(t, err)
			if name != workload.Floor {
				assert.Equal(t, 27, n)
			}
			client, err = workload.New(name, workload.NewTransport(workload.One(3)))
			require.NoError(t, err)
			require.NoError(t, client.Get(t.Context(), workload.RuleID(3)))
			require.NoError(t, client.Create(t.Context()))
			require.NoError(t, client.Encode())
		})
	}
}

// A loop over All may be as long as it likes.
func TestAllHoldsOneRuleAtATime(t *testing.T) {
	const n, limit = 100_000, 8 << 20
	client, err := workload.NewCFPosture(workload.NewStreamTransport(n))
	require.NoError(t, err)
	before := workload.LiveHeap()
	count, most := 0, before
	for _, err := range client.Posture.All(t.Context()) {
		require.NoError(t, err)
		if count++; count%5_000 == 0 {
			most = max(most, workload.LiveHeap())
		}
	}
	assert.Equal(t, n, count)
	assert.Less(t, most-before, uint64(limit), "bytes that live while All runs")
	runtime.KeepAlive(client)
}
