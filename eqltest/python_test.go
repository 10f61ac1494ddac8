package eqltest_test

// The suites of the original Python engine. Its dialect is another one: the
// runner translates what has an equivalent and skips, by name and reason, what
// has none.

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
)

type foldTest struct {
	Expression string
	Expected   any
}

type foldGroup struct {
	Description     string
	CaseSensitive   bool                       `toml:"case_sensitive"`
	CaseInsensitive bool                       `toml:"case_insensitive"`
	Fold            struct{ Tests []foldTest } `toml:"fold"`
	Verifier        struct{ Failures []foldTest }
	Loop            []struct {
		Param struct {
			Type []string
			Name string
		}
		Fold struct{ Tests []foldTest }
	}
}

// foldGroups reads a file of groups; none if it holds something else.
func foldGroups(text []byte) (map[string]foldGroup, error) {
	var groups map[string]any
	if err := toml.Unmarshal(text, &groups); err != nil {
		return nil, err
	}
	for _, g := range groups {
		if _, ok := g.(map[string]any); !ok {
			return nil, nil
		}
	}
	if _, ok := groups["schema"]; ok || len(groups) == 0 {
		return nil, nil
	}
	var typed map[string]foldGroup
	return typed, toml.Unmarshal(text, &typed)
}

var (
	pythonRaw    = regexp.MustCompile(`\?'([^'\n]*)'|\?"([^"\n]*)"`)
	pythonSingle = regexp.MustCompile(`'((?:[^'\\\n]|\\.)*)'`)
	pythonEquals = regexp.MustCompile(`([^=!<>])=([^=]|$)`)
)

// translateText rewrites what the Python dialect merely writes otherwise.
func translateText(s string) string {
	s = pythonRaw.ReplaceAllString(s, `"""$1$2"""`)
	s = pythonSingle.ReplaceAllStringFunc(s, func(q string) string {
		return `"` + strings.ReplaceAll(q[1:len(q)-1], `"`, `\"`) + `"`
	})
	parts := strings.Split(s, `"`) // every second part is outside of strings
	for i := 0; i < len(parts); i += 2 {
		parts[i] = pythonEquals.ReplaceAllString(parts[i], "$1==$2")
		parts[i] = strings.NewReplacer("maxspan==", "maxspan=", "fork==", "fork=").Replace(parts[i])
	}
	return strings.Join(parts, `"`)
}

// pythonOnly names the constructs Elasticsearch does not have.
var pythonOnly = []struct{ text, reason string }{
	{"| unique", "pipe unique exists only in the Python dialect"},
	{"| count", "pipe count exists only in the Python dialect"},
	{"| filter", "pipe filter exists only in the Python dialect"},
	{"| sort", "pipe sort exists only in the Python dialect"},
	{" of [", "process relationships exist only in the Python dialect"},
	{"join", "join exists only in the Python dialect"},
	{"fork", "fork exists only in the Python dialect"},
	{"match", "match and matchLite exist only in the Python dialect"},
	{"array", "array functions exist only in the Python dialect"},
	{"safe(", "safe exists only in the Python dialect"},
	{"_list", "array indexes exist only in the Python dialect"},
	{"):", "method calls exist only in the Python dialect"},
	{":length(", "method calls exist only in the Python dialect"},
	{":concat(", "method calls exist only in the Python dialect"},
	{"* 2", ""},
}

func pythonSkip(query string) string {
	for _, p := range pythonOnly {
		if p.reason != "" && strings.Contains(query, p.text) {
			return p.reason
		}
	}
	return ""
}

// pythonModes gives the case modes a vector is for: sensitive, insensitive.
func pythonModes(sensitive, insensitive bool) []bool {
	switch {
	case sensitive:
		return []bool{false}
	case insensitive:
		return []bool{true}
	}
	return []bool{false, true}
}

func runPythonQueries(c *tally, path string, vectors []queryVector) {
	ds, err := loadDataSet(path)
	if err != nil {
		c.fail("data", "%v", err)
		return
	}
	for i, v := range vectors {
		name := fmt.Sprintf("query %d", i+1)
		if reason := pythonSkip(v.Query); reason != "" {
			c.skip(name, reason)
			continue
		}
		q, err := eql.Parse(translateText(v.Query))
		if err != nil {
			if strings.Contains(err.Error(), "join keys") {
				c.skip(name, "expressions as join keys exist only in the Python dialect")
			} else {
				c.fail(name, "%v\n%s", err, v.Query)
			}
			continue
		}
		for _, fold := range pythonModes(v.CaseSensitive, v.CaseInsensitive) {
			runPythonQuery(c, fmt.Sprintf("%s fold=%v", name, fold), q, v, ds, fold)
		}
	}
}

