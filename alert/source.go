package alert

// The source of an alert: the event's document as it came, and the event's identity.

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/sequence"
)

// source is the document of an event. It holds until the alerts are built.
type source struct {
	root  event.Node
	id    string // the document's, or one made from its content
	index string // of a search hit
	// ancestors are what the event itself descends from, if it is an alert, and then
	// the event, whose depth is depth.
	ancestors []ancestor
	depth     int
}

// ancestor is an event or alert that an alert descends from: an entry of an event
// that is an alert itself, or one made here.
type ancestor struct {
	entry *event.Node

	id, kind, index string
	depth           int
	rule            *event.Node
}

func (b *Builder) source(r *sequence.Record) *source {
	s := &source{root: b.reader.Read(r.Document()), id: r.ID(), index: r.Index()}
	if s.id == "" {
		// The content is the identity, so that white space and the order of members
		// do not matter.
		s.id = hash(b.reader.Canonical(&s.root))
	}
	if own := lookup(&s.root, "kibana.alert.ancestors"); own != nil && own.Kind() == event.ListNode {
		for i := range own.List() {
			s.ancestors = append(s.ancestors, ancestor{entry: &own.List()[i]})
		}
	}
	self := ancestor{id: s.id, kind: "event", index: s.index}
	depths := texts(lookup(&s.root, "kibana.alert.depth"))
	rule := lookup(&s.root, "kibana.alert.rule.uuid")
	if len(depths) > 0 || rule != nil {
		s.depth = 1
		if len(depths) > 0 {
			s.depth, _ = strconv.Atoi(depths[0])
		}
		self.kind, self.depth, self.rule = "signal", s.depth, rule
	}
	s.ancestors = append(s.ancestors, self)
	return s
}

// descendsFrom reports whether the event is an alert of a rule, or was made of one.
// Such an event raises no further alert of the rule, which would never end.
func (s *source) descendsFrom(objectID string) bool {
	for i := range s.ancestors {
		a := &s.ancestors[i]
		rule := a.rule
		if a.entry != nil {
			rule = a.entry.Member("rule")
		}
		if rule != nil && rule.Kind() == event.StringNode && rule.Text() == objectID {
			return true
		}
	}
	return false
}

// identities gives the ids and indices of the ancestors as one text.
func (s *source) identities() string {
	var b strings.Builder
	for i := range s.ancestors {
		switch a := &s.ancestors[i]; {
		case a.entry == nil:
			b.WriteString(a.id + a.index)
		case a.entry.Kind() == event.ObjectNode:
			b.WriteString(scalar(a.entry.Member("id")) + scalar(a.entry.Member("index")))
		}
	}
	return b.String()
}

// originalTime gives the event's own @timestamp.
func (s *source) originalTime() (string, bool) {
	when, ok := event.ParseTime(firstText(lookup(&s.root, "@timestamp")))
	if !ok {
		return "", false
	}
	return when.String(), true
}

// eventAlertID is the identity Kibana gives the alert of one event: the SHA-256
// of index, id and version of the document, space and rule object id. Search hits
// of EQL have no version, which reads "undefined".
func (b *Builder) eventAlertID(s *source, objectID string) string {
	b.buf = b.buf[:0]
	for _, part := range []string{s.index, s.id, "undefined", b.run.Space, ":", objectID} {
		b.buf = append(b.buf, part...)
	}
	return hash(b.buf)
}

func hash(text []byte) string {
	sum := sha256.Sum256(text)
	var digits [2 * sha256.Size]byte
	hex.Encode(digits[:], sum[:])
	return string(digits[:])
}

// lookup finds the value of a dotted field in a document, however it is nested; nil
// if there is none, or null.
func lookup(doc *event.Node, field string) *event.Node {
	first, rest, dotted := strings.Cut(field, ".")
	members := doc.From(first)
	if len(members) == 0 || !strings.HasPrefix(members[0].Name(), first) {
		return nil
	}
	if dotted && members[0].Name() == first && (len(members) == 1 || !strings.HasPrefix(members[1].Name(), first)) {
		return lookupIn(&members[0], rest)
	}
	if m := doc.Member(field); m != nil {
		if m.Kind() == event.NullNode {
			return nil
		}
		return m
	}
	for i := range len(field) {
		if field[i] != '.' {
			continue
		}
		if inner := doc.Member(field[:i]); inner != nil {
			if v := lookupIn(inner, field[i+1:]); v != nil {
				return v
			}
		}
	}
	return nil
}

// lookupIn finds the value of a field in an object, or the values in the objects of a list.
func lookupIn(n *event.Node, field string) *event.Node {
	switch n.Kind() {
	case event.ObjectNode:
		return lookup(n, field)
	case event.ListNode:
		return lookupEach(n.List(), field)
	}
	return nil
}

// lookupEach gives a list of the values of a field in the objects of a list.
func lookupEach(list []event.Node, field string) *event.Node {
	var found []event.Node
	for i := range list {
		if v := lookup(&list[i], field); v != nil {
			found = append(found, *v)
		}
	}
	if found == nil {
		return nil
	}
	n := event.ListOf(found)
	return &n
}

// texts gives a value, or the members of a list of values, as text.
func texts(n *event.Node) []string { return appendTexts(nil, n) }

func appendTexts(list []string, n *event.Node) []string {
	switch {
	case isText(n):
		return append(list, n.Text())
	case n != nil && n.Kind() == event.ListNode:
		for i := range n.List() {
			list = appendTexts(list, &n.List()[i])
		}
	}
	return list
}

// firstText gives the first of the texts of a value; "" if there are none.
func firstText(n *event.Node) string {
	var room [4]string
	if list := appendTexts(room[:0], n); len(list) > 0 {
		return list[0]
	}
	return ""
}

// allTexts gives the texts of a value with commas between them.
func allTexts(n *event.Node) string {
	var room [4]string
	return strings.Join(appendTexts(room[:0], n), ", ")
}

func isText(n *event.Node) bool {
	return n != nil && n.Kind() != event.NullNode && n.Kind() < event.ListNode
}

// scalar gives a value as text, whatever it is.
func scalar(n *event.Node) string {
	if n == nil {
		return fmt.Sprint(nil)
	}
	return fmt.Sprint(n.Value())
}
