package eqltest

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Script is a parsed test script.
type Script struct {
	Name  string
	Cases []*Case

	lines []string
}

// Case is one expectation and what it is about.
type Case struct {
	// Title is the text of the "case" line before the expectation, or empty.
	Title string
	// Line is the line of the expectation.
	Line   int
	Events []*Event
	// Query is the text of a query, or Rule the name of a rule file. QueryLine is
	// the line of the query's first byte.
	Query, Rule string
	QueryLine   int
	// Lateness is how late events may come to take part in a sequence; negative
	// where events are put into order first.
	Lateness time.Duration
	Expect   Expectation
}

// Expectation is what a case says must happen.
type Expectation struct {
	// None: nothing matches.
	None bool
	// Matches are the events, by name or number, of each match.
	Matches [][]string
	// Fail are the problems the query has, each "line:column code".
	Fail []string
	// At is when Matches are to be known, as the script writes it; "" stands for
	// the end of all events.
	At string
}

// Event is an event of a script.
type Event struct {
	// Name is how expectations call the event: its own, or its number.
	Name string
	Line int
	JSON []byte

	when time.Duration // after Epoch
}

// ScriptError is a fault of a script.
type ScriptError struct {
	File    string
	Line    int
	Message string
}

func (e *ScriptError) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Message) }

// Epoch is the time to which the offsets of events are added.
var Epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// parser reads a script line by line.
type parser struct {
	script   *Script
	i        int // the next line
	title    string
	events   []*Event
	defaults []assignment
	query    string
	rule     string
	lateness time.Duration
	line     int  // of the query or rule
	expected bool // the query or rule has an expectation
}

// ParseScript reads a script. The error is a *ScriptError.
func ParseScript(name string, text []byte) (*Script, error) {
	p := &parser{script: &Script{Name: name, lines: strings.Split(string(text), "\n")}, expected: true, lateness: -1}
	for {
		indent, words, ok := p.next()
		if !ok {
			break
		}
		if indent > 0 {
			return nil, p.fail("an indented line belongs below \"events\", \"defaults\" or \"query\"")
		}
		if err := p.directive(words); err != nil {
			return nil, err
		}
	}
	p.i = len(p.script.lines)
	switch {
	case !p.expected:
		return nil, &ScriptError{name, p.line, "nothing is expected of this query or rule"}
	case p.title != "":
		return nil, p.fail("a case without an expectation: %s", p.title)
	case len(p.script.Cases) == 0:
		return nil, p.fail("the script expects nothing")
	}
	return p.script, nil
}

func (p *parser) fail(format string, args ...any) error {
	return &ScriptError{p.script.Name, max(1, p.i), fmt.Sprintf(format, args...)}
}

// next gives the next line that says something, without its indentation.
func (p *parser) next() (indent int, text string, ok bool) {
	for p.i < len(p.script.lines) {
		line := strings.TrimRight(p.script.lines[p.i], " \t\r")
		p.i++
		trimmed := strings.TrimLeft(line, " \t")
		if trimmed == "" || strings.HasPrefix(trimmed, "#") {
			continue
		}
		return len(line) - len(trimmed), trimmed, true
	}
	return 0, "", false
}

func (p *parser) directive(text string) error {
	word, rest, _ := strings.Cut(text, " ")
	rest = strings.TrimSpace(rest)
	if rest != "" && (word == "events" || word == "query" || word == "defaults") {
		return p.fail("%q stands alone on its line; what belongs to it is indented below", word)
	}
	switch word {
	case "defaults":
		return p.readDefaults()
	case "events":
		return p.readEvents()
	case "query":
		return p.readQuery()
	case "rule":
		return p.setSubject("", rest, p.i, "rule needs the name of a rule file")
	case "lateness":
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 {
			return p.fail("lateness is a time such as 5m, found %q", rest)
		}
		p.lateness = d
		return nil
	case "case":
		if rest == "" || p.title != "" {
			return p.fail("case needs a title, and an expectation before the next case")
		}
		p.title = rest
		return nil
	case "expect":
		return p.expect(rest)
	}
	return p.fail("unknown word %q; a script has defaults, events, lateness, query, rule, case and expect", word)
}

// block gives the indented lines that follow, with their numbers, comments left
// out. A line that is indented deeper than the first continues the one before.
func (p *parser) block() (lines []string, numbers []int) {
	first := -1
	for p.i < len(p.script.lines) {
		at := p.i
		indent, text, ok := p.next()
		if !ok {
			break
		}
		if indent == 0 {
			p.i = at
			break
		}
		if first < 0 {
			first = indent
		}
		if indent > first {
			lines[len(lines)-1] += " " + text
			continue
		}
		lines = append(lines, text)
		numbers = append(numbers, p.i)
	}
	return lines, numbers
}

func (p *parser) readDefaults() error {
	lines, numbers := p.block()
	p.defaults = nil
	for i, line := range lines {
		list, err := parseAssignments(line)
		if err != nil {
			return &ScriptError{p.script.Name, numbers[i], err.Error()}
		}
		p.defaults = append(p.defaults, list...)
	}
	if len(p.defaults) == 0 {
		return p.fail("defaults needs fields below it")
	}
	return nil
}

