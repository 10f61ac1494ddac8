package eqltest_test

// Random sequences over random documents, from their bytes to signals, against a
// reference that knows nothing of the packages it checks: it reads the documents
// with encoding/json, finds keys and order itself, and goes through all events once
// for each key.

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

// streamItem is an item of a random sequence: events whose field s holds a letter.
type streamItem struct {
	letter  string
	missing bool
	runs    int
	by      []string // its join keys, those of the sequence in front; "?" marks optional ones
}

type streamWorld struct {
	items  []streamItem
	until  *streamItem
	span   time.Duration
	docs   []string
	fields []map[string]any // the documents, read by encoding/json
	query  string
}

func (w *streamWorld) String() string { return w.query + "\n" + strings.Join(w.docs, "\n") }

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

func randomStream(r *rand.Rand) *streamWorld {
	w := &streamWorld{}
	shared := pick(r, nil, nil, []string{"k"}, []string{"?k"}, []string{"k", "?j"})
	own := r.IntN(3) == 0
	if r.IntN(4) > 0 {
		w.span = time.Duration(1+r.IntN(9)) * time.Millisecond
	}
	item := func(missing bool) streamItem {
		it := streamItem{letter: pick(r, "a", "b", "c"), missing: missing, runs: 1, by: slices.Clone(shared)}
		if own {
			it.by = append(it.by, pick(r, "k", "j", "?j"))
		}
		return it
	}
	positive := 1 + r.IntN(3)
	for i := range positive + 1 {
		for w.span > 0 && r.IntN(3) == 0 {
			w.items = append(w.items, item(true))
		}
		if i < positive {
			it := item(false)
			it.runs = pick(r, 1, 1, 1, 2)
			w.items = append(w.items, it)
		}
	}
	if r.IntN(3) == 0 {
		until := item(false)
		w.until = &until
	}
	w.query = w.text(len(shared))
	for i := range 4 + r.IntN(12) {
		w.addDocument(r, i)
	}
	return w
}

func (w *streamWorld) text(shared int) string {
	var b strings.Builder
	b.WriteString("sequence")
	if shared > 0 {
		b.WriteString(" by " + strings.Join(w.items[0].by[:shared], ", "))
	}
	if w.span > 0 {
		fmt.Fprintf(&b, " with maxspan=%dms", w.span.Milliseconds())
	}
	write := func(it streamItem) {
		if it.missing {
			b.WriteString(" !")
		}
		fmt.Fprintf(&b, " [any where s == %q]", it.letter)
		if own := it.by[shared:]; len(own) > 0 {
			b.WriteString(" by " + strings.Join(own, ", "))
		}
		if it.runs > 1 {
			fmt.Fprintf(&b, " with runs=%d", it.runs)
		}
	}
	for _, it := range w.items {
		write(it)
	}
	if w.until != nil {
		b.WriteString(" until")
		write(*w.until)
	}
	return b.String()
}

func (w *streamWorld) addDocument(r *rand.Rand, n int) {
	letters := []string{pick(r, "a", "b", "c")}
	if r.IntN(3) == 0 {
		letters = append(letters, pick(r, "a", "b", "c"))
	}
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(r.IntN(16))*time.Millisecond + pick(r, 0, 0, 400*time.Microsecond))
	doc := map[string]any{"@timestamp": at.Format(time.RFC3339Nano), "s": letters, "id": n}
	for _, key := range []string{"k", "j"} {
		if v := pick[any](r, nil, "x", "x", "x", "y", []any{"y", "x"}, []any{"x", "y"}, []any{nil, "x", "x"}, []any{}, 1, 1.0, "1", "X"); v != nil || r.IntN(2) == 0 {
			doc[key] = v
		}
	}
	if r.IntN(3) > 0 {
		doc["tie"] = r.IntN(3)
	}
	if r.IntN(20) == 0 {
		delete(doc, "@timestamp")
	}
	text, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	w.docs = append(w.docs, string(text))
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		panic(err)
	}
	w.fields = append(w.fields, fields)
}

// time gives the time of a document in nanoseconds; -1: it has none.
func (w *streamWorld) time(doc int) int64 {
	s, ok := w.fields[doc]["@timestamp"].(string)
	if !ok {
		return -1
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		panic(err)
	}
	return t.UnixNano()
}

