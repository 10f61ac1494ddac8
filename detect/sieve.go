package detect

// The sieve keeps sightings until the end of the input, and then shows the trackers
// those events that can be part of a match.

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/shrike-project/shrike/event"
)

type sieve struct {
	d        *Detector
	opt      StreamOptions
	sleepers *Sleepers // nil: no rule slept
	batches  []sighted
	items    map[int32]uint // by condition: how many events hit it
	memory   int            // bytes of logs that are not spilled
	run      Run            // the spilled logs, one after another; nil: none
	spilled  int
}

// sighted is a batch with sightings.
type sighted struct {
	again   func(event.Extent) ([]byte, error)
	log     []byte // nil if it is spilled
	size    int
	hit     conditionsHit
	periods []period
}

// logShare is which part of the memory for an unlimited input logs may take before they
// are spilled. They are written and read in one go each, so that little suffices.
const logShare = 16

func (v *sieve) add(s *Sightings) error {
	if len(s.log) == 0 {
		return nil
	}
	if v.items == nil {
		v.items = map[int32]uint{}
	}
	for i, c := range s.hit.list {
		v.items[c] += uint(s.events[i])
	}
	v.sleepers = s.sleepers
	return v.keep(sighted{s.Again, s.log, len(s.log), s.hit, s.periods})
}

// keep keeps a batch, and spills logs if they have become too large.
func (v *sieve) keep(b sighted) error {
	v.batches = append(v.batches, b)
	v.memory += b.size
	limit := v.opt.MemoryBytes
	if limit <= 0 {
		limit = DefaultMemoryBytes
	}
	if v.memory < limit/logShare || v.opt.Spill == nil {
		return nil
	}
	return v.spill()
}

func (v *sieve) spill() error {
	if v.run == nil {
		run, err := v.opt.Spill.Create()
		if err != nil {
			return fmt.Errorf("create a run of sightings: %w", err)
		}
		v.run = run
	}
	for i := range v.batches {
		b := &v.batches[i]
		if b.log == nil {
			continue
		}
		if _, err := v.run.Write(b.log); err != nil {
			return fmt.Errorf("write a run of sightings: %w", err)
		}
		b.log = nil
	}
	v.memory = 0
	v.spilled++
	return nil
}

// each calls visit for the log of every batch.
func (v *sieve) each(visit func(b *sighted, r *sightingReader) error) error {
	var in io.Reader
	if v.run != nil {
		var err error
		if in, err = v.run.Rewind(); err != nil {
			return fmt.Errorf("read a run of sightings: %w", err)
		}
	}
	var buf []byte
	var r sightingReader
	for i := range v.batches {
		b := &v.batches[i]
		r.log = b.log
		if b.log == nil {
			buf = slices.Grow(buf[:0], b.size)[:b.size]
			if _, err := io.ReadFull(in, buf); err != nil {
				return fmt.Errorf("read a run of sightings: %w", err)
			}
			r.log = buf
		}
		if err := visit(b, &r); err != nil {
			return err
		}
	}
	return nil
}

