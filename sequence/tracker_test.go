package sequence_test

import (
	"bytes"
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

// world is a query and events for it. Conditions are left out: each event says
// which items it hits, and under which keys. Times are finer than the milliseconds
// in which missing events are compared.
type world struct {
	query  string
	events []worldEvent
	plan   *sequence.Plan
	parsed *eql.Query
}

type worldEvent struct {
	micros int64
	hits   []worldHit
}

type worldHit struct {
	item int
	keys []string
}

func (e *worldEvent) millis() int64 { return e.micros / 1000 }

func (w *world) String() string {
	var b strings.Builder
	b.WriteString(w.query)
	for i, e := range w.events {
		fmt.Fprintf(&b, "\n  event %d at %d µs, hits %v", i, e.micros, e.hits)
	}
	return b.String()
}

func randomWorld(r *rand.Rand) *world {
	w := &world{}
	var b strings.Builder
	b.WriteString("sequence by k")
	span := r.IntN(3) > 0
	missing := r.IntN(2) == 0
	if span || missing {
		fmt.Fprintf(&b, " with maxspan=%dms", 1+r.IntN(12))
	}
	positive := 1 + r.IntN(3)
	if !missing {
		positive = 2 + r.IntN(2)
	}
	for i := range positive + 1 {
		for missing && r.IntN(3) == 0 {
			b.WriteString(" ![any where true]")
		}
		if i < positive {
			b.WriteString(" [any where true]")
			if r.IntN(5) == 0 {
				fmt.Fprintf(&b, " with runs=%d", 1+r.IntN(3))
			}
		}
	}
	if r.IntN(3) == 0 {
		b.WriteString(" until [any where true]")
	}
	w.query = b.String()
	q, err := eql.Parse(w.query)
	if err != nil {
		return nil // too few queries
	}
	w.parsed = q
	if w.plan, err = sequence.Compile(q, event.NewFieldSet(nil)); err != nil {
		panic(err)
	}
	w.addEvents(r)
	return w
}

func (w *world) addEvents(r *rand.Rand) {
	now := int64(100_000)
	for range 2 + r.IntN(11) {
		now += int64(r.IntN(4)) * 1000 // often the same millisecond
		if r.IntN(3) == 0 {
			now += 400
		}
		e := worldEvent{micros: now}
		keys := someKeys(r)
		for i := range w.plan.Items() {
			if r.IntN(5) > 1 {
				continue
			}
			if r.IntN(3) == 0 { // the item's own key fields hold something else
				keys = someKeys(r)
			}
			if len(keys) > 0 {
				e.hits = append(e.hits, worldHit{i, keys})
			}
		}
		w.events = append(w.events, e)
	}
}

// someKeys gives none of the two keys, one or both, in either order.
func someKeys(r *rand.Rand) []string {
	var keys []string
	for _, k := range []string{"a", "b"} {
		if r.IntN(3) > 0 {
			keys = append(keys, k)
		}
	}
	if r.IntN(2) == 0 {
		slices.Reverse(keys)
	}
	return keys
}

// reference enumerates the matches of a world by the definition: for each key the
// machine of the positive items, in full and without forgetting, and then every
// match held against all events of the missing items.
func (w *world) reference() []string {
	type found struct {
		last  int
		order int
		text  string
	}
	var all []found
	steps := w.positives()
	for _, key := range []string{"a", "b"} {
		for _, m := range w.machine(key) {
			if w.missingHolds(key, m) {
				last := m[len(m)-1]
				order := slices.Index(w.keys(last, steps[len(steps)-1]), key)
				all = append(all, found{last, order, key + w.text(m)})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b found) int {
		if a.last != b.last {
			return a.last - b.last
		}
		return a.order - b.order
	})
	out := []string{}
	for _, f := range all {
		out = append(out, f.text)
	}
	return out
}

// positives gives the item of each step.
func (w *world) positives() []int {
	var steps []int
	for i, it := range w.parsed.Sequence.Items {
		for range it.Runs {
			if !it.Missing {
				steps = append(steps, i)
			}
		}
	}
	return steps
}

func (w *world) hits(e int, item int, key string) bool {
	return slices.Contains(w.keys(e, item), key)
}

// keys gives the keys under which an event hits an item.
func (w *world) keys(e int, item int) []string {
	for _, h := range w.events[e].hits {
		if h.item == item {
			return h.keys
		}
	}
	return nil
}

// machine gives the events of each emitted match of a key.
func (w *world) machine(key string) [][]int {
	steps := w.positives()
	n := len(steps)
	span := w.parsed.Sequence.MaxSpan.Microseconds()
	slots := make([][]int, n)
	var out [][]int
	for e := range w.events {
		for i := n - 1; i >= 0; i-- {
			if !w.hits(e, steps[i], key) {
				continue
			}
			var next []int
			if i == 0 {
				next = []int{e}
			} else {
				before := slots[i-1]
				if before == nil || before[len(before)-1] == e {
					continue
				}
				slots[i-1] = nil
				if span > 0 && w.events[e].micros-w.events[before[0]].micros > span {
					continue
				}
				next = append(slices.Clone(before), e)
			}
			if i == n-1 {
				out = append(out, next)
			} else {
				slots[i] = next
			}
		}
		if w.parsed.Sequence.Until != nil && w.hits(e, len(w.parsed.Sequence.Items), key) {
			clear(slots)
		}
	}
	return out
}

// missingHolds applies the table of missing events to a match.
func (w *world) missingHolds(key string, m []int) bool {
	span := w.parsed.Sequence.MaxSpan.Milliseconds()
	at := func(i int) int64 { return w.events[m[i]].millis() }
	first, last := at(0), at(len(m)-1)
	const none = int64(-1)
	lead, trail := none, none
	leading, trailing := false, false
	gap := 0
	for i, it := range w.parsed.Sequence.Items {
		if !it.Missing {
			gap += it.Runs
			continue
		}
		leading = leading || gap == 0
		trailing = trailing || gap == len(m)
		for e := range w.events {
			if !w.hits(e, i, key) {
				continue
			}
			t := w.events[e].millis()
			switch {
			case gap == 0:
				if t < first && t > lead {
					lead = t
				}
			case gap == len(m):
				if t > last && (trail == none || t < trail) {
					trail = t
				}
			case t > at(gap-1) && t < at(gap):
				return false
			}
		}
	}
	switch {
	case leading && trailing:
		return lead == none || trail == none || trail-lead > span
	case leading:
		return lead == none || last-lead > span
	case trailing:
		return trail == none || trail-first > span
	}
	return true
}

func (w *world) text(m []int) string {
	var b strings.Builder
	gap := 0
	for _, it := range w.parsed.Sequence.Items {
		for range it.Runs {
			if it.Missing {
				b.WriteString(" -")
				continue
			}
			fmt.Fprintf(&b, " %d", m[gap])
			gap++
		}
	}
	return b.String()
}

// track runs a world through a Tracker. Between gives the tracker to go on with
// after each event.
func (w *world) track(opt sequence.Options, between func(*sequence.Tracker) *sequence.Tracker) []string {
	t := sequence.NewTracker(w.plan, opt)
	var matches []sequence.Match
	emit := func(m sequence.Match) { matches = append(matches, m) }
	for n, e := range w.events {
		var hits []sequence.Hit
		for _, h := range e.hits {
			keys := make([]string, len(h.keys))
			for i, k := range h.keys {
				keys[i] = keyOf(k)
			}
			hits = append(hits, sequence.Hit{Item: h.item, Keys: keys})
		}
		t.Observe(record(n, e.micros), hits, emit)
		t = between(t)
	}
	t.Finish(emit)
	slices.SortStableFunc(matches, func(a, b sequence.Match) int { return int(a.Order) - int(b.Order) })
	out := []string{}
	for _, m := range matches {
		text := nameOf(m.Key)
		for _, r := range m.Records {
			if r == nil {
				text += " -"
			} else {
				text += " " + r.ID()
			}
		}
		out = append(out, text)
	}
	return out
}

// record makes a record whose id is its number.
func record(n int, micros int64) *sequence.Record {
	r := &sequence.Record{Time: event.FromTime(time.UnixMicro(micros)), Timed: true, Number: uint64(n)}
	r.SetHit("", fmt.Sprint(n))
	return r
}

func keyOf(name string) string { return sequence.Key(event.StringValue(name)) }

func nameOf(key string) string { return sequence.KeyValues(key)[0].Text() }

func same(t *sequence.Tracker) *sequence.Tracker { return t }

func TestTrackerAgreesWithTheDefinition(t *testing.T) {
	worlds := 100_000
	if testing.Short() {
		worlds = 5_000
	}
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	matches := 0
	for n := 0; n < worlds; {
		w := randomWorld(r)
		if w == nil {
			continue
		}
		n++
		want := w.reference()
		matches += len(want)
		if got := w.track(sequence.Options{}, same); !slices.Equal(got, want) {
			t.Fatalf("seed %d: %s\ngot  %q\nwant %q", seed, w, got, want)
		}
	}
	t.Logf("seed number %d: %d worlds, %d matches", seed, worlds, matches)
	if matches < worlds/4 {
		t.Errorf("only %d matches in %d worlds", matches, worlds)
	}
}

// restored takes a snapshot of a tracker and gives the one that is made of it.
func restored(t *testing.T, tr *sequence.Tracker, p *sequence.Plan, opt sequence.Options) *sequence.Tracker {
	t.Helper()
	w := sequence.NewWriter()
	tr.Save(w)
	r, err := sequence.NewReader(w.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	again := sequence.NewTracker(p, opt)
	if err := again.Load(r); err != nil || r.Len() > 0 {
		t.Fatalf("%v, %d bytes left", err, r.Len())
	}
	if again.Stats() != tr.Stats() {
		t.Fatalf("%+v became %+v", tr.Stats(), again.Stats())
	}
	w2 := sequence.NewWriter()
	if again.Save(w2); !bytes.Equal(w2.Bytes(), w.Bytes()) {
		t.Fatal("the snapshot of the restored tracker is another")
	}
	return again
}

func TestRestoredTrackerGivesTheSameAnswers(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 2))
	for n := 0; n < 3000; {
		w := randomWorld(r)
		if w == nil {
			continue
		}
		n++
		opt := sequence.Options{MaxKeys: r.IntN(4), MaxAge: time.Duration(r.IntN(9)) * time.Millisecond}
		want := w.track(opt, same)
		got := w.track(opt, func(tr *sequence.Tracker) *sequence.Tracker { return restored(t, tr, w.plan, opt) })
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: %s\nrestored %q\nstraight %q", seed, w, got, want)
		}
	}
}

