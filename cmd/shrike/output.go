package main

// The forms in which alerts are printed.

import (
	"bufio"
	"fmt"
	"strings"

	"github.com/shrike-project/shrike/alert"
)

// alertOutput writes alerts as they come.
type alertOutput interface {
	write(*alert.Alert) error
	Flush() error // shows what was written so far
	close() error // ends the text, and flushes
}

// alertOutput gives the output of a name; "" is the table on a terminal, else
// one document a line.
func (p *program) alertOutput(name string, explain, blocks bool) (alertOutput, error) {
	if name == "" {
		name = "jsonl"
		if p.tty || explain {
			name = "table"
		}
	}
	w := bufio.NewWriterSize(p.stdout, 1<<16)
	switch name {
	case "table":
		return &alertTable{Writer: bufio.NewWriterSize(p.text, 1<<16), width: p.width, explain: explain, blocks: blocks}, nil
	case "jsonl":
		return &alertLines{w}, nil
	case "json":
		return &alertArray{Writer: w}, nil
	}
	return nil, fmt.Errorf("unknown output %q; the outputs are table, jsonl, json", name)
}

// alertLines writes one document a line.
type alertLines struct{ *bufio.Writer }

func (o *alertLines) write(a *alert.Alert) error { return encode(o, a.Document) }

func (o *alertLines) close() error { return o.Flush() }

// alertArray writes one JSON array.
type alertArray struct {
	*bufio.Writer
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
	return encode(o, a.Document)
}

func (o *alertArray) close() error {
	end := "]\n"
	if o.n == 0 {
		end = "[]\n"
	}
	if _, err := o.WriteString(end); err != nil {
		return err
	}
	return o.Flush()
}

// alertTable writes two lines an alert: what happened, and why it fired.
type alertTable struct {
	*bufio.Writer
	width   int
	explain bool
	blocks  bool // building blocks too
	n       int
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
	ruleWidth := max(24, min(48, o.width-100))
	if o.n == 0 {
		_, _ = fmt.Fprintln(o, bold(strings.Join([]string{
			fit("time", timeWidth), fit("severity", severityWidth), fit("rule", ruleWidth), fit("host", hostWidth), fit("user", userWidth), "parent → process",
		}, "  ")))
	}
	o.n++
	when := "-"
	if a.Timed {
		when = a.Time.Std().Format("2006-01-02 15:04:05.000")
	}
	rest := max(20, o.width-timeWidth-severityWidth-ruleWidth-hostWidth-userWidth-10)
	_, _ = fmt.Fprintln(o, strings.Join([]string{
		fit(when, timeWidth), severityText(a.Severity, fit(a.Severity, severityWidth)), fit(a.RuleName, ruleWidth),
		fit(first(a.Field, "host.name", "host.hostname", "host.id"), hostWidth), fit(first(a.Field, "user.name", "user.id"), userWidth), trim(printable(processText(a)), rest),
	}, "  "))
	_, err := fmt.Fprintln(o, "    "+faint("why: ")+trim(printable(a.Why), max(40, o.width-9)))
	if a.Coverage != nil {
		_, err = fmt.Fprintln(o, "    "+faint(trim(printable(markText(a.Coverage)), max(40, o.width-5))))
	}
	for i := range a.Steps {
		o.step(a, i)
	}
	if o.explain && err == nil && a.Trace != nil {
		err = writeTrace(o, a.Trace, traceStyle{indent: "    ", width: o.width})
	}
	return err
}

// step writes an event of a sequence, its time relative to the first.
func (o *alertTable) step(a *alert.Alert, i int) {
	st := &a.Steps[i]
	when := "-"
	if offset, ok := a.Offset(i); ok {
		when = fmt.Sprintf("%+.3f s", float64(offset)/1000)
	}
	text := "did not happen: " + st.Query
	if !st.Missing {
		text = eventText(st.Field)
	}
	_, _ = fmt.Fprintf(o, "    %2d  %12s  %s\n", i+1, when, trim(printable(text), max(40, o.width-22)))
	if o.explain && st.Trace != nil {
		_ = writeTrace(o, st.Trace, traceStyle{indent: "        ", width: o.width})
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

func (o *alertTable) close() error { return o.Flush() }

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
