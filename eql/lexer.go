package eql

// The lexer: text to tokens. It reports what it cannot read and goes on, so
// that the parser can report more.

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokEOF tokenKind = iota
	tokIdent
	tokQuotedIdent // `name`; text is the name
	tokTildeIdent  // name~; text is the name without the tilde
	tokKeyword
	tokInteger
	tokDecimal
	tokString // text is the value
	tokPunct
	tokBad // something the lexer has reported
)

type token struct {
	kind    tokenKind
	text    string
	span    Span
	comment string // the comment directly before the token
}

var keywords = []string{
	"and", "any", "by", "false", "in", "in~", "join", "like", "like~", "maxspan", "not", "null", "of", "or",
	"regex", "regex~", "sample", "sequence", "true", "until", "where", "with",
}

func isKeyword(s string) bool { return slices.Contains(keywords, s) }

type lexer struct {
	src      string
	pos      Pos
	comment  string
	tokens   []token
	problems Problems
}

// lex splits a query into tokens, which it appends to a list; the last is tokEOF.
func lex(src string, list []token) ([]token, Problems) {
	l := &lexer{src: src, pos: Pos{Line: 1, Column: 1}, tokens: list}
	for l.next() {
	}
	l.add(tokEOF, "", l.pos)
	return l.tokens, l.problems
}

func (l *lexer) rest() string { return l.src[l.pos.Offset:] }

func (l *lexer) peek(n int) byte {
	if l.pos.Offset+n < len(l.src) {
		return l.src[l.pos.Offset+n]
	}
	return 0
}

// advance moves over n bytes, which end at a code point's end.
func (l *lexer) advance(n int) {
	for _, r := range l.src[l.pos.Offset : l.pos.Offset+n] {
		if r == '\n' {
			l.pos.Line++
			l.pos.Column = 1
		} else {
			l.pos.Column++
		}
	}
	l.pos.Offset += n
}

func (l *lexer) add(kind tokenKind, text string, start Pos) {
	l.tokens = append(l.tokens, token{kind: kind, text: text, span: Span{start, l.pos}, comment: l.comment})
	l.comment = ""
}

func (l *lexer) fail(start Pos, message, hint string) {
	l.problems = append(l.problems, Problem{Span: Span{start, l.pos}, Code: BadToken, Message: message, Hint: hint})
}

// next reads one token, blank or comment. It reports false at the end.
func (l *lexer) next() bool {
	start := l.pos
	switch c := l.peek(0); {
	case l.pos.Offset >= len(l.src):
		return false
	case c == ' ' || c == '\t' || c == '\r' || c == '\n':
		l.advance(1)
	case strings.HasPrefix(l.rest(), "//"):
		l.lineComment()
	case strings.HasPrefix(l.rest(), "/*"):
		l.blockComment()
	case isIdentStart(c):
		l.ident()
	case isDigit(c) || c == '.' && isDigit(l.peek(1)):
		l.number()
	case c == '"':
		l.str()
	case c == '`':
		l.quotedIdent()
	case c == '\'':
		l.singleQuoted(start, 0, `Use double quotes ["] to define string literals, not single quotes [']`)
	case c == '?' && (l.peek(1) == '"' || l.peek(1) == '\''):
		l.singleQuoted(start, 1, `Use triple double quotes ["""] to define unescaped string literals, not [?`+string(l.peek(1))+`]`)
	default:
		l.punct()
	}
	return true
}

