package windows

import (
	"slices"
	"strconv"
	"strings"
)

// ProfileKind is a sort of record of a source: what its events always say of
// themselves, and which fields they can have.
type ProfileKind struct {
	// Code is the event.code; "" stands for all records whose number has no kind.
	Code string
	// Always holds the values that fields have in every event of the kind, no values
	// where a field is missing from all. A field that is not in it may have any.
	Always map[string][]string
	// OneOf holds fields whose values, if they have any, are among a few. A "*" stands
	// for any text.
	OneOf map[string][]string
	// OtherCodes are values that event.code does not have, where Code is "".
	OtherCodes []string

	fields  []string // sorted
	anyData bool     // items beyond those listed
}

// Supplies reports whether events of the kind can have a field. A field of a list of
// objects is supplied where the list is.
func (k *ProfileKind) Supplies(field string) bool {
	if k.anyData && (strings.HasPrefix(field, "winlog.event_data.") || strings.HasPrefix(field, "winlog.user_data.")) {
		return true
	}
	return supplies(k.fields, field)
}

// profileKinds describes the kinds of a source.
func (src source) profileKinds() []ProfileKind {
	var out []ProfileKind
	var codes []string
	for _, k := range src.kinds {
		out = append(out, src.profileKind(k))
		codes = append(codes, out[len(out)-1].Code)
	}
	others := src.profileKind(src.other)
	others.OtherCodes = codes
	return append(out, others)
}

func (src source) profileKind(k kind) ProfileKind {
	names := src.supplied(k)
	slices.Sort(names)
	// Windows' own records gain items from version to version.
	p := ProfileKind{fields: slices.Compact(names), anyData: k.items == "" || src.name != "sysmon"}
	if k.id != 0 {
		p.Code = strconv.Itoa(int(k.id))
	}
	p.Always = map[string][]string{
		"event.kind": {"event"}, "event.category": k.category, "event.type": k.types,
		"host.os.type": {"windows"}, "host.os.family": {"windows"},
		"data_stream.type": {"logs"}, "data_stream.namespace": {"default"},
	}
	p.OneOf = map[string][]string{"event.provider": src.providers}
	if p.Code != "" {
		p.Always["event.code"] = []string{p.Code}
	}
	if src.dataset != "" {
		p.Always["event.dataset"], p.Always["data_stream.dataset"] = []string{src.dataset}, []string{src.dataset}
		p.Always["event.module"] = []string{src.module}
	} else {
		p.OneOf["event.dataset"], p.OneOf["data_stream.dataset"] = serviceDatasets, serviceDatasets
		p.OneOf["event.module"] = serviceModules
	}
	// The names of Sysmon's tasks stand in its manifest, in one language but in other
	// words from version to version. Those of Windows depend on the host's language.
	if src.name == "sysmon" && k.action != "" {
		p.OneOf["event.action"] = []string{k.action, k.task, "* (rule: *)"}
	}
	for _, name := range src.computed(k) {
		delete(p.Always, name)
		delete(p.OneOf, name)
	}
	return p
}

// computed gives the fields that items or finishes of a kind may set.
func (src source) computed(k kind) []string {
	var names []string
	for _, f := range slices.Concat(k.finish, src.finish) {
		names = append(names, f.to...)
	}
	for _, mv := range slices.Concat(k.moves, src.vocabulary) {
		names = append(names, mv.fields()...)
	}
	return names
}
