package alert_test

import (
	"bytes"
	"testing"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/rule"
)

func TestKeepHoldsWhatPeopleChooseBy(t *testing.T) {
	a := &alert.Alert{
		ID: "a1", Rule: &rule.Rule{RuleID: "r1", Name: "plain", Tags: []string{"OS: Windows"}},
		RuleName: "overridden", Severity: "high", RiskScore: 73, Reason: "because", BuildingBlock: true,
	}
	a.SetDocument(map[string]any{"kibana.alert.uuid": "a1"})
	k := a.Keep()
	if k.ID != "a1" || k.RuleID != "r1" || k.RuleName != "overridden" || k.Severity != "high" || k.RiskScore != 73 ||
		len(k.Tags) != 1 || k.Reason != "because" || !k.BuildingBlock || k.Timed {
		t.Errorf("kept %+v", k)
	}
	if want := a.AppendJSON(nil); !bytes.Equal(k.Document, want) {
		t.Errorf("document %s, want %s", k.Document, want)
	}
}
