package eql

// The parser for expressions, one function a level of precedence, loosest first.

import (
	"math"
	"slices"
	"strconv"

	"github.com/shrike-project/shrike/event"
)

// bad stands in for an expression that could not be parsed. It never leaves the
// parser: a query with problems is not handed out.
type bad struct{ span Span }

func (b *bad) Pos() Span { return b.span }

// parseExpr reads an expression. It always gives one, if need be a *bad.
func (p *parser) parseExpr() Expr {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > MaxNesting {
		t := p.tok()
		if !p.reported(TooNested) {
			p.problem(t.span, TooNested, "split the query into several rules", "the query nests deeper than %d levels", MaxNesting)
		}
		p.recover("]", "|")
		return &bad{t.span}
	}
	return p.parseLogic("or", func() Expr {
		return p.parseLogic("and", p.parseNot, func(list []Expr, s Span) Expr { return &And{Span: s, List: list} })
	}, func(list []Expr, s Span) Expr { return &Or{Span: s, List: list} })
}

// parseLogic reads operands joined by and, or by or.
func (p *parser) parseLogic(op string, operand func() Expr, join func([]Expr, Span) Expr) Expr {
	start := p.tok().span.Start
	first := operand()
	if !p.is(op) {
		return first
	}
	list := []Expr{first}
	for p.accept(op) {
		list = append(list, operand())
	}
	return join(list, p.spanFrom(start))
}

func (p *parser) parseNot() Expr {
	comment := p.tok().comment
	e := p.parseNegation()
	if comment != "" {
		if _, labelled := p.query.labels[e]; !labelled {
			p.query.labels[e] = label(comment)
		}
	}
	return e
}

func (p *parser) parseNegation() Expr {
	if !p.is("not") {
		return p.parseComparison()
	}
	p.depth++
	defer func() { p.depth-- }()
	start := p.advance().span.Start
	if p.depth > MaxNesting {
		return p.parseExpr() // which reports it
	}
	x := p.parseNegation()
	return &Not{Span: p.spanFrom(start), X: x}
}

var comparisons = []string{"==", "!=", "<", "<=", ">", ">="}

func (p *parser) isComparison() bool {
	return p.tok().kind == tokPunct && slices.Contains(comparisons, p.tok().text)
}

func (p *parser) parseComparison() Expr {
	start := p.tok().span.Start
	l := p.parseSum()
	if p.is("=") {
		p.problem(p.tok().span, SyntaxError, `compare with "=="; for text without regard to case use ":"`, "mismatched input '=' expecting '=='")
		p.advance()
		p.parseSum()
		return &bad{p.spanFrom(start)}
	}
	if !p.isComparison() {
		return l
	}
	op := p.advance().text
	r := p.parseSum()
	return &Compare{Span: p.spanFrom(start), Op: op, L: l, R: r}
}

func (p *parser) parseSum() Expr { return p.parseArith([]string{"+", "-"}, p.parseProduct) }

func (p *parser) parseProduct() Expr { return p.parseArith([]string{"*", "/", "%"}, p.parseUnary) }

func (p *parser) parseArith(ops []string, operand func() Expr) Expr {
	start := p.tok().span.Start
	l := operand()
	for p.tok().kind == tokPunct && slices.Contains(ops, p.tok().text) {
		op := p.advance().text
		r := operand()
		l = &Arith{Span: p.spanFrom(start), Op: op, L: l, R: r}
	}
	return l
}

// parseUnary reads signs. A sign before a number belongs to the number.
func (p *parser) parseUnary() Expr {
	if !p.is("-") && !p.is("+") {
		return p.parsePredicated()
	}
	p.depth++
	defer func() { p.depth-- }()
	sign := p.advance()
	if p.depth > MaxNesting {
		return p.parseExpr() // which reports it
	}
	x := p.parseUnary()
	span := p.spanFrom(sign.span.Start)
	lit, ok := x.(*Literal)
	switch {
	case sign.text == "+" && ok && lit.Value.IsNumber():
		return &Literal{Span: span, Value: lit.Value}
	case sign.text == "+":
		return x
	case ok && lit.Value.Kind() == event.Long && lit.Value.Long() != math.MinInt64:
		return &Literal{Span: span, Value: event.LongValue(-lit.Value.Long())}
	case ok && lit.Value.Kind() == event.Double:
		return &Literal{Span: span, Value: event.DoubleValue(-lit.Value.Float())}
	}
	return &Negate{Span: span, X: x}
}

var patternOps = []string{":", "like", "like~", "regex", "regex~"}

