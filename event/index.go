package event

import "math/bits"

// index tells where quotes and brackets of a document stand: a bit for each byte.
// Quotes are those that begin or end a string, brackets those outside of strings.
type index struct {
	built                 bool // false: the processor has no instructions for it
	quotes, opens, closes []uint64
	words                 []uint64 // the memory of all three

	// What indexBlocks works on stays here, for its arguments escape.
	state indexState
	last  [64]byte
}

// indexState is what one block of 64 bytes hands to the next.
type indexState struct {
	inString uint64 // all ones within a string
	//lint:ignore U1000 the assembly uses it
	escaped uint64 // 1: the block begins with an escaped byte
	stray   uint64 // backslashes outside of strings
	opens   uint64 // brackets so far
	closes  uint64
}

// build makes the index of a document. It reports false where brackets or quotes
// do not pair up, or nest too deep: then the document is out of the ordinary.
func (x *index) build(doc []byte) bool {
	if x.built = indexBlocks != nil; !x.built {
		return true
	}
	n := (len(doc) + 63) / 64
	if len(x.words) < 3*n {
		x.words = make([]uint64, 3*n+3*n/2)
	}
	x.quotes, x.opens, x.closes = x.words[:n], x.words[n:2*n], x.words[2*n:3*n]
	x.state = indexState{}
	whole := len(doc) / 64
	if whole > 0 {
		indexBlocks(&doc[0], whole, &x.quotes[0], n, &x.state)
	}
	if rest := doc[64*whole:]; len(rest) > 0 {
		clear(x.last[copy(x.last[:], rest):])
		indexBlocks(&x.last[0], 1, &x.quotes[whole], n, &x.state)
	}
	st := &x.state
	return st.inString == 0 && st.stray == 0 && st.opens == st.closes && st.opens <= MaxDepth
}

// quote gives the first quote at or behind i, or -1.
func (x *index) quote(i int) int {
	w := i >> 6
	if w >= len(x.quotes) {
		return -1
	}
	if b := x.quotes[w] >> (i & 63); b != 0 {
		return i + bits.TrailingZeros64(b)
	}
	for w++; w < len(x.quotes); w++ {
		if b := x.quotes[w]; b != 0 {
			return w<<6 + bits.TrailingZeros64(b)
		}
	}
	return -1
}

// containerEnd gives the offset behind the bracket that closes the one at i, or -1.
func (x *index) containerEnd(i int) int {
	depth := 0
	before := uint64(1)<<(i&63) - 1 // the bits before i
	for w := i >> 6; w < len(x.opens); w++ {
		o, c := x.opens[w]&^before, x.closes[w]&^before
		before = 0
		if n := bits.OnesCount64(c); n < depth || n == 0 {
			depth += bits.OnesCount64(o) - n // none of these can be the end
			continue
		}
		for b := o | c; b != 0; b &= b - 1 {
			if o&b&-b != 0 {
				depth++
			} else if depth--; depth == 0 {
				return w<<6 + bits.TrailingZeros64(b) + 1
			}
		}
	}
	return -1
}
