package alert

// Writing alert documents. Most of a document is the same for all alerts of its rule,
// so it is written once and afterwards only referred to.

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"github.com/shrike-project/shrike/event"
)

// text is a document as JSON: bytes of its own, with texts in between that others
// have too.
type text struct {
	own    []byte
	shared []sharedText
	size   int
}

// sharedText is a text that stands before byte at of those of its own.
type sharedText struct {
	at   int
	text string
}

func (t *text) append(dst []byte) []byte {
	dst = slices.Grow(dst, t.size)
	t.parts(func(own []byte, shared string) { dst = append(append(dst, own...), shared...) })
	return dst
}

// write is append to w, without gathering the parts first.
func (t *text) write(w *bufio.Writer) error {
	var err error
	t.parts(func(own []byte, shared string) {
		_, _ = w.Write(own) // w keeps an error, and gives it again
		_, err = w.WriteString(shared)
	})
	return err
}

// parts calls visit with the bytes of the text's own up to each text that it shares, and
// with that one; at the end with the rest.
func (t *text) parts(visit func(own []byte, shared string)) {
	at := 0
	for _, s := range t.shared {
		visit(t.own[at:s.at], s.text)
		at = s.at
	}
	visit(t.own[at:], "")
}

// writer collects a text in memory that is used again.
type writer struct{ text }

// minShared is how long a text is at least that is not copied.
const minShared = 64

// share writes a text that outlives the alert. It fits what eql.Trace asks for.
func (w *writer) share(dst []byte, s string) []byte {
	if len(s) < minShared {
		return append(dst, s...)
	}
	w.shared = append(w.shared, sharedText{len(dst), s})
	w.size += len(s)
	return dst
}

// finish gives the text, and empties the writer.
func (w *writer) finish() text {
	t := text{bytes.Clone(w.own), slices.Clone(w.shared), w.size + len(w.own)}
	clear(w.shared)
	w.own, w.shared, w.size = w.own[:0], w.shared[:0], 0
	return t
}

// name begins a member. The first one of an object stands behind a brace of the
// alert's own bytes.
func (w *writer) name(name string) {
	if w.own[len(w.own)-1] != '{' {
		w.own = append(w.own, ',')
	}
	w.own = append(event.AppendQuoted(w.own, name), ':')
}

func (w *writer) string(name, value string) {
	w.name(name)
	w.quoted(value)
}

func (w *writer) quoted(text string) { w.own = event.AppendQuoted(w.own, text) }

func (w *writer) int(name string, n int64) {
	w.name(name)
	w.own = strconv.AppendInt(w.own, n, 10)
}

// member writes a member as a document has it.
func (w *writer) member(m *event.Node) { w.named(m.Name(), m) }

func (w *writer) named(name string, n *event.Node) {
	w.name(name)
	w.own = n.AppendJSON(w.own)
}

// list writes a member that is a list of n objects.
func (w *writer) list(name string, n int, members func(i int)) {
	w.name(name)
	w.own = append(w.own, '[')
	for i := range n {
		if i > 0 {
			w.own = append(w.own, ',')
		}
		w.own = append(w.own, '{')
		members(i)
		w.own = append(w.own, '}')
	}
	w.own = append(w.own, ']')
}

// appendValue writes a value that encoding/json can write; others are null, such as
// the nan of TOML.
func appendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return event.AppendQuoted(dst, v)
	case float64:
		if abs := math.Abs(v); abs == 0 || abs >= 1e-6 && abs < 1e21 {
			return strconv.AppendFloat(dst, v, 'f', -1, 64)
		}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(v) != nil {
		return append(dst, "null"...)
	}
	return append(dst, event.EscapeControls(bytes.TrimSuffix(b.Bytes(), []byte("\n")))...)
}

// document is what stands in a document beside the fields of its rule.
type document struct {
	body
	ancestors []ancestor
	depth     int
	first     *source // the event whose time is the original one; nil: none
	blockType string
	block     bool // the alert is a building block of a sequence, number index
	group     string
	index     int
	steps     []*source // of a sequence, nil for what did not happen
	manual    bool      // the execution was over past time
	now       string    // when the alert is written
}

