package eql

// Traces: why a condition holds for an event, or does not.

import (
	"fmt"
	"strings"

	"github.com/shrike-project/shrike/event"
)

// Result is what a part of a condition comes to.
type Result string

// The results. Unknown is a test of a field that the event lacks: it does not
// hold, and its negation does.
const (
	True    Result = "true"
	False   Result = "false"
	Unknown Result = "unknown"
)

// Trace tells what each part of a condition comes to for one event. It owns its
// memory, but for the Part.
type Trace struct {
	*Part
	Result Result `json:"result"`
	// Fields are the values a test looked at.
	Fields []FieldTrace `json:"fields,omitempty"`
	// Patterns are those of a list of patterns or values that matched.
	Patterns []string `json:"patterns,omitempty"`
	Children []*Trace `json:"children,omitempty"`
}

// Part is a part of a condition, as all its traces show it.
type Part struct {
	// Kind is "query", "category", "and", "or", "not" or "test".
	Kind string `json:"kind"`
	// Label is the comment that stands before the part in the query.
	Label string `json:"label,omitempty"`
	// Expr is the part as text, Short the same with long lists cut.
	Expr  string `json:"expr"`
	Short string `json:"-"`

	head  string // of a list test: what stands before its list
	fixed string // how traces begin as JSON, up to the result
}

// FieldTrace is what a test saw of a field.
type FieldTrace struct {
	Name string `json:"name"`
	// Values are the field's values, at most MaxTraceValues of them; none if the
	// event lacks the field.
	Values []string `json:"values"`
	// Decided is the value that made the test true, if it is not the only one.
	Decided string `json:"decided,omitempty"`
}

// MaxTraceValues is the most values of one field that a trace lists.
const MaxTraceValues = 20

// Trace tells why the condition holds for an event, or does not.
func (c *Condition) Trace(ev *event.Event) *Trace {
	x := c.explain()
	t := newTracer(ev, x.query.size)
	query, root := t.begin(x.query), t.trace(x.root)
	query.Result = result(root.Result == True)
	if holds := c.categoryMatches(ev); x.category != nil {
		category := t.begin(x.category)
		category.Fields = t.seen(x.category.fields, c.category)
		if category.Result = result(holds); len(category.Fields[0].Values) == 0 {
			category.Result = Unknown
		}
		query.Children = append(query.Children, category)
		if !holds {
			query.Result = False
		}
	}
	query.Children = append(query.Children, root)
	return query
}

func result(b bool) Result {
	if b {
		return True
	}
	return False
}

// traceSize is how many nodes traces have, links to children, and fields.
type traceSize struct{ nodes, links, fields int }

func (s *traceSize) add(t traceSize) {
	s.nodes += t.nodes
	s.links += t.links
	s.fields += t.fields
}

// tracer makes the trace of one event, in memory that was made for all of it.
type tracer struct {
	ev      *event.Event
	scratch Scratch
	nodes   []Trace
	links   []*Trace
	fields  []FieldTrace
	values  []string
	texts   strings.Builder // what was copied of the event
}

func newTracer(ev *event.Event, size traceSize) *tracer {
	return &tracer{ev: ev, nodes: make([]Trace, size.nodes), links: make([]*Trace, size.links), fields: make([]FieldTrace, size.fields)}
}

// begin makes a trace that tells nothing of the event yet. There is room for its
// children.
func (t *tracer) begin(x *explainer) *Trace {
	node := &t.nodes[0]
	node.Part, t.nodes = x.part, t.nodes[1:]
	n := len(x.parts)
	node.Children, t.links = t.links[:0:n], t.links[n:]
	return node
}

func (t *tracer) trace(x *explainer) *Trace {
	switch {
	case x.leaf != nil:
		return t.test(x)
	case x.part.Kind == "and":
		return t.list(x, true)
	case x.part.Kind == "or":
		return t.list(x, false)
	}
	return t.complement(x)
}

