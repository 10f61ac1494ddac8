//go:build unix

package file

import (
	"fmt"
	"os"
	"syscall"
)

// fileID gives what the file system calls a file, whatever its name.
func fileID(info os.FileInfo) string {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("%d:%d", st.Dev, st.Ino)
	}
	return ""
}
