package alert

// The body of an alert document: what comes from the event, or of a sequence from
// all of its events.

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/event"
)

// body is what a document takes from its events.
type body struct {
	// fields are those of the event.
	fields event.Node
	// originals are the event's fields below event and data_stream under the names
	// that keep them, in their order.
	originals []event.Node
}

// body gives what an alert takes over from an event.
func (b *Builder) body(s *source) body {
	f := &b.fitter
	members := s.root.List()
	list := b.reader.Room(len(members) + 1)
	originals := b.reader.Room(24)
	for i := range members {
		m := &members[i]
		top, _, _ := strings.Cut(m.Name(), ".")
		if top == "kibana" || top == "signal" || top == "threshold_result" {
			continue
		}
		sh := f.member(f.root, i, m.Name())
		fitting := f.fit(sh, m)
		if fitting == nil {
			continue
		}
		list = append(list, *fitting)
		if top == "event" || top == "data_stream" {
			originals = f.flatten(originals, sh, fitting)
		}
	}
	return body{event.ObjectOf(b.setKind(list)), inOrder(originals)}
}

// flatten adds the leaves of a value below event or data_stream, by dotted path,
// whether they are nested or written with dots.
func (f *fitter) flatten(out []event.Node, sh *shape, n *event.Node) []event.Node {
	list := n.List()
	switch n.Kind() {
	case event.ObjectNode:
		for i := range list {
			out = f.flatten(out, f.member(sh, i, list[i].Name()), &list[i])
		}
		return out
	case event.ListNode:
		if slices.ContainsFunc(list, func(e event.Node) bool { return e.Kind() == event.ObjectNode }) {
			for i := range list {
				out = f.flatten(out, sh, &list[i])
			}
			return out
		}
	}
	return append(out, n.As(sh.original))
}

// inOrder puts members into the order of their names, and makes one list of those of
// the same name.
func inOrder(members []event.Node) []event.Node {
	inOrder := true
	for i := 1; i < len(members); i++ {
		inOrder = inOrder && members[i-1].Name() < members[i].Name()
	}
	if inOrder {
		return members
	}
	slices.SortStableFunc(members, func(a, b event.Node) int { return cmp.Compare(a.Name(), b.Name()) })
	out := members[:0]
	for _, m := range members {
		if n := len(out); n > 0 && out[n-1].Name() == m.Name() {
			both := event.ListOf(append(slices.Clone(asList(&out[n-1])), asList(&m)...))
			out[n-1] = both.As(m.Name())
			continue
		}
		out = append(out, m)
	}
	return out
}

func asList(n *event.Node) []event.Node {
	if n.Kind() == event.ListNode {
		return n.List()
	}
	return []event.Node{*n}
}

// setKind makes event.kind "signal", wherever the members of a document keep it. It
// changes the list.
func (b *Builder) setKind(list []event.Node) []event.Node {
	list = slices.DeleteFunc(list, func(m event.Node) bool { return m.Name() == "event.kind" })
	at, found := slices.BinarySearchFunc(list, "event", byName)
	if found {
		switch ev := &list[at]; ev.Kind() {
		case event.ObjectNode:
			*ev = b.signalKind(ev)
			return list
		case event.ListNode:
			elements := slices.Clone(ev.List())
			for i := range elements {
				if elements[i].Kind() == event.ObjectNode {
					elements[i] = b.signalKind(&elements[i])
				}
			}
			*ev = ev.With(elements)
			return list
		}
	}
	at, _ = slices.BinarySearchFunc(list, "event.kind", byName)
	return slices.Insert(list, at, event.TextNode("event.kind", "signal"))
}

func byName(m event.Node, name string) int { return cmp.Compare(m.Name(), name) }

func (b *Builder) signalKind(ev *event.Node) event.Node {
	kind := event.TextNode("kind", "signal")
	at, found := slices.BinarySearchFunc(ev.List(), "kind", byName)
	list := append(append(b.reader.Room(len(ev.List())+1), ev.List()[:at]...), kind)
	if found {
		at++
	}
	return ev.With(append(list, ev.List()[at:]...))
}

// intersect keeps what two bodies have in common: fields that are equal in both, and
// of lists the common members.
func (b body) intersect(c body) body {
	return body{event.ObjectOf(intersect(b.fields.List(), c.fields.List())), intersect(b.originals, c.originals)}
}

func intersect(a, b []event.Node) []event.Node {
	var out []event.Node
	for i, k := 0, 0; i < len(a) && k < len(b); {
		switch c := cmp.Compare(a[i].Name(), b[k].Name()); {
		case c < 0:
			i++
		case c > 0:
			k++
		default:
			if common, ok := intersectValues(&a[i], &b[k]); ok {
				out = append(out, common)
			}
			i, k = i+1, k+1
		}
	}
	return out
}

func intersectValues(v, w *event.Node) (event.Node, bool) {
	switch v.Kind() {
	case event.ObjectNode, event.ListNode:
		if w.Kind() != v.Kind() {
			return event.Node{}, false
		}
	default:
		return *v, sameJSON(v, w)
	}
	var common []event.Node
	if v.Kind() == event.ObjectNode {
		common = intersect(v.List(), w.List())
	} else {
		for i := range v.List() {
			if e := &v.List()[i]; containsValue(w.List(), e) && !containsValue(common, e) {
				common = append(common, *e)
			}
		}
	}
	return v.With(common), len(common) > 0
}

// sameJSON compares values of documents; 1 and 1.0 are the same number.
func sameJSON(v, w *event.Node) bool {
	if n, m := v.Text(), w.Text(); v.Kind() == event.NumberNode && w.Kind() == event.NumberNode && n != m {
		x, err1 := strconv.ParseFloat(n, 64)
		y, err2 := strconv.ParseFloat(m, 64)
		return err1 == nil && err2 == nil && x == y && strings.ContainsAny(n+m, ".eE")
	}
	return sameNode(v, w)
}

// sameNode reports whether values are written alike.
func sameNode(v, w *event.Node) bool {
	if v.Kind() != w.Kind() || v.Text() != w.Text() || len(v.List()) != len(w.List()) {
		return false
	}
	for i := range v.List() {
		a, b := &v.List()[i], &w.List()[i]
		if v.Kind() == event.ObjectNode && a.Name() != b.Name() || !sameNode(a, b) {
			return false
		}
	}
	return true
}

func containsValue(list []event.Node, v *event.Node) bool {
	return slices.ContainsFunc(list, func(e event.Node) bool { return sameJSON(&e, v) })
}
