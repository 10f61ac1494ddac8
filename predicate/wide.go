package predicate

import "github.com/shrike-project/shrike/event"

// Texts beyond ASCII. What matches them is more than the index knows: there are
// characters whose like in other case are ASCII, and "?" stands for more than a byte.
// But an alternative is made of ASCII, so that its literal stands in the text all the
// same, folded as far as that matters here. Only the tests whose literal was found are
// asked, as the plain evaluator does.

// noASCII stands for characters that no literal has.
const noASCII = 0xFF

// foldWide appends a text with ASCII in lower case, with ASCII in the place of what
// differs from it in case only, and something else for all other characters.
func foldWide(dst []byte, text string) []byte {
	for _, r := range text {
		switch {
		case r < 0x80:
			dst = append(dst, fold(byte(r)))
		case r == 'ſ':
			dst = append(dst, 's')
		case r == '\u212A': // the Kelvin sign
			dst = append(dst, 'k')
		case r == 'İ': // functions lower its case
			dst = append(dst, 'i')
		default:
			dst = append(dst, noASCII)
		}
	}
	return dst
}

// wide fills truth with the atoms that hold for texts of which some are beyond ASCII.
func (c *classifier) wide(x *index, values []event.Value, truth []uint64) {
	c.asked = append(c.asked[:0], make([]uint64, x.words)...)
	ask := func(n int) {
		if !has(c.asked, n) {
			set(c.asked, n)
			if x.atoms[n].holds(values, &c.scratch) {
				set(truth, n)
			}
		}
	}
	for _, n := range x.rest {
		ask(n)
	}
	for _, o := range x.others {
		ask(o.atom)
	}
	for _, v := range values {
		c.folded = foldWide(c.folded[:0], v.Str())
		for _, e := range x.exacts(view(c.folded)) {
			ask(e.atom)
		}
		if x.finder != nil {
			x.finder.scan(c.folded, func(lit int32) {
				for i := range x.literals[lit] {
					ask(x.literals[lit][i].atom)
				}
			})
		}
	}
}
