package sequence

// Snapshots: the state of trackers as bytes. Records are written once, however
// many unfinished matches of however many trackers share them.

import (
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/shrike-project/shrike/event"
)

const snapshotMagic = "shrike sequence snapshot 7\n"

// ErrSnapshot is a snapshot that is damaged, or of another version or plan.
var ErrSnapshot = errors.New("the snapshot cannot be used")

// Writer writes a snapshot of any number of trackers.
type Writer struct {
	body    []byte
	records []*Record
	index   map[*Record]uint64
}

// NewWriter makes a Writer.
func NewWriter() *Writer { return &Writer{index: map[*Record]uint64{}} }

// Uint writes a number.
func (w *Writer) Uint(n uint64) { w.body = binary.AppendUvarint(w.body, n) }

// Int writes a number that may be negative.
func (w *Writer) Int(n int64) { w.body = binary.AppendVarint(w.body, n) }

// Text writes a text.
func (w *Writer) Text(s string) { w.body = appendText(w.body, s) }

// Record writes a record, or nil.
func (w *Writer) Record(r *Record) {
	if r == nil {
		w.Uint(0)
		return
	}
	n, ok := w.index[r]
	if !ok {
		w.records = append(w.records, r)
		n = uint64(len(w.records))
		w.index[r] = n
	}
	w.Uint(n)
}

// Section writes what write writes as one piece, which a reader may pass over.
func (w *Writer) Section(write func(w *Writer)) {
	outer := w.body
	w.body = nil
	write(w)
	inner := w.body
	w.body = appendText(outer, inner)
}

// Body gives what was written, without the records.
func (w *Writer) Body() []byte { return w.body }

// WriteTo writes the snapshot. It may be done later than the writing, and by another
// goroutine: records do not change.
func (w *Writer) WriteTo(out io.Writer) (n int64, err error) {
	const piece = 256 << 10
	buf := Writer{body: append(make([]byte, 0, piece+8<<10), snapshotMagic...)}
	flush := func() {
		var m int
		m, err = out.Write(buf.body)
		n += int64(m)
		buf.body = buf.body[:0]
	}
	bundles, places := w.bundles()
	buf.Uint(uint64(len(bundles)))
	for _, b := range bundles {
		buf.Uint(uint64(b.size))
		buf.Uint(uint64(len(b.text)))
		if buf.body = append(buf.body, b.text...); len(buf.body) < piece {
			continue
		}
		if flush(); err != nil {
			return n, err
		}
	}
	buf.Uint(uint64(len(w.records)))
	for _, r := range w.records {
		buf.Uint(places[r.bundled()])
		buf.Uint(uint64(r.at))
		buf.Uint(uint64(r.length))
		if buf.event(r); len(buf.body) < piece {
			continue
		}
		if flush(); err != nil {
			return n, err
		}
	}
	if flush(); err != nil {
		return n, err
	}
	m, err := out.Write(w.body)
	return n + int64(m), err
}

// bundles gives the bundles of the records, and the place of each.
func (w *Writer) bundles() (list []*bundle, places map[*bundle]uint64) {
	places = map[*bundle]uint64{}
	for _, r := range w.records {
		b := r.bundled()
		if _, ok := places[b]; !ok {
			places[b] = uint64(len(list))
			list = append(list, b)
		}
	}
	return list, places
}

// Bytes gives the snapshot.
func (w *Writer) Bytes() []byte {
	var b bytes.Buffer
	_, _ = w.WriteTo(&b) // never fails
	return b.Bytes()
}

// AppendRecord appends a record with its document in the form ReadRecord reads.
func AppendRecord(b []byte, r *Record, u *Unpacker) []byte {
	w := Writer{body: b}
	doc := u.Document(r)
	w.Uint(uint64(len(doc)))
	w.body = append(w.body, doc...)
	w.event(r)
	return w.body
}

// event writes what a record has but for its document.
func (w *Writer) event(r *Record) {
	w.Text(r.Index())
	w.Text(r.ID())
	w.Int(r.Time.Sec)
	w.Uint(uint64(r.Time.Nsec))
	timed := uint64(0)
	if r.Timed {
		timed = 1
	}
	w.Uint(timed)
	w.Text(string(appendValue(nil, r.Tie())))
	w.Uint(r.Number)
}

// Reader reads a snapshot. After the first fault, everything reads as zero, and
// Err tells.
type Reader struct {
	rest    []byte
	records []*Record
	err     error
}

// NewReader begins to read a snapshot.
func NewReader(snapshot []byte) (*Reader, error) {
	if len(snapshot) < len(snapshotMagic) || string(snapshot[:len(snapshotMagic)]) != snapshotMagic {
		return nil, fmt.Errorf("%w: it does not begin as one", ErrSnapshot)
	}
	r := &Reader{rest: snapshot[len(snapshotMagic):]}
	var bundles []*bundle
	for n := r.Uint(); n > 0 && r.err == nil; n-- {
		b := &bundle{size: int(r.Uint()), text: bytes.Clone(r.piece())}
		if !b.sound() {
			r.fail("an event is damaged")
		}
		bundles = append(bundles, b)
	}
	var u Unpacker
	for n := r.Uint(); n > 0 && r.err == nil; n-- {
		r.records = append(r.records, r.bundled(bundles, &u))
	}
	return r, r.err
}

