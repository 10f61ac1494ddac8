package sequence

import (
	"hash/maphash"
	"iter"
)

// group is the state of one key. Its slot i holds the unfinished match that has matched
// steps 0 to i; most groups have one slot.
type group struct {
	key   []byte
	first partial   // slot 0
	more  []partial // the others
}

// links tell how a group is found. They stand beside each other: most that are looked at lead
// on to others, and not to what their groups hold.
type links struct {
	hash         uint64
	next         ref // in its bucket, or of the free ones
	older, newer ref // in the list
}

// slots tells how many slots there are.
func (g *group) slots() int { return 1 + len(g.more) }

// slot gives a slot; nil if it is not there.
func (g *group) slot(i int) *partial {
	switch {
	case i == 0:
		return &g.first
	case i > len(g.more):
		return nil
	}
	return &g.more[i-1]
}

// held gives what a slot holds; nil if that is nothing.
func (g *group) held(i int) *partial {
	if p := g.slot(i); p != nil && p.held() {
		return p
	}
	return nil
}

// lowest gives the lowest slot that holds something; -1: none does.
func (g *group) lowest() int {
	for i := range g.slots() {
		if g.slot(i).held() {
			return i
		}
	}
	return -1
}

// started gives the time of the latest first event in milliseconds. A match cannot
// overtake another, so it is that of the lowest slot.
func (g *group) started() int64 {
	if i := g.lowest(); i >= 0 {
		return g.slot(i).began
	}
	return none
}

// groups are those of a Tracker: found by key, and listed by the time of their latest first
// event. They stand in slabs and refer to each other by number, so that many of them are
// few things to the collector of garbage, and use the memory of those that were removed.
type groups struct {
	seed    maphash.Seed
	slabs   []*slab
	made    int   // so many were used, free ones included
	free    ref   // a list, linked by next
	buckets []ref // each a list, linked by next; a power of two, half of them empty
	n       int
	oldest  ref
	newest  ref
}

// slab is memory for some groups.
type slab struct {
	links  [slabGroups]links
	groups [slabGroups]group
}

// ref says where a group is, from 1 on; 0: nowhere.
type ref uint32

const (
	slabGroups   = 64
	leastBuckets = 16
)

func newGroups() *groups {
	return &groups{seed: maphash.MakeSeed(), buckets: make([]ref, leastBuckets)}
}

// at gives the group of a ref, as long as it is not removed and shrink is not called.
func (t *groups) at(p ref) *group { return &t.slabs[(p-1)/slabGroups].groups[(p-1)%slabGroups] }

// linksOf gives the links of a ref's group, as long as at gives the group.
func (t *groups) linksOf(p ref) *links { return &t.slabs[(p-1)/slabGroups].links[(p-1)%slabGroups] }

func (t *groups) hash(key string) uint64 { return maphash.String(t.seed, key) }

func (t *groups) bucket(hash uint64) *ref { return &t.buckets[hash&uint64(len(t.buckets)-1)] }

// get gives the group of a key.
func (t *groups) get(key string) ref {
	if t.n == 0 {
		return 0 // as in most trackers, of rules whose first item is never hit
	}
	return t.find(key, t.hash(key))
}

// find is get for a key whose hash is known.
func (t *groups) find(key string, hash uint64) ref {
	p := *t.bucket(hash)
	for p != 0 {
		l := t.linksOf(p)
		if l.hash == hash && string(t.at(p).key) == key {
			break
		}
		p = l.next
	}
	return p
}

// add makes a group that holds nothing for a key that has none, of which it keeps a copy.
// It is not in the list.
func (t *groups) add(key string, hash uint64) ref {
	p := t.free
	if p == 0 {
		if t.made++; t.made > slabGroups*len(t.slabs) {
			t.slabs = append(t.slabs, &slab{})
		}
		p = ref(t.made)
	}
	g, l := t.at(p), t.linksOf(p)
	t.free, l.hash = l.next, hash
	g.key = append(g.key[:0], key...)
	if t.n++; t.n > len(t.buckets)/2 {
		t.resize(2 * len(t.buckets))
	}
	t.put(p)
	return p
}

func (t *groups) put(p ref) {
	l := t.linksOf(p)
	b := t.bucket(l.hash)
	l.next, *b = *b, p
}

// remove takes a group away, and what it holds with it.
func (t *groups) remove(p ref) {
	t.unlink(p)
	l := t.linksOf(p)
	b := t.bucket(l.hash)
	for *b != p {
		b = &t.linksOf(*b).next
	}
	*b = l.next
	l.next, t.free = t.free, p
	g := t.at(p)
	clear(g.more)
	g.first, g.more = partial{}, g.more[:0]
	t.n--
}

// link puts a group at the end of the list, as the newest.
func (t *groups) link(p ref) {
	l := t.linksOf(p)
	l.older, l.newer = t.newest, 0
	if t.newest != 0 {
		t.linksOf(t.newest).newer = p
	} else {
		t.oldest = p
	}
	t.newest = p
}

// unlink takes a group out of the list, if it is there.
func (t *groups) unlink(p ref) {
	l := t.linksOf(p)
	if l.older != 0 {
		t.linksOf(l.older).newer = l.newer
	} else if t.oldest == p {
		t.oldest = l.newer
	}
	if l.newer != 0 {
		t.linksOf(l.newer).older = l.older
	} else if t.newest == p {
		t.newest = l.older
	}
	l.older, l.newer = 0, 0
}

// all gives the groups of the list, the oldest first.
func (t *groups) all() iter.Seq[*group] {
	return func(yield func(*group) bool) {
		for p := t.oldest; p != 0; {
			g, l := t.at(p), t.linksOf(p)
			if p = l.newer; !yield(g) {
				return
			}
		}
	}
}

// shrink gives memory back if most groups have been removed. Groups get other refs.
func (t *groups) shrink() {
	if t.made < 16*slabGroups || t.n > t.made/4 {
		return
	}
	small := groups{seed: t.seed, buckets: make([]ref, leastBuckets)}
	for len(small.buckets) < 2*t.n {
		small.buckets = make([]ref, 2*len(small.buckets))
	}
	for p := t.oldest; p != 0; p = t.linksOf(p).newer {
		moved := small.add("", t.linksOf(p).hash)
		*small.at(moved) = *t.at(p)
		small.link(moved)
	}
	*t = small
}

func (t *groups) resize(size int) {
	old := t.buckets
	t.buckets = make([]ref, size)
	for _, p := range old {
		for p != 0 {
			next := t.linksOf(p).next
			t.put(p)
			p = next
		}
	}
}
