package eql

// The parser for queries: categories, sequences, samples and pipes. Expressions
// are in parser_expr.go.

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// MaxNesting is how deep expressions may nest.
const MaxNesting = 400

// Parse reads a query. The error is of type Problems and holds everything wrong
// with the syntax, as far as the parser could go on after each fault.
func Parse(source string) (*Query, error) {
	p := newParser(source)
	defer p.close()
	p.parseQuery()
	slices.SortStableFunc(p.problems, func(a, b Problem) int { return a.Span.Start.Offset - b.Span.Start.Offset })
	if len(p.problems) > 0 {
		return nil, p.problems
	}
	return p.query, nil
}

// ParseExpr reads a lone expression, without category and "where".
func ParseExpr(source string) (Expr, error) {
	p := newParser(source)
	defer p.close()
	e := p.parseExpr()
	p.expectEnd()
	if len(p.problems) > 0 {
		return nil, p.problems
	}
	return e, nil
}

type parser struct {
	query    *Query
	tokens   []token
	i        int
	depth    int
	problems Problems
}

// tokenLists are lists of tokens to be used again, as *[]token. Nothing that is parsed refers
// to them.
var tokenLists sync.Pool

// maxTokensKept is the longest list that is used again.
const maxTokensKept = 1 << 14

func newParser(source string) *parser {
	list, _ := tokenLists.Get().(*[]token)
	if list == nil {
		list = new([]token)
	}
	p := &parser{query: &Query{Source: source, labels: map[Expr]string{}}}
	p.tokens, p.problems = lex(source, *list)
	return p
}

// close gives the tokens back.
func (p *parser) close() {
	if cap(p.tokens) <= maxTokensKept {
		clear(p.tokens)
		list := p.tokens[:0]
		tokenLists.Put(&list)
	}
}

func (p *parser) tok() *token { return &p.tokens[p.i] }

func (p *parser) peek(n int) *token { return &p.tokens[min(p.i+n, len(p.tokens)-1)] }

func (p *parser) advance() *token {
	t := &p.tokens[p.i]
	if t.kind != tokEOF {
		p.i++
	}
	return t
}

// is reports whether the current token is the given keyword or punctuation.
func (p *parser) is(text string) bool {
	t := p.tok()
	return (t.kind == tokKeyword || t.kind == tokPunct) && t.text == text
}

// isWord reports whether the current token is a plain word that is a keyword
// only in this place.
func (p *parser) isWord(text string) bool {
	t := p.tok()
	return t.kind == tokIdent && t.text == text
}

func (p *parser) accept(text string) bool {
	if p.is(text) {
		p.advance()
		return true
	}
	return false
}

func (p *parser) problem(span Span, code Code, hint, format string, args ...any) {
	p.problems = append(p.problems, Problem{Span: span, Code: code, Message: fmt.Sprintf(format, args...), Hint: hint})
}

// unexpected reports the current token, unless the lexer has done so already.
func (p *parser) unexpected(expecting, hint string) {
	t := p.tok()
	if p.reported(TooNested) {
		return
	}
	for _, q := range p.problems {
		if q.Span.Start.Offset == t.span.Start.Offset && (t.kind == tokBad || q.Code == SyntaxError) {
			return
		}
	}
	p.problem(t.span, SyntaxError, hint, "mismatched input %s expecting %s", p.describe(t), expecting)
}

func (p *parser) describe(t *token) string {
	if t.kind == tokEOF {
		return "'<EOF>'"
	}
	return "'" + t.span.Text(p.query.Source) + "'"
}

func (p *parser) expect(text string) bool {
	if p.accept(text) {
		return true
	}
	p.unexpected("'"+text+"'", "")
	return false
}

// spanFrom gives the span from start to the end of the last token read.
func (p *parser) spanFrom(start Pos) Span {
	end := start
	if p.i > 0 {
		end = p.tokens[p.i-1].span.End
	}
	if end.Offset < start.Offset {
		end = start
	}
	return Span{start, end}
}

// recover skips to the next token at which parsing can go on: one of the stops,
// outside of any bracket that opens on the way.
func (p *parser) recover(stops ...string) {
	depth := 0
	for t := p.tok(); t.kind != tokEOF; t = p.tok() {
		if depth == 0 && (t.kind == tokKeyword || t.kind == tokPunct) && slices.Contains(stops, t.text) {
			return
		}
		switch {
		case p.is("(") || p.is("[") || p.is("!["):
			depth++
		case p.is(")") || p.is("]"):
			depth = max(0, depth-1)
		}
		p.advance()
	}
}

