package predicate

import (
	"hash/maphash"

	"github.com/shrike-project/shrike/event"
)

// class is a set of values of a field for which the same atoms hold.
type class struct {
	id    int // -1: not remembered
	truth []uint64
	near  [5]uint64 // the memory of a short truth, so that it is in the cache when id is
}

func newClass(id int, truth []uint64) *class {
	c := &class{id: id}
	c.truth = append(c.near[:0], truth...)
	return c
}

// The bounds of what a Matcher remembers of each field.
const (
	classBits     = 11
	maxClasses    = 1 << classBits
	maxMemo       = 1024 // texts
	maxMemoLength = 512  // bytes of a text
)

// memory remembers which class values belonged to. Texts are remembered from the
// second time on, so that those that do not come again cost nothing.
type memory struct {
	entries []memoEntry
	seen    once // of texts
	filled  int
	classes []*class
	byTruth map[uint64][]*class
	spare   *class // for values that are not remembered
}

type memoEntry struct {
	hash  uint64
	raw   []byte
	class *class
	dear  dearTruth
}

// dearTruth tells of the first dear leaves of a field which are known for its values,
// and which of those hold.
type dearTruth struct{ known, holds uint64 }

func (d *dearTruth) get(n int) (holds, known bool) {
	return d.holds>>(n&63)&1 != 0, n < 64 && d.known>>n&1 != 0
}

func (d *dearTruth) put(n int, holds bool) {
	if n >= 64 {
		return
	}
	d.known |= 1 << n
	if holds {
		d.holds |= 1 << n
	}
}

func newMemory(words int) memory {
	return memory{seen: once{size: maxMemo}, byTruth: map[uint64][]*class{}, spare: newClass(-1, make([]uint64, words))}
}

// intern gives the class of a truth, remembered if there is room.
func (m *memory) intern(truth []uint64) *class {
	h := hashWords(truth)
	for _, c := range m.byTruth[h] {
		if equalWords(c.truth, truth) {
			return c
		}
	}
	if len(m.classes) == maxClasses {
		copy(m.spare.truth, truth)
		return m.spare
	}
	c := newClass(len(m.classes), truth)
	m.classes = append(m.classes, c)
	m.byTruth[h] = append(m.byTruth[h], c)
	return c
}

func hashWords(words []uint64) uint64 {
	h := uint64(len(words))
	for _, w := range words {
		h = mix(h, w)
	}
	return h
}

func equalWords(a, b []uint64) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// find gives what is remembered of a text, else nil.
func (m *memory) find(hash uint64, raw []byte) *memoEntry {
	if len(m.entries) == 0 {
		return nil
	}
	at := hash & uint64(len(m.entries)-1)
	for _, i := range [2]uint64{at, at ^ 1} {
		if e := &m.entries[i]; e.hash == hash && e.class != nil && string(e.raw) == string(raw) {
			return e
		}
	}
	return nil
}

// remember keeps the class of a text, in the place of another if need be.
func (m *memory) remember(hash uint64, raw []byte, c *class) *memoEntry {
	if m.filled >= len(m.entries)/2 && len(m.entries) < maxMemo {
		m.grow()
	}
	at := hash & uint64(len(m.entries)-1)
	e := &m.entries[at]
	if e.class != nil && m.entries[at^1].class == nil {
		e = &m.entries[at^1]
	} else if e.class != nil {
		e, m.entries[at^1] = &m.entries[at], *e // the older one of the two goes
		e.raw = nil
	}
	if e.class == nil {
		m.filled++
	}
	*e = memoEntry{hash: hash, raw: append(e.raw[:0], raw...), class: c}
	return e
}

func (m *memory) grow() {
	old := m.entries
	m.entries = make([]memoEntry, max(64, 4*len(old)))
	m.filled = 0
	for _, e := range old {
		if e.class != nil {
			at := e.hash & uint64(len(m.entries)-1)
			if m.entries[at].class != nil {
				at ^= 1
			}
			if m.entries[at].class == nil {
				m.filled++
			}
			m.entries[at] = e
		}
	}
}

// class gives the class of a field's values in an event.
func (m *Matcher) class(x int, ev *event.Event) *class {
	st := &m.fields[x]
	if st.turn != m.turn {
		st.turn = m.turn
		st.class = m.classify(st, ev)
	}
	return st.class
}

func (m *Matcher) classify(st *fieldState, ev *event.Event) *class {
	x := st.index
	raw, single := ev.Raw(x.field)
	if raw == nil && single {
		st.entry, st.own = &st.nothing, dearTruth{}
		return st.missing
	}
	if e := st.entry; e != nil && single && string(e.raw) == string(raw) && e.class != nil {
		return e.class // the same as last time
	}
	st.entry, st.own = nil, dearTruth{}
	if single && st.cells != nil {
		if number, ok := wholeNumber(raw); ok {
			return st.cells[x.cells.of(number)]
		}
	}
	if !single || len(raw) > maxMemoLength {
		m.classifier.classify(x, ev.Values(x.field), m.truth[:x.words])
		return st.memory.intern(m.truth[:x.words])
	}
	hash := maphash.Bytes(m.seed, raw)
	if st.entry = st.memory.find(hash, raw); st.entry != nil {
		return st.entry.class
	}
	m.classifier.classify(x, ev.Values(x.field), m.truth[:x.words])
	c := st.memory.intern(m.truth[:x.words])
	if c.id >= 0 && st.memory.seen.again(hash) {
		st.entry = st.memory.remember(hash, raw, c)
	}
	return c
}

// dear answers a test that takes long, once for each text that is remembered, else
// once for each event.
func (m *Matcher) dear(index, leaf int, ev *event.Event) bool {
	m.class(index, ev)
	st := &m.fields[index]
	known := &st.own
	if st.entry != nil {
		known = &st.entry.dear
	}
	holds, ok := known.get(leaf)
	if !ok {
		x := st.index
		holds = x.dear[leaf].Holds(ev.Values(x.field), &m.classifier.scratch)
		known.put(leaf, holds)
	}
	return holds
}
