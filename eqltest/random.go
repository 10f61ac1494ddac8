package eqltest

// Random queries and events over the same few fields and values, so that most
// tests of a query are decided one way by some events and the other way by
// others.

import (
	"encoding/json"
	"strings"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
)

// Chooser chooses a number from 0 to n-1. *rand.Rand is one.
type Chooser interface{ IntN(n int) int }

// Random makes random queries and events.
type Random struct{ Chooser }

// randomField is a field with values it may have and constants to compare it with.
type randomField struct {
	name      string
	kind      byte // 's' text, 'n' number, 'b' boolean, 'i' address, 'd' date
	values    []any
	constants []any
}

var words = []any{"cmd.exe", "CMD.EXE", "Cmd.exe", "powershell.exe", "a", "", "c*d.exe", `C:\Windows\cmd.exe`, `c:\windows\System32\x`, "straße", "ſK", "line\nbreak", "10", "true", "été"}

var randomFields = []randomField{
	{"process.name", 's', words, words},
	{"process.command_line", 's', words, words},
	{"process.args", 's', words, words},
	{"process.name.caseless", 's', nil, words},
	{"custom.word", 's', append([]any{10, 1.5, true}, words...), words},
	{"process.pid", 'n', []any{0, 4, 10, "10", 1 << 40, -3, 10.0}, []any{0, 4, 10, -3, 1.5}},
	{"custom.number", 'n', []any{0, 4, 10, 1.5, -3, "10"}, []any{0, 4, 10, -3, 1.5}},
	{"process.code_signature.trusted", 'b', []any{true, false, "true", "false"}, []any{true, false}},
	{"custom.flag", 'b', []any{true, false, "true", "false", "yes"}, []any{true, false}},
	{"source.ip", 'i', []any{"10.0.0.1", "192.168.1.9", "::1", "2001:db8::5", "nonsense"}, []any{"10.0.0.1", "::1", "10.0.0.0/8"}},
	{"@timestamp", 'd', []any{"2026-01-01T00:00:00Z", "2026-01-01T00:00:01.5Z", 1767225600000}, []any{"2026-01-01T00:00:00Z", 1767225601500}},
}

var categories = []string{"process", "network", "file"}

func pick[T any](r Random, list []T) T { return list[r.IntN(len(list))] }

// Event makes a document.
func (r Random) Event() []byte {
	doc := map[string]any{}
	if r.IntN(20) > 0 {
		doc["event.category"] = pick(r, categories)
	}
	for _, f := range randomFields {
		if f.values == nil {
			continue
		}
		switch r.IntN(6) {
		case 0: // missing
		case 1:
			doc[f.name] = []any{pick(r, f.values), pick(r, f.values)}
		case 2:
			doc[f.name] = []any{nil, pick(r, f.values), pick(r, f.values), pick(r, f.values)}[:r.IntN(5)]
		default:
			doc[f.name] = pick(r, f.values)
		}
	}
	text, err := json.Marshal(r.nest(doc))
	if err != nil {
		panic("eqltest: a random event is no JSON: " + err.Error())
	}
	return text
}

// nest writes some dotted names as nested objects.
func (r Random) nest(doc map[string]any) map[string]any {
	out := map[string]any{}
	for _, f := range append([]randomField{{name: "event.category"}}, randomFields...) {
		v, ok := doc[f.name]
		if !ok {
			continue
		}
		head, rest, _ := strings.Cut(f.name, ".")
		if rest == "" || r.IntN(2) == 0 {
			out[f.name] = v
			continue
		}
		inner, ok := out[head].(map[string]any)
		if !ok {
			inner = map[string]any{}
			out[head] = inner
		}
		inner[rest] = v
	}
	return out
}

// EventQuery makes an event query.
func (r Random) EventQuery() *eql.EventQuery {
	q := &eql.EventQuery{Category: pick(r, categories), Where: r.Condition(3)}
	if r.IntN(3) == 0 {
		q.Any, q.Category = true, ""
	}
	return q
}

// Condition makes a boolean expression of at most the given depth.
func (r Random) Condition(depth int) eql.Expr {
	if depth > 0 {
		switch r.IntN(5) {
		case 0:
			return &eql.And{List: r.conditions(depth - 1)}
		case 1:
			return &eql.Or{List: r.conditions(depth - 1)}
		case 2:
			return &eql.Not{X: r.Condition(depth - 1)}
		}
	}
	return r.test()
}

func (r Random) conditions(depth int) []eql.Expr {
	list := make([]eql.Expr, 2+r.IntN(3))
	for i := range list {
		list[i] = r.Condition(depth)
	}
	return list
}

