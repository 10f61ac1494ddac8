package eql

// The checker: everything wrong with a query that parses, in one pass.

import (
	"fmt"
	"strings"

	"github.com/shrike-project/shrike/event"
)

// CheckOptions say what a query is checked against.
type CheckOptions struct {
	// Types tells the types of fields; nil stands for event.DefaultTypes.
	Types *event.Types
	// Strict refuses what Elasticsearch refuses beyond what Shrike needs:
	// fields that Types does not know and that are not optional, comparisons of
	// two fields, and text fields without an exact sub-field.
	Strict bool
}

// Check gives everything wrong with a parsed query, in the order of the text.
func Check(q *Query, opt CheckOptions) Problems {
	if opt.Types == nil {
		opt.Types = event.DefaultTypes()
	}
	c := &checker{source: q.Source, opt: opt}
	for _, eq := range q.EventQueries() {
		c.condition(eq.Where)
	}
	switch {
	case q.Sequence != nil:
		c.joinKeys(q.Sequence.By, q.Items())
	case q.Sample != nil:
		c.joinKeys(q.Sample.By, q.Items())
	}
	return c.problems
}

// CheckExpr checks a lone expression, as ParseExpr reads it from source.
func CheckExpr(e Expr, source string, opt CheckOptions) Problems {
	if opt.Types == nil {
		opt.Types = event.DefaultTypes()
	}
	c := &checker{source: source, opt: opt}
	c.typeOf(e)
	return c.problems
}

type checker struct {
	source   string
	opt      CheckOptions
	problems Problems
}

func (c *checker) problem(span Span, code Code, hint, format string, args ...any) {
	c.problems = append(c.problems, Problem{Span: span, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint})
}

func (c *checker) text(e Expr) string { return e.Pos().Text(c.source) }

func (c *checker) condition(e Expr) {
	before := len(c.problems)
	t := c.typeOf(e)
	if t != tBoolean && t != tAny && len(c.problems) == before {
		c.problem(e.Pos(), BadType, "compare the value with something", "Condition expression needs to be boolean, found [%s]", upperName(t))
	}
}

// typeOf checks an expression and gives its type.
func (c *checker) typeOf(e Expr) staticType {
	switch e := e.(type) {
	case *Literal:
		return literalType(e.Value)
	case *Field:
		return c.field(e)
	case *And:
		c.operands(e, e.List)
	case *Or:
		c.operands(e, e.List)
	case *Not:
		c.operands(e, []Expr{e.X})
	case *Compare:
		c.compare(e)
	case *Arith:
		return c.arith(e)
	case *Negate:
		t := c.typeOf(e.X)
		c.wants(e, e.X, t, -1, []string{"numeric"})
		return t
	case *In:
		c.in(e)
	case *Pattern:
		c.pattern(e)
	case *Call:
		return c.call(e)
	}
	return tBoolean
}

func (c *checker) field(e *Field) staticType {
	t, known := c.opt.Types.Lookup(e.Name)
	if !known {
		if c.opt.Strict && !e.Optional {
			c.problem(e.Span, UnknownField, "mark a field that need not exist as optional: ?"+e.Name,
				"Unknown column [%s]%s", e.Name, didYouMean(e.Name, c.opt.Types.Names()))
		}
		return tAny
	}
	if t.Unsupported() {
		c.problem(e.Span, BadType, "name a field below it", "Cannot use field [%s] with unsupported type [%s]", e.Name, t)
		return tAny
	}
	return fieldType(t)
}

var ordinals = []string{"first", "second", "third", "fourth", "fifth"}

// wants reports an operand whose type is none of those named. Argument counts
// the operands from 0; -1 stands for the only one.
func (c *checker) wants(of, operand Expr, t staticType, argument int, types []string) {
	if t.fits(types) {
		return
	}
	c.problem(operand.Pos(), BadType, typeHint(operand, types), "%sargument of [%s] must be [%s], found value [%s] type [%s]",
		ordinal(argument), c.text(of), strings.Join(types, " or "), c.text(operand), t)
}

