package coverage

// Observation: what the events that are there have, where no table tells what their
// source can supply.

import (
	"encoding/binary"
	"maps"
	"slices"
	"strings"

	"github.com/shrike-project/shrike/event"
)

// maxKinds bounds the kinds of events that are told apart; events of any further ones
// count as one kind of which nothing is known but its fields.
const maxKinds = 10000

// sayings are the fields by which events are told apart.
var sayings = [...]string{
	"event.kind", "event.category", "event.type", "event.action", "event.code", "event.provider", "event.dataset", "event.module",
	"host.os.type", "data_stream.type", "data_stream.dataset", "data_stream.namespace",
}

// Where in sayings a field stands.
const (
	sayingProvider, sayingDataset, sayingModule                  = 5, 6, 7
	sayingStreamType, sayingStreamDataset, sayingStreamNamespace = 9, 10, 11
)

// Observer notes which fields events have. It belongs to one goroutine.
type Observer struct {
	fields *event.FieldSet
	said   [len(sayings)]event.Field
	kinds  map[string]*observed
	key    []byte
}

// observed is a kind of events that were seen.
type observed struct {
	values [len(sayings)][]string // none in the kind for all others
	index  string
	events int64
	has    []bool // by field
}

// NewObserver makes an observer of events decoded with some fields, to which it adds
// those by which it tells events apart. Decoders have to be made afterwards.
func NewObserver(fields *event.FieldSet) *Observer {
	o := &Observer{fields: fields, kinds: map[string]*observed{}}
	for i, name := range sayings {
		o.said[i] = fields.Add(name)
	}
	return o
}

// Fork makes an observer for another goroutine, of the same fields. Its events are not
// counted until Merge.
func (o *Observer) Fork() *Observer {
	c := *o
	c.kinds, c.key = map[string]*observed{}, nil
	return &c
}

// Observe notes an event.
func (o *Observer) Observe(ev *event.Event) {
	o.key = o.key[:0]
	for _, f := range o.said {
		values := ev.Values(f)
		o.key = binary.AppendUvarint(o.key, uint64(len(values)))
		for _, v := range values {
			text := v.Text()
			o.key = append(binary.AppendUvarint(o.key, uint64(len(text))), text...)
		}
	}
	o.key = append(o.key, ev.Index...)
	k := o.kinds[string(o.key)]
	if k == nil {
		k = o.newKind(ev)
	}
	k.events++
	for f := range k.has {
		if !k.has[f] && len(ev.Values(event.Field(f))) > 0 {
			k.has[f] = true
		}
	}
}

func (o *Observer) newKind(ev *event.Event) *observed {
	k := &observed{has: make([]bool, o.fields.Len())}
	key := string(o.key)
	if len(o.kinds) >= maxKinds {
		key = othersKey
		if k := o.kinds[key]; k != nil {
			return k
		}
	} else {
		for i, f := range o.said {
			k.values[i] = []string{}
			for _, v := range ev.Values(f) {
				k.values[i] = append(k.values[i], strings.Clone(v.Text()))
			}
		}
		k.index = indexOf(k, ev)
	}
	o.kinds[key] = k
	return k
}

// othersKey is the key of the events whose kinds are too many; no event has it.
const othersKey = "others"

// indexOf gives the name that an event's index has for index patterns.
func indexOf(k *observed, ev *event.Event) string {
	part := func(saying int, otherwise string) string {
		if v := k.values[saying]; len(v) > 0 && v[0] != "" {
			return v[0]
		}
		return otherwise
	}
	if dataset := part(sayingStreamDataset, ""); dataset != "" {
		return part(sayingStreamType, "logs") + "-" + dataset + "-" + part(sayingStreamNamespace, "default")
	}
	return strings.Clone(ev.Index)
}

// Merge adds what another observer of the same fields saw.
func (o *Observer) Merge(other *Observer) {
	for key, k := range other.kinds {
		mine := o.kinds[key]
		if mine == nil && len(o.kinds) >= maxKinds {
			key, mine = othersKey, o.kinds[othersKey]
			k.values, k.index = [len(sayings)][]string{}, ""
		}
		if mine == nil {
			o.kinds[key] = k
			continue
		}
		mine.events += k.events
		for f, has := range k.has {
			mine.has[f] = mine.has[f] || has
		}
	}
}

// Sources gives what was seen, by source, the one with the most events first. Events
// of a known source can have all that it can supply, and what was seen beside it.
func (o *Observer) Sources(known []*Source) []*Source {
	byName := map[string]*Source{}
	for _, key := range slices.Sorted(maps.Keys(o.kinds)) {
		k := o.kinds[key]
		of := Recognise(known, first(k.values[sayingProvider]), first(k.values[sayingDataset]))
		name := sourceName(k)
		if of != nil {
			name = of.Name
		}
		s := byName[name]
		if s == nil {
			s = &Source{Name: name}
			if of != nil {
				s.Kinds, s.providers, s.datasets = slices.Clone(of.Kinds), of.providers, of.datasets
			}
			byName[name] = s
		}
		s.Events += k.events
		s.Kinds = append(s.Kinds, o.kind(k, of))
	}
	out := slices.Collect(maps.Values(byName))
	slices.SortFunc(out, func(a, b *Source) int {
		if a.Events != b.Events {
			return int(max(-1, min(1, b.Events-a.Events)))
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out
}

// sourceName names the source of events that no table knows: by their module, which is
// the first part of their data set.
func sourceName(k *observed) string {
	if m := first(k.values[sayingModule]); m != "" {
		return m
	}
	name, _, _ := strings.Cut(first(k.values[sayingDataset]), ".")
	if name == "" {
		return "unnamed"
	}
	return name
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// kind makes a Kind of events that were seen, of a known source or of none.
func (o *Observer) kind(seen *observed, of *Source) *Kind {
	k := &Kind{values: map[string]domain{}}
	if seen.index != "" {
		k.Indices = []string{seen.index}
	}
	for i, values := range seen.values {
		if values != nil {
			k.values[sayings[i]] = domain{values: values, always: true}
		}
	}
	var like []*Kind // what the tables say of such events
	if of != nil {
		for _, other := range of.Kinds {
			if code, ok := other.values["event.code"]; ok && code.always && slices.Equal(code.values, k.values["event.code"].values) {
				like = append(like, other)
			}
		}
	}
	k.supplies = func(field string) bool {
		if f, ok := o.fields.Lookup(field); ok && int(f) < len(seen.has) && seen.has[f] {
			return true
		}
		return slices.ContainsFunc(like, func(other *Kind) bool { return other.supplies(field) })
	}
	return k
}