func runPythonQuery(c *tally, name string, q *eql.Query, v queryVector, ds *dataSet, fold bool) {
	again, err := eql.Parse(q.Source)
	if err != nil {
		c.fail(name, "%v", err)
		return
	}
	p := pythonDialect{fold: fold, types: ds.types}
	for _, eq := range again.EventQueries() {
		eq.Where = p.whole(eq.Where)
	}
	if p.reason != "" {
		c.skip(name, p.reason)
		return
	}
	runQuery(c, name, again, v, ds)
}

// pythonDialect rewrites expressions so that they mean what they mean in Python.
type pythonDialect struct {
	fold   bool
	types  *event.Types // nil: fields have the types of their values
	reason string       // why it cannot
}

// whole makes a condition a single leaf, for there logic has three values, as it
// has everywhere in the Python dialect.
func (p *pythonDialect) whole(e eql.Expr) eql.Expr {
	return &eql.Compare{Op: "==", L: &eql.Call{Name: "string", Args: []eql.Expr{p.rewrite(e)}}, R: &eql.Literal{Value: event.StringValue("true")}}
}

func (p *pythonDialect) rewrite(e eql.Expr) eql.Expr {
	switch e := e.(type) {
	case *eql.And:
		return &eql.And{List: p.list(e.List)}
	case *eql.Or:
		return &eql.Or{List: p.list(e.List)}
	case *eql.Not:
		return &eql.Not{X: p.rewrite(e.X)}
	case *eql.Compare:
		return p.compare(e)
	case *eql.Arith:
		return &eql.Arith{Op: e.Op, L: p.rewrite(e.L), R: p.rewrite(e.R)}
	case *eql.Negate:
		return &eql.Negate{X: p.rewrite(e.X)}
	case *eql.In:
		return p.in(e)
	case *eql.Call:
		return p.call(e)
	}
	return e
}

// in becomes a chain of comparisons, each with the dialect's idea of equality.
func (p *pythonDialect) in(e *eql.In) eql.Expr {
	if len(e.List) == 1 {
		return p.compare(&eql.Compare{Op: "==", L: e.X, R: e.List[0]})
	}
	or := &eql.Or{}
	for _, elem := range e.List {
		or.List = append(or.List, p.compare(&eql.Compare{Op: "==", L: e.X, R: elem}))
	}
	return or
}

func (p *pythonDialect) list(list []eql.Expr) []eql.Expr {
	out := make([]eql.Expr, len(list))
	for i, e := range list {
		out[i] = p.rewrite(e)
	}
	return out
}

func allStrings(list []eql.Expr) bool {
	for _, e := range list {
		lit, ok := e.(*eql.Literal)
		if !ok || lit.Value.Kind() != event.String {
			return false
		}
	}
	return true
}

func isNull(e eql.Expr) bool {
	lit, ok := e.(*eql.Literal)
	return ok && lit.Value.IsNull()
}

func isString(e eql.Expr) bool { return allStrings([]eql.Expr{e}) }

func (p *pythonDialect) compare(e *eql.Compare) eql.Expr {
	l, r := p.rewrite(e.L), p.rewrite(e.R)
	if isNull(l) || isNull(r) {
		return &eql.Compare{Op: e.Op, L: l, R: r}
	}
	if isString(l) && !isString(r) && (e.Op == "==" || e.Op == "!=") {
		l, r = r, l
	}
	if e.Op != "==" && e.Op != "!=" {
		if p.fold && (isString(l) || isString(r)) && hasLetters(l, r) {
			p.reason = "order of text without regard to case exists only in the Python dialect"
		}
		if _, ok := l.(*eql.Field); ok && p.fold {
			if _, ok := r.(*eql.Field); ok {
				p.reason = "order of text without regard to case exists only in the Python dialect"
			}
		}
		return &eql.Compare{Op: e.Op, L: l, R: r}
	}
	var out eql.Expr = &eql.Compare{Op: "==", L: l, R: r}
	if lit, ok := r.(*eql.Literal); ok && lit.Value.Kind() == event.String {
		switch {
		case strings.Contains(lit.Value.Str(), "?") && strings.Contains(lit.Value.Str(), "*"):
			p.reason = "\"?\" is no wildcard in the Python dialect"
		case strings.Contains(lit.Value.Str(), "*") && p.fold:
			out = &eql.Pattern{Op: ":", X: l, Patterns: []*eql.Literal{lit}}
		case strings.Contains(lit.Value.Str(), "*"):
			out = &eql.Pattern{Op: "like", X: l, Patterns: []*eql.Literal{lit}}
		case p.fold:
			out = &eql.In{X: l, Fold: true, List: []eql.Expr{lit}}
		}
	} else if p.fold && p.isTextField(l) && p.isTextField(r) {
		out = &eql.In{X: l, Fold: true, List: []eql.Expr{r}}
	}
	if e.Op == "!=" {
		out = &eql.Not{X: out}
	}
	return out
}

