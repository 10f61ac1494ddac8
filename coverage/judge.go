package coverage

// A condition in the events of one kind: what it comes to, and which tests are to
// blame.

import (
	"slices"

	"github.com/shrike-project/shrike/eql"
)

// combine gives what a part comes to, given what its tests do.
func combine(n eql.Node, of func(*eql.Leaf) truth) truth {
	switch n := n.(type) {
	case *eql.AllOf:
		return conjunction(n.List, of, func(t truth) truth { return t })
	case *eql.AnyOf:
		return conjunction(n.List, of, truth.complement).complement()
	case *eql.Complement:
		return combine(n.Of, of).complement()
	case *eql.Leaf:
		return of(n)
	}
	panic("coverage: a condition has a part of an unknown kind")
}

// conjunction holds if all parts do, seen through a view of them.
func conjunction(list []eql.Node, of func(*eql.Leaf) truth, view func(truth) truth) truth {
	out := canHold
	for _, part := range list {
		switch t := view(combine(part, of)); {
		case t == canFail:
			return canFail
		case t == either:
			out = either
		}
	}
	return out
}

// categoryIn reports whether events of a kind can pass the test of the category.
func (st *step) categoryIn(k *Kind) bool {
	if st.category == "" {
		return true
	}
	d, known := k.values[st.category]
	if !known {
		return k.Supplies(st.category)
	}
	return slices.Contains(d.values, st.query.Category) || d.allows(st.query.Category)
}

// inKind is a step in the events of one kind.
type inKind struct {
	*step
	kind *Kind
	// lacking are the tests that are never decided and make a difference, with the
	// effect; decided are those whose fields the kind supplies.
	lacking map[*leaf]Effect
	decided map[*leaf]bool
}

// find finds the tests that are lacking, and those that are decided.
func (e *inKind) find() {
	e.lacking, e.decided = map[*leaf]Effect{}, map[*leaf]bool{}
	e.look(e.root, true)
	e.note(e.root)
}

// said gives what a part comes to by what the events say of themselves, judged what it
// comes to if missing fields count.
func (e *inKind) said(n eql.Node) truth {
	return combine(n, func(l *eql.Leaf) truth { return e.leaves[l].said(e.kind) })
}

func (e *inKind) judged(n eql.Node) truth {
	return combine(n, func(l *eql.Leaf) truth { return e.leaves[l].in(e.kind) })
}

// about reports whether the step is about events of the kind, and live whether it can
// hold for one.
func (e *inKind) about() bool { return e.categoryIn(e.kind) && e.said(e.root)&canHold != 0 }

func (e *inKind) live() bool { return e.judged(e.root)&canHold != 0 }

// look finds the tests that are never decided below a part; positive tells that the
// query does not negate it.
func (e *inKind) look(n eql.Node, positive bool) {
	if e.said(n).constant() {
		return // decided by what the event is
	}
	t := e.judged(n)
	if t.constant() {
		e.blame(n, t, effectOf(t == canHold, positive))
		return
	}
	switch n := n.(type) {
	case *eql.AllOf:
		for _, part := range n.List {
			e.look(part, positive)
		}
	case *eql.AnyOf:
		for _, part := range n.List {
			e.look(part, positive)
		}
	case *eql.Complement:
		e.look(n.Of, !positive)
	case *eql.Leaf:
		if l := e.leaves[n]; len(l.lacks(e.kind)) > 0 { // decided in part, by its other fields
			e.lacking[l] = effectOf(false, positive)
		}
	}
}

// note finds the tests whose fields the kind supplies, where they matter.
func (e *inKind) note(n eql.Node) {
	if e.said(n).constant() {
		return
	}
	switch n := n.(type) {
	case *eql.AllOf:
		for _, part := range n.List {
			e.note(part)
		}
	case *eql.AnyOf:
		for _, part := range n.List {
			e.note(part)
		}
	case *eql.Complement:
		e.note(n.Of)
	case *eql.Leaf:
		if l := e.leaves[n]; len(l.lacks(e.kind)) == 0 {
			e.decided[l] = true
		}
	}
}

// blame notes the tests that make a part come to t in all events.
func (e *inKind) blame(n eql.Node, t truth, effect Effect) {
	if e.said(n).constant() || e.judged(n) != t {
		return
	}
	switch n := n.(type) {
	case *eql.AllOf:
		for _, part := range n.List {
			e.blame(part, t, effect)
		}
	case *eql.AnyOf:
		for _, part := range n.List {
			e.blame(part, t, effect)
		}
	case *eql.Complement:
		e.blame(n.Of, t.complement(), effect)
	case *eql.Leaf:
		e.lacking[e.leaves[n]] = effect
	}
}

// effectOf tells what it means that a part holds for good, or does not.
func effectOf(holds, positive bool) Effect {
	if holds == positive {
		return Noisy
	}
	return Blind
}
