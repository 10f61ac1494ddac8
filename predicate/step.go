package predicate

// Conditions as steps: what a division leaves open of its conditions, one test after
// another, in one piece of memory.

import "github.com/shrike-project/shrike/event"

// step is a test and where to go on from it.
type step struct {
	kind        nodeKind // atomic, dear or leafy
	index, atom int32    // as in node
	yes, no     int32    // a step, or accept or reject
}

const (
	accept int32 = -1
	reject int32 = -2
)

// compile adds the steps of a node, and gives the first: where to go on is yes if the
// node holds, else no.
func (d *division) compile(n *node, yes, no int32) int32 {
	switch n.kind {
	case always:
		return yes
	case never:
		return no
	case not:
		return d.compile(n.list[0], no, yes)
	case all:
		for i := len(n.list) - 1; i >= 0; i-- {
			yes = d.compile(n.list[i], yes, no)
		}
		return yes
	case any:
		for i := len(n.list) - 1; i >= 0; i-- {
			no = d.compile(n.list[i], yes, no)
		}
		return no
	}
	d.steps = append(d.steps, step{n.kind, int32(n.index), int32(n.atom), yes, no})
	return int32(len(d.steps) - 1)
}

// holds takes the steps of a condition.
func (m *Matcher) holds(d *division, at int32, ev *event.Event) bool {
	for at >= 0 {
		s := &d.steps[at]
		var holds bool
		switch s.kind {
		case atomic:
			st := &m.fields[s.index]
			if st.turn != m.turn {
				m.class(int(s.index), ev)
			}
			holds = has(st.class.truth, int(s.atom))
		case dear:
			holds = m.dear(int(s.index), int(s.atom), ev)
		default:
			holds = m.leaf(int(s.index), ev)
		}
		if at = s.no; holds {
			at = s.yes
		}
	}
	return at == accept
}
