package eql_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/shrike-project/shrike/eql"
)

func TestMatchWildcard(t *testing.T) {
	f := func(pattern, text string, fold, want bool) {
		t.Helper()
		if got := eql.MatchWildcard(pattern, text, fold); got != want {
			t.Errorf("%q on %q (fold %v): %v", pattern, text, fold, got)
		}
	}
	f("cmd.ex?", "CMD.EXE", true, true)
	f("cmd.ex?", "CMD.EXE", false, false)
	f("cmd.ex?", "cmd.ex", false, false) // "?" is one character, not "at most one"
	f("*", "", false, true)
	f("**", "a", false, true)
	f("", "", false, true)
	f("", "a", false, false)
	f("a*b*c", "a-b-b-c", false, true)
	f("a*b*c", "a-b-b-", false, false)
	f("?", "é", false, true)
	f("?", "e\u0301", false, false)
	f("*\n*", "a\nb", false, true)
	f(`C:\*`, `c:\x`, true, true)
	f("STRASSE", "straße", true, false) // simple folding keeps the number of characters
	f("ſk", "SK", true, true)
	f("k", "\u212a", true, true) // the Kelvin sign
	f("É", "é", true, true)
	f("a*"+strings.Repeat("a*", 50)+"b", strings.Repeat("a", 3000), false, false)
}

func TestWildcardAgainstRegexp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.RuneFrom([]rune("abAB\né*?"))).Draw(t, "text")
		pattern := rapid.StringOf(rapid.RuneFrom([]rune("abABé*?*"))).Draw(t, "pattern")
		fold := rapid.Bool().Draw(t, "fold")
		src := regexp.QuoteMeta(pattern)
		src = strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(src)
		flags := "(?s)"
		if fold {
			flags = "(?si)"
		}
		want := regexp.MustCompile(flags + "^(?:" + src + ")$").MatchString(text)
		if got := eql.MatchWildcard(pattern, text, fold); got != want {
			t.Fatalf("%q on %q (fold %v): %v", pattern, text, fold, got)
		}
	})
}

func TestRegex(t *testing.T) {
	f := func(pattern, text string, want bool) {
		t.Helper()
		re, err := eql.CompileRegex(pattern, false)
		if err != nil {
			t.Errorf("%q: %v", pattern, err)
			return
		}
		if got := re.Match(text); got != want {
			t.Errorf("%q on %q: %v", pattern, text, got)
		}
	}
	f("net", "net.exe", false) // the whole value has to match
	f("net.*", "net.exe\n", true)
	f("^net$", "net", false) // no anchors
	f("^net$", "^net$", true)
	f("(a|b)*c", "ababc", true)
	f(".*?net1.*?", "x net1 y", true)
	f("a{2}", "aa", true)
	f("a{2,}", "a", false)
	f("a{2,3}", "aaaa", false)
	f("[a-c-]+", "a-b", true)
	f("[^a-c]", "d", true)
	f("[]a]+", "]a", true)
	f(`[\]\-x]+`, "]-x", true)
	f(`\d+\s\w\.`, "12 x.", true)
	f(`[\d.]+`, "1.2", true)
	f(`"a.b"`, "a.b", true)
	f(`"a.b"`, "axb", false)
	f("()", "", true)
	f("", "", true)
	f("a||b", "", true)
	f("@", "anything\nat all", true)
	f("a@b", "a--b", true)
	f("#", "", false)
	f("a|#", "a", true)
	f("<1-100>", "42", true)
	f("<1-100>", "101", false)
	f("<1-100>", "007", true)
	f("<1-100>", "0", false)
	f("<01-10>", "7", false)
	f("<01-10>", "07", true)
	f("<0-255>", "255", true)
	f("<0-255>", "256", false)
	f("<0-255>", "0", true)
	f("<17-4321>", "4321", true)
	f("<17-4321>", "4322", false)
	f("<17-4321>", "16", false)
	f("~(abc)", "abc", false)
	f("~(abc)", "abcd", true)
	f("~a.", "bc", true)
	f("~(.*foo.*)", "a foo b", false)
	f("~(.*foo.*)", "a bar b", true)
	f(".*a.*&.*b.*", "xbya", true)
	f(".*a.*&.*b.*", "xya", false)
	f("a&b|c", "c", true)
	f("~@", "", false)
	f("~#", "x", true)
	f("~()", "", false)
	f("~()", "x", true)
	f("(~(ab){2,3})c", "ababc", true)
	f("ab{0}c", "ac", true)
	f(`a\|b`, "a|b", true)
	f("*a", "*a", true) // nothing to repeat: the character itself
}

