package detect

import (
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
	few  []twin // the first of each likeness, as long as they are
	many map[likeness]*sequence.Record
	same map[identity]struct{} // of all of a likeness that there are several of
}

// likeness is what is known of an event without reading it. With an id, it tells the event
// from all others.
type likeness struct {
	index, id string
	length    int
}

type twin struct {
	likeness
	first *sequence.Record
}

// identity tells events without an id from each other: the hash of the text is enough.
type identity struct {
	index string
	sum   uint64
}

// fewTwins is how many events of an instant are looked at one by one.
const fewTwins = 8

// again tells whether an event was seen before, and remembers it.
func (t *twins) again(r *sequence.Record) bool {
	if r.Time != t.at {
		t.forget()
		t.at = r.Time
	}
	like := likeness{r.Index(), r.ID(), r.Length()}
	if like.id != "" {
		like.length = 0
	}
	first := t.first(like, r)
	if first == r || like.id != "" {
		return first != r
	}
	if t.same == nil {
		t.same = map[identity]struct{}{}
	}
	t.same[identity{like.index, first.Sum()}] = struct{}{}
	who := identity{like.index, r.Sum()}
	_, again := t.same[who]
	t.same[who] = struct{}{}
	return again
}

// first gives the first event of a likeness, which is r if there is none yet.
func (t *twins) first(like likeness, r *sequence.Record) *sequence.Record {
	for i := range t.few {
		if t.few[i].likeness == like {
			return t.few[i].first
		}
	}
	if len(t.few) < fewTwins {
		t.few = append(t.few, twin{like, r})
		return r
	}
	if first, known := t.many[like]; known {
		return first
	}
	if t.many == nil {
		t.many = map[likeness]*sequence.Record{}
	}
	t.many[like] = r
	return r
}

func (t *twins) forget() {
	clear(t.few)
	t.few = t.few[:0]
	if len(t.many) > 0 {
		clear(t.many)
	}
	if len(t.same) > 0 {
		clear(t.same)
	}
}
