package alert

import (
	"time"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

// Alert is what a person sees of a signal. It owns its memory.
type Alert struct {
	// ID is kibana.alert.uuid.
	ID   string
	Rule *rule.Rule
	// RuleName, Severity and RiskScore are the rule's after its overrides.
	RuleName  string
	Severity  string
	RiskScore float64
	// Time is when the event happened; Timed tells whether it is known.
	Time  event.Time
	Timed bool
	// Reason is the sentence Kibana shows; Why says in one line what decided.
	Reason, Why string
	// Trace tells why the rule fired.
	Trace *eql.Trace
	// Document is the alert document. Its parts may be shared with other alerts
	// of the same rule: do not change them.
	Document map[string]any
}

// Field gives the values of a source field of the alert as text.
func (a *Alert) Field(name string) []string { return texts(lookup(a.Document, name)) }

// Run is what alerts of one execution have in common.
type Run struct {
	// Now is the time the alerts are written.
	Now time.Time
	// UUID names the execution.
	UUID string
	// Space is Kibana's space; "" stands for "default".
	Space string
	// Manual marks an execution over past time.
	Manual bool
}

// Builder makes alerts. It is safe for use by one goroutine at a time.
type Builder struct {
	run   Run
	types *event.Types
	rules map[*rule.Rule]map[string]any // the fields that all alerts of a rule share
}

// NewBuilder makes a Builder for the alerts of one execution. Types tell which
// values of a source clash with the mapping of alerts; nil stands for
// event.DefaultTypes.
func NewBuilder(run Run, types *event.Types) *Builder {
	if run.Space == "" {
		run.Space = "default"
	}
	if types == nil {
		types = event.DefaultTypes()
	}
	return &Builder{run: run, types: types, rules: map[*rule.Rule]map[string]any{}}
}

// Build makes the alert of a signal about one event.
func (b *Builder) Build(s *detect.Signal) *Alert {
	src := newSource(s.Event)
	a := &Alert{Rule: s.Rule, Time: s.Time, Timed: s.Timed, Trace: s.Trace()}
	a.override(src.fields)
	a.ID = eventAlertID(src, b.run.Space, s.Rule.ObjectID)
	a.Why = why(a.Trace)
	doc := b.copySource(src)
	a.Reason = reason(doc, a.Severity, a.RuleName)
	for key, value := range b.ruleFields(s.Rule) {
		doc[key] = value
	}
	b.addAlertFields(a, doc)
	doc["kibana.alert.ancestors"] = []any{src.ancestor()}
	doc["kibana.alert.depth"] = 1
	if when, ok := s.Event.Time(); ok {
		doc["kibana.alert.original_time"] = when.String()
	}
	doc["shrike"] = map[string]any{"why": a.Why, "trace": a.Trace}
	a.Document = doc
	return a
}

// addAlertFields adds the fields every alert has.
func (b *Builder) addAlertFields(a *Alert, doc map[string]any) {
	now := timestamp(b.run.Now)
	doc["@timestamp"] = now
	doc["kibana.space_ids"] = []string{b.run.Space}
	doc["kibana.alert.uuid"] = a.ID
	doc["kibana.alert.start"] = now
	doc["kibana.alert.last_detected"] = now
	doc["kibana.alert.status"] = "active"
	doc["kibana.alert.workflow_status"] = "open"
	doc["kibana.alert.workflow_tags"] = []string{}
	doc["kibana.alert.workflow_assignee_ids"] = []string{}
	doc["kibana.alert.severity"] = a.Severity
	doc["kibana.alert.risk_score"] = a.RiskScore
	doc["kibana.alert.reason"] = a.Reason
	doc["kibana.alert.rule.name"] = a.RuleName
	doc["kibana.alert.rule.execution.uuid"] = b.run.UUID
	doc["kibana.alert.rule.execution.timestamp"] = now
	doc["kibana.alert.rule.execution.type"] = "scheduled"
	if b.run.Manual {
		doc["kibana.alert.rule.execution.type"] = "manual"
		if a.Timed {
			doc["kibana.alert.intended_timestamp"] = a.Time.String()
		}
	}
	if a.Rule.BuildingBlockType != "" {
		doc["kibana.alert.building_block_type"] = a.Rule.BuildingBlockType
	}
}

func timestamp(t time.Time) string { return event.FromTime(t).String() }
