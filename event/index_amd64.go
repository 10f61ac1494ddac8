//go:build amd64 && !purego

package event

import "golang.org/x/sys/cpu"

// indexBlocks indexes blocks of 64 bytes that begin at doc. For each it writes a word
// of quotes, one of opening brackets stride words behind it, and one of closing
// brackets as far behind that. It is nil where the processor lacks what it needs.
var indexBlocks = chooseIndex()

func chooseIndex() func(doc *byte, blocks int, words *uint64, stride int, st *indexState) {
	switch {
	case !cpu.X86.HasPCLMULQDQ || !cpu.X86.HasPOPCNT:
		return nil
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VPCLMULQDQ:
		return indexAVX512
	case cpu.X86.HasAVX2:
		return indexAVX2
	}
	return nil
}

//go:noescape
func indexAVX2(doc *byte, blocks int, words *uint64, stride int, st *indexState)

//go:noescape
func indexAVX512(doc *byte, blocks int, words *uint64, stride int, st *indexState)
