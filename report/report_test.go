package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/report"
	"github.com/shrike-project/shrike/rule"
)

var update = flag.Bool("update", false, "rewrite golden files")

var summary = report.Summary{
	Written: time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC), Version: "1.0", Events: 812_344, Bytes: 3_120_000_000,
	Files:   []report.File{{Name: "evidence/ws-0147/Security.evtx", Events: 500_000}, {Name: "evidence/ws-0147/Sysmon.evtx", Events: 312_344}},
	Skipped: map[string]int64{"truncated JSON": 3}, Notes: []string{"evidence/notes.txt: no events in it"}, RulesRun: 812, RulesNotRun: map[string]int{"rule type query cannot run yet": 40},
}

const guide = `## Triage and analysis

Look at the *parent*, and at <script>alert(1)</script> what it did.

!{investigate{"label":"x"}}

- [Reference](https://example.org/a) and [bad](javascript:alert(1))
- A picture ![picture](https://example.org/p.png)

### Response and remediation

- Isolate the host if the process is **not** known.
- Reset the passwords of the user.
- Isolate the host if the process is **not** known.

## More

- Not a step.
`

// rules are a few rules with all that reports show.
func rules() []*rule.Rule {
	ref := func(id, name string) rule.Reference { return rule.Reference{ID: id, Name: name} }
	threat := func(tactic rule.Reference, techniques ...rule.Technique) rule.Threat {
		return rule.Threat{Framework: "MITRE ATT&CK", Tactic: tactic, Techniques: techniques}
	}
	evasion, access, execution := ref("TA0005", "Defense Evasion"), ref("TA0006", "Credential Access"), ref("TA0002", "Execution")
	return []*rule.Rule{
		{RuleID: "r1", Name: "Untrusted child of a chat program", Severity: "high", RiskScore: 73, Description: "A chat program started a program that nobody signed.", Note: guide,
			References: []string{"https://example.org/a"}, FalsePositives: []string{"Updaters."}, File: "rules/chat child.toml", Line: 3, Tags: []string{"OS: Windows"},
			Threat: []rule.Threat{threat(evasion, rule.Technique{Reference: ref("T1036", "Masquerading"), Subtechniques: []rule.Reference{ref("T1036.005", "Match Legitimate Name")}})}},
		{RuleID: "r2", Name: "Memory of lsass was read", Severity: "critical", RiskScore: 99, Description: "Credentials may have been read.", File: "rules/lsass.toml", Line: 1, Note: guide,
			Threat: []rule.Threat{threat(access, rule.Technique{Reference: ref("T1003", "OS Credential Dumping"), Subtechniques: []rule.Reference{ref("T1003.001", "LSASS Memory")}})}},
		{RuleID: "r3", Name: "Encoded PowerShell", Severity: "medium", RiskScore: 47, Description: "PowerShell was given an encoded command.", File: "rules/ps.toml", Line: 1,
			Threat: []rule.Threat{threat(execution, rule.Technique{Reference: ref("T1059", "Command and Scripting Interpreter"), Subtechniques: []rule.Reference{ref("T1059.001", "PowerShell")}})}},
		{RuleID: "r4", Name: "A new service", Severity: "low", RiskScore: 21, Description: "A service was installed.", File: "rules/svc.toml", Line: 1},
	}
}

