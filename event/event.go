package event

import "fmt"

// Event is one decoded document. It belongs to one goroutine; a Decoder fills
// it anew for each document.
type Event struct {
	// Source is the document as it came: the object itself, or what a search
	// hit ({"_index":…,"_id":…,"_source":{…}}) carries as its source. It shares
	// memory with the bytes that were decoded.
	Source []byte
	// Index and ID are the _index and _id of a search hit, else empty.
	Index, ID string
	// Unreadable counts values that the type of their field could not read.
	Unreadable int

	set     *FieldSet
	values  [][]Value
	touched []Field
	when    Time
	timed   bool
}

// Values gives the values of a field in document order, none if it is missing.
// The slice is valid until the next Decode.
func (e *Event) Values(f Field) []Value {
	if f < 0 || int(f) >= len(e.values) {
		return nil
	}
	return e.values[f]
}

// First gives the first value of a field, or null.
func (e *Event) First(f Field) Value {
	if v := e.Values(f); len(v) > 0 {
		return v[0]
	}
	return Value{}
}

// Fields gives the set the event was decoded with.
func (e *Event) Fields() *FieldSet { return e.set }

// Time gives the time of the event, with nanoseconds, and whether the document
// has one: the first readable value of the Decoder's timestamp field.
func (e *Event) Time() (Time, bool) { return e.when, e.timed }

func (e *Event) reset(set *FieldSet) {
	if e.set != set {
		e.set = set
		e.values = make([][]Value, set.Len())
		e.touched = e.touched[:0]
	}
	for _, f := range e.touched {
		e.values[f] = e.values[f][:0]
	}
	e.touched = e.touched[:0]
	e.Source, e.Index, e.ID, e.Unreadable = nil, "", "", 0
	e.when, e.timed = Time{}, false
}

func (e *Event) add(f Field, v Value) {
	if len(e.values[f]) == 0 {
		e.touched = append(e.touched, f)
	}
	e.values[f] = append(e.values[f], v)
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
