package eql

// Printing: a query as text that parses to the same tree.

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/shrike-project/shrike/event"
)

// String gives the query as text on one line, without comments. Parsing it gives
// the same tree.
func (q *Query) String() string {
	var b strings.Builder
	switch {
	case q.Event != nil:
		b.WriteString(q.Event.String())
	case q.Sequence != nil:
		q.Sequence.print(&b)
	case q.Sample != nil:
		q.Sample.print(&b)
	}
	for _, p := range q.Pipes {
		fmt.Fprintf(&b, " | %s %d", p.Name, p.Count)
	}
	return b.String()
}

// String gives the event query as text.
func (q *EventQuery) String() string {
	category := "any"
	if !q.Any {
		category = categoryText(q.Category)
	}
	return category + " where " + Format(q.Where)
}

func categoryText(c string) string {
	if isPlainName(c) {
		return c
	}
	return quote(c)
}

func (s *Sequence) print(b *strings.Builder) {
	b.WriteString("sequence")
	printBy(b, s.By)
	if s.MaxSpan > 0 {
		b.WriteString(" with maxspan=" + formatSpan(s.MaxSpan))
	}
	for i := range s.Items {
		s.Items[i].print(b)
	}
	if s.Until != nil {
		b.WriteString(" until")
		s.Until.print(b)
	}
}

func (s *Sample) print(b *strings.Builder) {
	b.WriteString("sample")
	printBy(b, s.By)
	for i := range s.Items {
		s.Items[i].print(b)
	}
}

func (it *Item) print(b *strings.Builder) {
	open := " ["
	if it.Missing {
		open = " !["
	}
	b.WriteString(open + it.Query.String() + "]")
	printBy(b, it.By)
	if it.Runs > 1 {
		fmt.Fprintf(b, " with runs=%d", it.Runs)
	}
}

