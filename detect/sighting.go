package detect

// Sightings: which events of an input that ends hit which items of sequences and
// samples, and under which keys.
//
// Most events that hit an item of a sequence never become part of a match, for no
// event hits its other items under the same key. In an input that ends, this is
// known at the end. So workers only note where an event stands in the input and,
// for each item it hits, hashes of its keys; at the end the sieve finds the keys
// under which every needed item was hit, and only those events are read again and
// shown to the trackers. Of rules that sleep, not even keys are noted; see Sleepers.

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"slices"

	"github.com/shrike-project/shrike/event"
)

// Sightings are those of a batch of events. They own their memory.
type Sightings struct {
	// Again reads a document of the batch again. The bytes hold until the next call.
	Again func(at event.Extent) ([]byte, error)

	log      []byte // see sighter.add
	hit      conditionsHit
	events   []uint32 // how many hit each of these conditions
	periods  []period // by clock: when
	sleepers *Sleepers
	untimed  uint64
}

// conditionsHit are conditions that events of a batch hit: first those whose rules were
// awake, and then, behind so many, those whose rules slept.
type conditionsHit struct {
	list  []int32
	awake int
}

func (c conditionsHit) slept() []int32 { return c.list[c.awake:] }

// sighter makes the Sightings of a Matcher.
type sighter struct {
	log      []byte
	untimed  uint64
	counts   []uint32 // by condition
	hit      []int32  // the conditions that counts knows of
	periods  []period // by clock: of the events that hit them
	sleepers *Sleepers
	awake    []bool // by condition, as it was when the batch began; nil: all are
	told     []bool // by condition: the sleepers know that it was hit
	// Of the current event: its keys, and what it hits by set of them.
	keys   eventKeys
	groups []group
	hashes []uint64
}

// group is the keys that an event has for one set of key fields, and the conditions it
// hits whose items are joined by these fields.
type group struct {
	from, to   int // of hashes
	conditions []int32
}

// Sight notes what the event that was matched last hits of rules that need several
// events. At is where its document stands in its batch.
func (m *Matcher) Sight(ev *event.Event, h *Hits, at event.Extent) {
	d, s := m.d, &m.sighter
	s.groups, s.hashes = s.groups[:0], s.hashes[:0]
	s.keys.reset()
	untimed, slept, used := false, false, 0
	for _, n := range h.list {
		hit := &d.items[n]
		if hit.keys == alone {
			continue
		}
		if !s.isAwake(n) && m.now[hit.clock].known {
			s.count(n)
			slept = true
			continue
		}
		g := s.group(ev, d, hit)
		if g.from == g.to {
			continue // a join key is missing
		}
		if !m.now[hit.clock].known && !hit.sample {
			untimed = true
			continue
		}
		if len(g.conditions) == 0 {
			used++
		}
		g.conditions = append(g.conditions, hit.condition)
	}
	if untimed {
		s.untimed++
	}
	if used == 0 && !slept {
		return
	}
	s.add(at, used)
	for clock := range s.periods {
		if now := &m.now[clock]; now.known {
			s.periods[clock].add(now.time)
		}
	}
}

// isAwake reports whether the rule of a condition is.
func (s *sighter) isAwake(condition int32) bool { return s.awake == nil || s.awake[condition] }

// count counts a hit of a condition.
func (s *sighter) count(condition int32) {
	if s.counts[condition] == 0 {
		s.hit = append(s.hit, condition)
	}
	s.counts[condition]++
}

// group gives the group of an item of a rule.
func (s *sighter) group(ev *event.Event, d *Detector, h *hit) *group {
	n := s.keys.of(ev, d, h)
	if n < len(s.groups) {
		return &s.groups[n]
	}
	if n == cap(s.groups) {
		s.groups = append(s.groups, group{})
	}
	s.groups = s.groups[:n+1]
	g := &s.groups[n]
	*g = group{from: len(s.hashes), conditions: g.conditions[:0]}
	for i := s.keys.sets[n].from; i < s.keys.sets[n].to; i++ {
		s.hashes = append(s.hashes, maphash.Bytes(d.seed, s.keys.list.At(i)))
	}
	g.to = len(s.hashes)
	return g
}

