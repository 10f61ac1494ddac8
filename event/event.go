package event

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Event is one decoded document. It belongs to one goroutine; a Decoder fills
// it anew for each document.
//
// Decoding only finds where the values of wanted fields stand. They are read when
// somebody asks for them, but for those of types that cannot read everything.
type Event struct {
	// Source is the document as it came: the object itself, or what a search
	// hit ({"_index":…,"_id":…,"_source":{…}}) carries as its source. It shares
	// memory with the bytes that were decoded.
	Source []byte
	// Index and ID are the _index and _id of a search hit, else empty.
	Index, ID string
	// Unreadable counts values that the type of their field could not read.
	Unreadable int

	set       *FieldSet
	timestamp Field
	doc       []byte
	turn      uint32 // counts documents, so that nothing needs to be cleared
	places    []place
	doubtful  []int32 // the paths with values that may be unreadable
	spans     []span
	values    []fieldValues
	scratch   []byte // unescaped text
	lists     soundLists
}

// place is where in a document the values of a path stand.
type place struct {
	turn        uint32
	first, last int32 // of spans
	doubtful    bool  // one of them may be unreadable
}

// span is a scalar of a document, or an array of scalars, brackets and quotes
// included.
type span struct {
	start, end uint32
	path       int32 // the place in the FieldSet's paths
	next       int32 // the next one of its path, -1: none
	kind       spanKind
}

type spanKind uint8

const (
	stringSpan spanKind = iota
	wordSpan            // a number, true or false
	listSpan
)

// fieldValues are the values of a field, once somebody asked for them.
type fieldValues struct {
	turn uint32
	list []Value
}

// Values gives the values of a field in document order, none if it is missing.
// The slice and the texts in it are valid until the next Decode.
func (e *Event) Values(f Field) []Value {
	if f < 0 || int(f) >= len(e.values) {
		return nil
	}
	v := &e.values[f]
	if v.turn != e.turn {
		e.read(f)
	}
	return v.list
}

// First gives the first value of a field, or null.
func (e *Event) First(f Field) Value {
	if v := e.Values(f); len(v) > 0 {
		return v[0]
	}
	return Value{}
}

// Raw gives the bytes of the only place where the document holds a field: a scalar
// or an array of scalars as it is written, quotes and brackets included; none if
// the field is missing. It reports false where the field stands in several places.
// Equal bytes have equal values.
func (e *Event) Raw(f Field) ([]byte, bool) {
	if p := e.set.alone[f]; p >= 0 {
		return e.rawAt(p)
	}
	var found []byte
	for _, p := range e.set.fields[f].paths {
		raw, single := e.rawAt(int32(p))
		if raw == nil {
			continue
		}
		if found != nil || !single {
			return nil, false
		}
		found = raw
	}
	return found, true
}

// rawAt is Raw for a field that one path feeds.
func (e *Event) rawAt(p int32) ([]byte, bool) {
	pl := &e.places[p]
	if pl.turn != e.turn {
		return nil, true
	}
	sp := &e.spans[pl.first]
	return e.doc[sp.start:sp.end], pl.first == pl.last
}

// Text gives the value of a field that is one text, if the document holds it as it is:
// in one place, without escapes, and of a type that leaves texts alone. For other fields,
// and missing ones, it reports false, and Values tells more. The bytes are the document's.
func (e *Event) Text(f Field) ([]byte, bool) {
	raw := e.oneText(f)
	if raw == nil {
		return nil, false
	}
	raw = raw[1 : len(raw)-1]
	return raw, bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw)
}

// Has reports whether Values gives any.
func (e *Event) Has(f Field) bool { return e.oneText(f) != nil || len(e.Values(f)) > 0 }

// oneText gives the value of a field that is one text, of a type that leaves texts alone, as
// it is written; else nil.
func (e *Event) oneText(f Field) []byte {
	raw, single := e.Raw(f)
	if !single || len(raw) < 2 || raw[0] != '"' || !e.set.fields[f].verbatim() {
		return nil
	}
	return raw
}

