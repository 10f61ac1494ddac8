package event

// Scanning: where the tokens of a JSON document begin and end.

import (
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// skipString gives the offset behind the string whose opening quote is at i,
// -1 if it does not end, and whether it holds escapes.
func skipString(b []byte, i int) (end int, escaped bool) {
	for i++; i < len(b); i++ {
		switch b[i] {
		case '"':
			return i + 1, escaped
		case '\\':
			escaped = true
			i++
		}
	}
	return -1, escaped
}

// skipScalar gives the offset behind a number or a word.
func skipScalar(b []byte, i int) int {
	for i < len(b) {
		switch b[i] {
		case ',', '}', ']', ' ', '\n', '\r', '\t', ':', '"', '{', '[':
			return i
		}
		i++
	}
	return i
}

func parseScalar(b []byte) (token, bool) {
	switch string(b) {
	case "null":
		return token{kind: Null}, true
	case "true", "false":
		return token{kind: Bool, text: view(b)}, true
	}
	kind, ok := numberKind(b)
	return token{kind: kind, text: view(b)}, ok
}

// numberKind checks a JSON number and tells a Long from a Double.
func numberKind(b []byte) (Kind, bool) {
	digits := func() bool {
		n := 0
		for n < len(b) && b[n] >= '0' && b[n] <= '9' {
			n++
		}
		b = b[n:]
		return n > 0
	}
	kind := Long
	if len(b) > 0 && b[0] == '-' {
		b = b[1:]
	}
	if len(b) > 1 && b[0] == '0' && b[1] >= '0' && b[1] <= '9' {
		return Null, false
	}
	if !digits() {
		return Null, false
	}
	if len(b) > 0 && b[0] == '.' {
		kind, b = Double, b[1:]
		if !digits() {
			return Null, false
		}
	}
	if len(b) > 0 && (b[0] == 'e' || b[0] == 'E') {
		kind, b = Double, b[1:]
		if len(b) > 0 && (b[0] == '+' || b[0] == '-') {
			b = b[1:]
		}
		if !digits() {
			return Null, false
		}
	}
	return kind, len(b) == 0
}

// view gives the bytes as a string without copying them.
func view(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return unsafe.String(&b[0], len(b))
}

// text gives the content of a JSON string. Where it holds neither escapes nor
// broken UTF-8 it shares the document's memory.
func text(raw []byte, escaped bool) string {
	if escaped || !utf8.Valid(raw) {
		return string(appendUnescaped(nil, raw))
	}
	return view(raw)
}

// appendUnescaped decodes the escapes of a JSON string. Broken UTF-8 and lone
// surrogates become U+FFFD. An escape JSON does not know keeps its characters:
// sloppy exporters write Windows paths with single backslashes.
func appendUnescaped(out, raw []byte) []byte {
	for i := 0; i < len(raw); {
		c := raw[i]
		if c < utf8.RuneSelf && c != '\\' {
			out = append(out, c)
			i++
			continue
		}
		if c != '\\' || i+1 >= len(raw) {
			r, size := utf8.DecodeRune(raw[i:])
			out = utf8.AppendRune(out, r)
			i += size
			continue
		}
		if c = simpleEscape(raw[i+1]); c != 0 {
			out = append(out, c)
			i += 2
			continue
		}
		r, size := unicodeEscape(raw[i:])
		if size == 0 {
			out = append(out, '\\')
			i++
			continue
		}
		out = utf8.AppendRune(out, r)
		i += size
	}
	return out
}

func simpleEscape(c byte) byte {
	switch c {
	case '"', '\\', '/':
		return c
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	}
	return 0
}

// unicodeEscape decodes \uXXXX, or two of them that form a surrogate pair, at
// the start of b. The size is 0 where there is none.
func unicodeEscape(b []byte) (r rune, size int) {
	r, ok := hex4(b)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	if low, ok := hex4(b[6:]); ok {
		if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
			return full, 12
		}
	}
	return utf8.RuneError, 6
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range b[2:6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
