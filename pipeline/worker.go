package pipeline

import (
	"bytes"
	"errors"
	"sync"

	"github.com/shrike-project/shrike/event"
)

// outcome is what a worker made of a batch.
type outcome[R any] struct {
	name    string
	events  int64
	bytes   int64
	lines   int
	results []R
	// resultLines are the lines of the results' events, counted as those of refused are.
	resultLines []int
	refused     []event.Refusal // Line counts from the batch's first line
	unreadable  int64
	err         error // the worker's surroundings failed it
	outside     int64 // events that are not in the range of time
	untimed     int64 // events of which nobody knows whether they are
	resumed     bool
	ack         func()
	made        *sync.Pool // where it is from
}

// done says that nobody needs the outcome any more: the worker uses its memory again.
func (o *outcome[R]) done() {
	clear(o.results)
	*o = outcome[R]{results: o.results[:0], resultLines: o.resultLines[:0], made: o.made}
	o.made.Put(o)
}

// worker decodes and judges batches, one at a time.
type worker[R any] struct {
	judge    Judge[R]
	maxBytes int
	within   Range
	ev       event.Event
	expanded event.Expansion
	out      *outcome[R]
	lines    lineCounter // of the batch
	at       int         // where in these lines the document at hand begins; -1: nobody knows
	emit     func(R)     // take, made once
	outcomes sync.Pool
}

func newWorker[R any](judge Judge[R], opt ScanOptions) *worker[R] {
	w := &worker[R]{judge: judge, maxBytes: opt.MaxEventBytes, within: opt.Within}
	w.emit = w.take
	w.outcomes.New = func() any { return &outcome[R]{made: &w.outcomes} }
	return w
}

func (w *worker[R]) do(b event.Batch) *outcome[R] {
	if b.Read != nil {
		b.Data = b.Read()
	}
	w.out = w.outcomes.Get().(*outcome[R])
	w.out.name, w.out.bytes, w.out.resumed, w.out.ack = b.Name, int64(len(b.Data)), b.Resumed, b.Ack
	seen := Seen{Data: b.Data, Again: b.Again}
	if b.Expand != nil {
		w.expand(&b)
		seen = Seen{Data: w.expanded.Data}
	} else {
		w.begin(seen)
		w.documents(&b)
	}
	if w.at = -1; w.judge.Pause != nil {
		w.out.err = w.judge.Pause(seen, w.emit)
	}
	for _, r := range b.Refused {
		r.Line = 1 // before the batch's first document
		w.out.refused = append(w.out.refused, r)
		w.out.lines++ // its own, which Data lacks
	}
	if b.Release != nil {
		b.Release()
	}
	return w.out
}

func (w *worker[R]) begin(seen Seen) {
	if w.judge.Begin != nil {
		w.judge.Begin(seen)
	}
}

// documents judges the documents that a batch holds.
func (w *worker[R]) documents(b *event.Batch) {
	w.lines = lineCounter{text: b.Data, line: 1}
	b.Each(func(at int, doc []byte) {
		w.at = at
		if r := w.document(doc, at); r != nil {
			r.Offset += b.Offset + int64(at)
			r.Line = w.lines.of(at)
			w.out.refused = append(w.out.refused, *r)
		}
		if b.Docs == nil {
			w.lines.pass(at, at+len(doc)) // it is a line
		}
	})
	w.out.lines = w.lines.of(len(b.Data)) - 1
}

// expand judges the documents that a batch is turned into. What is refused of them
// is placed where it came from.
func (w *worker[R]) expand(b *event.Batch) {
	x := &w.expanded
	x.Reset()
	b.Expand(x)
	w.begin(Seen{Data: x.Data})
	w.lines = lineCounter{text: b.Data, line: 1}
	for i, e := range x.Docs {
		if w.at = -1; x.Lines {
			w.at = max(0, int(x.At[i]-b.Offset))
		}
		if r := w.document(x.Data[e.Start:e.End], e.Start); r != nil {
			r.Offset = x.At[i]
			x.Refused = append(x.Refused, *r)
		}
	}
	for _, r := range x.Refused {
		if x.Lines {
			r.Line = w.lines.of(int(r.Offset - b.Offset))
		}
		w.out.refused = append(w.out.refused, r)
	}
	if x.Lines {
		w.out.lines = w.lines.of(len(b.Data)) - 1
	}
}

// document decodes and judges the document that begins at byte start of its batch.
// Two documents on one line, as a collector writes that was killed in mid-write, are
// read as two.
func (w *worker[R]) document(doc []byte, start int) *event.Refusal {
	if w.maxBytes > 0 && len(doc) > w.maxBytes {
		return refusal(doc, 0, &event.Error{Reason: event.TooLarge})
	}
	if w.judge.Skips != nil && w.judge.Skips(doc) && w.judge.Decoder.Balanced(doc) {
		w.out.events++
		return nil
	}
	for at := 0; ; {
		e := w.decode(doc[at:])
		if e == nil {
			w.event(event.Extent{Start: start + at, End: start + len(doc)})
			return nil
		}
		if e.Reason != event.TrailingData {
			return refusal(doc[at:], at, e)
		}
		w.event(event.Extent{Start: start + at, End: start + len(doc)})
		if at += e.Offset; doc[at] != '{' {
			return refusal(doc[at:], at, &event.Error{Reason: event.TrailingData})
		}
	}
}

func (w *worker[R]) decode(doc []byte) *event.Error {
	if err := w.judge.Decoder.Decode(doc, &w.ev); err != nil {
		return decodeError(err)
	}
	return nil
}

// decodeError gives an error of a Decoder, which has one type.
func decodeError(err error) *event.Error {
	var e *event.Error
	if !errors.As(err, &e) {
		panic("the decoder gave an error of another type: " + err.Error())
	}
	return e
}

// refusal tells of a document that begins at byte at of its line.
func refusal(doc []byte, at int, e *event.Error) *event.Refusal {
	return &event.Refusal{Reason: e.Reason, Offset: int64(at + e.Offset), Detail: e.Error(), Sample: event.Sample(doc)}
}

func (w *worker[R]) event(at event.Extent) {
	w.out.events++
	if w.within.bounded() {
		when, timed := w.ev.Time()
		switch {
		case !timed:
			w.out.untimed++
		case !w.within.holds(when):
			w.out.outside++
			return
		}
	}
	w.out.unreadable += int64(w.ev.Unreadable)
	w.judge.Event(&w.ev, at, w.emit)
}

func (w *worker[R]) take(r R) {
	line := 0
	if w.at >= 0 {
		line = w.lines.of(w.at)
	}
	w.out.results, w.out.resultLines = append(w.out.results, r), append(w.out.resultLines, line)
}

// lineCounter counts the lines of a text, of which it has counted those before a byte.
type lineCounter struct {
	text []byte
	seen int
	line int // that of the byte at seen, from 1 on
}

// of gives the line of a byte, or of the end that is nearest to one outside. Bytes are
// asked for in order, or all are counted anew.
func (c *lineCounter) of(at int) int {
	at = min(max(0, at), len(c.text))
	if at < c.seen {
		c.seen, c.line = 0, 1
	}
	c.line += bytes.Count(c.text[c.seen:at], []byte("\n"))
	c.seen = at
	return c.line
}

// pass passes a stretch that is known to hold no line end.
func (c *lineCounter) pass(from, to int) {
	c.of(from)
	c.seen = to
}
