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
	states := 1
	for _, lit := range literals {
		states += len(lit)
	}
	a.next, a.ends = make([]int32, 0, states*a.width), make([][]int32, 0, states)
	a.addState()
	for n, lit := range literals {
		state := int32(0)
		for i := range len(lit) {
			at := int(state)*a.width + int(a.classes[lit[i]])
			if a.next[at] == 0 {
				to := a.addState() // which moves next
				a.next[at] = to
			}
			state = a.next[at]
		}
		a.ends[state] = append(a.ends[state], int32(n))
	}
	a.next, a.ends = slices.Clip(slices.Clone(a.next)), slices.Clip(slices.Clone(a.ends))
	a.link()
	return a
}

func (a *automaton) addState() int32 {
	a.next = a.next[:len(a.next)+a.width]
	a.ends = append(a.ends, nil)
	return int32(len(a.ends) - 1)
}

// link adds, breadth first, where to go on after a misfit: to the state of the
// longest suffix that begins a literal.
func (a *automaton) link() {
	suffix := make([]int32, len(a.ends))
	var queue []int32
	for c := range a.width {
		if s := a.next[c]; s != 0 {
			queue = append(queue, s)
		}
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		a.ends[s] = append(a.ends[s], a.ends[suffix[s]]...)
		for c := range a.width {
			at := int(s)*a.width + c
			back := a.next[int(suffix[s])*a.width+c]
			if to := a.next[at]; to != 0 {
				suffix[to] = back
				queue = append(queue, to)
			} else {
				a.next[at] = back
			}
		}
	}
	for i, s := range a.next {
		if len(a.ends[s]) > 0 {
			a.next[i] = ^s
		}
	}
	if len(a.ends) > math.MaxInt16 {
		return
	}
	a.short = make([]int16, len(a.next))
	for i, s := range a.next {
		a.short[i] = int16(s)
	}
	a.next = nil
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
