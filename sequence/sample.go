package sequence

// Samples: events that share a key, one for each item, all different, in any
// order.

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
)

// sampler holds the candidates of samples by key.
type sampler struct {
	groups         map[string]*candidates
	oldest, newest *candidates
	now            int64 // how far time has come, for keys to be listed by touched
}

// candidates are the events of one key, by item, each in the order of arrival.
type candidates struct {
	key          string
	touched      int64
	items        [][]*Record
	done         bool // its sample is out
	older, newer *candidates
}

func (s *sampler) init() { s.groups = map[string]*candidates{} }

// observeSample takes an event that hits items of a sample. The first sample of a
// key is emitted as soon as there is one; no further one is until the key is
// evicted. With Options.SamplesPerKey all wait for the end.
func (t *Tracker) observeSample(r *Record, hits []Hit, emit func(Match)) {
	for _, h := range hits {
		for _, key := range h.Keys {
			c := t.touchSample(key, r)
			t.noteSample(Candidate, h.Item, key, r, nil)
			// With n items, n candidates of each are enough to find a choice of
			// different events if there is one, and one more for each further choice.
			if !c.done && len(c.items[h.Item]) < len(t.plan.items)+t.opt.SamplesPerKey {
				c.items[h.Item] = append(c.items[h.Item], r)
			}
		}
	}
	if t.opt.SamplesPerKey > 0 {
		return
	}
	for _, h := range hits {
		for _, key := range h.Keys {
			c := t.sample.groups[key]
			if c == nil || c.done {
				continue
			}
			c.choose(1, func(records []*Record) {
				t.noteSample(Completed, h.Item, key, nil, records)
				emit(Match{Key: c.key, Records: records, Order: t.order})
				t.order++
				c.done, c.items = true, nil
			})
		}
	}
}

// finishSamples emits the samples as Elasticsearch's search gives them: by ascending
// key, up to SamplesPerKey a key.
func (t *Tracker) finishSamples(emit func(Match)) {
	if t.opt.SamplesPerKey == 0 {
		return
	}
	groups := slices.SortedFunc(maps.Values(t.sample.groups), func(a, b *candidates) int { return compareKeys(a.key, b.key) })
	for _, c := range groups {
		c.choose(t.opt.SamplesPerKey, func(records []*Record) {
			t.noteSample(Completed, len(t.plan.items)-1, c.key, nil, records)
			emit(Match{Key: c.key, Records: records, Order: t.order})
			t.order++
		})
	}
}

func (t *Tracker) touchSample(key string, r *Record) *candidates {
	s := &t.sample
	c := s.groups[key]
	if c == nil {
		c = &candidates{key: strings.Clone(key), items: make([][]*Record, len(t.plan.items))}
		s.groups[c.key] = c
		for len(s.groups) > t.opt.MaxKeys { // more than one too many after a snapshot
			t.evictSample()
		}
	} else {
		s.unlink(c)
	}
	if r.Timed {
		s.now = max(s.now, r.millis())
	}
	c.touched = s.now // also for an event that is late, or without a time
	c.older, c.newer = s.newest, nil
	if s.newest != nil {
		s.newest.newer = c
	} else {
		s.oldest = c
	}
	s.newest = c
	if age := t.opt.MaxAge.Milliseconds(); age > 0 && r.Timed {
		for s.oldest != nil && c.touched-s.oldest.touched > age {
			t.evictSample()
		}
	}
	return c
}

// evictSample forgets the key that was touched longest ago.
func (t *Tracker) evictSample() {
	c := t.sample.oldest
	t.stats.Evicted++
	if !c.done {
		t.noteSample(Evicted, c.lacks(), c.key, nil, c.records())
	}
	t.sample.remove(c)
}

// lacks gives the first item without a candidate; where all have one, the last.
func (c *candidates) lacks() int {
	for i, list := range c.items {
		if len(list) == 0 {
			return i
		}
	}
	return len(c.items) - 1
}

// records gives the candidates of all items, each once, in the order of arrival.
func (c *candidates) records() []*Record {
	var list []*Record
	for _, records := range c.items {
		list = append(list, records...)
	}
	slices.SortFunc(list, func(a, b *Record) int { return cmp.Compare(a.Number, b.Number) })
	return slices.Compact(list)
}

func (s *sampler) remove(c *candidates) {
	s.unlink(c)
	delete(s.groups, c.key)
}

func (s *sampler) unlink(c *candidates) {
	if c.older != nil {
		c.older.newer = c.newer
	} else if s.oldest == c {
		s.oldest = c.newer
	}
	if c.newer != nil {
		c.newer.older = c.older
	} else if s.newest == c {
		s.newest = c.older
	}
	c.older, c.newer = nil, nil
}

// choose calls found with up to most choices of one candidate for each item, all
// different, in the order of the candidates, the last item varying fastest.
func (c *candidates) choose(most int, found func([]*Record)) {
	chosen := make([]*Record, 0, len(c.items))
	var choose func()
	choose = func() {
		if len(chosen) == len(c.items) {
			found(append([]*Record(nil), chosen...))
			most--
			return
		}
		for _, r := range c.items[len(chosen)] {
			if most == 0 {
				return
			}
			if slices.Contains(chosen, r) {
				continue
			}
			if chosen = append(chosen, r); c.possible(chosen) {
				choose()
			}
			chosen = chosen[:len(chosen)-1]
			if c.items == nil {
				return // found has taken all
			}
		}
	}
	choose()
}

// possible reports whether the items after those that have chosen can all choose as
// well. Without it, items with many candidates would be tried in all combinations
// where two others have only one between them. Of each item as many candidates are
// enough as there are items: the others cannot take them all.
func (c *candidates) possible(chosen []*Record) bool {
	if len(chosen) == len(c.items) {
		return true
	}
	left := len(c.items)
	for _, r := range c.items[len(chosen)] {
		if slices.Contains(chosen, r) {
			continue
		}
		if left--; left < 0 {
			break
		}
		if c.possible(append(chosen, r)) {
			return true
		}
	}
	return false
}

// compareKeys orders keys value by value, nulls first.
func compareKeys(a, b string) int {
	x, y := KeyValues(a), KeyValues(b)
	return slices.CompareFunc(x, y, func(v, w event.Value) int {
		switch {
		case v.IsNull() && w.IsNull():
			return 0
		case v.IsNull():
			return -1
		case w.IsNull():
			return 1
		}
		if v.Kind() == event.Bool && w.Kind() == event.Bool {
			return strings.Compare(v.Text(), w.Text())
		}
		n, ok := eql.Order(v, w)
		if !ok {
			return int(v.Kind()) - int(w.Kind())
		}
		return n
	})
}
