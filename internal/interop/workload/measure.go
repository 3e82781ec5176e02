package workload

import (
	"context"
	"fmt"
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

// LiveHeapOfAll returns the most bytes that are alive while All yields n rules.
func LiveHeapOfAll(ctx context.Context, n int) (uint64, error) {
	client, err := NewCFPosture(NewStreamTransport(n))
	if err != nil {
		return 0, err
	}
	before := liveHeap()
	seen, most := 0, before
	for _, err := range client.Posture.All(ctx) {
		if err != nil {
			return 0, err
		}
		if seen++; seen%(n/20) == 0 {
			most = max(most, liveHeap())
		}
	}
	if seen != n {
		return 0, fmt.Errorf("all yielded %d rules, not %d", seen, n)
	}
	runtime.KeepAlive(client)
	return most - before, nil
}

// liveHeap collects what is garbage and returns the bytes of what is not.
func liveHeap() uint64 {
	runtime.GC()
	runtime.GC() // what a sync.Pool holds goes with the second
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
