package main

// The forms in which alerts are printed.

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/report"
)

// alertOutput writes alerts as they come.
type alertOutput interface {
	write(*alert.Alert) error
	Flush() error               // shows what was written so far
	close(report.Summary) error // ends the text, and flushes
}

// alertLines writes one document a line.
type alertLines struct{ *bufio.Writer }

// newAlertLines writes in long stretches, which file systems take for less.
func newAlertLines(w io.Writer) *alertLines { return &alertLines{bufio.NewWriterSize(w, 1<<18)} }

func (o *alertLines) write(a *alert.Alert) error {
	if err := a.WriteJSON(o.Writer); err != nil {
		return err
	}
	return o.WriteByte('\n')
}

func (o *alertLines) close(report.Summary) error { return o.Flush() }

// alertArray writes one JSON array.
type alertArray struct {
	alertLines
	n int
}

func (o *alertArray) write(a *alert.Alert) error {
	sep := ","
	if o.n == 0 {
		sep = "["
	}
	o.n++
	if _, err := o.WriteString(sep); err != nil {
		return err
	}
	return o.alertLines.write(a)
}

func (o *alertArray) close(report.Summary) error {
	end := "]\n"
	if o.n == 0 {
		end = "[]\n"
	}
	if _, err := o.WriteString(end); err != nil {
		return err
	}
	return o.Flush()
}

// alertTable writes two lines an alert: what happened, and why it fired; of alerts
// that say the same, those of the first and how many there are. Groups are printed
// at the end, in the order of their first alerts.
type alertTable struct {
	*bufio.Writer
	tableOptions
	grouper *report.Grouper
	groups  []tableGroup
	n       int
}

type tableOptions struct {
	width   int
	explain bool
	blocks  bool // building blocks too
	noGroup bool
}

// tableGroup is a group with the lines of its first alert.
type tableGroup struct {
	*report.Group
	text string
}

func newAlertTable(w io.Writer, o tableOptions) *alertTable {
	return &alertTable{Writer: bufio.NewWriterSize(w, 1<<16), tableOptions: o, grouper: report.NewGrouper(o.noGroup)}
}

// The widths of the columns before the processes.
const (
	timeWidth     = 23
	severityWidth = 8
	hostWidth     = 14
	userWidth     = 12
)

func (o *alertTable) write(a *alert.Alert) error {
	if a.BuildingBlock && !o.blocks {
		return nil // others build on it; it stays in the background
	}
	if o.noGroup {
		return o.print(o.lines(a))
	}
	if group, began := o.grouper.Add(a); began {
		o.groups = append(o.groups, tableGroup{group, o.lines(a)})
	}
	return nil
}

func (o *alertTable) ruleWidth() int { return max(24, min(48, o.width-100)) }

// print writes the lines of an alert, below the names of the columns.
func (o *alertTable) print(text string) error {
	if o.n == 0 {
		_, _ = fmt.Fprintln(o, bold(strings.Join([]string{
			fit("time", timeWidth), fit("severity", severityWidth), fit("rule", o.ruleWidth()), fit("host", hostWidth), fit("user", userWidth), "parent → process",
		}, "  ")))
	}
	o.n++
	_, err := o.WriteString(text)
	return err
}

// lines gives the lines of an alert.
func (o *alertTable) lines(a *alert.Alert) string {
	var b strings.Builder
	at := "-"
	if a.Timed {
		at = a.Time.Std().Format(tableTime)
	}
	rest := max(20, o.width-timeWidth-severityWidth-o.ruleWidth()-hostWidth-userWidth-10)
	fmt.Fprintln(&b, strings.Join([]string{
		fit(at, timeWidth), severityText(a.Severity, fit(a.Severity, severityWidth)), fit(a.RuleName, o.ruleWidth()),
		fit(first(a.Field, "host.name", "host.hostname", "host.id"), hostWidth), fit(first(a.Field, "user.name", "user.id"), userWidth), trim(printable(processText(a)), rest),
	}, "  "))
	fmt.Fprintln(&b, "    "+faint("why: ")+trim(printable(a.Why), max(40, o.width-9)))
	if a.Coverage != nil {
		fmt.Fprintln(&b, "    "+faint(trim(printable(markText(a.Coverage)), max(40, o.width-5))))
	}
	for i := range a.Steps {
		o.step(&b, a, i)
	}
	if o.explain && a.Trace != nil {
		_ = writeTrace(&b, a.Trace, traceStyle{indent: "    ", width: o.width}) // a Builder takes everything
	}
	return b.String()
}

const tableTime = "2006-01-02 15:04:05.000"

// seenText says how often and when the alerts of a group happened.
func seenText(g *report.Group) string {
	text := faint("seen: ") + count(g.Count, "time")
	if g.Timed {
		text += ", first " + g.First.Std().Format(tableTime) + ", last " + g.Last.Std().Format(tableTime)
	}
	return "    " + text + "\n"
}

func (o *alertTable) close(report.Summary) error {
	for _, g := range o.groups {
		text := g.text
		if g.Count > 1 {
			text += seenText(g.Group)
		}
		if err := o.print(text); err != nil {
			return err
		}
	}
	return o.Flush()
}

// step writes an event of a sequence, its time relative to the first.
func (o *alertTable) step(w io.Writer, a *alert.Alert, i int) {
	st := &a.Steps[i]
	when := "-"
	if offset, ok := a.Offset(i); ok {
		when = fmt.Sprintf("%+.3f s", float64(offset)/1000)
	}
	text := "did not happen: " + st.Query
	if !st.Missing {
		text = eventText(st.Field)
	}
	_, _ = fmt.Fprintf(w, "    %2d  %12s  %s\n", i+1, when, trim(printable(text), max(40, o.width-22)))
	if o.explain && st.Trace != nil {
		_ = writeTrace(w, st.Trace, traceStyle{indent: "        ", width: o.width})
	}
}

// eventText says in a few words what an event was.
func eventText(field func(string) []string) string {
	get := func(names ...string) string {
		for _, n := range names {
			if v := field(n); len(v) > 0 && v[0] != "" {
				return strings.Join(v, ",")
			}
		}
		return ""
	}
	var parts []string
	add := func(before, s string) {
		if s != "" {
			parts = append(parts, before+s)
		}
	}
	add("", get("event.category"))
	add("", get("event.action", "event.type"))
	add("", get("process.name", "process.executable"))
	add("file ", get("file.path", "file.name"))
	add("registry ", get("registry.path"))
	add("library ", get("dll.path", "dll.name"))
	add("domain ", get("dns.question.name"))
	if ip := get("destination.ip", "destination.domain"); ip != "" {
		if port := get("destination.port"); port != "" {
			ip += ":" + port
		}
		add("to ", ip)
	}
	add("by ", get("user.name"))
	add("", get("process.command_line"))
	return strings.Join(parts, " ")
}

// first gives the first of some fields that has a value.
func first(field func(string) []string, names ...string) string {
	for _, name := range names {
		if v := field(name); len(v) > 0 && v[0] != "" {
			return v[0]
		}
	}
	return "-"
}

// processText names the process and its parent, or what else the event is about; of
// a sequence, those of its last event.
func processText(a *alert.Alert) string {
	field := a.Field
	for i := range a.Steps {
		if !a.Steps[i].Missing {
			field = a.Steps[i].Field
		}
	}
	child := first(field, "process.name", "process.executable")
	if parent := first(field, "process.parent.name", "process.parent.executable"); parent != "-" {
		return parent + " → " + child
	}
	if child != "-" {
		return child
	}
	return first(field, "event.action", "event.dataset")
}
