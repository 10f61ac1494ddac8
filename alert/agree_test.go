package alert_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/eqltest"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

// agreement holds alerts to plain ones.
type agreement struct {
	t       testing.TB
	plain   plain
	builder *alert.Builder
	alerts  int
	bytes   int
}

func newAgreement(t testing.TB, manual bool) *agreement {
	run := alert.Run{Now: time.Date(2026, 3, 2, 10, 5, 12, 310e6, time.UTC), UUID: "run\x7f", Manual: manual, Space: "default"}
	first := alert.NewBuilder(run, nil)
	return &agreement{t: t, plain: plain{run, event.DefaultTypes()}, builder: first.Fork()}
}

// signal builds the alerts of a signal both ways.
func (a *agreement) signal(s *detect.Signal) {
	var built []*alert.Alert
	a.builder.Build(s, func(al *alert.Alert) { built = append(built, al) })
	want := a.plain.documents(s, built)
	if len(built) != len(want) {
		a.t.Fatalf("%d alerts of %s, plainly %d", len(built), s.Rule.RuleID, len(want))
	}
	for i, al := range built {
		text := plainJSON(a.t, want[i])
		if got := al.AppendJSON([]byte("x")); string(got) != "x"+string(text) {
			at := 0
			for at < min(len(text), len(got)-1) && got[at+1] == text[at] {
				at++
			}
			a.t.Fatalf("alert %d of %s on %s at byte %d:\ngot  …%.300s\nwant …%.300s", i, s.Rule.RuleID, s.Steps[0].Record.Document(), at, got[max(1, at-50):], text[max(0, at-50):])
		}
		if al.ID != want[i]["kibana.alert.uuid"] || al.Reason != want[i]["kibana.alert.reason"] || al.Severity != want[i]["kibana.alert.severity"] {
			a.t.Fatalf("alert %d of %s: %s %q %s", i, s.Rule.RuleID, al.ID, al.Reason, al.Severity)
		}
		for _, name := range []string{"process.name", "host.ip", "event.kind", "event.category", "user.name", "labels.site"} {
			if got, expected := fmt.Sprint(al.Field(name)), fmt.Sprint(texts(lookup(want[i], name))); got != expected {
				a.t.Fatalf("alert %d of %s: %s is %s, expected %s", i, s.Rule.RuleID, name, got, expected)
			}
		}
		a.alerts++
		a.bytes += len(text)
	}
}