// inOrder gives the documents that have a time, in the order of time, tiebreaker and
// arrival.
func (w *streamWorld) inOrder(arrival []int) []int {
	tie := func(doc int) float64 {
		if n, ok := w.fields[doc]["tie"].(float64); ok {
			return n
		}
		return 1e9
	}
	list := slices.DeleteFunc(slices.Clone(arrival), func(doc int) bool { return w.time(doc) < 0 })
	slices.SortStableFunc(list, func(a, b int) int {
		switch {
		case w.time(a) != w.time(b):
			return int(w.time(a) - w.time(b))
		case tie(a) != tie(b):
			return int(tie(a) - tie(b))
		}
		return 0
	})
	return list
}

// keys gives the keys under which a document hits an item, each as text.
func (w *streamWorld) keys(doc int, it streamItem) []string {
	if !slices.Contains(w.fields[doc]["s"].([]any), any(it.letter)) {
		return nil
	}
	keys := []string{""}
	for _, field := range it.by {
		name, optional := strings.CutPrefix(field, "?")
		values := valueTexts(w.fields[doc][name])
		if len(values) == 0 && optional {
			values = []string{"null"}
		}
		var longer []string
		for _, k := range keys {
			for _, v := range values {
				longer = append(longer, k+v+"|")
			}
		}
		keys = longer
	}
	return keys
}

// valueTexts gives the values of a field as JSON, without nulls and repeats.
func valueTexts(v any) []string {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []string
	for _, e := range list {
		if text, _ := json.Marshal(e); e != nil && !slices.Contains(out, string(text)) {
			out = append(out, string(text))
		}
	}
	return out
}

// reference gives the sequences by the definition, sorted.
func (w *streamWorld) reference(arrival []int) []string {
	order := w.inOrder(arrival)
	all := map[string]bool{}
	for _, doc := range order {
		for _, it := range w.items {
			for _, k := range w.keys(doc, it) {
				all[k] = true
			}
		}
	}
	out := []string{}
	for key := range all {
		for _, match := range w.machine(order, key) {
			if w.absent(order, key, match) {
				out = append(out, w.matchText(match))
			}
		}
	}
	slices.Sort(out)
	return out
}

func (w *streamWorld) steps() []streamItem {
	var steps []streamItem
	for _, it := range w.items {
		for range it.runs {
			if !it.missing {
				steps = append(steps, it)
			}
		}
	}
	return steps
}

// machine runs the state machine of one key over all documents.
func (w *streamWorld) machine(order []int, key string) [][]int {
	steps := w.steps()
	slots := make([][]int, len(steps)+1) // slots[i] has i events
	var out [][]int
	for _, doc := range order {
		for i := len(steps); i > 0; i-- {
			if !slices.Contains(w.keys(doc, steps[i-1]), key) || (i > 1 && slots[i-1] == nil) {
				continue
			}
			partial := append(slices.Clone(slots[i-1]), doc)
			slots[i-1] = nil
			if w.span > 0 && w.time(doc)-w.time(partial[0]) > int64(w.span) {
				continue
			}
			if i == len(steps) {
				out = append(out, partial)
			} else {
				slots[i] = partial
			}
		}
		if w.until != nil && slices.Contains(w.keys(doc, *w.until), key) {
			clear(slots)
		}
	}
	return out
}

// absent holds a match against the documents of the missing items.
func (w *streamWorld) absent(order []int, key string, match []int) bool {
	millis := func(doc int) int64 { return w.time(doc) / 1e6 }
	first, last, span := millis(match[0]), millis(match[len(match)-1]), w.span.Milliseconds()
	leading, trailing, before, behind := false, false, int64(-1), int64(-1)
	gap := 0
	for _, it := range w.items {
		if !it.missing {
			gap += it.runs
			continue
		}
		leading, trailing = leading || gap == 0, trailing || gap == len(match)
		for _, doc := range order {
			at := millis(doc)
			switch {
			case !slices.Contains(w.keys(doc, it), key):
			case gap == 0:
				if at < first {
					before = max(before, at)
				}
			case gap == len(match):
				if at > last && (behind < 0 || at < behind) {
					behind = at
				}
			case at > millis(match[gap-1]) && at < millis(match[gap]):
				return false
			}
		}
	}
	switch {
	case leading && trailing:
		return before < 0 || behind < 0 || behind-before > span
	case leading:
		return before < 0 || last-before > span
	}
	return !trailing || behind < 0 || behind-first > span
}

