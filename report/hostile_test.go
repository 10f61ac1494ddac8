package report_test

// What log content holds against who reads a report.

import (
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	xhtml "golang.org/x/net/html"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/report"
)

// TestNothingUnseen looks in every kind for characters that are not seen, or turn
// the direction of others; and for values that are not cut.
func TestNothingUnseen(t *testing.T) {
	for _, kind := range report.Kinds() {
		text := write(t, kind, report.Options{}, fixed())
		if i := strings.IndexFunc(text, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' && r != '\r' }); i >= 0 {
			t.Errorf("%s has an unseen character: %q", kind, text[max(0, i-40):min(len(text), i+40)])
		}
		if len(text) > 300_000 {
			t.Errorf("%s has %d bytes", kind, len(text))
		}
		if kind != "navigator" && !strings.Contains(text, "(cut; 1048576 bytes in all)") {
			t.Errorf("%s does not say that a value is cut", kind)
		}
	}
}

func TestPageEscapes(t *testing.T) {
	text := write(t, "html", report.Options{}, fixed())
	for _, never := range []string{"<img", "<script>alert", "onerror=alert(1)>", "javascript:alert(1)\"", "http-equiv=\"refresh", "{{"} {
		if strings.Contains(strings.ReplaceAll(text, "{{.}}", ""), never) {
			t.Errorf("the page contains %s", never)
		}
	}
	if n := strings.Count(text, "<script"); n != 2 {
		t.Errorf("%d script elements, expected the index and the page's own", n)
	}
	policy := regexp.MustCompile(`content="(default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; base-uri 'none'; form-action 'none')"`)
	if !policy.MatchString(strings.ReplaceAll(strings.ReplaceAll(text, "&#39;", "'"), "&#43;", "+")) {
		t.Error("the policy is missing, or another")
	}
	for z := xhtml.NewTokenizer(strings.NewReader(text)); z.Next() != xhtml.ErrorToken; {
		for _, attr := range z.Token().Attr {
			if attr.Key == "style" || strings.HasPrefix(attr.Key, "on") || attr.Key == "href" && !strings.HasPrefix(attr.Val, "#") && !strings.HasPrefix(attr.Val, "https://example.org/") {
				t.Errorf("the page has %s=%.100q", attr.Key, attr.Val)
			}
		}
	}
	if !strings.Contains(text, "<strong>not</strong> known") || strings.Contains(text, "!{investigate") {
		t.Error("the guide is not rendered")
	}
}

func TestCSVIsSafe(t *testing.T) {
	list := fixed()
	for _, start := range []string{"=", "+", "-", "@", "\t", "\r"} {
		a := hostile(rules()[0])
		a.RuleName = start + "1+1"
		list = append(list, a)
	}
	text := write(t, "csv", report.Options{}, list)
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(list)+1 {
		t.Errorf("%d rows for %d alerts", len(rows), len(list))
	}
	for i, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r") {
				t.Errorf("row %d: a cell begins with %q", i, cell[:1])
			}
		}
	}
	if strings.Count(text, "\r\n") != len(rows) || strings.Count(text, "\n") != len(rows) {
		t.Error("lines do not end with CR LF, or cells contain line ends")
	}
}

// TestNoteEscapes renders the note as leniently as any viewer would, raw HTML on.
func TestNoteEscapes(t *testing.T) {
	var b strings.Builder
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(html.WithUnsafe()))
	if err := md.Convert([]byte(write(t, "markdown", report.Options{}, fixed())), &b); err != nil {
		t.Fatal(err)
	}
	for _, never := range []string{"<script", "<img", "<a ", "<!--", "<em", "<h1>head"} {
		if strings.Contains(b.String(), never) {
			i := strings.Index(b.String(), never)
			t.Errorf("the note contains %s: %.200q", never, b.String()[max(0, i-60):])
		}
	}
	if strings.Count(b.String(), "<h1") != 1 || strings.Count(b.String(), "<table") != 1 {
		t.Error("the note has other headings or tables than its own")
	}
	if n := strings.Count(b.String(), "Isolate the host"); n != 1 {
		t.Errorf("a next step stands %d times", n)
	}
}

func TestSARIFShape(t *testing.T) {
	for _, list := range [][]*alert.Alert{nil, fixed()} {
		var log struct {
			Version string
			Runs    []struct {
				Tool struct {
					Driver struct {
						Name  string
						Rules []struct {
							ID   string
							Help *struct{ Text, Markdown string }
						}
					}
				}
				Results []struct {
					RuleID    string
					RuleIndex int
					Level     string
					Message   struct{ Text string }
					Locations []struct {
						PhysicalLocation struct {
							ArtifactLocation struct{ URI string }
							Region           *struct{ StartLine int }
						}
					}
				}
			}
		}
		if err := json.Unmarshal([]byte(write(t, "sarif", report.Options{}, list)), &log); err != nil {
			t.Fatal(err)
		}
		if log.Version != "2.1.0" || len(log.Runs) != 1 || len(log.Runs[0].Results) != len(list) || log.Runs[0].Results == nil || log.Runs[0].Tool.Driver.Rules == nil {
			t.Fatalf("shape %+v", log)
		}
		levels := map[string]string{"critical": "error", "high": "error", "medium": "warning", "low": "note"}
		for i, r := range log.Runs[0].Results {
			d := log.Runs[0].Tool.Driver.Rules[r.RuleIndex]
			at := r.Locations[0].PhysicalLocation
			if d.ID != r.RuleID || r.Level != levels[list[i].Severity] || r.Message.Text == "" || (at.Region == nil) != (list[i].File != "" && list[i].Line == 0) || at.Region != nil && at.Region.StartLine < 1 || strings.ContainsAny(at.ArtifactLocation.URI, ` \`) {
				t.Errorf("result %d: %+v of rule %+v", i, r, d)
			}
			if (d.Help != nil) != (list[i].Rule.Note != "") {
				t.Errorf("result %d: the guide is %v", i, d.Help)
			}
		}
	}
}

func TestNavigatorShape(t *testing.T) {
	var layer struct {
		Versions   struct{ Layer string }
		Domain     string
		Techniques []struct {
			TechniqueID, Tactic, Comment string
			Score                        int
		}
	}
	if err := json.Unmarshal([]byte(write(t, "navigator", report.Options{}, fixed())), &layer); err != nil {
		t.Fatal(err)
	}
	scores := map[string]int{}
	for _, tech := range layer.Techniques {
		scores[tech.Tactic+" "+tech.TechniqueID] = tech.Score
		if tech.Comment == "" {
			t.Errorf("%s names no rule", tech.TechniqueID)
		}
	}
	if layer.Versions.Layer != "4.5" || layer.Domain != "enterprise-attack" || scores["defense-evasion T1036.005"] != 4 || scores["credential-access T1003"] != 1 || len(scores) != 6 {
		t.Errorf("layer %+v", layer)
	}
}
