package detect

import (
	"slices"
	"time"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/predicate"
	"github.com/shrike-project/shrike/rule"
)

// RuleCost tells what a rule costs.
type RuleCost struct {
	Rule *rule.Rule
	// Filings tell how each of the rule's event queries is filed in the network.
	Filings []predicate.Filing
	Spent
}

// Spent is what a rule took of the events that a Meter looked at.
type Spent struct {
	// Looked counts the events with the witnesses of one of its event queries, Hits those
	// that one hit, and Took is what it takes to look at those it has in full.
	Looked, Hits int64
	Took         time.Duration
}

// A Meter matches events as a Matcher does, and measures what each rule costs. It
// belongs to one goroutine.
type Meter struct {
	d     *Detector
	m     *predicate.Matcher
	now   func() time.Duration
	clock time.Duration // what asking for the time takes
	costs []RuleCost
	seen  []meterMarks
	total Measured
}

// meterMarks are the events a rule was counted for last.
type meterMarks struct{ looked, hit int64 }

// Measured is what a Meter has measured of all rules together.
type Measured struct {
	Events int64
	// Took is the time in the network, which looks at all rules together.
	Took time.Duration
}

// NewMeter makes a Meter that goes by the clock now.
func (d *Detector) NewMeter(now func() time.Duration) *Meter {
	m := d.newMeter(d.network.NewMatcher(), now)
	for i, c := range d.rules {
		for n := range c.conditions {
			m.costs[i].Filings = append(m.costs[i].Filings, d.network.Filing(int(c.first)+n))
		}
	}
	return m
}

// NewMeter makes a Meter that shares with the Matcher what it remembers, to look at some
// of the events that the Matcher will match next. It goes by the clock now, and does not
// tell how event queries are filed. It is nil where the rules run without a network.
func (m *Matcher) NewMeter(now func() time.Duration) *Meter {
	if m.network == nil {
		return nil
	}
	return m.d.newMeter(m.network, now)
}

func (d *Detector) newMeter(network *predicate.Matcher, now func() time.Duration) *Meter {
	m := &Meter{d: d, m: network, now: now, seen: make([]meterMarks, len(d.rules))}
	m.clock = 1 << 62
	for range 1000 {
		before := now()
		m.clock = min(m.clock, now()-before)
	}
	for _, c := range d.rules {
		m.costs = append(m.costs, RuleCost{Rule: c.rule})
	}
	return m
}

// Match matches an event, and then looks at each rule alone whose witnesses it has.
func (m *Meter) Match(ev *event.Event) {
	m.total.Events++
	before := m.now()
	m.m.Match(ev)
	m.total.Took += max(0, m.now()-before-m.clock)
	m.m.Look(ev, m.now, func(condition int, took time.Duration, holds bool) {
		at := m.d.items[condition].rule
		c, seen := &m.costs[at], &m.seen[at]
		c.Took += max(0, took-m.clock)
		if seen.looked != m.total.Events {
			seen.looked = m.total.Events
			c.Looked++
		}
		if holds && seen.hit != m.total.Events {
			seen.hit = m.total.Events
			c.Hits++
		}
	})
}

// Drain adds to list, which has a place for each rule that runs, what was measured since
// the last time, and forgets it.
func (m *Meter) Drain(list []Spent) {
	for i := range m.costs {
		c := &m.costs[i]
		list[i].Looked += c.Looked
		list[i].Hits += c.Hits
		list[i].Took += c.Took
		c.Spent = Spent{}
	}
}

// Costs gives the cost of each rule that runs, and of all together.
func (m *Meter) Costs() ([]RuleCost, Measured) { return slices.Clone(m.costs), m.total }