// bundled reads a record whose document is in a bundle.
func (r *Reader) bundled(bundles []*bundle, u *Unpacker) *Record {
	rec := &Record{}
	place, at, length := r.Uint(), r.Uint(), r.Uint()
	if r.err != nil || place >= uint64(len(bundles)) || at > math.MaxInt32 || length > math.MaxInt32 || at+length > uint64(bundles[place].length()) {
		r.fail("an event is not where it should be")
		return rec
	}
	rec.bundle, rec.at, rec.length = bundles[place], uint32(at), uint32(length)
	r.event(rec)
	rec.hash(u.Document(rec))
	return rec
}

// NewBodyReader reads what a Writer's methods have written, without records.
func NewBodyReader(b []byte) *Reader { return &Reader{rest: b} }

// Err gives the first fault.
func (r *Reader) Err() error { return r.err }

// Len tells how many bytes are left.
func (r *Reader) Len() int { return len(r.rest) }

func (r *Reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrSnapshot, what)
	}
	r.rest = nil
}

// Uint reads a number.
func (r *Reader) Uint() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.fail("it is cut short")
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// Int reads a number that may be negative.
func (r *Reader) Int() int64 {
	n, size := binary.Varint(r.rest)
	if size <= 0 {
		r.fail("it is cut short")
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// Text reads a text.
func (r *Reader) Text() string { return string(r.piece()) }

// Section reads what Writer.Section has written, by a Reader of its own.
func (r *Reader) Section() *Reader {
	return &Reader{rest: r.piece(), records: r.records, err: r.err}
}

func (r *Reader) piece() []byte {
	n := r.Uint()
	if n > uint64(len(r.rest)) {
		r.fail("it is cut short")
		return nil
	}
	piece := r.rest[:n:n]
	r.rest = r.rest[n:]
	return piece
}

// Record reads a record, or nil.
func (r *Reader) Record() *Record {
	n := r.Uint()
	if n == 0 {
		return nil
	}
	if n > uint64(len(r.records)) {
		r.fail("it names a record it does not hold")
		return nil
	}
	return r.records[n-1]
}

// ReadRecord reads a record as AppendRecord writes it.
func ReadRecord(r *Reader) *Record {
	rec := &Record{}
	rec.SetDocument(bytes.Clone(r.piece()))
	r.event(rec)
	rec.hash(rec.Document())
	return rec
}

// event reads what Writer.event has written.
func (r *Reader) event(rec *Record) {
	rec.SetHit(r.Text(), r.Text())
	rec.Time = event.Time{Sec: r.Int(), Nsec: int32(r.Uint())}
	rec.Timed = r.Uint() == 1
	if tie := r.Text(); r.err == nil {
		if !validValues(tie) {
			r.fail("a value is damaged")
			return
		}
		if values := KeyValues(tie); len(values) == 1 {
			rec.SetTie(values[0])
		}
	}
	rec.Number = r.Uint()
}

// validValues reports whether text is values as appendValue writes them, so that
// reading them cannot go beyond its end.
func validValues(s string) bool {
	for b := []byte(s); len(b) > 0; {
		n := valueLen(b)
		if n <= 0 || n > len(b) {
			return false
		}
		b = b[n:]
	}
	return true
}

func valueLen(b []byte) int {
	varint := func(at int) int {
		_, n := binary.Uvarint(b[min(at, len(b)):])
		return n
	}
	switch event.Kind(b[0]) {
	case event.Null:
		return 1
	case event.Bool:
		return 2
	case event.Double:
		return 9
	case event.IP:
		return 17
	case event.Long:
		if n := varint(1); n > 0 {
			return 1 + n
		}
	case event.String, event.Version:
		n, size := binary.Uvarint(b[1:])
		if size > 0 && n < math.MaxInt32 {
			return 1 + size + int(n)
		}
	case event.Date:
		if n := varint(1); n > 0 {
			if m := varint(1 + n); m > 0 {
				return 1 + n + m
			}
		}
	}
	return -1
}

func (r *Reader) key() string {
	k := r.Text()
	if !validValues(k) {
		r.fail("a key is damaged")
		return ""
	}
	return k
}

// Save writes the state of the Tracker.
func (t *Tracker) Save(w *Writer) {
	w.Uint(uint64(len(t.plan.items)))
	w.Uint(uint64(len(t.plan.steps)))
	w.Uint(t.order)
	w.Uint(t.stats.Expired)
	w.Uint(t.stats.Evicted)
	w.Uint(uint64(t.groups.n))
	for g := range t.groups.all() {
		w.body = appendText(w.body, g.key)
		w.Uint(uint64(g.slots()))
		for i := range g.slots() {
			t.savePartial(w, g.slot(i))
		}
	}
	t.absent.save(t, w)
	t.sample.save(w)
}

// savePartial writes a partial from its latest record to its first.
func (t *Tracker) savePartial(w *Writer, p *partial) {
	for q := p; q != nil && q.held(); q = q.before {
		w.Record(q.record)
	}
	w.Record(nil)
	if p.absent != nil {
		w.Int(p.absent.lead)
		w.Int(p.absent.next)
		broken := uint64(0)
		if p.absent.broken {
			broken = 1
		}
		w.Uint(broken)
	}
}

// loadPartial reads a partial, or an empty slot.
func (t *Tracker) loadPartial(r *Reader) partial {
	var list []*Record
	for rec := r.Record(); rec != nil; rec = r.Record() {
		list = append(list, rec)
	}
	if len(list) == 0 {
		return partial{}
	}
	var a *absence
	if t.plan.missing {
		a = &absence{lead: r.Int(), next: r.Int(), broken: r.Uint() == 1}
	}
	first := list[len(list)-1]
	p := partial{record: first, began: first.millis(), absent: a}
	for _, rec := range slices.Backward(list[:len(list)-1]) {
		before := p
		p = partial{before: &before, record: rec, began: p.began, absent: a}
	}
	return p
}

// Load replaces the state of the Tracker by a saved one of the same plan.
func (t *Tracker) Load(r *Reader) error {
	if r.Uint() != uint64(len(t.plan.items)) || r.Uint() != uint64(len(t.plan.steps)) {
		r.fail("it is of another query")
		return r.err
	}
	fresh := NewTracker(t.plan, t.opt)
	fresh.order = r.Uint()
	fresh.stats.Expired, fresh.stats.Evicted = r.Uint(), r.Uint()
	for n := r.Uint(); n > 0 && r.err == nil; n-- {
		fresh.loadGroup(r)
	}
	fresh.absent.load(fresh, r)
	fresh.sample.load(fresh, r)
	if r.err == nil {
		*t = *fresh
	}
	return r.err
}

func (t *Tracker) loadGroup(r *Reader) {
	key, slots := r.key(), r.Uint()
	if slots == 0 || slots > uint64(len(t.plan.steps)) || t.groups.get(key) != 0 {
		r.fail("it is of another query")
		return
	}
	at := t.groups.add(key, t.groups.hash(key))
	t.groups.link(at)
	g := t.groups.at(at)
	g.first = t.loadPartial(r)
	for range slots - 1 {
		g.more = append(g.more, t.loadPartial(r))
	}
}

func (a *absences) save(t *Tracker, w *Writer) {
	w.Uint(uint64(len(a.leads)))
	for l := a.oldest; l != nil; l = l.newer {
		w.Text(l.key)
		w.Int(l.last)
		w.Int(l.earlier)
	}
	w.Uint(uint64(len(a.deadlines)))
	for _, v := range a.deadlines {
		w.Text(v.match.Key)
		w.Uint(v.match.Order)
		t.savePartial(w, v.last)
		w.Int(v.behind)
		w.Int(v.from)
		w.Int(v.deadline)
	}
}

func (a *absences) load(t *Tracker, r *Reader) {
	for n := r.Uint(); n > 0 && r.err == nil; n-- {
		l := &lead{key: r.key(), last: r.Int(), earlier: r.Int(), older: a.newest}
		if a.newest != nil {
			a.newest.newer = l
		} else {
			a.oldest = l
		}
		a.newest = l
		a.leads[l.key] = l
	}
	for n := r.Uint(); n > 0 && r.err == nil; n-- {
		v := &wait{match: Match{Key: r.key(), Order: r.Uint()}}
		last := t.loadPartial(r)
		v.last = &last
		v.behind, v.from, v.deadline = r.Int(), r.Int(), r.Int()
		if !last.held() || len(last.records()) != len(t.plan.steps) {
			r.fail("a waiting match is damaged")
			return
		}
		v.match.Records = t.plan.arrange(v.last)
		heap.Push(&a.deadlines, v)
		a.waits[v.match.Key] = append(a.waits[v.match.Key], v)
	}
}

func (s *sampler) save(w *Writer) {
	w.Int(s.now)
	w.Uint(uint64(len(s.groups)))
	for c := s.oldest; c != nil; c = c.newer {
		w.Text(c.key)
		w.Int(c.touched)
		w.Uint(uint64(len(c.items)))
		for _, list := range c.items {
			for _, rec := range list {
				w.Record(rec)
			}
			w.Record(nil)
		}
	}
}

func (s *sampler) load(t *Tracker, r *Reader) {
	s.now = r.Int()
	for n := r.Uint(); n > 0 && r.err == nil; n-- {
		c := &candidates{key: r.key(), touched: r.Int(), older: s.newest}
		items := r.Uint()
		if items != 0 && items != uint64(len(t.plan.items)) {
			r.fail("it is of another query")
			return
		}
		c.done = items == 0
		for range items {
			var list []*Record
			for rec := r.Record(); rec != nil; rec = r.Record() {
				list = append(list, rec)
			}
			c.items = append(c.items, list)
		}
		if s.newest != nil {
			s.newest.newer = c
		} else {
			s.oldest = c
		}
		s.newest = c
		s.groups[c.key] = c
	}
}
