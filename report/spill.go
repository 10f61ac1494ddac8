package report

// Details put aside: what a report shows of each group, in a temporary file.

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// spill keeps facts in a file that is gone when it is closed.
type spill struct {
	file *os.File
	out  *bufio.Writer
	size int64
}

// extent is where something is in a spill.
type extent struct {
	at   int64
	size int32
}

func newSpill(dir string) (*spill, error) {
	f, err := os.CreateTemp(dir, "shrike-report-*")
	if err != nil {
		return nil, fmt.Errorf("put details of alerts aside: %w", err)
	}
	return &spill{file: f, out: bufio.NewWriterSize(f, 1<<16)}, nil
}

func (s *spill) put(v any) (extent, error) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and numbers
	}
	at := extent{s.size, int32(len(text))}
	s.size += int64(len(text))
	if _, err := s.out.Write(text); err != nil {
		return at, fmt.Errorf("put details of an alert aside: %w", err)
	}
	return at, nil
}

func (s *spill) get(at extent, v any) error {
	text := make([]byte, at.size)
	err := s.out.Flush()
	if err == nil {
		_, err = s.file.ReadAt(text, at.at)
	}
	if err == nil {
		err = json.Unmarshal(text, v)
	}
	if err != nil && err != io.EOF {
		return fmt.Errorf("read details of an alert again: %w", err)
	}
	return err
}

func (s *spill) close() error {
	err := s.file.Close()
	if removeErr := os.Remove(s.file.Name()); err == nil {
		err = removeErr
	}
	return err
}
