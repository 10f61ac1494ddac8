package eql

// Regular expressions: the operators regex and regex~. The syntax is Lucene's
// with all optional operators; the whole value must match.
//
// A pattern becomes a tree. Most trees translate to the standard library's
// engine, which runs in linear time; those with complement or intersection
// become a deterministic automaton of bounded size.

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Regex is a compiled regular expression of EQL. It is immutable.
type Regex struct {
	std *regexp.Regexp
	dfa *dfa
}

// CompileRegex compiles a pattern in Lucene's syntax; fold ignores case. The
// error says what is wrong and at which character, or that the pattern is too
// complex.
func CompileRegex(pattern string, fold bool) (*Regex, error) {
	tree, err := parseRegex(pattern)
	if err != nil {
		return nil, err
	}
	if src, ok := translate(tree); ok {
		flags := "s"
		if fold {
			flags = "si"
		}
		if re, err := regexp.Compile("^(?" + flags + ":" + src + ")$"); err == nil {
			return &Regex{std: re}, nil
		}
	}
	d, err := buildDFA(tree, fold)
	if err != nil {
		return nil, err
	}
	return &Regex{dfa: d}, nil
}

// Match reports whether the whole text matches.
func (r *Regex) Match(text string) bool {
	if r.std != nil {
		return r.std.MatchString(text)
	}
	return r.dfa.match(text)
}

type reKind uint8

const (
	reEmpty      reKind = iota // the empty string
	reNothing                  // no string at all
	reChars                    // one character of a set
	reAnyString                // any string
	reConcat                   // the parts one after another
	reUnion                    // one of the parts
	reIntersect                // all of the parts
	reComplement               // anything but the part
	reRepeat                   // the part min to max times
)

// reNode is a regular expression. For reRepeat, max is -1 where there is none.
type reNode struct {
	kind     reKind
	set      runeSet
	negated  bool // of reChars: any character but those of set
	parts    []*reNode
	min, max int
}

// maxRegexRepeat bounds {n,m}; a larger one is an automaton of absurd size.
const maxRegexRepeat = 10000

type regexParser struct {
	src   string
	i     int
	depth int
}

func parseRegex(src string) (*reNode, error) {
	p := &regexParser{src: src}
	if src == "" {
		return &reNode{kind: reEmpty}, nil
	}
	n, err := p.union()
	if err != nil {
		return nil, err
	}
	if p.i < len(p.src) {
		return nil, p.fail("unexpected ')'")
	}
	return n, nil
}

func (p *regexParser) fail(format string, args ...any) error {
	return fmt.Errorf("%s at character %d", fmt.Sprintf(format, args...), utf8.RuneCountInString(p.src[:p.i])+1)
}

func (p *regexParser) peek(c byte) bool { return p.i < len(p.src) && p.src[p.i] == c }

func (p *regexParser) accept(c byte) bool {
	if p.peek(c) {
		p.i++
		return true
	}
	return false
}

func (p *regexParser) rune() rune {
	r, size := utf8.DecodeRuneInString(p.src[p.i:])
	p.i += size
	return r
}

func (p *regexParser) union() (*reNode, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > MaxNesting {
		return nil, p.fail("groups nest too deep")
	}
	return p.list('|', reUnion, func() (*reNode, error) { return p.list('&', reIntersect, p.concat) })
}

func (p *regexParser) list(sep byte, kind reKind, operand func() (*reNode, error)) (*reNode, error) {
	n, err := operand()
	if err != nil || !p.peek(sep) {
		return n, err
	}
	parts := []*reNode{n}
	for p.accept(sep) {
		if n, err = operand(); err != nil {
			return nil, err
		}
		parts = append(parts, n)
	}
	return &reNode{kind: kind, parts: parts}, nil
}

func (p *regexParser) concat() (*reNode, error) {
	var parts []*reNode
	for p.i < len(p.src) && !p.peek(')') && !p.peek('|') && !p.peek('&') {
		n, err := p.repeat()
		if err != nil {
			return nil, err
		}
		parts = append(parts, n)
	}
	switch len(parts) {
	case 0:
		return &reNode{kind: reEmpty}, nil
	case 1:
		return parts[0], nil
	}
	return &reNode{kind: reConcat, parts: parts}, nil
}

