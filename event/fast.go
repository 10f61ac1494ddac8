package event

import (
	"bytes"
	"math/bits"
)

// The fast walk over a document. It follows only keys that somebody wants and
// passes everything else by its brackets and quotes. It reads what the plain walk
// reads: where it meets anything it does not expect, it gives up, and the document
// is walked plainly.

// fast walks a document. It reports false if it gave up.
func (d *Decoder) fast() bool {
	doc := d.doc
	i := skipSpace(doc, 0)
	if i >= len(doc) || doc[i] != '{' || !d.index.build(doc) {
		return false
	}
	end := d.members(i, d.root)
	if end < 0 || skipSpace(doc, end) < len(doc) {
		return false
	}
	if d.ev.Source == nil {
		d.ev.Source = doc[i:end]
	}
	return true
}

// peek gives the byte at i, or 0 behind the end.
func (d *Decoder) peek(i int) byte {
	if uint(i) < uint(len(d.doc)) {
		return d.doc[i]
	}
	return 0
}

// space passes white space, of which compact documents have none.
func (d *Decoder) space(i int) int {
	if d.peek(i) > ' ' {
		return i
	}
	return skipSpace(d.doc, i)
}

// members walks the object that begins at i and gives the offset behind it, or -1
// to give up.
func (d *Decoder) members(i int, n *pathNode) int {
	if d.depth++; d.depth > MaxDepth/2 {
		return -1
	}
	i = d.space(i + 1)
	if d.peek(i) == '}' {
		d.depth--
		return i + 1
	}
	doc := d.doc
	var last *key
	k := n.keys.first
	for {
		if !k.at(doc, i) {
			if last != nil && last.other.at(doc, i) {
				last.next, last.other = last.other, last.next
				k = last.next
			} else if k = d.key(n, last, i); k == nil {
				return -1
			}
		}
		i += len(k.text)
		c := d.peek(i)
		if c <= ' ' {
			i = skipSpace(doc, i)
			c = d.peek(i)
		}
		switch {
		case c == '"':
			end := d.stringEnd(i) + 1
			if end <= 0 {
				return -1
			}
			if k.to != nil && k.to.wanted() {
				d.take(k.to, i, end, stringSpan)
			}
			i = end
		case k.to == nil:
			i = d.pass(i)
		default:
			i = d.member(i, k.to)
		}
		if i < 0 {
			return -1
		}
		if c = d.peek(i); c <= ' ' {
			i = skipSpace(doc, i)
			c = d.peek(i)
		}
		switch c {
		case ',':
			i = d.space(i + 1)
			last, k = k, k.next
		case '}':
			d.depth-- // whoever gives up begins anew
			return i + 1
		default:
			return -1
		}
	}
}

// pass passes a value nobody wants.
func (d *Decoder) pass(i int) int {
	switch d.peek(i) {
	case '"':
		return d.stringEnd(i) + 1 // 0 if there is none
	case '{', '[':
		return d.containerEnd(i)
	}
	end := skipScalar(d.doc, i)
	if end == i {
		return -1
	}
	return end
}

// member reads the value at i, which lies at a wanted path or above one.
func (d *Decoder) member(i int, n *pathNode) int {
	switch d.peek(i) {
	case '"':
		end := d.stringEnd(i) + 1
		if end <= 0 {
			return -1
		}
		if n.wanted() {
			d.take(n, i, end, stringSpan)
		}
		return end
	case '{':
		return d.inner(i, n)
	case '[':
		return d.elements(i, n)
	}
	return d.word(i, n)
}

// word reads a number, true, false or null.
func (d *Decoder) word(i int, n *pathNode) int {
	end := skipScalar(d.doc, i)
	t, ok := parseScalar(d.doc[i:end])
	if !ok {
		return -1
	}
	if t.kind != Null && n.wanted() {
		d.take(n, i, end, wordSpan)
	}
	return end
}

// inner walks an object below a wanted path.
func (d *Decoder) inner(i int, n *pathNode) int {
	switch {
	case n.meta == metaSource:
		end := d.members(i, d.root)
		if end > 0 {
			d.ev.Source = d.doc[i:end]
		}
		return end
	case n.children == nil:
		return d.containerEnd(i)
	}
	return d.again(i, n)
}

// elements walks an array at a wanted path or above one. An array of scalars is
// taken as a whole.
func (d *Decoder) elements(i int, n *pathNode) int {
	if end := d.scalars(i); end > 0 {
		if n.wanted() {
			d.take(n, i, end, listSpan)
		}
		return end
	}
	if d.depth++; d.depth > MaxDepth/2 {
		return -1
	}
	i = d.space(i + 1)
	for {
		if i = d.member(i, n); i < 0 {
			return -1
		}
		i = d.space(i)
		switch d.peek(i) {
		case ',':
			i = d.space(i + 1)
		case ']':
			d.depth--
			return i + 1
		default:
			return -1
		}
	}
}

// scalars gives the offset behind the array at i if it holds only scalars, else -1.
func (d *Decoder) scalars(i int) int {
	i = d.space(i + 1)
	if d.peek(i) == ']' {
		return i + 1
	}
	for {
		switch d.peek(i) {
		case '"':
			if i = d.stringEnd(i) + 1; i <= 0 {
				return -1
			}
		case '{', '[':
			return -1
		default:
			end := skipScalar(d.doc, i)
			if _, ok := parseScalar(d.doc[i:end]); !ok {
				return -1
			}
			i = end
		}
		i = d.space(i)
		switch d.peek(i) {
		case ',':
			i = d.space(i + 1)
		case ']':
			return i + 1
		default:
			return -1
		}
	}
}

// stringEnd gives the offset of the quote that ends the string at i, or -1.
func (d *Decoder) stringEnd(i int) int {
	i++
	if w := i >> 6; d.index.built && w < len(d.index.quotes) {
		if b := d.index.quotes[w] >> (i & 63); b != 0 {
			return i + bits.TrailingZeros64(b)
		}
	}
	return d.farEnd(i - 1)
}

// farEnd is stringEnd for strings that end in another block of the index, or where
// there is none.
func (d *Decoder) farEnd(i int) int {
	if d.index.built {
		return d.index.quote(i + 1)
	}
	end, _ := skipString(d.doc, i)
	if end < 0 {
		return -1
	}
	return end - 1
}

// containerEnd gives the offset behind the object or array at i, or -1.
func (d *Decoder) containerEnd(i int) int {
	if d.index.built {
		return d.index.containerEnd(i)
	}
	end, err := d.skip(i)
	if err != nil {
		return -1
	}
	return end
}

func bytesContain(b []byte, c byte) bool { return bytes.IndexByte(b, c) >= 0 }
