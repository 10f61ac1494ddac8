package coverage

import (
	"slices"
	"strings"

	"github.com/shrike-project/shrike/eql"
)

// Status is how well a source covers a rule.
type Status string

// The statuses. Degraded is a rule with a test that the source never decides.
const (
	Full          Status = "full"
	Degraded      Status = "degraded"
	NotApplicable Status = "not applicable"
)

// Effect is what a test that is never decided does to its rule.
type Effect string

// The effects. Blind tests keep the rule, or a branch of it, from firing; Noisy ones,
// which mostly stand in exemptions, let it fire more often than is meant.
const (
	Blind Effect = "blind"
	Noisy Effect = "noisy"
)

// Lack is a test that a source never decides.
type Lack struct {
	// Step is the number of the event query in a sequence or sample, or "until".
	Step string `json:"step,omitempty"`
	// Test is the text of the test in the query, at Line and Column of it.
	Test   string `json:"test"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	// Fields are those that the source never has; none where it has no such events.
	Fields []string `json:"fields,omitempty"`
	Effect Effect   `json:"effect"`
}

// Result is what a source makes of a rule.
type Result struct {
	Status Status `json:"status"`
	// Blind tells that the rule cannot fire, PartlyBlind that some branch of it cannot,
	// Noisy that it fires more often than is meant.
	Blind       bool `json:"blind"`
	PartlyBlind bool `json:"partly_blind"`
	Noisy       bool `json:"noisy"`
	// Lacks are the tests to blame, in the order of the query.
	Lacks []Lack `json:"lacks,omitempty"`
	// WithoutIndex is the status the rule would have if its index patterns let it see
	// the source, "" if they do.
	WithoutIndex Status `json:"without_index,omitempty"`
}

// Effects gives the effects in words, "" for none.
func (r *Result) Effects() string {
	var list []string
	if r.Blind {
		list = append(list, "blind")
	}
	if r.Noisy {
		list = append(list, "noisy")
	}
	if r.PartlyBlind {
		list = append(list, "partly blind")
	}
	return strings.Join(list, ", ")
}

// On judges the rule on a source.
func (r *Rule) On(s *Source) Result {
	if r.ignoreIndex {
		return r.on(s.Kinds)
	}
	var seen []*Kind
	for _, k := range s.Kinds {
		if len(k.Indices) == 0 || slices.ContainsFunc(k.Indices, r.patterns.Match) {
			seen = append(seen, k)
		}
	}
	res := r.on(seen)
	if res.Status == NotApplicable && len(seen) < len(s.Kinds) {
		if all := r.on(s.Kinds); all.Status != NotApplicable {
			res.WithoutIndex = all.Status
		}
	}
	return res
}

func (r *Rule) on(kinds []*Kind) Result {
	res := Result{Status: NotApplicable}
	applies := map[*step][]*inKind{}
	for _, st := range r.steps {
		applies[st] = st.applicable(kinds)
		if len(applies[st]) > 0 && !st.absent {
			res.Status = Full
		}
	}
	if res.Status == NotApplicable {
		return res
	}
	for _, st := range r.steps {
		lacks, holds := st.lacks(applies[st])
		ofKeys, joins := st.keyLacks(r.steps, applies)
		lacks = append(lacks, ofKeys...)
		for i := range lacks {
			if st.absent {
				lacks[i].Effect = lacks[i].Effect.opposite()
			}
		}
		res.Lacks = append(res.Lacks, lacks...)
		res.Blind = res.Blind || !st.absent && !(holds && joins)
	}
	for _, l := range res.Lacks {
		res.Status = Degraded
		res.Noisy = res.Noisy || !res.Blind && l.Effect == Noisy
		res.PartlyBlind = res.PartlyBlind || !res.Blind && l.Effect == Blind
	}
	return res
}

func (e Effect) opposite() Effect {
	if e == Blind {
		return Noisy
	}
	return Blind
}

// applicable gives the kinds of events that a step is about; of these, those for which
// it can hold, if there are any.
func (st *step) applicable(kinds []*Kind) []*inKind {
	var about, live []*inKind
	for _, k := range kinds {
		e := &inKind{step: st, kind: k}
		if !e.about() {
			continue
		}
		about = append(about, e)
		if e.live() {
			live = append(live, e)
		}
	}
	if len(live) > 0 {
		return live
	}
	return about
}

// lacks gives the tests of a step that are decided in none of the kinds, and whether
// the step can hold.
func (st *step) lacks(in []*inKind) (lacks []Lack, holds bool) {
	if len(in) == 0 {
		return []Lack{st.lack(st.query.Span, nil, Blind)}, false
	}
	for _, e := range in {
		e.find()
		holds = holds || e.live()
	}
	for _, l := range st.inOrder() {
		if slices.ContainsFunc(in, func(e *inKind) bool { return e.decided[l] }) {
			continue
		}
		for _, e := range in {
			if effect, ok := e.lacking[l]; ok {
				lacks = append(lacks, st.lack(l.eql.Expr().Pos(), l.lacks(e.kind), effect))
				break
			}
		}
	}
	return lacks, holds
}

// keyLacks gives the join keys of a step that its events never have, and whether they
// can be joined nevertheless. Events without an optional key are joined with one
// another.
func (st *step) keyLacks(all []*step, applies map[*step][]*inKind) (lacks []Lack, joins bool) {
	joins = true
	if len(applies[st]) == 0 {
		return nil, true // said already
	}
	if st.demanded != "" && !supplied(applies[st], st.demanded) {
		joins = false
		l := st.lack(st.query.Span, []string{st.demanded}, Blind)
		l.Test = "timestamp_override " + st.demanded
		lacks = append(lacks, l)
	}
	for i, key := range st.keys {
		if supplied(applies[st], key.Name) {
			continue
		}
		elsewhere := slices.ContainsFunc(all, func(other *step) bool { return supplied(applies[other], other.keys[i].Name) })
		effect := Noisy
		if elsewhere || !key.Optional {
			effect = Blind
		}
		joins = joins && key.Optional
		l := st.lack(key.Span, []string{key.Name}, effect)
		l.Test = "by " + l.Test
		lacks = append(lacks, l)
	}
	return lacks, joins
}

func supplied(in []*inKind, field string) bool {
	return slices.ContainsFunc(in, func(e *inKind) bool { return e.kind.Supplies(field) })
}

// inOrder gives the tests in the order of the query.
func (st *step) inOrder() []*leaf {
	var out []*leaf
	for _, l := range st.leaves {
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b *leaf) int {
		return a.eql.Expr().Pos().Start.Offset - b.eql.Expr().Pos().Start.Offset
	})
	return out
}

func (st *step) lack(at eql.Span, fields []string, effect Effect) Lack {
	l := Lack{Step: st.name, Line: at.Start.Line, Column: at.Start.Column, Fields: fields, Effect: effect}
	l.Test = strings.Join(strings.Fields(at.Text(st.source)), " ")
	return l
}