// Whole reports whether Source is all that the fields were read from, as it is not of a
// search hit.
func (e *Event) Whole() bool {
	return e.Source != nil && cap(e.doc)-cap(e.Source) == skipSpace(e.doc, 0)
}

// Fields gives the set the event was decoded with.
func (e *Event) Fields() *FieldSet { return e.set }

// Time gives the time of the event, with nanoseconds, and whether the document
// has one: the first readable value of the Decoder's timestamp field.
func (e *Event) Time() (when Time, ok bool) {
	if e.set == nil || e.timestamp == NoField {
		return Time{}, false
	}
	return e.TimeIn(e.timestamp)
}

// TimeIn gives the first value of a field that reads as a time, whatever the type
// of the field: a rule may go by a field nobody knows to hold dates.
func (e *Event) TimeIn(f Field) (when Time, ok bool) {
	if raw, single := e.Raw(f); single && len(raw) > 2 && raw[0] == '"' {
		if when, ok = parseStamp(view(raw[1 : len(raw)-1])); ok {
			return when, true
		}
	}
	e.each(f, func(t token) bool {
		v, readable := t.as(DateNanos)
		if readable && v.kind == Date {
			when, ok = v.Time(), true
		}
		return !ok
	})
	return when, ok
}

func (e *Event) reset(set *FieldSet, timestamp Field, doc []byte) {
	if e.set != set || e.turn == 1<<32-1 {
		e.set, e.turn = set, 0
		e.places = make([]place, len(set.paths))
		e.values = make([]fieldValues, set.Len())
	}
	e.turn++
	e.timestamp, e.doc = timestamp, doc
	e.spans, e.doubtful, e.scratch = e.spans[:0], e.doubtful[:0], e.scratch[:0]
	e.Source, e.Index, e.ID, e.Unreadable = nil, "", "", 0
}

// add notes a span: from start to end, of the path at place p. Doubtful tells that the
// type of a field may not be able to read it.
func (e *Event) add(p int32, start, end uint32, kind spanKind, doubtful bool) {
	n := int32(len(e.spans))
	if int(n) == cap(e.spans) {
		e.spans = append(e.spans, span{})
	}
	e.spans = e.spans[:n+1]
	sp := &e.spans[n] // written in place: a copy would have to wait for its parts
	sp.start, sp.end, sp.path, sp.next, sp.kind = start, end, p, -1, kind
	pl := &e.places[p]
	if pl.turn != e.turn {
		pl.turn, pl.first, pl.last, pl.doubtful = e.turn, n, n, false
	} else {
		e.spans[pl.last].next = n
		pl.last = n
	}
	if doubtful && !pl.doubtful {
		pl.doubtful = true
		e.doubtful = append(e.doubtful, p)
	}
}

// finish reads the values that may be unreadable, and counts those that are.
func (e *Event) finish() {
	for _, p := range e.doubtful {
		for _, f := range e.set.paths[p].fields {
			if e.values[f].turn != e.turn {
				e.Unreadable += e.read(f)
			}
		}
	}
}

// doubts reports whether one of the types may be unable to read a span.
func (e *Event) doubts(sp span, picky []Type) bool {
	for _, typ := range picky {
		if !e.sound(sp, typ) {
			return true
		}
	}
	return false
}

// read reads the values of a field, and counts those its type could not read.
func (e *Event) read(f Field) (unreadable int) {
	v, info := &e.values[f], &e.set.fields[f]
	v.turn, v.list = e.turn, v.list[:0]
	if p := e.set.alone[f]; p >= 0 { // as nearly all: one string at most
		pl := &e.places[p]
		if pl.turn != e.turn {
			return 0
		}
		if sp := &e.spans[pl.first]; sp.kind == stringSpan && pl.first == pl.last {
			return v.take(token{String, e.text(e.doc[sp.start+1 : sp.end-1])}, info)
		}
	}
	e.each(f, func(t token) bool {
		unreadable += v.take(t, info)
		return true
	})
	return unreadable
}