// TestLongRegexes compiles patterns whose automata once took quadratic time.
func TestLongRegexes(t *testing.T) {
	for _, pattern := range []string{
		"~c(b" + strings.Repeat("\xa3", 4000) + "&@)A@9", strings.Repeat("~a&b|", 2000) + "c", "~(" + strings.Repeat("a?", 300) + ")", strings.Repeat("~(a", 300) + strings.Repeat(")", 300),
	} {
		if re, err := eql.CompileRegex(pattern, true); err == nil {
			re.Match("a")
		}
	}
}

func TestRegexIgnoringCase(t *testing.T) {
	f := func(pattern, text string, want bool) {
		t.Helper()
		re, err := eql.CompileRegex(pattern, true)
		if err != nil {
			t.Fatal(err)
		}
		if got := re.Match(text); got != want {
			t.Errorf("%q on %q: %v", pattern, text, got)
		}
	}
	f("[a-c]x", "BX", true)
	f("~([a-c]x)", "BX", false)
	f("~([^a-c]x)", "BX", true)
	f("é&É", "é", true)
	f("k&.", "\u212a", true)
}

func TestRegexErrors(t *testing.T) {
	f := func(pattern, want string) {
		t.Helper()
		if _, err := eql.CompileRegex(pattern, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, expected %q", pattern, err, want)
		}
	}
	f("(a", "expected ')' at character 3")
	f("a)", "unexpected ')' at character 2")
	f("[a", "expected ']'")
	f("a{", "expected a number of repetitions")
	f("a{3,2}", "ends before it begins")
	f("a{1000000}", "more than 10000 repetitions")
	f(`"a`, `expected a closing '"'`)
	f("<1-", "expected '>'")
	f("<a>", "expected a range of numbers")
	f(`a\`, "ends after a backslash")
	f("[z-a]", "ends before it begins")
	f(strings.Repeat("(", 1000), "nest too deep")
	f(strings.Repeat("~", 1000)+"a", "nest too deep")
	f("~((.*a.{20})&(.*b.{20}))", "too complex")
	f(strings.Repeat("(", 20)+"a"+strings.Repeat("{1,1000})", 20), "too complex")
}

// TestRegexAutomatonAgainstRegexp compares the automaton with the standard
// library where both know the pattern.
func TestRegexAutomatonAgainstRegexp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pattern := randomRegex(t, 3)
		text := rapid.StringOf(rapid.RuneFrom([]rune("abAc\n"))).Draw(t, "text")
		fold := rapid.Bool().Draw(t, "fold")
		plain, err := eql.CompileRegex(pattern, fold)
		if err != nil {
			return
		}
		// Twice negated, the pattern needs the automaton and means the same.
		negated, err := eql.CompileRegex("~(~("+pattern+")&@)", fold)
		if err != nil {
			return
		}
		if plain.Match(text) != negated.Match(text) {
			t.Fatalf("%q on %q (fold %v): %v, by the automaton %v", pattern, text, fold, plain.Match(text), negated.Match(text))
		}
	})
}

func randomRegex(t *rapid.T, depth int) string {
	if depth == 0 {
		return rapid.SampledFrom([]string{"a", "b", ".", "[ab]", "[^a]", "@", "()", "A", "[a-z]"}).Draw(t, "atom")
	}
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		return randomRegex(t, depth-1) + randomRegex(t, depth-1)
	case 1:
		return "(" + randomRegex(t, depth-1) + "|" + randomRegex(t, depth-1) + ")"
	case 2:
		return "(" + randomRegex(t, depth-1) + ")" + rapid.SampledFrom([]string{"*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}"}).Draw(t, "count")
	}
	return randomRegex(t, depth-1)
}

func TestFunctionExamples(t *testing.T) {
	for _, f := range eql.Functions() {
		e, err := eql.ParseExpr(f.Example)
		if err != nil {
			t.Errorf("%s: %v", f.Name, err)
			continue
		}
		if p := eql.CheckExpr(e, f.Example, eql.CheckOptions{Strict: true}); len(p) > 0 {
			t.Errorf("%s: %v", f.Name, p)
		}
		if v, ok := eql.Constant(e); !ok || !v.Bool() {
			t.Errorf("%s: the example %s is %s", f.Name, f.Example, v.Text())
		}
	}
}

func FuzzRegex(f *testing.F) {
	for _, s := range []string{"a*", "~(a&b)<1-20>", "[^a-z]{2,3}", `"x"@#\d`} {
		f.Add(s, "abc")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 400 {
			return
		}
		if re, err := eql.CompileRegex(pattern, true); err == nil {
			re.Match(text)
		}
	})
}