func TestDamagedSnapshots(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var w *world
	for w == nil || !strings.Contains(w.query, "!") || len(w.events) < 8 {
		w = randomWorld(r)
	}
	var snapshot []byte
	w.track(sequence.Options{}, func(tr *sequence.Tracker) *sequence.Tracker {
		sw := sequence.NewWriter()
		tr.Save(sw)
		snapshot = sw.Bytes()
		return tr
	})
	load := func(b []byte) error {
		sr, err := sequence.NewReader(b)
		if err != nil {
			return err
		}
		return sequence.NewTracker(w.plan, sequence.Options{}).Load(sr)
	}
	for n := range len(snapshot) {
		if err := load(snapshot[:n]); err == nil {
			t.Errorf("a snapshot cut to %d of %d bytes was accepted", n, len(snapshot))
		}
	}
	for range 20000 {
		b := slices.Clone(snapshot)
		for range 1 + r.IntN(3) {
			b[r.IntN(len(b))] ^= byte(1 + r.IntN(255))
		}
		_ = load(b) // must not panic
	}
}

// simple observes one event for a two-step sequence by key.
func simple(t *sequence.Tracker, n int, millis int64, item int, key string, emit func(sequence.Match)) {
	t.Observe(record(n, millis*1000), []sequence.Hit{{Item: item, Keys: []string{keyOf(key)}}}, emit)
}

