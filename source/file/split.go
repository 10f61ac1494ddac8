package file

import (
	"bytes"

	"github.com/shrike-project/shrike/event"
)

// lines splits a file that has one document a line.
type lines struct{}

func (lines) split(data []byte, end bool) (int, []event.Extent) {
	if end {
		return len(data), nil
	}
	return bytes.LastIndexByte(data, '\n') + 1, nil
}

func (lines) skip(data []byte) (int, bool) {
	if n := bytes.IndexByte(data, '\n'); n >= 0 {
		return n + 1, true
	}
	return len(data), false
}

// documents splits a file whose documents stand one after another, over many
// lines, or in an array. A line that begins with "{" begins a document, whatever
// comes before: so a document that is cut short takes no other with it.
type documents struct {
	array bool
}

func (d *documents) split(data []byte, end bool) (int, []event.Extent) {
	docs := []event.Extent{}
	complete := 0
	for i := 0; i < len(data); {
		if data[i] != '{' {
			i = d.between(data, i, end, &docs)
			complete = i
			continue
		}
		n, ended := document(data[i:])
		if !ended && !end {
			return complete, docs
		}
		docs = append(docs, event.Extent{Start: i, End: i + n})
		i += n
		complete = i
	}
	return complete, docs
}

// between passes what may stand between documents. Anything else is handed on as
// a document, so that it is refused and counted.
func (d *documents) between(data []byte, i int, end bool, docs *[]event.Extent) int {
	start := i
	for i < len(data) {
		switch c := data[i]; {
		case c == '{':
			return i
		case c == ' ', c == '\t', c == '\r', c == '\n', d.array && (c == ',' || c == '[' || c == ']'):
			if i > start {
				*docs = append(*docs, event.Extent{Start: start, End: i})
			}
			i++
			start = i
		default:
			i++
		}
	}
	if i > start {
		*docs = append(*docs, event.Extent{Start: start, End: i})
	}
	return i
}

func (d *documents) skip(data []byte) (int, bool) {
	if n := bytes.Index(data[min(1, len(data)):], []byte("\n{")); n >= 0 {
		return n + 2, true
	}
	return len(data), false
}

// document gives the length of the document data begins with, and whether its
// end was found: its closing bracket, or the line that begins the next one.
func document(data []byte) (n int, ended bool) {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case c == '\n':
			if i+1 < len(data) && data[i+1] == '{' && i > 0 {
				return i + 1, true
			}
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth == 0 {
				return i + 1, true
			}
		}
	}
	return len(data), false
}
