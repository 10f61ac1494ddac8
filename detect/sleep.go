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

	"github.com/shrike-project/shrike/event"
)

// Sleepers are the rules that sleep while an input is scanned. They are shared by all
// Matchers of the scan.
type Sleepers struct {
	d     *Detector
	awake atomic.Pointer[[]bool] // by condition; what it points to does not change

	mu     sync.Mutex
	hit    []bool // by condition
	asleep int    // so many conditions
}

// NewSleepers gives the rules of an input of which no event was seen yet. Sequences
// without maxspan and samples never sleep.
func (d *Detector) NewSleepers() *Sleepers {
	s := &Sleepers{d: d, hit: make([]bool, len(d.items))}
	awake := make([]bool, len(d.items))
	for n := range d.items {
		plan := d.rules[d.items[n].rule].plan
		if awake[n] = plan == nil || plan.IsSample() || plan.MaxSpan() == 0; !awake[n] {
			s.asleep++
		}
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

// widened gives what periods come to if each begins so many seconds earlier and ends as
// much later.
func widened(list []period, seconds int64) periods {
	slices.SortFunc(list, func(a, b period) int { return a.from.Compare(b.from) })
	var out periods
	for _, p := range list {
		p.from.Sec -= seconds
		p.to.Sec += seconds
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
		if c.plan.IsSample() || c.plan.MaxSpan() == 0 {
			continue // it never slept
		}
		var rare []period
		for i := range v.batches {
			b := &v.batches[i]
			if p := b.periods[c.clock]; p.known && (slices.Contains(b.noted, f.rarest) || slices.Contains(b.slept, f.rarest)) {
				rare = append(rare, p)
			}
		}
		near := widened(rare, 1+spansAround*int64(c.plan.MaxSpan().Seconds()+1))
		for i := range v.batches {
			b := &v.batches[i]
			again[i] = again[i] || slices.ContainsFunc(b.slept, func(n int32) bool { return int(v.d.items[n].rule) == at }) && near.meet(b.periods[c.clock])
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
	fresh := sieve{d: v.d, opt: v.opt, items: v.items, spilled: v.spilled}
	dec, m := v.d.NewDecoder(), v.d.NewMatcher()
	at := 0
	err := v.each(func(b *sighted, r *sightingReader) error {
		log := slices.Clone(r.log) // of one that is spilled, the memory is used again
		if again[at] {
			var err error
			if log, err = resight(dec, m, b, r); err != nil {
				return err
			}
		}
		at++
		return fresh.keep(sighted{again: b.again, log: log, size: len(log)})
	})
	v.close()
	*v = fresh
	return err
}

// resight gives what is sighted in a batch if no rule sleeps.
func resight(dec *event.Decoder, m *Matcher, b *sighted, r *sightingReader) ([]byte, error) {
	var ev event.Event
	var hits Hits
	for r.next() {
		doc, err := b.again(r.at)
		if err == nil {
			err = decodeAgain(dec, doc, &ev)
		}
		if err != nil {
			return nil, fmt.Errorf("read an event again: %w", err)
		}
		m.Match(&ev, &hits)
		m.Sight(&ev, &hits, r.at)
	}
	if s := m.Sightings(); s != nil {
		return s.log, nil
	}
	return nil, nil
}
