package predicate

import (
	"slices"

	"github.com/shrike-project/shrike/eql"
)

// node is a part of a condition.
type node struct {
	kind nodeKind
	list []*node // of all, any and not
	// Of atomic and dear: which field's index, and which of its atoms or of its dear
	// leaves. Of leafy: index tells which of the network's leaves.
	index, atom int
	// Of nodes among others: the number of the node, and the indexes of the fields it
	// has atoms of, each once.
	id     int
	asks   []int
	fields uint64 // a bit of each of them: see fieldBit
}

// fieldBit gives the bit of a field by its index. Some fields share one.
func fieldBit(index int) uint64 { return 1 << (index & 63) }

type nodeKind uint8

const (
	always nodeKind = iota // constants
	never
	all
	any
	not
	atomic // a test of one field
	dear   // a test of one field that takes long
	leafy  // a test of several fields
)

var (
	yes = &node{kind: always}
	no  = &node{kind: never}
)

// join makes a node of all or any of a list, without what does not matter.
func join(kind nodeKind, list []*node) *node {
	n, parts := joined(kind, list, nil)
	if n == nil {
		n = &node{kind: kind, list: parts}
	}
	return n
}

// joined gives the parts of all or any of a list, without what does not matter, in the
// memory of parts; or the node that they come to, if they are no list.
func joined(kind nodeKind, list, parts []*node) (*node, []*node) {
	neutral, decides := yes, no
	if kind == any {
		neutral, decides = no, yes
	}
	parts = parts[:0]
	for _, n := range list {
		switch {
		case n.kind == neutral.kind:
		case n.kind == decides.kind:
			return decides, parts
		case n.kind == kind:
			parts = append(parts, n.list...)
		default:
			parts = append(parts, n)
		}
	}
	switch len(parts) {
	case 0:
		return neutral, parts
	case 1:
		return parts[0], parts
	}
	return nil, parts
}

// negate pushes a negation down to the tests. On this level logic has two values,
// so that nothing changes.
func negate(n *node) *node {
	switch n.kind {
	case always:
		return no
	case never:
		return yes
	case not:
		return n.list[0]
	case all, any:
		list := make([]*node, len(n.list))
		for i, e := range n.list {
			list[i] = negate(e)
		}
		return join(all+any-n.kind, list)
	}
	return &node{kind: not, list: []*node{n}}
}

// node translates a part of a compiled condition.
func (b *builder) node(part eql.Node) *node {
	switch part := part.(type) {
	case *eql.AllOf:
		return join(all, b.nodes(part.List))
	case *eql.AnyOf:
		return join(any, b.nodes(part.List))
	case *eql.Complement:
		return negate(b.node(part.Of))
	case *eql.Leaf:
		return b.leaf(part)
	}
	panic("predicate: a part of a condition is of an unknown kind")
}

func (b *builder) nodes(parts []eql.Node) []*node {
	list := make([]*node, len(parts))
	for i, p := range parts {
		list[i] = b.node(p)
	}
	return list
}

// leaf gives the node of a leaf; equal leaves share what is computed for them.
func (b *builder) leaf(l *eql.Leaf) *node {
	fields := l.Fields()
	switch len(fields) {
	case 0:
		if l.Holds(nil, &eql.Scratch{}) {
			return yes
		}
		return no
	case 1:
		x := b.index(fields[0])
		if a := leafAtom(l, b.n.set); a.alternatives != nil || !takesLong(l.Expr()) {
			return &node{kind: atomic, index: x, atom: b.n.indexes[x].add(a)}
		}
		return &node{kind: dear, index: x, atom: b.n.indexes[x].addDear(l)}
	}
	text := eql.Format(l.Expr())
	at, ok := b.leaves[text]
	if !ok {
		at = len(b.n.leaves)
		b.leaves[text] = at
		b.n.leaves = append(b.n.leaves, l)
	}
	return &node{kind: leafy, index: at}
}

// implied gives what follows from a node for some fields alone, those that about
// knows: if the node holds, so does what is implied.
func implied(n *node, about func(index int) bool) *node {
	switch n.kind {
	case atomic:
		if !about(n.index) {
			return yes
		}
	case dear, leafy:
		return yes
	case not:
		if implied(n.list[0], about) != n.list[0] {
			return yes
		}
	case all, any:
		list := make([]*node, len(n.list))
		for i, e := range n.list {
			list[i] = implied(e, about)
		}
		if slices.Equal(list, n.list) {
			return n
		}
		return join(n.kind, list)
	}
	return n
}

// indexes adds the fields a node tests to a list, each once.
func (n *node) indexes(list []int) []int {
	if n.kind == atomic && !slices.Contains(list, n.index) {
		return append(list, n.index)
	}
	for _, e := range n.list {
		list = e.indexes(list)
	}
	return list
}

// mixed reports whether a node holds tests of several fields.
func (n *node) mixed() bool {
	return n.kind >= dear || slices.ContainsFunc(n.list, (*node).mixed)
}
