package detect

import (
	"slices"
	"sync/atomic"
	"time"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
	"github.com/shrike-project/shrike/sequence"
)

// Unlimited is the lateness of an input that ends: events are put into order over
// all of it.
const Unlimited time.Duration = -1

// StreamOptions say how events are put into order and what is kept of them.
type StreamOptions struct {
	// Lateness is how much older than the newest event so far, of any kind, an event
	// may be to be put into its place. Older ones are counted, and passed over but by
	// samples, which ask for no order.
	// Unlimited waits for the end of the input; for an input that has none, see
	// Detector.Lateness.
	Lateness time.Duration
	// MaxKeys and MaxAge bound what each rule keeps; see sequence.Options.
	MaxKeys int
	MaxAge  time.Duration
	// SamplesPerKey is that of sequence.Options.
	SamplesPerKey int
	// MemoryBytes is how much of an unlimited input is held before it is spilled; 0
	// stands for DefaultMemoryBytes. Without Spill, all of it is held.
	MemoryBytes int
	Spill       Spill
	// MostWaiting bounds the bytes of the events that wait for their turn with a bounded
	// lateness; 0: no bound. When there are more, time is said to have come further than
	// the lateness has it, and they are counted in StreamStats.Hurried.
	MostWaiting int
	// AtOnce, if it is set, calls do for 0 to n-1, in any order or at the same time, and
	// returns when all calls have: it lets the end of an unlimited input be worked at on
	// several goroutines. What is found does not depend on it.
	AtOnce func(n int, do func(i int))
	// Notes, if set, is told what becomes of every unfinished match.
	Notes func(*rule.Rule, sequence.Note)
}

// DefaultMemoryBytes is how much of an unlimited input is held by default.
const DefaultMemoryBytes = 64 << 20

// Lateness gives the lateness that the rules allow by their own schedule, for an
// input that does not end. A rule that runs every five minutes over the last nine
// is sure to see an event that comes up to four minutes late; of all rules that need
// several events, the most patient one counts.
func (d *Detector) Lateness() time.Duration {
	most := time.Duration(0)
	for _, c := range d.rules {
		if c.plan != nil {
			most = max(most, c.rule.LookBack-c.rule.Interval)
		}
	}
	return most
}

// Stream follows the rules that need several events. It takes the arrivals of all
// workers, one after another, and belongs to one goroutine.
type Stream struct {
	d        *Detector
	opt      StreamOptions
	trackers []*sequence.Tracker // by rule; nil for single event queries
	emitters []func(sequence.Match)
	begun    *begun         // nil where Notes are told of what changes nothing
	emit     func(*Signal)  // of the call at hand
	hits     []sequence.Hit // of the rule that is shown an event
	orders   []*order       // by clock
	advanced []event.Time   // by clock: the watermark trackers know
	number   uint64
	twins    []twins // by clock
	sieve    sieve
	stats    StreamStats
}

// StreamStats counts what a Stream passed over and let go.
type StreamStats struct {
	// Late are events that came later than the lateness allows, by rule.
	Late map[*rule.Rule]uint64
	// Untimed are events without a time that hit a step of a sequence.
	Untimed uint64
	// Repeated are events that came once more, as when a sender had no answer.
	Repeated uint64
	// Hurried are events that were judged before the lateness was over, to make room.
	// Waiting are those whose turn has not come.
	Hurried uint64
	Waiting int
	// Keys, Pending, Expired and Evicted are the sums over all rules; see
	// sequence.Stats.
	Keys, Pending    int
	Expired, Evicted uint64
	// Spilled counts runs that did not fit into memory.
	Spilled int
}

// NewStream makes a Stream.
func (d *Detector) NewStream(opt StreamOptions) *Stream {
	if opt.AtOnce == nil {
		opt.AtOnce = inTurn
	}
	s := &Stream{d: d, opt: opt, trackers: make([]*sequence.Tracker, len(d.rules)), emitters: make([]func(sequence.Match), len(d.rules)), advanced: make([]event.Time, len(d.clocks))}
	s.sieve = sieve{d: d, opt: opt}
	s.stats.Late = map[*rule.Rule]uint64{}
	if opt.Notes == nil {
		s.begun = &begun{rules: make([]atomic.Bool, len(d.rules))}
	}
	for i, c := range d.rules {
		if c.plan == nil {
			continue
		}
		o := sequence.Options{MaxKeys: opt.MaxKeys, MaxAge: opt.MaxAge, SamplesPerKey: opt.SamplesPerKey}
		if opt.Notes != nil {
			o.Notes = func(n sequence.Note) { opt.Notes(c.rule, n) }
		}
		s.trackers[i], s.emitters[i] = sequence.NewTracker(c.plan, o), s.emitter(i)
	}
	for range d.clocks {
		s.orders = append(s.orders, newOrder(opt))
	}
	s.twins = make([]twins, len(d.clocks))
	return s
}

func inTurn(n int, do func(i int)) {
	for i := range n {
		do(i)
	}
}

