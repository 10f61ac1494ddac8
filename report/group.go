package report

// Groups: alerts that say the same.
//
// Two alerts are in one group if their rule, severity, host, user, process, parent
// and what the event is about are equal, and their command lines have one shape: the
// same text but for case, GUIDs, long hexadecimal words, other numbers and the
// user's part of a path. IP addresses are kept: a different destination is news.

import (
	"crypto/sha256"
	"io"
	"regexp"
	"strings"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/event"
)

// Group is alerts that say the same.
type Group struct {
	Count int64
	// First and Last are the times of the earliest and the latest of them whose
	// time is known; Timed tells whether there is one.
	First, Last event.Time
	Timed       bool
}

// Grouper puts alerts into groups.
type Grouper struct {
	off    bool
	groups map[[16]byte]*Group
}

// NewGrouper makes a Grouper; one that is off gives every alert its own group.
func NewGrouper(off bool) *Grouper { return &Grouper{off: off, groups: map[[16]byte]*Group{}} }

// Add counts an alert, and gives its group and whether the alert began it.
func (g *Grouper) Add(a *alert.Alert) (group *Group, began bool) {
	if g.off {
		group, began = &Group{}, true
	} else {
		key := groupKey(a)
		if group = g.groups[key]; group == nil {
			group, began = &Group{}, true
			g.groups[key] = group
		}
	}
	group.Count++
	if a.Timed {
		if !group.Timed || a.Time.Compare(group.First) < 0 {
			group.First = a.Time
		}
		if !group.Timed || a.Time.Compare(group.Last) > 0 {
			group.Last = a.Time
		}
		group.Timed = true
	}
	return group, began
}

// shapeFields are compared by their shape, sameFields as they are.
var (
	shapeFields = [...]string{
		"process.executable", "process.name", "process.command_line", "process.parent.executable", "process.parent.name",
		"file.path", "registry.path", "dll.path",
	}
	sameFields = [...]string{
		"host.name", "host.hostname", "host.id", "user.name", "user.id", "event.category", "event.action", "event.code",
		"dns.question.name", "destination.ip", "destination.port",
	}
)

func groupKey(a *alert.Alert) (key [16]byte) {
	h := sha256.New()
	add := func(s string) { _, _ = io.WriteString(h, s+"\x00") }
	add(a.Rule.RuleID)
	add(a.RuleName)
	add(a.Severity)
	of := func(field fieldOf) {
		for _, name := range sameFields {
			add(strings.Join(field(name), "\x01"))
		}
		for _, name := range shapeFields {
			add(shape(strings.Join(field(name), "\x01")))
		}
	}
	of(a.Field)
	for i := range a.Steps {
		add(a.Steps[i].Query)
		if !a.Steps[i].Missing {
			of(a.Steps[i].Field)
		}
	}
	copy(key[:], h.Sum(nil))
	return key
}

// variable finds the parts of text that differ between runs of one thing. An
// address is found too, so that its numbers are not.
var variable = regexp.MustCompile(`\b\d{1,3}(?:\.\d{1,3}){3}\b` +
	`|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}` +
	`|\bs-1-[0-9-]+` +
	`|(?:\\users\\|/home/|/users/)[^\\/"]+` +
	`|\b0x[0-9a-f]+|\b[0-9a-f]{8,}\b|\d+`)

// maxShape bounds the text that is taken apart; what is behind counts as it is.
const maxShape = 4096

// shape replaces the variable parts of text by what they are.
func shape(s string) string {
	if len(s) > maxShape {
		return shape(s[:maxShape]) + s[maxShape:]
	}
	return variable.ReplaceAllStringFunc(strings.ToLower(s), func(part string) string {
		switch {
		case strings.Count(part, ".") == 3:
			return part
		case strings.HasPrefix(part, "s-1-"):
			return "<sid>"
		case part[0] == '\\' || part[0] == '/':
			return part[:strings.LastIndexAny(part, `\/`)+1] + "<user>"
		case len(part) == 36 && strings.Count(part, "-") == 4:
			return "<guid>"
		case strings.IndexFunc(part, func(r rune) bool { return r < '0' || r > '9' }) < 0:
			return "<n>"
		case strings.ContainsAny(part, "0123456789"):
			return "<hex>"
		}
		return part // a word of the letters a to f
	})
}
