//go:build amd64 && !purego

package event

import "golang.org/x/sys/cpu"

func indexVersions() map[string]func(*byte, int, *uint64, int, *indexState) {
	all := map[string]func(*byte, int, *uint64, int, *indexState){}
	if cpu.X86.HasAVX2 && cpu.X86.HasPCLMULQDQ {
		all["avx2"] = indexAVX2
	}
	if cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VPCLMULQDQ {
		all["avx512"] = indexAVX512
	}
	return all
}
