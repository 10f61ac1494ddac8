package file

// A visit: one path with all that lies in it, down to its events.

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/shrike-project/shrike/event"
)

// headBytes is how much of a file is looked at.
const headBytes = 1 << 16

// visit reads one path.
type visit struct {
	s      *Source
	found  found
	budget budget
	// counted is how much of the file on disk Progress knows.
	counted int64
	closers []func()
	// first is what is entered when the visit begins.
	first *member
	stack []container // the archives that are open, the innermost last
	leaf  *leaf
	// leaves counts those begun, and from is where the first is gone on with.
	leaves int
	from   Position
	failed bool
	bomb   bool     // the budget is used up, and it was said
	track  *tracked // nil: nobody wants to know
}

// member is a file that lies somewhere: on disk, or in an archive.
type member struct {
	name   string
	in     io.Reader
	at     io.ReaderAt // nil: it can only be read on
	size   int64       // of at
	disk   *disk       // what at reads, if it is a file on disk
	layers int         // around it
	named  bool
	close  []func()
}

func (m *member) end() {
	for _, c := range slices.Backward(m.close) {
		c()
	}
	m.close = nil
}

// container is an archive, which gives one member after another; the error after
// the last is io.EOF. A member is read before the next one is asked for.
type container interface {
	next() (*member, error)
	name() string
	close()
}

// leaf is a file that holds events.
type leaf struct {
	Documents
	name    string
	member  *member
	number  int // among the leaves of the visit
	batches int // handed over or passed
	json    *reader
	resumed bool // the next batch is not the first of the file
}

// start begins the visit of a path.
func (s *Source) start(f found) *visit {
	v := &visit{s: s, found: f}
	v.budget = budget{limits: s.opt.Limits, size: func() int64 { return v.counted }}
	first, err := v.open()
	if err != nil {
		v.fail(f.path, err)
		return v
	}
	v.first = first
	return v
}

// open opens the path itself. Without a member and without an error there is
// nothing to read.
func (v *visit) open() (*member, error) {
	f := v.found
	m := &member{name: f.path, named: f.named}
	if f.info == nil {
		in, err := v.s.newStdin()
		m.in = &countingReader{in, v, false}
		return m, err
	}
	if !f.info.Mode().IsRegular() {
		// A pipe or a device may be silent, even when it is opened.
		m.in = &countingReader{newInterruptible(v.s.ctx, &lazyFile{path: f.path}), v, false}
		return m, nil
	}
	if f.info.Size() == 0 && !f.named && !hasEventName(f.path) {
		v.s.skip(f.path, skipEmpty)
		return nil, nil
	}
	if f.info.Size() == 0 && !f.named {
		m.in = bytes.NewReader(nil) // not opened: what says it is empty may be a device
		return m, nil
	}
	file, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	d := newDisk(v, file)
	v.closers = append(v.closers, d.leave)
	if d.info, err = file.Stat(); err != nil { // it may have grown
		return nil, err
	}
	f.info = d.info
	if v.found = f; f.info.Size() == 0 {
		m.in = &countingReader{file, v, true}
		return m, nil
	}
	v.budget.size = f.info.Size
	if done, err := v.resume(file); done || err != nil {
		return nil, err
	}
	// What is added from now on is for another time.
	m.disk, m.at, m.size = d, &countingReaderAt{file, v}, f.info.Size()
	m.in = io.NewSectionReader(m.at, 0, m.size)
	return m, nil
}

// next gives the next batch. The error is io.EOF after the last, or that of ctx.
func (v *visit) next(ctx context.Context) (event.Batch, error) {
	if m := v.first; m != nil {
		v.first = nil
		v.enter(m)
	}
	for {
		if err := ctx.Err(); err != nil {
			return event.Batch{}, err
		}
		if v.leaf != nil {
			b, err := v.fromLeaf(ctx)
			if !errors.Is(err, errLeafEnded) {
				return b, err
			}
		}
		if v.budget.err != nil {
			v.fail(v.found.path, v.budget.err)
			return event.Batch{}, io.EOF
		}
		if len(v.stack) == 0 {
			return event.Batch{}, io.EOF
		}
		top := v.stack[len(v.stack)-1]
		m, err := top.next()
		if err == nil {
			v.enter(m)
			continue
		}
		if !errors.Is(err, io.EOF) {
			v.fail(top.name(), readError(err))
		}
		top.close()
		v.stack = v.stack[:len(v.stack)-1]
	}
}

var errLeafEnded = errors.New("the file has ended")

// fromLeaf gives the next batch of the file that is being read.
func (v *visit) fromLeaf(ctx context.Context) (event.Batch, error) {
	l := v.leaf
	b, err := l.Next(ctx)
	if ctx.Err() != nil {
		if err == nil && b.Release != nil {
			b.Release()
		}
		return event.Batch{}, ctx.Err()
	}
	if err == nil {
		return v.hand(b), nil
	}
	if !errors.Is(err, io.EOF) {
		v.fail(l.name, err)
	}
	v.endLeaf()
	if l.batches == 0 { // it has its place in the counts though it has no event
		return v.handOf(l, event.Batch{Name: l.name, Last: true}), nil
	}
	return event.Batch{}, errLeafEnded
}

func (v *visit) hand(b event.Batch) event.Batch { return v.handOf(v.leaf, b) }

// handOf makes a batch of a leaf ready to be handed over.
func (v *visit) handOf(l *leaf, b event.Batch) event.Batch {
	l.batches++
	b.Name = l.name
	b.Resumed, l.resumed = l.resumed, false
	if v.track != nil {
		b.Ack = v.track.hand(v.position(l))
	}
	return b
}

