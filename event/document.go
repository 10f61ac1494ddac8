package event

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// Document reads a whole document as maps, lists, strings, json.Numbers, booleans
// and nil: the Value of its tree. It gives nil for text that is not an object. The
// result owns its memory.
func Document(doc []byte) map[string]any {
	var r TreeReader
	root := r.Read(bytes.Clone(doc))
	m, _ := root.Value().(map[string]any)
	return m
}

// TreeReader reads whole documents with the same leniency as a Decoder and so that
// nothing a Decoder sees is lost: duplicate keys become one member, objects merged
// and other values in a list; escapes JSON does not know keep their characters;
// words that are no JSON become text.
//
// Trees share the memory of their documents, and that of the reader, which Reset
// takes back. The zero value is ready for use; it belongs to one goroutine.
type TreeReader struct {
	doc   []byte
	text  string // doc
	i     int
	depth int
	stack []Node // the members and elements of what is being read
	order []placed
	free  []Node   // memory for what was read
	json  []byte   // of Canonical
	at    []Extent // of members in it
}

// Read reads a document. It gives null for text that is not an object.
func (r *TreeReader) Read(doc []byte) Node {
	i := skipSpace(doc, 0)
	if i >= len(doc) || doc[i] != '{' {
		return Node{}
	}
	r.doc, r.text, r.i, r.depth = doc, view(doc), i, 0
	list, written := r.object()
	return Node{kind: ObjectNode, written: written, list: list}
}

// Canonical gives what AppendCanonical writes of an object that was read, until Reset. Of
// its members, those that are objects or lists and that AppendJSON writes alike know it from
// then on.
func (r *TreeReader) Canonical(n *Node) []byte {
	from := len(r.json)
	r.json, r.at = append(r.json, '{'), r.at[:0]
	for i := range n.list {
		r.json = n.list[i].appendName(r.json, i, nodeStyle{})
		start := len(r.json)
		r.json = n.list[i].append(r.json, nodeStyle{})
		r.at = append(r.at, Extent{start, len(r.json)})
	}
	r.json = append(r.json, '}')
	for i, at := range r.at {
		if m := &n.list[i]; m.kind >= ListNode && m.written&(markup|spoken) == 0 {
			m.text = view(r.json[at.Start:at.End])
		}
	}
	return r.json[from:]
}

// maxKeptNodes and maxKeptJSON are how much memory a reader keeps for its next documents.
const (
	maxKeptNodes = 4096
	maxKeptJSON  = 1 << 20
)

// Reset takes back the memory of all trees that were read, and forgets their
// documents.
func (r *TreeReader) Reset() {
	r.doc, r.text = nil, ""
	if cap(r.stack) > maxKeptNodes {
		r.stack, r.order = nil, nil
	}
	if cap(r.free) > maxKeptNodes {
		r.free = nil
	}
	if cap(r.json) > maxKeptJSON {
		r.json = nil
	}
	clear(r.stack[:cap(r.stack)])
	clear(r.free)
	r.stack, r.free, r.json = r.stack[:0], r.free[:0], r.json[:0]
}

// Room gives memory for n nodes, which holds until Reset.
func (r *TreeReader) Room(n int) []Node {
	if n == 0 {
		return []Node{}
	}
	if n > cap(r.free)-len(r.free) {
		r.free = make([]Node, 0, max(n, min(2*cap(r.free), maxKeptNodes), 64))
	}
	at := len(r.free)
	r.free = r.free[:at+n]
	return r.free[at : at : at+n]
}

func (r *TreeReader) peek() byte {
	r.i = skipSpace(r.doc, r.i)
	if r.i < len(r.doc) {
		return r.doc[r.i]
	}
	return 0
}

// object reads the object at i, gives its members with their forms and moves behind it.
func (r *TreeReader) object() ([]Node, form) {
	base := len(r.stack)
	r.i++
	r.depth++
loop:
	for r.i < len(r.doc) {
		switch r.peek() {
		case '}':
			r.i++
			break loop
		case '"':
			name, spelling := r.str()
			if spelling&escaped != 0 {
				name, spelling = string(appendUnescaped(nil, []byte(name))), spoken
			}
			if r.peek() == ':' {
				r.i++
			}
			r.stack = append(r.stack, Node{name: name, spelling: spelling})
			r.value(len(r.stack) - 1)
		default:
			r.i++ // a comma, or what should not be here
		}
	}
	r.depth--
	forms := r.forms(base)
	return r.members(base), forms
}

// array reads the array at i, gives its elements with their forms and moves behind it.
func (r *TreeReader) array() ([]Node, form) {
	base := len(r.stack)
	r.i++
	r.depth++
loop:
	for r.i < len(r.doc) {
		switch r.peek() {
		case ']', '}':
			r.i++
			break loop
		case ',', ':', 0:
			r.i++ // or what should not be here
		default:
			r.stack = append(r.stack, Node{})
			r.value(len(r.stack) - 1)
		}
	}
	r.depth--
	forms := r.forms(base)
	return r.take(base), forms
}

// forms gives the forms that all texts on the stack have, from base on.
func (r *TreeReader) forms(base int) (forms form) {
	for i := base; i < len(r.stack); i++ {
		forms |= r.stack[i].written | r.stack[i].spelling
	}
	return forms
}

