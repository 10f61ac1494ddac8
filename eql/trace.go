package eql

// Traces: why a condition holds for an event, or does not.

import (
	"fmt"
	"slices"
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
// memory.
type Trace struct {
	// Kind is "query", "category", "and", "or", "not" or "test".
	Kind string `json:"kind"`
	// Label is the comment that stands before the part in the query.
	Label string `json:"label,omitempty"`
	// Expr is the part as text, Short the same with long lists cut.
	Expr   string `json:"expr"`
	Short  string `json:"-"`
	Result Result `json:"result"`
	// Fields are the values a test looked at.
	Fields []FieldTrace `json:"fields,omitempty"`
	// Patterns are those of a list of patterns or values that matched.
	Patterns []string `json:"patterns,omitempty"`
	Children []*Trace `json:"children,omitempty"`

	head string // of a list test: what stands before its list
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
	t := &Trace{Kind: "query", Expr: c.query.String(), Short: "event", Result: False}
	if c.categoryMatches(ev) {
		t.Result = True
	}
	if c.category != event.NoField {
		f := fieldTrace(ev, c.category)
		res := t.Result
		if len(f.Values) == 0 {
			res = Unknown
		}
		test := f.Name + " is " + quote(c.query.Category)
		t.Children = append(t.Children, &Trace{Kind: "category", Expr: test, Short: test, Result: res, Fields: []FieldTrace{f}})
	}
	root := c.root.trace(ev, c)
	if root.Result != True {
		t.Result = False
	}
	t.Children = append(t.Children, root)
	return t
}

func result(b bool) Result {
	if b {
		return True
	}
	return False
}

func (n *AllOf) trace(ev *event.Event, c *Condition) *Trace {
	return traceList("and", n.expr, n.List, n.Matches(ev), ev, c)
}

func (n *AnyOf) trace(ev *event.Event, c *Condition) *Trace {
	return traceList("or", n.expr, n.List, n.Matches(ev), ev, c)
}

func traceList(kind string, e Expr, list []Node, holds bool, ev *event.Event, c *Condition) *Trace {
	t := &Trace{Kind: kind, Label: c.labels[e], Expr: Format(e), Short: kind, Result: result(holds)}
	for _, n := range list {
		t.Children = append(t.Children, n.trace(ev, c))
	}
	return t
}

// trace of a negated test is one line, not two.
func (n *Complement) trace(ev *event.Event, c *Condition) *Trace {
	inner := n.Of.trace(ev, c)
	t := &Trace{Kind: "not", Label: c.labels[n.expr], Expr: Format(n.expr), Short: abbreviate(n.expr), Result: result(inner.Result != True)}
	if inner.Kind == "test" {
		t.Kind, t.Fields, t.Patterns, t.head = "test", inner.Fields, inner.Patterns, "not "+inner.head
		return t
	}
	t.Children = []*Trace{inner}
	return t
}

func (l *Leaf) trace(ev *event.Event, c *Condition) *Trace {
	t := &Trace{Kind: "test", Label: c.labels[l.expr], Expr: Format(l.expr), Short: abbreviate(l.expr), Result: Unknown, head: listHead(l.expr)}
	for _, f := range l.fields {
		t.Fields = append(t.Fields, fieldTrace(ev, f))
	}
	l.choices(ev, &Scratch{}, func(env *env) bool {
		v := l.eval(env)
		if !v.IsNull() && t.Result == Unknown {
			t.Result = False
		}
		if !v.Bool() {
			return true
		}
		t.Result = True
		for i := range t.Fields {
			if len(t.Fields[i].Values) > 1 {
				t.Fields[i].Decided = cloneString(env.values[i].Display())
			}
		}
		t.Patterns = matchedElements(l.expr, env, l.fields, ev.Fields())
		return false
	})
	return t
}

func fieldTrace(ev *event.Event, f event.Field) FieldTrace {
	t := FieldTrace{Name: ev.Fields().Name(f), Values: []string{}}
	for _, v := range ev.Values(f) {
		if len(t.Values) == MaxTraceValues {
			break
		}
		t.Values = append(t.Values, cloneString(v.Display()))
	}
	return t
}

func cloneString(s string) string { return string([]byte(s)) }

// matchedElements gives those elements of a list test that the chosen value fits.
func matchedElements(e Expr, env *env, fields []event.Field, set *event.FieldSet) []string {
	list := listElements(e)
	if len(list) < 2 {
		return nil
	}
	var matched []string
	for _, elem := range list {
		lc := &leafCompiler{compiler: &compiler{fields: set}, leaf: &Leaf{fields: slices.Clone(fields)}}
		if lc.compile(withElement(e, elem))(env).Bool() {
			matched = append(matched, Format(elem))
		}
	}
	return matched
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
func (t *Trace) Decisive() []*Trace {
	if len(t.Children) == 0 {
		return []*Trace{t}
	}
	all := t.Kind == "not" || (t.Kind == "or") == (t.Result != True)
	var list []*Trace
	for _, child := range t.Children {
		if all {
			list = append(list, child.Decisive()...)
		} else if (child.Result == True) == (t.Result == True) {
			return child.Decisive()
		}
	}
	return list
}
