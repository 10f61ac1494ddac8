package rule_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shrike-project/shrike/rule"
)

func read(t *testing.T, name string) *rule.Set {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return rule.Read(name, text)
}

func problems(set *rule.Set) string {
	var b strings.Builder
	for _, p := range set.AllProblems() {
		b.WriteString(p.Text() + "\n")
	}
	return b.String()
}

func TestEveryMistakeOfARuleIsShown(t *testing.T) {
	want, err := os.ReadFile("testdata/three_mistakes.want")
	if err != nil {
		t.Fatal(err)
	}
	set := read(t, "three_mistakes.toml")
	if diff := cmp.Diff(string(want), problems(set)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if len(set.Rules) != 1 || set.Rules[0].Blocked != "the rule is broken" {
		t.Errorf("the rule is not marked as broken: %+v", set.Rules)
	}
}

func TestExport(t *testing.T) {
	set := read(t, "export.ndjson")
	if len(set.Rules) != 3 || len(set.Lists) != 1 || len(set.Items) != 1 || len(set.Connectors) != 1 || set.Details != 1 || set.Unknown != 1 {
		t.Fatalf("%d rules, %d lists, %d items, %d connectors, %d details, %d unknown", len(set.Rules), len(set.Lists), len(set.Items), len(set.Connectors), set.Details, set.Unknown)
	}
	r := set.Rules[0]
	got := []any{r.Name, r.Severity, r.RiskScore, r.Interval, r.LookBack, r.MaxSignals, r.Version, r.Index, r.ObjectID, r.Note, r.Setup, r.Blocked, r.Line, r.Enabled}
	want := []any{"Exported rule", "high", 73.0, 10 * time.Minute, 20 * time.Minute, 50, 3, []string{"logs-*"}, "0c7e0000-0000-4000-8000-000000000001",
		"Look at it.", "## Setup\n\nNothing to do.\n", "", 1, true}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rule (-want +got):\n%s", diff)
	}
	if r.AlertSuppression == nil || r.AlertSuppression.Duration != 5*time.Minute || r.AlertSuppression.MissingFields != "suppress" {
		t.Errorf("suppression: %+v", r.AlertSuppression)
	}
	if len(r.Threat) != 1 || r.Threat[0].Techniques[0].Subtechniques[0].ID != "T1059.001" {
		t.Errorf("threat: %+v", r.Threat)
	}
	if set.Rules[2].Blocked != "rule type machine_learning cannot run yet" {
		t.Errorf("blocked: %q", set.Rules[2].Blocked)
	}
	item := set.Items[0]
	if len(item.Entries) != 2 || len(item.Entries[0].Values) != 2 || item.Entries[1].Entries[0].Values[0] != "true" || item.Expires.Year() != 2027 {
		t.Errorf("item: %+v", item)
	}
	got2 := problems(set)
	for _, want := range []string{
		"export.ndjson:3:2: invalid JSON",
		"export.ndjson:8:1: warning: an object that is none of those an export holds [unknown-object]",
		"export.ndjson:2:256: token recognition error at: '\\u'",
		"export.ndjson:2:275: mismatched input '<EOF>' expecting a value, a field or a function [syntax]",
	} {
		if !strings.Contains(got2, want) {
			t.Errorf("problems lack %q:\n%s", want, got2)
		}
	}
}

func TestPositionsInsideJSONStrings(t *testing.T) {
	set := rule.Read("r.json", []byte(`{"rule_id":"a","name":"n","description":"d","type":"eql","severity":"low","risk_score":1,"query":"any where a == \"x\" and\n\t\u0062 = 1"}`))
	got := set.AllProblems()
	if len(got) != 1 || got[0].Column != 134 || got[0].Snippet[got[0].Column-1] != '=' {
		t.Errorf("%+v", got)
	}
}

func TestPage(t *testing.T) {
	set := read(t, "page.md")
	if len(set.Rules) != 1 {
		t.Fatalf("%d rules", len(set.Rules))
	}
	r := set.Rules[0]
	got := []any{r.Name, r.Description, r.Type, r.Language, r.Index, r.Severity, r.RiskScore, r.Interval, r.LookBack, r.MaxSignals, r.References, r.Tags, r.Version, r.Author, r.License, r.Note, r.Setup, r.TimestampOverride}
	want := []any{"Test Page Rule", "First sentence of the description.\n\nSecond paragraph.", "eql", "eql", []string{"logs-a-*", "logs-b-*"}, "low", 21.0, 10 * time.Minute, 19 * time.Minute, 33,
		[]string{"https://example.org/a"}, []string(nil), 4, []string{"Somebody"}, "Apache-2.0", "## Triage and analysis\n\n### Investigating it\n\n* Don’t panic.", "Install something.", "event.ingested"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rule (-want +got):\n%s", diff)
	}
	wantThreat := []rule.Threat{{Framework: "MITRE ATT&CK", Tactic: rule.Reference{ID: "TA0002", Name: "Execution", URL: "https://attack.mitre.org/tactics/TA0002/"},
		Techniques: []rule.Technique{{Reference: rule.Reference{ID: "T1204", Name: "User Execution", URL: "https://attack.mitre.org/techniques/T1204/"},
			Subtechniques: []rule.Reference{{ID: "T1204.002", Name: "Malicious File", URL: "https://attack.mitre.org/techniques/T1204/002/"}}}}}}
	if diff := cmp.Diff(wantThreat, r.Threat); diff != "" {
		t.Errorf("threat (-want +got):\n%s", diff)
	}
	if p := set.AllProblems(); len(p) != 1 || p[0].Line != 60 || p[0].Column != 25 {
		t.Errorf("problems: %s", problems(set))
	}
}

