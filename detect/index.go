package detect

import (
	"regexp"
	"strings"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
)

// indexPatterns are the index patterns of a rule.
type indexPatterns struct{ include, exclude []string }

// parsePatterns reads index patterns. "-x" excludes, and the name of a remote
// cluster before a colon says nothing about an event.
func parsePatterns(patterns []string) indexPatterns {
	var p indexPatterns
	for _, s := range patterns {
		list := &p.include
		if strings.HasPrefix(s, "-") && len(p.include) > 0 {
			s, list = s[1:], &p.exclude
		}
		if _, name, ok := strings.Cut(s, ":"); ok {
			s = name
		}
		*list = append(*list, s)
	}
	return p
}

// match reports whether a search over the patterns would reach an index. A rule
// without patterns searches everywhere.
func (p indexPatterns) match(index string) bool {
	return (len(p.include) == 0 || anyMatches(p.include, index)) && !anyMatches(p.exclude, index)
}

func anyMatches(patterns []string, index string) bool {
	for _, pattern := range patterns {
		if eql.MatchWildcard(pattern, index, false) {
			return true
		}
	}
	return false
}

var backingIndex = regexp.MustCompile(`^\.ds-(.+)-\d{4}\.\d{2}\.\d{2}-\d{6}$`)

// dataStream gives the data stream of a backing index, or the index itself.
func dataStream(index string) string {
	if m := backingIndex.FindStringSubmatch(index); m != nil {
		return m[1]
	}
	return index
}

// looks tells which rules look at an event by its index; nil: all of them.
func (m *Matcher) looks(ev *event.Event) []bool {
	if m.d.opt.IgnoreIndex {
		return nil
	}
	index := m.d.Index(ev)
	if index == "" {
		return nil
	}
	looks, ok := m.byIndex[index]
	if !ok {
		looks = make([]bool, len(m.d.rules))
		for i, c := range m.d.rules {
			looks[i] = c.patterns.match(index)
		}
		if len(m.byIndex) < 10000 { // names are as many as an attacker cares to invent
			m.byIndex[strings.Clone(index)] = looks
		}
	}
	return looks
}

// Index gives the name an event's index has for index patterns, "" if nobody
// knows it.
func (d *Detector) Index(ev *event.Event) string {
	if dataset := ev.First(d.stream[1]).Str(); dataset != "" {
		typ, namespace := ev.First(d.stream[0]).Str(), ev.First(d.stream[2]).Str()
		if typ == "" {
			typ = "logs"
		}
		if namespace == "" {
			namespace = "default"
		}
		return typ + "-" + dataset + "-" + namespace
	}
	if ev.Index != "" {
		return dataStream(ev.Index)
	}
	return d.opt.Index
}