// processAlert makes an alert of a process start.
func processAlert(r *rule.Rule, i int, host, user, parent, process, command string) *alert.Alert {
	when := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC).Add(time.Duration(i) * 7 * time.Second)
	doc := map[string]any{
		"@timestamp": when.Format(time.RFC3339), "host": map[string]any{"name": host, "os": map[string]any{"type": "windows"}}, "user.name": user,
		"event": map[string]any{"category": []any{"process"}, "action": "start", "id": fmt.Sprint("e", i)},
		"process": map[string]any{
			"executable": process, "name": process[strings.LastIndex(process, `\`)+1:], "pid": json.Number(fmt.Sprint(1000 + i)), "command_line": command, "entity_id": fmt.Sprint("p", i),
			"parent": map[string]any{"executable": parent, "name": parent[strings.LastIndex(parent, `\`)+1:], "pid": json.Number("812"), "entity_id": "parent"},
		},
		"kibana.alert.rule.note": strings.Repeat("not shown ", 3), "shrike": map[string]any{"why": "not shown"},
	}
	a := &alert.Alert{
		ID: fmt.Sprintf("%064x", i+1), Rule: r, RuleName: r.Name, Severity: r.Severity, RiskScore: r.RiskScore, Time: event.FromTime(when), Timed: true,
		Reason: "process event with process " + process, Why: "process.code_signature.trusted missing; process.executable is " + process,
		Trace: &eql.Trace{Part: &eql.Part{Kind: "and"}, Result: eql.True, Children: []*eql.Trace{
			{Part: &eql.Part{Kind: "test", Expr: "process.pid > 4", Short: "process.pid > 4"}, Result: eql.True, Fields: []eql.FieldTrace{{Name: "process.pid", Values: []string{fmt.Sprint(1000 + i)}}}},
		}},
	}
	a.SetDocument(doc)
	return a
}

// change changes the document of an alert.
func change(a *alert.Alert, do func(doc map[string]any)) {
	doc := a.Document()
	do(doc)
	a.SetDocument(doc)
}

// fixed are the alerts of the golden files: a group of three, one of another
// destination, a sequence, one that has nothing, and a hostile one.
func fixed() []*alert.Alert {
	r := rules()
	slack, temp := `C:\Users\jdoe\AppData\Local\slack\slack.exe`, `C:\Users\jdoe\AppData\Local\Temp\updater.exe`
	list := []*alert.Alert{
		processAlert(r[0], 1, "WS-0147", "jdoe", slack, temp, temp+" --pid 4711 --id {7d444840-9dc0-11d1-b245-5ffdce74fad2} 10.0.0.1"),
		processAlert(r[2], 2, "WS-0147", "jdoe", temp, `C:\Windows\powershell.exe`, "powershell -enc SQBFAFgA"),
		processAlert(r[0], 3, "WS-0147", "jdoe", slack, temp, temp+" --pid 99 --id {11111111-9dc0-11d1-b245-5ffdce74fad2} 10.0.0.1"),
		processAlert(r[0], 4, "WS-0147", "jdoe", slack, temp, temp+" --pid 99 --id {11111111-9dc0-11d1-b245-5ffdce74fad2} 10.0.0.2"),
		processAlert(r[0], 5, "WS-0147", "jdoe", slack, temp, strings.ToUpper(temp)+" --pid 1 --id {22222222-9dc0-11d1-b245-5ffdce74fad2} 10.0.0.1"),
	}
	list[0].File, list[0].Line = "evidence/ws-0147/all events.ndjson", 812
	list[1].File = `C:\evidence\Sysmon.evtx`
	bare := &alert.Alert{ID: "bare", Rule: r[3], RuleName: r[3].Name, Severity: "low", RiskScore: 21}
	bare.SetDocument(map[string]any{})
	seq := processAlert(r[1], 9, "DC-1", "svc", `C:\a.exe`, `C:\b.exe`, "b.exe")
	seq.Trace = nil
	first, second := processAlert(r[1], 8, "DC-1", "svc", `C:\a.exe`, `C:\b.exe`, "b.exe"), processAlert(r[1], 9, "DC-1", "svc", `C:\b.exe`, `C:\c.exe`, "c.exe")
	seq.Steps = []alert.Step{
		{Query: "process where true", Time: first.Time, Timed: true}, {Query: "[x]", Missing: true},
		{Query: "process where true", Time: second.Time, Timed: true},
	}
	seq.Steps[0].SetSource(first.AppendJSON(nil))
	seq.Steps[2].SetSource(second.AppendJSON(nil))
	return append(list, bare, seq, hostile(r[2]))
}

// bad is what log content may hold against who reads it.
const bad = "=cmd|'/c calc'!A1 <script>alert(1)</script> \"><img src=x onerror=alert(1)> {{.}} </script><!-- [x](javascript:alert(1)) |`*_ \u202egpj.exe\x1b[2J\x00\r\n# head\u2028\xff&amp;"

func hostile(r *rule.Rule) *alert.Alert {
	a := processAlert(r, 12, bad, bad, bad, bad, strings.Repeat("A", 1<<20))
	a.RuleName, a.ID, a.Why, a.Reason = bad, bad, bad, bad
	change(a, func(doc map[string]any) { doc[bad] = bad })
	return a
}

// write makes a report of alerts.
func write(t testing.TB, kind string, opt report.Options, list []*alert.Alert) string {
	t.Helper()
	var b bytes.Buffer
	w, err := report.Open(kind, &b, opt)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		if err := w.Write(a); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(summary); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	for _, kind := range report.Kinds() {
		file := "testdata/report." + kind
		got := write(t, kind, report.Options{}, fixed())
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%.4000s", file, diff)
		}
	}
}

func TestUnknownKind(t *testing.T) {
	if _, err := report.Open("pdf", io.Discard, report.Options{}); err == nil || !strings.Contains(err.Error(), "html, markdown, csv, navigator, sarif") {
		t.Errorf("error %v", err)
	}
}

// TestNothingStaysBehind looks for what a report put aside.
func TestNothingStaysBehind(t *testing.T) {
	dir := t.TempDir()
	write(t, "html", report.Options{TempDir: dir}, fixed())
	write(t, "markdown", report.Options{TempDir: dir}, fixed())
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
}
