package eqltest_test

// The events of the vectors, prepared as their README says.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/shrike-project/shrike/event"
)

func mapsKeys[K comparable, V any](m map[K]V) iter.Seq[K] { return maps.Keys(m) }

// document is one event of a data set.
type document struct {
	id   int64
	json []byte
}

// dataSet is a list of events in order, and the types of their fields.
type dataSet struct {
	documents  []document
	types      *event.Types
	tiebreaker string
	timestamp  string // "" where the events have no time
}

// dataKind tells how a data set is read.
type dataKind struct {
	files, mappings []string
	idField         string
	category        string // the field event.category is an alias of
	timestamp       string
	prepare         func(doc map[string]any)
	types           map[string]event.Type
}

// kindOf tells by a word in the name of a file of vectors which events it is about.
func kindOf(path string) dataKind {
	name := filepath.Base(path)
	switch {
	case strings.Contains(name, "derived"):
		return dataKind{files: []string{"derived.data"}, idField: "event.sequence", timestamp: "@timestamp",
			types: map[string]event.Type{"destination.ip": event.IPType, "source.ip": event.IPType, "file.size": event.DoubleType,
				"process.pid": event.LongType, "event.sequence": event.LongType, "@timestamp": event.DateType}}
	case strings.Contains(name, "extra"):
		return dataKind{files: []string{"extra.data"}, mappings: []string{"extra.mapping"}, idField: "sequence", category: "event_type", timestamp: "@timestamp",
			types:   map[string]event.Type{"version": event.VersionType, "date_tags": event.DateType, "process.entity_id": event.LongType},
			prepare: nullValue("optional_field_default_null", "NULL")}
	case strings.Contains(name, "missing"):
		return dataKind{files: []string{"missing-events.data"}, mappings: []string{"missing-events.mapping"}, idField: "sequence", category: "event_type", timestamp: "@timestamp"}
	case strings.Contains(name, "sample") && strings.Contains(name, "multi"):
		return dataKind{files: []string{"sample-multi.data"}, mappings: []string{"sample-multi.mapping"}, idField: "id", category: "event_type"}
	case strings.Contains(name, "sample"):
		return dataKind{files: []string{"sample1.data", "sample2.data", "sample3.data"}, mappings: []string{"sample1.mapping", "sample2.mapping", "sample3.mapping"},
			idField: "id", category: "event_type", prepare: dayDates("@timestamp_pretty")}
	}
	kind := dataKind{files: []string{"test_data.json"}, mappings: []string{"endgame-140.mapping"}, idField: "serial_event_id", category: "event_type",
		timestamp: "@timestamp", prepare: endgameMillis}
	if strings.Contains(name, "date_nanos") {
		kind.prepare = endgameNanos
		kind.types = map[string]event.Type{"@timestamp": event.DateNanos}
	}
	return kind
}

// endgameMillis gives an endgame event the timestamp upstream's loader gives it:
// its ticks of 100 ns since 1601 as milliseconds since 1970.
func endgameMillis(doc map[string]any) {
	if n, err := ticks(doc); err == nil {
		doc["@timestamp"] = n/10000 - 11644473600000
	}
}

// endgameNanos reads the ticks as nanoseconds since 1970 instead.
func endgameNanos(doc map[string]any) {
	if n, err := ticks(doc); err == nil {
		doc["@timestamp"] = time.Unix(0, n).UTC().Format(time.RFC3339Nano)
	}
}

func ticks(doc map[string]any) (int64, error) {
	n, ok := doc["timestamp"].(json.Number)
	if !ok {
		return 0, fmt.Errorf("no timestamp")
	}
	return n.Int64()
}

func nullValue(field, value string) func(map[string]any) {
	return func(doc map[string]any) {
		if v, ok := doc[field]; ok && v == nil {
			doc[field] = value
		}
	}
}

// dayDates turns dates like 17-12-2022 into 2022-12-17.
func dayDates(field string) func(map[string]any) {
	return func(doc map[string]any) {
		s, _ := doc[field].(string)
		if t, err := time.Parse("02-01-2006", s); err == nil {
			doc[field] = t.Format("2006-01-02")
		}
	}
}

