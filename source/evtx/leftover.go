package evtx

// Left-overs: records of a chunk's former life, before the log was cleared or went
// round. They lie behind the end of its records until others are written over them.

import (
	"bytes"
	"encoding/binary"

	"github.com/shrike-project/shrike/windows"
)

// leftOver calls each for what can be read of the records behind a byte. They share
// templates and names with records that may be overwritten, so that a record is taken
// only where all it is made of lies behind that byte, too, or is known from elsewhere,
// and where it says in two places which record it is.
func (d *Decoder) leftOver(c Chunk, from int, each func(*windows.Record) error) error {
	d.templates.floor = from
	defer func() { d.templates.floor = 0 }()
	for at := min(from, len(c.Bytes)); ; {
		i := bytes.Index(c.Bytes[at:], recordMagic)
		if i < 0 {
			return nil
		}
		at += i
		raw, ok := recordAt(c.Bytes, at, len(c.Bytes))
		if !ok || binary.LittleEndian.Uint32(c.Bytes[raw.end-4:]) != uint32(raw.end-at) {
			at++
			continue
		}
		at = raw.end
		if d.record(raw) != readable || d.rec.RecordID != raw.id || d.rec.Provider == "" || d.rec.Computer == "" {
			d.stats.LeftOverLost++
			continue
		}
		d.stats.LeftOver++
		d.rec.LeftOver = true
		if err := each(&d.rec); err != nil {
			return err
		}
	}
}

// overwritten reports whether a name of XML that begins at start lies where other
// records were written since.
func (t *templates) overwritten(chunk []byte, start int, names []nameUse) bool {
	for i := range names {
		if int64(binary.LittleEndian.Uint32(chunk[start+names[i].pos:])) < int64(t.floor) {
			return true
		}
	}
	return false
}

// isAt reports whether the template at an offset is the one that a record asks for. Of
// records that are no left-overs this is taken for granted.
func (t *templates) isAt(chunk []byte, offset, id uint32) bool {
	return t.floor == 0 || int64(offset)+templateHeaderBytes <= int64(len(chunk)) && binary.LittleEndian.Uint32(chunk[offset+4:]) == id
}
