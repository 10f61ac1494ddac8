package coverage

// Leaves: the tests of a condition, and what they can come to.

import (
	"strings"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
)

// truth is what a part of a condition can come to.
type truth uint8

const (
	canHold truth = 1 << iota
	canFail
	either = canHold | canFail
)

func truthOf(holds bool) truth {
	if holds {
		return canHold
	}
	return canFail
}

// complement is the truth of a negation.
func (t truth) complement() truth { return t&canHold<<1 | t&canFail>>1 }

// constant reports whether a part comes to the same for all events.
func (t truth) constant() bool { return t != either }

// leaf is a test of a condition.
type leaf struct {
	eql    *eql.Leaf
	fields []string
	types  *event.Types
	// constants are the texts that the test names; whole tells that it holds for no
	// others.
	constants []string
	whole     bool
	// missing is what the test comes to in an event that has none of its fields.
	missing bool
}

func newLeaf(l *eql.Leaf, fields *event.FieldSet, empty *event.Event) *leaf {
	out := &leaf{eql: l, types: fields.Types(), missing: l.Matches(empty)}
	for _, f := range l.Fields() {
		out.fields = append(out.fields, fields.Name(f))
	}
	out.constants, out.whole = comparedTexts(l.Expr())
	return out
}

// comparedTexts gives the texts that a test of one field compares it with, and whether
// it compares it with nothing else.
func comparedTexts(e eql.Expr) (texts []string, whole bool) {
	var x eql.Expr
	var list []eql.Expr
	switch e := e.(type) {
	case *eql.Compare:
		x, list = e.L, []eql.Expr{e.R}
		if e.Op != "==" {
			return nil, false
		}
	case *eql.In:
		x, list = e.X, e.List
	case *eql.Pattern:
		if strings.HasPrefix(e.Op, "regex") {
			return nil, false
		}
		x = e.X
		for _, p := range e.Patterns {
			if strings.ContainsAny(p.Value.Str(), "*?") {
				return nil, false
			}
			list = append(list, p)
		}
	default:
		return nil, false
	}
	if _, ok := x.(*eql.Field); !ok {
		return nil, false
	}
	for _, e := range list {
		lit, ok := e.(*eql.Literal)
		if !ok || lit.Value.Kind() != event.String {
			return nil, false
		}
		texts = append(texts, lit.Value.Str())
	}
	return texts, true
}

// holds reports whether the test holds for some values of its only field.
func (l *leaf) holds(texts ...string) bool {
	values := make([]event.Value, len(texts))
	for i, s := range texts {
		values[i] = event.StringValue(s)
	}
	return l.eql.Holds(values, &eql.Scratch{})
}

// of gives what the test can come to for the values of a domain.
func (d *domain) of(l *leaf) truth {
	if d.always {
		return truthOf(l.holds(d.values...))
	}
	t := truthOf(l.missing)
	for _, v := range d.values {
		t |= truthOf(l.holds(v))
	}
	if len(d.patterns) > 0 {
		t |= canFail
		if !l.whole {
			t |= canHold
		}
		for _, c := range l.constants {
			if d.allows(c) {
				t |= truthOf(l.holds(c))
			}
		}
	}
	return t
}

// said gives what the test can come to by what events of a kind say of themselves.
func (l *leaf) said(k *Kind) truth {
	if len(l.fields) == 0 {
		return truthOf(l.missing)
	}
	if len(l.fields) == 1 {
		d, known := k.values[l.fields[0]]
		if typ, _ := l.types.Lookup(l.fields[0]); known && typ == event.Keyword {
			return d.of(l)
		}
	}
	return either
}

// lacks gives the fields of the test that events of a kind never have.
func (l *leaf) lacks(k *Kind) []string {
	var out []string
	for _, f := range l.fields {
		if !k.Supplies(f) {
			out = append(out, f)
		}
	}
	return out
}

// in gives what the test can come to in the events of a kind.
func (l *leaf) in(k *Kind) truth {
	lacking := l.lacks(k)
	switch len(lacking) {
	case 0:
		return l.said(k)
	case len(l.fields):
		return truthOf(l.missing)
	}
	o := outcomes{types: l.types, missing: func(field string) bool { return !k.Supplies(field) }}.of(l.eql.Expr())
	t := truth(0)
	if o&isTrue != 0 {
		t |= canHold
	}
	if o&^isTrue != 0 {
		t |= canFail
	}
	return t
}
