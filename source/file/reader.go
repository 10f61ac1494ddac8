package file

// One file of JSON: from its bytes, decompressed, to batches of documents.

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/shrike-project/shrike/event"
)

const (
	// chunkBytes is how much of a file makes a batch.
	chunkBytes = 1 << 20
	// maxFree is how many buffers of a size are kept for reuse.
	maxFree = 64
)

// reader cuts one file into batches.
type reader struct {
	s      *Source
	member *member
	name   string
	in     *bufio.Reader
	text   io.Reader // what in reads, if it is not the file as it is
	split  splitter
	shape  *converters // nil: the documents are events
	disk   *disk       // whose batches are not read here; nil: all are
	// rest is what was read but not handed on: the beginning of a document.
	rest   []byte
	offset int64 // of rest
	again  int64 // where to go on when the file has grown, once it was read
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
	// read gives how many bytes of the last stretch a file has to begin with if it
	// has grown: all but a last document that may have been cut short.
	read(data []byte, docs []event.Extent) int
	// goOn is called before the first split if the beginning is not seen.
	goOn()
	// unfinished says what the file lacks at its end, or "".
	unfinished() string
}

// newReader recognises the layout and the shape of a file of JSON.
func (s *Source) newReader(m *member, in *bufio.Reader) (*reader, error) {
	r := &reader{s: s, member: m, name: m.name, in: in}
	if err := r.recognise(m.named && m.name == "-"); err != nil {
		return nil, err
	}
	if _, inLines := r.split.(lines); inLines && m.at != nil && r.text == nil && r.shape == nil {
		r.disk = m.disk
	}
	return r, nil
}

// recognise looks at the beginning of the file and chooses the splitter.
func (r *reader) recognise(lenient bool) error {
	if bom, _ := r.in.Peek(2); bytes.Equal(bom, []byte{0xff, 0xfe}) || bytes.Equal(bom, []byte{0xfe, 0xff}) {
		r.text = &utf16Reader{in: r.in}
		r.in = bufio.NewReaderSize(r.text, headBytes)
	}
	if bom, _ := r.in.Peek(3); bytes.Equal(bom, []byte("\xef\xbb\xbf")) {
		_, _ = r.in.Discard(3)
		r.offset = 3
	}
	head, err := r.in.Peek(headBytes)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) && len(head) == 0 {
		return readError(err)
	}
	start := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case len(start) == 0:
		r.split = lines{}
	case start[0] == '[':
		r.split = &documents{array: true}
	case start[0] != '{' && !bytes.Contains(start, []byte("\n{")) && !lenient:
		return fmt.Errorf("not JSON: the file begins with %q, expected an object or an array", event.Sample(start[:min(len(start), 12)]))
	case start[0] != '{' || oneDocumentPerLine(start):
		r.split = lines{}
	default:
		r.split = &documents{}
	}
	r.shape = r.s.shapeOf(firstDocument(start))
	return nil
}

// firstDocument gives the first document of what a file begins with.
func firstDocument(start []byte) []byte {
	if len(start) > 0 && start[0] == '[' {
		start = bytes.TrimLeft(start[1:], " \t\r\n")
	}
	var s scanner
	n, _ := s.scan(start)
	return start[:n]
}

// looksLikeJSON tells whether a file that nobody promised to be JSON begins with an
// object, or with an array of objects.
func looksLikeJSON(head []byte) bool {
	if bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff}) {
		head = bytes.ReplaceAll(head[2:min(len(head), 256)], []byte{0}, nil)
	}
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	if len(head) == 0 {
		return false
	}
	rest := bytes.TrimLeft(head[1:], " \t\r\n")
	switch {
	case head[0] == '[':
		return bytes.HasPrefix(rest, []byte("{")) || bytes.HasPrefix(rest, []byte("]"))
	case head[0] == '{':
		return bytes.HasPrefix(rest, []byte(`"`)) || bytes.HasPrefix(rest, []byte("}"))
	}
	return false
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

// Close has nothing to end: the visit closes the file.
func (r *reader) Close() error { return nil }

// goOn passes what an earlier run has read, up to a byte after decompression.
func (r *reader) goOn(m *member, offset int64) error {
	if _, utf16 := r.text.(*utf16Reader); m.at != nil && !utf16 {
		r.in = bufio.NewReaderSize(io.NewSectionReader(m.at, offset, m.size-offset), headBytes)
	} else if _, err := io.CopyN(io.Discard, r.in, offset-r.offset); err != nil {
		return fmt.Errorf("go on at byte %d: %w", offset, readError(err))
	}
	r.offset = offset
	r.split.goOn()
	return nil
}

// Next gives the next batch. After the last one it gives io.EOF, and after an
// error of the file that error.
func (r *reader) Next(context.Context) (event.Batch, error) {
	if r.done {
		if r.err != nil {
			return event.Batch{}, r.err
		}
		return event.Batch{}, io.EOF
	}
	if r.disk != nil {
		if b, ok := r.unread(); ok {
			return b, nil
		}
	}
	buf := r.s.chunks.get(0)
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
				b.Last, r.again = true, r.offset
				r.s.chunks.put(buf)
				b.Data = nil
				return b, nil
			}
			b.Offset = r.offset
			continue
		}
		if ended {
			r.again = r.offset + int64(r.split.read(buf[:complete], docs))
		}
		r.rest = append(r.rest[:0], buf[complete:]...)
		r.offset += int64(complete)
		r.done = ended
		if what := r.split.unfinished(); ended && what != "" && r.err == nil {
			b.Refused = append(b.Refused, event.Refusal{Reason: event.Truncated, Offset: r.offset, Detail: what})
		}
		b.Data, b.Docs, b.Last = buf[:complete], docs, ended
		b.Release = func() { r.s.chunks.put(buf) }
		if r.shape != nil {
			b.Expand = r.shape.expand(b)
		}
		return b, nil
	}
}

// unread gives a batch that is yet to be read. Where that is not possible, at the end
// of the file or in a document of many megabytes, the rest of the file is read here.
func (r *reader) unread() (event.Batch, bool) {
	d, end := r.disk, int64(-1)
	if next := r.offset + stretchBytes; next < r.member.size {
		end = d.lineEnd(next, int64(r.s.opt.MaxEventBytes))
	}
	if end < 0 || end >= r.member.size {
		r.in.Reset(io.NewSectionReader(r.member.at, r.offset, r.member.size-r.offset))
		r.disk = nil
		return event.Batch{}, false
	}
	b := d.batch(r.offset, end)
	b.Name = r.name
	d.v.count(int(end - r.offset))
	r.offset = end
	return b, true
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

// buffers are pieces of memory of about one size that are used again and again, by
// several goroutines.
type buffers struct {
	size int
	free chan []byte
}

func newBuffers(size int) buffers { return buffers{size, make(chan []byte, maxFree)} }

// get gives a buffer that holds n bytes.
func (b *buffers) get(n int) []byte {
	select {
	case buf := <-b.free:
		if cap(buf) >= n {
			return buf
		}
	default:
	}
	return make([]byte, 0, max(n, b.size))
}

func (b *buffers) put(buf []byte) {
	if cap(buf) > 2*b.size {
		return // a large document's buffer is not kept
	}
	select {
	case b.free <- buf:
	default:
	}
}