// Stats counts what the Stream passed over and let go.
func (s *Stream) Stats() StreamStats {
	out := s.stats
	for _, t := range s.trackers {
		if t == nil {
			continue
		}
		st := t.Stats()
		out.Keys += st.Keys
		out.Pending += st.Pending
		out.Expired += st.Expired
		out.Evicted += st.Evicted
	}
	for _, o := range s.orders {
		out.Spilled += o.spilled
		out.Hurried += o.hurried
		if !o.unlimited() {
			out.Waiting += o.queue.len()
		}
	}
	out.Spilled += s.sieve.spilled
	return out
}

// Observe takes an arrival and calls emit for each signal that follows. The error
// is that of Spill.
func (s *Stream) Observe(a *Arrival, emit func(*Signal)) error {
	s.emit = emit
	if s.reach(a); a.record == nil {
		return nil
	}
	s.number++
	a.record.Number = s.number
	o := s.orders[a.clock]
	if !a.record.Timed {
		a.hits = s.untimed(a.hits)
		if len(a.hits) > 0 && o.unlimited() {
			return o.add(a)
		}
		s.judge(a)
		return nil
	}
	if o.late(a) {
		if a.hits = s.late(a.hits); len(a.hits) > 0 {
			s.judge(a)
		} else {
			a.done()
		}
		return nil
	}
	if err := o.add(a); err != nil {
		return err
	}
	o.ready(s.judge)
	return nil
}

// ObserveSightings takes what was sighted in a batch of an unlimited input. The
// events are looked at by Finish. The error is that of Spill.
func (s *Stream) ObserveSightings(sightings *Sightings) error {
	s.stats.Untimed += sightings.untimed
	return s.sieve.add(sightings)
}

// reach moves the watermark to where the lateness allows, before the arrival itself
// is looked at. So it does not matter which events hit something.
func (s *Stream) reach(a *Arrival) {
	o := s.orders[a.clock]
	if o.unlimited() || !a.earlier.known {
		return
	}
	o.reach(a.earlier.time)
	o.ready(s.judge)
	if a.record == nil || o.watermark.Sec > s.advanced[a.clock].Sec {
		s.advance(a.clock, o.watermark)
	}
}

// untimed counts an event without a time, and keeps its hits of samples, for which
// time does not matter.
func (s *Stream) untimed(hits []itemHit) []itemHit {
	kept := s.ofSamples(hits)
	if len(kept) < len(hits) {
		s.stats.Untimed++
	}
	return kept
}

// late counts an event that came later than the lateness allows, and keeps its hits
// of samples as well.
func (s *Stream) late(hits []itemHit) []itemHit {
	for rule := range byRule(hits) {
		if c := s.d.rules[rule]; !c.plan.IsSample() {
			s.stats.Late[c.rule]++
		}
	}
	return s.ofSamples(hits)
}

func (s *Stream) ofSamples(hits []itemHit) []itemHit {
	return slices.DeleteFunc(slices.Clone(hits), func(h itemHit) bool { return !s.d.rules[h.rule].plan.IsSample() })
}

// Advance says that every event from now on has at least the time of watermark,
// for inputs that may be silent.
func (s *Stream) Advance(watermark event.Time, emit func(*Signal)) {
	s.emit = emit
	for clock, o := range s.orders {
		o.advance(watermark)
		o.ready(s.judge)
		s.advance(clock, watermark)
	}
}

// Finish says that no event will come any more.
func (s *Stream) Finish(emit func(*Signal)) error {
	s.emit = emit
	untimed := s.stats.Untimed // of sightings they are counted already
	err := s.sieve.finish(func(a *Arrival) error { return s.Observe(a, emit) })
	if err != nil {
		return err
	}
	s.stats.Untimed = untimed
	for _, o := range s.orders {
		if err := o.finish(s.judge); err != nil {
			return err
		}
	}
	for i, t := range s.trackers {
		if t != nil {
			t.Finish(s.emitters[i])
		}
	}
	return nil
}

// judge shows an arrival, in its turn, to the trackers it hits, and is done with it.
func (s *Stream) judge(a *Arrival) {
	defer a.done()
	if a.record.Timed && s.twins[a.clock].again(a.record) {
		s.stats.Repeated++
		return
	}
	for rule, hits := range byRule(a.hits) {
		if s.begun != nil && !s.begun.has(rule) {
			if !s.d.begins(hits) {
				continue
			}
			s.begun.rules[rule].Store(true)
		}
		s.hits = s.hits[:0]
		for i := range hits {
			keys := hits[i].keys
			if keys == nil {
				keys = s.leftOut(a.record, &hits[i])
			}
			s.hits = append(s.hits, sequence.Hit{Item: int(hits[i].item), Keys: keys})
		}
		s.trackers[rule].Observe(a.record, s.hits, s.emitters[rule])
	}
	// The other trackers learn of the time now and then.
	if known := s.advanced[a.clock]; a.record.Timed && a.record.Time.Sec > known.Sec {
		s.advance(a.clock, event.Time{Sec: a.record.Time.Sec})
	}
}

// emitter gives what takes the matches of a rule.
func (s *Stream) emitter(rule int) func(sequence.Match) {
	return func(m sequence.Match) { s.emit(s.d.sequenceSignal(s.d.rules[rule], m)) }
}

func (s *Stream) advance(clock int, watermark event.Time) {
	s.advanced[clock] = watermark
	for i, t := range s.trackers {
		if t != nil && s.d.rules[i].clock == clock {
			t.Advance(watermark, s.emitters[i])
		}
	}
}
