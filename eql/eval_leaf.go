package eql

// The plain evaluator, inner level: a leaf is evaluated for every choice of one
// value for each of its fields, with three-valued logic.

import (
	"slices"
	"strings"
	"sync"

	"github.com/shrike-project/shrike/event"
)

// MaxChoices bounds how many combinations of values one leaf tries. Only an
// event with several very long lists can reach it; combinations beyond are not
// tried.
const MaxChoices = 1 << 20

// env holds the value chosen for each field of a leaf.
type env struct{ values []event.Value }

// evaluator computes a value from the chosen ones; null is unknown.
type evaluator func(*env) event.Value

// Leaf is a part of a condition without and, or, not at its top. It does not
// change and is safe for use by many goroutines.
type Leaf struct {
	expr   Expr
	fields []event.Field
	set    *event.FieldSet
	ready  sync.Once // eval is made: a network asks most leaves never
	eval   evaluator
}

// Scratch is memory for the evaluation of leaves, one after another. The zero
// value is ready for use; it belongs to one goroutine.
type Scratch struct {
	env env
	at  []int
}

// Expr gives the expression the leaf was compiled from.
func (l *Leaf) Expr() Expr { return l.expr }

// Fields gives the fields the leaf reads, each once.
func (l *Leaf) Fields() []event.Field { return l.fields }

func (c *compiler) leaf(e Expr) *Leaf {
	l := &Leaf{expr: e, set: c.fields}
	fallible := false // its compilation may find something wrong
	Walk(e, func(e Expr) {
		switch e := e.(type) {
		case *Field:
			if f := c.fields.Add(e.Name); !slices.Contains(l.fields, f) {
				l.fields = append(l.fields, f)
			}
		case *Call:
			fallible = true
		case *Pattern:
			fallible = fallible || strings.HasPrefix(e.Op, "regex")
		}
	})
	if fallible {
		l.ready.Do(func() { l.compile(c) })
	}
	return l
}

func (l *Leaf) compile(c *compiler) {
	lc := &leafCompiler{compiler: c, leaf: l}
	l.eval = lc.truth(l.expr)
}

// evaluator gives what evaluates the leaf.
func (l *Leaf) evaluator() evaluator {
	l.ready.Do(func() { l.compile(&compiler{fields: l.set}) })
	return l.eval
}

// Matches reports whether the leaf holds for an event.
func (l *Leaf) Matches(ev *event.Event) bool { return l.MatchesWith(ev, &Scratch{}) }

// MatchesWith is Matches without memory of its own.
func (l *Leaf) MatchesWith(ev *event.Event, s *Scratch) bool {
	found, eval := false, l.evaluator()
	l.choices(ev, s, func(env *env) bool {
		found = eval(env).Bool()
		return !found
	})
	return found
}

// Holds reports whether a leaf that reads at most one field holds for an event in
// which that field has the given values.
func (l *Leaf) Holds(values []event.Value, s *Scratch) bool {
	if len(values) == 0 {
		values = noValue
	}
	s.env.values = append(s.env.values[:0], event.Value{})
	eval := l.evaluator()
	for _, v := range values[:min(len(values), MaxChoices)] {
		s.env.values[0] = v
		if eval(&s.env).Bool() {
			return true
		}
	}
	return false
}

var noValue = make([]event.Value, 1)

// choices calls try for every choice of values until it gives false. A field
// without values has the single choice null.
func (l *Leaf) choices(ev *event.Event, s *Scratch, try func(*env) bool) {
	s.env.values, s.at = s.env.values[:0], s.at[:0]
	for _, f := range l.fields {
		s.env.values, s.at = append(s.env.values, ev.First(f)), append(s.at, 0)
	}
	for n := 0; n < MaxChoices; n++ {
		if !try(&s.env) {
			return
		}
		i := 0
		for ; i < len(l.fields); i++ {
			list := ev.Values(l.fields[i])
			if s.at[i]++; s.at[i] < len(list) {
				s.env.values[i] = list[s.at[i]]
				break
			}
			s.at[i] = 0
			s.env.values[i] = ev.First(l.fields[i])
		}
		if i == len(l.fields) {
			return
		}
	}
}

type leafCompiler struct {
	*compiler
	leaf *Leaf
}

func null(*env) event.Value { return event.Value{} }

func constant(v event.Value) evaluator { return func(*env) event.Value { return v } }

func (c *leafCompiler) compile(e Expr) evaluator {
	switch e := e.(type) {
	case *Literal:
		return constant(e.Value)
	case *Field:
		return c.field(e)
	case *And:
		return c.logic(e.List, false)
	case *Or:
		return c.logic(e.List, true)
	case *Not:
		return negation(c.truth(e.X))
	case *Compare:
		return c.compare(e)
	case *Arith:
		return arithmetic(e.Op, c.compile(e.L), c.compile(e.R), narrow(e))
	case *Negate:
		return arithmetic("-", constant(event.LongValue(0)), c.compile(e.X), narrow(e))
	case *In:
		return c.in(e)
	case *Pattern:
		return c.pattern(e)
	case *Call:
		return c.call(e)
	}
	panic("eql: an expression of an unknown kind was compiled")
}

