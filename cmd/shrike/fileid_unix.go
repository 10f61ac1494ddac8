//go:build unix

package main

import (
	"fmt"
	"io/fs"
	"syscall"
)

// fileID tells a file from all others of the system, "" if it cannot.
func fileID(info fs.FileInfo) string {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("%d:%d", st.Dev, st.Ino)
	}
	return ""
}
