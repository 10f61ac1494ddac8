package main

// What a scan does about rules that its sources do not cover in full: it says so before
// the first alert of such a source, marks the alerts, and shows those of noisy rules
// apart or leaves them out.

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/coverage"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/report"
	"github.com/shrike-project/shrike/rule"
)

// coverageMode is a flag: what to do about rules that are not covered in full.
type coverageMode string

// The modes.
const (
	coverageStrict coverageMode = "strict"
	coverageWarn   coverageMode = "warn"
	coverageIgnore coverageMode = "ignore"
)

// String implements pflag.Value.
func (m *coverageMode) String() string { return string(*m) }

// Set implements pflag.Value.
func (m *coverageMode) Set(s string) error {
	switch mode := coverageMode(s); mode {
	case coverageStrict, coverageWarn, coverageIgnore:
		*m = mode
		return nil
	}
	return fmt.Errorf("expected strict, warn or ignore")
}

// Type implements pflag.Value.
func (m *coverageMode) Type() string { return "mode" }

// covering is the coverage of the rules of one scan.
type covering struct {
	mode     coverageMode
	marker   *coverage.Marker
	rules    []*rule.Rule
	announce func(source string, c coverage.Counts)

	mu   sync.Mutex
	seen map[string]coverage.Counts // by source
	left map[string]int64           // alerts left out, by rule
	// peek reads the few fields that tell the source of a document.
	peek struct {
		decoder *event.Decoder
		fields  map[string]event.Field
		event   event.Event
	}
}

func (p *program) newCovering(mode coverageMode, d *detect.Detector, o indexOptions) *covering {
	c := &covering{mode: mode, rules: d.Rules(), seen: map[string]coverage.Counts{}, left: map[string]int64{}}
	c.marker = coverage.NewMarker(coverage.Options{Types: d.Fields().Types(), IgnoreIndex: o.ignore})
	c.announce = func(source string, n coverage.Counts) {
		action := ""
		if mode == coverageStrict && n.Degraded > 0 {
			action = "; those degraded do not run on it"
		}
		fmt.Fprintf(p.stderr, "%s events: of %s, %s%s (see \"shrike coverage\")\n", source, count(int64(len(c.rules)), "rule"), n, action)
	}
	set := event.NewFieldSet(nil)
	c.peek.fields = map[string]event.Field{"event.provider": set.Add("event.provider"), "event.dataset": set.Add("event.dataset")}
	c.peek.decoder = event.NewDecoder(set, "")
	return c
}

// mark tells what is to be known of an alert, and announces its sources.
func (c *covering) mark(r *rule.Rule, events ...func(name string) []string) *coverage.Mark {
	for _, field := range events {
		c.met(c.marker.Source(field))
	}
	return c.marker.Mark(r, events...)
}

// run is the Coverage of an alert.Run.
func (c *covering) run() func(*rule.Rule, ...func(string) []string) *coverage.Mark {
	if c.mode == coverageIgnore {
		return nil
	}
	return c.mark
}

// met announces a source that was not met before.
func (c *covering) met(s *coverage.Source) {
	if s == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.seen[s.Name]; ok {
		return
	}
	c.seen[s.Name] = c.marker.Count(c.rules, s)
	c.announce(s.Name, c.seen[s.Name])
}

// leavesOut reports whether an alert is not shown at all, and counts it.
func (c *covering) leavesOut(a *alert.Alert) bool {
	if c.mode != coverageStrict || a.Coverage == nil {
		return false
	}
	if !a.BuildingBlock {
		c.left[a.Rule.Name]++
	}
	return true
}

// watch gives a source that looks at some events of each batch, so that sources are
// announced that raise no alert.
func (c *covering) watch(src pipeline.Source) pipeline.Source {
	if c.mode == coverageIgnore {
		return src
	}
	return &watched{src, c}
}

type watched struct {
	pipeline.Source
	covering *covering
}

// Next implements pipeline.Source.
func (w *watched) Next(ctx context.Context) (event.Batch, error) {
	b, err := w.Source.Next(ctx)
	if err != nil {
		return b, err
	}
	if read := b.Read; read != nil {
		b.Read = func() []byte {
			data := read()
			for _, doc := range someDocuments(&event.Batch{Data: data}) {
				w.covering.look(doc)
			}
			return data
		}
		return b, nil
	}
	if b.Expand == nil {
		for _, doc := range someDocuments(&b) {
			w.covering.look(doc)
		}
		return b, nil
	}
	expand := b.Expand
	b.Expand = func(into *event.Expansion) {
		expand(into)
		for i := 0; i < len(into.Docs); i += max(1, len(into.Docs)/documentsLooked) {
			w.covering.look(into.Data[into.Docs[i].Start:into.Docs[i].End])
		}
	}
	return b, nil
}

