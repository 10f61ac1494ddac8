package alert

// Overrides: severity, risk score and name of an alert taken from its event.

import (
	"slices"
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

func (a *Alert) override(doc *event.Node) {
	r := a.Rule
	a.RuleName, a.Severity, a.RiskScore = r.Name, r.Severity, r.RiskScore
	best := -1
	for _, m := range r.SeverityMapping {
		rank := rule.SeverityRank(m.Severity)
		if rank > best && slices.ContainsFunc(texts(lookup(doc, m.Field)), func(s string) bool { return sameValue(m.Field, s, m.Value) }) {
			best, a.Severity = rank, m.Severity
		}
	}
	if len(r.RiskScoreMapping) > 0 {
		if score, ok := largestScore(texts(lookup(doc, r.RiskScoreMapping[0].Field))); ok {
			a.RiskScore = score
		}
	}
	if r.RuleNameOverride != "" {
		if name := firstText(lookup(doc, r.RuleNameOverride)); name != "" {
			a.RuleName = strings.Clone(name)
		}
	}
}

// sameValue compares text exactly; event.severity is a number and compared as one.
func sameValue(field, a, b string) bool {
	if a == b || field != "event.severity" {
		return a == b
	}
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	return err1 == nil && err2 == nil && x == y
}

func largestScore(values []string) (score float64, found bool) {
	for _, s := range values {
		n, err := strconv.ParseFloat(s, 64)
		if err == nil && n >= 0 && n <= 100 && (!found || n > score) {
			score, found = n, true
		}
	}
	return score, found
}
