package event

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
)

// MaxDepth is the deepest nesting of objects and arrays a document may have.
const MaxDepth = 1000

// Decoder reads documents into events. It extracts the fields of one FieldSet
// and is safe for use by one goroutine at a time.
type Decoder struct {
	set       *FieldSet
	root      *pathNode
	timestamp Field
	doc       []byte
	ev        *Event
	depth     int
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
func (d *Decoder) Decode(doc []byte, ev *Event) error {
	ev.reset(d.set)
	d.doc, d.ev, d.depth = doc, ev, 0
	defer func() { d.doc, d.ev = nil, nil }()

	i := skipSpace(doc, 0)
	if i == len(doc) {
		return &Error{Reason: NotAnObject, Offset: i, Detail: "the document is empty"}
	}
	if doc[i] != '{' {
		return &Error{Reason: NotAnObject, Offset: i}
	}
	start := i
	end, err := d.object(i, d.root)
	if err != nil {
		return err
	}
	if ev.Source == nil {
		ev.Source = doc[start:end]
	}
	if rest := skipSpace(doc, end); rest < len(doc) {
		return &Error{Reason: TrailingData, Offset: rest}
	}
	return nil
}

func (d *Decoder) fail(reason Reason, i int) (int, error) {
	if i >= len(d.doc) {
		return 0, &Error{Reason: Truncated, Offset: len(d.doc)}
	}
	return 0, &Error{Reason: reason, Offset: i}
}

// object walks the object that begins at i and gives the offset behind it.
func (d *Decoder) object(i int, n *pathNode) (int, error) {
	if d.depth++; d.depth > MaxDepth {
		return d.fail(TooDeep, i)
	}
	defer func() { d.depth-- }()
	i = skipSpace(d.doc, i+1)
	if i < len(d.doc) && d.doc[i] == '}' {
		return i + 1, nil
	}
	for {
		if i >= len(d.doc) || d.doc[i] != '"' {
			return d.fail(InvalidJSON, i)
		}
		end, escaped := skipString(d.doc, i)
		if end < 0 {
			return d.fail(Truncated, len(d.doc))
		}
		key := d.doc[i+1 : end-1]
		if escaped {
			key = []byte(unescape(key))
		}
		i = skipSpace(d.doc, end)
		if i >= len(d.doc) || d.doc[i] != ':' {
			return d.fail(InvalidJSON, i)
		}
		i = skipSpace(d.doc, i+1)
		var err error
		if next := n.find(key); next != nil {
			i, err = d.value(i, next)
		} else {
			i, err = d.skip(i)
		}
		if err != nil {
			return 0, err
		}
		var done bool
		if i, done, err = d.comma(i, '}'); err != nil || done {
			return i, err
		}
	}
}

// array walks the array that begins at i: each element is a value of the path.
func (d *Decoder) array(i int, n *pathNode) (int, error) {
	if d.depth++; d.depth > MaxDepth {
		return d.fail(TooDeep, i)
	}
	defer func() { d.depth-- }()
	i = skipSpace(d.doc, i+1)
	if i < len(d.doc) && d.doc[i] == ']' {
		return i + 1, nil
	}
	for {
		var err error
		if i, err = d.value(i, n); err != nil {
			return 0, err
		}
		var done bool
		if i, done, err = d.comma(i, ']'); err != nil || done {
			return i, err
		}
	}
}

// comma passes what follows an element: a comma, or the closing bracket, after
// which the object or array is done.
func (d *Decoder) comma(i int, closing byte) (next int, done bool, err error) {
	i = skipSpace(d.doc, i)
	if i < len(d.doc) {
		switch d.doc[i] {
		case ',':
			return skipSpace(d.doc, i+1), false, nil
		case closing:
			return i + 1, true, nil
		}
	}
	_, err = d.fail(InvalidJSON, i)
	return 0, false, err
}

// value reads the value at i, which lies at a wanted path or above one.
func (d *Decoder) value(i int, n *pathNode) (int, error) {
	if i >= len(d.doc) {
		return d.fail(Truncated, i)
	}
	switch d.doc[i] {
	case '{':
		return d.nested(i, n)
	case '[':
		return d.array(i, n)
	case '"':
		end, escaped := skipString(d.doc, i)
		if end < 0 {
			return d.fail(Truncated, len(d.doc))
		}
		if len(n.fields) > 0 || n.meta != metaNone {
			d.take(n, token{text: text(d.doc[i+1:end-1], escaped), kind: String})
		}
		return end, nil
	}
	end := skipScalar(d.doc, i)
	tok, ok := parseScalar(d.doc[i:end])
	if !ok {
		return d.fail(InvalidJSON, i)
	}
	if tok.kind != Null {
		d.take(n, tok)
	}
	return end, nil
}

// nested walks an object below a wanted path. The source of a search hit takes
// the place of the document.
func (d *Decoder) nested(i int, n *pathNode) (int, error) {
	if n.meta != metaSource {
		if n.children == nil {
			return d.skip(i)
		}
		return d.object(i, n)
	}
	end, err := d.object(i, d.root)
	if err == nil {
		d.ev.Source = d.doc[i:end]
	}
	return end, err
}

// skip passes a value nobody wants: it balances brackets and strings.
func (d *Decoder) skip(i int) (int, error) {
	if i >= len(d.doc) {
		return d.fail(Truncated, i)
	}
	depth := 0
	for i < len(d.doc) {
		switch c := d.doc[i]; c {
		case '{', '[':
			if depth++; depth+d.depth > MaxDepth {
				return d.fail(TooDeep, i)
			}
			i++
		case '}', ']':
			if depth--; depth < 0 {
				return d.fail(InvalidJSON, i)
			}
			i++
		case '"':
			end, _ := skipString(d.doc, i)
			if end < 0 {
				return d.fail(Truncated, len(d.doc))
			}
			i = end
		default:
			if depth > 0 {
				i++
				continue
			}
			end := skipScalar(d.doc, i)
			if end == i {
				return d.fail(InvalidJSON, i)
			}
			return end, nil
		}
		if depth == 0 {
			return i, nil
		}
	}
	return d.fail(Truncated, i)
}

// token is a scalar of a document before it has a field's type.
type token struct {
	kind Kind   // String, Bool, Long or Double
	text string // the characters of the scalar
}

func (d *Decoder) take(n *pathNode, tok token) {
	switch n.meta {
	case metaIndex:
		d.ev.Index = tok.text
	case metaID:
		d.ev.ID = tok.text
	}
	for _, f := range n.fields {
		if f == d.timestamp && !d.ev.timed {
			if v, ok := tok.as(DateNanos); ok {
				d.ev.when, d.ev.timed = v.Time(), v.kind == Date
			}
		}
		info := &d.set.fields[f]
		v, ok := tok.as(info.typ)
		if !ok {
			d.ev.Unreadable++
			continue
		}
		if info.caseless && v.kind == String {
			v.text = strings.ToLower(v.text)
		}
		if v.kind != Null {
			d.ev.add(f, v)
		}
	}
}

// as reads the token by the type of its field, as Elasticsearch's mappers do.
// It reports false where the type cannot read it; a null value is no value.
func (t token) as(typ Type) (Value, bool) {
	switch typ {
	case Keyword, Wildcard, Text, Flattened:
		return StringValue(t.text), true
	case Boolean:
		return t.asBool()
	case LongType:
		return t.asLong()
	case DoubleType:
		return t.asDouble()
	case DateType:
		v, ok := t.asDate()
		v.nsec -= v.nsec % 1e6 // the type keeps milliseconds
		return v, ok
	case DateNanos:
		return t.asDate()
	case IPType:
		a, err := netip.ParseAddr(t.text)
		return IPValue(a), err == nil
	case VersionType:
		return VersionValue(t.text), t.kind == String
	}
	if typ.Unsupported() {
		return Value{}, false
	}
	return t.natural(), true
}

func (t token) asBool() (Value, bool) {
	switch t.text {
	case "true":
		return BoolValue(true), true
	case "false":
		return BoolValue(false), true
	case "":
		return BoolValue(false), true
	}
	return Value{}, false
}

func (t token) asLong() (Value, bool) {
	if t.text == "" && t.kind == String {
		return Value{}, true
	}
	if n, err := strconv.ParseInt(t.text, 10, 64); err == nil {
		return LongValue(n), true
	}
	if n, err := strconv.ParseUint(t.text, 10, 64); err == nil {
		return DoubleValue(float64(n)), true // an unsigned long beyond the signed range
	}
	f, err := strconv.ParseFloat(t.text, 64)
	if err != nil || t.kind == Bool || !(f >= -1<<63 && f < 1<<63) {
		return Value{}, false
	}
	return LongValue(int64(f)), true // coerced: decimals are cut off
}

func (t token) asDouble() (Value, bool) {
	if t.text == "" && t.kind == String {
		return Value{}, true
	}
	f, err := strconv.ParseFloat(t.text, 64)
	if err != nil || t.kind == Bool || math.IsNaN(f) || math.IsInf(f, 0) {
		return Value{}, false
	}
	return DoubleValue(f), true
}

func (t token) asDate() (Value, bool) {
	if t.text == "" && t.kind == String {
		return Value{}, true
	}
	if t.kind == Bool {
		return Value{}, false
	}
	if t.kind != String {
		if when, ok := parseEpochMillis(t.text); ok {
			return DateValue(when), true
		}
		f, err := strconv.ParseFloat(t.text, 64) // 1.5e12
		if err != nil || math.Abs(f) > 1e17 {
			return Value{}, false
		}
		return DateValue(UnixMilli(int64(math.Floor(f)))), true
	}
	when, ok := ParseTime(t.text)
	return DateValue(when), ok
}

// natural gives the value the kind of its token. A number keeps its text, for
// tests that treat the field as a keyword.
func (t token) natural() Value {
	v := Value{kind: t.kind, natural: true, text: t.text}
	switch t.kind {
	case Bool:
		v.num = BoolValue(t.text == "true").num
	case Long:
		n, err := strconv.ParseInt(t.text, 10, 64)
		if err == nil {
			v.num = uint64(n)
			break
		}
		v.kind = Double
		fallthrough
	case Double:
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil || math.IsInf(f, 0) {
			v.kind = String // no number Elasticsearch could hold: only its text is left
			break
		}
		v.num = math.Float64bits(f)
	}
	return v
}
