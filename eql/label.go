package eql

import (
	"strings"
	"unicode/utf8"
)

// label makes a one-line name out of a comment.
func label(comment string) string {
	s := strings.Join(strings.Fields(comment), " ")
	const most = 60
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most-1]) + "…"
	}
	return s
}
