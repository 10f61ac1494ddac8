package detect

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/shrike-project/shrike/sequence"
)

// Identity names the rules that run, in their order: a hash of what decides about
// their matches. Arrivals mean the same to Detectors of the same identity.
func (d *Detector) Identity() string {
	h := sha256.New()
	for _, c := range d.rules {
		_, _ = fmt.Fprintf(h, "%q %q %q %q %v\n", c.identity(), c.rule.TimestampField, c.rule.TimestampOverride, c.rule.TiebreakerField, c.rule.Version)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Append writes the arrival as Detector.ReadArrival reads it. The Unpacker is the same for
// arrivals that come one after another.
func (a *Arrival) Append(b []byte, u *sequence.Unpacker) []byte {
	w := sequence.NewWriter()
	w.Uint(uint64(a.clock))
	known := uint64(0)
	if a.earlier.known {
		known = 1
	}
	w.Uint(known)
	saveTime(w, a.earlier.time)
	record := ""
	if a.record != nil {
		record = string(a.appendTo(nil, u))
	}
	w.Text(record)
	return append(b, w.Body()...)
}

// ReadArrival reads an arrival that a Detector of the same identity made.
func (d *Detector) ReadArrival(b []byte) (*Arrival, error) {
	r := sequence.NewBodyReader(b)
	clock := int(r.Uint())
	earlier := reach{known: r.Uint() == 1}
	earlier.time.Sec, earlier.time.Nsec = r.Int(), int32(r.Uint())
	record := r.Text()
	a := &Arrival{}
	if err := r.Err(); err != nil {
		return nil, err
	}
	if record != "" {
		var err error
		if a, err = readArrival([]byte(record)); err != nil {
			return nil, err
		}
	}
	a.clock, a.earlier = clock, earlier
	if !d.knows(a) {
		return nil, fmt.Errorf("%w: it is of other rules", sequence.ErrSnapshot)
	}
	return a, nil
}

// knows tells whether the rules an arrival names are there.
func (d *Detector) knows(a *Arrival) bool {
	if a.clock < 0 || a.clock >= len(d.clocks) {
		return false
	}
	for _, h := range a.hits {
		if h.rule < 0 || int(h.rule) >= len(d.rules) || d.rules[h.rule].plan == nil {
			return false
		}
	}
	return true
}

// Bounded tells whether the Stream needs to know how far time has come also where
// no event took part.
func (s *Stream) Bounded() bool { return s.opt.Lateness >= 0 }

// News tells whether an arrival is only the news how far time has come.
func (a *Arrival) News() bool { return a.record == nil }
