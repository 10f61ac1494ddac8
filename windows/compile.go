package windows

import (
	"slices"
	"strings"
)

// schema is the compiled form of all tables. It never changes.
type schema struct {
	fields []field // sorted, so that the fields of an object follow each other
	base   []slot  // the fields of baseFields
	life   []slot  // the fields of lineageFields
	byName map[string]*compiledSource
	others compiledSource // for providers without a table
	kinds  int            // number of compiledKinds
}

// slot is the number of a field: its index in schema.fields.
type slot uint8

// field is one field of an event, and where it stands in the document.
type field struct {
	name  string
	depth int // the objects around it
	// shared says, for each other field, in how many objects both stand.
	shared []uint8
	// prefix is what stands before the value where that many of the objects are
	// already open: a comma, what opens the others, and the name.
	prefix []string
}

type compiledSource struct {
	source
	byID  map[uint32]*compiledKind
	other *compiledKind
}

type compiledKind struct {
	number   int
	category string // as JSON
	types    string // as JSON
	action   string
	outcome  string
	task     string
	moves    map[string]*compiledMove
	finish   []compiledFinish
}

type compiledMove struct {
	how  reading
	to   []slot
	kept string // name in winlog.event_data, "" if the item does not stay
}

type compiledFinish struct {
	to  []slot
	run func(m *Mapper, r *Record, to []slot)
}

// compile builds the schema of all sources.
func compile() *schema {
	all := sources()
	s := &schema{byName: map[string]*compiledSource{}}
	numbers := s.number(all)
	s.base, s.life = slots(numbers, baseFields), slots(numbers, lineageFields)
	for _, src := range all {
		c := s.source(src, numbers)
		for _, name := range src.providers {
			s.byName[name] = c
		}
	}
	s.others = *s.source(source{nothing: isEmpty}, numbers)
	return s
}

// number gives all fields of the tables their slots.
func (s *schema) number(all []source) map[string]slot {
	names := slices.Concat(baseFields, lineageFields)
	for _, src := range all {
		names = append(names, src.every()...)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	slices.SortFunc(names, func(a, b string) int {
		return slices.Compare(strings.Split(a, "."), strings.Split(b, "."))
	})
	numbers := map[string]slot{}
	paths := make([][]string, len(names))
	for i, name := range names {
		numbers[name], paths[i] = slot(i), strings.Split(name, ".")
	}
	for i, name := range names {
		words := paths[i]
		last := len(words) - 1
		f := field{name: name, depth: last}
		for _, other := range paths {
			f.shared = append(f.shared, shared(words[:last], other))
		}
		for i := range words {
			text := ","
			for _, word := range words[i:last] {
				text += `"` + word + `":{`
			}
			f.prefix = append(f.prefix, text+`"`+words[last]+`":`)
		}
		s.fields = append(s.fields, f)
	}
	if len(names) > maxSlots {
		panic("windows: more fields than a Mapper has room for")
	}
	return numbers
}

// shared counts the objects, by their names from outside, that a field of another
// path stands in too.
func shared(objects, path []string) uint8 {
	n := 0
	for n < len(objects) && n < len(path)-1 && objects[n] == path[n] {
		n++
	}
	return uint8(n)
}

// every gives all fields that records of a source may fill.
func (src source) every() []string {
	var names []string
	for _, mv := range src.vocabulary {
		names = append(names, mv.fields()...)
	}
	for _, k := range append(slices.Clone(src.kinds), src.other) {
		for _, mv := range k.moves {
			names = append(names, mv.fields()...)
		}
		for _, f := range k.finish {
			names = append(names, f.to...)
		}
	}
	for _, f := range src.finish {
		names = append(names, f.to...)
	}
	return names
}

func (s *schema) source(src source, numbers map[string]slot) *compiledSource {
	c := &compiledSource{source: src, byID: map[uint32]*compiledKind{}}
	for _, k := range src.kinds {
		c.byID[k.id] = s.kind(src, k, numbers)
	}
	c.other = s.kind(src, src.other, numbers)
	return c
}

func (s *schema) kind(src source, k kind, numbers map[string]slot) *compiledKind {
	c := &compiledKind{
		number: s.kinds, category: jsonList(k.category), types: jsonList(k.types),
		action: k.action, outcome: k.outcome, task: k.task, moves: map[string]*compiledMove{},
	}
	s.kinds++
	for _, mv := range slices.Concat(k.moves, src.vocabulary) {
		if c.moves[mv.item] == nil {
			c.moves[mv.item] = &compiledMove{how: mv.how, to: slots(numbers, mv.fields()), kept: mv.kept()}
		}
	}
	for _, f := range slices.Concat(k.finish, src.finish) {
		c.finish = append(c.finish, compiledFinish{slots(numbers, f.to), f.run})
	}
	return c
}

func slots(numbers map[string]slot, names []string) []slot {
	var out []slot
	for _, name := range names {
		n, ok := numbers[name]
		if !ok {
			panic("windows: field without a slot: " + name)
		}
		out = append(out, n)
	}
	return out
}

// jsonList writes words as a JSON list, "" for none.
func jsonList(words []string) string {
	if len(words) == 0 {
		return ""
	}
	return `["` + strings.Join(words, `","`) + `"]`
}

// parent gives the object of a field.
func parent(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[:i]
	}
	return ""
}
