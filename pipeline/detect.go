package pipeline

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
)

// DetectOptions say how rules are run over a source.
type DetectOptions struct {
	Scan ScanOptions
	// Run is what all alerts have in common.
	Run alert.Run
	// Stream says how the events of sequences are put into order. Its Spill and AtOnce
	// are set here if they are nil.
	Stream detect.StreamOptions
	// Emit takes each alert: those of single events in the order of the events,
	// those of sequences when they complete. An error ends the run. An alert whose
	// id was there before is the same event once more: it is counted, not emitted.
	Emit func(*alert.Alert) error
	// Resume, if it is set, lets a later run go on with the scan.
	Resume *Resume
}

// DetectStats tell what became of a run beside its Summary.
type DetectStats struct {
	Stream detect.StreamStats
	// Repeated counts alerts that were given before, and Twice those on the second
	// report of a process start whose first the same rule alerted on.
	Repeated, Twice int64
	// Suppressed counts alerts that others of their group stand for.
	Suppressed int64
}

// found is what a worker makes of an event: an alert, or an arrival for the rules
// that need several events; or what it sighted in a batch for them.
type found struct {
	alert     *alert.Alert
	arrival   *detect.Arrival
	sightings *detect.Sightings
	// Where what was found is stored: the alert made ready for it, and the time of the
	// newest event of a batch.
	kept   *alert.Kept
	newest *event.Time
}

// reach is how far time has come; the zero value: nobody knows.
type reach struct {
	time  event.Time
	known bool
}

func (r *reach) to(t event.Time) {
	if !r.known || t.Compare(r.time) > 0 {
		r.time, r.known = t, true
	}
}

// Detect runs rules over a source to its end.
func Detect(ctx context.Context, src Source, d *detect.Detector, opt DetectOptions) (*Summary, DetectStats, error) {
	if opt.Stream.Spill == nil {
		opt.Stream.Spill = TempFiles{}
	}
	if opt.Stream.AtOnce == nil {
		opt.Stream.AtOnce = OnAllProcessors
	}
	start := time.Now()
	stream := d.NewStream(opt.Stream)
	builder := alert.NewBuilder(opt.Run, d.Fields().Types())
	t := &taker{opt: opt, stream: stream, builder: builder, stretch: newStretch(opt.Resume, opt.Emit), suppress: suppressor{hurry: opt.Resume != nil}}
	t.onSignal = t.signal
	var sum *Summary
	err := t.begin(d)
	if err == nil {
		if t.stretch != nil {
			opt.Scan.Done = t.stretch.done
		}
		var kept archive
		defer kept.close()
		sleepers := d.NewSleepers()
		sum, err = Scan(ctx, src, func() Judge[found] {
			j := &judge{d: d, matcher: d.NewMatcher(), builder: builder.Fork()}
			if opt.Stream.Lateness < 0 && opt.Resume == nil {
				j.matcher.LetSleep(sleepers)
				return sighting(ctx, j, &kept, !opt.Scan.Within.bounded())
			}
			judge := arriving(j)
			if opt.Resume == nil {
				j.matcher.LeaveKeys(stream)
				judge.Begin = func(seen Seen) { j.matcher.From(seen.Data, t.reading(seen.Again)) }
			}
			return judge
		}, t.take, opt.Scan)
		err = t.finish(err)
		sum.Stopped, sum.Took = err != nil, time.Since(start) // the end of sequences included
	} else {
		sum = &Summary{Stopped: true}
	}
	return sum, DetectStats{Stream: stream.Stats(), Repeated: t.before.count, Twice: t.twice, Suppressed: t.suppress.count}, err
}

// taker takes what the workers found, in order.
type taker struct {
	opt      DetectOptions
	stream   *detect.Stream
	builder  *alert.Builder
	before   repetitions
	starts   starts
	twice    int64
	stretch  *stretch // nil: no later run goes on
	suppress suppressor
	onSignal func(*detect.Signal) // signal, made once
	err      error
}

func (t *taker) begin(d *detect.Detector) error {
	if t.stretch == nil {
		return nil
	}
	return t.stretch.replay(d, t.stream, &t.before)
}

func (t *taker) take(f found, from Place) error {
	switch {
	case f.alert != nil && t.starts.twice(f.alert.Rule, f.alert.Start):
		t.twice++
		return nil
	case f.alert != nil:
		f.alert.File, f.alert.Line = from.File, from.Line
		t.alert(f.alert)
		return t.err
	case f.sightings != nil:
		return t.stream.ObserveSightings(f.sightings)
	}
	if t.stretch != nil {
		t.stretch.arrived(f.arrival, t.stream)
	}
	if err := t.stream.Observe(f.arrival, t.onSignal); err != nil {
		return err
	}
	return t.err
}

