package detect_test

import (
	"fmt"
	"testing"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

// makeRule makes a rule from lines of TOML beside those every rule needs.
func makeRule(t *testing.T, id, query, more string) *rule.Rule {
	t.Helper()
	text := fmt.Sprintf("[metadata]\nmaturity = \"production\"\n[rule]\nrule_id = %q\nname = %q\ndescription = \"d\"\ntype = \"eql\"\nseverity = \"low\"\nrisk_score = 1\nquery = '''%s'''\n%s\n", id, id, query, more)
	set := rule.Read(id+".toml", []byte(text))
	for _, p := range set.AllProblems() {
		t.Fatal(p.Text())
	}
	return set.Rules[0]
}

// signals gives the ids of the rules that fire on a document, and their times.
func signals(t *testing.T, d *detect.Detector, doc string) []string {
	t.Helper()
	var ev event.Event
	if err := d.NewDecoder().Decode([]byte(doc), &ev); err != nil {
		t.Fatal(err)
	}
	var hits detect.Hits
	d.NewMatcher().Match(&ev, &hits)
	var list []string
	d.Signals(&ev, &hits, func(s *detect.Signal) {
		text := s.Rule.RuleID
		if s.Timed {
			text += "@" + s.Time.String()
		}
		list = append(list, text)
	})
	return list
}

func TestIndexPatterns(t *testing.T) {
	f := func(patterns, doc string, opt detect.Options, want bool) {
		t.Helper()
		d := detect.New([]*rule.Rule{makeRule(t, "r", "any where true", "index = "+patterns)}, opt)
		if got := len(signals(t, d, doc)) > 0; got != want {
			t.Errorf("%s on %s (%+v): %v", patterns, doc, opt, got)
		}
	}
	const endpoint = `{"data_stream":{"type":"logs","dataset":"endpoint.events.process","namespace":"prod"}}`
	f(`["logs-endpoint.events.process-*"]`, endpoint, detect.Options{}, true)
	f(`["logs-endpoint.events.file-*"]`, endpoint, detect.Options{}, false)
	f(`["logs-endpoint.events.file-*"]`, endpoint, detect.Options{IgnoreIndex: true}, true)
	f(`["logs-*", "-logs-endpoint.*"]`, endpoint, detect.Options{}, false)
	f(`["logs-*", "-logs-endpoint.*"]`, `{"data_stream":{"dataset":"system.security"}}`, detect.Options{}, true)
	f(`["remote:logs-endpoint.*"]`, endpoint, detect.Options{}, true)
	f(`["winlogbeat-*"]`, `{}`, detect.Options{}, true) // nobody knows the index
	f(`["winlogbeat-*"]`, `{}`, detect.Options{Index: "winlogbeat-8"}, true)
	f(`["winlogbeat-*"]`, `{}`, detect.Options{Index: "auditbeat-8"}, false)
	f(`["logs-endpoint.events.process-*"]`, `{"_index":".ds-logs-endpoint.events.process-default-2026.03.01-000004","_id":"1","_source":{}}`, detect.Options{}, true)
	f(`["logs-endpoint.events.file-*"]`, `{"_index":".ds-logs-endpoint.events.process-default-2026.03.01-000004","_id":"1","_source":{}}`, detect.Options{}, false)
	f(`["logs-endpoint.events.file-*"]`, `{}`, detect.Options{Index: ".ds-logs-endpoint.events.file-default-2026.03.01-000004"}, true)
	f(`[]`, endpoint, detect.Options{}, true)
}

func TestTimestampsAndCategory(t *testing.T) {
	f := func(more, query, doc string, want ...string) {
		t.Helper()
		d := detect.New([]*rule.Rule{makeRule(t, "r", query, more)}, detect.Options{})
		if got := signals(t, d, doc); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, expected %v", doc, got, want)
		}
	}
	const doc = `{"@timestamp":"2026-01-01T00:00:00.000000001Z","event":{"created":"2026-01-02T00:00:00Z","type":["start"]}}`
	f("", "any where true", doc, "r@2026-01-01T00:00:00.000000001Z")
	f(`timestamp_field = "event.created"`, "any where true", doc, "r@2026-01-02T00:00:00.000Z")
	f(`timestamp_field = "event.start"`, "any where true", doc, "r")
	// Nobody knows the type of the field: it still holds times.
	f(`timestamp_field = "my.time"`, "any where true", `{"my":{"time":"2026-01-02T00:00:00Z"}}`, "r@2026-01-02T00:00:00.000Z")
	f(`timestamp_field = "my.time"`, "any where true", `{"my":{"time":[null,"soon",1767312000000]}}`, "r@2026-01-02T00:00:00.000Z")
	f(`timestamp_field = "my.time"`, "any where true", `{"@timestamp":1767312000000,"my":{"time":"soon"}}`, "r")
	f(`event_category_override = "event.type"`, "start where true", doc, "r@2026-01-01T00:00:00.000000001Z")
	f(`event_category_override = "event.type"`, "process where true", doc)
	// Without the fallback, a search by the override never sees an event that lacks it.
	f(`timestamp_override = "event.ingested"`, "any where true", doc, "r@2026-01-01T00:00:00.000000001Z")
	f("timestamp_override = \"event.ingested\"\ntimestamp_override_fallback_disabled = true", "any where true", doc)
	f("timestamp_override = \"event.created\"\ntimestamp_override_fallback_disabled = true", "any where true", doc, "r@2026-01-01T00:00:00.000000001Z")
}

func TestRulesThatDoNotRun(t *testing.T) {
	rules := []*rule.Rule{
		makeRule(t, "fine", "any where true", ""),
		makeRule(t, "filtered", "any where true", "[[rule.filters]]\nquery = {match_all = {}}"),
	}
	deprecated := makeRule(t, "old", "any where true", "")
	deprecated.Metadata["maturity"] = "deprecated"
	rules = append(rules, deprecated)
	rules = append(rules, rule.Read("k.toml", []byte("[rule]\nrule_id=\"k\"\nname=\"k\"\ndescription=\"d\"\ntype=\"query\"\nseverity=\"low\"\nrisk_score=1\nquery=\"a:b\"\n")).Rules...)
	rules = append(rules, rule.Read("b.toml", []byte("[rule]\nrule_id=\"b\"\nname=\"b\"\ndescription=\"d\"\ntype=\"eql\"\nseverity=\"low\"\nrisk_score=1\nquery=\"a b\"\n")).Rules...)
	d := detect.New(rules, detect.Options{})
	var got []string
	for _, s := range d.Skipped() {
		got = append(got, s.RuleID+": "+s.Reason)
	}
	want := "[filtered: rule filters cannot run yet old: the rule is deprecated k: rule type query cannot run yet b: the rule is broken]"
	if fmt.Sprint(got) != want || len(d.Rules()) != 1 {
		t.Errorf("got  %v\nwant %s", got, want)
	}
	if n := len(detect.New(rules, detect.Options{Deprecated: true}).Rules()); n != 2 {
		t.Errorf("%d rules run with deprecated ones, expected 2", n)
	}
}
