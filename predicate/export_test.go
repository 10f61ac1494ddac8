package predicate

import (
	"fmt"
	"math/rand/v2"
)

// Teddies gives the ways this machine can look for witnesses, by name, and a function
// that chooses one until the function it gives is called.
func Teddies() (names []string, choose func(name string) func()) {
	all := teddyVersions()
	for name := range all {
		names = append(names, name)
	}
	return names, func(name string) func() {
		before := teddy
		teddy = all[name]
		return func() { teddy = before }
	}
}

// CompareTeddy compares teddy with a plain loop on random tables and text.
func CompareTeddy(r *rand.Rand) error {
	var t teddyTables
	for bucket := range 8 {
		t.add(bucket, [3]byte{byte('a' + r.IntN(6)), byte('a' + r.IntN(6)), byte('a' + r.IntN(6))})
	}
	text := make([]byte, 64*(1+r.IntN(5))+2)
	for i := range text {
		text[i] = byte('A' + 32*r.IntN(2) + r.IntN(20))
	}
	blocks := (len(text) - 2) / 64
	for from := 0; from < blocks; {
		n, mask := teddy(&text[64*from], blocks-from, &t)
		for at := from; at < blocks && at <= from+n; at++ {
			want := uint64(0)
			for i := range 64 {
				allowed := byte(0xff)
				for j := range 3 {
					c := text[64*at+i+j]
					allowed &= t[j][0][c&15] & t[j][1][c>>4]
				}
				if allowed != 0 {
					want |= 1 << i
				}
			}
			if at < from+n && want != 0 || at == from+n && want != mask {
				return fmt.Errorf("block %d of %q: found block %d, mask %x, want %x", at, text, from+n, mask, want)
			}
		}
		from += n + 1
	}
	return nil
}

// FoldWide folds a text beyond ASCII.
func FoldWide(text string) []byte { return foldWide(nil, text) }

// LimitDiagram bounds the bytes of a Matcher's diagram. It gives a function that tells
// how many states the diagram has.
func LimitDiagram(m *Matcher, bytes int) (states func() int) {
	m.diagram.most = bytes
	return func() int { return len(m.diagram.states) }
}
