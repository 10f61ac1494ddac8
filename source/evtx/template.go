package evtx

// Templates: programs kept under what they were made of.

import (
	"bytes"
	"encoding/binary"
)

const (
	templateHeaderBytes = 24      // offset of the next one, GUID, size
	maxTemplateBytes    = 8 << 20 // kept; then all are forgotten
	maxLayouts          = 32      // kept of one template
	slots               = 256
)

// templates finds the program of a template. Within a chunk the offset says which
// template it is; across chunks, its content.
type templates struct {
	slots     [slots]slot
	chunk     uint32 // number of the chunk being read, to tell old slots
	byContent map[templateKey][]*template
	bytes     int
	// floor is where what can be relied on begins, if not everything can: see leftOver.
	floor int
}

// slot remembers what an offset of one chunk led to.
type slot struct {
	chunk  uint32
	offset uint32
	at     place
	prog   *program
	bad    Reason
}

type templateKey struct {
	guid [16]byte
	at   place
}

// template is one layout of a template, compiled.
type template struct {
	xml   []byte
	names []nameUse
	prog  program
}

// nextChunk forgets offsets.
func (t *templates) nextChunk() {
	if t.chunk++; t.chunk == 0 {
		t.slots, t.chunk = [slots]slot{}, 1
	}
}

// find gives the program of the template at an offset of the chunk. Looking at one
// for the first time in a chunk takes steps.
func (t *templates) find(chunk []byte, offset uint32, at place, steps *int) (*program, Reason) {
	s := &t.slots[(offset^offset>>8^uint32(at.kind)<<4)%slots]
	if s.chunk == t.chunk && s.offset == offset && s.at == at {
		return s.prog, s.bad
	}
	*s = slot{chunk: t.chunk, offset: offset, at: at}
	s.prog, s.bad = t.lookUp(chunk, offset, at, steps)
	return s.prog, s.bad
}

func (t *templates) lookUp(chunk []byte, offset uint32, at place, steps *int) (*program, Reason) {
	if offset < chunkHeaderBytes || int64(offset)+templateHeaderBytes > int64(len(chunk)) {
		return nil, BadTemplate
	}
	start := int(offset) + templateHeaderBytes
	size := binary.LittleEndian.Uint32(chunk[start-4:])
	if int64(size) > int64(len(chunk)-start) {
		return nil, BadTemplate
	}
	if *steps -= int(size) / bytesAStep; *steps < 0 {
		return nil, TooMuch
	}
	end := start + int(size)
	key := templateKey{guid: [16]byte(chunk[offset+4:]), at: at}
	for _, known := range t.byContent[key] {
		if known.is(chunk, start, end) {
			return &known.prog, readable
		}
	}
	prog, names, bad := compile(chunk, start, end, at, false)
	if bad == readable && t.overwritten(chunk, start, names) {
		bad = BadTemplate
	}
	switch bad {
	case readable:
		return t.keep(key, chunk[start:end], names, prog), readable
	case TooDeep, TooMuch:
		return nil, bad
	}
	return nil, BadTemplate
}

func (t *templates) keep(key templateKey, xml []byte, names []nameUse, prog program) *program {
	known := &template{xml: bytes.Clone(xml), names: names, prog: prog}
	size := 4 * len(xml)
	for i := range names {
		names[i].utf16 = bytes.Clone(names[i].utf16)
		size += 2 * len(names[i].utf16)
	}
	if t.bytes += size; t.bytes > maxTemplateBytes || t.byContent == nil {
		t.byContent, t.bytes = map[templateKey][]*template{}, size
	}
	layouts := t.byContent[key]
	if len(layouts) == maxLayouts {
		layouts = layouts[1:]
	}
	t.byContent[key] = append(layouts, known)
	return &known.prog
}

// is reports whether chunk[start:end] says the same. The bytes agree but for what
// only tells where the chunk keeps its names; the names themselves agree.
func (t *template) is(chunk []byte, start, end int) bool {
	if end-start != len(t.xml) {
		return false
	}
	from := 0
	for i := range t.names {
		n := &t.names[i]
		if !bytes.Equal(t.xml[from:n.pos], chunk[start+from:start+n.pos]) {
			return false
		}
		offset, after := int64(binary.LittleEndian.Uint32(chunk[start+n.pos:])), int64(start+n.pos+4)
		if (offset == after) != n.inline {
			return false
		}
		from = n.pos + 4
		if n.inline {
			from += 4 // the next name of its hash
			continue
		}
		if utf16, ok := nameAt(chunk, offset); !ok || !bytes.Equal(utf16, n.utf16) {
			return false
		}
	}
	return bytes.Equal(t.xml[from:], chunk[start+from:end])
}
