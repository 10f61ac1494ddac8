package eqltest_test

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/shrike-project/shrike/eqltest"
)

func TestScripts(t *testing.T) { eqltest.RunFiles(t, os.DirFS("testdata"), ".") }

func TestScriptErrors(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		_, err := eqltest.ParseScript("x.test", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, expected %q", text, err, want)
		}
	}
	const events = "events\n    a: 0s process x=1\n"
	f("", "x.test:1: the script expects nothing")
	f("evnts\n", "x.test:1: unknown word \"evnts\"")
	f(events, "the script expects nothing")
	f(events+"query\n    any where true\n", "x.test:4: nothing is expected of this query or rule")
	f(events+"query\n    any where true\nexpect\n", "x.test:5: expect needs events, none, or fail")
	f(events+"query\n    any where true\nexpect b\n", "no event is called \"b\"")
	f(events+"query\n    any where true\nexpects a\n", "unknown word \"expects\"")
	f(events+"query\nexpect a\n", "query needs a query below it")
	f(events+"expect a\n", "there is no query or rule")
	f(events+"query\n    any where true\nquery\n    any where false\nexpect none\n", "nothing is expected of the query or rule in line 4")
	f("query\n    any where true\nexpect none\n", "there are no events")
	f("events\nquery\n    any where true\nexpect none\n", "events needs events below it")
	f("events\n    process x=1\n", "x.test:2: an event begins with its time")
	f("events\n    0s x=1\n", "an event has a category behind its time")
	f("events\n    0s process x\n", "expected field=value")
	f("events\n    0s process x=\n", "the value is missing")
	f("events\n    0s process x=\"a\n", "not valid")
	f("events\n    0s process x='a\n", "the closing single quote is missing")
	f("events\n    0s process x=[a\n", "the list does not end")
	f("events\n    0s process x=\"a\"b\n", "expected a blank behind the value")
	f("events\n    json {\n", "not valid JSON")
	f("events\n    a: 0s process\n    a: 1s process\n", "two events are called \"a\"")
	f(events+"query\n    any where true\nexpect fail 1:2\n", "a failure is written as")
	f("  query\n", "an indented line belongs below")
	f("query any where true\n", "stands alone on its line")
	f(events+"case one\ncase two\n", "case needs a title")
	f(events+"query\n    any where true\nexpect a\ncase left over\n", "a case without an expectation")
}

func TestFailingCases(t *testing.T) {
	rules := fstest.MapFS{"dir/broken.toml": {Data: []byte("[rule]\nname = \"x\"\n")}}
	f := func(text, want string) {
		t.Helper()
		s, err := eqltest.ParseScript("dir/x.test", []byte("events\n    a: 0s process x=1\n    b: 1s process x=2\n"+text))
		if err != nil {
			t.Fatal(err)
		}
		got := s.Run(rules)[0].Err
		if got == nil || !strings.Contains(got.Error(), want) {
			t.Errorf("%q: error %v, expected %q", text, got, want)
		}
	}
	f("query\n    any where x == 1\nexpect b\n", "expected b, got a")
	f("query\n    any where x > 0\nexpect b a\n", "expected b a, got a b")
	f("query\n    any where x == 1\nexpect none\n", "expected none, got a")
	f("query\n    any where x = 1\nexpect a\n", "expected a, got fail 1:13 syntax")
	f("query\n    any where x == 1\nexpect fail 1:1 syntax\n", "expected fail 1:1 syntax, got a")
	f("rule nowhere.toml\nexpect a\n", "nowhere.toml")
	f("rule broken.toml\nexpect a\n", "the rule has no")
}

func TestUpdate(t *testing.T) {
	const text = "events\n    a: 0s process x=1\n# keep me\nquery\n    any where x == 1\nexpect none\n"
	s, err := eqltest.ParseScript("x.test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r := s.Run(nil)[0]
	got := s.Update(map[int]eqltest.Expectation{r.Case.Line: r.Actual})
	if want := strings.Replace(text, "expect none", "expect a", 1); got != want {
		t.Errorf("got %q, expected %q", got, want)
	}
}

func FuzzParseScript(f *testing.F) {
	for _, name := range []string{"null.test", "values.test", "operators.test"} {
		text, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := eqltest.ParseScript("x.test", []byte(text))
		if err != nil {
			return
		}
		if len(s.Cases) == 0 {
			t.Fatal("a script without cases was accepted")
		}
		s.Run(fstest.MapFS{})
	})
}
