package evtx_test

// A small writer of logs, so that the package's tests need no recorded ones.

import (
	"encoding/binary"
	"hash/crc32"
	"unicode/utf16"

	"github.com/shrike-project/shrike/source/evtx"
)

var le = binary.LittleEndian

// node is an element. Its kids are nodes, texts (string), cdata, charRef, entity
// and substitutions (sub, opt).
type node struct {
	name  string
	attrs []attr
	kids  []any
}

type attr struct {
	name  string
	value any // like a kid
}

type (
	cdata   string
	charRef uint16
	entity  string
	sub     uint16
	opt     uint16
)

func el(name string, kids ...any) node { return node{name: name, kids: kids} }

func (n node) with(name string, value any) node {
	n.attrs = append(append([]attr{}, n.attrs...), attr{name, value})
	return n
}

// val is a substitution value: bytes, or what writes them into the chunk.
type val struct {
	typ   byte
	data  []byte
	write func(*chunkWriter)
}

// templateDef is a template; two with one GUID may differ.
type templateDef struct {
	guid byte
	root node
}

// chunkWriter writes one chunk.
type chunkWriter struct {
	b         []byte
	names     map[string]int
	templates map[*templateDef]int
	firstID   uint64
	count     uint64
	lastPos   int
}

func newChunk(firstID uint64) *chunkWriter {
	return &chunkWriter{b: make([]byte, 0x200), names: map[string]int{}, templates: map[*templateDef]int{}, firstID: firstID}
}

func (w *chunkWriter) bytes(b ...byte) { w.b = append(w.b, b...) }
func (w *chunkWriter) u16(v uint16)    { w.b = le.AppendUint16(w.b, v) }
func (w *chunkWriter) u32(v uint32)    { w.b = le.AppendUint32(w.b, v) }
func (w *chunkWriter) u64(v uint64)    { w.b = le.AppendUint64(w.b, v) }

func utf16le(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = le.AppendUint16(b, u)
	}
	return b
}

func (w *chunkWriter) counted(s string) {
	b := utf16le(s)
	w.u16(uint16(len(b) / 2))
	w.bytes(b...)
}

// name refers to a name, and writes it where it is used for the first time.
func (w *chunkWriter) name(s string) {
	if pos, ok := w.names[s]; ok {
		w.u32(uint32(pos))
		return
	}
	pos := len(w.b) + 4
	w.names[s] = pos
	w.u32(uint32(pos))
	w.u32(0) // next
	w.u16(0) // hash, which nobody needs
	w.counted(s)
	w.u16(0)
}

// sized writes a 32-bit size and what it is the size of.
func (w *chunkWriter) sized(write func()) {
	at := len(w.b)
	w.u32(0)
	write()
	le.PutUint32(w.b[at:], uint32(len(w.b)-at-4))
}

func (w *chunkWriter) node(n node, bare bool) {
	token := byte(0x01)
	if len(n.attrs) > 0 {
		token = 0x41
	}
	w.bytes(token)
	if !bare {
		w.u16(0xffff)
	}
	w.sized(func() {
		w.name(n.name)
		if len(n.attrs) > 0 {
			w.sized(func() {
				for i, a := range n.attrs {
					more := byte(0x40)
					if i == len(n.attrs)-1 {
						more = 0
					}
					w.bytes(0x06 | more)
					w.name(a.name)
					w.kid(a.value, bare)
				}
			})
		}
		if len(n.kids) == 0 {
			w.bytes(0x03)
			return
		}
		w.bytes(0x02)
		for _, k := range n.kids {
			w.kid(k, bare)
		}
		w.bytes(0x04)
	})
}

func (w *chunkWriter) kid(k any, bare bool) {
	switch k := k.(type) {
	case node:
		w.node(k, bare)
	case string:
		w.bytes(0x05, 0x01)
		w.counted(k)
	case cdata:
		w.bytes(0x07)
		w.counted(string(k))
	case charRef:
		w.bytes(0x08)
		w.u16(uint16(k))
	case entity:
		w.bytes(0x09)
		w.name(string(k))
	case sub:
		w.bytes(0x0d)
		w.u16(uint16(k))
		w.bytes(0x01)
	case opt:
		w.bytes(0x0e)
		w.u16(uint16(k))
		w.bytes(0x01)
	default:
		panic("not a kid")
	}
}

