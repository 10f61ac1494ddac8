package event

// Objects that come again. A host, an agent or a signer describes itself in the same
// words in each event; so the fast walk remembers small objects with what it took from
// them, and does not walk along the same bytes again.

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unsafe"
)

// recall is what a Decoder remembers of objects. An object is remembered from the second
// time on, so that one that does not come again costs little. What is remembered is small
// and stands beside each other, since each event looks for several objects.
type recall struct {
	objects []object
	pieces
	spare pieces   // memory for the next pieces
	seen  []uint16 // part of the hash of objects that came once
	bytes int      // of all objects
}

// pieces are the texts and spans of objects, one after another, with those of objects that
// are gone.
type pieces struct {
	text  []byte
	spans []innerSpan
}

// object is an object that was walked at a node; the zero value is none.
type object struct {
	hash      uint64
	node      *pathNode
	at, spans uint32 // where its text begins, and its spans
	size      uint16 // of the text
	taken     uint16 // spans
}

// innerSpan is a span whose places are counted from an object's beginning.
type innerSpan struct {
	path       int32
	start, end uint16
	kind       spanKind
}

// bytes tells how much memory an object takes.
func (o *object) bytes() int { return int(o.size) + int(o.taken)*int(unsafe.Sizeof(innerSpan{})) }

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
	recalledGone   = 64 << 10 // so much lies of objects that are gone, and half as much as of others
	maxRecalled    = 512      // bytes of an object
	maxRecallDepth = 64       // of the place where an object stands: deep ones are walked, which counts depth
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
func (h *habit) tell(a, b []byte) {
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
		raw := r.text[o.at:][:o.size]
		if len(raw) <= len(rest) && string(rest[:len(raw)]) == string(raw) {
			n.habit.found++
			spans := r.spans[o.spans:][:o.taken]
			for k := range spans {
				sp := &spans[k]
				d.ev.add(sp.path, uint32(i)+uint32(sp.start), uint32(i)+uint32(sp.end), sp.kind, false)
			}
			return i + len(raw)
		}
		n.habit.tell(raw, rest)
	}
	from := len(d.ev.spans)
	end := d.members(i, n)
	if end < 0 || end-i > maxRecalled {
		return end
	}
	if part := uint16(hash); r.seen[at] != part {
		r.seen[at] = part
	} else {
		r.keep(at, object{hash: hash, node: n}, d.ev, Extent{i, end}, from)
	}
	return end
}

// keep remembers an object of an event, with the event's spans from one on, in the place of
// another, unless it holds values that have to be looked at each time, or there is no room.
func (r *recall) keep(place uint64, o object, ev *Event, stands Extent, from int) {
	spans := ev.spans[from:]
	o.size, o.taken = uint16(stands.End-stands.Start), uint16(len(spans))
	bytes := r.bytes + o.bytes() - r.objects[place].bytes()
	if bytes > recalledBytes || slices.ContainsFunc(spans, func(sp span) bool { return ev.doubts(sp, ev.set.paths[sp.path].picky) }) {
		return
	}
	r.bytes, r.objects[place] = bytes, object{}
	if len(r.text)+len(r.spans)*int(unsafe.Sizeof(innerSpan{})) > r.most() {
		r.pack()
	}
	o.at, o.spans = uint32(len(r.text)), uint32(len(r.spans))
	r.text = append(r.text, ev.doc[stands.Start:stands.End]...)
	for _, sp := range spans {
		r.spans = append(r.spans, innerSpan{sp.path, uint16(int(sp.start) - stands.Start), uint16(int(sp.end) - stands.Start), sp.kind})
	}
	r.objects[place] = o
}

// most is how many bytes the pieces may have.
func (r *recall) most() int { return r.bytes + r.bytes/2 + recalledGone }

// pack leaves out the pieces of objects that are gone.
func (r *recall) pack() {
	old := r.pieces
	r.pieces, r.spare = r.spare, old
	if most := r.most(); cap(r.text) < most { // else it would grow by little again and again
		r.text = make([]byte, 0, most+most/4)
	}
	r.text, r.spans = r.text[:0], r.spans[:0]
	for i := range r.objects {
		o := &r.objects[i]
		text, spans := old.text[o.at:][:o.size], old.spans[o.spans:][:o.taken]
		o.at, o.spans = uint32(len(r.text)), uint32(len(r.spans))
		r.text, r.spans = append(r.text, text...), append(r.spans, spans...)
	}
}