func plan(t *testing.T, query string) *sequence.Plan {
	t.Helper()
	q, err := eql.Parse(query)
	if err != nil {
		t.Fatal(err)
	}
	p, err := sequence.Compile(q, event.NewFieldSet(nil))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestKeysAreBounded(t *testing.T) {
	tr := sequence.NewTracker(plan(t, "sequence by k [any where true] [any where true]"), sequence.Options{MaxKeys: 3})
	var got []string
	emit := func(m sequence.Match) { got = append(got, nameOf(m.Key)) }
	for i, k := range []string{"a", "b", "c", "a", "d"} {
		simple(tr, i, int64(i), 0, k, emit)
	}
	if s := tr.Stats(); s.Keys != 3 || s.Evicted != 1 {
		t.Errorf("%+v", s)
	}
	for i, k := range []string{"b", "a", "c", "d"} { // b began longest ago
		simple(tr, 10+i, 20, 1, k, emit)
	}
	if strings.Join(got, "") != "acd" {
		t.Errorf("matches %v", got)
	}
	if s := tr.Stats(); s.Keys != 0 {
		t.Errorf("%+v", s)
	}
}

func TestAbsencesAreBounded(t *testing.T) {
	var got []string
	emit := func(m sequence.Match) { got = append(got, nameOf(m.Key)) }
	leading := sequence.NewTracker(plan(t, "sequence by k with maxspan=10s ![any where true] [any where true]"), sequence.Options{MaxKeys: 2})
	for i, k := range []string{"a", "b", "a", "c"} { // the event of b is the oldest
		simple(leading, i, int64(i), 0, k, emit)
	}
	for i, k := range []string{"a", "b", "c"} {
		simple(leading, 10+i, 20, 1, k, emit)
	}
	if s := leading.Stats(); strings.Join(got, "") != "b" || s.Evicted != 1 {
		t.Errorf("before the first step: matches %v, %+v", got, s)
	}
	got = nil
	trailing := sequence.NewTracker(plan(t, "sequence by k with maxspan=10s [any where true] ![any where true]"), sequence.Options{MaxKeys: 2})
	for i, k := range []string{"a", "a", "b"} {
		simple(trailing, i, int64(i), 0, k, emit)
	}
	if s := trailing.Stats(); s.Pending != 2 || s.Evicted != 1 {
		t.Errorf("behind the last step: %+v", s)
	}
	trailing.Finish(emit)
	if strings.Join(got, "") != "ab" {
		t.Errorf("behind the last step: matches %v", got)
	}
}

// TestManyWaitsOfOneKey has every event wait for an absence under one key, and then
// half of them settled by time and half rejected. It takes long if any of that is
// done one by one in a list.
func TestManyWaitsOfOneKey(t *testing.T) {
	const n = 200_000
	tr := sequence.NewTracker(plan(t, "sequence by k with maxspan=1h [any where true] ![any where true]"), sequence.Options{})
	matches := 0
	emit := func(sequence.Match) { matches++ }
	for i := range n {
		simple(tr, i, int64(i), 0, "a", emit)
	}
	tr.Advance(event.UnixMilli(3_600_000+n/2), emit)
	simple(tr, n, 3_600_000+n/2, 1, "a", emit)
	if s := tr.Stats(); matches != n/2 || s.Pending != 0 {
		t.Errorf("%d matches, %+v", matches, s)
	}
}

func TestKeysExpire(t *testing.T) {
	none := func(sequence.Match) { t.Error("a match") }
	tr := sequence.NewTracker(plan(t, "sequence by k with maxspan=1s [any where true] [any where true]"), sequence.Options{})
	simple(tr, 0, 1000, 0, "a", none)
	simple(tr, 1, 1500, 0, "b", none)
	tr.Advance(event.UnixMilli(2000), none)
	if s := tr.Stats(); s.Keys != 2 {
		t.Errorf("at maxspan: %+v", s)
	}
	tr.Advance(event.UnixMilli(2001), none)
	if s := tr.Stats(); s.Keys != 1 || s.Expired != 1 {
		t.Errorf("behind maxspan: %+v", s)
	}
	old := sequence.NewTracker(plan(t, "sequence by k [any where true] [any where true]"), sequence.Options{MaxAge: time.Second})
	simple(old, 0, 1000, 0, "a", none)
	old.Advance(event.UnixMilli(2001), none)
	if s := old.Stats(); s.Keys != 0 || s.Evicted != 1 {
		t.Errorf("behind the age: %+v", s)
	}
}

func TestTrailingAbsenceIsDecidedByTheWatermark(t *testing.T) {
	p := plan(t, "sequence by k with maxspan=10s [any where true] ![any where true]")
	var got []string
	emit := func(m sequence.Match) { got = append(got, nameOf(m.Key)) }
	tr := sequence.NewTracker(p, sequence.Options{})
	simple(tr, 0, 1000, 0, "a", emit)
	simple(tr, 1, 1000, 0, "b", emit)
	tr.Advance(event.UnixMilli(11000), emit) // an event at just this time may still come
	if len(got) != 0 || tr.Stats().Pending != 2 {
		t.Errorf("too early: %v", got)
	}
	simple(tr, 2, 11000, 1, "a", emit)
	tr.Advance(event.UnixMilli(11001), emit)
	if strings.Join(got, "") != "b" {
		t.Errorf("matches %v", got)
	}
}

func TestObserveAllocatesNothingWithoutHits(t *testing.T) {
	tr := sequence.NewTracker(plan(t, "sequence by k with maxspan=1m [any where true] [any where true]"), sequence.Options{})
	r := &sequence.Record{Time: event.UnixMilli(5), Timed: true}
	emit := func(sequence.Match) {}
	if n := testing.AllocsPerRun(100, func() { tr.Observe(r, nil, emit) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestSampleEmitsOncePerKey(t *testing.T) {
	tr := sequence.NewTracker(plan(t, "sample by k [any where true] [any where true]"), sequence.Options{})
	var got []string
	emit := func(m sequence.Match) { got = append(got, nameOf(m.Key)+m.Records[0].ID()+m.Records[1].ID()) }
	both := func(n int, key string, items ...int) {
		var hits []sequence.Hit
		for _, i := range items {
			hits = append(hits, sequence.Hit{Item: i, Keys: []string{keyOf(key)}})
		}
		tr.Observe(record(n, 0), hits, emit)
	}
	both(1, "a", 0, 1) // one event is not two
	both(2, "b", 1)
	both(3, "a", 0)
	both(4, "b", 0)
	both(5, "a", 0, 1)
	if strings.Join(got, " ") != "a31 b42" {
		t.Errorf("samples %v", got)
	}
}
