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
	steps      []step   // of what is left to ask of each condition
}

// divided is a condition in a division.
type divided struct {
	condition
	number int
	rest   []need // the needs that are no test of the division
	entry  int32  // the first step of what the tests leave open
}

// test tells by the classes of one field, or of two, which conditions of a division
// are left.
type test struct {
	fields fields
	needs  []divisionNeed
	masks  [][]uint64   // by the class of the field, as they turn up
	pairs  [][][]uint64 // the same of two fields
	filled int          // how many masks there are
	spare  []uint64
}

type divisionNeed struct {
	at   int // of the condition in the division
	test *node
}

const (
	// maxDivisions bounds the divisions that are remembered, dividerBits the classes
	// of a dividing field that make one.
	maxDivisions = 256
	dividerBits  = 64 / maxDividers
	maxDivider   = 1<<dividerBits - 1
	// maxTests is the most fields that are asked for all conditions of a division,
	// leastNeeds how many conditions must need a field for it to be one.
	maxTests   = 16
	leastNeeds = 3
	// maxMasks bounds the masks that a test remembers.
	maxMasks = 4096
)

// division gives the division of an event.
func (m *Matcher) division(ev *event.Event) *division {
	key := uint64(0)
	for _, x := range m.n.dividing {
		c := m.class(x, ev)
		if c.id < 0 || c.id > maxDivider {
			return m.undivided()
		}
		key = key<<dividerBits | uint64(c.id)
	}
	d := m.divisions[key]
	if d == nil {
		if len(m.divisions) == maxDivisions {
			return m.undivided()
		}
		d = m.newDivision(func(n *node) *node { return m.settle(n, ev) })
		m.divisions[key] = d
	}
	return d
}

// undivided gives the division of all conditions.
func (m *Matcher) undivided() *division {
	if m.whole == nil {
		m.whole = m.newDivision(func(n *node) *node { return n })
	}
	return m.whole
}

// settle replaces tests of the dividing fields by what they come to for an event,
// and so for all events of its division.
func (m *Matcher) settle(n *node, ev *event.Event) *node {
	switch n.kind {
	case atomic:
		switch {
		case !slices.Contains(m.n.dividing, n.index):
			return n
		case m.eval(n, ev):
			return yes
		}
		return no
	case not:
		if e := m.settle(n.list[0], ev); e != n.list[0] {
			return negate(e)
		}
	case all, any:
		list := make([]*node, len(n.list))
		for i, e := range n.list {
			list[i] = m.settle(e, ev)
		}
		if !slices.Equal(list, n.list) {
			return join(n.kind, list)
		}
	}
	return n
}

// newDivision makes a division of the conditions that are not settled to be false.
func (m *Matcher) newDivision(settle func(*node) *node) *division {
	d := &division{}
	for number, c := range m.n.conditions {
		if root := settle(c.root); root != c.root {
			c = newCondition(root)
		}
		if c.root.kind != never {
			d.conditions = append(d.conditions, divided{condition: c, number: number, rest: slices.Clone(c.needs)})
		}
	}
	d.words = (len(d.conditions) + 63) / 64
	d.all = make([]uint64, d.words)
	for at := range d.conditions {
		set(d.all, at)
	}
	d.choose()
	return d
}

// choose makes tests of the fields that most conditions need.
func (d *division) choose() {
	byFields := map[fields][]divisionNeed{}
	for at, c := range d.conditions {
		for _, need := range c.rest {
			byFields[need.fields] = append(byFields[need.fields], divisionNeed{at, need.test})
		}
	}
	for f, needs := range byFields {
		if len(needs) >= leastNeeds {
			d.tests = append(d.tests, test{fields: f, needs: needs, spare: make([]uint64, d.words)})
		}
	}
	slices.SortFunc(d.tests, func(a, b test) int {
		return cmp.Or(len(b.needs)-len(a.needs), a.fields[0]-b.fields[0], a.fields[1]-b.fields[1])
	})
	d.tests = d.tests[:min(len(d.tests), maxTests)]
	for at := range d.conditions {
		c := &d.conditions[at]
		c.rest = slices.DeleteFunc(c.rest, func(n need) bool {
			return slices.ContainsFunc(d.tests, func(t test) bool { return t.fields == n.fields })
		})
		c.entry = d.compile(c.open(), accept, reject)
	}
}

// open gives what is left to ask of a condition that the tests of its division do
// not rule out: first what it needs of fields that are no test, for that is decided
// at once, and then the parts that no need says in full.
func (c *divided) open() *node {
	parts := []*node{c.root}
	if c.root.kind == all {
		parts = c.root.list
	}
	list := make([]*node, 0, len(c.rest)+len(parts))
	for _, n := range c.rest {
		list = append(list, n.test)
	}
	for _, p := range parts {
		if !c.says(p) {
			list = append(list, p)
		}
	}
	return join(all, list)
}

// says reports whether one of a condition's needs holds only if a part of its root
// does.
func (c *condition) says(part *node) bool {
	if part.mixed() {
		return false
	}
	about := part.indexes(nil)
	return slices.ContainsFunc(c.needs, func(n need) bool {
		return !slices.ContainsFunc(about, func(x int) bool { return !n.fields.have(x) })
	})
}

// mask gives the conditions of a division that the classes of a test's fields leave.
func (m *Matcher) mask(t *test, words int, ev *event.Event) []uint64 {
	at, masks := m.class(t.fields[0], ev).id, &t.masks
	if at >= 0 && !t.fields.single() {
		t.pairs = extend(t.pairs, at)
		at, masks = m.class(t.fields[1], ev).id, &t.pairs[at]
	}
	if at >= 0 && at < len(*masks) && (*masks)[at] != nil {
		return (*masks)[at]
	}
	if at < 0 || t.filled == maxMasks {
		m.fill(t, t.spare, ev)
		return t.spare
	}
	t.filled++
	*masks = extend(*masks, at)
	mask := make([]uint64, words)
	m.fill(t, mask, ev)
	(*masks)[at] = mask
	return mask
}

// extend makes a list long enough to have an element at a place.
func extend[list []uint64 | [][]uint64](l []list, at int) []list {
	for len(l) <= at {
		l = append(l, nil)
	}
	return l
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
