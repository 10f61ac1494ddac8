package alert

// The alerts of a sequence or sample: a building block for each event, and the
// shell, which is what people see.

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/eql"
)

// block is an event of a sequence on its way to a building block.
type block struct {
	alert  *Alert
	source *source
	doc    map[string]any // the part that comes from the event
}

func (b *Builder) buildSequence(s *detect.Signal, emit func(*Alert)) {
	shell := b.newAlert(s)
	shell.Keys = s.Keys
	traces := s.Traces()
	var blocks []block
	for i, step := range s.Steps {
		st := Step{Query: step.Query.String(), Missing: step.Record == nil, Trace: traces[i]}
		if r := step.Record; r != nil {
			src := newSource(r.Source, r.Index(), r.ID())
			if src.descendsFrom(s.Rule.ObjectID) {
				return
			}
			st.Time, st.Timed, st.Source = r.Time, r.Timed, src.fields
			blocks = append(blocks, b.newBlock(s, step, src, traces[i]))
		}
		shell.Steps = append(shell.Steps, st)
	}
	identify(shell, blocks)
	b.coverSequence(shell, blocks)
	shell.Why = sequenceWhy(shell)
	shell.BuildingBlock = s.Rule.BuildingBlockType != ""
	for i, bl := range blocks {
		b.finishBlock(bl, i, shell.ID)
		emit(bl.alert)
	}
	b.finishShell(shell, blocks)
	emit(shell)
}

// newBlock makes the alert of one event; overrides are not applied to sequences.
func (b *Builder) newBlock(s *detect.Signal, step detect.Step, src *source, trace *eql.Trace) block {
	a := b.newAlert(s)
	a.Time, a.Timed = step.Record.Time, step.Record.Timed
	a.BuildingBlock, a.Trace, a.Why = true, trace, why(trace)
	doc := b.copySource(src)
	a.Reason = reason(doc, a.Severity, a.RuleName)
	return block{a, src, doc}
}

// coverSequence marks the alerts of a sequence, all alike.
func (b *Builder) coverSequence(shell *Alert, blocks []block) {
	var events []*source
	for _, bl := range blocks {
		events = append(events, bl.source)
	}
	shell.Coverage = b.coverage(shell.Rule, events...)
	for _, bl := range blocks {
		bl.alert.Coverage = shell.Coverage
	}
}

// identify gives building blocks and shell the ids Kibana gives them: hashes over
// the ancestors of all blocks.
func identify(shell *Alert, blocks []block) {
	var base, ancestors strings.Builder
	for _, bl := range blocks {
		base.WriteString(bl.source.identities() + shell.Rule.ObjectID)
	}
	for i, bl := range blocks {
		bl.alert.ID = hash(base.String() + strconv.Itoa(i))
		ancestors.WriteString(bl.source.identities() + bl.alert.ID)
	}
	shell.ID = hash(ancestors.String() + shell.Rule.ObjectID)
}

func hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func (b *Builder) finishBlock(bl block, index int, group string) {
	doc := maps.Clone(bl.doc)
	b.addAlertFields(bl.alert, doc)
	addAncestors(doc, bl.source)
	doc["kibana.alert.building_block_type"] = "default"
	doc["kibana.alert.group.id"] = group
	doc["kibana.alert.group.index"] = index
	doc["shrike"] = bl.alert.marked(map[string]any{"why": bl.alert.Why, "trace": bl.alert.Trace})
}

// finishShell makes the document of the shell: what all blocks have in common, and
// below Shrike's own field each event whole.
func (b *Builder) finishShell(shell *Alert, blocks []block) {
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
			map[string]any{"id": bl.alert.ID, "type": "signal", "index": "", "depth": below + 1, "rule": shell.Rule.ObjectID})
	}
	shell.Reason = reason(doc, shell.Severity, shell.RuleName)
	b.addAlertFields(shell, doc)
	setKind(doc)
	doc["kibana.alert.ancestors"] = ancestors
	doc["kibana.alert.depth"] = depth + 1
	doc["kibana.alert.group.id"] = shell.ID
	if len(blocks) > 0 {
		addOriginalTime(doc, blocks[0].source)
	}
	doc["shrike"] = shell.marked(map[string]any{"why": shell.Why, "sequence": shell.stepDocuments()})
}

// stepDocuments gives the steps of a sequence as they stand in its document.
func (a *Alert) stepDocuments() map[string]any {
	keys := []any{}
	for _, k := range a.Keys {
		keys = append(keys, map[string]any{"field": k.Field, "value": k.Value.JSON()})
	}
	steps := []any{}
	for i := range a.Steps {
		st := &a.Steps[i]
		m := map[string]any{"query": st.Query, "missing": st.Missing}
		if st.Source != nil {
			m["event"] = st.Source
			m["trace"] = st.Trace
		}
		if offset, ok := a.Offset(i); ok {
			m["offset_ms"] = offset
		}
		steps = append(steps, m)
	}
	return map[string]any{"join_keys": keys, "steps": steps}
}

// Offset gives how many milliseconds step i was behind the first one; false where
// that is not known.
func (a *Alert) Offset(i int) (millis int64, ok bool) {
	for _, st := range a.Steps {
		if st.Timed {
			return a.Steps[i].Time.UnixMilli() - st.Time.UnixMilli(), a.Steps[i].Timed
		}
	}
	return 0, false
}

// sequenceWhy says in one line what came together.
func sequenceWhy(a *Alert) string {
	var b strings.Builder
	present := 0
	first, last := int64(0), int64(0) // samples come in any order
	for i := range a.Steps {
		if !a.Steps[i].Missing {
			present++
		}
		if offset, ok := a.Offset(i); ok {
			first, last = min(first, offset), max(last, offset)
		}
	}
	fmt.Fprintf(&b, "%d events", present)
	if last > first {
		fmt.Fprintf(&b, " within %s", seconds(last-first))
	}
	for i, k := range a.Keys {
		sep := ", "
		if i == 0 {
			sep = " with the same "
		}
		value := "missing"
		if !k.Value.IsNull() {
			value = cut(k.Value.Display(), 60)
		}
		b.WriteString(sep + k.Field + " (" + value + ")")
	}
	if missing := len(a.Steps) - present; missing > 0 {
		fmt.Fprintf(&b, "; %d did not happen", missing)
	}
	return b.String()
}

// seconds writes milliseconds as a time people read.
func seconds(millis int64) string {
	switch {
	case millis < 1000:
		return strconv.FormatInt(millis, 10) + " ms"
	case millis < 120_000:
		return strconv.FormatFloat(float64(millis)/1000, 'f', -1, 64) + " s"
	case millis < 7_200_000:
		return strconv.FormatInt(millis/60_000, 10) + " min"
	}
	return strconv.FormatInt(millis/3_600_000, 10) + " h"
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
