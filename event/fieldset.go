package event

import (
	"slices"
	"strings"
)

// Field is a handle for one field of a FieldSet.
type Field int

// NoField is no field of any set.
const NoField Field = -1

// FieldSet is the set of fields somebody asked for. Whoever compiles something
// that reads events adds the fields it needs; a Decoder made afterwards extracts
// just those. Adding is not safe for concurrent use, reading is.
type FieldSet struct {
	types  *Types
	fields []fieldInfo
	index  map[string]Field
	paths  []pathInfo
	places map[string]int // path → place in paths
	// alone is, by field, the only path that feeds it, -1 if there are several.
	alone []int32
}

type fieldInfo struct {
	name  string
	typ   Type
	known bool
	// caseless fields hold the lower-cased text of their parent.
	caseless bool
	// paths are the places in a document that feed the field, as indices.
	paths []int
}

// verbatim reports whether the values of texts are the texts.
func (i *fieldInfo) verbatim() bool { return i.typ.readsAll() && !i.caseless }

// pathInfo is a place in a document that feeds fields.
type pathInfo struct {
	path   string
	fields []Field
	// picky are the types, of all these fields, that cannot read every value.
	picky []Type
}

// NewFieldSet makes an empty set whose fields have the given types; nil stands
// for DefaultTypes.
func NewFieldSet(types *Types) *FieldSet {
	if types == nil {
		types = DefaultTypes()
	}
	return &FieldSet{types: types, index: map[string]Field{}, places: map[string]int{}}
}

// Add puts a field into the set, if it is not there yet, and gives its handle.
func (s *FieldSet) Add(name string) Field {
	if f, ok := s.index[name]; ok {
		return f
	}
	f := Field(len(s.fields))
	info := fieldInfo{name: name}
	info.typ, info.known = s.types.Lookup(name)
	feeds := []string{name}
	if parent, caseless, ok := s.types.multiField(name); ok {
		// The field may also stand in a document under its own name.
		feeds = append(feeds, parent)
		info.caseless = caseless
	}
	for _, path := range feeds {
		p, ok := s.places[path]
		if !ok {
			p = len(s.paths)
			s.places[path] = p
			s.paths = append(s.paths, pathInfo{path: path})
		}
		info.paths = append(info.paths, p)
		s.paths[p].fields = append(s.paths[p].fields, f)
		if picky := &s.paths[p].picky; !info.typ.readsAll() && !slices.Contains(*picky, info.typ) {
			*picky = append(*picky, info.typ)
		}
	}
	alone := int32(-1)
	if len(info.paths) == 1 {
		alone = int32(info.paths[0])
	}
	s.alone = append(s.alone, alone)
	s.fields = append(s.fields, info)
	s.index[name] = f
	return f
}

// Lookup gives the handle of a field that is in the set.
func (s *FieldSet) Lookup(name string) (Field, bool) {
	f, ok := s.index[name]
	return f, ok
}

// Len tells how many fields the set holds; their handles are 0 … Len()-1.
func (s *FieldSet) Len() int { return len(s.fields) }

// Name gives the name of a field.
func (s *FieldSet) Name(f Field) string { return s.fields[f].name }

// Type gives the type of a field, and whether it is known.
func (s *FieldSet) Type(f Field) (Type, bool) { return s.fields[f].typ, s.fields[f].known }

// Caseless reports whether the field is read without regard to case: its values
// are lower-cased, and what they are compared with has to be.
func (s *FieldSet) Caseless(f Field) bool { return s.fields[f].caseless }

// Types gives the table of types the set was made with.
func (s *FieldSet) Types() *Types { return s.types }

// pathNode is a node of the trie of wanted paths. A document is walked along it.
// It belongs to one Decoder, which notes in it which keys follow which.
type pathNode struct {
	children map[string]*pathNode
	place    int     // the index of the path that ends here, or -1
	picky    []Type  // as of that path
	meta     metaKey // what else a scalar at this path feeds, at the root only
	keys     keyOrder
	habit    habit
}

// wanted reports whether a scalar at the path feeds something.
func (n *pathNode) wanted() bool { return n.place >= 0 || n.meta != metaNone }

type metaKey uint8

const (
	metaNone metaKey = iota
	metaSource
	metaIndex
	metaID
)

func (s *FieldSet) trie() *pathNode {
	root := &pathNode{place: -1}
	for p, info := range s.paths {
		n := root.walk(info.path)
		n.place, n.picky = p, info.picky
	}
	return root
}

// walk goes down a dotted path and makes the nodes that are missing.
func (n *pathNode) walk(path string) *pathNode {
	for path != "" {
		var part string
		part, path, _ = strings.Cut(path, ".")
		if n.children == nil {
			n.children = map[string]*pathNode{}
		}
		next := n.children[part]
		if next == nil {
			next = &pathNode{place: -1}
			n.children[part] = next
		}
		n = next
	}
	return n
}

// find goes down a key as it stands in a document, which may hold dots. It gives
// nil where nothing wanted lies below.
func (n *pathNode) find(key []byte) *pathNode {
	if next, ok := n.children[string(key)]; ok {
		return next
	}
	for i, c := range key {
		if c != '.' {
			continue
		}
		if next := n.children[string(key[:i])]; next != nil {
			return next.find(key[i+1:])
		}
		return nil
	}
	return nil
}
