package rule

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Problem is one thing wrong with a rule file.
type Problem struct {
	File string `json:"file"`
	// Line and Column count from 1, columns in code points; 0: not known.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	// Length is how many code points from Column on are at fault, at least 1.
	Length  int    `json:"length,omitempty"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	// Snippet is the line of the file at fault.
	Snippet string `json:"snippet,omitempty"`
	// Warning problems leave the rule fit to run.
	Warning bool `json:"warning,omitempty"`
	// Rule is the name of the rule, where it is known.
	Rule string `json:"rule,omitempty"`
}

// Error gives the problem on one line, as "file:line:column: message [code]".
func (p Problem) Error() string {
	place := p.File
	if p.Line > 0 {
		place = fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
	}
	kind := ""
	if p.Warning {
		kind = "warning: "
	}
	return fmt.Sprintf("%s: %s%s [%s]", place, kind, p.Message, p.Code)
}

// Text gives the problem for people: the line of Error, the line of the file
// with the fault marked, and the hint.
func (p Problem) Text() string {
	var b strings.Builder
	b.WriteString(p.Error())
	if p.Snippet != "" {
		snippet, column := shorten(p.Snippet, p.Column-1)
		b.WriteString("\n    " + snippet + "\n    " + marks(snippet, column, p.Length))
		if p.Hint != "" {
			b.WriteString(" " + p.Hint)
		}
	} else if p.Hint != "" {
		b.WriteString("\n    " + p.Hint)
	}
	return b.String()
}

// marks draws ^~~~ below a line; tabs stay tabs so that it lines up.
func marks(line string, column, length int) string {
	var b strings.Builder
	runes := []rune(line)
	for i := 0; i < column && i < len(runes); i++ {
		if runes[i] == '\t' {
			b.WriteByte('\t')
		} else {
			b.WriteByte(' ')
		}
	}
	length = max(1, min(length, len(runes)-column))
	return b.String() + "^" + strings.Repeat("~", length-1)
}

// shorten cuts a long line around the column at fault.
func shorten(line string, column int) (string, int) {
	const before, most = 60, 140
	runes := []rune(line)
	if len(runes) <= most {
		return line, column
	}
	start := max(0, min(column-before, len(runes)-most))
	end := min(len(runes), start+most)
	out := string(runes[start:end])
	if start > 0 {
		out = "…" + out
		column++
	}
	if end < len(runes) {
		out += "…"
	}
	return out, column - start
}

// place finds the line and column of a byte offset in a file.
func place(source []byte, offset int) (line, column int) {
	offset = min(offset, len(source))
	line = 1
	start := 0
	for i, c := range source[:offset] {
		if c == '\n' {
			line++
			start = i + 1
		}
	}
	return line, utf8.RuneCount(source[start:offset]) + 1
}

// lineAt gives a line of a file without its line end.
func lineAt(source []byte, offset int) string {
	offset = min(offset, len(source))
	start, end := offset, offset
	for start > 0 && source[start-1] != '\n' {
		start--
	}
	for end < len(source) && source[end] != '\n' {
		end++
	}
	return strings.TrimRight(string(source[start:end]), "\r")
}
