// Package interval reads and writes lengths of time as the API does: "5m", "24h".
package interval

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Format writes a duration in the largest of hours, minutes and seconds that divides it, or else as
// [time.Duration.String] does.
func Format(d time.Duration) string {
	switch {
	case d != 0 && d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d != 0 && d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d != 0 && d%time.Second == 0:
		return fmt.Sprintf("%ds", d/time.Second)
	default:
		return d.String()
	}
}

// Parse reads what [time.ParseDuration] does, negative durations included, and a number of days.
func Parse(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		d, err := time.ParseDuration(days + "h")
		if err == nil && !strings.ContainsAny(days, "hms") && d.Abs() <= math.MaxInt64/24 {
			return d * 24, nil
		}
	} else if d, err := time.ParseDuration(text); err == nil {
		return d, nil
	}
	return 0, fmt.Errorf("%q is not an interval such as 5m or 1h", text)
}

// IsSame reports whether two texts are intervals of the same length.
func IsSame(a, b string) bool {
	lengthA, errA := Parse(a)
	lengthB, errB := Parse(b)
	return errA == nil && errB == nil && lengthA == lengthB
}
