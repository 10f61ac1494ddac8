package detect

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/sequence"
)

// TestQueue adds and takes arrivals, mostly in order, and compares with a list that is
// sorted each time.
func TestQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var want []*Arrival
		now, number := int64(0), uint64(0)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0, 1, 2, 3: // take one
				first := q.first()
				if len(want) == 0 {
					if first != nil {
						t.Fatal("an arrival where there is none")
					}
					continue
				}
				if first != want[0] {
					t.Fatalf("%v, expected %v", first.record, want[0].record)
				}
				q.take(first)
				want = want[1:]
			case 4: // as a spill does
				if rapid.Bool().Draw(t, "clear") {
					if got := q.sorted(); !slices.Equal(got, want) {
						t.Fatalf("%d arrivals, expected %d, or another order", len(got), len(want))
					}
					q.clear()
					want = nil
				}
			default:
				now += rapid.Int64Range(0, 2).Draw(t, "later")
				late := max(0, rapid.Int64Range(-8, 4).Draw(t, "late")) // one in three
				number++
				a := &Arrival{record: &sequence.Record{Timed: true, Time: event.Time{Sec: now - late}, Number: number}}
				q.add(a)
				want = append(want, a)
				slices.SortFunc(want, compareArrivals)
			}
			if all := q.all(); q.len() != len(want) || len(all) != len(want) {
				t.Fatalf("%d arrivals, %d in all, expected %d", q.len(), len(all), len(want))
			}
		}
	})
}
