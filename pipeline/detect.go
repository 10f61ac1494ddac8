package pipeline

import (
	"context"

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
	var before repetitions
	var emitErr error
	emit := func(a *alert.Alert) {
		if emitErr == nil && !before.again(a.ID) {
			emitErr = opt.Emit(a)
		}
	}
	signal := func(s *detect.Signal) { builder.Build(s, emit) }
	take := func(f found) error {
		if f.alert != nil {
			emit(f.alert)
			return emitErr
		}
		if err := stream.Observe(f.arrival, signal); err != nil {
			return err
		}
		return emitErr
	}
	sum, err := Scan(ctx, src, judges(d, opt.Run), take, opt.Scan)
	if err == nil {
		if err = stream.Finish(signal); err == nil {
			err = emitErr
		}
		sum.Stopped = err != nil
	}
	return sum, DetectStats{Stream: stream.Stats(), Repeated: before.count}, err
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
