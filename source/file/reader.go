package file

// One file: from compressed bytes to batches of documents.

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"unicode/utf16"
	"unicode/utf8"

	kgzip "github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/shrike-project/shrike/event"
)

const (
	// chunkBytes is how much of a file makes a batch.
	chunkBytes = 1 << 20
	// maxFree is how many buffers are kept for reuse.
	maxFree = 64
)

// reader cuts one file into batches.
type reader struct {
	s       *Source
	name    string
	in      *bufio.Reader
	closers []func()
	split   splitter
	// rest is what was read but not handed on: the beginning of a document.
	rest   []byte
	offset int64 // of rest
	done   bool
	err    error
}

// splitter finds the documents in a stretch of a file.
type splitter interface {
	// split gives how many bytes of data are complete documents, and their places
	// (nil: one document a line). At the end of the file everything is complete.
	split(data []byte, end bool) (complete int, docs []event.Extent)
	// skip gives how many bytes of data still belong to a document that was given
	// up, and whether its end is among them.
	skip(data []byte) (n int, ended bool)
	// unfinished says what the file lacks at its end, or "".
	unfinished() string
}

type countingReader struct {
	r io.Reader
	n *atomic.Int64
}

func (c countingReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// newReader recognises the compression and the layout of a file.
func (s *Source) newReader(name string, f io.ReadCloser, count *atomic.Int64) (*reader, error) {
	r := &reader{s: s, name: name, closers: []func(){func() { _ = f.Close() }}}
	var in io.Reader = f
	if count != nil {
		in = countingReader{f, count}
	}
	if err := r.decompress(in); err != nil {
		r.close()
		return nil, err
	}
	if err := r.recognise(); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *reader) decompress(in io.Reader) error {
	r.in = bufio.NewReaderSize(in, 1<<16)
	magic, _ := r.in.Peek(4)
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := kgzip.NewReader(r.in)
		if err != nil {
			return fmt.Errorf("read gzip: %w", err)
		}
		r.in = bufio.NewReaderSize(z, 1<<16)
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(r.in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<30))
		if err != nil {
			return fmt.Errorf("read zstd: %w", err)
		}
		r.closers = append(r.closers, z.Close)
		r.in = bufio.NewReaderSize(z, 1<<16)
	}
	return nil
}

// recognise looks at the beginning of the file and chooses the splitter.
func (r *reader) recognise() error {
	if bom, _ := r.in.Peek(2); bytes.Equal(bom, []byte{0xff, 0xfe}) || bytes.Equal(bom, []byte{0xfe, 0xff}) {
		r.in = bufio.NewReaderSize(&utf16Reader{in: r.in}, 1<<16)
	}
	if bom, _ := r.in.Peek(3); bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		_, _ = r.in.Discard(3)
		r.offset = 3
	}
	head, err := r.in.Peek(1 << 16)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) && len(head) == 0 {
		return readError(err)
	}
	start := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(start) == 0:
		r.split = lines{}
	case start[0] == '[':
		r.split = &documents{array: true}
	case start[0] != '{' && !bytes.Contains(start, []byte("\n{")) && r.name != "-":
		return fmt.Errorf("not JSON: the file begins with %q, expected an object or an array", event.Sample(start[:min(len(start), 12)]))
	case start[0] != '{' || oneDocumentPerLine(start):
		r.split = lines{}
	default:
		r.split = &documents{}
	}
	return nil
}

// oneDocumentPerLine tells lines of documents from documents over many lines.
func oneDocumentPerLine(head []byte) bool {
	first, rest, more := bytes.Cut(head, []byte("\n"))
	if !more {
		return true
	}
	if first = bytes.TrimSpace(first); len(first) == 1 {
		return false // a lone bracket
	}
	var s scanner
	if _, ended := s.scan(first); ended {
		return true
	}
	// The document goes on, unless it was cut short and the next line begins
	// another one.
	rest = append([]byte("\n"), rest...)
	n, ended := s.scan(rest)
	return ended && bytes.HasPrefix(rest[n-1:], []byte("\n{"))
}

func (r *reader) close() {
	for _, c := range r.closers {
		c()
	}
	r.closers = nil
}

func readError(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the compressed file is cut short: %w", err)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, zstd.ErrMagicMismatch):
		return fmt.Errorf("the compressed file is damaged: %w", err)
	}
	return err
}

