package predicate

import "strings"

// alternative is a text of ASCII with wildcards that a value may match.
type alternative struct {
	// parts are what stands between the stars; a single one has no star. In them,
	// "?" is any character.
	parts []string
	cased bool
	ready bool   // see prepare
	any   uint64 // a bit for each part that holds a "?": see partBit
}

// partBit gives the bit of a part. Those behind many others share one.
func partBit(part int) uint64 { return 1 << min(part, 63) }

// anyIn reports whether a part may hold a "?".
func (a *alternative) anyIn(part int) bool { return a.any&partBit(part) != 0 }

func exactly(s string, cased bool) alternative {
	a := alternative{parts: []string{s}, cased: cased}
	if !cased {
		a.parts[0] = lower(s)
	}
	a.ready = true
	return a
}

func wildcard(pattern string, cased bool) alternative {
	return alternative{parts: strings.Split(pattern, "*"), cased: cased}
}

// prepare folds the parts, and notes which hold wildcards.
func (a alternative) prepare() alternative {
	if a.ready {
		return a
	}
	a.ready = true
	for i := range a.parts {
		if !a.cased {
			a.parts[i] = lower(a.parts[i])
		}
		if strings.Contains(a.parts[i], "?") {
			a.any |= partBit(i)
		}
	}
	return a
}

// exact reports whether only one text, or its like in other case, matches.
func (a *alternative) exact() bool { return len(a.parts) == 1 && a.any == 0 }

// literal gives the longest text that every value which matches holds, folded.
func (a *alternative) literal() string {
	longest := ""
	for i, part := range a.parts {
		pieces := []string{part}
		if a.anyIn(i) {
			pieces = strings.Split(part, "?")
		}
		for _, p := range pieces {
			if len(p) > len(longest) {
				longest = p
			}
		}
	}
	return lower(longest)
}

// matches reports whether a text of ASCII matches; folded is the same in lower case.
func (a *alternative) matches(text, folded string) bool {
	if !a.cased {
		text = folded
	}
	last := len(a.parts) - 1
	if last == 0 {
		return len(text) == len(a.parts[0]) && a.at(0, text)
	}
	if !a.at(0, text) {
		return false
	}
	text = text[len(a.parts[0]):]
	if n := len(text) - len(a.parts[last]); n < 0 || !a.at(last, text[n:]) {
		return false
	}
	text = text[:len(text)-len(a.parts[last])]
	for i := 1; i < last; i++ {
		at := a.find(i, text)
		if at < 0 {
			return false
		}
		text = text[at+len(a.parts[i]):]
	}
	return true
}

// at reports whether text begins with a part.
func (a *alternative) at(part int, text string) bool {
	p := a.parts[part]
	if !a.anyIn(part) {
		return strings.HasPrefix(text, p)
	}
	if len(text) < len(p) {
		return false
	}
	for i := range len(p) {
		if p[i] != text[i] && p[i] != '?' {
			return false
		}
	}
	return true
}

// find gives where in text a part is first, or -1.
func (a *alternative) find(part int, text string) int {
	if !a.anyIn(part) {
		return strings.Index(text, a.parts[part])
	}
	for i := 0; i+len(a.parts[part]) <= len(text); i++ {
		if a.at(part, text[i:]) {
			return i
		}
	}
	return -1
}

// lower folds a text of ASCII.
func lower(s string) string { return strings.ToLower(s) }
