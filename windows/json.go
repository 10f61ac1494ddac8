package windows

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonReader reads a JSON document from left to right. It is lenient: what it
// cannot read sets bad, and everything after that is empty. Texts share the memory
// of the document, or that of text where they hold escapes.
type jsonReader struct {
	doc  []byte
	i    int
	bad  bool
	text []byte
}

// peek gives the next byte that is not white space, 0 at the end.
func (j *jsonReader) peek() byte {
	for j.i < len(j.doc) {
		switch c := j.doc[j.i]; c {
		case ' ', '\n', '\r', '\t':
			j.i++
		default:
			return c
		}
	}
	return 0
}

// enter goes into an object or a list that starts with c.
func (j *jsonReader) enter(c byte) bool {
	if j.bad || j.peek() != c {
		return false
	}
	j.i++
	return true
}

// member goes to the next member of an object, and gives its name. It is false at
// the object's end, which it passes.
func (j *jsonReader) member() (name string, ok bool) {
	c := j.peek()
	if c == ',' {
		j.i++
		c = j.peek()
	}
	if c == '}' {
		j.i++
		return "", false
	}
	if c != '"' {
		j.bad = true
		return "", false
	}
	name = j.str()
	if j.bad || j.peek() != ':' {
		j.bad = true
		return "", false
	}
	j.i++
	return name, true
}

// element goes to the next element of a list. It is false at the list's end.
func (j *jsonReader) element() bool {
	c := j.peek()
	if c == ',' {
		j.i++
		c = j.peek()
	}
	if c == ']' {
		j.i++
		return false
	}
	if c == 0 || c == '}' || c == ':' {
		j.bad = true
	}
	return !j.bad
}

// str reads a string.
func (j *jsonReader) str() string {
	end, escaped := stringEnd(j.doc, j.i+1)
	if end < 0 {
		j.bad = true
		return ""
	}
	raw := j.doc[j.i+1 : end]
	j.i = end + 1
	if !escaped {
		return view(raw)
	}
	start := len(j.text)
	j.text = unescape(j.text, raw)
	return view(j.text[start:])
}

// scalar reads a value as text: a string's content, a number or a word as it is
// written, an object or a list as JSON; null is empty.
func (j *jsonReader) scalar() string {
	switch j.peek() {
	case '"':
		return j.str()
	case 'n':
		j.skip()
		return ""
	}
	start := j.i
	j.skip()
	if j.bad {
		return ""
	}
	return view(j.doc[start:j.i])
}

// number reads a value as a number, whether it is written as one or as a string.
func (j *jsonReader) number() int64 {
	n, _ := parseNumber(j.scalar())
	return n
}

// skip passes a value, whose inner syntax is not checked.
func (j *jsonReader) skip() {
	depth := 0
	for {
		switch c := j.peek(); c {
		case 0:
			j.bad = true
			return
		case '"':
			end, _ := stringEnd(j.doc, j.i+1)
			if end < 0 {
				j.bad = true
				return
			}
			j.i = end + 1
		case '{', '[':
			depth++
			j.i++
		case '}', ']':
			if depth == 0 {
				j.bad = true
				return
			}
			depth--
			j.i++
		case ',', ':':
			if depth == 0 {
				j.bad = true
				return
			}
			j.i++
		default:
			j.word()
		}
		if depth == 0 {
			return
		}
	}
}

// word passes a number, true, false or null.
func (j *jsonReader) word() {
	for j.i < len(j.doc) {
		switch j.doc[j.i] {
		case ' ', '\n', '\r', '\t', ',', ':', '}', ']', '{', '[', '"':
			return
		}
		j.i++
	}
}

// stringEnd gives the index of the quote that ends the string whose content starts
// at i, -1 if there is none.
func stringEnd(doc []byte, i int) (end int, escaped bool) {
	for i < len(doc) {
		if i+8 <= len(doc) {
			special := specials(binary.LittleEndian.Uint64(doc[i:]))
			if special == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(special) / 8
		}
		switch doc[i] {
		case '"':
			return i, escaped
		case '\\':
			escaped = true
			i += 2
		default:
			i++
		}
	}
	return -1, escaped
}

// unescape appends the text of a JSON string.
func unescape(dst, raw []byte) []byte {
	for len(raw) > 0 {
		n := bytes.IndexByte(raw, '\\')
		if n < 0 || n+1 >= len(raw) {
			return append(dst, raw...)
		}
		dst = append(dst, raw[:n]...)
		c := raw[n+1]
		raw = raw[n+2:]
		switch c {
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'u':
			dst, raw = unescapeRune(dst, raw)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

func unescapeRune(dst, raw []byte) ([]byte, []byte) {
	r, ok := hexRune(raw)
	if !ok {
		return append(dst, 'u'), raw
	}
	raw = raw[4:]
	if utf16.IsSurrogate(r) {
		if low, ok := hexRune(bytes.TrimPrefix(raw, []byte(`\u`))); ok && len(raw) >= 6 && raw[0] == '\\' {
			if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
				return utf8.AppendRune(dst, both), raw[6:]
			}
		}
	}
	return utf8.AppendRune(dst, r), raw
}

func hexRune(raw []byte) (rune, bool) {
	if len(raw) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range raw[:4] {
		d := hexDigit(c)
		if d < 0 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}
