package eql

import (
	"time"

	"github.com/shrike-project/shrike/event"
)

// Query is a parsed query: exactly one of Event, Sequence and Sample is set. It
// does not change after Parse.
type Query struct {
	Source   string
	Event    *EventQuery
	Sequence *Sequence
	Sample   *Sample
	Pipes    []Pipe

	labels map[Expr]string // comments that stand directly before an expression
}

// Label gives the comment that stands directly before an expression, shortened
// to one line, or "".
func (q *Query) Label(e Expr) string { return q.labels[e] }

// EventQuery is a category and a condition.
type EventQuery struct {
	Span     Span
	Any      bool   // the category is "any": there is no category test
	Category string // compared exactly with the values of the category field
	Where    Expr
}

// Sequence is a query for events in order.
type Sequence struct {
	Span    Span
	By      []*Field
	MaxSpan time.Duration // 0: none
	Items   []Item
	Until   *Item
}

// Sample is a query for events that share a key, in any order.
type Sample struct {
	Span  Span
	By    []*Field
	Items []Item
}

// Item is one event query of a sequence or sample.
type Item struct {
	Span    Span
	Missing bool // ![…]: there must be no such event
	Query   EventQuery
	By      []*Field
	Runs    int // how often the item is repeated, at least 1
}

// Pipe is "| head n" or "| tail n".
type Pipe struct {
	Span  Span
	Name  string
	Count int
}

// Expr is an expression. The kinds are Literal, Field, And, Or, Not, Compare,
// Arith, Negate, In, Pattern and Call, each as a pointer.
type Expr interface {
	// Pos is the text the expression was read from, its parentheses included.
	Pos() Span
}

// Literal is a constant: null, a boolean, a number or a string.
type Literal struct {
	Span  Span
	Value event.Value
}

// Field is the value of a field.
type Field struct {
	Span     Span
	Name     string // dotted
	Optional bool   // written ?name: not an error if nobody knows the field
}

// And holds if all its operands do. It has at least two.
type And struct {
	Span Span
	List []Expr
}

// Or holds if one of its operands does. It has at least two.
type Or struct {
	Span Span
	List []Expr
}

// Not is the negation.
type Not struct {
	Span Span
	X    Expr
}

// Compare is a comparison of two values: == != < <= > >=.
type Compare struct {
	Span Span
	Op   string
	L, R Expr
}

// Arith is arithmetic on two numbers: + - * / %.
type Arith struct {
	Span Span
	Op   string
	L, R Expr
}

// Negate is the unary minus.
type Negate struct {
	Span Span
	X    Expr
}

// In is membership in a list: in, or in~ without regard to case.
type In struct {
	Span Span
	X    Expr
	Fold bool
	List []Expr
}

// Pattern is a test against wildcard patterns or regular expressions, any of
// which may match: ":", "like", "like~", "regex", "regex~".
type Pattern struct {
	Span     Span
	Op       string
	X        Expr
	Patterns []*Literal
}

// Call is a function call. Name is as written, without the "~" of Fold.
type Call struct {
	Span Span
	Name string
	Fold bool
	Args []Expr
}

// Pos implements Expr.
func (e *Literal) Pos() Span { return e.Span }

// Pos implements Expr.
func (e *Field) Pos() Span { return e.Span }

// Pos implements Expr.
func (e *And) Pos() Span { return e.Span }

// Pos implements Expr.
func (e *Or) Pos() Span { return e.Span }

// Pos implements Expr.
func (e *Not) Pos() Span { return e.Span }

// Pos implements Expr.
func (e *Compare) Pos() Span { return e.Span }

// Pos implements Expr.
func (e *Arith) Pos() Span { return e.Span }

// Pos implements Expr.
func (e *Negate) Pos() Span { return e.Span }

// Pos implements Expr.
func (e *In) Pos() Span { return e.Span }

// Pos implements Expr.
func (e *Pattern) Pos() Span { return e.Span }

// Pos implements Expr.
func (e *Call) Pos() Span { return e.Span }

// Children gives the operands of an expression, in the order of the text.
func Children(e Expr) []Expr {
	switch e := e.(type) {
	case *And:
		return e.List
	case *Or:
		return e.List
	case *Not:
		return []Expr{e.X}
	case *Compare:
		return []Expr{e.L, e.R}
	case *Arith:
		return []Expr{e.L, e.R}
	case *Negate:
		return []Expr{e.X}
	case *In:
		return append([]Expr{e.X}, e.List...)
	case *Pattern:
		list := []Expr{e.X}
		for _, p := range e.Patterns {
			list = append(list, p)
		}
		return list
	case *Call:
		return e.Args
	}
	return nil
}

// Walk calls visit for an expression and all below it, from the top down.
func Walk(e Expr, visit func(Expr)) {
	visit(e)
	for _, c := range Children(e) {
		Walk(c, visit)
	}
}

// EventQueries gives every event query of the query in the order of the text:
// the one, or those of the items, until included.
func (q *Query) EventQueries() []*EventQuery {
	if q.Event != nil {
		return []*EventQuery{q.Event}
	}
	var list []*EventQuery
	for _, it := range q.Items() {
		list = append(list, &it.Query)
	}
	return list
}

// Items gives the items of a sequence or sample, until last; none for an event
// query.
func (q *Query) Items() []*Item {
	var list []*Item
	switch {
	case q.Sequence != nil:
		for i := range q.Sequence.Items {
			list = append(list, &q.Sequence.Items[i])
		}
		if q.Sequence.Until != nil {
			list = append(list, q.Sequence.Until)
		}
	case q.Sample != nil:
		for i := range q.Sample.Items {
			list = append(list, &q.Sample.Items[i])
		}
	}
	return list
}
