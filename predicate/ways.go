package predicate

// ways lead from a state and a key of classes to a state.
type ways struct {
	list  []way // a hash table, half of it empty
	count int
}

type way struct {
	key      uint64
	from, to int32 // to is one more than the state, 0: there is no way here
}

func wayHash(from int32, key uint64) uint64 {
	return mix(mix(key, uint64(from)), 0)
}

// find gives the state a way leads to, -1 if there is none.
func (w *ways) find(from int32, key uint64) int32 {
	if len(w.list) == 0 {
		return -1
	}
	for at := wayHash(from, key); ; at++ {
		switch e := &w.list[at&uint64(len(w.list)-1)]; {
		case e.to == 0:
			return -1
		case e.key == key && e.from == from:
			return e.to - 1
		}
	}
}

// add adds a way that is not there, and gives by how many bytes the ways grew.
func (w *ways) add(from int32, key uint64, to int32) (grown int) {
	if 2*(w.count+1) > len(w.list) {
		old := w.list
		w.list = make([]way, max(64, 2*len(old)))
		grown = 16 * (len(w.list) - len(old))
		for _, e := range old {
			if e.to > 0 {
				w.put(e)
			}
		}
	}
	w.count++
	w.put(way{key, from, to + 1})
	return grown
}

func (w *ways) put(e way) {
	at := wayHash(e.from, e.key)
	for w.list[at&uint64(len(w.list)-1)].to > 0 {
		at++
	}
	w.list[at&uint64(len(w.list)-1)] = e
}