// typeHint tells how to get from an operand to a type that is wanted.
func typeHint(operand Expr, types []string) string {
	if len(types) != 1 {
		return ""
	}
	_, constant := operand.(*Literal)
	switch {
	case types[0] == "string" && constant:
		return "put it into double quotes"
	case types[0] == "string":
		return "string(…) gives a value as text"
	case types[0] == "numeric" && constant:
		return "write the number without quotes"
	case types[0] == "numeric":
		return "number(…) reads text as a number"
	case types[0] == "boolean":
		return "compare the value with something"
	}
	return ""
}

func ordinal(argument int) string {
	switch {
	case argument < 0:
		return ""
	case argument < len(ordinals):
		return ordinals[argument] + " "
	}
	return fmt.Sprintf("%dth ", argument+1)
}

// operands checks the operands of and, or, not.
func (c *checker) operands(of Expr, list []Expr) {
	for i, e := range list {
		argument := i
		if len(list) == 1 {
			argument = -1
		}
		c.wants(of, e, c.typeOf(e), argument, []string{"boolean"})
	}
}

func (c *checker) arith(e *Arith) staticType {
	l, r := c.typeOf(e.L), c.typeOf(e.R)
	c.wants(e, e.L, l, 0, []string{"numeric"})
	c.wants(e, e.R, r, 1, []string{"numeric"})
	switch {
	case l == tDouble || r == tDouble:
		return tDouble
	case l == tInteger && r == tInteger:
		return tInteger
	case (l == tLong || l == tInteger) && (r == tLong || r == tInteger):
		return tLong
	}
	return tNumber
}

func (c *checker) compare(e *Compare) {
	c.typeOf(e.L)
	c.typeOf(e.R)
	c.exact(e, e.L, -1)
	c.exact(e, e.R, -1)
	if c.opt.Strict && !c.foldable(e.L) && !c.foldable(e.R) {
		c.fieldComparison(e.R, e.Op)
	}
}

func (c *checker) fieldComparison(offender Expr, op string) {
	c.problem(offender.Pos(), FieldComparison, "compare the field with a constant",
		"Comparisons against fields are not (currently) supported; offender [%s] in [%s]", c.text(offender), op)
}

// foldable reports whether an expression is constant. An optional field that
// nobody knows is: it is null.
func (c *checker) foldable(e Expr) bool {
	constant := true
	Walk(e, func(e Expr) {
		if f, ok := e.(*Field); ok {
			_, known := c.opt.Types.Lookup(f.Name)
			constant = constant && f.Optional && !known
		}
	})
	return constant
}

// exact reports a text field that has no sub-field for exact matches.
func (c *checker) exact(of, e Expr, argument int) {
	f, ok := e.(*Field)
	if !ok || !c.opt.Strict {
		return
	}
	if t, _ := c.opt.Types.Lookup(f.Name); t != event.Text || c.hasExactSubField(f.Name) {
		return
	}
	c.problem(f.Span, BadType, "give the field a keyword sub-field in its mapping",
		"[%s] cannot operate on %sfield of data type [text]: No keyword/multi-field defined exact matches for [%s]",
		c.text(of), withArgument(argument), f.Name)
}

func withArgument(argument int) string {
	if argument < 0 {
		return ""
	}
	return ordinal(argument) + "argument "
}

func (c *checker) hasExactSubField(name string) bool {
	return c.opt.Types.Known(name + ".keyword")
}

func (c *checker) in(e *In) {
	left := c.typeOf(e.X)
	c.exact(e, e.X, -1)
	for i, elem := range e.List {
		t := c.typeOf(elem)
		switch {
		case c.opt.Strict && !c.foldable(elem):
			c.fieldComparison(elem, "in")
		case e.Fold && !t.fits([]string{"string"}):
			c.wants(e, elem, t, i+1, []string{"string"})
		case !left.comparable(t) && !(t.isString() && (left == tIP || left == tDate || left == tVersion)):
			c.problem(elem.Pos(), BadType, "elements of a list have the type of the left side",
				"%s argument of [%s] must be [%s], found value [%s] type [%s]", nth(i+1), c.text(e), left, c.text(elem), t)
		}
	}
}

// nth writes 1st, 2nd, 3rd, …
func nth(n int) string {
	suffix := "th"
	if n%100 < 11 || n%100 > 13 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, suffix)
}

