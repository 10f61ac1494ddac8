package alert

import "github.com/shrike-project/shrike/event"

// Kept is an alert as a store keeps it and as sinks send it on: its document, and
// what people choose alerts by. It owns its memory and does not change.
type Kept struct {
	// ID is kibana.alert.uuid.
	ID string
	// RuleID is the rule_id, and RuleName the name after its override.
	RuleID, RuleName string
	Severity         string
	RiskScore        float64
	Tags             []string
	// Time is when the event happened; Timed tells whether it is known.
	Time          event.Time
	Timed         bool
	Reason        string
	BuildingBlock bool
	// Document is the alert document, on one line and without a line end.
	Document []byte
	// Suppression is the alert's group, if its rule asks for one; a store does not keep it.
	Suppression *Suppression
}

// Keep gives what is kept of an alert.
func (a *Alert) Keep() *Kept {
	group := a.Suppression()
	if group != nil {
		told := *a
		told.Suppress(group, 0, a.Time, a.Time)
		a = &told
	}
	return &Kept{
		Suppression: group,
		ID:          a.ID, RuleID: a.Rule.RuleID, RuleName: a.RuleName,
		Severity: a.Severity, RiskScore: a.RiskScore, Tags: a.Rule.Tags,
		Time: a.Time, Timed: a.Timed, Reason: a.Reason, BuildingBlock: a.BuildingBlock,
		Document: a.AppendJSON(nil),
	}
}
