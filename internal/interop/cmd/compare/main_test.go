package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSpreadAndItsVerdict(t *testing.T) {
	s := newSpread([]float64{5, 1, 4, 2, 3})
	assert.Equal(t, spread{2, 3, 4}, s)
	assert.Equal(t, "3.00 (2.00 to 4.00)", s.format(ratio))
	assert.Equal(t, "1.00", newSpread([]float64{1}).format(ratio))
	for goal, want := range map[float64]string{0: "", 3: "met", 3.5: "within the noise", 4.5: "missed"} {
		assert.Equal(t, want, s.verdict(goal), goal)
	}
}

func TestCountSetsThousandsApart(t *testing.T) {
	for n, want := range map[float64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		assert.Equal(t, want, count(n))
	}
}