// value reads a value into a node of the stack, the last one, which is null.
func (r *TreeReader) value(at int) {
	switch c := r.peek(); {
	case r.depth > MaxDepth:
		r.i = len(r.doc)
		return
	case c == '"':
		n := &r.stack[at]
		n.kind = StringNode
		n.text, n.written = r.str()
		return
	case c == '{':
		list, forms := r.object() // the stack may be another one then
		n := &r.stack[at]
		n.kind, n.list, n.written = ObjectNode, list, forms
		return
	case c == '[':
		list, forms := r.array()
		n := &r.stack[at]
		n.kind, n.list, n.written = ListNode, list, forms
		return
	case c == '}' || c == ']' || c == ',' || c == 0:
		return
	}
	start, end := r.i, skipScalar(r.doc, r.i)
	if end == start {
		r.i++
		return
	}
	r.i = end
	n, word := &r.stack[at], r.text[start:end]
	switch word {
	case "null":
		return
	case "true", "false":
		n.kind, n.text = BoolNode, word
		return
	}
	if _, ok := numberKind(r.doc[start:end]); ok {
		n.kind, n.text = NumberNode, word
		return
	}
	n.kind, n.text, n.written = StringNode, string(appendUnescaped(nil, []byte(word))), spoken
}

// str reads the string at i.
func (r *TreeReader) str() (text string, written form) {
	start := r.i + 1
	var seen uint8
	for i := plainRun(r.doc, start, 0); i < len(r.doc); i++ {
		class := byteClass[r.doc[i]]
		switch {
		case class == 0:
			continue
		case class == quoteByte:
			r.i = i + 1
			if seen&oddByte != 0 {
				return string(appendUnescaped(nil, r.doc[start:i])), spoken
			}
			return r.text[start:i], form(seen)
		case class == escapeByte:
			if i++; i < len(r.doc) && !shortEscape(r.doc[i]) {
				class = oddByte
			}
		}
		seen |= class
	}
	r.i = len(r.doc)
	return string(appendUnescaped(nil, r.doc[min(start, len(r.doc)):])), spoken
}

// shortEscape reports whether a backslash and c are an escape that writing the
// character gives again.
func shortEscape(c byte) bool { return c != '/' && simpleEscape(c) != 0 }

// take moves what lies on the stack from base on to memory of its own.
func (r *TreeReader) take(base int) []Node {
	list := append(r.Room(len(r.stack)-base), r.stack[base:]...)
	r.stack = r.stack[:base]
	return list
}

// members takes members from the stack in the order of their names, and makes one of
// those of the same name.
func (r *TreeReader) members(base int) []Node {
	unsorted := r.stack[base:]
	r.order = r.order[:0]
	ascending, last := true, uint64(0)
	for i := range unsorted {
		h := head(unsorted[i].name)
		ascending = ascending && (h > last || i == 0)
		last = h
		r.order = append(r.order, placed{h, i})
	}
	if ascending {
		return r.take(base)
	}
	slices.SortFunc(r.order, func(a, b placed) int {
		if a.head != b.head {
			return cmp.Compare(a.head, b.head)
		}
		return cmp.Or(cmp.Compare(unsorted[a.at].name, unsorted[b.at].name), a.at-b.at)
	})
	list := r.Room(len(unsorted))
	for _, p := range r.order {
		m := &unsorted[p.at]
		if n := len(list); n > 0 && list[n-1].name == m.name {
			list[n-1] = join(&list[n-1], m)
			continue
		}
		list = append(list, *m)
	}
	r.stack = r.stack[:base]
	return list
}

// placed is a member's place on the stack, and how its name begins.
type placed struct {
	head uint64
	at   int
}

// head gives the first bytes of a name as a number that orders as they do.
func head(name string) uint64 {
	if len(name) >= 8 {
		return binary.BigEndian.Uint64([]byte(name[:8]))
	}
	var b [8]byte
	copy(b[:], name)
	return binary.BigEndian.Uint64(b[:])
}

// joined merges members of two objects.
func joined(a, b []Node) []Node {
	list := make([]Node, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch c := cmp.Compare(a[0].name, b[0].name); {
		case c < 0:
			list, a = append(list, a[0]), a[1:]
		case c > 0:
			list, b = append(list, b[0]), b[1:]
		default:
			list, a, b = append(list, join(&a[0], &b[0])), a[1:], b[1:]
		}
	}
	return append(append(list, a...), b...)
}

// join makes one member of two of the same name.
func join(a, b *Node) Node {
	var v Node
	if a.kind == ObjectNode && b.kind == ObjectNode {
		v = ObjectOf(joined(a.list, b.list))
	} else {
		v = ListOf(append(slices.Clip(asList(a)), asList(b)...))
	}
	v.name, v.spelling, v.written = a.name, a.spelling, a.written|b.written
	return v
}

func asList(n *Node) []Node {
	switch n.kind {
	case ListNode:
		return n.list
	case NullNode:
		return nil
	}
	return []Node{{kind: n.kind, text: n.text, written: n.written, list: n.list}}
}