func (p *regexParser) repeat() (*reNode, error) {
	n, err := p.complement()
	for err == nil {
		switch {
		case p.accept('?'):
			n = &reNode{kind: reRepeat, parts: []*reNode{n}, max: 1}
		case p.accept('*'):
			n = &reNode{kind: reRepeat, parts: []*reNode{n}, max: -1}
		case p.accept('+'):
			n = &reNode{kind: reRepeat, parts: []*reNode{n}, min: 1, max: -1}
		case p.accept('{'):
			n, err = p.counts(n)
		default:
			return n, nil
		}
	}
	return nil, err
}

// counts reads n}, n,} or n,m}.
func (p *regexParser) counts(n *reNode) (*reNode, error) {
	least, err := p.count()
	if err != nil {
		return nil, err
	}
	most := least
	if p.accept(',') {
		most = -1
		if !p.peek('}') {
			if most, err = p.count(); err != nil {
				return nil, err
			}
		}
	}
	if !p.accept('}') {
		return nil, p.fail("expected '}'")
	}
	if most >= 0 && most < least {
		return nil, p.fail("repetition {%d,%d} ends before it begins", least, most)
	}
	return &reNode{kind: reRepeat, parts: []*reNode{n}, min: least, max: most}, nil
}

func (p *regexParser) count() (int, error) {
	start := p.i
	for p.i < len(p.src) && isDigit(p.src[p.i]) {
		p.i++
	}
	n, err := strconv.Atoi(p.src[start:p.i])
	if err != nil {
		return 0, p.fail("expected a number of repetitions")
	}
	if n > maxRegexRepeat {
		return 0, p.fail("more than %d repetitions", maxRegexRepeat)
	}
	return n, nil
}

func (p *regexParser) complement() (*reNode, error) {
	if !p.accept('~') {
		return p.simple()
	}
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > MaxNesting {
		return nil, p.fail("groups nest too deep")
	}
	n, err := p.complement()
	return &reNode{kind: reComplement, parts: []*reNode{n}}, err
}

func (p *regexParser) simple() (*reNode, error) {
	if p.i >= len(p.src) {
		return nil, p.fail("the pattern ends where a character is expected")
	}
	switch c := p.src[p.i]; c {
	case '.':
		p.i++
		return &reNode{kind: reChars, set: anyRune}, nil
	case '#':
		p.i++
		return &reNode{kind: reNothing}, nil
	case '@':
		p.i++
		return &reNode{kind: reAnyString}, nil
	case '[':
		return p.class()
	case '"':
		return p.quoted()
	case '<':
		return p.interval()
	case '(':
		return p.group()
	case '\\':
		p.i++
		set, err := p.escape()
		return &reNode{kind: reChars, set: set}, err
	}
	return &reNode{kind: reChars, set: single(p.rune())}, nil
}

func (p *regexParser) group() (*reNode, error) {
	p.i++
	if p.accept(')') {
		return &reNode{kind: reEmpty}, nil
	}
	n, err := p.union()
	if err == nil && !p.accept(')') {
		err = p.fail("expected ')'")
	}
	return n, err
}

// quoted reads "text", in which every character stands for itself.
func (p *regexParser) quoted() (*reNode, error) {
	p.i++
	n := strings.IndexByte(p.src[p.i:], '"')
	if n < 0 {
		return nil, p.fail("expected a closing '\"'")
	}
	list := &reNode{kind: reConcat}
	for _, r := range p.src[p.i : p.i+n] {
		list.parts = append(list.parts, &reNode{kind: reChars, set: single(r)})
	}
	p.i += n + 1
	if len(list.parts) == 0 {
		return &reNode{kind: reEmpty}, nil
	}
	return list, nil
}

