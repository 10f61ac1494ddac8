package coverage

import (
	"slices"
	"strings"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/windows"
)

// Source is where events come from. It does not change once it is made.
type Source struct {
	Name  string
	Kinds []*Kind
	// Events counts what was seen of it; 0: nobody looked.
	Events int64

	providers, datasets []string
}

// Kind is a sort of event.
type Kind struct {
	// Indices are the names that the index of its events may have for index patterns;
	// none: nobody knows.
	Indices []string

	values   map[string]domain
	supplies func(field string) bool
}

// Supplies reports whether events of the kind can have a field.
func (k *Kind) Supplies(field string) bool {
	if k.supplies(field) {
		return true
	}
	i := strings.LastIndexByte(field, '.')
	if i < 0 {
		return false
	}
	switch field[i+1:] {
	case "caseless", "text", "keyword": // other views of a field
		return k.supplies(field[:i])
	}
	return false
}

// domain is what is known of the values that a field has in the events of a kind.
type domain struct {
	// values are those it may have; every event has all of them and no others if always
	// is set. Otherwise it may be missing.
	values []string
	always bool
	// patterns are what further values look like, but none of except.
	patterns, except []string
}

// allows reports whether a value is among the further ones. Case counts for nothing
// here, as some tests ignore it.
func (d *domain) allows(value string) bool {
	return !slices.Contains(d.except, value) &&
		slices.ContainsFunc(d.patterns, func(p string) bool { return eql.MatchWildcard(p, value, true) })
}

// Known gives the sources of which tables tell what they can supply.
func Known() []*Source {
	var out []*Source
	for _, p := range windows.Profiles() {
		if len(p.Kinds) == 0 {
			continue // no limits are known
		}
		s := &Source{Name: p.Name, providers: p.Providers, datasets: p.Datasets}
		for i := range p.Kinds {
			s.Kinds = append(s.Kinds, windowsKind(&p, &p.Kinds[i]))
		}
		out = append(out, s)
	}
	return out
}

func windowsKind(p *windows.Profile, k *windows.ProfileKind) *Kind {
	out := &Kind{values: map[string]domain{}, supplies: k.Supplies}
	for _, dataset := range p.Datasets {
		out.Indices = append(out.Indices, "logs-"+dataset+"-default")
	}
	for name, values := range k.Always {
		out.values[name] = domain{values: values, always: true}
	}
	for name, values := range k.OneOf {
		var d domain
		for _, v := range values {
			if strings.Contains(v, "*") {
				d.patterns = append(d.patterns, v)
			} else {
				d.values = append(d.values, v)
			}
		}
		out.values[name] = d
	}
	if len(k.OtherCodes) > 0 {
		out.values["event.code"] = domain{patterns: []string{"*"}, except: k.OtherCodes}
	}
	return out
}

// Recognise gives the source among some that an event comes from, by its
// event.provider and event.dataset; nil if it is none of them.
func Recognise(among []*Source, provider, dataset string) *Source {
	for _, s := range among {
		if slices.Contains(s.providers, provider) {
			return s
		}
	}
	if provider == "" {
		for _, s := range among {
			if slices.Contains(s.datasets, dataset) {
				return s
			}
		}
	}
	return nil
}

// Join makes a source of the events of several.
func Join(name string, sources ...*Source) *Source {
	out := &Source{Name: name}
	for _, s := range sources {
		out.Kinds = append(out.Kinds, s.Kinds...)
		out.Events += s.Events
	}
	return out
}
