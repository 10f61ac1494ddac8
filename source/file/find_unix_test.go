//go:build unix

package file_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/shrike-project/shrike/source/file"
)

func TestPipesAndDevices(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.json")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no pipes here: ", err)
	}
	// In a folder a pipe is passed.
	o := read(t, file.Options{}, dir, dir)
	if o.stats.Skipped["not a regular file"] != 1 || o.stats.Failed != 0 {
		t.Errorf("%+v", o.stats)
	}
	// Named by the user, it is waited for, until the scan is stopped.
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	s := file.Open([]string{pipe}, file.Options{})
	if _, err := s.Next(ctx); !errors.Is(err, context.DeadlineExceeded) || s.Stats().Failed != 0 {
		t.Errorf("error %v, %+v", err, s.Stats())
	}
	// The read that was given up still waits there, so another one.
	pipe = filepath.Join(dir, "other.json")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	go func() {
		// Opening waits for a reader.
		if w, err := os.OpenFile(pipe, os.O_WRONLY, 0); err == nil {
			_, _ = io.WriteString(w, "{\"n\":1}\n")
			_ = w.Close()
		}
	}()
	if docs, _ := contents(t, file.Open([]string{pipe}, file.Options{})); len(docs) != 1 {
		t.Errorf("%q", docs)
	}
	// Devices without an end.
	o = read(t, file.Options{}, "", "/dev/zero", "/dev/null")
	if len(o.docs) != 0 || len(o.failures) != 1 {
		t.Errorf("%q, %q", o.docs, o.failures)
	}
}

func TestHugeSparseFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.json")
	if err := os.WriteFile(path, make([]byte, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Truncate(path, 100<<30) != nil {
		t.Skip("no sparse files here")
	}
	if o := read(t, file.Options{}, filepath.Dir(path), path); len(o.failures) != 1 {
		t.Errorf("%+v", o)
	}
}

func TestUnreadable(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.json"), []byte("{}"), 0); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		t.Skip("root reads everything")
	}
	o := read(t, file.Options{}, dir, dir)
	same(t, "failures", o.failures, "a.json: open "+dir+"/./a.json: permission denied")
}
