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

// costs returns the allocations and bytes of one operation, the mean of a few.
func costs(t *testing.T, name string, answer []byte, operation func(workload.Client) error) (allocations, bytes float64) {
	t.Helper()
	const times = 10
	client, err := workload.New(name, workload.NewTransport(answer))
	require.NoError(t, err)
	require.NoError(t, operation(client), "what happens but the first time is not counted")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range times {
		require.NoError(t, operation(client))
	}
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / times, float64(after.TotalAlloc-before.TotalAlloc) / times
}

func TestListTakesAFractionOfThePeersMemory(t *testing.T) {
	list := func(client workload.Client) error {
		_, err := client.List(t.Context())
		return err
	}
	answer := workload.List(1_000)
	allocations, bytes := costs(t, workload.CFPosture, answer, list)
	v7Allocations, v7Bytes := costs(t, workload.V7, answer, list)
	_, v0Bytes := costs(t, workload.V0, answer, list)
	assert.Less(t, allocations, v7Allocations/20)
	assert.Less(t, bytes, v7Bytes/20)
	assert.Less(t, bytes, v0Bytes/3)
}

func TestGetAllocatesLittleMoreThanARawCall(t *testing.T) {
	get := func(client workload.Client) error { return client.Get(t.Context(), workload.RuleID(0)) }
	allocations, _ := costs(t, workload.CFPosture, workload.One(0), get)
	raw, _ := costs(t, workload.Floor, workload.One(0), get)
	assert.LessOrEqual(t, allocations, 1.3*raw)
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
