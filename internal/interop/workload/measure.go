package workload

import (
	"runtime"
	"time"
)

// Figures are what one operation costs.
type Figures struct{ Nanoseconds, Bytes, Allocations float64 }

// Measure does something a number of times and returns the mean of what it costs.
func Measure(times int, do func() error) (Figures, error) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	for range times {
		if err := do(); err != nil {
			return Figures{}, err
		}
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	n := float64(times)
	return Figures{
		float64(took.Nanoseconds()) / n,
		float64(after.TotalAlloc-before.TotalAlloc) / n,
		float64(after.Mallocs-before.Mallocs) / n,
	}, nil
}
