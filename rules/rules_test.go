package rules_test

import (
	"testing"

	"github.com/shrike-project/shrike/eqltest"
	"github.com/shrike-project/shrike/rule"
	"github.com/shrike-project/shrike/rules"
)

func TestScripts(t *testing.T) {
	n := eqltest.RunFiles(t, rules.FS, ".")
	if n < 15 {
		t.Errorf("%d cases, expected at least two for each app", n)
	}
}

func TestRulesLoadWithoutProblems(t *testing.T) {
	set, err := rule.Load(rules.FS, ".", "")
	if err != nil {
		t.Fatal(err)
	}
	if len(set.Rules) == 0 {
		t.Fatal("no rules")
	}
	for _, p := range set.AllProblems() {
		t.Error(p.Text())
	}
	for _, r := range set.Rules {
		if r.Note == "" || r.Setup == "" || len(r.FalsePositives) == 0 || len(r.Threat) == 0 || len(r.InvestigationFields) == 0 {
			t.Errorf("%s: a shipped rule has a guide, a setup, advice on false positives and an ATT&CK mapping", r.Name)
		}
	}
}
