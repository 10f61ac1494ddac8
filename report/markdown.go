package report

// A case note in Markdown: what was scanned, what happened when, the alerts, and
// what the rules' authors would do next. Foreign text is escaped or stands in code.

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/shrike-project/shrike/alert"
)

// maxNoteGroups is how many groups a note tells of; maxTimeline how many lines its
// timeline has.
const (
	maxNoteGroups = 200
	maxTimeline   = 100
)

type markdown struct {
	w      *bufio.Writer
	digest *digest
}

func newMarkdown(w io.Writer, opt Options) (*markdown, error) {
	d, err := newDigest(opt)
	if err != nil {
		return nil, err
	}
	return &markdown{bufio.NewWriter(w), d}, nil
}

func (m *markdown) Write(a *alert.Alert) error { return m.digest.add(a) }

func (m *markdown) Close(sum Summary) error {
	m.summary(sum)
	m.timeline()
	err := m.alerts()
	m.nextSteps()
	if flushErr := m.w.Flush(); err == nil {
		err = flushErr
	}
	if closeErr := m.digest.spill.close(); err == nil {
		err = closeErr
	}
	return err
}

// printf writes; an error shows when everything is flushed.
func (m *markdown) printf(format string, args ...any) { _, _ = fmt.Fprintf(m.w, format, args...) }

func (m *markdown) summary(sum Summary) {
	d := m.digest
	m.printf("# Case note\n\nWritten %s by Shrike %s. %s.\n\n", sum.Written.UTC().Format(timeLayout+" UTC"), plain(sum.Version), plain(sum.sentence()))
	m.printf("## Summary\n\n")
	m.printf("- %s in %s\n", count(d.total, "alert"), count(int64(len(d.groups)), "group"))
	for _, t := range d.bySeverity() {
		if t.Count > 0 {
			m.printf("- %s: %s\n", t.Name, number(t.Count))
		}
	}
	if first, last := d.span(); first != "" {
		m.printf("- From %s to %s (UTC)\n", first, last)
	}
	for _, part := range []struct {
		title  string
		counts map[string]int64
	}{{"Hosts", d.hosts}, {"Users", d.users}} {
		var names []string
		list, more := tallies(part.counts, 10)
		for _, t := range list {
			names = append(names, fmt.Sprintf("%s (%s)", plain(t.Name), number(t.Count)))
		}
		if more > 0 {
			names = append(names, count(int64(more), "other"))
		}
		if len(names) > 0 {
			m.printf("- %s: %s\n", part.title, strings.Join(names, ", "))
		}
	}
	if len(sum.Skipped) > 0 {
		m.printf("- Events that could not be read: %s\n", plain(reasons(sum.Skipped)))
	}
	for _, note := range sum.Notes {
		m.printf("- %s\n", plain(clean(note)))
	}
	m.printf("\n")
}

func (m *markdown) timeline() {
	var timed []*entry
	for _, e := range m.digest.groups {
		if e.Timed {
			timed = append(timed, e)
		}
	}
	if len(timed) == 0 {
		return
	}
	sortByTime(timed)
	m.printf("## Timeline\n\n| time (UTC) | severity | rule | host | user | alerts |\n|---|---|---|---|---|---|\n")
	for _, e := range timed[:min(len(timed), maxTimeline)] {
		m.printf("| %s | %s | %s | %s | %s | %s |\n", e.First.Std().Format(timeLayout), plain(e.severity), plain(e.rule), plain(e.host), plain(e.user), number(e.Count))
	}
	if n := len(timed) - maxTimeline; n > 0 {
		m.printf("\n%s later.\n", count(int64(n), "more group"))
	}
	m.printf("\n")
}

func (m *markdown) alerts() error {
	m.printf("## Alerts\n\n")
	list := m.digest.sorted()
	if len(list) == 0 {
		m.printf("None.\n\n")
	}
	for _, e := range list[:min(len(list), maxNoteGroups)] {
		var f facts
		if err := m.digest.spill.get(e.detail, &f); err != nil {
			return err
		}
		m.alert(e, f)
	}
	if n := len(list) - maxNoteGroups; n > 0 {
		m.printf("%s not shown here; the HTML report and csv have them.\n\n", count(int64(n), "more group"))
	}
	return nil
}

func (m *markdown) alert(e *entry, f facts) {
	m.printf("### %s: %s\n\n", plain(f.Severity), plain(f.Rule))
	line := func(name, value string) {
		if value != "" {
			m.printf("- %s: %s\n", name, value)
		}
	}
	line("Time", f.Time)
	if e.Count > 1 {
		line("Alerts", seen(e.Group))
	}
	line("Host", plain(f.Host))
	line("User", plain(f.User))
	line("About", plain(f.About))
	line("Command line", code(f.Command))
	line("Why", plain(f.Why))
	line("Read from", code(f.From))
	line("Alert id", code(f.ID))
	if len(f.Tree) > 0 {
		m.printf("\n")
		for _, p := range f.Tree {
			m.printf("%s- %s", strings.Repeat("  ", min(p.Depth, 8)), code(p.Name))
			if p.PID != "" {
				m.printf(" (%s)", plain(p.PID))
			}
			m.printf("\n")
		}
	}
	m.printf("\n")
}

func (m *markdown) nextSteps() {
	m.printf("## Next steps\n\n")
	said := map[string]bool{}
	for _, r := range m.digest.ruleList() {
		begun := false
		for _, point := range response(r.Note) {
			if said[point] {
				continue
			}
			if !begun {
				m.printf("For %s:\n\n", plain(clean(r.Name)))
			}
			begun, said[point] = true, true
			m.printf("- [ ] %s\n", plain(point))
		}
		if begun {
			m.printf("\n")
		}
	}
	if len(said) == 0 {
		m.printf("The rules that fired say nothing of a response.\n")
	}
}

// seen says how often and when a group's alerts happened.
func seen(g *Group) string {
	text := number(g.Count)
	if g.Timed {
		text += ", first " + g.First.Std().Format(timeLayout) + ", last " + g.Last.Std().Format(timeLayout)
	}
	return text
}

// plain escapes what Markdown, or HTML in it, would take for more than text.
func plain(s string) string {
	var b strings.Builder
	for _, r := range shown(s) {
		switch {
		case r == '<':
			b.WriteString("&lt;")
			continue
		case r == '&':
			b.WriteString("&amp;")
			continue
		case strings.ContainsRune("\\`*_{}[]()#+-.!|~>:@", r):
			if r == '-' || r == '.' || r == ':' || r == '(' || r == ')' || r == '+' {
				break // they mean something only at the start of a line, or after what is escaped
			}
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	// A bare address would become a link.
	return strings.NewReplacer("://", "&#58;//", "www.", "www&#46;").Replace(b.String())
}

// code gives text as a code span, longer than any run of backticks in it.
func code(s string) string {
	if s = shown(s); s == "" {
		return ""
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if fence != "`" || strings.HasPrefix(s, " ") || strings.HasSuffix(s, " ") {
		return fence + " " + s + " " + fence
	}
	return fence + s + fence
}
