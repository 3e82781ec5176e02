package workload_test

import (
	"encoding/json"
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

// costs returns what one operation costs, the mean of a few.
func costs(t *testing.T, name string, answer []byte, operation func(workload.Client) error) workload.Figures {
	t.Helper()
	client, err := workload.New(name, workload.NewTransport(answer))
	require.NoError(t, err)
	require.NoError(t, operation(client), "what happens but the first time is not counted")
	figures, err := workload.Measure(10, func() error { return operation(client) })
	require.NoError(t, err)
	return figures
}

func TestListTakesAThirdOfThePeersMemory(t *testing.T) {
	list := func(client workload.Client) error {
		_, err := client.List(t.Context())
		return err
	}
	for name, answer := range map[string][]byte{"samples": workload.List(1_000), "drawn": workload.Drawn(1, 1_000)} {
		t.Run(name, func(t *testing.T) {
			own, v0 := costs(t, workload.CFPosture, answer, list), costs(t, workload.V0, answer, list)
			assert.LessOrEqual(t, own.Bytes, v0.Bytes/3)
		})
	}
}

func TestDrawnListIsReadByAllWithNothingLost(t *testing.T) {
	for seed := range uint64(3) {
		data := workload.Drawn(seed, 300)
		assert.Equal(t, data, workload.Drawn(seed, 300))
		assert.NotEqual(t, data, workload.Drawn(seed+1, 300))
		for _, name := range workload.Names[:2] {
			client, err := workload.New(name, workload.NewTransport(data))
			require.NoError(t, err)
			n, err := client.List(t.Context())
			require.NoError(t, err, name)
			assert.Equal(t, 300, n)
		}
		var answer struct{ Result []json.RawMessage }
		require.NoError(t, json.Unmarshal(data, &answer))
		for _, text := range answer.Result {
			rule := new(cfposture.Rule)
			require.NoError(t, json.Unmarshal(text, rule))
			again, err := json.Marshal(rule)
			require.NoError(t, err)
			var want, have map[string]any
			require.NoError(t, json.Unmarshal(text, &want))
			require.NoError(t, json.Unmarshal(again, &have))
			deleteEmpty(want)
			deleteEmpty(have)
			require.Equal(t, want, have)
		}
	}
}

// deleteEmpty deletes what needn't come back: null, "" and an object without members.
func deleteEmpty(object map[string]any) {
	for name, value := range object {
		inner, isObject := value.(map[string]any)
		if isObject {
			deleteEmpty(inner)
		}
		if value == nil || value == "" || isObject && len(inner) == 0 {
			delete(object, name)
		}
	}
}

// The older client has neither a timeout for each attempt nor a trace that keeps a POST from being sent twice.
func TestOneRuleAllocatesLittleMoreThanTheOlderClient(t *testing.T) {
	operations := map[string]func(workload.Client) error{
		"get":    func(client workload.Client) error { return client.Get(t.Context(), workload.RuleID(0)) },
		"create": func(client workload.Client) error { return client.Create(t.Context()) },
	}
	for name, operation := range operations {
		t.Run(name, func(t *testing.T) {
			own, v0 := costs(t, workload.CFPosture, workload.One(0), operation), costs(t, workload.V0, workload.One(0), operation)
			assert.LessOrEqual(t, own.Allocations, 1.4*v0.Allocations)
			assert.LessOrEqual(t, own.Bytes, v0.Bytes)
		})
	}
}
