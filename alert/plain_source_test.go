package alert_test

// The source of an alert as maps, plainly.

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
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

func newSource(text []byte, index, id string) *source {
	s := &source{id: strings.Clone(id), index: strings.Clone(index), fields: event.Document(text)}
	if s.id == "" {
		s.id = contentID(s.fields)
	}
	return s
}

// contentID makes an identity from what a document says, so that white space and
// the order of members do not matter.
func contentID(fields map[string]any) string {
	canonical, err := json.Marshal(fields)
	if err != nil {
		panic("a document that was read cannot be written: " + err.Error())
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
	depths := texts(lookup(s.fields, "kibana.alert.depth"))
	if len(depths) > 0 || lookup(s.fields, "kibana.alert.rule.uuid") != nil {
		depth = 1
		if len(depths) > 0 {
			depth, _ = strconv.Atoi(depths[0])
		}
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
func (b *plain) copySource(s *source) map[string]any {
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
	switch ev := doc["event"].(type) {
	case map[string]any:
		doc["event"] = signalKind(ev)
	case []any:
		list := slices.Clone(ev)
		for i, e := range list {
			if m, ok := e.(map[string]any); ok {
				list[i] = signalKind(m)
			}
		}
		doc["event"] = list
	default:
		doc["event.kind"] = "signal"
	}
}

func signalKind(ev map[string]any) map[string]any {
	ev = maps.Clone(ev)
	ev["kind"] = "signal"
	return ev
}

// fit drops what the mapping of alerts could not hold: an object where a value
// is due, a value where an object is due, and values their type cannot read. The
// members of a list are judged one by one.
func (b *plain) fit(path string, value any) (any, bool) {
	switch v := value.(type) {
	case map[string]any:
		if typ, ok := b.types.Lookup(path); ok && !typ.Unsupported() && typ != event.Flattened {
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
	if !known && b.types.IsParent(path) {
		return nil, false // an object is due
	}
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
	}
	return !typ.Unsupported()
}

// flatten gives the leaves of a document below a top-level name, by dotted path,
// whether they are nested or written with dots.
func flatten(doc map[string]any, top string) map[string]any {
	out := map[string]any{}
	for _, key := range slices.Sorted(maps.Keys(doc)) {
		value := doc[key]
		if key == top || strings.HasPrefix(key, top+".") {
			flattenInto(out, key, value)
		}
	}
	return out
}

func flattenInto(out map[string]any, path string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			inner := v[key]
			flattenInto(out, path+"."+key, inner)
		}
		return
	case []any:
		if slices.ContainsFunc(v, isObject) {
			for _, e := range v {
				flattenInto(out, path, e)
			}
			return
		}
	}
	if old, ok := out[path]; ok {
		value = append(slices.Clone(asList(old)), asList(value)...)
	}
	out[path] = value
}

func isObject(v any) bool {
	_, ok := v.(map[string]any)
	return ok
}

func asList(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	return []any{v}
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
