package alert

// Fitting: what of an event an alert takes over. What the mapping of alerts could not
// hold is dropped: an object where a value is due, a value where an object is due, and
// values their type cannot read.

import (
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/event"
)

// fitter fits documents to the types of fields. It remembers what it learned of the
// fields it saw; it belongs to one goroutine.
type fitter struct {
	types *event.Types
	root  *shape
	known int // how many shapes are remembered
}

// maxShapes is how many fields a fitter remembers, and maxShapePath how long their
// names may be. Others take longer.
const (
	maxShapes    = 10_000
	maxShapePath = 200
)

// shape is what a fitter knows of the fields of one path.
type shape struct {
	name, path string
	original   string // the member of an alert that keeps what the event had
	typ        event.Type
	typed      bool
	parent     bool // an object is due
	members    map[string]*shape
	order      []*shape // the members that objects had last, by their place
}

func newFitter(types *event.Types) fitter {
	return fitter{types: types, root: &shape{}}
}

// member gives the shape of member i of an object. Objects of one kind mostly have
// the same members, so that one look tells.
func (f *fitter) member(of *shape, i int, name string) *shape {
	if i < len(of.order) && of.order[i].name == name {
		return of.order[i]
	}
	sh := of.members[name]
	if sh == nil {
		if sh = f.shape(of, name); f.known >= maxShapes || len(sh.path) > maxShapePath {
			return sh
		}
		if of.members == nil {
			of.members = map[string]*shape{}
		}
		of.members[sh.name] = sh
		f.known++
	}
	if i < len(of.order) {
		of.order[i] = sh
	} else if i == len(of.order) {
		of.order = append(of.order, sh)
	}
	return sh
}

func (f *fitter) shape(of *shape, name string) *shape {
	name = strings.Clone(name)
	path := name
	if of != f.root {
		path = of.path + "." + name
	}
	sh := &shape{name: name, path: path, original: "kibana.alert.original_" + path}
	sh.typ, sh.typed = f.types.Lookup(path)
	sh.parent = !sh.typed && f.types.IsParent(path)
	return sh
}

// fit gives a value without what does not fit; nil if nothing is left. The members of
// a list are judged one by one.
func (f *fitter) fit(sh *shape, n *event.Node) *event.Node {
	switch n.Kind() {
	case event.NullNode:
		return n
	case event.ObjectNode:
		if sh.typed && !sh.typ.Unsupported() && sh.typ != event.Flattened {
			return nil
		}
		return f.each(n, func(i int, m *event.Node) *event.Node { return f.fit(f.member(sh, i, m.Name()), m) })
	case event.ListNode:
		out := f.each(n, func(_ int, e *event.Node) *event.Node { return f.fit(sh, e) })
		if len(out.List()) == 0 && len(n.List()) > 0 {
			return nil
		}
		return out
	}
	if sh.parent || sh.typed && !readable(sh.typ, n) {
		return nil
	}
	return n
}

// each fits the elements of a list or the members of an object. Where all fit as they
// are, nothing is copied.
func (f *fitter) each(n *event.Node, fit func(int, *event.Node) *event.Node) *event.Node {
	list := n.List()
	var out []event.Node
	for i := range list {
		fitting := fit(i, &list[i])
		if out == nil {
			if fitting == &list[i] {
				continue
			}
			out = append(make([]event.Node, 0, len(list)), list[:i]...)
		}
		if fitting != nil {
			out = append(out, *fitting)
		}
	}
	if out == nil && list != nil {
		return n
	}
	changed := n.With(out) // also where list is null in JSON: an empty one
	return &changed
}

// readable reports whether a type of Elasticsearch can hold a scalar.
func readable(typ event.Type, n *event.Node) bool {
	switch typ {
	case event.Boolean:
		text := n.Text()
		return text == "true" || text == "false"
	case event.LongType, event.DoubleType:
		text := n.Text()
		if n.Kind() == event.NumberNode && len(text) < 20 && !strings.ContainsAny(text, "eE") {
			return true // too short to be out of range
		}
		_, err := strconv.ParseFloat(text, 64)
		return err == nil && n.Kind() != event.BoolNode
	case event.DateType, event.DateNanos:
		_, ok := event.ParseTime(n.Text())
		return ok
	case event.IPType:
		return event.IsIP(n.Text())
	}
	return !typ.Unsupported()
}
