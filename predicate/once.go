package predicate

// once remembers what came once: a part of each hash, in a table as large as size says,
// a power of two. It may take one for another, and forgets.
type once struct {
	size  int
	parts []uint16 // nil: nothing came yet
}

// again reports whether something came lately, and notes that it did now.
func (o *once) again(hash uint64) bool {
	if o.parts == nil {
		o.parts = make([]uint16, o.size)
	}
	at, part := hash>>16&uint64(o.size-1), uint16(hash>>48)|1
	if o.parts[at] == part {
		return true
	}
	o.parts[at] = part
	return false
}
