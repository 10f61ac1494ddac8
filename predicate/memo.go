package predicate

import (
	"bytes"
	"hash/maphash"
	"slices"

	"github.com/shrike-project/shrike/event"
)

// class is the number of a set of values of a field for which the same atoms hold.
type class int32

// fleeting is the class of the current value where it is not remembered.
const fleeting class = -1

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
	truths  [][]uint64 // by class: the atoms that hold
	byTruth map[uint64][]class
	spare   []uint64 // the truth of the fleeting class
}

// memoEntry is a text that is remembered. Entries are told by their places, as classes are
// by numbers: of pointers that every event sets, the collector of garbage wants to know.
type memoEntry struct {
	hash  uint64
	raw   []byte // nil: there is no text
	class class
	dear  dearTruth
}

// Places of texts that are not among the entries.
const (
	forgotten = -1 // it is not remembered
	nothing   = -2 // the field is missing
)

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
	return memory{seen: once{size: maxMemo}, byTruth: map[uint64][]class{}, spare: make([]uint64, words)}
}

// truth gives the atoms that hold for the values of a class.
func (m *memory) truth(c class) []uint64 {
	if c == fleeting {
		return m.spare
	}
	return m.truths[c]
}

// intern gives the class of a truth, remembered if there is room.
func (m *memory) intern(truth []uint64) class {
	h := hashWords(truth)
	for _, c := range m.byTruth[h] {
		if equalWords(m.truths[c], truth) {
			return c
		}
	}
	if len(m.truths) == maxClasses {
		copy(m.spare, truth)
		return fleeting
	}
	c := class(len(m.truths))
	m.truths = append(m.truths, slices.Clone(truth))
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

// find gives the place of a text among the entries, or says that it is forgotten.
func (m *memory) find(hash uint64, raw []byte) int32 {
	if len(m.entries) == 0 {
		return forgotten
	}
	at := m.place(hash)
	for _, i := range [2]uint64{at, at ^ 1} {
		if e := &m.entries[i]; e.hash == hash && e.raw != nil && string(e.raw) == string(raw) {
			return int32(i)
		}
	}
	return forgotten
}

// remember keeps the class of a text, in the place of another if need be, and gives that
// place.
func (m *memory) remember(hash uint64, raw []byte, c class) int32 {
	if len(m.entries) == 0 {
		m.grow()
	}
	at := m.place(hash)
	switch {
	case m.entries[at].raw == nil:
		m.filled++
	case m.entries[at^1].raw == nil:
		at ^= 1
		m.filled++
	case len(m.entries) < maxMemo && m.filled >= len(m.entries)/8:
		m.grow() // else few texts would push each other out over and over
		return m.remember(hash, raw, c)
	default:
		m.entries[at^1] = m.entries[at] // the older one of the two goes
	}
	m.entries[at] = memoEntry{hash: hash, raw: bytes.Clone(raw), class: c}
	return int32(at)
}

// place gives the first of the two places where a text may be; the other one is beside it.
func (m *memory) place(hash uint64) uint64 { return hash & uint64(len(m.entries)-1) }

func (m *memory) grow() {
	old := m.entries
	m.entries = make([]memoEntry, max(64, 4*len(old)))
	m.filled = 0
	for _, e := range old {
		if e.raw != nil {
			at := m.place(e.hash)
			if m.entries[at].raw != nil {
				at ^= 1
			}
			if m.entries[at].raw == nil {
				m.filled++
			}
			m.entries[at] = e
		}
	}
}

// class gives the class of a field's values in an event.
func (m *Matcher) class(x int, ev *event.Event) class {
	st := &m.fields[x]
	if st.turn != m.turn {
		st.turn = m.turn
		st.class = m.classify(st, ev)
	}
	return st.class
}

// truth gives the atoms that hold for a field's values in an event.
func (m *Matcher) truth(x int, ev *event.Event) []uint64 {
	c := m.class(x, ev)
	return m.fields[x].memory.truth(c)
}

func (m *Matcher) classify(st *fieldState, ev *event.Event) class {
	x := st.index
	raw, single := ev.Raw(x.field)
	if raw == nil && single {
		st.entry = nothing
		return st.missing
	}
	if single && st.entry >= 0 {
		if e := &st.memory.entries[st.entry]; string(e.raw) == string(raw) {
			return e.class // the same as last time
		}
	}
	st.entry, st.own = forgotten, dearTruth{}
	if single && st.cells != nil {
		if number, ok := wholeNumber(raw); ok {
			return st.cells[x.cells.of(number)]
		}
	}
	if !single || len(raw) > maxMemoLength {
		m.classifier.classify(x, ev.Values(x.field), m.scratch[:x.words])
		return st.memory.intern(m.scratch[:x.words])
	}
	hash := maphash.Bytes(m.seed, raw)
	if st.entry = st.memory.find(hash, raw); st.entry != forgotten {
		return st.memory.entries[st.entry].class
	}
	m.classifier.classify(x, ev.Values(x.field), m.scratch[:x.words])
	c := st.memory.intern(m.scratch[:x.words])
	if c != fleeting && st.memory.seen.again(hash) {
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
	switch {
	case st.entry >= 0:
		known = &st.memory.entries[st.entry].dear
	case st.entry == nothing:
		known = &st.nothing
	}
	holds, ok := known.get(leaf)
	if !ok {
		x := st.index
		holds = x.dear[leaf].Holds(ev.Values(x.field), &m.classifier.scratch)
		known.put(leaf, holds)
	}
	return holds
}