func (w *streamWorld) matchText(match []int) string {
	var b strings.Builder
	i := 0
	for _, it := range w.items {
		for range it.runs {
			if it.missing {
				b.WriteString(" -")
				continue
			}
			fmt.Fprintf(&b, " %d", match[i])
			i++
		}
	}
	return b.String()
}

// streamWay is a way to run a rule over documents.
type streamWay struct {
	name    string
	opt     detect.StreamOptions
	restore bool // a new stream goes on after each event
	again   bool // documents are read again, and arrivals come in batches
}

// signals runs a rule over the documents in an order of arrival, and gives its
// signals, sorted.
func (w *streamWorld) signals(d *detect.Detector, arrival []int, way streamWay) ([]string, error) {
	stream, m, dec := d.NewStream(way.opt), d.NewMatcher(), d.NewDecoder()
	out := []string{}
	signal := func(s *detect.Signal) {
		text := ""
		for _, step := range s.Steps {
			if step.Record == nil {
				text += " -"
			} else {
				text += " " + step.Record.ID()
			}
		}
		out = append(out, text)
	}
	var ev event.Event
	var hits detect.Hits
	var failed error
	observe := func(a *detect.Arrival) { failed = errors.Join(failed, stream.Observe(a, signal)) }
	var waiting []*detect.Arrival
	take := observe
	if way.again {
		m.LeaveKeys(stream)
		take = func(a *detect.Arrival) { waiting = append(waiting, a) }
	}
	for i, doc := range arrival {
		text := []byte(w.docs[doc])
		if way.again {
			m.From(text, func(from, to int) []byte { return []byte(w.docs[doc])[from:to] })
		}
		if err := dec.Decode(text, &ev); err != nil {
			return nil, err
		}
		ev.ID = fmt.Sprint(doc)
		m.Match(&ev, &hits)
		m.Arrivals(&ev, &hits, take)
		if way.again && (i%4 == 3 || i == len(arrival)-1) {
			m.Pause(take)
			for _, a := range waiting {
				observe(a)
			}
			waiting = waiting[:0]
		}
		if way.restore {
			m.Pause(observe)
			snapshot := stream.Snapshot().Bytes()
			stream = d.NewStream(way.opt)
			failed = errors.Join(failed, stream.Restore(snapshot))
		}
	}
	failed = errors.Join(failed, stream.Finish(signal))
	slices.Sort(out)
	return out, failed
}

func TestSequencesOfDocumentsAgreeWithTheDefinition(t *testing.T) {
	worlds := 10_000
	if testing.Short() {
		worlds = 2_000
	}
	seed := uint64(time.Now().UnixNano())
	r := rand.New(rand.NewPCG(seed, 3))
	matches := 0
	for n := 0; n < worlds; {
		w := randomStream(r)
		q, err := eql.Parse(w.query)
		if err != nil {
			continue // too few queries
		}
		n++
		d := detect.New([]*rule.Rule{{RuleID: "r", Type: "eql", EQL: q, TiebreakerField: "tie"}}, detect.Options{})
		if s := d.Skipped(); len(s) > 0 {
			t.Fatalf("seed %d: %s\n%s", seed, s[0].Reason, w)
		}
		arrival := r.Perm(len(w.docs))
		want := w.reference(arrival)
		matches += len(want)
		for _, way := range []streamWay{
			{name: "at the end", opt: detect.StreamOptions{Lateness: detect.Unlimited}},
			{name: "within the lateness, restored after each event", opt: detect.StreamOptions{Lateness: time.Second}, restore: true},
			{name: "read again, at the end", opt: detect.StreamOptions{Lateness: detect.Unlimited}, again: true},
			{name: "read again, within the lateness", opt: detect.StreamOptions{Lateness: time.Second}, again: true},
		} {
			got, err := w.signals(d, arrival, way)
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("seed %d, %s: %s\narrival %v\ngot  %q (%v)\nwant %q", seed, way.name, w, arrival, got, err, want)
			}
		}
	}
	t.Logf("seed number %d: %d worlds, %d sequences", seed, worlds, matches)
	if matches < worlds/4 {
		t.Errorf("only %d sequences in %d worlds", matches, worlds)
	}
}