// documentsLooked is about how many documents of a batch are looked at.
const documentsLooked = 2

// someDocuments gives some of the documents that stand in a batch.
func someDocuments(b *event.Batch) [][]byte {
	var docs [][]byte
	if b.Docs != nil {
		for i := 0; i < len(b.Docs); i += max(1, len(b.Docs)/documentsLooked) {
			docs = append(docs, b.Data[b.Docs[i].Start:b.Docs[i].End])
		}
		return docs
	}
	for i := range documentsLooked {
		rest := b.Data[i*len(b.Data)/documentsLooked:]
		if i > 0 { // in the middle of a line
			_, rest = cutLine(rest)
		}
		if doc, _ := cutLine(rest); len(doc) > 0 {
			docs = append(docs, doc)
		}
	}
	return docs
}

func cutLine(data []byte) (line, rest []byte) {
	line, rest, _ = bytes.Cut(data, []byte{'\n'})
	return line, rest
}

// look announces the source of a document.
func (c *covering) look(doc []byte) {
	c.mu.Lock()
	var source *coverage.Source
	if err := c.peek.decoder.Decode(doc, &c.peek.event); err == nil {
		source = c.marker.Source(func(name string) []string {
			var list []string
			for _, v := range c.peek.event.Values(c.peek.fields[name]) {
				list = append(list, v.Text())
			}
			return list
		})
	}
	c.mu.Unlock()
	c.met(source)
}

// section gives an output that shows the alerts of noisy rules apart, at the end. Other
// outputs than tables carry the mark in the document.
func (c *covering) section(out alertOutput) alertOutput {
	table, ok := out.(*alertTable)
	if !ok || c.mode != coverageWarn {
		return out
	}
	return &noisyApart{alertTable: table}
}

// noisyApart is a table with a section for the alerts of noisy rules. They wait in a
// temporary file.
type noisyApart struct {
	*alertTable
	noisy *alertTable // nil before the first one
	file  detect.Run
}

func (o *noisyApart) write(a *alert.Alert) error {
	if a.Coverage == nil || !a.Coverage.Noisy {
		return o.alertTable.write(a)
	}
	if o.noisy == nil {
		file, err := pipeline.TempFiles{}.Create()
		if err != nil {
			return fmt.Errorf("keep alerts of noisy rules: %w", err)
		}
		o.noisy, o.file = newAlertTable(file, o.tableOptions), file
	}
	return o.noisy.write(a)
}

func (o *noisyApart) close(sum report.Summary) error {
	if o.noisy == nil {
		return o.alertTable.close(sum)
	}
	defer func() { _ = o.file.Close() }()
	if err := o.alertTable.close(sum); err != nil {
		return err
	}
	if err := o.noisy.close(sum); err != nil {
		return fmt.Errorf("keep alerts of noisy rules: %w", err)
	}
	text, err := o.file.Rewind()
	if err != nil {
		return fmt.Errorf("read alerts of noisy rules: %w", err)
	}
	if o.noisy.n > 0 {
		if o.n > 0 {
			_, _ = fmt.Fprintln(o)
		}
		_, _ = fmt.Fprintf(o, "%s\n\n", bold("Alerts of noisy rules: exemptions that ask for what these events never have let them fire more often than is meant."))
	}
	if _, err := io.Copy(o, text); err != nil {
		return fmt.Errorf("print alerts of noisy rules: %w", err)
	}
	return o.Flush()
}

// markText says in one line what the source of an alert does not decide.
func markText(m *coverage.Mark) string {
	text := "coverage: " + m.Effects() + " on " + m.Source
	for i, l := range m.Lacks {
		if i == 2 {
			text += fmt.Sprintf("; %d more", len(m.Lacks)-i)
			break
		}
		text += "; " + lackText(l)
	}
	return text
}

// coverage notes in the summary what was done about coverage.
func (s *scanSummary) coverage(c *covering) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Coverage, s.CoverageLeftOut = c.seen, c.left
}

// coverageText tells of the alerts that were left out.
func (s *scanSummary) coverageText() string {
	n := total(s.CoverageLeftOut)
	if n == 0 {
		return ""
	}
	names := slices.Sorted(maps.Keys(s.CoverageLeftOut))
	shown := make([]string, 0, len(names))
	for _, name := range names[:min(len(names), 5)] {
		shown = append(shown, printable(name))
	}
	if len(names) > len(shown) {
		shown = append(shown, fmt.Sprintf("%d more", len(names)-len(shown)))
	}
	return fmt.Sprintf("%s of %s left out by --coverage strict: %s\n", count(n, "alert"), count(int64(len(names)), "degraded rule"), strings.Join(shown, ", "))
}
