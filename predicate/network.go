package predicate

import (
	"sync"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
)

// Network holds many conditions. It does not change and is safe for use by many
// goroutines; each needs a Matcher of its own.
type Network struct {
	set        *event.FieldSet
	conditions []*node
	nodes      *nodes          // all there are in the conditions
	indexes    []*index        // of the fields that conditions test
	leaves     []*eql.Leaf     // tests of several fields
	dividing   []int           // indexes of the fields by which conditions are divided
	needs      func() [][]need // of each condition, found out when somebody asks
}

// need is what must hold of one field, or of two, for a condition to hold.
type need struct {
	fields fields
	test   *node
}

// fields are the indexes of one field or of two; the second is -1 if there is none.
type fields [2]int

func (f fields) have(index int) bool { return index == f[0] || index == f[1] }

func (f fields) single() bool { return f[1] < 0 }

// builder makes a Network.
type builder struct {
	n       *Network
	byField map[event.Field]int
	leaves  map[string]int
}

// Compile makes a Network of conditions that were compiled with one FieldSet.
// Condition i is the i-th of the list.
func Compile(conditions []*eql.Condition, set *event.FieldSet) *Network {
	b := &builder{n: &Network{set: set, nodes: &nodes{}}, byField: map[event.Field]int{}, leaves: map[string]int{}}
	for _, c := range conditions {
		b.n.conditions = append(b.n.conditions, b.condition(c))
	}
	for _, x := range b.n.indexes {
		x.finish()
	}
	b.divide()
	b.n.needs = sync.OnceValue(b.n.allNeeds)
	return b.n
}

// Len tells how many conditions there are.
func (n *Network) Len() int { return len(n.conditions) }

func (b *builder) condition(c *eql.Condition) *node {
	root := b.node(c.Root())
	if f := c.CategoryField(); f != event.NoField {
		x := b.index(f)
		category := &node{kind: atomic, index: x, atom: b.n.indexes[x].add(categoryAtom(c.Query().Category))}
		root = join(all, []*node{category, root})
	}
	return b.n.nodes.tree(root)
}

// needs gives what a condition needs: of each field, and of two fields where neither
// says it alone, as in name == "a" or original_name == "a".
func (n *node) needs() (list []need) {
	var open []int // fields that say nothing alone
	for _, x := range n.indexes(nil) {
		f := fields{x, -1}
		if test := implied(n, f.have); test.kind != always {
			list = append(list, need{f, test})
		} else if len(open) < maxOpen {
			open = append(open, x)
		}
	}
	for i, x := range open {
		for _, y := range open[:i] {
			f := fields{min(x, y), max(x, y)}
			if test := implied(n, f.have); test.kind != always {
				list = append(list, need{f, test})
			}
		}
	}
	return list
}

// allNeeds gives what each condition needs.
func (n *Network) allNeeds() [][]need {
	list := make([][]need, len(n.conditions))
	for i, c := range n.conditions {
		list[i] = c.needs()
	}
	return list
}

// maxOpen bounds the fields of which pairs are looked at.
const maxOpen = 12

// index gives the number of a field's index.
func (b *builder) index(f event.Field) int {
	x, ok := b.byField[f]
	if !ok {
		x = len(b.n.indexes)
		b.byField[f] = x
		b.n.indexes = append(b.n.indexes, newIndex(f))
	}
	return x
}

// dividers are the fields that tell apart most what conditions are about, and that
// have few values.
var dividers = []string{eql.DefaultCategoryField, "host.os.type", "event.type", "event.action"}

func (b *builder) divide() {
	for _, name := range dividers {
		if f, ok := b.n.set.Lookup(name); ok {
			if x, ok := b.byField[f]; ok {
				b.n.dividing = append(b.n.dividing, x)
			}
		}
	}
}
