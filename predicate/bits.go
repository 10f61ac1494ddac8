package predicate

import "unsafe"

func set(bits []uint64, n int) { bits[n>>6] |= 1 << (n & 63) }

func has(bits []uint64, n int) bool { return bits[n>>6]>>(n&63)&1 != 0 }

// view gives bytes as a string that shares their memory.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
