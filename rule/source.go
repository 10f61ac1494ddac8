package rule

// Sources: where in a file the parts of a document stand, so that a problem can
// be shown in its place.

import (
	"unicode/utf8"
)

// extent is a stretch of bytes of a file.
type extent struct{ start, end int }

// source is one rule of a file.
type source struct {
	file string
	text []byte // the whole file
	// find gives the extent of the value at a path, or of the object that would
	// hold it; it is asked only when there is a problem.
	find func(path string) extent
	// offset gives the place in the file of a byte of the query's text.
	offset func(n int) int
	rule   *Rule
}

// report makes a problem of the rule at a path.
func (s *source) report(path, code, hint, message string, warning bool) {
	s.add(s.find(path), code, hint, message, warning)
}

func (s *source) add(e extent, code, hint, message string, warning bool) {
	p := newProblem(s.file, s.text, e, code, hint, message)
	p.Warning = warning
	p.Rule = s.rule.Name
	s.rule.Problems = append(s.rule.Problems, p)
}

func newProblem(file string, text []byte, e extent, code, hint, message string) Problem {
	p := Problem{File: file, Code: code, Message: message, Hint: hint, Snippet: lineAt(text, e.start)}
	p.Line, p.Column = place(text, e.start)
	p.Length = max(1, utf8.RuneCount(text[min(e.start, len(text)):min(e.end, len(text))]))
	return p
}

// escapedOffset gives the place in raw, the inside of a quoted string, of byte n
// of the text it stands for. Escapes are those of JSON and of TOML's basic
// strings.
func escapedOffset(raw []byte, n int) int {
	i := 0
	for i < len(raw) && n > 0 {
		if raw[i] != '\\' || i+1 >= len(raw) {
			i++
			n--
			continue
		}
		switch raw[i+1] {
		case 'u':
			i += 6
			n -= utf8Len(raw, i-4, 4)
		case 'U':
			i += 10
			n -= utf8Len(raw, i-8, 8)
		case '\n', '\r', ' ', '\t': // TOML: the rest of the line and the blanks behind it vanish
			i++
			for i < len(raw) && (raw[i] == ' ' || raw[i] == '\t' || raw[i] == '\n' || raw[i] == '\r') {
				i++
			}
		default:
			i += 2
			n--
		}
	}
	return i
}

// utf8Len gives how many bytes the code point of some hexadecimal digits takes.
func utf8Len(raw []byte, at, digits int) int {
	r := rune(0)
	for i := at; i < at+digits && i < len(raw); i++ {
		c := raw[i] | 0x20
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		}
	}
	if n := utf8.RuneLen(r); n > 0 {
		return n
	}
	return 3
}
