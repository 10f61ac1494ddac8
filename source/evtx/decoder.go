package evtx

import (
	"encoding/binary"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/windows"
)

const (
	maxFragments = 12      // how deep values that are XML lie in each other
	maxText      = 1 << 20 // bytes of text of one record
	maxSteps     = 1 << 20 // of all records of a chunk
	maxItems     = 1 << 16 // of one record
	bytesAStep   = 4       // of XML to compile
)

// Decoder decodes chunks. It belongs to one goroutine.
type Decoder struct {
	// Report, if set, takes each record that is there and cannot be read.
	Report func(Loss)
	// LeftOver makes it hand over records, too, that were there before a log was cleared or
	// went round, as far as they were not written over. They are marked.
	LeftOver bool

	stats     Stats
	templates templates

	// Of the record being read:
	chunk  []byte
	rec    windows.Record
	arena  []byte  // its texts
	values []value // of the templates it is made of, the outer ones first
	places int     // elements below EventData so far
	depth  int     // of XML in values
	steps  int     // left for the chunk
}

// NewDecoder makes a Decoder that knows no template yet.
func NewDecoder() *Decoder {
	return &Decoder{arena: make([]byte, 0, ChunkBytes)}
}

// Stats gives what was read so far.
func (d *Decoder) Stats() Stats { return d.stats }

// Decode calls each for the records of a chunk, in their order. A record is valid
// until each returns. An error of each ends the chunk and is returned as it is;
// nothing else is an error: damage is counted.
func (d *Decoder) Decode(c Chunk, each func(*windows.Record) error) error {
	if holdsNothing(c.Bytes) {
		d.countNothing(c)
		return nil
	}
	d.stats.Chunks++
	d.chunk, d.steps = c.Bytes, maxSteps
	d.templates.nextChunk()
	header := readChunkHeader(c.Bytes)
	if !header.intact {
		d.stats.Damaged++
	}
	f := finder{b: c.Bytes, header: header, pos: chunkHeaderBytes}
	found := int64(0)
	for {
		raw, ok := f.find()
		if !ok {
			break
		}
		found++
		if why := d.record(raw); why != readable {
			d.lose(Loss{RecordID: raw.id, Offset: c.Offset + int64(raw.pos), Reason: why})
			continue
		}
		d.stats.Records++
		if !header.intact {
			d.stats.Recovered++
		}
		if err := each(&d.rec); err != nil {
			return err
		}
	}
	d.countMissing(c, header, found, f.gaps)
	if !d.LeftOver {
		return nil
	}
	behind := f.pos
	if header.sound {
		behind = max(behind, header.end)
	}
	return d.leftOver(c, behind, each)
}

// countNothing counts a chunk that shows nothing. Logs grow by several chunks at a
// time, and what lies in the new ones is chance; but some were in use.
func (d *Decoder) countNothing(c Chunk) {
	if !c.Claimed && c.Expected == 0 {
		d.stats.Empty++
		return
	}
	d.stats.Chunks++
	d.stats.Damaged++
	d.stats.Lost[Missing] += int64(c.Expected)
}

func (d *Decoder) countMissing(c Chunk, header chunkHeader, found, gaps int64) {
	missing := max(gaps, int64(c.Expected)-found)
	if header.sound {
		missing = max(header.count-found, 0)
	}
	if len(c.Bytes) < ChunkBytes {
		d.stats.Lost[Cut] += missing
		return
	}
	d.stats.Lost[Missing] += missing
}

func (d *Decoder) lose(l Loss) {
	d.stats.Lost[l.Reason]++
	if d.Report != nil {
		d.Report(l)
	}
}

// record reads one record into d.rec.
func (d *Decoder) record(raw rawRecord) Reason {
	d.rec.Reset()
	d.arena, d.values, d.places, d.depth = d.arena[:0], d.values[:0], 0, 0
	d.rec.RecordID = raw.id
	d.setTime(raw.time)
	return d.fragment(raw.pos+recordHeaderBytes, raw.end-4, place{}, false)
}

func (d *Decoder) setTime(v uint64) {
	if v == 0 {
		return
	}
	sec, nsec := fileTime(v)
	d.rec.Time, d.rec.Timed = event.Time{Sec: sec, Nsec: nsec}, true
}

// fragment reads binary XML that lies in a place of the record: mostly a template
// with values.
func (d *Decoder) fragment(pos, end int, at place, bare bool) Reason {
	if d.depth == maxFragments {
		return TooDeep
	}
	r := reader{b: d.chunk, pos: pos, end: end}
	r.skipProlog()
	if r.peek() != tokenTemplate {
		return d.writtenOut(r.pos, end, at, bare)
	}
	r.take(2) // token and version
	id, offset := r.u32(), r.u32()
	if r.bad != readable {
		return r.bad
	}
	if !d.templates.isAt(d.chunk, offset, id) {
		return BadTemplate
	}
	prog, why := d.templates.find(d.chunk, offset, at, &d.steps)
	if why != readable {
		return why
	}
	if int64(offset) == int64(r.pos) { // used for the first time, so it stands here
		r.take(templateHeaderBytes - 4)
		r.take(int(r.u32()))
	}
	first := len(d.values)
	if why := d.readValues(&r); why != readable {
		return why
	}
	d.depth++
	why = d.run(prog, first)
	d.depth--
	d.values = d.values[:first]
	return why
}

// writtenOut reads XML that is no template.
func (d *Decoder) writtenOut(pos, end int, at place, bare bool) Reason {
	if d.steps -= (end - pos) / bytesAStep; d.steps < 0 {
		return TooMuch
	}
	prog, names, why := compile(d.chunk, pos, end, at, bare)
	if why != readable {
		return why
	}
	if d.templates.overwritten(d.chunk, pos, names) {
		return BadXML
	}
	d.depth++
	why = d.run(&prog, len(d.values))
	d.depth--
	return why
}

// readValues appends the values of a template to d.values: their number, the size
// and type of each, then their bytes.
func (d *Decoder) readValues(r *reader) Reason {
	count := int(r.u32())
	sizes := r.take(4 * min(count, ChunkBytes))
	if r.bad != readable {
		return BadValues
	}
	pos := r.pos
	for ; len(sizes) >= 4; sizes = sizes[4:] {
		size := binary.LittleEndian.Uint16(sizes)
		d.values = append(d.values, value{pos: uint32(pos), size: size, typ: valueType(sizes[2])})
		pos += int(size)
	}
	if pos > r.end {
		return BadValues
	}
	return readable
}
