package detect

// Rules that sleep: sequences of which some needed item was not hit yet, by any event of
// an input. As long as a rule sleeps, no keys are noted of the events that hit its items,
// only that there were some in a batch, and when. Most rules sleep to the end. For one that
// wakes, the batches around the events that woke it are read again: a match takes no
// longer than its maxspan.

import (
	"fmt"
	"slices"
	"sort"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shrike-project/shrike/event"
)

// Sleepers are the rules that sleep while an input is scanned. They are shared by all
// Matchers of the scan, which the Stream uses when the input has ended; nobody else may
// then.
type Sleepers struct {
	d     *Detector
	awake atomic.Pointer[[]bool] // by condition; what it points to does not change

	mu       sync.Mutex
	hit      []bool // by condition
	matchers []*Matcher
}

// longestNap is the longest maxspan of a rule that sleeps: much would have to be read again
// around what wakes one with a longer one.
const longestNap = 10 * time.Minute

// sleeps reports whether a rule does. Samples and sequences without maxspan never do.
func (c *compiled) sleeps() bool {
	return c.plan != nil && !c.plan.IsSample() && c.plan.MaxSpan() > 0 && c.plan.MaxSpan() <= longestNap
}

// NewSleepers gives the rules of an input of which no event was seen yet.
func (d *Detector) NewSleepers() *Sleepers {
	s := &Sleepers{d: d, hit: make([]bool, len(d.items))}
	awake := make([]bool, len(d.items))
	for n := range d.items {
		awake[n] = !d.rules[d.items[n].rule].sleeps()
	}
	s.awake.Store(&awake)
	return s
}

// seen notes that conditions were hit, and wakes the rules all of whose needed items
// were.
func (s *Sleepers) seen(conditions []int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	awake := *s.awake.Load()
	var woken []bool
	for _, n := range conditions {
		if s.hit[n] {
			continue
		}
		s.hit[n] = true
		c := s.d.rules[s.d.items[n].rule]
		if awake[n] || !s.all(c) {
			continue
		}
		if woken == nil {
			woken = slices.Clone(awake)
		}
		for item := range c.conditions {
			woken[int(c.first)+item] = true
		}
	}
	if woken != nil {
		s.awake.Store(&woken)
	}
}

// all reports whether all needed items of a rule were hit.
func (s *Sleepers) all(c *compiled) bool {
	for _, item := range c.plan.Needed() {
		if !s.hit[int(c.first)+item] {
			return false
		}
	}
	return true
}

// period is from the earliest to the latest time of some events; the zero value: there
// were none with a time.
type period struct {
	from, to event.Time
	known    bool
}

func (p *period) add(t event.Time) {
	if !p.known {
		*p = period{t, t, true}
		return
	}
	if t.Compare(p.from) < 0 {
		p.from = t
	}
	if t.Compare(p.to) > 0 {
		p.to = t
	}
}

// periods are periods in the order of time, none of which overlap.
type periods []period

// widened gives what periods come to if each begins so much earlier and ends as much
// later.
func widened(list []period, by time.Duration) periods {
	slices.SortFunc(list, func(a, b period) int { return a.from.Compare(b.from) })
	var out periods
	for _, p := range list {
		p.from, p.to = p.from.Add(-by), p.to.Add(by)
		if n := len(out); n > 0 && p.from.Compare(out[n-1].to) <= 0 {
			out[n-1].add(p.to)
			continue
		}
		out = append(out, p)
	}
	return out
}

// meet reports whether a period overlaps with one of the periods.
func (list periods) meet(p period) bool {
	at := sort.Search(len(list), func(i int) bool { return list[i].to.Compare(p.from) >= 0 })
	return p.known && at < len(list) && list[at].from.Compare(p.to) <= 0
}

// spansAround is how many maxspans before and after a hit of a rule's rarest item the
// others are looked for. A match is within one, and the absence that leads it within
// another.
const spansAround = 3

// slept tells which batches have to be read again: those in which an item was hit of a
// rule that slept and may find a match, if its rarest item was hit near by.
func (v *sieve) slept(found *finds) []bool {
	again := make([]bool, len(v.batches))
	for at, f := range found.rules {
		c := v.d.rules[at]
		if !c.sleeps() {
			continue
		}
		var rare []period
		for i := range v.batches {
			b := &v.batches[i]
			if p := b.periods[c.clock]; p.known && slices.Contains(b.hit.list, f.rarest) {
				rare = append(rare, p)
			}
		}
		near := widened(rare, spansAround*c.plan.MaxSpan())
		for i := range v.batches {
			b := &v.batches[i]
			again[i] = again[i] || slices.ContainsFunc(b.hit.slept(), func(n int32) bool { return int(v.d.items[n].rule) == at }) && near.meet(b.periods[c.clock])
		}
	}
	return again
}

