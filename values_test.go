package cfposture_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
)

func TestEveryWritesTheLargestUnit(t *testing.T) {
	for d, want := range map[time.Duration]cfposture.Interval{
		5 * time.Minute:         "5m",
		time.Hour:               "1h",
		24 * time.Hour:          "24h",
		90 * time.Minute:        "90m",
		90 * time.Second:        "90s",
		30 * time.Second:        "30s",
		1500 * time.Millisecond: "1.5s",
		0:                       "0s",
		-5 * time.Minute:        "-5m",
		math.MaxInt64:           "2562047h47m16.854775807s",
	} {
		assert.Equal(t, want, cfposture.Every(d))
		back, err := want.Duration()
		require.NoError(t, err)
		assert.Equal(t, d, back)
	}
}

func TestIntervalDuration(t *testing.T) {
	for text, want := range map[cfposture.Interval]time.Duration{
		"5m": 5 * time.Minute, "1h": time.Hour, "24h": 24 * time.Hour, "2d": 48 * time.Hour, "1h30m": 90 * time.Minute, "0.5d": 12 * time.Hour,
	} {
		d, err := text.Duration()
		require.NoError(t, err, text)
		assert.Equal(t, want, d, text)
	}
	for _, text := range []cfposture.Interval{"", "5", "m", "d", "five", "5 m", "1e3m", "5M", "1d1h", "h1d", "999999999d", "99999999999h"} {
		_, err := text.Duration()
		require.EqualError(t, err, `cfposture: "`+string(text)+`" is not an interval such as 5m or 1h`)
	}
}

func FuzzIntervalDuration(f *testing.F) {
	for _, text := range []string{"5m", "1h", "2d", "1h30m", "-5m", "1.5h", "", "d", "0.5d", "1e5d", "99999999999d"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := cfposture.Interval(text).Duration()
		if err != nil {
			return
		}
		back, err := cfposture.Every(d).Duration()
		require.NoError(t, err)
		assert.Equal(t, d, back)
	})
}
