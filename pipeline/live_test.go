package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/rule"
)

// memoryJournal is a source that numbers its batches and gives them again from any
// place. After its last batch it waits, or ends where ends is set.
type memoryJournal struct {
	list []event.Batch
	at   int
	ends bool
	gave chan int // if set, told each batch before it is given
}

func newMemoryJournal(docs []string, size int) *memoryJournal {
	j := &memoryJournal{ends: true}
	for chunk := range slices.Chunk(docs, size) {
		b := event.Batch{Name: "journal", Sequence: uint64(len(j.list) + 1)}
		for _, doc := range chunk {
			b.Data = append(append(b.Data, doc...), '\n')
		}
		j.list = append(j.list, b)
	}
	return j
}

func (j *memoryJournal) from(s *pipeline.State) *memoryJournal {
	c := *j
	if s != nil {
		c.at = int(s.Position)
	}
	return &c
}

func (j *memoryJournal) Next(ctx context.Context) (event.Batch, error) {
	if j.at == len(j.list) {
		if j.ends {
			return event.Batch{}, io.EOF
		}
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return event.Batch{}, ctx.Err()
	}
	j.at++
	if j.gave != nil {
		j.gave <- j.at
	}
	return j.list[j.at-1], nil
}

var errPulled = errors.New("the plug is pulled")

// memoryStore keeps what is committed. Its plug can be pulled: after so many commits
// nothing is stored any more.
type memoryStore struct {
	suppressed map[string]string // id → the one that stands for it
	mu         sync.Mutex
	alerts     map[string][]byte
	state      []byte
	left       int // commits until the plug is pulled; negative: never
	fails      func() bool
	pulled     context.CancelFunc
}

func (s *memoryStore) use() error {
	if s.left == 0 {
		s.pulled()
		return errPulled
	}
	if s.fails != nil && s.fails() {
		return errors.New("the disk is full")
	}
	s.left--
	return nil
}

func (s *memoryStore) Save(_ context.Context, write func(io.Writer) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.use(); err != nil {
		return err
	}
	var state bytes.Buffer
	if err := write(&state); err != nil {
		return err
	}
	s.state = state.Bytes()
	return nil
}

func (s *memoryStore) Commit(_ context.Context, alerts []*alert.Kept, suppressed []alert.Suppressed) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.use(); err != nil {
		return 0, err
	}
	fresh := 0
	for _, a := range alerts {
		if _, known := s.alerts[a.ID]; !known {
			s.alerts[a.ID] = a.Document
			fresh++
		}
	}
	for _, one := range suppressed {
		if s.suppressed == nil {
			s.suppressed = map[string]string{}
		}
		s.suppressed[one.ID] = one.Of
	}
	return fresh, nil
}

func (s *memoryStore) ids() []string { return slices.Sorted(maps.Keys(s.alerts)) }

