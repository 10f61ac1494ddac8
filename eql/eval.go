package eql

// The plain evaluator, outer level: an event query becomes a tree of and, or,
// not and leaves, which answer yes or no. Inside leaves see eval_leaf.go.

import (
	"fmt"

	"github.com/shrike-project/shrike/event"
)

// DefaultCategoryField is the field an event query's category is compared with.
const DefaultCategoryField = "event.category"

// Condition is an event query made ready to run against events decoded with one
// FieldSet. It does not change and is safe for use by many goroutines.
type Condition struct {
	query    *EventQuery
	category event.Field // NoField: no category test
	root     matcher
	labels   map[Expr]string
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
	cond := &Condition{query: q, category: event.NoField, root: c.matcher(q.Where), labels: map[Expr]string{}}
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

// Matches reports whether the condition holds for an event, which must have been
// decoded with the condition's FieldSet.
func (c *Condition) Matches(ev *event.Event) bool {
	return c.categoryMatches(ev) && c.root.matches(ev)
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

// matcher answers yes or no for an event, and says why.
type matcher interface {
	matches(ev *event.Event) bool
	trace(ev *event.Event, c *Condition) *Trace
}

type allOf struct {
	expr Expr
	list []matcher
}

func (m allOf) matches(ev *event.Event) bool {
	for _, m := range m.list {
		if !m.matches(ev) {
			return false
		}
	}
	return true
}

type anyOf struct {
	expr Expr
	list []matcher
}

func (m anyOf) matches(ev *event.Event) bool {
	for _, m := range m.list {
		if m.matches(ev) {
			return true
		}
	}
	return false
}

// complement is the negation of what m answers; expr is how the query writes it.
type complement struct {
	expr Expr
	m    matcher
}

func (n complement) matches(ev *event.Event) bool { return !n.m.matches(ev) }

type compiler struct {
	fields   *event.FieldSet
	problems Problems
}

// matcher compiles an expression in the place of a condition.
func (c *compiler) matcher(e Expr) matcher {
	switch e := e.(type) {
	case *And:
		return allOf{e, c.matchers(e.List)}
	case *Or:
		return anyOf{e, c.matchers(e.List)}
	case *Not:
		return complement{e, c.matcher(e.X)}
	case *Compare:
		if x, holds, ok := booleanEquality(e); ok {
			if holds {
				return c.matcher(x)
			}
			return complement{e, c.matcher(x)}
		}
		if e.Op == "!=" {
			return complement{e, c.leaf(&Compare{Span: e.Span, Op: "==", L: e.L, R: e.R})}
		}
	}
	return c.leaf(e)
}

func (c *compiler) matchers(list []Expr) []matcher {
	out := make([]matcher, len(list))
	for i, e := range list {
		out[i] = c.matcher(e)
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
