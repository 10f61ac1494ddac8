package detect

import (
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/predicate"
	"github.com/shrike-project/shrike/sequence"
)

// Hits are the event queries an event hits. The zero value is ready for use; it
// belongs to one goroutine and is reused.
type Hits struct {
	list []int32 // their numbers in the network, and places among the detector's items
}

// hit is an event query of a rule: the only one, or an item of a sequence. What is asked
// of each hit stands here, near at hand, and not with the rule.
type hit struct {
	rule, item int32
	condition  int32 // its number in the network
	keys       int32 // items joined by the same fields have the same; alone: the rule needs no other event
	clock      int32
	sample     bool
	begins     bool        // a match can begin with the item; see begun
	override   event.Field // as in compiled
}

const alone = -1

// timed reports whether an event has the time a search of the rule goes by; a
// search by the override alone never sees an event without.
func (h *hit) timed(ev *event.Event) bool {
	return h.override == event.NoField || len(ev.Values(h.override)) > 0
}

// Len tells how many event queries hit.
func (h *Hits) Len() int { return len(h.list) }

// Matcher matches events against all rules of a Detector. It belongs to one
// goroutine.
type Matcher struct {
	d       *Detector
	network *predicate.Matcher
	plain   []int             // what holds, where there is no network
	byIndex map[string][]bool // index → which rules look at it
	lately  [placesKept]looked
	// earlier is how far the time of events had come before the latest one, latest
	// with it, both by clock; nil if no rule needs several events.
	earlier, latest []reach
	now             []reach // the time of the latest event, by clock

	sighter sighter
	packer  sequence.Packer
	joined  joined // of the current event
	slab    *slab  // of the arrivals since the last Pause; nil: there were none
	begun   *begun // nil: keys are noted of all hits
}

// reach is how far time has come; the zero value: nobody knows.
type reach struct {
	time  event.Time
	known bool
}

func (r *reach) to(t event.Time) {
	if !r.known || t.Compare(r.time) > 0 {
		r.time, r.known = t, true
	}
}

// NewMatcher makes a Matcher.
func (d *Detector) NewMatcher() *Matcher {
	m := &Matcher{d: d, byIndex: map[string][]bool{}}
	if !d.opt.Plain {
		m.network = d.network.NewMatcher()
	}
	if d.Sequences() > 0 {
		m.earlier, m.latest, m.now = make([]reach, len(d.clocks)), make([]reach, len(d.clocks)), make([]reach, len(d.clocks))
		m.sighter.counts, m.sighter.periods = make([]uint32, len(d.items)), make([]period, len(d.clocks))
	}
	return m
}

// Match fills h with the event queries that hit an event.
func (m *Matcher) Match(ev *event.Event, h *Hits) {
	h.list = h.list[:0]
	m.see(ev)
	found := m.found(ev)
	if len(found) == 0 {
		return
	}
	looks := m.looks(ev)
	for _, n := range found {
		at := &m.d.items[n]
		if (looks == nil || looks[at.rule]) && at.timed(ev) {
			h.list = append(h.list, int32(n))
		}
	}
}

// found gives the conditions that hold, in ascending order.
func (m *Matcher) found(ev *event.Event) []int {
	if m.network != nil {
		return m.network.Match(ev)
	}
	m.plain = m.plain[:0]
	for _, c := range m.d.rules {
		for i, cond := range c.conditions {
			if cond.Matches(ev) {
				m.plain = append(m.plain, int(c.first)+i)
			}
		}
	}
	return m.plain
}

// Signals calls emit for each rule with a single event query that an event hits,
// in the order of the rules. The signals hold until the next event is decoded.
func (d *Detector) Signals(ev *event.Event, h *Hits, emit func(*Signal)) {
	for _, n := range h.list {
		hit := &d.items[n]
		if hit.keys != alone {
			continue
		}
		c := d.rules[hit.rule]
		r := &sequence.Record{}
		r.SetDocument(ev.Source)
		r.SetHit(ev.Index, ev.ID)
		r.Time, r.Timed = d.clocks[c.clock].time(ev)
		s := &Signal{Rule: c.rule, Steps: []Step{{Record: r, Query: c.conditions[0].Query()}}, Time: r.Time, Timed: r.Timed, compiled: c, event: ev}
		emit(s)
	}
}

// see notes the time of an event.
func (m *Matcher) see(ev *event.Event) {
	copy(m.earlier, m.latest)
	for i := range m.latest {
		t, ok := m.d.clocks[i].time(ev)
		if m.now[i] = (reach{t, ok}); ok {
			m.latest[i].to(t)
		}
	}
}

// From says where the documents of the events to come stand; see sequence.Packer.From.
func (m *Matcher) From(data []byte, again func(from, to int) []byte) { m.packer.From(data, again) }

// Pause calls emit with how far the time of events has come since the last Pause,
// so that a Stream learns of events that hit nothing. What was emitted since then may be
// given to another goroutine from now on.
func (m *Matcher) Pause(emit func(*Arrival)) {
	m.packer.Seal()
	m.seal()
	for clock, r := range m.latest {
		if r.known {
			emit(&Arrival{clock: clock, earlier: r})
		}
		m.latest[clock] = reach{}
	}
}

// ItemHit is an event query of a sequence that an event hits.
type ItemHit struct {
	Rule int
	Item int
	// Keyed tells whether the event has the join keys it needs to take part.
	Keyed bool
}

// ItemHits tells which event queries of sequences and samples an event hits, also
// those for which it lacks a join key.
func (d *Detector) ItemHits(ev *event.Event, h *Hits) []ItemHit {
	var list []ItemHit
	var keys sequence.KeyList
	for _, n := range h.list {
		hit := &d.items[n]
		if c := d.rules[hit.rule]; c.plan != nil {
			keys.Reset()
			c.plan.Keys(ev, int(hit.item), &keys)
			list = append(list, ItemHit{int(hit.rule), int(hit.item), keys.Len() > 0})
		}
	}
	return list
}
