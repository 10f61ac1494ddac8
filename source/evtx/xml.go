package evtx

// Tokens: reading binary XML byte by byte.

import "encoding/binary"

// token is the first byte of each piece of binary XML, without the bit that says
// that more of the same follows.
type token uint8

const (
	tokenEnd          token = 0x00
	tokenOpen         token = 0x01 // "<name"
	tokenCloseStart   token = 0x02 // ">"
	tokenCloseEmpty   token = 0x03 // "/>"
	tokenCloseElement token = 0x04 // "</name>"
	tokenValue        token = 0x05
	tokenAttribute    token = 0x06
	tokenCDATA        token = 0x07
	tokenCharRef      token = 0x08
	tokenEntityRef    token = 0x09
	tokenPITarget     token = 0x0a
	tokenPIData       token = 0x0b
	tokenTemplate     token = 0x0c
	tokenNormal       token = 0x0d // substitution
	tokenOptional     token = 0x0e // substitution
	tokenFragment     token = 0x0f
)

// moreBit on tokenOpen says that attributes follow.
const moreBit = 0x40

const nameHeaderBytes = 8 // offset of the next name, hash, number of characters

// reader reads binary XML within b[:end]. Names alone may lie anywhere in b. The
// first misfit sets bad, after which everything read is zero.
type reader struct {
	b   []byte
	pos int
	end int
	bad Reason
}

func (r *reader) fail(why Reason) {
	if r.bad == readable {
		r.bad = why
	}
	r.pos = r.end
}

// take gives the next n bytes, nil if there are not as many.
func (r *reader) take(n int) []byte {
	if r.bad != readable || n > r.end-r.pos {
		r.fail(BadXML)
		return nil
	}
	r.pos += n
	return r.b[r.pos-n : r.pos]
}

func (r *reader) u8() uint8 {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u16() uint16 {
	if b := r.take(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

// peek gives the next token without taking it; tokenEnd at the end.
func (r *reader) peek() token {
	if r.bad != readable || r.pos >= r.end {
		return tokenEnd
	}
	return token(r.b[r.pos] &^ moreBit)
}

// counted gives a UTF-16 text preceded by its number of characters.
func (r *reader) counted() []byte { return r.take(2 * int(r.u16())) }

// name reads the offset of a name, and the name, which stands here if it is used
// for the first time in the chunk. inline says so.
func (r *reader) name() (utf16 []byte, inline bool) {
	offset := int64(r.u32())
	if r.bad != readable {
		return nil, false
	}
	if inline = offset == int64(r.pos); inline {
		r.take(6) // next name and hash
		utf16 = r.counted()
		r.take(2) // zero
		return utf16, true
	}
	utf16, ok := nameAt(r.b, offset)
	if !ok {
		r.fail(BadXML)
	}
	return utf16, false
}

// nameAt gives the name stored at an offset of the chunk.
func nameAt(chunk []byte, offset int64) ([]byte, bool) {
	if offset < chunkHeaderBytes || offset > int64(len(chunk)-nameHeaderBytes) {
		return nil, false
	}
	start := int(offset) + nameHeaderBytes
	n := 2 * int(binary.LittleEndian.Uint16(chunk[start-2:]))
	if n > len(chunk)-start {
		return nil, false
	}
	return chunk[start : start+n], true
}

// skipProlog passes over a fragment's header and processing instructions.
func (r *reader) skipProlog() {
	for {
		switch r.peek() {
		case tokenFragment:
			r.take(4)
		case tokenPITarget, tokenPIData:
			r.instruction()
		default:
			return
		}
	}
}

// instruction passes over a piece of a processing instruction.
func (r *reader) instruction() {
	if token(r.u8()&^moreBit) == tokenPITarget {
		r.name()
		return
	}
	r.counted()
}
