package detect_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

// sight shows documents to a stream as a batch of an input that ends, in which they stand
// the last one first. Rules sleep if there are sleepers.
func (f *follower) sight(sleepers *detect.Sleepers, docs ...string) error {
	m, dec := f.d.NewMatcher(), f.d.NewDecoder()
	if sleepers != nil {
		m.LetSleep(sleepers)
	}
	var ev event.Event
	var hits detect.Hits
	text := ""
	for _, doc := range docs {
		text = doc + text
	}
	at := event.Extent{Start: len(text)}
	for _, doc := range docs {
		if err := dec.Decode([]byte(doc), &ev); err != nil {
			f.t.Fatal(err)
		}
		m.Match(&ev, &hits)
		at = event.Extent{Start: at.Start - len(doc), End: at.Start}
		m.Sight(&ev, &hits, at)
	}
	s := m.Sightings()
	if s == nil {
		return nil
	}
	s.Again = func(at event.Extent) ([]byte, error) { return []byte(text[at.Start:at.End]), nil }
	return f.stream.ObserveSightings(s)
}

// TestUntimedEventsHideNoSample has an event without a time that hits a sequence
// and, behind it, a sample under another key.
func TestUntimedEventsHideNoSample(t *testing.T) {
	sample := makeRule(t, "s", `sample by other [any where step == "a"] [any where step == "b"]`, "")
	f := follow(t, detect.StreamOptions{Lateness: detect.Unlimited}, pair(t, "ab", ""), sample)
	_ = f.sight(nil, `{"_id":"1","_source":{"step":"a","key":"k","other":"o"}}`, `{"_id":"2","_source":{"step":"b","key":"l","other":"o"}}`)
	_ = f.stream.Finish(f.signal)
	f.expect("s:1+2")
	if st := f.stream.Stats(); st.Untimed != 2 {
		t.Errorf("%d untimed events", st.Untimed)
	}
}

// TestSievedEventsGiveTheSameSignals compares the ways to evaluate an input that
// ends: by showing every event to the stream, by what was sighted in batches, and by what
// was sighted while rules slept.
func TestSievedEventsGiveTheSameSignals(t *testing.T) {
	var rules []*rule.Rule
	for i, query := range []string{
		`sequence by key [any where step == "a"] [any where step == "b"]`,
		`sequence by key with maxspan=3s [any where step == "a"] by ?other [any where step == "b"] by ?other [any where step == "c"] by ?other`,
		`sequence by ?other with maxspan=5s ![any where step == "c"] [any where step == "a"] with runs=2 ![any where step == "b"]`,
		`sequence [any where step == "a"] by key [any where step == "b"] by other until [any where step == "c"] by key`,
		`sequence with maxspan=2s [any where step == "c"] [any where step == "d"] ![any where step == "a"]`,
		`sample by key [any where step == "a"] [any where step == "d"]`,
		`sample by ?other [any where step == "b"] by key [any where step == "b"] by key [any where step == "d"] by key`,
	} {
		rules = append(rules, makeRule(t, fmt.Sprint(i), query, ""))
	}
	signals := map[string]int{}
	for seed := range uint64(600) {
		r := rand.New(rand.NewPCG(seed, 3))
		pick := func(list ...string) string { return list[r.IntN(len(list))] }
		var docs []string
		moment := func() int { return r.IntN(40_000) }
		if seed%3 == 0 { // so far apart that not everything is read again
			moment = func() int { return r.IntN(3)*100_000 + r.IntN(12_000) }
		}
		for i := range 5 + r.IntN(40) {
			when := fmt.Sprintf(`"@timestamp":%q,`, start.Add(time.Duration(moment())*time.Millisecond).Format(time.RFC3339Nano))
			docs = append(docs, fmt.Sprintf(`{"_id":"%d","_source":{%s"step":%s,"key":%s,"other":%s}}`, i, pick(when, when, when, when, ""),
				pick(`"a"`, `"b"`, `"c"`, `"d"`, `["a","b"]`, `["b","d"]`), pick(`"x"`, `"y"`, `["x","y"]`, `null`, `1`, `1.0`, `"1"`), pick(`"x"`, `"y"`, `[null,"x"]`, `null`)))
		}
		if seed%2 == 0 { // as logs mostly are
			slices.SortStableFunc(docs, func(a, b string) int { return strings.Compare(timeOf(a), timeOf(b)) })
		}
		opt := detect.StreamOptions{Lateness: detect.Unlimited}
		arrived := follow(t, opt, rules...)
		must := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		must(arrived.observe(docs...))
		must(arrived.stream.Finish(arrived.signal))
		slices.Sort(arrived.signals)
		for _, way := range []struct {
			name   string
			sleep  bool
			size   int
			memory int
		}{{"all awake", false, 1 + len(docs)/2, 0}, {"asleep", true, 1 + len(docs)/2, 0}, {"asleep, by twos", true, 2, 0}, {"asleep, spilled", true, 3, 1}} {
			opt.MemoryBytes = way.memory
			if way.memory > 0 {
				opt.Spill = &memoryRuns{}
			}
			sighted := follow(t, opt, rules...)
			var sleepers *detect.Sleepers
			if way.sleep {
				sleepers = sighted.d.NewSleepers()
			}
			for batch := range slices.Chunk(docs, way.size) {
				must(sighted.sight(sleepers, batch...))
			}
			must(sighted.stream.Finish(sighted.signal))
			slices.Sort(sighted.signals)
			if !slices.Equal(arrived.signals, sighted.signals) {
				t.Fatalf("seed %d, %s: %v sighted, %v arrived, of\n%s", seed, way.name, sighted.signals, arrived.signals, strings.Join(docs, "\n"))
			}
			if a, s := arrived.stream.Stats().Untimed, sighted.stream.Stats().Untimed; a != s {
				t.Fatalf("seed %d, %s: %d untimed events sighted, %d arrived, of\n%s", seed, way.name, s, a, strings.Join(docs, "\n"))
			}
		}
		for _, s := range arrived.signals {
			signals[strings.Split(s, ":")[0]]++
		}
	}
	if len(signals) < len(rules) {
		t.Errorf("signals by rule %v", signals)
	}
}

// timeOf gives the time of a document as it is written; "" if it has none.
func timeOf(doc string) string {
	_, text, _ := strings.Cut(doc, `"@timestamp":`)
	return text[:min(len(text), 32)]
}
