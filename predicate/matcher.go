package predicate

import (
	"hash/maphash"
	"math/bits"
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
	truth      []uint64
	left       []uint64 // conditions not ruled out yet
	hits       []int
	divisions  map[uint64]*division
	whole      *division // for events of which no division is remembered
}

// fieldState is what is known of a field: of the current event, and of all. What most
// events need stands first.
type fieldState struct {
	turn    uint32
	class   *class
	entry   *memoEntry // of the current text, nil if it is not remembered
	index   *index
	missing *class
	// otherwise is the class of whole numbers that nobody asks for.
	otherwise *class
	memory    memory
	own       dearTruth // of the current text if it is not remembered
	nothing   memoEntry // of a field that is missing
}

// leafState is what a test of several fields comes to for the current event.
type leafState struct {
	turn  uint32
	holds bool
}

// NewMatcher makes a Matcher.
func (n *Network) NewMatcher() *Matcher {
	m := &Matcher{n: n, seed: maphash.MakeSeed(), fields: make([]fieldState, len(n.indexes)), leaves: make([]leafState, len(n.leaves)), divisions: map[uint64]*division{}}
	words := 0
	for i, x := range n.indexes {
		words = max(words, x.words)
		m.fields[i].index = x
		m.fields[i].memory = newMemory(x.words)
		m.fields[i].missing = m.fields[i].memory.intern(m.seed, x.missing)
		if x.allWhole {
			m.fields[i].otherwise = m.fields[i].memory.intern(m.seed, x.otherwise)
		}
	}
	m.truth = make([]uint64, words)
	m.left = make([]uint64, (len(n.conditions)+63)/64)
	return m
}

// Match gives the conditions that hold for an event, in ascending order. The event
// must have been decoded with the Network's FieldSet. The slice is valid until the
// next call.
func (m *Matcher) Match(ev *event.Event) []int {
	m.hits = m.hits[:0]
	d := m.candidates(ev)
	if d == nil {
		return nil
	}
	for w, b := range m.left[:d.words] {
		for ; b != 0; b &= b - 1 {
			c := &d.conditions[w<<6+bits.TrailingZeros64(b)]
			if m.holds(d, c.entry, ev) {
				m.hits = append(m.hits, c.number)
			}
		}
	}
	return m.hits
}

// Look is Match for somebody who watches: looked is told of each condition on which
// time of its own is spent, and how much by the clock now; whether its needs were there,
// so that it was looked at in full; and whether it holds. What several conditions ask is
// answered once, and counts for the first that asked.
func (m *Matcher) Look(ev *event.Event, now func() time.Duration, looked func(condition int, took time.Duration, full, holds bool)) {
	d := m.candidates(ev)
	if d == nil {
		return
	}
	for w, b := range m.left[:d.words] {
		for ; b != 0; b &= b - 1 {
			c := &d.conditions[w<<6+bits.TrailingZeros64(b)]
			before := now()
			full := m.needed(c, ev)
			holds := full && m.holds(d, c.entry, ev)
			looked(c.number, now()-before, full, holds)
		}
	}
}

// candidates fills left with the conditions of an event's division that have to be
// looked at in full. It gives nil if there are none.
func (m *Matcher) candidates(ev *event.Event) *division {
	if m.turn++; m.turn == 0 {
		m.forget()
	}
	d := m.division(ev)
	if len(d.conditions) == 0 {
		return nil
	}
	left := m.left[:d.words]
	copy(left, d.all)
	for i := range d.tests {
		if !intersect(left, m.mask(&d.tests[i], d.words, ev)) {
			return nil
		}
	}
	return d
}

// forget makes all turns look long past.
func (m *Matcher) forget() {
	for i := range m.fields {
		m.fields[i].turn = 0
	}
	clear(m.leaves)
	m.turn = 1
}

// intersect keeps what is in both sets, and reports whether anything is left.
func intersect(left, mask []uint64) bool {
	some := uint64(0)
	for i, w := range mask {
		left[i] &= w
		some |= left[i]
	}
	return some != 0
}

// needed reports whether what a condition needs, beside what the tests of its division
// tell, is there.
func (m *Matcher) needed(c *divided, ev *event.Event) bool {
	for _, need := range c.rest {
		if !m.eval(need.test, ev) {
			return false
		}
	}
	return true
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
		return has(m.class(n.index, ev).truth, n.atom)
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
