package eql

// Traces made plainly, anew from the condition for each event: what explainers are
// held to.

import "github.com/shrike-project/shrike/event"

// PlainTrace does what Condition.Trace does.
func PlainTrace(c *Condition, ev *event.Event) *Trace {
	t := &Trace{Part: &Part{Kind: "query", Expr: c.query.String(), Short: "event"}, Result: result(c.categoryMatches(ev))}
	if c.category != event.NoField {
		f := plainFieldTrace(ev, c.category)
		res := t.Result
		if len(f.Values) == 0 {
			res = Unknown
		}
		test := f.Name + " is " + quote(c.query.Category)
		t.Children = append(t.Children, &Trace{Part: &Part{Kind: "category", Expr: test, Short: test}, Result: res, Fields: []FieldTrace{f}})
	}
	root := plainTrace(c.root, ev, c)
	if root.Result != True {
		t.Result = False
	}
	t.Children = append(t.Children, root)
	return t
}

func plainTrace(n Node, ev *event.Event, c *Condition) *Trace {
	var t *Trace
	var list []Node
	switch n := n.(type) {
	case *AllOf:
		t, list = &Trace{Part: &Part{Kind: "and", Label: c.labels[n.expr], Expr: Format(n.expr), Short: "and"}}, n.List
	case *AnyOf:
		t, list = &Trace{Part: &Part{Kind: "or", Label: c.labels[n.expr], Expr: Format(n.expr), Short: "or"}}, n.List
	case *Complement:
		inner := plainTrace(n.Of, ev, c)
		t = &Trace{Part: &Part{Kind: "not", Label: c.labels[n.expr], Expr: Format(n.expr), Short: abbreviate(n.expr)}, Result: result(inner.Result != True)}
		if inner.Kind == "test" {
			t.Kind, t.Fields, t.Patterns, t.head = "test", inner.Fields, inner.Patterns, "not "+inner.head
			return t
		}
		t.Children = []*Trace{inner}
		return t
	case *Leaf:
		return plainTest(n, ev, c)
	}
	t.Result = result(n.Matches(ev))
	for _, part := range list {
		t.Children = append(t.Children, plainTrace(part, ev, c))
	}
	return t
}

func plainTest(l *Leaf, ev *event.Event, c *Condition) *Trace {
	t := &Trace{Part: &Part{Kind: "test", Label: c.labels[l.expr], Expr: Format(l.expr), Short: abbreviate(l.expr), head: listHead(l.expr)}, Result: Unknown}
	for _, f := range l.fields {
		t.Fields = append(t.Fields, plainFieldTrace(ev, f))
	}
	l.choices(ev, &Scratch{}, func(env *env) bool {
		v := l.eval(env)
		if !v.IsNull() && t.Result == Unknown {
			t.Result = False
		}
		if !v.Bool() {
			return true
		}
		t.Result = True
		for i := range t.Fields {
			if len(t.Fields[i].Values) > 1 {
				t.Fields[i].Decided = env.values[i].Display()
			}
		}
		list := listElements(l.expr)
		for _, elem := range list {
			lc := &leafCompiler{compiler: &compiler{fields: ev.Fields()}, leaf: &Leaf{fields: l.fields}}
			if len(list) > 1 && lc.compile(withElement(l.expr, elem))(env).Bool() {
				t.Patterns = append(t.Patterns, Format(elem))
			}
		}
		return false
	})
	return t
}

func plainFieldTrace(ev *event.Event, f event.Field) FieldTrace {
	t := FieldTrace{Name: ev.Fields().Name(f), Values: []string{}}
	for _, v := range ev.Values(f) {
		if len(t.Values) < MaxTraceValues {
			t.Values = append(t.Values, v.Display())
		}
	}
	return t
}