// add writes an event to the log: its extent, and of each group that is used the hashes
// and the conditions. One that hits items of rules that sleep has its extent there alone.
func (s *sighter) add(at event.Extent, used int) {
	s.log = binary.AppendUvarint(s.log, uint64(at.Start))
	s.log = binary.AppendUvarint(s.log, uint64(at.End-at.Start))
	s.log = binary.AppendUvarint(s.log, uint64(used))
	for i := range s.groups {
		g := &s.groups[i]
		if len(g.conditions) == 0 {
			continue
		}
		s.log = binary.AppendUvarint(s.log, uint64(g.to-g.from))
		for _, h := range s.hashes[g.from:g.to] {
			s.log = binary.LittleEndian.AppendUint64(s.log, h)
		}
		s.log = binary.AppendUvarint(s.log, uint64(len(g.conditions)))
		for _, c := range g.conditions {
			s.log = binary.AppendUvarint(s.log, uint64(c))
			s.count(c)
		}
	}
}

// LetSleep has rules sleep while events are sighted; see Sleepers.
func (m *Matcher) LetSleep(sleepers *Sleepers) {
	m.sighter.sleepers, m.sighter.awake = sleepers, *sleepers.awake.Load()
	m.sighter.told = make([]bool, len(m.d.items))
	sleepers.mu.Lock()
	defer sleepers.mu.Unlock()
	sleepers.matchers = append(sleepers.matchers, m)
}

// Sightings gives those since the last call; nil if there are none.
func (m *Matcher) Sightings() *Sightings {
	s := &m.sighter
	if len(s.log) == 0 && s.untimed == 0 {
		return nil
	}
	out := &Sightings{log: bytes.Clone(s.log), untimed: s.untimed, periods: slices.Clone(s.periods), sleepers: s.sleepers}
	for _, awake := range [2]bool{true, false} {
		for _, c := range s.hit {
			if s.isAwake(c) != awake {
				continue
			}
			out.hit.list, out.events = append(out.hit.list, c), append(out.events, s.counts[c])
			s.counts[c] = 0
		}
		if awake {
			out.hit.awake = len(out.hit.list)
		}
	}
	s.tell()
	clear(s.periods)
	s.log, s.hit, s.untimed = s.log[:0], s.hit[:0], 0
	return out
}

// tell tells the sleepers which conditions were hit for the first time, and learns which
// rules woke.
func (s *sighter) tell() {
	if s.sleepers == nil {
		return
	}
	var first []int32
	for _, c := range s.hit {
		if !s.told[c] {
			s.told[c] = true
			first = append(first, c)
		}
	}
	if first != nil {
		s.sleepers.seen(first)
	}
	s.awake = *s.sleepers.awake.Load()
}

// sightingReader reads a log.
type sightingReader struct {
	log        []byte
	at         event.Extent
	groups     []group
	hashes     []uint64
	conditions []int32
}

// next reads an event. It reports false at the end of the log.
func (r *sightingReader) next() bool {
	if len(r.log) == 0 {
		return false
	}
	r.at.Start = int(r.uvarint())
	r.at.End = r.at.Start + int(r.uvarint())
	r.groups, r.hashes, r.conditions = r.groups[:0], r.hashes[:0], r.conditions[:0]
	for n := r.uvarint(); n > 0; n-- {
		g := group{from: len(r.hashes)}
		for range r.uvarint() {
			r.hashes = append(r.hashes, binary.LittleEndian.Uint64(r.log))
			r.log = r.log[8:]
		}
		g.to = len(r.hashes)
		from := len(r.conditions)
		for range r.uvarint() {
			r.conditions = append(r.conditions, int32(r.uvarint()))
		}
		g.conditions = r.conditions[from:]
		r.groups = append(r.groups, g)
	}
	return true
}

func (r *sightingReader) uvarint() uint64 {
	n, size := binary.Uvarint(r.log)
	r.log = r.log[size:]
	return n
}

// each calls visit for every condition the event hits with the hashes of its keys.
func (r *sightingReader) each(visit func(condition int32, hashes []uint64)) {
	for i := range r.groups {
		g := &r.groups[i]
		for _, c := range g.conditions {
			visit(c, r.hashes[g.from:g.to])
		}
	}
}
