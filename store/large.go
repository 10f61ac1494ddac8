package store

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// SaveLarge replaces a named value that may have tens of megabytes, which write writes.
// It is on the disk when SaveLarge returns. SQLite keeps it in a file beside its own, for
// in its own it would hold up all other transactions; Backup leaves it out. A lease that is
// not nil has to be the present one: ErrDeposed.
func (s *Store) SaveLarge(ctx context.Context, name string, lease *Lease, write func(io.Writer) error) error {
	var err error
	if s.dialect == sqlite {
		err = s.saveFile(name, write)
	} else {
		var value bytes.Buffer
		if err = write(&value); err == nil {
			_, err = s.Commit(ctx, Commit{States: map[string][]byte{name: value.Bytes()}, Lease: lease})
		}
	}
	if err != nil {
		return fmt.Errorf("store %s: %w", name, err)
	}
	return nil
}

func (s *Store) largePath(name string) string { return s.path + "." + name }

func (s *Store) saveFile(name string, write func(io.Writer) error) error {
	path := s.largePath(name)
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(&steady{file: f}, 256<<10)
	if err = write(out); err == nil {
		err = out.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// steady writes to a file in steps that are on the disk before the next one: who waits
// for another file to be on the disk may have to wait for all that is not there yet.
type steady struct {
	file *os.File
	open int // bytes that are not on the disk
}

// steadyStep is how much is written before it is brought to the disk.
const steadyStep = 1 << 20

func (s *steady) Write(p []byte) (int, error) {
	n, err := s.file.Write(p)
	if s.open += n; s.open >= steadyStep && err == nil {
		s.open, err = 0, s.file.Sync()
	}
	return n, err
}

// Large gives a value that SaveLarge stored; ErrNotFound if there is none.
func (s *Store) Large(ctx context.Context, name string) ([]byte, error) {
	if s.dialect != sqlite {
		return s.State(ctx, name)
	}
	value, err := os.ReadFile(s.largePath(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read %s: %w", name, ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return value, nil
}
