package detect

import (
	"cmp"
	"hash/maphash"
	"regexp"
	"strings"

	"github.com/shrike-project/shrike/event"
)

var backingIndex = regexp.MustCompile(`^\.ds-(.+)-\d{4}\.\d{2}\.\d{2}-\d{6}$`)

// dataStream gives the data stream of a backing index, or the index itself.
func dataStream(index string) string {
	if m := backingIndex.FindStringSubmatch(index); m != nil {
		return m[1]
	}
	return index
}

// looks tells which rules look at an event by its index; nil: all of them.
func (m *Matcher) looks(ev *event.Event) []bool {
	if m.d.opt.IgnoreIndex {
		return nil
	}
	dataset, _ := ev.Raw(m.d.stream[1])
	known := &m.lately[maphash.Bytes(m.d.seed, dataset)%placesKept]
	if known.at(ev, &m.d.stream) {
		return known.looks
	}
	place := m.d.place(ev)
	index := place.index(m.d)
	if index == "" {
		return nil
	}
	looks, ok := m.byIndex[index]
	if !ok {
		looks = make([]bool, len(m.d.rules))
		for i, c := range m.d.rules {
			looks[i] = c.patterns.Match(index)
		}
		if len(m.byIndex) < 10000 { // names are as many as an attacker cares to invent
			m.byIndex[index] = looks
		}
	}
	known.keep(ev, &m.d.stream, looks)
	return looks
}

// placesKept is of how many places it is remembered which rules look at them: most events
// are in the same few.
const placesKept = 64

// looked is which rules look at the events of a place.
type looked struct {
	known  bool
	stream [3][]byte // as the document writes it
	hit    string
	looks  []bool
}

// at reports whether an event is in the place that is known.
func (l *looked) at(ev *event.Event, stream *[3]event.Field) bool {
	if !l.known || ev.Index != l.hit {
		return false
	}
	for i, f := range stream {
		if raw, single := ev.Raw(f); !single || string(raw) != string(l.stream[i]) {
			return false
		}
	}
	return true
}

// keep remembers the place of an event, unless the event tells several.
func (l *looked) keep(ev *event.Event, stream *[3]event.Field, looks []bool) {
	l.known, l.hit, l.looks = true, strings.Clone(ev.Index), looks
	for i, f := range stream {
		raw, single := ev.Raw(f)
		l.known = l.known && single
		l.stream[i] = append(l.stream[i][:0], raw...)
	}
}

// place is where an event says it is: its data stream, or the index of its hit.
type place struct{ typ, dataset, namespace, hit string }

func (d *Detector) place(ev *event.Event) place {
	return place{ev.First(d.stream[0]).Str(), ev.First(d.stream[1]).Str(), ev.First(d.stream[2]).Str(), ev.Index}
}

// Index gives the name an event's index has for index patterns, "" if nobody
// knows it.
func (d *Detector) Index(ev *event.Event) string { return d.place(ev).index(d) }

// index gives the name a place has for index patterns.
func (p place) index(d *Detector) string {
	switch {
	case p.dataset != "":
		return cmp.Or(p.typ, "logs") + "-" + p.dataset + "-" + cmp.Or(p.namespace, "default")
	case p.hit != "":
		return dataStream(strings.Clone(p.hit))
	}
	return dataStream(d.opt.Index)
}
