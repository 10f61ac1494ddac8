// Package file finds the evidence below some paths and reads events from it.
//
//	path ─▶ visit ─▶ archives, compression ─▶ leaf: JSON, or another Kind ─▶ batches
//
// A path is a file, a folder, or standard input. What a file is shows when its
// first bytes are looked at: an archive (zip, tar) with more files in it, something
// compressed (gzip, zstd), JSON (one document a line, documents over many lines,
// an array; UTF-8 or UTF-16), or a Kind that the caller knows. Archives are read
// as a stream; nothing is unpacked to disk but for a temporary file without a name
// where a Kind has to read back and forth.
//
// Lines of JSON in a file on disk are not read here at all: batches are cut at line
// ends, and the workers read them (disk.go).
//
// # Trust
//
// Files are hostile. Limits bound what an archive may unpack to; the names in it
// are only ever shown. What is wrong with a file is reported and counted with its
// place ("logs.zip!/a/b.json"), and the others are read.
//
// # Going on later
//
// With Options.Resume the source keeps a Position for each path: how far the
// batches were acknowledged. A source that is given the positions goes on there.
//
// The package is part of the program, not of its promised interface.
package file
