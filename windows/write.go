package windows

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
)

// write writes the fields in use as one nested object. older is the name that
// event.action had before, "" if there is none: see base.
func (m *Mapper) write(dst []byte, older string) []byte {
	dst = append(dst, '{')
	if older != "" {
		dst = appendString(append(dst, `"event.action":`...), older)
	}
	first := len(dst)
	var open []int // the numbers of the objects that are open
	for word, used := range m.used {
		for ; used != 0; used &= used - 1 {
			s := slot(word*64 + bits.TrailingZeros64(used))
			f := &m.schema.fields[s]
			same := 0
			for same < len(open) && same < len(f.objects) && open[same] == f.objects[same] {
				same++
			}
			for range len(open) - same {
				dst = append(dst, '}')
			}
			if len(dst) > first || older != "" {
				dst = append(dst, ',')
			}
			for _, opening := range f.opening[same:] {
				dst = append(dst, opening...)
			}
			open = f.objects
			dst = m.appendValue(append(dst, f.key...), &m.values[s])
		}
	}
	for range open {
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

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
	b[0] = '"'
	at, i := 1, 0
	for ; i+8 <= len(s); i += 8 {
		w := uint64(s[i]) | uint64(s[i+1])<<8 | uint64(s[i+2])<<16 | uint64(s[i+3])<<24 |
			uint64(s[i+4])<<32 | uint64(s[i+5])<<40 | uint64(s[i+6])<<48 | uint64(s[i+7])<<56
		special := specials(w)
		if special == 0 {
			binary.LittleEndian.PutUint64(b[at:], w)
			at += 8
			continue
		}
		for j := i; j < i+8; j++ {
			at = putByte(b, at, s[j])
		}
	}
	for ; i < len(s); i++ {
		at = putByte(b, at, s[i])
	}
	b[at] = '"'
	return dst[:len(dst)+at+1]
}

// specials marks the bytes of a word that JSON escapes, and perhaps some behind
// them.
func specials(w uint64) uint64 {
	const low, high = 0x0101010101010101, 0x8080808080808080
	control := (w - low*0x20) &^ w
	quote, slash := w^low*'"', w^low*'\\'
	return (control | (quote-low)&^quote | (slash-low)&^slash) & high
}

func putByte(b []byte, at int, c byte) int {
	if c >= 0x20 && c != '"' && c != '\\' {
		b[at] = c
		return at + 1
	}
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
