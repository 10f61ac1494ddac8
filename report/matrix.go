package report

// The part of the ATT&CK matrix that alerts touch.

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/shrike-project/shrike/rule"
)

// tactics are those of ATT&CK for enterprises, in the matrix' order.
var tactics = [...]string{
	"TA0043", "TA0042", "TA0001", "TA0002", "TA0003", "TA0004", "TA0005", "TA0006", "TA0007", "TA0008", "TA0009", "TA0011", "TA0010", "TA0040",
}

// cell is a technique or sub-technique below a tactic.
type cell struct {
	TacticID, Tactic string
	ID, Name         string
	Count            int64
	Rules            map[string]bool
}

// matrix counts alerts by tactic and technique.
type matrix map[[2]string]*cell

func (m matrix) add(r *rule.Rule) {
	seen := map[[2]string]bool{}
	one := func(tactic, technique rule.Reference) {
		key := [2]string{tactic.ID, technique.ID}
		if technique.ID == "" || seen[key] {
			return
		}
		seen[key] = true
		c := m[key]
		if c == nil {
			c = &cell{TacticID: clean(tactic.ID), Tactic: clean(tactic.Name), ID: clean(technique.ID), Name: clean(technique.Name), Rules: map[string]bool{}}
			m[key] = c
		}
		c.Count++
		c.Rules[r.Name] = true
	}
	for _, t := range r.Threat {
		for _, tech := range t.Techniques {
			one(t.Tactic, tech.Reference)
			for _, sub := range tech.Subtechniques {
				one(t.Tactic, sub)
			}
		}
	}
}

// cells gives all cells, by tactic in the matrix' order, then by id.
func (m matrix) cells() []*cell {
	place := func(c *cell) int {
		if i := slices.Index(tactics[:], c.TacticID); i >= 0 {
			return i
		}
		return len(tactics)
	}
	return slices.SortedFunc(maps.Values(m), func(a, b *cell) int {
		return cmp.Or(cmp.Compare(place(a), place(b)), cmp.Compare(a.TacticID, b.TacticID), cmp.Compare(a.ID, b.ID))
	})
}

// sub reports whether the cell is a sub-technique.
func (c *cell) sub() bool { return strings.Contains(c.ID, ".") }

// ruleNames gives the rules that fired, by name.
func (c *cell) ruleNames() []string { return slices.Sorted(maps.Keys(c.Rules)) }

// column is a tactic with its techniques.
type column struct {
	ID, Name string
	Cells    []*cell
}

func (m matrix) columns() []column {
	var list []column
	for _, c := range m.cells() {
		if n := len(list); n == 0 || list[n-1].ID != c.TacticID {
			list = append(list, column{ID: c.TacticID, Name: c.Tactic})
		}
		last := &list[len(list)-1]
		last.Cells = append(last.Cells, c)
	}
	return list
}
