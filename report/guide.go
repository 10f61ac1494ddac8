package report

// Guides: the Markdown of rules, which is foreign text, as safe HTML; and the
// section of it that says what to do next.

import (
	"bytes"
	"html/template"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// guides renders Markdown.
type guides struct {
	markdown goldmark.Markdown
	policy   *bluemonday.Policy
}

func newGuides() *guides {
	p := bluemonday.NewPolicy()
	p.AllowElements("h4", "h5", "h6", "p", "ul", "ol", "li", "em", "strong", "code", "pre", "blockquote", "br", "hr", "table", "thead", "tbody", "tr", "th", "td", "del")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("https", "http")
	p.RequireNoReferrerOnLinks(true)
	p.RequireParseableURLs(true)
	return &guides{markdown: goldmark.New(goldmark.WithExtensions(extension.Table, extension.Strikethrough)), policy: p}
}

// html renders Markdown without raw HTML, its headings below those of the page.
func (g *guides) html(text string) template.HTML {
	var b bytes.Buffer
	if err := g.markdown.Convert([]byte(visible(withoutActions(text))), &b); err != nil {
		return template.HTML("<pre>" + template.HTMLEscapeString(visible(text)) + "</pre>")
	}
	lower := strings.NewReplacer("<h1", "<h4", "</h1", "</h4", "<h2", "<h4", "</h2", "</h4", "<h3", "<h5", "</h3", "</h5", "<h4", "<h6", "</h4", "</h6", "<h5", "<h6", "</h5", "</h6")
	return template.HTML(g.policy.Sanitize(lower.Replace(b.String())))
}

// withoutActions drops the lines of a guide that are buttons in Kibana.
func withoutActions(text string) string {
	var out []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(strings.TrimSpace(line), "!{") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

// visible makes characters visible that are not, in text of several lines.
func visible(text string) string {
	var out []string
	for line := range strings.Lines(text) {
		indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
		out = append(out, indent+clean(strings.Trim(line, " \t\r\n")))
	}
	return strings.Join(out, "\n")
}

// response gives the points of the guide's section about response, in the order
// they stand there; of sections below a point, only the point.
func response(note string) []string {
	var points []string
	inside, depth := false, 0
	for line := range strings.Lines(withoutActions(note)) {
		text := strings.TrimRight(line, " \t\r\n")
		if marks := len(text) - len(strings.TrimLeft(text, "#")); marks > 0 {
			title := strings.ToLower(text)
			switch {
			case strings.Contains(title, "response") || strings.Contains(title, "remediation"):
				inside, depth = true, marks
			case marks <= depth:
				inside = false
			}
			continue
		}
		if inside && (strings.HasPrefix(text, "- ") || strings.HasPrefix(text, "* ")) {
			points = append(points, clean(strings.TrimSpace(text[2:])))
		}
	}
	return points
}