// test makes one test of a field, or of a function of fields.
func (r Random) test() eql.Expr {
	f := pick(r, randomFields)
	switch x := r.IntN(20); {
	case x == 0:
		return &eql.Compare{Op: pick(r, []string{"==", "!="}), L: r.field(f), R: &eql.Literal{}}
	case x == 1:
		return &eql.Compare{Op: pick(r, []string{"==", "!="}), L: r.stringTest(randomFields[r.IntN(5)]), R: &eql.Literal{Value: event.BoolValue(r.IntN(2) == 0)}}
	case x == 2:
		return &eql.Compare{Op: pick(r, []string{"==", "!="}), L: r.field(f), R: r.field(pick(r, randomFields))}
	}
	switch f.kind {
	case 's':
		return r.stringTest(f)
	case 'b':
		if r.IntN(3) == 0 {
			return r.field(f)
		}
		return &eql.Compare{Op: pick(r, []string{"==", "!="}), L: r.field(f), R: r.constant(f)}
	case 'i':
		if r.IntN(2) == 0 {
			return &eql.Call{Name: "cidrMatch", Args: []eql.Expr{r.field(f), str(pick(r, []string{"10.0.0.0/8", "192.168.0.0/16", "2001:db8::/32", "0.0.0.0/0", "::1"}))}}
		}
	}
	if r.IntN(4) == 0 {
		return &eql.In{X: r.field(f), List: []eql.Expr{r.constant(f), r.constant(f), &eql.Literal{}}[:1+r.IntN(3)]}
	}
	var l eql.Expr = r.field(f)
	if f.kind == 'n' && r.IntN(4) == 0 {
		l = &eql.Arith{Op: pick(r, []string{"+", "-", "*", "/", "%"}), L: l, R: &eql.Literal{Value: event.LongValue(int64(r.IntN(5) - 1))}}
	}
	return &eql.Compare{Op: pick(r, []string{"==", "!=", "<", "<=", ">", ">="}), L: l, R: r.constant(f)}
}

func (r Random) field(f randomField) *eql.Field {
	return &eql.Field{Name: f.name, Optional: r.IntN(10) == 0}
}

func (r Random) constant(f randomField) *eql.Literal {
	switch c := pick(r, f.constants).(type) {
	case string:
		return str(c)
	case int:
		return &eql.Literal{Value: event.LongValue(int64(c))}
	case float64:
		return &eql.Literal{Value: event.DoubleValue(c)}
	case bool:
		return &eql.Literal{Value: event.BoolValue(c)}
	}
	return &eql.Literal{}
}

func str(s string) *eql.Literal { return &eql.Literal{Value: event.StringValue(s)} }

var randomPatterns = []string{"*", "?*", "cmd.*", "*.exe", "*cmd*", "c?d.exe", "a", "", "c*d.exe", `?:\windows\*`, "*wind*32*", "STRASSE", "straSSe", "sk", "*\n*", "??", "power*exe", "*e*e*"}

var randomRegexes = []string{".*", "cmd[.]exe", "[A-Z]+.*", "c.d\\.exe", "(a|cmd.exe)", ".{1,3}", "<1-20>", "\\d+", ".*\\\\.*"}

func (r Random) stringTest(f randomField) eql.Expr {
	switch r.IntN(8) {
	case 0, 1, 2:
		p := &eql.Pattern{Op: pick(r, []string{":", "like", "like~"}), X: r.field(f)}
		for range 1 + r.IntN(4) {
			p.Patterns = append(p.Patterns, str(pick(r, randomPatterns)))
		}
		return p
	case 3:
		return &eql.Pattern{Op: pick(r, []string{"regex", "regex~"}), X: r.field(f), Patterns: []*eql.Literal{str(pick(r, randomRegexes))}}
	case 4:
		in := &eql.In{X: r.field(f), Fold: r.IntN(2) == 0}
		for range 1 + r.IntN(3) {
			in.List = append(in.List, r.constant(f))
		}
		return in
	case 5:
		return &eql.Call{Name: pick(r, []string{"startsWith", "endsWith", "stringContains"}), Fold: r.IntN(2) == 0, Args: []eql.Expr{r.field(f), r.constant(f)}}
	case 6:
		length := &eql.Call{Name: "length", Args: []eql.Expr{r.field(f)}}
		return &eql.Compare{Op: pick(r, []string{"==", ">", "<="}), L: length, R: &eql.Literal{Value: event.LongValue(int64(r.IntN(12)))}}
	}
	return &eql.Compare{Op: pick(r, []string{"==", "!=", "<", ">="}), L: r.field(f), R: r.constant(f)}
}
