package main

// Benchmarks of the stages an event goes through, over the events of a file:
//
//	SHRIKE_EVENTS=events.ndjson SHRIKE_RULES=rules/ go test ./bench -bench .
//
// Without, they take the sample events and the shipped rules.

import (
	"bytes"
	"encoding/json"
	"io"
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

// BenchmarkScan scans a whole file, from its bytes to alerts.
func BenchmarkScan(b *testing.B) {
	lines, text := benchEvents(b)
	d := benchDetector(b)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	alerts := 0
	for b.Loop() {
		src := file.Open([]string{eventsPath()}, file.Options{})
		_, _, err := pipeline.Detect(b.Context(), src, d, pipeline.DetectOptions{
			Scan: pipeline.ScanOptions{Jobs: 1}, Stream: detect.StreamOptions{Lateness: detect.Unlimited},
			Emit: func(a *alert.Alert) error { alerts++; return json.NewEncoder(io.Discard).Encode(a.Document) },
		})
		src.Close()
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(lines)), "ns/event")
	b.ReportMetric(float64(alerts)/float64(b.N), "alerts/op")
}
