package detect

// Putting arrivals into the order of time.
//
// With a bounded lateness, arrivals wait in a queue until the newest event is that
// much newer. Without a bound they wait for the end of the input: in memory, and
// beyond a limit in sorted runs outside of it, which are merged at the end.

import (
	"bufio"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/sequence"
)

// Spill stores sorted runs that do not fit into memory.
type Spill interface {
	// Create makes an empty run.
	Create() (Run, error)
}

// Run is bytes that are written once and then read.
type Run interface {
	io.Writer
	// Rewind ends writing and reads from the beginning. It may be called again.
	Rewind() (io.Reader, error)
	// Close gives its space back.
	Close() error
}

type order struct {
	opt       StreamOptions
	queue     queue
	bytes     int
	watermark event.Time // with a bounded lateness: what is older is late
	started   bool
	runs      []Run
	spilled   int
	hurried   uint64
}

func newOrder(opt StreamOptions) *order {
	if opt.MemoryBytes <= 0 {
		opt.MemoryBytes = DefaultMemoryBytes
	}
	return &order{opt: opt}
}

func (o *order) unlimited() bool { return o.opt.Lateness < 0 }

// late reports whether an arrival is older than the lateness allows.
func (o *order) late(a *Arrival) bool {
	return !o.unlimited() && o.started && a.record.Time.Compare(o.watermark) < 0
}

func (o *order) add(a *Arrival) error {
	o.queue.add(a)
	a.bytes = a.size()
	o.bytes += a.bytes
	if !o.unlimited() {
		o.reach(a.record.Time)
		o.hurry()
		return nil
	}
	if o.bytes < o.opt.MemoryBytes || o.opt.Spill == nil {
		return nil
	}
	return o.spill()
}

// reach takes note of an event's time.
func (o *order) reach(t event.Time) { o.advance(t.Add(-o.opt.Lateness)) }

// advance moves the watermark forward.
func (o *order) advance(watermark event.Time) {
	if !o.started || watermark.Compare(o.watermark) > 0 {
		o.watermark, o.started = watermark, true
	}
}

// ready calls judge for the arrivals whose turn it is: those older than the
// watermark. One just as old may yet come, with a lesser tiebreaker.
func (o *order) ready(judge func(*Arrival)) {
	if o.unlimited() {
		return
	}
	for a := o.queue.first(); a != nil && a.record.Time.Compare(o.watermark) < 0; a = o.queue.first() {
		o.queue.take(a)
		o.bytes -= a.bytes
		judge(a)
	}
}

// hurry moves the watermark past the oldest arrivals that wait, when all take too much.
func (o *order) hurry() {
	if o.opt.MostWaiting <= 0 || o.bytes <= o.opt.MostWaiting {
		return
	}
	o.advance(o.queue.first().record.Time.Add(1))
	o.hurried++
}

// finish calls judge for all arrivals that still wait.
func (o *order) finish(judge func(*Arrival)) error {
	if len(o.runs) == 0 {
		for _, a := range o.queue.sorted() {
			judge(a)
		}
		o.queue.clear()
		return nil
	}
	if err := o.spill(); err != nil {
		return err
	}
	defer o.closeRuns()
	return o.merge(judge)
}

// size estimates the memory an arrival takes.
func (a *Arrival) size() int {
	n := 300 + a.record.Size()
	for _, h := range a.hits {
		n += 80
		for _, k := range h.keys {
			n += 16 + len(k)
		}
	}
	return n
}

// spill writes the waiting arrivals as a sorted run.
func (o *order) spill() error {
	if o.queue.len() == 0 {
		return nil
	}
	run, err := o.opt.Spill.Create()
	if err != nil {
		return fmt.Errorf("create a run of sorted events: %w", err)
	}
	o.runs = append(o.runs, run)
	o.spilled++
	w := bufio.NewWriterSize(run, 1<<18)
	var buf []byte
	var u sequence.Unpacker
	for _, a := range o.queue.sorted() {
		buf = a.appendTo(buf[:0], &u)
		var size [binary.MaxVarintLen64]byte
		if _, err = w.Write(size[:binary.PutUvarint(size[:], uint64(len(buf)))]); err == nil {
			_, err = w.Write(buf)
		}
		if err != nil {
			break
		}
		a.done()
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return fmt.Errorf("write a run of sorted events: %w", err)
	}
	o.queue.clear()
	o.bytes = 0
	return nil
}

