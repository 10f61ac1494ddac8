package detect

// Sightings: which events of an input that ends hit which items of sequences and
// samples, and under which keys.
//
// Most events that hit an item of a sequence never become part of a match, for no
// event hits its other items under the same key. In an input that ends, this is
// known at the end. So workers only note where an event stands in the input and,
// for each item it hits, hashes of its keys; at the end the sieve finds the keys
// under which every needed item was hit, and only those events are read again and
// shown to the trackers.

import (
	"encoding/binary"

	"github.com/shrike-project/shrike/event"
)

// Sightings are those of a batch of events. They own their memory.
type Sightings struct {
	// Again reads a document of the batch again. The bytes hold until the next call.
	Again func(at event.Extent) ([]byte, error)

	log     []byte         // see Matcher.Sight
	items   map[int32]uint // by condition: how many events hit it
	untimed uint64
}

// Sight notes what the event that was matched last hits of rules that need several
// events. At is where its document stands in its batch.
func (m *Matcher) Sight(ev *event.Event, h *Hits, at event.Extent) {
	d, s := m.d, &m.sightings
	list := m.sights[:0]
	untimed := false
	for _, hit := range h.list {
		c := d.rules[hit.rule]
		if c.plan == nil {
			continue
		}
		from := len(m.hashes)
		if m.hashes, m.scratch = c.plan.KeyHashes(ev, int(hit.item), d.seed, m.hashes, m.scratch); len(m.hashes) == from {
			continue // a join key is missing
		}
		if _, timed := d.clocks[c.clock].time(ev); !timed && !c.plan.IsSample() {
			untimed = true
			m.hashes = m.hashes[:from]
			continue
		}
		list = append(list, sight{c.first + hit.item, len(m.hashes) - from})
	}
	if untimed {
		s.untimed++
	}
	m.sights = list
	if len(list) > 0 {
		s.add(at, list, m.hashes)
	}
	m.hashes = m.hashes[:0]
}

// sight is an item that an event hits, by the number of its condition, and how many
// keys the event has for it.
type sight struct {
	condition int32
	keys      int
}

// add writes an event to the log: its extent, the number of its sights, and of each
// the condition and the hashes of its keys.
func (s *Sightings) add(at event.Extent, list []sight, hashes []uint64) {
	if s.items == nil {
		s.items = map[int32]uint{}
	}
	s.log = binary.AppendUvarint(s.log, uint64(at.Start))
	s.log = binary.AppendUvarint(s.log, uint64(at.End-at.Start))
	s.log = binary.AppendUvarint(s.log, uint64(len(list)))
	for _, si := range list {
		s.items[si.condition]++
		s.log = binary.AppendUvarint(s.log, uint64(si.condition))
		s.log = binary.AppendUvarint(s.log, uint64(si.keys))
		for _, h := range hashes[:si.keys] {
			s.log = binary.LittleEndian.AppendUint64(s.log, h)
		}
		hashes = hashes[si.keys:]
	}
}

// Sightings gives those since the last call; nil if there are none.
func (m *Matcher) Sightings() *Sightings {
	s := m.sightings
	m.sightings = Sightings{}
	if len(s.log) == 0 && s.untimed == 0 {
		return nil
	}
	m.sightings.log = make([]byte, 0, len(s.log)+len(s.log)/8)
	return &s
}

// sightingReader reads a log.
type sightingReader struct {
	log    []byte
	at     event.Extent
	sights []sight
	hashes []uint64
}

// next reads an event. It reports false at the end of the log.
func (r *sightingReader) next() bool {
	if len(r.log) == 0 {
		return false
	}
	r.at.Start = int(r.uvarint())
	r.at.End = r.at.Start + int(r.uvarint())
	r.sights, r.hashes = r.sights[:0], r.hashes[:0]
	for n := r.uvarint(); n > 0; n-- {
		si := sight{condition: int32(r.uvarint()), keys: int(r.uvarint())}
		r.sights = append(r.sights, si)
		for range si.keys {
			r.hashes = append(r.hashes, binary.LittleEndian.Uint64(r.log))
			r.log = r.log[8:]
		}
	}
	return true
}

func (r *sightingReader) uvarint() uint64 {
	n, size := binary.Uvarint(r.log)
	r.log = r.log[size:]
	return n
}

// each calls visit for every sight of the event with the hashes of its keys.
func (r *sightingReader) each(visit func(condition int32, hashes []uint64)) {
	hashes := r.hashes
	for _, si := range r.sights {
		visit(si.condition, hashes[:si.keys])
		hashes = hashes[si.keys:]
	}
}
