package eqltest

import (
	"io/fs"
	"strings"
)

// T is what RunFiles needs of a *testing.T.
type T interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// RunFiles runs every script at or below root as part of a Go test, and gives the
// number of cases. It is an error if there is none.
func RunFiles(t T, fsys fs.FS, root string) int {
	t.Helper()
	cases, failed := 0, 0
	err := fs.WalkDir(fsys, root, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !IsScript(name) {
			return err
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		s, err := ParseScript(name, text)
		if err != nil {
			failed++
			t.Errorf("%v", err)
			return nil
		}
		for _, r := range s.Run(fsys) {
			cases++
			if r.Err != nil {
				failed++
				t.Errorf("%s:%d: %s%v", name, r.Case.Line, titled(r.Case.Title), r.Err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatalf("run scripts: %v", err)
	}
	if cases == 0 && failed == 0 {
		t.Fatalf("no test scripts below %s", root)
	}
	t.Logf("%d cases passed, %d failed", cases-failed, failed)
	return cases
}

func titled(title string) string {
	if title == "" {
		return ""
	}
	return strings.TrimSpace(title) + ": "
}