func (o *order) closeRuns() {
	for _, r := range o.runs {
		_ = r.Close()
	}
	o.runs = nil
}

// merge calls judge for the arrivals of all runs in order.
func (o *order) merge(judge func(*Arrival)) error {
	var heads runHeads
	for _, run := range o.runs {
		in, err := run.Rewind()
		if err != nil {
			return fmt.Errorf("read a run of sorted events: %w", err)
		}
		h := &runHead{in: bufio.NewReaderSize(in, 1<<16)}
		if err := h.next(); err != nil {
			return err
		}
		if h.head != nil {
			heads = append(heads, h)
		}
	}
	heap.Init(&heads)
	for len(heads) > 0 {
		h := heads[0]
		judge(h.head)
		if err := h.next(); err != nil {
			return err
		}
		if h.head == nil {
			heap.Pop(&heads)
		} else {
			heap.Fix(&heads, 0)
		}
	}
	return nil
}

// runHead reads a run, one arrival ahead.
type runHead struct {
	in   *bufio.Reader
	head *Arrival
	buf  []byte
}

func (h *runHead) next() error {
	h.head = nil
	n, err := binary.ReadUvarint(h.in)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		h.buf = slices.Grow(h.buf[:0], int(n))[:n]
		_, err = io.ReadFull(h.in, h.buf)
	}
	if err == nil {
		h.head, err = readArrival(h.buf)
	}
	if err != nil {
		return fmt.Errorf("read a run of sorted events: %w", err)
	}
	return nil
}

// appendTo writes the arrival as readArrival reads it.
func (a *Arrival) appendTo(b []byte, u *sequence.Unpacker) []byte {
	w := sequence.NewWriter()
	w.Uint(uint64(a.clock))
	a.saveHits(w)
	return append(sequence.AppendRecord(b, a.record, u), w.Body()...)
}

// saveHits writes the hits, those of each rule together.
func (a *Arrival) saveHits(w *sequence.Writer) {
	rules := 0
	for range byRule(a.hits) {
		rules++
	}
	w.Uint(uint64(rules))
	for rule, hits := range byRule(a.hits) {
		w.Uint(uint64(rule))
		w.Uint(uint64(len(hits)))
		for _, h := range hits {
			w.Uint(uint64(h.item))
			w.Uint(uint64(len(h.keys)))
			for _, k := range h.keys {
				w.Text(k)
			}
		}
	}
}

func readArrival(b []byte) (*Arrival, error) {
	r := sequence.NewBodyReader(b)
	a := &Arrival{record: sequence.ReadRecord(r)}
	a.clock = int(r.Uint())
	a.hits = readHits(r)
	return a, r.Err()
}

func readHits(r *sequence.Reader) (hits []itemHit) {
	for n := r.Uint(); n > 0 && r.Err() == nil; n-- {
		rule := int32(r.Uint())
		for m := r.Uint(); m > 0 && r.Err() == nil; m-- {
			h := itemHit{rule: rule, item: int32(r.Uint())}
			for k := r.Uint(); k > 0 && r.Err() == nil; k-- {
				h.keys = append(h.keys, r.Text())
			}
			hits = append(hits, h)
		}
	}
	return hits
}

type runHeads []*runHead

func (h runHeads) Len() int           { return len(h) }
func (h runHeads) Less(i, j int) bool { return compareArrivals(h[i].head, h[j].head) < 0 }
func (h runHeads) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *runHeads) Push(x any)        { *h = append(*h, x.(*runHead)) }
func (h *runHeads) Pop() any {
	old := *h
	r := old[len(old)-1]
	*h = old[:len(old)-1]
	return r
}
