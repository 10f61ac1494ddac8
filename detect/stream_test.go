package detect_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// doc makes an event that happened a time after start.
func doc(id string, after time.Duration, step, key string) string {
	return fmt.Sprintf(`{"_id":%q,"_source":{"@timestamp":%q,"step":%q,"key":%q}}`, id, start.Add(after).Format(time.RFC3339Nano), step, key)
}

// follower shows documents to a stream and notes the signals, each as
// rule:event+event.
type follower struct {
	t       *testing.T
	d       *detect.Detector
	stream  *detect.Stream
	signals []string
}

func follow(t *testing.T, opt detect.StreamOptions, rules ...*rule.Rule) *follower {
	d := detect.New(rules, detect.Options{})
	return &follower{t: t, d: d, stream: d.NewStream(opt)}
}

func (f *follower) signal(s *detect.Signal) {
	var ids []string
	for _, step := range s.Steps {
		if step.Record == nil {
			ids = append(ids, "-")
		} else {
			ids = append(ids, step.Record.ID())
		}
	}
	f.signals = append(f.signals, s.Rule.RuleID+":"+strings.Join(ids, "+"))
}

func (f *follower) observe(docs ...string) error {
	m, dec := f.d.NewMatcher(), f.d.NewDecoder()
	var ev event.Event
	var hits detect.Hits
	var err error
	take := func(a *detect.Arrival) {
		if observeErr := f.stream.Observe(a, f.signal); err == nil {
			err = observeErr
		}
	}
	for _, doc := range docs {
		if err := dec.Decode([]byte(doc), &ev); err != nil {
			f.t.Fatal(err)
		}
		m.Match(&ev, &hits)
		m.Arrivals(&ev, &hits, take)
	}
	m.Pause(take)
	return err
}

func (f *follower) expect(want ...string) {
	f.t.Helper()
	if !slices.Equal(f.signals, want) {
		f.t.Errorf("signals %v, expected %v", f.signals, want)
	}
	f.signals = nil
}

func pair(t *testing.T, id, with string) *rule.Rule {
	return makeRule(t, id, `sequence by key `+with+` [any where step == "a"] [any where step == "b"]`, "")
}

func TestLateEventsAreCountedByRule(t *testing.T) {
	ab := pair(t, "ab", "")
	b := makeRule(t, "b", `sequence by key [any where step == "b"] [any where step == "c"]`, "")
	f := follow(t, detect.StreamOptions{Lateness: time.Minute}, ab, b)
	if err := f.observe(doc("1", 0, "a", "k"), doc("2", 2*time.Minute, "x", "k"), doc("3", 59*time.Second, "b", "k"), doc("4", time.Minute, "b", "k")); err != nil {
		t.Fatal(err)
	}
	if err := f.stream.Finish(f.signal); err != nil {
		t.Fatal(err)
	}
	f.expect("ab:1+4")
	if st := f.stream.Stats(); st.Late[ab] != 1 || st.Late[b] != 1 || len(st.Late) != 2 {
		t.Errorf("late events %v", st.Late)
	}
}

func TestLateEventsArePartOfSamples(t *testing.T) {
	sample := makeRule(t, "s", `sample by key [any where step == "a"] [any where step == "b"]`, "")
	ab := pair(t, "ab", "")
	f := follow(t, detect.StreamOptions{MaxAge: time.Minute}, ab, sample)
	_ = f.observe(doc("1", time.Hour, "a", "k"), doc("2", 0, "b", "k"), doc("3", 0, "b", "l"))
	// A key is as old as the events around it say.
	_ = f.observe(doc("4", time.Hour+time.Second, "a", "l"))
	_ = f.stream.Finish(f.signal)
	f.expect("s:1+2", "s:4+3")
	if st := f.stream.Stats(); st.Late[ab] != 2 || st.Late[sample] != 0 {
		t.Errorf("late events %v", st.Late)
	}
}

