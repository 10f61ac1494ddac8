package coverage_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/shrike-project/shrike/coverage"
	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/eqltest"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

// world is a source of random events, and what it was taught by.
type world struct {
	kept   []string // the fields that its events may have
	events [][]byte
}

// newWorld makes random events and leaves out some fields of all of them.
func newWorld(r eqltest.Random) *world {
	w := &world{kept: []string{"event.category"}}
	for _, f := range []string{
		"process.name", "process.command_line", "process.args", "custom.word", "process.pid", "custom.number",
		"process.code_signature.trusted", "source.ip", "@timestamp",
	} {
		if r.IntN(2) == 0 {
			w.kept = append(w.kept, f)
		}
	}
	for range 60 {
		w.events = append(w.events, w.limit(r.Event()))
	}
	return w
}

// limit takes the fields away that the world does not have.
func (w *world) limit(doc []byte) []byte {
	var m map[string]any
	if err := json.Unmarshal(doc, &m); err != nil {
		panic(err)
	}
	flat := map[string]any{}
	for name, v := range m {
		if inner, ok := v.(map[string]any); ok {
			for rest, v := range inner {
				flat[name+"."+rest] = v
			}
			continue
		}
		flat[name] = v
	}
	out := map[string]any{}
	for _, name := range w.kept {
		if v, ok := flat[name]; ok {
			out[name] = v
		}
	}
	text, err := json.Marshal(out)
	if err != nil {
		panic(err)
	}
	return text
}

func randomRule(r eqltest.Random) *rule.Rule {
	for {
		q, err := eql.Parse(r.EventQuery().String())
		if err != nil {
			panic(err)
		}
		if len(eql.Check(q, eql.CheckOptions{})) == 0 {
			return &rule.Rule{EQL: q}
		}
	}
}

// TestRandomRules: no event of a source fires a rule that is blind on it or not about
// it, and a rule that is covered in full has all its fields.
func TestRandomRules(t *testing.T) {
	seed := rand.Uint64()
	r := eqltest.Random{Chooser: rand.New(rand.NewPCG(seed, 1))}
	counts, fired := coverage.Counts{}, 0
	for n := range 3000 {
		w := newWorld(r)
		c := coverage.Compile(randomRule(r), coverage.Options{})
		if c == nil {
			continue
		}
		set := event.NewFieldSet(nil)
		for _, f := range c.Fields() {
			set.Add(f)
		}
		cond, err := eql.Compile(c.Rule.EQL.Event, set, eql.CompileOptions{})
		if err != nil {
			t.Fatal(err)
		}
		o := coverage.NewObserver(set)
		dec, fires := event.NewDecoder(set, ""), ""
		for _, doc := range w.events {
			var ev event.Event
			if err := dec.Decode(doc, &ev); err != nil {
				t.Fatal(err)
			}
			o.Observe(&ev)
			if cond.Matches(&ev) {
				fires = string(doc)
			}
		}
		all := coverage.Join("all", o.Sources(nil)...)
		res := c.On(all)
		counts.Add(res)
		if fires != "" {
			fired++
			if res.Blind || res.Status == coverage.NotApplicable {
				t.Fatalf("seed %d, case %d: %s is %s, and fires on %s", seed, n, c.Rule.EQL, text(res), fires)
			}
		}
		if res.Status == coverage.Full {
			w.held(t, seed, c.Rule.EQL)
		}
	}
	t.Log(counts, fired)
	if counts.Full < 100 || counts.Blind < 20 || counts.Noisy < 100 || counts.PartlyBlind < 50 || fired < 500 {
		t.Errorf("too few of a sort: %s, %d fired", counts, fired)
	}
}

// held checks that the world has the fields of a query that is covered in full, but for
// tests that come to the same with and without them.
func (w *world) held(t *testing.T, seed uint64, q *eql.Query) {
	t.Helper()
	eql.Walk(q.Event.Where, func(e eql.Expr) {
		f, ok := e.(*eql.Field)
		if !ok {
			return
		}
		name := strings.TrimSuffix(f.Name, ".caseless")
		for _, kept := range w.kept {
			if kept == name {
				return
			}
		}
		t.Fatalf("seed %d: %s is full, but %s is in no event with %q", seed, q, f.Name, w.kept)
	})
}
