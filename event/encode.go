package event

// Writing: texts as JSON strings, as encoding/json writes them, but faster and safe
// on a terminal.

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// What a byte means for a text that is written as JSON; 0: it stands for itself.
const (
	markupByte = 1 << iota // < > &, which JSON for web pages escapes
	escapeByte             // a backslash
	oddByte                // has to be looked at: controls, and what is not ASCII
	quoteByte
)

var byteClass = func() (class [256]uint8) {
	for c := range class {
		switch {
		case c == '"':
			class[c] = quoteByte
		case c == '\\':
			class[c] = escapeByte
		case c == '<', c == '>', c == '&':
			class[c] = markupByte
		case c < 0x20, c >= 0x7F:
			class[c] = oddByte
		}
	}
	return class
}()

// AppendQuoted writes text as a JSON string: as encoding/json does without escapes
// for web pages, and with those control characters escaped that JSON allows but a
// terminal may obey, DEL and U+0080 to U+009F.
func AppendQuoted(dst []byte, text string) []byte { return appendQuoted(dst, text, markupByte, true) }

// appendQuoted writes text as a JSON string. Bytes of a class in plain stand for
// themselves; terminal tells whether controls beyond those of JSON are escaped.
func appendQuoted(dst []byte, text string, plain uint8, terminal bool) []byte {
	dst = append(dst, '"')
	start := 0
	for i := plainRun(text, 0, plain); i < len(text); {
		c := text[i]
		if byteClass[c]&^plain == 0 {
			i++
			continue
		}
		size, odd := 1, true
		if c >= utf8.RuneSelf {
			var r rune
			r, size = utf8.DecodeRuneInString(text[i:])
			odd = r == utf8.RuneError && size == 1 || r == '\u2028' || r == '\u2029' || terminal && r <= 0x9F
		} else if c == 0x7F {
			odd = terminal
		}
		if odd {
			dst = append(dst, text[start:i]...)
			dst = appendEscaped(dst, text[i:i+size])
			start = i + size
		}
		i += size
	}
	dst = append(dst, text[start:]...)
	return append(dst, '"')
}

// plainRun gives the index of the first byte of text from i on whose class is not in plain,
// or one up to three bytes before it.
func plainRun[T string | []byte](text T, i int, plain uint8) int {
	for ; i+4 <= len(text); i += 4 {
		if (byteClass[text[i]]|byteClass[text[i+1]]|byteClass[text[i+2]]|byteClass[text[i+3]])&^plain != 0 {
			break
		}
	}
	return i
}

// appendEscaped writes one character as an escape.
func appendEscaped(dst []byte, char string) []byte {
	switch char {
	case `"`, `\`:
		return append(dst, '\\', char[0])
	case "\b":
		return append(dst, `\b`...)
	case "\f":
		return append(dst, `\f`...)
	case "\n":
		return append(dst, `\n`...)
	case "\r":
		return append(dst, `\r`...)
	case "\t":
		return append(dst, `\t`...)
	}
	r, _ := utf8.DecodeRuneInString(char)
	const hex = "0123456789abcdef"
	return append(dst, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

// EscapeControls escapes in JSON those control characters that JSON allows in
// strings, but that a terminal may obey: DEL and U+0080 to U+009F. They occur in
// strings alone.
func EscapeControls(text []byte) []byte {
	control := func(r rune) bool { return r >= 0x7F && r <= 0x9F }
	if bytes.IndexFunc(text, control) < 0 {
		return text
	}
	var b []byte
	for _, r := range string(text) {
		if control(r) {
			b = fmt.Appendf(b, `\u%04x`, r)
		} else {
			b = utf8.AppendRune(b, r)
		}
	}
	return b
}
