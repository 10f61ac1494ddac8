package eqltest_test

// Hostile rules and hostile events: neither may make the engine slow. Whatever a rule
// says is refused with a clear error, or takes time in proportion to the event.

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/predicate"
)

// hostileQueries gives conditions that are hard on an engine that does not mind, by name.
func hostileQueries() map[string]string {
	many := func(n int, format string) string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(list, ", ")
	}
	deep := `process.name == "a"`
	for i := range 180 {
		deep = fmt.Sprintf(`(%s %s process.args : "x%d*")`, deep, []string{"or not", "and"}[i%2], i)
	}
	wide := make([]string, 500)
	for i := range wide {
		wide[i] = fmt.Sprintf(`(field.number%d == "a" or process.args == "%d")`, i, i)
	}
	return map[string]string{
		"stars":                `process.command_line : "` + strings.Repeat("*a", 500) + `*b"`,
		"stars and characters": `process.command_line like "` + strings.Repeat("*a?", 200) + `*b"`,
		"characters":           `process.command_line : "*` + strings.Repeat("?", 300) + `b*"`,
		"many stars":           `process.command_line : (` + many(200, `"*aa*%d*"`) + `)`,
		"no literal":           `process.command_line : (` + many(50, `"*a*b%d*"`) + `) or process.args : "*b*"`,
		"nested repetition":    `process.command_line regex "((a*)*)*b"`,
		"alternation":          `process.command_line regex "(a|aa|aaa)*b" or process.args regex~ "(a|a?)+c"`,
		"counted repetition":   `process.command_line regex "(a{1,20}){1,20}b"`,
		"complement":           `process.command_line regex "~(.*b.*)&.*c"`,
		"functions":            `stringContains(process.command_line, "aab") or length(process.command_line) == 3 or between(process.command_line, "a", "b") == "c" or indexOf(process.command_line, "ab", 5) == 7`,
		"long list":            `process.name in (` + many(1000, `"name%d"`) + `) or process.args in~ (` + many(1000, `"ARG%d"`) + `)`,
		"long list of numbers": `process.pid in (` + many(1000, "%d") + `)`,
		"networks":             `cidrMatch(source.ip, ` + networks(1000) + `)`,
		"deep":                 deep,
		"wide":                 strings.Join(wide, " and "),
		"fields":               `process.command_line == process.name or process.args == process.executable`,
	}
}

func networks(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(`"10.%d.%d.0/24"`, i/250, i%250)
	}
	return strings.Join(list, ", ")
}

// hostileEvents gives events of about n bytes, by name.
func hostileEvents(n int) map[string]string {
	element := `"aaaaaaaaaaaa",`
	return map[string]string{
		"long field":    `{"event":{"category":"process"},"process":{"name":"a","command_line":"` + strings.Repeat("a", n) + `"}}`,
		"escaped field": `{"event":{"category":"process"},"process":{"name":"a","command_line":"` + strings.Repeat(`\u0061`, n/6) + `"}}`,
		"not ASCII":     `{"event":{"category":"process"},"process":{"name":"a","command_line":"` + strings.Repeat("é", n/2) + `"}}`,
		"long array":    `{"event":{"category":"process"},"process":{"name":"a","args":[` + strings.Repeat(element, n/len(element)) + `"b"]},"source":{"ip":[` + strings.Repeat(`"10.9.9.9",`, n/100) + `"::1"]}}`,
		"same key":      `{"event":{"category":"process"},` + strings.Repeat(`"process":{"args":"aaaa"},`, n/26) + `"x":1}`,
		"other keys":    `{"event":{"category":"process"},` + strings.Repeat(`"zz":{"args":["a"]},`, n/20) + `"x":1}`,
		"brackets":      `{"event":{"category":"process"},"x":` + strings.Repeat("[", n) + `}`,
	}
}

// hostileLimit is far above what anything here takes, and far below what would take
// time by the square of the event.
const hostileLimit = 60 * time.Second

// within runs what may not take longer than the limit.
func within(t *testing.T, what string, run func()) time.Duration {
	t.Helper()
	begin := time.Now()
	done := make(chan struct{})
	go func() {
		defer close(done)
		run()
	}()
	select {
	case <-done:
	case <-time.After(hostileLimit):
		t.Fatalf("%s takes longer than %v", what, hostileLimit)
	}
	return time.Since(begin)
}

