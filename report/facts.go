package report

// Facts: what a report shows of an alert, as bounded, visible text.

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/shrike-project/shrike/alert"
)

// The bounds of what a report shows.
const (
	maxValue  = 2000   // characters of one value
	maxFields = 200    // of one event
	maxList   = 40     // members of one value
	maxEvent  = 24_000 // bytes of the fields of one event
)

// facts are what a report shows of an alert. All texts are clean.
type facts struct {
	ID, RuleID, Rule, Severity string
	Risk                       float64
	Time                       string // "" if not known
	Host, User                 string
	Process, Parent, Command   string
	About                      string // what it is about, in a few words
	Reason, Why                string
	From                       string // the file, and line, it was read from
	Tests                      []test
	Keys                       []pair
	Events                     []eventFacts
	Tree                       []treeLine
}

// test is a test that decided, and what it saw.
type test struct {
	Expr, Saw string
	Holds     bool
}

type pair struct{ Name, Value string }

// eventFacts is one event of an alert.
type eventFacts struct {
	Title   string
	Missing bool
	Fields  []pair
	More    int // fields that are not shown
}

// fieldOf gives the values of a field as text: that of an alert or a step.
type fieldOf func(name string) []string

// first gives the first of some fields that has a value, clean.
func (f fieldOf) first(names ...string) string {
	for _, name := range names {
		if v := f(name); len(v) > 0 && v[0] != "" {
			return clean(v[0])
		}
	}
	return ""
}

// lastEvent gives the fields of the event an alert is about: of a sequence, of the
// last one that happened.
func lastEvent(a *alert.Alert) fieldOf {
	for i := len(a.Steps) - 1; i >= 0; i-- {
		if !a.Steps[i].Missing {
			return a.Steps[i].Field
		}
	}
	return a.Field
}

// when gives the time of an alert, "" if it is not known.
func when(a *alert.Alert) string {
	if !a.Timed {
		return ""
	}
	return a.Time.Std().Format("2006-01-02 15:04:05.000")
}

// brief gives the facts that fit on a line.
func brief(a *alert.Alert) facts {
	own, last := fieldOf(a.Field), lastEvent(a)
	either := func(names ...string) string {
		if s := own.first(names...); s != "" {
			return s
		}
		return last.first(names...)
	}
	f := facts{
		ID: clean(a.ID), RuleID: clean(a.Rule.RuleID), Rule: clean(a.RuleName), Severity: clean(a.Severity), Risk: a.RiskScore, Time: when(a),
		Host: either("host.name", "host.hostname", "host.id"), User: either("user.name", "user.id"),
		Process: last.first("process.executable", "process.name"), Parent: last.first("process.parent.executable", "process.parent.name"),
		Command: last.first("process.command_line"),
		Reason:  clean(a.Reason), Why: clean(a.Why),
	}
	f.About, f.From = about(last, f), from(a)
	return f
}

// from says where an alert's event was read, as other tools can be given it.
func from(a *alert.Alert) string {
	if a.Line == 0 {
		return clean(a.File)
	}
	return clean(a.File) + ":" + strconv.Itoa(a.Line)
}

// about says what an event is about beside its process.
func about(field fieldOf, f facts) string {
	var parts []string
	add := func(before, s string) {
		if s != "" {
			parts = append(parts, before+s)
		}
	}
	if f.Parent != "" && f.Process != "" {
		add("", base(f.Parent)+" → "+base(f.Process))
	} else {
		add("", base(f.Process))
	}
	add("file ", field.first("file.path", "file.name"))
	add("registry ", field.first("registry.path"))
	add("library ", field.first("dll.path", "dll.name"))
	add("domain ", field.first("dns.question.name"))
	if to := field.first("destination.ip", "destination.domain"); to != "" {
		if port := field.first("destination.port"); port != "" {
			to += ":" + port
		}
		add("to ", to)
	}
	if len(parts) == 0 {
		add("", field.first("event.action", "event.dataset", "message"))
	}
	return cut(strings.Join(parts, ", "), 300)
}

// base gives the last part of a path of any system.
func base(path string) string { return path[strings.LastIndexAny(path, `\/`)+1:] }

