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
	// Looked counts the events for which one of its event queries was looked at in
	// full, Hits those that one hit, and Took is the time spent on it alone.
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
	// Took is the time in the network: to find what has to be looked at, and to look.
	// Looking is the time of the latter, also counted for each rule.
	Took, Looking time.Duration
}

// NewMeter makes a Meter that goes by the clock now.
func (d *Detector) NewMeter(now func() time.Duration) *Meter {
	m := &Meter{d: d, m: d.network.NewMatcher(), now: now, seen: make([]meterMarks, len(d.rules))}
	m.clock = 1 << 62
	for range 1000 {
		before := now()
		m.clock = min(m.clock, now()-before)
	}
	for _, c := range d.rules {
		cost := RuleCost{Rule: c.rule}
		for i := range c.conditions {
			cost.Filings = append(cost.Filings, d.network.Filing(int(c.first)+i))
		}
		m.costs = append(m.costs, cost)
	}
	return m
}

// Match matches an event.
func (m *Meter) Match(ev *event.Event) {
	m.total.Events++
	looks := int64(0)
	before := m.now()
	m.m.Look(ev, m.now, func(condition int, took time.Duration, full, holds bool) {
		looks++
		at := m.d.items[condition].rule
		c, seen := &m.costs[at], &m.seen[at]
		took = max(0, took-m.clock)
		c.Took += took
		m.total.Looking += took
		if full && seen.looked != m.total.Events {
			seen.looked = m.total.Events
			c.Looked++
		}
		if holds && seen.hit != m.total.Events {
			seen.hit = m.total.Events
			c.Hits++
		}
	})
	m.total.Took += max(0, m.now()-before-m.clock*time.Duration(1+2*looks))
}

// Costs gives the cost of each rule that runs, and of all together.
func (m *Meter) Costs() ([]RuleCost, Measured) { return slices.Clone(m.costs), m.total }
