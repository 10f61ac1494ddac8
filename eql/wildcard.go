package eql

import "unicode/utf8"

// MatchWildcard reports whether the whole text matches a pattern in which "*"
// stands for any run of characters, empty ones and line breaks included, and "?"
// for exactly one code point. Nothing escapes them. With fold, case is ignored.
//
// It needs no memory and time proportional to the product of the lengths at
// worst: only the last "*" is ever tried again.
func MatchWildcard(pattern, text string, fold bool) bool {
	star, retry := -1, 0 // where to go on after a misfit: behind "*", one code point later
	i, j := 0, 0
	for j < len(text) {
		r, size := utf8.DecodeRuneInString(text[j:])
		if i < len(pattern) {
			q, psize := utf8.DecodeRuneInString(pattern[i:])
			if q == '*' {
				star, retry = i+1, j
				i++
				continue
			}
			if q == '?' || q == r || fold && foldRune(q) == foldRune(r) {
				i += psize
				j += size
				continue
			}
		}
		if star < 0 {
			return false
		}
		_, step := utf8.DecodeRuneInString(text[retry:])
		retry += step
		i, j = star, retry
	}
	for i < len(pattern) && pattern[i] == '*' {
		i++
	}
	return i == len(pattern)
}
