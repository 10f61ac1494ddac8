package event

import "encoding/json"

// Document reads a whole document as maps, lists, strings, json.Numbers, booleans
// and nil, with the same leniency as a Decoder and so that nothing a Decoder sees
// is lost: duplicate keys become one member, objects merged and other values in a
// list; escapes JSON does not know keep their characters; words that are no JSON
// become text. It gives nil for text that is not an object. The result owns its
// memory.
func Document(doc []byte) map[string]any {
	r := documentReader{doc: doc}
	r.i = skipSpace(doc, 0)
	if r.i >= len(doc) || doc[r.i] != '{' {
		return nil
	}
	return r.object()
}

type documentReader struct {
	doc   []byte
	i     int
	depth int
}

func (r *documentReader) peek() byte {
	r.i = skipSpace(r.doc, r.i)
	if r.i < len(r.doc) {
		return r.doc[r.i]
	}
	return 0
}

// object reads the object at i and moves behind it.
func (r *documentReader) object() map[string]any {
	out := map[string]any{}
	r.i++
	r.depth++
	defer func() { r.depth-- }()
	for r.i < len(r.doc) {
		switch r.peek() {
		case '}':
			r.i++
			return out
		case '"':
			key := r.str()
			if r.peek() == ':' {
				r.i++
			}
			value := r.value()
			if old, ok := out[key]; ok {
				value = join(old, value)
			}
			out[key] = value
		default:
			r.i++ // a comma, or what should not be here
		}
	}
	return out
}

func (r *documentReader) array() []any {
	out := []any{}
	r.i++
	r.depth++
	defer func() { r.depth-- }()
	for r.i < len(r.doc) {
		switch r.peek() {
		case ']', '}':
			r.i++
			return out
		case ',', ':':
			r.i++
		default:
			out = append(out, r.value())
		}
	}
	return out
}

func (r *documentReader) value() any {
	switch c := r.peek(); {
	case r.depth > MaxDepth:
		r.i = len(r.doc)
		return nil
	case c == '{':
		return r.object()
	case c == '[':
		return r.array()
	case c == '"':
		return r.str()
	case c == '}' || c == ']' || c == ',' || c == 0:
		return nil
	}
	end := skipScalar(r.doc, r.i)
	if end == r.i {
		r.i++
		return nil
	}
	word := r.doc[r.i:end]
	r.i = end
	switch string(word) {
	case "null":
		return nil
	case "true":
		return true
	case "false":
		return false
	}
	if _, ok := numberKind(word); ok {
		return json.Number(word)
	}
	return string(appendUnescaped(nil, []byte(word)))
}

func (r *documentReader) str() string {
	end, _ := skipString(r.doc, r.i)
	if end < 0 {
		s := string(appendUnescaped(nil, r.doc[min(r.i+1, len(r.doc)):]))
		r.i = len(r.doc)
		return s
	}
	s := string(appendUnescaped(nil, r.doc[r.i+1:end-1]))
	r.i = end
	return s
}

// join makes one value of those of two members of the same name.
func join(a, b any) any {
	m, ok1 := a.(map[string]any)
	n, ok2 := b.(map[string]any)
	if ok1 && ok2 {
		for key, v := range n {
			if old, ok := m[key]; ok {
				v = join(old, v)
			}
			m[key] = v
		}
		return m
	}
	return append(asList(a), asList(b)...)
}

func asList(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	if v == nil {
		return nil
	}
	return []any{v}
}
