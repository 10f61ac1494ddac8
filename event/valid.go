package event

// Strict JSON: for whoever must not take what cannot be read again later.

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// Valid reports, with an error if not, whether a document is one JSON object in valid
// UTF-8, syntax checked throughout, no deeper than MaxDepth. White space around it is
// fine.
func Valid(doc []byte) *Error {
	c := checker{doc: doc}
	c.space()
	if c.at == len(doc) || doc[c.at] != '{' {
		return &Error{Reason: NotAnObject, Offset: c.at}
	}
	if !c.value() {
		return c.fault()
	}
	c.space()
	if c.at < len(doc) {
		return &Error{Reason: TrailingData, Offset: c.at}
	}
	if c.wide && !utf8.Valid(doc) {
		return &Error{Reason: InvalidJSON, Offset: invalidUTF8(doc), Detail: "the text is not UTF-8"}
	}
	return nil
}

func invalidUTF8(doc []byte) int {
	at := 0
	for at < len(doc) {
		r, n := utf8.DecodeRune(doc[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	return at
}

// checker walks a document. After a method reported false, at is where it stopped.
type checker struct {
	doc  []byte
	at   int
	wide bool // there are bytes beyond ASCII
	deep bool
	// open tells for each level whether it is an object.
	open []bool
}

func (c *checker) fault() *Error {
	switch {
	case c.deep:
		return &Error{Reason: TooDeep, Offset: c.at}
	case c.at >= len(c.doc):
		return &Error{Reason: Truncated, Offset: len(c.doc)}
	default:
		return &Error{Reason: InvalidJSON, Offset: c.at}
	}
}

func (c *checker) space() { c.at = skipSpace(c.doc, c.at) }

// value passes a value and all below it, without recursion.
func (c *checker) value() bool {
	for {
		if c.space(); c.at >= len(c.doc) {
			return false
		}
		opened := false
		switch b := c.doc[c.at]; b {
		case '{', '[':
			if len(c.open) >= MaxDepth {
				c.deep = true
				return false
			}
			c.open = append(c.open, b == '{')
			c.at++
			opened = true
		default:
			if !c.scalar() {
				return false
			}
		}
		if more, ok := c.next(opened); !more || !ok {
			return ok
		}
	}
}

// next goes on to the next value of what is open, past all that ends before it. It
// reports whether there is one.
func (c *checker) next(opened bool) (more, ok bool) {
	for len(c.open) > 0 {
		if c.space(); c.at >= len(c.doc) {
			return false, false
		}
		object := c.open[len(c.open)-1]
		switch b := c.doc[c.at]; {
		case b == '}' && object || b == ']' && !object:
			c.at++
			c.open = c.open[:len(c.open)-1]
			opened = false
			continue
		case opened:
		case b == ',':
			c.at++
			c.space()
		default:
			return false, false
		}
		return true, !object || c.name()
	}
	return false, true
}

// name passes the name of a member and the colon behind it.
func (c *checker) name() bool {
	if c.at >= len(c.doc) || c.doc[c.at] != '"' || !c.string() {
		return false
	}
	c.space()
	if c.at >= len(c.doc) || c.doc[c.at] != ':' {
		return false
	}
	c.at++
	return true
}

func (c *checker) scalar() bool {
	switch b := c.doc[c.at]; {
	case b == '"':
		return c.string()
	case b == '-' || b >= '0' && b <= '9':
		return c.number()
	case b == 't':
		return c.word("true")
	case b == 'f':
		return c.word("false")
	case b == 'n':
		return c.word("null")
	}
	return false
}

func (c *checker) word(w string) bool {
	for i := range len(w) {
		if c.at >= len(c.doc) || c.doc[c.at] != w[i] {
			return false
		}
		c.at++
	}
	return true
}

// string passes a string, eight bytes at a time where nothing is special.
func (c *checker) string() bool {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	for c.at++; ; {
		for c.at+8 <= len(c.doc) {
			w := binary.LittleEndian.Uint64(c.doc[c.at:])
			quote, slash := w^(ones*'"'), w^(ones*'\\')
			special := ((w-ones*0x20)&^w | (quote-ones)&^quote | (slash-ones)&^slash | w) & tops
			if special == 0 {
				c.at += 8
				continue
			}
			c.at += bits.TrailingZeros64(special) / 8
			break
		}
		if c.at >= len(c.doc) {
			return false
		}
		switch b := c.doc[c.at]; {
		case b == '"':
			c.at++
			return true
		case b == '\\':
			if !c.escape() {
				return false
			}
		case b < 0x20:
			return false
		default:
			if b >= 0x80 {
				c.wide = true
			}
			c.at++
		}
	}
}

func (c *checker) escape() bool {
	if c.at++; c.at >= len(c.doc) {
		return false
	}
	switch c.doc[c.at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		c.at++
		return true
	case 'u':
		c.at++
		for range 4 {
			if c.at >= len(c.doc) || !isHex(c.doc[c.at]) {
				return false
			}
			c.at++
		}
		return true
	}
	return false
}

func isHex(b byte) bool {
	return b >= '0' && b <= '9' || b|0x20 >= 'a' && b|0x20 <= 'f'
}

func (c *checker) number() bool {
	if c.doc[c.at] == '-' {
		c.at++
	}
	if c.at < len(c.doc) && c.doc[c.at] == '0' {
		c.at++
	} else if !c.digits() {
		return false
	}
	if c.at < len(c.doc) && c.doc[c.at] == '.' {
		c.at++
		if !c.digits() {
			return false
		}
	}
	if c.at < len(c.doc) && c.doc[c.at]|0x20 == 'e' {
		if c.at++; c.at < len(c.doc) && (c.doc[c.at] == '+' || c.doc[c.at] == '-') {
			c.at++
		}
		return c.digits()
	}
	return true
}

func (c *checker) digits() bool {
	start := c.at
	for c.at < len(c.doc) && c.doc[c.at] >= '0' && c.doc[c.at] <= '9' {
		c.at++
	}
	return c.at > start
}
