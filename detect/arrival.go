package detect

import (
	"iter"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/sequence"
)

// Arrival is an event on its way to the rules that need several, or, without a
// record, the news how far time has come. A Stream that has observed it may use its
// memory for another one.
type Arrival struct {
	record  *sequence.Record
	clock   int
	hits    []itemHit // in the order of the rules
	earlier reach     // how far time had come before the event
	bytes   int       // its share of those that wait
	slab    *slab     // of whose memory it is; nil: its own
}

// done says that nobody needs the arrival any more.
func (a *Arrival) done() {
	if a.slab != nil {
		a.slab.release()
	}
}

// itemHit is an item of a rule that an event hits, and the keys under which it does.
type itemHit struct {
	rule, item int32
	keys       []string // nil: they are read from the event when they are needed, see begun
}

// byRule gives the hits of each rule.
func byRule(hits []itemHit) iter.Seq2[int32, []itemHit] {
	return func(yield func(int32, []itemHit) bool) {
		for len(hits) > 0 {
			n := 1
			for n < len(hits) && hits[n].rule == hits[0].rule {
				n++
			}
			if !yield(hits[0].rule, hits[:n]) {
				return
			}
			hits = hits[n:]
		}
	}
}

// Arrivals calls emit with what the event that was matched last hits of rules that
// need several events; more than once only where rules tell the time by different
// fields.
func (m *Matcher) Arrivals(ev *event.Event, h *Hits, emit func(*Arrival)) {
	d, j := m.d, &m.joined
	j.reset()
	later := m.begun != nil && m.packer.Rereads(ev.Source) && ev.Whole()
	for _, n := range h.list {
		if hit := &d.items[n]; hit.keys != alone {
			j.add(ev, d, n, later && !hit.begins && !m.begun.has(hit.rule))
		}
	}
	if len(j.hits) == 0 {
		return
	}
	if m.slab == nil {
		m.slab = newSlab()
	}
	keys := j.keys.list.AppendTo(m.slab.keys.take(j.keys.list.Len())[:0], m.slab.text(j.keys.list.Text()))
	for clock := range d.clocks {
		if n := j.count(d, clock); n > 0 {
			a := m.slab.arrival()
			a.record, a.clock, a.earlier = m.record(ev, clock), clock, m.earlier[clock]
			a.hits = j.appendHits(m.slab.hits.take(n)[:0], d, clock, keys)
			emit(a)
		}
	}
	if m.slab.full() {
		m.seal()
	}
}

// seal says that no more arrivals are made in the memory of the latest ones.
func (m *Matcher) seal() {
	if m.slab != nil {
		m.slab.release()
		m.slab = nil
	}
}

// joined is what an event hits of rules that need several, with its keys.
type joined struct {
	hits []joinedHit
	keys eventKeys
}

// joinedHit is a hit of an item whose keys are those of a set.
type joinedHit struct {
	at    int32 // among the detector's items
	set   int32
	later bool // the keys are not needed now
}

func (j *joined) reset() {
	j.hits = j.hits[:0]
	j.keys.reset()
}

// add adds a hit of a rule, if the event has its join keys.
func (j *joined) add(ev *event.Event, d *Detector, item int32, later bool) {
	h := &d.items[item]
	if later {
		if j.keys.has(ev, d, h) {
			j.hits = append(j.hits, joinedHit{at: item, later: true})
		}
		return
	}
	if set := j.keys.of(ev, d, h); j.keys.sets[set].keyed {
		j.hits = append(j.hits, joinedHit{at: item, set: int32(set)})
	}
}

// count tells how many hits are of rules that tell the time by a clock.
func (j *joined) count(d *Detector, clock int) (n int) {
	for i := range j.hits {
		if int(d.items[j.hits[i].at].clock) == clock {
			n++
		}
	}
	return n
}

// appendHits appends the hits of rules that tell the time by a clock. Keys are those of
// the list.
func (j *joined) appendHits(list []itemHit, d *Detector, clock int, keys []string) []itemHit {
	for _, joined := range j.hits {
		h := &d.items[joined.at]
		if int(h.clock) != clock {
			continue
		}
		hit := itemHit{rule: h.rule, item: h.item}
		if !joined.later {
			s := &j.keys.sets[joined.set]
			hit.keys = keys[s.from:s.to:s.to]
		}
		list = append(list, hit)
	}
	return list
}

// record copies what is kept of the event that was matched last.
func (m *Matcher) record(ev *event.Event, clock int) *sequence.Record {
	r := &sequence.Record{Time: m.now[clock].time, Timed: m.now[clock].known}
	m.packer.Pack(r, ev.Index, ev.ID, ev.Source)
	if tie := m.d.clocks[clock].tie; tie != event.NoField {
		r.SetTie(ev.First(tie))
	}
	return r
}
