package report

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/shrike-project/shrike/alert"
)

// Writer takes the alerts of a scan, and then its summary. It belongs to one
// goroutine. It does not close what it writes to.
type Writer interface {
	Write(*alert.Alert) error
	// Close writes what can only be written at the end, and lets go of everything.
	// It must be called, and once.
	Close(Summary) error
}

// Options say how a report is written.
type Options struct {
	// NoGroup shows every alert by itself.
	NoGroup bool
	// TempDir is where details are put aside; "" stands for the system's place.
	TempDir string
}

// Summary is what a report says of the scan.
type Summary struct {
	Written time.Time
	Version string // of the program
	Events  int64
	Bytes   int64
	// Stopped marks a scan that did not come to its end.
	Stopped bool
	Files   []File
	// Skipped are events that could not be read, by reason, Notes what else was
	// not looked at, or not to the end.
	Skipped  map[string]int64
	Notes    []string
	RulesRun int
	// RulesNotRun counts rules by why they did not run.
	RulesNotRun map[string]int
}

// File is a file of events.
type File struct {
	Name   string
	Events int64
}

func (s *Summary) skipped() int64 {
	n := int64(0)
	for _, c := range s.Skipped {
		n += c
	}
	return n
}

// kinds are the kinds of reports.
var kinds = [...]struct {
	name, about string
	open        func(io.Writer, Options) (Writer, error)
}{
	{"html", "a page to hand on", func(w io.Writer, o Options) (Writer, error) { return newHTML(w, o) }},
	{"markdown", "a case note", func(w io.Writer, o Options) (Writer, error) { return newMarkdown(w, o) }},
	{"csv", "one line an alert", func(w io.Writer, _ Options) (Writer, error) { return newCSV(w), nil }},
	{"navigator", "a layer for ATT&CK Navigator", func(w io.Writer, _ Options) (Writer, error) { return newNavigator(w), nil }},
	{"sarif", "results for CI", func(w io.Writer, _ Options) (Writer, error) { return newSARIF(w), nil }},
}

// Kinds names the kinds of reports.
func Kinds() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// Open begins a report of a kind.
func Open(kind string, w io.Writer, opt Options) (Writer, error) {
	for _, k := range kinds {
		if k.name == kind {
			return k.open(w, opt)
		}
	}
	return nil, fmt.Errorf("unknown report %q; the reports are %s", kind, strings.Join(Kinds(), ", "))
}
