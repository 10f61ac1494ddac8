package predicate

import (
	"cmp"
	"math"
	"slices"
)

// A diagram tells which conditions hold by asking a few fields at a time, and only
// those that still matter: after what a process is called, few conditions are left that
// anything could follow from. It is a decision diagram whose states come into being as
// events need them. A state is what is left of the conditions after some answers; where
// different answers leave the same, they lead to the same state.
type diagram struct {
	states []state // the first one is where all events begin
	ways   ways
	known  map[uint64][]int32 // states by hash
	nodes  *nodes
	seen   once  // of ways
	bytes  int   // what states and nodes take
	most   int   // so many bytes; beyond them the diagram is full
	missed int   // ways that were wanted in vain since the diagram is full
	score  []int // by index: see choose
	// Of the state that is made: its conditions, the fields that were asked for it (see
	// node.fields), the truth of their classes by index, and parts of nodes.
	open   []open
	holds  []int
	asked  uint64
	truths [][]uint64
	parts  []*node
}

// state is what is left of the conditions. What most events need of it fills the first
// line of a processor's cache, the whole two.
type state struct {
	asks  [maxAsk]int16  // the indexes of the fields that are asked next
	ask   int8           // so many; 0: what is open is looked at
	to    [recent]int32  // where the ways lead that were taken lately
	keys  [recent]uint64 // of these ways, each one more; 0: there is none
	holds []int          // conditions that hold whatever else, in ascending order
	open  []open         // conditions that may hold, in ascending order
	_     [16]byte
}

// remember notes a way that was taken, in the place of the oldest.
func (s *state) remember(key uint64, to int32) {
	copy(s.keys[1:], s.keys[:])
	copy(s.to[1:], s.to[:])
	s.keys[0], s.to[0] = key+1, to
}

// open is a condition that may hold, and what has to hold for it.
type open struct {
	number int
	left   *node
}

const (
	// recent is how many ways a state remembers itself.
	recent = 4
	// maxAsk is how many fields a state asks at most: so many classes make a key.
	maxAsk = 5
	// A state with more than manyOpen open conditions asks fewAsk fields at most: for each
	// key, a state is made out of all these conditions.
	manyOpen, fewAsk = 400, 3
	// leastShare says which fields are asked together with the one that decides most:
	// those whose score is not less than one in so many of its.
	leastShare = 4
	// A diagram may take leastBytes, and more if there are many conditions: bytesEach for
	// each. When it is full, and as many ways were wanted in vain as stalePerState for each
	// of its states, it is begun anew.
	leastBytes    = 6 << 20
	bytesEach     = 8 << 10
	stalePerState = 64
	// maxOnce is how many ways are remembered that were taken once: a state that is wanted
	// once is not made.
	maxOnce = 1 << 13
)

func newDiagram(n *Network) *diagram {
	d := &diagram{most: max(leastBytes, bytesEach*len(n.conditions)), score: make([]int, len(n.indexes)), truths: make([][]uint64, len(n.indexes)), seen: once{size: maxOnce}}
	d.begin(n)
	return d
}

// begin forgets all states but the first.
func (d *diagram) begin(n *Network) {
	d.states, d.ways, d.known, d.nodes = nil, ways{}, map[uint64][]int32{}, &nodes{base: n.nodes}
	d.bytes, d.missed = 0, 0
	d.open, d.holds = d.open[:0], d.holds[:0]
	for number, root := range n.conditions {
		d.put(number, root)
	}
	d.intern()
}

// put adds what is left of a condition to the state that is made.
func (d *diagram) put(number int, left *node) {
	switch left.kind {
	case never:
	case always:
		d.holds = append(d.holds, number)
	default:
		d.open = append(d.open, open{number, left})
	}
}

