// Package pipeline runs events along their path: it reads batches from a source,
// decodes and matches them on several goroutines, and hands alerts over in the
// order of their events.
//
//	Source ─▶ reader ─▶ workers (decode, match, build alerts) ─▶ in order ─▶ emit
//
// Results do not depend on the number of workers. The number of batches under way
// is bounded, so memory does not grow with the length of the input.
//
// The package is part of the program, not of its promised interface.
package pipeline