// interval reads <n-m>, a decimal number within bounds.
func (p *regexParser) interval() (*reNode, error) {
	n := strings.IndexByte(p.src[p.i:], '>')
	if n < 0 {
		return nil, p.fail("expected '>'")
	}
	lo, hi, ok := strings.Cut(p.src[p.i+1:p.i+n], "-")
	if !ok || !isDigits(lo) || !isDigits(hi) || len(lo) > 15 || len(hi) > 15 {
		return nil, p.fail("expected a range of numbers such as <1-100>")
	}
	p.i += n + 1
	a, _ := strconv.ParseInt(lo, 10, 64)
	b, _ := strconv.ParseInt(hi, 10, 64)
	width := 0
	if len(lo) == len(hi) {
		width = len(lo) // numbers have leading zeros, up to this width
	}
	if a > b {
		a, b = b, a
	}
	return numberRange(a, b, width), nil
}

func isDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}

// escape reads what follows a backslash.
func (p *regexParser) escape() (runeSet, error) {
	if p.i >= len(p.src) {
		return nil, p.fail("the pattern ends after a backslash")
	}
	switch r := p.rune(); r {
	case 'd':
		return digitSet, nil
	case 'D':
		return digitSet.negate(), nil
	case 's':
		return spaceSet, nil
	case 'S':
		return spaceSet.negate(), nil
	case 'w':
		return wordSet, nil
	case 'W':
		return wordSet.negate(), nil
	default:
		return single(r), nil
	}
}

// class reads [a-z] or [^a-z]. The first character is always a member.
func (p *regexParser) class() (*reNode, error) {
	p.i++
	negated := p.accept('^')
	var set runeSet
	for first := true; ; first = false {
		if p.i >= len(p.src) {
			return nil, p.fail("expected ']'")
		}
		if !first && p.accept(']') {
			break
		}
		member, err := p.classMember()
		if err != nil {
			return nil, err
		}
		set = set.union(member)
	}
	return &reNode{kind: reChars, set: set, negated: negated}, nil
}

func (p *regexParser) classMember() (runeSet, error) {
	set, err := p.classChar()
	if err != nil || len(set) != 1 || set[0].lo != set[0].hi || !p.peek('-') {
		return set, err
	}
	if p.i+1 >= len(p.src) || p.src[p.i+1] == ']' {
		return set, nil // a dash at the end stands for itself
	}
	p.i++
	end, err := p.classChar()
	if err != nil {
		return nil, err
	}
	if len(end) != 1 || end[0].lo != end[0].hi || end[0].lo < set[0].lo {
		return nil, p.fail("a range of characters ends before it begins")
	}
	return runeSet{{set[0].lo, end[0].lo}}, nil
}

func (p *regexParser) classChar() (runeSet, error) {
	if p.i >= len(p.src) {
		return nil, p.fail("expected ']'")
	}
	if p.accept('\\') {
		return p.escape()
	}
	return single(p.rune()), nil
}

// runeRange is a closed range of code points, runeSet an ordered list of
// disjoint ones.
type runeRange struct{ lo, hi rune }

type runeSet []runeRange

var (
	anyRune  = runeSet{{0, unicode.MaxRune}}
	digitSet = runeSet{{'0', '9'}}
	spaceSet = runeSet{{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}}
	wordSet  = runeSet{{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}}
)

func single(r rune) runeSet { return runeSet{{r, r}} }

func (s runeSet) union(t runeSet) runeSet {
	out := make(runeSet, 0, len(s)+len(t))
	for len(s) > 0 || len(t) > 0 {
		var next runeRange
		if len(t) == 0 || len(s) > 0 && s[0].lo <= t[0].lo {
			next, s = s[0], s[1:]
		} else {
			next, t = t[0], t[1:]
		}
		if n := len(out); n > 0 && next.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, next.hi)
		} else {
			out = append(out, next)
		}
	}
	return out
}

func (s runeSet) negate() runeSet {
	var out runeSet
	next := rune(0)
	for _, r := range s {
		if r.lo > next {
			out = append(out, runeRange{next, r.lo - 1})
		}
		next = r.hi + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, runeRange{next, unicode.MaxRune})
	}
	return out
}

