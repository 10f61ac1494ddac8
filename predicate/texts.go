package predicate

// textMemo remembers texts of a field with their classes, from the second time on, so that
// those that do not come again cost nothing. Entries are small and stand beside each other,
// as the texts do: an event looks for one in each field.
//
// Entries are told by their places, as classes are by numbers: of pointers that every event
// sets, the collector of garbage wants to know.
type textMemo struct {
	entries []textEntry // a power of two
	text    []byte      // of the entries, one after another, with those that are gone
	dears   []dearTruth // by entry
	gone    int         // so many bytes of it are of no entry any more
	filled  int
	seen    once
}

// textEntry is a text that is remembered.
type textEntry struct {
	hash  uint64
	at    uint32
	size  uint16 // 0: there is no text
	class int16
}

// of gives the text of an entry, until another one is remembered.
func (m *textMemo) of(i int32) []byte {
	e := &m.entries[i]
	return m.text[e.at : e.at+uint32(e.size)]
}

func (m *textMemo) class(i int32) class { return class(m.entries[i].class) }

// find gives the place of a text among the entries, or says that it is forgotten.
func (m *textMemo) find(hash uint64, raw []byte) int32 {
	if len(m.entries) == 0 {
		return forgotten
	}
	at := m.place(hash)
	for _, i := range [2]int32{at, at ^ 1} {
		if e := &m.entries[i]; e.hash == hash && string(m.of(i)) == string(raw) {
			return i
		}
	}
	return forgotten
}

// remember keeps the class of a text that came before, and gives its place, or says that it
// is forgotten.
func (m *textMemo) remember(hash uint64, raw []byte, c class) int32 {
	if !m.seen.again(hash) {
		return forgotten
	}
	return m.keep(hash, raw, c)
}

// keep keeps the class of a text, which is not empty, in the place of another if need be, and
// gives that place.
func (m *textMemo) keep(hash uint64, raw []byte, c class) int32 {
	if len(m.entries) == 0 {
		m.resize(leastMemo)
	}
	at := m.place(hash)
	switch {
	case m.entries[at].size == 0:
		m.filled++
	case m.entries[at^1].size == 0:
		at ^= 1
		m.filled++
	case len(m.entries) < maxMemo && m.filled >= len(m.entries)/8:
		m.resize(4 * len(m.entries)) // else few texts would push each other out over and over
		return m.keep(hash, raw, c)
	default: // the older one of the two goes
		m.gone += int(m.entries[at^1].size)
		m.entries[at^1], m.dears[at^1] = m.entries[at], m.dears[at]
	}
	if m.gone > len(m.text)/2 && len(m.text)+len(raw) > cap(m.text) {
		m.entries[at].size = 0 // it is elsewhere now, or gone
		m.pack()
	}
	m.entries[at] = textEntry{hash: hash, at: uint32(len(m.text)), size: uint16(len(raw)), class: int16(c)}
	m.dears[at] = dearTruth{}
	m.text = append(m.text, raw...)
	return at
}

// place gives the first of the two places where a text may be; the other one is beside it.
func (m *textMemo) place(hash uint64) int32 { return int32(hash & uint64(len(m.entries)-1)) }

// pack takes the texts away that are gone.
func (m *textMemo) pack() {
	old := m.text
	m.text, m.gone = make([]byte, 0, cap(old)), 0
	for i := range m.entries {
		e := &m.entries[i]
		text := old[e.at : e.at+uint32(e.size)]
		e.at = uint32(len(m.text))
		m.text = append(m.text, text...)
	}
}

func (m *textMemo) resize(size int) {
	entries, dears := m.entries, m.dears
	m.entries, m.dears, m.filled = make([]textEntry, size), make([]dearTruth, size), 0
	for i, e := range entries {
		if e.size == 0 {
			continue
		}
		at := m.place(e.hash)
		if m.entries[at].size > 0 {
			at ^= 1
		}
		if m.entries[at].size == 0 {
			m.filled++
		}
		m.gone += int(m.entries[at].size)
		m.entries[at], m.dears[at] = e, dears[i]
	}
}
