package rule

// Reading values out of a decoded document: every fault is reported with its
// place, and reading goes on with the zero value.

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// reporter takes a problem at a path of the document, such as "rule.name".
type reporter func(path, code, hint, message string, warning bool)

// reader reads the members of one object.
type reader struct {
	path   string
	values map[string]any
	report reporter
	seen   map[string]bool
}

func newReader(path string, values map[string]any, report reporter) *reader {
	return &reader{path: path, values: values, report: report, seen: map[string]bool{}}
}

func (r *reader) at(key string) string {
	if r.path == "" {
		return key
	}
	return r.path + "." + key
}

func (r *reader) get(key string) any {
	r.seen[key] = true
	return r.values[key]
}

func (r *reader) wrongType(key, want string, got any) {
	r.report(r.at(key), "bad-value", "", fmt.Sprintf("%s has to be %s, found %s", key, want, typeName(got)), false)
}

func typeName(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case int64, float64:
		return "a number"
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	case nil:
		return "null"
	}
	return fmt.Sprintf("%T", v)
}

func (r *reader) str(key string) string {
	switch v := r.get(key).(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		r.wrongType(key, "a string", v)
		return ""
	}
}

// text reads a value that is used as text, whatever its type.
func (r *reader) text(key string) string {
	switch v := r.get(key).(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

// strs reads a list of strings; a lone string is a list of one.
func (r *reader) strs(key string) []string {
	switch v := r.get(key).(type) {
	case nil:
		return nil
	case string:
		return []string{v}
	case []any:
		list := make([]string, 0, len(v))
		for i, e := range v {
			s, ok := e.(string)
			if !ok {
				r.wrongType(key+"."+strconv.Itoa(i), "a string", e)
				continue
			}
			list = append(list, s)
		}
		return list
	default:
		r.wrongType(key, "a list of strings", v)
		return nil
	}
}

func (r *reader) boolean(key string) bool {
	switch v := r.get(key).(type) {
	case nil:
		return false
	case bool:
		return v
	default:
		r.wrongType(key, "true or false", v)
		return false
	}
}

func (r *reader) number(key string) (float64, bool) {
	switch v := r.get(key).(type) {
	case nil:
		return 0, false
	case int64:
		return float64(v), true
	case float64:
		return v, true
	default:
		r.wrongType(key, "a number", v)
		return 0, false
	}
}

func (r *reader) integer(key string) int {
	n, _ := r.number(key)
	if n != float64(int(n)) {
		r.wrongType(key, "a whole number", r.values[key])
	}
	return int(n)
}

// object reads a nested object; an absent one is empty.
func (r *reader) object(key string) *reader {
	switch v := r.get(key).(type) {
	case nil:
		return newReader(r.at(key), nil, r.report)
	case map[string]any:
		return newReader(r.at(key), v, r.report)
	default:
		r.wrongType(key, "a table", v)
		return newReader(r.at(key), nil, r.report)
	}
}

// objects reads a list of objects.
func (r *reader) objects(key string) []*reader {
	switch v := r.get(key).(type) {
	case nil:
		return nil
	case []any:
		var list []*reader
		for i, e := range v {
			path := key + "." + strconv.Itoa(i)
			if m, ok := e.(map[string]any); ok {
				list = append(list, newReader(r.at(path), m, r.report))
			} else {
				r.wrongType(path, "a table", e)
			}
		}
		return list
	default:
		r.wrongType(key, "a list of tables", v)
		return nil
	}
}

// list reads a list of anything.
func (r *reader) list(key string) []any {
	switch v := r.get(key).(type) {
	case nil:
		return nil
	case []any:
		return v
	default:
		r.wrongType(key, "a list", v)
		return nil
	}
}

// finite reports numbers that JSON cannot hold, wherever they stand, and takes them
// out.
func (r *reader) finite(path string, v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			r.report(r.at(strings.TrimPrefix(path, ".")), "bad-value", "", fmt.Sprintf("%v is no number a rule can hold", v), false)
			return 0.0
		}
	case map[string]any:
		for key, inner := range v {
			v[key] = r.finite(path+"."+key, inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = r.finite(path+"."+strconv.Itoa(i), inner)
		}
	}
	return v
}

// unknown reports the members nobody has read, each with the known key that is
// most like it.
func (r *reader) unknown(known []string) {
	for _, key := range slices.Sorted(maps.Keys(r.values)) {
		if !r.seen[key] {
			hint := "it is kept, but means nothing to Shrike"
			if like := closest(key, known); like != "" {
				hint = "did you mean " + like + "?"
			}
			r.report(r.at(key), "unknown-key", hint, fmt.Sprintf("unknown key %q", key), true)
		}
	}
}

// closest gives the known key that differs from key by little more than spelling.
func closest(key string, known []string) string {
	plain := func(s string) string {
		return strings.ToLower(strings.NewReplacer("_", "", "-", "", "s", "").Replace(s))
	}
	for _, k := range known {
		if plain(k) == plain(key) {
			return k
		}
	}
	return ""
}
