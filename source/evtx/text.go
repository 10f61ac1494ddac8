package evtx

// Texts: from the forms of the log to UTF-8.

import (
	"encoding/binary"
	"strconv"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// appendUTF16 appends little-endian UTF-16 without the zeros it may end in. Half a
// surrogate pair becomes U+FFFD.
func appendUTF16(dst, src []byte) []byte {
	src = src[:len(src)&^1]
	for len(src) >= 2 && src[len(src)-1] == 0 && src[len(src)-2] == 0 {
		src = src[:len(src)-2]
	}
	dst, src = appendASCII(dst, src)
	for len(src) >= 2 {
		c := rune(src[0]) | rune(src[1])<<8
		src = src[2:]
		if c < utf8.RuneSelf {
			dst = append(dst, byte(c))
			continue
		}
		if utf16.IsSurrogate(c) {
			low := rune(0)
			if len(src) >= 2 {
				low = rune(src[0]) | rune(src[1])<<8
			}
			if c = utf16.DecodeRune(c, low); c != utf8.RuneError {
				src = src[2:]
			}
		}
		dst = utf8.AppendRune(dst, c)
	}
	return dst
}

// appendASCII appends as much of src as is plain ASCII, four characters at a time,
// and gives the rest.
func appendASCII(dst, src []byte) (out, rest []byte) {
	n := len(dst)
	if need := n + len(src)/2; need > cap(dst) {
		dst = append(dst, make([]byte, need-n)...)
	} else {
		dst = dst[:need]
	}
	for len(src) >= 8 {
		v := binary.LittleEndian.Uint64(src)
		if v&0xff80ff80ff80ff80 != 0 {
			break
		}
		v |= v >> 8 // bytes 0,1 and 4,5 now hold two characters each
		binary.LittleEndian.PutUint32(dst[n:], uint32(v&0xffff)|uint32(v>>32)<<16)
		n += 4
		src = src[8:]
	}
	for len(src) >= 2 && src[1] == 0 && src[0] < utf8.RuneSelf {
		dst[n] = src[0]
		n++
		src = src[2:]
	}
	return dst[:n], src
}

// appendANSI appends a text of bytes. Which code page they are in is not said:
// what is valid UTF-8 stays, anything else is read as Latin-1.
func appendANSI(dst, src []byte) []byte {
	for len(src) > 0 && src[len(src)-1] == 0 {
		src = src[:len(src)-1]
	}
	if utf8.Valid(src) {
		return append(dst, src...)
	}
	for _, c := range src {
		dst = utf8.AppendRune(dst, rune(c))
	}
	return dst
}

const (
	upperHex = "0123456789ABCDEF"
	lowerHex = "0123456789abcdef"
)

func appendBinary(dst, b []byte) []byte {
	for _, c := range b {
		dst = append(dst, upperHex[c>>4], upperHex[c&15])
	}
	return dst
}

func appendHexNumber(dst []byte, v uint64) []byte {
	return strconv.AppendUint(append(dst, "0x"...), v, 16)
}

// guidOrder is the order in which the bytes of a GUID are written.
var guidOrder = [16]uint8{3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15}

// appendGUID appends the 16 bytes of b as {XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX}.
func appendGUID(dst, b []byte) []byte {
	var out [38]byte
	out[0], out[37] = '{', '}'
	n := 1
	for i, from := range guidOrder {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out[n] = '-'
			n++
		}
		c := b[from]
		out[n], out[n+1] = upperHex[c>>4], upperHex[c&15]
		n += 2
	}
	return append(dst, out[:]...)
}

// sidBytes is the length that a SID says it has, 0 if it is none.
func sidBytes(b []byte) int {
	if len(b) < 8 || b[0] != 1 || b[1] > 15 {
		return 0
	}
	return 8 + 4*int(b[1])
}

// appendSID appends a SID as S-1-…; b is as long as sidBytes says.
func appendSID(dst, b []byte) []byte {
	dst = append(dst, "S-1-"...)
	authority := uint64(binary.BigEndian.Uint16(b[2:]))<<32 | uint64(binary.BigEndian.Uint32(b[4:]))
	if authority < 1<<32 {
		dst = strconv.AppendUint(dst, authority, 10)
	} else {
		dst = appendHexNumber(dst, authority)
	}
	for b = b[8:]; len(b) >= 4; b = b[4:] {
		dst = strconv.AppendUint(append(dst, '-'), uint64(binary.LittleEndian.Uint32(b)), 10)
	}
	return dst
}

// secondsTo1970 is the distance of the Windows epoch, 1601, to that of Unix.
const secondsTo1970 = 11644473600

// fileTime splits a count of 100 ns since 1601.
func fileTime(v uint64) (sec int64, nsec int32) {
	return int64(v/1e7) - secondsTo1970, int32(v%1e7) * 100
}

const timeLayout = "2006-01-02T15:04:05.0000000Z"

func appendFileTime(dst []byte, v uint64) []byte {
	sec, nsec := fileTime(v)
	return time.Unix(sec, int64(nsec)).UTC().AppendFormat(dst, timeLayout)
}

// appendSystemTime appends the eight 16-bit numbers year, month, weekday, day,
// hour, minute, second, millisecond.
func appendSystemTime(dst, b []byte) []byte {
	f := func(i int) int { return int(binary.LittleEndian.Uint16(b[2*i:])) }
	t := time.Date(f(0), time.Month(f(1)), f(3), f(4), f(5), f(6), f(7)*1e6, time.UTC)
	return t.AppendFormat(dst, timeLayout)
}