// fragment writes XML that is no template.
func (w *chunkWriter) fragment(n node, bare bool) {
	w.bytes(0x0f, 1, 1, 0)
	w.node(n, bare)
	w.bytes(0)
}

// instance writes a template with values.
func (w *chunkWriter) instance(def *templateDef, vals ...val) {
	w.bytes(0x0f, 1, 1, 0, 0x0c, 1)
	w.u32(uint32(def.guid))
	if pos, ok := w.templates[def]; ok {
		w.u32(uint32(pos))
	} else {
		w.templates[def] = len(w.b) + 4
		w.u32(uint32(len(w.b) + 4))
		w.u32(0) // next
		w.bytes(append([]byte{def.guid}, make([]byte, 15)...)...)
		w.sized(func() { w.fragment(def.root, false) })
	}
	w.u32(uint32(len(vals)))
	sizes := len(w.b)
	for _, v := range vals {
		w.bytes(0, 0, v.typ, 0)
	}
	for i, v := range vals {
		start := len(w.b)
		w.bytes(v.data...)
		if v.write != nil {
			v.write(w)
		}
		le.PutUint16(w.b[sizes+4*i:], uint16(len(w.b)-start))
	}
}

// record writes a record with the next number.
func (w *chunkWriter) record(write func(*chunkWriter)) {
	for len(w.b)%8 != 0 {
		w.bytes(0)
	}
	pos := len(w.b)
	w.lastPos = pos
	w.bytes(0x2a, 0x2a, 0, 0)
	w.u32(0)
	w.u64(w.firstID + w.count)
	w.u64(fileTime2024 + w.count*1e7)
	write(w)
	for (len(w.b)+4)%8 != 0 {
		w.bytes(0)
	}
	size := uint32(len(w.b) + 4 - pos)
	w.u32(size)
	le.PutUint32(w.b[pos+4:], size)
	w.count++
}

// fileTime2024 is 2024-01-01T00:00:00Z.
const fileTime2024 = 133485408000000000

// seal completes the chunk. What follows its end is kept.
func (w *chunkWriter) seal(leftOver []byte) []byte {
	end := len(w.b)
	b := make([]byte, evtx.ChunkBytes)
	copy(b, w.b)
	copy(b[end:], leftOver)
	copy(b, "ElfChnk\x00")
	le.PutUint64(b[8:], w.firstID)
	le.PutUint64(b[16:], w.firstID+w.count-1)
	le.PutUint64(b[24:], w.firstID)
	le.PutUint64(b[32:], w.firstID+w.count-1)
	le.PutUint32(b[40:], 128)
	le.PutUint32(b[44:], uint32(w.lastPos))
	le.PutUint32(b[48:], uint32(end))
	le.PutUint32(b[52:], crc32.ChecksumIEEE(b[0x200:end]))
	sealHeader(b)
	return b
}

func sealHeader(chunk []byte) {
	le.PutUint32(chunk[124:], crc32.Update(crc32.ChecksumIEEE(chunk[:120]), crc32.IEEETable, chunk[128:0x200]))
}

// logOf makes a file of chunks.
func logOf(chunks ...[]byte) []byte {
	b := make([]byte, 4096)
	copy(b, "ElfFile\x00")
	le.PutUint64(b[16:], uint64(len(chunks)-1))
	le.PutUint32(b[32:], 128)
	le.PutUint16(b[38:], 3)
	le.PutUint16(b[40:], 4096)
	le.PutUint16(b[42:], uint16(len(chunks)))
	le.PutUint32(b[124:], crc32.ChecksumIEEE(b[:120]))
	for _, c := range chunks {
		b = append(b, c...)
	}
	return b
}
