package sequence_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/sequence"
)

// choices gives all ways to choose a different event for each item, in the order of
// the events, the last item varying fastest. Hits[e] are the items that event e hits.
func choices(hits [][]int, items int) [][]int {
	all := [][]int{{}}
	for item := range items {
		var longer [][]int
		for _, chosen := range all {
			for e := range hits {
				if slices.Contains(hits[e], item) && !slices.Contains(chosen, e) {
					longer = append(longer, append(slices.Clone(chosen), e))
				}
			}
		}
		all = longer
	}
	return all
}

// sampleWorld are events under one key each, with the items they hit.
type sampleWorld struct {
	plan *sequence.Plan
	keys []string
	hits [][]int
}

func randomSample(r *rand.Rand) *sampleWorld {
	w := &sampleWorld{}
	items := 2 + r.IntN(3)
	q, err := eql.Parse("sample by k" + strings.Repeat(" [any where true]", items))
	if err != nil {
		panic(err)
	}
	if w.plan, err = sequence.Compile(q, event.NewFieldSet(nil)); err != nil {
		panic(err)
	}
	for range r.IntN(20) {
		var hits []int
		for i := range items {
			if r.IntN(3) == 0 {
				hits = append(hits, i)
			}
		}
		w.keys = append(w.keys, string(rune('a'+r.IntN(2))))
		w.hits = append(w.hits, hits)
	}
	return w
}

// only gives the hits of the first n events under a key.
func (w *sampleWorld) only(key string, n int) [][]int {
	hits := make([][]int, n)
	for e := range n {
		if w.keys[e] == key {
			hits[e] = w.hits[e]
		}
	}
	return hits
}

func (w *sampleWorld) track(perKey int, between func(*sequence.Tracker) *sequence.Tracker) []string {
	out := []string{}
	t := sequence.NewTracker(w.plan, sequence.Options{SamplesPerKey: perKey})
	emit := func(m sequence.Match) {
		text := nameOf(m.Key)
		for _, r := range m.Records {
			text += " " + r.ID()
		}
		out = append(out, text)
	}
	for e, items := range w.hits {
		var hits []sequence.Hit
		for _, i := range items {
			hits = append(hits, sequence.Hit{Item: i, Keys: []string{keyOf(w.keys[e])}})
		}
		t.Observe(record(e, 0), hits, emit)
		t = between(t)
	}
	t.Finish(emit)
	return out
}

// TestSamplesThatCannotBe has items with many candidates before two that have only
// one between them: there is no sample, and that is told at once.
func TestSamplesThatCannotBe(t *testing.T) {
	tr := sequence.NewTracker(plan(t, "sample by k"+strings.Repeat(" [any where true]", 5)), sequence.Options{SamplesPerKey: 10_000})
	emit := func(sequence.Match) { t.Error("a sample") }
	key := []string{keyOf("a")}
	for e := range 10_000 {
		tr.Observe(record(e, 0), []sequence.Hit{{Item: 0, Keys: key}, {Item: 1, Keys: key}, {Item: 2, Keys: key}}, emit)
	}
	tr.Observe(record(10_000, 0), []sequence.Hit{{Item: 3, Keys: key}, {Item: 4, Keys: key}}, emit)
	tr.Finish(emit)
}

// TestSamplesAgreeWithTheDefinition holds the samples of random worlds against all
// choices there are: at the end, by ascending key; or, as events come, the first
// choice of each key once there is one. Every second world is restored from a snapshot
// after each event.
func TestSamplesAgreeWithTheDefinition(t *testing.T) {
	worlds := 5000
	if testing.Short() {
		worlds = 500
	}
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 4))
	samples := 0
	for n := range worlds {
		w := randomSample(r)
		perKey := 1 + r.IntN(9)
		var atEnd, live []string
		for _, key := range []string{"a", "b"} {
			all := choices(w.only(key, len(w.hits)), w.plan.Items())
			for _, c := range all[:min(perKey, len(all))] {
				atEnd = append(atEnd, key+" "+strings.Trim(fmt.Sprint(c), "[]"))
			}
		}
		done := map[string]bool{}
		for e, key := range w.keys {
			if all := choices(w.only(key, e+1), w.plan.Items()); len(all) > 0 && !done[key] {
				done[key] = true
				live = append(live, key+" "+strings.Trim(fmt.Sprint(all[0]), "[]"))
			}
		}
		samples += len(atEnd)
		restore := func(perKey int) func(*sequence.Tracker) *sequence.Tracker {
			if n%2 == 0 {
				return same
			}
			return func(tr *sequence.Tracker) *sequence.Tracker {
				return restored(t, tr, w.plan, sequence.Options{SamplesPerKey: perKey})
			}
		}
		if got := w.track(perKey, restore(perKey)); !slices.Equal(got, atEnd) {
			t.Fatalf("seed %d: keys %v, hits %v, %d a key:\ngot  %q\nwant %q", seed, w.keys, w.hits, perKey, got, atEnd)
		}
		if got := w.track(0, restore(0)); !slices.Equal(got, live) {
			t.Fatalf("seed %d: keys %v, hits %v:\ngot  %q\nwant %q", seed, w.keys, w.hits, got, live)
		}
	}
	if samples < worlds {
		t.Errorf("only %d samples in %d worlds", samples, worlds)
	}
}