func loadDataSet(path string) (*dataSet, error) {
	kind := kindOf(path)
	types := maps.Clone(kind.types)
	if types == nil {
		types = map[string]event.Type{}
	}
	aliases := map[string]string{}
	for _, name := range kind.mappings {
		text, err := find(path, name)
		if err != nil {
			return nil, err
		}
		var m mapping
		if err := json.Unmarshal(text, &m); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		m.collect("", types, aliases)
	}
	maps.Copy(types, kind.types)
	if kind.timestamp != "" && types[kind.timestamp] == event.Unknown {
		types[kind.timestamp] = event.DateType
	}
	ds := &dataSet{tiebreaker: "event.sequence", timestamp: kind.timestamp}
	if kind.category != "" {
		aliases["event.category"], aliases["event.sequence"] = kind.category, kind.idField
	}
	for _, name := range kind.files {
		if err := ds.load(path, name, kind, types, aliases); err != nil {
			return nil, err
		}
	}
	ds.types = event.NewTypes(types)
	if ds.timestamp == "" {
		return ds, nil
	}
	return ds, ds.sort()
}

func (ds *dataSet) load(path, name string, kind dataKind, types map[string]event.Type, aliases map[string]string) error {
	text, err := find(path, name)
	if err != nil {
		return err
	}
	var docs []map[string]any
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(&docs); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, doc := range docs {
		if kind.prepare != nil {
			kind.prepare(doc)
		}
		id, ok := lookup(doc, kind.idField)
		if !ok {
			return fmt.Errorf("%s: an event without %s", name, kind.idField)
		}
		n, err := id.(json.Number).Int64()
		if err != nil {
			return err
		}
		for alias, field := range aliases {
			if v, ok := lookup(doc, field); ok {
				doc[alias] = v
			}
		}
		naturalTypes("", doc, types)
		out, err := json.Marshal(doc)
		if err != nil {
			return err
		}
		ds.documents = append(ds.documents, document{id: n, json: out})
	}
	return nil
}

// sort orders the events by time, then tiebreaker.
func (ds *dataSet) sort() error {
	fields := event.NewFieldSet(ds.types)
	tie := fields.Add(ds.tiebreaker)
	type keyed struct {
		d    document
		when event.Time
		tie  event.Value
	}
	var list []keyed
	err := ds.each(fields, func(d document, ev *event.Event) {
		when, _ := ev.Time()
		list = append(list, keyed{d, when, ev.First(tie).Clone()})
	})
	slices.SortStableFunc(list, func(a, b keyed) int {
		if c := a.when.Compare(b.when); c != 0 {
			return c
		}
		return int(a.tie.Long() - b.tie.Long())
	})
	for i, k := range list {
		ds.documents[i] = k.d
	}
	return err
}

// each decodes every event in turn.
func (ds *dataSet) each(fields *event.FieldSet, visit func(document, *event.Event)) error {
	dec := event.NewDecoder(fields, ds.timestamp)
	var ev event.Event
	for _, d := range ds.documents {
		if err := dec.Decode(d.json, &ev); err != nil {
			return fmt.Errorf("event %d: %w", d.id, err)
		}
		visit(d, &ev)
	}
	return nil
}

func find(path, name string) ([]byte, error) {
	var first error
	for _, dir := range dataFolder(path) {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			return text, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

func lookup(doc map[string]any, field string) (any, bool) {
	if v, ok := doc[field]; ok {
		return v, true
	}
	head, rest, ok := strings.Cut(field, ".")
	if !ok {
		return nil, false
	}
	inner, ok := doc[head].(map[string]any)
	if !ok {
		return nil, false
	}
	return lookup(inner, rest)
}

// mapping is an Elasticsearch mapping as far as the vectors use it.
type mapping struct {
	Type       string
	Path       string
	Properties map[string]mapping
}

func (m mapping) collect(prefix string, types map[string]event.Type, aliases map[string]string) {
	for name, p := range m.Properties {
		switch {
		case p.Properties != nil:
			p.collect(prefix+name+".", types, aliases)
		case p.Type == "alias":
			aliases[prefix+name] = p.Path
		case p.Type == "text" || strings.HasPrefix(p.Type, "["):
			types[prefix+name] = event.Keyword
		default:
			if t, ok := event.ParseType(p.Type); ok {
				types[prefix+name] = t
			}
		}
	}
}

// naturalTypes gives every field that has no type the type of its JSON value.
func naturalTypes(prefix string, doc map[string]any, types map[string]event.Type) {
	for key, v := range doc {
		name := prefix + key
		if list, ok := v.([]any); ok {
			v = nil
			for _, e := range list {
				if e != nil {
					v = e
					break
				}
			}
		}
		if inner, ok := v.(map[string]any); ok {
			naturalTypes(name+".", inner, types)
			continue
		}
		if _, ok := types[name]; ok {
			continue
		}
		switch v := v.(type) {
		case string:
			types[name] = event.Keyword
		case bool:
			types[name] = event.Boolean
		case json.Number:
			types[name] = event.DoubleType
			if _, err := v.Int64(); err == nil {
				types[name] = event.LongType
			}
		}
	}
}
