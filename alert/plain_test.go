package alert_test

// Alert documents made plainly, as maps that encoding/json writes: what alerts are
// held to.

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

// plain makes the documents of alerts.
type plain struct {
	run   alert.Run
	types *event.Types
}

// plainAlert is an alert that was built, of which only what tells why is taken, and
// what it should be.
type plainAlert struct {
	*alert.Alert
	id, name, severity, reason string
	score                      float64
	document                   map[string]any
}

// documents gives the documents of the alerts of a signal, which were built of it.
func (b *plain) documents(s *detect.Signal, built []*alert.Alert) (list []map[string]any) {
	if s.IsSequence() {
		return b.sequence(s, built)
	}
	r := s.Steps[0].Record
	src := newSource(r.Document(), r.Index(), r.ID())
	if src.descendsFrom(s.Rule.ObjectID) {
		return nil
	}
	a := newPlainAlert(s, built, 0)
	a.override(src.fields)
	a.id = eventAlertID(src, b.run.Space, s.Rule.ObjectID)
	doc := b.copySource(src)
	a.reason = reason(doc, a.severity, a.name)
	b.addAlertFields(a, doc)
	addAncestors(doc, src)
	doc["shrike"] = map[string]any{"why": a.Why, "trace": a.Trace}
	return []map[string]any{doc}
}

