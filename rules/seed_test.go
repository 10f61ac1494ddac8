package rules_test

// The shipped rule against the published rule it was written after: the same
// verdict on every one of many generated and mutated events.

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
	"github.com/shrike-project/shrike/rules"
)

const seedEvents = 200_000

func TestShippedRuleMeansWhatTheSeedRuleMeans(t *testing.T) {
	pages, _ := filepath.Glob("../../shared/seed/*.md")
	if len(pages) == 0 {
		t.Skip("the seed rule's page is not there: ../../shared/seed")
	}
	page, err := os.ReadFile(pages[0])
	if err != nil {
		t.Fatal(err)
	}
	text, err := rules.FS.ReadFile("communication_app_child.toml")
	if err != nil {
		t.Fatal(err)
	}
	fields := event.NewFieldSet(nil)
	theirs := compileOnly(t, rule.Read("seed.md", page), fields)
	ours := compileOnly(t, rule.Read("ours.toml", text), fields)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed number %d", seed)
	g := newSeedGenerator(seed, theirs.Query(), ours.Query())
	dec := event.NewDecoder(fields, "")
	var ev event.Event
	fired := 0
	for range seedEvents {
		doc := g.event()
		if err := dec.Decode(doc, &ev); err != nil {
			t.Fatalf("seed %d: %v: %s", seed, err, doc)
		}
		want := theirs.Matches(&ev)
		if got := ours.Matches(&ev); got != want {
			t.Fatalf("seed %d: the seed rule says %v, ours %v: %s", seed, want, got, doc)
		}
		if want {
			fired++
		}
	}
	t.Logf("%d events, %d fire", seedEvents, fired)
	if fired < seedEvents/10 {
		t.Errorf("only %d of %d events fire, expected at least a tenth", fired, seedEvents)
	}
}

func compileOnly(t *testing.T, set *rule.Set, fields *event.FieldSet) *eql.Condition {
	t.Helper()
	if len(set.Rules) != 1 || set.Rules[0].EQL == nil {
		t.Fatalf("expected one rule with a query: %v", set.AllProblems())
	}
	c, err := eql.Compile(set.Rules[0].EQL.Event, fields, eql.CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// seedGenerator makes events out of the words the two queries use, so that most
// lie close to the border between firing and not.
type seedGenerator struct {
	r *rand.Rand
	// words are the constants each field is compared with.
	words map[string][]string
}

func newSeedGenerator(seed uint64, queries ...*eql.EventQuery) *seedGenerator {
	g := &seedGenerator{r: rand.New(rand.NewPCG(seed, 1)), words: map[string][]string{}}
	for _, q := range queries {
		eql.Walk(q.Where, func(e eql.Expr) {
			p, ok := e.(*eql.Pattern)
			if !ok {
				return
			}
			field := p.X.(*eql.Field).Name
			for _, lit := range p.Patterns {
				g.words[field] = append(g.words[field], lit.Value.Str())
			}
		})
	}
	return g
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// word gives a text for a field: mostly one that some pattern fits.
func (g *seedGenerator) word(field string) string {
	if g.r.IntN(12) == 0 {
		return pick(g.r, "", "explorer.exe", `C:\Users\ann\x.exe`, "Somebody Else", "C", "*", "?:\\", "ünïcode", "C:\\Program Files\\")
	}
	s := pick(g.r, g.words[field]...)
	s = strings.ReplaceAll(s, "?", pick(g.r, "C", "d", "é", "?"))
	for strings.Contains(s, "*") {
		s = strings.Replace(s, "*", pick(g.r, "", "ann", `ann\Desktop`, "x", "…"), 1)
	}
	return g.mutate(s)
}

// mutate changes letter case, or a character, now and then.
func (g *seedGenerator) mutate(s string) string {
	switch runes := []rune(s); g.r.IntN(10) {
	case 0:
		return strings.ToUpper(s)
	case 1:
		return strings.ToLower(s)
	case 2:
		for i, r := range runes {
			if g.r.IntN(2) == 0 {
				runes[i] = unicode.ToUpper(r)
			}
		}
		return string(runes)
	case 3:
		if len(runes) > 0 && g.r.IntN(3) == 0 {
			i := g.r.IntN(len(runes))
			return string(runes[:i]) + string(runes[i+1:])
		}
	case 4:
		if g.r.IntN(3) == 0 {
			return s + pick(g.r, " ", "x", "\\", "\n")
		}
	}
	return s
}

func (g *seedGenerator) event() []byte {
	doc := map[string]any{"event.category": pick[any](g.r, "process", "process", "process", []string{"process", "host"}, "file")}
	set := func(field string, chance int, value any) {
		if g.r.IntN(100) < chance {
			doc[field] = value
		}
	}
	set("host.os.type", 98, pick(g.r, "windows", "windows", "windows", "windows", "windows", "windows", "windows", "linux", "Windows"))
	set("event.type", 98, pick[any](g.r, "start", "start", "start", "start", []string{"start", "info"}, "end"))
	set("process.parent.name", 97, g.word("process.parent.name"))
	set("process.executable", 92, g.word("process.executable"))
	set("process.name", 85, g.word("process.name"))
	set("process.command_line", 70, g.word("process.command_line"))
	set("process.code_signature.subject_name", 75, g.word("process.code_signature.subject_name"))
	set("process.code_signature.trusted", 85, pick[any](g.r, true, true, true, "true", false, "false", []bool{false, true}, nil, "maybe"))
	args := []string{}
	for range g.r.IntN(4) {
		args = append(args, g.word("process.args"))
	}
	set("process.args", 80, args)
	text, err := json.Marshal(g.nest(doc))
	if err != nil {
		panic(err)
	}
	return text
}

// nest writes some dotted fields as nested objects.
func (g *seedGenerator) nest(doc map[string]any) map[string]any {
	out := map[string]any{}
	for field, value := range doc {
		m := out
		parts := strings.Split(field, ".")
		for len(parts) > 1 && g.r.IntN(3) > 0 {
			inner, ok := m[parts[0]].(map[string]any)
			if !ok {
				inner = map[string]any{}
				m[parts[0]] = inner
			}
			m, parts = inner, parts[1:]
		}
		m[strings.Join(parts, ".")] = value
	}
	return out
}
