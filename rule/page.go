package rule

// The page of a rule in Elastic's documentation. It lacks some of the rule: the
// rule_id, the language, timestamp_override; these are derived or defaulted.

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/eql"
)

var pageTitle = regexp.MustCompile(`(?m)^# `)

func isPage(text []byte) bool {
	return bytes.Contains(text, []byte("**Rule type**:")) && pageTitle.Match(text)
}

var (
	pageAnchor  = regexp.MustCompile(`\s*\[[^\]]*\]\s*$`)
	pageField   = regexp.MustCompile(`^\*\*([^*]+)\*\*:\s*(.*)$`)
	pageBullet  = regexp.MustCompile(`^\s*\*\s+(.*)$`)
	pageMapped  = regexp.MustCompile(`prebuilt-rule-[0-9-]+-([a-z0-9-]+?)(?:\.html)?\s*$`)
	pageLinkURL = regexp.MustCompile(`\((https?://[^)]*)\)`)
	pageLink    = regexp.MustCompile(`^\[([^\]]*)\]\((https?://[^)]*)\)$`)
)

// page is a documentation page while it is read.
type page struct {
	lines    []string
	params   map[string]any
	at       map[string]extent // where each parameter stands
	starts   []int             // the offset of each line
	threats  []any
	lastTech map[string]any
	lastTac  map[string]any
	query    int // the offset of the query's first byte
}

func (l *Loader) pageFile(file string, text []byte) {
	p := &page{lines: strings.Split(string(text), "\n"), params: map[string]any{}, at: map[string]extent{}}
	offset := 0
	for i, line := range p.lines {
		p.starts = append(p.starts, offset)
		offset += len(line) + 1
		p.lines[i] = strings.TrimSuffix(line, "\r")
	}
	p.read()
	r := &Rule{File: file, Form: Page, Line: 1, Params: p.params}
	s := &source{file: file, text: text, rule: r}
	s.find = func(path string) extent {
		key, _, _ := strings.Cut(path, ".")
		if e, ok := p.at[key]; ok {
			return e
		}
		return p.at["name"]
	}
	s.offset = func(n int) int { return p.query + n }
	r.fill(newReader("", p.params, s.report))
	s.finish()
	l.add(r)
}

// pageFields maps the bold labels of a page to parameters.
var pageFields = map[string]string{
	"Rule type": "type", "Rule indices": "index", "Severity": "severity", "Risk score": "risk_score", "Runs every": "interval",
	"Searches indices from": "from", "Maximum alerts per execution": "max_signals", "References": "references", "Tags": "tags",
	"Version": "version", "Rule authors": "author", "Rule license": "license", "Framework": "framework",
}

func (p *page) read() {
	i := p.title()
	i = p.description(i)
	for i < len(p.lines) {
		line := strings.TrimRight(p.lines[i], " \r")
		switch m := pageField.FindStringSubmatch(line); {
		case strings.HasPrefix(line, "## "):
			i = p.section(i)
		case m != nil && pageFields[m[1]] != "":
			i = p.field(i, pageFields[m[1]], strings.TrimSpace(m[2]))
		default:
			i++
		}
	}
	if len(p.threats) > 0 {
		p.params["threat"] = p.threats
	}
	p.defaults()
}

func (p *page) set(key string, line int, value any) {
	p.params[key] = value
	p.at[key] = extent{p.starts[line], p.starts[line] + len(p.lines[line])}
}

// title reads the front matter and the heading, and gives the line behind it.
func (p *page) title() int {
	for i, line := range p.lines {
		if m := pageMapped.FindStringSubmatch(line); m != nil {
			p.params["rule_id"] = nameUUID("page:" + m[1])
		}
		if name, ok := strings.CutPrefix(line, "# "); ok {
			p.set("name", i, pageAnchor.ReplaceAllString(strings.TrimSpace(name), ""))
			return i + 1
		}
	}
	return len(p.lines)
}

func (p *page) description(i int) int {
	start := i
	for ; i < len(p.lines) && !strings.HasPrefix(p.lines[i], "**"); i++ {
		if strings.TrimSpace(p.lines[start]) == "" {
			start = i
		}
	}
	if start < len(p.lines) {
		p.set("description", start, strings.TrimSpace(strings.Join(p.lines[start:i], "\n")))
	}
	return i
}

// field reads a bold label and what belongs to it.
func (p *page) field(i int, key, value string) int {
	switch key {
	case "framework":
		return p.framework(i, value)
	case "index", "references", "tags", "author":
		var list []any
		next := i + 1
		for ; next < len(p.lines); next++ {
			m := pageBullet.FindStringSubmatch(strings.TrimRight(p.lines[next], " \r"))
			if m != nil {
				list = append(list, unlink(m[1]))
			} else if strings.TrimSpace(p.lines[next]) != "" {
				break
			}
		}
		if list != nil {
			p.set(key, i, list)
		}
		return next
	case "risk_score", "max_signals", "version":
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			p.set(key, i, n)
		} else {
			p.set(key, i, value)
		}
	case "from":
		value, _, _ = strings.Cut(value, " ")
		p.set(key, i, value)
	default:
		if value != "" && value != "None" {
			p.set(key, i, value)
		}
	}
	return i + 1
}

