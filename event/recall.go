package event

// Objects that come again. A host, an agent or a signer describes itself in the same
// words in each event; so the fast walk remembers small objects with what it took from
// them, and does not walk along the same bytes again.

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
	"unsafe"
)

// recall is what a Decoder remembers of objects. An object is remembered from the second
// time on, so that one that does not come again costs little.
type recall struct {
	objects []object
	seen    []uint16 // part of the hash of objects that came once
	bytes   int      // of all objects
}

// object is an object that was walked at a node.
type object struct {
	hash  uint64
	node  *pathNode
	raw   string
	spans []span // counted from the object's beginning
}

// bytes tells how much memory an object takes.
func (o *object) bytes() int { return len(o.raw) + len(o.spans)*int(unsafe.Sizeof(span{})) }

// habit is what is known of a node's objects: how often they come again, and where they
// differ.
type habit struct {
	asked, found uint16
	rest         uint16 // so many objects are not asked for
	// The hash of an object is that of eight bytes at each of these places. Where two
	// objects of the same hash differ, a place is added.
	places [maxPlaces]uint16
	last   int
}

const (
	recalledBits   = 12
	recalled       = 1 << recalledBits // objects
	recalledBytes  = 1 << 20
	maxRecalled    = 512 // bytes of an object
	maxRecallDepth = 64  // of the place where an object stands: deep ones are walked, which counts depth
	maxPlaces      = 4

	habitAsked = 2048  // after so many objects a node's habit is looked at,
	habitLeast = 4     // and if not one in so many had come before
	habitRest  = 16384 // so many are only walked
)

// worthwhile reports whether the next object of a node is to be asked for.
func (h *habit) worthwhile() bool {
	if h.rest > 0 {
		h.rest--
		return false
	}
	if h.asked++; h.asked == habitAsked {
		if h.found < habitAsked/habitLeast {
			h.rest = habitRest
		}
		h.asked, h.found = 0, 0
	}
	return true
}

// hash gives the hash of the object that doc begins with. It may read on behind the
// object, where it finds out less.
func (h *habit) hash(doc []byte) uint64 {
	sum := uint64(0)
	for _, p := range h.places[:h.last+1] {
		if int(p)+8 > len(doc) {
			return sum
		}
		hi, lo := bits.Mul64(sum^binary.LittleEndian.Uint64(doc[p:])^0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93)
		sum = hi ^ lo
	}
	return sum
}

// tell adds a place where two objects differ.
func (h *habit) tell(a string, b []byte) {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			if h.last+1 < maxPlaces {
				h.last++
				h.places[h.last] = uint16(max(i-4, 0)) // what differs may begin before
			}
			return
		}
	}
}

// again walks the object at i, of node n, or takes from it what was taken from the same
// bytes before. It gives the offset behind the object, or -1 to give up.
func (d *Decoder) again(i int, n *pathNode) int {
	if !d.index.built || d.depth > maxRecallDepth || !n.habit.worthwhile() {
		return d.members(i, n)
	}
	r := &d.recall
	if r.objects == nil {
		*r = recall{objects: make([]object, recalled), seen: make([]uint16, recalled)}
	}
	rest := d.doc[i:]
	hash := n.habit.hash(rest)
	at := hash >> (64 - recalledBits)
	o := &r.objects[at]
	if o.hash == hash && o.node == n {
		if len(o.raw) <= len(rest) && string(rest[:len(o.raw)]) == o.raw {
			n.habit.found++
			for k := range o.spans {
				sp := &o.spans[k]
				d.ev.add(sp.path, sp.start+uint32(i), sp.end+uint32(i), sp.kind, false)
			}
			return i + len(o.raw)
		}
		n.habit.tell(o.raw, rest)
	}
	from := len(d.ev.spans)
	end := d.members(i, n)
	if end < 0 || end-i > maxRecalled {
		return end
	}
	if part := uint16(hash); r.seen[at] != part {
		r.seen[at] = part
	} else {
		r.keep(o, object{hash, n, view(d.doc[i:end]), d.ev.spans[from:]}, uint32(i), d.ev)
	}
	return end
}

// keep remembers an object in the place of another, unless it holds values that have
// to be looked at each time, or there is no room.
func (r *recall) keep(o *object, found object, at uint32, ev *Event) {
	bytes := r.bytes + found.bytes() - o.bytes()
	if bytes > recalledBytes || slices.ContainsFunc(found.spans, func(sp span) bool { return ev.doubts(sp, ev.set.paths[sp.path].picky) }) {
		return
	}
	r.bytes = bytes
	*o = object{found.hash, found.node, strings.Clone(found.raw), slices.Clone(found.spans)}
	for n := range o.spans {
		o.spans[n].start -= at
		o.spans[n].end -= at
	}
}
