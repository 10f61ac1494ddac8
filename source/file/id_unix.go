//go:build unix

package file

import (
	"fmt"
	"os"
	"syscall"
)

// ID gives what the file system calls a file, whatever its name, "" if it does not.
func ID(info os.FileInfo) string {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("%d:%d", st.Dev, st.Ino)
	}
	return ""
}
