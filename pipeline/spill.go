package pipeline

import (
	"errors"
	"io"
	"os"

	"github.com/shrike-project/shrike/detect"
)

// TempFiles stores runs of sorted events in temporary files.
type TempFiles struct{}

// Create makes an empty file. Where the system allows it, it has no name any more
// from the start, so that nothing is left of a process that is killed.
func (TempFiles) Create() (detect.Run, error) {
	f, err := os.CreateTemp("", "shrike-run-*")
	if err != nil {
		return nil, err
	}
	return &tempRun{File: f, named: os.Remove(f.Name()) != nil}, nil
}

type tempRun struct {
	*os.File
	named bool
}

func (r *tempRun) Rewind() (io.Reader, error) {
	_, err := r.Seek(0, io.SeekStart)
	return r, err
}

// Close also removes the file.
func (r *tempRun) Close() error {
	err := r.File.Close()
	if r.named {
		err = errors.Join(err, os.Remove(r.Name()))
	}
	return err
}
