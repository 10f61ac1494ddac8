package pipeline

import (
	"io"
	"os"

	"github.com/shrike-project/shrike/detect"
)

// TempFiles stores runs of sorted events in temporary files.
type TempFiles struct{}

func (TempFiles) Create() (detect.Run, error) {
	f, err := os.CreateTemp("", "shrike-run-*")
	if err != nil {
		return nil, err
	}
	return &tempRun{f}, nil
}

type tempRun struct{ *os.File }

func (r *tempRun) Rewind() (io.Reader, error) {
	_, err := r.Seek(0, io.SeekStart)
	return r, err
}

// Close also removes the file.
func (r *tempRun) Close() error {
	err := r.File.Close()
	if rmErr := os.Remove(r.Name()); err == nil {
		err = rmErr
	}
	return err
}