// write makes the document of an alert.
func (b *Builder) write(a *Alert, d document) {
	w := &b.writer
	rule := b.rules.of(a.Rule)
	d.manual, d.now = b.run.Manual, b.now
	w.own = append(w.own, '{')
	members := d.fields.List()
	// upTo writes the members that stand before a name, and passes over the one that
	// has it.
	upTo := func(name string) {
		for len(members) > 0 && members[0].Name() < name {
			w.member(&members[0])
			members = members[1:]
		}
		if len(members) > 0 && members[0].Name() == name {
			members = members[1:]
		}
	}
	upTo("@timestamp")
	w.string("@timestamp", b.now)
	upTo("kibana.")
	var of fieldExtents
	of.kibana.Start = len(w.own)
	for i := range rule.parts {
		p := &rule.parts[i]
		w.own = w.share(w.own, p.text)
		if p.fill != nil {
			p.fill(w, a, &d)
		}
	}
	of.kibana.End = len(w.own)
	upTo("shrike")
	of.shrike.Start = len(w.own)
	w.name("shrike")
	w.own = append(w.own, '{')
	if a.Coverage != nil {
		w.name("coverage")
		w.own = appendValue(w.own, a.Coverage)
	}
	if d.steps != nil {
		a.writeSteps(w, d.steps)
	} else {
		w.name("trace")
		w.own = a.Trace.AppendJSON(w.own, w.share)
	}
	w.string("why", a.Why)
	w.own = append(w.own, '}')
	of.shrike.End = len(w.own)
	for i := range members {
		w.member(&members[i])
	}
	w.own = append(w.own, '}')
	a.text = w.finish()
	a.fields = &lateTree{doc: a.text.own, of: of}
}

// fieldExtents are where the bytes of a document stand that are not of the event.
type fieldExtents struct{ kibana, shrike event.Extent }

// fields gives the bytes that are of the event. They may have a comma too many, which
// the reader of documents does not mind.
func (of fieldExtents) fields(own []byte) []byte {
	return slices.Concat(own[:of.kibana.Start], own[of.kibana.End:of.shrike.Start], own[of.shrike.End:])
}

// slot is a member below kibana, or several, that is not the same for all alerts of a rule.
type slot struct {
	// value writes the member's value, behind its name; nil: optional writes the member,
	// or nothing.
	value, optional func(*writer, *Alert, *document)
}

// slots are those of an alert, by the name that tells their place.
var slots = map[string]slot{
	"kibana.alert.ancestors": {value: func(w *writer, _ *Alert, d *document) { w.ancestors(d.ancestors) }},
	"kibana.alert.building_block_type": {optional: func(w *writer, _ *Alert, d *document) {
		if d.blockType != "" {
			w.string("kibana.alert.building_block_type", d.blockType)
		}
	}},
	"kibana.alert.depth": {value: func(w *writer, _ *Alert, d *document) { w.own = strconv.AppendInt(w.own, int64(d.depth), 10) }},
	"kibana.alert.group.id": {optional: func(w *writer, _ *Alert, d *document) {
		if d.group != "" {
			w.string("kibana.alert.group.id", d.group)
		}
	}},
	"kibana.alert.group.index": {optional: func(w *writer, _ *Alert, d *document) {
		if d.block {
			w.int("kibana.alert.group.index", int64(d.index))
		}
	}},
	"kibana.alert.intended_timestamp": {optional: func(w *writer, a *Alert, d *document) {
		if d.manual && a.Timed {
			w.string("kibana.alert.intended_timestamp", a.Time.String())
		}
	}},
	"kibana.alert.last_detected": {value: now},
	"kibana.alert.original_": {optional: func(w *writer, _ *Alert, d *document) {
		for i := range d.originals {
			w.member(&d.originals[i])
		}
		if d.first == nil {
			return
		}
		if when, ok := d.first.originalTime(); ok {
			w.string("kibana.alert.original_time", when)
		}
	}},
	"kibana.alert.reason":                   {value: func(w *writer, a *Alert, _ *document) { w.quoted(a.Reason) }},
	"kibana.alert.rule.name":                {value: func(w *writer, a *Alert, _ *document) { w.quoted(a.RuleName) }},
	"kibana.alert.rule.execution.timestamp": {value: now},
	"kibana.alert.start":                    {value: now},
	"kibana.alert.severity":                 {value: func(w *writer, a *Alert, _ *document) { w.quoted(a.Severity) }},
	"kibana.alert.uuid":                     {value: func(w *writer, a *Alert, _ *document) { w.quoted(a.ID) }},
	"kibana.alert.risk_score":               {value: func(w *writer, a *Alert, _ *document) { w.own = appendValue(w.own, a.RiskScore) }},
}

// now writes the time the alert is written.
func now(w *writer, _ *Alert, d *document) { w.quoted(d.now) }

// ancestors writes what an alert descends from.
func (w *writer) ancestors(list []ancestor) {
	w.own = append(w.own, '[')
	for i := range list {
		if i > 0 {
			w.own = append(w.own, ',')
		}
		a := &list[i]
		if a.entry != nil {
			w.own = a.entry.AppendJSON(w.own)
			continue
		}
		w.own = append(w.own, '{')
		w.int("depth", int64(a.depth))
		w.string("id", a.id)
		w.string("index", a.index)
		if a.rule != nil {
			w.named("rule", a.rule)
		}
		w.string("type", a.kind)
		w.own = append(w.own, '}')
	}
	w.own = append(w.own, ']')
}
