package bulk

import (
	"bytes"
	"encoding/json"
	"strings"
)

// filter is the parameter filter_path: which parts of an answer a client wants.
type filter struct{ wanted, unwanted [][]string }

// mostFilter bounds the parameter; who asks for more gets everything.
const mostFilter = 500

// newFilter reads the parameter; nil stands for everything.
func newFilter(text string) *filter {
	f := &filter{}
	if len(text) > mostFilter {
		return nil
	}
	for strings.Contains(text, "**.**") { // says no more than one
		text = strings.ReplaceAll(text, "**.**", "**")
	}
	for _, path := range strings.Split(text, ",") {
		path = strings.TrimSpace(path)
		if rest, ok := strings.CutPrefix(path, "-"); ok && rest != "" {
			f.unwanted = append(f.unwanted, strings.Split(rest, "."))
		} else if path != "" {
			f.wanted = append(f.wanted, strings.Split(path, "."))
		}
	}
	if len(f.wanted) == 0 && len(f.unwanted) == 0 {
		return nil
	}
	return f
}

// apply filters an answer, in which names keep their order.
func (f *filter) apply(body []byte) []byte {
	out, _ := f.value(nil, body, f.wanted, f.unwanted, len(f.wanted) == 0)
	if len(out) == 0 {
		return []byte("{}")
	}
	return out
}

// portion is how much of a part of an answer is wanted.
type portion int

const (
	none portion = iota
	some
	whole
)

// of tells how much of the part at a path is wanted.
func (f *filter) of(path ...string) portion {
	wanted, unwanted, all := f.wanted, f.unwanted, len(f.wanted) == 0
	for _, name := range path {
		var ends, gone bool
		wanted, ends = step(wanted, name)
		if unwanted, gone = step(unwanted, name); gone {
			return none
		}
		all = all || ends
	}
	switch {
	case all && len(unwanted) == 0:
		return whole
	case all || len(wanted) > 0:
		return some
	}
	return none
}

// value writes what is wanted of a value. All tells that it is wanted as a whole, but
// for what is unwanted. It reports whether anything was written.
func (f *filter) value(dst, text []byte, wanted, unwanted [][]string, all bool) ([]byte, bool) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return append(dst, text...), all
	}
	start, first := len(dst), true
	dst = append(dst, text[0])
	dec := json.NewDecoder(bytes.NewReader(text))
	_, _ = dec.Token()
	for dec.More() {
		w, u, whole := wanted, unwanted, all
		mark := len(dst)
		if !first {
			dst = append(dst, ',')
		}
		if text[0] == '{' {
			token, _ := dec.Token()
			name, _ := token.(string)
			var gone bool
			w, whole = step(wanted, name)
			u, gone = step(unwanted, name)
			if whole = whole || all; gone || !whole && len(w) == 0 {
				var skipped json.RawMessage
				_ = dec.Decode(&skipped)
				dst = dst[:mark]
				continue
			}
			dst = append(appendText(dst, name), ':')
		}
		var part json.RawMessage
		if dec.Decode(&part) != nil {
			return dst[:start], false
		}
		var any bool
		if dst, any = f.value(dst, part, w, u, whole); !any {
			dst = dst[:mark]
			continue
		}
		first = false
	}
	if first && !all {
		return dst[:start], false
	}
	return append(dst, text[0]+2), true // '{' and '}', '[' and ']' are two apart
}

// step goes down by a name: the paths that go on, and whether one ends there.
func step(paths [][]string, name string) (on [][]string, ends bool) {
	for _, p := range paths {
		if p[0] == "**" {
			on = append(on, p)
			if len(p) > 1 {
				more, end := step([][]string{p[1:]}, name)
				on, ends = append(on, more...), ends || end
			} else {
				ends = true
			}
			continue
		}
		if !matches(p[0], name) {
			continue
		}
		if len(p) == 1 {
			ends = true
		} else {
			on = append(on, p[1:])
		}
	}
	return on, ends
}

// matches compares a name with a pattern in which * stands for anything.
func matches(pattern, name string) bool {
	p, n, star, mark := 0, 0, -1, 0
	for n < len(name) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, n
			p++
		case p < len(pattern) && pattern[p] == name[n]:
			p, n = p+1, n+1
		case star >= 0:
			mark++
			p, n = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
