package detect

import (
	"fmt"
	"hash/maphash"
	"slices"
	"sync"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/predicate"
	"github.com/shrike-project/shrike/rule"
	"github.com/shrike-project/shrike/sequence"
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
	// Plain asks each condition by itself, one after another, instead of the network of
	// all. It is slow, and there to hold the network to it: signals are the same.
	Plain bool
}

// Detector holds compiled rules. It does not change and is safe for use by many
// goroutines.
type Detector struct {
	opt     Options
	rules   []*compiled
	skipped []Skipped
	fields  *event.FieldSet
	stream  [3]event.Field // data_stream.type, .dataset, .namespace
	clocks  []clock
	network *predicate.Network
	items   []hit // by condition of the network
	seed    maphash.Seed
	readers *sync.Pool // of *stepReader
}

// Skipped is a rule that does not run. What else is said in it can be forgotten.
type Skipped struct {
	Place                  int // among the rules that New was given
	RuleID, Name, Severity string
	Reason                 string
}

// compiled is a rule made ready to run.
type compiled struct {
	rule *rule.Rule
	// conditions are those of the query's items; an event query has one.
	conditions []*eql.Condition
	first      int32          // the number of the first condition in the network
	plan       *sequence.Plan // nil for an event query
	clock      int
	patterns   rule.IndexPatterns
	override   event.Field // NoField: the rule does not demand it
}

// clock is how rules tell the time and order of events.
type clock struct {
	when event.Field // NoField: the event's own time
	tie  event.Field // NoField: none
}

// New compiles rules. Those that cannot run are listed by Skipped.
func New(rules []*rule.Rule, opt Options) *Detector {
	d := &Detector{opt: opt, fields: event.NewFieldSet(opt.Types), seed: maphash.MakeSeed()}
	d.fields.Add("@timestamp") // else the first decoder would, while others may read the set
	d.readers = &sync.Pool{New: func() any { return &stepReader{decoder: d.NewDecoder()} }}
	for i, name := range []string{"data_stream.type", "data_stream.dataset", "data_stream.namespace"} {
		d.stream[i] = d.fields.Add(name)
	}
	for i, r := range rules {
		c, err := d.compile(r)
		if err != nil {
			d.skipped = append(d.skipped, Skipped{i, r.RuleID, r.Name, r.Severity, err.Error()})
			continue
		}
		c.first = int32(len(d.items))
		for item := range c.conditions {
			d.items = append(d.items, hit{
				rule: int32(len(d.rules)), item: int32(item), condition: int32(len(d.items)), keys: alone,
				clock: int32(c.clock), sample: c.plan != nil && c.plan.IsSample(), begins: c.plan != nil && c.plan.Begins(item), override: c.override,
			})
		}
		d.rules = append(d.rules, c)
	}
	var conditions []*eql.Condition
	for _, c := range d.rules {
		conditions = append(conditions, c.conditions...)
	}
	d.network = predicate.Compile(conditions, d.fields)
	d.numberKeySets()
	return d
}

// numberKeySets tells apart the fields that items are joined by.
func (d *Detector) numberKeySets() {
	numbers := map[string]int32{}
	for n := range d.items {
		at := &d.items[n]
		if c := d.rules[at.rule]; c.plan != nil {
			fields := c.plan.KeyFields(int(at.item))
			if _, ok := numbers[fields]; !ok {
				numbers[fields] = int32(len(numbers))
			}
			at.keys = numbers[fields]
		}
	}
}

