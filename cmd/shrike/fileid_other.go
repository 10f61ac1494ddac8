//go:build !unix

package main

import "io/fs"

// fileID tells a file from all others of the system, "" if it cannot.
func fileID(fs.FileInfo) string { return "" }
