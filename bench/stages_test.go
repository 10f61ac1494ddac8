package main

// Benchmarks of the stages an event goes through, over the events of a file:
//
//	SHRIKE_EVENTS=events.ndjson SHRIKE_RULES=rules/ go test ./bench -bench .
//
// Without, they take the sample events and the shipped rules.

import (
	"bytes"
	"os"
	"testing"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/rule"
	"github.com/shrike-project/shrike/rules"
	"github.com/shrike-project/shrike/source/file"
)

func eventsPath() string {
	if path := os.Getenv("SHRIKE_EVENTS"); path != "" {
		return path
	}
	return "../examples/endpoint.ndjson"
}

func benchEvents(b *testing.B) (lines [][]byte, text []byte) {
	text, err := os.ReadFile(eventsPath())
	if err != nil {
		b.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		lines = append(lines, bytes.TrimSuffix(line, []byte("\n")))
	}
	return lines, text
}

func benchDetector(b *testing.B) *detect.Detector {
	l := rule.NewLoader()
	var err error
	if path := os.Getenv("SHRIKE_RULES"); path != "" {
		err = l.Load(os.DirFS(path), ".", path)
	} else {
		err = l.Load(rules.FS, ".", "")
	}
	if err != nil {
		b.Fatal(err)
	}
	return detect.New(l.Set().Rules, detect.Options{})
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		benchDetector(b)
	}
}

func BenchmarkDecode(b *testing.B) {
	lines, text := benchEvents(b)
	dec := benchDetector(b).NewDecoder()
	var ev event.Event
	b.SetBytes(int64(len(text) / len(lines)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		_ = dec.Decode(lines[i%len(lines)], &ev)
	}
}

func BenchmarkMatch(b *testing.B) {
	lines, text := benchEvents(b)
	d := benchDetector(b)
	dec, m := d.NewDecoder(), d.NewMatcher()
	var ev event.Event
	var hits detect.Hits
	b.SetBytes(int64(len(text) / len(lines)))
	b.ReportAllocs()
	n := 0
	for i := 0; b.Loop(); i++ {
		_ = dec.Decode(lines[i%len(lines)], &ev)
		m.Match(&ev, &hits)
		n += hits.Len()
	}
	b.ReportMetric(float64(n)/float64(b.N), "hits/op")
}

// alerting are the events that alert.
type alerting struct {
	d      *detect.Detector
	events []*event.Event
	hits   []*detect.Hits
}

func benchAlerting(b *testing.B) *alerting {
	lines, _ := benchEvents(b)
	a := &alerting{d: benchDetector(b)}
	dec, m := a.d.NewDecoder(), a.d.NewMatcher()
	for _, line := range lines {
		ev, hits := &event.Event{}, &detect.Hits{}
		if dec.Decode(line, ev) != nil {
			continue
		}
		m.Match(ev, hits)
		n := 0
		if a.d.Signals(ev, hits, func(*detect.Signal) { n++ }); n > 0 && len(a.events) < 500 {
			a.events, a.hits = append(a.events, ev), append(a.hits, hits)
		}
	}
	if len(a.events) == 0 {
		b.Fatal("no event alerts")
	}
	return a
}

// build makes the alerts of event i.
func (a *alerting) build(builder *alert.Builder, i int, emit func(*alert.Alert)) {
	a.d.Signals(a.events[i%len(a.events)], a.hits[i%len(a.events)], func(s *detect.Signal) { builder.Build(s, emit) })
}

// BenchmarkBuild makes the alerts of an event that alerts.
func BenchmarkBuild(b *testing.B) {
	a := benchAlerting(b)
	builder := alert.NewBuilder(alert.Run{}, a.d.Fields().Types())
	b.ReportAllocs()
	alerts := 0
	for i := 0; b.Loop(); i++ {
		a.build(builder, i, func(*alert.Alert) { alerts++ })
	}
	b.ReportMetric(float64(alerts)/float64(b.N), "alerts/op")
}

// BenchmarkAppendJSON writes the alerts of an event.
func BenchmarkAppendJSON(b *testing.B) {
	a := benchAlerting(b)
	builder := alert.NewBuilder(alert.Run{}, a.d.Fields().Types())
	var alerts []*alert.Alert
	for i := range a.events {
		a.build(builder, i, func(al *alert.Alert) { alerts = append(alerts, al) })
	}
	b.ReportAllocs()
	var out []byte
	for i := 0; b.Loop(); i++ {
		out = alerts[i%len(alerts)].AppendJSON(out[:0])
	}
	b.SetBytes(int64(len(out)))
}

// BenchmarkScan scans a whole file, from its bytes to alerts.
func BenchmarkScan(b *testing.B) {
	lines, text := benchEvents(b)
	d := benchDetector(b)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	alerts := 0
	var out []byte
	for b.Loop() {
		src := file.Open([]string{eventsPath()}, file.Options{})
		_, _, err := pipeline.Detect(b.Context(), src, d, pipeline.DetectOptions{
			Scan: pipeline.ScanOptions{Jobs: 1}, Stream: detect.StreamOptions{Lateness: detect.Unlimited},
			Emit: func(a *alert.Alert) error { alerts++; out = a.AppendJSON(out[:0]); return nil },
		})
		src.Close()
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(lines)), "ns/event")
	b.ReportMetric(float64(alerts)/float64(b.N), "alerts/op")
}