func (d *Detector) compile(r *rule.Rule) (*compiled, error) {
	switch {
	case r.Blocked != "":
		return nil, fmt.Errorf("%s", r.Blocked)
	case r.Deprecated() && !d.opt.Deprecated:
		return nil, fmt.Errorf("the rule is deprecated")
	case hasFilters(r):
		return nil, fmt.Errorf("rule filters cannot run yet")
	}
	c := &compiled{rule: r, patterns: rule.ParseIndexPatterns(r.Index), override: event.NoField}
	for _, q := range r.EQL.EventQueries() {
		cond, err := eql.Compile(q, d.fields, eql.CompileOptions{CategoryField: r.EventCategoryOverride, Labels: r.EQL.Label})
		if err != nil {
			return nil, err
		}
		c.conditions = append(c.conditions, cond)
	}
	if r.EQL.Event == nil {
		var err error
		if c.plan, err = sequence.Compile(r.EQL, d.fields); err != nil {
			return nil, err
		}
	}
	c.clock = d.clockOf(r)
	if r.TimestampOverride != "" && r.TimestampOverride != "@timestamp" && r.TimestampOverrideFallbackDisabled {
		c.override = d.fields.Add(r.TimestampOverride)
	}
	return c, nil
}

// hasFilters reports whether a rule has filters that are not switched off.
func hasFilters(r *rule.Rule) bool {
	return slices.ContainsFunc(r.Filters, func(f any) bool {
		m, _ := f.(map[string]any)
		meta, _ := m["meta"].(map[string]any)
		return meta["disabled"] != true
	})
}

// clockOf gives the number of the clock a rule goes by.
func (d *Detector) clockOf(r *rule.Rule) int {
	c := clock{event.NoField, event.NoField}
	if r.TimestampField != "" && r.TimestampField != "@timestamp" {
		c.when = d.fields.Add(r.TimestampField)
	}
	if r.TiebreakerField != "" {
		c.tie = d.fields.Add(r.TiebreakerField)
	}
	for i, known := range d.clocks {
		if known == c {
			return i
		}
	}
	d.clocks = append(d.clocks, c)
	return len(d.clocks) - 1
}

// time gives the time of an event by a clock.
func (c clock) time(ev *event.Event) (event.Time, bool) {
	if c.when == event.NoField {
		return ev.Time()
	}
	return ev.TimeIn(c.when)
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

// Sequences tells how many of the rules need several events.
func (d *Detector) Sequences() int {
	n := 0
	for _, c := range d.rules {
		if c.plan != nil {
			n++
		}
	}
	return n
}

// Fields gives the fields the rules read. Events have to be decoded with them.
func (d *Detector) Fields() *event.FieldSet { return d.fields }

// NewDecoder makes a decoder for the fields the rules read.
func (d *Detector) NewDecoder() *event.Decoder { return event.NewDecoder(d.fields, "") }

// NewPrefilter makes a prefilter that passes over documents which no rule needs to
// see; nil if there is none. It belongs to one goroutine.
func (d *Detector) NewPrefilter() *predicate.Prefilter {
	if d.opt.Plain {
		return nil
	}
	return d.network.NewPrefilter()
}

// Explain tells why a rule's event query hits an event, or does not; of a rule
// with several event queries, why each does. It gives none for a rule that does
// not run.
func (d *Detector) Explain(r *rule.Rule, ev *event.Event) []*eql.Trace {
	for _, c := range d.rules {
		if c.rule == r {
			return c.explain(ev)
		}
	}
	return nil
}

// Unseen tells why a rule does not look at an event at all, "" if it does or does
// not run.
func (d *Detector) Unseen(r *rule.Rule, ev *event.Event) string {
	for _, c := range d.rules {
		if c.rule != r {
			continue
		}
		if index := d.Index(ev); !d.opt.IgnoreIndex && index != "" && !c.patterns.Match(index) {
			return fmt.Sprintf("its index %s matches none of the rule's index patterns", index)
		}
		if !d.items[c.first].timed(ev) {
			return fmt.Sprintf("it has no %s, the timestamp_override, and the rule forbids to use @timestamp instead", r.TimestampOverride)
		}
	}
	return ""
}

func (c *compiled) explain(ev *event.Event) []*eql.Trace {
	list := make([]*eql.Trace, len(c.conditions))
	for i, cond := range c.conditions {
		list[i] = cond.Trace(ev)
	}
	return list
}
