//go:build !amd64 || purego

package predicate

func teddyVersions() map[string]func(*byte, int, *teddyTables) (int, uint64) { return nil }
