package eql_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/eqltest"
)

func TestPrecedence(t *testing.T) {
	f := func(query, want string) {
		t.Helper()
		q, err := eql.Parse("any where " + query)
		if err != nil {
			t.Errorf("%s: %v", query, err)
			return
		}
		if got := eql.Format(q.Event.Where); got != want {
			t.Errorf("%s prints as %s, expected %s", query, got, want)
		}
	}
	f("a == 1 and b == 2 or c == 3 and not d == 4", "a == 1 and b == 2 or c == 3 and not d == 4")
	f("(a == 1 or b == 2) and c == 3", "(a == 1 or b == 2) and c == 3")
	f("a == 1 and (b == 2 and c == 3)", "a == 1 and (b == 2 and c == 3)")
	f("((a == 1))", "a == 1")
	f("1 + 2 * 3 - 4 == 3", "1 + 2 * 3 - 4 == 3")
	f("(1 + 2) * (3 - 4) == -3", "(1 + 2) * (3 - 4) == -3")
	f("1 - (2 - 3) == 2", "1 - (2 - 3) == 2")
	f("a + (b in (1))", "a + b in (1)")
	f("(a + b) in (1)", "(a + b) in (1)")
	f("--5 == 5", "5 == 5")
	f("-a == 5", "-a == 5")
	f("-(a + 1) == 5", "-(a + 1) == 5")
	f("not a in (1)", "a not in (1)")
	f("a not in~ (\"x\")", "a not in~ (\"x\")")
	f("not (a == 1 and b == 2)", "not (a == 1 and b == 2)")
	f("not not a", "not not a")
	f("(not a) == true", "(not a) == true")
	f("(-5) in (1)", "(-5) in (1)")
	f("`a b`.c == 1", "`a b`.c == 1")
	f("`a.b`.c == 1", "a.b.c == 1")
	f("`a..b` == 1", "`a..b` == 1")
	f("`by`.`x``y` == 1", "`by`.`x``y` == 1")
	f(`a : "C:\\x\n"`, `a : "C:\\x\n"`)
	f(`a : """C:\x"""`, `a : """C:\x"""`)
	f(`a : """say "x\" now"""`, `a : """say "x\" now"""`)
	f(`a : ("x")`, `a : "x"`)
	f(`a like ("x", "y")`, `a like ("x", "y")`)
	f(`a == 1.0`, `a == 1.0`)
	f(`a == 100000000000000000000`, `a == 1e+20`)
	f(`a == "\u{1F600}\u{0007}"`, `a == "😀\u{0007}"`)
}

