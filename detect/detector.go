package detect

import (
	"fmt"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

// Options say how rules are run.
type Options struct {
	// Types tells the types of fields; nil stands for event.DefaultTypes.
	Types *event.Types
	// IgnoreIndex shows every event to every rule, whatever its index patterns.
	IgnoreIndex bool
	// Index is the index of events that do not tell theirs.
	Index string
	// Deprecated runs rules that their authors have withdrawn.
	Deprecated bool
}

// Detector holds compiled rules. It does not change and is safe for use by many
// goroutines.
type Detector struct {
	opt     Options
	rules   []*compiled
	skipped []Skipped
	fields  *event.FieldSet
	stream  [3]event.Field // data_stream.type, .dataset, .namespace
}

// Skipped is a rule that does not run.
type Skipped struct {
	Rule   *rule.Rule
	Reason string
}

// compiled is a rule made ready to run.
type compiled struct {
	rule      *rule.Rule
	condition *eql.Condition
	patterns  indexPatterns
	when      event.Field // the event's time
	override  event.Field // NoField: the rule does not demand it
}

// New compiles rules. Those that cannot run are listed by Skipped.
func New(rules []*rule.Rule, opt Options) *Detector {
	d := &Detector{opt: opt, fields: event.NewFieldSet(opt.Types)}
	for i, name := range []string{"data_stream.type", "data_stream.dataset", "data_stream.namespace"} {
		d.stream[i] = d.fields.Add(name)
	}
	for _, r := range rules {
		c, err := d.compile(r)
		if err != nil {
			d.skipped = append(d.skipped, Skipped{r, err.Error()})
			continue
		}
		d.rules = append(d.rules, c)
	}
	return d
}

func (d *Detector) compile(r *rule.Rule) (*compiled, error) {
	switch {
	case r.Blocked != "":
		return nil, fmt.Errorf("%s", r.Blocked)
	case r.Deprecated() && !d.opt.Deprecated:
		return nil, fmt.Errorf("the rule is deprecated")
	case len(r.Filters) > 0:
		return nil, fmt.Errorf("rule filters cannot run yet")
	case r.EQL.Event == nil:
		return nil, fmt.Errorf("sequences and samples cannot run yet")
	}
	c := &compiled{rule: r, patterns: parsePatterns(r.Index), when: event.NoField, override: event.NoField}
	var err error
	c.condition, err = eql.Compile(r.EQL.Event, d.fields, eql.CompileOptions{CategoryField: r.EventCategoryOverride, Labels: r.EQL.Label})
	if err != nil {
		return nil, err
	}
	if r.TimestampField != "" && r.TimestampField != "@timestamp" {
		c.when = d.fields.Add(r.TimestampField)
	}
	if r.TimestampOverride != "" && r.TimestampOverride != "@timestamp" && r.TimestampOverrideFallbackDisabled {
		c.override = d.fields.Add(r.TimestampOverride)
	}
	return c, nil
}

// Rules gives the rules that run, in the order they were given.
func (d *Detector) Rules() []*rule.Rule {
	list := make([]*rule.Rule, len(d.rules))
	for i, c := range d.rules {
		list[i] = c.rule
	}
	return list
}

// Skipped gives the rules that do not run, and why.
func (d *Detector) Skipped() []Skipped { return d.skipped }

// Fields gives the fields the rules read. Events have to be decoded with them.
func (d *Detector) Fields() *event.FieldSet { return d.fields }

// NewDecoder makes a decoder for the fields the rules read. Timestamp is the
// field events take their time from; "" is @timestamp. It has to be called before
// events are matched, and not by several goroutines at once.
func (d *Detector) NewDecoder(timestamp string) *event.Decoder {
	return event.NewDecoder(d.fields, timestamp)
}

// Signal is a rule that fired. It holds until the next event is decoded.
type Signal struct {
	Rule *rule.Rule
	// Event is the event that made the rule fire.
	Event *event.Event
	// Time is the time of the event by the rule's timestamp field; Timed tells
	// whether the event has one.
	Time  event.Time
	Timed bool

	condition *eql.Condition
}

// Trace tells why the rule fired.
func (s *Signal) Trace() *eql.Trace { return s.condition.Trace(s.Event) }

// Hits are the rules an event hits. The zero value is ready for use; it belongs
// to one goroutine and is reused.
type Hits struct{ rules []int32 }

// Len tells how many rules hit.
func (h *Hits) Len() int { return len(h.rules) }

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

// Match fills h with the rules that hit an event.
func (m *Matcher) Match(ev *event.Event, h *Hits) {
	h.rules = h.rules[:0]
	looks := m.looks(ev)
	for i, c := range m.d.rules {
		if looks != nil && !looks[i] {
			continue
		}
		if c.override != event.NoField && len(ev.Values(c.override)) == 0 {
			continue // a search by the override alone never sees the event
		}
		if c.condition.Matches(ev) {
			h.rules = append(h.rules, int32(i))
		}
	}
}

// Signals calls emit for each signal that follows from the hits of an event, in
// the order of the rules.
func (d *Detector) Signals(ev *event.Event, h *Hits, emit func(*Signal)) {
	for _, i := range h.rules {
		c := d.rules[i]
		s := &Signal{Rule: c.rule, Event: ev, condition: c.condition}
		s.Time, s.Timed = ev.Time()
		if c.when != event.NoField {
			v := ev.First(c.when)
			s.Time, s.Timed = v.Time(), v.Kind() == event.Date
		}
		emit(s)
	}
}

// Explain tells why a rule hits an event, or does not. It reports false for a
// rule that does not run.
func (d *Detector) Explain(r *rule.Rule, ev *event.Event) (*eql.Trace, bool) {
	for _, c := range d.rules {
		if c.rule == r {
			return c.condition.Trace(ev), true
		}
	}
	return nil, false
}