// TestHostileRules shows every hostile event to every hostile rule. Those of 16 KB are
// compared with the plain evaluator; those of N, 2N and 4N bytes must be done within a limit
// that time by the square of the event would exceed by far.
func TestHostileRules(t *testing.T) {
	const size = 1 << 16
	queries := hostileQueries()
	for _, name := range slices.Sorted(mapsKeys(queries)) {
		h := newHostile(t, name, queries[name])
		for _, doc := range hostileEvents(1 << 14) {
			h.compare(t, []byte(doc))
		}
		line, slowest, worst := "", time.Duration(0), ""
		for _, n := range []int{size, 2 * size, 4 * size} {
			total := time.Duration(0)
			for kind, doc := range hostileEvents(n) {
				took := within(t, fmt.Sprintf("%s on %s of %d bytes", name, kind, n), func() { h.match([]byte(doc)) })
				if total += took; took > slowest {
					slowest, worst = took, kind
				}
			}
			line += fmt.Sprintf(", %d KB %.3f s", n>>10, total.Seconds())
		}
		t.Logf("%-20s compiled in %.3f s%s, the most on %s", name, h.compiled.Seconds(), line, worst)
	}
}

// hostile is a hostile condition and its network.
type hostile struct {
	cond     *eql.Condition
	decoder  *event.Decoder
	matcher  *predicate.Matcher
	ev       event.Event
	compiled time.Duration
}

func newHostile(t *testing.T, name, text string) *hostile {
	t.Helper()
	q, err := eql.Parse("process where " + text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	fields := event.NewFieldSet(nil)
	h := &hostile{}
	h.compiled = within(t, "compiling "+name, func() {
		if h.cond, err = eql.Compile(q.Event, fields, eql.CompileOptions{}); err == nil {
			h.matcher = predicate.Compile([]*eql.Condition{h.cond}, fields).NewMatcher()
		}
	})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	h.decoder = event.NewDecoder(fields, "")
	return h
}

// match decodes and matches an event, unless it is refused.
func (h *hostile) match(doc []byte) (holds, read bool) {
	if h.decoder.Decode(doc, &h.ev) != nil {
		return false, false
	}
	return len(h.matcher.Match(&h.ev)) > 0, true
}

func (h *hostile) compare(t *testing.T, doc []byte) {
	t.Helper()
	if got, read := h.match(doc); read && got != h.cond.Matches(&h.ev) {
		t.Errorf("%.100s on an event of %d bytes, %.100s: %v, the network says %v", h.cond.Query(), len(doc), doc, !got, got)
	}
}

// TestHostileEvents shows the largest events to all hostile rules at once.
func TestHostileEvents(t *testing.T) {
	fields := event.NewFieldSet(nil)
	var conditions []*eql.Condition
	for _, text := range hostileQueries() {
		q, err := eql.Parse("process where " + text)
		if err != nil {
			t.Fatal(err)
		}
		cond, err := eql.Compile(q.Event, fields, eql.CompileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		conditions = append(conditions, cond)
	}
	network := predicate.Compile(conditions, fields)
	decoder, matcher := event.NewDecoder(fields, ""), network.NewMatcher()
	for name, doc := range map[string]string{
		"a field of 10 MB":          hostileEvents(10 << 20)["long field"],
		"an array of 100,000":       hostileEvents(100_000 * 15)["long array"],
		"100,000 keys":              hostileEvents(100_000 * 20)["other keys"],
		"a field of 10 MB, escaped": hostileEvents(10 << 20)["escaped field"],
	} {
		took := within(t, name, func() {
			var ev event.Event
			if err := decoder.Decode([]byte(doc), &ev); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			matcher.Match(&ev)
		})
		t.Logf("%s: %.3f s", name, took.Seconds())
	}
}

// TestHostileLimits names what is refused, and how.
func TestHostileLimits(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		within(t, text[:40], func() {
			q, err := eql.Parse(text)
			if err == nil {
				if problems := eql.Check(q, eql.CheckOptions{}); len(problems) > 0 {
					err = problems
				}
			}
			if err == nil {
				_, err = eql.Compile(q.Event, event.NewFieldSet(nil), eql.CompileOptions{})
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%.60s…: %v, expected %q", text, err, want)
			}
		})
	}
	f(`process where `+strings.Repeat("(", 100_000)+"true"+strings.Repeat(")", 100_000), "nests deeper than 400 levels")
	f(`process where `+strings.Repeat("not ", 100_000)+"true", "nests deeper than 400 levels")
	f(`process where process.name regex "`+strings.Repeat("(", 100_000)+`"`, "nest too deep")
	f(`process where process.name regex "a{1,100000}" and process.pid == 4`, "10000")
	f(`process where process.name regex "~(((a|b)*a(a|b){30})|c)" and process.pid == 4`, "complex")
}