func (p *parser) expectEnd() {
	if p.tok().kind == tokEOF {
		return
	}
	t := p.tok()
	if t.kind != tokBad {
		p.problem(t.span, SyntaxError, p.trailingHint(), "extraneous input %s expecting <EOF>", p.describe(t))
	}
}

// trailingHint guesses why something stands behind a complete query.
func (p *parser) trailingHint() string {
	switch {
	case p.is("="):
		return `compare with "=="; for text without regard to case use ":"`
	case p.is(")") || p.is("]"):
		return "this bracket was never opened"
	case p.isComparison():
		return "comparisons do not chain: join two of them with and"
	case p.isWord("fork"):
		return "fork is not part of Elasticsearch EQL"
	case p.tok().kind == tokIdent:
		return "keywords are lower case; a value needs double quotes"
	}
	return ""
}

func (p *parser) parseQuery() {
	switch {
	case p.tok().kind == tokEOF:
		p.unexpected("a query", "write a query such as: process where process.name : \"cmd.exe\"")
		return
	case p.is("sequence"):
		p.parseSequence()
	case p.is("sample"):
		p.parseSample()
	case p.is("join"):
		p.problem(p.tok().span, Unsupported, `use "sequence", or "sample" where the order does not matter`, "JOIN command is not supported")
		return
	default:
		p.query.Event = p.parseEventQuery()
	}
	before := len(p.problems)
	for p.is("|") {
		p.parsePipe()
	}
	if len(p.problems) == before {
		p.expectEnd()
	}
}

func (p *parser) parseEventQuery() *EventQuery {
	start := p.tok().span.Start
	q := &EventQuery{}
	switch t := p.tok(); {
	case t.kind == tokKeyword && t.text == "any":
		q.Any = true
		p.advance()
	case t.kind == tokIdent || t.kind == tokString:
		q.Category = t.text
		p.advance()
	case t.kind == tokQuotedIdent:
		p.problem(t.span, SyntaxError, "write an event category in double quotes", "mismatched input %s expecting an event category", p.describe(t))
		p.advance()
	default:
		p.unexpected("an event category", `begin with a category such as "process", or with "any"`)
	}
	if p.is(".") {
		p.problem(p.tok().span, SyntaxError, "put a category with dots into double quotes", "mismatched input '.' expecting 'where'")
		p.recover("where", "]", "|")
	}
	if !p.is("where") {
		p.unexpected("'where'", whereHint(p.tok()))
		p.recover("where", "]", "|")
	}
	if p.accept("where") {
		q.Where = p.parseExpr()
	}
	q.Span = p.spanFrom(start)
	return q
}

func whereHint(t *token) string {
	if strings.EqualFold(t.text, "where") {
		return "keywords are lower case"
	}
	return "an event query has the form: category where condition"
}

func (p *parser) parseSequence() {
	start := p.advance().span.Start
	s := &Sequence{By: p.parseBy()}
	p.query.Sequence = s
	if p.is("with") {
		p.parseWithMaxSpan(s)
	}
	if p.is("by") {
		p.problem(p.tok().span, SyntaxError, "write: sequence by … with maxspan=…", "Please specify sequence [by] before [with] not after")
		p.parseBy()
	}
	for p.is("[") || p.is("![") {
		s.Items = append(s.Items, p.parseItem(true))
	}
	if p.accept("until") {
		if p.is("![") {
			p.problem(p.tok().span, Unsupported, "remove the exclamation mark", "until cannot be a missing event")
		}
		if p.is("[") || p.is("![") {
			it := p.parseItem(false)
			s.Until = &it
		} else {
			p.unexpected("'['", "until takes an event query in brackets")
		}
	}
	s.Span = p.spanFrom(start)
	p.checkSequence(s)
}

func (p *parser) parseWithMaxSpan(s *Sequence) {
	p.advance()
	if !p.accept("maxspan") {
		p.unexpected("'maxspan'", "write: with maxspan=30s")
		p.recover("[", "![", "|", "until")
		return
	}
	if !p.expect("=") {
		p.recover("[", "![", "|", "until")
		return
	}
	s.MaxSpan = p.parseDuration()
}

var timeUnits = map[string]time.Duration{
	"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
}