func (c *checker) pattern(e *Pattern) {
	c.wants(e, e.X, c.typeOf(e.X), 0, []string{"string"})
	c.exact(e, e.X, -1)
	for i, p := range e.Patterns {
		if p.Value.Kind() != event.String {
			c.problem(p.Span, BadType, "put the pattern into double quotes", "%sargument of [%s] must be [string], found value [%s] type [%s]",
				ordinal(i+1), c.text(e), c.text(p), literalType(p.Value))
			continue
		}
		if e.Op == "regex" || e.Op == "regex~" {
			if _, err := CompileRegex(p.Value.Str(), e.Op == "regex~"); err != nil {
				c.problem(p.Span, BadRegex, "Elasticsearch's regular expressions are Lucene's: the characters . ? + * | { } [ ] ( ) \" \\ # @ & < > ~ need a backslash",
					"regular expression does not parse: %s", err.Error())
			}
		}
	}
}

func (c *checker) call(e *Call) staticType {
	f := lookupFunction(e.Name)
	if f == nil {
		c.problem(e.nameSpan(), UnknownFunction, unknownFunctionHint(e.Name), "Unknown function [%s]%s", e.Name, didYouMean(strings.ToLower(e.Name), functionNames()))
		for _, arg := range e.Args {
			c.typeOf(arg)
		}
		return tAny
	}
	if e.Fold && !f.Fold {
		c.problem(e.nameSpan(), UnknownFunction, "remove the ~", "Function [%s] has no case-insensitive form", e.Name)
	}
	before := len(c.problems)
	types := make([]staticType, len(e.Args))
	for i, arg := range e.Args {
		types[i] = c.typeOf(arg)
	}
	least, most := f.arity()
	if len(e.Args) < least || most >= 0 && len(e.Args) > most {
		c.problem(e.Span, BadArguments, "the form is "+f.Signature(), "error building [%s]: expects %s", strings.ToLower(f.Name), f.arityText())
		return f.result
	}
	for i, arg := range e.Args {
		c.argument(e, f, i, arg, types[i])
	}
	if f.check != nil && len(c.problems) == before {
		f.check(c, e)
	}
	return f.result
}

// unknownFunctionHint explains the functions other dialects have, and names the one
// that is most like an unknown name, in its own spelling.
func unknownFunctionHint(name string) string {
	switch strings.ToLower(name) {
	case "match", "matchlite":
		return "use the operator regex, which matches the whole value"
	case "arraycontains", "arraysearch":
		return "a test of a field already holds if any of its values fits"
	}
	if like := similar(strings.ToLower(name), functionNames()); len(like) > 0 {
		return "did you mean " + lookupFunction(like[0]).Name + "?"
	}
	return ""
}

// nameSpan is the part of a call that names the function.
func (e *Call) nameSpan() Span {
	end := e.Span.Start
	n := len(e.Name)
	if e.Fold {
		n++
	}
	end.Offset, end.Column = end.Offset+n, end.Column+n
	return Span{e.Span.Start, end}
}

func (c *checker) argument(e *Call, f *Function, i int, arg Expr, t staticType) {
	n, param := i, f.param(i)
	if len(f.Params) == 1 && !f.variadic {
		n = -1
	}
	lit, isLiteral := arg.(*Literal)
	if param.Constant && !isLiteral {
		if c.foldable(arg) {
			return // computed from constants alone
		}
		c.problem(arg.Pos(), BadArguments, "", "%sargument of [%s] must be a constant, received [%s]", ordinal(n), c.text(e), c.text(arg))
		return
	}
	if isLiteral && lit.Value.Kind() == event.String && len(param.Types) == 1 && param.Types[0] == "ip" {
		return // the function checks that it is an address
	}
	c.exact(e, arg, n)
	c.wants(e, arg, t, n, param.Types)
}

// joinKeys reports keys in one position whose types cannot be equal.
func (c *checker) joinKeys(shared []*Field, items []*Item) {
	for _, k := range shared {
		c.typeOf(k)
	}
	for n, it := range items {
		for i, k := range it.By {
			t := c.typeOf(k)
			if n == 0 || i >= len(items[0].By) {
				continue
			}
			first := items[0].By[i]
			ft, _ := c.opt.Types.Lookup(first.Name)
			if u := fieldType(ft); !t.comparable(u) {
				c.problem(k.Span, BadJoinKey, "", "Sequence key [%s] type [%s] is incompatible with key [%s] type [%s]", k.Name, t, first.Name, u)
			}
		}
	}
}
