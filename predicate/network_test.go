package predicate_test

import (
	"math/rand/v2"
	"slices"
	"testing"

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
// and events.
func TestNetworkIsItsConditions(t *testing.T) {
	pairs, holds := 0, 0
	for seed := range uint64(12) {
		r := eqltest.Random{Chooser: rand.New(rand.NewPCG(seed, 5))}
		var queries []*eql.EventQuery
		for range 300 {
			queries = append(queries, r.EventQuery())
		}
		w := newWorld(t, queries)
		for range 400 {
			holds += w.hits(t, r.Event())
			pairs += len(queries)
		}
	}
	t.Logf("%d pairs, %d hold", pairs, holds)
	if pairs < 1_000_000 || holds < pairs/20 {
		t.Errorf("%d pairs, %d hold: too few to tell anything", pairs, holds)
	}
}
