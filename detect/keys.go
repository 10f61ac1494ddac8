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
	from, to int // of the list
}

func (k *eventKeys) reset() {
	k.sets = k.sets[:0]
	k.list.Reset()
}

// of gives the place among the sets of that of an item.
func (k *eventKeys) of(ev *event.Event, d *Detector, h *hit) int {
	for at := range k.sets {
		if k.sets[at].set == h.keys {
			return at
		}
	}
	from := k.list.Len()
	d.rules[h.rule].plan.Keys(ev, int(h.item), &k.list)
	k.sets = append(k.sets, keySet{h.keys, from, k.list.Len()})
	return len(k.sets) - 1
}
