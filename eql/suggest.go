package eql

import (
	"slices"
	"strings"
)

// didYouMean gives ", did you mean [x]?", with the known names that are like the
// unknown one, or "".
func didYouMean(unknown string, known []string) string {
	switch like := similar(unknown, known); len(like) {
	case 0:
		return ""
	case 1:
		return ", did you mean [" + like[0] + "]?"
	default:
		return ", did you mean any of [" + strings.Join(like, ", ") + "]?"
	}
}

// similar gives the names at most half of whose letters differ from those of
// word, the likest first and at most five of them.
func similar(word string, names []string) []string {
	type match struct {
		name  string
		score float64
	}
	var found []match
	for _, name := range names {
		longest := max(len(word), len(name))
		if longest == 0 || min(len(word), len(name))*2 < longest {
			continue
		}
		score := 1 - float64(distance(word, name))/float64(longest)
		if score >= 0.5 {
			found = append(found, match{name, score})
		}
	}
	slices.SortStableFunc(found, func(a, b match) int {
		switch {
		case a.score > b.score:
			return -1
		case a.score < b.score:
			return 1
		}
		return strings.Compare(a.name, b.name)
	})
	var out []string
	for _, m := range found[:min(len(found), 5)] {
		out = append(out, m.name)
	}
	return out
}

// distance is the Levenshtein distance in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			next := min(row[j]+1, row[j+1]+1, diagonal+cost)
			diagonal, row[j+1] = row[j+1], next
		}
	}
	return row[len(b)]
}