// TestProblems holds the texts users see: one query, then its problems.
func TestProblems(t *testing.T) {
	f := func(query string, want ...string) {
		t.Helper()
		q, err := eql.Parse(query)
		var problems eql.Problems
		if err == nil {
			problems = eql.Check(q, eql.CheckOptions{})
		} else if !errors.As(err, &problems) {
			t.Fatalf("%s: %v", query, err)
		}
		var got []string
		for _, p := range problems {
			s := strings.TrimPrefix(p.Error(), "line ") + " [" + string(p.Code) + "]"
			if p.Hint != "" {
				s += " " + p.Hint
			}
			got = append(got, s)
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("%s\ngot  %s\nwant %s", query, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
		}
	}
	f(`process where name = "x"`,
		`1:20: mismatched input '=' expecting '==' [syntax] compare with "=="; for text without regard to case use ":"`)
	f(`process where name == 'x'`,
		`1:23: Use double quotes ["] to define string literals, not single quotes ['] [bad-token]`)
	f(`process where name == "C:\Windows"`,
		`1:26: token recognition error at: '\W' [bad-token] write a backslash as "\\", or use a raw string """…""", which has no escapes`)
	f(`process where startswith(process.name) and startwith(process.name, "a")`,
		`1:15: error building [startswith]: expects exactly two arguments [bad-arguments] the form is startsWith(source, part)`,
		`1:44: Unknown function [startwith], did you mean [startswith]? [unknown-function] did you mean startsWith?`)
	// Three faults of syntax are three problems.
	f("process where a = 1 and\n  (b == ) and\n  c in ()",
		`1:17: mismatched input '=' expecting '==' [syntax] compare with "=="; for text without regard to case use ":"`,
		`2:9: mismatched input ')' expecting a value, a field or a function [syntax]`,
		`3:9: mismatched input ')' expecting a value [syntax] a list has at least one element`)
	f(`process WHERE true`, `1:9: mismatched input 'WHERE' expecting 'where' [syntax] keywords are lower case`)
	f(`process where event.sequence == 1`,
		"1:21: mismatched input 'sequence' expecting a field name [syntax] sequence is a keyword: write a field of that name in back quotes, `sequence`")
	f(`sequence by host.id [process where true] [file where true] by file.path`,
		`1:42: Inconsistent number of join keys specified; expected [1] but found [2] [bad-join-key] every item, until included, has as many keys as the first`)
	f(`sequence by process.pid [process where true] by process.name [file where true] by process.pid`,
		`1:83: Sequence key [process.pid] type [long] is incompatible with key [process.name] type [keyword] [bad-join-key]`)
	f(`process where process.pid : "4"`, `1:15: first argument of [process.pid : "4"] must be [string], found value [process.pid] type [long] [bad-type] string(…) gives a value as text`)
	f(`process where process.name regex "a("`,
		`1:34: regular expression does not parse: expected ')' at character 3 [bad-regex] Elasticsearch's regular expressions are Lucene's: the characters . ? + * | { } [ ] ( ) " \ # @ & < > ~ need a backslash`)
	f(`any where process.pid`, `1:11: Condition expression needs to be boolean, found [LONG] [bad-type] compare the value with something`)
	f(`any where true | head 1 | tale 2`, `1:25: Unrecognized pipe [tale], did you mean [tail]? [bad-pipe] the pipes are head and tail`)
	f("any where é == 1", `1:11: token recognition error at: 'é' [bad-token]`)
	f(`any where a == "ünï`+"\u0001"+`" and b === 2`, `1:31: mismatched input '=' expecting a value, a field or a function [syntax]`)
	f(strings.Repeat("(", 500)+"true"+strings.Repeat(")", 500),
		`1:1: mismatched input '(' expecting an event category [syntax] begin with a category such as "process", or with "any"`)
	f("any where "+strings.Repeat("(", 500)+"true"+strings.Repeat(")", 500),
		`1:411: the query nests deeper than 400 levels [too-nested] split the query into several rules`)
	f("any where "+strings.Repeat("not ", 500)+"true", `1:1611: the query nests deeper than 400 levels [too-nested] split the query into several rules`)
	f("any where "+strings.Repeat("-", 500)+"1 == 1", `1:411: the query nests deeper than 400 levels [too-nested] split the query into several rules`)
	f("any where /* a /* b */ */ true",
		`1:11: token recognition error at: '/*' [bad-token] comments do not nest: end the outer one before the inner one begins`,
		`1:24: mismatched input '*' expecting a value, a field or a function [syntax]`)
}

func TestPrintedQueriesParseToTheSameTree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := eqltest.Random{Chooser: drawn{t}}
		if err := eqltest.RoundTrip(&eql.Query{Event: r.EventQuery()}); err != nil {
			t.Fatal(err)
		}
	})
}

// drawn lets rapid choose, so that it can shrink what failed.
type drawn struct{ t *rapid.T }

func (d drawn) IntN(n int) int { return rapid.IntRange(0, n-1).Draw(d.t, "n") }

func FuzzParse(f *testing.F) {
	r := eqltest.Random{Chooser: rand.New(rand.NewPCG(1, 2))}
	for range 20 {
		f.Add((&eql.Query{Event: r.EventQuery()}).String())
	}
	for _, s := range []string{
		`sequence by a, ?b with maxspan=1m [any where true] by c ![x where y : "*"] by d until [any where false] by e | head 3`,
		`sample by host [any where a in (1, "x")] [b where not c]`, `process where a regex~ "a{2,3}<1-9>~(b&c)@#"`, "any where `x", `any where """`, `/*`, `"`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, err := eql.Parse(text)
		if err != nil {
			if len(err.Error()) == 0 {
				t.Fatal("an error that says nothing")
			}
			return
		}
		eql.Check(q, eql.CheckOptions{Strict: true})
		if err := eqltest.RoundTrip(q); err != nil {
			t.Fatal(err)
		}
	})
}