func isIdentStart(c byte) bool {
	return c == '_' || c == '@' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isIdentPart(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || isDigit(c)
}

func (l *lexer) lineComment() {
	n := strings.IndexByte(l.rest(), '\n')
	if n < 0 {
		n = len(l.rest())
	}
	if last := len(l.tokens) - 1; last < 0 || l.tokens[last].span.End.Line < l.pos.Line {
		l.comment = strings.TrimSpace(l.rest()[2:n]) // else it is about what stands before it
	}
	l.advance(n)
}

func (l *lexer) blockComment() {
	start := l.pos
	n := strings.Index(l.rest()[2:], "*/")
	if n < 0 {
		l.advance(len(l.rest()))
		l.fail(start, "token recognition error at: '/*'", `the comment does not end: add "*/"`)
		return
	}
	l.comment = strings.TrimSpace(l.rest()[2 : 2+n])
	if strings.Contains(l.comment, "/*") {
		l.advance(n + 4)
		l.fail(start, "token recognition error at: '/*'", "comments do not nest: end the outer one before the inner one begins")
		return
	}
	l.advance(n + 4)
}

func (l *lexer) ident() {
	start, n := l.pos, 1
	for isIdentPart(l.peek(n)) {
		n++
	}
	text := l.rest()[:n]
	if l.peek(n) == '~' && text[0] != '_' && text[0] != '@' {
		l.advance(n + 1)
		if isKeyword(text + "~") {
			l.add(tokKeyword, text+"~", start)
		} else {
			l.add(tokTildeIdent, text, start)
		}
		return
	}
	l.advance(n)
	kind := tokIdent
	if isKeyword(text) {
		kind = tokKeyword
	}
	l.add(kind, text, start)
}

func (l *lexer) number() {
	start, n, kind := l.pos, 0, tokInteger
	digits := func() {
		for isDigit(l.peek(n)) {
			n++
		}
	}
	digits()
	if l.peek(n) == '.' {
		kind = tokDecimal
		n++
		digits()
	}
	if e := l.peek(n); e == 'e' || e == 'E' {
		m := n + 1
		if l.peek(m) == '+' || l.peek(m) == '-' {
			m++
		}
		if isDigit(l.peek(m)) {
			kind, n = tokDecimal, m
			digits()
		}
	}
	l.advance(n)
	l.add(kind, l.src[start.Offset:l.pos.Offset], start)
}

func (l *lexer) str() {
	if strings.HasPrefix(l.rest(), `"""`) {
		l.rawString()
		return
	}
	start := l.pos
	l.advance(1)
	var b strings.Builder
	plain := true // there are no escapes
	for {
		c := l.peek(0)
		switch {
		case l.pos.Offset >= len(l.src) || c == '\n' || c == '\r':
			l.fail(start, "token recognition error at: '"+l.src[start.Offset:l.pos.Offset]+"'", "the string does not end on its line: add a closing \"")
			l.add(tokBad, "", start)
			return
		case c == '"':
			text := l.src[start.Offset+1 : l.pos.Offset]
			if !plain {
				text = b.String()
			}
			l.advance(1)
			l.add(tokString, text, start)
			return
		case c == '\\':
			if plain {
				plain = false
				b.WriteString(l.src[start.Offset+1 : l.pos.Offset])
			}
			l.escape(&b)
		default:
			_, size := utf8.DecodeRuneInString(l.rest())
			if !plain {
				b.WriteString(l.rest()[:size])
			}
			l.advance(size)
		}
	}
}

var escapes = map[byte]byte{'b': '\b', 't': '\t', 'n': '\n', 'f': '\f', 'r': '\r', '"': '"', '\'': '\'', '\\': '\\'}

// escape reads one escape inside a string and reports what is wrong with it.
func (l *lexer) escape(b *strings.Builder) {
	start := l.pos
	if c, ok := escapes[l.peek(1)]; ok {
		l.advance(2)
		b.WriteByte(c)
		return
	}
	if l.peek(1) == 'u' && l.peek(2) == '{' {
		l.unicodeEscape(b)
		return
	}
	n := 1
	if l.pos.Offset+1 < len(l.src) && l.peek(1) != '\n' {
		_, size := utf8.DecodeRuneInString(l.rest()[1:])
		n += size
	}
	l.advance(n)
	l.fail(start, "token recognition error at: '"+l.src[start.Offset:l.pos.Offset]+"'",
		`write a backslash as "\\", or use a raw string """…""", which has no escapes`)
}

func (l *lexer) unicodeEscape(b *strings.Builder) {
	start := l.pos
	n := 3
	for strings.IndexByte("0123456789abcdefABCDEF", l.peek(n)) >= 0 && l.peek(n) != 0 {
		n++
	}
	hex := l.rest()[3:n]
	closed := l.peek(n) == '}'
	if closed {
		n++
	}
	l.advance(n)
	text := l.src[start.Offset:l.pos.Offset]
	v, err := strconv.ParseUint(hex, 16, 64)
	switch {
	case !closed:
		l.fail(start, "token recognition error at: '"+text+"'", `write a code point as "\u{1F600}", in hexadecimal digits`)
	case len(hex) < 2 || len(hex) > 8:
		l.fail(start, fmt.Sprintf("Unicode sequence should use [2-8] hex digits, [%s] has [%d]", text, len(hex)), "pad the code point with zeros, as in \\u{0a}")
	case err != nil || v > utf8.MaxRune:
		l.fail(start, fmt.Sprintf("Invalid unicode character code [%s]", hex), "the last code point is 10FFFF")
	case utf16.IsSurrogate(rune(v)):
		l.fail(start, fmt.Sprintf("Invalid unicode character code, [%s] is a surrogate code", hex), "write the character itself, or its full code point")
	default:
		b.WriteRune(rune(v))
	}
}

// rawString reads """…""". The body is the shortest possible one, but up to two
// more quotes directly behind the closing three belong to it.
func (l *lexer) rawString() {
	start := l.pos
	body := l.rest()[3:]
	n := strings.Index(body, `"""`)
	if line := strings.IndexAny(body, "\r\n"); n < 0 || line >= 0 && line < n {
		if line < 0 {
			line = len(body)
		}
		l.advance(3 + line)
		l.fail(start, `token recognition error at: '"""'`, `a raw string ends with """ on the same line`)
		l.add(tokBad, "", start)
		return
	}
	for extra := 0; extra < 2 && n+3 < len(body) && body[n+3] == '"'; extra++ {
		n++
	}
	l.advance(3 + n + 3)
	l.add(tokString, body[:n], start)
}

func (l *lexer) quotedIdent() {
	start := l.pos
	l.advance(1)
	var b strings.Builder
	for {
		n := strings.IndexByte(l.rest(), '`')
		if n < 0 {
			l.advance(len(l.rest()))
			l.fail(start, "token recognition error at: '`'", "the quoted name does not end: add a closing `")
			l.add(tokBad, "", start)
			return
		}
		b.WriteString(l.rest()[:n])
		l.advance(n + 1)
		if l.peek(0) != '`' {
			break
		}
		l.advance(1)
		b.WriteByte('`')
	}
	if b.Len() == 0 {
		l.fail(start, "token recognition error at: '``'", "a quoted name has at least one character")
		l.add(tokBad, "", start)
		return
	}
	l.add(tokQuotedIdent, b.String(), start)
}

// singleQuoted passes a string in one of the forms EQL no longer has; open is
// how many bytes precede its quote.
func (l *lexer) singleQuoted(start Pos, open int, message string) {
	quote := l.peek(open)
	n := open + 1
	for c := l.peek(n); c != quote && c != '\n' && l.pos.Offset+n < len(l.src); c = l.peek(n) {
		n++
	}
	if l.peek(n) == quote {
		n++
	}
	l.advance(n)
	l.fail(start, message, "")
	l.add(tokBad, "", start)
}

var puncts = []string{"![", "==", "!=", "<=", ">=", "<", ">", "=", ":", "+", "-", "*", "/", "%", "(", ")", "[", "]", ",", ".", "|", "?"}

func (l *lexer) punct() {
	start := l.pos
	for _, p := range puncts {
		if strings.HasPrefix(l.rest(), p) {
			l.advance(len(p))
			l.add(tokPunct, p, start)
			return
		}
	}
	_, size := utf8.DecodeRuneInString(l.rest())
	l.advance(size)
	bad := l.src[start.Offset:l.pos.Offset]
	l.fail(start, "token recognition error at: '"+bad+"'", badCharacterHint(bad, l.rest()))
	l.add(tokBad, bad, start)
}

func badCharacterHint(bad, rest string) string {
	switch {
	case bad == ";":
		return "a query has no terminator: remove the semicolon"
	case bad == "&":
		return `write "and"`
	case bad == "!" && strings.HasPrefix(rest, ":"):
		return `write "not field : pattern"`
	case bad == "!" && strings.HasPrefix(strings.TrimLeft(rest, " \t\r\n"), "["):
		return `write "![" without a blank`
	case bad == "!":
		return `write "not"`
	case bad == "~":
		return "only a function name, in, like and regex take a directly following ~"
	}
	return ""
}
