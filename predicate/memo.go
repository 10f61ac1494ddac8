package predicate

import (
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
	leastMemo     = 64 // texts
	maxMemo       = 1024
	maxMemoLength = 512 // bytes of a text
)

// memory remembers which class values belonged to.
type memory struct {
	texts   textMemo
	truths  [][]uint64 // by class: the atoms that hold
	byTruth map[uint64][]class
	spare   []uint64 // the truth of the fleeting class
}

// Places of texts that are not among those remembered.
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
	return memory{texts: textMemo{seen: once{size: maxMemo}}, byTruth: map[uint64][]class{}, spare: make([]uint64, words)}
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
	raw, single := ev.Raw(st.field)
	if raw == nil && single {
		st.entry = nothing
		return st.missing
	}
	if single && st.entry >= 0 {
		if t := &st.memory.texts; string(t.of(st.entry)) == string(raw) {
			return t.class(st.entry) // the same as last time
		}
	}
	st.entry, st.own = forgotten, dearTruth{}
	x := st.index
	if single && st.cells != nil {
		if number, ok := wholeNumber(raw); ok {
			return st.cells[x.cells.of(number)]
		}
	}
	if !single || len(raw) > maxMemoLength {
		m.classifier.classify(x, ev.Values(st.field), m.scratch[:x.words])
		return st.memory.intern(m.scratch[:x.words])
	}
	hash := maphash.Bytes(m.seed, raw)
	if st.entry = st.memory.texts.find(hash, raw); st.entry != forgotten {
		return st.memory.texts.class(st.entry)
	}
	m.classifier.classify(x, ev.Values(st.field), m.scratch[:x.words])
	c := st.memory.intern(m.scratch[:x.words])
	if c != fleeting {
		st.entry = st.memory.texts.remember(hash, raw, c)
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
		known = &st.memory.texts.dears[st.entry]
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
