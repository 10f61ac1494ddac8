package evtx

// Chunks: which bytes of a chunk are records.

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

const (
	chunkHeaderBytes  = 0x200
	recordHeaderBytes = 24
	minRecordBytes    = recordHeaderBytes + 4 // the size is repeated at the end
)

var recordMagic = []byte{0x2a, 0x2a, 0, 0}

// chunkHeader is what a chunk says about itself, as far as it can be believed.
type chunkHeader struct {
	sound  bool // the header's own checksum holds
	intact bool // that of the records, too
	end    int  // behind the last record; the end of the chunk if that cannot be believed
	count  int64
}

func readChunkHeader(b []byte) chunkHeader {
	if len(b) < chunkHeaderBytes {
		return chunkHeader{end: len(b)}
	}
	sum := crc32.Update(crc32.ChecksumIEEE(b[:0x78]), crc32.IEEETable, b[0x80:chunkHeaderBytes])
	end := binary.LittleEndian.Uint32(b[0x30:])
	if string(b[:8]) != chunkMagic || sum != binary.LittleEndian.Uint32(b[0x7c:]) || end < chunkHeaderBytes || end > ChunkBytes {
		return chunkHeader{end: likelyEnd(b)}
	}
	h := chunkHeader{sound: true, end: min(int(end), len(b))}
	if int(end) == h.end {
		h.intact = crc32.ChecksumIEEE(b[chunkHeaderBytes:end]) == binary.LittleEndian.Uint32(b[0x34:])
	}
	first, last := binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[16:])
	if n := last - first + 1; n <= ChunkBytes/minRecordBytes {
		h.count = int64(n)
	}
	return h
}

// likelyEnd finds the end of the records by a header whose sum does not hold: what
// it says of the last record if that record bears it out, else what it says of the
// end if both go together.
func likelyEnd(b []byte) int {
	last, end := binary.LittleEndian.Uint32(b[0x2c:]), binary.LittleEndian.Uint32(b[0x30:])
	if last < chunkHeaderBytes || last > ChunkBytes {
		return len(b)
	}
	if r, ok := recordAt(b, int(last), len(b)); ok && r.id == binary.LittleEndian.Uint64(b[0x20:]) {
		return r.end
	}
	if end > ChunkBytes || end < last+minRecordBytes {
		return len(b)
	}
	return min(int(end), len(b))
}

// holdsNothing reports whether a chunk shows neither a header nor a record.
func holdsNothing(b []byte) bool {
	return !bytes.HasPrefix(b, []byte(chunkMagic)) && !bytes.Contains(b, recordMagic)
}

// rawRecord is a record's place within its chunk.
type rawRecord struct {
	pos, end int
	id       uint64
	time     uint64
}

// recordAt reads the record that starts at pos and ends before limit.
func recordAt(b []byte, pos, limit int) (rawRecord, bool) {
	if limit-pos < minRecordBytes || !bytes.Equal(b[pos:pos+4], recordMagic) {
		return rawRecord{}, false
	}
	size := binary.LittleEndian.Uint32(b[pos+4:])
	if size < minRecordBytes || int64(size) > int64(limit-pos) {
		return rawRecord{}, false
	}
	r := headerAt(b, pos, pos+int(size))
	if binary.LittleEndian.Uint32(b[r.end-4:]) == size {
		return r, true
	}
	// The repeated size is damaged if what follows starts where this one ends.
	follows := r.end == limit || bytes.HasPrefix(b[r.end:limit], recordMagic)
	return r, follows
}

func headerAt(b []byte, pos, end int) rawRecord {
	return rawRecord{pos: pos, end: end, id: binary.LittleEndian.Uint64(b[pos+8:]), time: binary.LittleEndian.Uint64(b[pos+16:])}
}

// finder goes through the records of a chunk.
type finder struct {
	b       []byte
	header  chunkHeader
	pos     int
	last    rawRecord // the record before, if any
	any     bool
	skipped int   // bytes passed over since then
	gaps    int64 // records that the numbers say lay in what was passed over
	pending bool  // next holds a record found while looking for the end of another
	next    rawRecord
}

// find gives the next record.
func (f *finder) find() (rawRecord, bool) {
	r, ok := f.candidate()
	if ok && f.any && !f.header.sound {
		r.id, ok = f.goesOn(r)
	}
	if !ok {
		return rawRecord{}, false
	}
	if f.any && f.skipped > 0 && r.id > f.last.id {
		f.gaps += int64(r.id - f.last.id - 1)
	}
	f.last, f.any, f.skipped = r, true, 0
	f.pos = r.end
	return r, true
}

func (f *finder) candidate() (rawRecord, bool) {
	if f.pending {
		f.pending = false
		return f.next, true
	}
	if f.pos < f.header.end {
		if r, ok := recordAt(f.b, f.pos, f.header.end); ok {
			return r, true
		}
		if r, ok := f.resync(); ok || f.header.sound {
			return r, ok
		}
	}
	return f.beyond()
}

// beyond looks for records behind the end that the header names: it is written
// later than they are. Left-overs lie there as well, which have other numbers.
func (f *finder) beyond() (rawRecord, bool) {
	if f.header.intact || !f.any || f.skipped > 0 {
		return rawRecord{}, false
	}
	r, ok := recordAt(f.b, f.pos, len(f.b))
	return r, ok && r.id == f.last.id+1 && r.time >= f.last.time
}

// resync passes over bytes that are no record. A record with a damaged size is
// known by the next one, before which its size is repeated.
func (f *finder) resync() (rawRecord, bool) {
	start, end := f.pos, f.header.end
	headed := end-start >= minRecordBytes && bytes.Equal(f.b[start:start+4], recordMagic)
	for at := start + 1; at < end; at++ {
		i := bytes.Index(f.b[at:end], recordMagic)
		if i < 0 {
			break
		}
		at += i
		r, ok := recordAt(f.b, at, end)
		if !ok {
			continue
		}
		size := at - start
		if headed && size >= minRecordBytes && binary.LittleEndian.Uint32(f.b[at-4:]) == uint32(size) {
			f.pending, f.next = true, r
			return headerAt(f.b, start, at), true
		}
		f.skipped += size
		return r, true
	}
	return rawRecord{}, false
}

// goesOn tells the records of a chunk whose end is not known from left-overs: their
// numbers go up by one, or by as many as fit into the bytes passed over. It gives
// the number, which may itself be damaged and stand between two that go on.
func (f *finder) goesOn(r rawRecord) (id uint64, ok bool) {
	if r.id > f.last.id && r.id-f.last.id <= 1+uint64(f.skipped/minRecordBytes) {
		return r.id, true
	}
	after, ok := recordAt(f.b, r.end, f.header.end)
	return f.last.id + 1, ok && f.skipped == 0 && after.id == f.last.id+2
}
