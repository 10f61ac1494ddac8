package eqltest

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

// Result is what became of a case.
type Result struct {
	Case *Case
	// Err says how the case failed, or is nil.
	Err error
	// Actual is what the case should have expected.
	Actual Expectation
}

// Run runs every case of a script. Rule files are read from fsys, relative to
// the folder of the script's name.
func (s *Script) Run(fsys fs.FS) []Result {
	results := make([]Result, len(s.Cases))
	for i, c := range s.Cases {
		results[i] = Result{Case: c}
		results[i].Actual, results[i].Err = c.run(fsys, path.Dir(s.Name))
	}
	return results
}

// way is one manner of running a case; all must come to the same.
type way struct {
	name string
	run  func(*rule.Rule, []*Event) ([][]string, error)
}

var ways = []way{
	{"as written", runAsWritten},
	{"as printed again", runPrinted},
	{"by its explanation", runTraced},
}

func (c *Case) run(fsys fs.FS, dir string) (Expectation, error) {
	r, problems, err := c.subject(fsys, dir)
	if err != nil {
		return Expectation{}, err
	}
	actual := Expectation{Fail: problems}
	if len(problems) == 0 {
		if actual, err = c.runWays(r); err != nil {
			return actual, err
		}
	}
	if got, want := actual.String(), c.Expect.String(); got != want {
		return actual, fmt.Errorf("expected %s, got %s", want, got)
	}
	return actual, nil
}

func (c *Case) runWays(r *rule.Rule) (Expectation, error) {
	var first [][]string
	for i, w := range ways {
		matches, err := w.run(r, c.Events)
		if err != nil {
			return Expectation{}, fmt.Errorf("%s: %w", w.name, err)
		}
		if i == 0 {
			first = matches
		} else if !slices.EqualFunc(first, matches, slices.Equal[[]string]) {
			return Expectation{}, fmt.Errorf("%s: %v, but %s: %v", ways[0].name, first, w.name, matches)
		}
	}
	return Expectation{Matches: first, None: len(first) == 0}, nil
}

// subject gives the rule a case is about, or the problems of its query.
func (c *Case) subject(fsys fs.FS, dir string) (*rule.Rule, []string, error) {
	if c.Rule != "" {
		set, err := rule.Load(fsys, path.Join(dir, c.Rule), "")
		if err != nil {
			return nil, nil, err
		}
		for _, p := range set.AllProblems() {
			if !p.Warning {
				return nil, nil, p
			}
		}
		if len(set.Rules) != 1 {
			return nil, nil, fmt.Errorf("%s holds %d rules, expected one", c.Rule, len(set.Rules))
		}
		return set.Rules[0], nil, nil
	}
	q, err := eql.Parse(c.Query)
	var problems eql.Problems
	if err == nil {
		problems = eql.Check(q, eql.CheckOptions{})
	} else {
		errors.As(err, &problems)
	}
	var list []string
	for _, p := range problems {
		list = append(list, fmt.Sprintf("%d:%d %s", p.Span.Start.Line, p.Span.Start.Column, p.Code))
	}
	return queryRule(c.Query, q), list, nil
}

// queryRule makes a rule of a bare query.
func queryRule(text string, q *eql.Query) *rule.Rule {
	return &rule.Rule{RuleID: "query", ObjectID: "query", Name: "query", Type: "eql", Language: "eql", Query: text, EQL: q, Severity: "low"}
}

func runAsWritten(r *rule.Rule, events []*Event) ([][]string, error) {
	return runRule(r, events, func(*detect.Detector, *event.Event, bool) error { return nil })
}

func runPrinted(r *rule.Rule, events []*Event) ([][]string, error) {
	text := r.EQL.String()
	q, err := eql.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the printed query %s does not parse: %w", text, err)
	}
	again := *r
	again.EQL = q
	return runAsWritten(&again, events)
}

func runTraced(r *rule.Rule, events []*Event) ([][]string, error) {
	return runRule(r, events, func(d *detect.Detector, ev *event.Event, hit bool) error {
		t, ok := d.Explain(r, ev)
		if ok && (t.Result == eql.True) != hit {
			return fmt.Errorf("the explanation comes to %s", t.Result)
		}
		return nil
	})
}

// runRule gives the events of each match, by name, and calls check with every
// event and whether it hit.
func runRule(r *rule.Rule, events []*Event, check func(*detect.Detector, *event.Event, bool) error) ([][]string, error) {
	d := detect.New([]*rule.Rule{r}, detect.Options{IgnoreIndex: true, Deprecated: true})
	if s := d.Skipped(); len(s) > 0 {
		return nil, fmt.Errorf("the rule cannot run: %s", s[0].Reason)
	}
	dec, m := d.NewDecoder(""), d.NewMatcher()
	var ev event.Event
	var hits detect.Hits
	var matches [][]string
	for _, e := range events {
		if err := dec.Decode(e.JSON, &ev); err != nil {
			return nil, fmt.Errorf("event %s: %w", e.Name, err)
		}
		m.Match(&ev, &hits)
		d.Signals(&ev, &hits, func(*detect.Signal) { matches = append(matches, []string{e.Name}) })
		if err := check(d, &ev, hits.Len() > 0); err != nil {
			return nil, fmt.Errorf("event %s: %w", e.Name, err)
		}
	}
	return matches, nil
}

// IsScript tells by its name whether a file is a test script.
func IsScript(name string) bool { return strings.HasSuffix(name, ".test") }
