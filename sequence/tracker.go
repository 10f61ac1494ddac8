package sequence

import (
	"math"
	"strings"
	"time"

	"github.com/shrike-project/shrike/event"
)

// Options bound what a Tracker keeps.
type Options struct {
	// MaxKeys is the most keys with unfinished matches; the ones that began
	// longest ago are evicted. It bounds as well the keys of which a missing event
	// before a first step is remembered, and the matches that wait for the absence
	// of an event. 0 stands for DefaultMaxKeys.
	MaxKeys int
	// MaxAge is how long the keys of a sequence without maxspan are kept after the
	// latest first event, and those of a sample after the latest event; 0: without
	// bound.
	MaxAge time.Duration
	// SamplesPerKey makes a sample wait for the end of all events and then give up
	// to that many samples of each key, by ascending key; 0: the first sample of a
	// key as soon as there is one.
	SamplesPerKey int
	// Notes, if set, is told what becomes of every unfinished match.
	Notes func(Note)
}

// DefaultMaxKeys is the default bound on keys.
const DefaultMaxKeys = 1_000_000

// Stats counts what a Tracker holds and what it let go.
type Stats struct {
	// Keys have unfinished matches now; Pending are matches that wait for the
	// absence of an event.
	Keys, Pending int
	// Expired keys went by maxspan, Evicted ones by the bounds of Options.
	Expired, Evicted uint64
}

// Tracker holds the unfinished matches of one plan. It belongs to one goroutine.
type Tracker struct {
	plan   *Plan
	opt    Options
	groups *groups
	look   int64 // no group expires before this time, in milliseconds
	absent absences
	sample sampler
	order  uint64
	stats  Stats
}

// partial is an unfinished match: its latest record, and the partial it extends.
// The zero value is an empty slot.
type partial struct {
	before *partial
	record *Record
	began  int64    // the time of the first record, in milliseconds
	absent *absence // of plans with missing items, else nil
}

func (p *partial) held() bool { return p.record != nil }

// first gives the record of the first step.
func (p *partial) first() *Record {
	for p.before != nil {
		p = p.before
	}
	return p.record
}

// NewTracker makes a Tracker for a plan.
func NewTracker(p *Plan, opt Options) *Tracker {
	if opt.MaxKeys <= 0 {
		opt.MaxKeys = DefaultMaxKeys
	}
	t := &Tracker{plan: p, opt: opt, groups: newGroups(), look: math.MinInt64}
	t.absent.init()
	t.sample.init()
	return t
}

// Stats counts what the Tracker holds and what it let go.
func (t *Tracker) Stats() Stats {
	s := t.stats
	s.Keys = t.groups.n
	if t.plan.sample {
		s.Keys = len(t.sample.groups)
	}
	s.Pending = len(t.absent.deadlines)
	return s
}

// Observe takes an event that hits items of the plan. Events have to come in the
// order of Record.Compare. A record without a time is passed over, but by a
// sample.
func (t *Tracker) Observe(r *Record, hits []Hit, emit func(Match)) {
	if t.plan.sample {
		t.observeSample(r, hits, emit)
		return
	}
	if !r.Timed {
		return
	}
	now := r.millis()
	t.advance(now, emit)
	if t.plan.missing {
		t.observeMissing(r, hits)
	}
	for step := len(t.plan.steps) - 1; step >= 0; step-- {
		for _, h := range hits {
			if h.Item != t.plan.steps[step] {
				continue
			}
			for _, key := range h.Keys {
				t.step(step, key, r, emit)
			}
		}
	}
	for _, h := range hits {
		if h.Item == t.plan.until {
			for _, key := range h.Keys {
				t.cut(key, r)
			}
		}
	}
}

// Advance says that every event from now on has at least the time of watermark.
func (t *Tracker) Advance(watermark event.Time, emit func(Match)) {
	if t.plan.sample {
		t.sample.now = max(t.sample.now, watermark.UnixMilli())
		return
	}
	t.advance(watermark.UnixMilli(), emit)
}

// Finish says that no event will come any more: what waits for the absence of one
// completes.
func (t *Tracker) Finish(emit func(Match)) {
	const end = 1<<63 - 1
	t.settle(end, emit)
	t.finishSamples(emit)
	if t.opt.Notes != nil {
		t.noteWaiting()
	}
}

func (t *Tracker) advance(now int64, emit func(Match)) {
	t.settle(now, emit)
	t.expire(now)
	t.groups.shrink()
}

// step lets an event be a step of the match of a key.
func (t *Tracker) step(step int, key string, r *Record, emit func(Match)) {
	if step == 0 {
		t.begin(key, r, emit)
		return
	}
	at := t.groups.get(key)
	held := t.held(at, step-1)
	if held == nil {
		t.noteNoPartial(step, key, r)
		return
	}
	before := *held
	*held = partial{} // consumed even if it is rejected below
	if t.plan.maxSpan > 0 && r.beyond(t.plan.maxSpan, before.first()) {
		t.note(Expired, step, key, r, &before)
		t.release(at)
		return
	}
	p := partial{before: &before, record: r, began: before.began, absent: before.absent}
	if p.absent != nil {
		p.absent.extend(r.millis())
	}
	if step == len(t.plan.steps)-1 {
		t.release(at)
		t.complete(key, p, emit)
		return
	}
	t.note(Extended, step, key, r, &p)
	t.put(t.groups.at(at), step, p)
}

// held gives what a slot of a group holds; nil if that is nothing, or there is no group.
func (t *Tracker) held(at ref, slot int) *partial {
	if at == 0 {
		return nil
	}
	return t.groups.at(at).held(slot)
}