// wake reads the batches again in which rules slept that may find a match after all, as
// far as events of such a match may be there, and notes everything of them.
func (v *sieve) wake(found *finds) error {
	again := v.slept(found)
	if !slices.Contains(again, true) {
		return nil
	}
	w := &waking{fresh: sieve{d: v.d, opt: v.opt, items: v.items, spilled: v.spilled}, matchers: v.sleepers.matchers}
	for _, m := range w.matchers {
		m.sighter.awake, m.sighter.sleepers = nil, nil
		w.decoders = append(w.decoders, v.d.NewDecoder())
	}
	at := 0
	err := v.each(func(b *sighted, r *sightingReader) error {
		at++
		return w.add(b, r.log, again[at-1])
	})
	if err == nil {
		err = w.finish()
	}
	v.close()
	*v = w.fresh
	return err
}

// waking gathers the batches of a sieve for another one, those that are read again with
// new logs.
type waking struct {
	fresh    sieve
	matchers []*Matcher
	decoders []*event.Decoder
	waiting  []resighting // the batches that fresh does not have yet
	data     [][]byte     // of those that are read again
	used     int          // of data
}

// batchesEach is how many batches each matcher looks at before they are put in order.
const batchesEach = 4

// add adds a batch with a log, which may be that of others later.
func (w *waking) add(b *sighted, log []byte, again bool) error {
	r := resighting{batch: sighted{again: b.again, log: slices.Clone(log)}}
	if again {
		if w.used == len(w.data) {
			w.data = append(w.data, nil)
		}
		if err := r.read(&w.data[w.used]); err != nil {
			return err
		}
		w.used++
	}
	if w.waiting = append(w.waiting, r); w.used < batchesEach*len(w.matchers) && len(w.waiting) < mostWaking {
		return nil
	}
	return w.finish()
}

// mostWaking bounds the batches that wait for those before them.
const mostWaking = 1 << 10

// finish gives fresh the batches that wait.
func (w *waking) finish() error {
	var todo []*resighting
	for i := range w.waiting {
		if r := &w.waiting[i]; r.data != nil {
			todo = append(todo, r)
		}
	}
	w.fresh.opt.AtOnce(len(w.matchers), func(matcher int) {
		for i := matcher; i < len(todo); i += len(w.matchers) {
			todo[i].do(w.decoders[matcher], w.matchers[matcher])
		}
	})
	for i := range w.waiting {
		r := &w.waiting[i]
		if r.err != nil {
			return r.err
		}
		r.batch.size = len(r.batch.log)
		if err := w.fresh.keep(r.batch); err != nil {
			return err
		}
	}
	w.waiting, w.used = w.waiting[:0], 0
	return nil
}

// resighting is a batch of which the log is made anew.
type resighting struct {
	batch sighted // its log is that before, which tells where events stand, and then the new one
	data  []byte  // of the batch, from the first of these events to the last; nil: the log stays
	from  int     // where in the batch it begins
	err   error
}

// read reads the events into memory.
func (w *resighting) read(memory *[]byte) error {
	r := sightingReader{log: w.batch.log}
	var all event.Extent
	for first := true; r.next(); first = false {
		if first || r.at.Start < all.Start { // they may stand in any order
			all.Start = r.at.Start
		}
		all.End = max(all.End, r.at.End)
	}
	data, err := w.batch.again(all)
	if err != nil {
		return fmt.Errorf("read events again: %w", err)
	}
	*memory = append((*memory)[:0], data...)
	w.data, w.from = *memory, all.Start
	return nil
}

func (w *resighting) do(dec *event.Decoder, m *Matcher) {
	var ev event.Event
	var hits Hits
	for r := (sightingReader{log: w.batch.log}); r.next(); {
		if err := decodeAgain(dec, w.data[r.at.Start-w.from:r.at.End-w.from], &ev); err != nil {
			w.err = fmt.Errorf("read an event again: %w", err)
			return
		}
		m.Match(&ev, &hits)
		m.Sight(&ev, &hits, r.at)
	}
	w.batch.log = []byte{}
	if s := m.Sightings(); s != nil {
		w.batch.log = s.log
	}
}