// next gives the next batch. After the last one it gives io.EOF, and after an
// error of the file that error.
func (r *reader) next() (event.Batch, error) {
	if r.done {
		if r.err != nil {
			return event.Batch{}, r.err
		}
		return event.Batch{}, io.EOF
	}
	buf := r.s.buffer()
	buf = append(buf[:0], r.rest...)
	b := event.Batch{Name: r.name, Offset: r.offset}
	for {
		var ended bool
		buf, ended = r.fill(buf)
		complete, docs := r.split.split(buf, ended)
		if complete == 0 && !ended && len(buf) < r.s.opt.MaxEventBytes {
			continue // the document goes on
		}
		if complete == 0 && !ended {
			r.giveUp(&b, buf)
			buf = append(buf[:0], r.rest...)
			if r.done {
				b.Last = true
				r.s.recycle(buf)
				b.Data = nil
				return b, nil
			}
			b.Offset = r.offset
			continue
		}
		r.rest = append(r.rest[:0], buf[complete:]...)
		r.offset += int64(complete)
		r.done = ended
		if what := r.split.unfinished(); ended && what != "" && r.err == nil {
			b.Refused = append(b.Refused, event.Refusal{Reason: event.Truncated, Offset: r.offset, Detail: what})
		}
		b.Data, b.Docs, b.Last = buf[:complete], docs, ended
		b.Release = func() { r.s.recycle(buf) }
		return b, nil
	}
}

// fill reads more into buf: to a whole chunk, or one chunk more.
func (r *reader) fill(buf []byte) (_ []byte, ended bool) {
	want := chunkBytes
	if len(buf) >= want {
		want = len(buf) + chunkBytes
	}
	for len(buf) < want {
		if cap(buf)-len(buf) < 1<<16 {
			grown := make([]byte, len(buf), max(2*cap(buf), want+1<<16))
			copy(grown, buf)
			buf = grown
		}
		n, err := r.in.Read(buf[len(buf):min(cap(buf), want)])
		buf = buf[:len(buf)+n]
		if err != nil {
			if !errors.Is(err, io.EOF) {
				r.err = readError(err)
			}
			return buf, true
		}
	}
	return buf, false
}

// giveUp refuses the document that buf begins with and passes the rest of it.
func (r *reader) giveUp(b *event.Batch, buf []byte) {
	b.Refused = append(b.Refused, event.Refusal{
		Reason: event.TooLarge, Offset: r.offset, Sample: event.Sample(buf),
		Detail: fmt.Sprintf("the limit is %d bytes", r.s.opt.MaxEventBytes),
	})
	for {
		n, found := r.split.skip(buf)
		r.offset += int64(n)
		if found {
			r.rest = append(r.rest[:0], buf[n:]...)
			return
		}
		var ended bool
		buf, ended = r.fill(buf[:0])
		if ended && len(buf) == 0 {
			r.rest = r.rest[:0]
			r.done = true
			return
		}
	}
}

func (s *Source) buffer() []byte {
	select {
	case b := <-s.free:
		return b
	default:
		return make([]byte, 0, chunkBytes+1<<17)
	}
}

func (s *Source) recycle(b []byte) {
	if cap(b) > 2*chunkBytes {
		return // a large document's buffer is not kept
	}
	select {
	case s.free <- b:
	default:
	}
}

// utf16Reader turns UTF-16 with a byte order mark into UTF-8.
type utf16Reader struct {
	in      *bufio.Reader
	little  bool
	started bool
	pending []byte
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.pending) == 0 {
		if err := u.decode(); err != nil {
			return 0, err
		}
	}
	n := copy(p, u.pending)
	u.pending = u.pending[n:]
	return n, nil
}

func (u *utf16Reader) unit() (rune, error) {
	var b [2]byte
	if _, err := io.ReadFull(u.in, b[:]); err != nil {
		return 0, io.EOF
	}
	if u.little {
		return rune(b[0]) | rune(b[1])<<8, nil
	}
	return rune(b[1]) | rune(b[0])<<8, nil
}

func (u *utf16Reader) decode() error {
	if !u.started {
		bom, err := u.in.Peek(2)
		if err != nil {
			return io.EOF
		}
		u.little, u.started = bom[0] == 0xff, true
		_, _ = u.in.Discard(2)
	}
	u.pending = make([]byte, 0, 4096)
	for len(u.pending) < 4000 {
		r, err := u.unit()
		if err != nil {
			if len(u.pending) > 0 {
				return nil
			}
			return err
		}
		if utf16.IsSurrogate(r) {
			low, err := u.unit()
			if err != nil {
				low = 0
			}
			r = utf16.DecodeRune(r, low)
		}
		u.pending = utf8.AppendRune(u.pending, r)
	}
	return nil
}