func plainJSON(t testing.TB, doc map[string]any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(doc); err != nil {
		t.Fatal(err)
	}
	return event.EscapeControls(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// run shows events to rules. Documents that are no events are passed over.
func (a *agreement) run(rules []*rule.Rule, docs [][]byte) {
	d := detect.New(rules, detect.Options{IgnoreIndex: true, Deprecated: true})
	dec, m, stream := d.NewDecoder(), d.NewMatcher(), d.NewStream(detect.StreamOptions{Lateness: detect.Unlimited})
	var ev event.Event
	var hits detect.Hits
	for _, doc := range docs {
		if dec.Decode(doc, &ev) != nil {
			continue
		}
		m.Match(&ev, &hits)
		d.Signals(&ev, &hits, a.signal)
		m.Arrivals(&ev, &hits, func(arrival *detect.Arrival) {
			if err := stream.Observe(arrival, a.signal); err != nil {
				a.t.Fatal(err)
			}
		})
	}
	if err := stream.Finish(a.signal); err != nil {
		a.t.Fatal(err)
	}
}

// agreeRules are rules whose alerts have whatever alerts may have.
func agreeRules(t testing.TB) []*rule.Rule {
	event := strings.NewReplacer(`process where process.parent.name : "slack.exe" and`, "any where true or").Replace(ruleText)
	overridden := strings.NewReplacer("11111111-", "33333333-", "99999999-", "77777777-", "note = ",
		"rule_name_override = \"process.name\"\nbuilding_block_type = \"default\"\nlicense = \"<&> \\u007f\"\nnote = ").Replace(event)
	const pair = "sequence by host.id with maxspan=10m [any where process.pid != 7] [any where true]"
	from, to := strings.Index(sequenceRule, "sequence by"), strings.LastIndex(sequenceRule, "'''")
	sequence := sequenceRule[:from] + pair + "\n" + sequenceRule[to:]
	var list []*rule.Rule
	for _, text := range []string{event, overridden, sequence} {
		set := rule.Read("r.toml", []byte(text))
		for _, p := range set.AllProblems() {
			t.Fatal(p.Text())
		}
		list = append(list, set.Rules...)
	}
	return list
}

// wild makes documents that alerts find hard.
type wild struct{ *rand.Rand }

func (w wild) pick(list ...string) string { return list[w.IntN(len(list))] }

func (w wild) name() string {
	return w.pick("@timestamp", "event", "event.kind", "event.category", "event.severity", "event.a", "kind", "category", "a", "b", "a-b", "data_stream", "data_stream.type",
		"kibana", "kibana.alert.depth", "kibana.alert.ancestors", "kibana.alert.rule.uuid", "kibanb", "signal", "signal.x", "threshold_result", "shrike", "shrike.x",
		"process", "process.name", "process.pid", "name", "pid", "parent", "host", "host.ip", "ip", "os", "type", "user", "user.name", "labels", "source.ip", "destination", "port",
		"file.name", "<k>", `a\u0062`, `\ud800`, "\u0085", "é", "z z", `q\"`, "@a", "!", "~", "")
}

func (w wild) value(depth int) string {
	switch n := w.IntN(22); {
	case n < 4 && depth > 0:
		return w.object(depth - 1)
	case n < 7 && depth > 0:
		var list []string
		for range w.IntN(4) {
			list = append(list, w.value(depth-1))
		}
		return "[" + strings.Join(list, ",") + "]"
	case n < 9:
		return w.pick("null", "true", "false", "tru", "01", "-")
	case n < 12:
		return w.pick("0", "1", "1.0", "80", "99", "7", "-0", "1e400", "1.5E+3", "123456789012345678901234567890", "0.1")
	}
	return `"` + w.pick("a", "", "-", "cmd.exe", `C:\\Windows\\x.exe`, `C:\Windows\x`, "<a&b>", "\u007f\u0080\u2028", `\u007f\u009f\u2029`, "é😀", "\xff", `\ud83d\ude00\ud83d`, `\/\b\f\n\r\t\u0000`,
		"2026-03-02T10:00:00Z", "2026-03-02T10:00:05.2500001Z", "10.0.0.1", "fe80::1", "true", "80", "12", "1e400", "nan", "signal", "process",
		"99999999-2222-4333-8444-555555555555", strings.Repeat("long ", 40)) + `"`
}

func (w wild) object(depth int) string {
	var members []string
	for range w.IntN(6) {
		members = append(members, `"`+w.name()+`":`+w.value(depth))
	}
	return "{" + strings.Join(members, w.pick(",", ", ")) + "}"
}

func (w wild) document(i int) []byte {
	members := []string{fmt.Sprintf(`"@timestamp":"2026-03-02T10:%02d:%02dZ"`, i/60%60, i%60), `"host.id":"h"`}
	for range 3 + w.IntN(9) {
		members = append(members, `"`+w.name()+`":`+w.value(3))
	}
	w.Shuffle(len(members), func(i, k int) { members[i], members[k] = members[k], members[i] })
	doc := "{" + strings.Join(members, ",") + "}"
	if w.IntN(3) == 0 {
		doc = fmt.Sprintf(`{"_index":%q,"_id":%q,"_source":%s}`, w.pick("i", "", "<i>"), w.pick("x", "", "y"), doc)
	}
	return []byte(doc)
}

func TestAlertsOfWildEventsAgreeWithPlainOnes(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	w := wild{rand.New(rand.NewPCG(seed, 1))}
	rules := agreeRules(t)
	a := newAgreement(t, true)
	defer func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	}()
	for i := range 40 {
		var docs [][]byte
		for k := range 50 {
			docs = append(docs, w.document(k))
		}
		a.run(rules, docs)
		if i == 20 {
			scheduled := newAgreement(t, false)
			scheduled.run(rules, docs)
		}
	}
	t.Logf("%d alerts of %d bytes", a.alerts, a.bytes)
	if a.alerts < 5000 {
		t.Errorf("%d alerts are too few to tell anything", a.alerts)
	}
}

// TestAlertsOfHostileEventsAgreeWithPlainOnes shows what random events seldom are, each
// twice so that it makes a sequence.
func TestAlertsOfHostileEventsAgreeWithPlainOnes(t *testing.T) {
	var list []string
	for i := range 30 {
		list = append(list, fmt.Sprintf(`{"b":%d,"a":[%d],"c":null}`, i, i))
	}
	a := newAgreement(t, true)
	for _, members := range []string{
		`"x":null,"x":null,"event":{"y":null,"y":null,"z":[null,[]]},"labels":[{"y":null,"y":null}]`,
		`"event":[` + strings.Join(list, ",") + `],"event.a":1,"event.b":null,"event.c":[]`,
		`"event":{"a":{"b":1}},"event.a":{"b":2},"event.a.b":[3]`, `"event":null`, `"event":"x"`, `"event":[]`, `"event":[1,{"kind":"k"},[{"kind":"k"}]]`,
		`"event":{"kind":{"x":1},"category":[["process"]]},"event.kind":"alert"`,
		`"kibana":{"alert":{"ancestors":[{"id":1.0,"index":null},{"id":{"b":[1,null],"a":"x"}},7,[{"rule":"r"}]],"depth":"99999999999999999999","rule":{"uuid":[1,"x"]}}}`,
		`"kibana.alert.ancestors":null,"kibana.alert.rule.uuid":null,"kibana.alert.rule.uuid":null,"kibana.alert.depth":[2,3]`,
		`"kibana":[{"alert.depth":4},{"alert":{"depth":5}}]`, `"process":{"pid":"x","name":{"deep":1}},"process.name":["a","-"],"host":{"ip":["10.0.0.1","x",{"y":1}]}`,
		`"@timestamp":null`, `"@timestamp":["2026-03-02T10:00:00.123456789Z"]`, `"shrike":{"x":1},"shrikf":1,"kibana0":1,"kibana-":2,"kibana.":3,"":4`,
		`"unread":[1 ` + "\x00" + `2]`, `"deep":` + strings.Repeat(`{"a":`, 900) + "1" + strings.Repeat("}", 900), `"` + strings.Repeat("long", 100) + `":{"event":1}`,
	} {
		first := `{"host.id":"h","@timestamp":"2026-03-02T10:00:00Z",` + members + "}"
		second := `{"host.id":"h","@timestamp":"2026-03-02T10:00:01Z",` + members + "}"
		before := a.alerts
		a.run(agreeRules(t), [][]byte{[]byte(first), []byte(second)})
		if a.alerts < before+4 {
			t.Errorf("%d alerts of %s", a.alerts-before, first)
		}
	}
}

func TestAlertsOfRandomEventsAgreeWithPlainOnes(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := eqltest.Random{Chooser: rand.New(rand.NewPCG(seed, 2))}
	a := newAgreement(t, true)
	var docs [][]byte
	for range 1000 {
		docs = append(docs, r.Event())
	}
	a.run(agreeRules(t), docs)
	if a.alerts < 2000 {
		t.Errorf("%d alerts are too few to tell anything", a.alerts)
	}
}

// TestAlertsOfTheCorpusAgreeWithPlainOnes shows to each rule of the corpus the events
// it has to fire on.
func TestAlertsOfTheCorpusAgreeWithPlainOnes(t *testing.T) {
	tree, err := eqltest.OpenTree("../../shared/corpus/rules.tar.gz")
	if err != nil {
		t.Skipf("no corpus of rules: %v", err)
	}
	l := rule.NewLoader()
	if err := l.Load(tree, ".", ""); err != nil {
		t.Fatal(err)
	}
	rules := map[string]*rule.Rule{}
	for _, r := range l.Set().Rules {
		if r.EQL != nil {
			rules[r.RuleID] = r
		}
	}
	a := newAgreement(t, true)
	cases := 0
	eachCase(t, func(id string, docs [][]byte) {
		if r := rules[id]; r != nil {
			cases++
			a.run([]*rule.Rule{r}, docs)
		}
	})
	t.Logf("%d cases, %d alerts of %d bytes", cases, a.alerts, a.bytes)
	if a.alerts < 500 {
		t.Errorf("%d alerts are too few to tell anything", a.alerts)
	}
}

// eachCase visits the rule cases of the shared data.
func eachCase(t *testing.T, visit func(rule string, docs [][]byte)) {
	f, err := os.Open("../../shared/data/rule-cases/rule-cases.ndjson.gz")
	if err != nil {
		t.Skipf("no rule cases: %v", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	sc := bufio.NewScanner(z)
	sc.Buffer(nil, 64<<20)
	for sc.Scan() {
		var c struct {
			RuleID string `json:"rule_id"`
			Events []json.RawMessage
		}
		if err := json.Unmarshal(sc.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		var docs [][]byte
		for _, e := range c.Events {
			docs = append(docs, e)
		}
		visit(c.RuleID, docs)
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
}
