package detect

import (
	"bytes"
	"strings"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/sequence"
)

// Hits are the event queries an event hits. The zero value is ready for use; it
// belongs to one goroutine and is reused.
type Hits struct{ list []hit }

// hit is an event query of a rule: the only one, or an item of a sequence.
type hit struct{ rule, item int32 }

// Len tells how many event queries hit.
func (h *Hits) Len() int { return len(h.list) }

// Matcher matches events against all rules of a Detector. It belongs to one
// goroutine.
type Matcher struct {
	d       *Detector
	byIndex map[string][]bool // index → which rules look at it
}

// NewMatcher makes a Matcher.
func (d *Detector) NewMatcher() *Matcher {
	return &Matcher{d: d, byIndex: map[string][]bool{}}
}

// Match fills h with the event queries that hit an event.
func (m *Matcher) Match(ev *event.Event, h *Hits) {
	h.list = h.list[:0]
	looks := m.looks(ev)
	for i, c := range m.d.rules {
		if looks != nil && !looks[i] {
			continue
		}
		if !c.timed(ev) {
			continue
		}
		for item, cond := range c.conditions {
			if cond.Matches(ev) {
				h.list = append(h.list, hit{int32(i), int32(item)})
			}
		}
	}
}

// Signals calls emit for each rule with a single event query that an event hits,
// in the order of the rules. The signals hold until the next event is decoded.
func (d *Detector) Signals(ev *event.Event, h *Hits, emit func(*Signal)) {
	for _, hit := range h.list {
		c := d.rules[hit.rule]
		if c.plan != nil {
			continue
		}
		r := &sequence.Record{Source: ev.Source, Index: ev.Index, ID: ev.ID}
		r.Time, r.Timed = d.clocks[c.clock].time(ev)
		s := &Signal{Rule: c.rule, Steps: []Step{{Record: r, Query: c.conditions[0].Query()}}, Time: r.Time, Timed: r.Timed, compiled: c, event: ev}
		emit(s)
	}
}

// Arrival is an event on its way to the rules that need several. It owns its
// memory.
type Arrival struct {
	record *sequence.Record
	clock  int
	hits   []arrivalHit
}

// arrivalHit is what an event hits of one rule.
type arrivalHit struct {
	rule int
	hits []sequence.Hit
}

// Arrivals calls emit with what an event hits of rules that need several events;
// more than once only where rules tell the time by different fields.
func (d *Detector) Arrivals(ev *event.Event, h *Hits, emit func(*Arrival)) {
	var byClock []*Arrival
	for _, hit := range h.list {
		c := d.rules[hit.rule]
		if c.plan == nil {
			continue
		}
		keys := c.plan.Keys(ev, int(hit.item), nil)
		if len(keys) == 0 {
			continue // a join key is missing
		}
		if byClock == nil {
			byClock = make([]*Arrival, len(d.clocks))
		}
		a := byClock[c.clock]
		if a == nil {
			a = &Arrival{record: d.record(ev, c.clock), clock: c.clock}
			byClock[c.clock] = a
		}
		a.add(int(hit.rule), sequence.Hit{Item: int(hit.item), Keys: keys})
	}
	for _, a := range byClock {
		if a != nil {
			emit(a)
		}
	}
}

func (a *Arrival) add(rule int, h sequence.Hit) {
	if n := len(a.hits); n > 0 && a.hits[n-1].rule == rule {
		a.hits[n-1].hits = append(a.hits[n-1].hits, h)
		return
	}
	a.hits = append(a.hits, arrivalHit{rule, []sequence.Hit{h}})
}

// record copies what is kept of an event.
func (d *Detector) record(ev *event.Event, clock int) *sequence.Record {
	r := &sequence.Record{Source: bytes.Clone(ev.Source), Index: strings.Clone(ev.Index), ID: strings.Clone(ev.ID)}
	r.Time, r.Timed = d.clocks[clock].time(ev)
	if tie := d.clocks[clock].tie; tie != event.NoField {
		r.Tie = ev.First(tie).Clone()
	}
	return r
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
	for _, hit := range h.list {
		if c := d.rules[hit.rule]; c.plan != nil {
			keyed := len(c.plan.Keys(ev, int(hit.item), nil)) > 0
			list = append(list, ItemHit{int(hit.rule), int(hit.item), keyed})
		}
	}
	return list
}
