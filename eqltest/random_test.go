package eqltest_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/eqltest"
	"github.com/shrike-project/shrike/event"
)

// TestTraceAgreesWithTheCondition compares the two walks over a condition on
// random queries and events.
func TestTraceAgreesWithTheCondition(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := eqltest.Random{Chooser: rand.New(rand.NewPCG(seed, 3))}
	holds := 0
	const queries, events = 400, 50
	for range queries {
		q := &eql.Query{Event: r.EventQuery()}
		fields := event.NewFieldSet(nil)
		cond, err := eql.Compile(q.Event, fields, eql.CompileOptions{})
		if err != nil {
			t.Fatalf("seed %d: %s: %v", seed, q, err)
		}
		dec := event.NewDecoder(fields, "")
		var ev event.Event
		for range events {
			doc := r.Event()
			if err := dec.Decode(doc, &ev); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			m := cond.Matches(&ev)
			if m {
				holds++
			}
			if tr := cond.Trace(&ev); (tr.Result == eql.True) != m {
				t.Fatalf("seed %d: %s on %s: matches %v, trace %s", seed, q, doc, m, tr.Result)
			}
		}
	}
	if holds < queries*events/20 {
		t.Errorf("only %d of %d hold: the events are too far from the queries", holds, queries*events)
	}
}
