package report

// The page: one file that needs nothing else, opens at once and prints.
//
// The first groups stand in the page as they are. The others are packed, page by
// page, into inert islands, which a small script unpacks when somebody turns to
// them; so a page of 50,000 alerts is a few megabytes and lays out a hundred. The
// islands are made by the same template, so that there is one place that escapes.
// The policy in the page's head lets only that script and that style sheet run.

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/flate"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/rule"
)

// groupsPerPage is how many groups are shown at a time, and stand in the page itself.
const groupsPerPage = 100

//go:embed page.html.tmpl
var pageText string

//go:embed group.html.tmpl
var groupText string

//go:embed page.css
var styleText string

//go:embed page.js
var scriptText string

type htmlPage struct {
	w      *bufio.Writer
	digest *digest
	page   *template.Template
}

func newHTML(w io.Writer, opt Options) (*htmlPage, error) {
	d, err := newDigest(opt)
	if err != nil {
		return nil, err
	}
	t := template.New("page").Funcs(template.FuncMap{"number": number, "count": count, "seen": seen, "base": base, "dict": dict, "rows": rows})
	t = template.Must(t.Parse(pageText))
	template.Must(t.New("group").Parse(groupText))
	return &htmlPage{bufio.NewWriterSize(w, 1<<16), d, t}, nil
}

func (h *htmlPage) Write(a *alert.Alert) error { return h.digest.add(a) }

func (h *htmlPage) Close(sum Summary) error {
	err := h.write(sum)
	if flushErr := h.w.Flush(); err == nil {
		err = flushErr
	}
	if closeErr := h.digest.spill.close(); err == nil {
		err = closeErr
	}
	return err
}

// ruleView is a rule as the page shows it.
type ruleView struct {
	Number                           int
	Name, ID, Severity, Description  string
	Count                            int64
	Guide                            template.HTML
	FalsePositives, References, Tags []string
	Threats                          []string
}

// groupView is a group as the page shows it.
type groupView struct {
	Number, Rule int
	Group        *Group
	Facts        facts
	Members      []member
	More         int64
	Range        string
}

// pageView is what the page's template is given.
type pageView struct {
	Policy           string
	Style            template.CSS
	Script           template.JS
	Summary          Summary
	Written          string
	Sentence         string
	Size             string
	Skipped          int64
	SkippedReasons   string
	NotRun           string
	Files            []File
	MoreFiles        int
	First, Last      string
	Total            int64
	Groups           int
	Groups64         int64
	RulesRun64       int64
	TopRules         []topRule
	MoreRules        int
	hottest          int64
	PerPage, Pages   int
	Severities       []tally
	Hosts, Users     []tally
	MoreHosts        int
	MoreUsers        int
	Rules            []ruleView
	Chart            template.HTML
	BarWidth         string
	BarsFrom, BarsTo string
	Peak             int64
	Columns          []column
	FirstPage        func() (template.HTML, error)
	Island           func(int) (template.HTML, error)
	Index            func() (template.HTML, error)
	PageNumbers      []int
}

// topRule is a rule in the table of counts.
type topRule struct {
	ruleView
	Share int64
}

// Heat gives the shade of a technique with so many alerts, 1 to 4.
func (v pageView) Heat(n int64) int64 { return 1 + min(3, n*4/max(1, v.hottest+1)) }

// Sub reports whether a technique's id is that of a sub-technique.
func (v pageView) Sub(id string) bool { return strings.Contains(id, ".") }

// dict makes the argument of a template of pairs.
func dict(pairs ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i+1 < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return m
}

const shownFiles, shownTallies = 200, 12

func (h *htmlPage) write(sum Summary) error {
	d := h.digest
	list := d.sorted()
	numbers := map[*rule.Rule]int{}
	for i, r := range d.ruleList() {
		numbers[r] = i + 1
	}
	v := pageView{
		Policy: policy(), Style: template.CSS(styleText), Script: template.JS(scriptText), Summary: sum,
		Written: sum.Written.UTC().Format(timeLayout), Sentence: sum.sentence(), Size: sizeText(sum.Bytes), Skipped: sum.skipped(), SkippedReasons: reasons(sum.Skipped),
		NotRun: reasons(sum.RulesNotRun), Total: d.total, Groups: len(list), PerPage: groupsPerPage, Pages: (len(list) + groupsPerPage - 1) / groupsPerPage,
		Severities: d.bySeverity(), Rules: h.rules(), Columns: d.matrix.columns(),
	}
	for i, f := range sum.Files {
		if i == shownFiles {
			v.MoreFiles = len(sum.Files) - i
			break
		}
		v.Files = append(v.Files, File{clean(f.Name), f.Events})
	}
	v.Summary.Notes = nil
	for _, n := range sum.Notes {
		v.Summary.Notes = append(v.Summary.Notes, clean(n))
	}
	v.First, v.Last = d.span()
	v.Hosts, v.MoreHosts = tallies(d.hosts, shownTallies)
	v.Users, v.MoreUsers = tallies(d.users, shownTallies)
	v.chart(&d.times)
	v.Groups64, v.RulesRun64 = int64(v.Groups), int64(sum.RulesRun)
	v.topRules()
	for _, c := range d.matrix {
		v.hottest = max(v.hottest, c.Count)
	}
	for i := 1; i < v.Pages; i++ {
		v.PageNumbers = append(v.PageNumbers, i)
	}
	v.FirstPage = func() (template.HTML, error) {
		b, err := h.groups(list, numbers, 0)
		return template.HTML(b), err
	}
	v.Island = func(i int) (template.HTML, error) {
		b, err := h.groups(list, numbers, i)
		return template.HTML(pack(b)), err
	}
	v.Index = func() (template.HTML, error) { return h.index(list, numbers) }
	return h.page.Execute(h.w, v)
}

