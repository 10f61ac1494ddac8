package windows

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
	"unsafe"
)

// write writes the fields in use as one nested object. older is the name that
// event.action had before, "" if there is none: see base.
func (m *Mapper) write(dst []byte, older string) []byte {
	dst = append(dst, '{')
	comma := 0 // how much of a prefix to leave out
	if older != "" {
		dst = appendString(append(dst, `"event.action":`...), older)
	} else {
		comma = 1
	}
	var last *field
	open := 0 // the objects that are open
	for word, used := range m.used {
		for used &= m.wanted[word]; used != 0; used &= used - 1 {
			s := slot(word*64 + bits.TrailingZeros64(used))
			f := &m.schema.fields[s]
			same := 0
			if last != nil {
				same = int(last.shared[s])
			}
			if same < open {
				dst = append(dst, closing[:open-same]...)
			}
			dst = append(dst, f.prefix[same][comma:]...)
			comma, open, last = 0, f.depth, f
			dst = m.appendValue(dst, &m.values[s])
		}
	}
	return append(append(dst, closing[:open]...), '}')
}

// closing closes as many objects as fields nest at most.
const closing = "}}}}}}}}"

func (m *Mapper) appendValue(dst []byte, v *value) []byte {
	switch v.kind {
	case numberValue:
		return strconv.AppendInt(dst, v.number, 10)
	case rawValue:
		return append(dst, v.text...)
	case listValue:
		return m.appendList(dst, v.from, v.to)
	case dataValue:
		return m.appendData(dst)
	}
	return appendString(dst, v.text)
}

func (m *Mapper) appendList(dst []byte, from, to int) []byte {
	dst = append(dst, '[')
	for i := from; i < to; i++ {
		if i > from {
			dst = append(dst, ',')
		}
		dst = appendString(dst, m.list[i])
	}
	return append(dst, ']')
}

// appendData writes winlog.event_data.
func (m *Mapper) appendData(dst []byte) []byte {
	dst = append(dst, '{')
	for i := range m.data {
		d := &m.data[i]
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, d.name), ':')
		if d.isList {
			dst = m.appendList(dst, d.from, d.to)
		} else {
			dst = appendString(dst, d.text)
		}
	}
	return append(dst, '}')
}

// appendString writes a text as a JSON string. Bytes that are no UTF-8 stay: the
// readers of documents replace them.
func appendString(dst []byte, s string) []byte {
	dst = slices.Grow(dst, 6*len(s)+10) // as if every byte were escaped, and a word more
	b := dst[len(dst):cap(dst)]
	all := unsafe.Slice(unsafe.StringData(s), len(s))
	src := all
	b[0] = '"'
	at := 1
	for len(src) >= 8 {
		w := binary.LittleEndian.Uint64(src)
		binary.LittleEndian.PutUint64(b[at:], w)
		special := specials(w)
		if special == 0 {
			at, src = at+8, src[8:]
			continue
		}
		n := bits.TrailingZeros64(special) / 8
		at = escape(b, at+n, src[n])
		src = src[n+1:]
	}
	if n := len(src); n > 0 && len(s) >= 8 {
		// The last bytes, as the upper ones of the text's last word.
		w := binary.LittleEndian.Uint64(all[len(s)-8:]) >> (64 - 8*n)
		if bits.TrailingZeros64(specials(w))/8 >= n {
			binary.LittleEndian.PutUint64(b[at:], w)
			at, src = at+n, nil
		}
	}
	for _, c := range src {
		if c < 0x20 || c == '"' || c == '\\' {
			at = escape(b, at, c)
			continue
		}
		b[at] = c
		at++
	}
	b[at] = '"'
	return dst[:len(dst)+at+1]
}

// specials marks the bytes of a word that JSON escapes. The lowest mark is right;
// bytes above it may be marked for no reason.
func specials(w uint64) uint64 {
	const low, high = 0x0101010101010101, 0x8080808080808080
	quote, slash := w^low*'"', w^low*'\\'
	return ((w-low*0x20)&^w | (quote-low)&^quote | (slash-low)&^slash) & high
}

func escape(b []byte, at int, c byte) int {
	b[at] = '\\'
	switch c {
	case '"', '\\':
		b[at+1] = c
	case '\n':
		b[at+1] = 'n'
	case '\r':
		b[at+1] = 'r'
	case '\t':
		b[at+1] = 't'
	default:
		copy(b[at+1:], "u00")
		b[at+4], b[at+5] = "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15]
		return at + 6
	}
	return at + 2
}
