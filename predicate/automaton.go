package predicate

import (
	"math"
	"slices"
)

// automaton finds many literals in a text in one pass: the automaton of Aho and
// Corasick, with all transitions computed. Literals and texts are ASCII in lower
// case.
type automaton struct {
	classes [256]uint8 // of bytes: those that occur in no literal are alike
	width   int        // number of classes
	next    []int32    // by state and class; negative: literals end in ^next
	short   []int16    // the same where the numbers fit, and next is nil: half the memory
	ends    [][]int32  // by state: the literals that end there
}

func newAutomaton(literals []string) *automaton {
	a := &automaton{width: 1}
	for _, lit := range literals {
		for i := range len(lit) {
			if c := lit[i]; a.classes[c] == 0 {
				a.classes[c] = uint8(a.width)
				a.width++
			}
		}
	}
	a.ends = make([][]int32, countStates(literals))
	if len(a.ends) <= math.MaxInt16 {
		a.short = transitions[int16](a, literals)
	} else {
		a.next = transitions[int32](a, literals)
	}
	return a
}

// countStates gives the number of beginnings that literals have, the empty one included.
func countStates(literals []string) int {
	states, last := 1, ""
	for _, lit := range slices.Sorted(slices.Values(literals)) {
		same := 0
		for same < min(len(lit), len(last)) && lit[same] == last[same] {
			same++
		}
		states, last = states+len(lit)-same, lit
	}
	return states
}

// transitions makes the transitions of an automaton, and fills its ends.
func transitions[number int16 | int32](a *automaton, literals []string) []number {
	next := make([]number, len(a.ends)*a.width)
	last := 0 // the state that was added last
	for n, lit := range literals {
		state := 0
		for i := range len(lit) {
			to := &next[state*a.width+int(a.classes[lit[i]])]
			if *to == 0 {
				last++
				*to = number(last)
			}
			state = int(*to)
		}
		a.ends[state] = append(a.ends[state], int32(n))
	}
	link(a, next)
	for i, s := range next {
		if len(a.ends[s]) > 0 {
			next[i] = ^s
		}
	}
	return next
}

// link adds, breadth first, where to go on after a misfit: to the state of the
// longest suffix that begins a literal.
func link[number int16 | int32](a *automaton, next []number) {
	suffix := make([]number, len(a.ends))
	queue := make([]number, 0, len(a.ends))
	for _, s := range next[:a.width] {
		if s != 0 {
			queue = append(queue, s)
		}
	}
	for at := 0; at < len(queue); at++ {
		s := queue[at]
		back := next[int(suffix[s])*a.width:][:a.width]
		a.ends[s] = append(a.ends[s], a.ends[suffix[s]]...)
		for c, to := range next[int(s)*a.width:][:a.width] {
			if to != 0 {
				suffix[to] = back[c]
				queue = append(queue, to)
			} else {
				next[int(s)*a.width+c] = back[c]
			}
		}
	}
}

// scan calls found for each literal in a text, as often as it occurs.
func (a *automaton) scan(text []byte, found func(literal int32)) {
	if a.short != nil {
		scan(a, a.short, text, found)
	} else {
		scan(a, a.next, text, found)
	}
}

func scan[number int16 | int32](a *automaton, next []number, text []byte, found func(literal int32)) {
	s := 0
	for _, c := range text {
		to := next[s*a.width+int(a.classes[c])]
		if to < 0 {
			to = ^to
			for _, lit := range a.ends[to] {
				found(lit)
			}
		}
		s = int(to)
	}
}
