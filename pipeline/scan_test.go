package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/pipeline"
)

// batches is a source of given batches.
type batches struct {
	list []event.Batch
	end  error // after the last one; nil stands for io.EOF
}

func (b *batches) Next(ctx context.Context) (event.Batch, error) {
	if err := ctx.Err(); err != nil {
		return event.Batch{}, err
	}
	if len(b.list) == 0 {
		if b.end != nil {
			return event.Batch{}, b.end
		}
		return event.Batch{}, io.EOF
	}
	next := b.list[0]
	b.list = b.list[1:]
	return next, nil
}

// names judges events by the text of their field n.
func names() pipeline.Judge[string] {
	set := event.NewFieldSet(nil)
	f := set.Add("n")
	return pipeline.Judge[string]{Decoder: event.NewDecoder(set, ""), Event: func(ev *event.Event, _ event.Extent, emit func(string)) {
		for _, v := range ev.Values(f) {
			emit(v.Clone().Text())
		}
	}}
}

func lines(name string, from, to int) event.Batch {
	var b bytes.Buffer
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "{\"n\":%d}\n", i)
	}
	return event.Batch{Name: name, Data: b.Bytes()}
}

func TestResultsAreInOrderWhateverTheJobs(t *testing.T) {
	var want []string
	for i := range 5000 {
		want = append(want, fmt.Sprint(i))
	}
	for _, jobs := range []int{1, 2, 7} {
		src := &batches{}
		for i := 0; i < 5000; i += 50 {
			src.list = append(src.list, lines("f", i, i+50))
		}
		var got []string
		emit := func(s string, from pipeline.Place) error {
			if got = append(got, s); from != (pipeline.Place{File: "f", Line: len(got)}) {
				t.Errorf("%d jobs: result %s is from %+v", jobs, s, from)
			}
			return nil
		}
		sum, err := pipeline.Scan(context.Background(), src, names, emit, pipeline.ScanOptions{Jobs: jobs})
		if err != nil || strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%d jobs: error %v, %d results", jobs, err, len(got))
		}
		if sum.Events != 5000 || sum.Results != 5000 || sum.FileEvents["f"] != 5000 || sum.Stopped {
			t.Errorf("%d jobs: %+v", jobs, sum)
		}
	}
}

func TestRefusedDocumentsAreCountedWithTheirPlace(t *testing.T) {
	src := &batches{list: []event.Batch{
		{Name: "a", Data: []byte("{\"n\":1}\n{\"n\":\n\n{\"n\":2}{\"n\":3} {\"n\":4}\n")},
		{Name: "a", Offset: 41, Data: []byte("{\"n\":5}\n[1]\n{\"n\":6}x\n")},
		{Name: "b", Data: []byte("{}\n{\"n\":\"" + strings.Repeat("x", 100) + "\"}\n"), Refused: []event.Refusal{{Reason: event.TooLarge}}},
	}}
	var got []string
	sum, err := pipeline.Scan(context.Background(), src, names, func(s string, _ pipeline.Place) error { got = append(got, s); return nil }, pipeline.ScanOptions{Jobs: 2, MaxEventBytes: 50})
	if err != nil || strings.Join(got, " ") != "1 2 3 4 5 6" {
		t.Errorf("results %v, error %v", got, err)
	}
	var places []string
	for _, s := range sum.Samples {
		places = append(places, fmt.Sprintf("%s:%d@%d %s", s.File, s.Line, s.Offset, s.Reason))
	}
	want := "a:2@13 truncated JSON|a:6@49 not a JSON object|a:7@60 bytes after the object|b:2@3 larger than the limit|b:1@0 larger than the limit"
	if strings.Join(places, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(places, "|"), want)
	}
	if sum.Events != 7 || sum.Refused[event.TooLarge] != 2 {
		t.Errorf("%+v", sum)
	}
}

func TestScanEndsOnErrors(t *testing.T) {
	full := errors.New("disk full")
	f := func(name string, src *batches, emit func(string, pipeline.Place) error, ctx context.Context, want error) {
		t.Helper()
		sum, err := pipeline.Scan(ctx, src, names, emit, pipeline.ScanOptions{Jobs: 3})
		if !errors.Is(err, want) || !sum.Stopped {
			t.Errorf("%s: error %v, summary %+v", name, err, sum)
		}
	}
	many := func() *batches {
		b := &batches{}
		for i := range 1000 {
			b.list = append(b.list, lines("f", i*10, i*10+10))
		}
		return b
	}
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
		f("emit", many(), func(string, pipeline.Place) error { return full }, t.Context(), full)
		ctx, cancel := context.WithCancel(t.Context())
		f("stopped", many(), func(string, pipeline.Place) error { cancel(); return nil }, ctx, context.Canceled)
		f("source", &batches{list: []event.Batch{lines("f", 0, 3)}, end: full}, func(string, pipeline.Place) error { return nil }, t.Context(), full)
	})
}

