package main

// Records of event logs as JSON, in the shapes of the tools that export them.

import (
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/source/file"
	"github.com/shrike-project/shrike/windows"
)

// shapes are the forms of JSON that hold records. Files of events as they are,
// windows.Native, have none, and so cost nothing.
func (e *eventLogs) shapes() []file.Shape {
	var list []file.Shape
	for _, f := range windows.Formats() {
		if f == windows.Native {
			continue
		}
		list = append(list, file.Shape{
			Name: f.String(),
			Is:   func(doc []byte) bool { return windows.Recognise(doc) == f },
			Batch: func(b event.Batch) func(*event.Expansion) {
				turn := e.turns.next()
				return func(x *event.Expansion) { e.expandJSON(x, &b, f, turn) }
			},
		})
	}
	return list
}

// expandJSON turns the documents of a batch into events. One that is no record of
// the format may be of another one; else it stays as it is.
func (e *eventLogs) expandJSON(x *event.Expansion, b *event.Batch, f windows.Format, turn int) {
	t := e.take()
	defer e.give(t)
	x.Lines = true
	b.Each(func(at int, doc []byte) {
		place := b.Offset + int64(at)
		err := t.parser.Parse(doc, f, &t.parsed)
		if err != nil {
			err = t.parser.Parse(doc, windows.Native, &t.parsed)
		}
		if err == nil {
			t.record(x, &t.parsed, place)
			return
		}
		start := len(x.Data)
		x.Data = append(x.Data, doc...)
		x.Docs = append(x.Docs, event.Extent{Start: start, End: len(x.Data)})
		x.At = append(x.At, place)
	})
	t.settle(e, turn, x)
}
