package main

// Traces as indented trees: why a rule fired, or did not.

import (
	"fmt"
	"io"
	"strings"

	"github.com/shrike-project/shrike/eql"
)

// traceStyle says how a trace is drawn.
type traceStyle struct {
	indent string
	width  int
	// full draws every node. Otherwise an alternative that does not hold is
	// drawn as the one test that settled it.
	full bool
}

func writeTrace(w io.Writer, t *eql.Trace, style traceStyle) error {
	d := traceDrawer{style: style}
	d.node(t, 0)
	_, err := io.WriteString(w, d.b.String())
	return err
}

type traceDrawer struct {
	style traceStyle
	b     strings.Builder
}

func mark(r eql.Result) string {
	switch r {
	case eql.True:
		return colored(green, "✓")
	case eql.False:
		return colored(red, "✗")
	}
	return colored(yellow, "?")
}

var kindTexts = map[string]string{"query": "event", "and": "all of", "or": "any of", "not": "none of"}

func (d *traceDrawer) node(t *eql.Trace, depth int) {
	if len(t.Children) == 0 {
		d.line(t, depth, t.Label)
		return
	}
	d.text(t.Result, depth, t.Label, kindTexts[t.Kind], "")
	for _, child := range t.Children {
		if test := failedAlternative(t, child); test != nil && !d.style.full {
			d.line(test, depth+1, child.Label)
			continue
		}
		if t.Kind == "not" && child.Kind == "or" {
			for _, inner := range child.Children { // "none of" says it
				d.node(inner, depth+1)
			}
			continue
		}
		d.node(child, depth+1)
	}
}

// failedAlternative gives the one test that settled an alternative that does not
// hold; nil where it took more than one, or where it holds.
func failedAlternative(of, child *eql.Trace) *eql.Trace {
	if of.Kind != "or" || child.Result == eql.True || len(child.Children) == 0 {
		return nil
	}
	tests := child.Decisive()
	if tests[0].Result == eql.True || len(tests) > 1 && of.Result != eql.True {
		return nil // a negation, which needs its "none of" to be understood
	}
	return tests[0]
}

// line draws a test with the values it saw.
func (d *traceDrawer) line(t *eql.Trace, depth int, label string) {
	expr := t.Short
	if len(t.Patterns) > 0 {
		expr = t.Matched()
	}
	var saw []string
	for _, f := range t.Fields {
		saw = append(saw, sawText(f, len(t.Fields) > 1))
	}
	d.text(t.Result, depth, label, expr, strings.Join(saw, ", "))
}

func sawText(f eql.FieldTrace, named bool) string {
	text := "is missing"
	switch {
	case f.Decided != "":
		text = "has " + f.Decided
	case len(f.Values) == 1:
		text = "is " + f.Values[0]
	case len(f.Values) > 1:
		text = "is any of " + strings.Join(f.Values, ", ")
	}
	if named {
		return f.Name + " " + text
	}
	return text
}

func (d *traceDrawer) text(r eql.Result, depth int, label, expr, saw string) {
	line := d.style.indent + strings.Repeat("  ", depth)
	room := max(30, d.style.width-len(line)-2)
	if label != "" {
		label = "[" + printable(label) + "] "
		room -= len(label)
	}
	expr, saw = printable(expr), printable(saw)
	exprRoom := room
	if saw != "" {
		exprRoom = max(room/2, room-len(saw)-3)
		saw = trim(saw, max(20, room-min(exprRoom, len(expr))-3))
	}
	expr = trim(expr, exprRoom)
	if saw != "" {
		saw = "   " + faint(saw)
	}
	fmt.Fprintf(&d.b, "%s%s %s%s%s\n", line, mark(r), bold(label), expr, saw)
}