// begin lets an event be the first step.
func (t *Tracker) begin(key string, r *Record, emit func(Match)) {
	p := partial{record: r, began: r.millis()}
	if t.plan.missing {
		p.absent = t.absent.begin(t.plan, key, p.began)
	}
	if len(t.plan.steps) == 1 {
		t.complete(key, p, emit)
		return
	}
	g := t.touch(key)
	t.note(Started, 0, key, r, &p)
	t.put(g, 0, p)
}

func (t *Tracker) put(g *group, slot int, p partial) {
	for g.slots() <= slot {
		g.more = append(g.more, partial{})
	}
	t.noteSlot(Replaced, slot, g, p.record)
	*g.slot(slot) = p
}

// complete makes a match of a partial that has all its steps, or lets it wait for
// the absence of an event.
func (t *Tracker) complete(key string, p partial, emit func(Match)) {
	m := Match{Key: strings.Clone(key), Order: t.order}
	t.order++
	last := len(t.plan.steps) - 1
	if p.absent != nil && (p.absent.broken || t.plan.leadBlocks(&p)) {
		t.note(Rejected, last, key, p.record, &p)
		return
	}
	m.Records = t.plan.arrange(&p)
	if t.plan.trailing && t.absent.wait(t.plan, m, p) {
		t.note(Waits, last, key, p.record, &p)
		if len(t.absent.deadlines) > t.opt.MaxKeys {
			w := t.absent.next()
			t.stats.Evicted++
			t.note(Evicted, last, w.match.Key, p.record, w.last)
		}
		return
	}
	t.note(Completed, last, key, p.record, &p)
	emit(m)
}

// arrange gives the records of a partial in the order of the query's items, nil
// for each missing event.
func (p *Plan) arrange(last *partial) []*Record {
	steps := make([]*Record, len(p.steps))
	i := len(steps) - 1
	for q := last; q != nil; q = q.before {
		steps[i] = q.record
		i--
	}
	records := make([]*Record, len(p.layout))
	for place, step := range p.layout {
		if step >= 0 {
			records[place] = steps[step]
		}
	}
	return records
}

// cut forgets all unfinished matches of a key.
func (t *Tracker) cut(key string, r *Record) {
	at := t.groups.get(key)
	if at == 0 {
		return
	}
	t.noteSlots(Cut, t.groups.at(at), r)
	t.groups.remove(at)
}

// touch gives the group of a key, made if need be, as the newest of all.
func (t *Tracker) touch(key string) *group {
	hash := t.groups.hash(key)
	at := t.groups.find(key, hash)
	if at == 0 {
		at = t.groups.add(key, hash)
		for t.groups.n > t.opt.MaxKeys { // more than one too many after a snapshot
			t.evict(t.groups.oldest)
		}
	} else {
		t.groups.unlink(at)
	}
	if t.groups.oldest == 0 {
		t.look = math.MinInt64
	}
	t.groups.link(at)
	return t.groups.at(at)
}

func (t *Tracker) evict(at ref) {
	t.stats.Evicted++
	g := t.groups.at(at)
	for slot := range g.slots() {
		t.noteSlot(Evicted, slot, g, g.slot(slot).record)
	}
	t.groups.remove(at)
}

// release removes a group that holds nothing any more.
func (t *Tracker) release(at ref) {
	if t.groups.at(at).lowest() < 0 {
		t.groups.remove(at)
	}
}

// expire removes the groups whose latest first event is too old for any later
// event to complete it. Groups are listed by that time.
func (t *Tracker) expire(now int64) {
	t.absent.prune(now - t.plan.maxSpan)
	span, bound := t.plan.maxSpan, false
	if span == 0 {
		span, bound = t.opt.MaxAge.Milliseconds(), true
	}
	if span == 0 || now < t.look {
		return
	}
	t.look = math.MaxInt64
	for at := t.groups.oldest; at != 0; at = t.groups.oldest {
		g := t.groups.at(at)
		if last := g.started() + span; now <= last {
			t.look = last + 1
			return
		}
		if bound {
			t.evict(at)
			continue
		}
		t.stats.Expired++
		t.noteSlots(Expired, g, nil)
		t.groups.remove(at)
	}
}

// settle completes the matches whose wait for the absence of an event is over.
func (t *Tracker) settle(now int64, emit func(Match)) {
	for len(t.absent.deadlines) > 0 && t.absent.deadlines[0].deadline < now {
		w := t.absent.next()
		t.note(Completed, len(t.plan.steps)-1, w.match.Key, nil, w.last)
		emit(w.match)
	}
}

// observeMissing takes an event for the missing items it hits.
func (t *Tracker) observeMissing(r *Record, hits []Hit) {
	now := r.millis()
	for _, h := range hits {
		gap := t.plan.items[h.Item].gap
		if gap < 0 {
			continue
		}
		for _, key := range h.Keys {
			switch {
			case gap == len(t.plan.steps):
				for _, w := range t.absent.trailing(t.plan, key, now) {
					t.note(Rejected, len(t.plan.steps)-1, key, r, w.last)
				}
			case gap == 0:
				t.absent.leading(key, now)
				if len(t.absent.leads) > t.opt.MaxKeys {
					t.absent.forgetOldest()
					t.stats.Evicted++
				}
			default:
				if p := t.held(t.groups.get(key), gap-1); p != nil {
					p.absent.between(now, p.record.millis())
				}
			}
		}
	}
}
