package eql

// The automaton for expressions with complement or intersection. States are
// expressions: the state after a character is the derivative of the state
// before, the expression for what may still follow (Brzozowski 1964; Owens,
// Reppy and Turon 2009). Expressions are normalised and numbered, so that equal
// states are found again, and their number is bounded.

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"sync"
	"unicode"
)

// maxRegexStates is Lucene's default limit of determinised states.
const maxRegexStates = 10000

var errRegexTooComplex = errors.New("the regular expression is too complex: fewer repetitions, or a narrower pattern, would do")

// dfa is a deterministic automaton over classes of code points that no part of
// the pattern tells apart.
type dfa struct {
	bounds []rune // class i begins at bounds[i]
	next   []int32
	accept []bool
}

func (d *dfa) match(s string) bool {
	state := int32(0)
	for _, r := range s {
		state = d.next[int(state)*len(d.bounds)+d.class(r)]
	}
	return d.accept[state]
}

func (d *dfa) class(r rune) int {
	return sort.Search(len(d.bounds), func(i int) bool { return d.bounds[i] > r }) - 1
}

// term is an interned expression over classes; its index in builder.terms is its
// identity.
type term struct {
	kind     reKind
	classes  []uint64 // reChars: a bit set of classes
	parts    []int
	min, max int
	nullable bool
}

type dfaBuilder struct {
	dfa   dfa
	fold  bool
	terms []term
	index map[string]int
	memo  map[[2]int]int // derivative of a term by a class
	work  int
}

func buildDFA(n *reNode, fold bool) (*dfa, error) {
	b := &dfaBuilder{fold: fold, index: map[string]int{}, memo: map[[2]int]int{}}
	bounds := map[rune]bool{0: true}
	collectBounds(n, fold, bounds)
	for r := range bounds {
		if r <= unicode.MaxRune {
			b.dfa.bounds = append(b.dfa.bounds, r)
		}
	}
	slices.Sort(b.dfa.bounds)
	start, err := b.intern(n)
	if err != nil {
		return nil, err
	}
	if err := b.explore(start); err != nil {
		return nil, err
	}
	return &b.dfa, nil
}

func collectBounds(n *reNode, fold bool, bounds map[rune]bool) {
	if n.kind == reChars {
		for _, r := range n.chars(fold) {
			bounds[r.lo], bounds[r.hi+1] = true, true
		}
	}
	for _, p := range n.parts {
		collectBounds(p, fold, bounds)
	}
}

// caseOrbits lists every code point that has a fellow in another case.
var caseOrbits = sync.OnceValue(func() []rune {
	var list []rune
	for r := rune(0); r < 0x20000; r++ {
		if unicode.SimpleFold(r) != r {
			list = append(list, r)
		}
	}
	return list
})

// folded adds to a set the characters that differ from its own only in case.
func folded(set runeSet, fold bool) runeSet {
	if !fold {
		return set
	}
	out := set
	for _, r := range caseOrbits() {
		if !set.contains(r) {
			continue
		}
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			out = out.union(single(f))
		}
	}
	return out
}

// chars gives the characters of a reChars node. What is negated is folded first.
func (n *reNode) chars(fold bool) runeSet {
	set := folded(n.set, fold)
	if n.negated {
		return set.negate()
	}
	return set
}

// explore derives every state from the start until none is new.
func (b *dfaBuilder) explore(start int) error {
	states := map[int]int32{start: 0}
	queue := []int{start}
	for i := 0; i < len(queue); i++ {
		b.dfa.accept = append(b.dfa.accept, b.terms[queue[i]].nullable)
		for c := range b.dfa.bounds {
			t, err := b.derive(queue[i], c)
			if err != nil {
				return err
			}
			s, ok := states[t]
			if !ok {
				if len(queue) == maxRegexStates {
					return errRegexTooComplex
				}
				s = int32(len(queue))
				states[t] = s
				queue = append(queue, t)
			}
			b.dfa.next = append(b.dfa.next, s)
		}
	}
	return nil
}

// intern turns an expression into a term.
func (b *dfaBuilder) intern(n *reNode) (int, error) {
	parts := make([]int, len(n.parts))
	for i, p := range n.parts {
		var err error
		if parts[i], err = b.intern(p); err != nil {
			return 0, err
		}
	}
	switch n.kind {
	case reChars:
		return b.chars(n.chars(b.fold))
	case reAnyString:
		return b.anyString()
	case reConcat:
		return b.concat(parts)
	case reUnion, reIntersect:
		return b.combine(n.kind, parts)
	case reComplement:
		return b.complement(parts[0])
	case reRepeat:
		return b.repeat(parts[0], n.min, n.max)
	}
	return b.add(term{kind: n.kind, nullable: n.kind == reEmpty})
}

// maxRegexWork bounds the work of building an automaton, counted in parts of
// terms.
const maxRegexWork = 2_000_000

func (b *dfaBuilder) add(t term) (int, error) {
	if b.work += 1 + len(t.parts) + len(t.classes); b.work > maxRegexWork {
		return 0, errRegexTooComplex
	}
	key := fmt.Sprint(t.kind, t.classes, t.parts, t.min, t.max)
	if i, ok := b.index[key]; ok {
		return i, nil
	}
	b.terms = append(b.terms, t)
	b.index[key] = len(b.terms) - 1
	return len(b.terms) - 1, nil
}

func (b *dfaBuilder) empty() (int, error)   { return b.add(term{kind: reEmpty, nullable: true}) }
func (b *dfaBuilder) nothing() (int, error) { return b.add(term{kind: reNothing}) }
func (b *dfaBuilder) anyString() (int, error) {
	return b.add(term{kind: reAnyString, nullable: true})
}