// list traces a conjunction, which holds if all of its parts do, or a disjunction,
// which does not hold if none does.
func (t *tracer) list(x *explainer, all bool) *Trace {
	node := t.begin(x)
	holds := all
	for _, part := range x.parts {
		child := t.trace(part)
		node.Children = append(node.Children, child)
		if (child.Result == True) != all {
			holds = !all
		}
	}
	node.Result = result(holds)
	return node
}

func (t *tracer) complement(x *explainer) *Trace {
	node, inner := t.begin(x), t.trace(x.parts[0])
	node.Result = result(inner.Result != True)
	if x.part.Kind == "test" {
		node.Fields, node.Patterns, node.Children = inner.Fields, inner.Patterns, nil
		return node
	}
	node.Children = append(node.Children, inner)
	return node
}

func (t *tracer) test(x *explainer) *Trace {
	node := t.begin(x)
	node.Result = Unknown
	node.Fields = t.seen(x.fields, x.leaf.fields...)
	eval := x.leaf.evaluator()
	x.leaf.choices(t.ev, &t.scratch, func(env *env) bool {
		v := eval(env)
		if !v.IsNull() && node.Result == Unknown {
			node.Result = False
		}
		if !v.Bool() {
			return true
		}
		node.Result = True
		for i := range node.Fields {
			if len(node.Fields[i].Values) > 1 {
				node.Fields[i].Decided = t.copy(env.values[i].Display())
			}
		}
		for _, elem := range x.elements {
			if elem.matches(env).Bool() {
				node.Patterns = append(node.Patterns, elem.text)
			}
		}
		return false
	})
	return node
}

// seen gives what the event has of some fields.
func (t *tracer) seen(names []string, fields ...event.Field) []FieldTrace {
	if len(fields) == 0 {
		return nil
	}
	list := t.fields[:len(fields):len(fields)]
	t.fields = t.fields[len(fields):]
	for i, f := range fields {
		values := t.ev.Values(f)
		values = values[:min(len(values), MaxTraceValues)]
		list[i] = FieldTrace{Name: names[i], Values: t.room(len(values))}
		for k, v := range values {
			list[i].Values[k] = t.copy(v.Display())
		}
	}
	return list
}

// copy gives a text in memory of the trace.
func (t *tracer) copy(s string) string {
	if t.texts.Cap()-t.texts.Len() < len(s) {
		t.texts = strings.Builder{} // the texts in the old one stay where they are
		t.texts.Grow(max(len(s), 512))
	}
	at := t.texts.Len()
	t.texts.WriteString(s)
	return t.texts.String()[at:]
}

// room gives memory for n texts.
func (t *tracer) room(n int) []string {
	if n == 0 {
		return []string{}
	}
	if n > len(t.values) {
		t.values = make([]string, max(n, 16))
	}
	list := t.values[:n:n]
	t.values = t.values[n:]
	return list
}

// AppendJSON writes the trace as encoding/json does, with the escapes of
// event.AppendQuoted. Fixed, if it is not nil, appends a text that is the same in all
// traces of a condition, or notes to do so later.
func (t *Trace) AppendJSON(dst []byte, fixed func(dst []byte, text string) []byte) []byte {
	switch {
	case t == nil:
		return append(dst, "null"...)
	case fixed == nil:
		dst = append(dst, t.fixed...)
	default:
		dst = fixed(dst, t.fixed)
	}
	dst = event.AppendQuoted(dst, string(t.Result))
	for i := range t.Fields {
		dst = appendListed(dst, `,"fields":[`, i)
		dst = t.Fields[i].appendJSON(dst)
	}
	dst = endListed(dst, len(t.Fields))
	for i, p := range t.Patterns {
		dst = appendListed(dst, `,"patterns":[`, i)
		dst = event.AppendQuoted(dst, p)
	}
	dst = endListed(dst, len(t.Patterns))
	for i, child := range t.Children {
		dst = appendListed(dst, `,"children":[`, i)
		dst = child.AppendJSON(dst, fixed)
	}
	return append(endListed(dst, len(t.Children)), '}')
}

