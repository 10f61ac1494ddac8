package eql

import "unicode/utf8"

// MatchWildcard reports whether the whole text matches a pattern in which "*"
// stands for any run of characters, empty ones and line breaks included, and "?"
// for exactly one code point. Nothing escapes them. With fold, case is ignored.
//
// It needs no memory and time proportional to the product of the lengths at
// worst: only the last "*" is ever tried again.
func MatchWildcard(pattern, text string, fold bool) bool {
	if !endsAlike(pattern, text, fold) {
		return false
	}
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
			if q == '?' || alike(q, r, fold) {
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

// endsAlike compares the ends of a pattern and a text, as far as both are ASCII and the
// pattern has no wildcard: most texts differ from a pattern there.
func endsAlike(pattern, text string, fold bool) bool {
	for i, j := len(pattern)-1, len(text)-1; i >= 0 && j >= 0; i, j = i-1, j-1 {
		q, c := pattern[i], text[j]
		switch {
		case q == '*' || q == '?' || q >= utf8.RuneSelf || c >= utf8.RuneSelf:
			return true
		case !alike(rune(q), rune(c), fold):
			return false
		}
	}
	return true
}