// parsePredicated reads a primary and the list or pattern test behind it.
func (p *parser) parsePredicated() Expr {
	start := p.tok().span.Start
	x := p.parsePrimary()
	switch t := p.tok(); {
	case p.is("in") || p.is("in~"):
		return p.parseIn(start, x)
	case p.is("not") && p.peek(1).kind == tokKeyword && (p.peek(1).text == "in" || p.peek(1).text == "in~"):
		p.advance()
		in := p.parseIn(start, x)
		return &Not{Span: in.Pos(), X: in}
	case p.is("not") && p.peek(1).kind == tokKeyword && slices.Contains(patternOps, p.peek(1).text):
		p.problem(t.span, SyntaxError, "write: not field "+p.peek(1).text+" \"…\"", "mismatched input 'not' expecting '%s'", p.peek(1).text)
		p.advance()
		return p.parsePattern(start, x)
	case (t.kind == tokKeyword || t.kind == tokPunct) && slices.Contains(patternOps, t.text):
		return p.parsePattern(start, x)
	}
	return x
}

func (p *parser) parseIn(start Pos, x Expr) Expr {
	in := &In{X: x, Fold: p.advance().text == "in~"}
	if !p.is("(") {
		p.unexpected("'('", `a list stands in parentheses: in ("a", "b")`)
		return p.giveUp(start)
	}
	p.advance()
	if p.is(")") {
		p.unexpected("a value", "a list has at least one element")
		p.advance()
		return &bad{p.spanFrom(start)}
	}
	in.List = p.parseExprList()
	p.closeParen()
	in.Span = p.spanFrom(start)
	return in
}

func (p *parser) parsePattern(start Pos, x Expr) Expr {
	pat := &Pattern{X: x, Op: p.advance().text}
	if !p.accept("(") {
		lit := p.parseConstant()
		if lit == nil {
			return p.giveUp(start)
		}
		pat.Patterns = []*Literal{lit}
		pat.Span = p.spanFrom(start)
		return pat
	}
	for {
		lit := p.parseConstant()
		if lit == nil {
			p.recover(")", "]", "|")
			p.accept(")")
			return &bad{p.spanFrom(start)}
		}
		pat.Patterns = append(pat.Patterns, lit)
		if !p.accept(",") {
			break
		}
	}
	p.closeParen()
	pat.Span = p.spanFrom(start)
	return pat
}

// parseConstant reads a constant, which may have signs; nil if there is none.
func (p *parser) parseConstant() *Literal {
	t := p.tok()
	if t.kind == tokInteger || t.kind == tokDecimal || t.kind == tokString || p.is("-") || p.is("+") || p.is("true") || p.is("false") || p.is("null") {
		if lit, ok := p.parseUnaryConstant().(*Literal); ok {
			return lit
		}
	}
	p.unexpected("a constant", "the right side of a pattern test is a string in double quotes, or a list of them")
	return nil
}

func (p *parser) parseUnaryConstant() Expr {
	if p.is("-") || p.is("+") {
		return p.parseUnary()
	}
	return p.parsePrimary()
}

// closeParen reads the parenthesis that ends a list, or goes on behind it.
func (p *parser) closeParen() {
	if p.accept(")") {
		return
	}
	hint := ""
	if p.tok().kind == tokString {
		hint = "elements of a list are separated by commas"
	}
	p.unexpected("')'", hint)
	p.recover(")", "]", "|")
	p.accept(")")
}

// giveUp skips what remains of a broken operand.
func (p *parser) giveUp(start Pos) Expr {
	p.recover("and", "or", ")", "]", "|", ",")
	return &bad{p.spanFrom(start)}
}

func (p *parser) parseExprList() []Expr {
	list := []Expr{p.parseExpr()}
	for p.accept(",") {
		if p.is(")") {
			p.unexpected("a value", "remove the comma before the closing parenthesis")
			break
		}
		list = append(list, p.parseExpr())
	}
	return list
}

