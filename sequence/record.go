package sequence

// Records: what is kept of an event, and the order of events.

import (
	"cmp"
	"time"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
)

// Record is what is kept of an event. It does not change once it is observed, and
// is shared.
type Record struct {
	// Time is when the event happened; Timed tells whether it is known.
	Time  event.Time
	Timed bool

	at, length uint32 // where the document is in the bundle
	bundle     *bundle
	sum        uint64

	// Number is the record's place in the order of arrival.
	Number uint64

	extra *extra // nil for most records, which so take 64 bytes
}

// extra is what only some events have.
type extra struct {
	index, id string
	tie       event.Value
}

// Index gives the index of a search hit, else "".
func (r *Record) Index() string {
	if r.extra == nil {
		return ""
	}
	return r.extra.index
}

// ID gives the document id of a search hit, else "".
func (r *Record) ID() string {
	if r.extra == nil {
		return ""
	}
	return r.extra.id
}

// Tie gives the tiebreaker, which orders records of the same time; null if there is
// none.
func (r *Record) Tie() event.Value {
	if r.extra == nil {
		return event.Value{}
	}
	return r.extra.tie
}

// SetHit sets the index and id of a search hit.
func (r *Record) SetHit(index, id string) {
	if index != "" || id != "" {
		r.extra = &extra{index: index, id: id, tie: r.Tie()}
	}
}

// SetTie sets the tiebreaker to a copy of a value; null is none.
func (r *Record) SetTie(v event.Value) {
	if !v.IsNull() {
		r.extra = &extra{index: r.Index(), id: r.ID(), tie: v.Clone()} // records may share one
	}
}

// Compare orders records: by time, then tiebreaker, then arrival. Records without
// a time are last.
func (r *Record) Compare(s *Record) int {
	if r.Timed != s.Timed {
		if r.Timed {
			return -1
		}
		return 1
	}
	if c := r.Time.Compare(s.Time); c != 0 {
		return c
	}
	if c := compareTies(r.Tie(), s.Tie()); c != 0 {
		return c
	}
	return cmp.Compare(r.Number, s.Number)
}

// compareTies orders tiebreakers; null is last. A field may hold text in one event
// and a number in another, which as the operators compare them have no one order:
// "10" is less than "9", and both are numbers. So the kind comes first.
func compareTies(a, b event.Value) int {
	switch {
	case a.IsNull() && b.IsNull():
		return 0
	case a.IsNull():
		return 1
	case b.IsNull():
		return -1
	case a.Kind() != b.Kind() && !(a.IsNumber() && b.IsNumber()):
		return cmp.Compare(a.Kind(), b.Kind())
	}
	n, _ := eql.Order(a, b)
	return n
}

func (r *Record) millis() int64 { return r.Time.UnixMilli() }

// beyond reports whether the record is more than some milliseconds later than an
// earlier one.
func (r *Record) beyond(span int64, earlier *Record) bool {
	return r.Time.Compare(earlier.Time.Add(time.Duration(span)*time.Millisecond)) > 0
}
