package windows

import (
	"slices"
	"strings"
)

// Profile says what a source can ever supply, so that a rule that asks for more can
// be told apart from one that found nothing.
type Profile struct {
	Name     string   // sysmon, security, …; defend for Elastic's own agent
	Datasets []string // the values of event.dataset its events have
	Modules  []string // the values of event.module
	// Providers are the values of event.provider; none of Elastic's own agent.
	Providers []string

	// Categories lists the event categories its events have, sorted. Events of some
	// kinds have none.
	Categories []string
	// Kinds are the sorts of records; none where no limits are known.
	Kinds []ProfileKind

	everything bool
	fields     map[string][]string // sorted, by category; "" for any
}

// Profiles lists what the sources of the tables can supply, and Elastic Defend, of
// which no limits are known. They follow from the tables.
func Profiles() []Profile {
	out := []Profile{{Name: "defend", Datasets: []string{"endpoint.events.*"}, Modules: []string{"endpoint"}, everything: true}}
	for _, src := range sources() {
		out = append(out, src.profile())
	}
	return out
}

// Supplies reports whether events of a category can have a field. Category "any" or
// "" stands for all of them. A field of a list of objects is supplied where the
// list is.
func (p *Profile) Supplies(category, field string) bool {
	if p.everything {
		return true
	}
	if category == "any" {
		category = ""
	}
	return supplies(p.fields[category], field)
}

// supplies reports whether a field is among the sorted fields, or is one of the
// objects of a list that is.
func supplies(fields []string, field string) bool {
	for name := field; name != ""; name = parent(name) {
		if _, ok := slices.BinarySearch(fields, name); ok {
			return name == field || isObjectList(name)
		}
	}
	return false
}

// isObjectList reports whether a field is a list of objects.
func isObjectList(name string) bool { return name == "dns.answers" || name == invocationField }

// Fields lists the fields that events of a category can have, sorted. It is nil
// where no limits are known.
func (p *Profile) Fields(category string) []string {
	if category == "any" {
		category = ""
	}
	return p.fields[category]
}

// serviceDatasets and serviceModules are those of the event log service.
var (
	serviceDatasets = []string{"system.security", "system.system"}
	serviceModules  = []string{"security", "system"}
)

func (src source) profile() Profile {
	p := Profile{Name: src.name, Modules: []string{src.module}, Datasets: []string{src.dataset}, Providers: src.providers,
		Kinds: src.profileKinds(), fields: map[string][]string{}}
	if src.dataset == "" { // the service reports in the log that it cleared
		p.Datasets, p.Modules = serviceDatasets, serviceModules
	}
	for _, k := range append(slices.Clone(src.kinds), src.other) {
		names := src.supplied(k)
		p.fields[""] = append(p.fields[""], names...)
		for _, c := range k.category {
			p.fields[c] = append(p.fields[c], names...)
		}
	}
	for c, names := range p.fields {
		slices.Sort(names)
		p.fields[c] = slices.Compact(names)
		if c != "" {
			p.Categories = append(p.Categories, c)
		}
	}
	slices.Sort(p.Categories)
	return p
}

// supplied gives the fields that records of a kind can fill: those of the base, and
// those of its items. A kind whose items are not listed may have any of the moves.
func (src source) supplied(k kind) []string {
	names := slices.Clone(baseFields)
	if k.category == nil {
		names = slices.DeleteFunc(names, func(name string) bool { return name == "event.category" })
	}
	for _, f := range slices.Concat(k.finish, src.finish) {
		names = append(names, f.to...)
	}
	items := strings.Fields(k.items)
	met := map[string]bool{}
	for i, mv := range slices.Concat(k.moves, src.vocabulary) {
		if met[mv.item] {
			continue
		}
		met[mv.item] = true
		// What the kind itself moves may stand in other versions of its records.
		if i >= len(k.moves) && k.items != "" && !slices.Contains(items, mv.item) && !slices.Contains(items, strings.ReplaceAll(mv.item, " ", "_")) {
			continue
		}
		names = append(names, mv.fields()...)
		if kept := mv.kept(); kept != "" {
			names = append(names, "winlog.event_data."+kept)
		}
	}
	for _, item := range items {
		if !met[item] {
			names = append(names, "winlog.event_data."+item)
		}
	}
	if src.reportsProcesses(k) {
		names = append(names, lineageFields...)
	}
	return names
}

// reportsProcesses reports whether a History completes records of a kind.
func (src source) reportsProcesses(k kind) bool {
	switch src.name {
	case "sysmon":
		return k.id == 1 || k.id == 5
	case "security":
		return k.id == 4688 || k.id == 4689
	}
	return false
}