func (p *parser) parsePrimary() Expr {
	t := p.tok()
	switch t.kind {
	case tokInteger, tokDecimal:
		p.advance()
		return &Literal{Span: t.span, Value: number(t)}
	case tokString:
		p.advance()
		return &Literal{Span: t.span, Value: event.StringValue(t.text)}
	case tokBad:
		p.advance()
		return &bad{t.span}
	case tokTildeIdent:
		if p.peek(1).kind == tokPunct && p.peek(1).text == "(" {
			return p.parseCall(true)
		}
		p.problem(t.span, SyntaxError, "~ after a name calls the function without regard to case: "+t.text+"~(…)", "mismatched input '%s~' expecting a function call", t.text)
		p.advance()
		return &bad{t.span}
	case tokIdent, tokQuotedIdent:
		return p.parseName()
	}
	switch {
	case p.is("true") || p.is("false"):
		p.advance()
		return &Literal{Span: t.span, Value: event.BoolValue(t.text == "true")}
	case p.is("null"):
		p.advance()
		return &Literal{Span: t.span}
	case p.is("("):
		return p.parseParens()
	case p.is("?"):
		return p.parseField()
	}
	p.unexpected("a value, a field or a function", primaryHint(t))
	return p.giveUp(t.span.Start)
}

func primaryHint(t *token) string {
	switch {
	case t.kind == tokEOF:
		return "the query ends too early"
	case t.kind == tokKeyword:
		return t.text + " is a keyword: write a field of that name in back quotes, `" + t.text + "`"
	case t.text == "[":
		return "an array index or a list in square brackets is not supported"
	}
	return ""
}

func number(t *token) event.Value {
	if t.kind == tokInteger {
		if n, err := strconv.ParseInt(t.text, 10, 64); err == nil {
			return event.LongValue(n)
		}
	}
	f, _ := strconv.ParseFloat(t.text, 64) // a range error gives infinity
	if math.IsInf(f, 0) {
		f = math.MaxFloat64
	}
	return event.DoubleValue(f)
}

func pipeCount(lit *Literal) (int64, bool) {
	n := lit.Value.Long()
	return n, lit.Value.Kind() == event.Long && n >= 0 && n <= math.MaxInt32
}

func (p *parser) parseParens() Expr {
	open := p.advance()
	x := p.parseExpr()
	if !p.accept(")") {
		p.unexpected("')'", p.itemHint())
		p.recover(")", "]", "|")
		p.accept(")")
	}
	setSpan(x, p.spanFrom(open.span.Start))
	return x
}

// setSpan widens an expression to the parentheses around it.
func setSpan(x Expr, s Span) {
	switch x := x.(type) {
	case *Literal:
		x.Span = s
	case *Field:
		x.Span = s
	case *And:
		x.Span = s
	case *Or:
		x.Span = s
	case *Not:
		x.Span = s
	case *Compare:
		x.Span = s
	case *Arith:
		x.Span = s
	case *Negate:
		x.Span = s
	case *In:
		x.Span = s
	case *Pattern:
		x.Span = s
	case *Call:
		x.Span = s
	}
}

// parseName reads what begins with a name: a function call or a field, or one of
// the constructs of other dialects, which are refused by name.
func (p *parser) parseName() Expr {
	t, next := p.tok(), p.peek(1)
	if t.kind == tokIdent && next.kind == tokPunct && next.text == "(" {
		return p.parseCall(false)
	}
	relation := t.text == "child" || t.text == "descendant" || t.text == "event"
	if relation && next.kind == tokKeyword && next.text == "of" {
		p.problem(Span{t.span.Start, next.span.End}, Unsupported, "use a sequence, or test process.parent fields", "Process relationships are not supported")
		p.advance()
		p.advance()
		p.recover("and", "or", ")", "|", "]")
		if p.is("]") {
			p.advance()
		}
		return &bad{p.spanFrom(t.span.Start)}
	}
	return p.parseField()
}

func (p *parser) parseField() Expr {
	start := p.tok().span.Start
	f := &Field{Optional: p.accept("?")}
	for {
		t := p.tok()
		if t.kind != tokIdent && t.kind != tokQuotedIdent {
			p.unexpected("a field name", primaryHint(t))
			return p.giveUp(start)
		}
		p.advance()
		f.Name += t.text
		if p.is("[") && p.peek(1).kind == tokInteger {
			p.arrayIndex(start)
			return &bad{p.spanFrom(start)}
		}
		if !p.accept(".") {
			break
		}
		f.Name += "."
	}
	f.Span = p.spanFrom(start)
	return f
}

func (p *parser) arrayIndex(start Pos) {
	p.recover("]", "|")
	p.accept("]")
	p.problem(p.spanFrom(start), Unsupported, "a field stands for any of its values: test it without an index", "Array indexes are not supported")
	for p.accept(".") {
		p.advance()
	}
}

func (p *parser) parseCall(fold bool) Expr {
	name := p.advance()
	c := &Call{Name: name.text, Fold: fold}
	p.advance()
	if !p.is(")") {
		c.Args = p.parseExprList()
	}
	p.closeParen()
	c.Span = p.spanFrom(name.span.Start)
	return c
}
