package eqltest

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/shrike-project/shrike/eql"
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

func (c *Case) run(fsys fs.FS, dir string) (Expectation, error) {
	r, problems, err := c.subject(fsys, dir)
	if err != nil {
		return Expectation{}, err
	}
	actual := Expectation{Fail: problems, At: c.Expect.At}
	if len(problems) == 0 {
		if actual.Matches, err = c.runWays(r); err != nil {
			return actual, err
		}
		actual.None = len(actual.Matches) == 0
	}
	if got, want := actual.String(), c.Expect.String(); got != want {
		return actual, fmt.Errorf("expected %s, got %s", want, got)
	}
	return actual, nil
}

// runWays runs the case in every way and gives what all of them come to.
func (c *Case) runWays(r *rule.Rule) ([][]string, error) {
	var first [][]string
	for i, w := range ways {
		if w.orderly && !c.orderly() {
			continue
		}
		matches, err := w.run(c, r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.name, err)
		}
		matches = c.arrange(matches, r)
		if i == 0 {
			first = matches
		} else if !slices.EqualFunc(first, matches, slices.Equal[[]string]) {
			return nil, fmt.Errorf("%s: %v, but %s: %v", ways[0].name, first, w.name, matches)
		}
	}
	return first, nil
}

// arrange puts matches into the order of their last events, and applies the pipes
// of a query.
func (c *Case) arrange(matches [][]string, r *rule.Rule) [][]string {
	place := map[string]int{}
	for i, e := range c.inTime() {
		place[e.Name] = i
	}
	last := func(m []string) int {
		n := -1
		for _, name := range m {
			if at, ok := place[name]; ok {
				n = max(n, at)
			}
		}
		return n
	}
	matches = slices.Clone(matches)
	slices.SortStableFunc(matches, func(a, b []string) int {
		return cmp.Or(last(a)-last(b), slices.Compare(a, b))
	})
	if c.Query == "" {
		return matches
	}
	for _, p := range r.EQL.Pipes {
		n := min(p.Count, len(matches))
		if p.Name == "head" {
			matches = matches[:n]
		} else {
			matches = matches[len(matches)-n:]
		}
	}
	return matches
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

// IsScript tells by its name whether a file is a test script.
func IsScript(name string) bool { return strings.HasSuffix(name, ".test") }
