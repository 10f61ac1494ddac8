package detect

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/sequence"
)

// Snapshot is the state of a Stream at one moment. To take it is quick, to write it is
// not, and may be left to another goroutine.
type Snapshot struct{ w *sequence.Writer }

// WriteTo writes the snapshot as Stream.Restore reads it.
func (s *Snapshot) WriteTo(out io.Writer) (int64, error) { return s.w.WriteTo(out) }

// Bytes gives what WriteTo writes.
func (s *Snapshot) Bytes() []byte { return s.w.Bytes() }

// Snapshot gives the state of a Stream with a bounded lateness, what it has counted
// included. A Stream of the same rules that restores it gives the same signals from
// there on.
func (s *Stream) Snapshot() *Snapshot {
	w := sequence.NewWriter()
	w.Uint(s.number)
	w.Uint(s.stats.Untimed)
	w.Uint(s.stats.Repeated)
	w.Uint(uint64(s.d.Sequences()))
	for i, t := range s.trackers {
		if t == nil {
			continue
		}
		w.Uint(uint64(i))
		w.Text(s.d.rules[i].identity())
		w.Uint(s.stats.Late[s.d.rules[i].rule])
		w.Section(t.Save)
	}
	w.Uint(uint64(len(s.orders)))
	for clock, o := range s.orders {
		started := uint64(0)
		if o.started {
			started = 1
		}
		w.Text(s.d.clockName(clock))
		w.Uint(started)
		saveTime(w, o.watermark)
		saveTime(w, s.advanced[clock])
		w.Uint(uint64(o.queue.len()))
		for _, a := range o.queue.all() {
			w.Record(a.record)
			a.saveHits(w)
		}
	}
	return &Snapshot{w}
}

// identity tells rules apart whose unfinished matches are not each other's.
func (c *compiled) identity() string {
	return c.rule.RuleID + "\n" + c.rule.EQL.String() + "\n" + c.rule.TimestampField + "\n" + c.rule.TiebreakerField
}

// clockName names a clock, for Detectors of other rules too.
func (d *Detector) clockName(clock int) string {
	name := func(f event.Field) string {
		if f == event.NoField {
			return ""
		}
		return d.fields.Name(f)
	}
	return name(d.clocks[clock].when) + "\n" + name(d.clocks[clock].tie)
}

func saveTime(w *sequence.Writer, t event.Time) {
	w.Int(t.Sec)
	w.Uint(uint64(t.Nsec))
}

func loadTime(r *sequence.Reader) event.Time {
	return event.Time{Sec: r.Int(), Nsec: int32(r.Uint())}
}

// Restore replaces the state of the Stream by that of a snapshot. Rules that are the
// same as those of the snapshot's Stream go on where they were; the others begin
// anew, and what the snapshot holds of rules that are gone is passed over. After an
// error the Stream must not be used.
func (s *Stream) Restore(snapshot []byte) error {
	r, err := sequence.NewReader(snapshot)
	if err != nil {
		return err
	}
	s.number, s.stats.Untimed, s.stats.Repeated = r.Uint(), r.Uint(), r.Uint()
	here, err := s.restoreTrackers(r)
	if err != nil {
		return err
	}
	for n := r.Uint(); n > 0 && r.Err() == nil; n-- {
		if err := s.restoreClock(r, here); err != nil {
			return err
		}
	}
	if r.Err() == nil && r.Len() > 0 {
		return fmt.Errorf("%w: something follows its end", sequence.ErrSnapshot)
	}
	return r.Err()
}

// restoreTrackers reads the state of rules, and gives the number here of each rule
// there that is the same.
func (s *Stream) restoreTrackers(r *sequence.Reader) (map[int]int, error) {
	byIdentity := map[string][]int{}
	for i, t := range s.trackers {
		if t != nil {
			id := s.d.rules[i].identity()
			byIdentity[id] = append(byIdentity[id], i)
		}
	}
	here := map[int]int{}
	for n := r.Uint(); n > 0 && r.Err() == nil; n-- {
		there, identity, late, section := int(r.Uint()), r.Text(), r.Uint(), r.Section()
		same := byIdentity[identity]
		if len(same) == 0 || r.Err() != nil {
			continue
		}
		i := same[0]
		byIdentity[identity] = same[1:]
		here[there] = i
		if late > 0 {
			s.stats.Late[s.d.rules[i].rule] = late
		}
		if err := s.trackers[i].Load(section); err != nil {
			return nil, err
		}
		if s.begun != nil {
			s.begun.rules[i].Store(true)
		}
	}
	return here, r.Err()
}

// restoreClock reads how far the time of a clock has come, and the arrivals that wait
// for their turn.
func (s *Stream) restoreClock(r *sequence.Reader, here map[int]int) error {
	name, started, watermark, advanced := r.Text(), r.Uint() == 1, loadTime(r), loadTime(r)
	clock := -1
	for i := range s.d.clocks {
		if s.d.clockName(i) == name {
			clock = i
			s.orders[i].started, s.orders[i].watermark, s.advanced[i] = started, watermark, advanced
			s.orders[i].queue, s.orders[i].bytes = queue{}, 0
		}
	}
	for n := r.Uint(); n > 0 && r.Err() == nil; n-- {
		a := &Arrival{record: r.Record(), hits: readHits(r)}
		if a.record == nil {
			return fmt.Errorf("%w: an event is missing", sequence.ErrSnapshot)
		}
		if clock >= 0 && a.move(clock, here) {
			s.orders[clock].queue.add(a)
			a.bytes = a.size()
			s.orders[clock].bytes += a.bytes
		}
	}
	return r.Err()
}

// move makes an arrival one of a Detector whose clocks and rules have other numbers.
// It reports whether a rule is left that the event hits.
func (a *Arrival) move(clock int, here map[int]int) bool {
	var hits []itemHit
	for _, h := range a.hits {
		if i, ok := here[int(h.rule)]; ok {
			h.rule = int32(i)
			hits = append(hits, h)
		}
	}
	slices.SortStableFunc(hits, func(x, y itemHit) int { return cmp.Compare(x.rule, y.rule) })
	a.clock, a.hits = clock, hits
	return len(hits) > 0
}
