package server

import (
	"maps"
	"slices"
	"time"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/rule"
)

// ruleBook holds the rules that run. A file that cannot be read any more keeps the
// rules it had.
type ruleBook struct {
	load   func(paths []string) *rule.Set
	paths  []string
	byFile map[string][]*rule.Rule
	detect detect.Options
}

// loadedRules are the rules of one load.
type loadedRules struct {
	Detector *detect.Detector
	// Problems are what was found wrong, errors first.
	Problems []rule.Problem
	// Kept are the files whose rules are those of an earlier load.
	Kept []string
	At   time.Time
}

// read loads the rules anew.
func (b *ruleBook) read(now time.Time) *loadedRules {
	set := b.load(b.paths)
	out := &loadedRules{At: now}
	fileBroken := map[string]bool{}
	for _, p := range set.Problems {
		fileBroken[p.File] = fileBroken[p.File] || !p.Warning
	}
	out.Problems = set.AllProblems()
	slices.SortStableFunc(out.Problems, func(x, y rule.Problem) int {
		switch {
		case x.Warning == y.Warning:
			return 0
		case y.Warning:
			return -1
		}
		return 1
	})
	fresh := map[string][]*rule.Rule{}
	for _, r := range set.Rules {
		fresh[r.File] = append(fresh[r.File], r)
	}
	for file, before := range b.byFile {
		var kept bool
		if fresh[file], kept = mended(fresh[file], before, fileBroken[file]); kept {
			out.Kept = append(out.Kept, file)
		}
	}
	slices.Sort(out.Kept)
	b.byFile = fresh
	var rules []*rule.Rule
	for _, file := range slices.Sorted(maps.Keys(fresh)) {
		rules = append(rules, fresh[file]...)
	}
	out.Detector = detect.New(withoutTwins(rules), b.detect)
	return out
}

// mended gives the rules of a file, those that are broken replaced by what they were
// before, and reports whether there are such. A file that is broken itself keeps the rules
// that are not in it any more.
func mended(fresh, before []*rule.Rule, fileBroken bool) (list []*rule.Rule, kept bool) {
	list = slices.Clone(fresh)
	for _, old := range before {
		if old.Broken() {
			continue
		}
		i := slices.IndexFunc(list, func(r *rule.Rule) bool { return r.RuleID == old.RuleID })
		switch {
		case i >= 0 && list[i].Broken():
			list[i], kept = old, true
		case i < 0 && (fileBroken || slices.ContainsFunc(fresh, nameless)):
			list, kept = append(list, old), true
		}
	}
	return list, kept
}

// nameless tells of a rule so broken that its id is not known.
func nameless(r *rule.Rule) bool { return r.RuleID == "" && r.Broken() }

// withoutTwins drops rules whose id another one has already, as when a file was
// renamed after it broke.
func withoutTwins(rules []*rule.Rule) []*rule.Rule {
	seen := map[string]bool{}
	return slices.DeleteFunc(rules, func(r *rule.Rule) bool {
		twin := r.RuleID != "" && seen[r.RuleID]
		seen[r.RuleID] = true
		return twin
	})
}
