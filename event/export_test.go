package event

// NewPlainDecoder makes a decoder that never walks fast.
func NewPlainDecoder(set *FieldSet) *Decoder {
	d := NewDecoder(set, "")
	d.plain = true
	return d
}

// Indexes gives the ways this machine can index documents, by name, and a function
// that chooses one.
func Indexes() (names []string, choose func(name string)) {
	all := indexVersions()
	names = append(names, "none")
	for name := range all {
		names = append(names, name)
	}
	return names, func(name string) { indexBlocks = all[name] }
}

// Gave up reports whether the fast walk gives a document up.
func (d *Decoder) GaveUp(doc []byte) bool {
	var ev Event
	d.doc, d.ev, d.depth = doc, &ev, 0
	ev.reset(d.set, d.timestamp, doc)
	return !d.fast()
}

// Pieces tells how many bytes of objects lie in memory.
func (d *Decoder) Pieces() int { return len(d.recall.text) }

// Recalled tells how many objects a decoder recognised lately, and Indexed whether it
// can.
func (d *Decoder) Recalled() int { return d.root.recalled() }

func (n *pathNode) recalled() int {
	sum := int(n.habit.found)
	for _, c := range n.children {
		sum += c.recalled()
	}
	return sum
}

// Indexed reports whether documents are indexed.
func (d *Decoder) Indexed() bool { return d.index.built }
