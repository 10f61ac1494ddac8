//go:build amd64 && !purego

package predicate

import "golang.org/x/sys/cpu"

func teddyVersions() map[string]func(*byte, int, *teddyTables) (int, uint64) {
	all := map[string]func(*byte, int, *teddyTables) (int, uint64){}
	if cpu.X86.HasAVX2 {
		all["AVX2"] = teddyAVX2
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW {
		all["AVX512"] = teddyAVX512
	}
	return all
}