func (p *pythonDialect) isTextField(e eql.Expr) bool {
	f, ok := e.(*eql.Field)
	if !ok || p.types == nil {
		return false
	}
	typ, _ := p.types.Lookup(f.Name)
	return typ.IsString()
}

// hasLetters reports whether folding could change an order.
func hasLetters(list ...eql.Expr) bool {
	for _, e := range list {
		if s := eql.Format(e); isString(e) && strings.ToLower(s) != strings.ToUpper(s) {
			return true
		}
	}
	return false
}

func (p *pythonDialect) call(e *eql.Call) eql.Expr {
	out := &eql.Call{Name: e.Name, Fold: e.Fold, Args: p.list(e.Args)}
	for _, f := range eql.Functions() {
		if strings.EqualFold(f.Name, e.Name) && f.Fold {
			out.Fold = p.fold
		}
	}
	return out
}

func runFoldGroups(c *tally, groups map[string]foldGroup) {
	for name, g := range groups {
		for _, fold := range pythonModes(g.CaseSensitive, g.CaseInsensitive) {
			for i, ft := range g.Fold.Tests {
				runFold(c, fmt.Sprintf("%s %d fold=%v", name, i+1, fold), ft, fold)
			}
		}
		for i := range g.Verifier.Failures {
			c.skip(fmt.Sprintf("%s failure %d", name, i+1), "the Python verifier refuses other things than Elasticsearch's")
		}
		for _, loop := range g.Loop {
			runFoldLoop(c, name, loop.Param.Type, loop.Param.Name, loop.Fold.Tests)
		}
	}
}

// loopValues are values of the types a loop names.
var loopValues = map[string][]string{
	"null": {"null"}, "bool": {"true", "false"}, "int": {"0", "-7", "42"}, "string": {`""`, `"text"`}, "float": {"0.0", "2.5"},
}

func runFoldLoop(c *tally, group string, types []string, param string, tests []foldTest) {
	for i, ft := range tests {
		for _, typ := range types {
			for _, value := range loopValues[typ] {
				concrete := ft
				concrete.Expression = strings.ReplaceAll(ft.Expression, "$"+param, value)
				runFold(c, fmt.Sprintf("%s loop %d %s", group, i+1, value), concrete, true)
			}
		}
	}
}

func runFold(c *tally, name string, ft foldTest, fold bool) {
	if reason := pythonSkip(ft.Expression); reason != "" {
		c.skip(name, reason)
		return
	}
	if reason := foldSkip(ft); reason != "" {
		c.skip(name, reason)
		return
	}
	e, err := eql.ParseExpr(translateText(ft.Expression))
	if err != nil {
		c.fail(name, "%v: %s", err, ft.Expression)
		return
	}
	p := pythonDialect{fold: fold}
	e = p.rewrite(e)
	if p.reason != "" {
		c.skip(name, p.reason)
		return
	}
	v, ok := eql.Constant(e)
	if !ok {
		c.fail(name, "%s is no constant", ft.Expression)
		return
	}
	if !sameValue(v, ft.Expected) {
		c.fail(name, "%s is %s %q, expected %v", ft.Expression, v.Kind(), v.Text(), ft.Expected)
		return
	}
	c.pass()
}

// foldSkip tells where the dialects differ in what a function returns.
func foldSkip(ft foldTest) string {
	s := ft.Expression
	switch {
	case strings.HasPrefix(s, "between") && ft.Expected == nil && !strings.Contains(s, "null"):
		return "between gives null where nothing is found in the Python dialect"
	case strings.HasPrefix(s, "substring") && strings.Contains(s, "null, 5"):
		return "substring reads a null start as 0 in the Python dialect"
	case strings.HasPrefix(s, "between") && strings.Contains(s, `""`):
		return "between treats empty delimiters otherwise in the Python dialect"
	}
	return ""
}
