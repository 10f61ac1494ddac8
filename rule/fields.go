package rule

// From the API's form of a rule to a Rule: the fields, their defaults, and what
// is demanded of them.

import (
	"crypto/sha1"
	"fmt"
	"slices"
	"strings"
)

// Types lists the rule types of the detection engine, in its own words.
var Types = []string{"query", "saved_query", "eql", "esql", "threshold", "threat_match", "new_terms", "machine_learning"}

// keptKeys are keys that are kept in Params and have no further meaning here:
// parameters of rule types that cannot run, display, and Kibana's own state.
var keptKeys = []string{
	"actions", "alias_purpose", "alias_target_id", "anomaly_threshold", "concurrent_searches", "created_at", "created_by", "data_source",
	"execution_summary", "history_window_start", "id", "immutable", "items_per_search", "machine_learning_job_id", "meta", "namespace",
	"new_terms_fields", "outcome", "output_index", "required_fields", "response_actions", "rule_source", "saved_id", "threat_filters",
	"threat_index", "threat_indicator_path", "threat_language", "threat_mapping", "threat_mappings", "threat_query", "threshold", "throttle",
	"updated_at", "updated_by", "notify_when", "params", "consumer",
}

// knownKeys are the keys with a meaning, for hints about misspelt ones.
var knownKeys = []string{
	"rule_id", "name", "description", "type", "language", "query", "severity", "risk_score", "author", "license", "tags", "references",
	"false_positives", "note", "setup", "threat", "interval", "from", "to", "max_signals", "index", "data_view_id", "filters",
	"timestamp_override", "timestamp_field", "event_category_override", "tiebreaker_field", "building_block_type", "severity_mapping",
	"risk_score_mapping", "rule_name_override", "exceptions_list", "alert_suppression", "investigation_fields", "timeline_id",
	"timeline_title", "enabled", "version", "related_integrations",
}

// fill reads a rule from its parameters.
func (r *Rule) fill(f *reader) {
	r.RuleID, r.ObjectID = f.str("rule_id"), f.str("id")
	r.Name, r.Description = f.str("name"), f.str("description")
	r.Type, r.Language, r.Query = f.str("type"), f.str("language"), f.str("query")
	r.Version, r.Revision = f.integer("version"), f.integer("revision")
	r.Enabled, r.Immutable = f.boolean("enabled"), f.boolean("immutable")
	r.Severity = f.str("severity")
	r.Author, r.License, r.Tags = f.strs("author"), f.str("license"), f.strs("tags")
	r.References, r.FalsePositives = f.strs("references"), f.strs("false_positives")
	r.Note, r.Setup = f.str("note"), f.str("setup")
	r.Threat = f.threats("threat")
	r.Index, r.DataViewID, r.Filters = f.strs("index"), f.str("data_view_id"), f.list("filters")
	r.TimestampOverride = f.str("timestamp_override")
	r.TimestampOverrideFallbackDisabled = f.boolean("timestamp_override_fallback_disabled")
	r.TimestampField, r.TiebreakerField = f.str("timestamp_field"), f.str("tiebreaker_field")
	r.EventCategoryOverride = f.str("event_category_override")
	r.BuildingBlockType, r.RuleNameOverride = f.str("building_block_type"), f.str("rule_name_override")
	r.TimelineID, r.TimelineTitle = f.str("timeline_id"), f.str("timeline_title")
	r.fillLists(f)
	r.fillSchedule(f)
	r.fillRisk(f)
	f.finite("", f.values)
	for _, key := range keptKeys {
		f.seen[key] = true
	}
	f.unknown(knownKeys)
	r.require(f)
	r.setDefaults()
}

func (r *Rule) fillLists(f *reader) {
	for _, m := range f.objects("severity_mapping") {
		r.SeverityMapping = append(r.SeverityMapping, SeverityMapping{m.str("field"), m.str("operator"), m.text("value"), m.str("severity")})
	}
	for _, m := range f.objects("risk_score_mapping") {
		score, _ := m.number("risk_score")
		r.RiskScoreMapping = append(r.RiskScoreMapping, RiskScoreMapping{m.str("field"), m.str("operator"), m.text("value"), score})
	}
	for _, l := range f.objects("exceptions_list") {
		r.ExceptionsList = append(r.ExceptionsList, ListRef{l.str("id"), l.str("list_id"), l.str("type"), l.str("namespace_type")})
	}
	for _, i := range f.objects("related_integrations") {
		r.RelatedIntegrations = append(r.RelatedIntegrations, Integration{i.str("package"), i.str("version"), i.str("integration")})
	}
	r.InvestigationFields = f.object("investigation_fields").strs("field_names")
	if f.values["alert_suppression"] != nil {
		r.fillSuppression(f.object("alert_suppression"))
	}
}

