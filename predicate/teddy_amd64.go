//go:build amd64 && !purego

package predicate

import "golang.org/x/sys/cpu"

// teddy looks through blocks of 64 bytes, and two bytes behind them, for places where
// the tables allow three bytes in a row. It gives the first block that has such
// places, with a bit for each, or all blocks and no bits. It is nil where the
// processor lacks what it needs.
var teddy = chooseTeddy()

func chooseTeddy() func(text *byte, blocks int, t *teddyTables) (block int, mask uint64) {
	switch {
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW:
		return teddyAVX512
	case cpu.X86.HasAVX2:
		return teddyAVX2
	}
	return nil
}

//go:noescape
func teddyAVX2(text *byte, blocks int, t *teddyTables) (block int, mask uint64)

//go:noescape
func teddyAVX512(text *byte, blocks int, t *teddyTables) (block int, mask uint64)
