package rule

// The TOML files of the detection-rules repository: tables [metadata], [rule]
// and [transform].

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

func (l *Loader) tomlFile(file string, text []byte) {
	var doc map[string]any
	if err := toml.Unmarshal(text, &doc); err != nil {
		l.fileProblem(tomlProblem(file, text, err))
		return
	}
	l.texts.in(doc)
	params, ok := doc["rule"].(map[string]any)
	if !ok {
		l.skipFile(file, "no [rule] table")
		return
	}
	r := &Rule{File: file, Form: TOML, Line: 1}
	r.Metadata, _ = doc["metadata"].(map[string]any)
	positions := tomlPositions{text: text}
	s := &source{file: file, text: text, rule: r}
	s.find = func(path string) extent { return positions.find("rule." + path) }
	s.offset = func(n int) int { return positions.queryOffset("rule.query", n) }
	params = maps.Clone(params)
	flattenNewTerms(params)
	expandTransforms(params, doc["transform"])
	moveSetup(params)
	r.Params = params
	f := newReader("", params, s.report)
	r.fill(f)
	if len(r.RelatedIntegrations) == 0 {
		for _, name := range newReader("", r.Metadata, s.report).strs("integration") {
			r.RelatedIntegrations = append(r.RelatedIntegrations, Integration{Package: name})
		}
	}
	s.finish()
	l.add(r)
}

// tomlProblem turns a decoder's error into a problem in its place.
func tomlProblem(file string, text []byte, err error) Problem {
	p := Problem{File: file, Code: "toml-syntax", Message: err.Error(), Hint: "the file is not valid TOML"}
	var de *toml.DecodeError
	if errors.As(err, &de) {
		p.Line, p.Column = de.Position()
		p.Length = 1
		if lines := bytes.Split(text, []byte("\n")); p.Line >= 1 && p.Line <= len(lines) {
			p.Snippet = strings.TrimRight(string(lines[p.Line-1]), "\r")
		}
	}
	p.Message = strings.TrimPrefix(p.Message, "toml: ")
	return p
}

// flattenNewTerms turns the repository's own layout of new-terms parameters into
// that of the API.
func flattenNewTerms(params map[string]any) {
	nt, ok := params["new_terms"].(map[string]any)
	if !ok {
		return
	}
	delete(params, "new_terms")
	params["new_terms_fields"] = nt["value"]
	if windows, ok := nt["history_window_start"].([]any); ok && len(windows) > 0 {
		if w, ok := windows[0].(map[string]any); ok {
			params["history_window_start"] = w["value"]
		}
	}
}

// expandTransforms puts the entries of [transform] in the place of $osquery_0,
// $investigate_0 and so on in the guide.
func expandTransforms(params map[string]any, transform any) {
	tables, _ := transform.(map[string]any)
	note, _ := params["note"].(string)
	if len(tables) == 0 || note == "" {
		return
	}
	for plugin, list := range tables {
		entries, _ := list.([]any)
		for i := len(entries) - 1; i >= 0; i-- { // $osquery_10 before $osquery_1
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			if enc.Encode(entries[i]) != nil {
				continue
			}
			text := "!{" + plugin + strings.TrimSpace(b.String()) + "}"
			note = strings.ReplaceAll(note, "$"+plugin+"_"+strconv.Itoa(i), text)
		}
	}
	params["note"] = note
}

// tomlPositions finds the values of a TOML file by path. The file is walked on
// first use only, for most files have no problem.
type tomlPositions struct {
	text    []byte
	values  map[string]extent
	strings map[string]extent // string values with their quotes
	headers map[string]extent // tables, by their path
}

func (p *tomlPositions) walk() {
	if p.values != nil {
		return
	}
	p.values, p.strings, p.headers = map[string]extent{}, map[string]extent{}, map[string]extent{}
	arrays := map[string]int{}
	var parser unstable.Parser
	parser.Reset(p.text)
	table := ""
	for parser.NextExpression() {
		e := parser.Expression()
		var at extent
		var path []string
		for it := e.Key(); it.Next(); {
			k := it.Node()
			if len(path) == 0 {
				at.start = int(k.Raw.Offset)
			}
			at.end = int(k.Raw.Offset + k.Raw.Length)
			path = append(path, string(k.Data))
			if full := strings.Join(path, "."); e.Kind != unstable.KeyValue && arrays[full] > 0 && it.IsLast() == (e.Kind == unstable.Table) {
				path = append(path, strconv.Itoa(arrays[full]-1))
			}
		}
		switch e.Kind {
		case unstable.Table:
			table = strings.Join(path, ".")
			p.headers[table] = at
		case unstable.ArrayTable:
			name := strings.Join(path, ".")
			table = fmt.Sprintf("%s.%d", name, arrays[name])
			arrays[name]++
			p.headers[table] = at
			if arrays[name] == 1 {
				p.headers[name] = at
			}
		case unstable.KeyValue:
			p.value(strings.TrimPrefix(table+"."+strings.Join(path, "."), "."), at, e.Value())
		}
	}
}

// value notes the extent of a value, and of those within it.
func (p *tomlPositions) value(path string, key extent, v *unstable.Node) {
	e := key
	if v.Raw.Length > 0 {
		e = extent{int(v.Raw.Offset), int(v.Raw.Offset + v.Raw.Length)}
	}
	p.values[path] = e
	if v.Kind == unstable.String {
		p.strings[path] = e
	}
	if v.Kind != unstable.Array {
		return
	}
	i := 0
	for it := v.Children(); it.Next(); i++ {
		p.value(path+"."+strconv.Itoa(i), key, it.Node())
	}
}

// find gives the extent of a value, else of the nearest table around it.
func (p *tomlPositions) find(path string) extent {
	p.walk()
	for {
		if e, ok := p.values[path]; ok {
			line := bytes.IndexByte(p.text[e.start:e.end], '\n')
			if line >= 0 {
				e.end = e.start + line
			}
			return e
		}
		if e, ok := p.headers[path]; ok {
			return e
		}
		i := strings.LastIndexByte(path, '.')
		if i < 0 {
			return extent{}
		}
		path = path[:i]
	}
}

// queryOffset gives the place in the file of byte n of a string value.
func (p *tomlPositions) queryOffset(path string, n int) int {
	p.walk()
	e, ok := p.strings[path]
	if !ok {
		return 0
	}
	raw := p.text[e.start:e.end]
	quote := 1
	if bytes.HasPrefix(raw, []byte(`'''`)) || bytes.HasPrefix(raw, []byte(`"""`)) {
		quote = 3
	}
	inside := raw[quote : len(raw)-quote]
	start := e.start + quote
	if quote == 3 { // a line break directly behind the opening quotes is no part of the value
		trimmed := bytes.TrimPrefix(bytes.TrimPrefix(inside, []byte("\r")), []byte("\n"))
		start += len(inside) - len(trimmed)
		inside = trimmed
	}
	if raw[0] == '\'' {
		return start + min(n, len(inside))
	}
	return start + escapedOffset(inside, n)
}