func (p *parser) parseDuration() time.Duration {
	t := p.tok()
	if t.kind != tokInteger && t.kind != tokDecimal {
		p.unexpected("INTEGER_VALUE", "write a whole number and a unit, such as 30s")
		p.recover("[", "![", "|", "until", "by")
		return 0
	}
	p.advance()
	span, unit := t.span, ""
	if u := p.tok(); u.kind == tokIdent {
		p.advance()
		span.End, unit = u.span.End, u.text
	}
	text := span.Text(p.query.Source)
	n, err := strconv.ParseInt(t.text, 10, 64)
	switch {
	case t.kind == tokDecimal:
		p.problem(span, BadSpan, "", "Decimal time interval [%s] not supported; please use an positive integer", strings.TrimSuffix(text, unit))
	case unit == "":
		p.problem(span, BadSpan, "", "No time unit specified, did you mean [s] as in [%ss]?", t.text)
	case timeUnits[unit] == 0:
		p.problem(span, BadSpan, "", "Unrecognized time unit [%s] in [%s], please specify one of [ms, s, m, h, d]", unit, text)
	case n == 0 && err == nil:
		p.problem(span, BadSpan, "", "A positive maxspan value is required; found [%s]", text)
	case err != nil || n > int64((1<<63-1)/timeUnits[unit]):
		p.problem(span, BadSpan, "the longest time is about 290 years", "maxspan [%s] is too long", text)
	default:
		return time.Duration(n) * timeUnits[unit]
	}
	return 0
}

// parseBy reads "by a, b" if it is there.
func (p *parser) parseBy() []*Field {
	if !p.accept("by") {
		return nil
	}
	var keys []*Field
	for {
		e := p.parseExpr()
		switch e := e.(type) {
		case *Field:
			keys = append(keys, e)
		case nil, *bad:
		default:
			p.problem(e.Pos(), BadJoinKey, "name the fields whose values have to be equal", "only fields may be join keys, found [%s]", e.Pos().Text(p.query.Source))
		}
		if !p.accept(",") {
			return keys
		}
	}
}

// parseItem reads "[query] by …", for a sequence also "with runs=n".
func (p *parser) parseItem(sequence bool) Item {
	open := p.advance()
	it := Item{Missing: open.text == "![", Runs: 1}
	it.Query = *p.parseEventQuery()
	if !p.accept("]") {
		p.unexpected("']'", p.itemHint())
		p.recover("]", "|")
		p.accept("]")
	}
	it.By = p.parseBy()
	if sequence && p.is("with") {
		it.Runs = p.parseRuns()
	}
	it.Span = p.spanFrom(open.span.Start)
	return it
}

func (p *parser) itemHint() string {
	if p.is("=") {
		return `compare with "=="; for text without regard to case use ":"`
	}
	return ""
}

func (p *parser) parseRuns() int {
	start := p.advance().span.Start
	if !p.isWord("runs") {
		p.unexpected("'runs'", "an item takes: with runs=3")
		p.recover("[", "![", "|", "until")
		return 1
	}
	p.advance()
	if !p.expect("=") {
		p.recover("[", "![", "|", "until")
		return 1
	}
	t := p.tok()
	if t.kind != tokInteger {
		p.unexpected("INTEGER_VALUE", "runs takes a whole number from 1 to 100")
		p.recover("[", "![", "|", "until")
		return 1
	}
	p.advance()
	n, err := strconv.Atoi(t.text)
	switch {
	case err != nil || n > 100:
		p.problem(p.spanFrom(start), BadRuns, "", "A query cannot be repeated more than a maximum of 100 times; found [%s]", t.text)
	case n < 1:
		p.problem(p.spanFrom(start), BadRuns, "", "a positive runs value is required; found [%s]", t.text)
	default:
		return n
	}
	return 1
}

func (p *parser) checkSequence(s *Sequence) {
	if p.reported(SyntaxError) || p.reported(BadToken) {
		return // what the items are is not certain
	}
	queries, positive := 0, 0
	var missing *Item
	for i := range s.Items {
		it := &s.Items[i]
		queries += it.Runs
		if it.Missing {
			missing = it
		} else {
			positive += it.Runs
		}
	}
	switch {
	case queries < 2:
		p.problem(s.Span, BadItems, "add a second item in brackets, or repeat the first one: with runs=2", "A sequence requires a minimum of 2 queries, found [%d]", queries)
	case positive == 0:
		p.problem(s.Span, BadItems, "at least one item has to stand in [ ] instead of ![ ]", "A sequence requires at least one positive query; found only missing events")
	case missing != nil && s.MaxSpan == 0 && !p.reported(BadSpan):
		p.problem(missing.Span, BadSpan, "an absence needs a time: sequence with maxspan=1m …", "Missing events need maxspan")
	}
	items := p.query.Items()
	p.checkKeyCount(len(s.By), items)
}