// truth compiles an expression in the place of a boolean. There, a field stands for
// a comparison with true, which reads the text "true" as well.
func (c *leafCompiler) truth(e Expr) evaluator {
	x := c.compile(e)
	if _, ok := e.(*Field); !ok {
		return x
	}
	return func(env *env) event.Value {
		v := x(env)
		if v.IsNull() || v.Kind() == event.Bool {
			return v
		}
		return event.BoolValue(equal(v, event.BoolValue(true)))
	}
}

func (c *leafCompiler) field(e *Field) evaluator {
	slot := slices.Index(c.leaf.fields, c.fields.Add(e.Name))
	return func(env *env) event.Value { return env.values[slot] }
}

// logic is and (decided by false) or or (decided by true) in three values.
func (c *leafCompiler) logic(list []Expr, decides bool) evaluator {
	operands := make([]evaluator, len(list))
	for i, e := range list {
		operands[i] = c.truth(e)
	}
	return func(env *env) event.Value {
		unknown := false
		for _, op := range operands {
			v := op(env)
			if v.IsNull() {
				unknown = true
			} else if v.Bool() == decides {
				return event.BoolValue(decides)
			}
		}
		if unknown {
			return event.Value{}
		}
		return event.BoolValue(!decides)
	}
}

func negation(x evaluator) evaluator {
	return func(env *env) event.Value {
		v := x(env)
		if v.IsNull() {
			return v
		}
		return event.BoolValue(!v.Bool())
	}
}

func (c *leafCompiler) compare(e *Compare) evaluator {
	if e.Op == "!=" {
		return negation(c.compare(&Compare{Span: e.Span, Op: "==", L: e.L, R: e.R}))
	}
	l, r, op := e.L, e.R, e.Op
	if _, ok := l.(*Literal); ok && !isNull(r) {
		l, r, op = r, l, mirror(op) // a constant is read by the kind of the other side
	}
	x, y := c.operands(l, r)
	if op == "==" && isNull(r) {
		return func(env *env) event.Value { return event.BoolValue(x(env).IsNull()) }
	}
	if op == "==" {
		return c.equality(l, r, x, y)
	}
	_, constant := r.(*Literal)
	return func(env *env) event.Value {
		v, w := x(env), y(env)
		if v.IsNull() || w.IsNull() {
			return event.Value{}
		}
		if !constant && rank(v) < rank(w) {
			n, ok := order(w, v)
			return orderResult(op, -n, ok)
		}
		n, ok := order(v, w)
		return orderResult(op, n, ok)
	}
}

// orderResult tells whether the outcome n of a comparison satisfies an operator;
// null where the values have no order.
func orderResult(op string, n int, ok bool) event.Value {
	if !ok {
		return event.Value{}
	}
	return event.BoolValue(holds(op, n))
}

// equality compares two operands. A field that nobody knows and that the event
// lacks stands for the literal null if it is marked as optional, so a test
// against it is a test for null.
func (c *leafCompiler) equality(l, r Expr, x, y evaluator) evaluator {
	_, constant := r.(*Literal)
	nullTest := !constant && (c.nullish(l) || c.nullish(r))
	return func(env *env) event.Value {
		v, w := x(env), y(env)
		if v.IsNull() || w.IsNull() {
			if nullTest {
				return event.BoolValue(v.IsNull() && w.IsNull())
			}
			return event.Value{}
		}
		if !constant && rank(v) < rank(w) {
			v, w = w, v
		}
		return event.BoolValue(equal(v, w))
	}
}

func (c *leafCompiler) nullish(e Expr) bool {
	f, ok := e.(*Field)
	if !ok || !f.Optional {
		return false
	}
	_, known := c.fields.Types().Lookup(f.Name)
	return !known
}

// operands compiles two operands of a comparison. Text is lower-cased on both
// sides where one of them reads a caseless field.
func (c *leafCompiler) operands(l, r Expr) (x, y evaluator) {
	x, y = c.compile(l), c.operand(l, r)
	if c.caseless(l) || c.caseless(r) {
		return lowered(x, l), lowered(y, r)
	}
	return x, y
}

// operand compiles what the value of x is compared with: cut to milliseconds where
// x is a date that keeps no more.
func (c *leafCompiler) operand(x, e Expr) evaluator {
	lit, isLiteral := e.(*Literal)
	f, isField := x.(*Field)
	if isField && isLiteral && lit.Value.Kind() == event.String {
		if typ, _ := c.fields.Type(c.fields.Add(f.Name)); typ == event.DateType {
			if t, ok := event.ParseTime(lit.Value.Str()); ok {
				return constant(event.DateValue(event.UnixMilli(t.UnixMilli())))
			}
		}
	}
	return c.compile(e)
}

