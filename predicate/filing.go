package predicate

import (
	"slices"
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/eql"
)

// Witness is the sort of text or value by which a Network finds out, without looking
// at a condition in full, that an event cannot fulfil it. The lesser the cheaper.
type Witness int

// The sorts of witnesses.
const (
	Never   Witness = iota // the condition holds for no event
	Exact                  // a value that is compared as a whole
	Edge                   // what a text begins or ends with, three characters or more
	Literal                // a part of a text, three characters or more
	Always                 // none: all events of the division are looked at
)

// String names a sort of witness.
func (w Witness) String() string {
	return [...]string{"never", "exact", "edge", "literal", "always"}[w]
}

// Filing tells under which witness a Network has filed a condition.
type Filing struct {
	// Division tells the events that are of interest at all, by the values of the
	// dividing fields, such as category and operating system: "process", "start|fork".
	Division []string
	Witness  Witness
	// Fields hold the witness: one, or two of which either may.
	Fields []string
	// Texts are the witnesses, one of which must be there.
	Texts []string
	// Dear tells that the condition has tests that take long: regular expressions,
	// functions, comparisons of several fields.
	Dear bool
}

// Filing tells how condition c is filed.
func (n *Network) Filing(c int) Filing {
	root := n.conditions[c]
	f := Filing{Witness: Always, Dear: root.mixed()}
	if root.kind == never {
		return Filing{Witness: Never}
	}
	for _, need := range root.needs() {
		if need.fields.single() && slices.Contains(n.dividing, need.fields[0]) {
			if w, texts := n.witness(need.test); w == Exact {
				f.Division = append(f.Division, strings.Join(texts, "|"))
			}
			continue
		}
		w, texts := n.witness(need.test)
		if w < f.Witness || w == f.Witness && w < Always && len(texts) < len(f.Texts) {
			f.Witness, f.Texts, f.Fields = w, unique(texts), n.needNames(need)
		}
	}
	return f
}

// unique gives the texts of a list, each once, in its order.
func unique(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

func (n *Network) needNames(need need) []string {
	names := []string{n.fieldName(need.fields[0])}
	if !need.fields.single() {
		names = append(names, n.fieldName(need.fields[1]))
	}
	return names
}

func (n *Network) fieldName(index int) string { return n.set.Name(n.indexes[index].field) }

// witness gives the cheapest witness that a test has.
func (n *Network) witness(test *node) (Witness, []string) {
	worst, texts := Always, []string(nil)
	switch test.kind {
	case never:
		return Never, nil
	case atomic:
		return n.indexes[test.index].atoms[test.atom].witness()
	case any:
		worst = Never
		for _, e := range test.list {
			w, more := n.witness(e)
			worst, texts = max(worst, w), append(texts, more...)
		}
	case all:
		for _, e := range test.list {
			if w, found := n.witness(e); w < worst || w == worst && len(found) < len(texts) {
				worst, texts = w, found
			}
		}
	}
	if worst == Always {
		return Always, nil
	}
	return worst, texts
}

// witness gives the sort of texts of which one is in every value an atom holds for.
func (a *atom) witness() (Witness, []string) {
	if a.alternatives == nil && (!a.equal || a.holds(nil, &eql.Scratch{})) {
		return Always, nil
	}
	if a.equal {
		var texts []string
		for _, number := range a.numbers {
			texts = append(texts, strconv.FormatInt(number, 10))
		}
		return Exact, texts
	}
	worst, texts := Never, []string(nil)
	for i := range a.alternatives {
		w, text := a.alternatives[i].filed()
		worst, texts = max(worst, w), append(texts, text)
	}
	if worst == Always {
		return Always, nil
	}
	return worst, texts
}

// filed gives the sort of an alternative's witness, and its text.
func (a *alternative) filed() (Witness, string) {
	if a.exact() {
		return Exact, a.parts[0]
	}
	last := len(a.parts) - 1
	for _, i := range [2]int{0, last} {
		if len(a.parts) > 1 && len(a.parts[i]) >= leastLiteral && !a.anyIn(i) {
			return Edge, []string{a.parts[i] + "*", "*" + a.parts[i]}[min(i, 1)]
		}
	}
	if lit := a.literal(); len(lit) >= leastLiteral {
		return Literal, lit
	}
	return Always, ""
}
