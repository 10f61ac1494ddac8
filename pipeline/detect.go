package pipeline

import (
	"context"
	"errors"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
)

// DetectOptions say how rules are run over a source.
type DetectOptions struct {
	Scan ScanOptions
	// Run is what all alerts have in common.
	Run alert.Run
	// Stream says how the events of sequences are put into order. Its Spill is set
	// here if it is nil.
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
	// Repeated counts alerts that were given before.
	Repeated int64
}

// found is what a worker makes of an event: an alert, or an arrival for the rules
// that need several events.
type found struct {
	alert   *alert.Alert
	arrival *detect.Arrival
}

// Detect runs rules over a source to its end.
func Detect(ctx context.Context, src Source, d *detect.Detector, opt DetectOptions) (*Summary, DetectStats, error) {
	if opt.Stream.Spill == nil {
		opt.Stream.Spill = TempFiles{}
	}
	stream := d.NewStream(opt.Stream)
	builder := alert.NewBuilder(opt.Run, d.Fields().Types())
	t := &taker{opt: opt, stream: stream, builder: builder, stretch: newStretch(opt.Resume, opt.Emit)}
	var sum *Summary
	err := t.begin(d)
	if err == nil {
		if t.stretch != nil {
			opt.Scan.Done = t.stretch.done
		}
		sum, err = Scan(ctx, src, judges(d, opt.Run), t.take, opt.Scan)
		err = t.finish(err)
		sum.Stopped = err != nil
	} else {
		sum = &Summary{Stopped: true}
	}
	return sum, DetectStats{Stream: stream.Stats(), Repeated: t.before.count}, err
}

// taker takes what the workers found, in order.
type taker struct {
	opt     DetectOptions
	stream  *detect.Stream
	builder *alert.Builder
	before  repetitions
	stretch *stretch // nil: no later run goes on
	err     error
}

func (t *taker) begin(d *detect.Detector) error {
	if t.stretch == nil {
		return nil
	}
	return t.stretch.replay(d, t.stream, &t.before)
}

func (t *taker) take(f found) error {
	if f.alert != nil {
		t.alert(f.alert)
		return t.err
	}
	if t.stretch != nil {
		t.stretch.arrived(f.arrival, t.stream)
	}
	if err := t.stream.Observe(f.arrival, t.signal); err != nil {
		return err
	}
	return t.err
}

func (t *taker) signal(s *detect.Signal) { t.builder.Build(s, t.alert) }

func (t *taker) alert(a *alert.Alert) {
	switch {
	case t.err != nil || t.before.again(a.ID):
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
	if err == nil && t.stretch != nil {
		err = t.stretch.end()
	}
	return err
}

// judges gives judges that match events against the rules of a detector.
func judges(d *detect.Detector, run alert.Run) func() Judge[found] {
	return func() Judge[found] {
		matcher, builder := d.NewMatcher(), alert.NewBuilder(run, d.Fields().Types())
		var hits detect.Hits
		return Judge[found]{
			Decoder: d.NewDecoder(),
			Event: func(ev *event.Event, emit func(found)) {
				matcher.Match(ev, &hits)
				if hits.Len() == 0 {
					return
				}
				d.Signals(ev, &hits, func(s *detect.Signal) {
					builder.Build(s, func(a *alert.Alert) { emit(found{alert: a}) })
				})
				matcher.Arrivals(ev, &hits, func(a *detect.Arrival) { emit(found{arrival: a}) })
			},
			Pause: func(emit func(found)) { matcher.Pause(func(a *detect.Arrival) { emit(found{arrival: a}) }) },
		}
	}
}