// unlink gives the target of a Markdown link, or the text as it is.
func unlink(s string) string {
	if m := pageLink.FindStringSubmatch(s); m != nil {
		return m[2]
	}
	return s
}

// section reads a part below a heading: the guide, the setup or the query.
func (p *page) section(i int) int {
	title := pageAnchor.ReplaceAllString(strings.TrimSpace(strings.TrimPrefix(p.lines[i], "## ")), "")
	end := i + 1
	fenced := false
	for ; end < len(p.lines); end++ {
		line := p.lines[end]
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		if !fenced && (strings.HasPrefix(line, "## ") || strings.HasPrefix(line, "**Framework**:")) {
			break
		}
	}
	body := p.lines[i+1 : end]
	switch {
	case strings.HasPrefix(title, "Rule query"):
		p.fence(i+1, body)
	case strings.HasPrefix(title, "Setup"):
		p.set("setup", i, strings.TrimSpace(strings.Join(body, "\n")))
	case strings.HasPrefix(title, "Investigation guide"):
		p.set("note", i, guide(body))
	}
	return end
}

// guide turns the flattened headings of a page's guide back into headings.
func guide(body []string) string {
	var out []string
	for _, line := range body {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "[TBC: QUOTE]":
			continue
		case strings.HasPrefix(trimmed, "**") && strings.HasSuffix(trimmed, "**") && len(trimmed) > 4 && !strings.Contains(trimmed[2:len(trimmed)-2], "**"):
			level := "### "
			if strings.EqualFold(trimmed, "**Triage and analysis**") {
				level = "## "
			}
			line = level + trimmed[2:len(trimmed)-2]
		}
		out = append(out, fixMojibake(line))
	}
	return strings.TrimSpace(strings.Join(out, "\n"))
}

// fixMojibake repairs UTF-8 that was read as Windows-1252 where pages show it.
var mojibake = strings.NewReplacer("â€™", "’", "â€˜", "‘", "â€œ", "“", "â€\u009d", "”", "â€“", "–", "â€”", "—", "â€¦", "…")

func fixMojibake(s string) string { return mojibake.Replace(s) }

func (p *page) fence(first int, body []string) {
	start := -1
	for i, line := range body {
		if !strings.HasPrefix(line, "```") {
			continue
		}
		if start < 0 {
			start = i + 1
			continue
		}
		p.query = p.starts[first+start]
		p.set("query", first+start, strings.Join(body[start:i], "\n"))
		return
	}
}

// framework reads the flat list of tactics and techniques: a technique belongs
// to the tactic above it, a sub-technique to the technique above it.
func (p *page) framework(i int, name string) int {
	name = strings.TrimSuffix(name, "TM")
	i++
	for i < len(p.lines) && !strings.HasPrefix(p.lines[i], "**") && !strings.HasPrefix(p.lines[i], "## ") {
		m := pageBullet.FindStringSubmatch(strings.TrimRight(p.lines[i], " \r"))
		i++
		if m == nil || !strings.HasSuffix(m[1], ":") {
			continue
		}
		ref := map[string]any{}
		for i < len(p.lines) {
			inner := pageBullet.FindStringSubmatch(strings.TrimRight(p.lines[i], " \r"))
			if inner != nil && strings.HasSuffix(inner[1], ":") || strings.HasPrefix(p.lines[i], "**") || strings.HasPrefix(p.lines[i], "## ") {
				break
			}
			if inner != nil {
				readReference(ref, inner[1])
			}
			i++
		}
		p.threat(name, strings.TrimSuffix(m[1], ":"), ref)
	}
	return i
}

func readReference(ref map[string]any, s string) {
	key, value, _ := strings.Cut(s, ":")
	value = strings.TrimSpace(value)
	switch key {
	case "Name":
		ref["name"] = value
	case "ID":
		ref["id"] = value
	case "Reference URL":
		if m := pageLinkURL.FindStringSubmatch(value); m != nil {
			value = m[1]
		}
		ref["reference"] = value
	}
}

func (p *page) threat(framework, kind string, ref map[string]any) {
	switch kind {
	case "Tactic":
		p.lastTac = map[string]any{"framework": framework, "tactic": ref}
		p.lastTech = nil
		p.threats = append(p.threats, p.lastTac)
	case "Technique":
		if p.lastTac != nil {
			p.lastTech = ref
			techniques, _ := p.lastTac["technique"].([]any)
			p.lastTac["technique"] = append(techniques, ref)
		}
	case "Sub-technique":
		if p.lastTech != nil {
			subs, _ := p.lastTech["subtechnique"].([]any)
			p.lastTech["subtechnique"] = append(subs, ref)
		}
	}
}

// defaults fills in what a page does not tell.
func (p *page) defaults() {
	query, _ := p.params["query"].(string)
	if q, err := eql.Parse(query); err != nil || q.Event != nil {
		p.params["timestamp_override"] = "event.ingested"
	}
}
