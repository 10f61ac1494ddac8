package alert

// The source of an alert: the event's document as it came, what of it an alert
// takes over, and the event's identity.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/event"
)

// source is the document of an event.
type source struct {
	fields map[string]any
	id     string // the document's, or one made from its content
	index  string // of a search hit
}

// salvaged are the fields that are still read of a document that encoding/json
// refuses: what tells what the event was about.
var salvaged = []string{
	"@timestamp", "event.category", "event.type", "event.action", "host.name", "host.id", "user.name", "process.name", "process.executable",
	"process.command_line", "process.parent.name", "file.path", "source.ip", "destination.ip", "destination.port",
}

func newSalvager(types *event.Types) *event.Decoder {
	set := event.NewFieldSet(types)
	for _, f := range salvaged {
		set.Add(f)
	}
	return event.NewDecoder(set, "")
}

func (b *Builder) newSource(text []byte, index, id string) *source {
	s := &source{id: strings.Clone(id), index: strings.Clone(index)}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&s.fields); err != nil {
		// The event decoder is more lenient about what it passes over. The bytes
		// are kept whole.
		s.fields = map[string]any{"shrike.raw": string(bytes.ToValidUTF8(text, []byte("\uFFFD")))}
		var ev event.Event
		_ = b.salvage.Decode(text, &ev)
		for f := range ev.Fields().Len() {
			if values := ev.Values(event.Field(f)); len(values) > 0 {
				s.fields[ev.Fields().Name(event.Field(f))] = strings.Clone(values[0].Display())
			}
		}
	}
	if s.id == "" {
		s.id = contentID(text, s.fields)
	}
	return s
}

// contentID makes an identity from what a document says, so that white space and
// the order of members do not matter.
func contentID(raw []byte, fields map[string]any) string {
	canonical, err := json.Marshal(fields)
	if err != nil {
		canonical = raw
	}
	return hash(string(canonical))
}

// ancestors gives what the event itself descends from, if it is an alert, and then
// the event; and the event's depth.
func (s *source) ancestors() (list []any, depth int) {
	if own, ok := lookup(s.fields, "kibana.alert.ancestors").([]any); ok {
		list = append(list, own...)
	}
	self := map[string]any{"id": s.id, "type": "event", "index": s.index, "depth": 0}
	if texts := texts(lookup(s.fields, "kibana.alert.depth")); len(texts) > 0 {
		depth, _ = strconv.Atoi(texts[0])
		self["type"], self["depth"] = "signal", depth
		if rule := lookup(s.fields, "kibana.alert.rule.uuid"); rule != nil {
			self["rule"] = rule
		}
	}
	return append(list, self), depth
}

// descendsFrom reports whether the event is an alert of a rule, or was made of one.
// Such an event raises no further alert of the rule, which would never end.
func (s *source) descendsFrom(objectID string) bool {
	list, _ := s.ancestors()
	for _, a := range list {
		if m, ok := a.(map[string]any); ok && m["rule"] == objectID {
			return true
		}
	}
	return false
}

// identities gives the ids and indices of the ancestors as one text.
func (s *source) identities() string {
	list, _ := s.ancestors()
	var b strings.Builder
	for _, a := range list {
		if m, ok := a.(map[string]any); ok {
			b.WriteString(scalar(m["id"]) + scalar(m["index"]))
		}
	}
	return b.String()
}

// eventAlertID is the identity Kibana gives the alert of one event: the SHA-256
// of index, id and version of the document, space and rule object id. Search hits
// of EQL have no version, which reads "undefined".
func eventAlertID(s *source, space, objectID string) string {
	return hash(s.index + s.id + "undefined" + space + ":" + objectID)
}

