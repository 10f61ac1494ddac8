package file

// Files on disk that are not read here: where a file's lines begin and end in the
// large is all that its batches need to be cut; the workers read them, each into
// memory that is still in its processor's cache when it decodes them.

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"

	"github.com/shrike-project/shrike/event"
)

const (
	// stretchBytes is how much of such a file makes a batch.
	stretchBytes = 384 << 10
	// probeBytes is how much is looked at for the end of a line.
	probeBytes = 8 << 10
)

// disk is an open file that several goroutines read.
type disk struct {
	s     *Source
	v     *visit
	path  string
	file  *os.File
	info  fs.FileInfo // when it was opened
	users atomic.Int32
	probe []byte // of Next
}

// newDisk has one user, its visit.
func newDisk(v *visit, f *os.File) *disk {
	d := &disk{s: v.s, v: v, path: v.found.path, file: f}
	d.users.Store(1)
	return d
}

// leave is called once by each user.
func (d *disk) leave() {
	if d.users.Add(-1) == 0 {
		_ = d.file.Close()
	}
}

// lineEnd gives the byte after the first line break at or after a byte, -1 if there
// is none within limit bytes.
func (d *disk) lineEnd(from, limit int64) int64 {
	if d.probe == nil {
		d.probe = make([]byte, probeBytes)
	}
	for at := from; at < from+limit; at += probeBytes {
		n, err := d.file.ReadAt(d.probe, at)
		if i := bytes.IndexByte(d.probe[:n], '\n'); i >= 0 {
			return at + int64(i) + 1
		}
		if err != nil {
			break // reading on tells
		}
	}
	return -1
}

// batch gives the stretch of the file from start to end.
func (d *disk) batch(start, end int64) event.Batch {
	d.users.Add(1)
	var buf []byte
	return event.Batch{
		Offset: start,
		Read: func() []byte {
			buf = d.s.stretches.get(int(end - start))
			data, err := d.read(buf[:end-start], start)
			if err != nil {
				d.fail(err)
			}
			return data
		},
		Release: func() {
			if buf != nil {
				d.s.stretches.put(buf)
			}
			d.leave()
		},
		Again: func(at event.Extent) ([]byte, error) {
			return d.s.again.read(d, start+int64(at.Start), at.End-at.Start)
		},
	}
}

// read fills buf; with an error it gives what there is.
func (d *disk) read(buf []byte, at int64) ([]byte, error) {
	n, err := d.file.ReadAt(buf, at)
	if n == len(buf) {
		return buf, nil
	}
	if errors.Is(err, io.EOF) {
		err = errShortened
	}
	return buf[:n], readError(err)
}

var errShortened = errors.New("it was shortened while it was read")

// fail reports an error of a goroutine that is not that of Next. A later run does
// not go on behind it.
func (d *disk) fail(err error) {
	if d.v.track != nil {
		d.v.track.fail()
	}
	d.s.fail(d.path, err)
}

// rereader reads single documents of files that may be closed by now. It has the
// last file open. The zero value is ready for use, by one goroutine.
type rereader struct {
	of   *disk
	file *os.File
	buf  []byte
}

func (r *rereader) read(of *disk, at int64, n int) ([]byte, error) {
	if r.of != of {
		r.close()
		f, err := of.reopen()
		if err != nil {
			return nil, err
		}
		r.of, r.file = of, f
	}
	if cap(r.buf) < n {
		r.buf = make([]byte, n+n/2)
	}
	if _, err := r.file.ReadAt(r.buf[:n], at); err != nil {
		return nil, fmt.Errorf("%s: %w", of.path, reasonError(err))
	}
	return r.buf[:n], nil
}

func reasonError(err error) error {
	if errors.Is(err, io.EOF) {
		return errShortened
	}
	return err
}

func (r *rereader) close() {
	if r.file != nil {
		_ = r.file.Close()
	}
	*r = rereader{buf: r.buf}
}

// reopen opens the file once more, if it is still the same. It may have grown.
func (d *disk) reopen() (*os.File, error) {
	f, err := os.Open(d.path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && (!os.SameFile(info, d.info) || info.Size() < d.info.Size() || info.Size() == d.info.Size() && !info.ModTime().Equal(d.info.ModTime())) {
		err = fmt.Errorf("%s: it changed while it was read", d.path)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
