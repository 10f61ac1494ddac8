package coverage

// Outcomes: what an expression within a test can evaluate to if some of its fields are
// missing for good and others hold anything. This follows the evaluation of leaves in
// package eql with sets of values in the place of values.

import (
	"strings"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
)

// outcome is a set of values.
type outcome uint8

const (
	isNull outcome = 1 << iota
	isTrue
	isFalse
	isOther // neither null nor a boolean

	isAnything = isNull | isTrue | isFalse | isOther
)

// outcomes evaluates expressions.
type outcomes struct {
	types   *event.Types
	missing func(field string) bool
}

func (o outcomes) of(e eql.Expr) outcome {
	switch e := e.(type) {
	case *eql.Literal:
		return literalOutcome(e.Value)
	case *eql.Field:
		if o.missing(e.Name) {
			return isNull
		}
		return isAnything
	case *eql.And:
		return o.logic(e.List, isFalse, isTrue)
	case *eql.Or:
		return o.logic(e.List, isTrue, isFalse)
	case *eql.Not:
		return negated(o.of(e.X))
	case *eql.Compare:
		return o.compare(e)
	case *eql.In:
		return o.in(e)
	case *eql.Pattern:
		return unlessNull(isTrue|isFalse|isNull, o.of(e.X))
	case *eql.Arith:
		return unlessNull(isOther|isNull, o.of(e.L), o.of(e.R))
	case *eql.Negate:
		return unlessNull(isOther|isNull, o.of(e.X))
	case *eql.Call:
		return o.call(e)
	}
	return isAnything
}

func literalOutcome(v event.Value) outcome {
	switch {
	case v.IsNull():
		return isNull
	case v.Kind() != event.Bool:
		return isOther
	case v.Bool():
		return isTrue
	}
	return isFalse
}

// unlessNull gives what an operation results in, or null if an operand is null for good.
func unlessNull(result outcome, operands ...outcome) outcome {
	for _, x := range operands {
		if x == isNull {
			return isNull
		}
	}
	return result
}

func negated(x outcome) outcome {
	out := x & isNull
	if x&isTrue != 0 {
		out |= isFalse
	}
	if x&(isFalse|isOther) != 0 {
		out |= isTrue
	}
	return out
}

// logic is and or or: one outcome of an operand decides alone, the other is the result
// if all operands agree.
func (o outcomes) logic(list []eql.Expr, decides, agree outcome) outcome {
	some, all := outcome(0), agree
	for _, e := range list {
		x := o.of(e)
		if x&isOther != 0 {
			x = x&^isOther | isFalse // as the evaluator takes what is no boolean
		}
		if x == decides {
			return decides
		}
		some |= x & (decides | isNull)
		all &= x
	}
	return some | all
}

// compare follows the evaluator: a literal null makes a test for null.
func (o outcomes) compare(e *eql.Compare) outcome {
	if e.Op == "!=" {
		return negated(o.compare(&eql.Compare{Op: "==", L: e.L, R: e.R}))
	}
	l, r := o.of(e.L), o.of(e.R)
	if e.Op == "==" && (isNullLiteral(e.L) || isNullLiteral(e.R)) {
		x := l
		if isNullLiteral(e.L) {
			x = r
		}
		out := outcome(0)
		if x&isNull != 0 {
			out |= isTrue
		}
		if x&^isNull != 0 {
			out |= isFalse
		}
		return out
	}
	if e.Op == "==" && (o.nullish(e.L) || o.nullish(e.R)) {
		return isAnything // an optional field that nobody knows may be tested for null
	}
	return unlessNull(isTrue|isFalse|isNull, l, r)
}

func (o outcomes) nullish(e eql.Expr) bool {
	f, ok := e.(*eql.Field)
	if !ok || !f.Optional {
		return false
	}
	_, known := o.types.Lookup(f.Name)
	return !known
}

func isNullLiteral(e eql.Expr) bool {
	lit, ok := e.(*eql.Literal)
	return ok && lit.Value.IsNull()
}

// in holds only for an element that is not null.
func (o outcomes) in(e *eql.In) outcome {
	possible := isFalse
	for _, elem := range e.List {
		if o.of(elem) != isNull {
			possible |= isTrue
		}
	}
	x := o.of(e.X)
	return unlessNull(possible|x&isNull, x)
}

// call gives null where an argument that the function needs is null for good.
func (o outcomes) call(e *eql.Call) outcome {
	for _, f := range eql.Functions() {
		if !strings.EqualFold(f.Name, e.Name) {
			continue
		}
		for i, arg := range e.Args {
			if needs(f, i) && o.of(arg) == isNull {
				return isNull
			}
		}
	}
	return isAnything
}

// needs reports whether a function is null without its argument i. Only the start of
// substring is demanded and not needed.
func needs(f *eql.Function, i int) bool {
	if i >= len(f.Params) {
		return f.Name == "concat"
	}
	p := f.Params[i]
	return !p.Optional && !p.Constant && !(f.Name == "substring" && i > 0)
}
