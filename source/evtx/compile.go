package evtx

// Compiling: one walk through binary XML that leaves what to do with its values.

import "strings"

// program fills a record from the substitution values of a template.
type program struct{ ops []op }

type opKind uint8

const (
	opSet      opKind = iota // a field of the record
	opItem                   // a data item
	opUserData               // the name of UserData's element
)

// op is one step of a program.
type op struct {
	kind    opKind
	field   field
	counted bool   // opItem: the element stands below EventData, where positions count
	silent  bool   // opItem: no item without text, as the element is there for others
	only    int    // the value of parts[0] where there are no other parts, else -1
	name    string // "" stands for the position; opUserData: the name
	named   []part // the name, where it has values in it
	parts   []part
	inside  place // of binary XML among the parts
}

// part is a piece of text: a value, or a constant.
type part struct {
	value int // -1 for a constant
	text  string
}

const (
	maxElements = 64        // how deep elements lie in each other
	maxNames    = 256 << 10 // bytes of names in one piece of XML, repeated ones included
)

// compiler walks through one template, or through XML written out.
type compiler struct {
	reader
	depth int
	bare  bool // elements lack the field that says which value they depend on
	ops   []op
	names []nameUse
	spent int // bytes of names so far
}

// nameUse is a place in a template that depends on what its chunk held before.
type nameUse struct {
	pos    int // of the name's offset, from the start of the template's XML
	inline bool
	utf16  []byte
}

// compile makes a program of b[start:end]. bare says that it is the value of a
// substitution, whose elements are laid out differently.
func compile(b []byte, start, end int, at place, bare bool) (program, []nameUse, Reason) {
	c := compiler{reader: reader{b: b, pos: start, end: end}, bare: bare}
	c.skipProlog()
	for c.peek() == tokenOpen {
		c.element(at)
		c.skipProlog()
	}
	if c.peek() != tokenEnd {
		c.fail(BadXML)
	}
	if c.bad != readable {
		return program{}, nil, c.bad
	}
	for i := range c.names {
		c.names[i].pos -= start
	}
	return program{ops: c.ops}, c.names, readable
}

// nameHere reads a name and notes its use.
func (c *compiler) nameHere() string {
	pos := c.pos
	utf16, inline := c.name()
	c.names = append(c.names, nameUse{pos, inline, utf16})
	if c.spend(len(utf16)); c.bad != readable {
		return ""
	}
	return string(appendUTF16(nil, utf16))
}

// spend counts bytes of names. One name can be referred to from everywhere, and
// paths repeat it, so that a small template could fill the memory.
func (c *compiler) spend(n int) {
	if c.spent += n; c.spent > maxNames {
		c.fail(TooMuch)
	}
}

// element is the part of an element that its content needs to know.
type element struct {
	name  string
	key   string // of its item; "" for the position
	named []part // the key, where it has values in it
	place place  // where the element stands
	kids  bool   // elements lie in it
}

func (c *compiler) element(at place) {
	if c.depth == maxElements {
		c.fail(TooDeep)
	}
	if c.bad != readable {
		return
	}
	c.depth++
	e := element{place: at}
	attributes := c.open(&e)
	e.key = at.prefix + e.name
	if at.kind == inData && e.name == "Data" {
		e.key = ""
	}
	if at.kind == inUserData {
		c.ops = append(c.ops, op{kind: opUserData, name: e.name, only: -1})
	}
	if attributes {
		c.attributes(&e)
	}
	c.spend(len(e.key))
	inside := at.inside(e.name, e.prefixKey())
	var parts []part
	switch token(c.u8()) {
	case tokenCloseStart:
		parts = c.content(&e, inside)
	case tokenCloseEmpty:
	default:
		c.fail(BadXML)
	}
	c.finish(&e, parts, inside)
	c.depth--
}

func (e *element) prefixKey() string {
	if e.key == "" {
		return e.name
	}
	return e.key
}

// open reads the start of an element up to its attributes. Which of two layouts it
// has is known from where it stands; some writers do not keep to that, so the
// other one is tried where the expected one makes no sense.
func (c *compiler) open(e *element) (attributes bool) {
	attributes = c.u8()&moreBit != 0
	start := c.pos
	for _, bare := range [2]bool{c.bare, !c.bare} {
		c.pos, c.bad = start, readable
		if !bare {
			c.u16()
		}
		size, room, known := int64(c.u32()), int64(c.end-c.pos), len(c.names)
		e.name = c.nameHere()
		if c.bad == TooMuch || c.bad == readable && size <= room && e.name != "" {
			break
		}
		c.names = c.names[:known]
		c.fail(BadXML)
	}
	if attributes {
		c.u32() // their size
	}
	return attributes
}

