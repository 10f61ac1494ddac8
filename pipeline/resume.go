package pipeline

import (
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/sequence"
)

// Resume lets a scan be gone on with by a later run, which emits what this one did
// not.
//
// Alerts are held until their stretch of the scan ends, and then emitted, flushed and
// marked in the journal in one go. Of rules that need several events the journal
// holds what arrived: a later run shows it to them again, in the same order, so that
// they are where they were.
type Resume struct {
	Journal *Journal
	// Every is how long a stretch is; 0 stands for a second.
	Every time.Duration
	// Positions gives how far the source was read, what changed since the last call.
	Positions func() [][]byte
	// Output, if it is set, says what the output is before it is written to, for the
	// next run to see if it was written to and not marked.
	Output func() []byte
	// Flush writes out what Emit took.
	Flush func() error
}

// A stretch ends earlier if it has so many alerts, or bytes of arrivals.
const (
	mostHeld  = 1000
	mostBytes = 8 << 20
)

// stretch is what a scan found since the last mark.
type stretch struct {
	*Resume
	emit     func(*alert.Alert) error
	held     []*alert.Alert
	bytes    int
	since    time.Time
	buf      []byte
	unpacker sequence.Unpacker
}

func newStretch(r *Resume, emit func(*alert.Alert) error) *stretch {
	if r == nil {
		return nil
	}
	if r.Every <= 0 {
		r.Every = time.Second
	}
	return &stretch{Resume: r, emit: emit, since: time.Now()}
}

// arrived notes an arrival before the stream sees it.
func (s *stretch) arrived(a *detect.Arrival, stream *detect.Stream) {
	if a.News() && !stream.Bounded() {
		return
	}
	s.buf = a.Append(s.buf[:0], &s.unpacker)
	s.Journal.add(journalArrival, s.buf)
	s.bytes += len(s.buf)
}

// done ends the stretch if it is time. It is called where all of what was read so
// far is found.
func (s *stretch) done() error {
	if len(s.held) < mostHeld && s.bytes < mostBytes && time.Since(s.since) < s.Every {
		return nil
	}
	return s.end()
}

// end emits the held alerts and marks the stretch.
func (s *stretch) end() error {
	if len(s.held) > 0 && s.Output != nil {
		s.Journal.add(journalOutput, s.Output())
		if err := s.Journal.sync(); err != nil {
			return err
		}
	}
	for _, a := range s.held {
		if err := s.emit(a); err != nil {
			return err
		}
		s.Journal.add(journalAlert, []byte(a.ID))
	}
	if err := s.Flush(); err != nil {
		return err
	}
	for _, p := range s.Positions() {
		s.Journal.add(journalPosition, p)
	}
	s.held, s.bytes, s.since = s.held[:0], 0, time.Now()
	return s.Journal.mark()
}

// replay brings the stream and the repetitions to where the last run marked them.
func (s *stretch) replay(d *detect.Detector, stream *detect.Stream, before *repetitions) error {
	for _, id := range s.Journal.ids {
		before.remember(id)
	}
	s.Journal.ids = nil
	emitted := func(*detect.Signal) {}
	return s.Journal.each(func(b []byte) error {
		a, err := d.ReadArrival(b)
		if err != nil {
			return err
		}
		return stream.Observe(a, emitted)
	})
}