func (s *memoryStore) from(t *testing.T) *pipeline.State {
	if s.state == nil {
		return nil
	}
	st, err := pipeline.ReadState(s.state)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func liveRule(t *testing.T, id, query string) *rule.Rule {
	q, err := eql.Parse(query)
	if err != nil {
		t.Fatal(err)
	}
	return &rule.Rule{RuleID: id, ObjectID: id, Name: id, Type: "eql", Language: "eql", Query: query, EQL: q, Severity: "low", MaxSignals: 100}
}

func liveRules(t *testing.T) []*rule.Rule {
	return []*rule.Rule{
		liveRule(t, "single", `any where step == "a" and n > 3`),
		liveRule(t, "pair", `sequence by key with maxspan=30s [any where step == "a"] [any where step == "b"]`),
		liveRule(t, "absent", `sequence by key with maxspan=5s [any where step == "b"] ![any where step == "a"]`),
		liveRule(t, "sample", `sample by key [any where step == "a"] [any where step == "c"]`),
		suppressed(liveRule(t, "few", `any where step == "c"`), 40*time.Second, "key"),
		suppressed(liveRule(t, "few pairs", `sequence by key with maxspan=30s [any where step == "b"] [any where step == "c"]`), 0, "key", "missing"),
	}
}

// suppressed has a rule suppress alerts.
func suppressed(r *rule.Rule, d time.Duration, by ...string) *rule.Rule {
	r.AlertSuppression, r.Interval = &rule.Suppression{GroupBy: by, Duration: d, MissingFields: "suppress"}, 5*time.Minute
	return r
}

// randomDocs makes events that come up to two seconds late, and one at the end that is
// long after all others.
func randomDocs(r *rand.Rand, n int) []string {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var docs []string
	for i := range n {
		at := start.Add(time.Duration(i)*300*time.Millisecond - time.Duration(r.IntN(2000))*time.Millisecond)
		docs = append(docs, fmt.Sprintf(`{"@timestamp":%q,"step":"%c","key":"k%d","n":%d,"i":%d}`, at.Format(time.RFC3339Nano), "abcd"[r.IntN(4)], r.IntN(20), r.IntN(6), i))
	}
	return append(docs, fmt.Sprintf(`{"@timestamp":%q,"step":"z"}`, start.Add(24*time.Hour).Format(time.RFC3339Nano)))
}

// batchIDs gives the ids of the alerts that a scan of the same documents gives.
func batchIDs(t *testing.T, j *memoryJournal, rules []*rule.Rule) []string {
	ids := map[string]bool{}
	_, _, err := pipeline.Detect(t.Context(), j.from(nil), detect.New(rules, detect.Options{IgnoreIndex: true}), pipeline.DetectOptions{
		Stream: detect.StreamOptions{Lateness: detect.Unlimited},
		Emit:   func(a *alert.Alert) error { ids[a.ID] = true; return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(ids))
}

func liveOptions(s *memoryStore, jobs int, every time.Duration) pipeline.LiveOptions {
	return pipeline.LiveOptions{Jobs: jobs, Store: s, StateEvery: every, Stream: detect.StreamOptions{Lateness: 4 * time.Second}}
}

// TestLiveIsBatch holds live detection to a scan, without a fault, with a store that
// fails now and then, and with a plug that is pulled again and again at random commits;
// every other time by a clock that jumps.
func TestLiveIsBatch(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	t.Logf("seed number %d", seed)
	pulls, alerts, inLive := 0, 0, 0
	for round := range 15 {
		rules := liveRules(t)
		j := newMemoryJournal(randomDocs(r, 600), 1+r.IntN(20))
		want := batchIDs(t, j, rules)
		alerts += len(want)
		s := &memoryStore{alerts: map[string][]byte{}, left: -1}
		if round%3 == 1 {
			s.fails = func() bool { return r.IntN(5) == 0 }
		}
		for {
			ctx, cancel := context.WithCancel(t.Context())
			if s.pulled = cancel; round%3 == 2 && pulls < 25*(round+1) {
				s.left = r.IntN(6)
			} else {
				s.left = -1
			}
			opt := liveOptions(s, 1+r.IntN(4), time.Nanosecond)
			if round%2 == 1 { // the clock jumps by up to a day, forth and back
				var jumps atomic.Uint64
				opt.Now = func() time.Time {
					return time.Now().Add(time.Duration(jumps.Add(1)*7919%2881-1440) * time.Minute)
				}
			}
			l, err := pipeline.NewLive(detect.New(rules, detect.Options{IgnoreIndex: true}), s.from(t), opt)
			if err != nil {
				t.Fatal(err)
			}
			err = l.Run(ctx, j.from(s.from(t)), 0)
			cancel()
			if err == nil {
				break
			}
			if !errors.Is(err, errPulled) && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			pulls++
		}
		for id, of := range s.suppressed {
			if inLive++; s.alerts[id] != nil || s.alerts[of] == nil {
				t.Fatalf("round %d: %s is suppressed for %s", round, id, of)
			}
		}
		if got := s.ids(); !slices.Equal(got, want) {
			for _, id := range got {
				if _, known := slices.BinarySearch(want, id); !known {
					t.Logf("only live: %s", event.Document(s.alerts[id])["kibana.alert.rule.name"])
				}
			}
			t.Fatalf("round %d: %d alerts, a scan gives %d", round, len(got), len(want))
		}
	}
	if inLive == 0 {
		t.Error("nothing was suppressed")
	}
	if pulls < 20 || alerts < 1000 {
		t.Errorf("%d pulls of the plug and %d alerts are too few to tell anything", pulls, alerts)
	}
	t.Logf("live: %d alerts as in a scan, the plug pulled %d times", alerts, pulls)
}

// TestLiveTakesNewRules changes the rules while events arrive: a rule that stays goes
// on with its sequences, one that comes judges from then on.
func TestLiveTakesNewRules(t *testing.T) {
	rules := liveRules(t)
	docs := randomDocs(rand.New(rand.NewPCG(1, 2)), 400)
	j := newMemoryJournal(docs, 10)
	want := batchIDs(t, j, rules)
	j.gave = make(chan int)
	s := &memoryStore{alerts: map[string][]byte{}, left: -1}
	l, err := pipeline.NewLive(detect.New(rules, detect.Options{IgnoreIndex: true}), nil, liveOptions(s, 2, time.Nanosecond))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- l.Run(t.Context(), j, 0) }()
	late := liveRule(t, "late", `any where i >= 0`)
	for n := range len(j.list) {
		if n == 20 {
			l.Use(detect.New(append([]*rule.Rule{late}, rules...), detect.Options{IgnoreIndex: true}))
		}
		<-j.gave
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	got, added := s.ids(), 0
	got = slices.DeleteFunc(got, func(id string) bool {
		_, known := slices.BinarySearch(want, id)
		if !known {
			added++
		}
		return !known
	})
	if !slices.Equal(got, want) {
		t.Errorf("%d alerts of the rules that stayed, a scan gives %d", len(got), len(want))
	}
	// The batch that was asked for before the rules changed is judged by either.
	if n := len(docs) - 1 - 200; added != n && added != n+10 && added != n-10 {
		t.Errorf("%d alerts of the rule that came, expected about %d", added, n)
	}
	st := s.from(t)
	if since := st.Rules["late"]; since.Position < 20 || since.Position > 22 || since.Newest == "" {
		t.Errorf("the rule that came is judged since %+v", since)
	}
	if since := st.Rules["pair"]; since.Position != 1 {
		t.Errorf("the rule that stayed is judged since %+v", since)
	}
	if st.Newest != "2026-03-02T12:00:00.000Z" || st.Position != uint64(len(j.list)) || l.Status().State.Position != st.Position {
		t.Errorf("state %+v", st)
	}
}

// TestLiveEstimatesWhatRulesTake compares the estimate with the truth, which is one event
// in four, and keeps it when the rules change.
func TestLiveEstimatesWhatRulesTake(t *testing.T) {
	rules := []*rule.Rule{liveRule(t, "quarter", `any where step == "a"`), liveRule(t, "none", `any where step == "nothing"`)}
	docs := randomDocs(rand.New(rand.NewPCG(5, 6)), 40_000)
	s := &memoryStore{alerts: map[string][]byte{}, left: -1}
	l, err := pipeline.NewLive(detect.New(rules, detect.Options{IgnoreIndex: true}), nil, liveOptions(s, 2, time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Run(t.Context(), newMemoryJournal(docs, 100), 0); err != nil {
		t.Fatal(err)
	}
	spent := l.Spent()
	if got := spent["quarter"]; got.Hits < 7_000 || got.Hits > 13_000 || got.Looked < got.Hits || got.Took <= 0 {
		t.Errorf("of 40,000 events: %+v", got)
	}
	if got, ok := spent["none"]; !ok || got.Hits != 0 {
		t.Errorf("a rule without hits: %+v, there %v", got, ok)
	}
	for range 2 {
		l.Use(detect.New(rules[:1], detect.Options{IgnoreIndex: true}))
		if now := l.Spent(); len(now) != 1 || now["quarter"] != spent["quarter"] {
			t.Errorf("after a change of the rules %+v", now)
		}
	}
}

// TestLiveNotesHoles loses batches before they are read.
func TestLiveNotesHoles(t *testing.T) {
	j := newMemoryJournal(randomDocs(rand.New(rand.NewPCG(3, 4)), 100), 10)
	j.list = slices.Delete(j.list, 3, 6)
	s := &memoryStore{alerts: map[string][]byte{}, left: -1}
	var batches, events int
	opt := liveOptions(s, 1, time.Hour)
	opt.Stored = func(c pipeline.Committed) {
		for _, b := range c.Batches {
			batches++
			events += int(b.Events)
		}
	}
	l, err := pipeline.NewLive(detect.New(liveRules(t), detect.Options{IgnoreIndex: true}), nil, opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Run(t.Context(), j, 0); err != nil {
		t.Fatal(err)
	}
	st := s.from(t)
	if len(st.Holes) != 1 || st.Holes[0].From != 4 || st.Holes[0].To != 6 {
		t.Errorf("holes %+v", st.Holes)
	}
	if batches != 8 || events != 71 {
		t.Errorf("%d batches with %d events stored", batches, events)
	}
}

func TestDamagedStates(t *testing.T) {
	j := newMemoryJournal(randomDocs(rand.New(rand.NewPCG(3, 4)), 100), 10)
	s := &memoryStore{alerts: map[string][]byte{}, left: -1}
	l, _ := pipeline.NewLive(detect.New(liveRules(t), detect.Options{IgnoreIndex: true}), nil, liveOptions(s, 1, time.Hour))
	if err := l.Run(t.Context(), j, 0); err != nil {
		t.Fatal(err)
	}
	for n := range len(s.state) {
		if _, err := pipeline.ReadState(s.state[:n]); !errors.Is(err, pipeline.ErrState) {
			// Cut exactly where the snapshot begins, it is an empty one.
			if st, _ := pipeline.ReadState(s.state[:n]); st == nil || st.Position == 0 {
				t.Errorf("a state cut to %d of %d bytes: %v", n, len(s.state), err)
			}
		}
	}
}