// detailed gives all facts.
func detailed(a *alert.Alert) facts {
	f := brief(a)
	if a.Trace != nil {
		for _, t := range a.Trace.Decisive() {
			var saw []string
			for _, field := range t.Fields {
				text := "is missing"
				switch {
				case field.Decided != "":
					text = "has " + field.Decided
				case len(field.Values) > 0:
					text = "is " + strings.Join(field.Values, ", ")
				}
				saw = append(saw, field.Name+" "+text)
			}
			f.Tests = append(f.Tests, test{Expr: cut(clean(t.Matched()), 400), Saw: cut(clean(strings.Join(saw, "; ")), 600), Holds: t.Result == "true"})
		}
	}
	for _, k := range a.Keys {
		f.Keys = append(f.Keys, pair{clean(k.Field), clean(k.Value.Display())})
	}
	f.Events = events(a)
	f.Tree = tree(a)
	return f
}

// events gives the events of an alert with their fields.
func events(a *alert.Alert) []eventFacts {
	if len(a.Steps) == 0 {
		return []eventFacts{newEvent("Event", a.Document())}
	}
	var list []eventFacts
	for i := range a.Steps {
		st := &a.Steps[i]
		title := fmt.Sprintf("Event %d", i+1)
		if offset, ok := a.Offset(i); ok {
			title += fmt.Sprintf(" (%+.3f s)", float64(offset)/1000)
		}
		if st.Missing {
			list = append(list, eventFacts{Title: title + " did not happen: " + clean(st.Query), Missing: true})
			continue
		}
		list = append(list, newEvent(title, st.Source()))
	}
	return list
}

// newEvent lists the fields of a document but for those an alert adds.
func newEvent(title string, doc map[string]any) eventFacts {
	e := eventFacts{Title: title}
	fields := map[string][]string{}
	for key, v := range doc {
		if key != "shrike" && !strings.HasPrefix(key, "kibana.") {
			flatten(fields, key, v, 0)
		}
	}
	names := slices.Sorted(maps.Keys(fields))
	size := 0
	for i, name := range names {
		if i == maxFields || size > maxEvent {
			e.More = len(names) - i
			break
		}
		p := pair{cut(clean(name), 200), list(fields[name])}
		size += len(p.Name) + len(p.Value)
		e.Fields = append(e.Fields, p)
	}
	return e
}

func flatten(out map[string][]string, path string, v any, depth int) {
	switch v := v.(type) {
	case nil:
	case map[string]any:
		if depth > 20 {
			out[path] = append(out[path], "(more levels are not shown)")
			return
		}
		for key, inner := range v {
			flatten(out, path+"."+key, inner, depth+1)
		}
	case []any:
		for _, e := range v {
			flatten(out, path, e, depth+1)
		}
	case string:
		out[path] = append(out[path], v)
	case json.Number:
		out[path] = append(out[path], v.String())
	default:
		out[path] = append(out[path], fmt.Sprint(v))
	}
}

// list writes the values of a field.
func list(values []string) string {
	if len(values) == 1 {
		return clean(values[0])
	}
	if n := len(values) - maxList; n > 0 {
		values = append(slices.Clone(values[:maxList]), "… "+strconv.Itoa(n)+" more values are not shown")
	}
	return clean(strings.Join(values, ", "))
}

// clean makes foreign text safe to look at: bounded, valid, on one line, and
// without characters that are not seen or change the direction of others.
func clean(s string) string { return shown(cut(s, maxValue)) }

// shown makes text visible that may be cut already.
func shown(s string) string {
	bad := func(r rune) bool { return !unicode.IsPrint(r) && r != ' ' || r == utf8.RuneError }
	if strings.IndexFunc(s, bad) < 0 {
		return strings.Clone(s) // an alert's texts share the memory of its whole document
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !bad(r) || r == utf8.RuneError:
			b.WriteRune(r)
		case r == '\n':
			b.WriteString("⏎ ")
		case r == '\t':
			b.WriteString(" ")
		case r < 0x20:
			b.WriteRune(0x2400 + r) // its picture
		default:
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
		}
	}
	return b.String()
}

// cut shortens text to so many characters, and says that it did.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	n := 0
	for i := range s {
		if n == most {
			return s[:i] + fmt.Sprintf("… (cut; %d bytes in all)", len(s))
		}
		n++
	}
	return s
}
