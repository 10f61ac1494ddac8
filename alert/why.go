package alert

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/shrike-project/shrike/eql"
)

// routine fields are tested by nearly every rule and explain little.
var routine = []string{"event.category", "event.type", "event.action", "host.os.type", "event.kind", "event.dataset", "event.module"}

// why says in one line what decided: the fields that were missing and the values
// that the deciding tests saw. The branch of the query that applied comes first if
// the query names it by a comment.
func why(t *eql.Trace) string {
	var facts, missing []string
	branch := ""
	for _, test := range t.Decisive() {
		for _, f := range test.Fields {
			if slices.Contains(routine, f.Name) {
				continue
			}
			if len(f.Values) == 0 {
				missing = appendNew(missing, f.Name)
				continue
			}
			value := f.Decided
			if value == "" {
				value = strings.Join(f.Values, ", ")
			}
			facts = appendNew(facts, f.Name+" is "+cut(value, 120))
		}
	}
	if label := branchLabel(t); label != "" {
		branch = label + ": "
	}
	if len(missing) > 0 {
		facts = append([]string{strings.Join(missing[:min(len(missing), 3)], " and ") + " missing"}, facts...)
	}
	out := branch + strings.Join(facts[:min(len(facts), 6)], "; ")
	if len(facts) > 6 {
		out += "; …"
	}
	if out == "" {
		return "the query matches every such event"
	}
	return out
}

// branchLabel gives the comment before the alternative that holds, if any.
func branchLabel(t *eql.Trace) string {
	if t.Label != "" && t.Result == eql.True {
		return t.Label
	}
	if t.Kind == "not" {
		return ""
	}
	for _, child := range t.Children {
		if child.Result == eql.True {
			if label := branchLabel(child); label != "" {
				return label
			}
		}
	}
	return ""
}

func appendNew(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// cut shortens text in its middle: the ends of paths and command lines tell most.
func cut(s string, most int) string {
	if len(s) <= most && utf8.ValidString(s) {
		return s
	}
	runes := []rune(strings.ToValidUTF8(s, "\uFFFD"))
	if len(runes) <= most {
		return string(runes)
	}
	half := (most - 1) / 2
	return string(runes[:half]) + "…" + string(runes[len(runes)-half:])
}
