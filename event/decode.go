package event

import "math"

// MaxDepth is the deepest nesting of objects and arrays a document may have.
const MaxDepth = 1000

// Decoder reads documents into events. It extracts the fields of one FieldSet
// and is safe for use by one goroutine at a time.
type Decoder struct {
	set       *FieldSet
	root      *pathNode
	timestamp Field
	plain     bool // never walk fast, for tests
	doc       []byte
	ev        *Event
	depth     int
	index     index
	recall    recall
	spare     key // a key too many to remember
}

// NewDecoder makes a decoder for the fields of set and for the field timestamp,
// from which events take their time; "" stands for @timestamp. The set must not
// grow afterwards.
func NewDecoder(set *FieldSet, timestamp string) *Decoder {
	if timestamp == "" {
		timestamp = "@timestamp"
	}
	d := &Decoder{set: set, timestamp: set.Add(timestamp)}
	d.root = set.trie()
	d.root.walk("_source").meta = metaSource
	d.root.walk("_index").meta = metaIndex
	d.root.walk("_id").meta = metaID
	return d
}

// Decode reads one document into ev, whose earlier content is lost. White space
// around the object is fine. The error is always an *Error; after TrailingData,
// ev holds the object that precedes Error.Offset.
//
// The event shares the document's memory until the next Decode.
func (d *Decoder) Decode(doc []byte, ev *Event) error {
	if len(doc) > math.MaxInt32 {
		return &Error{Reason: TooLarge}
	}
	d.doc, d.ev, d.depth = doc, ev, 0
	ev.reset(d.set, d.timestamp, doc)
	if !d.plain && d.fast() {
		ev.finish()
		return nil
	}
	d.depth = 0
	ev.reset(d.set, d.timestamp, doc)
	err := d.whole()
	ev.finish()
	return err
}

// whole walks a document plainly.
func (d *Decoder) whole() error {
	i := skipSpace(d.doc, 0)
	if i == len(d.doc) {
		return &Error{Reason: NotAnObject, Offset: i, Detail: "the document is empty"}
	}
	if d.doc[i] != '{' {
		return &Error{Reason: NotAnObject, Offset: i}
	}
	start := i
	end, err := d.object(i, d.root)
	if err != nil {
		return err
	}
	if d.ev.Source == nil {
		d.ev.Source = d.doc[start:end]
	}
	if rest := skipSpace(d.doc, end); rest < len(d.doc) {
		return &Error{Reason: TrailingData, Offset: rest}
	}
	return nil
}

// Balanced reports whether a document looks like one JSON object: it begins and ends
// like one, its brackets pair up and its strings end. It takes a fraction of the time
// of Decode, which looks closer, and may say no of a document that Decode reads.
func (d *Decoder) Balanced(doc []byte) bool {
	i := skipSpace(doc, 0)
	if i >= len(doc) || doc[i] != '{' || len(doc) > math.MaxInt32 || !d.index.build(doc) {
		return false
	}
	d.doc = doc
	end := d.containerEnd(i)
	return end > 0 && skipSpace(doc, end) == len(doc)
}
