package config

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"

	"github.com/shrike-project/shrike/rule"
)

// Read reads a configuration. Env gives the value of an environment variable, for the
// places where a text holds ${NAME}. Name is the file's, for the problems. The
// configuration can be used only if there are none.
func Read(name string, text []byte, env func(string) (string, bool)) (*Config, []rule.Problem) {
	r := &reader{file: name, text: text, places: placesOf(text)}
	c := Default()
	dec := toml.NewDecoder(bytes.NewReader(text)).DisallowUnknownFields()
	if err := dec.Decode(c); err != nil && !r.decodeError(err) {
		return c, r.problems
	}
	unknown := len(r.problems)
	r.expand(reflect.ValueOf(c).Elem(), "", env)
	if len(r.problems) == unknown {
		c.check(r.report)
	}
	slices.SortStableFunc(r.problems, func(a, b rule.Problem) int { return a.Line - b.Line })
	return c, r.problems
}

type reader struct {
	file     string
	text     []byte
	places   map[string]unstable.Position
	problems []rule.Problem
}

// report notes a problem with the value of a key, whose path is as "listen.address".
func (r *reader) report(key, code, message, hint string) {
	for path := key; ; {
		if at, ok := r.places[path]; ok {
			r.at(at.Line, at.Column, utf8.RuneCountInString(path[strings.LastIndexByte(path, '.')+1:]), code, message, hint)
			return
		}
		cut := strings.LastIndexByte(path, '.')
		if cut < 0 {
			r.problems = append(r.problems, rule.Problem{File: r.file, Code: code, Message: message, Hint: hint})
			return
		}
		path = path[:cut]
	}
}

func (r *reader) at(line, column, length int, code, message, hint string) {
	p := rule.Problem{File: r.file, Line: line, Column: column, Length: max(1, length), Code: code, Message: message, Hint: hint}
	if lines := strings.Split(string(r.text), "\n"); line >= 1 && line <= len(lines) {
		p.Snippet = strings.TrimRight(lines[line-1], "\r")
	}
	r.problems = append(r.problems, p)
}

// decodeError reports what is wrong with a file, and whether the rest of it was read.
func (r *reader) decodeError(err error) bool {
	var strict *toml.StrictMissingError
	if errors.As(err, &strict) {
		for _, e := range strict.Errors {
			r.unknown(e.Key())
		}
		return true
	}
	var de *toml.DecodeError
	if errors.As(err, &de) {
		line, column := de.Position()
		r.at(line, column, 1, "config-syntax", strings.TrimPrefix(de.Error(), "toml: "), "")
		return false
	}
	r.problems = append(r.problems, rule.Problem{File: r.file, Code: "config-syntax", Message: err.Error()})
	return false
}

// unknown reports a key nobody knows, with the nearest one that is known.
func (r *reader) unknown(key toml.Key) {
	path := strings.Join(key, ".")
	hint := ""
	if known := nearest(key[len(key)-1], keysAt(reflect.TypeFor[Config](), key[:len(key)-1])); known != "" {
		hint = "did you mean " + known + "?"
	}
	r.report(path, "unknown-key", fmt.Sprintf("unknown key %q", path), hint)
}

// keysAt gives the keys that a table may have.
func keysAt(t reflect.Type, path []string) []string {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var keys []string
	for i := range t.NumField() {
		f := t.Field(i)
		key := keyOf(f)
		if f.Anonymous && key == "" {
			keys = append(keys, keysAt(f.Type, path)...)
		} else if len(path) == 0 {
			keys = append(keys, key)
		} else if key == path[0] {
			return keysAt(f.Type, path[1:])
		}
	}
	return keys
}

func keyOf(f reflect.StructField) string {
	key, _, _ := strings.Cut(f.Tag.Get("toml"), ",")
	return key
}

// nearest gives the known key that differs least from an unknown one, "" if none is
// near.
func nearest(key string, known []string) string {
	best, bestDistance := "", len(key)/2+1
	for _, k := range known {
		if d := distance(key, k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is the number of letters to change, add or take away.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// expand replaces ${NAME} in all texts below a value.
func (r *reader) expand(v reflect.Value, path string, env func(string) (string, bool)) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(r.expandText(v.String(), path, env))
	case reflect.Pointer:
		if !v.IsNil() {
			r.expand(v.Elem(), path, env)
		}
	case reflect.Slice:
		for i := range v.Len() {
			r.expand(v.Index(i), path+"["+strconv.Itoa(i)+"]", env)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if value := v.MapIndex(key); value.Kind() == reflect.String {
				text := r.expandText(value.String(), join(path, key.String()), env)
				v.SetMapIndex(key, reflect.ValueOf(text).Convert(value.Type()))
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			switch {
			case f.Anonymous && keyOf(f) == "":
				r.expand(v.Field(i), path, env)
			case f.IsExported():
				r.expand(v.Field(i), join(path, keyOf(f)), env)
			}
		}
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// expandText replaces ${NAME}; $${ stands for ${.
func (r *reader) expandText(text, path string, env func(string) (string, bool)) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		if !found {
			return out.String() + text
		}
		if escaped, ok := strings.CutSuffix(before, "$"); ok {
			out.WriteString(escaped + "${")
			text = rest
			continue
		}
		name, after, closed := strings.Cut(rest, "}")
		value, set := "", false
		if closed {
			value, set = env(name)
		}
		if !set {
			r.report(path, "no-variable", fmt.Sprintf("%s: the environment variable %q is not set", path, name), "set it, or write $${ for the text ${ itself")
		}
		out.WriteString(before + value)
		text = after
	}
}

// placesOf gives where each key of a file stands, by its path: "a.b", and "a[0].b" in
// lists of tables.
func placesOf(text []byte) map[string]unstable.Position {
	places := map[string]unstable.Position{}
	var p unstable.Parser
	p.Reset(text)
	table, lists := "", map[string]int{}
	for p.NextExpression() {
		e := p.Expression()
		path, at := "", unstable.Position{}
		for it := e.Key(); it.Next(); {
			if part := it.Node(); part.Raw.Length > 0 {
				at = p.Shape(part.Raw).Start
			}
			path = join(path, string(it.Node().Data))
		}
		switch e.Kind {
		case unstable.Table:
			if list, rest, ok := strings.Cut(path, "."); ok && lists[list] > 0 { // of its last table
				path = fmt.Sprintf("%s[%d].%s", list, lists[list]-1, rest)
			}
			table = path
		case unstable.ArrayTable:
			table = fmt.Sprintf("%s[%d]", path, lists[path])
			lists[path]++
		case unstable.KeyValue:
			path = join(table, path)
		}
		if e.Kind != unstable.KeyValue {
			places[table] = at
		}
		if _, ok := places[path]; !ok {
			places[path] = at
		}
		if plain := unlisted(path); plain != path {
			if _, ok := places[plain]; !ok {
				places[plain] = at
			}
		}
	}
	return places
}

// unlisted takes the numbers out of a path, as the decoder's own paths have none.
func unlisted(path string) string {
	var out strings.Builder
	for path != "" {
		before, rest, found := strings.Cut(path, "[")
		out.WriteString(before)
		if !found {
			break
		}
		_, path, _ = strings.Cut(rest, "]")
	}
	return out.String()
}