// lowered lower-cases the text an expression evaluates to.
func lowered(x evaluator, e Expr) evaluator {
	lower := func(v event.Value) event.Value {
		if v.Kind() == event.String {
			return event.StringValue(lower(v.Str()))
		}
		return v
	}
	if lit, ok := e.(*Literal); ok {
		return constant(lower(lit.Value))
	}
	return func(env *env) event.Value { return lower(x(env)) }
}

// caseless reports whether an expression reads a field without regard to case, or
// computes text from one.
func (c *leafCompiler) caseless(e Expr) bool {
	found := false
	Walk(e, func(e Expr) {
		if f, ok := e.(*Field); ok && c.fields.Caseless(c.fields.Add(f.Name)) {
			found = true
		}
	})
	return found
}

func isNull(e Expr) bool {
	lit, ok := e.(*Literal)
	return ok && lit.Value.IsNull()
}

func mirror(op string) string {
	switch op {
	case "<":
		return ">"
	case "<=":
		return ">="
	case ">":
		return "<"
	case ">=":
		return "<="
	}
	return op
}

// holds tells whether the outcome n of a comparison satisfies an operator.
func holds(op string, n int) bool {
	switch op {
	case "<":
		return n < 0
	case "<=":
		return n <= 0
	case ">":
		return n > 0
	}
	return n >= 0
}

// in is a chain of tests for equality, in which null equals nothing.
func (c *leafCompiler) in(e *In) evaluator {
	x := c.compile(e.X)
	var tests []evaluator
	for _, elem := range e.List {
		switch {
		case isNull(elem):
		case e.Fold:
			tests = append(tests, equalFold(x, c.compile(elem)))
		default:
			tests = append(tests, c.compare(&Compare{Span: elem.Pos(), Op: "==", L: e.X, R: elem}))
		}
	}
	return func(env *env) event.Value {
		if x(env).IsNull() {
			return event.Value{}
		}
		for _, test := range tests {
			if test(env).Bool() {
				return event.BoolValue(true)
			}
		}
		return event.BoolValue(false)
	}
}

func equalFold(x, y evaluator) evaluator {
	return func(env *env) event.Value {
		s, ok1 := asText(x(env))
		t, ok2 := asText(y(env))
		return event.BoolValue(ok1 && ok2 && strings.EqualFold(s, t))
	}
}

func (c *leafCompiler) pattern(e *Pattern) evaluator {
	x := c.compile(e.X)
	test := c.patternTest(e)
	return func(env *env) event.Value {
		s, ok := asText(x(env))
		if !ok {
			return event.Value{}
		}
		for i := range e.Patterns {
			if test(i, s) {
				return event.BoolValue(true)
			}
		}
		return event.BoolValue(false)
	}
}

// patternTest gives a function that tells whether pattern i matches a text.
func (c *leafCompiler) patternTest(e *Pattern) func(i int, s string) bool {
	fold := e.Op != "like" && e.Op != "regex" || c.caseless(e.X)
	if e.Op != "regex" && e.Op != "regex~" {
		return func(i int, s string) bool { return MatchWildcard(e.Patterns[i].Value.Str(), s, fold) }
	}
	regexes := make([]*Regex, len(e.Patterns))
	for i, p := range e.Patterns {
		re, err := CompileRegex(p.Value.Str(), fold)
		if err != nil {
			c.problem(p.Span, BadRegex, "%s", err.Error())
			continue
		}
		regexes[i] = re
	}
	return func(i int, s string) bool { return regexes[i].Match(s) }
}

func (c *leafCompiler) call(e *Call) evaluator {
	f := lookupFunction(e.Name)
	if f == nil {
		c.problem(e.Span, UnknownFunction, "Unknown function [%s]", e.Name)
		return null
	}
	least, most := f.arity()
	if len(e.Args) < least || most >= 0 && len(e.Args) > most {
		c.problem(e.Span, BadArguments, "error building [%s]: expects %s", e.Name, f.arityText())
		return null
	}
	b := &boundCall{fold: e.Fold || f.Fold && slices.ContainsFunc(e.Args, c.caseless), narrow: allNarrow(e.Args)}
	for _, arg := range e.Args {
		eval, v := c.compile(arg), event.Value{}
		if isConstant(arg) {
			v = eval(&env{})
		}
		b.args = append(b.args, eval)
		b.constants = append(b.constants, v)
	}
	return f.bind(b)
}

// isConstant reports whether an expression reads no field.
func isConstant(e Expr) bool {
	constant := true
	Walk(e, func(e Expr) {
		if _, ok := e.(*Field); ok {
			constant = false
		}
	})
	return constant
}