func (v *visit) endLeaf() {
	_ = v.leaf.Close()
	v.leaf.member.end()
	v.leaf = nil
}

// fail reports what is wrong with a file. Once the budget is used up, that is what
// is wrong, and it is said once.
func (v *visit) fail(name string, err error) {
	if v.budget.err != nil {
		if v.bomb {
			return
		}
		v.bomb, err = true, v.budget.err
	}
	v.failed = true
	v.s.fail(name, err)
}

// close ends the visit; complete tells that all of it was read.
func (v *visit) close(complete bool) {
	if v.leaf != nil {
		v.endLeaf()
	}
	for _, c := range slices.Backward(v.stack) {
		c.close()
	}
	if v.first != nil {
		v.first.end()
	}
	for _, c := range v.closers {
		c()
	}
	if complete && v.found.info != nil && v.found.info.Mode().IsRegular() {
		v.count(int(v.found.info.Size() - v.counted)) // what nobody had to look at
	}
	if v.track != nil && complete && !v.failed {
		v.track.end()
	}
}

// count tells Progress of bytes read, each once.
func (v *visit) count(n int) {
	if v.found.info != nil && v.found.info.Mode().IsRegular() {
		n = int(min(int64(n), max(0, v.found.info.Size()-v.counted)))
		v.s.read.Add(int64(n))
	}
	v.counted += int64(n)
}

// enter looks at a member and goes on with what it is.
func (v *visit) enter(m *member) {
	in := bufio.NewReaderSize(m.in, headBytes)
	for {
		head, headErr := in.Peek(headBytes)
		if len(head) == 0 && headError(headErr) != nil {
			v.refuse(m, headError(headErr))
			return
		}
		z, err := unpacker(head, in)
		if err == nil && z == nil {
			if openErr := v.openMember(m, in, head, headError(headErr)); openErr != nil {
				v.refuse(m, openErr)
			}
			return
		}
		if err == nil {
			m.close = append(m.close, z.close)
			err = v.deeper(m)
		}
		if err != nil {
			v.refuse(m, err)
			return
		}
		m.at = nil
		in = bufio.NewReaderSize(v.budget.reader(z), headBytes)
	}
}

// headError gives the error of looking at a file that is not merely short.
func headError(err error) error {
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	return readError(err)
}

// refuse reports a member that cannot be read, unless the scan was stopped.
func (v *visit) refuse(m *member, err error) {
	m.end()
	if v.s.ctx.Err() == nil {
		v.fail(m.name, err)
	}
}

func (v *visit) deeper(m *member) error {
	if m.layers++; m.layers > v.budget.limits.Depth {
		return fmt.Errorf("%w: archives in archives, more than %d layers", ErrLimit, v.budget.limits.Depth)
	}
	return nil
}

// openMember opens a member that is not compressed by what its beginning shows. An
// error of reading that matters only where the beginning shows nothing.
func (v *visit) openMember(m *member, in *bufio.Reader, head []byte, headErr error) error {
	if open := v.archive(head); open != nil {
		if err := v.deeper(m); err != nil {
			return err
		}
		c, err := open(m, in)
		if err == nil {
			v.s.stats.Archives++
			v.stack = append(v.stack, c)
		}
		return err
	}
	if what := unreadable(head); what != "" && v.s.opt.Format == Auto {
		return fmt.Errorf("%s cannot be read; unpack it first", what)
	}
	k, err := v.s.kind(m, head)
	switch {
	case err != nil:
		return err
	case k != nil:
		return v.openKind(k, m, in)
	case headErr != nil && !looksLikeJSON(head):
		return headErr
	case !m.named && v.s.opt.Format == Auto && !hasEventName(m.name) && !looksLikeJSON(head):
		reason := skipUnknown
		if len(head) == 0 {
			reason = skipEmpty
		}
		v.s.skip(m.name, reason)
		m.end()
		return nil
	}
	return v.openJSON(m, in)
}

// begin makes a leaf of a member, unless an earlier run has read it.
func (v *visit) begin(m *member) *leaf {
	l := &leaf{name: m.name, member: m, number: v.leaves}
	v.leaves++
	if l.number < v.from.Leaf {
		v.s.skip(m.name, skipDone)
		m.end()
		return nil
	}
	return l
}

func (v *visit) openJSON(m *member, in *bufio.Reader) error {
	l := v.begin(m)
	if l == nil {
		return nil
	}
	r, err := v.s.newReader(m, in)
	if err != nil {
		return err
	}
	if l.number == v.from.Leaf && v.from.Offset > 0 {
		if err := r.goOn(m, v.from.Offset); err != nil {
			return err
		}
		l.resumed = true
	}
	l.json, l.Documents = r, r
	v.s.stats.Files++
	v.leaf = l
	return nil
}

func (v *visit) openKind(k *Kind, m *member, in *bufio.Reader) error {
	l := v.begin(m)
	if l == nil {
		return nil
	}
	at, size, err := v.readerAt(m, in)
	if at == nil {
		return err
	}
	if err != nil { // what there is of it is read
		v.fail(m.name, err)
	}
	docs, err := k.Open(m.name, at, size)
	if err != nil {
		return err
	}
	l.Documents = docs
	if l.number == v.from.Leaf {
		for ; l.batches < v.from.Batches; l.batches++ {
			b, err := docs.Next(v.s.ctx)
			if err != nil {
				break // the next call tells
			}
			if b.Release != nil {
				b.Release()
			}
			l.resumed = true
		}
	}
	v.s.stats.Files++
	v.leaf = l
	return nil
}