func printBy(b *strings.Builder, keys []*Field) {
	for i, k := range keys {
		if i == 0 {
			b.WriteString(" by ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(Format(k))
	}
}

// formatSpan writes a time in the largest unit that divides it.
func formatSpan(d time.Duration) string {
	for _, unit := range []string{"d", "h", "m", "s"} {
		if u := timeUnits[unit]; d%u == 0 {
			return strconv.FormatInt(int64(d/u), 10) + unit
		}
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
}

// The levels of precedence, loosest first.
const (
	levelOr = iota + 1
	levelAnd
	levelNot
	levelCompare
	levelSum
	levelProduct
	levelUnary
	levelPredicate
	levelPrimary
)

func level(e Expr) int {
	switch e := e.(type) {
	case *Or:
		return levelOr
	case *And:
		return levelAnd
	case *Not:
		if _, ok := e.X.(*In); ok {
			return levelPredicate // f not in (…)
		}
		return levelNot
	case *Compare:
		return levelCompare
	case *Arith:
		if e.Op == "+" || e.Op == "-" {
			return levelSum
		}
		return levelProduct
	case *Negate:
		return levelUnary
	case *Literal:
		if e.Value.IsNumber() && math.Signbit(e.Value.Float()) {
			return levelUnary
		}
		return levelPrimary
	case *In, *Pattern:
		return levelPredicate
	}
	return levelPrimary
}

// Format gives an expression as text that parses to the same tree.
func Format(e Expr) string {
	p := printer{}
	p.expr(e, levelOr)
	return p.b.String()
}

type printer struct{ b strings.Builder }

// expr prints e, in parentheses if it binds more loosely than least.
func (p *printer) expr(e Expr, least int) {
	if level(e) < least {
		p.b.WriteByte('(')
		defer p.b.WriteByte(')')
	}
	switch e := e.(type) {
	case *Literal:
		p.b.WriteString(formatLiteral(e.Value))
	case *Field:
		p.field(e)
	case *Or:
		p.list(e.List, " or ", levelAnd)
	case *And:
		p.list(e.List, " and ", levelNot)
	case *Not:
		p.not(e)
	case *Compare:
		p.binary(e.L, e.Op, e.R, levelSum, levelSum)
	case *Arith:
		p.binary(e.L, e.Op, e.R, level(e), level(e)+1)
	case *Negate:
		p.b.WriteByte('-')
		p.expr(e.X, levelPredicate)
	case *In:
		p.in(e, "")
	case *Pattern:
		p.pattern(e)
	case *Call:
		p.call(e)
	}
}

func (p *printer) list(list []Expr, sep string, least int) {
	for i, e := range list {
		if i > 0 {
			p.b.WriteString(sep)
		}
		p.expr(e, least)
	}
}

func (p *printer) not(e *Not) {
	if in, ok := e.X.(*In); ok {
		p.in(in, "not ")
		return
	}
	p.b.WriteString("not ")
	p.expr(e.X, levelNot)
}

func (p *printer) binary(l Expr, op string, r Expr, left, right int) {
	p.expr(l, left)
	p.b.WriteString(" " + op + " ")
	p.expr(r, right)
}

func (p *printer) in(e *In, not string) {
	p.expr(e.X, levelPrimary)
	op := "in"
	if e.Fold {
		op = "in~"
	}
	p.b.WriteString(" " + not + op + " (")
	p.list(e.List, ", ", levelOr)
	p.b.WriteByte(')')
}

func (p *printer) pattern(e *Pattern) {
	p.expr(e.X, levelPrimary)
	p.b.WriteString(" " + e.Op + " ")
	if len(e.Patterns) == 1 {
		p.b.WriteString(formatLiteral(e.Patterns[0].Value))
		return
	}
	for i, lit := range e.Patterns {
		if i == 0 {
			p.b.WriteByte('(')
		} else {
			p.b.WriteString(", ")
		}
		p.b.WriteString(formatLiteral(lit.Value))
	}
	p.b.WriteByte(')')
}

func (p *printer) call(e *Call) {
	p.b.WriteString(e.Name)
	if e.Fold {
		p.b.WriteByte('~')
	}
	p.b.WriteByte('(')
	p.list(e.Args, ", ", levelOr)
	p.b.WriteByte(')')
}

func (p *printer) field(e *Field) {
	if e.Optional {
		p.b.WriteByte('?')
	}
	p.b.WriteString(FormatField(e.Name))
}

// FormatField writes a field name as a query has to: parts that are keywords or
// hold odd characters in back quotes.
func FormatField(name string) string {
	parts := strings.Split(name, ".")
	for i, part := range parts {
		switch {
		case part == "": // a dot that does not separate: quote the name as a whole
			return quoteName(name)
		case !isPlainName(part):
			parts[i] = quoteName(part)
		}
	}
	return strings.Join(parts, ".")
}

func quoteName(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }

func isPlainName(s string) bool {
	if s == "" || !isIdentStart(s[0]) || isKeyword(s) {
		return false
	}
	for i := 1; i < len(s); i++ {
		if !isIdentPart(s[i]) {
			return false
		}
	}
	return true
}

func formatLiteral(v event.Value) string {
	switch v.Kind() {
	case event.String:
		return quote(v.Str())
	case event.Double:
		s := strconv.FormatFloat(v.Float(), 'g', -1, 64)
		if !strings.ContainsAny(s, ".e") {
			s += ".0"
		}
		return s
	}
	return v.Text()
}

// quote writes a string in the form that is easiest to read: raw where it holds
// backslashes and a raw string can hold it, else with escapes.
func quote(s string) string {
	if strings.Contains(s, `\`) && canBeRaw(s) {
		return `"""` + s + `"""`
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == utf8.RuneError && size == 1:
			b.WriteByte(s[i]) // broken UTF-8 goes through the lexer as it is
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\u{%04x}`, r)
		default:
			b.WriteRune(r)
		}
		i += size
	}
	b.WriteByte('"')
	return b.String()
}

func canBeRaw(s string) bool {
	if strings.Contains(s, `"""`) || strings.HasPrefix(s, `"`) || strings.HasSuffix(s, `"`) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return utf8.ValidString(s)
}
