package file

// Reading: counted, interruptible where it may wait for ever, and back and forth
// where it can only go on.

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// countingReader tells a visit what is read.
type countingReader struct {
	r io.Reader
	v *visit
	// grows tells of a file whose size is not known.
	grows bool
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if c.grows {
		c.v.counted += int64(n)
	} else {
		c.v.count(n)
	}
	return n, err
}

type countingReaderAt struct {
	r io.ReaderAt
	v *visit
}

func (c *countingReaderAt) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	c.v.count(n)
	return n, err
}

// lazyFile opens its file when it is first read.
type lazyFile struct {
	path string
	file *os.File
}

func (l *lazyFile) Read(p []byte) (int, error) {
	if l.file == nil {
		f, err := os.Open(l.path)
		if err != nil {
			return 0, err
		}
		l.file = f
	}
	n, err := l.file.Read(p)
	if err != nil {
		_ = l.file.Close()
	}
	return n, err
}

// readerAt gives the bytes of a member for reading back and forth. Where they come
// as a stream, it is read to its end: into memory, or if it is large into a
// temporary file. If the stream breaks off, the error comes with what there was.
func (v *visit) readerAt(m *member, in io.Reader) (io.ReaderAt, int64, error) {
	if m.at != nil {
		return m.at, m.size, nil
	}
	limits := v.budget.limits
	var held bytes.Buffer
	n, err := io.Copy(&held, io.LimitReader(in, limits.Memory))
	if err != nil {
		return bytes.NewReader(held.Bytes()), n, readError(err)
	}
	if n < limits.Memory {
		return bytes.NewReader(held.Bytes()), n, nil
	}
	file, remove, err := tempFile()
	if err != nil {
		return nil, 0, fmt.Errorf("unpack to a temporary file: %w", err)
	}
	m.close = append(m.close, remove)
	w := &markedWriter{w: file}
	size, err := io.Copy(w, io.LimitReader(io.MultiReader(&held, in), limits.Spill+1))
	switch {
	case w.err != nil:
		return nil, 0, fmt.Errorf("unpack to a temporary file: %w", w.err)
	case err != nil:
		return file, size, readError(err)
	case size > limits.Spill:
		return nil, 0, fmt.Errorf("%w: a file in it is larger than %d bytes, and has to be unpacked to be read", ErrLimit, limits.Spill)
	}
	return file, size, nil
}

// markedWriter remembers that an error was the writer's.
type markedWriter struct {
	w   io.Writer
	err error
}

func (m *markedWriter) Write(p []byte) (int, error) {
	n, err := m.w.Write(p)
	if err != nil {
		m.err = err
	}
	return n, err
}

// tempFile makes a temporary file that has no name any more, where the system
// allows it, so that nothing is left of a process that is killed.
func tempFile() (f *os.File, remove func(), err error) {
	if f, err = os.CreateTemp("", "shrike-member-*"); err != nil {
		return nil, nil, err
	}
	named := os.Remove(f.Name()) != nil
	return f, func() {
		err := f.Close()
		if named {
			_ = errors.Join(err, os.Remove(f.Name()))
		}
	}, nil
}
