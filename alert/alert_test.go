package alert_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

var update = flag.Bool("update", false, "rewrite golden files")

const ruleText = `
[metadata]
maturity = "production"
[rule]
rule_id = "11111111-2222-4333-8444-555555555555"
id = "99999999-2222-4333-8444-555555555555"
name = "Test rule"
description = "A rule for tests."
type = "eql"
language = "eql"
author = ["Somebody"]
severity = "medium"
risk_score = 47
version = 7
interval = "5m"
from = "now-9m"
index = ["logs-*"]
tags = ["OS: Windows"]
timestamp_override = "event.ingested"
query = '''
process where process.parent.name : "slack.exe" and
  /* not signed by the maker */ not (process.code_signature.trusted == true and process.code_signature.subject_name : "Slack*")
'''
note = "Look."
[[rule.severity_mapping]]
field = "event.severity"
operator = "equals"
value = "80"
severity = "high"
[[rule.severity_mapping]]
field = "event.severity"
operator = "equals"
value = "99"
severity = "critical"
[[rule.risk_score_mapping]]
field = "event.risk_score"
operator = "equals"
value = ""
[[rule.threat]]
framework = "MITRE ATT&CK"
[rule.threat.tactic]
id = "TA0005"
name = "Defense Evasion"
reference = "https://attack.mitre.org/tactics/TA0005/"
[[rule.threat.technique]]
id = "T1036"
name = "Masquerading"
reference = "https://attack.mitre.org/techniques/T1036/"
`

// build makes the alert of the rule for a document.
func build(t *testing.T, more, doc string) *alert.Alert {
	t.Helper()
	set := rule.Read("r.toml", []byte(strings.Replace(ruleText, "note = ", more+"\nnote = ", 1)))
	for _, p := range set.AllProblems() {
		t.Fatal(p.Text())
	}
	d := detect.New(set.Rules, detect.Options{})
	var ev event.Event
	if err := d.NewDecoder().Decode([]byte(doc), &ev); err != nil {
		t.Fatal(err)
	}
	var hits detect.Hits
	d.NewMatcher().Match(&ev, &hits)
	b := alert.NewBuilder(alert.Run{Now: time.Date(2026, 3, 2, 10, 5, 12, 310e6, time.UTC), UUID: "run", Manual: true}, nil)
	var a *alert.Alert
	d.Signals(&ev, &hits, func(s *detect.Signal) { b.Build(s, func(built *alert.Alert) { a = built }) })
	if a == nil {
		t.Fatal("the rule did not fire")
	}
	return a
}

const doc = `{"_index":".ds-logs-endpoint.events.process-default-2026.03.01-000004","_id":"AY1x","_source":{
 "@timestamp":"2026-03-02T10:02:41.117Z","data_stream":{"type":"logs","dataset":"endpoint.events.process","namespace":"default"},
 "event":{"kind":"event","category":["process"],"action":"start","severity":80,"ingested":"2026-03-02T10:02:55Z"},"event.id":"N9x",
 "kibana":{"x":1},"kibana.y":2,"signal":{"z":3},"threshold_result":{},
 "host":{"name":"WS-0147","ip":["10.20.4.47","not an address"],"os":{"type":"windows"}},
 "user":{"name":"jdoe"},"labels":{"site":"north"},
 "process":{"pid":9120,"name":"updater.exe","parent":{"name":"slack.exe","pid":"abc"},"code_signature":"none","args":["a <b>",1e400]}}}`

func TestDocument(t *testing.T) {
	golden(t, "testdata/event_alert.json", json.RawMessage(build(t, "", doc).AppendJSON(nil)))
}

