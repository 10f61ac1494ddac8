package predicate

import (
	"encoding/binary"
	"slices"
)

// nodes are nodes of which equal ones are the same.
type nodes struct {
	base  *nodes // where a node may be too; it does not change any more
	known map[string]*node
	key   []byte
}

// add gives the node that is equal to one whose parts are among the nodes, and reports
// whether it was not there before.
func (s *nodes) add(n *node) (_ *node, fresh bool) {
	if n.kind <= never || n.id > 0 {
		return n, false
	}
	s.key = binary.AppendUvarint(append(s.key[:0], byte(n.kind)), uint64(n.index))
	s.key = binary.AppendUvarint(s.key, uint64(n.atom))
	for _, e := range n.list {
		s.key = binary.AppendUvarint(s.key, uint64(e.id))
	}
	if known := s.find(s.key); known != nil {
		return known, false
	}
	if s.known == nil {
		s.known = map[string]*node{}
	}
	n.id = s.count() + 1
	n.gather()
	s.known[string(s.key)] = n
	return n, true
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

func (s *nodes) find(key []byte) *node {
	if s.base != nil {
		if n := s.base.find(key); n != nil {
			return n
		}
	}
	return s.known[string(key)]
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
	n, _ = s.add(n)
	return n
}
