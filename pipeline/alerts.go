package pipeline

import (
	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
)

// Alerts gives judges that run a detector's rules and emit the alerts.
func Alerts(d *detect.Detector, run alert.Run) func() Judge[*alert.Alert] {
	return func() Judge[*alert.Alert] {
		matcher, builder := d.NewMatcher(), alert.NewBuilder(run, d.Fields().Types())
		var hits detect.Hits
		return Judge[*alert.Alert]{
			Decoder: d.NewDecoder(""),
			Event: func(ev *event.Event, emit func(*alert.Alert)) {
				matcher.Match(ev, &hits)
				d.Signals(ev, &hits, func(s *detect.Signal) { emit(builder.Build(s)) })
			},
		}
	}
}
