package sequence

import "hash/maphash"

// table finds groups by key. It takes two to five words a group, which a map does not get
// by with, and shrinks when keys have expired.
type table struct {
	seed    maphash.Seed
	buckets []*group // each a list, linked by group.next; a power of two
	n       int
}

// leastBuckets is the size of a table of few groups.
const leastBuckets = 16

func newTable() *table {
	return &table{seed: maphash.MakeSeed(), buckets: make([]*group, leastBuckets)}
}

func (t *table) hash(key string) uint64 { return maphash.String(t.seed, key) }

func (t *table) bucket(hash uint64) **group { return &t.buckets[hash&uint64(len(t.buckets)-1)] }

// get gives the group of a key, or nil.
func (t *table) get(key string) *group {
	if t.n == 0 {
		return nil // as in most tables, of rules whose first item is never hit
	}
	return t.find(key, t.hash(key))
}

// find is get for a key whose hash is known.
func (t *table) find(key string, hash uint64) *group {
	for g := *t.bucket(hash); g != nil; g = g.next {
		if g.hash == hash && string(g.key) == key {
			return g
		}
	}
	return nil
}

// put adds a group whose key is not there yet.
func (t *table) put(g *group) {
	if t.n++; t.n > len(t.buckets)/2 {
		t.resize(2 * len(t.buckets))
	}
	b := t.bucket(g.hash)
	g.next, *b = *b, g
}

// remove takes out a group that is there.
func (t *table) remove(g *group) {
	at := t.bucket(g.hash)
	for *at != g {
		at = &(*at).next
	}
	*at, g.next = g.next, nil
	if t.n--; t.n < len(t.buckets)/16 && len(t.buckets) > leastBuckets {
		t.resize(len(t.buckets) / 2)
	}
}

func (t *table) resize(size int) {
	old := t.buckets
	t.buckets = make([]*group, size)
	for _, g := range old {
		for g != nil {
			next := g.next
			b := t.bucket(g.hash)
			g.next, *b = *b, g
			g = next
		}
	}
}
