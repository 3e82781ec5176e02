package interval_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture/internal/interval"
)

func TestFormatWritesTheLargestUnitThatDivides(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", time.Second: "1s", 90 * time.Second: "90s", 5 * time.Minute: "5m", 90 * time.Minute: "90m",
		24 * time.Hour: "24h", -time.Hour: "-1h", 1500 * time.Millisecond: "1.5s",
	} {
		text := interval.Format(d)
		assert.Equal(t, want, text)
		length, err := interval.Parse(text)
		require.NoError(t, err)
		assert.Equal(t, d, length)
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]time.Duration{"1h30m": 90 * time.Minute, "2d": 48 * time.Hour, "1.5d": 36 * time.Hour, "-1m": -time.Minute} {
		length, err := interval.Parse(text)
		require.NoError(t, err)
		assert.Equal(t, want, length, text)
	}
	for _, text := range []string{"", "5", "d", "soon", "1h2d3", "1h2d", "1m1d", "200000d"} {
		_, err := interval.Parse(text)
		assert.ErrorContains(t, err, "is not an interval such as 5m or 1h", text)
	}
}

func TestIsSameComparesLengths(t *testing.T) {
	assert.True(t, interval.IsSame("60m", "1h"))
	assert.True(t, interval.IsSame("1d", "24h"))
	assert.False(t, interval.IsSame("1m", "1h"))
	assert.False(t, interval.IsSame("soon", "soon"), "they are no intervals")
}