func TestLatenessOfTheSchedule(t *testing.T) {
	f := func(want time.Duration, schedules ...string) {
		t.Helper()
		rules := []*rule.Rule{makeRule(t, "event", "any where true", `from = "now-1d"`)}
		for i, s := range schedules {
			rules = append(rules, makeRule(t, fmt.Sprint(i), `sequence by key [any where step == "a"] [any where step == "b"]`, s))
		}
		if got := detect.New(rules, detect.Options{}).Lateness(); got != want {
			t.Errorf("%q: %s, expected %s", schedules, got, want)
		}
	}
	f(0)
	f(time.Minute, "") // every 5 minutes over the last 6, as Kibana has it
	f(4*time.Minute, `from = "now-9m"`)
	f(time.Hour, `from = "now-9m"`, "from = \"now-2h\"\ninterval = \"1h\"")
	f(0, "from = \"now-5m\"\ninterval = \"10m\"") // it leaves gaps
}

func TestTimePassesWithEventsThatHitNothing(t *testing.T) {
	missing := makeRule(t, "m", `sequence by key with maxspan=10s [any where step == "a"] ![any where step == "b"]`, "")
	f := follow(t, detect.StreamOptions{Lateness: 5 * time.Second}, missing)
	_ = f.observe(doc("1", 0, "a", "k"), doc("2", 15*time.Second, "x", "k"))
	f.expect() // an event of the 10th second may still come
	_ = f.observe(doc("3", 15*time.Second+2*time.Millisecond, "x", "k"))
	f.expect("m:1+-")
	// So it does without events.
	_ = f.observe(doc("4", 20*time.Second, "a", "k"))
	f.stream.Advance(event.FromTime(start.Add(30*time.Second)), f.signal)
	f.expect()
	f.stream.Advance(event.FromTime(start.Add(30*time.Second+time.Millisecond)), f.signal)
	f.expect("m:4+-")
}

func TestUntimedEventsAreCounted(t *testing.T) {
	sample := makeRule(t, "s", `sample by key [any where step == "a"] [any where step == "b"]`, "")
	f := follow(t, detect.StreamOptions{Lateness: detect.Unlimited}, pair(t, "ab", ""), sample)
	_ = f.observe(`{"_id":"1","_source":{"step":"a","key":"k"}}`, doc("2", 0, "b", "k"))
	_ = f.stream.Finish(f.signal)
	f.expect("s:1+2")
	if st := f.stream.Stats(); st.Untimed != 1 {
		t.Errorf("%d untimed events", st.Untimed)
	}
}

// memoryRuns stores runs in memory; fail makes the n-th write fail.
type memoryRuns struct {
	made, closed int
	fail         bool
}

type memoryRun struct {
	bytes.Buffer
	of *memoryRuns
}

var errDisk = errors.New("no space left on device")

func (m *memoryRuns) Create() (detect.Run, error) { m.made++; return &memoryRun{of: m}, nil }

func (r *memoryRun) Write(p []byte) (int, error) {
	if r.of.fail {
		return 0, errDisk
	}
	return r.Buffer.Write(p)
}

func (r *memoryRun) Rewind() (io.Reader, error) { return bytes.NewReader(r.Bytes()), nil }
func (r *memoryRun) Close() error               { r.of.closed++; return nil }