func (r *Rule) fillSuppression(f *reader) {
	s := &Suppression{GroupBy: f.strs("group_by"), MissingFields: f.str("missing_fields_strategy")}
	if s.MissingFields == "" {
		s.MissingFields = "suppress"
	}
	if f.values["duration"] != nil {
		d := f.object("duration")
		span, err := ParseInterval(d.text("value") + d.str("unit"))
		if err != nil {
			f.report(f.at("duration"), "bad-value", `write a value and a unit: {value = 5, unit = "m"}`, err.Error(), false)
		}
		s.Duration = span
	}
	r.AlertSuppression = s
}

func (r *Rule) fillSchedule(f *reader) {
	interval, from := f.str("interval"), f.str("from")
	r.To = f.str("to")
	r.MaxSignals = f.integer("max_signals")
	if interval == "" {
		interval = "5m"
	}
	if from == "" {
		from = "now-6m"
	}
	r.From = from
	var err error
	if r.Interval, err = ParseInterval(interval); err != nil {
		f.report(f.at("interval"), "bad-value", "", "interval "+err.Error(), false)
	}
	if r.LookBack, err = parseLookBack(from); err != nil {
		f.report(f.at("from"), "bad-value", "", "from "+err.Error(), false)
	}
	if f.values["max_signals"] != nil && r.MaxSignals < 1 {
		f.report(f.at("max_signals"), "bad-value", "", "max_signals has to be at least 1", false)
	}
}

func (r *Rule) fillRisk(f *reader) {
	score, ok := f.number("risk_score")
	r.RiskScore = score
	if ok && !(score >= 0 && score <= 100) {
		f.report(f.at("risk_score"), "bad-value", "", fmt.Sprintf("risk_score has to be from 0 to 100, found %v", score), false)
	}
	if r.Severity != "" && SeverityRank(r.Severity) < 0 {
		f.report(f.at("severity"), "bad-value", "the severities are "+strings.Join(Severities, ", "), fmt.Sprintf("unknown severity %q", r.Severity), false)
	}
}

// require reports what a rule cannot be without.
func (r *Rule) require(f *reader) {
	needed := []string{"name", "description", "type", "severity", "risk_score"}
	if r.Form == TOML {
		needed = append(needed, "rule_id")
	}
	if r.Type == "eql" || r.Type == "esql" {
		needed = append(needed, "query")
	}
	for _, key := range needed {
		if v := f.values[key]; v == nil || v == "" {
			f.report(f.at(key), "missing-key", "", fmt.Sprintf("the rule has no %s", key), false)
		}
	}
	if r.Type != "" && !slices.Contains(Types, r.Type) {
		f.report(f.at("type"), "bad-value", "the types are "+strings.Join(Types, ", "), fmt.Sprintf("unknown rule type %q", r.Type), false)
	}
	if len(r.Index) > 0 && r.DataViewID != "" {
		f.report(f.at("data_view_id"), "bad-value", "remove one of them", "a rule has index patterns or a data view, not both", false)
	}
}

// setDefaults gives what the file leaves open the API's defaults.
func (r *Rule) setDefaults() {
	if r.Language == "" {
		switch r.Type {
		case "eql", "esql":
			r.Language = r.Type
		case "query", "saved_query", "threshold", "threat_match", "new_terms":
			r.Language = "kuery"
		}
	}
	if r.To == "" {
		r.To = "now"
	}
	if r.MaxSignals == 0 {
		r.MaxSignals = 100
	}
	if r.Version == 0 {
		r.Version = 1
	}
	if r.RuleID == "" {
		r.RuleID = nameUUID("rule:" + r.Name + "\n" + r.Query)
	}
	if r.ObjectID == "" {
		r.ObjectID = nameUUID("object:" + r.RuleID)
	}
}

// nameUUID makes a UUID of version 5 from a name, so that a rule without an
// identity keeps the same one from load to load.
func nameUUID(name string) string {
	sum := sha1.Sum([]byte("shrike " + name))
	sum[6] = sum[6]&0x0f | 0x50
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[0:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// moveSetup gives a rule whose guide ends in a section "Setup" that section as
// its setup, as the builder of Elastic's packages does.
func moveSetup(params map[string]any) {
	note, _ := params["note"].(string)
	if setup, _ := params["setup"].(string); setup != "" || note == "" {
		return
	}
	lines := strings.Split(note, "\n")
	start := slices.IndexFunc(lines, func(l string) bool { return strings.EqualFold(strings.TrimSpace(l), "## Setup") })
	if start < 0 {
		return
	}
	end := len(lines)
	for i := start + 1; i < len(lines); i++ {
		if strings.HasPrefix(lines[i], "## ") {
			end = i
			break
		}
	}
	params["setup"] = strings.TrimSpace(strings.Join(lines[start:end], "\n")) + "\n"
	params["note"] = strings.TrimSpace(strings.Join(append(slices.Clone(lines[:start]), lines[end:]...), "\n"))
}
