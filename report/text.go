package report

// Numbers and sentences.

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// number writes an integer with commas between thousands.
func number(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(n) + " " + noun + "s"
}

func sizeText(n int64) string {
	switch {
	case n < 1e6:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1e9:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}

// sentence says what was scanned.
func (s *Summary) sentence() string {
	text := count(s.Events, "event") + " in " + count(int64(len(s.Files)), "file") + " scanned with " + count(int64(s.RulesRun), "rule")
	if n := s.skipped(); n > 0 {
		text += ", " + number(n) + " skipped"
	}
	if s.Stopped {
		text += "; the scan was stopped before its end"
	}
	return text
}

// reasons lists counts by name, the largest first.
func reasons[N int | int64](counts map[string]N) string {
	keys := slices.Sorted(maps.Keys(counts))
	slices.SortStableFunc(keys, func(a, b string) int { return int(counts[b] - counts[a]) })
	var parts []string
	for _, k := range keys {
		parts = append(parts, fmt.Sprintf("%s (%s)", clean(k), number(int64(counts[k]))))
	}
	return strings.Join(parts, ", ")
}