func (p *parser) reported(code Code) bool {
	return slices.ContainsFunc(p.problems, func(q Problem) bool { return q.Code == code })
}

// checkKeyCount holds every item to the number of join keys of the first.
func (p *parser) checkKeyCount(shared int, items []*Item) {
	if len(items) == 0 || p.reported(BadJoinKey) || p.reported(SyntaxError) {
		return
	}
	want := shared + len(items[0].By)
	for _, it := range items[1:] {
		if got := shared + len(it.By); got != want {
			p.problem(it.Span, BadJoinKey, "every item, until included, has as many keys as the first", "Inconsistent number of join keys specified; expected [%d] but found [%d]", want, got)
		}
	}
}

func (p *parser) parseSample() {
	start := p.advance().span.Start
	s := &Sample{By: p.parseBy()}
	p.query.Sample = s
	if p.is("with") {
		p.problem(p.tok().span, SyntaxError, "a sample has no order in time, hence no maxspan", "mismatched input 'with' expecting '['")
		p.recover("[", "![", "|")
	}
	for p.is("[") || p.is("![") {
		if p.is("![") {
			p.problem(p.tok().span, Unsupported, "use a sequence with maxspan for missing events", "Samples do not support missing events")
		}
		s.Items = append(s.Items, p.parseItem(false))
	}
	s.Span = p.spanFrom(start)
	if p.is("until") {
		p.problem(p.tok().span, SyntaxError, "a sample has no order in time, hence no until", "extraneous input 'until' expecting <EOF>")
		p.recover("|")
	}
	if p.is("|") {
		p.problem(p.tok().span, BadPipe, "limit the number of samples by the size of the request", "Samples do not support pipes: pipes not supported")
		p.recover()
	}
	switch n := len(s.Items); {
	case n < 2:
		p.problem(s.Span, BadItems, "add a second item in brackets", "A sample requires a minimum of 2 queries, found [%d]", n)
	case n > 5:
		p.problem(s.Span, BadItems, "a sample takes at most five items", "A sample cannot contain more than 5 queries: too many queries, found [%d]", n)
	case len(s.By)+len(s.Items[0].By) == 0:
		p.problem(s.Span, BadJoinKey, "write: sample by host.id …", "A sample needs a join key")
	}
	p.checkKeyCount(len(s.By), p.query.Items())
}

var absentPipes = []string{"count", "filter", "sort", "unique", "unique_count"}

// parsePipe reads "| name arguments".
func (p *parser) parsePipe() {
	start := p.advance().span.Start
	name := p.tok()
	if name.kind != tokIdent {
		p.unexpected("a pipe name", "the pipes are head and tail")
		p.recover("|")
		return
	}
	p.advance()
	span := p.spanFrom(start)
	switch {
	case slices.Contains(absentPipes, name.text):
		p.problem(span, BadPipe, "the pipes are head and tail", "Pipe [%s] is not supported", name.text)
		p.recover("|")
		return
	case name.text != "head" && name.text != "tail":
		p.problem(span, BadPipe, "the pipes are head and tail", "Unrecognized pipe [%s]%s", name.text, didYouMean(name.text, append([]string{"head", "tail"}, absentPipes...)))
		p.recover("|")
		return
	}
	var args []Expr
	if p.tok().kind != tokEOF && !p.is("|") {
		args = p.parseExprList()
	}
	span = p.spanFrom(start)
	if slices.ContainsFunc(args, func(e Expr) bool { _, isBad := e.(*bad); return isBad }) {
		return
	}
	if len(args) != 1 {
		p.problem(span, BadPipe, fmt.Sprintf("write: | %s 10", name.text), "Pipe [%s] expects exactly one argument but found [%d]", name.text, len(args))
		return
	}
	text := args[0].Pos().Text(p.query.Source)
	lit, ok := args[0].(*Literal)
	if n := int64(-1); ok {
		if n, ok = pipeCount(lit); ok {
			p.query.Pipes = append(p.query.Pipes, Pipe{Span: span, Name: name.text, Count: int(n)})
			return
		}
	}
	p.problem(args[0].Pos(), BadPipe, fmt.Sprintf("write: | %s 10", name.text), "Pipe [%s] expects a positive integer but found [%s]", name.text, text)
}