// appendFixed begins the JSON of a trace of the part: all of it that no event changes.
func (p *Part) appendFixed(dst []byte) []byte {
	dst = event.AppendQuoted(append(dst, `{"kind":`...), p.Kind)
	if p.Label != "" {
		dst = event.AppendQuoted(append(dst, `,"label":`...), p.Label)
	}
	dst = event.AppendQuoted(append(dst, `,"expr":`...), p.Expr)
	return append(dst, `,"result":`...)
}

func (f *FieldTrace) appendJSON(dst []byte) []byte {
	dst = event.AppendQuoted(append(dst, `{"name":`...), f.Name)
	dst = append(dst, `,"values":[`...)
	for i, v := range f.Values {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = event.AppendQuoted(dst, v)
	}
	dst = append(dst, ']')
	if f.Decided != "" {
		dst = event.AppendQuoted(append(dst, `,"decided":`...), f.Decided)
	}
	return append(dst, '}')
}

// appendListed writes what stands before element i of a list.
func appendListed(dst []byte, open string, i int) []byte {
	if i == 0 {
		return append(dst, open...)
	}
	return append(dst, ',')
}

// endListed ends a list of n elements, which is left out if it has none.
func endListed(dst []byte, n int) []byte {
	if n == 0 {
		return dst
	}
	return append(dst, ']')
}

func listElements(e Expr) []Expr {
	switch e := e.(type) {
	case *In:
		return e.List
	case *Pattern:
		return Children(e)[1:]
	}
	return nil
}

// withElement gives the list test with a single element.
func withElement(e, elem Expr) Expr {
	switch e := e.(type) {
	case *In:
		return &In{Span: e.Span, X: e.X, Fold: e.Fold, List: []Expr{elem}}
	case *Pattern:
		return &Pattern{Span: e.Span, X: e.X, Op: e.Op, Patterns: []*Literal{elem.(*Literal)}}
	}
	return e
}

// Matched gives the test with only those elements of its list that matched.
func (t *Trace) Matched() string {
	if len(t.Patterns) == 0 {
		return t.Short
	}
	return t.head + " " + strings.Join(t.Patterns, ", ")
}

// listHead gives the part of a list test before its list, such as "name :".
func listHead(e Expr) string {
	switch e := e.(type) {
	case *In:
		if e.Fold {
			return Format(e.X) + " in~"
		}
		return Format(e.X) + " in"
	case *Pattern:
		return Format(e.X) + " " + e.Op
	}
	return ""
}

// abbreviate gives a test as text in which a long list is cut.
func abbreviate(e Expr) string {
	const shown = 2
	not := ""
	x := e
	if n, ok := e.(*Not); ok {
		not, x = "not ", n.X
	}
	list := listElements(x)
	if len(list) <= shown+1 {
		return Format(e)
	}
	var elems []string
	for _, elem := range list[:shown] {
		elems = append(elems, Format(elem))
	}
	return fmt.Sprintf("%s%s (%s, … %d in all)", not, listHead(x), strings.Join(elems, ", "), len(list))
}

// Decisive gives the tests that settle a trace: for a conjunction that holds all
// its parts, for one that does not the first part that fails, and the other way
// round for a disjunction.
func (t *Trace) Decisive() []*Trace { return t.appendDecisive(nil) }

func (t *Trace) appendDecisive(list []*Trace) []*Trace {
	if len(t.Children) == 0 {
		return append(list, t)
	}
	all := t.Kind == "not" || (t.Kind == "or") == (t.Result != True)
	for _, child := range t.Children {
		if all {
			list = child.appendDecisive(list)
		} else if (child.Result == True) == (t.Result == True) {
			return child.appendDecisive(list)
		}
	}
	return list
}
