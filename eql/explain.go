package eql

// Explainers: a condition made ready to be traced. What a trace says of the condition
// itself is the same for all events, so it is written once, when the first is asked
// for.

import (
	"slices"

	"github.com/shrike-project/shrike/event"
)

// explainer traces a part of a condition. It does not change and is safe for use by
// many goroutines.
type explainer struct {
	part *Part
	// parts are those of a conjunction, disjunction or negation.
	parts []*explainer
	// leaf is the test of a leaf, nil for other parts; fields are the names of those
	// it reads, and elements those of its list.
	leaf     *Leaf
	fields   []string
	elements []element
	// size is how much memory the traces of the part and all below it take.
	size traceSize
}

// element is one of a list of patterns or values.
type element struct {
	text    string
	matches evaluator
}

// explainers are those of a whole condition.
type explainers struct {
	query, category, root *explainer
}

func (c *Condition) newExplainers() *explainers {
	b := explainerBuilder{fields: c.fields, labels: c.labels}
	x := &explainers{root: b.node(c.root)}
	parts := []*explainer{x.root}
	if c.category != event.NoField {
		test := c.fields.Name(c.category) + " is " + quote(c.query.Category)
		x.category = newExplainer(&Part{Kind: "category", Expr: test, Short: test}, []string{c.fields.Name(c.category)})
		parts = append(parts, x.category)
	}
	x.query = newExplainer(&Part{Kind: "query", Expr: c.query.String(), Short: "event"}, nil, parts...)
	return x
}

func newExplainer(part *Part, fields []string, parts ...*explainer) *explainer {
	part.fixed = string(part.appendFixed(nil))
	x := &explainer{part: part, fields: fields, parts: parts, size: traceSize{nodes: 1, links: len(parts), fields: len(fields)}}
	for _, p := range parts {
		x.size.add(p.size)
	}
	return x
}

// explainerBuilder makes the explainers of the parts of a condition.
type explainerBuilder struct {
	fields *event.FieldSet
	labels map[Expr]string
}

func (b *explainerBuilder) node(n Node) *explainer {
	switch n := n.(type) {
	case *AllOf:
		return b.list("and", n.expr, n.List)
	case *AnyOf:
		return b.list("or", n.expr, n.List)
	case *Complement:
		return b.complement(n)
	case *Leaf:
		return b.test(n)
	}
	panic("eql: a part of a condition of an unknown kind was explained")
}

func (b *explainerBuilder) list(kind string, e Expr, list []Node) *explainer {
	parts := make([]*explainer, len(list))
	for i, n := range list {
		parts[i] = b.node(n)
	}
	return newExplainer(&Part{Kind: kind, Label: b.labels[e], Expr: Format(e), Short: kind}, nil, parts...)
}

// complement explains a negation. That of a test is one line, not two.
func (b *explainerBuilder) complement(n *Complement) *explainer {
	of := b.node(n.Of)
	part := &Part{Kind: "not", Label: b.labels[n.expr], Expr: Format(n.expr), Short: abbreviate(n.expr)}
	if of.part.Kind == "test" {
		part.Kind, part.head = "test", "not "+of.part.head
	}
	return newExplainer(part, nil, of)
}

func (b *explainerBuilder) test(l *Leaf) *explainer {
	var fields []string
	for _, f := range l.fields {
		fields = append(fields, b.fields.Name(f))
	}
	x := newExplainer(&Part{Kind: "test", Label: b.labels[l.expr], Expr: Format(l.expr), Short: abbreviate(l.expr), head: listHead(l.expr)}, fields)
	x.leaf, x.elements = l, b.elements(l)
	return x
}

// elements makes each element of a list test a test of its own.
func (b *explainerBuilder) elements(l *Leaf) []element {
	list := listElements(l.expr)
	if len(list) < 2 {
		return nil
	}
	elements := make([]element, len(list))
	for i, elem := range list {
		lc := &leafCompiler{compiler: &compiler{fields: b.fields}, leaf: &Leaf{fields: slices.Clone(l.fields)}}
		elements[i] = element{Format(elem), lc.compile(withElement(l.expr, elem))}
	}
	return elements
}
