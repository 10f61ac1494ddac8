package predicate

import (
	"math"
	"slices"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
)

// cells are what the whole numbers that a field is compared with divide all whole numbers
// into: those below the first, the first, those between it and the second, and so on. For
// all numbers of a cell the same atoms hold.
type cells struct {
	points []int64    // in ascending order
	truths [][]uint64 // by cell: the atoms that hold; nil for cells without numbers
}

// maxCells bounds the points of a field, each counted for each of its atoms.
const maxCells = 1 << 20

// newCells makes the cells of a field; nil if it is compared with anything but whole
// numbers.
func (x *index) newCells(s *eql.Scratch) *cells {
	c := &cells{}
	for _, a := range x.atoms {
		if a.numbers == nil {
			return nil
		}
		c.points = append(c.points, a.numbers...)
	}
	slices.Sort(c.points)
	c.points = slices.Compact(c.points)
	if len(c.points) == 0 || len(c.points)*len(x.atoms) > maxCells {
		return nil
	}
	c.truths = make([][]uint64, 2*len(c.points)+1)
	fill := func(number int64) {
		truth := make([]uint64, x.words)
		for n, a := range x.atoms {
			if a.holds([]event.Value{event.LongValue(number)}, s) {
				set(truth, n)
			}
		}
		c.truths[c.of(number)] = truth
	}
	for _, p := range c.points {
		if p > math.MinInt64 {
			fill(p - 1) // of the cell below, or of the point before
		}
		fill(p)
	}
	if last := c.points[len(c.points)-1]; last < math.MaxInt64 {
		fill(last + 1)
	}
	return c
}

// of gives the cell of a number.
func (c *cells) of(number int64) int {
	at, exact := slices.BinarySearch(c.points, number)
	if exact {
		return 2*at + 1
	}
	return 2 * at
}

// wholeNumber reads a number as documents mostly write whole ones; others it refuses.
func wholeNumber(raw []byte) (number int64, ok bool) {
	if len(raw) > 18 || raw[0] == '0' && len(raw) > 1 {
		return 0, false
	}
	for _, c := range raw {
		if c < '0' || c > '9' {
			return 0, false
		}
		number = 10*number + int64(c-'0')
	}
	return number, true
}

// classesOf gives the classes of cells; nil if they are too many to be remembered.
func (m *memory) classesOf(c *cells) []class {
	list := make([]class, len(c.truths))
	for i, truth := range c.truths {
		if truth == nil {
			continue
		}
		if list[i] = m.intern(truth); list[i] == fleeting {
			return nil
		}
	}
	return list
}
