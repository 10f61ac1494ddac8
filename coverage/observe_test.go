package coverage_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	"github.com/shrike-project/shrike/coverage"
	"github.com/shrike-project/shrike/event"
)

// observe makes sources of documents, by two observers in turn.
func observe(t testing.TB, fields []string, docs ...string) []*coverage.Source {
	t.Helper()
	set := event.NewFieldSet(nil)
	for _, f := range fields {
		set.Add(f)
	}
	all := coverage.NewObserver(set)
	forks := []*coverage.Observer{all.Fork(), all.Fork()}
	dec := event.NewDecoder(set, "")
	for i, doc := range docs {
		var ev event.Event
		if err := dec.Decode([]byte(doc), &ev); err != nil {
			t.Fatal(err)
		}
		forks[i%2].Observe(&ev)
	}
	for _, f := range forks {
		all.Merge(f)
	}
	return all.Sources(coverage.Known())
}

func TestObserver(t *testing.T) {
	const query = `process where event.type == "start" and process.name : "x" and not process.code_signature.trusted == true`
	c := coverage.Compile(parse(t, query), coverage.Options{})
	on := func(want string, docs ...string) {
		t.Helper()
		got := ""
		for _, s := range observe(t, c.Fields(), docs...) {
			got += fmt.Sprintf("%s %d %s\n", s.Name, s.Events, text(c.On(s)))
		}
		if got != want {
			t.Errorf("%s\n got %s\nwant %s", docs, got, want)
		}
	}
	signed := `{"event":{"category":"process","type":"start","module":"endpoint"},"process":{"name":"a","code_signature":{"trusted":true}}}`
	unsigned := `{"event":{"category":"process","type":"start","module":"endpoint"},"process":{"name":"a"}}`
	ended := `{"event":{"category":"process","type":"end","module":"endpoint"},"process":{"name":"a"}}`
	on("endpoint 2 full\n", unsigned, signed)
	on("endpoint 2 full\n", signed, ended)
	on("endpoint 1 noisy; noisy process.code_signature.trusted == true\n", unsigned)
	on("endpoint 1 not applicable\n", ended)
	on("other 1 not applicable\n", `{"event":{"dataset":"other.things"}}`)
	on("unnamed 1 not applicable\n", `{"a":1}`)
	// What the tables know counts beside what is seen, and the other way round.
	sysmon := `{"event":{"category":["process"],"type":["start"],"code":"1","provider":"Microsoft-Windows-Sysmon"}`
	on("sysmon 1 noisy; noisy process.code_signature.trusted == true\n", sysmon+`}`)
	on("sysmon 2 full\n", sysmon+`}`, sysmon+`,"process":{"code_signature":{"trusted":false}}}`)
}

// TestObserverOfExamples: events of Elastic's agent cover the shipped rule.
func TestObserverOfExamples(t *testing.T) {
	data, err := os.ReadFile("../examples/endpoint.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	c := coverage.Compile(shipped(t), coverage.Options{})
	var docs []string
	for _, line := range bytes.Split(bytes.TrimSpace(data), []byte("\n")) {
		docs = append(docs, string(line))
	}
	sources := observe(t, c.Fields(), docs...)
	if len(sources) != 1 || sources[0].Name != "endpoint" {
		t.Fatalf("%+v", sources)
	}
	if got := text(c.On(sources[0])); got != "full" {
		t.Error(got)
	}
}
