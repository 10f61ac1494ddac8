package sink

// Alerts as lines of JSON, in a file or on standard output.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/shrike-project/shrike/alert"
)

// File is the configuration of a file of alerts.
type File struct {
	Path string `toml:"path" comment:"The file, which is appended to, and made again when it was moved away."`
}

type file struct {
	path     string
	out      *os.File
	standard bool
}

func openFile(c File) (*file, error) {
	if c.Path == "" {
		return nil, errors.New("file.path: the file has no name")
	}
	f := &file{path: c.Path}
	return f, f.open()
}

// open opens the file. A last line that was never finished is ended, so that those
// that follow are whole.
func (f *file) open() error {
	out, err := os.OpenFile(f.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	f.out = out
	end, err := out.Seek(0, io.SeekEnd)
	if err != nil || end == 0 {
		return err
	}
	last := make([]byte, 1)
	if _, err := out.ReadAt(last, end-1); err != nil {
		return err
	}
	if last[0] != '\n' {
		_, err = out.WriteString("\n")
	}
	return err
}

// moved tells whether another file has the name now, or none.
func (f *file) moved() bool {
	here, err := os.Stat(f.path)
	mine, myErr := f.out.Stat()
	return err != nil || myErr != nil || !os.SameFile(here, mine)
}

// Deliver appends the alerts and waits until they are on the disk.
func (f *file) Deliver(_ context.Context, alerts []*alert.Kept) []error {
	return all(len(alerts), f.write(alerts))
}

func (f *file) write(alerts []*alert.Kept) error {
	var lines bytes.Buffer
	for _, a := range alerts {
		lines.Write(a.Document)
		lines.WriteByte('\n')
	}
	if f.standard {
		_, err := f.out.Write(lines.Bytes())
		return err
	}
	if f.out == nil || f.moved() {
		_ = f.Close()
		if err := f.open(); err != nil {
			return fmt.Errorf("open the file of alerts: %w", err)
		}
	}
	end, err := f.out.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err = f.out.Write(lines.Bytes()); err == nil {
		err = f.out.Sync()
	}
	if err != nil {
		// What was written of it would be there twice.
		return errors.Join(fmt.Errorf("write alerts: %w", err), f.out.Truncate(end))
	}
	return nil
}

func (f *file) Close() error {
	if f.out == nil || f.standard {
		return nil
	}
	err := f.out.Close()
	f.out = nil
	return err
}
