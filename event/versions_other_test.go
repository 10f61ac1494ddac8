//go:build !amd64 || purego

package event

func indexVersions() map[string]func(*byte, int, *uint64, int, *indexState) { return nil }