func TestMemoryIsGivenBack(t *testing.T) {
	released := 0
	src := &batches{}
	for i := range 20 {
		b := lines("f", i, i+1)
		b.Release = func() { released++ }
		src.list = append(src.list, b)
	}
	if _, err := pipeline.Scan(context.Background(), src, names, func(string, pipeline.Place) error { return nil }, pipeline.ScanOptions{Jobs: 1}); err != nil || released != 20 {
		t.Errorf("released %d, error %v", released, err)
	}
}

// words is a toy kind: its batches hold words, each of which becomes a document.
func words(name string, offset int64, text string) event.Batch {
	b := event.Batch{Name: name, Offset: offset, Data: []byte(text)}
	b.Expand = func(x *event.Expansion) {
		x.Lines = strings.Contains(text, "\n")
		at := 0
		for _, w := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\n' }) {
			at += strings.Index(text[at:], w)
			if w == "?" {
				x.Refused = append(x.Refused, event.Refusal{Reason: "not a word", Offset: offset + int64(at)})
			} else {
				x.Data = fmt.Appendf(x.Data, `{"n":%q}`, w)
				if w == "bad" {
					x.Data = x.Data[:len(x.Data)-1]
				}
			}
			x.Add(offset + int64(at))
			at += len(w)
		}
	}
	return b
}

func TestBatchesAreExpandedByTheWorkers(t *testing.T) {
	src := &batches{list: []event.Batch{words("a", 100, "one two ? three"), words("a", 200, "bad four"), words("b", 0, "five\n? six\n"), words("b", 12, "seven\nbad\n"), words("c", 0, "")}}
	for _, jobs := range []int{1, 3} {
		var got []string
		sum, err := pipeline.Scan(context.Background(), &batches{list: src.list}, names, func(s string, _ pipeline.Place) error { got = append(got, s); return nil }, pipeline.ScanOptions{Jobs: jobs})
		if err != nil || strings.Join(got, " ") != "one two three four five six seven" {
			t.Errorf("results %v, error %v", got, err)
		}
		var places []string
		for _, s := range sum.Samples {
			places = append(places, fmt.Sprintf("%s:%d@%d %s", s.File, s.Line, s.Offset, s.Reason))
		}
		if want := "a:0@108 not a word|a:0@200 truncated JSON|b:2@5 not a word|b:4@18 truncated JSON"; strings.Join(places, "|") != want {
			t.Errorf("got  %s\nwant %s", strings.Join(places, "|"), want)
		}
		if n, ok := sum.FileEvents["c"]; !ok || n != 0 || sum.FileEvents["a"] != 4 || sum.FileEvents["b"] != 3 {
			t.Errorf("%+v", sum)
		}
	}
}

func TestRangeOfTime(t *testing.T) {
	at := func(s string) *event.Time {
		v, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		when := event.FromTime(v)
		return &when
	}
	f := func(within pipeline.Range, want string, outside, untimed int64) {
		t.Helper()
		src := &batches{list: []event.Batch{{Name: "f", Data: []byte(`{"n":1,"@timestamp":"2026-01-01T00:00:00Z"}
{"n":2,"@timestamp":"2026-01-02T00:00:00Z"}
{"n":3}
{"n":4,"@timestamp":"2026-01-03T00:00:00Z"}
`)}}}
		var got []string
		sum, err := pipeline.Scan(context.Background(), src, names, func(s string, _ pipeline.Place) error { got = append(got, s); return nil }, pipeline.ScanOptions{Within: within})
		if err != nil || strings.Join(got, " ") != want || sum.Events != 4 || sum.Outside != outside || sum.Untimed != untimed {
			t.Errorf("%s, %v, %+v", got, err, sum)
		}
	}
	f(pipeline.Range{}, "1 2 3 4", 0, 0)
	f(pipeline.Range{Since: at("2026-01-02T00:00:00Z")}, "2 3 4", 1, 1)
	f(pipeline.Range{Until: at("2026-01-02T00:00:00Z")}, "1 3", 2, 1)
	f(pipeline.Range{Since: at("2026-01-02T00:00:00Z"), Until: at("2026-01-02T00:00:00.001Z")}, "2 3", 2, 1)
}

func TestBatchesAreAcknowledgedInOrder(t *testing.T) {
	var acked, done []int
	src := &batches{}
	for i := range 50 {
		b := lines("f", i*2, i*2+2)
		b.Ack = func() { acked = append(acked, i) }
		src.list = append(src.list, b)
	}
	full := errors.New("disk full")
	emit := func(s string, _ pipeline.Place) error {
		if s == "21" {
			return full
		}
		return nil
	}
	_, err := pipeline.Scan(context.Background(), src, names, emit, pipeline.ScanOptions{Jobs: 4, Done: func() error { done = append(done, len(acked)); return nil }})
	if !errors.Is(err, full) || fmt.Sprint(acked) != "[0 1 2 3 4 5 6 7 8 9]" || len(done) != 10 || done[9] != 10 {
		t.Errorf("error %v, acknowledged %v, %v", err, acked, done)
	}
}
