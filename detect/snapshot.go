package detect

import (
	"fmt"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/sequence"
)

// Snapshot gives the state of a Stream with a bounded lateness as bytes, what it has
// counted included. A Stream of the same rules that restores it gives the same
// signals from there on.
func (s *Stream) Snapshot() []byte {
	w := sequence.NewWriter()
	w.Uint(s.number)
	w.Uint(s.stats.Untimed)
	w.Uint(uint64(len(s.orders)))
	for clock, o := range s.orders {
		started := uint64(0)
		if o.started {
			started = 1
		}
		w.Uint(started)
		saveTime(w, o.watermark)
		saveTime(w, s.advanced[clock])
		w.Uint(uint64(len(o.waiting)))
		for _, a := range o.waiting {
			w.Text(string(a.appendTo(nil)))
		}
	}
	for i, t := range s.trackers {
		if t != nil {
			w.Text(s.d.rules[i].identity())
			w.Uint(s.stats.Late[s.d.rules[i].rule])
			t.Save(w)
		}
	}
	return w.Bytes()
}

// identity tells rules apart whose unfinished matches are not each other's.
func (c *compiled) identity() string { return c.rule.RuleID + "\n" + c.rule.EQL.String() }

func saveTime(w *sequence.Writer, t event.Time) {
	w.Int(t.Sec)
	w.Uint(uint64(t.Nsec))
}

// Restore replaces the state of the Stream by that of a snapshot of a Stream of
// the same rules. After an error the Stream must not be used.
func (s *Stream) Restore(snapshot []byte) error {
	r, err := sequence.NewReader(snapshot)
	if err != nil {
		return err
	}
	s.number, s.stats.Untimed = r.Uint(), r.Uint()
	if n := r.Uint(); n != uint64(len(s.orders)) {
		return fmt.Errorf("%w: it is of other rules", sequence.ErrSnapshot)
	}
	for clock, o := range s.orders {
		o.started = r.Uint() == 1
		o.watermark = event.Time{Sec: r.Int(), Nsec: int32(r.Uint())}
		s.advanced[clock] = event.Time{Sec: r.Int(), Nsec: int32(r.Uint())}
		o.waiting = nil
		for n := r.Uint(); n > 0 && r.Err() == nil; n-- {
			a, err := readArrival([]byte(r.Text()))
			if err != nil {
				return err
			}
			o.waiting = append(o.waiting, a) // it was a heap and still is
		}
	}
	for i, t := range s.trackers {
		if t == nil {
			continue
		}
		if id := r.Text(); r.Err() == nil && id != s.d.rules[i].identity() {
			return fmt.Errorf("%w: it is of other rules", sequence.ErrSnapshot)
		}
		if late := r.Uint(); late > 0 {
			s.stats.Late[s.d.rules[i].rule] = late
		}
		if err := t.Load(r); err != nil {
			return err
		}
	}
	if r.Err() == nil && r.Len() > 0 {
		return fmt.Errorf("%w: it is of other rules", sequence.ErrSnapshot)
	}
	return r.Err()
}
