package coverage

import (
	"strconv"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

// Options say how rules are judged.
type Options struct {
	// Types tells the types of fields; nil stands for event.DefaultTypes.
	Types *event.Types
	// IgnoreIndex judges rules as if they had no index patterns.
	IgnoreIndex bool
}

// Rule is a rule made ready to be judged. It does not change and is safe for use by
// many goroutines.
type Rule struct {
	Rule *rule.Rule

	fields      []string // all that the rule reads
	steps       []*step
	patterns    rule.IndexPatterns
	ignoreIndex bool
}

// step is an event query of a rule.
type step struct {
	name     string // "" where the rule has only one
	query    *eql.EventQuery
	source   string // of the whole query
	category string // the field that the category is compared with; "": any
	root     eql.Node
	leaves   map[*eql.Leaf]*leaf
	// absent marks an event that must not happen, or that ends a sequence: where it
	// cannot, the rule fires more often.
	absent bool
	keys   []*eql.Field
	// demanded is a field without which an event is not searched; "" if there is none.
	demanded string
}

// Compile makes a rule ready. It gives nil for a rule that cannot run.
func Compile(r *rule.Rule, opt Options) *Rule {
	if r.EQL == nil || r.Blocked != "" {
		return nil
	}
	out := &Rule{Rule: r, patterns: rule.ParseIndexPatterns(r.Index), ignoreIndex: opt.IgnoreIndex}
	fields := event.NewFieldSet(opt.Types)
	out.steps = newSteps(r)
	var conditions []*eql.Condition
	for _, st := range out.steps {
		c, err := eql.Compile(st.query, fields, eql.CompileOptions{CategoryField: r.EventCategoryOverride})
		if err != nil {
			return nil
		}
		conditions = append(conditions, c)
		if f := c.CategoryField(); f != event.NoField {
			st.category = fields.Name(f)
		}
		for _, key := range st.keys {
			fields.Add(key.Name)
		}
		if st.demanded != "" {
			fields.Add(st.demanded)
		}
	}
	var empty event.Event
	if err := event.NewDecoder(fields, "").Decode([]byte("{}"), &empty); err != nil {
		panic("coverage: an empty event is no event: " + err.Error())
	}
	for i, c := range conditions {
		out.steps[i].root = c.Root()
		out.steps[i].leaves = map[*eql.Leaf]*leaf{}
		out.steps[i].addLeaves(c.Root(), fields, &empty)
	}
	for f := range fields.Len() {
		out.fields = append(out.fields, fields.Name(event.Field(f)))
	}
	return out
}

// Fields gives the fields that the rule reads.
func (r *Rule) Fields() []string { return r.fields }

func newSteps(r *rule.Rule) []*step {
	demanded := ""
	if r.TimestampOverrideFallbackDisabled && r.TimestampOverride != "@timestamp" {
		demanded = r.TimestampOverride
	}
	if r.EQL.Event != nil {
		return []*step{{query: r.EQL.Event, source: r.EQL.Source, demanded: demanded}}
	}
	var by []*eql.Field
	var until *eql.Item
	if s := r.EQL.Sequence; s != nil {
		by, until = s.By, s.Until
	} else {
		by = r.EQL.Sample.By
	}
	var out []*step
	for i, it := range r.EQL.Items() {
		st := &step{name: strconv.Itoa(i + 1), query: &it.Query, source: r.EQL.Source, absent: it.Missing, demanded: demanded}
		if it == until {
			st.name, st.absent = "until", true
		}
		st.keys = append(append(st.keys, by...), it.By...)
		out = append(out, st)
	}
	return out
}

func (st *step) addLeaves(n eql.Node, fields *event.FieldSet, empty *event.Event) {
	switch n := n.(type) {
	case *eql.AllOf:
		for _, part := range n.List {
			st.addLeaves(part, fields, empty)
		}
	case *eql.AnyOf:
		for _, part := range n.List {
			st.addLeaves(part, fields, empty)
		}
	case *eql.Complement:
		st.addLeaves(n.Of, fields, empty)
	case *eql.Leaf:
		st.leaves[n] = newLeaf(n, fields, empty)
	}
}
