package event

// The plain reader of documents, straight to maps: what TreeReader is held to.

import "encoding/json"

// PlainDocument does what Document does.
func PlainDocument(doc []byte) map[string]any {
	r := plainReader{doc: doc}
	r.i = skipSpace(doc, 0)
	if r.i >= len(doc) || doc[r.i] != '{' {
		return nil
	}
	return r.object()
}

type plainReader struct {
	doc   []byte
	i     int
	depth int
}

func (r *plainReader) peek() byte {
	r.i = skipSpace(r.doc, r.i)
	if r.i < len(r.doc) {
		return r.doc[r.i]
	}
	return 0
}

// object reads the object at i and moves behind it.
func (r *plainReader) object() map[string]any {
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
				value = plainJoin(old, value)
			}
			out[key] = value
		default:
			r.i++ // a comma, or what should not be here
		}
	}
	return out
}

func (r *plainReader) array() []any {
	out := []any{}
	r.i++
	r.depth++
	defer func() { r.depth-- }()
	for r.i < len(r.doc) {
		switch r.peek() {
		case ']', '}':
			r.i++
			return out
		case ',', ':', 0:
			r.i++
		default:
			out = append(out, r.value())
		}
	}
	return out
}

func (r *plainReader) value() any {
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

func (r *plainReader) str() string {
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

// plainJoin makes one value of those of two members of the same name.
func plainJoin(a, b any) any {
	m, ok1 := a.(map[string]any)
	n, ok2 := b.(map[string]any)
	if ok1 && ok2 {
		for key, v := range n {
			if old, ok := m[key]; ok {
				v = plainJoin(old, v)
			}
			m[key] = v
		}
		return m
	}
	return append(plainList(a), plainList(b)...)
}

func plainList(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	if v == nil {
		return nil
	}
	return []any{v}
}