// TestSpilledRunsAreMerged gives the same events in three orders, with memory for
// all of them, for some, and for one.
func TestSpilledRunsAreMerged(t *testing.T) {
	rules := []*rule.Rule{makeRule(t, "one", `sequence by key with maxspan=1m [any where step == "a"] [any where step == "b"]`, `tiebreaker_field = "tie"`), makeRule(t, "two", `sequence by key, kind with maxspan=5s [any where step == "b"] [any where step == "a"] [any where step == "b"]`, "timestamp_field = \"seen\"\ntiebreaker_field = \"tie\"")}
	r := rand.New(rand.NewPCG(1, 2))
	var docs []string
	for i := range 2000 {
		after := start.Add(time.Duration(r.IntN(3000)) * time.Second / 3).Format(time.RFC3339Nano)
		docs = append(docs, fmt.Sprintf(`{"_id":"%d","_source":{"@timestamp":%q,"seen":%q,"step":%q,"key":["%d","%d"],"kind":[1.5,true],"tie":%d}}`,
			i, after, after, string(rune('a'+r.IntN(2))), r.IntN(20), r.IntN(20), i))
	}
	var want []string
	for _, memory := range []int{1 << 30, 100_000, 1} {
		for range 3 {
			runs := &memoryRuns{}
			f := follow(t, detect.StreamOptions{Lateness: detect.Unlimited, MemoryBytes: memory, Spill: runs}, rules...)
			if err := f.observe(docs...); err != nil {
				t.Fatal(err)
			}
			if err := f.stream.Finish(f.signal); err != nil {
				t.Fatal(err)
			}
			slices.Sort(f.signals)
			if want == nil {
				want = f.signals
			}
			if !slices.Equal(f.signals, want) {
				t.Errorf("memory %d: %d signals, expected %d", memory, len(f.signals), len(want))
			}
			if (runs.made > 0) != (memory < 1<<30) || runs.closed != runs.made || f.stream.Stats().Spilled != runs.made {
				t.Errorf("memory %d: %d runs made, %d closed, %d counted", memory, runs.made, runs.closed, f.stream.Stats().Spilled)
			}
			r.Shuffle(len(docs), func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
		}
	}
	if len(want) < 200 {
		t.Errorf("%d signals are too few to tell anything", len(want))
	}
}

func TestFullDisk(t *testing.T) {
	runs := &memoryRuns{fail: true}
	f := follow(t, detect.StreamOptions{Lateness: detect.Unlimited, MemoryBytes: 1, Spill: runs}, pair(t, "ab", ""))
	if err := f.observe(doc("1", 0, "a", "k")); !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "write a run of sorted events") {
		t.Errorf("error %v", err)
	}
}

func TestSnapshotsOfOtherRules(t *testing.T) {
	opt := detect.StreamOptions{Lateness: time.Second}
	f := follow(t, opt, pair(t, "ab", ""))
	_ = f.observe(doc("1", 0, "a", "k"), doc("2", time.Second, "a", "l"), doc("late", -time.Minute, "a", "k"), `{"_id":"untimed","_source":{"step":"a","key":"k"}}`)
	snapshot := f.stream.Snapshot().Bytes()
	if err := follow(t, opt, makeRule(t, "e", "any where true", "")).stream.Restore(snapshot); err != nil {
		t.Error(err)
	}
	for n := range len(snapshot) {
		if err := follow(t, opt, pair(t, "ab", "")).stream.Restore(snapshot[:n]); err == nil {
			t.Errorf("a snapshot cut to %d bytes was taken", n)
		}
	}
	ab := pair(t, "ab", "")
	again := follow(t, opt, ab)
	if err := again.stream.Restore(snapshot); err != nil {
		t.Fatal(err)
	}
	if st := again.stream.Stats(); st.Late[ab] != 1 || st.Untimed != 1 || st.Keys != f.stream.Stats().Keys {
		t.Errorf("restored: %+v", st)
	}
	_ = again.observe(doc("3", 2*time.Second, "b", "k"))
	_ = again.stream.Finish(again.signal)
	again.expect("ab:1+3")
}

// TestRestoreKeepsWhatIsTheSame changes the rules between snapshot and restore: the
// one that stays goes on, at another place in the list and with an event that still
// waits for its turn; one that came and one whose query changed begin anew.
func TestRestoreKeepsWhatIsTheSame(t *testing.T) {
	opt := detect.StreamOptions{Lateness: 2 * time.Second}
	before := follow(t, opt, pair(t, "gone", ""), pair(t, "stays", ""), pair(t, "changes", ""))
	_ = before.observe(doc("1", 0, "a", "k"), doc("2", 3*time.Second, "a", "l"))
	before.expect()
	after := follow(t, opt, pair(t, "comes", ""), pair(t, "changes", " with maxspan=1h"), makeRule(t, "e", "any where false", ""), pair(t, "stays", ""))
	if err := after.stream.Restore(before.stream.Snapshot().Bytes()); err != nil {
		t.Fatal(err)
	}
	_ = after.observe(doc("3", 4*time.Second, "b", "k"), doc("4", 4*time.Second, "b", "l"), doc("5", 5*time.Second, "a", "m"), doc("6", 6*time.Second, "b", "m"))
	_ = after.stream.Finish(after.signal)
	after.expect("stays:1+3", "stays:2+4", "comes:5+6", "changes:5+6", "stays:5+6")
}

