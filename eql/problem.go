package eql

import (
	"fmt"
	"strings"
)

// Pos is a place in the text of a query. Line and Column count from 1, columns
// in code points; Offset counts bytes from 0.
type Pos struct {
	Offset, Line, Column int
}

// Span is a stretch of the text of a query; End is behind its last byte.
type Span struct {
	Start, End Pos
}

// Text gives the part of source that the span covers.
func (s Span) Text(source string) string { return source[s.Start.Offset:s.End.Offset] }

// Code names a kind of problem. Codes are stable.
type Code string

// The kinds of problems of a query.
const (
	BadToken        Code = "bad-token"
	SyntaxError     Code = "syntax"
	Unsupported     Code = "unsupported"
	BadPipe         Code = "bad-pipe"
	BadSpan         Code = "bad-maxspan"
	BadJoinKey      Code = "bad-join-key"
	BadRuns         Code = "bad-runs"
	BadItems        Code = "bad-items"
	TooNested       Code = "too-nested"
	UnknownField    Code = "unknown-field"
	UnknownFunction Code = "unknown-function"
	BadArguments    Code = "bad-arguments"
	BadType         Code = "bad-type"
	BadLiteral      Code = "bad-literal"
	BadRegex        Code = "bad-regex"
	FieldComparison Code = "field-comparison"
)

// Problem is one thing wrong with a query.
type Problem struct {
	Span    Span
	Code    Code
	Message string
	Hint    string // what to do about it, or empty
}

// Error gives the problem in the form Elasticsearch uses, "line 1:11: message".
func (p Problem) Error() string {
	return fmt.Sprintf("line %d:%d: %s", p.Span.Start.Line, p.Span.Start.Column, p.Message)
}

// Problems is all that is wrong with a query, in the order of the text. As an
// error it is never empty.
type Problems []Problem

func (ps Problems) Error() string {
	if len(ps) == 1 {
		return ps[0].Error()
	}
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return fmt.Sprintf("Found %d problems\n%s", len(ps), strings.Join(lines, "\n"))
}
