package main

// The forms in which alerts are printed.

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/shrike-project/shrike/alert"
)

// alertOutput writes alerts as they come.
type alertOutput interface {
	write(*alert.Alert) error
	close() error
}

// alertOutput gives the output of a name; "" is the table on a terminal, else
// one document a line.
func (p *program) alertOutput(name string, explain bool) (alertOutput, error) {
	if name == "" {
		name = "jsonl"
		if p.tty || explain {
			name = "table"
		}
	}
	w := bufio.NewWriterSize(p.stdout, 1<<16)
	switch name {
	case "table":
		return &alertTable{w: w, width: p.width, explain: explain}, nil
	case "jsonl":
		return &alertLines{w: w}, nil
	case "json":
		return &alertArray{w: w}, nil
	}
	return nil, fmt.Errorf("unknown output %q; the outputs are table, jsonl, json", name)
}

// encode writes a value as JSON on one line.
func encode(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// alertLines writes one document a line.
type alertLines struct{ w *bufio.Writer }

func (o *alertLines) write(a *alert.Alert) error { return encode(o.w, a.Document) }

func (o *alertLines) close() error { return o.w.Flush() }

// alertArray writes one JSON array.
type alertArray struct {
	w *bufio.Writer
	n int
}

func (o *alertArray) write(a *alert.Alert) error {
	sep := ","
	if o.n == 0 {
		sep = "["
	}
	o.n++
	if _, err := o.w.WriteString(sep); err != nil {
		return err
	}
	return encode(o.w, a.Document)
}

func (o *alertArray) close() error {
	end := "]\n"
	if o.n == 0 {
		end = "[]\n"
	}
	if _, err := o.w.WriteString(end); err != nil {
		return err
	}
	return o.w.Flush()
}

// alertTable writes two lines an alert: what happened, and why it fired.
type alertTable struct {
	w       *bufio.Writer
	width   int
	explain bool
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
	ruleWidth := max(24, min(48, o.width-100))
	if o.n == 0 {
		_, _ = fmt.Fprintln(o.w, bold(strings.Join([]string{
			fit("time", timeWidth), fit("severity", severityWidth), fit("rule", ruleWidth), fit("host", hostWidth), fit("user", userWidth), "parent → process",
		}, "  ")))
	}
	o.n++
	when := "-"
	if a.Timed {
		when = a.Time.Std().Format("2006-01-02 15:04:05.000")
	}
	rest := max(20, o.width-timeWidth-severityWidth-ruleWidth-hostWidth-userWidth-10)
	_, _ = fmt.Fprintln(o.w, strings.Join([]string{
		fit(when, timeWidth), severityText(a.Severity, fit(a.Severity, severityWidth)), fit(a.RuleName, ruleWidth),
		fit(first(a, "host.name", "host.hostname", "host.id"), hostWidth), fit(first(a, "user.name", "user.id"), userWidth), trim(printable(processText(a)), rest),
	}, "  "))
	_, err := fmt.Fprintln(o.w, "    "+faint("why: ")+trim(printable(a.Why), max(40, o.width-9)))
	if o.explain && err == nil {
		err = writeTrace(o.w, a.Trace, traceStyle{indent: "    ", width: o.width})
	}
	return err
}

func (o *alertTable) close() error { return o.w.Flush() }

// first gives the first of some fields that the alert has.
func first(a *alert.Alert, fields ...string) string {
	for _, f := range fields {
		if v := a.Field(f); len(v) > 0 && v[0] != "" {
			return v[0]
		}
	}
	return "-"
}

// processText names the process and its parent, or what else the event is about.
func processText(a *alert.Alert) string {
	child := first(a, "process.name", "process.executable")
	if parent := first(a, "process.parent.name", "process.parent.executable"); parent != "-" {
		return parent + " → " + child
	}
	if child != "-" {
		return child
	}
	return first(a, "event.action", "event.dataset")
}
