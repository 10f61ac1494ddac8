//go:build !amd64 || purego

package predicate

// teddy is there for some processors only.
var teddy func(text *byte, blocks int, t *teddyTables) (block int, mask uint64)
