package predicate_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/eqltest"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/predicate"
)

// world is a network, the conditions in it, and a decoder for their fields.
type world struct {
	set        *event.FieldSet
	conditions []*eql.Condition
	network    *predicate.Network
	decoder    *event.Decoder
	matcher    *predicate.Matcher
	ev         event.Event
}

func newWorld(t testing.TB, queries []*eql.EventQuery) *world {
	w := &world{set: event.NewFieldSet(nil)}
	for _, q := range queries {
		c, err := eql.Compile(q, w.set, eql.CompileOptions{})
		if err != nil {
			t.Fatalf("%s: %v", q, err)
		}
		w.conditions = append(w.conditions, c)
	}
	w.network = predicate.Compile(w.conditions, w.set)
	w.decoder = event.NewDecoder(w.set, "")
	w.matcher = w.network.NewMatcher()
	return w
}

// randomWorld is a world of n random conditions.
func randomWorld(t testing.TB, r eqltest.Random, n int) *world {
	queries := make([]*eql.EventQuery, n)
	for i := range queries {
		queries[i] = r.EventQuery()
	}
	return newWorld(t, queries)
}

// hits compares the network with the conditions themselves, and gives how many hold.
func (w *world) hits(t testing.TB, doc []byte) int {
	if err := w.decoder.Decode(doc, &w.ev); err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	got := slices.Clone(w.matcher.Match(&w.ev))
	var want []int
	for i, c := range w.conditions {
		if c.Matches(&w.ev) {
			want = append(want, i)
		}
	}
	if !slices.Equal(got, want) {
		for i, c := range w.conditions {
			if slices.Contains(got, i) != slices.Contains(want, i) {
				t.Fatalf("condition %d\n%s\nevent %s\nholds: %v, the network says %v", i, c.Query(), doc, slices.Contains(want, i), slices.Contains(got, i))
			}
		}
		t.Fatalf("event %s: %v, expected %v", doc, got, want)
	}
	return len(want)
}

// TestNetworkIsItsConditions compares a million and more pairs of random conditions
// and events; SHRIKE_EQUALITY_SEEDS says how many times 120,000.
func TestNetworkIsItsConditions(t *testing.T) {
	pairs, holds, seeds := 0, 0, uint64(12)
	if text := os.Getenv("SHRIKE_EQUALITY_SEEDS"); text != "" {
		var err error
		if seeds, err = strconv.ParseUint(text, 10, 32); err != nil {
			t.Fatalf("SHRIKE_EQUALITY_SEEDS: %v", err)
		}
	}
	for seed := range seeds {
		r := eqltest.Random{Chooser: rand.New(rand.NewPCG(seed, 5))}
		w := randomWorld(t, r, 300)
		for range 400 {
			holds += w.hits(t, r.Event())
			pairs += len(w.conditions)
		}
	}
	fmt.Printf("equality: random rules: %d pairs with random events, %d hits, the network and the plain evaluator agree\n", pairs, holds)
	if pairs < 1_000_000 || holds < pairs/20 {
		t.Errorf("%d pairs, %d hold: too few to tell anything", pairs, holds)
	}
}

// TestSmallDiagram lets a diagram be full and begin anew, again and again.
func TestSmallDiagram(t *testing.T) {
	r := eqltest.Random{Chooser: rand.New(rand.NewPCG(9, 5))}
	w := randomWorld(t, r, 40)
	states := predicate.LimitDiagram(w.matcher, 12<<10)
	most, last, begun, holds := 0, 0, 0, 0
	for range 20_000 {
		holds += w.hits(t, r.Event())
		now := states()
		if now < last {
			begun++
		}
		most, last = max(most, now), now
	}
	t.Logf("%d hits, %d states at most, begun anew %d times", holds, most, begun)
	if begun < 2 || most < 10 || holds == 0 {
		t.Error("too little happened to tell anything")
	}
}

