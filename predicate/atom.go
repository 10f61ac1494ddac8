package predicate

import (
	"strings"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
)

// atom is a test of one field.
type atom struct {
	text string // equal for equal tests
	// holds answers the test for the values of the field, as the plain evaluator
	// does.
	holds func(values []event.Value, s *eql.Scratch) bool
	// alternatives, of which one must match one value, say the same for texts of
	// ASCII; nil where nothing can be said.
	alternatives []alternative
	// numbers are the whole numbers that the field, one of longs, is compared with; nil
	// where it is compared with anything else. Equal tells that one of them must be its
	// value.
	numbers []int64
	equal   bool
}

func categoryAtom(category string) *atom {
	a := &atom{text: "category " + category, holds: func(values []event.Value, _ *eql.Scratch) bool {
		for _, v := range values {
			if v.Text() == category {
				return true
			}
		}
		return false
	}}
	if isASCII(category) {
		a.alternatives = []alternative{exactly(category, true)}
	}
	return a
}

func leafAtom(l *eql.Leaf, set *event.FieldSet) *atom {
	a := &atom{text: eql.Format(l.Expr()), holds: l.Holds}
	f := l.Fields()[0]
	if typ, known := set.Type(f); !known || typ.IsString() {
		a.alternatives = alternatives(l.Expr(), set.Caseless(f))
	} else if typ == event.LongType {
		a.numbers, a.equal = wholeNumbers(l.Expr())
	}
	return a
}

// wholeNumbers gives the whole numbers a field is compared with, nil if the expression is
// anything else, and whether it must equal one of them.
func wholeNumbers(e eql.Expr) (numbers []int64, equal bool) {
	var list []eql.Expr
	switch e := e.(type) {
	case *eql.Compare:
		equal = e.Op == "=="
		switch {
		case isField(e.L):
			list = []eql.Expr{e.R}
		case isField(e.R):
			list = []eql.Expr{e.L}
		}
	case *eql.In:
		if equal = true; isField(e.X) {
			list = e.List
		}
	}
	for _, e := range list {
		lit, ok := e.(*eql.Literal)
		if !ok || lit.Value.Kind() != event.Long {
			return nil, false
		}
		numbers = append(numbers, lit.Value.Long())
	}
	return numbers, equal
}

// takesLong reports whether an expression takes long to evaluate. Such a test is made
// only where the outcome hangs on it.
func takesLong(e eql.Expr) bool {
	found := false
	eql.Walk(e, func(e eql.Expr) {
		switch e.(type) {
		case *eql.Pattern, *eql.Call, *eql.Arith:
			found = true
		}
	})
	return found
}

// alternatives gives what the values of a field are compared with; nil if the
// expression is none that compares a field with constant texts.
func alternatives(e eql.Expr, caseless bool) []alternative {
	switch e := e.(type) {
	case *eql.Compare:
		if e.Op == "==" {
			return equality(e, caseless)
		}
	case *eql.In:
		if isField(e.X) {
			return texts(e.List, func(s string) (alternative, bool) { return exactly(s, !e.Fold && !caseless), true })
		}
	case *eql.Pattern:
		if cased := e.Op == "like" && !caseless; isField(e.X) && e.Op != "regex" && e.Op != "regex~" {
			list := make([]eql.Expr, len(e.Patterns))
			for i, p := range e.Patterns {
				list[i] = p
			}
			return texts(list, func(s string) (alternative, bool) { return wildcard(s, cased), true })
		}
	case *eql.Call:
		return callAlternatives(e, !e.Fold && !caseless)
	}
	return nil
}

func equality(e *eql.Compare, caseless bool) []alternative {
	l, r := e.L, e.R
	if _, ok := l.(*eql.Literal); ok {
		l, r = r, l
	}
	if !isField(l) {
		return nil
	}
	return texts([]eql.Expr{r}, func(s string) (alternative, bool) { return exactly(s, !caseless), true })
}

// callAlternatives knows the functions that look for a part of a text.
func callAlternatives(e *eql.Call, cased bool) []alternative {
	if len(e.Args) < 2 || !isField(e.Args[0]) {
		return nil
	}
	var form func(s string) alternative
	switch strings.ToLower(e.Name) {
	case "startswith":
		form = func(s string) alternative { return alternative{parts: []string{s, ""}, cased: cased} }
	case "endswith":
		form = func(s string) alternative { return alternative{parts: []string{"", s}, cased: cased} }
	case "stringcontains":
		form = func(s string) alternative { return alternative{parts: []string{"", s, ""}, cased: cased} }
	case "wildcard":
		return texts(e.Args[1:], func(s string) (alternative, bool) { return wildcard(s, cased), true })
	default:
		return nil
	}
	return texts(e.Args[1:], func(s string) (alternative, bool) {
		return form(s), s != "" && !strings.Contains(s, "?")
	})
}

// texts makes alternatives of constant texts of ASCII; nil if one of them is
// something else. A null matches nothing.
func texts(list []eql.Expr, form func(string) (alternative, bool)) []alternative {
	out := []alternative{}
	for _, e := range list {
		lit, ok := e.(*eql.Literal)
		if !ok || lit.Value.Kind() != event.String || !isASCII(lit.Value.Str()) {
			return nil
		}
		alt, ok := form(lit.Value.Str())
		if !ok {
			return nil
		}
		out = append(out, alt.prepare())
	}
	return out
}

func isField(e eql.Expr) bool {
	_, ok := e.(*eql.Field)
	return ok
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