// take adds what a field reads in a scalar. It gives 1 if it cannot read it.
func (v *fieldValues) take(t token, info *fieldInfo) (unreadable int) {
	value, ok := t.as(info.typ)
	switch {
	case !ok:
		return 1
	case value.kind == Null:
	case info.caseless && value.kind == String:
		value.text = strings.ToLower(value.text)
		v.list = append(v.list, value)
	default:
		v.list = append(v.list, value)
	}
	return 0
}

// each calls visit for the scalars of a field in document order, until it gives
// false.
func (e *Event) each(f Field, visit func(token) bool) {
	paths := e.set.fields[f].paths
	if len(paths) == 1 {
		if pl := &e.places[paths[0]]; pl.turn == e.turn {
			e.eachOf(pl.first, visit)
		}
		return
	}
	// Several paths: their spans are in document order each.
	var at []int32
	for _, p := range paths {
		if pl := &e.places[p]; pl.turn == e.turn {
			at = append(at, pl.first)
		}
	}
	for len(at) > 0 {
		least := 0
		for i, n := range at {
			if n < at[least] {
				least = i
			}
		}
		sp := e.spans[at[least]]
		if !e.tokens(sp, visit) {
			return
		}
		if at[least] = sp.next; sp.next < 0 {
			at = slices.Delete(at, least, least+1)
		}
	}
}

func (e *Event) eachOf(n int32, visit func(token) bool) {
	for n >= 0 {
		sp := e.spans[n]
		if !e.tokens(sp, visit) {
			return
		}
		n = sp.next
	}
}

// tokens calls visit for the scalars of a span.
func (e *Event) tokens(sp span, visit func(token) bool) bool {
	switch raw := e.doc[sp.start:sp.end]; sp.kind {
	case stringSpan:
		return visit(token{String, e.text(raw[1 : len(raw)-1])})
	case wordSpan:
		t, _ := parseScalar(raw)
		return visit(t)
	default:
		return e.list(raw, visit)
	}
}

// list calls visit for the scalars of an array, which holds nothing else.
func (e *Event) list(raw []byte, visit func(token) bool) bool {
	for i := 1; i < len(raw); {
		switch c := raw[i]; c {
		case ' ', '\n', '\r', '\t', ',', ']':
			i++
		case '"':
			end, _ := skipString(raw, i)
			if !visit(token{String, e.text(raw[i+1 : end-1])}) {
				return false
			}
			i = end
		default:
			end := skipScalar(raw, i)
			if t, _ := parseScalar(raw[i:end]); t.kind != Null && !visit(t) {
				return false
			}
			i = end
		}
	}
	return true
}

// text gives the content of a JSON string: the document's own memory where it
// holds neither escapes nor broken UTF-8, else that of scratch.
func (e *Event) text(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 && utf8.Valid(raw) {
		return view(raw)
	}
	start := len(e.scratch)
	e.scratch = appendUnescaped(e.scratch, raw)
	return view(e.scratch[start:])
}

// Reason says why a document was refused. Reasons are stable: they are counted
// and shown.
type Reason string

// The reasons for refusing a document.
const (
	NotAnObject  Reason = "not a JSON object"
	Truncated    Reason = "truncated JSON"
	InvalidJSON  Reason = "invalid JSON"
	TooDeep      Reason = "nested too deep"
	TooLarge     Reason = "larger than the limit"
	TrailingData Reason = "bytes after the object"
)

// Error is the refusal of one document. Offset is the byte within it at which
// the decoder stopped; after TrailingData the object before it was decoded.
type Error struct {
	Reason Reason
	Offset int
	Detail string
}

func (e *Error) Error() string {
	if e.Detail == "" {
		return fmt.Sprintf("%s at byte %d", e.Reason, e.Offset)
	}
	return fmt.Sprintf("%s at byte %d: %s", e.Reason, e.Offset, e.Detail)
}
