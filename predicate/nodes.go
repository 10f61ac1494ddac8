package predicate

import (
	"encoding/binary"
	"slices"
)

// nodes are nodes of which equal ones are the same.
type nodes struct {
	base  *nodes // where a node may be too; it does not change any more
	known map[string]*node
	key   []byte // of the node that was looked for last
	parts []*node
	probe node
}

// add gives the node that is equal to one whose parts are among the nodes.
func (s *nodes) add(n *node) *node {
	if n.kind <= never || n.id > 0 {
		return n
	}
	known := s.find(n)
	if known == nil {
		known = n
		s.keep(known)
	}
	return known
}

// join gives all or any of a list of parts that are among the nodes, and reports whether
// it was not there before.
func (s *nodes) join(kind nodeKind, list []*node) (_ *node, fresh bool) {
	var n *node
	if n, s.parts = joined(kind, list, s.parts); n != nil {
		return n, false
	}
	s.probe = node{kind: kind, list: s.parts}
	if known := s.find(&s.probe); known != nil {
		return known, false
	}
	n = &node{kind: kind, list: slices.Clone(s.parts)}
	s.keep(n)
	return n, true
}

// keep adds a node that is not there, as find was told last.
func (s *nodes) keep(n *node) {
	if s.known == nil {
		s.known = map[string]*node{}
	}
	n.id = s.count() + 1
	n.gather()
	s.known[string(s.key)] = n
}

// gather finds the fields that a node asks, from its parts, which know theirs.
func (n *node) gather() {
	if n.kind == atomic {
		n.asks, n.fields = []int{n.index}, fieldBit(n.index)
		return
	}
	for _, e := range n.list {
		n.fields |= e.fields
		for _, x := range e.asks {
			if !slices.Contains(n.asks, x) {
				n.asks = append(n.asks, x)
			}
		}
	}
}

// find gives the node that is equal to one; nil if there is none.
func (s *nodes) find(n *node) *node {
	s.key = binary.AppendUvarint(append(s.key[:0], byte(n.kind)), uint64(n.index))
	s.key = binary.AppendUvarint(s.key, uint64(n.atom))
	for _, e := range n.list {
		s.key = binary.AppendUvarint(s.key, uint64(e.id))
	}
	if s.base != nil {
		if known := s.base.known[string(s.key)]; known != nil {
			return known
		}
	}
	return s.known[string(s.key)]
}

func (s *nodes) count() int {
	n := len(s.known)
	if s.base != nil {
		n += s.base.count()
	}
	return n
}

// tree adds a node with all its parts.
func (s *nodes) tree(n *node) *node {
	if len(n.list) > 0 {
		c := *n
		c.list = slices.Clone(n.list)
		for i, e := range c.list {
			c.list[i] = s.tree(e)
		}
		n = &c
	}
	return s.add(n)
}
