package detect

import (
	"hash/maphash"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/sequence"
)

// twins finds events that come once more: with the index and id of one before, or
// without an id and with the same text. An event is one event however often it is
// sent, and must not be two steps of a sequence.
//
// Events come in the order of their time, so those of one instant are all that have
// to be remembered; later ones of an earlier instant are late.
type twins struct {
	at   event.Time
	seed maphash.Seed
	seen map[uint64]struct{}
}

// again tells whether an event was seen before, and remembers it.
func (t *twins) again(r *sequence.Record) bool {
	if t.seen == nil {
		t.seed, t.seen = maphash.MakeSeed(), map[uint64]struct{}{}
	}
	if r.Time != t.at {
		clear(t.seen)
		t.at = r.Time
	}
	var h maphash.Hash
	h.SetSeed(t.seed)
	_, _ = h.WriteString(r.Index())
	_ = h.WriteByte(0)
	if id := r.ID(); id != "" {
		_, _ = h.WriteString(id)
	} else {
		_ = h.WriteByte(1)
		maphash.WriteComparable(&h, r.Sum())
	}
	sum := h.Sum64()
	_, again := t.seen[sum]
	t.seen[sum] = struct{}{}
	return again
}
