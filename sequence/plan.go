package sequence

import (
	"fmt"
	"slices"
	"time"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
)

// Plan is a compiled sequence or sample. It does not change and is safe for use by
// many goroutines.
type Plan struct {
	items   []item
	steps   []int // the item of each step; missing items make no step
	places  []int // the item of each place of a match in the order of the query
	layout  []int // for each place of a match in the order of the query: its step, or -1 for a missing event
	maxSpan int64 // milliseconds; 0: none
	until   int   // an item, or -1
	sample  bool
	missing bool // there are missing items
	leading bool // … before the first step
	// trailing tells that there are missing items behind the last step.
	trailing bool
}

// item is one event query of a sequence or sample.
type item struct {
	keys  []key
	steps []int // the steps an event of the item can be, the last one first
	gap   int   // of a missing item: how many steps precede it; else -1
}

type key struct {
	field    event.Field
	name     string
	optional bool
}

// Compile makes a plan of a parsed sequence or sample, and adds the fields of its
// join keys to fields. Item i of the plan is the i-th of q.Items().
func Compile(q *eql.Query, fields *event.FieldSet) (*Plan, error) {
	p := &Plan{until: -1, sample: q.Sample != nil}
	var shared []*eql.Field
	switch {
	case q.Sequence != nil:
		shared = q.Sequence.By
		p.maxSpan = q.Sequence.MaxSpan.Milliseconds()
		if q.Sequence.Until != nil {
			p.until = len(q.Sequence.Items)
		}
	case q.Sample != nil:
		shared = q.Sample.By
	default:
		return nil, fmt.Errorf("an event query has no steps")
	}
	for i, it := range q.Items() {
		p.addItem(i, it, shared, fields)
	}
	for i := range p.items {
		p.trailing = p.trailing || p.items[i].gap == len(p.steps)
	}
	return p, nil
}

func (p *Plan) addItem(i int, it *eql.Item, shared []*eql.Field, fields *event.FieldSet) {
	compiled := item{gap: -1}
	for _, f := range append(shared[:len(shared):len(shared)], it.By...) {
		compiled.keys = append(compiled.keys, key{fields.Add(f.Name), f.Name, f.Optional})
	}
	for range it.Runs {
		if i != p.until {
			p.places = append(p.places, i)
		}
		switch {
		case i == p.until:
		case it.Missing:
			compiled.gap = len(p.steps)
			p.missing = true
			p.leading = p.leading || compiled.gap == 0
			p.layout = append(p.layout, -1)
		default:
			compiled.steps = append([]int{len(p.steps)}, compiled.steps...)
			p.layout = append(p.layout, len(p.steps))
			p.steps = append(p.steps, i)
		}
	}
	p.items = append(p.items, compiled)
}

// Items tells how many items the plan has.
func (p *Plan) Items() int { return len(p.items) }

// Steps tells how many events a match has, missing ones not counted.
func (p *Plan) Steps() int { return len(p.steps) }

// Needed gives the items that every match has an event of, each once.
func (p *Plan) Needed() []int {
	var list []int
	for _, item := range p.steps {
		if len(list) == 0 || list[len(list)-1] != item {
			list = append(list, item)
		}
	}
	return list
}

// Begins reports whether an event of an item changes anything where none of the plan's
// items was hit before.
func (p *Plan) Begins(item int) bool {
	it := &p.items[item]
	return p.sample || it.gap == 0 || slices.Contains(it.steps, 0)
}

// ItemOfStep gives the item that a step belongs to.
func (p *Plan) ItemOfStep(step int) int { return p.steps[step] }

// ItemOfPlace gives the item that a place of Match.Records belongs to.
func (p *Plan) ItemOfPlace(place int) int { return p.places[place] }

// MaxSpan is the longest time from the first event of a match to the last; 0
// where there is no bound.
func (p *Plan) MaxSpan() time.Duration { return time.Duration(p.maxSpan) * time.Millisecond }

// IsSample reports whether the plan is that of a sample, for which time is of no
// matter.
func (p *Plan) IsSample() bool { return p.sample }

// KeyNames gives the names of an item's join keys.
func (p *Plan) KeyNames(item int) []string {
	names := make([]string, len(p.items[item].keys))
	for i, k := range p.items[item].keys {
		names[i] = k.name
	}
	return names
}

// Hit says that an event hits an item, and under which keys it does. A Tracker keeps
// copies of keys, and gives copies away.
type Hit struct {
	Item int
	Keys []string
}

// Match is a sequence or sample that is complete.
type Match struct {
	// Key holds the values of the join keys; see KeyValues.
	Key string
	// Records are the events in the order of the query's items; nil stands for a
	// missing event.
	Records []*Record
	// Order is the place of the match in the order of completion. Matches that had
	// to wait for the absence of an event come later than their Order tells.
	Order uint64
}
