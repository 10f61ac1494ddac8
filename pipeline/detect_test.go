package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/eqltest"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/rule"
)

// hitsOf makes search hits of the events of a case, so that alerts tell which
// events they are about: as many batches as events, or a single one.
func hitsOf(c *eqltest.Case, single bool) *batches {
	src := &batches{}
	for i, e := range c.Events {
		doc := fmt.Appendf(nil, `{"_index":"i","_id":%q,"_source":%s}`+"\n", e.Name, e.JSON)
		if i == 0 || !single {
			src.list = append(src.list, event.Batch{Name: "f"})
		}
		last := &src.list[len(src.list)-1]
		last.Data = append(last.Data, doc...)
	}
	return src
}

// eventsOf gives the events an alert is about, by name.
func eventsOf(a *alert.Alert) string {
	var names []string
	for _, anc := range a.Document()["kibana.alert.ancestors"].([]any) {
		if m := anc.(map[string]any); m["type"] == "event" {
			names = append(names, m["id"].(string))
		}
	}
	return strings.Join(names, "+")
}

// TestScriptsOnManyWorkers runs the test scripts from a source to alerts: on one
// worker and on several, in one batch and event by event, in memory and spilled.
func TestScriptsOnManyWorkers(t *testing.T) {
	files, _ := filepath.Glob("../eqltest/testdata/*.test")
	cases, alerts := 0, 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		script, err := eqltest.ParseScript(filepath.Base(file), text)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range script.Cases {
			if c.Query == "" || len(c.Expect.Fail) > 0 || c.Expect.At != "" || strings.Contains(c.Query, "|") {
				continue
			}
			cases++
			alerts += runCase(t, fmt.Sprintf("%s:%d", script.Name, c.Line), c)
		}
	}
	if cases < 100 || alerts < 100 {
		t.Errorf("%d cases with %d alerts are too few to tell anything", cases, alerts)
	}
}

func runCase(t *testing.T, name string, c *eqltest.Case) int {
	q, err := eql.Parse(c.Query)
	if err != nil {
		t.Fatal(err)
	}
	r := &rule.Rule{RuleID: "r", ObjectID: "r", Name: "r", Type: "eql", Language: "eql", Query: c.Query, EQL: q, Severity: "low", MaxSignals: 100}
	var want []string
	for _, m := range c.Expect.Matches {
		m = slices.DeleteFunc(slices.Clone(m), func(name string) bool { return name == "-" })
		want = append(want, strings.Join(m, "+"))
	}
	slices.Sort(want)
	want = slices.Compact(want) // the same events with another key are one alert
	for _, jobs := range []int{1, 4} {
		for _, single := range []bool{true, false} {
			for _, memory := range []int{0, 1} {
				for _, again := range []bool{false, true} {
					src := hitsOf(c, single)
					if again {
						readAgain(src, nil)
					}
					got := runPipeline(t, r, src, jobs, memory, c.Lateness)
					if !slices.Equal(got, want) {
						t.Errorf("%s with %d jobs, in one batch %v, memory %d, read again %v: %v, expected %v", name, jobs, single, memory, again, got, want)
					}
				}
			}
		}
	}
	return len(want)
}

// readAgain has the memory of batches used for other things once they are released, and
// their documents read again into memory that the next one uses; or an error in place of that.
func readAgain(src *batches, fails error) {
	var buf []byte
	for i := range src.list {
		b := &src.list[i]
		kept := bytes.Clone(b.Data)
		b.Release = func() { clear(b.Data) }
		b.Again = func(at event.Extent) ([]byte, error) {
			clear(buf)
			buf = append(buf[:0], kept[at.Start:at.End]...)
			return buf, fails
		}
	}
}

// TestAnEventThatIsGone cannot be read again when the sequence it is part of is there.
func TestAnEventThatIsGone(t *testing.T) {
	gone := errors.New("gone")
	for _, lateness := range []time.Duration{time.Second, detect.Unlimited} {
		src := &batches{list: []event.Batch{{Name: "f"}}}
		for _, step := range "ab" {
			src.list[0].Data = fmt.Appendf(src.list[0].Data, `{"@timestamp":"2026-03-01T12:00:00Z","step":"%c","key":"k"}`+"\n", step)
		}
		readAgain(src, gone)
		d := detect.New([]*rule.Rule{liveRule(t, "pair", `sequence by key [any where step == "a"] [any where step == "b"]`)}, detect.Options{IgnoreIndex: true})
		n := 0
		_, _, err := pipeline.Detect(t.Context(), src, d, pipeline.DetectOptions{Stream: detect.StreamOptions{Lateness: lateness}, Emit: func(*alert.Alert) error { n++; return nil }})
		if !errors.Is(err, gone) || n > 0 {
			t.Errorf("lateness %v: error %v, %d alerts", lateness, err, n)
		}
	}
}

