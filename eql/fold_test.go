package eql

import (
	"testing"
	"unicode"
	"unicode/utf8"
)

// TestAlike compares all pairs of a code point and one that case folding leads to, or
// that is in ASCII, with what the standard library folds.
func TestAlike(t *testing.T) {
	same := func(q, r rune) bool {
		for f := unicode.SimpleFold(q); f != q; f = unicode.SimpleFold(f) {
			if f == r {
				return true
			}
		}
		return q == r
	}
	pairs := 0
	for q := rune(0); q <= unicode.MaxRune; q++ {
		others := []rune{unicode.SimpleFold(q), foldRune(q), q}
		if q < 0x600 || q == 'K' || q > unicode.MaxRune-8 {
			for r := range rune(utf8.RuneSelf) {
				others = append(others, r)
			}
		}
		for _, r := range others {
			pairs++
			if got, want := alike(q, r, true), same(q, r); got != want || alike(r, q, true) != want || alike(q, r, false) != (q == r) {
				t.Fatalf("%q and %q: got %v, want %v", q, r, got, want)
			}
		}
	}
	t.Logf("%d pairs", pairs)
}
