package predicate

import (
	"hash/maphash"
	"time"

	"github.com/shrike-project/shrike/event"
)

// Matcher asks a Network about events, one after another. It belongs to one
// goroutine. It remembers values and what they mean, within bounds.
type Matcher struct {
	n          *Network
	seed       maphash.Seed
	turn       uint32
	fields     []fieldState
	leaves     []leafState
	classifier classifier
	scratch    []uint64 // for a truth
	diagram    *diagram
	hits       []int
}

// fieldState is what is known of a field: of the current event, and of all. What most
// events need stands first.
type fieldState struct {
	turn    uint32
	class   class
	entry   int32 // the place of the current text
	missing class
	own     dearTruth   // of the current text if it is not remembered
	field   event.Field // of the index, which most events so need not look at
	cells   []class     // by cell of the index; nil if there are none
	memory  memory
	index   *index
	nothing dearTruth // of a field that is missing
}

// leafState is what a test of several fields comes to for the current event.
type leafState struct {
	turn  uint32
	holds bool
}

// NewMatcher makes a Matcher.
func (n *Network) NewMatcher() *Matcher {
	m := &Matcher{n: n, seed: maphash.MakeSeed(), fields: make([]fieldState, len(n.indexes)), leaves: make([]leafState, len(n.leaves)), diagram: newDiagram(n)}
	words := 0
	for i, x := range n.indexes {
		words = max(words, x.words)
		m.fields[i].index, m.fields[i].field, m.fields[i].entry = x, x.field, forgotten
		m.fields[i].memory = newMemory(x.words)
		m.fields[i].missing = m.fields[i].memory.intern(x.missing)
		if x.cells != nil {
			m.fields[i].cells = m.fields[i].memory.classesOf(x.cells)
		}
	}
	m.scratch = make([]uint64, words)
	return m
}

// Match gives the conditions that hold for an event, in ascending order. The event
// must have been decoded with the Network's FieldSet. The slice is valid until the
// next call and must not be changed.
func (m *Matcher) Match(ev *event.Event) []int {
	s := m.walk(ev)
	if len(s.open) == 0 {
		return s.holds
	}
	m.hits = m.hits[:0]
	sure := s.holds
	for i := range s.open {
		o := &s.open[i]
		if !m.eval(o.left, ev) {
			continue
		}
		for len(sure) > 0 && sure[0] < o.number {
			m.hits, sure = append(m.hits, sure[0]), sure[1:]
		}
		m.hits = append(m.hits, o.number)
	}
	return append(m.hits, sure...)
}

// Look is Match for somebody who wants to know what each condition takes alone: looked
// is told of each condition that an event has the witnesses of, how much time by the clock
// now it took to look at it in full, and whether it holds. What several conditions ask is
// answered once, and counts for the first that asked.
func (m *Matcher) Look(ev *event.Event, now func() time.Duration, looked func(condition int, took time.Duration, holds bool)) {
	m.begin()
	needs := m.n.needs()
	look := func(condition int) {
		for _, need := range needs[condition] {
			if !m.eval(need.test, ev) {
				return
			}
		}
		before := now()
		holds := m.eval(m.n.conditions[condition], ev)
		looked(condition, now()-before, holds)
	}
	s := &m.diagram.states[0]
	if next := m.next(0, ev); next >= 0 {
		s = &m.diagram.states[next]
	}
	for _, c := range s.holds {
		look(c)
	}
	for _, o := range s.open {
		look(o.number)
	}
}

// begin begins with an event.
func (m *Matcher) begin() {
	if m.turn++; m.turn == 0 {
		m.forget()
	}
}

// walk takes the diagram's way for an event, as far as it goes.
func (m *Matcher) walk(ev *event.Event) *state {
	m.begin()
	for at := int32(0); ; {
		s := &m.diagram.states[at]
		if s.ask == 0 {
			return s
		}
		if at = m.next(at, ev); at < 0 {
			return s
		}
	}
}

// next gives the state that follows for an event on one that asks; -1 if there is none.
func (m *Matcher) next(at int32, ev *event.Event) int32 {
	s := &m.diagram.states[at]
	key := uint64(0)
	for _, x := range s.asks[:s.ask] {
		c := m.class(int(x), ev)
		if c == fleeting {
			return -1
		}
		key = key<<classBits | uint64(c)
	}
	for i, k := range s.keys {
		if k == key+1 {
			return s.to[i]
		}
	}
	next := m.diagram.ways.find(at, key)
	if next < 0 {
		return m.step(at, key)
	}
	s.remember(key, next)
	return next
}

// forget makes all turns look long past.
func (m *Matcher) forget() {
	for i := range m.fields {
		m.fields[i].turn = 0
	}
	clear(m.leaves)
	m.turn = 1
}

// eval tells whether a part of a condition holds.
func (m *Matcher) eval(n *node, ev *event.Event) bool {
	switch n.kind {
	case always:
		return true
	case all:
		for _, e := range n.list {
			if !m.eval(e, ev) {
				return false
			}
		}
		return true
	case any:
		for _, e := range n.list {
			if m.eval(e, ev) {
				return true
			}
		}
	case not:
		return !m.eval(n.list[0], ev)
	case atomic:
		return has(m.truth(n.index, ev), n.atom)
	case dear:
		return m.dear(n.index, n.atom, ev)
	case leafy:
		return m.leaf(n.index, ev)
	}
	return false
}

// leaf answers a test of several fields, once for each event.
func (m *Matcher) leaf(at int, ev *event.Event) bool {
	st := &m.leaves[at]
	if st.turn != m.turn {
		st.turn, st.holds = m.turn, m.n.leaves[at].MatchesWith(ev, &m.classifier.scratch)
	}
	return st.holds
}
