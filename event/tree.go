package event

// Trees: whole documents, read once, in few pieces of memory.

import "encoding/json"

// NodeKind is the kind of a value in a document.
type NodeKind uint8

// The kinds of values in a document.
const (
	NullNode NodeKind = iota
	BoolNode
	NumberNode
	StringNode
	ListNode
	ObjectNode
)

// Node is a value of a document with all below it. It does not change; how long it
// holds is up to who read it. The zero value is null.
type Node struct {
	kind     NodeKind
	written  form // how text is written as a JSON string
	spelling form // how name is
	name     string
	text     string // of an object or a list: its JSON, if that is known
	list     []Node // nil in a list: of nulls only, and itself null in JSON
}

// form tells how a text is written as a JSON string: as it stands, where the form is
// 0. That of an object or a list is what the forms of all texts in it have.
type form uint8

const (
	markup  form = form(markupByte) // it holds < > or &
	escaped form = form(escapeByte) // it is kept as it is written, with escapes
	spoken  form = form(oddByte)    // it is kept as it reads, and has to be escaped
)

// TextNode makes a member that is a text.
func TextNode(name, text string) Node {
	return Node{kind: StringNode, name: name, spelling: spoken, text: text, written: spoken}
}

// Kind gives the kind of the value.
func (n *Node) Kind() NodeKind { return n.kind }

// Name gives the name of a member of an object.
func (n *Node) Name() string { return n.name }

// List gives the elements of a list, or the members of an object in the order of
// their names, each name once. It must not be changed.
func (n *Node) List() []Node { return n.list }

// With gives the node, a list or an object, with other elements or members. Those of
// an object have to be in the order of their names.
func (n *Node) With(list []Node) Node {
	c := *n
	if c.list, c.text = list, ""; list == nil {
		c.list = []Node{}
	}
	return c
}

// As gives the value as a member of another name.
func (n *Node) As(name string) Node {
	c := *n
	c.name, c.spelling = name, spoken
	return c
}

// ObjectOf makes an object of members in the order of their names, each name once.
func ObjectOf(members []Node) Node { return Node{kind: ObjectNode, list: members} }

// ListOf makes a list, which is null in JSON if it is nil.
func ListOf(elements []Node) Node { return Node{kind: ListNode, list: elements} }

// Text gives the text of a string, and a number, true and false as they are written.
func (n *Node) Text() string {
	switch {
	case n.kind >= ListNode:
		return ""
	case n.written&escaped != 0:
		return string(appendUnescaped(nil, []byte(n.text)))
	}
	return n.text
}

// Member gives a member of an object; nil if there is none, or n is no object.
func (n *Node) Member(name string) *Node {
	if list := n.From(name); len(list) > 0 && list[0].name == name {
		return &list[0]
	}
	return nil
}

// From gives the members of an object from a name on, in their order; none if n is no
// object.
func (n *Node) From(name string) []Node {
	if n.kind != ObjectNode {
		return nil
	}
	low, high := 0, len(n.list)
	for low < high {
		mid := (low + high) / 2
		if n.list[mid].name < name {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return n.list[low:]
}

// Value gives the node as maps, lists, strings, json.Numbers, booleans and nil.
func (n *Node) Value() any {
	switch n.kind {
	case BoolNode:
		return n.text == "true"
	case NumberNode:
		return json.Number(n.text)
	case StringNode:
		return n.Text()
	case ListNode:
		if n.list == nil {
			return []any(nil)
		}
		list := make([]any, len(n.list))
		for i := range n.list {
			list[i] = n.list[i].Value()
		}
		return list
	case ObjectNode:
		m := make(map[string]any, len(n.list))
		for i := range n.list {
			m[n.list[i].name] = n.list[i].Value()
		}
		return m
	}
	return nil
}

// AppendJSON writes the node as encoding/json writes its Value, but for the escapes:
// see AppendQuoted.
func (n *Node) AppendJSON(dst []byte) []byte { return n.append(dst, nodeStyle{markupByte, true}) }

// AppendCanonical writes the node as json.Marshal writes its Value.
func (n *Node) AppendCanonical(dst []byte) []byte { return n.append(dst, nodeStyle{}) }

// AppendName writes the name of a member as AppendJSON does.
func (n *Node) AppendName(dst []byte) []byte {
	return nodeStyle{markupByte, true}.string(dst, n.name, n.spelling)
}

// nodeStyle says which characters of strings are escaped; see appendQuoted.
type nodeStyle struct {
	plain    uint8
	terminal bool
}

func (n *Node) append(dst []byte, style nodeStyle) []byte {
	if n.kind >= ListNode && n.text != "" {
		return append(dst, n.text...) // in all styles
	}
	switch n.kind {
	case BoolNode, NumberNode:
		return append(dst, n.text...)
	case StringNode:
		return style.string(dst, n.text, n.written)
	case ListNode:
		if n.list == nil {
			break
		}
		dst = append(dst, '[')
		for i := range n.list {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = n.list[i].append(dst, style)
		}
		return append(dst, ']')
	case ObjectNode:
		dst = append(dst, '{')
		for i := range n.list {
			dst = n.list[i].appendName(dst, i, style)
			dst = n.list[i].append(dst, style)
		}
		return append(dst, '}')
	}
	return append(dst, "null"...)
}

// appendName begins member i of an object.
func (n *Node) appendName(dst []byte, i int, style nodeStyle) []byte {
	if i > 0 {
		dst = append(dst, ',')
	}
	return append(style.string(dst, n.name, n.spelling), ':')
}

// string writes a text of a form.
func (style nodeStyle) string(dst []byte, text string, f form) []byte {
	switch {
	case f&spoken == 0 && f&markup&^form(style.plain) == 0:
		dst = append(dst, '"')
		dst = append(dst, text...)
		return append(dst, '"')
	case f&escaped != 0:
		text = string(appendUnescaped(nil, []byte(text)))
	}
	return appendQuoted(dst, text, style.plain, style.terminal)
}