// intern gives the state of what was put.
func (d *diagram) intern() int32 {
	h := uint64(len(d.holds))
	for _, n := range d.holds {
		h = mix(h, uint64(n))
	}
	for _, o := range d.open {
		h = mix(h, uint64(o.number)<<32|uint64(o.left.id))
	}
	for _, at := range d.known[h] {
		if s := &d.states[at]; slices.Equal(s.holds, d.holds) && slices.Equal(s.open, d.open) {
			return at
		}
	}
	s := state{holds: slices.Clone(d.holds), open: slices.Clone(d.open)}
	d.choose(&s)
	at := int32(len(d.states))
	d.states = append(d.states, s)
	d.known[h] = append(d.known[h], at)
	d.bytes += 160 + 8*len(s.holds) + 16*len(s.open)
	return at
}

func mix(h, v uint64) uint64 {
	h = (h ^ v) * 0x9E3779B97F4A7C15
	return h ^ h>>29
}

// choose says which fields a state asks: those that decide most conditions. A field
// that a condition needs counts more than one that matters together with others.
func (d *diagram) choose(s *state) {
	clear(d.score)
	for _, o := range s.open {
		if o.left.kind != all {
			d.weigh(o.left)
			continue
		}
		for _, part := range o.left.list {
			d.weigh(part)
		}
	}
	var list []int
	for x, score := range d.score {
		if score > 0 && x <= math.MaxInt16 { // the tests of others are made one by one
			list = append(list, x)
		}
	}
	slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(d.score[b], d.score[a]) })
	most := maxAsk
	if len(s.open) > manyOpen {
		most = fewAsk
	}
	for _, x := range list[:min(len(list), most)] {
		if leastShare*d.score[x] < d.score[list[0]] {
			break
		}
		s.asks[s.ask] = int16(x)
		s.ask++
	}
}

func (d *diagram) weigh(part *node) {
	weight := 1
	switch len(part.asks) {
	case 1:
		weight = 16
	case 2:
		weight = 4
	}
	for _, x := range part.asks {
		d.score[x] += weight
	}
}

// step gives the state that follows for the classes of the fields that a state asks; -1
// if it is not made.
func (m *Matcher) step(from int32, key uint64) int32 {
	d := m.diagram
	if !d.seen.again(wayHash(from, key)) {
		return -1
	}
	if d.bytes > d.most {
		if d.missed++; d.missed > stalePerState*len(d.states) {
			d.begin(m.n)
		}
		return -1
	}
	s := d.states[from]
	d.asked = 0
	clear(d.truths)
	for _, x := range s.asks[:s.ask] {
		d.asked |= fieldBit(int(x))
		d.truths[x] = m.fields[x].memory.truth(m.fields[x].class)
	}
	d.open, d.holds = d.open[:0], append(d.holds[:0], s.holds...)
	for _, o := range s.open {
		d.put(o.number, d.settle(o.left))
	}
	slices.Sort(d.holds)
	to := d.intern()
	d.bytes += d.ways.add(from, key, to)
	return to
}

// settle replaces tests of the fields that are asked by what they come to.
func (d *diagram) settle(n *node) *node {
	if n.fields&d.asked == 0 {
		return n
	}
	switch n.kind {
	case atomic:
		switch truth := d.truths[n.index]; {
		case truth == nil:
			return n
		case has(truth, n.atom):
			return yes
		}
		return no
	case not:
		switch d.settle(n.list[0]) {
		case yes:
			return no
		case no:
			return yes
		}
		return n
	}
	from := len(d.parts)
	n = d.settleParts(n)
	d.parts = d.parts[:from]
	return n
}

// settleParts settles all or any of a list, whose parts it adds to those of d.
func (d *diagram) settleParts(n *node) *node {
	decides := no
	if n.kind == any {
		decides = yes
	}
	from := len(d.parts)
	for _, e := range n.list {
		part := d.settle(e)
		if part == decides {
			return decides
		}
		d.parts = append(d.parts, part)
	}
	if slices.Equal(d.parts[from:], n.list) {
		return n
	}
	out, fresh := d.nodes.join(n.kind, d.parts[from:])
	if fresh {
		d.bytes += 200 + 16*len(out.list)
	}
	return out
}
