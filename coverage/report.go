package coverage

import (
	"maps"
	"slices"
	"strings"
)

// Report is what some sources make of some rules.
type Report struct {
	Sources    []SourceReport    `json:"sources"`
	Rules      []RuleReport      `json:"rules"`
	Techniques []TechniqueReport `json:"techniques"`
	// Counts are those of the rules, each on the source that covers it best.
	Counts Counts `json:"counts"`
}

// SourceReport is a source with what it makes of the rules.
type SourceReport struct {
	Name   string `json:"name"`
	Events int64  `json:"events"`
	Counts Counts `json:"counts"`
}

// RuleReport is a rule with what the sources make of it, the best first.
type RuleReport struct {
	RuleID  string         `json:"rule_id"`
	Name    string         `json:"name"`
	File    string         `json:"file,omitempty"`
	Sources []SourceResult `json:"sources"`
}

// SourceResult is what a source makes of a rule. A rule that needs several events is
// also judged on all sources together, where no single one covers it.
type SourceResult struct {
	Source string `json:"source"`
	Result
}

// TechniqueReport counts the rules for an ATT&CK technique. Rules for a sub-technique
// count for the technique too.
type TechniqueReport struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Full     int    `json:"full"`
	Degraded int    `json:"degraded"`
	None     int    `json:"none"`
}

// NewReport judges rules on sources.
func NewReport(rules []*Rule, sources []*Source) *Report {
	rep := &Report{Sources: []SourceReport{}, Rules: []RuleReport{}}
	for _, s := range sources {
		rep.Sources = append(rep.Sources, SourceReport{Name: s.Name, Events: s.Events})
	}
	all := Join("together", sources...)
	techniques := map[string]*TechniqueReport{}
	for _, r := range rules {
		rr := RuleReport{RuleID: r.Rule.RuleID, Name: r.Rule.Name, File: r.Rule.File, Sources: []SourceResult{}}
		for i, s := range sources {
			res := r.On(s)
			rep.Sources[i].Counts.Add(res)
			rr.Sources = append(rr.Sources, SourceResult{s.Name, res})
		}
		if len(r.steps) > 1 && len(sources) > 1 && !slices.ContainsFunc(rr.Sources, func(s SourceResult) bool { return s.Status == Full }) {
			rr.Sources = append(rr.Sources, SourceResult{all.Name, r.On(all)})
		}
		slices.SortStableFunc(rr.Sources, func(a, b SourceResult) int { return a.rank() - b.rank() })
		best := rr.Best()
		rep.Counts.Add(best)
		r.countTechniques(best.Status, techniques)
		rep.Rules = append(rep.Rules, rr)
	}
	rep.Techniques = []TechniqueReport{}
	for _, id := range slices.Sorted(maps.Keys(techniques)) {
		rep.Techniques = append(rep.Techniques, *techniques[id])
	}
	slices.SortStableFunc(rep.Rules, func(a, b RuleReport) int {
		x, y := a.Best(), b.Best()
		if x.rank() != y.rank() {
			return x.rank() - y.rank()
		}
		return strings.Compare(a.Name, b.Name)
	})
	return rep
}

// Best gives the result on the source that covers the rule best; without a source it
// is not applicable.
func (r *RuleReport) Best() Result {
	if len(r.Sources) == 0 {
		return Result{Status: NotApplicable}
	}
	return r.Sources[0].Result
}

// rank orders results, the best first.
func (r *Result) rank() int {
	switch {
	case r.Status == Full:
		return 0
	case r.Status == NotApplicable:
		return 4
	case r.Blind:
		return 3
	case r.Noisy:
		return 2
	}
	return 1
}

func (r *Rule) countTechniques(status Status, into map[string]*TechniqueReport) {
	counted := map[string]bool{}
	count := func(id, name string) {
		if id == "" || counted[id] {
			return
		}
		counted[id] = true
		t := into[id]
		if t == nil {
			t = &TechniqueReport{ID: id, Name: name}
			into[id] = t
		}
		switch status {
		case Full:
			t.Full++
		case Degraded:
			t.Degraded++
		default:
			t.None++
		}
	}
	for _, threat := range r.Rule.Threat {
		for _, technique := range threat.Techniques {
			count(technique.ID, technique.Name)
			for _, sub := range technique.Subtechniques {
				count(sub.ID, technique.Name+": "+sub.Name)
			}
		}
	}
}
