package detect

import (
	"slices"

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
func (k *eventKeys) of(ev *event.Event, d *Detector, c *compiled, item int32) int {
	set := d.keySets[c.first+item]
	at := slices.IndexFunc(k.sets, func(s keySet) bool { return s.set == set })
	if at < 0 {
		at = len(k.sets)
		from := k.list.Len()
		c.plan.Keys(ev, int(item), &k.list)
		k.sets = append(k.sets, keySet{set, from, k.list.Len()})
	}
	return at
}