func (s runeSet) contains(r rune) bool {
	for _, c := range s {
		if c.lo <= r && r <= c.hi {
			return true
		}
	}
	return false
}

// numberRange makes an expression for the decimal numbers from a to b. With a
// width, they have exactly that many digits; without, no leading zeros are
// demanded and any are allowed.
func numberRange(a, b int64, width int) *reNode {
	u := &reNode{kind: reUnion}
	for a <= b {
		// The longest block a…end that shares all but its last digits.
		step := int64(1)
		for (a > 0 || width > 0) && a%(step*10) == 0 && a+step*10-1 <= b {
			step *= 10
		}
		// Up to nine such blocks differ in one digit only.
		last := a + step - 1
		for last+step <= b && (last+step)/(step*10) == a/(step*10) {
			last += step
		}
		u.parts = append(u.parts, digitBlock(a, last, step, width))
		a = last + 1
	}
	return u
}

// digitBlock matches the numbers from a to last, which agree in the digits above
// step and take every value in those below.
func digitBlock(a, last, step int64, width int) *reNode {
	n := &reNode{kind: reConcat}
	digits := strconv.FormatInt(a, 10)
	if width > 0 {
		digits = strings.Repeat("0", max(0, width-len(digits))) + digits
	} else {
		n.parts = append(n.parts, &reNode{kind: reRepeat, parts: []*reNode{{kind: reChars, set: single('0')}}, max: -1})
	}
	low := len(strconv.FormatInt(step, 10)) - 1 // digits below step
	for i, c := range digits {
		switch place := len(digits) - 1 - i; {
		case place > low:
			n.parts = append(n.parts, &reNode{kind: reChars, set: single(c)})
		case place == low:
			n.parts = append(n.parts, &reNode{kind: reChars, set: runeSet{{c, c + rune((last-a)/step)}}})
		default:
			n.parts = append(n.parts, &reNode{kind: reChars, set: digitSet})
		}
	}
	return n
}

// translate writes an expression for the standard library's engine. It reports
// false where that has no such operator.
func translate(n *reNode) (string, bool) {
	var b strings.Builder
	ok := translateTo(&b, n)
	return b.String(), ok
}

func translateTo(b *strings.Builder, n *reNode) bool {
	switch n.kind {
	case reEmpty:
		b.WriteString("(?:)")
	case reNothing:
		b.WriteString(`[^\x{0}-\x{10FFFF}]`)
	case reAnyString:
		b.WriteString("(?:.*)")
	case reChars:
		translateSet(b, n.set, n.negated)
	case reConcat, reUnion:
		b.WriteString("(?:")
		for i, part := range n.parts {
			if i > 0 && n.kind == reUnion {
				b.WriteByte('|')
			}
			if !translateTo(b, part) {
				return false
			}
		}
		b.WriteByte(')')
	case reRepeat:
		b.WriteString("(?:")
		if !translateTo(b, n.parts[0]) {
			return false
		}
		b.WriteByte(')')
		b.WriteString(repetition(n.min, n.max))
	default:
		return false
	}
	return true
}

func repetition(least, most int) string {
	switch {
	case least == 0 && most == -1:
		return "*"
	case least == 1 && most == -1:
		return "+"
	case least == 0 && most == 1:
		return "?"
	case most == -1:
		return fmt.Sprintf("{%d,}", least)
	}
	return fmt.Sprintf("{%d,%d}", least, most)
}

func translateSet(b *strings.Builder, set runeSet, negated bool) {
	switch {
	case negated:
		b.WriteString("[^")
	case len(set) == 1 && set[0] == anyRune[0]:
		b.WriteByte('.')
		return
	case len(set) == 1 && set[0].lo == set[0].hi:
		b.WriteString(regexp.QuoteMeta(string(set[0].lo)))
		return
	default:
		b.WriteByte('[')
	}
	for _, r := range set {
		fmt.Fprintf(b, `\x{%x}-\x{%x}`, r.lo, r.hi)
	}
	b.WriteByte(']')
}