// newPlainAlert takes alert i of those that were built; an empty one where there are
// too few.
func newPlainAlert(s *detect.Signal, built []*alert.Alert, i int) *plainAlert {
	a := &plainAlert{Alert: &alert.Alert{Rule: s.Rule}, name: s.Rule.Name, severity: s.Rule.Severity, score: s.Rule.RiskScore}
	if i < len(built) {
		a.Alert = built[i]
	}
	return a
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
func (b *plain) addAlertFields(a *plainAlert, doc map[string]any) {
	for key, value := range plainRuleFields(a.Rule) {
		doc[key] = value
	}
	now := timestamp(b.run.Now)
	doc["@timestamp"] = now
	doc["kibana.space_ids"] = []string{b.run.Space}
	doc["kibana.alert.uuid"] = a.id
	doc["kibana.alert.start"] = now
	doc["kibana.alert.last_detected"] = now
	doc["kibana.alert.status"] = "active"
	doc["kibana.alert.workflow_status"] = "open"
	doc["kibana.alert.workflow_tags"] = []string{}
	doc["kibana.alert.workflow_assignee_ids"] = []string{}
	doc["kibana.alert.severity"] = a.severity
	doc["kibana.alert.risk_score"] = a.score
	doc["kibana.alert.reason"] = a.reason
	doc["kibana.alert.rule.name"] = a.name
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
	a.document = doc
}

func timestamp(t time.Time) string { return event.FromTime(t).String() }

// reason writes the sentence Kibana shows for an alert.
func reason(doc map[string]any, severity, name string) string {
	get := func(field string) string {
		s := strings.Join(texts(lookup(doc, field)), ", ")
		if s == "-" {
			return ""
		}
		return s
	}
	var b strings.Builder
	part := func(before, field, after string) {
		if s := get(field); s != "" {
			b.WriteString(before + s + after)
		}
	}
	part(" process ", "process.name", ",")
	part(" parent process ", "process.parent.name", ",")
	part(" file ", "file.name", ",")
	for _, end := range []string{"source", "destination"} {
		if get(end+".ip") != "" {
			part(" "+end+" ", end+".ip", "")
			part(":", end+".port", ",")
		}
	}
	with := ""
	if b.Len() > 0 {
		with = " with"
	}
	middle := b.String()
	b.Reset()
	part("", "event.category", " ")
	b.WriteString("event" + with + middle)
	part(" by ", "user.name", "")
	part(" on ", "host.name", "")
	b.WriteString(" created " + severity + " alert " + name + ".")
	return b.String()
}

func (a *plainAlert) override(doc map[string]any) {
	r := a.Rule
	a.name, a.severity, a.score = r.Name, r.Severity, r.RiskScore
	best := -1
	for _, m := range r.SeverityMapping {
		rank := rule.SeverityRank(m.Severity)
		if rank > best && slices.ContainsFunc(texts(lookup(doc, m.Field)), func(s string) bool { return sameValue(m.Field, s, m.Value) }) {
			best, a.severity = rank, m.Severity
		}
	}
	if len(r.RiskScoreMapping) > 0 {
		if score, ok := largestScore(texts(lookup(doc, r.RiskScoreMapping[0].Field))); ok {
			a.score = score
		}
	}
	if r.RuleNameOverride != "" {
		if names := texts(lookup(doc, r.RuleNameOverride)); len(names) > 0 && names[0] != "" {
			a.name = names[0]
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

type plainBlock struct {
	alert  *plainAlert
	source *source
	doc    map[string]any
}

func (b *plain) sequence(s *detect.Signal, built []*alert.Alert) (list []map[string]any) {
	shell := newPlainAlert(s, built, len(built)-1)
	steps := []any{}
	var blocks []plainBlock
	for i, step := range s.Steps {
		m := map[string]any{"query": step.Query.String(), "missing": step.Record == nil}
		if r := step.Record; r != nil {
			src := newSource(r.Document(), r.Index(), r.ID())
			if src.descendsFrom(s.Rule.ObjectID) {
				return nil
			}
			a := newPlainAlert(s, built, len(blocks))
			doc := b.copySource(src)
			a.reason = reason(doc, a.severity, a.name)
			blocks = append(blocks, plainBlock{a, src, doc})
			m["event"], m["trace"] = src.fields, shell.Steps[i].Trace
		}
		if offset, ok := shell.Offset(i); ok {
			m["offset_ms"] = offset
		}
		steps = append(steps, m)
	}
	identify(shell, blocks)
	for i, bl := range blocks {
		list = append(list, b.finishBlock(bl, i, shell.id))
	}
	keys := []any{}
	for _, k := range s.Keys {
		keys = append(keys, map[string]any{"field": k.Field, "value": k.Value.JSON()})
	}
	b.finishShell(shell, blocks)
	shell.document["shrike"] = map[string]any{"why": shell.Why, "sequence": map[string]any{"join_keys": keys, "steps": steps}}
	return append(list, shell.document)
}

// identify gives building blocks and shell the ids Kibana gives them: hashes over
// the ancestors of all blocks.
func identify(shell *plainAlert, blocks []plainBlock) {
	var base, ancestors strings.Builder
	for _, bl := range blocks {
		base.WriteString(bl.source.identities() + shell.Rule.ObjectID)
	}
	for i, bl := range blocks {
		bl.alert.id = hash(base.String() + strconv.Itoa(i))
		ancestors.WriteString(bl.source.identities() + bl.alert.id)
	}
	shell.id = hash(ancestors.String() + shell.Rule.ObjectID)
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func (b *plain) finishBlock(bl plainBlock, index int, group string) map[string]any {
	doc := maps.Clone(bl.doc)
	b.addAlertFields(bl.alert, doc)
	addAncestors(doc, bl.source)
	doc["kibana.alert.building_block_type"] = "default"
	doc["kibana.alert.group.id"] = group
	doc["kibana.alert.group.index"] = index
	doc["shrike"] = map[string]any{"why": bl.alert.Why, "trace": bl.alert.Trace}
	return doc
}

// finishShell makes the document of the shell: what all blocks have in common, and
// below Shrike's own field each event whole.
func (b *plain) finishShell(shell *plainAlert, blocks []plainBlock) {
	var doc map[string]any
	ancestors, depth := []any{}, 1
	for i, bl := range blocks {
		if i == 0 {
			doc = maps.Clone(bl.doc)
		} else {
			doc = intersect(doc, bl.doc)
		}
		own, below := bl.source.ancestors()
		depth = max(depth, below+1)
		ancestors = append(append(ancestors, own...),
			map[string]any{"id": bl.alert.id, "type": "signal", "index": "", "depth": below + 1, "rule": shell.Rule.ObjectID})
	}
	shell.reason = reason(doc, shell.severity, shell.name)
	b.addAlertFields(shell, doc)
	setKind(doc)
	doc["kibana.alert.ancestors"] = ancestors
	doc["kibana.alert.depth"] = depth + 1
	doc["kibana.alert.group.id"] = shell.id
	if len(blocks) > 0 {
		addOriginalTime(doc, blocks[0].source)
	}
}

// intersect keeps what two documents have in common: fields that are equal in
// both, and of lists the common members.
func intersect(a, b map[string]any) map[string]any {
	out := map[string]any{}
	for key, v := range a {
		w, ok := b[key]
		if !ok {
			continue
		}
		if common, ok := intersectValues(v, w); ok {
			out[key] = common
		}
	}
	return out
}

func intersectValues(v, w any) (any, bool) {
	switch v := v.(type) {
	case map[string]any:
		m, ok := w.(map[string]any)
		if !ok {
			return nil, false
		}
		common := intersect(v, m)
		return common, len(common) > 0
	case []any:
		list, ok := w.([]any)
		if !ok {
			return nil, false
		}
		var common []any
		for _, e := range v {
			if containsValue(list, e) && !containsValue(common, e) {
				common = append(common, e)
			}
		}
		return common, len(common) > 0
	}
	return v, sameJSON(v, w)
}

// sameJSON compares values of documents; 1 and 1.0 are the same number.
func sameJSON(v, w any) bool {
	n, ok1 := v.(json.Number)
	m, ok2 := w.(json.Number)
	if ok1 && ok2 && n != m {
		x, err1 := n.Float64()
		y, err2 := m.Float64()
		return err1 == nil && err2 == nil && x == y && strings.ContainsAny(string(n+m), ".eE")
	}
	return reflect.DeepEqual(v, w)
}

func containsValue(list []any, v any) bool {
	for _, e := range list {
		if sameJSON(e, v) {
			return true
		}
	}
	return false
}
