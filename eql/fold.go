package eql

// Case folding. Patterns and in~ fold as Unicode's simple folding does, in both
// directions; functions lower-case, as Elasticsearch's do.

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// foldRune gives the representative of all code points that differ from r only
// in case: the least one.
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' {
			r -= 'a' - 'A'
		}
		// K and S have a fellow beyond ASCII, which folds to them: they are least.
		return r
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	return least
}

// alike reports whether code points are the same, or with fold differ only in case.
func alike(q, r rune, fold bool) bool {
	if q == r || !fold {
		return q == r
	}
	if low, high := min(q, r), max(q, r); low < utf8.RuneSelf && high >= utf8.RuneSelf && high != '\u017F' && high != '\u212A' {
		return false // only the long s and the Kelvin sign have a fellow in ASCII
	}
	return foldRune(q) == foldRune(r)
}

// lower lower-cases a string without locale.
func lower(s string) string {
	return strings.ToLower(s)
}