// finish calls observe with the arrivals of the events that can be part of a match.
func (v *sieve) finish(observe func(*Arrival) error) error {
	defer v.close()
	found := v.possible()
	if len(found.byCondition) == 0 {
		return nil
	}
	if err := v.wake(found); err != nil {
		return err
	}
	if err := v.survey(found); err != nil {
		return err
	}
	dec, m := v.d.NewDecoder(), v.d.NewMatcher()
	var ev event.Event
	var hits Hits
	return v.each(func(b *sighted, r *sightingReader) error {
		for r.next() {
			if !found.wants(r) {
				continue
			}
			doc, err := b.again(r.at)
			if err == nil {
				err = decodeAgain(dec, doc, &ev)
			}
			if err != nil {
				return fmt.Errorf("read an event again: %w", err)
			}
			m.Match(&ev, &hits)
			m.Arrivals(&ev, &hits, func(a *Arrival) {
				if a.keep(found); err == nil && len(a.hits) > 0 {
					err = observe(a)
				} else {
					a.done()
				}
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// decodeAgain decodes a document that was decoded before.
func decodeAgain(dec *event.Decoder, doc []byte, ev *event.Event) error {
	err := dec.Decode(doc, ev)
	var e *event.Error
	if errors.As(err, &e) && e.Reason == event.TrailingData {
		return nil
	}
	return err
}

func (v *sieve) close() {
	if v.run != nil {
		_ = v.run.Close()
		v.run = nil
	}
	v.batches = nil
}

// finds are the keys under which rules may find a match.
type finds struct {
	byCondition map[int32]*find // of the items of rules that may
	rules       map[int]*find
}

// find is what is known of one rule.
type find struct {
	needed map[int32]uint64  // by condition: the item's bit
	rarest int32             // the condition that the fewest events hit
	every  uint64            // the bits of all needed items
	keys   map[uint64]uint64 // by hash of a key: the needed items that were hit
	// full tells that there are too many keys to tell them apart: all may match.
	full bool
}

// maxFound bounds the keys that are remembered of a rule.
const maxFound = 2_000_000

// possible gives the rules all of whose needed items were hit.
func (v *sieve) possible() *finds {
	out := &finds{byCondition: map[int32]*find{}, rules: map[int]*find{}}
	for i, c := range v.d.rules {
		if c.plan == nil {
			continue
		}
		f := &find{needed: map[int32]uint64{}, keys: map[uint64]uint64{}}
		for bit, item := range c.plan.Needed() {
			n := c.first + int32(item)
			if v.items[n] == 0 {
				f = nil
				break
			}
			if bit == 0 || v.items[n] < v.items[f.rarest] {
				f.rarest = n
			}
			f.needed[n] |= 1 << min(bit, 63)
			f.every |= 1 << min(bit, 63)
		}
		if f == nil {
			continue
		}
		out.rules[i] = f
		for item := range c.conditions {
			out.byCondition[c.first+int32(item)] = f
		}
	}
	return out
}

// survey finds out under which keys all needed items were hit: first those of the
// rarest item of each rule, then which of them the other items have too.
func (v *sieve) survey(found *finds) error {
	note := func(rarest bool) error {
		return v.each(func(_ *sighted, r *sightingReader) error {
			for r.next() {
				r.each(func(condition int32, hashes []uint64) { found.note(condition, hashes, rarest) })
			}
			return nil
		})
	}
	if err := note(true); err != nil {
		return err
	}
	return note(false)
}

func (f *finds) note(condition int32, hashes []uint64, rarest bool) {
	fi := f.byCondition[condition]
	if fi == nil || fi.full || (condition == fi.rarest) != rarest {
		return
	}
	bit := fi.needed[condition]
	if bit == 0 {
		return // an item that may be missing
	}
	for _, h := range hashes {
		if bits, ok := fi.keys[h]; ok || rarest {
			fi.keys[h] = bits | bit
		}
	}
	if len(fi.keys) > maxFound {
		fi.full, fi.keys = true, nil
	}
}

// has reports whether a match is possible under one of some keys.
func (f *find) has(hashes []uint64) bool {
	if f.full {
		return true
	}
	for _, h := range hashes {
		if f.keys[h] == f.every {
			return true
		}
	}
	return false
}

// wants reports whether an event can be part of a match.
func (f *finds) wants(r *sightingReader) bool {
	wanted := false
	r.each(func(condition int32, hashes []uint64) {
		if fi := f.byCondition[condition]; fi != nil && !wanted {
			wanted = fi.has(hashes)
		}
	})
	return wanted
}

// keep leaves of an arrival what it hits of the rules that may find a match.
func (a *Arrival) keep(found *finds) {
	a.hits = slices.DeleteFunc(a.hits, func(h itemHit) bool { return found.rules[int(h.rule)] == nil })
}