func runPipeline(t *testing.T, r *rule.Rule, src pipeline.Source, jobs, memory int, lateness time.Duration) []string {
	d := detect.New([]*rule.Rule{r}, detect.Options{IgnoreIndex: true})
	var got []string
	blocks := map[string]int{}
	_, _, err := pipeline.Detect(t.Context(), src, d, pipeline.DetectOptions{
		Scan: pipeline.ScanOptions{Jobs: jobs}, Stream: detect.StreamOptions{Lateness: lateness, MemoryBytes: memory},
		Emit: func(a *alert.Alert) error {
			if a.BuildingBlock {
				blocks[a.Document()["kibana.alert.group.id"].(string)]++
				return nil
			}
			if r.EQL.Event == nil {
				if n := strings.Count(eventsOf(a), "+") + 1; blocks[a.ID] != n {
					t.Errorf("the alert for %s has %d building blocks before it", eventsOf(a), blocks[a.ID])
				}
			}
			got = append(got, eventsOf(a))
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	return got
}

func TestRepeatedEventsAreOneAlert(t *testing.T) {
	r := rule.Read("r.ndjson", []byte(`{"rule_id":"1","name":"n","description":"d","type":"eql","language":"eql","severity":"low","risk_score":1,"query":"any where true"}`)).Rules[0]
	d := detect.New([]*rule.Rule{r}, detect.Options{})
	src := &batches{list: []event.Batch{{Name: "a", Data: []byte("{\"n\":1}\n{ \"n\": 1 }\n{\"n\":2}\n")}, {Name: "b", Data: []byte("{\"n\":1}\n")}}}
	n := 0
	_, stats, err := pipeline.Detect(t.Context(), src, d, pipeline.DetectOptions{Emit: func(*alert.Alert) error { n++; return nil }})
	if n != 2 || stats.Repeated != 2 || err != nil {
		t.Errorf("%d alerts, %d repeated, error %v", n, stats.Repeated, err)
	}
}

func TestIdle(t *testing.T) {
	stop := errors.New("stop")
	src := &batches{list: []event.Batch{lines("f", 0, 3), lines("f", 3, 6)}}
	var got bytes.Buffer
	idle := 0
	_, err := pipeline.Scan(context.Background(), src, names, func(s string, _ pipeline.Place) error { got.WriteString(s); return nil }, pipeline.ScanOptions{Jobs: 1, Idle: func() error { idle++; return nil }})
	if err != nil || got.String() != "012345" || idle == 0 {
		t.Errorf("%s, idle %d times, error %v", got.String(), idle, err)
	}
	src = &batches{list: []event.Batch{lines("f", 0, 3)}}
	if _, err := pipeline.Scan(context.Background(), src, names, func(string, pipeline.Place) error { return nil }, pipeline.ScanOptions{Idle: func() error { return stop }}); !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
}

// lastBatch is a source whose end stops the run.
type lastBatch struct {
	batches
	stop func()
}

func (b *lastBatch) Next(ctx context.Context) (event.Batch, error) {
	batch, err := b.batches.Next(ctx)
	if err != nil {
		b.stop()
	}
	return batch, err
}

// TestSequencesAtTheEndCanBeStopped stops a run between the end of its input and the
// sequences that are found then.
func TestSequencesAtTheEndCanBeStopped(t *testing.T) {
	q, err := eql.Parse(`sequence [any where true] [any where true]`)
	if err != nil {
		t.Fatal(err)
	}
	d := detect.New([]*rule.Rule{{RuleID: "r", Type: "eql", EQL: q, Severity: "low"}}, detect.Options{})
	ctx, stop := context.WithCancel(t.Context())
	src := &lastBatch{batches{list: []event.Batch{{Name: "f", Data: []byte(`{"@timestamp":1}` + "\n" + `{"@timestamp":2}` + "\n")}}}, stop}
	sum, _, err := pipeline.Detect(ctx, src, d, pipeline.DetectOptions{
		Stream: detect.StreamOptions{Lateness: detect.Unlimited},
		Emit:   func(a *alert.Alert) error { t.Errorf("alert %s", a.ID); return nil },
	})
	if !errors.Is(err, context.Canceled) || !sum.Stopped || sum.Events != 2 {
		t.Errorf("error %v, summary %+v", err, sum)
	}
}
