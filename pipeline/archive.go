package pipeline

import (
	"fmt"
	"os"
	"sync"

	"github.com/klauspost/compress/s2"

	"github.com/shrike-project/shrike/event"
)

// archive keeps batches that their source cannot read again, compressed, in a
// temporary file. The zero value is ready for use. Keep may be called by several
// goroutines at once.
type archive struct {
	mu   sync.Mutex
	file *os.File
	end  int64
	// named tells that the file has to be removed at the end.
	named bool

	spare sync.Pool // of *[]byte, for batches that are packed

	last int64  // where the batch that was read last begins, plus 1
	data []byte // of it
	buf  []byte
}

// keep stores a batch, and gives a function that reads from it.
func (a *archive) keep(data []byte) (func(event.Extent) ([]byte, error), error) {
	buf, _ := a.spare.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	defer a.spare.Put(buf)
	packed := s2.Encode(*buf, data)
	*buf = packed[:cap(packed)]
	file, start, err := a.reserve(int64(len(packed)))
	if err == nil {
		_, err = file.WriteAt(packed, start)
	}
	if err != nil {
		return nil, fmt.Errorf("keep events for sequences: %w", err)
	}
	size := len(packed)
	return func(at event.Extent) ([]byte, error) {
		if err := a.read(start, size); err != nil {
			return nil, err
		}
		return a.data[at.Start:at.End], nil
	}, nil
}

// reserve gives a stretch of the file.
func (a *archive) reserve(size int64) (*os.File, int64, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file == nil {
		f, err := os.CreateTemp("", "shrike-events-*")
		if err != nil {
			return nil, 0, err
		}
		a.file, a.named = f, os.Remove(f.Name()) != nil
	}
	start := a.end
	a.end += size
	return a.file, start, nil
}

// read makes a batch the one that was read last.
func (a *archive) read(start int64, size int) error {
	if a.last == start+1 {
		return nil
	}
	a.last = 0
	if cap(a.buf) < size {
		a.buf = make([]byte, size)
	}
	a.buf = a.buf[:size]
	_, err := a.file.ReadAt(a.buf, start)
	if err == nil {
		a.data, err = s2.Decode(a.data[:cap(a.data)], a.buf)
	}
	if err != nil {
		return fmt.Errorf("read events that were kept: %w", err)
	}
	a.last = start + 1
	return nil
}

func (a *archive) close() {
	if a.file == nil {
		return
	}
	_ = a.file.Close()
	if a.named {
		_ = os.Remove(a.file.Name())
	}
}
