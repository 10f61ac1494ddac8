package alert

// The snapshot of its rule that every alert carries.

import (
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

// ruleTexts are the texts that all alerts of a rule in one execution share. They are
// safe for use by many goroutines.
type ruleTexts struct {
	run   Run
	rules sync.Map // *rule.Rule → *ruleText
}

// ruleText is what the alerts of a rule have below kibana: texts, each with what
// stands behind it in one alert only.
type ruleText struct{ parts []rulePart }

type rulePart struct {
	text string // members, each with a comma before it, and maybe the name of one more
	fill func(*writer, *Alert, *document)
}

// of gives the texts of a rule. Two goroutines may make them at the same time, and
// one of them prevails.
func (t *ruleTexts) of(r *rule.Rule) *ruleText {
	if known, ok := t.rules.Load(r); ok {
		return known.(*ruleText)
	}
	known, _ := t.rules.LoadOrStore(r, t.make(r))
	return known.(*ruleText)
}

func (t *ruleTexts) make(r *rule.Rule) *ruleText {
	fields := ruleFields(r)
	maps.Copy(fields, t.runFields())
	out := &ruleText{}
	var text []byte
	names := slices.Concat(slices.Collect(maps.Keys(fields)), slices.Collect(maps.Keys(slots)))
	slices.Sort(names)
	for _, name := range names {
		slot, isSlot := slots[name]
		if !isSlot || slot.value != nil {
			text = append(event.AppendQuoted(append(text, ','), name), ':')
		}
		switch {
		case !isSlot:
			text = appendValue(text, fields[name])
			continue
		case slot.value != nil:
			out.parts = append(out.parts, rulePart{string(text), slot.value})
		default:
			out.parts = append(out.parts, rulePart{string(text), slot.optional})
		}
		text = text[:0]
	}
	out.parts = append(out.parts, rulePart{text: string(text)})
	return out
}

// runFields gives the fields that all alerts of an execution share.
func (t *ruleTexts) runFields() map[string]any {
	execution := "scheduled"
	if t.run.Manual {
		execution = "manual"
	}
	return map[string]any{
		"kibana.space_ids":    []string{t.run.Space},
		"kibana.alert.status": "active", "kibana.alert.workflow_status": "open", "kibana.alert.workflow_tags": []string{},
		"kibana.alert.workflow_assignee_ids": []string{}, "kibana.alert.rule.execution.uuid": t.run.UUID,
		"kibana.alert.rule.execution.type": execution,
	}
}

// ruleFields gives the kibana.alert.rule.* fields of a rule's alerts.
func ruleFields(r *rule.Rule) map[string]any {
	f := map[string]any{
		"category": "Event Correlation Rule", "consumer": "siem", "producer": "siem", "rule_type_id": "siem.eqlRule",
		"uuid": r.ObjectID, "rule_id": r.RuleID, "description": r.Description, "type": r.Type, "version": r.Version,
		"revision": r.Revision, "enabled": enabled(r), "from": r.From, "to": r.To, "interval": interval(r),
		"max_signals": r.MaxSignals, "immutable": r.Immutable, "author": list(r.Author), "references": list(r.References),
		"false_positives": list(r.FalsePositives), "tags": list(r.Tags), "threat": threats(r.Threat), "indices": list(r.Index),
		"severity": r.Severity, "risk_score": r.RiskScore, "parameters": parameters(r),
	}
	for _, key := range []string{"severity_mapping", "risk_score_mapping", "exceptions_list", "actions"} {
		f[key] = orEmpty(r.Params[key])
	}
	optional := map[string]any{
		"license": r.License, "note": r.Note, "timeline_id": r.TimelineID, "timeline_title": r.TimelineTitle,
		"timestamp_override": r.TimestampOverride, "rule_name_override": r.RuleNameOverride, "building_block_type": r.BuildingBlockType,
	}
	for _, key := range []string{"throttle", "namespace", "meta", "created_at", "created_by", "updated_at", "updated_by"} {
		if v, ok := r.Params[key]; ok {
			optional[key] = v
		}
	}
	for key, v := range optional {
		if v != "" && v != nil {
			f[key] = v
		}
	}
	fields := make(map[string]any, len(f))
	for key, v := range f {
		fields["kibana.alert.rule."+key] = v
	}
	return fields
}

// enabled tells whether the rule is, which it is unless it says otherwise: it runs.
func enabled(r *rule.Rule) bool {
	_, said := r.Params["enabled"]
	return r.Enabled || !said
}

// interval gives the time between runs as the rule writes it.
func interval(r *rule.Rule) string {
	if s, ok := r.Params["interval"].(string); ok {
		return s
	}
	d := r.Interval
	for _, u := range []struct {
		d    time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d > 0 && d%u.d == 0 {
			return strconv.FormatInt(int64(d/u.d), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}

func list(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func orEmpty(v any) any {
	if v == nil {
		return []any{}
	}
	return v
}

// parameters gives all parameters of a rule, as the API names them.
func parameters(r *rule.Rule) map[string]any {
	p := make(map[string]any, len(r.Params)+4)
	for key, v := range r.Params {
		switch key {
		case "name", "tags", "enabled", "interval", "id", "created_at", "created_by", "updated_at", "updated_by", "revision", "actions", "throttle":
			// These belong to the rule object, not to its parameters.
		default:
			p[key] = v
		}
	}
	p["rule_id"], p["language"], p["max_signals"] = r.RuleID, r.Language, r.MaxSignals
	p["from"], p["to"], p["version"], p["immutable"] = r.From, r.To, r.Version, r.Immutable
	return p
}

func threats(list []rule.Threat) []any {
	out := []any{}
	for _, t := range list {
		m := map[string]any{"framework": t.Framework, "tactic": reference(t.Tactic)}
		techniques := []any{}
		for _, tech := range t.Techniques {
			tm := reference(tech.Reference)
			subs := []any{}
			for _, sub := range tech.Subtechniques {
				subs = append(subs, reference(sub))
			}
			if len(subs) > 0 {
				tm["subtechnique"] = subs
			}
			techniques = append(techniques, tm)
		}
		if len(techniques) > 0 {
			m["technique"] = techniques
		}
		out = append(out, m)
	}
	return out
}

func reference(r rule.Reference) map[string]any {
	return map[string]any{"id": r.ID, "name": r.Name, "reference": r.URL}
}