var eventName = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_-]*):\s+(.*)$`)

func (p *parser) readEvents() error {
	lines, numbers := p.block()
	p.events = nil
	names := map[string]bool{}
	for i, line := range lines {
		ev := &Event{Name: fmt.Sprint(i + 1), Line: numbers[i]}
		if m := eventName.FindStringSubmatch(line); m != nil {
			ev.Name, line = m[1], m[2]
		}
		if ev.Name == "none" || ev.Name == "fail" || ev.Name == "at" {
			return &ScriptError{p.script.Name, ev.Line, fmt.Sprintf("an event cannot be called %q: the word has a meaning behind expect", ev.Name)}
		}
		if names[ev.Name] {
			return &ScriptError{p.script.Name, ev.Line, fmt.Sprintf("two events are called %q", ev.Name)}
		}
		names[ev.Name] = true
		var err error
		if ev.JSON, ev.when, err = eventJSON(line, p.defaults); err != nil {
			return &ScriptError{p.script.Name, ev.Line, err.Error()}
		}
		p.events = append(p.events, ev)
	}
	if len(p.events) == 0 {
		return p.fail("events needs events below it")
	}
	return nil
}

// readQuery takes the indented lines as they are, without their indentation.
func (p *parser) readQuery() error {
	var lines []string
	start := p.i + 1
	indent := -1
	for ; p.i < len(p.script.lines); p.i++ {
		line := strings.TrimRight(p.script.lines[p.i], " \t\r")
		trimmed := strings.TrimLeft(line, " \t")
		if trimmed != "" && len(trimmed) == len(line) {
			break
		}
		if indent < 0 && trimmed != "" {
			indent = len(line) - len(trimmed)
			start = p.i + 1
			lines = nil
		}
		lines = append(lines, line[min(len(line), max(indent, 0)):])
	}
	return p.setSubject(strings.TrimRight(strings.Join(lines, "\n"), " \n"), "", start, "query needs a query below it")
}

// setSubject sets what the following expectations are about.
func (p *parser) setSubject(query, rule string, line int, missing string) error {
	if query == "" && rule == "" {
		return p.fail("%s", missing)
	}
	if !p.expected {
		return p.fail("nothing is expected of the query or rule in line %d", p.line)
	}
	p.query, p.rule, p.line, p.expected = query, rule, line, false
	return nil
}

func (p *parser) expect(rest string) error {
	if p.query == "" && p.rule == "" {
		return p.fail("there is no query or rule to expect something of")
	}
	c := &Case{Title: p.title, Line: p.i, Events: p.events, Query: p.query, Rule: p.rule, QueryLine: p.line, Lateness: p.lateness}
	if err := p.expectation(c, rest); err != nil {
		return err
	}
	p.title, p.expected = "", true
	p.script.Cases = append(p.script.Cases, c)
	return nil
}

var failForm = regexp.MustCompile(`^\d+:\d+ [a-z-]+$`)

func (p *parser) expectation(c *Case, rest string) error {
	if rest == "" {
		return p.fail("expect needs events, none, or fail")
	}
	if list, ok := strings.CutPrefix(rest, "fail"); ok && (list == "" || list[0] == ' ') {
		for _, f := range strings.Split(list, ",") {
			f = strings.Join(strings.Fields(f), " ")
			if !failForm.MatchString(f) {
				return p.fail("a failure is written as line:column and code, such as 1:15 unknown-function")
			}
			c.Expect.Fail = append(c.Expect.Fail, f)
		}
		return nil
	}
	if len(p.events) == 0 {
		return p.fail("there are no events")
	}
	if at, ok := strings.CutPrefix(rest, "at "); ok {
		c.Expect.At, rest, _ = strings.Cut(strings.TrimSpace(at), " ")
		if d, err := time.ParseDuration(c.Expect.At); err != nil || d < 0 || rest == "" {
			return p.fail("expect at needs a time and what is known by then, such as: expect at 30s none")
		}
	}
	if strings.TrimSpace(rest) == "none" {
		c.Expect.None = true
		return nil
	}
	for _, word := range strings.Fields(rest) {
		match := strings.Split(word, "+")
		for _, name := range match {
			if name != "-" && !hasEvent(p.events, name) {
				return p.fail("no event is called %q", name)
			}
		}
		c.Expect.Matches = append(c.Expect.Matches, match)
	}
	return nil
}

func hasEvent(events []*Event, name string) bool {
	for _, e := range events {
		if e.Name == name {
			return true
		}
	}
	return false
}

// Known reports whether the expectation says anything.
func (e Expectation) Known() bool { return e.None || len(e.Matches) > 0 || len(e.Fail) > 0 }

// String gives the expectation as a script writes it, without "expect".
func (e Expectation) String() string {
	at := ""
	if e.At != "" {
		at = "at " + e.At + " "
	}
	switch {
	case e.None || len(e.Matches) == 0 && len(e.Fail) == 0:
		return at + "none"
	case len(e.Fail) > 0:
		return "fail " + strings.Join(e.Fail, ", ")
	}
	words := make([]string, len(e.Matches))
	for i, m := range e.Matches {
		words[i] = strings.Join(m, "+")
	}
	return at + strings.Join(words, " ")
}

// Update gives the text of the script with expectations replaced by line.
func (s *Script) Update(byLine map[int]Expectation) string {
	lines := append([]string(nil), s.lines...)
	for n, e := range byLine {
		lines[n-1] = "expect " + e.String()
	}
	return strings.Join(lines, "\n")
}
