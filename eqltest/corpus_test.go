package eqltest_test

// The public rules and the cases made for them.

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/eqltest"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

// corpus gives the rules below SHRIKE_CORPUS, or skips the test.
func corpus(t testing.TB) *rule.Set {
	t.Helper()
	name := os.Getenv("SHRIKE_CORPUS")
	if name == "" {
		name = "../../shared/corpus/rules.tar.gz"
	}
	tree, err := eqltest.OpenTree(name)
	if err != nil {
		t.Skipf("no corpus of rules: %v (set SHRIKE_CORPUS)", err)
	}
	set, err := rule.Load(tree, ".", "")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestCorpusLoads(t *testing.T) {
	set := corpus(t)
	if len(set.Rules) == 0 {
		t.Fatal("no rules")
	}
	for _, p := range set.AllProblems() {
		if p.Code == "pipe-ignored" {
			continue // two rules limit their results themselves
		}
		t.Error(p.Text())
	}
	queries := 0
	reasons := map[string]int{}
	for _, r := range set.Rules {
		if r.Type == "eql" {
			queries++
			if r.EQL == nil {
				t.Errorf("%s: the query was not parsed", r.File)
				continue
			}
			if err := eqltest.RoundTrip(r.EQL); err != nil {
				t.Errorf("%s: %v", r.File, err)
			}
		} else if r.Blocked == "" {
			t.Errorf("%s: a rule of type %s is not marked as one that cannot run", r.File, r.Type)
		}
	}
	d := detect.New(set.Rules, detect.Options{Deprecated: true})
	for _, s := range d.Skipped() {
		reasons[s.Reason]++
	}
	fmt.Printf("corpus: %d files, %d rules, %d EQL queries parse and print, %d rules run\n", set.Files, len(set.Rules), queries, len(d.Rules()))
	for _, reason := range slices.Sorted(mapsKeys(reasons)) {
		fmt.Printf("    %d do not run: %s\n", reasons[reason], reason)
	}
}

// ruleCase is a line of rule-cases.ndjson.
type ruleCase struct {
	RuleID string `json:"rule_id"`
	Rule   string
	Expect bool
	Branch int
	Events []json.RawMessage
}

func ruleCases(t testing.TB) []ruleCase {
	t.Helper()
	const name = "../../shared/data/rule-cases/rule-cases.ndjson.gz"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Skipf("no cases for rules: %v", err)
	}
	z, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var list []ruleCase
	sc := bufio.NewScanner(z)
	sc.Buffer(nil, 1<<24)
	for sc.Scan() {
		var c ruleCase
		if err := json.Unmarshal(sc.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestRuleCases(t *testing.T) {
	set := corpus(t)
	byID := map[string]*rule.Rule{}
	for _, r := range set.Rules {
		byID[r.RuleID] = r
	}
	fired, silent, failed := 0, 0, 0
	skipped := map[string]int{}
	seen := map[string]bool{}
	for _, c := range ruleCases(t) {
		r := byID[c.RuleID]
		switch {
		case r == nil:
			skipped["the rule is not in the corpus"]++
			continue
		case r.EQL == nil:
			skipped["the rule is of another type"]++
			continue
		}
		seen[c.RuleID] = true
		got, err := fires(r, c.Events)
		switch {
		case err != nil || got != c.Expect:
			failed++
			t.Errorf("%s, branch %d: fires %v, expected %v (%v)\n%s", c.Rule, c.Branch, got, c.Expect, err, c.Events)
		case got:
			fired++
		default:
			silent++
		}
	}
	fmt.Printf("rule cases: %d rules, %d cases fire and %d do not, as expected; %d failed\n", len(seen), fired, silent, failed)
	for _, reason := range slices.Sorted(mapsKeys(skipped)) {
		fmt.Printf("    %d skipped: %s\n", skipped[reason], reason)
	}
}

// fires reports whether a rule fires on some events.
func fires(r *rule.Rule, docs []json.RawMessage) (bool, error) {
	d := detect.New([]*rule.Rule{r}, detect.Options{Deprecated: true})
	if s := d.Skipped(); len(s) > 0 {
		return false, fmt.Errorf("%s", s[0].Reason)
	}
	dec, m, stream := d.NewDecoder(), d.NewMatcher(), d.NewStream(detect.StreamOptions{Lateness: detect.Unlimited})
	var ev event.Event
	var hits detect.Hits
	fired := false
	signal := func(*detect.Signal) { fired = true }
	for _, doc := range docs {
		if err := dec.Decode(doc, &ev); err != nil {
			return false, err
		}
		m.Match(&ev, &hits)
		holds := 0
		for _, t := range d.Explain(r, &ev) {
			if t.Result == eql.True {
				holds++
			}
		}
		if holds != hits.Len() {
			return fired, fmt.Errorf("%d event queries hit, %d by their explanations", hits.Len(), holds)
		}
		d.Signals(&ev, &hits, signal)
		m.Arrivals(&ev, &hits, func(a *detect.Arrival) {
			if err := stream.Observe(a, signal); err != nil {
				panic(err)
			}
		})
	}
	err := stream.Finish(signal)
	return fired, err
}