// TestTextsThatGo lets other texts come again all the time, so that those that were
// remembered have to go.
func TestTextsThatGo(t *testing.T) {
	var queries []*eql.EventQuery
	for _, text := range []string{
		`any where process.name : "*7*"`, `any where process.name : "1*"`, `any where process.name == "123"`, `any where length(process.name) > 200`,
	} {
		q, err := eql.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		queries = append(queries, q.Event)
	}
	w := newWorld(t, queries)
	r := rand.New(rand.NewPCG(4, 5))
	holds := 0
	for i := range 60_000 {
		n := i/64*8 + r.IntN(8)
		if r.IntN(4) == 0 {
			n = r.IntN(400)
		}
		holds += w.hits(t, fmt.Appendf(nil, `{"process":{"name":"%d%s"}}`, n, strings.Repeat("x", n%250)))
	}
	if holds < 1000 {
		t.Errorf("%d hits: too few to tell anything", holds)
	}
}

// TestLook holds what is told to somebody who watches to what matches.
func TestLook(t *testing.T) {
	r := eqltest.Random{Chooser: rand.New(rand.NewPCG(3, 5))}
	w := randomWorld(t, r, 100)
	watched := w.network.NewMatcher()
	looks, hits := 0, 0
	for range 300 {
		doc := r.Event()
		hits += w.hits(t, doc)
		want := slices.Clone(w.matcher.Match(&w.ev))
		var got []int
		tick := time.Duration(0)
		watched.Look(&w.ev, func() time.Duration { tick++; return tick }, func(c int, took time.Duration, holds bool) {
			if took != 1 {
				t.Errorf("condition %d took %d ticks, holds %v", c, took, holds)
			}
			looks++
			if holds {
				got = append(got, c)
			}
		})
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Fatalf("%s: %v hold, watched %v", doc, want, got)
		}
	}
	if looks < hits || hits == 0 {
		t.Errorf("%d looked at, %d hold", looks, hits)
	}
}

// TestFilingIsNeeded shows that no condition holds for an event that lacks its witness.
func TestFilingIsNeeded(t *testing.T) {
	byWitness := map[predicate.Witness]int{}
	for seed := range uint64(3) {
		r := eqltest.Random{Chooser: rand.New(rand.NewPCG(seed, 6))}
		w := randomWorld(t, r, 300)
		for range 200 {
			doc := r.Event()
			w.hits(t, doc)
			for _, c := range w.matcher.Match(&w.ev) {
				f := w.network.Filing(c)
				byWitness[f.Witness]++
				if f.Witness != predicate.Always && !w.hasWitness(f) {
					t.Fatalf("%s\nholds for %s\nwhich has none of %v", w.conditions[c].Query(), doc, f)
				}
			}
		}
	}
	t.Logf("%v", byWitness)
	for _, witness := range []predicate.Witness{predicate.Exact, predicate.Edge, predicate.Literal, predicate.Always} {
		if byWitness[witness] == 0 {
			t.Errorf("no hit of a condition filed under %s", witness)
		}
	}
	if byWitness[predicate.Never] > 0 {
		t.Error("what never holds did")
	}
}

// hasWitness reports whether the event has the witness of a filing. Values that are
// no ASCII may match by another spelling.
func (w *world) hasWitness(f predicate.Filing) bool {
	for _, name := range f.Fields {
		field, _ := w.set.Lookup(name)
		for _, v := range w.ev.Values(field) {
			text := strings.ToLower(v.Text())
			if strings.IndexFunc(v.Text(), func(r rune) bool { return r >= 0x80 }) >= 0 {
				return true
			}
			for _, s := range f.Texts {
				s = strings.ToLower(s)
				switch begins, ends := strings.TrimSuffix(s, "*"), strings.TrimPrefix(s, "*"); {
				case f.Witness == predicate.Exact && text == s,
					f.Witness == predicate.Edge && (strings.HasPrefix(text, begins) || strings.HasSuffix(text, ends) || text == s),
					f.Witness == predicate.Literal && strings.Contains(text, strings.Trim(s, "*")):
					return true
				}
			}
		}
	}
	return false
}
