package alert

import (
	"time"

	"github.com/shrike-project/shrike/coverage"
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
	// Time is when the event happened, of a sequence its last one; Timed tells
	// whether it is known.
	Time  event.Time
	Timed bool
	// Reason is the sentence Kibana shows; Why says in one line what decided.
	Reason, Why string
	// Trace tells why the rule fired on an event. A sequence has none; see Steps.
	Trace *eql.Trace
	// Steps are the events of a sequence or sample, Keys its join keys.
	Steps []Step
	Keys  []detect.JoinKey
	// BuildingBlock marks an alert that is there for others to build on, and that
	// people see only if they ask for it: the events of a sequence, and the alerts
	// of building-block rules.
	BuildingBlock bool
	// Coverage tells which tests of the rule the source of the events never decides; nil
	// if there are none.
	Coverage *coverage.Mark
	// Document is the alert document. Its parts may be shared with other alerts
	// of the same rule: do not change them.
	Document map[string]any
}

// Step is an event of a sequence or sample.
type Step struct {
	// Query is the event query the event hit, or must not have hit.
	Query string
	// Missing marks an event that did not happen.
	Missing bool
	Time    event.Time
	Timed   bool
	// Source is the event as it came, nil if it is missing.
	Source map[string]any
	Trace  *eql.Trace
}

// Field gives the values of a source field of the alert as text.
func (a *Alert) Field(name string) []string { return texts(lookup(a.Document, name)) }

// Field gives the values of a field of the step's event as text.
func (s *Step) Field(name string) []string { return texts(lookup(s.Source, name)) }

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
	// Coverage marks the alerts of a rule on some events, of which it gets functions
	// that give the values of a field; nil: no alert is marked. It is called by many
	// goroutines.
	Coverage func(r *rule.Rule, events ...func(name string) []string) *coverage.Mark
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

// Build makes the alerts of a signal and hands them to emit: one for an event; for
// a sequence or sample a building block for each of its events, and then the alert
// for all of them.
func (b *Builder) Build(s *detect.Signal, emit func(*Alert)) {
	if s.IsSequence() {
		b.buildSequence(s, emit)
		return
	}
	r := s.Steps[0].Record
	src := newSource(r.Source, r.Index(), r.ID())
	if src.descendsFrom(s.Rule.ObjectID) {
		return
	}
	a := b.newAlert(s)
	a.Trace = s.Traces()[0]
	a.Coverage = b.coverage(s.Rule, src)
	a.override(src.fields)
	a.ID = eventAlertID(src, b.run.Space, s.Rule.ObjectID)
	a.Why = why(a.Trace)
	a.BuildingBlock = s.Rule.BuildingBlockType != ""
	doc := b.copySource(src)
	a.Reason = reason(doc, a.Severity, a.RuleName)
	b.addAlertFields(a, doc)
	addAncestors(doc, src)
	doc["shrike"] = a.marked(map[string]any{"why": a.Why, "trace": a.Trace})
	emit(a)
}

// coverage marks an alert of a rule on the events of some sources.
func (b *Builder) coverage(r *rule.Rule, events ...*source) *coverage.Mark {
	if b.run.Coverage == nil {
		return nil
	}
	fields := make([]func(string) []string, len(events))
	for i, src := range events {
		fields[i] = func(name string) []string { return texts(lookup(src.fields, name)) }
	}
	return b.run.Coverage(r, fields...)
}

// marked adds the coverage to what stands below Shrike's own field.
func (a *Alert) marked(own map[string]any) map[string]any {
	if a.Coverage != nil {
		own["coverage"] = a.Coverage
	}
	return own
}

func (b *Builder) newAlert(s *detect.Signal) *Alert {
	return &Alert{Rule: s.Rule, RuleName: s.Rule.Name, Severity: s.Rule.Severity, RiskScore: s.Rule.RiskScore, Time: s.Time, Timed: s.Timed}
}

// addAncestors adds what an alert of one event descends from.
func addAncestors(doc map[string]any, src *source) {
	list, depth := src.ancestors()
	doc["kibana.alert.ancestors"] = list
	doc["kibana.alert.depth"] = depth + 1
	addOriginalTime(doc, src)
}

// addOriginalTime adds the event's own @timestamp.
func addOriginalTime(doc map[string]any, src *source) {
	if values := texts(lookup(src.fields, "@timestamp")); len(values) > 0 {
		if when, ok := event.ParseTime(values[0]); ok {
			doc["kibana.alert.original_time"] = when.String()
		}
	}
}

// addAlertFields adds the fields every alert has and makes doc the alert's.
func (b *Builder) addAlertFields(a *Alert, doc map[string]any) {
	for key, value := range b.ruleFields(a.Rule) {
		doc[key] = value
	}
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
	a.Document = doc
}

func timestamp(t time.Time) string { return event.FromTime(t).String() }
