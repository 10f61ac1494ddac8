package detect

import (
	"sync/atomic"

	"github.com/shrike-project/shrike/sequence"
)

// begun tells which rules have ever had something to go on from: an event of their first
// item, or of what must not come before it. Of a rule that has not begun, the other items
// change nothing, and the keys of the events that hit them are not needed. Most rules never
// begin.
//
// A Stream tells it to the Matchers. A Matcher may learn of it late, for other events than
// those in whose order it happened; so what it left out is read again from those.
type begun struct{ rules []atomic.Bool }

// has reports whether a rule has begun.
func (b *begun) has(rule int32) bool { return b.rules[rule].Load() }

// LeaveKeys lets the Matcher leave out keys that the Stream does not need, as long as
// it does not, of events that can be read again; see From.
func (m *Matcher) LeaveKeys(s *Stream) { m.begun = s.begun }

// begins reports whether one of the hits of a rule lets it begin.
func (d *Detector) begins(hits []itemHit) bool {
	for i := range hits {
		if c := d.rules[hits[i].rule]; d.items[c.first+hits[i].item].begins {
			return true
		}
	}
	return false
}

// leftOut gives the keys of an event for an item, which were left out.
func (s *Stream) leftOut(r *sequence.Record, h *itemHit) []string {
	reader := s.d.readers.Get().(*stepReader)
	defer s.d.readers.Put(reader)
	var u sequence.Unpacker
	var list sequence.KeyList
	if decodeAgain(reader.decoder, u.Document(r), &reader.event) != nil {
		return nil // it cannot be read again, which whoever reads it tells
	}
	s.d.rules[h.rule].plan.Keys(&reader.event, int(h.item), &list)
	return list.AppendTo(nil, string(list.Text()))
}
