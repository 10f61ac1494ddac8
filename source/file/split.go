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

func (lines) unfinished() string { return "" }

func (lines) goOn() {}

func (lines) read(data []byte, _ []event.Extent) int {
	last := bytes.LastIndexByte(data, '\n') + 1
	var s scanner
	if _, ended := s.scan(data[last:]); ended {
		return len(data)
	}
	return last
}

// documents splits a file whose documents stand one after another, over many
// lines, or in an array.
type documents struct {
	array  bool
	opened bool // the array's opening bracket was read
	closed bool // … and its closing one
	giving scanner
}

func (d *documents) split(data []byte, end bool) (int, []event.Extent) {
	docs := []event.Extent{}
	complete := 0
	for i := 0; i < len(data); {
		if data[i] != '{' {
			i = d.between(data, i, &docs)
			complete = i
			continue
		}
		var s scanner
		n, ended := s.scan(data[i:])
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
func (d *documents) between(data []byte, i int, docs *[]event.Extent) int {
	start := i
	for ; i < len(data) && data[i] != '{'; i++ {
		if !d.separates(data[i]) {
			continue
		}
		if i > start {
			*docs = append(*docs, event.Extent{Start: start, End: i})
		}
		start = i + 1
	}
	if i > start {
		*docs = append(*docs, event.Extent{Start: start, End: i})
	}
	return i
}

// separates reports whether a byte may stand between documents.
func (d *documents) separates(c byte) bool {
	switch c {
	case ' ', '\t', '\r', '\n':
		return true
	case '[':
		d.opened = d.opened || d.array
		return d.array
	case ']':
		d.closed = d.closed || d.array
		return d.array
	}
	return d.array && c == ','
}

// skip passes the rest of a document that was given up. The first call of a
// document gets its beginning.
func (d *documents) skip(data []byte) (int, bool) {
	n, ended := d.giving.scan(data)
	if ended {
		d.giving = scanner{}
	}
	return n, ended
}

func (d *documents) goOn() { d.opened = d.array }

func (d *documents) read(data []byte, docs []event.Extent) int {
	for i := len(docs) - 1; i >= 0; i-- {
		var s scanner
		if _, ended := s.scan(data[docs[i].Start:docs[i].End]); ended {
			return docs[i].End
		}
	}
	return 0
}

// unfinished says what the file lacks at its end, or "".
func (d *documents) unfinished() string {
	if d.opened && !d.closed {
		return "the array does not end"
	}
	return ""
}

// scanner finds the end of a document: its closing bracket. A line that begins
// with "{" where no object can begin ends it too, for it was cut short; so it takes
// no other document with it.
type scanner struct {
	stack   []byte // the brackets that are open
	quoted  bool
	escaped bool
	last    byte // the last byte that is no white space, outside of strings
	newline bool // the byte before was a line break
}

// scan reads on and gives how many bytes it took and whether the document ended.
func (s *scanner) scan(data []byte) (n int, ended bool) {
	for i, c := range data {
		if s.newline && c == '{' && (s.quoted || !s.mayBegin()) {
			return i, true
		}
		s.newline = c == '\n'
		switch {
		case s.escaped:
			s.escaped = false
		case s.quoted:
			s.escaped = c == '\\'
			s.quoted = c != '"'
			s.last = c
		case c == '"':
			s.quoted = true
		case c == '{' || c == '[':
			s.stack = append(s.stack, c)
			s.last = c
		case c == '}' || c == ']':
			s.stack = s.stack[:max(0, len(s.stack)-1)]
			if len(s.stack) == 0 {
				return i + 1, true
			}
			s.last = c
		case c != ' ' && c != '\t' && c != '\r' && c != '\n':
			s.last = c
		}
	}
	return len(data), false
}

// mayBegin reports whether an object may begin here.
func (s *scanner) mayBegin() bool {
	if len(s.stack) == 0 {
		return true
	}
	if s.last == ':' {
		return true
	}
	return s.stack[len(s.stack)-1] == '[' && (s.last == '[' || s.last == ',')
}