func (c *compiler) attributes(e *element) {
	for c.peek() == tokenAttribute {
		c.u8()
		name := c.nameHere()
		c.attribute(e, name, c.text())
	}
}

func (c *compiler) attribute(e *element, name string, parts []part) {
	if f := attributeField(e.place, e.name, name); f != noField {
		c.ops = append(c.ops, op{kind: opSet, field: f, parts: parts, only: single(parts)})
		return
	}
	switch e.place.kind {
	case inData, inTree:
	default:
		return
	}
	switch {
	case name == "Name":
		if text, ok := constant(parts); ok {
			e.key = e.place.prefix + text
			return
		}
		e.named = append([]part{{value: -1, text: e.place.prefix}}, parts...)
	case name == "xmlns" || strings.HasPrefix(name, "xmlns:") || e.place.kind == inData:
	default:
		c.spend(len(e.key))
		c.ops = append(c.ops, op{kind: opItem, name: e.prefixKey() + "." + name, parts: parts, only: single(parts), silent: true})
	}
}

// content reads what lies between the tags of an element, and gives its text.
func (c *compiler) content(e *element, inside place) []part {
	var parts []part
	for {
		parts = append(parts, c.text()...)
		switch c.peek() {
		case tokenOpen:
			e.kids = true
			c.element(inside)
		case tokenPITarget, tokenPIData:
			c.instruction()
		case tokenCloseElement:
			c.u8()
			return parts
		default:
			c.fail(BadXML)
			return parts
		}
	}
}

// text reads as much text as follows.
func (c *compiler) text() []part {
	var parts []part
	for {
		switch c.peek() {
		case tokenValue:
			c.u8()
			if valueType(c.u8()) != typeString {
				c.fail(BadXML)
			}
			parts = addText(parts, string(appendUTF16(nil, c.counted())))
		case tokenCDATA:
			c.u8()
			parts = addText(parts, string(appendUTF16(nil, c.counted())))
		case tokenCharRef:
			c.u8()
			parts = addText(parts, string(rune(c.u16())))
		case tokenEntityRef:
			c.u8()
			parts = addText(parts, entity(c.nameHere()))
		case tokenNormal, tokenOptional:
			c.u8()
			parts = append(parts, part{value: int(c.u16())})
			c.u8() // the type it should have; what it has stands with the value
		default:
			return parts
		}
	}
}

func addText(parts []part, text string) []part {
	if n := len(parts); n > 0 && parts[n-1].value < 0 {
		parts[n-1].text += text
		return parts
	}
	return append(parts, part{value: -1, text: text})
}

func entity(name string) string {
	switch name {
	case "amp":
		return "&"
	case "lt":
		return "<"
	case "gt":
		return ">"
	case "quot":
		return `"`
	case "apos":
		return "'"
	}
	return "&" + name + ";"
}

// finish leaves what is to be done with an element's own text.
func (c *compiler) finish(e *element, parts []part, inside place) {
	o := op{kind: opItem, parts: parts, only: single(parts), inside: inside}
	if text, ok := constant(parts); e.kids && ok && strings.TrimSpace(text) == "" {
		o.parts = nil
	}
	if f := elementField(e.place, e.name); f != noField {
		o.kind, o.field = opSet, f
		c.ops = append(c.ops, o)
		return
	}
	o.name, o.named, o.silent = e.key, e.named, e.kids
	switch e.place.kind {
	case inData:
		o.counted = true
	case inTree:
	case inRoot, inEvent, inUserData:
		// A frame for data. It holds values only where they are binary XML, or
		// where a template puts a text straight into it.
		o.silent = true
		if len(o.parts) == 0 {
			return
		}
	default:
		return
	}
	c.ops = append(c.ops, o)
}

// single gives the value that parts consist of, -1 if they are anything else.
func single(parts []part) int {
	if len(parts) == 1 {
		return parts[0].value
	}
	return -1
}

// constant gives the text of parts that hold no value.
func constant(parts []part) (string, bool) {
	switch {
	case len(parts) == 0:
		return "", true
	case len(parts) == 1 && parts[0].value < 0:
		return parts[0].text, true
	}
	return "", false
}
