package predicate

import (
	"cmp"
	"slices"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
)

// index answers all tests of one field.
type index struct {
	field  event.Field
	atoms  []*atom
	dear   []*eql.Leaf    // tests that take long
	byText map[string]int // the number of an atom or a dear leaf

	exact    map[string]run // of exactly, by text in lower case
	exactly  []candidate
	literals [][]candidate // by literal of the automaton
	finder   *automaton
	others   []candidate // alternatives without a literal to look for
	rest     []int       // atoms of which nothing is known but what holds says
	cells    *cells      // of a field that is compared with whole numbers only, else nil
	words    int         // of a set of atoms
	missing  []uint64    // the atoms that hold if the field is missing
}

// run is a part of a list.
type run struct{ from, to int32 }

// exacts gives the candidates that a text in lower case may match as a whole.
func (x *index) exacts(folded string) []candidate {
	r := x.exact[folded]
	return x.exactly[r.from:r.to]
}

// candidate is an alternative of an atom.
type candidate struct {
	atom int
	alternative
}

// leastLiteral is the length of literals that are worth looking for.
const leastLiteral = 3

func newIndex(f event.Field) *index {
	return &index{field: f, byText: map[string]int{}}
}

// add puts an atom into the index, if it is not there yet, and gives its number.
func (x *index) add(a *atom) int {
	if n, ok := x.byText[a.text]; ok {
		return n
	}
	n := len(x.atoms)
	x.byText[a.text] = n
	x.atoms = append(x.atoms, a)
	return n
}

// addDear is add for a test that takes long.
func (x *index) addDear(l *eql.Leaf) int {
	text := "dear " + eql.Format(l.Expr())
	n, ok := x.byText[text]
	if !ok {
		n = len(x.dear)
		x.byText[text] = n
		x.dear = append(x.dear, l)
	}
	return n
}

// finish files the atoms. No more can be added.
func (x *index) finish() {
	x.byText = nil
	x.words = (len(x.atoms) + 63) / 64
	x.missing = make([]uint64, x.words)
	x.gather()
	var literals []string
	place := map[string]int{}
	var s eql.Scratch
	for n, a := range x.atoms {
		a.text = "" // all of them together are long

		if a.alternatives == nil { // else a value must match
			if x.rest = append(x.rest, n); a.holds(nil, &s) {
				set(x.missing, n)
			}
		}
		for _, alt := range a.alternatives {
			c := candidate{n, alt}
			lit := alt.literal()
			switch {
			case alt.exact():
				x.exactly = append(x.exactly, c)
			case len(lit) < leastLiteral:
				x.others = append(x.others, c)
			default:
				at, ok := place[lit]
				if !ok {
					at = len(literals)
					place[lit] = at
					literals = append(literals, lit)
					x.literals = append(x.literals, nil)
				}
				x.literals[at] = append(x.literals[at], c)
			}
		}
	}
	x.fileExactly()
	if len(literals) > 0 {
		x.finder = newAutomaton(literals)
	}
	x.cells = x.newCells(&s)
}

// gather puts the parts of all alternatives into one piece of memory. The pieces of what is
// kept are looked at whenever garbage is collected.
func (x *index) gather() {
	n := 0
	for _, a := range x.atoms {
		for i := range a.alternatives {
			n += len(a.alternatives[i].parts)
		}
	}
	parts := make([]string, 0, n)
	for _, a := range x.atoms {
		for i := range a.alternatives {
			alt, from := &a.alternatives[i], len(parts)
			parts = append(parts, alt.parts...)
			alt.parts = parts[from:len(parts):len(parts)]
		}
	}
}

// fileExactly makes runs of the candidates of the same text.
func (x *index) fileExactly() {
	slices.SortStableFunc(x.exactly, func(a, b candidate) int { return cmp.Compare(lower(a.parts[0]), lower(b.parts[0])) })
	x.exactly = slices.Clip(x.exactly)
	x.exact = map[string]run{}
	for i := range x.exactly {
		text := lower(x.exactly[i].parts[0])
		r, ok := x.exact[text]
		if !ok {
			r.from = int32(i)
		}
		r.to = int32(i + 1)
		x.exact[text] = r
	}
}

// classifier classifies values; it belongs to a Matcher.
type classifier struct {
	scratch eql.Scratch
	folded  []byte
	asked   []uint64 // atoms that were asked for texts beyond ASCII
	seen    []uint32 // by literal of the automaton: the turn it was found in
	turn    uint32
}

// classify fills truth with the atoms that hold for the values of the field.
func (c *classifier) classify(x *index, values []event.Value, truth []uint64) {
	if len(values) == 0 {
		copy(truth, x.missing)
		return
	}
	clear(truth)
	ascii := true
	for _, v := range values {
		if v.Kind() != event.String {
			for n, a := range x.atoms {
				if a.holds(values, &c.scratch) {
					set(truth, n)
				}
			}
			return
		}
		ascii = ascii && isASCII(v.Str())
	}
	if !ascii {
		c.wide(x, values, truth)
		return
	}
	for _, v := range values {
		c.text(x, v.Str(), truth)
	}
	for _, n := range x.rest {
		if x.atoms[n].holds(values, &c.scratch) {
			set(truth, n)
		}
	}
}

// text adds the atoms one of whose alternatives matches a text of ASCII.
func (c *classifier) text(x *index, text string, truth []uint64) {
	c.folded = c.folded[:0]
	for i := range len(text) {
		b := text[i]
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		c.folded = append(c.folded, b)
	}
	folded := view(c.folded)
	exacts := x.exacts(folded)
	for i := range exacts {
		if e := &exacts[i]; !e.cased || e.parts[0] == text {
			set(truth, e.atom)
		}
	}
	for i := range x.others {
		if o := &x.others[i]; !has(truth, o.atom) && o.matches(text, folded) {
			set(truth, o.atom)
		}
	}
	if x.finder == nil {
		return
	}
	if len(c.seen) < len(x.literals) {
		c.seen = make([]uint32, len(x.literals))
	}
	if c.turn++; c.turn == 0 {
		clear(c.seen)
		c.turn = 1
	}
	x.finder.scan(c.folded, func(lit int32) {
		if c.seen[lit] == c.turn {
			return
		}
		c.seen[lit] = c.turn
		for i := range x.literals[lit] {
			if l := &x.literals[lit][i]; !has(truth, l.atom) && l.matches(text, folded) {
				set(truth, l.atom)
			}
		}
	})
}
