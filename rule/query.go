package rule

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/shrike-project/shrike/eql"
)

// parseQuery parses and checks the query of a rule, and says whether the rule
// can run.
func (s *source) parseQuery() {
	r := s.rule
	switch {
	case r.Type != "eql":
		if r.Type != "" {
			r.Blocked = fmt.Sprintf("rule type %s cannot run yet", r.Type)
		}
		return
	case r.Language != "eql":
		s.report("language", "bad-value", `a rule of type eql has the language "eql"`, fmt.Sprintf("language %q does not fit rule type eql", r.Language), false)
		return
	case r.Query == "":
		return // reported as missing
	}
	q, err := eql.Parse(r.Query)
	var problems eql.Problems
	if err == nil {
		problems = eql.Check(q, eql.CheckOptions{})
	} else {
		errors.As(err, &problems)
	}
	for _, p := range problems {
		e := extent{s.offset(p.Span.Start.Offset), s.offset(p.Span.End.Offset)}
		s.add(e, string(p.Code), p.Hint, p.Message, false)
	}
	if len(problems) > 0 {
		return
	}
	r.EQL = q
	for _, p := range q.Pipes {
		s.add(extent{s.offset(p.Span.Start.Offset), s.offset(p.Span.End.Offset)}, "pipe-ignored",
			"a rule fires on every match; limit its alerts with max_signals", fmt.Sprintf("the pipe %s has no effect in a rule", p.Name), true)
	}
}

// finish settles what follows from everything read.
func (s *source) finish() {
	s.parseQuery()
	slices.SortStableFunc(s.rule.Problems, func(a, b Problem) int { return cmp.Or(a.Line-b.Line, a.Column-b.Column) })
	if s.rule.Broken() && s.rule.Blocked == "" {
		s.rule.Blocked = "the rule is broken"
	}
}
