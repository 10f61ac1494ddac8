package detect

import (
	"slices"

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
	few  []identity // as long as they are
	many map[identity]struct{}
}

// identity is what tells one event from others: its index and id, or where it has no id
// its text, of which the hash is enough.
type identity struct {
	index, id string
	sum       uint64
}

// fewTwins is how many events of an instant are looked at one by one.
const fewTwins = 8

// again tells whether an event was seen before, and remembers it.
func (t *twins) again(r *sequence.Record) bool {
	if r.Time != t.at {
		t.at, t.few = r.Time, t.few[:0]
		if len(t.many) > 0 {
			clear(t.many)
		}
	}
	who := identity{index: r.Index(), id: r.ID(), sum: r.Sum()}
	if slices.Contains(t.few, who) {
		return true
	}
	if len(t.few) < fewTwins {
		t.few = append(t.few, who)
		return false
	}
	if _, again := t.many[who]; again {
		return true
	}
	if t.many == nil {
		t.many = map[identity]struct{}{}
	}
	t.many[who] = struct{}{}
	return false
}