func TestFaultsOfOneFileLeaveTheOthers(t *testing.T) {
	good := "[rule]\nrule_id = \"%\"\nname = \"n\"\ndescription = \"d\"\ntype = \"eql\"\nseverity = \"low\"\nrisk_score = 1\nquery = 'any where true'\n"
	files := fstest.MapFS{
		"a.toml":         {Data: []byte(strings.Replace(good, "%", "1", 1))},
		"b.toml":         {Data: []byte("[rule\nname = 1")},
		"c.toml":         {Data: []byte("")},
		"d.toml":         {Data: []byte("[metadata]\nx = 1\n")},
		"e.ndjson":       {Data: []byte("{\"rule_id\":\"2\"")},
		"f.md":           {Data: []byte("# Notes\n")},
		"g.toml":         {Data: []byte(strings.Replace(good, "%", "1", 1))},
		"h.toml":         {Data: []byte(strings.Replace(good, "%", "3", 1))},
		"i.toml":         {Data: []byte("[rule]\nname = 5\ntype = [\"eql\"]\nthreat = \"x\"\ntags = [1]\n")},
		".hidden/x.toml": {Data: []byte("broken")},
		"readme.txt":     {Data: []byte("nothing")},
		"sub/j.toml":     {Data: []byte("\xff\xfe\x00")},
	}
	set, err := rule.Load(files, ".", "rules")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, r := range set.Rules {
		names = append(names, r.File+" "+r.Blocked)
	}
	want := []string{"rules/a.toml ", "rules/g.toml another rule has the same rule_id", "rules/h.toml ", "rules/i.toml the rule is broken"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	codes := map[string]string{}
	for _, p := range set.Problems {
		codes[p.File] = p.Code
	}
	wantCodes := map[string]string{"rules/b.toml": "toml-syntax", "rules/c.toml": "empty-file", "rules/e.ndjson": "json-syntax", "rules/sub/j.toml": "toml-syntax"}
	if diff := cmp.Diff(wantCodes, codes); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if len(set.Skipped) != 2 {
		t.Errorf("skipped: %v", set.Skipped)
	}
}

func TestTransformsAndNewTerms(t *testing.T) {
	set := rule.Read("r.toml", []byte(`
[rule]
rule_id = "1"
name = "n"
description = "d"
type = "new_terms"
severity = "low"
risk_score = 1
query = "x:*"
note = "See $osquery_0 and $osquery_1."
[rule.new_terms]
field = "new_terms_fields"
value = ["host.id"]
[[rule.new_terms.history_window_start]]
field = "history_window_start"
value = "now-14d"
[[transform.osquery]]
label = "Users"
query = "SELECT 1"
[[transform.osquery]]
label = "More"
query = "SELECT 2 < 3"
`))
	if p := problems(set); p != "" {
		t.Fatal(p)
	}
	r := set.Rules[0]
	if want := `See !{osquery{"label":"Users","query":"SELECT 1"}} and !{osquery{"label":"More","query":"SELECT 2 < 3"}}.`; r.Note != want {
		t.Errorf("note: %s", r.Note)
	}
	if r.Params["history_window_start"] != "now-14d" || r.Params["new_terms"] != nil || r.Language != "kuery" {
		t.Errorf("params: %v", r.Params)
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"three_mistakes.toml", "export.ndjson", "page.md"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(name, text)
	}
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		for _, p := range rule.Read(name, text).AllProblems() {
			if p.Message == "" || p.Text() == "" {
				t.Fatalf("a problem that says nothing: %+v", p)
			}
		}
	})
}

func TestBrokenLinesOfAnExport(t *testing.T) {
	const good = `{"rule_id":"%d","name":"n","description":"d","type":"eql","language":"eql","severity":"low","risk_score":1,"query":"any where true"}` + "\n"
	f := func(text string, rules int, places ...string) {
		t.Helper()
		set := rule.Read("e.ndjson", []byte(text))
		var got []string
		for _, p := range set.AllProblems() {
			got = append(got, fmt.Sprintf("%d:%d", p.Line, p.Column))
		}
		if len(set.Rules) != rules || !slices.Equal(got, places) {
			t.Errorf("%q: %d rules, problems at %v; expected %d, %v", text, len(set.Rules), got, rules, places)
		}
	}
	one, two := fmt.Sprintf(good, 1), fmt.Sprintf(good, 2)
	f(one+two, 2)
	f(one+"\n\n{\"a\":\n"+two, 2, "4:6")
	f("{\"a\" 1}\n"+one+"nonsense\n{\"b\n"+two, 2, "1:6", "3:2", "4:4")
	f("{\n \"rule_id\":,\n}\n"+one, 1, "2:12")
	f(strings.ReplaceAll(one, ",", ",\n")+two+`{"a"`, 2, "10:5")
}

func TestPipesOfRulesAreIgnored(t *testing.T) {
	set := rule.Read("r.ndjson", []byte(`{"rule_id":"1","name":"n","description":"d","type":"eql","language":"eql","severity":"low","risk_score":1,"query":"any where true | head 3"}`))
	p := set.AllProblems()
	if len(p) != 1 || p[0].Code != "pipe-ignored" || !p[0].Warning || p[0].Column != 131 || set.Rules[0].Broken() {
		t.Errorf("%+v", p)
	}
}
