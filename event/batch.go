package event

import (
	"bytes"
	"time"
)

// Batch is a stretch of raw documents that a source hands over.
type Batch struct {
	// Name is the file or stream the documents come from.
	Name string
	// Data holds the documents. It is valid until Release is called.
	Data []byte
	// Read, if it is set, gives Data, which is nil until then. The worker that takes
	// the batch calls it, once and before anything else; it may be called by any
	// goroutine, at the same time as that of other batches.
	Read func() []byte
	// Docs are the documents' places in Data; nil: one document a line.
	Docs []Extent
	// Offset is where Data begins in Name, in bytes after decompression.
	Offset int64
	// Sequence is the place of the batch in a stream that numbers them, from 1 on, and
	// Received when the stream took it in; both zero where there is no such stream.
	Sequence uint64
	Received time.Time
	// Last marks the last batch of Name.
	Last bool
	// Resumed tells that Data is not the beginning of Name, though no batch came
	// before: an earlier run read what precedes it.
	Resumed bool
	// Refused are documents that the source did not put into Data.
	Refused []Refusal
	// Again, if it is set and Expand is not, reads bytes of Data again after Release,
	// as long as the source is not closed. They hold until the next call, of any batch.
	Again func(at Extent) ([]byte, error)
	// Expand, if it is set, makes the documents from Data, and Docs is not looked at.
	// The worker that takes the batch calls it, once, before it decodes: what is dear
	// to make is made by many at the same time. It may be called by any goroutine, at
	// the same time as the Expand of other batches, and not after Release.
	Expand func(into *Expansion)
	// Ack, if it is set, is called once after everything that follows from the batch
	// was emitted, in the order of the batches; never if that failed.
	Ack func()
	// Release gives the memory of Data back. It is called once; it may be nil.
	Release func()
}

// Expansion is the documents that a batch is turned into. It belongs to a worker,
// which uses it again for its next batch.
type Expansion struct {
	// Data holds the documents, one after another where only Add was used.
	Data []byte
	// Docs are their places in Data in the order of the events, and At is where each comes from: a byte of the
	// batch's file, as Batch.Offset counts them.
	Docs []Extent
	At   []int64
	// Lines tells that the batch's Data is lines of text, so that a place in it has a
	// line number.
	Lines bool
	// Refused are what no document could be made of.
	Refused []Refusal
}

// Add ends the document that Data was appended to since the document before, and
// says where it comes from. Without a byte appended it does nothing.
func (x *Expansion) Add(at int64) {
	start := 0
	if n := len(x.Docs); n > 0 {
		start = x.Docs[n-1].End
	}
	if start == len(x.Data) {
		return
	}
	x.Docs = append(x.Docs, Extent{start, len(x.Data)})
	x.At = append(x.At, at)
}

// maxKept is the largest buffer an Expansion keeps for its next batch.
const maxKept = 64 << 20

// Reset empties the expansion, and keeps its memory.
func (x *Expansion) Reset() {
	if cap(x.Data) > maxKept {
		x.Data = nil
	}
	*x = Expansion{Data: x.Data[:0], Docs: x.Docs[:0], At: x.At[:0]}
}

// Extent is a stretch of bytes.
type Extent struct{ Start, End int }

// Refusal is a document that was not decoded.
type Refusal struct {
	Reason Reason
	// Offset is where the document begins in its file or stream.
	Offset int64
	// Line is the document's line in its file, counted from 1; 0: not known.
	Line int
	// Detail says more, and Sample is how the document begins.
	Detail, Sample string
}

// Each calls visit for every document, with its place in Data. Empty lines are
// no documents.
func (b *Batch) Each(visit func(at int, doc []byte)) {
	if b.Docs != nil {
		for _, e := range b.Docs {
			visit(e.Start, b.Data[e.Start:e.End])
		}
		return
	}
	for at := 0; at < len(b.Data); {
		n := bytes.IndexByte(b.Data[at:], '\n')
		if n < 0 {
			n = len(b.Data) - at
		}
		if line := b.Data[at : at+n]; len(bytes.TrimSpace(line)) > 0 {
			visit(at, line)
		}
		at += n + 1
	}
}

// MaxSample is the most bytes of a refused document that are shown.
const MaxSample = 200

// Sample gives the beginning of a document for people.
func Sample(doc []byte) string {
	if len(doc) > MaxSample {
		return string(bytes.ToValidUTF8(doc[:MaxSample], []byte("\uFFFD"))) + "…"
	}
	return string(bytes.ToValidUTF8(doc, []byte("\uFFFD")))
}
