package eql

// The plain evaluator, outer level: an event query becomes a tree of and, or,
// not and leaves, which answer yes or no. Inside leaves see eval_leaf.go.

import (
	"fmt"
	"sync"

	"github.com/shrike-project/shrike/event"
)

// DefaultCategoryField is the field an event query's category is compared with.
const DefaultCategoryField = "event.category"

// Condition is an event query made ready to run against events decoded with one
// FieldSet. It does not change and is safe for use by many goroutines.
type Condition struct {
	query    *EventQuery
	category event.Field // NoField: no category test
	root     Node
	labels   map[Expr]string
	fields   *event.FieldSet
	explain  func() *explainers // makes them once
}

// CompileOptions say how a condition reads events.
type CompileOptions struct {
	// CategoryField is the field the category is compared with; "" stands for
	// DefaultCategoryField.
	CategoryField string
	// Labels are comments to show in traces, as Query.Label gives them.
	Labels func(Expr) string
}

// Compile makes an event query ready to run and adds the fields it reads to
// fields. The query should have passed Check; what Check would have reported as
// an unusable constant is an error here.
func Compile(q *EventQuery, fields *event.FieldSet, opt CompileOptions) (*Condition, error) {
	if opt.CategoryField == "" {
		opt.CategoryField = DefaultCategoryField
	}
	c := &compiler{fields: fields}
	cond := &Condition{query: q, category: event.NoField, root: c.node(q.Where), labels: map[Expr]string{}, fields: fields}
	cond.explain = sync.OnceValue(cond.newExplainers)
	if !q.Any {
		cond.category = fields.Add(opt.CategoryField)
	}
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	if opt.Labels != nil {
		Walk(q.Where, func(e Expr) {
			if l := opt.Labels(e); l != "" {
				cond.labels[e] = l
			}
		})
	}
	return cond, nil
}

// Query gives the event query the condition was compiled from.
func (c *Condition) Query() *EventQuery { return c.query }

// Root gives the part of the condition behind "where".
func (c *Condition) Root() Node { return c.root }

// CategoryField gives the field the category is compared with; NoField for "any".
func (c *Condition) CategoryField() event.Field { return c.category }

// Matches reports whether the condition holds for an event, which must have been
// decoded with the condition's FieldSet.
func (c *Condition) Matches(ev *event.Event) bool {
	return c.categoryMatches(ev) && c.root.Matches(ev)
}

func (c *Condition) categoryMatches(ev *event.Event) bool {
	if c.category == event.NoField {
		return true
	}
	for _, v := range ev.Values(c.category) {
		if v.Text() == c.query.Category {
			return true
		}
	}
	return false
}

// Node is a part of a compiled condition. It answers yes or no for an event, which
// must have been decoded with the condition's FieldSet. The kinds are *AllOf, *AnyOf,
// *Complement and *Leaf.
type Node interface {
	Matches(ev *event.Event) bool
}

// AllOf holds if every part of the list does.
type AllOf struct {
	List []Node
	expr Expr
}

// Matches reports whether the part holds for an event.
func (n *AllOf) Matches(ev *event.Event) bool {
	for _, part := range n.List {
		if !part.Matches(ev) {
			return false
		}
	}
	return true
}

// AnyOf holds if some part of the list does.
type AnyOf struct {
	List []Node
	expr Expr
}

// Matches reports whether the part holds for an event.
func (n *AnyOf) Matches(ev *event.Event) bool {
	for _, part := range n.List {
		if part.Matches(ev) {
			return true
		}
	}
	return false
}

// Complement holds if its part does not.
type Complement struct {
	Of   Node
	expr Expr // how the query writes it
}

// Matches reports whether the part holds for an event.
func (n *Complement) Matches(ev *event.Event) bool { return !n.Of.Matches(ev) }

type compiler struct {
	fields   *event.FieldSet
	problems Problems
}

// node compiles an expression in the place of a condition.
func (c *compiler) node(e Expr) Node {
	switch e := e.(type) {
	case *And:
		return &AllOf{c.nodes(e.List), e}
	case *Or:
		return &AnyOf{c.nodes(e.List), e}
	case *Not:
		return &Complement{c.node(e.X), e}
	case *Compare:
		if x, holds, ok := booleanEquality(e); ok {
			if holds {
				return c.node(x)
			}
			return &Complement{c.node(x), e}
		}
		if e.Op == "!=" {
			return &Complement{c.leaf(&Compare{Span: e.Span, Op: "==", L: e.L, R: e.R}), e}
		}
	}
	return c.leaf(e)
}

func (c *compiler) nodes(list []Expr) []Node {
	out := make([]Node, len(list))
	for i, e := range list {
		out[i] = c.node(e)
	}
	return out
}

// booleanEquality recognises "x == true" and its kin, where x computes a boolean
// rather than reads one from a field. They stand for x or for its complement.
func booleanEquality(e *Compare) (x Expr, holds, ok bool) {
	if e.Op != "==" && e.Op != "!=" {
		return nil, false, false
	}
	for _, side := range [][2]Expr{{e.L, e.R}, {e.R, e.L}} {
		lit, isLiteral := side[1].(*Literal)
		if isLiteral && lit.Value.Kind() == event.Bool && computesBoolean(side[0]) {
			return side[0], lit.Value.Bool() == (e.Op == "=="), true
		}
	}
	return nil, false, false
}

func computesBoolean(e Expr) bool {
	switch e := e.(type) {
	case *And, *Or, *Not, *Compare, *In, *Pattern:
		return true
	case *Call:
		f := lookupFunction(e.Name)
		return f != nil && f.result == tBoolean
	}
	return false
}

func (c *compiler) problem(span Span, code Code, format string, args ...any) {
	c.problems = append(c.problems, Problem{Span: span, Code: code, Message: fmt.Sprintf(format, args...)})
}