// golden compares a value, as JSON, with a file.
func golden(t *testing.T, file string, v any) {
	t.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// TestIdentity holds alert ids to Kibana's formula, computed by hand.
func TestIdentity(t *testing.T) {
	a := build(t, "", doc)
	// printf '%s' '<index><id>undefined<space>:<object id>' | sha256sum
	const want = "f2d2fa01f69863648643517c7c97d65dbcc444428bcb23809c7ccb450b287ee1"
	if a.ID != want {
		t.Errorf("id %s, expected %s", a.ID, want)
	}
	// Without an id, the content is the identity, however it is written.
	one := build(t, "", `{"event.category":"process","process":{"parent":{"name":"slack.exe"},"pid":1}}`)
	two := build(t, "", `{ "process" : {"pid":1, "parent":{"name":"sl\u0061ck.exe"}}, "event.category" :"process"}`)
	other := build(t, "", `{"event.category":"process","process":{"parent":{"name":"slack.exe"},"pid":2}}`)
	if one.ID != two.ID || one.ID == other.ID {
		t.Errorf("ids by content: %s, %s, %s", one.ID, two.ID, other.ID)
	}
}

func TestOverrides(t *testing.T) {
	f := func(more, fields string, severity string, score float64, name string) {
		t.Helper()
		a := build(t, more, `{"event":{"category":"process"},"process":{"parent":{"name":"slack.exe"}}`+fields+`}`)
		if a.Severity != severity || a.RiskScore != score || a.RuleName != name {
			t.Errorf("%s: %s %v %q", fields, a.Severity, a.RiskScore, a.RuleName)
		}
		if a.Document()["kibana.alert.rule.severity"] != "medium" || a.Document()["kibana.alert.severity"] != severity {
			t.Errorf("%s: the document has severities %v and %v", fields, a.Document()["kibana.alert.rule.severity"], a.Document()["kibana.alert.severity"])
		}
	}
	f("", ``, "medium", 47, "Test rule")
	f("", `,"event.severity":80`, "high", 47, "Test rule")
	f("", `,"event.severity":[80,99]`, "critical", 47, "Test rule")
	f("", `,"event.severity":"81"`, "medium", 47, "Test rule")
	f("", `,"event.risk_score":91.5`, "medium", 91.5, "Test rule")
	f("", `,"event.risk_score":["12","300"]`, "medium", 12, "Test rule")
	f("", `,"event.risk_score":-1`, "medium", 47, "Test rule")
	f(`rule_name_override = "message"`, `,"message":"From the source"`, "medium", 47, "From the source")
	f(`rule_name_override = "message"`, ``, "medium", 47, "Test rule")
}

func TestReason(t *testing.T) {
	f := func(fields, want string) {
		t.Helper()
		a := build(t, "", `{"process":{"parent":{"name":"slack.exe"}},"event.category":"process"`+fields+`}`)
		if want += " created medium alert Test rule."; a.Reason != want {
			t.Errorf("%s:\ngot  %s\nwant %s", fields, a.Reason, want)
		}
	}
	f(``, "process event with parent process slack.exe,")
	f(`,"process.name":"cmd.exe","user.name":"SYSTEM","host":{"name":"host-1"}`, "process event with process cmd.exe, parent process slack.exe, by SYSTEM on host-1")
	f(`,"user.name":["a","b"],"host.name":"-"`, "process event with parent process slack.exe, by a, b")
	f(`,"file.name":"x.txt","source.ip":"10.0.0.1","source.port":99,"destination.ip":"10.0.0.2"`, "process event with parent process slack.exe, file x.txt, source 10.0.0.1:99, destination 10.0.0.2")
}

func TestWhy(t *testing.T) {
	f := func(fields, want string) {
		t.Helper()
		if a := build(t, "", `{"process":{"parent":{"name":"slack.exe"}},"event.category":"process"`+fields+`}`); a.Why != want {
			t.Errorf("%s:\ngot  %s\nwant %s", fields, a.Why, want)
		}
	}
	f(``, "not signed by the maker: process.code_signature.trusted missing; process.parent.name is slack.exe")
	f(`,"process.code_signature.trusted":true,"process.code_signature.subject_name":"Other"`, "not signed by the maker: process.parent.name is slack.exe; process.code_signature.subject_name is Other")
}

// TestAlertsByHand makes an alert without a Builder.
func TestAlertsByHand(t *testing.T) {
	var a alert.Alert
	var st alert.Step
	if a.Field("host.name") != nil || st.Field("host.name") != nil || st.Source() != nil {
		t.Error("an alert without a document has fields")
	}
	a.SetDocument(map[string]any{"host": map[string]any{"name": "a<\x7f"}, "n": 1})
	if got := string(a.AppendJSON(nil)); got != `{"host":{"name":"a<\u007f"},"n":1}` || a.Field("host.name")[0] != "a<\x7f" {
		t.Errorf("%s, %q", got, a.Field("host.name"))
	}
	st.SetSource([]byte(`{"host":{"name":"b"}}`))
	if diff := cmp.Diff(map[string]any{"host": map[string]any{"name": "b"}}, st.Source()); diff != "" || st.Field("host.name")[0] != "b" {
		t.Errorf("%q, -want +got:\n%s", st.Field("host.name"), diff)
	}
}