func (b *dfaBuilder) chars(set runeSet) (int, error) {
	if len(set) == 0 {
		return b.nothing()
	}
	t := term{kind: reChars, classes: make([]uint64, (len(b.dfa.bounds)+63)/64)}
	for i, r := range b.dfa.bounds {
		if set.contains(r) {
			t.classes[i/64] |= 1 << (i % 64)
		}
	}
	return b.add(t)
}

// concat joins parts. A concatenation has two parts, the first of which is none
// itself, so that its derivative costs the same however long it is.
func (b *dfaBuilder) concat(parts []int) (int, error) {
	rest, err := b.empty()
	for i := len(parts) - 1; i >= 0 && err == nil; i-- {
		rest, err = b.join(parts[i], rest)
	}
	return rest, err
}

func (b *dfaBuilder) join(first, rest int) (int, error) {
	switch t := b.terms[first]; {
	case t.kind == reNothing || b.terms[rest].kind == reEmpty:
		return first, nil
	case t.kind == reEmpty || b.terms[rest].kind == reNothing:
		return rest, nil
	case t.kind == reConcat:
		inner, err := b.join(t.parts[1], rest)
		if err != nil {
			return 0, err
		}
		return b.join(t.parts[0], inner)
	}
	return b.add(term{kind: reConcat, parts: []int{first, rest}, nullable: b.terms[first].nullable && b.terms[rest].nullable})
}

// combine makes a union or an intersection: flat, sorted, without repeats and
// without parts that decide or change nothing.
func (b *dfaBuilder) combine(kind reKind, parts []int) (int, error) {
	zero, one := reAnyString, reNothing // what decides a union, what changes nothing
	if kind == reIntersect {
		zero, one = reNothing, reAnyString
	}
	var flat []int
	for _, p := range parts {
		switch b.terms[p].kind {
		case zero:
			return p, nil
		case one:
		case kind:
			flat = append(flat, b.terms[p].parts...)
		default:
			flat = append(flat, p)
		}
	}
	slices.Sort(flat)
	flat = slices.Compact(flat)
	switch {
	case len(flat) == 0 && kind == reUnion:
		return b.nothing()
	case len(flat) == 0:
		return b.anyString()
	case len(flat) == 1:
		return flat[0], nil
	}
	nullable := kind == reIntersect
	for _, p := range flat {
		if b.terms[p].nullable != (kind == reIntersect) {
			nullable = !nullable
			break
		}
	}
	return b.add(term{kind: kind, parts: flat, nullable: nullable})
}

func (b *dfaBuilder) complement(p int) (int, error) {
	switch t := b.terms[p]; t.kind {
	case reComplement:
		return t.parts[0], nil
	case reNothing:
		return b.anyString()
	case reAnyString:
		return b.nothing()
	}
	return b.add(term{kind: reComplement, parts: []int{p}, nullable: !b.terms[p].nullable})
}

func (b *dfaBuilder) repeat(p, least, most int) (int, error) {
	switch t := b.terms[p]; {
	case most == 0 || t.kind == reEmpty:
		return b.empty()
	case least == 1 && most == 1:
		return p, nil
	case t.kind == reNothing && least == 0:
		return b.empty()
	case t.kind == reNothing:
		return p, nil
	}
	if b.terms[p].nullable {
		least = 0
	}
	return b.add(term{kind: reRepeat, parts: []int{p}, min: least, max: most, nullable: least == 0})
}

// derive gives the expression for what may follow a character of class c.
func (b *dfaBuilder) derive(p, c int) (int, error) {
	key := [2]int{p, c}
	if d, ok := b.memo[key]; ok {
		return d, nil
	}
	d, err := b.derivative(p, c)
	if err == nil {
		b.memo[key] = d
		if len(b.memo) > maxRegexWork {
			err = errRegexTooComplex
		}
	}
	return d, err
}

func (b *dfaBuilder) derivative(p, c int) (int, error) {
	switch t := b.terms[p]; t.kind {
	case reChars:
		if t.classes[c/64]&(1<<(c%64)) != 0 {
			return b.empty()
		}
		return b.nothing()
	case reAnyString:
		return p, nil
	case reConcat:
		return b.deriveConcat(t, c)
	case reUnion, reIntersect:
		parts := make([]int, len(t.parts))
		for i, q := range t.parts {
			var err error
			if parts[i], err = b.derive(q, c); err != nil {
				return 0, err
			}
		}
		return b.combine(t.kind, parts)
	case reComplement:
		d, err := b.derive(t.parts[0], c)
		if err != nil {
			return 0, err
		}
		return b.complement(d)
	case reRepeat:
		return b.deriveRepeat(t, c)
	}
	return b.nothing()
}

func (b *dfaBuilder) deriveConcat(t term, c int) (int, error) {
	first, err := b.derive(t.parts[0], c)
	if err != nil {
		return 0, err
	}
	rest := t.parts[1]
	d, err := b.join(first, rest)
	if err != nil || !b.terms[t.parts[0]].nullable {
		return d, err
	}
	skip, err := b.derive(rest, c)
	if err != nil {
		return 0, err
	}
	return b.combine(reUnion, []int{d, skip})
}

func (b *dfaBuilder) deriveRepeat(t term, c int) (int, error) {
	first, err := b.derive(t.parts[0], c)
	if err != nil {
		return 0, err
	}
	most := t.max
	if most > 0 {
		most--
	}
	rest, err := b.repeat(t.parts[0], max(0, t.min-1), most)
	if err != nil {
		return 0, err
	}
	return b.join(first, rest)
}
