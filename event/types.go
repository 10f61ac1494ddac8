package event

import (
	_ "embed"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Type is the Elasticsearch type of a field, as far as EQL tells types apart.
type Type uint8

// The field types. Unknown means that no table lists the field: its values have
// the kind of their JSON tokens. EQL cannot use those from Object on.
const (
	Unknown Type = iota
	Keyword
	Wildcard
	Text
	Boolean
	LongType
	DoubleType
	DateType
	DateNanos
	IPType
	VersionType
	Flattened
	Object
	Nested
	Geo
	Histogram
	Binary
)

// typeNames lists, for each Type, its name and the other Elasticsearch types
// that behave alike in EQL.
var typeNames = [...][]string{
	Unknown:     {"unknown"},
	Keyword:     {"keyword", "constant_keyword"},
	Wildcard:    {"wildcard"},
	Text:        {"text", "match_only_text"},
	Boolean:     {"boolean"},
	LongType:    {"long", "integer", "short", "byte", "unsigned_long"},
	DoubleType:  {"double", "float", "half_float", "scaled_float"},
	DateType:    {"date"},
	DateNanos:   {"date_nanos"},
	IPType:      {"ip"},
	VersionType: {"version"},
	Flattened:   {"flattened"},
	Object:      {"object", "array"},
	Nested:      {"nested"},
	Geo:         {"geo_point", "geo_shape"},
	Histogram:   {"histogram"},
	Binary:      {"binary"},
}

// String gives the type's name in Elasticsearch's words.
func (t Type) String() string { return typeNames[t][0] }

// IsString reports whether values of the type are text in EQL.
func (t Type) IsString() bool {
	return t == Keyword || t == Wildcard || t == Text || t == Flattened
}

// readsAll reports whether the type can read every scalar.
func (t Type) readsAll() bool { return t.IsString() || t == Unknown }

// Unsupported reports whether EQL cannot use the type.
func (t Type) Unsupported() bool { return t >= Object }

// IsNumber reports whether values of the type are numbers.
func (t Type) IsNumber() bool { return t == LongType || t == DoubleType }

// ParseType reads an Elasticsearch type name.
func ParseType(name string) (Type, bool) {
	for t, names := range typeNames {
		if t != int(Unknown) && slices.Contains(names, name) {
			return Type(t), true
		}
	}
	return Unknown, false
}

// Types tells the type of fields. It does not change once made.
type Types struct {
	of      map[string]Type
	parents func() map[string]bool
}

//go:embed fieldtypes.txt
var fieldTypes string

var defaultTypes = sync.OnceValue(func() *Types {
	t, err := NewTypes(nil).Extend(strings.NewReader(fieldTypes), "fieldtypes.txt")
	if err != nil {
		panic("event: the embedded field table does not parse: " + err.Error())
	}
	return t
})

// DefaultTypes gives the types of ECS, Elastic Defend and the other fields that
// public rules name.
func DefaultTypes() *Types { return defaultTypes() }

// NewTypes makes a table from field names and types.
func NewTypes(of map[string]Type) *Types {
	t := &Types{of: maps.Clone(of)}
	t.parents = sync.OnceValue(t.findParents)
	return t
}

// findParents gives every name that has a known field below it.
func (t *Types) findParents() map[string]bool {
	parents := map[string]bool{}
	for field := range t.of {
		if parent, _, ok := t.multiField(field); ok && t.of[parent] != Unknown {
			continue // below a field, not below an object
		}
		for i, c := range field {
			if c == '.' {
				parents[field[:i]] = true
			}
		}
	}
	return parents
}

// IsParent reports whether the name is that of an object: known fields lie below
// it.
func (t *Types) IsParent(name string) bool { return t.parents()[name] }

// Extend reads field types and gives a table in which they add to, or replace,
// those of t. The text holds one field a line, either as "field type" or below
// a line "[type]"; "#" starts a comment. Name is what errors call the text.
func (t *Types) Extend(r io.Reader, name string) (*Types, error) {
	of := make(map[string]Type, len(t.of)+5000)
	maps.Copy(of, t.of)
	section := Unknown
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	line := 0
	for rest := range strings.Lines(string(text)) { // names share the memory of the text
		line++
		text, _, _ := strings.Cut(rest, "#")
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		field, typ, heading, err := parseTypeLine(words, section)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, line, err)
		}
		if heading {
			section = typ
		} else {
			of[field] = typ
		}
	}
	return NewTypes(of), nil
}

func parseTypeLine(words []string, section Type) (field string, typ Type, heading bool, err error) {
	typ = section
	if inner, ok := strings.CutPrefix(words[0], "["); ok && strings.HasSuffix(inner, "]") {
		heading = true
		words = []string{"", strings.TrimSuffix(inner, "]")}
	}
	if len(words) > 2 {
		return "", typ, false, fmt.Errorf("expected a field and its type, found %d words", len(words))
	}
	if len(words) == 2 {
		var ok bool
		if typ, ok = ParseType(words[1]); !ok {
			return "", typ, false, fmt.Errorf("unknown field type %q; known are keyword, wildcard, text, boolean, long, double, date, date_nanos, ip, version, flattened, object", words[1])
		}
	}
	if typ == Unknown {
		return "", typ, false, fmt.Errorf("field %q has no type: write \"%s keyword\", or put it below a line \"[keyword]\"", words[0], words[0])
	}
	return words[0], typ, heading, nil
}

// Lookup gives the type of a field, and whether the table knows it. A multi-field
// (process.name.caseless, .text, .keyword) has its parent's type; every field
// below a flattened one is text.
func (t *Types) Lookup(field string) (Type, bool) {
	if parent, _, ok := t.multiField(field); ok {
		if typ, ok := t.of[parent]; ok {
			return typ, true
		}
	}
	if typ, ok := t.of[field]; ok {
		return typ, true
	}
	for parent := field; ; {
		i := strings.LastIndexByte(parent, '.')
		if i < 0 {
			return Unknown, false
		}
		parent = parent[:i]
		if typ, ok := t.of[parent]; ok && typ == Flattened {
			return Flattened, true
		}
	}
}

// Known reports whether the table lists the field itself.
func (t *Types) Known(field string) bool {
	_, ok := t.of[field]
	return ok
}

// Names gives the names of all known fields, sorted.
func (t *Types) Names() []string { return slices.Sorted(maps.Keys(t.of)) }

// multiField splits the name of a multi-field into its parent's name and whether
// it reads the parent without regard to case. A field that is listed and whose
// parent holds no text, such as process.io.text, is none.
func (t *Types) multiField(field string) (parent string, caseless, ok bool) {
	i := strings.LastIndexByte(field, '.')
	if i <= 0 {
		return "", false, false
	}
	switch field[i+1:] {
	case "caseless":
		caseless = true
	case "text", "keyword":
	default:
		return "", false, false
	}
	parent = field[:i]
	return parent, caseless, !t.Known(field) || t.of[parent].IsString()
}
