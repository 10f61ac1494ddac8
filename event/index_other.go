//go:build !amd64 || purego

package event

// indexBlocks is nil: documents are walked without an index.
var indexBlocks func(doc *byte, blocks int, words *uint64, stride int, st *indexState)
