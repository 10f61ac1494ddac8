package event

import "bytes"

// Batch is a stretch of raw documents that a source hands over.
type Batch struct {
	// Name is the file or stream the documents come from.
	Name string
	// Data holds the documents. It is valid until Release is called.
	Data []byte
	// Docs are the documents' places in Data; nil: one document a line.
	Docs []Extent
	// Offset is where Data begins in Name, in bytes after decompression.
	Offset int64
	// Last marks the last batch of Name.
	Last bool
	// Refused are documents that the source did not put into Data.
	Refused []Refusal
	// Again, if it is set, reads bytes of Data again after Release, as long as the
	// source is not closed. They hold until the next call, of any batch.
	Again func(at Extent) ([]byte, error)
	// Release gives the memory of Data back. It is called once; it may be nil.
	Release func()
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
