package rule

// Kibana's exports: one JSON object a line. Rules, exception lists, their items,
// connectors and the line with the counts are told apart by what they hold. A
// file with a single object, or an array of objects, over many lines is read too.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

func (l *Loader) jsonFile(file string, text []byte) {
	docs, problems := splitJSON(file, text)
	for _, p := range problems {
		l.fileProblem(p)
	}
	for _, e := range docs {
		l.jsonObject(file, text, e)
	}
}

// splitJSON finds the objects of a file: one a line, or each over several. After
// one that is no JSON those behind it are still read.
func splitJSON(file string, text []byte) ([]extent, []Problem) {
	if trimmed := bytes.TrimSpace(text); len(trimmed) > 0 && trimmed[0] == '[' {
		return splitArray(file, text)
	}
	var docs []extent
	var problems []Problem
	for start := skipSpace(text, 0); start < len(text); start = skipSpace(text, start) {
		size, err := jsonValue(text[start:])
		if err == nil {
			docs = append(docs, extent{start, start + size})
			start += size
			continue
		}
		end := lineEnd(text, start)
		next := skipSpace(text, end)
		if _, lineErr := jsonValue(text[start:end]); next == len(text) || text[next] == '{' || lineErr != io.ErrUnexpectedEOF {
			err = lineErr // the line was meant to be an object, whatever the next one holds
		} else {
			for end = next; end < len(text) && (text[end] != '{' || text[end-1] != '\n'); {
				end = skipSpace(text, lineEnd(text, end))
			}
		}
		problems = append(problems, jsonProblem(file, text[:end], start, err))
		start = end
	}
	return docs, problems
}

// jsonValue gives how long the JSON value at the start of text is.
func jsonValue(text []byte) (int, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	var raw json.RawMessage
	err := dec.Decode(&raw)
	return int(dec.InputOffset()), err
}

func skipSpace(text []byte, at int) int {
	for at < len(text) && strings.IndexByte(" \t\r\n", text[at]) >= 0 {
		at++
	}
	return at
}

func lineEnd(text []byte, at int) int {
	if n := bytes.IndexByte(text[at:], '\n'); n >= 0 {
		return at + n
	}
	return len(text)
}

func splitArray(file string, text []byte) ([]extent, []Problem) {
	dec := json.NewDecoder(bytes.NewReader(text))
	if _, err := dec.Token(); err != nil {
		return nil, []Problem{jsonProblem(file, text, 0, err)}
	}
	var docs []extent
	for dec.More() {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return docs, []Problem{jsonProblem(file, text, 0, err)}
		}
		end := int(dec.InputOffset())
		docs = append(docs, extent{end - len(raw), end})
	}
	return docs, nil
}

func jsonProblem(file string, text []byte, start int, err error) Problem {
	at := start
	if se, ok := err.(*json.SyntaxError); ok {
		at = start + max(0, int(se.Offset)-1)
	} else if err == io.ErrUnexpectedEOF {
		at = len(text)
	}
	return newProblem(file, text, extent{at, at + 1}, "json-syntax", "each line of an export is one JSON object", "invalid JSON: "+err.Error())
}

func (l *Loader) jsonObject(file string, text []byte, e extent) {
	doc, err := decodeJSON(text[e.start:e.end])
	if err != nil {
		l.fileProblem(newProblem(file, text, extent{e.start, e.start + 1}, "json-syntax", "an export holds JSON objects", "not a JSON object"))
		return
	}
	l.texts.in(doc)
	prefix := ""
	if attrs, ok := doc["attributes"].(map[string]any); ok && doc["type"] == "security-rule" {
		doc, prefix = attrs, "attributes."
	}
	switch {
	case doc["exported_count"] != nil || doc["exported_rules_count"] != nil || doc["exported_exception_list_count"] != nil:
		l.set.Details++
	case doc["type"] == "action" && doc["attributes"] != nil:
		l.set.Connectors = append(l.set.Connectors, doc)
	case doc["entries"] != nil:
		l.set.Items = append(l.set.Items, readItem(doc))
	case doc["list_id"] != nil:
		l.set.Lists = append(l.set.Lists, readList(doc))
	case doc["rule_id"] != nil || doc["risk_score"] != nil || doc["severity"] != nil || doc["query"] != nil || doc["name"] != nil:
		l.jsonRule(file, text, e, prefix, doc)
	default:
		l.set.Unknown++
		p := newProblem(file, text, extent{e.start, e.start + 1}, "unknown-object", "an export holds rules, exception lists, items, connectors and one line of counts", "an object that is none of those an export holds")
		p.Warning = true
		l.fileProblem(p)
	}
}

func (l *Loader) jsonRule(file string, text []byte, e extent, prefix string, params map[string]any) {
	r := &Rule{File: file, Form: NDJSON, Params: params}
	r.Line, _ = place(text, e.start)
	s := &source{file: file, text: text, rule: r}
	var positions map[string]extent
	find := func(path string) extent {
		if positions == nil {
			positions = jsonPositions(text, e)
		}
		for path = prefix + path; path != ""; {
			if at, ok := positions[path]; ok {
				return at
			}
			i := strings.LastIndexByte(path, '.')
			path = path[:max(i, 0)]
		}
		return extent{e.start, e.start + 1}
	}
	s.find = find
	s.offset = func(n int) int {
		at := find("query")
		if at.end-at.start < 2 {
			return at.start
		}
		return at.start + 1 + escapedOffset(text[at.start+1:at.end-1], n)
	}
	moveSetup(params)
	r.fill(newReader("", params, s.report))
	s.finish()
	l.add(r)
}

// decodeJSON decodes an object; whole numbers become int64.
func decodeJSON(text []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var doc map[string]any
	if err := dec.Decode(&doc); err != nil {
		return nil, err
	}
	if doc == nil {
		return nil, fmt.Errorf("null is no object")
	}
	return plainNumbers(doc).(map[string]any), nil
}

func plainNumbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case map[string]any:
		for k, e := range v {
			v[k] = plainNumbers(e)
		}
	case []any:
		for i, e := range v {
			v[i] = plainNumbers(e)
		}
	}
	return v
}

// jsonPositions gives the extent of every value of an object by its path.
func jsonPositions(text []byte, e extent) map[string]extent {
	positions := map[string]extent{}
	dec := json.NewDecoder(bytes.NewReader(text[e.start:e.end]))
	var walk func(path string)
	walk = func(path string) {
		before := e.start + int(dec.InputOffset())
		tok, err := dec.Token()
		if err != nil {
			return
		}
		start := before
		for start < e.end && strings.IndexByte(" \t\r\n:,", text[start]) >= 0 {
			start++
		}
		open := tok
		switch open {
		case json.Delim('{'):
			for dec.More() {
				key, err := dec.Token()
				if err != nil {
					return
				}
				walk(strings.TrimPrefix(path+"."+fmt.Sprint(key), "."))
			}
			_, _ = dec.Token()
		case json.Delim('['):
			for i := 0; dec.More(); i++ {
				walk(path + "." + strconv.Itoa(i))
			}
			_, _ = dec.Token()
		}
		positions[path] = extent{start, e.start + int(dec.InputOffset())}
	}
	walk("")
	return positions
}
