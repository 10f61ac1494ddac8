package rule

import (
	"strings"

	"github.com/shrike-project/shrike/eql"
)

// IndexPatterns are the index patterns of a rule made ready to be matched.
type IndexPatterns struct{ include, exclude []string }

// ParseIndexPatterns reads index patterns. "-x" excludes, and the name of a remote
// cluster before a colon says nothing about an event.
func ParseIndexPatterns(patterns []string) IndexPatterns {
	var p IndexPatterns
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

// Match reports whether a search over the patterns would reach an index. A rule
// without patterns searches everywhere.
func (p IndexPatterns) Match(index string) bool {
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
