package workload

import "runtime"

// LiveHeap collects what is garbage and returns the bytes of what is not.
func LiveHeap() uint64 {
	runtime.GC()
	runtime.GC() // what a sync.Pool holds goes with the second
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
