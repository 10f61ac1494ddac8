package pipeline

import (
	"bytes"
	"errors"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
)

// worker decodes and matches batches, one at a time.
type worker struct {
	d       *detect.Detector
	opt     ScanOptions
	decoder *event.Decoder
	matcher *detect.Matcher
	builder *alert.Builder
	ev      event.Event
	hits    detect.Hits
	out     *outcome
}

func newWorker(d *detect.Detector, opt ScanOptions) *worker {
	return &worker{
		d: d, opt: opt, decoder: d.NewDecoder(opt.Timestamp), matcher: d.NewMatcher(),
		builder: alert.NewBuilder(opt.Run, d.Fields().Types()),
	}
}

func (w *worker) do(b event.Batch) *outcome {
	w.out = &outcome{name: b.Name, bytes: int64(len(b.Data)), last: b.Last, refused: b.Refused}
	seen, line := 0, 0 // line counts the lines that end before seen
	b.Each(func(at int, doc []byte) {
		if err := w.document(doc); err != nil {
			line += bytes.Count(b.Data[seen:at], []byte("\n"))
			seen = at
			err.Offset += b.Offset + int64(at)
			err.Line = line + 1
			w.out.refused = append(w.out.refused, *err)
		}
	})
	w.out.lines = line + bytes.Count(b.Data[seen:], []byte("\n"))
	if b.Release != nil {
		b.Release()
	}
	return w.out
}

// document decodes and matches one document. Two documents on one line, as a
// collector writes that was killed in mid-write, are read as two.
func (w *worker) document(doc []byte) *event.Refusal {
	if w.opt.MaxEventBytes > 0 && len(doc) > w.opt.MaxEventBytes {
		return refusal(doc, 0, &event.Error{Reason: event.TooLarge})
	}
	for at := 0; ; {
		e := w.decode(doc[at:])
		if e == nil {
			w.event()
			return nil
		}
		if e.Reason != event.TrailingData {
			return refusal(doc[at:], at, e)
		}
		w.event()
		if at += e.Offset; doc[at] != '{' {
			return refusal(doc[at:], at, &event.Error{Reason: event.TrailingData})
		}
	}
}

func (w *worker) decode(doc []byte) *event.Error {
	err := w.decoder.Decode(doc, &w.ev)
	var e *event.Error
	if err != nil && !errors.As(err, &e) {
		panic("the decoder gave an error of another type: " + err.Error())
	}
	return e
}

// refusal tells of a document that begins at byte at of its line.
func refusal(doc []byte, at int, e *event.Error) *event.Refusal {
	return &event.Refusal{Reason: e.Reason, Offset: int64(at + e.Offset), Detail: e.Error(), Sample: event.Sample(doc)}
}

func (w *worker) event() {
	w.out.events++
	w.out.unreadable += int64(w.ev.Unreadable)
	w.matcher.Match(&w.ev, &w.hits)
	if w.hits.Len() == 0 {
		return
	}
	w.d.Signals(&w.ev, &w.hits, func(s *detect.Signal) {
		w.out.alerts = append(w.out.alerts, w.builder.Build(s))
	})
}
