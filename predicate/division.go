package predicate

import (
	"cmp"
	"slices"

	"github.com/shrike-project/shrike/event"
)

// division holds the conditions that events of one kind may fulfil: those with
// the same classes of the dividing fields.
type division struct {
	conditions []divided
	words      int      // of a set of its conditions
	all        []uint64 // the set of all of them
	tests      []test   // of the fields that rule out most, in the order they are asked
}

// divided is a condition in a division.
type divided struct {
	condition
	number int
	rest   []need // the needs that are no test of the division
}

// test tells by the class of a field which conditions of a division are left.
type test struct {
	index int
	needs []divisionNeed
	masks [][]uint64 // by class, as they turn up
	spare []uint64
}

type divisionNeed struct {
	at   int // of the condition in the division
	test *node
}

const (
	// maxDivisions bounds the divisions that are remembered.
	maxDivisions = 256
	// maxTests is the most fields that are asked for all conditions of a division,
	// leastNeeds how many conditions must need a field for it to be one.
	maxTests   = 12
	leastNeeds = 4
)

// division gives the division of an event.
func (m *Matcher) division(ev *event.Event) *division {
	key := uint64(0)
	for _, x := range m.n.dividing {
		c := m.class(x, ev)
		if c.id < 0 {
			return m.undivided()
		}
		key = key<<16 | uint64(c.id)
	}
	d := m.divisions[key]
	if d == nil {
		if len(m.divisions) == maxDivisions {
			return m.undivided()
		}
		d = m.newDivision(func(need need) (holds, decided bool) {
			if slices.Contains(m.n.dividing, need.index) {
				return m.eval(need.test, ev), true
			}
			return true, false
		})
		m.divisions[key] = d
	}
	return d
}

// undivided gives the division of all conditions.
func (m *Matcher) undivided() *division {
	if m.whole == nil {
		m.whole = m.newDivision(func(need) (bool, bool) { return true, false })
	}
	return m.whole
}

// newDivision makes a division of the conditions none of whose needs is decided to
// be false.
func (m *Matcher) newDivision(decide func(need) (holds, decided bool)) *division {
	d := &division{}
	for n, c := range m.n.conditions {
		out := divided{condition: c, number: n}
		possible := c.root.kind != never
		for _, need := range c.needs {
			holds, decided := decide(need)
			possible = possible && holds
			if !decided {
				out.rest = append(out.rest, need)
			}
		}
		if possible {
			d.conditions = append(d.conditions, out)
		}
	}
	d.words = (len(d.conditions) + 63) / 64
	d.all = make([]uint64, d.words)
	for at := range d.conditions {
		set(d.all, at)
	}
	d.choose(m)
	return d
}

// choose makes tests of the fields that most conditions need.
func (d *division) choose(m *Matcher) {
	byIndex := map[int][]divisionNeed{}
	for at, c := range d.conditions {
		for _, need := range c.rest {
			byIndex[need.index] = append(byIndex[need.index], divisionNeed{at, need.test})
		}
	}
	for x, needs := range byIndex {
		if len(needs) >= leastNeeds {
			d.tests = append(d.tests, test{index: x, needs: needs, spare: make([]uint64, d.words)})
		}
	}
	slices.SortFunc(d.tests, func(a, b test) int {
		return cmp.Or(len(b.needs)-len(a.needs), a.index-b.index)
	})
	d.tests = d.tests[:min(len(d.tests), maxTests)]
	for at := range d.conditions {
		c := &d.conditions[at]
		c.rest = slices.DeleteFunc(c.rest, func(n need) bool {
			return slices.ContainsFunc(d.tests, func(t test) bool { return t.index == n.index })
		})
	}
	_ = m
}

// mask gives the conditions of a division that the class of a field leaves.
func (m *Matcher) mask(t *test, words int, ev *event.Event) []uint64 {
	c := m.class(t.index, ev)
	if c.id < 0 {
		m.fill(t, t.spare, ev)
		return t.spare
	}
	for len(t.masks) <= c.id {
		t.masks = append(t.masks, nil)
	}
	if t.masks[c.id] == nil {
		t.masks[c.id] = make([]uint64, words)
		m.fill(t, t.masks[c.id], ev)
	}
	return t.masks[c.id]
}

func (m *Matcher) fill(t *test, mask []uint64, ev *event.Event) {
	for i := range mask {
		mask[i] = ^uint64(0)
	}
	for _, n := range t.needs {
		if !m.eval(n.test, ev) {
			mask[n.at>>6] &^= 1 << (n.at & 63)
		}
	}
}