// topRules picks the rules with the most alerts.
func (v *pageView) topRules() {
	list := slices.Clone(v.Rules)
	slices.SortStableFunc(list, func(a, b ruleView) int { return cmp.Compare(b.Count, a.Count) })
	v.MoreRules = max(0, len(list)-shownTallies)
	for _, r := range list[:len(list)-v.MoreRules] {
		v.TopRules = append(v.TopRules, topRule{r, r.Count * 100 / list[0].Count})
	}
}

// policy lets nothing run or load but the page's own script and style sheet.
func policy() string {
	hash := func(s string) string {
		sum := sha256.Sum256([]byte(s))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return "default-src 'none'; style-src " + hash(styleText) + "; script-src " + hash(scriptText) + "; base-uri 'none'; form-action 'none'"
}

// groups renders a page of groups.
func (h *htmlPage) groups(list []*entry, numbers map[*rule.Rule]int, page int) ([]byte, error) {
	var b bytes.Buffer
	from := page * groupsPerPage
	for i, e := range list[min(from, len(list)):min(from+groupsPerPage, len(list))] {
		v := groupView{Number: from + i + 1, Rule: numbers[e.source], Group: e.Group}
		err := h.digest.spill.get(e.detail, &v.Facts)
		if err == nil && e.Count > 1 {
			v.Members, err = h.digest.members(e)
			v.Members = append([]member{{v.Facts.ID, v.Facts.Time, v.Facts.About, v.Facts.Command}}, v.Members...)
			v.More = e.Count - int64(len(v.Members))
		}
		if err == nil {
			err = h.page.ExecuteTemplate(&b, "group", v)
		}
		if err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// rows gives the rows of a table of fields. They are most of a page, and a template
// made the whole of it a third slower.
func rows(fields []pair) template.HTML {
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(`<tr><th scope="row">`)
		b.WriteString(template.HTMLEscapeString(f.Name))
		b.WriteString("</th><td>")
		b.WriteString(template.HTMLEscapeString(f.Value))
		b.WriteString("</td></tr>")
	}
	return template.HTML(b.String())
}

// index gives what filters look at: of each group the numbers of its severity,
// rule, host and user, and its words.
func (h *htmlPage) index(list []*entry, numbers map[*rule.Rule]int) (template.HTML, error) {
	type number map[string]int
	hosts, users := number{}, number{}
	var hostNames, userNames []string
	of := func(n number, names *[]string, s string) int {
		i, ok := n[s]
		if !ok {
			i = len(*names)
			n[s] = i
			*names = append(*names, s)
		}
		return i
	}
	groups := make([][5]any, 0, len(list))
	for _, e := range list {
		var words string
		if err := h.digest.spill.get(e.words, &words); err != nil {
			return "", err
		}
		groups = append(groups, [5]any{e.severity, numbers[e.source], of(hosts, &hostNames, e.host), of(users, &userNames, e.user), words})
	}
	text, err := json.Marshal(map[string]any{"hosts": hostNames, "users": userNames, "groups": groups})
	if err != nil {
		panic(err) // texts and numbers
	}
	return template.HTML(pack(text)), nil
}

// pack makes text small, of letters that mean nothing to a browser: a template would
// escape "+", and what stands in a script element is not unescaped.
func pack(text []byte) string {
	var b bytes.Buffer
	z, err := flate.NewWriter(&b, flate.DefaultCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	_, _ = z.Write(text) // a buffer takes everything
	_ = z.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

func (h *htmlPage) rules() []ruleView {
	g := newGuides()
	var list []ruleView
	for i, r := range h.digest.ruleList() {
		v := ruleView{
			Number: i + 1, Name: clean(r.Name), ID: clean(r.RuleID), Severity: clean(r.Severity), Description: clean(r.Description), Count: h.digest.rules[r],
			FalsePositives: cleanAll(r.FalsePositives), References: cleanAll(r.References), Tags: cleanAll(r.Tags),
		}
		if r.Note != "" {
			v.Guide = g.html(r.Note)
		}
		for _, t := range r.Threat {
			v.Threats = append(v.Threats, clean(t.Tactic.Name))
			for _, tech := range t.Techniques {
				v.Threats = append(v.Threats, clean(tech.ID+" "+tech.Name))
				for _, sub := range tech.Subtechniques {
					v.Threats = append(v.Threats, clean(sub.ID+" "+sub.Name))
				}
			}
		}
		list = append(list, v)
	}
	return list
}

func cleanAll(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = clean(s)
	}
	return out
}