// TestAnEventIsOneEvent sends events again, as a client does that had no answer: by
// their id, or by their text where they have none.
func TestAnEventIsOneEvent(t *testing.T) {
	again := makeRule(t, "again", `sequence by key [any where step == "a"] [any where step == "a"]`, "")
	for _, lateness := range []time.Duration{time.Minute, detect.Unlimited} {
		f := follow(t, detect.StreamOptions{Lateness: lateness}, again)
		noID := func(at time.Duration) string {
			return fmt.Sprintf(`{"@timestamp":%q,"step":"a","key":"n"}`, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(at).Format(time.RFC3339Nano))
		}
		_ = f.observe(doc("1", 0, "a", "k"), doc("1", 0, "a", "k"), noID(0), noID(0), doc("2", 0, "a", "k"), noID(time.Second), noID(0))
		if err := f.stream.Finish(f.signal); err != nil {
			t.Fatal(err)
		}
		slices.Sort(f.signals)
		f.expect("again:+", "again:1+2")
		if n := f.stream.Stats().Repeated; n != 3 {
			t.Errorf("lateness %s: %d repeated", lateness, n)
		}
	}
}

// TestTwinsByText has many events of one instant without an id, most of one length, whose
// documents are read again to tell them apart.
func TestTwinsByText(t *testing.T) {
	again := makeRule(t, "again", `sequence by key [any where step == "a"] [any where step == "a"]`, "")
	f := follow(t, detect.StreamOptions{Lateness: time.Minute}, again)
	m, dec := f.d.NewMatcher(), f.d.NewDecoder()
	m.LeaveKeys(f.stream)
	var ev event.Event
	var hits detect.Hits
	for i := range 200 {
		text := fmt.Appendf(nil, `{"@timestamp":"2026-01-01T00:00:00Z","step":"a","key":"%d","pad":"%s"}`, i%50/2, strings.Repeat("x", i%50%2))
		m.From(text, func(from, to int) []byte { return text[from:to] })
		if err := dec.Decode(text, &ev); err != nil {
			t.Fatal(err)
		}
		m.Match(&ev, &hits)
		m.Arrivals(&ev, &hits, func(a *detect.Arrival) { _ = f.stream.Observe(a, f.signal) })
	}
	if err := f.stream.Finish(f.signal); err != nil {
		t.Fatal(err)
	}
	if n := f.stream.Stats().Repeated; n != 150 || len(f.signals) != 25 {
		t.Errorf("%d repeated and %d signals, expected 150 and 25", n, len(f.signals))
	}
}

// TestWaitingIsBounded fills what may wait: the oldest are judged early, in their order.
func TestWaitingIsBounded(t *testing.T) {
	f := follow(t, detect.StreamOptions{Lateness: time.Hour, MostWaiting: 2000}, pair(t, "ab", ""))
	for i := range 20 {
		_ = f.observe(doc(fmt.Sprint(2*i), time.Duration(2*i+1)*time.Second, "b", fmt.Sprint(i)), doc(fmt.Sprint(2*i+1), time.Duration(2*i)*time.Second, "a", fmt.Sprint(i)))
	}
	st := f.stream.Stats()
	if st.Hurried == 0 || st.Waiting == 0 || st.Waiting > 10 || len(st.Late) > 0 {
		t.Errorf("stats %+v", st)
	}
	_ = f.stream.Finish(f.signal)
	if len(f.signals) != 20 {
		t.Errorf("%d signals", len(f.signals))
	}
}
