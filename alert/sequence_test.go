package alert_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"testing"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

const sequenceRule = `
[metadata]
maturity = "production"
[rule]
rule_id = "22222222-2222-4333-8444-555555555555"
id = "88888888-2222-4333-8444-555555555555"
name = "Quiet start"
description = "A sequence for tests."
type = "eql"
language = "eql"
severity = "high"
risk_score = 73
version = 1
query = '''
sequence by host.id, ?user.name with maxspan=1m
  [process where event.type == "start"] by process.entity_id, process.pid
  ![process where event.type == "end"] by process.entity_id, process.pid
  [network where true] by process.entity_id, process.pid
'''
`

var steps = []string{
	`{"_index":"i-1","_id":"A","_source":{"@timestamp":"2026-03-02T10:00:00Z","event":{"category":"process","type":["start","info"],"kind":"event"},
	 "host":{"id":"h","name":"WS-1","ip":["10.0.0.1","10.0.0.2"]},"user":{"name":"jdoe"},"process":{"entity_id":"e","pid":1,"name":"a.exe"},"labels":{"one":1}}}`,
	`{"_index":"i-2","_id":"B","_source":{"@timestamp":"2026-03-02T10:00:05.250Z","event":{"category":"network","type":["info"],"kind":"event"},
	 "host":{"id":"h","name":"WS-1","ip":["10.0.0.2","10.0.0.3"]},"user":{"name":"jdoe"},"process":{"entity_id":"e","pid":1.0,"name":"a.exe"},"destination":{"ip":"10.9.9.9","port":443},
	 "kibana.alert.ancestors":[{"id":"Z","type":"event","index":"i-0","depth":0}],"kibana.alert.depth":1,"kibana.alert.rule.uuid":"other"}}`,
}

// buildSequence makes the alerts of the sequence over some documents.
func buildSequence(t *testing.T, text string, docs ...string) []*alert.Alert {
	t.Helper()
	set := rule.Read("r.toml", []byte(text))
	for _, p := range set.AllProblems() {
		t.Fatal(p.Text())
	}
	d := detect.New(set.Rules, detect.Options{})
	b := alert.NewBuilder(alert.Run{Now: time.Date(2026, 3, 2, 10, 5, 12, 310e6, time.UTC), UUID: "run", Manual: true}, nil)
	var alerts []*alert.Alert
	signal := func(s *detect.Signal) { b.Build(s, func(a *alert.Alert) { alerts = append(alerts, a) }) }
	stream := d.NewStream(detect.StreamOptions{Lateness: detect.Unlimited})
	m, dec := d.NewMatcher(), d.NewDecoder()
	var ev event.Event
	var hits detect.Hits
	for _, doc := range docs {
		if err := dec.Decode([]byte(doc), &ev); err != nil {
			t.Fatal(err)
		}
		m.Match(&ev, &hits)
		m.Arrivals(&ev, &hits, func(a *detect.Arrival) { _ = stream.Observe(a, signal) })
	}
	_ = stream.Finish(signal)
	return alerts
}

func TestSequenceDocuments(t *testing.T) {
	var list []any
	for _, a := range buildSequence(t, sequenceRule, steps...) {
		list = append(list, json.RawMessage(a.AppendJSON(nil)))
	}
	golden(t, "testdata/sequence_alerts.json", list)
}

// TestSequenceIdentity holds the ids to Kibana's formula: hashes over ids and
// indices of all ancestors, in order.
func TestSequenceIdentity(t *testing.T) {
	const object = "88888888-2222-4333-8444-555555555555"
	sum := func(s string) string {
		h := sha256.Sum256([]byte(s))
		return hex.EncodeToString(h[:])
	}
	base := "A" + "i-1" + object + "Z" + "i-0" + "B" + "i-2" + object
	first, second := sum(base+"0"), sum(base+"1")
	shell := sum("A" + "i-1" + first + "Z" + "i-0" + "B" + "i-2" + second + object)
	alerts := buildSequence(t, sequenceRule, steps...)
	if len(alerts) != 3 || alerts[0].ID != first || alerts[1].ID != second || alerts[2].ID != shell {
		t.Fatalf("%d alerts, the first with id %s", len(alerts), alerts[0].ID)
	}
	for i, a := range alerts {
		if a.Document()["kibana.alert.group.id"] != shell || a.BuildingBlock != (i < 2) {
			t.Errorf("alert %d: group %v, building block %v", i, a.Document()["kibana.alert.group.id"], a.BuildingBlock)
		}
	}
	if why := "2 events within 5.25 s with the same host.id (h), user.name (jdoe), process.entity_id (e), process.pid (1); 1 did not happen"; alerts[2].Why != why {
		t.Errorf("why: %s", alerts[2].Why)
	}
}

// TestSequenceOfOwnAlertsIsNone: a rule does not build on its own alerts.
func TestSequenceOfOwnAlertsIsNone(t *testing.T) {
	own := `{"_index":"i-2","_id":"B","_source":{"@timestamp":"2026-03-02T10:00:05Z","event":{"category":"network"},"host":{"id":"h"},"user":{"name":"jdoe"},
	 "process":{"entity_id":"e","pid":1},"kibana.alert.rule.uuid":"88888888-2222-4333-8444-555555555555","kibana.alert.ancestors":[{"id":"A","type":"event","index":"i-1","depth":0,"rule":"x"}]}}`
	if alerts := buildSequence(t, sequenceRule, steps[0], own); len(alerts) != 0 {
		t.Errorf("%d alerts", len(alerts))
	}
}

// TestShellOfBuildingBlockRule: the alert of a building block rule stays in the
// background, and carries no overrides.
func TestShellOfBuildingBlockRule(t *testing.T) {
	alerts := buildSequence(t, sequenceRule+"building_block_type = \"default\"\nrule_name_override = \"host.name\"\n", steps...)
	shell := alerts[len(alerts)-1]
	if !shell.BuildingBlock || shell.RuleName != "Quiet start" || shell.Document()["kibana.alert.building_block_type"] != "default" {
		t.Errorf("%v %q %v", shell.BuildingBlock, shell.RuleName, shell.Document()["kibana.alert.building_block_type"])
	}
}
