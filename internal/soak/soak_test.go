package main

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBooksAndAPIAgreeAfterAShortRun(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := run(ctx, config{ops: 2000, seed: 1, workers: 8})
	require.NoError(t, err)
	assert.Empty(t, r.mismatches)
	assert.GreaterOrEqual(t, sum(r.operations), 1900)
	assert.Greater(t, sum(r.faults), 200, "the API did misbehave")
	assert.Positive(t, r.outcomes["create outcome unknown"])
	assert.Positive(t, r.held)

	var summary bytes.Buffer
	r.print(&summary)
	assert.Contains(t, summary.String(), "mismatches: 0")
}

func TestFaultsFollowFromTheSeed(t *testing.T) {
	one, other := newSaboteur(nil, 1), newSaboteur(nil, 2)
	same, different := 0, 0
	for attempt := range 1000 {
		assert.Equal(t, one.choose("17", attempt).name, newSaboteur(nil, 1).choose("17", attempt).name)
		if one.choose("17", attempt).name == other.choose("17", attempt).name {
			same++
		} else {
			different++
		}
	}
	assert.Positive(t, same)
	assert.Positive(t, different)
}

func TestFaultsLeaveRoomForWhatGoesWell(t *testing.T) {
	total := 0
	for _, f := range faults() {
		total += f.weight
	}
	assert.Less(t, total, allWeights/2)
}