// copySource gives the part of an alert document that comes from the event.
func (b *Builder) copySource(s *source) map[string]any {
	doc := make(map[string]any, len(s.fields)+80)
	for key, value := range s.fields {
		top, _, _ := strings.Cut(key, ".")
		if top == "kibana" || top == "signal" || top == "threshold_result" {
			continue
		}
		if v, ok := b.fit(key, value); ok {
			doc[key] = v
		}
	}
	for _, group := range []string{"event", "data_stream"} {
		for key, value := range flatten(doc, group) {
			doc["kibana.alert.original_"+key] = value
		}
	}
	setKind(doc)
	return doc
}

// setKind makes event.kind "signal", wherever the document keeps it.
func setKind(doc map[string]any) {
	delete(doc, "event.kind")
	ev, ok := doc["event"].(map[string]any)
	if !ok {
		doc["event.kind"] = "signal"
		return
	}
	ev = maps.Clone(ev)
	ev["kind"] = "signal"
	doc["event"] = ev
}

// fit drops what the mapping of alerts could not hold: an object where a value
// is due, a value where an object is due, and values their type cannot read. The
// members of a list are judged one by one.
func (b *Builder) fit(path string, value any) (any, bool) {
	switch v := value.(type) {
	case map[string]any:
		if typ, ok := b.types.Lookup(path); ok && typ != event.Object && typ != event.Flattened {
			return nil, false
		}
		out := make(map[string]any, len(v))
		for key, inner := range v {
			if fitting, ok := b.fit(path+"."+key, inner); ok {
				out[key] = fitting
			}
		}
		return out, true
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			if fitting, ok := b.fit(path, e); ok {
				out = append(out, fitting)
			}
		}
		return out, len(out) > 0 || len(v) == 0
	case nil:
		return nil, true
	}
	typ, known := b.types.Lookup(path)
	return value, !known || readable(typ, value)
}

// readable reports whether a type of Elasticsearch can hold a scalar.
func readable(typ event.Type, value any) bool {
	text := scalar(value)
	_, isBool := value.(bool)
	switch typ {
	case event.Boolean:
		return text == "true" || text == "false"
	case event.LongType, event.DoubleType:
		_, err := strconv.ParseFloat(text, 64)
		return err == nil && !isBool
	case event.DateType, event.DateNanos:
		_, ok := event.ParseTime(text)
		return ok
	case event.IPType:
		return event.IsIP(text)
	case event.Object:
		return false
	}
	return true
}

// flatten gives the leaves of a document below a top-level name, by dotted path,
// whether they are nested or written with dots.
func flatten(doc map[string]any, top string) map[string]any {
	out := map[string]any{}
	for key, value := range doc {
		if key == top || strings.HasPrefix(key, top+".") {
			flattenInto(out, key, value)
		}
	}
	return out
}

func flattenInto(out map[string]any, path string, value any) {
	m, ok := value.(map[string]any)
	if !ok {
		out[path] = value
		return
	}
	for key, inner := range m {
		flattenInto(out, path+"."+key, inner)
	}
}

// lookup finds the value of a dotted field in a document, however it is nested.
func lookup(doc map[string]any, field string) any {
	if v, ok := doc[field]; ok {
		return v
	}
	for i, c := range field {
		if c != '.' {
			continue
		}
		switch inner := doc[field[:i]].(type) {
		case map[string]any:
			if v := lookup(inner, field[i+1:]); v != nil {
				return v
			}
		case []any:
			var list []any
			for _, e := range inner {
				if m, ok := e.(map[string]any); ok {
					if v := lookup(m, field[i+1:]); v != nil {
						list = append(list, v)
					}
				}
			}
			if list != nil {
				return list
			}
		}
	}
	return nil
}

// texts gives a value, or the members of a list of values, as text.
func texts(v any) []string {
	switch v := v.(type) {
	case nil, map[string]any:
		return nil
	case []any:
		var list []string
		for _, e := range v {
			list = append(list, texts(e)...)
		}
		return list
	}
	return []string{scalar(v)}
}

func scalar(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return fmt.Sprint(v)
}