// reading gives a function for documents of a batch that are read again; nil if that
// cannot be done. It is called where the alerts of sequences are made, by this goroutine.
func (t *taker) reading(again func(event.Extent) ([]byte, error)) func(from, to int) []byte {
	if again == nil {
		return nil
	}
	return func(from, to int) []byte {
		doc, err := again(event.Extent{Start: from, End: to})
		if err != nil && t.err == nil {
			t.err = fmt.Errorf("read an event again: %w", err)
		}
		return doc
	}
}

func (t *taker) signal(s *detect.Signal) {
	if s.Rule.AlertSuppression == nil {
		t.builder.Build(s, t.alert)
		return
	}
	var all []*alert.Alert
	t.builder.Build(s, func(a *alert.Alert) { all = append(all, a) })
	t.group(all)
}

// alert takes an alert.
func (t *taker) alert(a *alert.Alert) {
	if a.Rule.AlertSuppression != nil {
		t.group([]*alert.Alert{a})
	} else if t.err == nil && !t.before.again(a.ID) {
		t.give(a)
	}
}

// group takes an alert with the building blocks before it, whose rule asks for
// suppression.
func (t *taker) group(all []*alert.Alert) {
	if len(all) == 0 || t.err != nil || t.before.again(all[len(all)-1].ID) || t.suppress.take(all) {
		return
	}
	for _, a := range all {
		t.give(a)
	}
}

// give emits an alert, or holds it until its stretch ends.
func (t *taker) give(a *alert.Alert) {
	switch {
	case t.err != nil:
	case t.stretch != nil:
		t.stretch.held = append(t.stretch.held, a)
	default:
		t.err = t.opt.Emit(a)
	}
}

// finish ends the run after a scan that ended with err.
func (t *taker) finish(err error) error {
	stopped := errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
	if t.stretch != nil && (err == nil || stopped) {
		if markErr := t.stretch.end(); markErr != nil {
			return markErr
		}
	}
	if err != nil {
		return err
	}
	err = t.stream.Finish(func(s *detect.Signal) {
		t.signal(s)
		if t.stretch != nil && t.err == nil {
			t.err = t.stretch.done()
		}
	})
	if err == nil {
		err = t.err
	}
	if err == nil {
		err = t.suppress.emit(t.opt.Emit)
	}
	if err == nil && t.stretch != nil {
		err = t.stretch.end()
	}
	return err
}

// judge matches events against the rules of a detector.
type judge struct {
	d       *detect.Detector
	matcher *detect.Matcher
	builder *alert.Builder
	hits    detect.Hits
	keep    bool // alerts are made ready to be stored, and those of starts told twice too
}

// signals matches an event, and emits the alerts of rules that need no other.
func (j *judge) signals(ev *event.Event, emit func(found)) {
	j.matcher.Match(ev, &j.hits)
	if j.hits.Len() == 0 {
		return
	}
	j.d.Signals(ev, &j.hits, func(s *detect.Signal) {
		j.builder.Build(s, func(a *alert.Alert) {
			if j.keep {
				emit(found{kept: a.Keep()})
			} else {
				emit(found{alert: a})
			}
		})
	})
}

// arriving gives judges that hand arrivals to the rules that need several events.
func arriving(j *judge) Judge[found] {
	return Judge[found]{
		Decoder: j.d.NewDecoder(),
		Event: func(ev *event.Event, _ event.Extent, emit func(found)) {
			if j.signals(ev, emit); j.hits.Len() > 0 {
				j.matcher.Arrivals(ev, &j.hits, func(a *detect.Arrival) { emit(found{arrival: a}) })
			}
		},
		Pause: func(_ Seen, emit func(found)) error {
			j.matcher.Pause(func(a *detect.Arrival) { emit(found{arrival: a}) })
			return nil
		},
	}
}

// sighting gives judges that only note which events those rules may need, for an
// input that ends. Once ctx is done, no event is read again.
func sighting(ctx context.Context, j *judge, kept *archive, prefilter bool) Judge[found] {
	var skips func([]byte) bool
	if p := j.d.NewPrefilter(); p != nil && prefilter {
		skips = p.Skips
	}
	return Judge[found]{
		Decoder: j.d.NewDecoder(),
		Skips:   skips,
		Event: func(ev *event.Event, at event.Extent, emit func(found)) {
			if j.signals(ev, emit); j.hits.Len() > 0 {
				j.matcher.Sight(ev, &j.hits, at)
			}
		},
		Pause: func(seen Seen, emit func(found)) (err error) {
			s := j.matcher.Sightings()
			if s == nil {
				return nil
			}
			again := seen.Again
			if again == nil {
				again, err = kept.keep(seen.Data)
			}
			s.Again = func(at event.Extent) ([]byte, error) {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
				return again(at)
			}
			emit(found{sightings: s})
			return err
		},
	}
}
