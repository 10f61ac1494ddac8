package main

// How much garbage a scan lets lie before it is collected. Each collection looks at all
// that is in use, most of it the rules, which stay; so it is the bytes of garbage that
// count, and not their share.

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// loadingPercent is for the time in which rules are read, when most stays.
	loadingPercent = 200
	// garbageBytes lie while events are read, and garbagePercent of what is in use where
	// that is more.
	garbageBytes   = 35 << 20
	garbagePercent = 70
)

// collectSeldom sets how much garbage lies, unless the environment says it: in the
// variable GOGC, as for all programs in Go.
func collectSeldom(percent int) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(percent)
	}
}

// scanningPercent gives how much garbage lies while events are read.
func scanningPercent() int {
	used := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(used)
	if used[0].Value.Kind() != metrics.KindUint64 {
		return garbagePercent
	}
	return max(garbagePercent, int(100*garbageBytes/max(1<<20, used[0].Value.Uint64())))
}
