package detect

import (
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/sequence"
)

// eventKeys are the keys that an event has, those of each set of key fields once.
type eventKeys struct {
	sets []keySet
	list sequence.KeyList
}

// keySet is the keys that an event has for items joined by the same fields.
type keySet struct {
	set      int32
	keyed    bool // there are keys
	noted    bool // they are in the list
	from, to int  // of the list
}

func (k *eventKeys) reset() {
	k.sets = k.sets[:0]
	k.list.Reset()
}

// place gives the place among the sets of that of an item, which is added if it is not there,
// and whether it was.
func (k *eventKeys) place(h *hit) (at int, known bool) {
	for at := range k.sets {
		if k.sets[at].set == h.keys {
			return at, true
		}
	}
	k.sets = append(k.sets, keySet{set: h.keys})
	return len(k.sets) - 1, false
}

// has reports whether the event has keys for an item, which need not be noted.
func (k *eventKeys) has(ev *event.Event, d *Detector, h *hit) bool {
	at, known := k.place(h)
	s := &k.sets[at]
	if !known {
		s.keyed = d.rules[h.rule].plan.Keyed(ev, int(h.item))
	}
	return s.keyed
}

// of notes the keys of an item, and gives the place among the sets of that of the item.
func (k *eventKeys) of(ev *event.Event, d *Detector, h *hit) int {
	at, _ := k.place(h)
	if s := &k.sets[at]; !s.noted {
		s.noted, s.from = true, k.list.Len()
		d.rules[h.rule].plan.Keys(ev, int(h.item), &k.list)
		s.to = k.list.Len()
		s.keyed = s.from < s.to
	}
	return at
}
