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

func TestListTakesAFractionOfThePeersMemory(t *testing.T) {
	list := func(client workload.Client) error {
		_, err := client.List(t.Context())
		return err
	}
	answer := workload.List(1_000)
	own, v7 := costs(t, workload.CFPosture, answer, list), costs(t, workload.V7, answer, list)
	v0 := costs(t, workload.V0, answer, list)
	assert.Less(t, own.Allocations, v7.Allocations/20)
	assert.Less(t, own.Bytes, v7.Bytes/20)
	assert.Less(t, own.Bytes, v0.Bytes/3)
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
			assert.LessOrEqual(t, own.Bytes, 1.1*v0.Bytes)
		})
	}
}
