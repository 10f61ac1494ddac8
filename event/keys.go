package event

import "encoding/binary"

// Keys follow each other in the same order in most events of a source. So a node
// remembers which key followed which, and the next one is recognised by comparing
// a few bytes instead of being searched for.

// keyOrder is what a node has learned of the keys of its objects.
type keyOrder struct {
	first *key
	known map[string]*key // by the text between the quotes
}

// key is a member's name as documents write it.
type key struct {
	text string // "name": with quotes and colon
	// head are the first eight bytes of text, mask those of them that count. Of a
	// longer text, tail are the last eight, which begin at byte end.
	head, mask, tail uint64
	end              int
	to               *pathNode // nil: nobody wants the member
	// next followed last time, other before that.
	next, other *key
}

// maxKeys bounds the keys that a node remembers.
const maxKeys = 1000

func (k *key) set(text string, to *pathNode) {
	*k = key{text: text, to: to, mask: ^uint64(0)}
	var head [8]byte
	if n := copy(head[:], text); n < 8 {
		k.mask = 1<<(8*n) - 1
	}
	k.head = binary.LittleEndian.Uint64(head[:])
	if k.end = len(text) - 8; k.end > 0 {
		k.tail = binary.LittleEndian.Uint64([]byte(text[k.end:]))
	} else {
		k.end = 0
	}
}

// at reports whether the key stands at byte i of a document.
func (k *key) at(doc []byte, i int) bool {
	if k == nil || i+len(k.text)+8 > len(doc) {
		return false
	}
	if binary.LittleEndian.Uint64(doc[i:])&k.mask != k.head {
		return false
	}
	if k.end == 0 {
		return true
	}
	return binary.LittleEndian.Uint64(doc[i+k.end:]) == k.tail && (k.end <= 8 || string(doc[i+8:i+k.end]) == k.text[8:k.end])
}

// key finds the key at byte i, which follows last in an object of node n, and
// remembers it there. It gives nil where no key stands that ends in a colon.
func (d *Decoder) key(n *pathNode, last *key, i int) *key {
	if uint(i) >= uint(len(d.doc)) || d.doc[i] != '"' {
		return nil
	}
	end := d.stringEnd(i)
	if end < 0 || end+2 >= len(d.doc) || d.doc[end+1] != ':' {
		return nil
	}
	name := d.doc[i+1 : end]
	k := n.keys.known[string(name)]
	if k == nil {
		to := n.find([]byte(text(name, bytesContain(name, '\\'))))
		if len(n.keys.known) >= maxKeys {
			d.spare.set(view(d.doc[i:end+2]), to)
			return &d.spare
		}
		k = new(key)
		k.set(string(d.doc[i:end+2]), to)
		if n.keys.known == nil {
			n.keys.known = map[string]*key{}
		}
		n.keys.known[string(name)] = k
	}
	switch {
	case last == nil:
		n.keys.first = k
	case last.next != k:
		last.next, last.other = k, last.next
	}
	return k
}
