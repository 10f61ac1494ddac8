package detect

import (
	"sync"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
	"github.com/shrike-project/shrike/sequence"
)

// Signal is a rule that fired.
type Signal struct {
	Rule *rule.Rule
	// Steps are the events that made it fire: one, or those of a sequence or sample
	// in the order of its items.
	Steps []Step
	// Keys are the join keys of a sequence or sample: the names of its first item's
	// fields, and their values.
	Keys []JoinKey
	// Time is the time of the last event by the rule's timestamp field; Timed tells
	// whether it has one.
	Time  event.Time
	Timed bool
	// Order is the place of a sequence or sample among those of its rule, by
	// completion; see sequence.Match.
	Order uint64

	compiled *compiled
	event    *event.Event // of a single event query: the event, while it holds
	readers  *sync.Pool   // of *stepReader, for the events of sequences
}

// Step is an event of a signal.
type Step struct {
	// Record is the event, nil for a missing one ("![…]").
	Record *sequence.Record
	// Query is the event query it hit, or must not have hit.
	Query *eql.EventQuery

	item int
}

// JoinKey is a join key with the value its events share.
type JoinKey struct {
	Field string
	Value event.Value
}

// IsSequence reports whether the rule needs several events.
func (s *Signal) IsSequence() bool { return s.compiled.plan != nil }

// Traces tells for each step why its event hit the step's query; nil for missing
// events.
func (s *Signal) Traces() []*eql.Trace {
	if s.event != nil {
		return []*eql.Trace{s.compiled.conditions[0].Trace(s.event)}
	}
	list := make([]*eql.Trace, len(s.Steps))
	r := s.readers.Get().(*stepReader)
	defer s.readers.Put(r)
	for i, step := range s.Steps {
		if step.Record == nil || r.decoder.Decode(step.Record.Document(), &r.event) != nil {
			continue
		}
		list[i] = s.compiled.conditions[step.item].Trace(&r.event)
	}
	return list
}

// stepReader reads the events of sequences once more. A decoder for the fields of all
// rules is dear to make.
type stepReader struct {
	decoder *event.Decoder
	event   event.Event
}

// sequenceSignal makes the signal of a match.
func (d *Detector) sequenceSignal(c *compiled, m sequence.Match) *Signal {
	s := &Signal{Rule: c.rule, Order: m.Order, compiled: c, readers: d.readers}
	names := c.plan.KeyNames(0)
	for i, v := range sequence.KeyValues(m.Key) {
		s.Keys = append(s.Keys, JoinKey{names[i], v})
	}
	items := c.rule.EQL.Items()
	for place, r := range m.Records {
		item := c.plan.ItemOfPlace(place)
		s.Steps = append(s.Steps, Step{Record: r, Query: &items[item].Query, item: item})
		if r != nil && r.Timed && (!s.Timed || r.Time.Compare(s.Time) >= 0) {
			s.Time, s.Timed = r.Time, true
		}
	}
	return s
}
